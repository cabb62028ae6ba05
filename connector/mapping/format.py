"""The format of mapping files and tenant files, as pydantic models: what may stand where, and what it means.

The schemas in `schemas/` (`mapping`, `shared` and `tenant.schema.json`) are made from these models (`python -m
connector.mapping` writes them, a test keeps them current), so editors complete and mark what is written here.
"""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connector.mapping.parts import (
    CODE,
    SHORT,
    TEXT,
    Codes,
    Json,
    Name,
    Once,
    Part,
    Scalar,
    Short,
    Test,
    Texts,
    When,
    many,
    once,
    shorter,
)
from connector.mapping.rules import DimensionRule, Matching
from connector.model.identifiers import OrganisationNumber

# --- lines ------------------------------------------------------------------------------------------------------------


class Otherwise(Part):
    """Where our value is found when the document does not state it."""

    ours: Once
    """Path, or paths, of what it follows from."""
    table: str | None = None
    """Table that turns those into our value."""


class Line(Short):
    """One pair of fields and how the value goes between them, in both directions."""

    theirs: Once | None = None
    """Path in the vendor's record; several are joined into one of ours. The short form of a line is this alone."""
    ours: Once | None = None
    """Path in our document; the line's own name where it is left out. Several make one of theirs."""
    table: Texts | None = None
    """Table that translates the values; of several each takes up where the one before ends, from ours to theirs."""
    link: str | None = None
    """Kind of record the vendor's id stands for: customer, department …"""
    minor_units: Annotated[int, Field(ge=1, le=4)] | None = None
    """The vendor counts in the smallest unit: so many decimals (2: øre)."""
    date: str | None = None
    """How the vendor writes the day: `iso` (2027-01-15), or a pattern of YYYY, MM and DD such as DD.MM.YYYY."""
    digits: Literal[True] | None = None
    """Our text of digits is the vendor's whole number; one that would lose its leading zeros is a stop."""
    join: str | None = None
    """Separator between several of our values in the vendor's one text (or the other way round)."""
    lens: str | None = None
    """A lens of your own, by the name of its plugin."""
    constant: Scalar | None = None
    """Always this value."""
    default: Scalar | None = None
    """Our value where the document has none (before the line's table, if any)."""
    otherwise: Otherwise | None = None
    """Where our value comes from when the document does not state it."""
    each: Shape | None = None
    """Lines for the items of a list."""
    when: When | None = None
    """When the line applies."""
    only: Literal["in", "out"] | None = None
    """One way: `out` writes to the vendor, `in` reads from it."""
    on: Literal["create"] | None = None
    """Written when the record is made, never changed afterwards."""
    owner: Literal["ours", "theirs", "ask"] | None = None
    """Who wins when both sides have changed it."""
    note: str | None = None
    """Why the line is as it is, for people."""

    @classmethod
    def short(cls) -> tuple[str, Json]:
        """A path or list of paths: `theirs`."""
        return "theirs", {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}


class Refusal(Part):
    """What this system cannot express: it stops the document instead of losing something silently."""

    when: When
    """When it stops."""
    says: str
    """What is wrong, for a person."""
    do: str = ""
    """What helps."""
    says_nb: str = ""
    """`says` in Norwegian, where `says` is English: reports in Norwegian say it."""
    do_nb: str = ""
    """`do` in Norwegian."""


class Shape(Part):
    """Lines, refusals and losses of an object or of a list's items."""

    fields: dict[str, Line | None] = {}
    """Lines by name; the name is our path unless `ours` says otherwise. null takes away a line of the layer below."""
    refuse: dict[str, Refusal | None] = {}
    """What is refused, by name. null takes it away."""
    loses: dict[str, str | None] = {}
    """Our paths (with all below them) that this system does not carry, and why."""
    dimensions: dict[str, DimensionRule | None] = {}
    """What is derived, required and forbidden among dimensions, by name. null takes a rule away."""


class Linked(Part):
    """A link an example takes for granted."""

    kind: str
    """Kind of record."""
    ours: Any
    """Our value: text, or some fields of an object."""
    theirs: Scalar
    """The vendor's id."""


class Example(Part):
    """A document and the record it becomes: a test that `connector mappings test` runs."""

    name: str
    """What it shows."""
    kind: str
    """Kind of document."""
    ours: Any
    """Our document, as far as it matters here."""
    theirs: Any = None
    """The vendor's record."""
    links: list[Linked] = []
    """Links it takes for granted."""
    only: Literal["in", "out"] | None = None
    """Only this direction is tried."""
    stops: str | None = None
    """Instead of becoming a record it stops, with this error code."""


class KindSpec(Shape):
    """How one kind of document is mapped."""

    owner: Literal["ours", "theirs", "ask"] | None = None
    """Who wins where a line does not say; `ask` unless said."""
    amendable: Annotated[list[str], AfterValidator(once)] | None = None
    """Our paths that may still change once the document is issued."""
    creates: Literal["always", "needed", "never"] | None = None
    """Whether records of a register are made there: `needed` (unless said) when a program posts one or a document
    refers to it; `always` also when another system has a new one; `never`: they are only found."""
    deactivated: Literal["follow", "ask", "ignore"] | None = None
    """What closing a record there means here: `follow` (unless said), `ask` a person, `ignore`."""
    deleted: Literal["follow", "ask", "ignore"] | None = None
    """What deleting a record there means here: `follow` closes it here, `ask` (unless said) asks a person, `ignore`
    forgets that it was there."""
    deleted_at_most: Annotated[Decimal, Field(ge=0, le=100)] | None = None
    """Per cent of a register that may be gone at once (5 unless said; one record always may): more is not believed."""
    changed_at_most: Annotated[Decimal, Field(ge=0, le=100)] | None = None
    """Per cent of what is linked that may change there at once (no limit unless said; one record always may): more is
    not taken over before a person says that it is meant."""
    matching: dict[str, Matching | None] = {}
    """What tells, when filled books are joined, that two records are the same; by name. null takes a rule away."""


class Row(Part):
    """A row of a table with composite keys, or one that goes one way."""

    ours: Codes
    """Our value or values; null where there is none."""
    theirs: Codes | None = None
    """The vendor's value or values; left out, the row of the layer below is taken away."""
    only: Literal["in", "out"] | None = None
    """Direction of the row, where both ways would be ambiguous."""


def _rows(given: Any) -> Any:
    """The short form, a mapping of our codes to theirs, as rows."""
    if isinstance(given, dict):
        return [{"ours": key, "theirs": value} for key, value in given.items()]
    return given


class Table(Part):
    """Codes of ours and codes of theirs."""

    title: str | None = None
    """What it translates."""
    only: Literal["in", "out"] | None = None
    """One way; both ways, no value may stand twice on either side."""
    rows: Annotated[list[Row], BeforeValidator(_rows), shorter({"type": "object", "additionalProperties": CODE})] = []
    """Our code: their code. As a list of rows where keys have several parts."""


class Content(Part):
    """What a layer says of one system: tables and kinds. An upper layer says only what differs from the one below."""

    tables: dict[str, Table | None] = {}
    """Tables by name."""
    kinds: dict[str, KindSpec | None] = {}
    """Kinds of documents by name: customer, invoice, payment …"""


class MappingFile(Content):
    """A system as shipped (`layer: system`), or an office's standard for it (`layer: office`)."""

    layer: Literal["system", "office"]
    """Which layer the file is."""
    system: Name
    """System the lines are for, by the name of its plugin."""
    title: str | None = None
    """What people call it."""
    office: Name | None = None
    """Name of the office (`layer: office`)."""
    extends: Name | None = None
    """Office whose file this one changes; otherwise it changes the system's own."""
    uses: Once | None = None
    """Shared files whose tables this system's file stands on (`layer: system`)."""
    examples: list[Example] = []
    """Documents and the records they become."""

    @model_validator(mode="after")
    def _office_named(self) -> MappingFile:
        if (self.layer == "office") != (self.office is not None):
            raise PydanticCustomError(
                "office-unnamed", "`office:` names the office in a file of layer office, and there alone."
            )
        if self.extends and self.layer == "system":
            raise PydanticCustomError("system-extends", "A system's file stands on nothing: take `extends` away.")
        if self.uses and self.layer == "office":
            raise PydanticCustomError("office-uses", "Shared files are used by a system's file: take `uses` away.")
        return self


class SharedFile(Part):
    """Tables that several systems' files use (`layer: shared`)."""

    layer: Literal["shared"]
    """This is a shared file."""
    shared: Name
    """Its name; the file is called NAME.yaml."""
    title: str | None = None
    """What people call it."""
    tables: dict[str, Table | None] = {}
    """Tables by name."""


# --- tenants ----------------------------------------------------------------------------------------------------------


_PUBLIC = re.compile(r"https://[^\s/?#]+[^\s?#]*|http://(127\.0\.0\.1|localhost)(:[0-9]+)?/?")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|vault:[A-Za-z0-9][A-Za-z0-9_./-]*")


def _only_reference(given: Any) -> Any:
    if isinstance(given, str) and _REFERENCE.fullmatch(given):
        return given
    raise PydanticCustomError(
        "secret-written",
        "A secret is written into the file here; write env:NAME or vault:NAME instead and change the secret, it may"
        " have been seen.",
    )


class Outside(Part):
    """A system outside, and how it is reached."""

    system: Name
    """System, by the name of its plugin."""
    settings: dict[str, Any] = {}
    """Settings of that system's plugin."""
    secrets: dict[str, Annotated[str, BeforeValidator(_only_reference)]] = {}
    """Secrets by name, each as `env:NAME` (environment variable) or `vault:NAME`; never the secret itself."""
    webhooks: str | None = None
    """Where the system can reach this service from outside (`https://connector.example.no`), where it shall tell of
    changes; left out, they are found by polling alone."""

    @field_validator("webhooks")
    @classmethod
    def _reachable(cls, given: str | None) -> str | None:
        if given is not None and not _PUBLIC.fullmatch(given):
            raise PydanticCustomError(
                "address-invalid",
                "An address from outside begins with https:// (or http://127.0.0.1 for a sandbox) and has no query.",
            )
        return given


class AccessPoint(Outside):
    """One account at an access point, through which the tenant's documents go into Peppol and come out of it."""

    gives_up_after: Annotated[int, Field(ge=0)] = 900
    """Seconds for which it is tried before the next one is, where there is one and this one has surely not taken the
    document."""


class Connection(Outside):
    """One system's books that the tenant is connected to."""

    office: Name | None = None
    """Office whose standard is used."""
    mapping: Content = Content()
    """What differs from the layers below for this connection."""
    examples: list[Example] = []
    """Examples that hold with these changes."""


class Route(Part):
    """Which documents go where, and who does what with them. Each duty has exactly one owner."""

    title: str | None = None
    """What people call it."""
    takes: Annotated[list[str], BeforeValidator(many), shorter()] = ["api"]
    """Where its documents come from: `api`, or connections: what those issue is booked where the route leads."""
    to: Annotated[list[str], BeforeValidator(many), shorter()]
    """Connections whose books its documents are kept in."""
    issues: Texts | None = None
    """Who numbers the documents: a connection (its ledger issues), `source` (they come numbered), or `counterparty`
    (self-billing: our sales that buyers write the invoices for; they come numbered, and what comes through Peppol takes
    this route)."""
    sends: Texts | None = None
    """Who sends them to the customer: a connection, `source`, `connector`, or `nobody`; who issues, unless said."""
    receives: Texts | None = None
    """Who receives incoming documents: a connection, `connector` or `nobody`."""
    hold_new_suppliers: bool = False
    """Whether the first invoice of a supplier whose account nobody knows waits for a person."""
    reminds: Texts | None = None
    """Who reminds: a connection, `source`, `connector` or `nobody`."""
    takes_bank_money: Annotated[
        dict[str, Texts] | None,
        BeforeValidator(lambda given: given if isinstance(given, dict) or given is None else {"*": given}),
        shorter({"anyOf": [TEXT, {"type": "array", "items": TEXT}]}),
    ] = None
    """Who reads the bank: a connection, `source`, `connector` or `nobody`; or by account number, one line each."""


class TenantFile(Part):
    """One company: its connections, its routes, who does what, and what its mapping changes."""

    layer: Literal["tenant"]
    """This is a tenant's file."""
    tenant: Name
    """Name of the tenant; the file is called NAME.yaml."""
    title: str
    """The company's name."""
    organisation_number: OrganisationNumber | None = None
    """Its organisation number."""
    start: date
    """Documents dated from this day on are kept alike; older ones are linked for their payments only."""
    connections: dict[Name, Connection]
    """Connections by id."""
    access_points: dict[Name, AccessPoint] = {}
    """Access points by id, in the order in which they are tried: another one only where the ones before it have surely
    not taken a document."""
    routes: dict[Name, Route]
    """Routes by name."""

    @field_validator("organisation_number", mode="before")
    @classmethod
    def _digits(cls, given: Any) -> Any:
        return str(given) if isinstance(given, int) else given


Line.model_rebuild()


def schema(model: type[BaseModel], title: str) -> str:
    """The JSON Schema of a file as text, ready to be written."""
    made = _with_short_forms(model.model_json_schema())
    for part in (Test, Line):
        if part.__name__ in made["$defs"]:
            made["$defs"][part.__name__] = {"anyOf": [part.short()[1], made["$defs"][part.__name__]]}
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": title}
    return json.dumps(made, indent=2, ensure_ascii=False, default=str) + "\n"


def _with_short_forms(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_short_forms(item) for item in node]
    if not isinstance(node, dict):
        return node
    said = {key: _with_short_forms(value) for key, value in node.items() if key != SHORT}
    if SHORT not in node:
        return said
    about = {key: said.pop(key) for key in ("title", "description", "default") if key in said}
    forms = said.pop("anyOf", [said])
    many = next(form for form in forms if form.get("type") in ("array", "object"))
    return {**about, "anyOf": [node[SHORT] or many["items"], *forms]}


SCHEMAS: dict[str, tuple[type[BaseModel], str]] = {
    "mapping.schema.json": (MappingFile, "Mapping file of a system or an office"),
    "shared.schema.json": (SharedFile, "Tables that several systems use"),
    "tenant.schema.json": (TenantFile, "Tenant file"),
}
