"""Incoming invoices as pilot customers deliver them: `/incomingInvoice`, with its own shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import forms
from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.forms import Said
from adapters.accounting.tripletex.sandbox.ledger import Row, ore
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid
from adapters.accounting.tripletex.sandbox.vouchers import check_version

_HEADER = frozenset({"vendorId", "invoiceDate", "dueDate", "currencyId", "invoiceAmount", "description",
                     "invoiceNumber", "voucherTypeId"})  # fmt: skip
_LINE = frozenset({"externalId", "row", "description", "accountId", "count", "amountInclVat", "vatTypeId",
                   "departmentId", "projectId", "productId"})  # fmt: skip
_LINE_LINKS = {"accountId": "account", "vatTypeId": "vatType", "departmentId": "department", "projectId": "project",
               "productId": "product"}  # fmt: skip
_CYCLE = {"inbox": "DRAFT_IN_INBOX", "nonPosted": "DRAFT_IN_NON_POSTED", "ledger": "IN_LEDGER"}
PLACES = frozenset(_CYCLE)
"""Where it may be sent."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a body says, checked."""

    supplier: Thing
    number: str
    day: date
    due: date
    total: Decimal
    currency: Link
    text: str
    lines: list[Row]
    said: list[dict[str, Any]]


def _given(books: Books, said: Said, place: str) -> Given:
    forms.check_names({"version", "invoiceHeader", "orderLines"}, said, "", "invoice")
    header = said.get("invoiceHeader") or {}
    forms.check_names(_HEADER, header, "invoiceHeader", "invoiceHeader")
    for name in ("vendorId", "invoiceDate", "dueDate", "currencyId", "invoiceAmount", "invoiceNumber"):
        if header.get(name) in (None, ""):
            raise invalid(f"invoiceHeader.{name}", "Kan ikke være null.")
    supplier = books.find(forms.link(books, "supplier", {"id": header["vendorId"]}, "invoiceHeader.vendorId"))
    currency = forms.link(books, "currency", {"id": header["currencyId"]}, "invoiceHeader.currencyId")
    day = forms.day(header["invoiceDate"], "invoiceHeader.invoiceDate")
    due = forms.day(header["dueDate"], "invoiceHeader.dueDate")
    total = forms.amount(header["invoiceAmount"], "invoiceHeader.invoiceAmount", 2)
    number = forms.text(header["invoiceNumber"], "invoiceHeader.invoiceNumber")
    rate = books.rate(currency)
    lines = [_line(books, line, f"orderLines[{at}]", rate) for at, line in enumerate(said.get("orderLines") or ())]
    if place == "ledger":
        if sum((line["amountGrossCurrency"] for line in lines), Decimal(0)) != total:
            raise invalid("orderLines", "Summen av linjene er ikke lik fakturabeløpet.")
        books.check_open(day, "invoiceHeader.invoiceDate", vat=any("vatType" in line for line in lines))
    text = forms.text(header.get("description") or f"Faktura {number} fra {supplier['name']}", "description")
    kept = [dict(line) for line in said.get("orderLines") or ()]
    return Given(supplier, number, day, due, total, currency, text, lines, kept)


def create(books: Books, said: Said, place: str) -> Thing:
    """As `POST /incomingInvoice`: the supplier invoice and its voucher, at `place`. All of it or nothing."""
    it = _given(books, said, place)
    voucher = books.draft(it.day, it.text, [], place if place != "ledger" else "nonPosted", _lines_said=it.said,
                          vendorInvoiceNumber=it.number,
                          voucherType=books.voucher_type("Leverandørfaktura"))  # fmt: skip
    try:
        invoice = books.supplier_invoice(voucher, it.supplier, it.number, it.day, it.due, it.total,
                                         currency=it.currency)  # fmt: skip
    except SandboxError:
        books.discard(voucher)
        raise
    if place == "ledger":
        books.register(voucher, invoice, it.lines)
    return voucher


def change(books: Books, voucher: Thing, invoice: Thing, said: Said, place: str | None) -> None:
    """As `PUT /incomingInvoice/{voucherId}`: a draft as a whole, and moved to `place` (None: where it is)."""
    check_version(voucher, said.get("version") if isinstance(said, Mapping) else None)
    if voucher["_state"] == "ledger":
        raise invalid("voucherId", "Bilaget er bokført og kan ikke endres.")
    it = _given(books, said, place or voucher["_state"])
    kroner = ore(it.total * books.rate(it.currency))
    books.touch(invoice, invoiceNumber=it.number, invoiceDate=it.day.isoformat(), invoiceDueDate=it.due.isoformat(),
                supplier=Link("supplier", it.supplier["id"]), currency=it.currency, amountCurrency=it.total,
                amount=kroner, isCreditNote=it.total < 0)  # fmt: skip
    state = {None: voucher["_state"], "ledger": "nonPosted"}.get(place, place)
    books.touch(voucher, date=it.day.isoformat(), description=it.text, vendorInvoiceNumber=it.number, _state=state,
                _lines_said=it.said)  # fmt: skip
    if place == "ledger":
        books.register(voucher, invoice, it.lines)


def _line(books: Books, said: Said, path: str, rate: Decimal) -> Row:
    forms.check_names(_LINE, said, path, path)
    if forms.whole(said.get("row") or 0, f"{path}.row") < 1:
        raise invalid(f"{path}.row", "Må være minst 1.")
    for name in ("externalId", "accountId", "amountInclVat"):
        if said.get(name) is None:
            raise invalid(f"{path}.{name}", "Kan ikke være null.")
    foreign = forms.amount(said["amountInclVat"], f"{path}.amountInclVat", 2)
    row: Row = {"row": said["row"], "amountGrossCurrency": foreign, "amountGross": ore(foreign * rate)}
    if said.get("description"):
        row["description"] = forms.text(said["description"], f"{path}.description")
    for name, type in _LINE_LINKS.items():
        if said.get(name) is not None:
            row[type] = forms.link(books, type, {"id": said[name]}, f"{path}.{name}")
    return row


def invoice_of(books: Books, voucher: Thing) -> Thing | None:
    """The supplier invoice of a voucher."""
    link = Link("voucher", voucher["id"])
    return next((one for one in books.things.get("supplierInvoice", {}).values() if one["voucher"] == link), None)


def cycle(books: Books, voucher: Thing) -> str:
    """Where it is, in the vendor's word."""
    invoice = invoice_of(books, voucher)
    waits = invoice is not None and books.waits_for_approval(invoice)
    return "TEMPORARY_IN_LEDGER" if waits else _CYCLE[voucher["_state"]]


def saved(books: Books, voucher: Thing) -> dict[str, Any]:
    """What creating answers."""
    return {"voucherId": voucher["id"], "version": voucher["version"], "voucherNumber": voucher["number"],
            "voucherTempNumber": voucher["tempNumber"], "voucherYear": voucher["year"],
            "invoiceLifeCycle": cycle(books, voucher), "paymentIdsToApprove": []}  # fmt: skip


def shown(books: Books, voucher: Thing, invoice: Thing) -> dict[str, Any]:
    """One incoming invoice as it is read."""
    lines: list[Mapping[str, Any]] = voucher.get("_lines_said", [])
    kept = ("externalId", "row", "description", "accountId", "count", "amountInclVat", "vatTypeId", "departmentId",
            "projectId")  # fmt: skip
    return {
        "voucherId": voucher["id"],
        "invoiceHeader": {
            "vendorId": invoice["supplier"].id, "invoiceDate": invoice["invoiceDate"],
            "invoiceNumber": invoice["invoiceNumber"], "invoiceAmount": invoice["amountCurrency"],
            "dueDate": invoice["invoiceDueDate"], "currencyId": invoice["currency"].id, "companyCurrencyId": 1,
            "description": voucher["description"],
        },
        "orderLines": [{name: line[name] for name in kept if line.get(name) is not None} for line in lines],
        "metadata": {
            "voucherNumber": voucher["number"], "voucherTempNumber": voucher["tempNumber"],
            "voucherYear": voucher["year"], "version": voucher["version"], "invoiceLifeCycle": cycle(books, voucher),
            "accountingPeriodClosed": _closed(books, date.fromisoformat(voucher["date"])),
        },
    }  # fmt: skip


def _closed(books: Books, day: date) -> bool:
    start = day.replace(day=1).isoformat()
    return any(one["start"] == start and one["isClosed"]() for one in books.accounting_periods())
