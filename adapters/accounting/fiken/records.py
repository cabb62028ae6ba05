"""Fiken's answers as records: what the wire model knows of a row, checked, with a version that changes with content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from adapters.accounting.fiken import wire
from adapters.accounting.fiken.countries import code_of
from connector.errors import VendorError
from connector.model.json import dumps
from connector.ports import Dispatch, Kind, Paid, Payable, Record

Row = Mapping[str, Any]


def not_as_described(field: str, wanted: str, call: str | None = None) -> VendorError:
    """An answer (to `call`) that is not what Fiken's own description says."""
    return VendorError(
        f"Fiken's answer is not as its description says: {field or 'it'} should be {wanted}.",
        code="vendor-answer",
        do="Try again later; if it stays so, see whether Fiken has changed its API.",
        where={"field": field, **({"call": call} if call else {})},
    )


@cache
def parts(model: type[BaseModel]) -> Mapping[str, type[BaseModel] | None]:
    """The fields of a wire model, with the model that a field holds (or a list of), if any."""
    return {name: _inner(info.annotation) for name, info in model.model_fields.items()}


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, UnionType):
        return next((found for one in get_args(annotation) if (found := _inner(one))), None)
    return None


def pick(model: type[BaseModel], row: Row, at: str = "") -> dict[str, Any]:
    """What the model knows of a row; empty texts become None: nothing is there. Raises `VendorError`."""
    body: dict[str, Any] = {}
    for name, inner in parts(model).items():
        if name not in row:
            continue
        value = None if row[name] == "" else row[name]
        if inner is not None and value is not None:
            many, place = isinstance(value, list), f"{at}{name}"
            items = [_object(inner, one, f"{place}[{n}]") for n, one in enumerate(value if many else [value])]
            value = items if many else items[0]
        body[name] = value
    return body


def _object(model: type[BaseModel], value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise not_as_described(at, "an object")
    return pick(model, value, f"{at}.")


def sound(model: type[BaseModel], body: dict[str, Any]) -> dict[str, Any]:
    """The body, if it fits the model. Raises `VendorError` ("vendor-answer")."""
    try:
        model.model_validate(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise not_as_described(".".join(map(str, first["loc"])), first["msg"].lower()) from None
    return body


def version(*seen: Any) -> str:
    """A digest: days are all that Fiken says of changes."""
    return hashlib.sha256(dumps(seen)).hexdigest()[:20]


def record(kind: Kind, model: type[BaseModel], id: Any, body: dict[str, Any], **more: Any) -> Record:
    """A record of a body, whose version is a digest of all that it says."""
    seen = [value for name, value in sorted(more.items()) if name in ("open_amount", "dispatch") and value is not None]
    return Record(kind, str(id), version(body, *map(str, seen)), sound(model, body), **more)


# --- registers --------------------------------------------------------------------------------------------------------


def customer(row: Row) -> Record:
    """A customer."""
    return record(Kind.CUSTOMER, wire.Customer, row["contactId"], _contact(wire.Customer, row))


def supplier(row: Row) -> Record:
    """A supplier."""
    return record(Kind.SUPPLIER, wire.Supplier, row["contactId"], _contact(wire.Supplier, row))


def _contact(model: type[BaseModel], row: Row) -> dict[str, Any]:
    """What is known of a contact, the country of its address as a code; a name that nobody knows is left out."""
    body = pick(model, row)
    if address := body.get("address"):
        known = {"country": code_of(str(address["country"]))} if address.get("country") else {}
        body["address"] = {**address, **known}
        if known == {"country": None}:
            del body["address"]["country"]
    return body


def product(row: Row) -> Record:
    """A product."""
    return record(Kind.PRODUCT, wire.Product, row["productId"], pick(wire.Product, row))


def project(row: Row) -> Record:
    """A project."""
    return record(Kind.PROJECT, wire.Project, row["projectId"], pick(wire.Project, row))


# --- sales ------------------------------------------------------------------------------------------------------------


def invoice(row: Row) -> Record:
    """An invoice, with what is open of its sale."""
    body = _figures(pick(wire.Invoice, {**row, "lines": lines(row)}), "gross")
    return record(
        Kind.INVOICE, wire.Invoice, row["invoiceId"], body, open_amount=outstanding(row.get("sale")),
        dispatch=dispatch(row), customer=_customer(row),
    )  # fmt: skip


def credit_note(row: Row, invoice: Row | None, before: int = 0) -> Record:
    """A credit note. `invoice`: the one that it credits, as it is now; `before`: the gross of the credit notes that the
    invoice had before this one.
    """
    body = _figures(pick(wire.CreditNote, {**row, "lines": lines(row)}), "gross")
    body["applied"] = 0 if invoice is None else applied(row, invoice, before)
    return record(Kind.CREDIT_NOTE, wire.CreditNote, row["creditNoteId"], body, customer=_customer(row))


def applied(note: Row, invoice: Row, before: int) -> int:
    """How much of a credit note closes its invoice: what is neither paid nor open there, given to its credit notes in
    the order they were made.
    """
    sale = invoice.get("sale") or {}
    closed = int(invoice["gross"]) - paid(sale) - int(_open(sale) or 0)
    return max(0, min(int(note["gross"]), closed - before))


def paid(sale: Row) -> int:
    """What the payments of a sale come to, in its currency."""
    return sum(int(one["amount"]) for one in paying(sale))


def paying(sale: Row) -> Sequence[Row]:
    """The payments of a sale. Raises `VendorError` where they are not shown, and something was paid."""
    rows = sale.get("salePayments")
    if rows is None and sale.get("totalPaid"):
        raise not_as_described("salePayments", "the payments that the total paid is of")
    if not isinstance(rows or [], list) or not all(isinstance(row, Mapping) for row in rows or ()):
        raise not_as_described("salePayments", "a list of payments")
    return rows or ()


def payments(sale: Row, invoice_id: int | None, numbers: Mapping[str, str]) -> list[Record]:
    """The payments of a sale.

    Args:
        invoice_id: its invoice, where it is one of Fiken's.
        numbers: numbers of bank accounts by their codes.
    """
    settles = {"sale": {"saleId": sale["saleId"]}} if invoice_id is None else {"invoice": {"invoiceId": invoice_id}}
    customer = {"customer": sale["customer"]} if sale.get("customer") else {}
    found = []
    for row in paying(sale):
        if type(row.get("paymentId")) is not int:
            raise not_as_described("salePayments[].paymentId", "an id")
        number = numbers.get(str(row.get("account")))
        # In which currency the sale is, a payment in kroner does not say.
        whole = {"currency": sale.get("currency"), **row, **settles, **customer, "bankAccountNumber": number}
        id, body = payment_id(sale["saleId"], row["paymentId"]), pick(wire.Payment, whole)
        found.append(record(Kind.PAYMENT, wire.Payment, id, body, customer=_customer(sale)))
    return found


def payment_id(sale: Any, payment: Any) -> str:
    """The id of a payment's record: it names both, because Fiken shows a payment below its sale only."""
    return f"{sale}/{payment}"


def loss(invoice: Row, credited: int) -> Record:
    """What of an invoice was written off. `credited`: the gross of its credit notes, all of which close it."""
    sale, settles = invoice["sale"], {"invoice": invoice, "customer": invoice.get("customer")}
    return _loss(loss_id(invoice["invoiceId"]), settles, sale, int(invoice["gross"]) - credited)


def loss_of_sale(sale: Row) -> Record:
    """What was written off of a sale that was invoiced elsewhere: it has no credit notes."""
    ending = "" if sale.get("currency") in (None, "NOK") else "InCurrency"
    amounts = [line.get(name + ending) or 0 for line in sale.get("lines") or () for name in ("netPrice", "vat")]
    settles = {"sale": sale, "customer": sale.get("customer")}
    return _loss(f"sale/{loss_id(sale['saleId'])}", settles, sale, sum(amounts))


def _loss(id: str, settles: Row, sale: Row, owed: int) -> Record:
    body = {
        **settles,
        "date": sale.get("settledDate") or sale.get("lastModifiedDate"),
        "amount": owed - paid(sale) - int(_open(sale) or 0),
        "currency": sale.get("currency"),
        "account": LOSS,
    }
    return record(Kind.SETTLEMENT, wire.Settlement, id, pick(wire.Settlement, body), customer=_customer(settles))


LOSS = "7830"
"""Losses on receivables, in every Norwegian chart of accounts."""


def loss_id(invoice: Any) -> str:
    """The id of the record of a loss: Fiken has no row for it."""
    return f"{invoice}/loss"


def dispatch(row: Row) -> Dispatch | None:
    """What Fiken says about having sent an invoice itself; sent by hand counts, too: it is not ours to send."""
    sent = row.get("dispatches") or ()
    if sent:
        how = str(sent[-1].get("dispatchType") or "unknown")
        return Dispatch("sent", None if how == "unknown" else how, how)
    return Dispatch("sent", None, "sentManually") if row.get("sentManually") else None


def outstanding(sale: Any) -> Decimal | None:
    """What is open of a sale, in its currency, where Fiken shows it."""
    if not isinstance(sale, Mapping):
        return None
    found = _open(sale)
    return None if type(found) is not int else Decimal(found) / 100


def _open(sale: Row) -> Any:
    foreign = sale.get("currency") not in (None, "NOK")
    return sale.get("outstandingBalanceInCurrency" if foreign else "outstandingBalance")


def lines(row: Row) -> list[dict[str, Any]]:
    """The lines of an answer, discounts in per cent."""
    found = row.get("lines") or []
    if not isinstance(found, list) or not all(isinstance(line, Mapping) for line in found):
        raise not_as_described("lines", "a list of objects")
    return [{**line, "number": place + 1, **_discount(line, place)} for place, line in enumerate(found)]


def _discount(line: Row, place: int) -> dict[str, Any]:
    """The discount in per cent: Fiken writes per cent, and reads it as such or as a share; the net amount tells."""
    said = line.get("discount")
    if not said:
        return {"discount": None}
    try:
        whole = Decimal(line["unitPrice"]) * Decimal(line["quantity"])
        for percent in (Decimal(said) * 100, Decimal(said)):
            if abs(whole * (1 - percent / 100) - Decimal(line["net"])) <= 1:
                return {"discount": percent.normalize() + 0}
    except (KeyError, ArithmeticError, TypeError):
        pass
    raise not_as_described(f"lines[{place}].discount", "what makes the line's net amount of its price")


def _figures(body: dict[str, Any], total: str) -> dict[str, Any]:
    amounts = [body.get(name) for name in (total, "net", "vat")]
    if all(type(one) is int for one in amounts):
        body["rounding"] = amounts[0] - amounts[1] - amounts[2]  # type: ignore[operator]
    return body


def _customer(row: Row) -> str | None:
    customer = row.get("customer")
    return str(customer["contactId"]) if isinstance(customer, Mapping) and "contactId" in customer else None


# --- purchases --------------------------------------------------------------------------------------------------------


def is_supplier_invoice(row: Row) -> bool:
    """Whether a purchase is an invoice that stands in the books: what was paid at once is none, nor what has no number,
    and what was taken back is there no more.
    """
    named = row.get("identifier") and isinstance(row.get("supplier"), Mapping)
    return row.get("kind") == "supplier" and bool(named) and not row.get("deleted")


def supplier_invoice(row: Row) -> Record:
    """An incoming invoice, or credit note (its amounts are below zero in Fiken)."""
    body = pick(wire.SupplierInvoice, row)
    net, gross = bought(row)
    paid = _payments(row)
    sign = -1 if gross < 0 else 1
    body |= {"amount": sign * gross, "creditNote": gross < 0}
    body.pop("lines", None)
    left: int | None = None
    if row.get("settled"):
        left = 0
    elif paid is not None:
        left = sign * (gross - sum(int(one["amount"]) for one in paid))
    return record(
        Kind.SUPPLIER_INVOICE,
        wire.SupplierInvoice,
        row["purchaseId"],
        body,
        payable=Payable(
            number=body.get("identifier"),
            supplier=str(body["supplier"]["contactId"]),
            net=_kroner(sign * net),
            voucher=str(row.get("transactionId") or row["purchaseId"]),
            open=None if left is None else _kroner(left),
            payments=None if paid is None else tuple(_payment(one, sign) for one in paid),
        ),
    )


INBOX = "inbox/"
"""What the ids of documents in the inbox begin with."""


def inbox_id(document: int) -> str:
    """The id of the record of a document in the inbox: what is booked of it is another record."""
    return f"{INBOX}{document}"


def in_inbox(id: str, said: Row) -> Record:
    """A document in the inbox, with what is known of it: Fiken tells nothing of what it says."""
    body = {**said, "documentId": int(id.removeprefix(INBOX))}
    supplier = (body.get("supplier") or {}).get("contactId")
    payable = Payable(body.get("identifier"), None if supplier is None else str(supplier), passing=True)
    return record(Kind.SUPPLIER_INVOICE, wire.SupplierInvoice, id, body, payable=payable)


def bought(row: Row) -> tuple[int, int]:
    """What a purchase comes to without VAT and with it, in its currency: Fiken shows its lines only."""
    ending = "" if row.get("currency") in (None, "NOK") else "InCurrency"
    found = row.get("lines")
    if not isinstance(found, list) or not all(isinstance(line, Mapping) for line in found):
        raise not_as_described("lines", "a list of objects")
    net, vat = ([line.get(name + ending, 0) for line in found] for name in ("netPrice", "vat"))
    for name, amounts in (("netPrice", net), ("vat", vat)):
        if not all(type(one) is int for one in amounts):
            raise not_as_described(f"lines[].{name}{ending}", "a whole number of øre")
    return sum(net), sum(net) + sum(vat)


def _payments(row: Row) -> list[Row] | None:
    """The payments of a purchase; None where one is in another currency: what it settles of it is not told."""
    rows = row.get("payments") or []
    if not isinstance(rows, list) or not all(type(one.get("paymentId")) is int for one in rows):
        raise not_as_described("payments[].paymentId", "an id")
    currency = row.get("currency") or "NOK"
    return rows if all((one.get("currency") or "NOK") == currency for one in rows) else None


def _payment(row: Row, sign: int) -> Paid:
    return Paid(str(row["paymentId"]), row.get("date"), _kroner(sign * int(row["amount"])))


def _kroner(amount: int) -> Decimal:
    return Decimal(amount) / 100
