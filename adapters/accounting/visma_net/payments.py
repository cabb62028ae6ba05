"""Writing payments: what is open compared, then made, released, waited for and read back.

Our marker stands in `paymentRef`, which cannot be searched: the customer's payments of the day are read and compared.
What no line gives to an invoice stays on the customer's account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from weakref import WeakValueDictionary

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.parties import Parties
from adapters.accounting.visma_net.releasing import Releasing
from adapters.accounting.visma_net.sending import day_of, in_ore
from adapters.accounting.visma_net.wrapping import wrapped
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Run, Step

Row = Mapping[str, Any]
PATH = "/v1/customerPayment"
INVOICES = records.SALES[Kind.INVOICE].path
VOID = "VoidPayment"
SHOWN = 50
"""Characters of a payment's text."""


class Payments:
    """Flows of payments and of their reversals.

    Args:
        method, account: payment method and cash account where a payment names none.
        branch: whose documents they are, where that is said.
    """

    def __init__(
        self,
        client: Client,
        parties: Parties,
        releasing: Releasing,
        *,
        method: str | None,
        account: str | None,
        branch: str | None,
    ) -> None:
        self._client = client
        self._parties = parties
        self._releasing = releasing
        self._method, self._account, self._branch = method, account, branch
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that bring a payment there. Raises `Refused`."""
        record = goal.record
        day_of(record.get("applicationDate"), "applicationDate")
        amount = in_ore(record.get("paymentAmount"), "paymentAmount")
        given = [in_ore(line.get("amountPaid"), "amountPaid") for line in record.get("paymentLines") or ()]
        if amount <= 0 or any(one <= 0 for one in given) or sum(given, Decimal(0)) > amount:
            raise Refused(
                "A payment is above nothing, and gives to invoices no more than itself.",
                code="payment-not-positive",
                where={"field": "paymentAmount"},
            )
        for name, said in (("cash_account", self._cash_account(goal)), ("payment_method", self._payment_method(goal))):
            if not said:
                raise Refused(
                    f"Nothing says which {name.replace('_', ' ')} a payment is booked with.",
                    code="payment-type-missing",
                    do=f"Set {name} in the connection's settings.",
                    where={"setting": name},
                )
        return (
            Step("payment", self._create, self._look),
            Step("release", self._release, self._released),
            Step("read", self._read),
        )

    def reversal(self, goal: Goal) -> Sequence[Step]:
        """The steps that take a payment back: voided, which is a row of its own under the same number, and released.

        Raises `Refused`.
        """
        if not (goal.record.get("reverses") or {}).get("refNbr"):
            raise Refused(
                "The reversal names no payment in Visma Net.",
                code="link-missing",
                do="See that the payment it takes back has been brought to Visma Net.",
                where={"field": "reverses.refNbr"},
            )
        return (
            Step("void", self._void, self._voided),
            Step("release", self._release_void, self._void_released),
            Step("read", self._read_void),
        )

    def _cash_account(self, goal: Goal) -> str | None:
        return goal.record.get("cashAccount") or self._account

    def _payment_method(self, goal: Goal) -> str | None:
        return goal.record.get("paymentMethod") or self._method

    # --- made -----------------------------------------------------------------------------------------------------

    async def _create(self, run: Run) -> Proof:
        record, lines = run.goal.record, run.goal.record.get("paymentLines") or ()
        number = str((await self._parties.by_id(record["customer"]["internalId"]))["number"])
        # Two payments of one customer at a time would both see the same amount open.
        async with self._locks.setdefault(number, asyncio.Lock()):
            for line in lines:
                await self._open(str(line["refNbr"]), in_ore(line["amountPaid"], "amountPaid"), record.get("currency"))
            body = {
                "type": "Payment",
                "hold": False,
                "customer": number,
                "paymentMethod": self._payment_method(run.goal),
                "cashAccount": self._cash_account(run.goal),
                "applicationDate": f"{day_of(record['applicationDate'], 'applicationDate')}T00:00:00",
                "paymentRef": run.goal.marker,
                "paymentAmount": in_ore(record["paymentAmount"], "paymentAmount"),
                "currency": record.get("currency"),
                "invoiceText": (record.get("invoiceText") or "")[:SHOWN] or None,
                "branch": self._branch,
                "paymentLines": [
                    {"operation": "Insert", "documentType": "Invoice", "refNbr": line["refNbr"],
                     "amountPaid": in_ore(line["amountPaid"], "amountPaid")}
                    for line in lines
                ],
            }  # fmt: skip
            return Proof(await self._client.create(PATH, wrapped(body)))

    async def _open(self, number: str, amount: Decimal, currency: str | None) -> None:
        row = await self._client.find(f"{INVOICES}/{segment(number)}")
        if row is None:
            raise Refused(
                f"Invoice {number} is not in Visma Net.",
                code="link-missing",
                do="See that what the payment settles has been brought to Visma Net.",
                where={"field": "paymentLines[].refNbr"},
            )
        if currency and row.get("currencyId") not in (None, currency):
            raise Stop(
                f"The payment settles {amount} {currency}, and invoice {number} is in {row['currencyId']} there.",
                code="currency-differs",
                do="Register the payment in Visma Net.",
                where={"invoice": number},
            )
        balance = records.number(row, "balance", INVOICES)
        if amount > balance:
            raise Stop(
                f"{amount} is more than the {balance} open on invoice {number} in Visma Net.",
                code="exceeds-open-amount",
                do="See whether it is registered there already; an overpayment goes on the customer's account.",
                where={"invoice": number},
                details={"open": str(balance), "amount": str(amount)},
            )

    async def _look(self, run: Run) -> Sequence[Proof]:
        """The payment with our marker, if it is there: the customer's payments of its day are compared."""
        record = run.goal.record
        number = str((await self._parties.by_id(record["customer"]["internalId"]))["number"])
        day = day_of(record["applicationDate"], "applicationDate").isoformat()
        rows = await self._client.every(PATH, customer=number, docDate=day, docDateCondition=">=")
        return [
            Proof(str(row["refNbr"]))
            for row in rows
            if row.get("paymentRef") == run.goal.marker and row.get("type") in records.MONEY_IN
        ]

    # --- released -------------------------------------------------------------------------------------------------

    async def _release(self, run: Run) -> Proof:
        number, row = run.proofs["payment"].id, await self._row(run.proofs["payment"].id, "Payment")
        if row.get("status") in records.RELEASED:
            return Proof(number)
        self._compare(run, row)
        return await self._ask(number, "Payment")

    async def _ask(self, number: str, type: str) -> Proof:
        said = wrapped({"type": type})
        return Proof(number, await self._releasing.ask(f"{PATH}/{segment(number)}/action/release", said))

    async def _released(self, run: Run) -> Sequence[Proof]:
        number = run.proofs["payment"].id
        row = await self._row(number, "Payment")
        return [] if row.get("status") in records.DRAFT else [Proof(number)]

    async def _read(self, run: Run) -> Proof:
        number = run.proofs["payment"].id
        row = await self._row(number, "Payment")
        await self._releasing.wait(row, run.proofs["release"].facts, f"payment {number}")
        self._compare(run, row)
        record = records.payment(row, int(run.goal.record["customer"]["internalId"]))
        facts = {"voucher": number, "posting_date": record.body["applicationDate"]}
        return Proof(record.id, facts, record)

    def _compare(self, run: Run, row: Row) -> None:
        """Raises `Stop` ("payment-differs") unless it is the payment that was meant."""
        record = run.goal.record
        amount = in_ore(record["paymentAmount"], "paymentAmount")
        wanted: dict[str, Decimal] = {}
        for line in record.get("paymentLines") or ():
            given = in_ore(line["amountPaid"], "amountPaid")
            wanted[str(line["refNbr"])] = wanted.get(str(line["refNbr"]), Decimal(0)) + given
        theirs = records.number(row, "paymentAmount", PATH)
        if theirs == amount and records.applied(row) == wanted:
            return
        raise Stop(
            f"Payment {row.get('refNbr')} in Visma Net is of {theirs}, and not the {amount} on the same invoices that"
            " was registered.",
            code="payment-differs",
            do="See what Visma Net has on the invoice; mend the payment there and retry, or say which one it is:"
            " --happened with its number.",
            where={"payment": str(row.get("refNbr"))},
        )

    # --- taken back -----------------------------------------------------------------------------------------------

    async def _void(self, run: Run) -> Proof:
        number = str(run.goal.record["reverses"]["refNbr"])
        row = await self._row(number, "Payment")
        if found := await self._find(number, VOID):  # somebody else has voided it
            return Proof(str(found["refNbr"]))
        if row.get("status") not in records.RELEASED:
            raise Stop(
                f"Payment {number} is in the state {row.get('status')} in Visma Net, and cannot be voided.",
                code="payment-not-released",
                do="Release or delete it in Visma Net, then retry.",
                where={"payment": number},
            )
        # In this body, the type is not wrapped; in that of a release it is.
        said = {"type": "Payment", "returnVoidPayment": True}
        await self._client.call("POST", f"{PATH}/{segment(number)}/action/void", json=said)
        return Proof(number)

    async def _voided(self, run: Run) -> Sequence[Proof]:
        number = str(run.goal.record["reverses"]["refNbr"])
        return [Proof(number)] if await self._find(number, VOID) else []

    async def _release_void(self, run: Run) -> Proof:
        number = run.proofs["void"].id
        row = await self._row(number, VOID)
        return Proof(number) if row.get("status") in records.RELEASED else await self._ask(number, VOID)

    async def _void_released(self, run: Run) -> Sequence[Proof]:
        number = run.proofs["void"].id
        row = await self._row(number, VOID)
        return [] if row.get("status") in records.DRAFT else [Proof(number)]

    async def _read_void(self, run: Run) -> Proof:
        number = run.proofs["void"].id
        row = await self._row(number, VOID)
        await self._releasing.wait(row, run.proofs["release"].facts, f"the voiding of payment {number}")
        customer = records.customer_number(row, PATH)
        record = records.reversal(row, (await self._parties.ids([customer]))[customer])
        return Proof(record.id, {"voucher": number}, record)

    async def _find(self, number: str, type: str) -> Row | None:
        """A payment of a type; a voided one and what voids it have one number."""
        rows = await self._client.every(PATH, paymentNbr=number, paymentType=type)
        return next((row for row in rows if row.get("refNbr") == number and row.get("type") == type), None)

    async def _row(self, number: str, type: str) -> Row:
        """As `_find`. Raises `Stop` ("nothing-read-back")."""
        row = await self._find(number, type)
        if row is not None:
            return row
        raise Stop(
            f"Payment {number} is not in Visma Net any more; somebody has deleted the draft.",
            code="nothing-read-back",
            do="Cancel this, and post the payment anew where it is wanted.",
            where={"payment": number},
        )
