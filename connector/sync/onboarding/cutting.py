"""The cut-over: from now on a connection is written to; and the way back, with a list of what was written since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connector.errors import NeedsPerson, Stop
from connector.store import Tx, attempts, audit, connections, documents, first_sync, onboarding, work
from connector.sync import effects
from connector.sync.effects import ACTIVE, OBSERVE
from connector.sync.first_sync import applying, sheet
from connector.sync.first_sync.status import GO_LIVE
from connector.sync.onboarding.checklist import CUT_OVER, checklist, open_steps
from connector.sync.onboarding.facts import BACK, CONFIRMED, LIVE, facts
from connector.sync.plan import catch_up, wanted
from connector.sync.spokes import Spoke, Spokes


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cut-over did: `asked` works were asked for, `left` invoices and credit notes dated before the day stay
    where they were booked.
    """

    day: date
    asked: int
    left: int


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


def cut_over(tx: Tx, spokes: Spokes, spoke: Spoke, *, go_live: date | None, who: str) -> Cut:
    """Have a connection written to, from a day on; what is dated before it stays where it was booked.

    Raises:
        Stop: `cut-over-open`: something of the checklist is not done, or the day has not come; all of it in `details`.
            `cut-over-done`: it is written to already.
    """
    if effects.writes(tx, spoke):
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
    left = _leave_before(tx, spokes, spoke, day)
    connections.change(tx, spoke.id, mode=ACTIVE)
    tx.memo.pop(("mode", spoke.id), None)
    asked = applying.catch_up(tx, spoke) + catch_up(tx, spokes, spoke)
    details = {"date": day.isoformat(), "left": left, "asked": asked}
    onboarding.put(tx, spoke.tenant, spoke.id, CUT_OVER, LIVE, who=who, details=details)
    audit.note(tx, tenant=spoke.tenant, who=who, did="cut-over", about=f"connection:{spoke.id}", details=details)
    tx.emit(spoke.tenant, "connection.live", connection=spoke.id, data={"connection": spoke.name, **details})
    return Cut(day, asked, left)


def _leave_before(tx: Tx, spokes: Spokes, spoke: Spoke, day: date) -> int:
    """What is dated before the day and is not there is left out of it; what a person decided otherwise is not."""
    older = [
        document
        for document in wanted(tx, spokes, spoke)
        if document.kind in effects.ISSUED and document.issue_date is not None and document.issue_date < day
    ]
    left = 0
    for document in older:
        row = first_sync.of_document(tx, spoke.id, document.id)
        if row is None or row.action != "create":
            first_sync.decide_ours(tx, spoke.tenant, spoke.id, document.kind, document.id, "leave")
            left += 1
    tx.memo.pop(("first sync", spoke.id), None)
    return left


def back(tx: Tx, spoke: Spoke, *, who: str) -> list[Written]:
    """Write nothing more there: the connection is paused and only observes; what was written since the cut-over.

    Raises:
        Stop: `cut-over-not-done`: there was none.
    """
    cut = onboarding.get(tx, spoke.id, CUT_OVER)
    if cut is None:
        raise Stop(
            f"{spoke.name} was never cut over.",
            code="cut-over-not-done",
            do=f"To stop writing there: connector connections observe {spoke.name}.",
            where={"connection": spoke.name},
        )
    found = written(tx, spoke, cut.at if cut.state == LIVE else datetime.fromisoformat(cut.details["since"]))
    if cut.state == LIVE:
        connections.change(tx, spoke.id, mode=OBSERVE)
        reason = NeedsPerson(
            f"Taken back by {who}: nothing is written or read until it goes on.",
            code="taken-back",
            do=f"Mend what was wrong; then connector connections resume {spoke.name}, and cut over anew.",
        )
        connections.pause(tx, spoke.id, reason)
        details = (cut.details or {}) | {"since": cut.at.isoformat(), "written": len(found)}
        onboarding.put(tx, spoke.tenant, spoke.id, CUT_OVER, BACK, who=who, details=details)
        audit.note(tx, tenant=spoke.tenant, who=who, did="cut-over-back", about=f"connection:{spoke.id}")
        data: dict[str, Any] = {"connection": spoke.name, "written": len(found)}
        tx.emit(spoke.tenant, "connection.back", connection=spoke.id, data=data)
    return found


def written(tx: Tx, spoke: Spoke, since: datetime) -> list[Written]:
    """What was written to a system since a moment, oldest first."""
    found = []
    for attempt in attempts.proved_since(tx, spoke.id, since):
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
    return found


def as_sheet(found: Sequence[Written]) -> bytes:
    """What was written, as a file that a bookkeeper goes through."""
    rows: list[Sequence[Any]] = [
        ("tid (UTC)", "slag", "steg", "navn", "nummer", "deres id", "vår id", "slik angres det")
    ]
    for one in found:
        at, theirs, ours = f"{one.at:%Y-%m-%d %H:%M:%S}", f"t-{one.vendor_id}", f"d-{one.document}"
        rows.append((at, one.kind, one.step, one.name, one.number, theirs, ours, one.undone_by))
    return sheet.written(rows)
