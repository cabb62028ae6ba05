"""Invoices and their drafts."""

from __future__ import annotations

from typing import Any

from adapters.accounting.fiken.sandbox import forms
from adapters.accounting.fiken.sandbox.books import checked_uuid
from adapters.accounting.fiken.sandbox.errors import invalid
from adapters.accounting.fiken.sandbox.lines import totals
from adapters.accounting.fiken.sandbox.routing import PAGING, Call, Reply, days, route
from adapters.accounting.fiken.sandbox.shapes import Shapes
from adapters.accounting.fiken.sandbox.store import Thing


def drafted(call: Call, types: tuple[str, ...]) -> Thing:
    """A draft as Fiken completes it. Raises `SandboxError` (400)."""
    said = forms.read(call.body, forms.DRAFT)
    if said["type"] not in types:
        raise invalid(f"Ugyldig type: {said['type']}")
    call.books.contact(said["customerId"], "customer")
    call.books.project(said.get("projectId"))
    number = said.get("bankAccountNumber")
    if number and number not in [one["bankAccountNumber"] for one in call.books.all("bankAccount")]:
        raise invalid(f"Bankkontonummer {number} finnes ikke")
    currency = said.get("currency", "NOK")
    lines = call.books.lines(said.get("lines", ()), forms.DRAFT_LINE)
    return {
        **said,
        "uuid": checked_uuid(said.get("uuid")),
        "currency": currency,
        "lines": lines,
        "attachments": [],
        **totals(lines, said.get("roundingType", "none"), currency),
    }


@route("GET", "/invoices/drafts", f"{PAGING} orderReference uuid")
def drafts(call: Call) -> Reply:
    """Drafts of invoices."""
    found = call.equal(call.books.all("draft"), uuid="uuid", orderReference="orderReference")
    return call.page(found, Shapes(call.books, call.base).draft)


@route("POST", "/invoices/drafts")
def add_draft(call: Call) -> Reply:
    """A new draft; one with the same uuid may be there already."""
    draft = drafted(call, ("invoice", "cash_invoice"))
    if not draft["lines"]:
        raise invalid("lines må fylles ut")
    return call.made("/invoices/drafts", call.books.add("draft", **draft)["_id"])


@route("GET", "/invoices/drafts/{id}")
def draft(call: Call) -> Reply:
    """One draft."""
    return Reply(200, Shapes(call.books, call.base).draft(call.books.find("draft", call.ids[0])))


@route("DELETE", "/invoices/drafts/{id}")
def remove_draft(call: Call) -> Reply:
    """Away with it."""
    call.books.find("draft", call.ids[0])
    call.books.remove("draft", call.ids[0])
    return Reply(204)


@route("POST", "/invoices/drafts/{id}/createInvoice")
def create_invoice(call: Call) -> Reply:
    """The draft becomes an invoice, and is no more."""
    there = call.books.find("draft", call.ids[0])
    invoice = call.books.invoice(there)
    call.books.remove("draft", there["_id"])
    return call.made("/invoices", invoice["_id"])


@route("GET", "/invoices", f"{PAGING} {days('issueDate', 'lastModified', 'dueDate')} customerId settled orderReference"
       " invoiceDraftUuid invoiceNumber")  # fmt: skip
def invoices(call: Call) -> Reply:
    """Invoices."""
    found = call.dated(call.books.all("invoice"), issueDate="issueDate", lastModified="lastModifiedDate",
                       dueDate="dueDate")  # fmt: skip
    found = call.equal(found, customerId="_customer", orderReference="orderReference",
                       invoiceDraftUuid="invoiceDraftUuid", invoiceNumber="invoiceNumber")  # fmt: skip
    settled = call.flag("settled")
    sales = call.books.things.get("sale", {})
    found = [one for one in found if settled is None or sales[one["_sale"]]["settled"] == settled]
    return call.page(found, Shapes(call.books, call.base).invoice)


@route("GET", "/invoices/{id}")
def invoice(call: Call) -> Reply:
    """One invoice."""
    return Reply(200, Shapes(call.books, call.base).invoice(call.books.find("invoice", call.ids[0])))


@route("PATCH", "/invoices/{id}")
def change_invoice(call: Call) -> Reply:
    """The due date, and whether it was sent by hand: nothing else of an invoice can be changed."""
    there, said = call.books.find("invoice", call.ids[0]), forms.read(call.body, forms.INVOICE_CHANGE)
    changed: dict[str, Any] = {"dueDate": said["newDueDate"]} if "newDueDate" in said else {}
    if "sentManually" in said:
        changed["sentManually"] = said["sentManually"]
    call.books.touch(there, **changed)
    return call.made("/invoices", there["_id"], 200)


@route("POST", "/invoices/send")
def send_invoice(call: Call) -> Reply:
    """It goes to the customer; how shows later in `dispatches`."""
    said = forms.read(call.body, forms.SENDING)
    there = call.books.find("invoice", said["invoiceId"])
    call.books.outbox.append(said)
    how = "ehf" if "auto" in said["method"] else str(said["method"][0])
    call.books.touch(there, dispatches=[*there["dispatches"], {"date": call.books.day(), "dispatchType": how}])
    return Reply(200)


@route("GET", "/invoices/counter")
def counter(call: Call) -> Reply:
    """Where the series of numbers stands."""
    if not call.books.rules.counter:
        raise invalid("Fakturanummerserien er ikke opprettet")
    numbers = [one["invoiceNumber"] for one in call.books.all("invoice")]
    return Reply(200, {"value": max(numbers, default=10000)})
