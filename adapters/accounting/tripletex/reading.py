"""Following what changes in Tripletex, and reading everything of a kind.

Only customers and suppliers can be asked for by time of change; the other registers are in `registers`. Invoices and
payment rows are read by the windows of their dates; a cursor remembers the newest of them, by id and version, so that a
poll finds what is new and what has changed among these. What lies further back, the nightly comparison finds (`sweep`).

Cursors are JSON; `v` is the version of their form.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from adapters.accounting.tripletex import customer_rows, purchases, records
from adapters.accounting.tripletex.client import OSLO, PAGE, Client
from adapters.accounting.tripletex.registers import REGISTERS, Registers
from adapters.accounting.tripletex.settled import Settled
from adapters.accounting.tripletex.windows import Window, Windows
from connector.errors import BadInput, Refused, Stop
from connector.model.json import dumps, loads
from connector.ports import Kind, Match, Page, Record

Row = Mapping[str, Any]

KEPT = 2000
"""Newest rows whose versions a cursor remembers."""
BY_ID = 100
"""Ids that are asked for in one call."""
OVERLAP = timedelta(minutes=10)
"""Reads of registers overlap by so much: the vendor's clock is not ours, and changes become visible late."""
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)

REGISTER = (Kind.INVOICE, Kind.CREDIT_NOTE)
"""Kinds that lie in the one register of invoices: whoever reads one of them is given both."""
PARTIES = (Kind.CUSTOMER, Kind.SUPPLIER)
"""Registers that can be asked for what has changed."""
LEDGER = (Kind.PAYMENT, Kind.SETTLEMENT, Kind.REVERSAL)
"""Kinds that are rows on customers' accounts: whoever reads payments is given all of them."""
_PATHS = {
    Kind.CUSTOMER: "/customer",
    Kind.SUPPLIER: "/supplier",
    Kind.SUPPLIER_INVOICE: "/supplierInvoice",
    Kind.INVOICE: "/invoice",
    Kind.CREDIT_NOTE: "/invoice",
    **dict.fromkeys(LEDGER, "/ledger/posting"),
}
_FIELDS = {
    Kind.CUSTOMER: records.CUSTOMER_FIELDS,
    Kind.SUPPLIER: purchases.SUPPLIER_FIELDS,
    Kind.SUPPLIER_INVOICE: purchases.SUPPLIER_INVOICE_FIELDS,
    Kind.INVOICE: records.INVOICE_FIELDS,
    Kind.CREDIT_NOTE: records.INVOICE_FIELDS,
    **dict.fromkeys(LEDGER, customer_rows.FIELDS),
}


_SHOWN_ON = "id,invoiceNumber,postings(id)"


def _window(kind: Kind, start: date, end: date) -> dict[str, Any]:
    """The parameters that ask for [start, end)."""
    if kind in REGISTER or kind is Kind.SUPPLIER_INVOICE:
        return {"invoiceDateFrom": start, "invoiceDateTo": end}
    return {"dateFrom": start, "dateTo": end}


_NUMBER = "id,invoiceNumber,isCreditNote"


class Numbers:
    """Ids of invoices by number, and which of them are credit notes: postings name the number only. The last 50,000
    that were seen are remembered.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids: OrderedDict[str, int] = OrderedDict()
        self._notes: set[str] = set()

    def seen(self, row: Row) -> None:
        """Remember an invoice that was read."""
        number = row.get("invoiceNumber")
        if number:
            self._ids[str(number)] = row["id"]
            self._ids.move_to_end(str(number))
            if row.get("isCreditNote"):
                self._notes.add(str(number))
            if len(self._ids) > 50_000:
                self._notes.discard(self._ids.popitem(last=False)[0])

    def notes(self, numbers: Iterable[str]) -> frozenset[str]:
        """Which of these numbers, that were asked for before, are credit notes."""
        return frozenset(self._notes.intersection(numbers))

    async def of(self, rows: Iterable[Row]) -> dict[str, int]:
        """Ids by number for the invoices that these postings name. Raises `Stop` where a number is there twice."""
        numbers = {str(row.get("invoiceNumber") or "0") for row in rows} - {"0"}
        missing = {number for number in numbers if number not in self._ids}
        if len(missing) > 3:
            await self._leaf_through(missing)
        for number in sorted(number for number in missing if number not in self._ids):
            await self._ask(number)
        return {number: self._ids[number] for number in numbers if number in self._ids}

    async def _ask(self, number: str) -> None:
        found = await self._client.rows(
            "/invoice", invoiceDateFrom=FIRST, invoiceDateTo=LAST, invoiceNumber=number, fields=_NUMBER
        )
        found = [row for row in found if str(row.get("invoiceNumber")) == number]
        if len(found) > 1:
            raise Stop(
                f"Tripletex has {len(found)} invoices with number {number}.",
                code="invoice-number-ambiguous",
                do="Say which invoice the payment settles.",
                details={"ids": [row["id"] for row in found]},
            )
        for row in found:
            self.seen(row)

    async def _leaf_through(self, missing: set[str]) -> None:
        """Year by year, newest first, until all are found or two years had none of them."""
        end, without = datetime.now(OSLO).date() + timedelta(days=366), 0
        while without < 2:
            start, without = end - timedelta(days=366), without + 1
            async for rows in pages(self._client, Kind.INVOICE, start, end, _NUMBER):
                for row in rows:
                    self.seen(row)
                    if str(row.get("invoiceNumber")) in missing:
                        without = 0
            if all(number in self._ids for number in missing):
                return
            end = start


async def pages(client: Client, kind: Kind, start: date, end: date, fields: str) -> AsyncIterator[list[dict[str, Any]]]:
    """All rows dated in [start, end), a page at a time; windows with more rows than Tripletex gives are divided."""
    learned = Windows()
    windows, at = [(start, end)], 0
    while windows:
        rows, windows, at = await _piece(client, kind, learned, windows, at, fields, {})
        yield rows


async def _piece(
    client: Client,
    kind: Kind,
    learned: Windows,
    windows: list[Window],
    at: int,
    fields: str,
    more: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], list[Window], int]:
    """One page of the first window, and where the next one begins. `more`: further parameters."""
    if at == 0:
        windows = learned.fitted(kind, windows)
    while True:
        start, end = windows[0]
        try:
            rows = await client.rows(_PATHS[kind], start=at, fields=fields, **_window(kind, start, end), **more)
        except Refused as exc:
            if exc.code != "too-many-rows":
                raise
            windows, at = learned.refused(kind, windows), 0
            continue
        if len(rows) >= PAGE:
            return rows, windows, at + len(rows)
        learned.read(kind, windows[0], at + len(rows))
        return rows, windows[1:], 0


class Reader:
    """Reads one company. `accounts`: the lowest and highest account of customers; `poll_days`: how far back polls
    look.
    """

    def __init__(
        self,
        client: Client,
        numbers: Numbers,
        registers: Registers,
        accounts: Callable[[], Awaitable[tuple[int, int]]],
        poll_days: int,
    ) -> None:
        self._client = client
        self._registers = registers
        self._numbers = numbers
        self._accounts = accounts
        self._poll_days = poll_days
        self._settled = Settled(client)
        self._learned = Windows()

    # --- single records ---------------------------------------------------------------------------------------------

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now, or None."""
        if not id.isascii() or not id.isdigit():
            return None
        if kind in REGISTERS:
            return await self._registers.read(kind, id)
        try:
            row = await self._client.get(f"{_PATHS[kind]}/{id}", fields=_FIELDS[kind])
        except Refused as exc:
            if exc.code == "vendor-not-found":
                return None
            raise
        found = await self._records(kind, [row])
        return found[0] if found and (kind not in LEDGER or found[0].kind is kind) else None

    async def _records(self, kind: Kind, rows: Sequence[Row]) -> list[Record]:
        if kind is Kind.CUSTOMER:
            return [records.customer(row) for row in rows]
        if kind is Kind.SUPPLIER:
            return [purchases.supplier(row) for row in rows]
        if kind is Kind.SUPPLIER_INVOICE:
            return [purchases.supplier_invoice(row) for row in rows if (row.get("voucher") or {}).get("id")]
        if kind in REGISTER:
            for row in rows:
                self._numbers.seen(row)
            closings = await self._closings([row for row in rows if row.get("isCreditNote")])
            return [self._invoice(row, closings) for row in rows]
        return (await self._facts(rows))[0]

    async def _facts(self, rows: Sequence[Row]) -> tuple[list[Record], list[Match]]:
        """What rows on customers' accounts are, in the order they were made, and what they are matched with."""
        rows = sorted(rows, key=lambda row: row["id"])
        for row in rows:
            customer_rows.described(row)
        ids = await self._numbers.of([*rows, *customer_rows.group_rows(rows)])
        named = customer_rows.untyped(rows)
        shown = await self._by_id(sorted({ids[number] for number in named if number in ids}), _SHOWN_ON)
        shown_on = {str(one["invoiceNumber"]): frozenset(row["id"] for row in one["postings"]) for one in shown}
        outside = await self._settled.of([row for row in rows if customer_rows.number_of(row) not in ids])
        known = customer_rows.Known(ids, self._numbers.notes(ids), shown_on, outside)
        found = [customer_rows.fact(row, known) for row in rows]
        return [one for one in found if one is not None], customer_rows.matches(rows, known)

    async def _page(
        self, kind: Kind, rows: Sequence[Row], cursor: str, *, more: bool, apart: Sequence[str] = ()
    ) -> Page:
        """A page of what was read; `apart`: close groups that are no more."""
        if kind not in LEDGER:
            return Page(await self._records(kind, rows), cursor, more)
        found, matches = await self._facts(rows)
        today = datetime.now(OSLO).date()
        return Page(found, cursor, more, [*(Match(group, today) for group in apart), *matches])

    async def _more(self, kind: Kind) -> dict[str, Any]:
        if kind not in LEDGER:
            return {}
        low, high = await self._accounts()
        # Tripletex does not say whether the last of a range of accounts is in it.
        return {"accountNumberFrom": low, "accountNumberTo": high + 1}

    def _invoice(self, row: Row, closings: Mapping[int, Row]) -> Record:
        if not row.get("isCreditNote"):
            return records.invoice(row)
        own, credited = closings.get(row["id"], {}), closings.get(row.get("creditedInvoice") or 0, {})
        return records.credit_note(row, credited.get("invoiceNumber"), records.closed_with(own), records.group_of(own))

    async def _closings(self, notes: Sequence[Row]) -> dict[int, Row]:
        """For credit notes of which something is no longer open: what they were closed with, and what they credit."""
        used = [row for row in notes if row.get("amountCurrencyOutstanding") != row.get("amountCurrency")]
        ids = sorted(
            {row["id"] for row in used} | {row["creditedInvoice"] for row in used if row.get("creditedInvoice")}
        )
        return {row["id"]: row for row in await self._by_id(ids, records.CLOSING_FIELDS)}

    # --- everything -------------------------------------------------------------------------------------------------

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """A page of everything dated in [since, until); registers have no date: all of them."""
        if kind in REGISTERS:
            page, _, following = await self._registers.page(kind, _load(cursor)["at"] if cursor else 0, "x")
            return replace(page, cursor=_dump({"at": following or 0}), more=following is not None)
        if kind in PARTIES:
            state = _load(cursor) if cursor else {"at": 0, "inactive": False}
            rows, after = await self._parties(kind, state, None)
            return Page(await self._records(kind, rows), _dump(after or {"done": True}), more=after is not None)
        state = _load(cursor) if cursor else {"windows": [[since, until]], "at": 0}
        rows, after = await self._dated(kind, state)
        return await self._page(kind, rows, _dump(after or {"done": True}), more=after is not None)

    async def _dated(self, kind: Kind, state: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        windows = [(_day(start), _day(end)) for start, end in state.get("windows", ())]
        if not windows or windows[0][0] >= windows[0][1]:
            return [], None
        rows, windows, at = await _piece(
            self._client, kind, self._learned, windows, state["at"], _FIELDS[kind], await self._more(kind)
        )
        return rows, {"windows": windows, "at": at} if windows else None

    async def _parties(
        self, kind: Kind, state: Mapping[str, Any], since: str | None
    ) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """A page of a register: first the active ones, then the inactive, which Tripletex hides unless asked for."""
        if state.get("done"):
            return [], None
        at, inactive = state["at"], state["inactive"]
        rows = await self._client.rows(
            _PATHS[kind], start=at, fields=_FIELDS[kind], changedSince=since, isInactive=inactive
        )
        if len(rows) >= PAGE:
            return rows, {"at": at + len(rows), "inactive": inactive}
        return rows, None if inactive else {"at": 0, "inactive": True}

    # --- what changed -----------------------------------------------------------------------------------------------

    async def begin(self, kind: Kind, since: date) -> str:
        """A cursor from which `changes` gives everything dated `since` or later, and then what changes."""
        if kind in REGISTERS:
            return _dump({"at": 0, "pages": {}, "last": None})
        if kind in PARTIES:
            return _dump({"since": None, "at": 0, "inactive": False, "began": None})
        return _dump({"from": since, "fill": {"windows": [[since, LAST]], "at": 0}, "known": []})

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since the cursor."""
        state = _load(cursor)
        if kind in REGISTERS:
            return await self._changed_pages(kind, state)
        if kind in PARTIES:
            return await self._changed_parties(kind, state)
        if state["fill"]:
            return await self._fill(kind, state)
        return await self._poll(kind, state)

    async def _changed_parties(self, kind: Kind, state: dict[str, Any]) -> Page:
        ours = datetime.now(UTC)
        rows, after = await self._parties(kind, state, state["since"])
        # By the vendor's clock where it says it, and by the earlier of both, whoever is wrong.
        began = state["began"] or _moment(min(ours, self._client.server_time or ours) - OVERLAP)
        found = await self._records(kind, rows)
        if after is not None:
            return Page(found, _dump({**state, **after, "began": began}), more=True)
        return Page(found, _dump({"since": began, "at": 0, "inactive": False, "began": None}))

    async def _changed_pages(self, kind: Kind, state: dict[str, Any]) -> Page:
        """The next page of a register, unless it has the checksum that it had the last time.

        `pages`: checksums by first row; `last`: first row of the last page there was.
        """
        at, pages = state["at"], dict(state["pages"])
        known = pages.get(str(at), "x")
        page, digest, after = await self._registers.page(kind, at, known)
        if digest == known and at == state["last"]:
            after = None
        if page.blind:
            return replace(page, cursor=_dump(state))
        pages[str(at)] = digest
        if after is None:
            pages = {first: kept for first, kept in pages.items() if int(first) <= at}
        last = at if after is None else state["last"]
        return replace(page, cursor=_dump({"at": after or 0, "pages": pages, "last": last}), more=after is not None)

    async def _fill(self, kind: Kind, state: dict[str, Any]) -> Page:
        """The first time: page by page, all of it."""
        rows, after = await self._dated(kind, state["fill"])
        known = dict(state["known"]) | {row["id"]: _version(kind, row) for row in rows}
        done = _dump({**state, "fill": after, "known": _newest(known)})
        return await self._page(kind, rows, done, more=after is not None)

    async def _poll(self, kind: Kind, state: dict[str, Any]) -> Page:
        """The newest rows against those known; what is new or has another version is read in full."""
        rows = await self._newest_rows(kind, _day(state["from"]))
        known: dict[int, str] = dict(state["known"])
        # Where the memory is full, rows older than all it holds are outside of it rather than new.
        least = min(known) if len(known) >= KEPT else 0
        changed = [row for row in rows if row["id"] >= least and known.get(row["id"]) != _version(kind, row)]
        more, changed = len(changed) > PAGE // 2, changed[-PAGE // 2 :]
        apart = _apart(known, changed) if kind in LEDGER else []
        known |= {row["id"]: _version(kind, row) for row in changed}
        if kind in REGISTER:
            changed = await self._by_id([row["id"] for row in changed], records.INVOICE_FIELDS)
        return await self._page(kind, changed, _dump({**state, "known": _newest(known)}), more=more, apart=apart)

    async def _newest_rows(self, kind: Kind, since: date) -> list[dict[str, Any]]:
        start = max(since, datetime.now(OSLO).date() - timedelta(days=self._poll_days))
        fields = records.VERSION_FIELDS if kind in REGISTER else _FIELDS[kind]
        accounts = await self._more(kind)
        found: list[dict[str, Any]] = []
        while len(found) < KEPT:
            try:
                rows = await self._client.rows(
                    _PATHS[kind],
                    start=len(found),
                    sorting="-id",
                    fields=fields,
                    **_window(kind, start, LAST),
                    **accounts,
                )
            except Refused as exc:
                # More than Tripletex gives: look less far back. The nightly comparison sees the rest.
                today = datetime.now(OSLO).date()
                if exc.code != "too-many-rows" or start >= today:
                    raise
                start, found = start + timedelta(days=max(1, (today - start).days // 2)), []
                continue
            found += rows
            if len(rows) < PAGE:
                break
        return found

    async def _by_id(self, ids: Sequence[int], fields: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for first in range(0, len(ids), BY_ID):
            some = ",".join(map(str, ids[first : first + BY_ID]))
            found += await self._client.rows(
                "/invoice", invoiceDateFrom=FIRST, invoiceDateTo=LAST, id=some, fields=fields
            )
        return found


def _version(kind: Kind, row: Row) -> str:
    if kind is Kind.SUPPLIER_INVOICE:
        return purchases.version_of(row)
    return records.invoice_version(row) if kind in REGISTER else records.row_version(row)


def _apart(known: Mapping[int, str], changed: Sequence[Row]) -> list[str]:
    """The close groups that rows were in and are not in any more."""
    were = {known[row["id"]].partition("/")[2] for row in changed if row["id"] in known}
    return sorted(were - {records.row_version(row).partition("/")[2] for row in changed} - {""})


def _newest(known: Mapping[int, str]) -> list[tuple[int, str]]:
    return [(id, known[id]) for id in sorted(known)[-KEPT:]]


def _moment(moment: datetime) -> str:
    """For `changedSince`, which has no zone. UTC is never later than Norwegian time, whichever of them is meant."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _dump(state: Mapping[str, Any]) -> str:
    return dumps({"v": 1, **state}).decode()


def _load(cursor: str) -> dict[str, Any]:
    try:
        state = loads(cursor)
    except ValueError:
        state = None
    if not isinstance(state, dict) or state.get("v") != 1:
        raise BadInput("This cursor is none of Tripletex'.", code="cursor-malformed", do="Begin anew.")
    return state
