"""The audit: which person or key decided what, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connector.store import schema
from connector.store.schema import new_id
from connector.store.tx import Tx

_t = schema.audit


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody (`who`) decided something (`did`, a verb) about something."""

    id: str
    tenant: str
    who: str
    did: str
    at: datetime
    document: str | None = None
    about: str | None = None
    details: Any = None


def note(
    tx: Tx,
    *,
    tenant: str,
    who: str,
    did: str,
    document: str | None = None,
    about: str | None = None,
    details: Any = None,
) -> None:
    """Write an entry; there is no way to change one."""
    id = new_id()
    row = {
        "id": id,
        "tenant": tenant,
        "who": who,
        "did": did,
        "document": document,
        "about": about,
        "details": tx.seal_json("audit.details", id, details),
        "at": tx.now,
    }
    tx.execute(_t.insert(), row)


def find(
    tx: Tx, tenant: str, *, document: str | None = None, after: str | None = None, limit: int = 100
) -> list[Entry]:
    """Entries, oldest first. Pages: `after` is the id of the last one seen."""
    query = select(_t).where(_t.c.tenant == tenant)
    if document is not None:
        query = query.where(_t.c.document == document)
    if after is not None:
        query = query.where(_t.c.id > after)
    rows = tx.execute(query.order_by(_t.c.id).limit(limit))
    return [_entry(tx, row) for row in rows]


def _entry(tx: Tx, row: Any) -> Entry:
    return Entry(**(row._asdict() | {"details": tx.unseal_json("audit.details", row.id, row.details)}))
