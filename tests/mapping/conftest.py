"""A small system of our own making to map to, and documents and records of any shape for the laws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from connector.mapping import reading
from connector.mapping.layers import Layer
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.load import build
from connector.mapping.paths import Slot, slots
from connector.mapping.problems import Problem
from connector.ports import Kind


class Ref(BaseModel):
    id: int | None = None


class ToyLine(BaseModel):
    text: str | None = None
    count: Decimal | None = None
    priceInOre: int | None = None
    code: str | None = None


class ToyInvoice(BaseModel):
    id: int | None = Field(default=None, json_schema_extra={"readOnly": True})
    day: date
    dueDay: str | None = None
    number: int | None = None
    customer: Ref | None = None
    comment: str | None = None
    state: Literal["OPEN", "CLOSED"] | None = None
    urgent: bool | None = None
    references: list[Ref] = []
    lines: list[ToyLine] = []


class Settings(BaseModel, extra="forbid"):
    base_url: str = "http://127.0.0.1"
    pages: int = 1


class Secrets(BaseModel, extra="forbid"):
    token: SecretStr


class Toy:
    """A plugin as an entry point names it; `open` is not for mapping."""

    name = "toy"
    title = "Toy"
    settings = Settings
    secrets = Secrets
    wire: Mapping[Kind, type[BaseModel]] = {Kind.INVOICE: ToyInvoice}


HEAD = """\
layer: system
system: toy
"""
LOST = """\
    loses: {%s}
""" % ", ".join(  # noqa: UP031
    f"{name}: ''"
    for name in [
        "kind",
        "type_code",
        "direction",
        "customization",
        "profile",
        "source_id",
        "tax_point_date",
        "tax_point_code",
        "tax_currency",
        "accounting_cost",
        "period",
        "order_reference",
        "sales_order_reference",
        "preceding_invoices",
        "despatch_reference",
        "receipt_reference",
        "tender_reference",
        "contract_reference",
        "project_reference",
        "invoiced_object",
        "attachments",
        "seller",
        "customer_id",
        "payee",
        "tax_representative",
        "delivery",
        "payment_means",
        "payment_terms",
        "allowances_charges",
        "vat_breakdown",
        "totals",
        "dimensions",
        "extension",
    ]
)
LINE_LOST = ", ".join(
    f"{name}: ''"
    for name in [
        "id",
        "note",
        "object_id",
        "unit_code",
        "net",
        "order_line",
        "accounting_cost",
        "period",
        "allowances_charges",
        "price_discount",
        "gross_price",
        "base_quantity",
        "base_quantity_unit",
        "vat_exemption_reason",
        "vat_exemption_code",
        "description",
        "seller_item_id",
        "buyer_item_id",
        "standard_item_id",
        "classifications",
        "origin_country",
        "attributes",
        "source_id",
        "dimensions",
        "extension",
    ]
)
GOOD = (
    HEAD
    + """\
tables:
  codes:
    rows: {"3": high, "31": middle, "5": zero}
  by-rate:
    rows:
      - {ours: [S, 25], theirs: "3"}
      - {ours: [S, 15], theirs: "31"}
      - {ours: [Z, 0], theirs: "5"}
kinds:
  invoice:
    fields:
      issue_date: day
      due_date: {theirs: dueDay, date: DD.MM.YYYY}
      number: {theirs: number, digits: true}
      buyer: {theirs: customer.id, link: customer}
      notes: {theirs: comment, join: " / "}
      currency: {constant: NOK, only: in}
      open: {theirs: state, constant: OPEN, on: create}
      buyer_reference: {theirs: "references[only].id", digits: true}
      lines:
        theirs: lines
        each:
          fields:
            name: text
            quantity: {theirs: count, default: 1}
            price: {theirs: priceInOre, minor_units: 2}
            vat_code: {theirs: code, table: codes, otherwise: {ours: [vat_category, vat_rate], table: by-rate}}
            vat: {ours: [vat_category, vat_rate], theirs: code, table: [by-rate, codes], only: in}
"""
    + f"          loses: {{{LINE_LOST}}}\n"
    + LOST
)


class Links:
    """Links that are known: our customer "c-7" is the vendor's 7, and so on, for every number."""

    def vendor_id(self, kind: str, ours: Any) -> str:
        return str(ours["name"]).removeprefix("c-") if isinstance(ours, Mapping) else str(ours).removeprefix("c-")

    def our_id(self, kind: str, vendor_id: str) -> Any:
        return {"name": f"c-{vendor_id}"}


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def links() -> Links:
    return Links()


@pytest.fixture
def good() -> str:
    return GOOD


Built = tuple[SystemMapping | None, list[Problem]]


@pytest.fixture
def built(tmp_path: Path) -> Callable[..., Built]:
    """Builds the mapping of a file's text (default: the good one with pieces replaced)."""

    def make(*changes: tuple[str, str], text: str = GOOD) -> Built:
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "toy.yaml"
        path.write_text(text, encoding="utf-8")
        found, problems = reading.mapping_file(path)
        if found is None:
            return None, problems
        return build("toy", [Layer("system", found.content, found.source)], {"toy": Toy()})

    return make


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mappings folder with the good system in it, which the house uses."""
    for name in ("systems", "offices", "tenants"):
        (tmp_path / "mappings" / name).mkdir(parents=True)
    (tmp_path / "mappings" / "systems" / "toy.yaml").write_text(GOOD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONNECTOR_MAPPINGS", raising=False)
    return tmp_path / "mappings"


# --- documents and records of any shape -------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
NUMBER = st.decimals(min_value=-(10**6), max_value=10**6, places=2, allow_nan=False)
DAY = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def value_of(slot: Slot, *, vendor: bool, special: Mapping[str, Any], where: str) -> st.SearchStrategy[Any]:
    if slot.choices:
        return st.sampled_from(sorted(slot.choices, key=str))
    match slot.form:
        case "integer":
            return st.integers(0, 10**6)
        case "number":
            return NUMBER | st.integers(-999, 999) if vendor else NUMBER
        case "boolean":
            return st.booleans()
        case "date":
            return DAY.map(date.isoformat) if vendor else DAY
        case "object":
            assert slot.model is not None
            return objects(slot.model, vendor=vendor, special=special, where=f"{where}.")
        case "list":
            inner = Slot(slot.item or "any", model=slot.model)
            items = st.lists(value_of(inner, vendor=vendor, special=special, where=where), max_size=3)
            return items if vendor else items.map(tuple)
        case _:
            return TEXT


def objects(
    model: type[BaseModel], *, vendor: bool, special: Mapping[str, Any], where: str = "", depth: int = 0
) -> st.SearchStrategy[dict[str, Any]]:
    """Plain data in the shape of a model. `special` names strategies by path; None there leaves the field out.

    An optional field may be missing or None; of ours a required one is always there.
    """
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for name, slot in slots(model).items():
        path = f"{where}{name}"
        if path in special and special[path] is None:
            continue
        made = special[path] if path in special else value_of(slot, vendor=vendor, special=special, where=path)
        if slot.nullable and path not in special:
            made = st.none() | made
        (required if slot.required else optional)[name] = made
    return st.fixed_dictionaries(required, optional=optional)


@pytest.fixture(scope="session")
def any_object() -> Callable[..., st.SearchStrategy[dict[str, Any]]]:
    return objects
