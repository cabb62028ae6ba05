"""Versions of a connection's mapping: what was said in them, which one is in force, and who put it there.

A version is known by its content hash and kept with the text of every layer, sealed. Which one holds is the newest row
of a log that only grows, one for each connection: applied for the first time, applied, rolled back. Each row names the
row that a rollback from it returns to, so that rolling back twice goes back twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint, func, select

from connector.errors import BadInput, Missing
from connector.store import schema
from connector.store.schema import Moment, metadata, new_id
from connector.store.sql import upsert
from connector.store.tx import Tx

_versions = Table(
    "mapping_versions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, ForeignKey("connections.id"), nullable=False),
    Column("version", Text, nullable=False),
    Column("layers", LargeBinary, nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("connection", "version"),
)

_applied = Table(
    "mapping_applied",
    metadata,
    Column("connection", Text, ForeignKey("connections.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("tenant", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("before", Integer),  # the row that a rollback returns to
    Column("did", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

schema.SEALED["mapping_versions"] = ("layers",)

Did = Literal["first", "apply", "rollback"]
"""How a version came into force; `first`: nothing had been applied, so what the files said was taken."""

TOPIC = "mappings"
"""What the store's bell rings when another version is in force."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of the log: this version was put in force by `who`. `before`: the row that a rollback returns to."""

    connection: str
    seq: int
    tenant: str
    version: str
    before: int | None
    did: Did
    who: str
    at: datetime


_INSERT = upsert(_versions, lambda insert: insert.on_conflict_do_nothing(index_elements=["connection", "version"]))


def keep(tx: Tx, *, tenant: str, connection: str, version: str, layers: Sequence[Any]) -> None:
    """Keep what a version says (its layers, JSON-able, lowest first); one that is kept already stays as it is."""
    id = new_id()
    sealed = tx.seal_json("mapping_versions.layers", id, list(layers))
    row = {"id": id, "tenant": tenant, "connection": connection, "version": version}
    tx.run(_INSERT, row | {"layers": sealed, "created": tx.now})


def layers(tx: Tx, connection: str, version: str) -> list[Any]:
    """The layers of a version, as they were kept. Raises `Missing` (`mapping-version-unknown`)."""
    query = select(_versions).where(_versions.c.connection == connection, _versions.c.version == version)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise Missing(
            f"No version {version} of this mapping is kept.",
            code="mapping-version-unknown",
            do="See which there are: connector mappings versions.",
            where={"connection": connection, "version": version},
        )
    said: list[Any] = tx.unseal_json("mapping_versions.layers", row.id, row.layers)
    return said


def known(tx: Tx, connection: str, beginning: str) -> list[str]:
    """Versions of a connection's mapping that are kept and whose hash begins so, oldest first."""
    query = select(_versions.c.version).where(
        _versions.c.connection == connection, _versions.c.version.startswith(beginning, autoescape=True)
    )
    return list(tx.execute(query.order_by(_versions.c.id)).scalars())


def in_force(tx: Tx, connection: str) -> Applied | None:
    """What holds for a connection now; None where nothing was ever applied."""
    query = select(_applied).where(_applied.c.connection == connection)
    row = tx.execute(query.order_by(_applied.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Applied(**row._asdict())


_newest = (
    select(_applied.c.connection, func.max(_applied.c.seq).label("seq")).group_by(_applied.c.connection).subquery()
)
IN_FORCE = select(_applied.c.connection, _applied.c.version).join(
    _newest, (_newest.c.connection == _applied.c.connection) & (_newest.c.seq == _applied.c.seq)
)
"""The version that holds of every connection."""


def all_in_force(tx: Tx) -> dict[str, str]:
    """The version that holds, by connection."""
    return {row.connection: row.version for row in tx.execute(IN_FORCE)}


def history(tx: Tx, connection: str) -> list[Applied]:
    """The whole log of a connection, newest first."""
    query = select(_applied).where(_applied.c.connection == connection).order_by(_applied.c.seq.desc())
    return [Applied(**row._asdict()) for row in tx.execute(query)]


def apply(tx: Tx, *, tenant: str, connection: str, version: str, who: str, did: Did = "apply") -> Applied:
    """Put a version that is kept in force; the one that holds already stays."""
    now = _locked(tx, connection)
    if now is not None and now.version == version:
        return now
    layers(tx, connection, version)
    return _put(tx, tenant, connection, version, now, now.seq if now else None, did, who)


def before(tx: Tx, connection: str, to: str | None = None) -> Applied:
    """The row that a rollback returns to: what held before the version that holds, or the version whose hash begins so.

    Raises:
        BadInput: there is none before it (`mapping-nothing-before`), it holds already (`mapping-in-force`), or several
            begin so (`mapping-version-unclear`).
        Missing: `to` was never in force (`mapping-version-unknown`).
    """
    rows = history(tx, connection)
    now = rows[0] if rows else None
    if to is None:
        target = next((row for row in rows if now is not None and row.seq == now.before), None)
        if target is None:
            raise BadInput(
                "No other version was in force before this one.",
                code="mapping-nothing-before",
                do="See what has been applied: connector mappings versions.",
                where={"connection": connection},
            )
        return target
    fitting = [row for row in rows if row.version.startswith(to)]
    if not fitting:
        raise Missing(
            f"The version {to} was never in force here.",
            code="mapping-version-unknown",
            do="See which there are: connector mappings versions.",
            where={"connection": connection, "version": to},
        )
    if len({row.version for row in fitting}) > 1:
        raise BadInput(
            f"Several versions begin with {to}.", code="mapping-version-unclear", do="Give more of the hash."
        )
    if now is not None and fitting[0].version == now.version:
        raise BadInput(f"The version {now.version} is in force already.", code="mapping-in-force")
    return fitting[0]


def rollback(tx: Tx, target: Applied, *, who: str) -> Applied:
    """Return to what an earlier row put in force."""
    now = _locked(tx, target.connection)
    return _put(tx, target.tenant, target.connection, target.version, now, target.before, "rollback", who)


def _locked(tx: Tx, connection: str) -> Applied | None:
    """What holds now; nobody else changes it before the transaction ends."""
    query = select(schema.connections.c.id).where(schema.connections.c.id == connection)
    tx.execute(query.with_for_update() if tx.postgres else query)
    return in_force(tx, connection)


def _put(
    tx: Tx, tenant: str, connection: str, version: str, now: Applied | None, before: int | None, did: Did, who: str
) -> Applied:
    made = Applied(connection, (now.seq if now else 0) + 1, tenant, version, before, did, who, tx.now)
    tx.execute(_applied.insert(), {name: getattr(made, name) for name in Applied.__dataclass_fields__})
    tx.ring(TOPIC)
    return made
