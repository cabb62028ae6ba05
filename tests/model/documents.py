"""Any invoice the model can hold, for hypothesis: made from the fields themselves, so a new field joins by itself."""

from __future__ import annotations

import types
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from connector.model import DocumentReference, Draft, Identifier, Invoice, Line, Party, PaymentMeans, Period, Totals

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\n\t"),
    min_size=1,
    max_size=12,
).map(lambda text: text.strip() or "x")
NUMBERS = st.decimals(min_value=-(10**9), max_value=10**9, places=2) | st.decimals(
    min_value=-(10**6), max_value=10**6, allow_nan=False, allow_infinity=False
).filter(lambda number: -20 < number.as_tuple().exponent <= 0)  # type: ignore[operator]
DAYS = st.dates(date(1999, 1, 1), date(2099, 12, 31))
CURRENCIES = st.sampled_from(["NOK", "EUR", "SEK", "JPY", "KWD"])


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return of_type(inner[0])
    if origin in (Union, types.UnionType):
        return st.one_of([of_type(each) for each in inner])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(of_type(inner[0]), max_size=2).map(tuple)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return of_model(kind)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        type(None): st.none(),
        str: TEXTS,
        Decimal: NUMBERS,
        date: DAYS,
        bool: st.booleans(),
        bytes: st.binary(max_size=20),
    }
    return plain[kind]


def of_model(model: type[BaseModel], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects of a model; some fields may be given."""
    if model is Period and not given:
        first = st.builds(Period, start=DAYS, end=st.none() | DAYS)
        return first | st.builds(Period, end=DAYS)
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        if name == "extension":
            fields[name] = st.just(())
        elif name in ("currency", "tax_currency"):
            fields[name] = CURRENCIES
        elif model is DocumentReference and name == "number":
            fields[name] = TEXTS
        else:
            fields[name] = of_type(field.annotation)
    return st.builds(model, **{**fields, **given})


def _carriable(line: Line) -> Line:
    """The line with what EHF cannot do without."""
    items = tuple(i.model_copy(update={"amount": i.amount or Decimal(1)}) for i in line.allowances_charges)
    return line.model_copy(
        update={
            "allowances_charges": items,
            "net": line.net if line.net is not None else Decimal("1.50"),
            "quantity": line.quantity if line.quantity is not None else Decimal(1),
            "price": line.price if line.price is not None else Decimal("0.125"),
            "price_discount": line.price_discount if line.price_discount is not None else Decimal(0),
            "base_quantity": line.base_quantity if line.base_quantity is not None else Decimal(1),
        }
    )


@st.composite
def carriable_invoices(draw: st.DrawFn) -> Invoice:
    """Any invoice that EHF can carry, with whatever else the model holds."""
    invoice: Invoice = draw(
        of_model(
            Invoice,
            number=TEXTS,
            issue_date=DAYS,
            lines=st.lists(of_model(Line).map(_carriable), min_size=1, max_size=3).map(tuple),
            totals=of_model(Totals, tax=NUMBERS),
        )
    )
    items = tuple(i.model_copy(update={"amount": i.amount or Decimal(2)}) for i in invoice.allowances_charges)
    ways = invoice.payment_means or (PaymentMeans(code="30"),)
    return invoice.model_copy(update={"allowances_charges": items, "payment_means": ways})


# Drafts: what somebody could really want to sell ----------------------------------------------------------------------

ORGANISATION = Identifier(value="923609016", scheme="0192")
SELLER = Party.norwegian("923609016", "Fjord Rådgivning AS", in_business_register=True)
BUYER = Party.norwegian("974760673", "Brønnøy Handel AS")
VAT = st.sampled_from(
    [("S", "25"), ("S", "15"), ("S", "12"), ("S", "11.11"), ("S", "25.0"), ("Z", None), ("E", "0"), ("G", None)]
)
MONEY = st.decimals(min_value=0, max_value=100_000, places=2)


@st.composite
def items(draw: st.DrawFn, vat: bool) -> dict[str, Any]:
    """An allowance or charge, by amount or percentage."""
    item: dict[str, Any] = {"is_charge": draw(st.booleans()), "reason": "Avtalt"}
    if draw(st.booleans()):
        item["amount"] = draw(st.decimals(min_value=0, max_value=500, places=2))
    else:
        item["percent"] = draw(st.decimals(min_value=0, max_value=100, places=draw(st.integers(0, 3))))
        if draw(st.booleans()):
            item["base"] = draw(MONEY)
    if vat:
        category, rate = draw(VAT)
        item |= {"vat_category": category, "vat_rate": rate}
    return item


@st.composite
def draft_lines(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A line: prices with many decimals, base quantities, discounts, quantities of any sign."""
    category, rate = draw(VAT)
    line: dict[str, Any] = {
        "id": str(number),
        "name": "Vare",
        "unit_code": "C62",
        "quantity": draw(st.decimals(min_value=-1000, max_value=100_000, places=draw(st.integers(0, 4)))),
        "vat_category": category,
        "vat_rate": rate,
        "allowances_charges": draw(st.lists(items(vat=False), max_size=4)),
    }
    price = draw(st.decimals(min_value=0, max_value=10_000, places=draw(st.integers(0, 7))))
    if draw(st.booleans()):
        line["base_quantity"] = draw(st.sampled_from(["1", "3", "7", "100", "1000", "0.5"]))
    shape = draw(st.sampled_from(["price", "discount", "negative"]))
    if shape == "discount":
        discount = draw(st.decimals(min_value=0, max_value=price, places=draw(st.integers(0, 4))).map(abs))
        line |= {"gross_price": price, "price_discount": min(discount, price)}
    else:
        line["price"] = -price if shape == "negative" else price
    return line


@st.composite
def drafts(draw: st.DrawFn, **given: Any) -> Draft:
    """A draft invoice or credit note; `given` fixes fields."""
    count = draw(st.integers(1, 6))
    fields: dict[str, Any] = {
        "kind": draw(st.sampled_from(["invoice", "credit_note"])),
        "number": "10017",
        "issue_date": "2027-01-15",
        "due_date": "2027-01-29",
        "buyer_reference": "Kari",
        "currency": draw(CURRENCIES),
        "seller": SELLER,
        "buyer": BUYER,
        "lines": [draw(draft_lines(number + 1)) for number in range(count)],
        "allowances_charges": draw(st.lists(items(vat=True), max_size=3)),
        "prices_include_vat": draw(st.booleans()),
        "prepaid": draw(st.none() | MONEY),
        "round_payable_to": draw(st.sampled_from([None, None, "1", "0.05"])),
    }
    return Draft(**{**fields, **given})
