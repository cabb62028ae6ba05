"""Follow what was decided: each line once, in small transactions, so that it goes on where it was broken off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.lanes import replay
from connector.store import Store, Tx, arrivals, documents, first_sync, links
from connector.store.first_sync import Row
from connector.store.kept import record_of
from connector.sync import effects
from connector.sync.arriving import arrive
from connector.sync.first_sync import status
from connector.sync.plan import ask
from connector.sync.spokes import Spoke, Spokes

BATCH = 20
"""Lines that are begun in one transaction."""


async def carry_out(
    store: Store, spokes: Spokes, spoke: Spoke, *, who: str, told: Callable[[int], object] = lambda begun: None
) -> None:
    """Begin every line that is decided and not begun; doing it again goes on where it stopped.

    What is to be made in a connection that only observes is made when it is cut over. `told` hears how many lines have
    been begun by one transaction.
    """
    for kind in status.KINDS:
        after: str | None = None
        while True:
            begun, last = await store.write(lambda tx, k=kind, a=after: _some(tx, spokes, spoke, k, a))  # type: ignore[misc]
            if last is None:
                break
            after = last
            told(begun)
    await store.write(lambda tx: _over(tx, spoke, who))


def _some(tx: Tx, spokes: Spokes, spoke: Spoke, kind: str, after: str | None) -> tuple[int, str | None]:
    rows = first_sync.find(tx, spoke.id, state="decided", kind=kind, after=after, limit=BATCH)
    for row in rows:
        _begin(tx, spoke, row)
    return len(rows), rows[-1].id if rows else None


def _begin(tx: Tx, spoke: Spoke, row: Row) -> None:
    if row.action == "leave":
        first_sync.change(tx, row.id, state="done")
    elif row.vendor_id is not None:
        id, new = arrive(tx, spoke, record_of(row.record, row.kind))
        first_sync.change(tx, row.id, state="asked")
        if not new and arrivals.get(tx, spoke.tenant, id).state != "queued":
            replay(tx, spoke.tenant, id, who="first sync")
    elif make(tx, spoke, row):
        first_sync.change(tx, row.id, state="asked")


def make(tx: Tx, spoke: Spoke, row: Row) -> bool:
    """Have a document of ours made there, after what it refers to; False where the connection only observes."""
    document = documents.get(tx, spoke.tenant, row.document or "")
    if links.of(tx, document.id, spoke.id) is not None or effects.live(tx, spoke, document.id):
        return True
    return bool(ask(tx, spoke, document))


def catch_up(tx: Tx, spoke: Spoke, after: str | None = None) -> tuple[int, str | None]:
    """Have made what was decided while the connection only observed, so many rows of it; how many were, and after which
    row it goes on, None where it is over. A row that was begun is none of those that wait.
    """
    rows = first_sync.find(tx, spoke.id, state="decided", action="create", after=after, limit=BATCH)
    made = 0
    for row in rows:
        if row.vendor_id is None and make(tx, spoke, row):
            first_sync.change(tx, row.id, state="asked")
            made += 1
    return made, rows[-1].id if rows else None


def _over(tx: Tx, spoke: Spoke, who: str) -> None:
    entry = status.of(tx, spoke.id)
    if entry is not None and entry.state == status.APPLYING:
        status.note(tx, spoke, status.APPLIED, who=who)
        data: dict[str, Any] = {"connection": spoke.name, **entry.details.get("counts", {})}
        tx.emit(spoke.tenant, "connection.joined", connection=spoke.id, data=data)
