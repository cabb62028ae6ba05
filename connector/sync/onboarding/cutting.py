"""The cut-over: from now on a connection is written to; and the way back, with a list of what was written since."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from connector.errors import NeedsPerson, Stop
from connector.store import Store, Tx, attempts, audit, connections, documents, first_sync, onboarding, work
from connector.store.attempts import Attempt
from connector.store.documents import Document
from connector.store.onboarding import Entry
from connector.sync import effects
from connector.sync.catching_up import Piece, ask_for, pieces, still_lacking
from connector.sync.effects import ACTIVE, OBSERVE
from connector.sync.first_sync import applying, sheet
from connector.sync.first_sync.status import GO_LIVE
from connector.sync.left_out import CUT_OVER
from connector.sync.onboarding.checklist import checklist, open_steps
from connector.sync.onboarding.facts import (
    ASKING,
    BACK,
    CONFIRMED,
    LEAVING,
    LIVE,
    MAKING,
    facts,
    under_way,
)
from connector.sync.spokes import Spoke, Spokes


@dataclass(frozen=True, slots=True)
class Cut:
    """How far a cut-over is.

    `state`: `LEAVING`, `MAKING`, `ASKING` or `LIVE`; `seen` documents were looked at in it, `after` is the last one.
    `asked` works were asked for; `left` invoices and credit notes dated before the day stay where they were booked.
    `since`: when the connection was first written to (UTC), by this cut-over or one before it.
    """

    state: str
    day: date
    asked: int = 0
    left: int = 0
    seen: int = 0
    after: str | None = None
    since: datetime | None = None

    @classmethod
    def of(cls, entry: Entry) -> Cut:
        """As it was noted."""
        said = entry.details
        since = said.get("since")
        return cls(
            entry.state,
            date.fromisoformat(said["date"]),
            said["asked"],
            said["left"],
            said.get("seen", 0),
            said.get("after"),
            datetime.fromisoformat(since) if since else entry.at if entry.state == LIVE else None,
        )

    def noted(self, tx: Tx, spoke: Spoke, who: str) -> Cut:
        """Keep it as it is now."""
        details = {"date": self.day.isoformat(), "asked": self.asked, "left": self.left, "seen": self.seen}
        details |= {"after": self.after, "since": self.since.isoformat() if self.since else None}
        onboarding.put(tx, spoke.tenant, spoke.id, CUT_OVER, self.state, who=who, details=details)
        return self


@dataclass(frozen=True, slots=True)
class Written:
    """One thing that was written to a system: what, for which document, under which of the vendor's ids, when (UTC)."""

    at: datetime
    kind: str
    step: str
    document: str | None
    name: str | None
    number: str | None
    vendor_id: str

    @property
    def undone_by(self) -> str:
        """How it is undone, in Norwegian, for the file."""
        return _BY.get(self.kind, "Se på den i systemet.")


_BY: Mapping[str, str] = {
    "invoice": "Krediteres i regnskapet; en utstedt faktura slettes ikke.",
    "credit_note": "En kreditnota tilbakeføres ikke; fakturer på nytt hvis den var feil.",
    "external_invoice": "Tilbakefør bilaget.",
    "external_credit_note": "Tilbakefør bilaget.",
    "payment": "Tilbakefør bilaget.",
    "settlement": "Tilbakefør bilaget, eller opphev utligningen.",
    "reversal": "Tilbakefør bilaget.",
    "supplier_invoice": "Slett i bilagsmottaket, eller tilbakefør bilaget hvis det er bokført.",
    "customer": "Sett inaktiv, eller rett tilbake det som ble endret.",
    "supplier": "Sett inaktiv, eller rett tilbake det som ble endret.",
    "product": "Sett inaktiv, eller rett tilbake det som ble endret.",
}


async def cut_over(
    store: Store,
    spokes: Spokes,
    spoke: Spoke,
    *,
    go_live: date | None,
    who: str,
    told: Callable[[Cut], object] = lambda cut: None,
) -> Cut:
    """Have a connection written to, from a day on; what is dated before it stays where it was booked.

    It goes in pieces, each a short transaction of its own: what is older is left out while nothing is written yet, then
    the connection is active, then what it lacks is asked for. Broken off, it goes on where it stopped. `told` hears of
    each piece.

    Raises:
        Stop: `cut-over-open`: something of the checklist is not done, or the day has not come; all of it in `details`.
            `cut-over-done`: it is written to already. `cut-over-begun`: it was begun for another day.
            `cut-over-stopped`: meanwhile it was taken back, or somebody else goes on with it.
    """
    cut = await store.write(lambda tx: _begin(tx, spokes, spoke, go_live, who))
    while cut.state != LIVE:
        async for do in _pieces(store, spokes, spoke, cut):
            cut = await store.write(lambda tx, cut=cut, do=do: _go_on(tx, spoke, cut, do, who))  # type: ignore[misc]
            told(cut)
    return cut


Do = Callable[[Tx, Cut], Cut]
"""One piece of a cut-over: what it does, and how far the cut-over is then."""


async def _pieces(store: Store, spokes: Spokes, spoke: Spoke, cut: Cut) -> AsyncIterator[Do]:
    """What is left to do in the state that a cut-over is in; the last piece leads to the next state."""
    if cut.state == MAKING:
        yield partial(_make, spoke=spoke)
        return
    issued_to = cut.day - timedelta(days=1) if cut.state == LEAVING else None
    async for piece in pieces(store, spokes, spoke, after=cut.after, issued_to=issued_to):
        yield partial(_deal_with, spokes=spokes, spoke=spoke, piece=piece)
    yield partial(_activate if cut.state == LEAVING else _end, spoke=spoke)


def _begin(tx: Tx, spokes: Spokes, spoke: Spoke, go_live: date | None, who: str) -> Cut:
    entry, writes = onboarding.get(tx, spoke.id, CUT_OVER), effects.writes(tx, spoke)
    if entry is not None and under_way(entry, writes):
        begun = Cut.of(entry)
        if go_live not in (None, begun.day):
            raise Stop(
                f"The cut-over of {spoke.name} was begun for {begun.day}, and is not over.",
                code="cut-over-begun",
                do="Let it end without --go-live; the way back is connector onboard back.",
                where={"connection": spoke.name},
            )
        return begun
    if writes:
        raise Stop(
            f"{spoke.name} is written to already.",
            code="cut-over-done",
            do="The way back: connector onboard back.",
            where={"connection": spoke.name},
        )
    if go_live is not None:
        onboarding.put(
            tx, spoke.tenant, spoke.id, GO_LIVE, CONFIRMED, who=who, details={"date": go_live.isoformat(), "note": ""}
        )
    known = facts(tx, spokes, spoke)
    lacking = open_steps(checklist(known, today=tx.now.date()))
    if lacking:
        raise Stop(
            f"{spoke.name} is not ready: {len(lacking)} step(s) are open: {', '.join(one.name for one in lacking)}.",
            code="cut-over-open",
            do=f"See what each needs: connector onboard {known.connection}",
            where={"connection": spoke.name},
            details=[{"step": one.name, "state": one.state, "said": one.said, "do": one.do} for one in lacking],
        )
    day = known.confirmed[GO_LIVE].day
    assert day is not None
    # What was written before, and perhaps never listed, is still to be found by `back`.
    return Cut(LEAVING, day, since=Cut.of(entry).since if entry else None).noted(tx, spoke, who)


def _go_on(tx: Tx, spoke: Spoke, cut: Cut, do: Do, who: str) -> Cut:
    """Do one piece of a cut-over that stands as it did after the last one, and note how far it is."""
    entry = onboarding.get(tx, spoke.id, CUT_OVER)
    if entry is None or not under_way(entry, effects.writes(tx, spoke)) or Cut.of(entry) != cut:
        raise Stop(
            f"The cut-over of {spoke.name} was stopped, or is gone on with, by somebody else.",
            code="cut-over-stopped",
            do="See how it stands: connector onboard; then cut over again.",
            where={"connection": spoke.name},
        )
    cut = do(tx, cut)
    if cut.state == LIVE:
        details = {"date": cut.day.isoformat(), "left": cut.left, "asked": cut.asked}
        audit.note(tx, tenant=spoke.tenant, who=who, did="cut-over", about=f"connection:{spoke.id}", details=details)
        tx.emit(spoke.tenant, "connection.live", connection=spoke.id, data={"connection": spoke.name, **details})
    return cut.noted(tx, spoke, who)


def _deal_with(tx: Tx, cut: Cut, *, spokes: Spokes, spoke: Spoke, piece: Piece) -> Cut:
    """What is dated before the day and is not there is left out; whatever else is lacking is asked for, once it is
    written to.
    """
    left = asked = 0
    for head in still_lacking(tx, spokes, spoke, piece):
        if _left_out(tx, spoke, head, cut.day):
            left += 1
        elif cut.state == ASKING:
            asked += ask_for(tx, spoke, head)
    return replace(cut, left=cut.left + left, asked=cut.asked + asked, seen=cut.seen + piece.seen, after=piece.last)


def _left_out(tx: Tx, spoke: Spoke, head: Document, day: date) -> bool:
    """Leave a document out where it is dated before the day, unless a person has decided otherwise, or it is on its way
    there: whoever posts it while the connection is written to wants it there.
    """
    if head.kind not in effects.ISSUED or head.issue_date is None or head.issue_date >= day:
        return False
    row = first_sync.of_document(tx, spoke.id, head.id)
    if (row is not None and row.action == "create") or effects.live(tx, spoke, head.id):
        return False
    first_sync.decide_ours(tx, spoke.tenant, spoke.id, head.kind, head.id, "leave")
    tx.memo.pop(("first sync", spoke.id), None)
    return True


def _activate(tx: Tx, cut: Cut, *, spoke: Spoke) -> Cut:
    """What was here is left out: from now on it is written to."""
    connections.change(tx, spoke.id, mode=ACTIVE)
    return replace(cut, state=MAKING, seen=0, after=None, since=cut.since or tx.now)


def _make(tx: Tx, cut: Cut, *, spoke: Spoke) -> Cut:
    """What the first sync said shall be made there."""
    made, last = applying.catch_up(tx, spoke, cut.after)
    cut = replace(cut, asked=cut.asked + made, after=last)
    return cut if last else replace(cut, state=ASKING)


def _end(tx: Tx, cut: Cut, *, spoke: Spoke) -> Cut:
    return replace(cut, state=LIVE, after=None)


def halt(tx: Tx, spoke: Spoke, *, who: str) -> datetime:
    """Write nothing more there: the connection is paused and only observes. The moment (UTC) of its cut-over.

    Raises:
        Stop: `cut-over-not-done`: there was none.
    """
    cut = onboarding.get(tx, spoke.id, CUT_OVER)
    since = Cut.of(cut).since if cut is not None else None
    if cut is None or since is None:
        raise Stop(
            f"{spoke.name} was never cut over.",
            code="cut-over-not-done",
            do=f"To stop writing there: connector connections observe {spoke.name}.",
            where={"connection": spoke.name},
        )
    if cut.state == BACK:
        return since
    connections.change(tx, spoke.id, mode=OBSERVE)
    reason = NeedsPerson(
        f"Taken back by {who}: nothing is written or read until it goes on.",
        code="taken-back",
        do=f"Mend what was wrong; then connector connections resume {spoke.name}, and cut over anew.",
    )
    connections.pause(tx, spoke.id, reason)
    return since


def halted(tx: Tx, spoke: Spoke, *, since: datetime, written: int, who: str) -> None:
    """Note, once, that a connection was taken back, and how much had been written to it since its cut-over."""
    cut = onboarding.get(tx, spoke.id, CUT_OVER)
    if cut is None or cut.state == BACK:
        return
    details = (cut.details or {}) | {"since": since.isoformat(), "written": written}
    onboarding.put(tx, spoke.tenant, spoke.id, CUT_OVER, BACK, who=who, details=details)
    audit.note(tx, tenant=spoke.tenant, who=who, did="cut-over-back", about=f"connection:{spoke.id}")
    data: dict[str, Any] = {"connection": spoke.name, "written": written}
    tx.emit(spoke.tenant, "connection.back", connection=spoke.id, data=data)


def written(
    tx: Tx, spoke: Spoke, since: datetime, *, after: Attempt | None = None
) -> tuple[list[Written], Attempt | None]:
    """What was written to a system since a moment (UTC), oldest first, a page at a time; and after what the next page
    comes, None where there is none.
    """
    page = attempts.proved_since(tx, spoke.id, since, after=after)
    found = []
    for attempt in page:
        task = work.get(tx, attempt.work)
        goal = task.goal
        if attempt.proof is None or (attempt.proof.facts.get("found") and goal is not None):
            continue
        document = documents.peek(tx, spoke.tenant, attempt.document or "")
        found.append(
            Written(
                attempt.began,
                goal.kind.value if goal is not None else task.kind,
                attempt.step,
                attempt.document,
                document.counterparty_name if document else None,
                document.number if document else None,
                attempt.proof.id,
            )
        )
    return found, page[-1] if page else None


def as_sheet(found: Sequence[Written]) -> bytes:
    """What was written, as a file that a bookkeeper goes through."""
    rows: list[Sequence[Any]] = [
        ("tid (UTC)", "slag", "steg", "navn", "nummer", "deres id", "vår id", "slik angres det")
    ]
    for one in found:
        at, theirs, ours = f"{one.at:%Y-%m-%d %H:%M:%S}", f"t-{one.vendor_id}", f"d-{one.document}"
        rows.append((at, one.kind, one.step, one.name, one.number, theirs, ours, one.undone_by))
    return sheet.written(rows)
