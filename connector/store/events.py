"""The feed: per tenant one sequence of events, without gaps, in the order of commits.

A transaction takes its numbers last, by an update of the tenant's head that locks it until the commit. Whoever has seen
number n has therefore seen everything before it: nothing with a smaller number can still become visible.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, text

from connector.errors import BadInput, Missing
from connector.store import schema
from connector.store.meta import incarnation
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.tx import Event, Tx

_events = schema.events
_TAKE = Prepared(
    text(
        "INSERT INTO feed_heads (tenant, seq) VALUES (:tenant, :n) "
        "ON CONFLICT (tenant) DO UPDATE SET seq = feed_heads.seq + excluded.seq RETURNING seq"
    )
)
_INSERT = Prepared(_events.insert())
_HEAD = Prepared(
    select(schema.feed_heads.c.seq, schema.feed_heads.c.trimmed).where(
        schema.feed_heads.c.tenant == bindparam("tenant")
    )
)
_AFTER = Prepared(
    select(_events)
    .where(_events.c.tenant == bindparam("tenant"), _events.c.seq > bindparam("after"))
    .order_by(_events.c.seq)
    .limit(bindparam("most"))
)
_OF_DOCUMENT = Prepared(
    select(_events)
    .where(_events.c.document == bindparam("document"), _events.c.tenant == bindparam("tenant"))
    .order_by(_events.c.seq)
)
_ACKNOWLEDGE = Prepared(
    text(
        "INSERT INTO consumers (tenant, name, seq, changed) VALUES (:tenant, :name, :seq, :now) "
        "ON CONFLICT (tenant, name) DO UPDATE SET seq = excluded.seq, changed = excluded.changed"
    ).bindparams(bindparam("now", type_=schema.Moment()))
)


def number(tx: Tx) -> None:
    """Give the transaction's events their numbers and write them; the store calls it last of all."""
    if not tx.events:
        return
    by_tenant: dict[str, list[Event]] = {}
    for event in tx.events:
        by_tenant.setdefault(event.tenant, []).append(event)
    rows = []
    for tenant in sorted(by_tenant):  # always in the same order: two transactions cannot wait for each other
        mine = by_tenant[tenant]
        last = tx.row(_TAKE, {"tenant": tenant, "n": len(mine)})[0]
        for seq, event in enumerate(mine, last - len(mine) + 1):
            id = new_id()
            rows.append(
                {
                    "tenant": tenant,
                    "seq": seq,
                    "id": id,
                    "kind": event.kind,
                    "document": event.document,
                    "connection": event.connection,
                    "data": tx.seal_json("events.data", id, event.data),
                    "at": tx.now,
                }
            )
        tx.ring(f"feed:{tenant}")
    tx.run_each(_INSERT, rows)
    tx.events.clear()


def read(tx: Tx, tenant: str, after: str | None, *, limit: int = 100) -> tuple[list[Event], str]:
    """Events after the cursor `after` (None: from the beginning), oldest first, and the cursor after the last of them.

    Raises:
        Missing: `cursor-expired`: the cursor is of another incarnation of the store, or what follows it was trimmed.
        BadInput: `cursor-malformed`.
    """
    seq = _position(tx, tenant, after)
    events = [_event(tx, row) for row in tx.rows(_AFTER, {"tenant": tenant, "after": seq, "most": limit})]
    return events, _cursor(tx, events[-1].seq if events else seq)


def head(tx: Tx, tenant: str) -> str:
    """The cursor after everything that is in the feed now."""
    row = tx.row(_HEAD, {"tenant": tenant})
    return _cursor(tx, row.seq if row else 0)


def acknowledge(tx: Tx, tenant: str, consumer: str, cursor: str) -> None:
    """Note that the named consumer has taken everything up to `cursor`.

    Raises:
        Missing, BadInput: as `read`.
    """
    seq = _position(tx, tenant, cursor)
    tx.run(_ACKNOWLEDGE, {"tenant": tenant, "name": consumer, "seq": seq, "now": tx.now})


def acknowledged(tx: Tx, tenant: str, consumer: str) -> str | None:
    """The cursor the consumer acknowledged last, None when it never did."""
    c = schema.consumers.c
    seq = tx.execute(select(c.seq).where(c.tenant == tenant, c.name == consumer)).scalar_one_or_none()
    return None if seq is None else _cursor(tx, seq)


def of_document(tx: Tx, tenant: str, document: str) -> list[Event]:
    """All events about a document that are still kept."""
    return [_event(tx, row) for row in tx.rows(_OF_DOCUMENT, {"tenant": tenant, "document": document})]


def trim(tx: Tx, tenant: str, before: Any) -> int:
    """Forget events older than the moment `before` (UTC); how many. Cursors into what was trimmed expire (410)."""
    last = tx.execute(
        select(func.max(_events.c.seq)).where(_events.c.tenant == tenant, _events.c.at < before)
    ).scalar_one()
    if last is None:
        return 0
    tx.execute(schema.feed_heads.update().where(schema.feed_heads.c.tenant == tenant).values(trimmed=last))
    return tx.execute(delete(_events).where(and_(_events.c.tenant == tenant, _events.c.seq <= last))).rowcount


def _event(tx: Tx, row: Any) -> Event:
    data = tx.unseal_json("events.data", row.id, row.data)
    return Event(row.tenant, row.kind, row.document, row.connection, data, row.seq, row.id, row.at)


def _cursor(tx: Tx, seq: int) -> str:
    return base64.urlsafe_b64encode(f"{incarnation(tx)}.{seq}".encode()).decode().rstrip("=")


def _position(tx: Tx, tenant: str, cursor: str | None) -> int:
    row = tx.row(_HEAD, {"tenant": tenant})
    seq, trimmed = (row.seq, row.trimmed) if row else (0, 0)
    if cursor is None:
        at = trimmed
    else:
        try:
            its, _, digits = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
            at = int(digits)
        except (binascii.Error, ValueError):
            raise BadInput(
                "This is no cursor of the feed.",
                code="cursor-malformed",
                do="Use the `cursor` of an earlier answer, or none to begin.",
            ) from None
        if its != incarnation(tx) or not trimmed <= at <= seq:
            raise Missing(
                "The feed does not reach back to this cursor (the store was restored, or old events were trimmed).",
                code="cursor-expired",
                do="Read the documents you need anew, then follow the feed from its present end.",
            )
    return at
