"""A small system of our own making to map to, and documents and records of any shape for the laws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path as FilePath
from textwrap import indent
from typing import Any, Literal, cast

import pytest
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from connector.mapping import reading
from connector.mapping.bound import BoundShape
from connector.mapping.layers import Layer
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.load import Plugins, build
from connector.mapping.paths import Path, Slot, Step
from connector.mapping.problems import Problem
from connector.ports import Kind


class Ref(BaseModel):
    id: int | None = None


class ToyTag(BaseModel):
    key: str | None = None
    value: str | None = None


class ToyLine(BaseModel):
    text: str | None = None
    count: Decimal | None = None
    priceInOre: int | None = None
    code: str | None = None
    first: str | None = None
    last: str | None = None
    tags: list[ToyTag] = []


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
    tags: list[ToyTag] = []


class Settings(BaseModel, extra="forbid"):
    base_url: str = "http://127.0.0.1"
    pages: int = 1


class Secrets(BaseModel, extra="forbid"):
    token: SecretStr


class Toy:
    """As much of a plugin as mapping looks at."""

    name = "toy"
    title = "Toy"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
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


_ACME = """\
layer: tenant
tenant: acme
title: Acme AS
start: 2027-01-01
connections:
  books:
    system: {system}
    secrets: {secrets}
    mapping:
{mapping}
routes: {routes}
"""
_SECRETS = {"tripletex": "{consumer_token: env:A, employee_token: env:B}", "toy": "{token: env:TOKEN}"}


@pytest.fixture(scope="session")
def acme() -> Callable[..., str]:
    """The file of a tenant with one connection, `books`, and what it says of its mapping from line 10 on."""

    def file(mapping: str, *, system: str = "tripletex", routes: str = "{}") -> str:
        lines = indent(mapping.strip("\n"), " " * 6)
        return _ACME.format(system=system, secrets=_SECRETS[system], mapping=lines, routes=routes)

    return file


@pytest.fixture
def good() -> str:
    return GOOD


Built = tuple[SystemMapping | None, list[Problem]]


@pytest.fixture
def built(tmp_path: FilePath) -> Callable[..., Built]:
    """Builds the mapping of a file's text (default: the good one with pieces replaced)."""

    def make(*changes: tuple[str, str], text: str = GOOD) -> Built:
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "toy.yaml"
        path.write_text(text, encoding="utf-8")
        found, problems = reading.mapping_file(path)
        if found is None or found.damaged:
            return None, problems
        return build("toy", [Layer("system", found.content, found.source)], cast(Plugins, {"toy": Toy()}))

    return make


@pytest.fixture
def folder(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> FilePath:
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


def value_of(slot: Slot, *, vendor: bool) -> st.SearchStrategy[Any]:
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
        case _:
            return TEXT


def in_shape(
    shape: BoundShape, *, vendor: bool, special: Mapping[str, st.SearchStrategy[Any]], where: str = ""
) -> st.SearchStrategy[dict[str, Any]]:
    """Plain data with every field that the lines of a shape carry; `special` names strategies by path.

    A field of a record may be missing or null; of a document (`model_dump()`) all are there, and may be None.
    """
    leaves: dict[Path, st.SearchStrategy[Any]] = {}
    for line in shape.lines:
        for place in line.theirs if vendor else line.ours:
            name = where + ".".join(step.name for step in place.path)
            if name in special:
                leaves[place.path] = special[name]
            elif line.each is not None:
                items = st.lists(in_shape(line.each, vendor=vendor, special=special, where=f"{name}."), max_size=3)
                leaves[place.path] = items if vendor else items.map(tuple)
            else:
                made = value_of(place.slot, vendor=vendor)
                leaves[place.path] = st.none() | made if place.slot.nullable else made
        for path in line.otherwise.paths if line.otherwise and not vendor else ():
            name = where + ".".join(step.name for step in path)
            leaves.setdefault(path, special.get(name, st.none() | TEXT))
    return _object(leaves, vendor=vendor)


def _object(leaves: Mapping[Path, st.SearchStrategy[Any]], *, vendor: bool) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, Any] = {}
    below: dict[Step, dict[Path, st.SearchStrategy[Any]]] = {}
    for path, made in leaves.items():
        if len(path) > 1:
            below.setdefault(path[0], {})[path[1:]] = made
        elif path[0].pick is None:
            fields[path[0].name] = made
        else:
            fields[path[0].name] = st.lists(made.filter(lambda value: value is not None), max_size=1).map(tuple)
    for step, inner in below.items():
        made = _object(inner, vendor=vendor)
        if step.pick is None:
            fields.setdefault(step.name, st.none() | made)
        else:
            fields[step.name] = st.lists(made, max_size=1) if vendor else st.lists(made, max_size=1).map(tuple)
    return st.fixed_dictionaries({}, optional=fields) if vendor else st.fixed_dictionaries(fields)


@pytest.fixture(scope="session")
def any_of() -> Callable[..., st.SearchStrategy[dict[str, Any]]]:
    return in_shape
