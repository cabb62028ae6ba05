"""How a document is kept: with its plain columns following its content, and with a link to what a system calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.errors import Clash
from connector.model import Dimension, Invoice, Product, TradingPartner
from connector.ports import Goal, Record
from connector.store import Tx, documents, links
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import dispatched, identity
from connector.sync.canonical import model_of, shown, stored, view_of
from connector.sync.money import CLOSED
from connector.sync.spokes import Linked, Spoke

PASSING = "passing"
"""State of the link of what lies in a system for a person to book: what is booked of it is another record."""


def state_of(record: Record) -> str:
    """The state of the link to a record."""
    return PASSING if record.payable and record.payable.passing else "linked"


def keep_link(
    tx: Tx,
    spoke: Spoke,
    kind: str,
    document: Document,
    fields: Mapping[str, Any],
    record: Record,
    facts: Mapping[str, Any],
    *,
    part: str | None = None,
    written_by: str | None = None,
) -> None:
    """Note what the document (with these canonical fields) is called there, what we hold of it now, and what the system
    shows of it now.

    Args:
        part: the kind of the link, where the record is a part of the document.
        written_by: the version of the mapping that made the record, where it was made from the document.
    """
    link = links.put(
        tx,
        tenant=spoke.tenant,
        document=document.id,
        connection=spoke.id,
        kind=part or kind,
        vendor_id=record.id,
        state=state_of(record),
        vendor_version=record.version,
        base_sent=view_of(spoke.mapping[kind], fields),
        base_seen=record.body,
        shown_open=record.open_amount,
        written_by=written_by,
        read_by=spoke.mapping.version,
        **{name: str(facts[name]) for name in ("number", "series", "voucher", "period") if facts.get(name)},
    )
    if document.source == spoke.id and document.mapping_version is None:
        documents.made_by(tx, document, spoke.mapping.version)
    dispatched.note(tx, spoke, link, record)


def with_body(
    tx: Tx, document: Document, kind: str, canonical: Mapping[str, Any], **more: Any
) -> tuple[Document, dict[str, Any]]:
    """The document with another content, its plain columns following it; and its canonical fields as they are then."""
    model = model_of(kind, canonical)
    columns: dict[str, Any] = {}
    if isinstance(model, Invoice):
        columns = {
            "number": model.number,
            "kid": model.payment_id,
            "issue_date": model.issue_date,
            "due_date": model.due_date,
        }
    elif isinstance(model, TradingPartner | Product | Dimension):
        columns = identity.columns(kind, model) | {"business_key": identity.key_now(document, kind, model)}
        check_key(tx, document, columns["business_key"])
    # The digest stays that of what was posted: the same document sent again is known by it.
    document = changed(tx, document, body=stored(model), digest=document.digest, **columns, **more)
    return document, model.model_dump()


def check_key(tx: Tx, document: Document, key: str) -> None:
    """Whether a record may have this key. Raises `Clash` (`document-exists`) where another one has it."""
    other = documents.by_key(tx, document.tenant, document.kind, key)
    if other is not None and other.id != document.id:
        raise Clash(
            f"There is another {document.kind} that is {key}.",
            code="document-exists",
            do="Make them one in the system that has both, or mend the number; then retry.",
            where={"document": other.id, "kind": document.kind},
        )


def changed(tx: Tx, document: Document, *, state: str, **changes: Any) -> Document:
    """The document with these changes; a state that says more (paid) is kept."""
    if document.state in (*CLOSED, "reversed"):
        state = document.state
    if not changes and state == document.state:
        return document
    return documents.change(tx, document, state=state, **changes)


def told(tx: Tx, spoke: Spoke, document: Document, goal: Goal, before: Link | None) -> None:
    """Note in the link what a system has really been told of a record: where it changed here while it was told, the
    change is still to be told.

    Args:
        before: the link as it was until then.
    """
    link = links.of(tx, document.id, spoke.id, document.kind)
    if link is None or link.base_sent is None:
        return
    mapper, context = spoke.mapping[document.kind], Linked(tx, spoke.id, {})
    said, theirs = shown(mapper, goal.record, context), shown(mapper, link.base_seen, context)
    old = (before.base_sent if before else None) or {}
    sent = dict(link.base_sent)
    for path, value in link.base_sent.items():
        if value == theirs.get(path) or path in mapper.only_in or path in mapper.only_out:
            continue
        sent[path] = said[path] if path in said else old.get(path)
    if sent != link.base_sent:
        links.change(tx, link, state=link.state, base_sent=sent)
