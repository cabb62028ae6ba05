"""Following what changes in Visma Net, and reading everything of a kind.

A first read lists everything dated since a day, page by page. After that, rows are asked for by the time of their last
change. Visma Net writes Norwegian wall time without a zone, promises no order and has no clock of ours: a cursor holds
the greatest time that was *seen*, and the next read overlaps it by so much that neither the hour that comes twice in
autumn nor a change that became visible late is missed. What was given already is remembered by version and not given
again. What is deleted is never told: the nightly comparison (`sweep`) finds that.

Cursors are JSON; `v` is the version of their form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from adapters.accounting.visma_net import dimensions as registers
from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import Client, not_as_described, segment
from adapters.accounting.visma_net.dimensions import Dimensions
from adapters.accounting.visma_net.lines import Lines
from adapters.accounting.visma_net.parties import Parties
from adapters.accounting.visma_net.places import NON_PROJECT
from adapters.accounting.visma_net.write_offs import WRITTEN_OFF, reversals, settlements
from connector.errors import BadInput, NeedsPerson, Refused
from connector.model.json import dumps, loads
from connector.ports import Kind, Page, Record

Row = Mapping[str, Any]

OVERLAP = timedelta(minutes=90)
"""More than the hour that comes twice in autumn."""
KEPT = 2000
"""Versions that a cursor remembers."""

PATHS = {
    Kind.CUSTOMER: "/v1/customer",
    **{kind: form.path for kind, form in records.SALES.items()},
    Kind.PAYMENT: "/v1/customerPayment",
    Kind.SETTLEMENT: "/v1/customerPayment",
    Kind.REVERSAL: "/v1/customerPayment",
    Kind.SUPPLIER: "/v1/supplier",
    Kind.SUPPLIER_INVOICE: "/v1/supplierInvoice",
    Kind.PRODUCT: "/v1/inventory",
    Kind.PROJECT: registers.PROJECTS,
}
_DATED = {
    **dict.fromkeys(records.SALES, ("documentDate", "documentDateCondition")),
    Kind.PAYMENT: ("docDate", "docDateCondition"),
    Kind.SUPPLIER_INVOICE: ("docDate", "docDateCondition"),
}
_DAYS = {**dict.fromkeys(records.SALES, "documentDate"), Kind.PAYMENT: "applicationDate", Kind.SUPPLIER_INVOICE: "date"}
"""The day that a kind is dated by, as it is read."""

OPTIONAL = frozenset({Kind.PRODUCT, Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION})
"""Registers that a company may have no module for, or our client no right to: they are then read as nothing, blind."""


class Reader:
    """Reads one company's records."""

    def __init__(self, client: Client, parties: Parties, lines: Lines, dimensions: Dimensions) -> None:
        self._client = client
        self._parties = parties
        self._lines = lines
        self._dimensions = dimensions

    def begin(self, kind: Kind, since: date) -> str:
        """A cursor from which `changes` gives everything dated `since` or later, then what changes."""
        self._known(kind)
        began = datetime.now(UTC).isoformat(timespec="seconds")
        at = {"v": 1, "since": since.isoformat(), "page": 1, "greatest": None, "asked": None, "began": began}
        return dumps(at).decode()

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since the cursor. Raises `BadInput` ("cursor-malformed")."""
        at = _cursor(cursor)
        try:
            return await self._changes(kind, at)
        except NeedsPerson as exc:
            if exc.code != "right-missing" or kind not in OPTIONAL:
                raise
            return Page((), cursor, blind=True)

    async def _changes(self, kind: Kind, at: dict[str, Any]) -> Page:
        if self._dimensions.whole(kind):
            return await self._changed_values(kind, at)
        params = self._since(kind, at["since"]) if at["asked"] is None else _modified(at["asked"])
        rows, more = await self._client.page(PATHS[self._known(kind)], at["page"], **params, **_asked(kind))
        times = (records.moment(text) for text in (at["greatest"], *(row.get("lastModifiedDateTime") for row in rows)))
        greatest = max(filter(None, times), default=None)
        seen: dict[str, str] = at.get("seen") or {}
        fresh = [row for row in rows if at["asked"] is None or seen.get(_key(row)) != _sight(row)]
        # What is dated earlier than asked for has been left out of the first read, and is not of interest later.
        found = [row for row in fresh if self._in(kind, row, at["since"], None)]
        if at["asked"] is not None:
            for row in rows:
                seen.pop(_key(row), None)
                seen[_key(row)] = _sight(row)
            seen = dict(list(seen.items())[-KEPT:])
        going = {**at, "greatest": greatest.isoformat() if greatest else None, "seen": seen}
        if more:
            going["page"] = at["page"] + 1
        else:
            going |= {"page": 1, "asked": self._next(at, greatest)}
        return Page(await self._records(kind, found), dumps(going).decode(), more)

    async def _changed_values(self, kind: Kind, at: dict[str, Any]) -> Page:
        """Of a dimension that is read whole: the values that are not as they were seen."""
        there = await self._dimensions.all(kind)
        seen: dict[str, str] = at.get("seen") or {}
        fresh = [record for record in there if seen.get(record.id) != record.version]
        return Page(fresh, dumps({**at, "seen": {record.id: record.version for record in there}}).decode())

    @staticmethod
    def _next(at: Mapping[str, Any], greatest: datetime | None) -> str | None:
        """From when changes are asked for next; None where nothing has been seen yet: everything again.

        A first read may take hours, and what changes meanwhile may slip through its pages: it is read after it. How
        long it took is measured; our clock is never held against the vendor's.
        """
        if greatest is None:
            return None
        took = datetime.now(UTC) - datetime.fromisoformat(at["began"]) if at["asked"] is None else timedelta(0)
        return (greatest - max(took, timedelta(0)) - OVERLAP).isoformat()

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """A page of everything dated in [since, until); of a register, which has no date, everything."""
        try:
            return await self._sweep(kind, since, until, cursor)
        except NeedsPerson as exc:
            if exc.code != "right-missing" or kind not in OPTIONAL:
                raise
            return Page((), cursor or "", blind=True)

    async def _sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        if self._dimensions.whole(kind):
            return Page(await self._dimensions.all(kind), dumps({"v": 1, "page": 1}).decode())
        number = 1 if cursor is None else _cursor(cursor)["page"]
        params = {**self._since(kind, since.isoformat()), **_asked(kind)}
        rows, more = await self._client.page(PATHS[self._known(kind)], number, **params)
        found = [row for row in rows if self._in(kind, row, since.isoformat(), until.isoformat())]
        return Page(await self._records(kind, found), dumps({"v": 1, "page": number + 1}).decode(), more)

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now, or None where it is none (any more)."""
        if kind in self._dimensions.kinds:
            return await self._dimensions.read(kind, id)
        if kind is Kind.PRODUCT:
            row = await self._client.find(f"{PATHS[kind]}/internal/{id}") if id.isdigit() else None
            rows = [row] if row else []
        elif kind is Kind.CUSTOMER:
            row = await self._client.find(f"/v1/customer/internal/{id}") if id.isdigit() else None
            rows = [row] if row else []
        elif kind is Kind.SUPPLIER:
            row = await self._client.find(f"{PATHS[kind]}/{segment(id)}")
            rows = [row] if row else []
        elif kind is Kind.SUPPLIER_INVOICE:
            type, _, number = id.partition("/")
            row = await self._client.find(f"{PATHS[kind]}/{type}/{segment(number)}")
            rows = [row] if row else []
        elif kind in records.SALES:
            row = await self._client.find(f"{PATHS[kind]}/{segment(id)}")
            rows = [row] if row else []
        else:
            type, _, number = id.partition(WRITTEN_OFF)[0].partition("/")
            there = await self._client.every(PATHS[Kind.PAYMENT], paymentNbr=number)
            rows = [row for row in there if row.get("refNbr") == number and row.get("type") == type]
        found = await self._records(kind, rows)
        return next((record for record in found if record.id == id), None)

    # --- rows -----------------------------------------------------------------------------------------------------

    def _known(self, kind: Kind) -> Kind:
        if kind not in PATHS and not self._dimensions.whole(kind):
            raise Refused(f"{kind} is not read from Visma Net.", code="operation-not-supported")
        return kind

    @staticmethod
    def _since(kind: Kind, since: str) -> dict[str, str]:
        if kind not in _DATED:
            return {}
        name, condition = _DATED[kind]
        return {name: since, condition: ">="}

    @staticmethod
    def _in(kind: Kind, row: Row, since: str, until: str | None) -> bool:
        if kind not in _DAYS:
            return True
        day = records.day(row, _DAYS[kind], PATHS[kind])
        if day is None:
            raise not_as_described(_DAYS[kind], "a day", PATHS[kind])
        return since <= day and (until is None or day < until)

    async def _records(self, kind: Kind, rows: Sequence[Row]) -> list[Record]:
        """The records that rows are; what is not released yet is none. Raises `VendorError` ("vendor-answer")."""
        call = PATHS[kind]
        if kind is Kind.CUSTOMER:
            for row in rows:
                self._parties.seen(row)
            return [records.customer(row) for row in rows]
        if kind is Kind.SUPPLIER:
            return [records.supplier(row) for row in rows]
        if kind is Kind.PRODUCT:
            return [self._lines.item(row) for row in rows]
        if kind is Kind.PROJECT:
            return [registers.project(row) for row in rows if row.get("projectID") != NON_PROJECT]
        if kind is Kind.SUPPLIER_INVOICE:  # those on hold, too: they are delivered
            wanted = ("Invoice", "DebitAdj")
            named = [row for row in rows if row.get("supplierReference") and row.get("documentType") in wanted]
            places = self._lines.places
            return [records.supplier_invoice(row, places) for row in named if row.get("status") != "Voided"]
        if kind in records.SALES:
            counted = [row for row in rows if records.text(row, "status", call) in records.RELEASED]
        else:
            types = (*records.VOIDED_BY, *records.VOIDS, records.WRITE_OFF)
            known = [row for row in rows if records.text(row, "type", call) in types]
            counted = [row for row in known if records.text(row, "status", call) in _IN_BOOKS]
        numbers = {id(row): records.customer_number(row, call) for row in counted}
        ids = await self._parties.ids(numbers.values())
        counted.sort(key=_made)
        if kind in records.SALES:
            told = await self._lines.told(counted, records.SALES[kind].lines)
            return [records.sale(kind, row, ids[numbers[id(row)]], told) for row in counted]
        return [one for row in counted for one in await self._money(row, ids[numbers[id(row)]], counted)]

    async def _money(self, row: Row, internal_id: int, beside: Sequence[Row]) -> list[Record]:
        """A payment, or what takes one back, with what it wrote off. Of what was voided both are looked at: the type of
        what was voided tells it from others with its number, and what takes it back tells what it gave until then.
        """
        type = str(row.get("type"))
        if type == records.WRITE_OFF:
            return settlements(row, internal_id)
        if type in records.VOIDS:
            types = [money for money, void in records.VOIDED_BY.items() if void == type]
            taken = await self._other(row, types, beside)
            id = records.payment_id(taken) if taken else f"{types[0]}/{row.get('refNbr')}"
            return [records.reversal(row, internal_id, id), *reversals(row, internal_id, id)]
        voided = row.get("status") == "Voided"
        void = await self._other(row, [records.VOIDED_BY[type]], beside) if voided else None
        return [records.payment(row, internal_id, void), *settlements(row, internal_id, void)]

    async def _other(self, row: Row, types: Sequence[str], beside: Sequence[Row]) -> Row | None:
        """What was voided of what voids it, or the other way round: both have one number, and mostly one page."""

        def among(rows: Sequence[Row]) -> Row | None:
            fits = [one for one in rows if one.get("refNbr") == row.get("refNbr") and one.get("type") in types]
            whole = ("Voided", *records.RELEASED) if types[0] in records.VOIDS else ("Voided",)
            return next((one for one in fits if one.get("status") in whole), None)

        found = among(beside)
        return found or among(await self._client.every(PATHS[Kind.PAYMENT], paymentNbr=row.get("refNbr")))


def _made(row: Row) -> tuple[int, int, str]:
    """In the order in which documents were made, as far as that shows: money comes before it goes back, and what takes
    another back comes after it.
    """
    type, number = row.get("type"), str(row.get("refNbr") or row.get("referenceNumber"))
    rank = 2 if type in records.VOIDS else 0 if type in (*records.MONEY_IN, None) else 1
    return rank, len(number), number


_IN_BOOKS = records.RELEASED | {"Voided"}
"""A voided payment was one; what voids it is a record of its own."""


def _asked(kind: Kind) -> Mapping[str, Any]:
    """What is asked for so that all parts are shown."""
    return records.SALES[kind].asked if kind in records.SALES else {}


def _modified(since: str) -> dict[str, str]:
    return {
        "lastModifiedDateTime": datetime.fromisoformat(since).strftime("%Y-%m-%d %H:%M:%S"),
        "lastModifiedDateTimeCondition": ">=",
    }


_KEYS = ("internalId", "inventoryId", "internalID", "referenceNumber", "refNbr")


def _key(row: Row) -> str:
    name = next((name for name in _KEYS if row.get(name)), "")
    return f"{row.get('type') or row.get('documentType') or ''}/{row.get(name)}"


def _sight(row: Row) -> str:
    return f"{records.version(row)}/{row.get('balance')}/{row.get('status')}"


def _cursor(cursor: str) -> dict[str, Any]:
    try:
        at = loads(cursor.encode())
        if at["v"] != 1 or not isinstance(at["page"], int):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise BadInput(
            "The cursor is none of Visma Net's.", code="cursor-malformed", do="Read from the beginning."
        ) from None
    return dict(at)
