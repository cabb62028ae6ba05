"""How things are shown: nested in full, by the names and types of Fiken's description."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.accounting.fiken.sandbox import purchases
from adapters.accounting.fiken.sandbox.books import Books
from adapters.accounting.fiken.sandbox.chart import SALES
from adapters.accounting.fiken.sandbox.forms import WRITE_ONLY
from adapters.accounting.fiken.sandbox.lines import whole
from adapters.accounting.fiken.sandbox.store import Thing


def plain(thing: Thing, id: str) -> dict[str, Any]:
    """What is Fiken's of a thing, with its id under the name it has there."""
    return {id: thing["_id"], **{name: value for name, value in thing.items() if name[0] != "_" and value is not None}}


class Shapes:
    """Shows the things of one company. `base`: where the company's paths begin."""

    def __init__(self, books: Books, base: str) -> None:
        self.books = books
        self.base = base

    def contact(self, thing: Thing) -> dict[str, Any]:
        """A customer, a supplier, or both."""
        shown = plain(thing, "contactId")
        if not self.books.rules.shows_all:
            shown = {name: value for name, value in shown.items() if name not in WRITE_ONLY}
        if address := shown.get("address"):
            norway = address["country"] in ("Norway", "Norge", "NO")
            shown["address"] = {**address, "country": self.books.rules.country} if norway else dict(address)
        return {"customer": False, "supplier": False, "contactPerson": [], "notes": [], "groups": [], **shown}

    def product(self, thing: Thing) -> dict[str, Any]:
        """A product."""
        return plain(thing, "productId")

    def project(self, thing: Thing) -> dict[str, Any]:
        """A project."""
        shown = {name: value for name, value in plain(thing, "projectId").items() if name not in _DAYS}
        contact = shown.pop("contactId", None)
        return shown | ({"contact": self._contact(contact)} if contact else {})

    def bank_account(self, thing: Thing) -> dict[str, Any]:
        """A bank account."""
        return {name: value for name, value in plain(thing, "bankAccountId").items() if name not in _DAYS}

    def draft(self, thing: Thing) -> dict[str, Any]:
        """A draft of an invoice or credit note."""
        shown = {name: value for name, value in plain(thing, "draftId").items()
                 if name not in ("createdDate", "customerId", "vat", "lines")}  # fmt: skip
        numbered = [{**line, "invoiceishDraftLineId": place} for place, line in enumerate(thing["lines"], 1)]
        lines = [
            {name: value for name, value in line.items() if name not in ("net", "vat", "gross")} for line in numbered
        ]
        return {**shown, "lines": lines, "customers": [self._contact(thing["customerId"])]}

    def invoice(self, thing: Thing) -> dict[str, Any]:
        """An invoice with its customer, its sale and the sale's payments."""
        shown = plain(thing, "invoiceId") | self._of(thing)
        address = shown["customer"].get("address")
        shown["lines"] = [self._line(line, thing) for line in thing["lines"]]
        shown["sale"] = self.sale(self.books.things["sale"][thing["_sale"]])
        shown["invoicePdf"] = self._file("invoice", thing["_id"])
        return shown | ({"address": address} if address else {})

    def credit_note(self, thing: Thing) -> dict[str, Any]:
        """A credit note."""
        shown = plain(thing, "creditNoteId") | self._of(thing)
        shown.pop("createdDate")
        shown["lines"] = [self._line(line, thing) for line in thing["lines"]]
        shown["creditNotePdf"] = self._file("creditNote", thing["_id"])
        return shown | {"address": shown["customer"].get("address") or {"country": self.books.rules.country}}

    def sale(self, thing: Thing) -> dict[str, Any]:
        """A sale with its payments."""
        shown = plain(thing, "saleId") | self._of(thing)
        shown.pop("createdDate")
        payments = self.books.payments(thing)
        open_amount, rate = self.books.outstanding(thing), thing["_rate"]
        attachments = [self._file("sale", thing["_id"]) for _ in thing.get("_files", ())]
        shown |= {
            "netAmount": whole(thing["_net"] * rate),
            "vatAmount": whole(thing["_vat"] * rate),
            "totalPaid": sum(
                one["amount"] if one.get("amountInNok") is None else one["amountInNok"] for one in payments
            ),
            "outstandingBalance": whole(open_amount * rate),
            "lines": [self._order_line(line, thing) for line in thing["lines"]],
            "salePayments": [self.payment(one) for one in payments],
            "saleAttachments": attachments,
        }
        if thing["currency"] != "NOK":
            shown["totalPaidInCurrency"] = sum(one["amount"] for one in payments)
            shown["outstandingBalanceInCurrency"] = open_amount
        return shown

    def payment(self, thing: Thing) -> dict[str, Any]:
        """A payment of a sale."""
        return {name: value for name, value in plain(thing, "paymentId").items() if name not in _DAYS}

    def entry(self, thing: Thing) -> dict[str, Any]:
        """A journal entry with its lines."""
        return plain(thing, "journalEntryId") | {"attachments": []}

    def transaction(self, thing: Thing) -> dict[str, Any]:
        """A transaction with its entries."""
        entries = [self.entry(self.books.things["journalEntry"][id]) for id in thing["_entries"]]
        return plain(thing, "transactionId") | {"entries": entries}

    def purchase(self, thing: Thing) -> dict[str, Any]:
        """A purchase with its payments; what is open of it is not told."""
        shown = {name: value for name, value in plain(thing, "purchaseId").items() if name not in (*_DAYS, "kid")}
        shown["payments"] = [self.payment(one) for one in purchases.payments(self.books, thing)]
        shown["purchaseAttachments"] = [self._file("purchase", thing["_id"]) for _ in thing.get("_files", ())]
        return shown | ({"supplier": self._contact(thing["_supplier"])} if thing["_supplier"] else {})

    def _of(self, thing: Thing) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if thing["_customer"] is not None:
            said["customer"] = self._contact(thing["_customer"])
        if thing.get("_project") is not None:
            said["project"] = self.project(self.books.things["project"][thing["_project"]])
        return said

    def _contact(self, id: int) -> dict[str, Any]:
        return self.contact(self.books.things["contact"][id])

    def _line(self, line: dict[str, Any], of: Thing) -> dict[str, Any]:
        shown = {**line, "vatInPercent": SALES[line["vatType"]][0] / 100}
        for name in ("net", "vat", "gross"):
            if of["currency"] != "NOK":
                shown[f"{name}InNok"] = whole(line[name] * of["netInNok"] / Decimal(of["net"] or 1))
        if self.books.rules.discount_share and "discount" in line:
            shown["discount"] = Decimal(line["discount"]) / 100
        return shown

    def _order_line(self, line: dict[str, Any], of: Thing) -> dict[str, Any]:
        if of["currency"] != "NOK":
            shown = self._order_line(line, {"currency": "NOK"})
            kroner = {
                name: whole(line[of_line] * of["_rate"]) for name, of_line in (("netPrice", "net"), ("vat", "vat"))
            }
            return {**shown, **kroner, "netPriceInCurrency": line["net"], "vatInCurrency": line["vat"]}
        return {"description": line["description"], "netPrice": line["net"], "vat": line["vat"],
                "account": line["incomeAccount"], "vatType": line["vatType"]}  # fmt: skip

    def _file(self, kind: str, id: int) -> dict[str, Any]:
        return {"identifier": str(id), "type": "invoice", "downloadUrl": f"{self.base}/files/{kind}/{id}"}


_DAYS = ("createdDate", "lastModifiedDate")
