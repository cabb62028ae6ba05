"""What documents say of departments, projects and products: codes that people use, found in each system first."""

from __future__ import annotations

from typing import Any

from connector.errors import ConnectorError
from connector.mapping.mapper import Mapper
from connector.model import Dimension, Invoice, Line, Product
from connector.store import Tx, documents, links
from connector.store.documents import Document
from connector.sync import effects
from connector.sync.canonical import stored
from connector.sync.identity import CODED, Record, by_code, columns
from connector.sync.spokes import Linked, Spoke


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


def needs(tx: Tx, spoke: Spoke, kind: str, invoice: Invoice) -> tuple[str, ...]:
    """Work that must be done before a document can be pushed: records it refers to by code and that are not there yet
    are found there, or made where the mapping says so. `kind`: as which the system takes it.
    """
    asked = _Asked(tx, spoke.id)
    try:
        mapper = spoke.mapping[kind]
        mapper.out(as_carried(mapper, invoice).model_dump(), asked)
    except ConnectorError:
        return ()  # the push itself says what is wrong
    work: tuple[str, ...] = ()
    for of, code in asked.codes:
        document = by_code(tx, spoke.tenant, of, code) or _told_of(tx, spoke.tenant, of, code, invoice)
        if links.of(tx, document.id, spoke.id, of) is None:
            work += effects.need(tx, spoke, of, document.id)
    return work


def _told_of(tx: Tx, tenant: str, kind: str, code: str, invoice: Invoice) -> Document:
    """A record that only a document speaks of so far."""
    model: Record
    if kind == "product":
        model = _sold(code, next(line for line in invoice.lines if line.seller_item_id == code), invoice.currency)
    else:
        model = Dimension.model_validate({"kind": kind, "code": code})
    return documents.insert(tx, tenant=tenant, kind=kind, body=stored(model), state="accepted", **columns(kind, model))


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
    """The invoice as a mapping wants it: where lines have no dimensions of their own, what they share is said once."""
    on_lines = any(
        path.startswith("lines.dimensions") for one in mapper.fields() if one.only != "in" for path in one.ours
    )
    return invoice if on_lines else lifted(invoice)


def lifted(invoice: Invoice) -> Invoice:
    """The same invoice with dimensions that all its lines share said once, on the document: a line without its own has
    the document's.
    """
    of_document, lines = invoice.dimensions, list(invoice.lines)
    for name in ("department", "project", "location", "seller", "free"):
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
