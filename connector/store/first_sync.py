"""The first sync of filled systems: the records that were read of the ledger, and what shall be done with each.

A row is a record of the ledger (`vendor_id`), or a document of ours that is to be made there or left (`vendor_id` is
None). `state`: `read` (nothing decided), `decided`, `asked` (it is on its way), `done`, `undone`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Table, Text, delete, func, select, text

from connector.store import reading_ahead
from connector.store.schema import SEALED, Moment, metadata, new_id
from connector.store.sql import upsert
from connector.store.tx import Tx

_t = Table(
    "first_sync",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("vendor_id", Text),
    Column("document", Text),
    Column("action", Text),
    Column("state", Text, nullable=False),
    Column("record", LargeBinary),
    Column("before", LargeBinary),
    Column("changed", Moment, nullable=False),
    Index("ix_first_sync_list", "connection", "state", "id"),
    Index("ix_first_sync_document", "connection", "document"),
    Index(
        "uq_first_sync_record",
        "connection",
        "kind",
        "vendor_id",
        unique=True,
        sqlite_where=text("vendor_id IS NOT NULL"),
        postgresql_where=text("vendor_id IS NOT NULL"),
    ),
)
SEALED["first_sync"] = ("record", "before")


@dataclass(frozen=True, slots=True)
class Row:
    """`action`: `link` or `duplicate` (to `document`), `create`, `leave`; None until decided. `record`: as it was read;
    `before`: what the document said before it was linked, and the digest of what it said afterwards. `changed`: when
    the row was (UTC).
    """

    id: str
    connection: str
    kind: str
    vendor_id: str | None
    document: str | None
    action: str | None
    state: str
    record: Any = None
    before: Any = None
    changed: datetime | None = None


_INSERT = upsert(
    _t,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["connection", "kind", "vendor_id"],
        index_where=_t.c.vendor_id.is_not(None),
        set_={
            name: insert.excluded[name] for name in ("id", "record", "before", "state", "action", "document", "changed")
        },
    ),
)


def keep(tx: Tx, tenant: str, connection: str, kind: str, vendor_id: str, record: Any) -> None:
    """Keep a record that was read; one that was read before is replaced, decision and all."""
    tx.run(_INSERT, _values(tx, tenant, connection, kind, "read", vendor_id=vendor_id, record=record))


def decide_ours(tx: Tx, tenant: str, connection: str, kind: str, document: str, action: str) -> None:
    """Note what shall be done with a document of ours that has no counterpart there."""
    tx.execute(delete(_t).where(_t.c.connection == connection, _t.c.document == document, _t.c.vendor_id.is_(None)))
    tx.execute(_t.insert(), _values(tx, tenant, connection, kind, "decided", document=document, action=action))


def _values(tx: Tx, tenant: str, connection: str, kind: str, state: str, **more: Any) -> dict[str, Any]:
    id = new_id()
    row: dict[str, Any] = {"vendor_id": None, "document": None, "action": None, "before": None, "record": None} | more
    row["record"] = tx.seal_json("first_sync.record", id, row["record"])
    own = {"id": id, "tenant": tenant, "connection": connection, "kind": kind, "state": state, "changed": tx.now}
    return row | own


def change(tx: Tx, row: str, **changes: Any) -> None:
    """Change `state`, `action`, `document` or `before`."""
    if "before" in changes:
        changes["before"] = tx.seal_json("first_sync.before", row, changes["before"])
    tx.execute(_t.update().where(_t.c.id == row).values(**changes, changed=tx.now))


def of_record(tx: Tx, connection: str, kind: str, vendor_id: str) -> Row | None:
    """The row of a record of the ledger, if it was read."""
    query = select(_t).where(_t.c.connection == connection, _t.c.kind == kind, _t.c.vendor_id == vendor_id)
    row = tx.execute(query).one_or_none()
    return None if row is None else _row(tx, row)


def left(tx: Tx, connection: str, kind: str, vendor_id: str) -> bool:
    """Whether a person has left a record of the ledger out."""
    if not any_of(tx, connection):
        return False
    row = of_record(tx, connection, kind, vendor_id)
    return row is not None and row.action == "leave"


def of_document(tx: Tx, connection: str, document: str) -> Row | None:
    """The last row about a document of ours."""
    query = select(_t).where(_t.c.connection == connection, _t.c.document == document).order_by(*_LAST).limit(1)
    found = reading_ahead.rows(tx, "first sync", (connection, document), lambda: list(tx.execute(query)))
    return _row(tx, found[0]) if found else None


_LAST = (_t.c.changed.desc(), _t.c.id.desc())


def ahead(tx: Tx, connection: str, documents: Iterable[str]) -> None:
    """Read what was decided of these documents in one go (`connector.store.reading_ahead`)."""
    found: dict[tuple[str, str], list[Any]] = {}
    for some in reading_ahead.chunks(documents if any_of(tx, connection) else ()):
        found |= {(connection, document): [] for document in some}
        query = select(_t).where(_t.c.connection == connection, _t.c.document.in_(some))
        for row in tx.execute(query.order_by(*_LAST)):
            found[connection, row.document].append(row)
    reading_ahead.keep(tx, "first sync", found)


def settled(tx: Tx, connection: str, document: str) -> bool:
    """Whether a document of ours is not to be made there by itself: it is linked, left, or what was done is undone."""
    if not any_of(tx, connection):
        return False
    row = of_document(tx, connection, document)
    return row is not None and (row.action in ("link", "duplicate", "leave") or row.state == "undone")


def left_here(tx: Tx, connection: str, document: str) -> bool:
    """Whether a person has said that a document of ours is not to be made there."""
    if not any_of(tx, connection):
        return False
    row = of_document(tx, connection, document)
    return row is not None and row.vendor_id is None and (row.action == "leave" or row.state == "undone")


def find(
    tx: Tx,
    connection: str,
    *,
    state: str | Sequence[str] | None = None,
    kind: str | None = None,
    action: str | None = None,
    after: str | None = None,
    limit: int = 500,
) -> list[Row]:
    """Rows in the order they came. Pages: `after` is the id of the last one seen."""
    query = select(_t).where(_t.c.connection == connection)
    if state is not None:
        query = query.where(_t.c.state.in_([state] if isinstance(state, str) else list(state)))
    if kind is not None:
        query = query.where(_t.c.kind == kind)
    if action is not None:
        query = query.where(_t.c.action == action)
    if after is not None:
        query = query.where(_t.c.id > after)
    return [_row(tx, row) for row in tx.execute(query.order_by(_t.c.id).limit(limit))]


def every(
    tx: Tx, connection: str, *, state: str | Sequence[str] | None = None, kind: str | None = None
) -> Iterator[Row]:
    """All of them, a page at a time: what is done with a row on the way does not matter."""
    after: str | None = None
    while page := find(tx, connection, state=state, kind=kind, after=after):
        yield from page
        after = page[-1].id


def places(tx: Tx, connection: str, *, state: Sequence[str]) -> dict[tuple[str, str], str]:
    """The ids of the rows of records of the ledger, by kind and the vendor's id: without what was read of them."""
    query = select(_t.c.kind, _t.c.vendor_id, _t.c.id).where(_t.c.connection == connection, _t.c.state.in_(state))
    rows = tx.execute(query.where(_t.c.vendor_id.is_not(None)).order_by(_t.c.id))
    return {(row.kind, row.vendor_id): row.id for row in rows}


def get(tx: Tx, id: str) -> Row | None:
    """One row, by its id."""
    row = tx.execute(select(_t).where(_t.c.id == id)).one_or_none()
    return None if row is None else _row(tx, row)


def counts(tx: Tx, connection: str) -> dict[tuple[str, str | None, str], int]:
    """How many rows there are by kind, action and state."""
    query = select(_t.c.kind, _t.c.action, _t.c.state, func.count().label("number"))
    rows = tx.execute(query.where(_t.c.connection == connection).group_by(_t.c.kind, _t.c.action, _t.c.state))
    return {(row.kind, row.action, row.state): int(row.number) for row in rows}


def any_of(tx: Tx, connection: str) -> bool:
    """Whether the connection has, or had, a first sync; asked once in a transaction."""
    key = ("first sync", connection)
    if key not in tx.memo:
        query = select(_t.c.id).where(_t.c.connection == connection).limit(1)
        tx.memo[key] = tx.execute(query).one_or_none() is not None
    return bool(tx.memo[key])


def forget_undecided(tx: Tx, connection: str) -> None:
    """Forget what was read and not decided, and what was decided and not begun: it is read anew."""
    tx.execute(delete(_t).where(_t.c.connection == connection, _t.c.state.in_(("read", "decided", "undone"))))


def forget_decided(tx: Tx, connection: str) -> None:
    """Forget what was decided and not begun: the documents of ours go, the records of the ledger are only read."""
    mine = (_t.c.connection == connection, _t.c.state == "decided")
    tx.execute(delete(_t).where(*mine, _t.c.vendor_id.is_(None)))
    tx.execute(_t.update().where(*mine).values(state="read", action=None, document=None, changed=tx.now))


def _row(tx: Tx, row: Any) -> Row:
    return Row(
        row.id,
        row.connection,
        row.kind,
        row.vendor_id,
        row.document,
        row.action,
        row.state,
        tx.unseal_json("first_sync.record", row.id, row.record),
        tx.unseal_json("first_sync.before", row.id, row.before),
        row.changed,
    )
