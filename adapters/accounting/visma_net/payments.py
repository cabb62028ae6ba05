"""Writing payments: what is open compared, then made, released, waited for and read back.

Our marker stands in `paymentRef`, which cannot be searched: the customer's payments of the day are read and compared.
What no line gives to an invoice stays on the customer's account.

A payment is in the currency of its cash account, and pays invoices in that currency; the rate to kroner is Visma Net's
own, and so is what differs by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.parties import Parties
from adapters.accounting.visma_net.releasing import Releasing
from adapters.accounting.visma_net.sending import day_of, in_ore
from adapters.accounting.visma_net.showing import gone, hidden, made, still_hidden
from adapters.accounting.visma_net.wrapping import wrapped
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Run, Step

Row = Mapping[str, Any]
PATH = "/v1/customerPayment"
INVOICES = records.SALES[Kind.INVOICE].path
PAYMENT = "Payment"
"""The type that is written."""
KRONER = "NOK"
SHOWN = 50
"""Characters of a payment's text."""


class Payments:
    """Flows of payments and of their reversals.

    Args:
        method, account: payment method and, for kroner, cash account where a payment names none.
        accounts: the same for other currencies.
        fee_type: as what is booked what a bank keeps.
        branch: whose documents they are, where that is said.
        settle: seconds after which it is believed that what was made does not show.
    """

    def __init__(
        self,
        client: Client,
        parties: Parties,
        releasing: Releasing,
        *,
        method: str | None,
        account: str | None,
        accounts: Mapping[str, str],
        fee_type: str | None,
        branch: str | None,
        settle: float,
    ) -> None:
        self._client = client
        self._parties = parties
        self._releasing = releasing
        self._method, self._account, self._branch = method, account, branch
        self._accounts, self._fee_type, self._settle = accounts, fee_type, settle

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
        self._in_one_currency(goal)
        fee = _fee(goal)
        if fee < 0 or fee > amount:
            raise Refused("A fee is no part of this payment.", code="fee-unfit", where={"field": "deductedCharges"})
        if fee and not self._fee_type:
            raise Refused(
                f"The bank kept {fee}, and nothing says as what that is booked.",
                code="fee-type-missing",
                do="Set fee_entry_type in the connection's settings to the entry type of bank charges that the cash"
                " account has in Visma Net.",
                where={"setting": "fee_entry_type"},
            )
        account = "cash_account" if _currency(goal) == KRONER else "cash_accounts"
        for name, said in ((account, self._cash_account(goal)), ("payment_method", self._payment_method(goal))):
            if not said:
                raise Refused(
                    f"Nothing says which {name.rstrip('s').replace('_', ' ')} a payment in {_currency(goal)} is booked"
                    " with.",
                    code="payment-type-missing",
                    do=f"Set {name} in the connection's settings.",
                    where={"setting": name},
                )
        return (
            Step("payment", self._create, self._look),
            Step("release", self._release, self._released),
            Step("read", self._read),
        )

    def _in_one_currency(self, goal: Goal) -> None:
        """Raises `Refused` where a payment, its account or what it settles are in several currencies: which of them the
        amounts of a payment are in then, Visma does not tell.
        """
        said, record = _currency(goal), goal.record
        account = record.get("accountCurrency") or said
        if account != said:
            raise Refused(
                f"The payment is in {said}, and {account} came to the account. Visma Net books a payment in the"
                " currency of its cash account.",
                code="account-currency-differs",
                do="Register the payment in Visma Net.",
                where={"field": "accountCurrency"},
            )
        for line in record.get("paymentLines") or ():
            if (line.get("currency") or said) != said:
                raise Refused(
                    f"The payment is in {said}, and settles {line['currency']}.",
                    code="currency-differs",
                    do="Register the payment in Visma Net.",
                    where={"field": "paymentLines[].currency"},
                )

    def reversal(self, goal: Goal) -> Sequence[Step]:
        """The steps that take a payment back: voided, which is a row of its own under the same number, and released.

        Raises `Refused`.
        """
        _reversed(goal)
        return (
            Step("void", self._void, self._voided),
            Step("release", self._release_void, self._void_released),
            Step("read", self._read_void),
        )

    def _cash_account(self, goal: Goal) -> str | None:
        own = self._account if _currency(goal) == KRONER else self._accounts.get(_currency(goal))
        return goal.record.get("cashAccount") or own

    def _payment_method(self, goal: Goal) -> str | None:
        return goal.record.get("paymentMethod") or self._method

    # --- made -----------------------------------------------------------------------------------------------------

    async def _create(self, run: Run) -> Proof:
        record, lines = run.goal.record, run.goal.record.get("paymentLines") or ()
        number = str((await self._parties.by_id(record["customer"]["internalId"]))["number"])
        await self._all_open(run.goal)
        fee = _fee(run.goal)
        body = {
            "type": PAYMENT,
            "hold": False,
            "customer": number,
            "paymentMethod": self._payment_method(run.goal),
            "cashAccount": self._cash_account(run.goal),
            "applicationDate": f"{day_of(record['applicationDate'], 'applicationDate')}T00:00:00",
            "paymentRef": run.goal.marker,
            "paymentAmount": in_ore(record["paymentAmount"], "paymentAmount"),
            "currency": _currency(run.goal),
            "invoiceText": (record.get("invoiceText") or "")[:SHOWN] or None,
            "branch": self._branch,
            "paymentLines": [
                {"operation": "Insert", "documentType": "Invoice", "refNbr": line["refNbr"],
                 "amountPaid": in_ore(line["amountPaid"], "amountPaid")}
                for line in lines
            ],
            "financeCharges": [{"operation": "Insert", "entryType": self._fee_type, "amount": fee}] if fee else None,
        }  # fmt: skip
        return made(await self._client.create(PATH, wrapped(body)))

    async def _all_open(self, goal: Goal) -> None:
        """Raises `Stop` ("currency-differs", "exceeds-open-amount") unless so much is open of each invoice now."""
        for invoice, amount in _given(goal).items():
            await self._open(invoice, amount, _currency(goal))

    async def _open(self, number: str, amount: Decimal, currency: str) -> None:
        row = await self._client.find(f"{INVOICES}/{segment(number)}")
        if row is None:
            raise Refused(
                f"Invoice {number} is not in Visma Net.",
                code="link-missing",
                do="See that what the payment settles has been brought to Visma Net.",
                where={"field": "paymentLines[].refNbr"},
            )
        theirs = records.text(row, "currencyId", INVOICES)
        if theirs != currency:
            raise Stop(
                f"The payment settles {amount} {currency}, and invoice {number} is in {theirs} there.",
                code="currency-differs",
                do="Register the payment in Visma Net.",
                where={"invoice": number},
            )
        balance = records.number(row, "balance", INVOICES)
        if amount > balance:
            raise Stop(
                f"{amount} is more than the {balance} open on invoice {number} in Visma Net.",
                code="exceeds-open-amount",
                do="See whether it is registered there already; an overpayment goes on the customer's account. A draft"
                " that is there of this payment (its reference is our mark) is to be deleted or mended, not both kept.",
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
            made(str(row["refNbr"]))
            for row in rows
            if row.get("paymentRef") == run.goal.marker and row.get("type") == PAYMENT
        ]

    # --- released -------------------------------------------------------------------------------------------------

    async def _release(self, run: Run) -> Proof:
        proof = run.proofs["payment"]
        row = await self._row(proof, PAYMENT)
        if row.get("status") in records.RELEASED:
            return Proof(proof.id)
        self._compare(run, row)
        # What was open when the draft was made may have been paid since, by somebody else or by another of ours.
        await self._all_open(run.goal)
        return await self._ask(proof.id, PAYMENT)

    async def _ask(self, number: str, type: str) -> Proof:
        said = wrapped({"type": type})
        return Proof(number, await self._releasing.ask(f"{PATH}/{segment(number)}/action/release", said))

    async def _released(self, run: Run) -> Sequence[Proof]:
        proof = run.proofs["payment"]
        row = await self._row(proof, PAYMENT)
        return [] if row.get("status") in records.DRAFT else [Proof(proof.id)]

    async def _read(self, run: Run) -> Proof:
        proof = run.proofs["payment"]
        row = await self._row(proof, PAYMENT)
        await self._releasing.wait(row, run.proofs["release"].facts, f"payment {proof.id}")
        self._compare(run, row)
        record = records.payment(row, int(run.goal.record["customer"]["internalId"]))
        facts = {"voucher": proof.id, "posting_date": record.body["applicationDate"]}
        return Proof(record.id, facts, record)

    def _compare(self, run: Run, row: Row) -> None:
        """Raises `Stop` ("payment-differs") unless it is the payment that was meant."""
        amount, fee = in_ore(run.goal.record["paymentAmount"], "paymentAmount"), _fee(run.goal)
        theirs = records.number(row, "paymentAmount", PATH)
        currency, kept = records.text(row, "currency", PATH), records.charges(row)
        same = (theirs, currency, kept) == (amount, _currency(run.goal), fee)
        if same and records.applied(row) == _given(run.goal):
            return
        raise Stop(
            f"Payment {row.get('refNbr')} in Visma Net is of {theirs} {currency} less {kept} that the bank kept, and"
            f" not the {amount} {_currency(run.goal)} less {fee} on the same invoices that was registered.",
            code="payment-differs",
            do="See what Visma Net has on the invoice; mend the payment there and retry, or say which one it is:"
            " --happened with its number.",
            where={"payment": str(row.get("refNbr"))},
        )

    # --- taken back -----------------------------------------------------------------------------------------------

    async def _void(self, run: Run) -> Proof:
        type, number = _reversed(run.goal)
        row = await self._find(number, type)
        if row is None:
            raise Stop(
                f"{type} {number}, which is to be taken back, does not show in Visma Net.",
                code="payment-unknown",
                do="Look for it in Visma Net. If it is there, retry; if it is gone, cancel this.",
                where={"payment": number},
            )
        if found := await self._find(number, records.VOIDED_BY[type]):  # somebody else has voided it
            return made(str(found["refNbr"]))
        if row.get("status") not in records.RELEASED:
            raise Stop(
                f"Payment {number} is in the state {row.get('status')} in Visma Net, and cannot be voided.",
                code="payment-not-released",
                do="Release or delete it in Visma Net, then retry.",
                where={"payment": number},
            )
        # In this body, the type is not wrapped; in that of a release it is.
        said = {"type": type, "returnVoidPayment": True}
        await self._client.call("POST", f"{PATH}/{segment(number)}/action/void", json=said)
        return made(number)

    async def _voided(self, run: Run) -> Sequence[Proof]:
        type, number = _reversed(run.goal)
        return [made(number)] if await self._find(number, records.VOIDED_BY[type]) else []

    async def _release_void(self, run: Run) -> Proof:
        proof, type = run.proofs["void"], _void_type(run.goal)
        row = await self._row(proof, type)
        return Proof(proof.id) if row.get("status") in records.RELEASED else await self._ask(proof.id, type)

    async def _void_released(self, run: Run) -> Sequence[Proof]:
        proof = run.proofs["void"]
        row = await self._row(proof, _void_type(run.goal))
        return [] if row.get("status") in records.DRAFT else [Proof(proof.id)]

    async def _read_void(self, run: Run) -> Proof:
        proof = run.proofs["void"]
        row = await self._row(proof, _void_type(run.goal))
        await self._releasing.wait(row, run.proofs["release"].facts, f"the voiding of payment {proof.id}")
        customer = records.customer_number(row, PATH)
        internal_id = (await self._parties.ids([customer]))[customer]
        record = records.reversal(row, internal_id, str(run.goal.record["reverses"]["id"]))
        return Proof(record.id, {"voucher": proof.id}, record)

    # --- found again ----------------------------------------------------------------------------------------------

    async def _find(self, number: str, type: str) -> Row | None:
        """A payment of a type; a voided one and what voids it have one number."""
        rows = await self._client.every(PATH, paymentNbr=number, paymentType=type)
        return next((row for row in rows if row.get("refNbr") == number and row.get("type") == type), None)

    async def _row(self, proof: Proof, type: str) -> Row:
        """What was made. Raises `TryLater` ("not-shown-yet") and, in the end, `Stop` ("nothing-read-back")."""
        row = await self._find(proof.id, type)
        if row is not None:
            return row
        what = f"{type} {proof.id}"
        if still_hidden(proof, self._settle):
            raise hidden(what)
        # The second look is not at the list; there one number may stand for several types.
        one = await self._client.find(f"{PATH}/{segment(proof.id)}")
        if one is not None and (one.get("type"), one.get("refNbr")) == (type, proof.id):
            return one
        raise gone(what, {"payment": proof.id})


def _given(goal: Goal) -> dict[str, Decimal]:
    """What a payment gives to each invoice."""
    wanted: dict[str, Decimal] = {}
    for line in goal.record.get("paymentLines") or ():
        amount = in_ore(line["amountPaid"], "amountPaid")
        wanted[str(line["refNbr"])] = wanted.get(str(line["refNbr"]), Decimal(0)) + amount
    return wanted


def _currency(goal: Goal) -> str:
    return str(goal.record.get("currency") or KRONER)


def _fee(goal: Goal) -> Decimal:
    """What the bank kept."""
    return in_ore(goal.record.get("deductedCharges") or 0, "deductedCharges")


def _reversed(goal: Goal) -> tuple[str, str]:
    """Type and number of what is taken back. Raises `Refused` ("link-missing")."""
    type, _, number = str((goal.record.get("reverses") or {}).get("id") or "").partition("/")
    if type in records.VOIDED_BY and number:
        return type, number
    raise Refused(
        "The reversal names no payment in Visma Net.",
        code="link-missing",
        do="See that the payment it takes back has been brought to Visma Net.",
        where={"field": "reverses.id"},
    )


def _void_type(goal: Goal) -> str:
    return records.VOIDED_BY[_reversed(goal)[0]]
