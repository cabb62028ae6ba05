"""Vouchers as they come in: rows with gross amounts that must come to zero, and what their accounts demand of them.

Not stated by the vendor, and decided here: a row without a VAT type has none, unless its account has locked one; a
foreign row's value in kroner is taken as given where it is given, else the ledger's own rate makes it; `type` is
ignored, as observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import forms
from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.fields import FIELDS
from adapters.accounting.tripletex.sandbox.forms import Said
from adapters.accounting.tripletex.sandbox.ledger import Row, ore
from adapters.accounting.tripletex.sandbox.orders import active_links
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid

_HEAD = frozenset({"id", "version", "url", "date", "description", "voucherType", "postings", "externalVoucherNumber",
                   "vendorInvoiceNumber"})  # fmt: skip
_ROW = frozenset(FIELDS["posting"]) - {"changes"}
_DIMENSIONS = tuple(f"freeAccountingDimension{index}" for index in (1, 2, 3))
_LINKS = ("customer", "supplier", "employee", "project", "product", "department", *_DIMENSIONS)
_NOK = 1


def create(books: Books, said: Said, *, send: bool) -> Thing:
    """As `POST /ledger/voucher`. Raises `SandboxError` where Tripletex would refuse; then nothing is booked."""
    forms.check_names(_HEAD, said, "", "voucher")
    head = _head(books, said)
    if "date" not in head:
        raise invalid("date", "Kan ikke være null.")
    dated = forms.day(head.pop("date"), "date")
    text = head.pop("description", "")
    rows = _rows(books, said)
    _check(books, rows, dated)
    booked = books.gross_rows(rows)
    if not send:
        return books.draft(dated, text, booked, **head)
    kind = head.pop("voucherType", None)
    voucher = books.book(dated, text, booked, **head)
    if kind is not None:
        voucher["voucherType"] = kind
    _link_to_invoices(books, voucher)
    return voucher


def change(books: Books, id: int, said: Said, *, send: bool) -> Thing:
    """As `PUT /ledger/voucher/{id}`: texts always; date and rows only while it is not in the ledger."""
    voucher = books.find(Link("voucher", id))
    check_version(voucher, said.get("version") if isinstance(said, Mapping) else None)
    forms.check_names(_HEAD, said, "", "voucher")
    head = _head(books, said)
    if voucher["_state"] == "ledger":
        if head.get("date", voucher["date"]) != voucher["date"] or "postings" in said:
            raise invalid("postings" if "postings" in said else "date", "Bilaget er bokført og kan ikke endres.")
        books.touch(voucher, **head)
        return voucher
    dated = forms.day(head.get("date", voucher["date"]), "date")
    if "postings" in said:
        rows = _rows(books, said)
        _check(books, rows, dated)
        books.redraft(voucher, books.gross_rows(rows))
    for link in voucher["postings"]:
        books.things["draft"][link.id]["date"] = dated.isoformat()
    books.touch(voucher, **{"_state": "nonPosted", **head})
    if send:
        books.post(voucher)
        _link_to_invoices(books, voucher)
    return voucher


def check_version(thing: Thing, version: Any) -> None:
    """Raises `SandboxError` (409/8000) for a version that is not the present one."""
    if version is not None and version != thing["version"]:
        said = ("version", "Versjonen er ikke den siste.")
        raise SandboxError(409, 8000, "Objektet er endret av noen andre.", said)


def _head(books: Books, said: Said) -> dict[str, Any]:
    head: dict[str, Any] = {}
    for name, most in (("description", 4000), ("externalVoucherNumber", 70), ("vendorInvoiceNumber", 100)):
        if said.get(name) is not None:
            head[name] = forms.text(said[name], name)
            if len(head[name]) > most:
                raise invalid(name, f"Maks {most} tegn.")
    if said.get("date") is not None:
        head["date"] = forms.day(said["date"], "date").isoformat()
    if said.get("voucherType") is not None:
        head["voucherType"] = forms.link(books, "voucherType", said["voucherType"], "voucherType")
    return head


def _rows(books: Books, said: Said) -> list[Row]:
    given = said.get("postings") or []
    if not isinstance(given, list) or not given:
        raise invalid("postings", "Et bilag kan ikke registreres uten posteringer.")
    return [_row(books, one, f"postings[{at}]") for at, one in enumerate(given)]


def _row(books: Books, said: Said, path: str) -> Row:
    forms.check_names(_ROW, said, path, path)
    if forms.whole(said.get("row") or 0, f"{path}.row") < 1:
        raise invalid(
            "postings.row",
            "Posteringene på rad 0 (guiRow 0) er systemgenererte og kan ikke opprettes eller endres på utsiden av "
            "Tripletex.",
        )
    if said.get("account") is None:
        raise invalid(f"{path}.account", "Kan ikke være null.")
    account = books.find(forms.link(books, "account", said["account"], f"{path}.account"))
    if account["isInactive"]:
        raise invalid(f"{path}.account", "Kontoen er inaktiv.")
    row: Row = {"row": said["row"], "account": Link("account", account["id"]),
                **active_links(books, said, _LINKS, path)}  # fmt: skip
    for name in ("description", "invoiceNumber"):
        if said.get(name) is not None:
            row[name] = forms.text(said[name], f"{path}.{name}")
    if said.get("termOfPayment") is not None:
        row["termOfPayment"] = forms.day(said["termOfPayment"], f"{path}.termOfPayment").isoformat()
    _amounts(books, row, said, path)
    _vat(books, row, account, said, path)
    _demands(books, row, account, path)
    return row


def _amounts(books: Books, row: Row, said: Said, path: str) -> None:
    currency = Link("currency", _NOK)
    if said.get("currency") is not None:
        currency = forms.link(books, "currency", said["currency"], f"{path}.currency")
    given = {name: forms.amount(said[name], f"{path}.{name}", 2) for name in ("amountGross", "amountGrossCurrency")
             if said.get(name) is not None}  # fmt: skip
    foreign = given.get("amountGrossCurrency")
    if currency.id == _NOK:
        kroner = given.get("amountGross", foreign)
        if foreign is not None and foreign != kroner:
            raise invalid(f"{path}.amountGrossCurrency", "Beløpene må være like når valutaen er NOK.")
        foreign = kroner
    else:
        if foreign is None:
            raise invalid(f"{path}.amountGrossCurrency", "Kan ikke være null.")
        kroner = given.get("amountGross", ore(foreign * books.rate(currency)))
    if kroner is None or foreign is None:
        raise invalid(f"{path}.amountGross", "Kan ikke være null.")
    row.update(amountGross=kroner, amountGrossCurrency=foreign, currency=currency)


def _vat(books: Books, row: Row, account: Thing, said: Said, path: str) -> None:
    legal: list[Link] = account["legalVatTypes"]()
    if said.get("vatType") is not None:
        row["vatType"] = forms.link(books, "vatType", said["vatType"], f"{path}.vatType")
    elif account["vatLocked"]:
        row["vatType"] = account["vatType"]
    registered = books.rules.vat_registered or not books.vat(row.get("vatType"))["percentage"]
    if "vatType" in row and (row["vatType"] not in legal or not registered):
        raise invalid(f"{path}.vatType", "Ugyldig mva-kode.")


def _demands(books: Books, row: Row, account: Thing, path: str) -> None:
    for ledger, name, refusal in (("CUSTOMER", "customer", "Kunde mangler."),
                                  ("VENDOR", "supplier", "Leverandør mangler.")):  # fmt: skip
        if account["ledgerType"] == ledger and name not in row:
            raise invalid(f"{path}.{name}", refusal)
    for flag, name, refusal in (("requiresDepartment", "department", "Avdeling mangler."),
                                ("requiresProject", "project", "Prosjekt mangler.")):  # fmt: skip
        if account[flag] and name not in row:
            raise invalid(f"{path}.{name}", refusal)
    for index, name in enumerate(_DIMENSIONS, 1):
        if name in row and books.find(row[name])["dimensionIndex"] != index:
            raise invalid(f"{path}.{name}", "Verdien tilhører en annen dimensjon.")


def _check(books: Books, rows: list[Row], dated: date) -> None:
    if sum((row["amountGross"] for row in rows), Decimal(0)) != 0:
        raise invalid("postings", f"Summen av posteringene for {dated} er ikke lik 0.")
    sums: dict[int, Decimal] = {}
    counts: dict[int, int] = {}
    for row in rows:
        sums[row["row"]] = sums.get(row["row"], Decimal(0)) + row["amountGross"]
        counts[row["row"]] = counts.get(row["row"], 0) + 1
    if any(sums[number] != 0 for number, count in counts.items() if count == 2):
        raise invalid("postings.row", "Summen av posteringene på samme rad må være 0.")
    books.check_open(dated, "date", vat=any(books.vat(row.get("vatType"))["percentage"] for row in rows))


def _link_to_invoices(books: Books, voucher: Thing) -> None:
    """Where the rules say so: a row on the customer that names an invoice's number belongs to the invoice."""
    if not books.rules.invoice_number_links:
        return
    numbers = {str(one["invoiceNumber"]): one for one in books.things.get("invoice", {}).values() if one["isCharged"]}
    for link in voucher["postings"]:
        row = books.find(link)
        invoice = numbers.get(row.get("invoiceNumber", ""))
        if invoice is not None and row.get("customer") == invoice["customer"]:
            books.belongs(row, invoice["id"])
            books.settle(invoice["id"], date.fromisoformat(voucher["date"]))
