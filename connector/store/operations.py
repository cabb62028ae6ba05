"""Operations: what became of a command that was answered with 202."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connector.errors import Missing
from connector.store import schema
from connector.store.schema import new_id
from connector.store.states import OPERATION, check
from connector.store.tx import Tx

_t = schema.operations


@dataclass(frozen=True, slots=True)
class Operation:
    """A command's life; see `states.OPERATION`. `result` is the proof, the reason or what it waits for."""

    id: str
    tenant: str
    kind: str
    state: str
    created: datetime
    changed: datetime
    arrival: str | None = None
    document: str | None = None
    work: str | None = None
    result: Any = None


def accept(
    tx: Tx, *, tenant: str, kind: str, arrival: str | None = None, document: str | None = None, work: str | None = None
) -> Operation:
    """A new operation in the state `accepted`."""
    row = {
        "id": new_id(),
        "tenant": tenant,
        "kind": kind,
        "state": "accepted",
        "arrival": arrival,
        "document": document,
        "work": work,
        "created": tx.now,
        "changed": tx.now,
    }
    tx.execute(_t.insert(), row)
    return Operation(**row)  # type: ignore[arg-type]


def get(tx: Tx, tenant: str, id: str) -> Operation:
    """One operation.

    Raises:
        Missing: there is none (or it is another tenant's).
    """
    row = tx.execute(select(_t).where(_t.c.id == id, _t.c.tenant == tenant)).one_or_none()
    if row is None:
        raise Missing(f"There is no operation {id}.", code="operation-not-found", where={"operation": id})
    return _operation(tx, row)


def find(
    tx: Tx, *, arrival: str | None = None, document: str | None = None, work: str | None = None, live: bool = True
) -> list[Operation]:
    """Operations about an arrival, a document or a work, oldest first; with `live` only those that are not over."""
    query = select(_t)
    for column, value in ((_t.c.arrival, arrival), (_t.c.document, document), (_t.c.work, work)):
        if value is not None:
            query = query.where(column == value)
    if live:
        query = query.where(_t.c.state.in_(("accepted", "waiting")))
    return [_operation(tx, row) for row in tx.execute(query.order_by(_t.c.id))]


def move(tx: Tx, operation: Operation, to: str, *, result: Any = None, **about: str) -> None:
    """Bring an operation into another state; `about` may set `document` and `work`."""
    if to != operation.state:
        check(OPERATION, operation.state, to)
    values: dict[str, Any] = {"state": to, "changed": tx.now} | about
    if result is not None:
        values["result"] = tx.seal_json("operations.result", operation.id, result)
    tx.execute(_t.update().where(_t.c.id == operation.id).values(**values))


def _operation(tx: Tx, row: Any) -> Operation:
    return Operation(**(dict(row._mapping) | {"result": tx.unseal_json("operations.result", row.id, row.result)}))
