"""Writing what stands on a customer's account alone: money on account, refunds, and the reversal of rows.

Tripletex registers payments on invoices only; the rest are vouchers. Ours have the marker as external voucher number,
which is read back from the vouchers of the day (the search by that number may know imported vouchers only).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.closing import close
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.rights import to_ledger
from adapters.accounting.tripletex.sending import day_of, number_of
from connector.errors import Refused, Stop
from connector.ports import Goal, Proof, Run, Step

_ROWS = f"id,number,year,postings({records.POSTING_FIELDS})"


class Vouchers:
    """Flows that end in a voucher."""

    def __init__(self, client: Client, lookups: Lookups) -> None:
        self._client = client
        self._lookups = lookups

    # --- money on the customer's account ------------------------------------------------------------------------------

    def money(self, goal: Goal) -> Sequence[Step]:
        """The steps to a payment on account or a refund. Raises `Refused`."""
        if Decimal(goal.record["amount"]) <= 0:
            raise Refused("A payment is more than 0.", code="payment-not-positive", where={"field": "amount"})
        if goal.record.get("amountCurrency") is not None:
            raise Refused(
                "Money in another currency is brought to a customer's account in Tripletex only by a person.",
                code="operation-not-supported",
                do="Book it in Tripletex, then say that it happened, with the id of the row.",
                where={"field": "currency"},
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
        record = run.goal.record
        out, amount = bool(record.get("isRefund")), Decimal(record["amount"])
        bank = await self._lookups.payment_account(record.get("paymentType"))
        account = await self._lookups.customer_account()
        into = -amount if out else amount
        row = {"row": 2, "account": {"id": account}, **_both(-into), **await self._of(run.goal)}
        body = {
            "date": str(day_of(record["paymentDate"])),
            "description": "Tilbakebetaling til kunde" if out else "Innbetaling fra kunde",
            "externalVoucherNumber": run.goal.marker,
            "postings": [{"row": 1, "account": {"id": bank}, **_both(into)}, row],
        }
        made = await to_ledger(self._client, body)
        return Proof(str(made["id"]))

    async def _look(self, run: Run) -> Sequence[Proof]:
        day = day_of(run.goal.record["paymentDate"])
        assert day is not None
        found = await self._client.every(
            "/ledger/voucher", dateFrom=day, dateTo=day + timedelta(days=1), fields="id,externalVoucherNumber"
        )
        return [Proof(str(row["id"])) for row in found if row.get("externalVoucherNumber") == run.goal.marker]

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
        return Proof(record.id, {"voucher": records.voucher_text(row.get("voucher"))}, record)

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
        return Step("reversal", self._reverse, self._reversed), Step("read", self._read_reversal)

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
        day = day_of(run.goal.record["date"])
        made = await self._client.write("PUT", f"/ledger/voucher/{voucher['id']}/:reverse", params={"date": day})
        return Proof(str(made["id"]))

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
        return Proof(record.id, {"voucher": records.voucher_text(voucher)}, record)

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


def _both(amount: Decimal) -> dict[str, Decimal]:
    return {"amountGross": amount, "amountGrossCurrency": amount}


def _of_customer(voucher: Mapping[str, Any], customer: Any) -> dict[str, Any]:
    rows = [row for row in voucher.get("postings") or () if (row.get("customer") or {}).get("id") == customer]
    if len(rows) != 1:
        raise records.not_as_described("voucher.postings", "one row of the customer")
    return {**rows[0], "voucher": {name: voucher.get(name) for name in ("id", "number", "year")}}
