"""From Visma Net's answers to records. No calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from adapters.accounting.visma_net import wire
from adapters.accounting.visma_net.client import not_as_described
from adapters.accounting.visma_net.places import Places, Told
from connector.ports import Changed, Kind, Payable, Record

Row = Mapping[str, Any]
OSLO = ZoneInfo("Europe/Oslo")

RELEASED = frozenset({"Open", "Closed"})
"""States of a document that counts in the books."""
DRAFT = frozenset({"Hold", "Balanced"})
"""States of one that does not yet."""
MONEY_IN = frozenset({"Payment", "Prepayment"})
VOIDED_BY: Mapping[str, str] = {"Payment": "VoidPayment", "Prepayment": "VoidPayment", "Refund": "VoidRefund"}
"""Types of money, and the type of what takes one back, under the same number."""
VOIDS = frozenset(VOIDED_BY.values())
WRITE_OFF = "SmallBalanceWo"
"""Type of a document that writes balances off."""


@dataclass(frozen=True, slots=True)
class Form:
    """What tells invoices and credit notes apart: where they are read and made, what their lines are called, and what
    a list is asked for so that all parts are shown.
    """

    path: str
    create: str
    lines: str
    model: type[BaseModel]
    asked: Mapping[str, Any]


SALES: Mapping[Kind, Form] = {
    Kind.INVOICE: Form("/v1/customerinvoice", "/v2/customerinvoice", "invoiceLines", wire.Invoice, {}),
    Kind.CREDIT_NOTE: Form(
        "/v1/customerCreditNote", "/v2/customerCreditNote", "lines", wire.CreditNote, {"expandApplications": True}
    ),
}


# --- values -----------------------------------------------------------------------------------------------------------


def moment(text: Any) -> datetime | None:
    """A moment as Visma Net writes it, as Norwegian wall time without zone; None where it is none.

    It mostly comes without an offset, and with as many decimals as it likes.
    """
    if not isinstance(text, str):
        return None
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        return None
    return said if said.tzinfo is None else said.astimezone(OSLO).replace(tzinfo=None)


def changed(row: Row) -> Changed | None:
    """When a row was changed last; by whom, Visma Net does not say."""
    at = moment(row.get("lastModifiedDateTime"))
    return None if at is None else Changed(at.replace(tzinfo=OSLO).astimezone(UTC).isoformat())


def day(row: Row, name: str, call: str) -> str | None:
    """A day of a row as ISO text. Raises `VendorError` ("vendor-answer")."""
    value = row.get(name)
    if value is None:
        return None
    at = moment(value)
    if at is None:
        raise not_as_described(name, "a day", call)
    return at.date().isoformat()


def number(row: Row, name: str, call: str) -> Decimal:
    """An amount of a row. Raises `VendorError` ("vendor-answer")."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise not_as_described(name, "a number", call)
    return Decimal(value)


def text(row: Row, name: str, call: str) -> str:
    """A text of a row that must be there. Raises `VendorError` ("vendor-answer")."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise not_as_described(name, "a text", call)
    return value


def customer_number(row: Row, call: str) -> str:
    """The number of the customer that a document names. Raises `VendorError` ("vendor-answer")."""
    number = part(row, "customer").get("number")
    if not isinstance(number, str) or not number:
        raise not_as_described("customer.number", "a text", call)
    return number


def part(row: Row, name: str) -> Row:
    """An object in a row; an empty one where there is none."""
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def sound(model: type[BaseModel], body: dict[str, Any], call: str) -> dict[str, Any]:
    """The body without what is not said, if it fits the model. Raises `VendorError` ("vendor-answer")."""
    try:
        model.model_validate(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise not_as_described(".".join(map(str, first["loc"])), first["msg"].lower(), call) from None
    return body


def _said(row: Row, *names: str) -> dict[str, Any]:
    """Fields that the row has; an empty text says that there is nothing."""
    return {name: None if row[name] == "" else row[name] for name in names if row.get(name) is not None}


# --- records ----------------------------------------------------------------------------------------------------------


def _party(row: Row) -> dict[str, Any]:
    body = _said(row, "internalId", "number", "name", "status", "corporateId", "vatRegistrationId", "gln", "currencyId")
    if isinstance(address := row.get("mainAddress"), Mapping):
        fields = _said(address, "addressLine1", "addressLine2", "addressLine3", "postalCode", "city")
        if country := part(address, "country").get("id"):
            fields["country"] = {"id": country}
        body["mainAddress"] = fields
    if isinstance(contact := row.get("mainContact"), Mapping):
        body["mainContact"] = _said(contact, "attention", "email", "phone1")
    return body


def customer(row: Row) -> Record:
    """A customer as read."""
    call, body = "/v1/customer", _party(row)
    if isinstance(contact := row.get("invoiceContact"), Mapping):
        body["invoiceContact"] = _said(contact, "email")
    id = row.get("internalId")
    if type(id) is not int:
        raise not_as_described("internalId", "an integer", call)
    return Record(
        Kind.CUSTOMER, str(id), version(row), sound(wire.Customer, body, call), changed=changed(row)
    )  # fmt: skip


def supplier(row: Row) -> Record:
    """A supplier as read: known by its number, there is no call that finds one by another id."""
    call = "/v1/supplier"
    body = sound(wire.Supplier, {name: value for name, value in _party(row).items() if name != "gln"}, call)
    return Record(Kind.SUPPLIER, text(row, "number", call), version(row), body, changed=changed(row))


def item(row: Row) -> Record:
    """An item of the inventory as read."""
    call = "/v1/inventory"
    body = _said(row, "inventoryId", "inventoryNumber", "description", "status", "defaultPrice", "stockItem")
    if code := part(row, "vatCode").get("id"):
        body["vatCode"] = {"id": code}
    if account := part(part(row, "accountInformation"), "salesAccount").get("number"):
        body["salesAccount"] = account
    id = row.get("inventoryId")
    if type(id) is not int:
        raise not_as_described("inventoryId", "an integer", call)
    return Record(Kind.PRODUCT, str(id), version(row), sound(wire.Item, body, call), changed=changed(row))


def supplier_invoice(row: Row, places: Places | None = None) -> Record:
    """An incoming invoice or credit note as read; released or not. What all its lines carry is the document's."""
    call = "/v1/supplierInvoice"
    names = (
        "documentType",
        "referenceNumber",
        "supplierReference",
        "currencyId",
        "paymentRefNo",
        "description",
        "status",
    )
    body = _said(row, *names)
    seller, released = part(row, "supplier"), row.get("status") in RELEASED
    body["supplier"] = {"number": text(seller, "number", call)} | _said(seller, "name")
    for name in ("date", "dueDate"):
        if value := day(row, name, call):
            body[name] = value
    body["amount"] = number(row, "amount", call)
    if places is not None:
        body |= places.shared(row.get("invoiceLines") or ())
    if released:
        body["balance"] = number(row, "balance", call)
    return Record(
        Kind.SUPPLIER_INVOICE,
        f"{text(row, 'documentType', call)}/{text(row, 'referenceNumber', call)}",
        f"{version(row)}/{row.get('balance')}",
        sound(wire.SupplierInvoice, body, call),
        changed=changed(row),
        payable=Payable(
            number=body.get("supplierReference"),
            supplier=body["supplier"]["number"],
            text=body.get("description"),
            net=None if row.get("detailTotal") is None else number(row, "detailTotal", call),
            voucher=body["referenceNumber"] if released else None,
            open=body.get("balance"),
            payments=None,
        ),
    )


def sale(kind: Kind, row: Row, internal_id: int, told: Told | None = None) -> Record:
    """An invoice or credit note as read; `internal_id` is its customer's, `told` what is known of what lines name."""
    form = SALES[kind]
    body = _said(
        row, "referenceNumber", "currencyId", "customerRefNumber", "note", "externalReference", "status", "amount",
        "detailTotal", "vatTotal", "roundingDiff",
    )  # fmt: skip
    body["customer"] = {"internalId": internal_id}
    body["documentDate"] = day(row, "documentDate", form.path)
    body[form.lines] = [_line(one, told) for one in row.get(form.lines) or ()]
    if told is not None:
        body |= told.of_document(row)
    balance = number(row, "balance", form.path)
    if kind is Kind.INVOICE:
        body |= _said(row, "paymentReference")
        if due := day(row, "documentDueDate", form.path):
            body["documentDueDate"] = due
    elif "applications" in row:  # without them, nothing is known of what it is applied to
        applied = applications(row, form.path)
        first = next(iter(applied), None)
        if first is not None:
            body["credits"] = {"referenceNumber": first}
        body["applied"] = applied[first] if first is not None else Decimal(0)
    return Record(
        kind,
        text(row, "referenceNumber", form.path),
        f"{version(row)}/{balance}",
        sound(form.model, body, form.path),
        open_amount=balance if kind is Kind.INVOICE else None,
        customer=str(internal_id),
        changed=changed(row),
    )


def applications(row: Row, call: str, *, planned: bool = False) -> dict[str, Decimal]:
    """What of a credit note is applied, by invoice, the one it was applied to first at the beginning.

    `planned`: also what is not in the books yet.
    """
    rows = [
        one
        for one in row.get("applications") or ()
        if str(one.get("docType")).casefold() in ("invoice", "inv")
        and one.get("voided") is not True
        and (planned or one.get("released") is not False)
    ]
    rows.sort(key=lambda one: str(one.get("applicationDate") or ""))
    sums: dict[str, Decimal] = {}
    for one in rows:
        invoice = text(one, "refNbr", call)
        sums[invoice] = sums.get(invoice, Decimal(0)) + number(one, "amountPaid", call)
    return {invoice: amount for invoice, amount in sums.items() if amount > 0}


def _line(row: Row, told: Told | None) -> dict[str, Any]:
    said = _said(row, "lineNumber", "description", "quantity", "discountPercent")
    # In an answer, what is called "in currency" is in the company's own; the plain names are the document's.
    for name, there in (("unitPriceInCurrency", "unitPrice"), ("amountInCurrency", "amount")):
        if row.get(there) is not None:
            said[name] = row[there]
    if code := part(row, "vatCode").get("id"):
        said["vatCodeId"] = code
    if account := part(row, "account").get("number"):
        said["accountNumber"] = account
    return said if told is None else said | told.of_line(row)


_PAYMENTS = "/v1/customerPayment"


def payment_id(row: Row) -> str:
    """What tells a payment from all others: numbers repeat from type to type."""
    return f"{text(row, 'type', _PAYMENTS)}/{text(row, 'refNbr', _PAYMENTS)}"


def payment(row: Row, internal_id: int, void: Row | None = None) -> Record:
    """Money in or out as read. `void`: of a voided one, what takes it back."""
    call = "/v1/customerPayment"
    body = _said(row, "refNbr", "type", "currency", "cashAccount", "paymentRef", "invoiceText")
    body["id"] = payment_id(row)
    body["customer"] = {"internalId": internal_id}
    body["applicationDate"] = day(row, "applicationDate", call)
    body["paymentAmount"] = number(row, "paymentAmount", call)
    if kept := charges(row):
        body["deductedCharges"] = abs(kept)
    if method := part(row, "paymentMethod").get("id"):
        body["paymentMethod"] = method
    body["paymentLines"] = [
        {"refNbr": invoice, "amountPaid": amount} for invoice, amount in given(row, void).items() if amount > 0
    ]
    return Record(
        Kind.PAYMENT,
        body["id"],
        version(row),
        sound(wire.Payment, body, call),
        customer=str(internal_id),
        changed=changed(row),
    )


def applied(row: Row) -> dict[str, Decimal]:
    """What the rows of a payment come to, by invoice; they may name one several times, and take back what one gave.

    What goes to an invoice in another currency is left out: in which of the two its amount is, Visma does not tell, so
    that the invoice is open by less is a question for a person.
    """
    rows: dict[str, Decimal] = {}
    for line in row.get("paymentLines") or ():
        if line.get("documentType") == "Invoice" and line.get("currency") in (None, row.get("currency")):
            invoice, amount = (text(line, "refNbr", _PAYMENTS), number(line, "amountPaid", _PAYMENTS))
            rows[invoice] = rows.get(invoice, Decimal(0)) + amount
    return rows


def charges(row: Row) -> Decimal:
    """What the bank kept of a payment, in its currency."""
    return number({"deductedCharges": 0, **row}, "deductedCharges", _PAYMENTS)


def given(row: Row, void: Row | None = None) -> dict[str, Decimal]:
    """What a payment gives to each invoice. Of a voided one, what it gave until then: that is what `void` takes back,
    whatever it had been moved to and from before.
    """
    return applied(row) if void is None else {invoice: -amount for invoice, amount in applied(void).items()}


def reversal(row: Row, internal_id: int, taken: str) -> Record:
    """A payment that was voided. `taken`: the id of what is taken back; it has the same number."""
    call = "/v1/customerPayment"
    body = {"reverses": {"id": taken}, "applicationDate": day(row, "applicationDate", call)}
    return Record(
        Kind.REVERSAL,
        payment_id(row),
        version(row),
        sound(wire.Reversal, body, call),
        customer=str(internal_id),
        changed=changed(row),
    )


def version(row: Row) -> str:
    """Differs whenever the row does: what `ETag` says, too."""
    return str(row.get("timeStamp") or row.get("timestamp") or row.get("lastModifiedDateTime") or "")
