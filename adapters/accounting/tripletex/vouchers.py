"""Writing what stands on a customer's account alone: money on account, refunds, and the reversal of rows; and what a
bank has kept of a payment.

Tripletex registers payments on invoices only; the rest are vouchers. Ours have the marker as external voucher number,
which is read back from the vouchers of the day (the search by that number may know imported vouchers only).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.amounts import NOK, Amounts, amounts
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.closing import close
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.rights import to_ledger
from adapters.accounting.tripletex.sending import day_of, number_of
from connector.errors import Refused, Stop
from connector.model.money import round2
from connector.ports import Goal, Proof, Run, Step

_ROWS = f"id,number,year,postings({records.POSTING_FIELDS})"


class Vouchers:
    """Flows that end in a voucher."""

    def __init__(self, client: Client, lookups: Lookups, periods: Periods) -> None:
        self._client = client
        self._lookups = lookups
        self._periods = periods

    # --- money on the customer's account ------------------------------------------------------------------------------

    def money(self, goal: Goal) -> Sequence[Step]:
        """The steps to a payment on account or a refund. Raises `Refused`."""
        if amounts(goal.record).kept and goal.record.get("isRefund"):
            raise Refused(
                "What a bank keeps of a refund is not booked here.",
                code="operation-not-supported",
                do="Post the refund without the fee, and book the fee in Tripletex.",
                where={"field": "deductions"},
            )
        if not ((goal.record.get("customer") or {}).get("id") or _settles(goal)):
            raise Refused(
                "The payment names neither an invoice nor a customer in Tripletex.",
                code="payment-without-invoice",
                do="Say which invoice it settles, or whose money it is.",
                where={"field": "customer.id"},
            )
        steps = (Step("voucher", self._book, self._look), Step("read", self._read))
        return steps if not _settles(goal) else (steps[0], Step("match", self._match), steps[1])

    async def _book(self, run: Run) -> Proof:
        record, money, bank_day = run.goal.record, amounts(run.goal.record), _said(run.goal)
        day = await self._periods.day_for(bank_day, record.get("inClosedPeriod"))
        out, sign = bool(record.get("isRefund")), -1 if record.get("isRefund") else 1
        bank = await self._lookups.payment_account(record.get("paymentType"), money.account_currency)
        customers = await self._lookups.customer_account()
        kept = {account: await self._lookups.account(account) for account in money.kept}
        rate = None if money.kroner is not None else await self._lookups.rate(money.currency, day)
        whole = round2(money.settled * rate) if rate is not None else money.kroner
        assert whole is not None
        kroner = {one: value if rate is None else round2(value * rate) for one, value in money.kept.items()}
        currency = await self._currency(money.currency)
        arrived, arrived_currency = (
            whole - sum(kroner.values(), Decimal(0)),
            money.settled - sum(money.kept_currency.values(), Decimal(0)),
        )
        rows = [
            {"account": {"id": bank}, **both(sign * arrived, sign * arrived_currency), **currency},
            *(
                {"account": {"id": id}, **both(kroner[one], money.kept_currency[one]), **currency}
                for one, id in kept.items()
            ),
            {
                "account": {"id": customers},
                **await self._of(run.goal),
                **both(-sign * whole, -sign * money.settled),
                **currency,
            },
        ]
        text = "Tilbakebetaling til kunde" if out else "Innbetaling fra kunde"
        if day != bank_day:
            text += f", bankdato {bank_day}"
        return await self.post(run.goal.marker, day, text, rows)

    async def _look(self, run: Run) -> Sequence[Proof]:
        found: list[Proof] = []
        for day in await self._periods.days(_said(run.goal), run.goal.record.get("inClosedPeriod")):
            found += await self.marked(run.goal.marker, day)
        return found

    async def marked(self, marker: str, day: date) -> list[Proof]:
        """The vouchers of a day that have our marker."""
        found = await self._client.every(
            "/ledger/voucher", dateFrom=day, dateTo=day + timedelta(days=1), fields="id,externalVoucherNumber"
        )
        return [Proof(str(row["id"])) for row in found if row.get("externalVoucherNumber") == marker]

    async def kept(self, goal: Goal, day: date, payment: str) -> Proof:
        """Book what was kept of a payment (`payment`: its row), from the bank account to the accounts named."""
        money: Amounts = amounts(goal.record)
        bank = await self._lookups.payment_account(goal.record.get("paymentType"), money.account_currency)
        rate = None if money.account_currency == NOK else await self._lookups.rate(money.account_currency, day)
        currency = await self._currency(money.account_currency)
        rows, sums = [], [Decimal(0), Decimal(0)]
        for account, value in money.kept.items():
            kroner = value if rate is None else round2(value * rate)
            rows.append({"account": {"id": await self._lookups.account(account)}, **both(kroner, value), **currency})
            sums = [sums[0] + kroner, sums[1] + value]
        rows.append({"account": {"id": bank}, **both(-sums[0], -sums[1]), **currency})
        return await self.post(goal.marker, day, _fee_of(payment), rows)

    async def _currency(self, code: str) -> dict[str, Any]:
        return {} if code == NOK else {"currency": {"id": await self._lookups.currency(code)}}

    async def post(self, marker: str, day: date, text: str, rows: Sequence[Mapping[str, Any]]) -> Proof:
        """Book a voucher with our marker; the rows are numbered here. Gives its id."""
        body = {
            "date": day.isoformat(),
            "description": text,
            "externalVoucherNumber": marker,
            "postings": [{"row": number, **row} for number, row in enumerate(rows, 1)],
        }
        made = await to_ledger(self._client, body)
        return Proof(str(made["id"]))

    async def _of(self, goal: Goal) -> dict[str, Any]:
        """Whose money it is, and of which invoice, where the row it is matched with says so."""
        if not _settles(goal):
            return {"customer": {"id": _customer(goal)}}
        settled = await self._settled(goal)
        number = settled.get("invoiceNumber")
        return {"customer": {"id": _owner(goal, settled)}, **({"invoiceNumber": number} if number else {})}

    async def _settled(self, goal: Goal) -> dict[str, Any]:
        return await self._client.get(f"/ledger/posting/{_settles(goal)}", fields="id,invoiceNumber,customer(id)")

    async def _match(self, run: Run) -> Proof:
        """Close it against what it settles, where they come to nothing; doing it again does nothing."""
        row = await self._row(run)
        await close(self._client, row["id"], _settles(run.goal))
        return Proof(str(row["id"]))

    async def _read(self, run: Run) -> Proof:
        row, refund = await self._row(run), bool(run.goal.record.get("isRefund"))
        record = records.payment(row, None, refund=refund, settles=None if refund else _settles(run.goal) or None)
        facts = {"voucher": records.voucher_text(row.get("voucher")), **_dated(row)}
        return Proof(record.id, facts, record)

    async def _row(self, run: Run) -> dict[str, Any]:
        """The row on the customer's account."""
        voucher = await self._client.get(f"/ledger/voucher/{run.proofs['voucher'].id}", fields=_ROWS)
        settled = await self._settled(run.goal) if _settles(run.goal) else {}
        return _of_customer(voucher, _owner(run.goal, settled))

    # --- reversals ----------------------------------------------------------------------------------------------------

    def reversal(self, goal: Goal) -> Sequence[Step]:
        """The steps that take a row back: its voucher is reversed, where it holds nothing else. Raises `Refused`."""
        if not (goal.record.get("reverses") or {}).get("id"):
            raise Refused("What shall be taken back is not in Tripletex.", code="link-missing")
        return (
            Step("reversal", self._reverse, self._reversed),
            Step("fee", self._reverse_fee),
            Step("read", self._read_reversal),
        )

    async def _reverse(self, run: Run) -> Proof:
        voucher = await self._voucher_of(run.goal)
        if voucher.get("reverseVoucher"):
            return Proof(str(voucher["reverseVoucher"]["id"]))
        others = [row for row in voucher["postings"] if (row.get("customer") or {}).get("id")]
        if len({row["id"] for row in others}) > 1:
            raise Stop(
                f"The voucher {records.voucher_text(voucher)} in Tripletex holds more than the row that is taken back.",
                code="voucher-holds-more",
                do="Correct it in Tripletex; what is taken back there is read.",
                where={"voucher": str(voucher["id"])},
            )
        return await self._turn(voucher["id"], run.goal)

    async def _turn(self, voucher: int, goal: Goal) -> Proof:
        day = await self._periods.day_for(_said(goal), goal.record.get("inClosedPeriod"))
        made = await self._client.write("PUT", f"/ledger/voucher/{voucher}/:reverse", params={"date": day})
        return Proof(str(made["id"]))

    async def _reverse_fee(self, run: Run) -> Proof:
        """Reverse what we booked as kept of the payment, if there is any; doing it again does nothing."""
        of = number_of(run.goal.record["reverses"]["id"], "reverses.id")
        was = await self._client.get(f"/ledger/posting/{of}", fields="id,date")
        booked = day_of(was.get("date"))
        if booked is None:
            return Proof("-")
        for row in await self._client.every(
            "/ledger/voucher", dateFrom=booked, dateTo=booked + timedelta(days=1),
            fields="id,description,externalVoucherNumber,reverseVoucher(id)",
        ):  # fmt: skip
            if (
                row.get("externalVoucherNumber")
                and row.get("description") == _fee_of(str(of))
                and not row.get("reverseVoucher")
            ):
                return await self._turn(row["id"], run.goal)
        return Proof("-")

    async def _reversed(self, run: Run) -> Sequence[Proof]:
        voucher = await self._voucher_of(run.goal)
        there = voucher.get("reverseVoucher")
        return [Proof(str(there["id"]))] if there else []

    async def _read_reversal(self, run: Run) -> Proof:
        of = number_of(run.goal.record["reverses"]["id"], "reverses.id")
        was = await self._client.get(f"/ledger/posting/{of}", fields=records.POSTING_FIELDS)
        voucher = await self._client.get(f"/ledger/voucher/{run.proofs['reversal'].id}", fields=_ROWS)
        row = _of_customer(voucher, (was.get("customer") or {}).get("id"))
        record = records.reversal(row, of)
        return Proof(record.id, {"voucher": records.voucher_text(voucher), **_dated(row)}, record)

    async def _voucher_of(self, goal: Goal) -> dict[str, Any]:
        of = number_of(goal.record["reverses"]["id"], "reverses.id")
        row = await self._client.get(f"/ledger/posting/{of}", fields="id,voucher(id)")
        return await self._client.get(
            f"/ledger/voucher/{row['voucher']['id']}",
            fields="id,number,year,reverseVoucher(id),postings(id,customer(id))",
        )


def _settles(goal: Goal) -> int:
    """Id of the row that it is matched with; 0: none."""
    id = (goal.record.get("settles") or {}).get("id")
    return 0 if id is None else number_of(id, "settles.id")


def _owner(goal: Goal, settled: Mapping[str, Any]) -> int:
    """The customer that is named, else the one whose row is settled."""
    if (goal.record.get("customer") or {}).get("id"):
        return _customer(goal)
    return number_of((settled.get("customer") or {}).get("id"), "settles.customer.id")


def _customer(goal: Goal) -> int:
    return number_of(goal.record["customer"]["id"], "customer.id")


def _said(goal: Goal) -> date:
    """The day that the record says."""
    day = day_of(goal.record.get("paymentDate") or goal.record.get("date"))
    assert day is not None
    return day


def _dated(row: Mapping[str, Any]) -> dict[str, str]:
    """The day a row is booked on, as facts."""
    day = str(row.get("date") or "")
    return {"posting_date": day, "period": day[:7]} if day else {}


def _fee_of(payment: str) -> str:
    """Text of the voucher with what was kept of a payment: by it the two are known to belong together."""
    return f"Bankgebyr, betaling {payment}"


def both(kroner: Decimal, currency: Decimal) -> dict[str, Decimal]:
    """The amounts of a row."""
    return {"amountGross": kroner, "amountGrossCurrency": currency}


def _of_customer(voucher: Mapping[str, Any], customer: Any) -> dict[str, Any]:
    rows = [row for row in voucher.get("postings") or () if (row.get("customer") or {}).get("id") == customer]
    if len(rows) != 1:
        raise records.not_as_described("voucher.postings", "one row of the customer")
    return {**rows[0], "voucher": {name: voucher.get(name) for name in ("id", "number", "year")}}
