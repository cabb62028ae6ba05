"""What buyers have answered to our invoices, and what we have answered to those of others: one row a response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Table, Text, UniqueConstraint, bindparam, select

from connector.store.prepared import Prepared
from connector.store.schema import SEALED, Moment, metadata, new_id
from connector.store.tx import Tx

_t = Table(
    "invoice_responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("tenant", "key"),
    Index("ix_invoice_responses_document", "document", "id"),
)
SEALED["invoice_responses"] = ("body",)


@dataclass(frozen=True, slots=True)
class Response:
    """One response. `key`: the message's own id, by which it is one however often it comes; `code`: its status (AP, RE
    …); `body`: all of it (JSON-able).
    """

    id: str
    tenant: str
    document: str
    key: str
    code: str
    body: Any
    created: datetime


_OF = Prepared(
    select(_t).where(_t.c.tenant == bindparam("tenant"), _t.c.document == bindparam("document")).order_by(_t.c.id)
)
_BY_KEY = Prepared(select(_t.c.id).where(_t.c.tenant == bindparam("tenant"), _t.c.key == bindparam("key")))
_INSERT = Prepared(_t.insert())


def keep(tx: Tx, *, tenant: str, document: str, key: str, code: str, body: Any) -> bool:
    """Keep a response to a document; False where it is here already."""
    if tx.row(_BY_KEY, {"tenant": tenant, "key": key}) is not None:
        return False
    id = new_id()
    sealed = tx.seal_json("invoice_responses.body", id, body)
    row = {"id": id, "tenant": tenant, "document": document, "key": key, "code": code}
    tx.run(_INSERT, row | {"body": sealed, "created": tx.now})
    return True


def of_document(tx: Tx, tenant: str, document: str) -> Sequence[Response]:
    """What was said of a document, in the order in which it came."""
    return [
        Response(**row._asdict() | {"body": tx.unseal_json("invoice_responses.body", row.id, row.body)})
        for row in tx.rows(_OF, {"tenant": tenant, "document": document})
    ]
