"""What somebody has booked in Tripletex by hand, and a person says is a document of ours: found, and held against it.

It is named by its voucher as bookkeepers write it (2027/1043), or by Tripletex' id: of the invoice in the register,
else of the voucher. Nothing is written. Whom it is of and what is owed must be as the document says; how the VAT was
booked is what the person has decided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import records
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.closing import applied, in_currency
from adapters.accounting.tripletex.external import FIRST, LAST, VOUCHER_FIELDS
from adapters.accounting.tripletex.invoices import totals_of
from adapters.accounting.tripletex.reading import Reader
from adapters.accounting.tripletex.received import Received
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Record, Run, Step

_VOUCHER = re.compile(r"(\d{4})/(\d{1,9})")
EXTERNAL = (Kind.EXTERNAL_INVOICE, Kind.EXTERNAL_CREDIT_NOTE)
CREDITS = (Kind.CREDIT_NOTE, Kind.EXTERNAL_CREDIT_NOTE)

Row = Mapping[str, Any]


class ByHand:
    """Finds what a goal of the operation `link` names."""

    def __init__(self, client: Client, reader: Reader, received: Received) -> None:
        self._client = client
        self._reader = reader
        self._received = received

    def flow(self, goal: Goal) -> Sequence[Step]:
        """One step, which reads. It raises `Stop`: `link-not-found`, `link-differs`."""
        if goal.kind in EXTERNAL:
            return (Step("link", self._voucher),)
        return (Step("link", self._purchase if goal.kind is Kind.SUPPLIER_INVOICE else self._invoice),)

    # --- booked as a voucher ------------------------------------------------------------------------------------------

    async def _voucher(self, run: Run) -> Proof:
        goal, id = run.goal, await self._voucher_id(run.goal)
        try:
            voucher = await self._client.get(f"/ledger/voucher/{id}", fields=VOUCHER_FIELDS)
        except Refused as exc:
            raise _not_found(goal) if exc.code == "vendor-not-found" else exc from None
        rows = [row for row in voucher.get("postings") or () if (row.get("customer") or {}).get("id")]
        if len(rows) != 1:
            raise _differs(goal, records.voucher_text(voucher), f"it has {len(rows)} rows of customers, not one")
        (row,) = rows
        _same(goal, records.voucher_text(voucher), row, in_currency(row), (row.get("currency") or {}).get("code"))
        named = {name: voucher.get(name) for name in ("id", "number", "year")}
        body = {**goal.record, "posting": {"id": row["id"]}, "voucher": named}
        if goal.kind is Kind.EXTERNAL_CREDIT_NOTE:
            body["applied"] = await applied(self._client, row["id"], int(goal.record["credits"]["id"]))
        record = Record(goal.kind, str(row["id"]), str(row.get("version", 0)), body)
        return Proof(record.id, records.voucher_facts(voucher), record)

    async def _voucher_id(self, goal: Goal) -> str:
        """The id of the voucher that is named. Raises `Stop` (`link-not-found`)."""
        said = goal.target or ""
        if (named := _VOUCHER.fullmatch(said)) is None:
            if not (said.isascii() and said.isdigit()):
                raise _not_found(goal)
            return said
        year, number = int(named[1]), int(named[2])
        rows = await self._client.every(
            "/ledger/voucher",
            dateFrom=date(year, 1, 1),
            dateTo=date(year + 1, 1, 1),
            numberFrom=number,
            numberTo=number + 1,  # whether the last is in it, Tripletex does not say
            fields="id,number,year",
        )
        found = [str(row["id"]) for row in rows if (row.get("number"), row.get("year")) == (number, year)]
        if len(found) != 1:
            raise _not_found(goal)
        return found[0]

    # --- in the register of invoices ----------------------------------------------------------------------------------

    async def _invoice(self, run: Run) -> Proof:
        goal = run.goal
        row = await self._row(goal)
        record = await self._reader.read(goal.kind, str(row["id"])) if row else None
        if row is None or record is None or bool(row.get("isCreditNote")) != (goal.kind in CREDITS):
            raise _not_found(goal)
        totals = totals_of(row)
        number = f"number {row.get('invoiceNumber')}"
        if goal.kind is Kind.CREDIT_NOTE and row.get("creditedInvoice") != int(goal.record["credits"]["id"]):
            raise _differs(goal, number, "it credits another invoice")
        if totals is None:
            raise _differs(goal, number, "its amounts are not shown")
        owed = totals["gross"] + totals["rounding"]
        _same(goal, number, row, owed, (row.get("currency") or {}).get("code"))
        facts = {
            "number": row.get("invoiceNumber"),
            "kid": row.get("kid"),
            "voucher": records.voucher_text(record.body["invoice"].get("voucher")),
        }
        return Proof(record.id, {name: value for name, value in facts.items() if value}, record)

    async def _row(self, goal: Goal) -> Row | None:
        asked: dict[str, Any] = {"fields": records.INVOICE_FIELDS}
        said = goal.target or ""
        if _VOUCHER.fullmatch(said) is None:
            try:
                return await self._client.get(f"/invoice/{await self._voucher_id(goal)}", **asked)
            except Refused as exc:
                if exc.code != "vendor-not-found":
                    raise
        id = await self._voucher_id(goal)
        rows = await self._client.every("/invoice", invoiceDateFrom=FIRST, invoiceDateTo=LAST, voucherId=id, **asked)
        rows = [row for row in rows if str((row.get("voucher") or {}).get("id")) == id]
        return rows[0] if len(rows) == 1 else None

    # --- purchases ----------------------------------------------------------------------------------------------------

    async def _purchase(self, run: Run) -> Proof:
        """An incoming invoice may well be registered over another amount: that is shown afterwards, as drift."""
        goal = run.goal
        record = await self._received.read(await self._voucher_id(goal))
        body = record.body if record else {}
        if record is None or not (body.get("supplier") or body.get("invoiceNumber")):
            raise _not_found(goal)
        ours, theirs = goal.record.get("supplier") or {}, body.get("supplier") or {}
        name = str(goal.target)
        if None not in (ours.get("id"), theirs.get("id")) and int(ours["id"]) != theirs["id"]:
            raise _differs(goal, name, f"it is from {theirs.get('name') or theirs['id']}")
        if bool(body.get("isCreditNote")) != bool(goal.record.get("isCreditNote")):
            raise _differs(goal, name, "one is a credit note, the other an invoice")
        said = ("invoiceNumber", "amountCurrency")
        if not any(body.get(one) is not None and body[one] == goal.record.get(one) for one in said):
            raise _differs(
                goal,
                name,
                f"it is number {body.get('invoiceNumber')} over {body.get('amountCurrency')}; neither is as the"
                " document says",
            )
        return Proof(record.id, {"number": goal.record.get("invoiceNumber")}, record)


def _same(goal: Goal, name: str | None, row: Row, owed: Decimal, currency: str | None) -> None:
    """Raises `Stop` (`link-differs`) unless customer, amount and currency are the document's."""
    assert goal.totals is not None
    sign = -1 if goal.kind in CREDITS else 1
    ours = sign * (goal.totals.gross + goal.totals.rounding)
    if (owed, currency or "NOK") != (ours, goal.totals.currency):
        raise _differs(
            goal, name, f"{owed} {currency or 'NOK'} are on the customer's account, not {ours} {goal.totals.currency}"
        )
    said = goal.record.get("customer") or (goal.record.get("order") or {}).get("customer") or {}
    if said.get("id") is not None and int(said["id"]) != (row.get("customer") or {}).get("id"):
        raise _differs(goal, name, "it is another customer's")


def _not_found(goal: Goal) -> Stop:
    what = {Kind.INVOICE: "invoice", Kind.CREDIT_NOTE: "credit note"}.get(goal.kind, "voucher")
    return Stop(
        f"Tripletex shows no {what} {goal.target}.",
        code="link-not-found",
        do="Name it by its voucher, year and number (2027/1043), or by the id that Tripletex' address bar shows.",
        where={"vendor_id": goal.target},
    )


def _differs(goal: Goal, name: str | None, how: str) -> Stop:
    return Stop(
        f"{name or goal.target} in Tripletex is not this document: {how}.",
        code="link-differs",
        do="Correct it in Tripletex and link it again; or link the right one.",
        where={"vendor_id": goal.target},
    )
