"""What receivers can take, as Peppol has told us: one row for each question, believed until a moment.

A memory, the same for all tenants (it is public); thrown away, it is asked again.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, Text, bindparam, select

from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.schema import Moment
from connector.store.sql import upsert
from connector.store.tx import Tx

lookups = Table(
    "peppol_lookups",
    schema.metadata,
    Column("id", Text, primary_key=True),  # SHA-256 of the question
    Column("body", LargeBinary, nullable=False),
    Column("until", Moment, nullable=False),
)
schema.SEALED["peppol_lookups"] = ("body",)

_GET = Prepared(select(lookups).where(lookups.c.id == bindparam("id"), lookups.c.until > bindparam("now")))
_PUT = upsert(
    lookups,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["id"], set_={"body": insert.excluded.body, "until": insert.excluded.until}
    ),
)


def get(tx: Tx, *question: str) -> Any:
    """What is known about a question and still believed; None where nothing is."""
    id = _id(question)
    row = tx.row(_GET, {"id": id, "now": tx.now})
    return None if row is None else tx.unseal_json("peppol_lookups.body", id, row.body)


def put(tx: Tx, *question: str, body: Any, until: Any) -> None:
    """Keep an answer to a question until a moment (UTC), in place of an earlier one."""
    id = _id(question)
    tx.run(_PUT, {"id": id, "body": tx.seal_json("peppol_lookups.body", id, body), "until": until})


def _id(question: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(question).encode()).hexdigest()
