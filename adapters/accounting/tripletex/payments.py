"""Writing payments: what is open compared, then registered, then told from the rows that were there before.

What the bank kept is a voucher of its own between the bank account and the account that the mapping names: the invoice
is settled by what the customer paid, and the bank account moves by what came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date
from decimal import Decimal
from typing import Any
from weakref import WeakValueDictionary

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.amounts import Amounts, amounts
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.sending import day_of, number_of
from adapters.accounting.tripletex.vouchers import Vouchers
from connector.errors import Refused, Stop, UnknownOutcome, VendorError
from connector.ports import Goal, Json, Proof, Record, Run, Step


class Payments:
    """Flows of payments. `seen` is told of every invoice that is read on the way."""

    def __init__(
        self,
        client: Client,
        lookups: Lookups,
        periods: Periods,
        vouchers: Vouchers,
        seen: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._client = client
        self._lookups = lookups
        self._periods = periods
        self._vouchers = vouchers
        self._seen = seen
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        money = amounts(goal.record)
        if not (goal.record.get("invoice") or {}).get("id"):
            raise Refused(
                "The payment names no invoice in Tripletex.",
                code="payment-without-invoice",
                do="Say which invoice it settles; a payment on account is registered in Tripletex.",
                where={"field": "invoice.id"},
            )
        steps = [Step("payment", self._pay, self._look, self._witness)]
        if money.kept:
            steps.append(Step("fee", self._fee, self._fee_look))
        return (*steps, Step("read", self._read))

    async def _witness(self, run: Run) -> Json:
        """The rows that are there, and the day it will be booked on: what is looked for has to be known before."""
        bank_day = day_of(run.goal.record["paymentDate"])
        assert bank_day is not None
        day = await self._periods.day_for(bank_day, run.goal.record.get("inClosedPeriod"))
        _, _, rows = await self._payments(run.goal)
        return {"rows": [row["id"] for row in rows], "day": day.isoformat()}

    async def _pay(self, run: Run) -> Proof:
        money, invoice, day = amounts(run.goal.record), _invoice_of(run.goal), _day(run)
        payment_type = await self._lookups.payment_type_in(run.goal.record.get("paymentType"), money.account_currency)
        for account in money.kept:  # what cannot be booked is known before money is
            await self._lookups.account(account)
        # Two payments of one invoice at a time would both see the same amount open, and each the row of the other.
        async with self._locks.setdefault(invoice, asyncio.Lock()):
            currency, open_amount, rows = await self._payments(run.goal)
            _same_currency(money, currency, invoice)
            if money.settled > open_amount:
                raise Stop(
                    f"{money.settled} is more than the {open_amount} open on the invoice in Tripletex.",
                    code="exceeds-open-amount",
                    do="See whether it is registered there already; an overpayment is registered in Tripletex itself.",
                    where={"invoice": str(invoice)},
                    details={"open": str(open_amount), "amount": str(money.settled)},
                )
            answer = await self._client.write(
                "PUT",
                f"/invoice/{invoice}/:payment",
                params={
                    "paymentDate": day,
                    "paymentTypeId": payment_type,
                    "paidAmount": money.gross,
                    "paidAmountCurrency": money.settled if money.foreign else None,
                },
            )
            before = {row["id"] for row in rows}
            new = [ref.get("id") for ref in answer.get("postings") or () if ref.get("id") not in before]
            if len(new) == 1:
                return Proof(str(new[0]))
            # The answer does not say which row it made: find it among the rows. The money is booked by now, so
            # whatever goes wrong here is no reason to call again.
            try:
                found = await self._new_rows(run.goal, before, day)
            except VendorError as exc:
                raise UnknownOutcome(f"The payment was taken; its row could not be read: {exc.said}") from exc
        if len(found) != 1:
            raise UnknownOutcome(f"The payment was taken; {len(found)} rows could be it.")
        return found[0]

    async def _look(self, run: Run) -> Sequence[Proof]:
        return await self._new_rows(run.goal, set((run.witness or {}).get("rows", ())), _day(run))

    async def _new_rows(self, goal: Goal, before: Set[int], day: date) -> list[Proof]:
        """The rows equal to the payment that were not there before."""
        money = amounts(goal.record)
        name = "amountCurrency" if money.foreign else "amount"
        _, _, rows = await self._payments(goal)
        return [
            Proof(str(row["id"]))
            for row in rows
            if row["id"] not in before and row.get("type") == records.PAYMENT_ROW and row.get("date") == str(day)
            and -Decimal(row.get(name) or 0) == money.settled
        ]  # fmt: skip

    async def _payments(self, goal: Goal) -> tuple[str | None, Decimal, list[dict[str, Any]]]:
        """The invoice's currency, what is open now in it, and all rows of the invoice in the customer ledger."""
        path = f"/invoice/{_invoice_of(goal)}"
        row = await self._client.get(
            path,
            fields="id,invoiceNumber,currency(id,code),amountOutstanding,amountCurrencyOutstanding,"
            "postings(id,type,date,amount,amountCurrency)",
        )
        self._seen(row)
        name = "amountCurrencyOutstanding" if amounts(goal.record).foreign else "amountOutstanding"
        open_amount, rows = row.get(name), row.get("postings")
        if not isinstance(open_amount, int | Decimal):
            raise records.not_as_described(f"value.{name}", "a number", path)
        if not isinstance(rows, list) or not all(isinstance(item, Mapping) and "id" in item for item in rows):
            raise records.not_as_described("value.postings", "a list of objects", path)
        return (row.get("currency") or {}).get("code"), Decimal(open_amount), rows

    async def _fee(self, run: Run) -> Proof:
        paid = run.proofs["payment"]
        return await self._vouchers.kept(run.goal, await self._booked(run), paid.id)

    async def _fee_look(self, run: Run) -> Sequence[Proof]:
        return await self._vouchers.marked(run.goal.marker, await self._booked(run))

    async def _booked(self, run: Run) -> date:
        """The day the payment is booked on, whoever has said which row it is."""
        id = run.proofs["payment"].id
        day = day_of((await self._client.get(f"/ledger/posting/{id}", fields="id,date")).get("date"))
        if day is None:
            raise records.not_as_described("value.date", "a day", f"/ledger/posting/{id}")
        return day

    async def _read(self, run: Run) -> Proof:
        money, paid = amounts(run.goal.record), run.proofs["payment"]
        row = await self._client.get(f"/ledger/posting/{paid.id}", fields=records.POSTING_FIELDS)
        record: Record = records.payment(row, _invoice_of(run.goal))
        shown = record.body["amountCurrency" if money.foreign else "amount"]
        if row.get("type") != records.PAYMENT_ROW or Decimal(shown) != money.settled:
            raise Stop(
                f"Posting {row['id']} in Tripletex is not the payment of {money.settled} that was registered.",
                code="payment-differs",
                do="See what Tripletex has on the invoice, and say which row it is: --happened with the posting's id.",
                where={"posting": str(row["id"])},
            )
        facts: dict[str, Json] = {"voucher": records.voucher_text((record.body.get("posting") or {}).get("voucher"))}
        if day := row.get("date"):
            facts |= {"posting_date": str(day), "period": str(day)[:7]}
        return Proof(record.id, facts, record)


def _day(run: Run) -> date:
    """The day it is booked on, as it was decided before the call."""
    said = (run.witness or {}).get("day") or run.goal.record["paymentDate"]
    day = day_of(said)
    assert day is not None
    return day


def _same_currency(money: Amounts, invoice: str | None, id: int) -> None:
    """Raises `Stop` ("currency-differs") where the invoice is known to be in another currency."""
    if invoice is None or money.currency in (invoice, ""):
        return
    raise Stop(
        f"The payment settles {money.settled} {money.currency}, and the invoice is in {invoice} in Tripletex.",
        code="currency-differs",
        do=f"State how much {invoice} it settles: `amount` and `currency` of the allocation.",
        where={"invoice": str(id)},
    )


def _invoice_of(goal: Goal) -> int:
    return number_of(goal.record["invoice"]["id"], "invoice.id")
