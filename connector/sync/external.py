"""Documents that were issued elsewhere: in which form a system takes them, and the paper that goes with them.

On a route with `issues: source`, or `counterparty` (self-billing), a document comes with its number and keeps it. A
system takes it as a kind of its own (`external_invoice`, `external_credit_note`: booked as a voucher, for instance),
or, where it can `register`, among its own invoices under that number. The document in the hub is an invoice or credit
note like any other; its link, its mapping and the work that pushes it are those of the form.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from connector.ehf.pdf import render_pdf
from connector.model import CreditNote, Invoice
from connector.ports import File, Kind, Operation
from connector.store import Store, Tx, documents
from connector.store.documents import Document
from connector.sync.spokes import Spoke

INVOICE, CREDIT_NOTE = Kind.INVOICE.value, Kind.CREDIT_NOTE.value
EXTERNAL_INVOICE, EXTERNAL_CREDIT_NOTE = Kind.EXTERNAL_INVOICE.value, Kind.EXTERNAL_CREDIT_NOTE.value
EXTERNAL = (EXTERNAL_INVOICE, EXTERNAL_CREDIT_NOTE)

_XML = ("application/xml", "text/xml")


def elsewhere(spoke: Spoke, document: Document) -> bool:
    """Whether a document was issued by its source or its buyer, as far as this connection is concerned."""
    return document.kind in (INVOICE, CREDIT_NOTE) and document.source in spoke.elsewhere


def registers(spoke: Spoke) -> bool:
    """Whether the system enters invoices among its own under the number they were issued with."""
    return (Kind.INVOICE, "register") in spoke.accounting.capabilities


def form_of(spoke: Spoke, document: Document) -> str:
    """As which kind this system takes a document."""
    return form_for(spoke, document.kind, outside=elsewhere(spoke, document))


def form_for(spoke: Spoke, kind: str, *, outside: bool) -> str:
    """As which kind this system takes documents of a kind; `outside`: those that their source has issued."""
    if not outside or (kind == INVOICE and registers(spoke)):
        return kind
    return {INVOICE: EXTERNAL_INVOICE, CREDIT_NOTE: EXTERNAL_CREDIT_NOTE}[kind]


def form(tx: Tx, spoke: Spoke, kind: str, document: str) -> str:
    """The same by id, without reading it where its kind says it already."""
    if kind not in (INVOICE, CREDIT_NOTE) or not spoke.elsewhere:
        return kind
    there = documents.peek(tx, spoke.tenant, document)
    return kind if there is None else form_of(spoke, there)


def operation(spoke: Spoke, document: Document) -> Operation:
    """How a document that is not there gets there: made, or entered under the number it was issued with elsewhere."""
    return "register" if document.kind == INVOICE and elsewhere(spoke, document) and registers(spoke) else "create"


def takes(spoke: Spoke, document: Document) -> bool:
    """Whether the system can be told of a document that is not there, by its own table."""
    return (Kind(form_of(spoke, document)), operation(spoke, document)) in spoke.accounting.capabilities


def formed(tx: Tx, spoke: Spoke, related: Mapping[str, str]) -> dict[str, str]:
    """What stands behind a document's references, by the kinds this system has them under."""
    return {form(tx, spoke, kind, document): document for kind, document in related.items()}


async def paper(store: Store, tenant: str, id: str) -> File:
    """The readable document of an invoice or credit note; where an EHF was received, its bytes are embedded in it."""

    def read(tx: Tx) -> tuple[Document, bytes | None]:
        received = documents.original(tx, tenant, id)
        return documents.get(tx, tenant, id), received[0] if received and received[1] in _XML else None

    document, original = await store.read(read)
    model = (CreditNote if document.kind == CREDIT_NOTE else Invoice).model_validate(document.body)
    content = await asyncio.to_thread(render_pdf, model, original=original)
    what = "Kreditnota" if document.kind == CREDIT_NOTE else "Faktura"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", document.number or document.id)[:60]
    return File(f"{what}-{name}.pdf", "application/pdf", content, "page")
