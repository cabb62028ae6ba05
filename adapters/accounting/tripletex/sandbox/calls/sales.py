"""Orders, invoices, credit notes, reminders, and paying invoices."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from adapters.accounting.tripletex.sandbox import forms, orders
from adapters.accounting.tripletex.sandbox.calls.documents import archive, as_archived, content
from adapters.accounting.tripletex.sandbox.routing import PAGING, Call, Reply, route
from adapters.accounting.tripletex.sandbox.things import Link, Thing, invalid

_SEND = {"EMAIL", "EHF", "AVTALEGIRO", "EFAKTURA", "VIPPS", "PAPER", "MANUAL"}
_CREDIT_SEND = _SEND | {"DIRECT", "AUTOINVOICE_EHF_OUTBOUND", "AUTOINVOICE_EHF_INCOMING", "PEPPOL_EHF_INCOMING"}
_REMINDERS = {"SOFT_REMINDER", "REMINDER", "NOTICE_OF_DEBT_COLLECTION"}

# --- orders -----------------------------------------------------------------------------------------------------------


@route(
    "GET",
    "/order",
    f"id number customerId orderDateFrom orderDateTo deliveryComment isClosed isSubscription {PAGING}",
)
def find_orders(call: Call) -> Reply:
    """Orders dated in a window."""
    found = call.in_days(call.books.all("order"), "orderDate", "orderDateFrom", "orderDateTo")
    found = call.matching(found, number="number", customerId="customer", isClosed="isClosed",
                          isSubscription="isSubscription")  # fmt: skip
    return call.many(call.containing(found, deliveryComment="deliveryComment"))


@route("GET", "/order/{id}", "fields")
def order(call: Call) -> Reply:
    """One order."""
    return call.one(call.target("order"))


@route("POST", "/order")
def create_order(call: Call) -> Reply:
    """A new order with its lines."""
    return call.one(orders.create_order(call.books, call.body), 201)


@route("PUT", "/order/{id}")
def change_order(call: Call) -> Reply:
    """The head of an order."""
    return call.one(orders.change_order(call.books, call.target("order")["id"], call.body))


@route("DELETE", "/order/{id}")
def delete_order(call: Call) -> Reply:
    """Take away an order that is not invoiced."""
    made = call.target("order")
    if made["isClosed"]:
        raise invalid("id", "Ordren er fakturert og kan ikke slettes.")
    for line in made["orderLines"]:
        del call.books.things["orderLine"][line.id]
    if made.get("preliminaryInvoice"):
        del call.books.things["invoice"][made["preliminaryInvoice"].id]
    call.books.remove(made)
    return Reply(204, None)


@route("PUT", "/order/{id}/:attach")
def attach_to_order(call: Call) -> Reply:
    """A document that goes with the invoice."""
    made = call.target("order")
    kept = archive(call, Link("order", made["id"]))
    call.books.touch(made, attachment=[*made.get("attachment", ()), Link("document", kept["id"])])
    return call.one(as_archived(kept))


# --- invoices ---------------------------------------------------------------------------------------------------------


def _sent(call: Call, invoice: Thing) -> None:
    """What would be mailed to the customer now: everything, unless it was said not to."""
    if call.flag("sendToCustomer", True):
        how = call.query.get("sendType") or call.books.find(invoice["customer"]).get("invoiceSendMethod")
        send(call, invoice, how)


def send(call: Call, invoice: Thing, how: str | None) -> None:
    """Put it into the outbox; an EHF shows in `ehfSendStatus`."""
    out = {"invoice": invoice["id"], "invoiceNumber": invoice["invoiceNumber"], "sendType": how}
    if call.query.get("overrideEmailAddress"):
        out["email"] = call.query["overrideEmailAddress"]
    if how == "EHF":
        known = call.books.find(invoice["customer"]).get("organizationNumber")
        state = "SENT" if known else "SEND_FAILURE_RECIPIENT_NOT_FOUND"
        if call.books.rules.shows_ehf_status:
            call.books.touch(invoice, ehfSendStatus=state)
        if not known:
            return
    call.books.outbox.append(out)


@route(
    "PUT",
    "/order/{id}/:invoice",
    "invoiceDate sendToCustomer sendType paymentTypeId paidAmount invoiceIdIfIsCreditNote overrideEmailAddress "
    "createOnAccount createBackorder",
)
def invoice_order(call: Call) -> Reply:
    """Number and book the order; mail it too, unless `sendToCustomer=false` says not to.

    Invoicing on account and backorders are not here: asking for them is refused.
    """
    dated = call.day("invoiceDate")
    call.flag("sendToCustomer", True)
    call.choice("sendType", _SEND)
    if call.choice("createOnAccount", {"NONE"}) or call.flag("createBackorder", False):
        raise invalid("createOnAccount", "Ikke tilgjengelig.")
    prepaid = _prepaid(call)
    credited = call.number("invoiceIdIfIsCreditNote")
    more = {"credits": call.find(Link("invoice", int(credited)))} if credited else {}
    made = call.books.charge(call.target("order"), dated, **more)
    _prepay(call, made, prepaid)
    _sent(call, made)
    return call.one(made)


def _prepaid(call: Call) -> tuple[Thing, Decimal] | None:
    how, paid = call.number("paymentTypeId"), call.number("paidAmount")
    if how is None and paid is None:
        return None
    if how is None or paid is None:
        raise invalid("paymentTypeId" if how is None else "paidAmount", "Kan ikke være null.")
    return _payment_type(call, how), paid


def _prepay(call: Call, made: Thing, prepaid: tuple[Thing, Decimal] | None) -> None:
    if prepaid is not None:
        how, paid = prepaid
        kroner = round(paid * call.books.rate(made["currency"]), 2)
        call.books.pay(forms.day(made["invoiceDate"], "invoiceDate"), [(made, kroner, paid)], how["debitAccount"])


@route("POST", "/invoice", "sendToCustomer paymentTypeId paidAmount")
def create_invoice(call: Call) -> Reply:
    """An invoice of one order, under a number of the caller's own where one is given; mailed unless told not to."""
    call.flag("sendToCustomer", True)
    prepaid = _prepaid(call)
    made = orders.create_invoice(call.books, call.body)
    _prepay(call, made, prepaid)
    _sent(call, made)
    return call.one(made, 201)


@route("POST", "/invoice/list", "sendToCustomer fields")
def create_invoices(call: Call) -> Reply:
    """Up to 100 invoices. Those before one that is refused are made."""
    if not isinstance(call.body, list) or len(call.body) > 100:
        raise invalid("", "Maks 100 fakturaer.")
    call.flag("sendToCustomer", True)
    made = [orders.create_invoice(call.books, said) for said in call.body]
    for one in made:
        _sent(call, one)
    return call.many(made, 201)


@route(
    "GET",
    "/invoice",
    f"id invoiceDateFrom invoiceDateTo invoiceNumber kid voucherId customerId {PAGING}",
)
def invoices(call: Call) -> Reply:
    """Charged invoices dated in a window."""
    charged = (one for one in call.books.all("invoice") if one["isCharged"])
    found = call.in_days(charged, "invoiceDate", "invoiceDateFrom", "invoiceDateTo")
    return call.many(
        call.matching(found, invoiceNumber="invoiceNumber", kid="kid", voucherId="voucher", customerId="customer")
    )


@route("GET", "/invoice/{id}", "fields")
def invoice(call: Call) -> Reply:
    """One invoice."""
    return call.one(call.target("invoice"))


@route("GET", "/invoice/{id}/pdf", "download")
def invoice_pdf(call: Call) -> Reply:
    """Its document."""
    return Reply(200, content(call.books.find(Link("document", call.target("invoice")["documentId"]))))


@route("PUT", "/invoice/{id}/:send", "sendType overrideEmailAddress")
def send_invoice(call: Call) -> Reply:
    """Send it, however often it is asked."""
    how = call.choice("sendType", _SEND, required=True)
    send(call, call.target("invoice"), how)
    return Reply(200, None)


@route("PUT", "/invoice/{id}/:createCreditNote", "date comment creditNoteEmail sendToCustomer sendType")
def credit_invoice(call: Call) -> Reply:
    """Credit the whole invoice; mail the note too, unless `sendToCustomer=false` says not to."""
    dated = call.day("date")
    call.flag("sendToCustomer", True)
    call.choice("sendType", _CREDIT_SEND)
    note = call.books.credit(call.target("invoice"), dated, call.query.get("comment"))
    _sent(call, note)
    return call.one(note)


# --- money ------------------------------------------------------------------------------------------------------------


@route("GET", "/invoice/paymentType", f"id description query {PAGING}")
def payment_types(call: Call) -> Reply:
    """The payment types; `description` and `query`: containing."""
    return call.many(
        call.containing(call.books.all("paymentType"), description="description", query="description")
    )  # fmt: skip


@route("GET", "/invoice/paymentType/{id}", "fields")
def payment_type(call: Call) -> Reply:
    """One payment type."""
    return call.one(call.target("paymentType"))


def _payment_type(call: Call, how: Decimal) -> Thing:
    if how not in call.books.things["paymentType"]:
        raise invalid("paymentTypeId", f"Finner ikke paymentType med id {how}.")
    return call.books.find(Link("paymentType", int(how)))


@route("PUT", "/invoice/{id}/:payment", "paymentDate paymentTypeId paidAmount paidAmountCurrency")
def pay_invoice(call: Call) -> Reply:
    """Book a payment: a new one each time, whatever is open; a negative one takes back."""
    made = call.target("invoice")
    dated = call.day("paymentDate")
    how, paid, foreign = call.number("paymentTypeId"), call.number("paidAmount"), call.number("paidAmountCurrency")
    if how is None or paid is None:
        raise invalid("paymentTypeId" if how is None else "paidAmount", "Kan ikke være null.")
    if not paid:
        raise invalid("paidAmount", "Beløpet kan ikke være 0.")
    for name, value in (("paidAmount", paid), ("paidAmountCurrency", foreign)):
        if value is not None and value != round(value, 2):
            raise invalid(name, "Maks 2 desimaler.")
    by = _payment_type(call, how)
    currency = call.books.find(made["currency"])["code"]
    if currency != "NOK" and foreign is None:
        raise invalid("paidAmountCurrency", "Kan ikke være null.")
    in_invoice = paid if foreign is None else foreign
    in_kroner = paid if by["currencyCode"] == "NOK" else round(in_invoice * call.books.rate(made["currency"]), 2)
    call.books.pay(dated, [(made, in_kroner, in_invoice)], by["debitAccount"])
    return call.one(made)


# --- reminders --------------------------------------------------------------------------------------------------------


@route("PUT", "/invoice/{id}/:createReminder",
       "type date includeCharge includeInterest dispatchType dispatchTypes email")  # fmt: skip
def remind(call: Call) -> Reply:
    """A reminder of an overdue invoice, sent at once; gives its id. Interest is not computed: asking is refused."""
    kind = call.choice("type", _REMINDERS, required=True)
    if call.flag("includeInterest", False):
        raise invalid("includeInterest", "Ikke tilgjengelig.")
    made = call.target("invoice")
    reminder = call.books.remind(made, call.day("date"), str(kind), with_charge=call.flag("includeCharge", False))
    how = call.query.get("dispatchType") or call.query.get("dispatchTypes") or "EMAIL"
    call.books.outbox.append({"invoice": made["id"], "invoiceNumber": made["invoiceNumber"], "reminder": kind,
                              "sendType": how})  # fmt: skip
    return Reply(200, {"value": reminder["id"]})


@route("GET", "/reminder", f"id dateFrom dateTo termOfPaymentFrom termOfPaymentTo invoiceId customerId {PAGING}")
def reminders(call: Call) -> Reply:
    """Reminders made in a window."""
    found: Iterable[Thing] = call.in_days(call.books.all("reminder"), "reminderDate", "dateFrom", "dateTo")
    found = call.between(found, "termOfPayment", "termOfPaymentFrom", "termOfPaymentTo")
    found = call.matching(found, invoiceId="_invoice")
    if customer := call.number("customerId"):
        found = (one for one in found if call.books.things["invoice"][one["_invoice"]]["customer"].id == customer)
    return call.many(found)


@route("GET", "/reminder/{id}", "fields")
def reminder(call: Call) -> Reply:
    """One reminder."""
    return call.one(call.target("reminder"))
