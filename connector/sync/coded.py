"""What documents say of departments, projects and products: codes that people use, found in each system first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.errors import ConnectorError
from connector.mapping.mapper import Mapper
from connector.model import Dimension, Invoice, Line, Product
from connector.store import Tx, documents, links
from connector.store.documents import Document
from connector.sync import effects
from connector.sync.canonical import stored
from connector.sync.external import form_of
from connector.sync.identity import CODED, OF_DIMENSION, Record, columns
from connector.sync.keys import register_key
from connector.sync.spokes import Linked, Spoke

NAMES = ("department", "project", "location", "seller", "free")
"""The dimensions that a document or a line has."""


class _Asked(Linked):
    """Notes which records a document refers to by their codes."""

    def __init__(self, tx: Tx, connection: str) -> None:
        super().__init__(tx, connection, {})
        self.codes: dict[tuple[str, str], None] = {}

    def vendor_id(self, kind: str, ours: Any) -> str:
        """Any id: only what is asked for matters."""
        if kind in CODED and isinstance(ours, str):
            self.codes[kind, ours] = None
        return "0"


def needs(tx: Tx, spoke: Spoke, by: Document, invoice: Invoice) -> tuple[str, ...]:
    """Work that must be done before a document (`by`; `invoice`: what it says) can be pushed: records it refers to by
    code and that are not there yet are found there, or made where the mapping says so.
    """
    asked = _Asked(tx, spoke.id)
    try:
        mapper = spoke.mapping[form_of(spoke, by)]
        mapper.out(as_carried(mapper, invoice).model_dump(), asked)
    except ConnectorError:
        return ()  # the push itself says what is wrong
    work: tuple[str, ...] = ()
    for of, model in (*(_spoken_of(kind, code, invoice) for kind, code in asked.codes), *_free(mapper, invoice)):
        document = documents.by_key(tx, spoke.tenant, of, register_key(of, model)) or _told_of(tx, spoke, of, model)
        if links.of(tx, document.id, spoke.id, of) is None:
            work += effects.need(tx, spoke, by, of, document.id)
    return work


def _told_of(tx: Tx, spoke: Spoke, kind: str, model: Record) -> Document:
    """A record that only a document speaks of so far."""
    said = columns(kind, model)
    return documents.insert(tx, tenant=spoke.tenant, kind=kind, body=stored(model), state="accepted", **said)


def _spoken_of(kind: str, code: str, invoice: Invoice) -> tuple[str, Record]:
    """What a document says of a record that it refers to by a code."""
    if kind == "product":
        line = next(line for line in invoice.lines if line.seller_item_id == code)
        return kind, _sold(code, line, invoice.currency)
    return kind, Dimension.model_validate({"kind": kind, "code": code})


def _free(mapper: Mapper, invoice: Invoice) -> list[tuple[str, Record]]:
    """The values of free dimensions that a mapping carries: a system knows them by dimension and code together."""
    if not any(path.endswith("dimensions.free") for one in mapper.fields() if one.only != "in" for path in one.ours):
        return []
    said = [one for of in (invoice.dimensions, *(line.dimensions for line in invoice.lines)) for one in of.free]
    kind = OF_DIMENSION["free"]
    return [(kind, Dimension(kind="free", dimension=one.name, code=one.code)) for one in dict.fromkeys(said)]


# Only what the books need of it: its unit may be none of the ledger's, and the document carries its own price.
def _sold(number: str, line: Line, currency: str) -> Product:
    return Product(
        number=number,
        name=line.name or number,
        currency=currency,
        vat_code=line.vat_code,
        vat_category=line.vat_category,
        vat_rate=line.vat_rate,
    )


def as_carried(mapper: Mapper, invoice: Invoice) -> Invoice:
    """The invoice as a mapping wants it: what all lines share is said once, but for dimensions that only lines have."""
    carried = [path for one in mapper.fields() if one.only != "in" for path in one.ours]

    def has(path: str) -> bool:
        return any(one == path or one.startswith((f"{path}.", f"{path}[")) for one in carried)

    return lifted(invoice, [name for name in NAMES if has(f"dimensions.{name}") or not has(f"lines.dimensions.{name}")])


def lifted(invoice: Invoice, names: Sequence[str] = NAMES) -> Invoice:
    """The same invoice with dimensions that all its lines share said once, on the document: a line without its own has
    the document's. `names`: of these dimensions only.
    """
    of_document, lines = invoice.dimensions, list(invoice.lines)
    for name in names:
        of_lines = {getattr(line.dimensions, name) for line in lines}
        shared = next(iter(of_lines)) if len(of_lines) == 1 else None
        if shared and getattr(of_document, name) in (None, (), shared):
            of_document = of_document.model_copy(update={name: shared})
        if value := getattr(of_document, name):
            empty: Any = () if name == "free" else None
            lines = [_without(line, name, empty) if getattr(line.dimensions, name) == value else line for line in lines]
    if of_document == invoice.dimensions and all(one is other for one, other in zip(lines, invoice.lines, strict=True)):
        return invoice
    return invoice.model_copy(update={"dimensions": of_document, "lines": tuple(lines)})


def _without(line: Line, name: str, empty: Any) -> Line:
    return line.model_copy(update={"dimensions": line.dimensions.model_copy(update={name: empty})})
