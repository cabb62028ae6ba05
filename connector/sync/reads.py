"""Read what changed in a system: polls, hints and the nightly full comparison. Vendor calls first, then one write."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from connector.errors import NeedsPerson
from connector.lanes import Found, Work, replay
from connector.model import OrganisationNumber
from connector.model.json import dumps, loads
from connector.ports import Company, Kind, Page, Record
from connector.store import Store, Tx, arrivals, connections, links, new_id, work
from connector.store.work import Turn
from connector.sync import bulk, matches, vanished
from connector.sync.arriving import arrive
from connector.sync.comparison import Comparison, finished
from connector.sync.first_sync import status
from connector.sync.ledger_facts import ask_control, control_wanted
from connector.sync.same_books import opened
from connector.sync.spokes import Handler, Spoke, Spokes

POLL, HINT, SWEEP = "poll", "hint", "sweep"


def poll(tx: Tx, spoke: Spoke, kind: Kind, *, not_before: datetime | None = None) -> str:
    """Have the next changes of a kind read; asked for twice, it is read once."""
    return _submit(tx, spoke, POLL, Turn.POLL, kind, _key(POLL, spoke, kind), not_before)


def hint(tx: Tx, spoke: Spoke, kind: Kind, vendor_id: str) -> str:
    """Have one record read because somebody said that it changed."""
    return _submit(tx, spoke, HINT, Turn.HINT, kind, f"{_key(HINT, spoke, kind)}:{vendor_id}", id=vendor_id)


def sweep(tx: Tx, spoke: Spoke, kind: Kind, *, not_before: datetime | None = None) -> str:
    """Have everything of a kind compared with what we hold."""
    return _submit(tx, spoke, SWEEP, Turn.SWEEP, kind, _key(SWEEP, spoke, kind), not_before)


def compare(tx: Tx, spoke: Spoke) -> Sequence[Kind]:
    """Have everything compared whose change tracking has holes; the kinds, in the order they are read."""
    kinds = [reading.kind for reading in spoke.followed if reading.holes]
    for kind in kinds:
        sweep(tx, spoke, kind)
    return kinds


def _key(what: str, spoke: Spoke, kind: Kind) -> str:
    return f"{what}:{spoke.id}:{kind}"


def _submit(
    tx: Tx,
    spoke: Spoke,
    what: str,
    turn: Turn,
    kind: Kind,
    coalesce: str,
    not_before: datetime | None = None,
    **task: Any,
) -> str:
    return work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=turn,
        kind=what,
        connection=spoke.id,
        task={"kind": kind, **task},
        not_before=not_before,
        coalesce=coalesce,
    )


def _goes_first(tx: Tx, spoke: Spoke, what: str, kind: Kind) -> bool:
    """Whether kinds that this one refers to are being read in the same way: then it waits for them, also where they
    wait for their own turn.
    """
    after = next((reading.after for reading in spoke.accounting.readings if reading.kind == kind), ())
    dues = (work.due_of(tx, spoke.lane, _key(what, spoke, other)) for other in after)
    soon = tx.now + timedelta(seconds=5 * _PAUSE)
    return any(due is not None and due <= soon for due in dues)


_PAUSE = 0.2
"""Seconds until it is looked again whose turn it is."""
_IN_TURN = Found(lambda tx: None, again=True, after=_PAUSE)
_RESTS = Found(lambda tx: None)


def _not_now(tx: Tx, spoke: Spoke, what: str, kind: Kind) -> Found | None:
    """Why this is not read now: the connection's first sync is not decided, or other kinds go first."""
    if status.rests(tx, spoke.id):
        return _RESTS
    return _IN_TURN if _goes_first(tx, spoke, what, kind) else None


async def check_company(spoke: Spoke, spokes: Spokes) -> Company:
    """Whether these are the tenant's own books: asked before anything of them is kept.

    Raises:
        NeedsPerson: another company's (`company-differs`); where either number is not known, nothing can be said.
    """
    tenant, there = spokes.tenant(spoke.tenant), await spoke.accounting.company()
    ours, theirs = tenant.organisation_number, there.organisation_number
    if ours is None or theirs is None or not OrganisationNumber.valid(theirs) or ours == theirs:
        return there
    raise NeedsPerson(
        f"{spoke.name} opens the books of {there.name} ({theirs}); {tenant.title} has organisation number {ours}.",
        code="company-differs",
        do=f"Name the right company, or other secrets, for `{spoke.name}` in {tenant.file}; then start again and resume"
        " the connection.",
        where={"connection": spoke.name, "file": tenant.file},
        details={"company": there.id, "name": there.name, "organisation_number": theirs},
    )


class Poll(Handler):
    """Reads the next page of changes; records and cursor are kept in one transaction."""

    def __init__(self, store: Store, spokes: Spokes) -> None:
        super().__init__(store, spokes)
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._own: set[str] = set()

    async def read(self, work: Work) -> Found:
        """One page."""
        spoke = self.spoke(work)
        kind = Kind(work.task["kind"])
        if (later := await self.store.read(lambda tx: _not_now(tx, spoke, POLL, kind))) is not None:
            return later
        cursor, nothing_read = await self.store.read(lambda tx: _cursor(tx, spoke, kind))
        if nothing_read:
            await self._own_books(spoke)
        if cursor is None:
            cursor = await spoke.accounting.begin(kind, spoke.start)
        began = self.store.clock()
        page = await spoke.accounting.changes(kind, cursor)
        before = await self.store.read(lambda tx: bulk.so_far(tx, spoke, kind))
        changed, too_many = await self.store.read(lambda tx: _in_bulk(tx, spoke, kind, page, before))
        if too_many:
            return Found(lambda tx: bulk.ask(tx, spoke, kind, changed))

        def write(tx: Tx) -> None:
            _keep(tx, spoke, kind, page, began)
            bulk.count(tx, spoke, kind, changed if page.more else 0)

        return Found(write, again=page.more)

    async def _own_books(self, spoke: Spoke) -> None:
        """Asked once, though the first reads of several kinds begin together."""
        async with self._asking[spoke.id]:
            if spoke.id not in self._own:
                there = await check_company(spoke, self.spokes)
                await self.store.write(lambda tx: opened(tx, self.spokes, spoke, there))
                self._own.add(spoke.id)


class Hint(Handler):
    """Reads one record that somebody said has changed."""

    async def read(self, work: Work) -> Found:
        """One record; one that is not there is looked for a second time."""
        spoke, kind = self.spoke(work), Kind(work.task["kind"])
        if await self.store.read(lambda tx: status.rests(tx, spoke.id)):
            return _RESTS
        record = await spoke.accounting.read(kind, work.task["id"])

        def write(tx: Tx) -> None:
            if record is not None:
                _again(tx, spoke, record)
            elif links.by_vendor_id(tx, spoke.id, kind, work.task["id"]) is not None:
                vanished.look_again(tx, spoke, kind, work.task["id"])

        return Found(write)


def _again(tx: Tx, spoke: Spoke, record: Record) -> None:
    """Keep it, and have it handled once more where it was and its document has not come to terms with it."""
    page = Page([record], "")
    if not differing(page, versions(tx, spoke, page)):
        return
    id, new = arrive(tx, spoke, record)
    link = None if new else links.by_vendor_id(tx, spoke.id, record.kind, record.id)
    if link is not None and arrivals.get(tx, spoke.tenant, id).state == "handled":
        replay(tx, spoke.tenant, id, who="connector")


class Sweep(Handler):
    """The full comparison: reads everything and keeps what polls and webhooks missed, with a count for the report."""

    async def read(self, work: Work) -> Found:
        """One page of it; where it stands is kept like a cursor."""
        spoke = self.spoke(work)
        kind = Kind(work.task["kind"])
        if (later := await self.store.read(lambda tx: _not_now(tx, spoke, SWEEP, kind))) is not None:
            return later
        name = f"{SWEEP}:{kind}"
        kept = await self.store.read(lambda tx: connections.cursor(tx, spoke.id, name))
        at: dict[str, Any] = loads(kept.encode()) if kept else {"cursor": None}
        until = date.fromisoformat(at["until"]) if at.get("until") else self.store.clock().date() + timedelta(days=1)
        began = self.store.clock()
        so_far = Comparison.of(kind, at.get("found"), began)
        page = await spoke.accounting.sweep(kind, spoke.start, until, at["cursor"])
        changed, too_many = await self.store.read(lambda tx: _in_bulk(tx, spoke, kind, page, so_far.changed))
        if too_many:
            return Found(lambda tx: _given_up(tx, spoke, kind, name, changed))
        run = at.get("run") or {"id": new_id(), "began": self.store.clock().isoformat(), "blind": False}
        run = run | {"blind": run["blind"] or page.blind}

        def write(tx: Tx) -> None:
            vanished.seen(tx, spoke, kind, run["id"], page)
            known = versions(tx, spoke, page)
            new = [record for record in differing(page, known) if arrive(tx, spoke, record)[1]]
            found = so_far.with_page(page, known, new)
            _keep_matches(tx, spoke, kind, page, began)
            if page.more:
                going = {"cursor": page.cursor, "until": until.isoformat(), "found": found.as_json(), "run": run}
                connections.put_cursor(tx, spoke.id, name, dumps(going).decode())
            else:
                connections.put_cursor(tx, spoke.id, name, dumps({"cursor": None}).decode())
                if not run["blind"]:
                    vanished.ended(tx, spoke, kind, run["id"], datetime.fromisoformat(run["began"]), read=found.read)
                finished(tx, spoke, found)

        return Found(write, again=page.more)


def _in_bulk(tx: Tx, spoke: Spoke, kind: Kind, page: Page, before: int) -> tuple[int, bool]:
    """How many records of the kind have changed, with those of the pages before; and whether that is more than is
    believed. A page that changes nothing is always kept.
    """
    known = versions(tx, spoke, page)
    mine = sum((kind, one.id) in known for one in differing(page, known) if one.kind == kind)
    return before + mine, mine > 0 and bulk.too_many(tx, spoke, kind, before + mine)


def _given_up(tx: Tx, spoke: Spoke, kind: Kind, name: str, changed: int) -> None:
    """A comparison that shows too much begins anew the next time."""
    bulk.ask(tx, spoke, kind, changed)
    connections.put_cursor(tx, spoke.id, name, dumps({"cursor": None}).decode())


def _cursor(tx: Tx, spoke: Spoke, kind: Kind) -> tuple[str | None, bool]:
    """Where the next read of a kind begins, and whether nothing has been read of this connection yet."""
    cursor = connections.cursor(tx, spoke.id, kind)
    if cursor is not None:
        return cursor, False
    kinds = (reading.kind for reading in spoke.accounting.readings)
    return None, all(connections.cursor(tx, spoke.id, one) is None for one in kinds)


def _keep_matches(tx: Tx, spoke: Spoke, kind: Kind, page: Page, began: datetime) -> None:
    for match in page.matches:
        matches.arrive(tx, spoke, match)
    if kind is Kind.PAYMENT and not page.more and (page.records or page.matches or control_wanted(tx, spoke, began)):
        ask_control(tx, spoke, began)


def _keep(tx: Tx, spoke: Spoke, kind: Kind, page: Page, began: datetime) -> None:
    # Cursors overlap, and what we made ourselves comes back: what is here in this version says nothing new.
    for record in differing(page, versions(tx, spoke, page)):
        arrive(tx, spoke, record)
    _keep_matches(tx, spoke, kind, page, began)
    bulk.settled(tx, spoke, kind)
    connections.put_cursor(tx, spoke.id, kind, page.cursor)


def versions(tx: Tx, spoke: Spoke, page: Page) -> dict[tuple[Kind, str], str | None]:
    """The versions we know of the records of a page, as far as they are linked, by kind and the vendor's id."""
    return {
        (kind, id): version
        for kind in {record.kind for record in page.records}
        for id, version in links.versions(
            tx, spoke.id, kind, [record.id for record in page.records if record.kind == kind]
        ).items()
    }


def differing(page: Page, known: dict[tuple[Kind, str], str | None]) -> list[Record]:
    """The records of a page that are not here in this version."""
    return [record for record in page.records if known.get((record.kind, record.id)) != record.version]
