"""From Tripletex' answers to records: which fields are asked for, and what a record's body holds. No calls."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from adapters.accounting.tripletex import changes, wire
from connector.errors import VendorError
from connector.model.money import round2
from connector.ports import Dispatch, Kind, Record

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


CUSTOMER_FIELDS = f"{fields_of(wire.Customer)},{changes.FIELD}"
_LINES = _asked("orderLines", wire.OrderLine)
INVOICE_FIELDS = f"{fields_of(wire.Invoice)},{_LINES},orders({fields_of(wire.Order, leave=frozenset({'orderLines'}))})"
POSTING_FIELDS = (
    "id,version,type,date,amount,amountCurrency,currency(id,code),customer(id),invoiceNumber,description,externalRef,"
    "closeGroup(id),voucher(id,version,number,year)"
)
PAYMENT_ROW = "INCOMING_PAYMENT"
"""Type of the rows in the customer ledger that are payments."""
INVOICE_ROW = "OUTGOING_INVOICE_CUSTOMER_POSTING"
"""Type of the rows that are an invoice or credit note."""


def pick(model: type[BaseModel], row: Row, at: str = "", *, empties: bool = False) -> dict[str, Any]:
    """What the model knows of a row: other fields are left, and so are empty texts (`empties`: they become None, which
    says that nothing is there). Raises `VendorError`.
    """
    body: dict[str, Any] = {}
    for name, inner in parts(model).items():
        value = row.get(name)
        if value is None or value == "":
            if empties and value == "":
                body[name] = None
            continue
        if inner is not None:
            place = f"{at}{name}"
            if isinstance(value, list):
                value = [_object(inner, item, f"{place}[{number}]", empties) for number, item in enumerate(value)]
            else:
                value = _object(inner, value, place, empties)
        body[name] = value
    return body


def _object(model: type[BaseModel], value: Any, at: str, empties: bool) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise not_as_described(at, "an object")
    return pick(model, value, f"{at}.", empties=empties)


def not_as_described(field: str, wanted: str, call: str | None = None) -> VendorError:
    """An answer (to `call`) that is not what Tripletex' own description says."""
    return VendorError(
        f"Tripletex' answer is not as its description says: {field} should be {wanted}.",
        code="vendor-answer",
        do="Try again later; if it stays so, see whether Tripletex has changed its API.",
        where={"field": field, **({"call": call} if call else {})},
    )


def sound(model: type[BaseModel], body: dict[str, Any]) -> dict[str, Any]:
    """The body, if it fits the model. Raises `VendorError` ("vendor-answer")."""
    try:
        model.model_validate(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        raise not_as_described(".".join(map(str, first["loc"])), first["msg"].lower()) from None
    return body


def customer(row: Row) -> Record:
    """A customer as read."""
    body = sound(wire.Customer, pick(wire.Customer, row, empties=True))
    return Record(Kind.CUSTOMER, str(row["id"]), str(row.get("version", 0)), body, changed=changes.last(row))


_OF_REGISTER: Mapping[Kind, type[BaseModel]] = {
    Kind.PRODUCT: wire.Product,
    Kind.DEPARTMENT: wire.Department,
    Kind.PROJECT: wire.Project,
    Kind.DIMENSION: wire.DimensionValue,
}


def of_register(kind: Kind, row: Row) -> Record:
    """A product, department, project or value of a free dimension as read."""
    model = _OF_REGISTER[kind]
    return Record(kind, str(row["id"]), str(row.get("version", 0)), sound(model, pick(model, row, empties=True)))


def invoice_version(row: Row) -> str:
    """Differs whenever what may change of an invoice does, also where a payment leaves `version` as it was."""
    open_amount = row.get("amountCurrencyOutstanding", row.get("amountOutstanding"))
    sent = row.get("ehfSendStatus") if dispatch(row) else None
    return f"{row.get('version', 0)}/{open_amount}/{'credited' if row.get('isCredited') else ''}" + (
        f"/{sent}" if sent else ""
    )


_SENT = ("SENT", "SEND")
_FAILED = "SEND_FAILURE"


def dispatch(row: Row) -> Dispatch | None:
    """What Tripletex says about having sent an invoice as EHF itself; `SEND` is on its way and not ours to send.

    The vendor calls the field deprecated: that it says nothing proves nothing.
    """
    said = str(row.get("ehfSendStatus") or "")
    if said in _SENT:
        return Dispatch("sent", "ehf", said)
    return Dispatch("failed", "ehf", said) if said.startswith(_FAILED) else None


VERSION_FIELDS = "id,version,amountCurrencyOutstanding,isCredited,ehfSendStatus"
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
    still = row.get("amountCurrencyOutstanding", row.get("amountOutstanding"))
    shown = Decimal(still) if isinstance(still, int | Decimal) else None
    body = sound(wire.InvoiceRecord, body)
    return Record(Kind.INVOICE, str(row["id"]), invoice_version(row), body, dispatch(row), shown)


CLOSINGS = "postings(id,type,closeGroup(id,postings(id,invoiceNumber)))"
CLOSING_FIELDS = f"id,invoiceNumber,creditedInvoice,{CLOSINGS}"
"""What tells against which invoices a credit note was matched."""


def _own(row: Row) -> list[Row]:
    return [one for one in row.get("postings") or () if one.get("type") == INVOICE_ROW]


def closed_with(row: Row) -> set[str] | None:
    """Numbers of the invoices whose rows the credit note's own row is closed against; None where its row is not among
    its rows (what is paid out of it may be): then it stands on the invoice it credits.
    """
    rows = _own(row)
    if not rows:
        return None
    groups = [group for one in rows if isinstance(group := one.get("closeGroup"), Mapping)]
    return {str(one.get("invoiceNumber")) for group in groups for one in group.get("postings") or ()}


def group_of(row: Row) -> str | None:
    """The close group of a credit note's own row."""
    return next((group for one in _own(row) if (group := _match(one))), None)


def credit_note(row: Row, credited_number: int | None, matched: set[str] | None, group: str | None = None) -> Record:
    """A credit note as read: Tripletex' amounts below zero become positive.

    One over a whole invoice shows the lines of that invoice, with their quantities above zero; one over a part shows
    the lines of its own order, below zero: by the sign of their sum they are told apart.

    Args:
        credited_number: number of the invoice it credits, where it is known.
        matched: as `closed_with` says; only asked for where something of it is no longer open.
        group: as `group_of` says.
    """
    plain = invoice(row)
    head = {name: _turned(name, value) for name, value in plain.body["invoice"].items()}
    lines = plain.body["order"].get("orderLines") or []
    order = {**plain.body["order"]}
    if sum(Decimal(line.get("amountExcludingVatCurrency") or 0) for line in lines) < 0:
        lines = [{name: _turned(name, value) for name, value in line.items()} for line in lines]
    else:  # the order is the invoice's, and so is its comment
        order.pop("invoiceComment", None)
        if comment := head.get("comment"):
            order["invoiceComment"] = comment
    credited = row.get("creditedInvoice")
    body: dict[str, Any] = {"order": {**order, "orderLines": lines}, "invoice": head}
    gross, still = head.get("amountCurrency"), head.get("amountCurrencyOutstanding")
    if gross is not None and still is not None:  # rights may hide them: then it is unknown
        here = matched is None or (credited_number is not None and str(credited_number) in matched)
        # A row is matched whole or not at all; less may be open because of what was paid out of it.
        body["applied"] = gross if here and still != gross else Decimal(0)
    if credited:
        number = {} if credited_number is None else {"invoiceNumber": credited_number}
        body["credits"] = {"id": credited, **number}
    version = f"{plain.version}/{group}" if group else plain.version
    body = sound(wire.CreditNoteRecord, body)
    return Record(Kind.CREDIT_NOTE, plain.id, version, body, plain.dispatch, match=group)


_SIGNED = ("amount", "count")


def _turned(name: str, value: Any) -> Any:
    """Amounts and quantities with the other sign; everything else as it is."""
    return -value if name.startswith(_SIGNED) and isinstance(value, int | Decimal) else value


def _amounts(row: Row, sign: int) -> dict[str, Any]:
    amounts = {name: row.get(name) for name in ("amount", "amountCurrency")}
    for name, value in amounts.items():
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            if name == "amountCurrency" and value is None:
                continue
            raise not_as_described(f"posting.{name}", "a number")
        amounts[name] = sign * value
    return amounts


def _match(row: Row) -> str | None:
    group = row.get("closeGroup")
    return str(group["id"]) if isinstance(group, Mapping) and "id" in group else None


def _customer(row: Row) -> str | None:
    customer = row.get("customer")
    return str(customer["id"]) if isinstance(customer, Mapping) and "id" in customer else None


def row_version(row: Row) -> str:
    """Differs also where a row is matched or not any more, whatever that does to its version."""
    return f"{row.get('version', 0)}/{_match(row) or ''}"


def payment(
    row: Row,
    invoice_id: int | None,
    *,
    refund: bool = False,
    credit_note: int | None = None,
    settles: int | None = None,
) -> Record:
    """A payment from its row in the customer ledger: money received has a minus there, a refund has none.

    Args:
        invoice_id: the invoice of the register that it settles.
        credit_note: the id of the one that a refund pays out.
        settles: the row of the invoice that it settles, where that was booked as a voucher.
    """
    amounts = _amounts(row, 1 if refund else -1)
    kept = [] if refund else deductions(row)
    if kept and _foreign(row):
        amounts["amount"] -= sum((kroner for _, kroner, _ in kept), Decimal(0))
    number = str(row.get("invoiceNumber") or "")
    settled = {"id": invoice_id, **({"invoiceNumber": int(number)} if number.isdigit() else {})}
    body = pick(
        wire.PaymentRecord,
        {
            **amounts,
            "invoice": settled if invoice_id is not None else None,
            "customer": row.get("customer"),
            "settles": None if settles is None else {"id": settles},
            "isRefund": True if refund else None,
            "creditNote": None if credit_note is None else {"id": credit_note},
            "paymentDate": row.get("date"),
            "currency": row.get("currency"),
            "deductions": [{"account": account, "amount": value} for account, _, value in kept] or None,
            "posting": row,
        },
    )
    body = sound(wire.PaymentRecord, body)
    return Record(Kind.PAYMENT, str(row["id"]), row_version(row), body, match=_match(row), customer=_customer(row))


def settlement(row: Row, account: str, invoice_id: int | None) -> Record:
    """What closes a balance without money, from its row in the customer ledger. `account`: what is against it."""
    body = pick(
        wire.SettlementRecord,
        {
            **_amounts(row, -1),
            "account": {"number": account},
            "invoice": None if invoice_id is None else {"id": invoice_id},
            "customer": row.get("customer"),
            "date": row.get("date"),
            "currency": row.get("currency"),
            "matched": _match(row) is not None,
            "posting": row,
        },
    )
    body = sound(wire.SettlementRecord, body)
    return Record(Kind.SETTLEMENT, str(row["id"]), row_version(row), body, match=_match(row), customer=_customer(row))


def _foreign(row: Row) -> bool:
    return (row.get("currency") or {}).get("code") not in (None, "NOK")


def deductions(row: Row) -> list[tuple[str, Decimal, Decimal]]:
    """What was kept of a payment: account, kroner, and the amount in the payment's currency. Nothing where the rows
    beside it are not known, or where the voucher holds anything but this payment, bank and costs.
    """
    beside = (row.get("voucher") or {}).get("postings") or ()
    others = [one for one in beside if isinstance(one, Mapping) and one.get("id") != row.get("id")]
    bank, kept = Decimal(0), []
    for one in others:
        account, kroner = one.get("account") or {}, one.get("amount")
        if not isinstance(kroner, int | Decimal) or one.get("customer") or "isBankAccount" not in account:
            return []
        if not one.get("amountCurrency", kroner):  # agio, in kroner only
            return []
        if account["isBankAccount"]:
            bank += kroner
        elif kroner > 0:
            kept.append((str(account.get("number")), Decimal(kroner), one))
        elif kroner < 0:
            return []
    whole = -Decimal(row["amount"])
    if not kept or bank <= 0 or bank + sum((kroner for _, kroner, _ in kept), Decimal(0)) != whole:
        return []
    if not _foreign(row):
        return [(account, kroner, kroner) for account, kroner, _ in kept]
    settled, currency = -Decimal(row["amountCurrency"]), (row.get("currency") or {}).get("code")
    return [
        (
            account,
            kroner,
            Decimal(one["amountCurrency"])
            if (one.get("currency") or {}).get("code") == currency and one.get("amountCurrency") is not None
            else round2(kroner * settled / whole),
        )
        for account, kroner, one in kept
    ]


def reversal(row: Row, reverses: int) -> Record:
    """A row in the customer ledger that takes another back."""
    body = pick(wire.ReversalRecord, {"reverses": {"id": reverses}, "date": row.get("date"), "posting": row})
    body = sound(wire.ReversalRecord, body)
    return Record(Kind.REVERSAL, str(row["id"]), row_version(row), body, match=_match(row), customer=_customer(row))


def voucher_facts(voucher: Mapping[str, Any]) -> dict[str, Any]:
    """What a link keeps of a voucher: number, series (its type) and period (the month it is dated in)."""
    kind = voucher.get("voucherType")
    facts = {
        "voucher": voucher_text(voucher),
        "series": kind.get("name") if isinstance(kind, Mapping) else None,
        "period": str(voucher["date"])[:7] if voucher.get("date") else None,
    }
    return {name: value for name, value in facts.items() if value}


def voucher_text(voucher: Mapping[str, Any] | None) -> str | None:
    """A voucher as bookkeepers write it, `2027/1043`; None while it has no number."""
    if not voucher or not voucher.get("number") or not voucher.get("year"):
        return None
    return f"{voucher['year']}/{voucher['number']}"
