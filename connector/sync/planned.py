"""A plan that was saved, looked at by a person, and is now to be done: exactly that, or nothing.

Every step is held against the world first. Where one has moved nothing at all is asked for: steps lean on each other (a
payment on its invoice, an invoice on its customer), and half a plan is one that nobody has approved. The check and the
asking are one transaction; what is asked for carries what it was planned by, so that a step which moves while others
are being done stops by itself and waits for a person (`connector.sync.basis`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from connector.errors import BadInput, Stop
from connector.store import Tx, audit, documents
from connector.store.meta import incarnation
from connector.sync import effects
from connector.sync.effects import live, writes
from connector.sync.onboarding import ready
from connector.sync.plan import DOES, Step, ask, of_document, routes_to
from connector.sync.spokes import Spoke, Spokes


class SavedStep(BaseModel, frozen=True, extra="ignore"):
    """A step as it was saved: what it does, and the digest of the record it would send."""

    kind: str
    document: str
    action: str
    reason: str = ""
    number: str | None = None
    part: int = 0
    sends: str | None = None
    basis: dict[str, str | None] = {}


class Saved(BaseModel, frozen=True, extra="ignore"):
    """A plan of one connection, at a moment (UTC, ISO 8601)."""

    format: Literal["connector-plan-1"] = "connector-plan-1"
    tenant: str
    connection: str
    store: str
    made: str
    steps: tuple[SavedStep, ...]

    @property
    def does(self) -> list[SavedStep]:
        """The steps that do something."""
        return [step for step in self.steps if step.action in DOES]


@dataclass(frozen=True, slots=True)
class Moved:
    """A step that the world does not fit any more, and why."""

    step: SavedStep
    why: str

    def as_json(self) -> dict[str, Any]:
        """As an error's details say it."""
        step = self.step
        return {"document": step.number or step.document, "kind": step.kind, "action": step.action, "moved": self.why}


def save(tx: Tx, spoke: Spoke, steps: Sequence[Step]) -> dict[str, Any]:
    """A plan as it is written to a file: with the records, for people, and their digests, for the check."""
    return {
        "format": "connector-plan-1",
        "tenant": spoke.tenant,
        "connection": spoke.name,
        "store": incarnation(tx),
        "made": tx.now.isoformat(),
        "steps": [step.as_json() | {"sends": _sends(step)} for step in steps],
    }


def read(text: bytes) -> Saved:
    """A plan from its file. Raises `BadInput` (`plan-malformed`)."""
    try:
        return Saved.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(
            f"This is no plan: {place + ': ' if place else ''}{first['msg']}.",
            code="plan-malformed",
            do="Save one: connector plan --connection NAME --save FILE.",
        ) from None


def moved(tx: Tx, spokes: Spokes, spoke: Spoke, saved: Saved) -> list[Moved]:
    """The steps of a plan that would not be done now as they were planned."""
    routes = routes_to(spokes, spoke)
    now: dict[tuple[str, int], Step] = {}
    for id in dict.fromkeys(step.document for step in saved.does):
        document = documents.peek(tx, spoke.tenant, id)
        for step in of_document(tx, spoke, document, routes) if document else ():
            now.setdefault((step.document, step.part), step)
    found = [(step, _why(step, now.get((step.document, step.part)))) for step in saved.does]
    return [Moved(step, why) for step, why in found if why]


def _why(planned: SavedStep, now: Step | None) -> str:
    if now is None:
        return "nothing is to be done with it any more"
    if now.action != planned.action:
        return f"now it is `{now.action}`: {now.reason}"
    for name, words in _WORDS.items():
        if now.basis.get(name) != planned.basis.get(name):
            return words
    return "" if _sends(now) == planned.sends else "another record would be sent"


_WORDS: Mapping[str, str] = {
    "mapping": "another version of the mapping is in force",
    "document": "it was changed here",
    "there": "what is known of it there has changed",
}


def do(tx: Tx, spokes: Spokes, spoke: Spoke, saved: Saved, *, who: str, activate: bool = False) -> list[str]:
    """Ask for everything that a plan does, and for nothing else; the work that does it.

    Args:
        activate: let the connection be written to from now on, where it only observes.

    Raises:
        BadInput: the plan is of another connection or store (`plan-of-another`).
        Stop: the connection only observes (`connection-observes`), its first sync is not decided
            (`first-sync-open`), or steps of its checklist are open (`onboarding-open`); a step has moved (`plan-moved`,
            all of them in `details`). Nothing is asked for.
    """
    if (saved.tenant, saved.connection, saved.store) != (spoke.tenant, spoke.name, incarnation(tx)):
        raise BadInput(
            f"The plan is of {saved.connection} of {saved.tenant}, or of another store.",
            code="plan-of-another",
            do="Make one here: connector plan --connection NAME --save FILE.",
        )
    if activate and not writes(tx, spoke):
        ready.activate(tx, spokes, spoke, who=who)
    if not writes(tx, spoke):
        raise Stop(
            f"{spoke.name} only observes: nothing is written there.",
            code="connection-observes",
            do="Let it be written to, with this plan and nothing else at first: add --activate.",
            where={"connection": spoke.id},
        )
    gone = moved(tx, spokes, spoke, saved)
    if gone:
        raise Stop(
            f"{len(gone)} of {len(saved.does)} step(s) are not as they were planned; nothing is done.",
            code="plan-moved",
            do="Make the plan again and look at it: connector plan --save FILE.",
            where={"connection": spoke.id},
            details=[one.as_json() for one in gone],
        )
    asked: list[str] = []
    for step in saved.does:
        if not live(tx, spoke, step.document):
            asked += ask(tx, spoke, documents.get(tx, spoke.tenant, step.document), planned=step.basis)
    details = {"steps": len(saved.does), "made": saved.made}
    audit.note(tx, tenant=spoke.tenant, who=who, did="plan", about=f"connection:{spoke.id}", details=details)
    return asked


def outcome(tx: Tx, spoke: Spoke, saved: Saved) -> dict[str, int]:
    """How far a plan has been done: steps whose work is done, was cancelled by a person, waits for one, or is still to
    be done.
    """
    counts = {"done": 0, "cancelled": 0, "waiting": 0, "open": 0}
    for step in saved.does:
        work = effects.last(tx, spoke, step.document, step.part)
        counts[_FATES.get(work.state, "open") if work else "open"] += 1
    return counts


_FATES: Mapping[str, str] = {"done": "done", "cancelled": "cancelled", "parked": "waiting"}


def _sends(step: Step) -> str | None:
    return None if step.record is None else documents.digest_of(step.record)
