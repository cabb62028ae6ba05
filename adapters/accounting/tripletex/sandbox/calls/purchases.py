"""Supplier invoices: found, approved, paid; and delivered by pilot customers."""

from __future__ import annotations

from adapters.accounting.tripletex.sandbox import forms, incoming, lists
from adapters.accounting.tripletex.sandbox.calls.documents import content
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, no_access, route
from adapters.accounting.tripletex.sandbox.store import today
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid


@route("GET", "/supplierInvoice",
       f"id invoiceDateFrom invoiceDateTo invoiceNumber kid voucherId supplierId {PAGING}")  # fmt: skip
def supplier_invoices(call: Call) -> Reply:
    """Supplier invoices dated in a window."""
    found = call.in_days(call.books.all("supplierInvoice"), "invoiceDate", "invoiceDateFrom", "invoiceDateTo")
    return call.many(call.matching(found, invoiceNumber="invoiceNumber", kid="kidOrReceiverReference",
                                   voucherId="voucher", supplierId="supplier"))  # fmt: skip


@route("GET", "/supplierInvoice/{id}", "fields")
def supplier_invoice(call: Call) -> Reply:
    """One supplier invoice."""
    return call.one(call.target("supplierInvoice"))


@route("GET", "/supplierInvoice/forApproval", f"searchText showAll {PAGING}")
def for_approval(call: Call) -> Reply:
    """Those that wait for somebody."""
    found = [one for one in call.books.all("supplierInvoice") if call.books.waits_for_approval(one)]
    return call.many(call.containing(found, searchText="invoiceNumber"))


def _decide(call: Call, *, approved: bool) -> Reply:
    made = call.target("supplierInvoice")
    call.books.decide(made, call.query.get("comment"), approved=approved)
    return call.one(made)


@route("PUT", "/supplierInvoice/{id}/:approve", "comment")
def approve(call: Call) -> Reply:
    """Approve one: its voucher is booked."""
    return _decide(call, approved=True)


@route("PUT", "/supplierInvoice/{id}/:reject", "comment")
def reject(call: Call) -> Reply:
    """Reject one: its voucher goes back to the reception."""
    if not call.query.get("comment"):
        raise invalid("comment", "Kan ikke være null.")
    return _decide(call, approved=False)


@route("PUT", "/supplierInvoice/:approve", "invoiceIds comment")
def approve_several(call: Call) -> Reply:
    """Approve several."""
    ids = [int(id) for id in call.query.get("invoiceIds", "").split(",") if id.strip().isdigit()]
    found = [call.find(Link("supplierInvoice", id)) for id in ids]
    for one in found:
        call.books.decide(one, call.query.get("comment"), approved=True)
    return call.many(found)


def _pay(call: Call, made: Thing, how: Thing, amount: str, partial: bool) -> None:
    open_amount = made["outstandingAmount"]()
    given = call.number(amount)
    paid = open_amount if given is None else given
    if made["payments"]() and not partial:
        raise invalid("partialPayment", "Det er allerede registrert betaling på fakturaen.")
    if not paid or paid != round(paid, 2):
        raise invalid(amount, "Ugyldig beløp.")
    when = call.day("paymentDate") if call.query.get("paymentDate") else today()
    call.books.pay_supplier(made, when, paid, how)
    call.books.find(made["supplier"])["_paid_by"] = how["id"]


@route("POST", "/supplierInvoice/{id}/:addPayment",
       "paymentType amount kidOrReceiverReference bban paymentDate useDefaultPaymentType partialPayment")  # fmt: skip
def add_payment(call: Call) -> Reply:
    """Pay one; payment type 0 is the one last used for the supplier. Only where Tripletex has set it up."""
    if not call.books.rules.supplier_payments:
        raise no_access()
    made, asked = call.target("supplierInvoice"), call.number("paymentType")
    if asked is None:
        raise invalid("paymentType", "Kan ikke være null.")
    types = call.books.things["paymentTypeOut"]
    last = call.books.find(made["supplier"]).get("_paid_by")
    how = types.get(int(asked) or last or 0)
    if how is None and call.flag("useDefaultPaymentType", False):
        how = next(iter(types.values()))
    if how is None:
        raise invalid("paymentType", f"Finner ikke paymentType med id {asked}.")
    _pay(call, made, how, "amount", call.flag("partialPayment", False))
    return call.one(made, 201)


@route("GET", "/supplierInvoice/{id}/pdf")
def supplier_invoice_pdf(call: Call) -> Reply:
    """Its document."""
    voucher = call.books.find(call.target("supplierInvoice")["voucher"])
    if not voucher.get("attachment"):
        raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
    return Reply(200, content(call.books.find(voucher["attachment"])))


# --- pilot customers --------------------------------------------------------------------------------------------------


def _pilot(call: Call) -> None:
    if not call.books.rules.incoming_pilot:
        raise no_access()


@route("POST", "/incomingInvoice", "sendTo")
def create_incoming(call: Call) -> Reply:
    """An invoice with its lines, into the reception, among the drafts or into the ledger."""
    _pilot(call)
    place = call.choice("sendTo", set(incoming.PLACES)) or "inbox"
    return Reply(201, {"value": incoming.saved(call.books, incoming.create(call.books, call.body, place))})


def _read(call: Call) -> tuple[Thing, Thing]:
    voucher = call.target("voucher")
    invoice = incoming.invoice_of(call.books, voucher)
    if invoice is None:
        raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
    return voucher, invoice


@route("GET", "/incomingInvoice/{id}")
def incoming_invoice(call: Call) -> Reply:
    """One, by its voucher."""
    _pilot(call)
    return Reply(200, {"value": incoming.shown(call.books, *_read(call))})


@route("PUT", "/incomingInvoice/{id}", "sendTo")
def change_incoming(call: Call) -> Reply:
    """Change a draft as a whole, and send it on where `sendTo` says so."""
    _pilot(call)
    place = call.choice("sendTo", set(incoming.PLACES))
    voucher, invoice = _read(call)
    incoming.change(call.books, voucher, invoice, call.body, place)
    return Reply(200, {"value": incoming.saved(call.books, voucher)})


@route("GET", "/incomingInvoice/search",
       "voucherId invoiceDateFrom invoiceDateTo invoiceNumber vendorId status from count")  # fmt: skip
def find_incoming(call: Call) -> Reply:
    """Those in the states asked for; without `status` those in the ledger."""
    _pilot(call)
    found = call.between(call.books.all("supplierInvoice"), "invoiceDate", "invoiceDateFrom", "invoiceDateTo")
    found = call.matching(found, voucherId="voucher", invoiceNumber="invoiceNumber", vendorId="supplier")
    wanted = set((call.query.get("status") or "ledger").split(","))
    words = {"DRAFT_IN_INBOX": "inbox", "DRAFT_IN_NON_POSTED": "nonPosted", "TEMPORARY_IN_LEDGER": "approval",
             "IN_LEDGER": "ledger"}  # fmt: skip
    pairs = [(call.books.find(one["voucher"]), one) for one in found]
    shown = [incoming.shown(call.books, voucher, one) for voucher, one in pairs
             if words[incoming.cycle(call.books, voucher)] in wanted]  # fmt: skip
    start, count = int(call.query.get("from") or 0), int(call.query.get("count") or 1000)
    return Reply(200, lists.envelope(shown[start : start + count], len(shown), start, lists.NO_CHECKSUM))


@route("POST", "/incomingInvoice/{id}/addPayment")
def pay_incoming(call: Call) -> Reply:
    """Pay one that is in the ledger, from the bank."""
    _pilot(call)
    known = {"paymentTypeClientUUId", "amountCurrency", "paymentDate", "creditorIbanOrBban", "kidOrReceiverReference",
             "useDefaultPaymentType", "partialPayment"}  # fmt: skip
    forms.check_names(known, call.body, "", "payment")
    voucher, invoice = _read(call)
    if voucher["_state"] != "ledger":
        raise invalid("voucherId", "Bilaget er ikke bokført.")
    amount = forms.amount(call.body.get("amountCurrency"), "amountCurrency", 2)
    when = forms.day(call.body.get("paymentDate"), "paymentDate")
    call.books.pay_supplier(invoice, when, amount, next(iter(call.books.things["paymentTypeOut"].values())))
    return Reply(201, {"value": {}})
