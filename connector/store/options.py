"""What each connection's ledger takes, as it was last read: one row a connection, sealed like every body.

A memory for checks before something is sent; thrown away, it is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text, bindparam, select

from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.schema import Moment
from connector.store.sql import upsert
from connector.store.tx import Tx

options = Table(
    "options",
    schema.metadata,
    Column("id", Text, ForeignKey("connections.id"), primary_key=True),  # the connection's
    Column("body", LargeBinary, nullable=False),
    Column("read", Moment, nullable=False),
)
schema.SEALED["options"] = ("body",)

_GET = Prepared(select(options).where(options.c.id == bindparam("id")))
_PUT = upsert(
    options,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["id"], set_={"body": insert.excluded.body, "read": insert.excluded.read}
    ),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept, and when it was read (UTC)."""

    body: Any
    read: datetime


def get(tx: Tx, connection: str) -> Kept | None:
    """What was last read of a connection; None before the first time."""
    row = tx.row(_GET, {"id": connection})
    return None if row is None else Kept(tx.unseal_json("options.body", connection, row.body), row.read)


def put(tx: Tx, connection: str, body: Any) -> None:
    """Keep what was read now, in place of what was read before."""
    sealed = tx.seal_json("options.body", connection, body)
    tx.run(_PUT, {"id": connection, "body": sealed, "read": tx.now})
