"""Arrivals: what came in, stored as received before anything is made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, or_, select

from connector.errors import Clash, Missing
from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.sql import upsert
from connector.store.states import ARRIVAL, check
from connector.store.tx import Tx

_t = schema.arrivals
_HEAD = [column for column in _t.c if column.name not in ("body", "headers")]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in. `body` is exactly what was received; empty where only heads were asked for."""

    id: str
    tenant: str
    source: str
    kind: str
    key: str
    subject: str | None
    digest: str
    content_type: str | None
    state: str
    due: datetime | None
    tries: int
    received: datetime
    ended: datetime | None = None
    error: Any = None
    document: str | None = None
    body: bytes = b""
    headers: Any = None


_INSERT = upsert(_t, lambda insert: insert.on_conflict_do_nothing(index_elements=["tenant", "source", "key"]))
_BY_KEY = Prepared(
    select(_t.c.id, _t.c.digest).where(
        _t.c.tenant == bindparam("tenant"), _t.c.source == bindparam("source"), _t.c.key == bindparam("key")
    )
)
_GET = Prepared(select(_t).where(_t.c.id == bindparam("id")))
_earlier = schema.arrivals.alias("earlier")
_FIRST = or_(
    _t.c.subject.is_(None),
    ~exists().where(
        _earlier.c.tenant == _t.c.tenant,
        _earlier.c.subject == _t.c.subject,
        _earlier.c.ended.is_(None),
        _earlier.c.id < _t.c.id,
    ),
)
"""Nothing of its subject stands before it."""
_DUE_NOW = select(_t).where(_t.c.due <= bindparam("now"), _FIRST).order_by(_t.c.due, _t.c.id).limit(bindparam("most"))
_DUE = Prepared(_DUE_NOW, postgres=_DUE_NOW.with_for_update(skip_locked=True, of=_t))
_NEXT = Prepared(select(_t.c.due).where(_t.c.due.is_not(None), _FIRST).order_by(_t.c.due).limit(1))
_STANDS = Prepared(
    select(_t.c.id)
    .where(
        _t.c.tenant == bindparam("tenant"),
        _t.c.subject == bindparam("subject"),
        _t.c.ended.is_(None),
        _t.c.due.is_not(None),
    )
    .limit(1)
)
_ABOUT = Prepared(_t.update().where(_t.c.id == bindparam("row")).values(document=bindparam("about")))
_MOVE = Prepared(
    _t.update()
    .where(_t.c.id == bindparam("row"), _t.c.state == bindparam("was"))
    .values(
        state=bindparam("to"),
        due=bindparam("due"),
        tries=bindparam("tries"),
        error=bindparam("error"),
        document=bindparam("document"),
        ended=bindparam("ended"),
    )
)


def arrive(
    tx: Tx,
    *,
    tenant: str,
    source: str,
    kind: str,
    key: str,
    body: bytes,
    subject: str | None = None,
    content_type: str | None = None,
    headers: Mapping[str, Any] | None = None,
    id: str | None = None,
    handled: str | None = None,
) -> tuple[str, bool]:
    """Store something that came in; it is handled later, in its turn. Coming again, it is the same arrival.

    Args:
        source: where from: `api`, a connection's id, an access point …
        kind: names the handler.
        key: what makes it the same when it comes again, within tenant and source.
        subject: arrivals of one subject are handled one after the other, in the order they came.
        headers: what belongs to it besides the bytes (JSON-able; kept sealed).
        id: of the new arrival, where it is known already (`new_id()`).
        handled: the document it was about, where it has been handled in this very transaction.

    Returns:
        The arrival's id, and whether it is new.

    Raises:
        Clash: `arrival-differs`: the same key came before with other bytes.
    """
    id = id or new_id()
    digest = hashlib.sha256(body).hexdigest()
    row = {
        "id": id,
        "tenant": tenant,
        "source": source,
        "kind": kind,
        "key": key,
        "subject": subject,
        "digest": digest,
        "body": tx.seal("arrivals.body", id, body),
        "content_type": content_type,
        "headers": tx.seal_json("arrivals.headers", id, headers),
        "state": "handled" if handled else "queued",
        "due": None if handled else tx.now,
        "tries": 0,
        "received": tx.now,
        "ended": tx.now if handled else None,
        "document": handled,
    }
    if tx.run(_INSERT, row) == 1:
        if not handled:
            tx.ring("arrivals")
        return id, True
    there = tx.row(_BY_KEY, {"tenant": tenant, "source": source, "key": key})
    if there.digest != digest:
        raise Clash(
            f"{key} came before from {source} with other content.", code="arrival-differs", where={"arrival": there.id}
        )
    return there.id, False


def get(tx: Tx, tenant: str, id: str) -> Arrival:
    """One arrival with its bytes.

    Raises:
        Missing: there is none, or it is another tenant's.
    """
    row = tx.row(_GET, {"id": id})
    if row is None or row.tenant != tenant:
        raise Missing(f"There is no arrival {id}.", code="arrival-not-found", where={"arrival": id})
    return _arrival(tx, row)


def by_key(tx: Tx, tenant: str, source: str, key: str) -> Arrival | None:
    """The arrival with this key, with its bytes, if there is one."""
    row = tx.row(_BY_KEY, {"tenant": tenant, "source": source, "key": key})
    return None if row is None else get(tx, tenant, row.id)


def find(
    tx: Tx,
    tenant: str,
    *,
    state: str | None = None,
    document: str | None = None,
    source: str | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[Arrival]:
    """Heads of arrivals (without bytes), oldest first. Pages: `after` is the id of the last one seen."""
    query = select(*_HEAD).where(_t.c.tenant == tenant)
    given = ((_t.c.state, state), (_t.c.document, document), (_t.c.source, source), (_t.c.kind, kind))
    for column, value in given:
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(_t.c.id > after)
    rows = tx.execute(query.order_by(_t.c.id).limit(limit))
    return [_arrival(tx, row) for row in rows]


def due(tx: Tx, *, most: int) -> list[Arrival]:
    """What can be handled now, locked until the transaction ends; per subject only the first that is not handled."""
    return [_arrival(tx, row) for row in tx.rows(_DUE, {"now": tx.now, "most": most})]


def next_due(tx: Tx) -> datetime | None:
    """When the next arrival can be handled; None when none waits."""
    row = tx.row(_NEXT)
    return None if row is None else row.due


def move(
    tx: Tx,
    arrival: Arrival,
    to: str,
    *,
    due: datetime | None = None,
    tries: int | None = None,
    error: Any = None,
    document: str | None = None,
) -> None:
    """Bring an arrival into another state; `Moved` ends the transaction when it is no longer in the state read."""
    check(ARRIVAL, arrival.state, to)
    tx.defer(
        _MOVE,
        {
            "row": arrival.id,
            "was": arrival.state,
            "to": to,
            "due": due,
            "tries": arrival.tries if tries is None else tries,
            "error": tx.seal_json("arrivals.error", arrival.id, error),
            "document": document or arrival.document,
            "ended": tx.now if to in ("handled", "dropped") else None,
        },
        rows=1,
    )


def about(tx: Tx, arrival: str, document: str) -> None:
    """Note which document an arrival was about (for the story)."""
    tx.run(_ABOUT, {"row": arrival, "about": document})


def of_subject(tx: Tx, tenant: str, subject: str, *, states: Sequence[str] = ("queued", "parked")) -> list[Arrival]:
    """Heads of the arrivals of a subject in these states, oldest first."""
    rows = tx.execute(
        select(*_HEAD).where(_t.c.tenant == tenant, _t.c.subject == subject, _t.c.state.in_(states)).order_by(_t.c.id)
    )
    return [_arrival(tx, row) for row in rows]


def any_queued(tx: Tx, tenant: str, source: str, kinds: Sequence[str], *, tries: int = 8) -> bool:
    """Whether arrivals of these kinds from a source wait to be handled; those that wait for a person do not count, nor
    those that have been put off so many times: they wait for something that waits for a person.
    """
    query = select(_t.c.id).where(_t.c.tenant == tenant, _t.c.source == source, _t.c.kind.in_(list(kinds)))
    query = query.where(_t.c.due.is_not(None), _t.c.tries < tries).limit(1)
    return tx.execute(query).first() is not None


def stands(tx: Tx, tenant: str, subject: str) -> bool:
    """Whether anything of a subject waits to be handled."""
    return tx.row(_STANDS, {"tenant": tenant, "subject": subject}) is not None


def _arrival(tx: Tx, row: Any) -> Arrival:
    fields = row._asdict()
    fields["error"] = tx.unseal_json("arrivals.error", row.id, row.error)
    if "body" in fields:
        fields["body"] = tx.unseal("arrivals.body", row.id, row.body) or b""
        fields["headers"] = tx.unseal_json("arrivals.headers", row.id, row.headers)
    return Arrival(**fields)
