"""What was decided of a record is followed when it arrives, in the transaction of its arrival; so it is done once."""

from __future__ import annotations

from dataclasses import replace

from connector.lanes import Later
from connector.ports import Record
from connector.store import Tx, documents, first_sync, links
from connector.store.documents import Document, digest_of
from connector.store.first_sync import Row
from connector.sync import matching
from connector.sync.canonical import model_of
from connector.sync.first_sync import status
from connector.sync.identity import REGISTERS, record_of, same
from connector.sync.keeping import keep_link
from connector.sync.push import over, taken
from connector.sync.spokes import Linked, Spoke, Spokes


def decided(tx: Tx, spoke: Spoke, record: Record) -> Row | None:
    """What a person decided of a record that has no link; None where the first sync says nothing of it."""
    if not first_sync.any_of(tx, spoke.id):
        return None
    row = first_sync.of_record(tx, spoke.id, record.kind.value, record.id)
    if row is not None and row.state in ("read", "decided", "undone") and status.rests(tx, spoke.id):
        # Not decided yet, or not to the end of the file: while that is under way it is nobody's.
        return replace(row, action="leave")
    if row is None or row.action is None or row.state == "undone":
        return None  # never decided, it is like any other
    return row


def follow(tx: Tx, spokes: Spokes, spoke: Spoke, record: Record, row: Row) -> str | None:
    """Link a record, or leave it; the document it was linked to."""
    if row.action == "duplicate":
        return _further(tx, spoke, record, row)
    if row.action != "link" or row.document is None:
        return None
    document = documents.get(tx, spoke.tenant, row.document)
    if row.kind in REGISTERS:
        matching.linked(tx, spokes, spoke, document, record)
    else:
        _linked(tx, spoke, document, record)
    after = documents.get(tx, spoke.tenant, document.id)
    before = {"body": document.body, "state": document.state, "after": digest_of(after.body)}
    first_sync.change(tx, row.id, state="done", before=before)
    return document.id


def _further(tx: Tx, spoke: Spoke, record: Record, row: Row) -> str:
    """A further record of the same, once the one that is meant is linked, or made here."""
    document = documents.peek(tx, spoke.tenant, row.document) if row.document else _made(tx, spoke, record)
    if document is None or links.of(tx, document.id, spoke.id, row.kind) is None:
        raise Later(f"the {row.kind} that is meant comes first", after=1.0)
    matching.second(tx, spoke, document, record)
    first_sync.change(tx, row.id, state="done")
    return document.id


def _made(tx: Tx, spoke: Spoke, record: Record) -> Document | None:
    """The document that was made of the record that is meant: it has the same number."""
    fields = spoke.mapping[record.kind.value].into(record.body, Linked(tx, spoke.id, {}))
    model = record_of(record.kind.value, {"source_id": f"{spoke.name}/{record.id}", **fields})
    return same(tx, spoke.tenant, record.kind.value, model)


def created(tx: Tx, row: Row) -> None:
    """A record is about to become a document of its own."""
    first_sync.change(tx, row.id, state="done")


def _linked(tx: Tx, spoke: Spoke, document: Document, record: Record) -> None:
    """An invoice or credit note of ours is one that the ledger has issued or booked: it is never pushed there."""
    kind = document.kind
    fields = model_of(kind, document.body).model_dump()
    if document.number is None:  # the ledger has numbered it
        document, fields = taken(tx, spoke, kind, document, record)
    keep_link(tx, spoke, kind, document, fields, record, {"number": document.number})
    data = {"connection": spoke.name, "vendor_id": record.id, "number": document.number}
    tx.emit(spoke.tenant, f"{kind}.linked", document=document.id, connection=spoke.id, data=data)
    over(tx, document, data)
