"""Following what changes in Fiken, and reading everything of a kind.

Fiken tells of changes by the day: a read asks for the day of the one before, and more, and what has not changed is told
by the digest of its content (`Record.version`). Whether a payment counts as a change of its sale is not known, so what
is still open is read besides, once in `open_hours`: it shows what a part was paid of, and what is not among it any more
was settled, and is read by itself. What neither shows (money for what was settled before), the nightly comparison finds
(`sweep`).

Invoices are shown with their sales and payments, so a page of invoices has the payments too.

Cursors are JSON; `v` is the version of their form.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from adapters.accounting.fiken import records
from adapters.accounting.fiken.client import OSLO, Client, Row
from adapters.accounting.fiken.lookups import Lookups
from connector.errors import BadInput
from connector.model.json import dumps, loads
from connector.ports import Kind, Page, Record

OVERLAP = timedelta(days=1)
"""Reads overlap by a day: whose clock turns the day first is not known."""
_AT_ONCE = 20
"""Things that are read one by one for a page."""
_REMEMBERED = 50_000
"""Sales whose invoices are remembered."""
APART = timedelta(days=31)
"""How far a sale's day may be from its invoice's: Fiken does not say that they are one."""
_PAGES: Mapping[Kind, str] = {
    Kind.INVOICE: "invoicePdf",
    Kind.CREDIT_NOTE: "creditNotePdf",
    Kind.SUPPLIER_INVOICE: "purchaseAttachments",
}
"""Where Fiken shows the page of a record."""


@dataclass(frozen=True, slots=True)
class List:
    """Where a kind is listed: `id` is the field that every entry has, `dated` the parameter of its day (registers have
    none), `only` further parameters; `changed`: the parameter by which what has changed is asked for, `opens` the one
    that is false of what is still open; `always`: whether that is read with every read.
    """

    path: str
    id: str
    dated: str | None = None
    only: tuple[tuple[str, str], ...] = ()
    changed: str | None = "lastModifiedGe"
    opens: str | None = None
    always: bool = False


LISTS: Mapping[Kind, List] = {
    Kind.CUSTOMER: List("/contacts", "contactId", only=(("customer", "true"),)),
    Kind.SUPPLIER: List("/contacts", "contactId", only=(("supplier", "true"),)),
    Kind.PRODUCT: List("/products", "productId"),
    Kind.PROJECT: List("/projects", "projectId", changed=None),
    Kind.INVOICE: List("/invoices", "invoiceId", "issueDate", opens="settled"),
    Kind.CREDIT_NOTE: List("/creditNotes", "creditNoteId", "issueDate"),
    Kind.PAYMENT: List("/sales", "saleId", "date", opens="settled"),
    Kind.SUPPLIER_INVOICE: List("/purchases", "purchaseId", "date", changed="settledDateGe", opens="paid", always=True),
}
"""Payments are read where they hang: on sales. Of purchases Fiken tells no changes: those that are open, and those that
were settled lately; what was booked as settled long ago the nightly comparison finds.
"""


class Reader:
    """Reads one company. `open_hours`: hours after which what is open is read again."""

    def __init__(self, client: Client, lookups: Lookups, open_hours: float) -> None:
        self._client = client
        self._lookups = lookups
        self._open_hours = open_hours
        self._invoice_of: OrderedDict[int, int | None] = OrderedDict()
        """By sale; None: a cash sale without one."""

    # --- single records ---------------------------------------------------------------------------------------------

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now, or None."""
        wanted, named = (kind, id), id
        if kind is Kind.SUPPLIER_INVOICE and id.startswith(records.INBOX):
            there = await self._client.find(f"/inbox/{id.removeprefix(records.INBOX)}")
            return None if there is None else records.in_inbox(id, {})
        if kind is Kind.SETTLEMENT:  # shown with what it settles
            kind, named = (Kind.PAYMENT, id.removeprefix("sale/")) if id.startswith("sale/") else (Kind.INVOICE, id)
        first, _, second = named.partition("/")
        if not (first.isascii() and first.isdigit()):
            return None
        if kind is Kind.PAYMENT and not second:
            return None
        row = await self._client.find(f"{LISTS[kind].path}/{first}")
        found = [] if row is None else await self._of(kind, [row])
        return next((one for one in found if (one.kind, one.id) == wanted), None)

    async def page(self, kind: Kind, id: str) -> str | None:
        """The address of the readable page that Fiken has of a record; None where it has none."""
        if kind is Kind.SUPPLIER_INVOICE and id.startswith(records.INBOX):
            return await self._address(f"/inbox/{id.removeprefix(records.INBOX)}", "documentUrl")
        if kind not in _PAGES or not id.isdigit():
            return None
        return await self._address(f"{LISTS[kind].path}/{id}", _PAGES[kind])

    async def _address(self, path: str, field: str) -> str | None:
        shown = (await self._client.find(path) or {}).get(field)
        if isinstance(shown, list):  # what is attached: the first is the page
            shown = shown[0] if shown else None
        found = shown.get("downloadUrl") if isinstance(shown, Mapping) else shown
        return str(found) if found else None

    # --- everything -------------------------------------------------------------------------------------------------

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """A page of everything dated in [since, until); registers have no date: all of them."""
        at, dated = _load(cursor)["page"] if cursor else 0, LISTS[kind].dated
        rows, more = await self._page(kind, at, **({f"{dated}Ge": since, f"{dated}Lt": until} if dated else {}))
        return Page(await self._of(kind, rows), _dump({"page": at + 1}), more)

    # --- what changed -----------------------------------------------------------------------------------------------
    #
    # A cursor's `open` is when what is open was looked at last, and `known` how each stood that was open then or since
    # (`_stands`). During a look (`opened`) `known` is what the pages have not shown yet, `there` what they have.

    async def begin(self, kind: Kind, since: date) -> str:
        """A cursor from which `changes` gives everything dated `since` or later, and then what changes."""
        return _dump({"from": since.isoformat(), "since": None, "page": 0, "began": None, "open": None})

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since the cursor: first what Fiken calls changed, then, where it is time, what is open and what
        is not any more.
        """
        state, listed = _load(cursor), LISTS[kind]
        now = datetime.now(UTC)
        began = state["began"] or now.isoformat()
        if state.get("opened") == "all":
            return await self._settled(kind, state)
        params: dict[str, Any] = {}
        if state.get("opened"):
            params[str(listed.opens)] = False
        elif state["since"] is None and listed.dated:
            params[f"{listed.dated}Ge"] = state["from"]
        elif state["since"] is not None and listed.changed:
            params[listed.changed] = state["since"]
        rows, more = await self._page(kind, state["page"], **params)
        found = await self._of(kind, _news(state, rows, listed.id) if state.get("opened") else rows)
        state |= {"began": began, **_open_by_now(state, rows, listed)}
        if more:
            return Page(found, _dump({**state, "page": state["page"] + 1}), more=True)
        if state.get("opened") and state["known"]:
            return Page(found, _dump({**state, "opened": "all"}), more=True)
        if state.get("opened"):
            return Page(found, _over(state, began, state["there"]))
        if self._look_at_open(listed, state, datetime.fromisoformat(began)):
            return Page(found, _dump({**state, "page": 0, "opened": "some", "there": {}}), more=True)
        return Page(found, _over(state, began if state["since"] is None else state["open"], state["known"]))

    async def _settled(self, kind: Kind, state: Mapping[str, Any]) -> Page:
        """Those that were open, and that a look at what is open has not shown."""
        listed, ids = LISTS[kind], list(state["known"])
        rows = [await self._client.find(f"{listed.path}/{id}") for id in ids[:_AT_ONCE]]
        there = [row for row in rows if row is not None]
        found = await self._of(kind, there)
        left = {id: state["known"][id] for id in ids[_AT_ONCE:]}
        state = {**state, **_open_by_now({**state, "known": left}, there, listed)}
        return (
            Page(found, _dump(state), more=True) if left else Page(found, _over(state, state["began"], state["there"]))
        )

    def _look_at_open(self, listed: List, state: Mapping[str, Any], now: datetime) -> bool:
        if not listed.opens or state.get("opened") or state["since"] is None:
            return False
        last = state["open"]
        return listed.always or last is None or now - datetime.fromisoformat(last) >= timedelta(hours=self._open_hours)

    async def _page(self, kind: Kind, number: int, **params: Any) -> tuple[list[Row], bool]:
        listed = LISTS[kind]
        return await self._client.page(listed.path, listed.id, number, **dict(listed.only), **params)

    # --- rows as records --------------------------------------------------------------------------------------------

    async def _of(self, kind: Kind, rows: Sequence[Row]) -> list[Record]:
        """The records that rows of a kind's list are, in the order they were made."""
        match kind:
            case Kind.CUSTOMER:
                return [records.customer(row) for row in rows]
            case Kind.SUPPLIER:
                return [records.supplier(row) for row in rows]
            case Kind.SUPPLIER_INVOICE:
                return [records.supplier_invoice(row) for row in rows if records.is_supplier_invoice(row)]
            case Kind.PRODUCT:
                return [records.product(row) for row in rows]
            case Kind.PROJECT:
                return [records.project(row) for row in rows]
            case Kind.CREDIT_NOTE:
                return [await self.credit_note(row) for row in rows]
            case Kind.INVOICE:
                return [one for row in rows for one in await self._invoice(row)]
        await self._find_invoices(rows)
        return [one for row in rows for one in await self._payments(row)]

    async def _invoice(self, row: Row) -> list[Record]:
        """An invoice, its payments, and its loss."""
        sale = row.get("sale")
        if not isinstance(sale, dict) or type(sale.get("saleId")) is not int:
            raise records.not_as_described("sale.saleId", "an id")
        self._remember(sale["saleId"], row["invoiceId"])
        made = [records.invoice(row), *records.payments(sale, row["invoiceId"], await self._numbers(sale))]
        if sale.get("writeOff"):
            notes = [await self._client.get(f"/creditNotes/{id}") for id in row.get("associatedCreditNotes") or ()]
            # One that does not close the invoice whole leaves it open how much was lost: a person sees to that.
            if all(note.get("settled") for note in notes):
                made.append(records.loss(row, sum(int(note["gross"]) for note in notes)))
        return made

    async def credit_note(self, row: Row) -> Record:
        """A credit note, with how much of it closes the invoice that it credits."""
        invoice, before = None, 0
        if id := row.get("associatedInvoiceId"):
            invoice = await self._client.find(f"/invoices/{id}")
            earlier = [one for one in (invoice or {}).get("associatedCreditNotes") or () if one < row["creditNoteId"]]
            before = sum([int((await self._client.get(f"/creditNotes/{one}"))["gross"]) for one in earlier])
        return records.credit_note(row, invoice, before)

    async def _payments(self, sale: Row) -> list[Record]:
        """The payments of a sale, and the loss of one that was invoiced elsewhere; of a sale that was deleted there are
        none, and a cash sale is paid by what it is.
        """
        if sale.get("deleted"):
            return []
        external = sale.get("kind") == "external_invoice"
        invoice = None if external else self._invoice_of.get(sale["saleId"])
        if not external and invoice is None:
            return []
        made = records.payments(sale, invoice, await self._numbers(sale))
        if external and sale.get("writeOff"):
            made.append(records.loss_of_sale(sale))
        return made

    async def _numbers(self, sale: Row) -> dict[str, str]:
        return await self._lookups.numbers() if records.paying(sale) else {}

    async def _find_invoices(self, sales: Sequence[Row]) -> None:
        """Find the invoices of sales that have been paid, in one search for all of them: a sale names none."""
        unknown = {
            sale["saleId"]: sale
            for sale in sales
            if sale.get("kind") != "external_invoice" and not sale.get("deleted")
            and sale["saleId"] not in self._invoice_of and records.paying(sale)
        }  # fmt: skip
        if not unknown:
            return
        days = [_day(sale) for sale in unknown.values()]
        asked = {"issueDateGe": min(days) - APART, "issueDateLe": max(days) + APART}
        async for row in self._client.leaf("/invoices", "invoiceId", **asked):
            unknown.pop(self._seen(row), None)
            if not unknown:
                return
        for id, sale in unknown.items():
            if sale.get("kind") == "cash_sale":  # booked without an invoice
                self._remember(id, None)
            else:
                await self._find_invoice(sale)

    async def _find_invoice(self, sale: Row) -> None:
        """Find the invoice of a sale whose day is not the invoice's: among those of its customer."""
        customer = (sale.get("customer") or {}).get("contactId")
        if customer is None:
            return
        async for row in self._client.leaf("/invoices", "invoiceId", customerId=customer):
            if self._seen(row) == sale["saleId"]:
                return

    def _seen(self, invoice: Row) -> int | None:
        """The sale of an invoice, from now on known by it."""
        id = (invoice.get("sale") or {}).get("saleId")
        if type(id) is not int:
            return None
        self._remember(id, invoice["invoiceId"])
        return id

    def _remember(self, sale: int, invoice: int | None) -> None:
        self._invoice_of[sale] = invoice
        self._invoice_of.move_to_end(sale)
        if len(self._invoice_of) > _REMEMBERED:
            self._invoice_of.popitem(last=False)


def _stands(row: Row) -> str:
    """How it stands: what is open of a sale, and how many payments it has. It changes with every payment; of a
    purchase, whose changes are told in no other way, with whatever changes.
    """
    if "purchaseId" in row:
        return records.version(row)
    sale = row.get("sale") or row
    return f"{records.outstanding(sale)}/{len(records.paying(sale))}"


def _news(state: Mapping[str, Any], rows: Sequence[Row], id: str) -> list[Row]:
    """Rows that do not stand as they did."""
    known = state.get("known", {})
    return [row for row in rows if known.get(str(row[id])) != _stands(row)]


def _open_by_now(state: Mapping[str, Any], rows: Sequence[Row], listed: List) -> dict[str, Any]:
    """What of a cursor changes with these rows: what is open by now, and how it stands."""
    known = dict(state.get("known", {}))
    if not listed.opens:
        return {"known": known}
    for row in rows:
        known.pop(str(row[listed.id]), None)
    opened = {str(row[listed.id]): _stands(row) for row in rows if not (row.get("sale") or row).get("settled")}
    if state.get("opened"):
        return {"known": known, "there": {**state.get("there", {}), **opened}}
    return {"known": known | opened}


def _over(state: Mapping[str, Any], looked: str | None, known: Mapping[str, str]) -> str:
    """The cursor when all is read. `looked`: when what is open, as `known`, was looked at last."""
    day = datetime.fromisoformat(state["began"]).astimezone(OSLO).date() - OVERLAP
    ended = {"from": state["from"], "since": day.isoformat(), "page": 0, "began": None, "open": looked}
    return _dump({**ended, "known": known} if known else ended)


def _day(sale: Row) -> date:
    try:
        return date.fromisoformat(str(sale.get("date")))
    except ValueError:
        raise records.not_as_described("date", "a day", "/sales") from None


def _dump(state: Mapping[str, Any]) -> str:
    return dumps({"v": 1, **state}).decode()


def _load(cursor: str) -> dict[str, Any]:
    try:
        state = loads(cursor)
    except ValueError:
        state = None
    if not isinstance(state, dict) or state.get("v") != 1:
        raise BadInput("This cursor is none of Fiken's.", code="cursor-malformed", do="Begin anew.")
    return state
