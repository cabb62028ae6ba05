"""Credit notes: over a whole invoice, over a part of one, and from drafts that belong to none."""

from __future__ import annotations

from typing import Any

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox.books import with_kroner
from adapters.accounting.fiken.sandbox.calls.invoices import drafted
from adapters.accounting.fiken.sandbox.errors import invalid
from adapters.accounting.fiken.sandbox.lines import totals
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, days, route
from adapters.accounting.fiken.sandbox.shapes import Shapes
from adapters.accounting.fiken.sandbox.store import Thing


@route("GET", "/creditNotes", f"{PAGING} {days('issueDate', 'lastModified')} customerId settled creditNoteDraftUuid")
def credit_notes(call: Call) -> Reply:
    """Credit notes."""
    found = call.dated(call.books.all("creditNote"), issueDate="issueDate", lastModified="lastModifiedDate")
    found = call.equal(found, customerId="_customer", settled="settled", creditNoteDraftUuid="creditNoteDraftUuid")
    return call.page(found, Shapes(call.books, call.base).credit_note)


@route("GET", "/creditNotes/{id}")
def credit_note(call: Call) -> Reply:
    """One credit note."""
    return Reply(200, Shapes(call.books, call.base).credit_note(call.books.find("creditNote", call.ids[0])))


@route("POST", "/creditNotes/full")
def full(call: Call) -> Reply:
    """The whole invoice is credited, once."""
    said = forms.read(call.body, forms.FULL_CREDIT)
    invoice = call.books.find("invoice", said["invoiceId"])
    if invoice["associatedCreditNotes"]:
        raise invalid("Fakturaen er allerede kreditert")
    of = {name: invoice[name] for name in ("currency", "_customer", "_project", "net", "vat", "gross", "_rounding",
                                           "netInNok", "vatInNok", "grossInNok")}  # fmt: skip
    of |= {"creditNoteText": said.get("creditNoteText")}
    note = call.books.credit(said["issueDate"], invoice["lines"], of, invoice)
    return call.made("/creditNotes", note["_id"])


@route("POST", "/creditNotes/partial")
def partial(call: Call) -> Reply:
    """Some of an invoice is credited; more than it is of is refused."""
    said = forms.read(call.body, forms.PARTIAL_CREDIT)
    invoice = call.books.find("invoice", said["invoiceId"]) if "invoiceId" in said else None
    customer = invoice["_customer"] if invoice else call.books.contact(said.get("contactId"), "customer")["_id"]
    currency = invoice["currency"] if invoice else said.get("currency", "NOK")
    lines = call.books.lines(said["lines"], forms.CREDIT_LINE)
    sums = totals(lines, said.get("roundingType", "none"), currency)
    if invoice is not None:
        notes = [call.books.find("creditNote", id) for id in invoice["associatedCreditNotes"]]
        if sum(one["gross"] for one in notes) + sums["gross"] > invoice["gross"]:
            raise invalid("Kreditnotaen er større enn det som gjenstår av fakturaen")
    of = {"currency": currency, "_customer": customer, "_project": said.get("project"),
          "creditNoteText": said.get("creditNoteText"), "yourReference": said.get("yourReference"),
          "orderReference": said.get("orderReference")}  # fmt: skip
    note = call.books.credit(said["issueDate"], lines, of | with_kroner({**sums, "currency": currency}), invoice)
    return call.made("/creditNotes", note["_id"])


@route("GET", "/creditNotes/drafts", PAGING)
def drafts(call: Call) -> Reply:
    """Drafts of credit notes; they cannot be asked for by uuid."""
    return call.page(call.books.all("creditNoteDraft"), Shapes(call.books, call.base).draft)


@route("POST", "/creditNotes/drafts")
def add_draft(call: Call) -> Reply:
    """A new draft; it belongs to no invoice."""
    draft = drafted(call, ("credit_note",))
    return call.made("/creditNotes/drafts", call.books.add("creditNoteDraft", **draft)["_id"])


@route("GET", "/creditNotes/drafts/{id}")
def draft(call: Call) -> Reply:
    """One draft."""
    return Reply(200, Shapes(call.books, call.base).draft(call.books.find("creditNoteDraft", call.ids[0])))


@route("DELETE", "/creditNotes/drafts/{id}")
def remove_draft(call: Call) -> Reply:
    """Away with it."""
    call.books.find("creditNoteDraft", call.ids[0])
    call.books.remove("creditNoteDraft", call.ids[0])
    return Reply(204)


@route("POST", "/creditNotes/drafts/{id}/createCreditNote")
def create_credit_note(call: Call) -> Reply:
    """The draft becomes a credit note of no invoice."""
    there: Thing = call.books.find("creditNoteDraft", call.ids[0])
    of: dict[str, Any] = {"currency": there["currency"], "_customer": there["customerId"],
                          "_project": there.get("projectId"), "creditNoteDraftUuid": there["uuid"],
                          "creditNoteText": there.get("invoiceText"), **with_kroner(there)}  # fmt: skip
    note = call.books.credit(there.get("issueDate") or call.books.day(), there["lines"], of, None)
    call.books.remove("creditNoteDraft", there["_id"])
    return call.made("/creditNotes", note["_id"])
