"""Writing settlements: the customer's credit matched with an invoice; advances and roundings as vouchers, then matched.

Tripletex closes rows of a customer against each other where they come to nothing together, all of them at once. Until
the rest of an invoice is paid its credit stays beside it, on the same account: what the customer owes is right, and the
settlement is read back as not matched. Matching finds out first what is matched: doing it again does nothing.

An invoice that was issued elsewhere is a row on the customer's account, with all others that name its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.closing import ROW, left_of, of_invoice
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.sending import day_of, number_of
from adapters.accounting.tripletex.vouchers import Vouchers, both
from connector.errors import Refused, Stop
from connector.model.money import round2
from connector.ports import Goal, Kind, Proof, Record, Run, Step

_AMOUNTS = "id,amount,amountCurrency,currency(id,code),closeGroup(id)"
ROWS_OF_INVOICE = f"id,invoiceNumber,customer(id),currency(id,code),postings({_AMOUNTS})"
ROW_FIELDS = f"{_AMOUNTS},version,date,customer(id),voucher(id,number,year)"


class Settlements:
    """Flows of settlements."""

    def __init__(self, client: Client, lookups: Lookups, periods: Periods, vouchers: Vouchers) -> None:
        self._client = client
        self._lookups = lookups
        self._periods = periods
        self._vouchers = vouchers

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        _invoice_of(goal)
        match, read = Step("match", self._match), Step("read", self._read)
        if goal.operation == "update" or (goal.record.get("credit") or {}).get("id"):
            return match, read
        if not (goal.record.get("account") or {}).get("number"):
            raise Refused(
                "The settlement names neither credit of the customer nor an account.",
                code="settlement-without-account",
                do="Name the account in the mapping (kinds.settlement).",
                where={"field": "account.number"},
            )
        return Step("voucher", self._book, self._look), match, read

    async def _book(self, run: Run) -> Proof:
        goal, invoice = run.goal, await self._invoice(run.goal)
        day = await self._periods.day_for(_said(goal), goal.record.get("inClosedPeriod"))
        amount, currency = _amount(goal), (goal.record.get("currency") or {}).get("code")
        account = await self._lookups.account(str(goal.record["account"]["number"]))
        kroner, more = amount, {}
        if currency is not None:
            kroner = round2(amount * await self._lookups.rate(currency, day))
            more = {"currency": {"id": await self._lookups.currency(currency)}}
        customer: dict[str, Any] = {"customer": {"id": (invoice.get("customer") or {}).get("id")}}
        if _outside(goal):  # only the number says which invoice a row of a voucher is for
            customer["invoiceNumber"] = invoice.get("invoiceNumber")
        rows = [
            {"account": {"id": account}, **both(kroner, amount), **more},
            {"account": {"id": await self._lookups.customer_account()}, **customer, **both(-kroner, -amount), **more},
        ]
        return await self._vouchers.post(goal.marker, day, f"Oppgjør av faktura {invoice.get('invoiceNumber')}", rows)

    async def _look(self, run: Run) -> Sequence[Proof]:
        days = await self._periods.days(_said(run.goal), run.goal.record.get("inClosedPeriod"))
        return [proof for day in days for proof in await self._vouchers.marked(run.goal.marker, day)]

    async def _match(self, run: Run) -> Proof:
        """Close the invoice's open rows and the settlement's own against each other, where they come to nothing."""
        invoice, row = await self._invoice(run.goal), await self._row(run)
        rows = invoice.get("postings") or ()
        if _together(row, rows):
            return Proof(str(row["id"]), {"matched": True})
        if row.get("closeGroup"):
            raise Stop(
                f"The customer's credit (row {row['id']}) is matched with something else than invoice"
                f" {invoice.get('invoiceNumber')} in Tripletex.",
                code="credit-matched-elsewhere",
                do="See in Tripletex what it is matched with. Take that back there and retry; or cancel this, and"
                " reverse here what the credit did not settle.",
                where={"posting": str(row["id"]), "invoice": str(invoice["id"])},
            )
        still = [one for one in rows if not one.get("closeGroup")]
        near = [await self._posting(id) for id in run.goal.beside]
        still += [row, *(one for one in near if not one.get("closeGroup"))]
        still = list({one["id"]: one for one in still}.values())
        if left_of(still) != 0 or not rows:
            return Proof(str(row["id"]), {"matched": False})
        ids = [one["id"] for one in still]
        said = (await self._client.call("PUT", "/ledger/posting/:closePostings", json=ids)).json()
        if refused := (said.get("values") if isinstance(said, Mapping) else None):
            if _together(await self._row(run), (await self._invoice(run.goal)).get("postings") or ()):
                return Proof(str(row["id"]), {"matched": True})  # somebody was faster
            raise Refused(
                "Tripletex does not match these rows with each other.",
                code="match-refused",
                do="See the customer's open rows in Tripletex and match them there, then retry.",
                said_by_vendor=" ".join(str(one.get("message")) for one in refused)[:2000],
                details={"postings": ids},
            )
        return Proof(str(row["id"]), {"matched": True})

    async def _read(self, run: Run) -> Proof:
        row = await self._client.get(f"/ledger/posting/{run.proofs['match'].id}", fields=ROW_FIELDS)
        invoice, matched = _invoice_of(run.goal), bool(run.proofs["match"].facts["matched"])
        # Of credit the row is the payment's; together with the invoice it is this settlement's own.
        id = str(row["id"]) if _own(run.goal) else f"{row['id']}-{invoice}"
        of = "settles" if _outside(run.goal) else "invoice"
        body: dict[str, Any] = {of: {"id": invoice}, "date": row.get("date"), "matched": matched}
        side = "amount" if run.goal.record.get("amountCurrency") is None else "amountCurrency"
        body[side] = _amount(run.goal)
        if currency := run.goal.record.get("currency"):
            body["currency"] = {"code": currency["code"]}
        facts: dict[str, Any] = {"matched": matched}
        if _own(run.goal):
            facts |= {"voucher": records.voucher_text(row.get("voucher")), "posting_date": row.get("date")}
        return Proof(id, facts, Record(Kind.SETTLEMENT, id, records.row_version(row), body))

    async def _invoice(self, goal: Goal) -> dict[str, Any]:
        """The invoice with the rows on the customer's account that count for it."""
        if not _outside(goal):
            return await self._client.get(f"/invoice/{_invoice_of(goal)}", fields=ROWS_OF_INVOICE)
        row = await self._client.get(f"/ledger/posting/{_invoice_of(goal)}", fields=ROW)
        others = [one for one in await of_invoice(self._client, row) if one["id"] != row["id"]]
        return {**row, "postings": [row, *others]}

    async def _row(self, run: Run) -> dict[str, Any]:
        """The settlement's own row on the customer's account: its credit, or what its voucher holds."""
        goal = run.goal
        if goal.operation == "update":
            return await self._posting(str(goal.target))
        if not _own(goal):
            id = number_of(goal.record["credit"]["id"], "credit.id")
        else:
            voucher = await self._client.get(
                f"/ledger/voucher/{run.proofs['voucher'].id}", fields="id,postings(id,customer(id))"
            )
            ids = [one["id"] for one in voucher.get("postings") or () if (one.get("customer") or {}).get("id")]
            if len(ids) != 1:
                raise records.not_as_described("voucher.postings", "one row of the customer")
            id = ids[0]
        return await self._posting(str(id))

    async def _posting(self, id: str) -> dict[str, Any]:
        """The row of a settlement by what it is called here."""
        return await self._client.get(f"/ledger/posting/{number_of(id.partition('-')[0], 'target')}", fields=ROW_FIELDS)


def _together(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row is closed against one of these."""
    group = row.get("closeGroup")
    return group is not None and any((one.get("closeGroup") or {}).get("id") == group["id"] for one in rows)


def _own(goal: Goal) -> bool:
    """Whether the settlement has a voucher of its own."""
    return not (goal.record.get("credit") or {}).get("id")


def _outside(goal: Goal) -> bool:
    """Whether it closes an invoice that was booked as a voucher."""
    return bool((goal.record.get("settles") or {}).get("id"))


def _invoice_of(goal: Goal) -> int:
    """Id of the invoice that it closes; of one that was booked as a voucher, of the row on the customer's account."""
    of = "settles" if _outside(goal) else "invoice"
    return number_of((goal.record.get(of) or {}).get("id"), f"{of}.id")


def _amount(goal: Goal) -> Decimal:
    foreign = goal.record.get("amountCurrency")
    return Decimal(goal.record["amount"] if foreign is None else foreign)


def _said(goal: Goal) -> date:
    day = day_of(goal.record["date"])
    assert day is not None
    return day
