"""Documents on their way through an access point: one row for each intention to send, and how far it has come.

The row is made before anything is sent: its `instance` (the envelope's InstanceIdentifier) is the same however often
it is tried, and at whichever access point. Which state may follow which stands in `MOVES`; what comes in the wrong
order, or twice, changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, bindparam, select, text

from connector.errors import Missing
from connector.store.prepared import Prepared
from connector.store.schema import SEALED, Moment, metadata, new_id
from connector.store.tx import Moved, Tx

_t = Table(
    "transmissions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("instance", Text, nullable=False, unique=True),
    Column("number", Text),
    Column("receiver", Text),
    Column("connection", Text),
    Column("vendor_id", Text),
    Column("state", Text, nullable=False),
    Column("body", LargeBinary),
    Column("said", LargeBinary),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Index("ix_transmissions_document", "document", "id"),
    Index("ix_transmissions_vendor_id", "connection", "vendor_id"),
    Index(
        "ix_transmissions_waiting",
        "id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)
SEALED["transmissions"] = ("body", "said")

WAITING: Final = "waiting"
MOVES: Final[Mapping[str, frozenset[str]]] = {
    WAITING: frozenset({"accepted", "sent", "delivered", "refused", "failed", "withdrawn"}),
    "accepted": frozenset({"sent", "delivered", "refused", "failed"}),
    "sent": frozenset({"delivered", "refused"}),
    "delivered": frozenset(),
    "refused": frozenset(),
    # An access point that has given up may hear of the receipt later.
    "failed": frozenset({"sent", "delivered", "refused"}),
    "withdrawn": frozenset(),
}
"""What a transmission's state may become. `waiting`: no access point has taken it; `withdrawn`: nobody shall; the
others as `connector.ports.State` says them.
"""
UNDELIVERED: Final = frozenset({"failed", "refused", "withdrawn"})
"""States in which the receiver does not have the document: it may be mended and sent again under its number."""
ENDS: Final = frozenset({"delivered", "refused", "failed", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Transmission:
    """One intention to send a document.

    `kind`: the document's, or `invoice_response`. `connection`: the access point that it is at, or that is tried;
    `vendor_id` what it is called there. `body`: the bytes that are sent, where they are not its own original;
    `said`: what was said of it last (JSON-able).
    """

    id: str
    tenant: str
    document: str
    kind: str
    instance: str
    number: str | None
    receiver: str | None
    connection: str | None
    vendor_id: str | None
    state: str
    said: Any
    created: datetime
    changed: datetime
    body: bytes | None = None


_INSERT = Prepared(_t.insert())
_GET = Prepared(select(_t).where(_t.c.id == bindparam("id")))
_INSTANCE = Prepared(select(_t).where(_t.c.instance == bindparam("instance")))
_VENDOR = Prepared(
    select(_t).where(_t.c.connection == bindparam("connection"), _t.c.vendor_id == bindparam("vendor_id"))
)
_OF = Prepared(
    select(_t).where(_t.c.tenant == bindparam("tenant"), _t.c.document == bindparam("document")).order_by(_t.c.id)
)
_WAITING = Prepared(
    select(_t)
    .where(_t.c.state == "waiting", _t.c.id > bindparam("after"))
    .order_by(_t.c.id)
    .limit(bindparam("most", type_=Integer))
)
_CHANGE = Prepared(_t.update().where(_t.c.id == bindparam("row"), _t.c.state == bindparam("was")), chosen=True)


def plan(
    tx: Tx,
    *,
    tenant: str,
    document: str,
    kind: str,
    number: str | None,
    body: bytes | None = None,
    receiver: str | None = None,
) -> Transmission:
    """Keep the intention to send a document, with an instance of its own."""
    id = new_id()
    row: dict[str, Any] = {
        "id": id,
        "tenant": tenant,
        "document": document,
        "kind": kind,
        "instance": str(uuid.uuid4()),
        "number": number,
        "receiver": receiver,
        "connection": None,
        "vendor_id": None,
        "state": WAITING,
        "created": tx.now,
        "changed": tx.now,
    }
    tx.run(_INSERT, row | {"body": tx.seal("transmissions.body", id, body), "said": None})
    return Transmission(**row, said=None, body=body)


def get(tx: Tx, tenant: str, id: str) -> Transmission:
    """One of the tenant's. Raises `Missing` (`transmission-not-found`)."""
    row = tx.row(_GET, {"id": id})
    if row is None or row.tenant != tenant:
        raise Missing(f"There is no transmission {id}.", code="transmission-not-found", where={"transmission": id})
    return _transmission(tx, row)


def by_instance(tx: Tx, instance: str) -> Transmission | None:
    """The one with this InstanceIdentifier, whosever it is."""
    row = tx.row(_INSTANCE, {"instance": instance})
    return None if row is None else _transmission(tx, row)


def by_vendor_id(tx: Tx, connection: str, vendor_id: str) -> Transmission | None:
    """The one that an access point calls so."""
    row = tx.row(_VENDOR, {"connection": connection, "vendor_id": vendor_id})
    return None if row is None else _transmission(tx, row)


def of_document(tx: Tx, tenant: str, document: str) -> list[Transmission]:
    """All of a document, the first one first."""
    return [_transmission(tx, row) for row in tx.rows(_OF, {"tenant": tenant, "document": document})]


def waiting(tx: Tx, *, after: str = "", most: int = 500) -> list[Transmission]:
    """Those that no access point has taken, by id; `after`: the id of the last one seen."""
    return [_transmission(tx, row) for row in tx.rows(_WAITING, {"after": after, "most": most})]


def change(tx: Tx, there: Transmission, **changes: Any) -> None:
    """Change columns of one. Raises `Moved` where its state is not any more what it was when it was read, and
    `RuntimeError` where the new state does not follow.
    """
    state = changes.get("state", there.state)
    if state != there.state and state not in MOVES[there.state]:
        raise RuntimeError(f"no way from {there.state} to {state}")
    if "said" in changes:
        changes["said"] = tx.seal_json("transmissions.said", there.id, changes["said"])
    if "body" in changes:
        changes["body"] = tx.seal("transmissions.body", there.id, changes["body"])
    if tx.run(_CHANGE, {**changes, "changed": tx.now, "row": there.id, "was": there.state}) != 1:
        raise Moved


def _transmission(tx: Tx, row: Any) -> Transmission:
    fields = row._asdict()
    fields["said"] = tx.unseal_json("transmissions.said", row.id, row.said)
    fields["body"] = tx.unseal("transmissions.body", row.id, row.body)
    return Transmission(**fields)
