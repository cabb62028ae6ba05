"""Operations: what became of a command that was answered with 202."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from connector.errors import Missing
from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.sql import one_of
from connector.store.states import OPERATION, check
from connector.store.tx import Tx

_t = schema.operations
_INSERT = Prepared(_t.insert())
_CHANGE = Prepared(_t.update().where(_t.c.id == bindparam("row")), chosen=True)
_GET = Prepared(select(_t).where(_t.c.id == bindparam("id"), _t.c.tenant == bindparam("tenant")))


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
    tx.run(_INSERT, row)
    return Operation(**row)  # type: ignore[arg-type]


def get(tx: Tx, tenant: str, id: str) -> Operation:
    """One operation.

    Raises:
        Missing: there is none (or it is another tenant's).
    """
    row = tx.row(_GET, {"id": id, "tenant": tenant})
    if row is None:
        raise Missing(f"There is no operation {id}.", code="operation-not-found", where={"operation": id})
    return _operation(tx, row)


def find(
    tx: Tx, *, arrival: str | None = None, document: str | None = None, work: str | None = None, live: bool = True
) -> list[Operation]:
    """Operations about an arrival, a document or a work, oldest first; with `live` only those that are not over."""
    given = {"arrival": arrival, "document": document, "work": work}
    given = {name: value for name, value in given.items() if value is not None}
    return [_operation(tx, row) for row in tx.rows(_found_by(*given, live=live), given)]


@functools.cache
def _found_by(*names: str, live: bool) -> Prepared:
    query = select(_t).where(*(_t.c[name] == bindparam(name) for name in names)).order_by(_t.c.id)
    return Prepared(query.where(one_of(_t.c.state, ("accepted", "waiting"))) if live else query)


def move(tx: Tx, operation: Operation, to: str, *, result: Any = None, **about: str) -> None:
    """Bring an operation into another state; `about` may set `document` and `work`."""
    if to != operation.state:
        check(OPERATION, operation.state, to)
    values: dict[str, Any] = {"state": to, "changed": tx.now} | about
    if result is not None:
        values["result"] = tx.seal_json("operations.result", operation.id, result)
    tx.run(_CHANGE, values | {"row": operation.id})


def _operation(tx: Tx, row: Any) -> Operation:
    return Operation(**(row._asdict() | {"result": tx.unseal_json("operations.result", row.id, row.result)}))
