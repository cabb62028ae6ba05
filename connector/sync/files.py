"""The files that go along with a document: its readable page, its original, and what is embedded in it (BG-24)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from connector.ehf import read
from connector.ehf.pdf import render_pdf
from connector.model import Invoice
from connector.ports import File, Kind
from connector.store import Store, documents
from connector.sync.canonical import model_of

ISSUED = (Kind.INVOICE, Kind.CREDIT_NOTE)
WITH_FILES = (*ISSUED, Kind.SUPPLIER_INVOICE)
"""Kinds whose files go along."""


_INSIDE = 4 * 1024 * 1024
"""Bytes up to which the original is put into the page; a larger one has files in it, which go along by themselves."""


def embedded(invoice: Invoice) -> list[File]:
    """The files inside an invoice, in their order."""
    return [
        File(one.embedded.filename or one.id, one.embedded.mime_type, one.embedded.content)
        for one in invoice.attachments
        if one.embedded is not None
    ]


async def files_of(store: Store, kind: Kind, tenant: str, document: str) -> Sequence[File]:
    """The files of a document, the same ones each time. Nothing but attachments goes along with an outgoing document:
    its page is the ledger's own.
    """
    if kind in ISSUED:
        kept = await store.read(lambda tx: documents.get(tx, tenant, document))
        issued = model_of(kept.kind, kept.body)
        assert isinstance(issued, Invoice)
        return embedded(issued)
    original = await store.read(lambda tx: documents.original(tx, tenant, document))
    if original is None:
        return ()
    return await asyncio.to_thread(_received, *original)


def _received(original: bytes, media_type: str | None) -> list[File]:
    invoice = read(original, direction="incoming")
    name = invoice.number or "faktura"
    page = render_pdf(invoice, original=original if len(original) <= _INSIDE else None)
    return [
        File(f"{name}.pdf", "application/pdf", page, "page"),
        File(f"{name}.xml", media_type or "application/xml", original, "original"),
        *embedded(invoice),
    ]
