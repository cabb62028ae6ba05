"""A record of a register that is closed in a system: what that means here is what the mapping says (`deactivated`)."""

from __future__ import annotations

from dataclasses import replace

from connector.errors import Stop
from connector.lanes import Verb
from connector.store import Tx, attention, documents, links
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import differences, effects
from connector.sync.identity import record_of
from connector.sync.keeping import with_body
from connector.sync.reconcile import Decision
from connector.sync.spokes import Spoke

FIELD, CLOSED = "active", "closed"


def closed_there(tx: Tx, spoke: Spoke, document: Document, decision: Decision) -> Decision:
    """What is to be done of a decision. A record that was opened again is open here, too, and nobody is asked."""
    if decision.take.get(FIELD) is not False:
        if decision.take.get(FIELD) is True:
            attention.close(tx, differences.about(CLOSED, spoke, document.id), who=spoke.name, how="opened again")
        return decision
    meant = spoke.mapping[document.kind].bound.register.deactivated
    if meant == "follow":
        return decision
    if meant == "ask":
        _ask(tx, spoke, document)
    return replace(decision, take={path: value for path, value in decision.take.items() if path != FIELD})


def _ask(tx: Tx, spoke: Spoke, document: Document) -> None:
    name = document.counterparty_name or document.number
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=differences.about(CLOSED, spoke, document.id),
        reason=Stop(
            f"{document.kind} {name} was closed in {spoke.name}.",
            code=f"{document.kind}-closed",
            do=f"Say what holds: connector documents resolve {document.id} --theirs (it is closed everywhere), --ours"
            " (it is opened there again), or --ignore (both stay as they are).",
            where={"document": document.id, "connection": spoke.id},
        ),
        verbs=(Verb.THEIRS, Verb.OURS, Verb.IGNORE),
        document=document.id,
        connection=spoke.id,
    )


def close_here(tx: Tx, document: Document, link: Link | None) -> Document:
    """It is closed for new documents here, as it is there."""
    fields = record_of(document.kind, document.body).model_dump() | {FIELD: False}
    document, _ = with_body(tx, document, document.kind, fields, state=document.state)
    if link is not None:
        links.change(tx, link, state=link.state, base_sent={**(link.base_sent or {}), FIELD: False})
    return document


def open_there(tx: Tx, spoke: Spoke, document: Document, link: Link) -> None:
    """It is opened there again, as it is here."""
    links.change(tx, link, state=link.state, base_sent={**(link.base_sent or {}), FIELD: False})
    effects.push(tx, spoke, document.kind, documents.get(tx, document.tenant, document.id).id)
