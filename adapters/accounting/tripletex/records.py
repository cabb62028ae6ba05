"""From Tripletex' answers to records: which fields are asked for, and what a record's body holds. No calls."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from adapters.accounting.tripletex import wire
from connector.errors import VendorError
from connector.ports import Kind, Record

Row = Mapping[str, Any]


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, or a list of."""
    for arg in (annotation, *get_args(annotation)):
        if isinstance(arg, type) and issubclass(arg, BaseModel):
            return arg
        if get_origin(arg) in (list, Union, UnionType) and arg is not annotation and (found := _inner(arg)):
            return found
    return None


@cache
def parts(model: type[BaseModel]) -> Mapping[str, type[BaseModel] | None]:
    """The fields of a wire model, with the model that a field holds (or a list of), if any."""
    return {name: _inner(info.annotation) for name, info in model.model_fields.items()}


def fields_of(model: type[BaseModel], *, leave: frozenset[str] = frozenset(), **instead: str) -> str:
    """The `fields` parameter that asks for exactly what a wire model holds; `instead` overrides single ones."""
    names = (name for name in parts(model) if name not in leave)
    return ",".join(instead.get(name) or _asked(name, parts(model)[name]) for name in names)


def _asked(name: str, inner: type[BaseModel] | None) -> str:
    return name if inner is None else f"{name}({fields_of(inner)})"


CUSTOMER_FIELDS = fields_of(wire.Customer)
_LINES = _asked("orderLines", wire.OrderLine)
INVOICE_FIELDS = f"{fields_of(wire.Invoice)},{_LINES},orders({fields_of(wire.Order, leave=frozenset({'orderLines'}))})"
POSTING_FIELDS = (
    "id,version,type,date,amount,amountCurrency,currency(id,code),customer(id),invoiceNumber,description,externalRef,"
    "closeGroup(id),voucher(id,version,number,year)"
)
PAYMENT_ROW = "INCOMING_PAYMENT"
"""Type of the rows in the customer ledger that are payments."""


def pick(model: type[BaseModel], row: Row, at: str = "") -> dict[str, Any]:
    """What the model knows of a row: other fields are left, and so are empty texts. Raises `VendorError`."""
    body: dict[str, Any] = {}
    for name, inner in parts(model).items():
        value = row.get(name)
        if value is None or value == "":
            continue
        if inner is not None:
            place = f"{at}{name}"
            if isinstance(value, list):
                value = [_object(inner, item, f"{place}[{number}]") for number, item in enumerate(value)]
            else:
                value = _object(inner, value, place)
        body[name] = value
    return body


def _object(model: type[BaseModel], value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise not_as_described(at, "an object")
    return pick(model, value, f"{at}.")


def not_as_described(field: str, wanted: str, call: str | None = None) -> VendorError:
    """An answer (to `call`) that is not what Tripletex' own description says."""
    return VendorError(
        f"Tripletex' answer is not as its description says: {field} should be {wanted}.",
        code="vendor-answer",
        do="Try again later; if it stays so, see whether Tripletex has changed its API.",
        where={"field": field, **({"call": call} if call else {})},
    )


def _sound(model: type[BaseModel], body: dict[str, Any]) -> dict[str, Any]:
    try:
        model.model_validate(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise not_as_described(".".join(map(str, first["loc"])), first["msg"].lower()) from None
    return body


def customer(row: Row) -> Record:
    """A customer as read."""
    body = _sound(wire.Customer, pick(wire.Customer, row))
    return Record(Kind.CUSTOMER, str(row["id"]), str(row.get("version", 0)), body)


def invoice_version(row: Row) -> str:
    """Differs whenever what may change of an invoice does, also where a payment leaves `version` as it was."""
    open_amount = row.get("amountCurrencyOutstanding", row.get("amountOutstanding"))
    return f"{row.get('version', 0)}/{open_amount}/{'credited' if row.get('isCredited') else ''}"


VERSION_FIELDS = "id,version,amountCurrencyOutstanding,isCredited"
"""What `invoice_version` needs."""


def invoice(row: Row) -> Record:
    """An invoice as read, with the order it was made from; its lines are those on the invoice."""
    orders = row.get("orders") or ()
    if not isinstance(orders, list | tuple) or not all(isinstance(order, Mapping) for order in orders):
        raise not_as_described("orders", "a list of objects")
    order: Row = orders[0] if orders else {}
    lines = row.get("orderLines") or order.get("orderLines") or []
    body = {
        "order": pick(wire.Order, {"customer": row.get("customer"), **order, "orderLines": lines}, "order."),
        "invoice": pick(wire.Invoice, row, "invoice."),
    }
    return Record(Kind.INVOICE, str(row["id"]), invoice_version(row), _sound(wire.InvoiceRecord, body))


def payment(row: Row, invoice_id: int | None) -> Record:
    """A payment from its row in the customer ledger, where money received has a minus."""
    amounts = {name: row.get(name) for name in ("amount", "amountCurrency")}
    for name, value in amounts.items():
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            if name == "amountCurrency" and value is None:
                continue
            raise not_as_described(f"posting.{name}", "a number")
        amounts[name] = -value
    number = str(row.get("invoiceNumber") or "")
    settled = {"id": invoice_id, **({"invoiceNumber": int(number)} if number.isdigit() else {})}
    body = pick(
        wire.PaymentRecord,
        {
            **amounts,
            "invoice": settled if invoice_id is not None else None,
            "customer": row.get("customer"),
            "paymentDate": row.get("date"),
            "currency": row.get("currency"),
            "posting": row,
        },
    )
    return Record(Kind.PAYMENT, str(row["id"]), str(row.get("version", 0)), _sound(wire.PaymentRecord, body))


def voucher_text(voucher: Mapping[str, Any] | None) -> str | None:
    """A voucher as bookkeepers write it, `2027/1043`; None while it has no number."""
    if not voucher or not voucher.get("number") or not voucher.get("year"):
        return None
    return f"{voucher['year']}/{voucher['number']}"
