"""Writing payments: what is open compared, then registered, then told from the rows that were there before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any
from weakref import WeakValueDictionary

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.sending import day_of, number_of
from connector.errors import Refused, Stop, UnknownOutcome, VendorError
from connector.ports import Goal, Json, Proof, Record, Run, Step


class Payments:
    """Flows of payments. `seen` is told of every invoice that is read on the way."""

    def __init__(self, client: Client, lookups: Lookups, seen: Callable[[Mapping[str, Any]], None]) -> None:
        self._client = client
        self._lookups = lookups
        self._seen = seen
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        self._can_be(goal)
        return Step("payment", self._pay, self._look, self._witness), Step("read", self._read)

    def _can_be(self, goal: Goal) -> None:
        if Decimal(goal.record["amount"]) <= 0 or Decimal(goal.record.get("amountCurrency") or 1) <= 0:
            raise Refused("A payment is more than 0.", code="payment-not-positive", where={"field": "amount"})
        if not (goal.record.get("invoice") or {}).get("id"):
            raise Refused(
                "The payment names no invoice in Tripletex.",
                code="payment-without-invoice",
                do="Say which invoice it settles; a payment on account is registered in Tripletex.",
                where={"field": "invoice.id"},
            )

    async def _witness(self, run: Run) -> Json:
        _, rows = await self._payments(run.goal)
        return {"rows": [row["id"] for row in rows]}

    async def _pay(self, run: Run) -> Proof:
        record, invoice = run.goal.record, _invoice_of(run.goal)
        payment_type = await self._lookups.payment_type(record.get("paymentType"))
        # Two payments of one invoice at a time would both see the same amount open, and each the row of the other.
        async with self._locks.setdefault(invoice, asyncio.Lock()):
            open_amount, rows = await self._payments(run.goal)
            if _amount(run.goal) > open_amount:
                raise Stop(
                    f"{_amount(run.goal)} is more than the {open_amount} open on the invoice in Tripletex.",
                    code="exceeds-open-amount",
                    do="See whether it is registered there already; an overpayment is registered in Tripletex itself.",
                    where={"invoice": str(invoice)},
                    details={"open": str(open_amount), "amount": str(_amount(run.goal))},
                )
            foreign = record.get("amountCurrency")
            answer = await self._client.write(
                "PUT",
                f"/invoice/{invoice}/:payment",
                params={
                    "paymentDate": day_of(record["paymentDate"]),
                    "paymentTypeId": payment_type,
                    "paidAmount": Decimal(record["amount"]),
                    "paidAmountCurrency": None if foreign is None else Decimal(foreign),
                },
            )
            before = {row["id"] for row in rows}
            new = [ref.get("id") for ref in answer.get("postings") or () if ref.get("id") not in before]
            if len(new) == 1:
                return Proof(str(new[0]))
            # The answer does not say which row it made: find it among the rows. The money is booked by now, so
            # whatever goes wrong here is no reason to call again.
            try:
                found = await self._new_rows(run.goal, before)
            except VendorError as exc:
                raise UnknownOutcome(f"The payment was taken; its row could not be read: {exc.said}") from exc
        if len(found) != 1:
            raise UnknownOutcome(f"The payment was taken; {len(found)} rows could be it.")
        return found[0]

    async def _look(self, run: Run) -> Sequence[Proof]:
        return await self._new_rows(run.goal, set((run.witness or {}).get("rows", ())))

    async def _new_rows(self, goal: Goal, before: Set[int]) -> list[Proof]:
        """The rows equal to the payment that were not there before."""
        day = str(day_of(goal.record["paymentDate"]))
        _, rows = await self._payments(goal)
        return [
            Proof(str(row["id"]))
            for row in rows
            if row["id"] not in before and row.get("type") == records.PAYMENT_ROW and row.get("date") == day
            and -Decimal(row.get(_side(goal)) or 0) == _amount(goal)
        ]  # fmt: skip

    async def _payments(self, goal: Goal) -> tuple[Decimal, list[dict[str, Any]]]:
        """What is open now in the amount's currency, and all rows of the invoice in the customer ledger."""
        path = f"/invoice/{_invoice_of(goal)}"
        row = await self._client.get(
            path,
            fields="id,invoiceNumber,amountOutstanding,amountCurrencyOutstanding,"
            "postings(id,type,date,amount,amountCurrency)",
        )
        self._seen(row)
        name = "amountCurrencyOutstanding" if _side(goal) == "amountCurrency" else "amountOutstanding"
        open_amount, rows = row.get(name), row.get("postings")
        if not isinstance(open_amount, int | Decimal):
            raise records.not_as_described(f"value.{name}", "a number", path)
        if not isinstance(rows, list) or not all(isinstance(item, Mapping) and "id" in item for item in rows):
            raise records.not_as_described("value.postings", "a list of objects", path)
        return Decimal(open_amount), rows

    async def _read(self, run: Run) -> Proof:
        row = await self._client.get(f"/ledger/posting/{run.proofs['payment'].id}", fields=records.POSTING_FIELDS)
        record: Record = records.payment(row, _invoice_of(run.goal))
        if row.get("type") != records.PAYMENT_ROW or Decimal(record.body[_side(run.goal)]) != _amount(run.goal):
            raise Stop(
                f"Posting {row['id']} in Tripletex is not the payment of {_amount(run.goal)} that was registered.",
                code="payment-differs",
                do="See what Tripletex has on the invoice, and say which row it is: --happened with the posting's id.",
                where={"posting": str(row["id"])},
            )
        return Proof(
            record.id, {"voucher": records.voucher_text((record.body.get("posting") or {}).get("voucher"))}, record
        )


def _invoice_of(goal: Goal) -> int:
    return number_of(goal.record["invoice"]["id"], "invoice.id")


def _side(goal: Goal) -> str:
    """Which amount says what the payment settles: the one in the invoice's currency, where it is given."""
    return "amount" if goal.record.get("amountCurrency") is None else "amountCurrency"


def _amount(goal: Goal) -> Decimal:
    return Decimal(goal.record[_side(goal)])
