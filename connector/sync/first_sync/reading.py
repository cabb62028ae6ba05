"""Read everything of a ledger that is not known here, in its lane, and keep it apart: no document is made of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from connector.lanes import Found, Work
from connector.model.json import dumps, loads
from connector.ports import Kind, Receivables, Record
from connector.store import Tx, connections, first_sync, links, new_id
from connector.store.kept import kept
from connector.sync.asking import ask_read
from connector.sync.first_sync import status
from connector.sync.reads import check_company
from connector.sync.same_books import opened
from connector.sync.spokes import Handler, Spoke

READ = "first-sync"
"""Kind of the work that reads; and the name under which it is kept how far it is."""
COUNT = "first-sync-count"
"""Kind of the work that reads what customers owe when it is over."""


def begin(tx: Tx, spoke: Spoke, *, who: str) -> None:
    """Have everything read; what was read before and not decided is read anew."""
    first_sync.forget_undecided(tx, spoke.id)
    run = new_id()
    kinds = [reading.kind.value for reading in spoke.followed if reading.kind.value in status.KINDS]
    at: dict[str, Any] = {"run": run, "kinds": kinds, "cursor": None, "read": {}, "blind": []}
    connections.put_cursor(tx, spoke.id, READ, dumps(at).decode())
    status.note(tx, spoke, status.OPEN, who=who)
    ask_read(tx, spoke, READ)


def count(tx: Tx, spoke: Spoke) -> None:
    """Have what customers owe read again, now that everything is followed."""
    ask_read(tx, spoke, COUNT)


class Count(Handler):
    """Reads what customers owe by the ledger's account, after a first sync (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """Both figures."""
        spoke = self.spoke(work)
        owed = await spoke.accounting.receivables()

        def write(tx: Tx) -> None:
            entry = status.of(tx, spoke.id)
            if entry is not None:
                status.note(tx, spoke, entry.state, who=entry.who, after=shown(owed))

        return Found(write)


def progress(tx: Tx, spoke: Spoke) -> dict[str, int]:
    """How many records have been read, by kind."""
    return dict(_at(tx, spoke)["read"])


def _at(tx: Tx, spoke: Spoke) -> dict[str, Any]:
    kept_at = connections.cursor(tx, spoke.id, READ)
    return loads(kept_at) if kept_at else {"run": "", "kinds": [], "cursor": None, "read": {}, "blind": []}


class FirstRead(Handler):
    """Reads a page; when all kinds are read, what customers owe by the ledger's account (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """One page."""
        spoke = self.spoke(work)
        at = await self.store.read(lambda tx: _at(tx, spoke))
        if not at["kinds"]:
            owed = await spoke.accounting.receivables()
            return Found(lambda tx: _over(tx, spoke, at, owed))
        if not at["read"] and at["cursor"] is None:
            there = await check_company(spoke, self.spokes)
            await self.store.write(lambda tx: opened(tx, self.spokes, spoke, there))
        kind = Kind(at["kinds"][0])
        until = date.fromisoformat(at["until"]) if at.get("until") else self.store.clock().date() + timedelta(days=1)
        page = await spoke.accounting.sweep(kind, spoke.start, until, at["cursor"])
        going: dict[str, Any] = at | {"cursor": page.cursor, "until": until.isoformat()}
        going["read"] = at["read"] | {kind.value: at["read"].get(kind.value, 0) + len(page.records)}
        if page.blind:
            going["blind"] = [*at["blind"], kind.value]
        if not page.more:
            going |= {"kinds": at["kinds"][1:], "cursor": None}

        def write(tx: Tx) -> None:
            if _at(tx, spoke)["run"] != at["run"]:  # begun anew meanwhile
                return
            for record in page.records:
                _keep(tx, spoke, record)
            connections.put_cursor(tx, spoke.id, READ, dumps(going).decode())

        return Found(write, again=True)


def _keep(tx: Tx, spoke: Spoke, record: Record) -> None:
    if links.by_vendor_id(tx, spoke.id, record.kind, record.id) is not None:
        return
    there = first_sync.of_record(tx, spoke.id, record.kind, record.id)
    if there is not None and there.state == "asked":
        return
    first_sync.keep(tx, spoke.tenant, spoke.id, record.kind.value, record.id, kept(record))


def _over(tx: Tx, spoke: Spoke, at: dict[str, Any], owed: Receivables | None) -> None:
    entry = status.of(tx, spoke.id)
    if entry is None or entry.state != status.OPEN or _at(tx, spoke)["run"] != at["run"]:
        return
    status.note(tx, spoke, status.READ, who=entry.who, read=at["read"], blind=at["blind"], before=shown(owed))


def shown(owed: Receivables | None) -> dict[str, Any] | None:
    """What customers owe, JSON-able."""
    if owed is None:
        return None
    opened = {id: str(amount) for id, amount in owed.open.items()}
    return {"account": str(owed.account), "open": opened, "loose": str(owed.loose)}
