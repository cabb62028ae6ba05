"""Onboarding: which steps of a connection's checklist are done, who said so, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, Text, UniqueConstraint, delete, select

from connector.store.schema import SEALED, Moment, metadata, new_id
from connector.store.tx import Tx

_t = Table(
    "onboarding",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("details", LargeBinary),
    Column("at", Moment, nullable=False),
    UniqueConstraint("connection", "step"),
)
SEALED["onboarding"] = ("details",)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one step: `state` in the step's own words, `details` JSON-able."""

    step: str
    state: str
    who: str
    at: datetime
    details: Any = None


def put(tx: Tx, tenant: str, connection: str, step: str, state: str, *, who: str, details: Any = None) -> None:
    """Note how a step stands now; what was noted of it before is replaced."""
    there = tx.execute(select(_t.c.id).where(_t.c.connection == connection, _t.c.step == step)).scalar_one_or_none()
    id = there or new_id()
    values = {"state": state, "who": who, "at": tx.now, "details": tx.seal_json("onboarding.details", id, details)}
    if there is not None:
        tx.execute(_t.update().where(_t.c.id == id).values(**values))
    else:
        tx.execute(_t.insert(), {"id": id, "tenant": tenant, "connection": connection, "step": step, **values})


def get(tx: Tx, connection: str, step: str) -> Entry | None:
    """How a step stands; None where nothing has been noted."""
    row = tx.execute(select(_t).where(_t.c.connection == connection, _t.c.step == step)).one_or_none()
    return None if row is None else _entry(tx, row)


def state(tx: Tx, connection: str, step: str) -> str | None:
    """In which state a step stands, without its details, which may be large."""
    query = select(_t.c.state).where(_t.c.connection == connection, _t.c.step == step)
    found: str | None = tx.execute(query).scalar_one_or_none()
    return found


def states(tx: Tx, connection: str) -> dict[str, str]:
    """The states of all steps that something has been noted of, without their details."""
    rows = tx.execute(select(_t.c.step, _t.c.state).where(_t.c.connection == connection))
    return {row.step: row.state for row in rows}


def every(tx: Tx, connection: str) -> dict[str, Entry]:
    """All that has been noted of a connection, by step."""
    rows = tx.execute(select(_t).where(_t.c.connection == connection))
    return {row.step: _entry(tx, row) for row in rows}


def _entry(tx: Tx, row: Any) -> Entry:
    return Entry(row.step, row.state, row.who, row.at, tx.unseal_json("onboarding.details", row.id, row.details))


def drop(tx: Tx, connection: str, step: str) -> bool:
    """Take back what was noted of a step. False when nothing was."""
    return tx.execute(delete(_t).where(_t.c.connection == connection, _t.c.step == step)).rowcount == 1
