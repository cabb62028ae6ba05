"""What a file says becomes a decision for each record and each document: all of it, or nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connector.errors import BadInput, ConnectorError
from connector.mapping.match import Certainty
from connector.store import Store, Tx, audit, documents, first_sync, links, new_id, onboarding
from connector.store.first_sync import Row
from connector.store.kept import record_of
from connector.store.onboarding import Entry
from connector.sync.first_sync import sheet, status
from connector.sync.first_sync.matching import Line, of_theirs
from connector.sync.first_sync.sheet import Decided, Problem
from connector.sync.first_sync.sides import Named, lines, may_create, rules_of
from connector.sync.first_sync.words import ACTIONS
from connector.sync.identity import REGISTERS
from connector.sync.spokes import Spoke, Spokes


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was proposed: its id and its lines."""

    id: str
    lines: Sequence[Line]


def proposed(tx: Tx, spokes: Spokes, spoke: Spoke, *, accept: Certainty) -> Proposal:
    """Make the proposal from what was read; it is only looked at. `opened` makes it the one that counts.

    Raises:
        BadInput: `first-sync-not-read`: nothing has been read, or not all of it.
    """
    _check_read(tx, spoke)
    return Proposal(new_id(), lines(tx, spokes, spoke, accept=accept))


def opened(tx: Tx, spoke: Spoke, proposal: Proposal, *, who: str) -> None:
    """Note that a proposal is the one that is open. What has moved since it was made shows when its file is applied.

    Raises:
        BadInput: as `proposed`.
    """
    _check_read(tx, spoke)
    ours = {line.ours.id for line in proposal.lines if line.ours is not None}
    status.note(tx, spoke, status.PROPOSED, who=who, id=proposal.id, ours=sorted(ours))


def _check_read(tx: Tx, spoke: Spoke) -> None:
    if onboarding.state(tx, spoke.id, status.STEP) not in (status.READ, status.PROPOSED):
        raise BadInput(
            f"{spoke.name} has not been read to the end.",
            code="first-sync-not-read",
            do="See why: connector connections list, connector attention list. Then propose again.",
            where={"connection": spoke.name},
        )


BATCH = 200
"""Things whose decision is noted in one transaction."""


async def decide(
    store: Store,
    spoke: Spoke,
    content: bytes,
    *,
    file: str,
    who: str,
    told: Callable[[int, int], object] = lambda noted, of: None,
) -> dict[str, int]:
    """Take a file for decided; how many things there are to do, by action.

    The whole file is checked first. Its lines are noted so many at a time, and hold when all of them are: broken off
    before that, the file is given again, or another: nothing stays of what was noted then. `told` hears how many of how
    many things have been noted.

    Raises:
        BadInput: as `sheet.read`; there is no proposal open (`first-sync-not-proposed`); lines ask for what cannot be
            done (`proposal-wrong`, all of them, with file and line).
    """
    outcome, rows = await store.read(lambda tx: _checked(tx, spoke, content, file))
    notes = [*_notes(spoke, outcome, rows)]
    await store.write(lambda tx: _note(tx, spoke, [partial(first_sync.forget_decided, connection=spoke.id)]))
    for start in range(0, len(notes), BATCH):
        some = notes[start : start + BATCH]
        await store.write(lambda tx, some=some: _note(tx, spoke, some))  # type: ignore[misc]
        told(start + len(some), len(notes))
    counts: dict[str, int] = dict.fromkeys(ACTIONS, 0)
    for action in (*(action for action, _ in outcome.theirs.values()), *outcome.ours.values()):
        counts[action] += 1
    await store.write(lambda tx: _noted(tx, spoke, outcome, who, counts))
    return counts


def _checked(tx: Tx, spoke: Spoke, content: bytes, file: str) -> tuple[_Outcome, Mapping[tuple[str, str], str]]:
    """What becomes of each thing by the file, once all of it is right; and the rows of what was read."""
    entry = _proposed(tx, spoke)
    said = sheet.read(content, id=entry.details["id"], file=file)
    there = _There(tx, spoke, set(entry.details["ours"]))
    sheet.refuse([*_problems(said, there)], file)
    return _outcome(said, entry.details["id"]), there.rows


def _proposed(tx: Tx, spoke: Spoke) -> Entry:
    """The proposal that is open. Raises `BadInput` (`first-sync-not-proposed`)."""
    entry = status.of(tx, spoke.id)
    if entry is None or entry.state != status.PROPOSED:
        raise BadInput(
            f"No proposal is open for {spoke.name}.",
            code="first-sync-not-proposed",
            do=f"Make one: connector first-sync propose {spoke.name}.",
            where={"connection": spoke.name},
        )
    return entry


def _notes(spoke: Spoke, outcome: _Outcome, rows: Mapping[tuple[str, str], str]) -> Iterator[Callable[[Tx], None]]:
    """How the decision about each thing is noted."""
    for thing, (action, document) in outcome.theirs.items():
        yield partial(first_sync.change, row=rows[thing], action=action, document=document, state="decided")
    for (kind, id), action in outcome.ours.items():
        yield partial(
            first_sync.decide_ours, tenant=spoke.tenant, connection=spoke.id, kind=kind, document=id, action=action
        )


def _note(tx: Tx, spoke: Spoke, notes: Iterable[Callable[[Tx], None]]) -> None:
    if onboarding.state(tx, spoke.id, status.STEP) != status.PROPOSED:  # the entry itself is as long as the file
        _proposed(tx, spoke)
    for note in notes:
        note(tx)


def _noted(tx: Tx, spoke: Spoke, outcome: _Outcome, who: str, counts: Mapping[str, int]) -> None:
    """From now on it holds what was noted."""
    if _proposed(tx, spoke).details["id"] != outcome.proposal:
        raise BadInput(
            f"{spoke.name} was proposed anew while the file was read.",
            code="proposal-another",
            do="Use the file that was written last.",
            where={"connection": spoke.name},
        )
    status.note(tx, spoke, status.APPLYING, who=who, counts=dict(counts), ours=[])
    details = {"counts": dict(counts)}
    audit.note(tx, tenant=spoke.tenant, who=who, did="first-sync", about=f"connection:{spoke.id}", details=details)


@dataclass(frozen=True, slots=True)
class _Outcome:
    proposal: str
    theirs: dict[tuple[str, str], tuple[str, str | None]]
    ours: dict[tuple[str, str], str]


def _outcome(said: Sequence[Decided], proposal: str = "") -> _Outcome:
    """What becomes of each thing: linked, else made, else left; lines have been checked against each other."""
    theirs: dict[tuple[str, str], tuple[str, str | None]] = {}
    ours: dict[tuple[str, str], str] = {}
    joined: set[str] = set()
    for line in said:
        if line.action in ("link", "duplicate") and line.theirs:
            theirs[line.kind, line.theirs] = (line.action, line.ours)
            joined |= {line.ours} if line.ours else set()
    for action in ("create", "leave"):
        for line in (one for one in said if one.action == action):
            if line.theirs:
                theirs.setdefault((line.kind, line.theirs), (action, None))
            if line.ours and line.ours not in joined:
                ours.setdefault((line.kind, line.ours), action)
    return _Outcome(proposal, theirs, ours)


OPEN = ("read", "decided")
"""States of the rows of what there is to decide about."""


class _There:
    """What there is to decide about: the records that were read, and the documents that were proposed."""

    def __init__(self, tx: Tx, spoke: Spoke, ours: set[str]) -> None:
        self.tx = tx
        self.spoke = spoke
        self.ours = ours
        self.rows = first_sync.places(tx, spoke.id, state=OPEN)
        self._alike: dict[str, list[dict[str, bytes]]] = {}

    def document(self, line: Decided) -> Any:
        """The document of a line, None where it is not there or of another kind."""
        found = documents.peek(self.tx, self.spoke.tenant, line.ours or "")
        return found if found is not None and found.kind == line.kind else None

    def alike(self, kind: str, id: str) -> set[str]:
        """Further records of theirs that are the same by a certain rule."""
        found: set[str] = set()
        for keys in self._keys(kind):
            if (key := keys.get(id)) is not None:
                found |= {other for other, its in keys.items() if its == key and other != id}
        return found

    def _keys(self, kind: str) -> list[dict[str, bytes]]:
        """Of each certain rule, what it compares, by the vendor's id."""
        if kind not in self._alike:
            rules = [one for one in rules_of(self.spoke.mapping, kind) if one.certainty == "certain"]
            self._alike[kind], named = [{} for _ in rules], Named(self.spoke)
            for row in self.records(kind):
                body = row.record["body"]
                compared = of_theirs(self.spoke.mapping[kind].into(body, named), body, rules)
                for keys, (key, _) in zip(self._alike[kind], compared, strict=True):
                    keys |= {} if key is None else {row.vendor_id or "": key}
        return self._alike[kind]

    def records(self, kind: str) -> Iterator[Row]:
        """What was read of a kind, a page at a time."""
        rows = first_sync.every(self.tx, self.spoke.id, state=OPEN, kind=kind)
        return (row for row in rows if row.vendor_id is not None)

    def customers(self, row: Row) -> list[str]:
        """Customers that a record refers to."""
        asked: list[str] = []

        class Asking(Named):
            def our_id(self, kind: str, vendor_id: str) -> Any:
                if kind == "customer":
                    asked.append(vendor_id)
                return super().our_id(kind, vendor_id)

        try:
            self.spoke.mapping[row.kind].into(record_of(row.record, row.kind).body, Asking(self.spoke))
        except ConnectorError:
            return []
        return asked


def _problems(said: Sequence[Decided], there: _There) -> Iterator[Problem]:
    linked: dict[tuple[str, str], int] = {}
    made: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str]] = set()
    for line in said:
        ends = [("d", line.ours), ("t", line.theirs)]
        things = [(mark, id) if mark == "d" else (f"t {line.kind}", id) for mark, id in ends if id]
        seen |= set(things)
        yield from _unknown(line, there)
        if line.action is None:
            yield Problem(line.row, "This line waits for an answer.", f"Write one of: {', '.join(ACTIONS.values())}.")
        elif line.action == "link":
            if len(things) < 2:
                yield Problem(line.row, "Two things are linked, and one is named.", "Fill in both ids.")
            for thing in things:
                if thing in linked:
                    said_before = f"Line {linked[thing]} links the same thing with another one."
                    yield Problem(line.row, said_before, f"Keep one; write {ACTIONS['leave']} in the other.")
                linked.setdefault(thing, line.row)
        elif line.action == "duplicate":
            yield from _no_duplicate(line, said, there)
            if line.theirs:
                thing = (f"t {line.kind}", line.theirs)
                if thing in linked:
                    yield Problem(line.row, f"Line {linked[thing]} links the same record already.", "Keep one.")
                linked.setdefault(thing, line.row)
        elif line.action == "create":
            if len(things) == 2:
                yield Problem(line.row, "These are two things: they are linked, or left.", "Take one of the ids out.")
            for thing in things:
                if thing in made:
                    yield Problem(
                        line.row, f"Line {made[thing]} makes the same thing already.", "Keep one of the lines."
                    )
                made.setdefault(thing, line.row)
    for thing, row in made.items():
        if thing in linked:
            yield Problem(
                row, f"Line {linked[thing]} links the same thing: it would be there twice.", "Keep one of them."
            )
    yield from _forgotten(said, there, seen)
    yield from _orphans(said, there)


def _no_duplicate(line: Decided, said: Sequence[Decided], there: _There) -> Iterator[Problem]:
    word = ACTIONS["duplicate"]
    if line.kind not in REGISTERS:
        yield Problem(line.row, f"A {line.kind.replace('_', ' ')} has no duplicates.", f"Write {ACTIONS['leave']}.")
    elif line.ours is None:
        alike = there.alike(line.kind, line.theirs or "")
        if not any(one.action == "create" and one.kind == line.kind and one.theirs in alike for one in said):
            do = f"Write {ACTIONS['create']} in the line of the record that is meant, and {word} in the others."
            yield Problem(line.row, f"It is said to be a {word}, and no line makes one with the same number.", do)
    elif not any(one.action == "link" and one.ours == line.ours for one in said):
        do = f"Write {ACTIONS['link']} in the line of the record that is meant, and {word} in the others."
        yield Problem(line.row, f"It is said to be a {word}, and no line links the one that is meant.", do)
    elif not line.theirs:
        yield Problem(line.row, "Which of their records is a duplicate?", "Fill in `deres id`.")


def _unknown(line: Decided, there: _There) -> Iterator[Problem]:
    again = "Copy the ids from the proposal, or propose anew."
    if line.theirs and (line.kind, line.theirs) not in there.rows:
        yield Problem(line.row, f"There is no {line.kind} t-{line.theirs} in the proposal.", again)
    elif line.theirs and links.by_vendor_id(there.tx, there.spoke.id, line.kind, line.theirs) is not None:
        yield Problem(line.row, f"t-{line.theirs} has been linked meanwhile.", "Propose anew.")
    if not line.ours:
        return
    document = there.document(line) if line.ours in there.ours else None
    if document is None:
        yield Problem(line.row, f"There is no {line.kind} d-{line.ours} in the proposal.", again)
    elif links.of(there.tx, document.id, there.spoke.id) is not None:
        yield Problem(line.row, f"d-{line.ours} has been linked meanwhile.", "Propose anew.")
    elif line.action == "create" and not line.theirs and not may_create(there.spoke, document):
        said = (
            f"A {line.kind.replace('_', ' ')} is not made in {there.spoke.name}: the mapping or the system forbids it."
        )
        yield Problem(line.row, said, f"Write {ACTIONS['leave']}, or allow it (`creates`) and propose anew.")


def _forgotten(said: Sequence[Decided], there: _There, seen: set[tuple[str, str]]) -> Iterator[Problem]:
    """Every thing of the proposal stands in the file: a line that was deleted is no decision."""
    last = max((line.row for line in said), default=2)
    missing = [f"t-{id} ({kind})" for kind, id in there.rows if (f"t {kind}", id) not in seen]
    missing += [f"d-{id}" for id in sorted(there.ours) if ("d", id) not in seen and _still_there(there, id)]
    if missing:
        shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        do = f"Put the lines back; write {ACTIONS['leave']} where nothing is to be done."
        yield Problem(last, f"Lines are missing: {shown}.", do)


def _still_there(there: _There, id: str) -> bool:
    document = documents.peek(there.tx, there.spoke.tenant, id)
    return document is not None and links.of(there.tx, id, there.spoke.id) is None


def _orphans(said: Sequence[Decided], there: _There) -> Iterator[Problem]:
    """An invoice that is taken over needs its customer."""
    outcome = _outcome(said)
    left = {thing for thing, (action, _) in outcome.theirs.items() if action == "leave" and thing[0] == "customer"}
    if not left:
        return
    made = {
        (line.kind, line.theirs): line.row
        for line in said
        if line.theirs and line.kind not in REGISTERS and line.action == "create"
    }
    for kind in dict.fromkeys(kind for kind, _ in made):
        for row in there.records(kind):
            at = made.get((kind, row.vendor_id or ""))
            for customer in there.customers(row) if at is not None else ():
                if at is not None and ("customer", customer) in left:
                    said_of = f"Its customer t-{customer} is left out, so this cannot be taken over."
                    yield Problem(at, said_of, f"Link or create the customer, or write {ACTIONS['leave']} here.")


def as_sheet(proposal: Proposal, spoke: Spoke, made: str) -> bytes:
    """The file of a proposal."""
    return sheet.write(proposal.lines, id=proposal.id, connection=spoke.name, made=made)
