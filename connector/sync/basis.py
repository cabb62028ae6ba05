"""What a plan was decided by; and that what it asked for is done as planned, or stops."""

from __future__ import annotations

from connector.errors import Stop
from connector.lanes import Verb, Work
from connector.store import Tx, audit, documents, links
from connector.store.documents import Document
from connector.sync.spokes import Spoke

Basis = dict[str, str | None]


def basis_of(tx: Tx, spoke: Spoke, document: Document) -> Basis:
    """What decides what is done with a document: its content, what is known of it there, and the mapping."""
    there = [
        [link.kind, link.vendor_id, link.vendor_version, link.base_sent]
        for link in links.all_of(tx, document.id)
        if link.connection == spoke.id
    ]
    return {
        "document": documents.digest_of(document.body),
        "there": documents.digest_of(there) if there else None,
        "mapping": spoke.mapping.version,
    }


def check_planned(tx: Tx, work: Work, spoke: Spoke, document: Document) -> None:
    """Whether work that a plan has asked for would still do what was planned.

    What is known of the document there may have moved: the other parts of the same plan do that, and a record that
    somebody else has changed is found by the system's own version.

    Raises:
        Stop: the document or the mapping is another by now (`plan-moved`), unless a person has said to go on.
    """
    planned = (work.task or {}).get("planned")
    if planned is None:
        return
    now = basis_of(tx, spoke, document)
    moved = [name for name in ("document", "mapping") if now[name] != planned[name]]
    if not moved:
        return
    decided = audit.find(tx, work.tenant, document=document.id, limit=1000)
    if any(entry.did == Verb.RETRY and entry.about == f"work:{work.id}" for entry in decided):
        return
    raise Stop(
        f"The {' and the '.join(moved)} changed after the plan was made.",
        code="plan-moved",
        do="See what it would be now (connector documents explain); then retry it as it is now, or cancel it.",
        where={"document": document.id, "connection": spoke.id},
    )
