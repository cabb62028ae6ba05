"""Read what changed in a system: polls, hints and the nightly full comparison. Vendor calls first, then one write."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from connector.lanes import Found, Work, replay
from connector.model.json import dumps, loads
from connector.ports import Kind, Page, Record
from connector.store import Store, Tx, arrivals, connections, links, new_id, work
from connector.store.work import Turn
from connector.sync import vanished
from connector.sync.arriving import arrive
from connector.sync.spokes import Spoke, Spokes

POLL, HINT, SWEEP = "poll", "hint", "sweep"
_BEGINNING: dict[str, Any] = {"cursor": None, "read": 0, "missed": 0}


def poll(tx: Tx, spoke: Spoke, kind: Kind) -> str:
    """Have the next changes of a kind read; asked for twice, it is read once."""
    return _submit(tx, spoke, POLL, Turn.POLL, kind, f"{POLL}:{spoke.id}:{kind}")


def hint(tx: Tx, spoke: Spoke, kind: Kind, vendor_id: str) -> str:
    """Have one record read because somebody said that it changed."""
    return _submit(tx, spoke, HINT, Turn.HINT, kind, f"{HINT}:{spoke.id}:{kind}:{vendor_id}", id=vendor_id)


def sweep(tx: Tx, spoke: Spoke, kind: Kind) -> str:
    """Have everything of a kind compared with what we hold."""
    return _submit(tx, spoke, SWEEP, Turn.SWEEP, kind, f"{SWEEP}:{spoke.id}:{kind}")


def _submit(tx: Tx, spoke: Spoke, what: str, turn: Turn, kind: Kind, coalesce: str, **task: Any) -> str:
    return work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=turn,
        kind=what,
        connection=spoke.id,
        task={"kind": kind, **task},
        coalesce=coalesce,
    )


class Poll:
    """Reads the next page of changes; records and cursor are kept in one transaction."""

    def __init__(self, store: Store, spokes: Spokes) -> None:
        self.store = store
        self.spokes = spokes

    async def read(self, work: Work) -> Found:
        """One page."""
        spoke = self.spokes.spoke(work.connection or "")
        kind = Kind(work.task["kind"])
        cursor = await self.store.read(lambda tx: connections.cursor(tx, spoke.id, kind))
        if cursor is None:
            cursor = await spoke.accounting.begin(kind, spoke.start)
        page = await spoke.accounting.changes(kind, cursor)
        return Found(lambda tx: _keep(tx, spoke, kind, page), again=page.more)


class Hint:
    """Reads one record that somebody said has changed."""

    def __init__(self, store: Store, spokes: Spokes) -> None:
        self.store = store
        self.spokes = spokes

    async def read(self, work: Work) -> Found:
        """One record; one that is not there is looked for a second time."""
        spoke, kind = self.spokes.spoke(work.connection or ""), Kind(work.task["kind"])
        record = await spoke.accounting.read(kind, work.task["id"])

        def write(tx: Tx) -> None:
            if record is not None:
                _again(tx, spoke, record)
            elif links.by_vendor_id(tx, spoke.id, kind, work.task["id"]) is not None:
                vanished.look_again(tx, spoke, kind, work.task["id"])

        return Found(write)


def _again(tx: Tx, spoke: Spoke, record: Record) -> None:
    """Keep it, and have it handled once more where it was and its document has not come to terms with it."""
    id, new = arrive(tx, spoke, record)
    link = None if new else links.by_vendor_id(tx, spoke.id, record.kind, record.id)
    changed = link is not None and link.vendor_version != record.version
    if changed and arrivals.get(tx, spoke.tenant, id).state == "handled":
        replay(tx, spoke.tenant, id, who="connector")


class Sweep:
    """The full comparison: reads everything and keeps what polls and webhooks missed, with a count for the report."""

    def __init__(self, store: Store, spokes: Spokes) -> None:
        self.store = store
        self.spokes = spokes

    async def read(self, work: Work) -> Found:
        """One page of it; where it stands is kept like a cursor."""
        spoke = self.spokes.spoke(work.connection or "")
        kind = Kind(work.task["kind"])
        name = f"{SWEEP}:{kind}"
        kept = await self.store.read(lambda tx: connections.cursor(tx, spoke.id, name))
        at: dict[str, Any] = loads(kept.encode()) if kept else dict(_BEGINNING)
        until = date.fromisoformat(at["until"]) if at.get("until") else self.store.clock().date() + timedelta(days=1)
        page = await spoke.accounting.sweep(kind, spoke.start, until, at["cursor"])
        run = at.get("run") or {"id": new_id(), "began": self.store.clock().isoformat(), "blind": False}
        run = run | {"blind": run["blind"] or page.blind}

        def write(tx: Tx) -> None:
            vanished.seen(tx, spoke, kind, run["id"], page)
            missed = at["missed"]
            for record in unknown(tx, spoke, page):
                _, new = arrive(tx, spoke, record)
                missed += new
            read = at["read"] + len(page.records)
            if page.more:
                going = {"cursor": page.cursor, "read": read, "missed": missed, "until": until.isoformat(), "run": run}
                connections.put_cursor(tx, spoke.id, name, dumps(going).decode())
            else:
                connections.put_cursor(tx, spoke.id, name, dumps(_BEGINNING).decode())
                if not run["blind"]:
                    vanished.ended(tx, spoke, kind, run["id"], datetime.fromisoformat(run["began"]), read=read)
                tx.emit(
                    spoke.tenant,
                    "connection.compared",
                    connection=spoke.id,
                    data={"connection": spoke.name, "kind": kind, "read": read, "missed": missed},
                )

        return Found(write, again=page.more)


def _keep(tx: Tx, spoke: Spoke, kind: Kind, page: Page) -> None:
    # Cursors overlap, and what we made ourselves comes back: what is here in this version says nothing new.
    for record in unknown(tx, spoke, page):
        arrive(tx, spoke, record)
    connections.put_cursor(tx, spoke.id, kind, page.cursor)


def unknown(tx: Tx, spoke: Spoke, page: Page) -> list[Record]:
    """The records of a page that are not here in this version."""
    known = {
        (kind, id): version
        for kind in {record.kind for record in page.records}
        for id, version in links.versions(
            tx, spoke.id, kind, [record.id for record in page.records if record.kind == kind]
        ).items()
    }
    return [record for record in page.records if known.get((record.kind, record.id)) != record.version]
