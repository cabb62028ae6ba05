"""The command that a program follows: it waits while a work of its document waits for a person, and ends with the last
of them: a payment over several invoices is a work for each, in every system.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.store import Tx, operations
from connector.store import work as works
from connector.store.operations import Operation
from connector.store.work import Work

LIVE = ("blocked", "queued", "running", "unknown", "parked")
"""States of work that is not over."""


def of(tx: Tx, work: Work) -> list[Operation]:
    """The operations that follow a work, or the document that it is about."""
    found = operations.find(tx, work=work.id)
    return found if found or work.document is None else operations.find(tx, document=work.document)


def others(tx: Tx, work: Work) -> Sequence[Work]:
    """The other works of its document that are not over."""
    if work.document is None:
        return ()
    tx.settle()
    live = works.find(tx, tenant=work.tenant, document=work.document, state=LIVE)
    return [one for one in live if one.id != work.id]


def waits(tx: Tx, work: Work, reason: Any) -> None:
    """It waits for a person."""
    for operation in of(tx, work):
        operations.move(tx, operation, "waiting", result=reason)


def goes_on(tx: Tx, work: Work) -> None:
    """A person has answered; it waits no more, unless for another."""
    for operation in of(tx, work):
        _as_the_others(tx, operation, others(tx, work))


def cancelled(tx: Tx, work: Work) -> None:
    """It shall not be done: with the last of its works the command is rejected."""
    for operation in of(tx, work):
        left = others(tx, work)
        if left:
            _as_the_others(tx, operation, left)
        else:
            operations.move(tx, operation, "rejected", result=work.error)


def done(tx: Tx, work: Work, result: Any) -> None:
    """It is done: with the last of its works the command is, but for what was cancelled of it."""
    for operation in operations.find(tx, document=work.document):
        left = others(tx, work)
        if left:
            _as_the_others(tx, operation, left)
            continue
        not_done = _cancelled(tx, work)
        if not_done:
            operations.move(tx, operation, "rejected", result={**result, "cancelled": [one.error for one in not_done]})
        else:
            operations.move(tx, operation, "done", result=result)


def _as_the_others(tx: Tx, operation: Operation, left: Sequence[Work]) -> None:
    to = "waiting" if any(one.state == "parked" for one in left) else "accepted"
    operations.move(tx, operation, to)


def _cancelled(tx: Tx, work: Work) -> list[Work]:
    """What was cancelled of the document, and not done in another way since."""
    found = works.find(tx, tenant=work.tenant, document=work.document, state=("cancelled", "done"))
    last = {(one.kind, one.connection, str(one.task)): one for one in found if one.id != work.id}
    last.pop((work.kind, work.connection, str(work.task)), None)
    return [one for one in last.values() if one.state == "cancelled" and one.kind == work.kind]
