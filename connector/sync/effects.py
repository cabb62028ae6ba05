"""What the world should be told, as work in a lane. One door: who wants something pushed, asks here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.lanes.following import LIVE as LIVE
from connector.store import Tx, attempts, connections, documents, first_sync, links, work
from connector.store.documents import Document
from connector.store.work import Turn, Work
from connector.sync.external import form, takes
from connector.sync.spokes import Spoke, reaches

PUSH = "push-"
"""Kinds of work that push a document: `push-invoice`, `push-credit_note`, `push-customer`, `push-payment`; by the form
in which the system takes it (`connector.sync.external`).
"""

ISSUED = ("invoice", "credit_note")
"""Kinds that stay out of a system for good where a person has said so; a register's record comes when it is needed."""
OBSERVE, ACTIVE = "observe", "active"
"""Modes of a connection: nothing is written to one that only observes."""


def subject(spoke: Spoke, document: str, part: int = 0) -> str:
    """Work on one document in one system is done one after the other; the parts of a payment do not wait for each
    other.
    """
    return f"{spoke.id}/{document}/{part}" if part else f"{spoke.id}/{document}"


def writes(tx: Tx, spoke: Spoke) -> bool:
    """Whether this connection may be written to."""
    key = ("mode", spoke.id)
    if key not in tx.memo:
        tx.memo[key] = connections.get(tx, spoke.id).mode
    return bool(tx.memo[key] == ACTIVE)


def push(
    tx: Tx,
    spoke: Spoke,
    kind: str,
    document: str,
    *,
    needs: Sequence[str] = (),
    turn: Turn = Turn.EFFECT,
    part: int = 0,
    planned: Mapping[str, str | None] | None = None,
) -> str | None:
    """Have a document brought to a system; None where the connection only observes (it is told when activated), or
    a person has left an invoice out of it, or another system has issued it before its start.

    The decision what exactly to do is made when it runs: asking twice does nothing twice. `part`: which row of a
    payment that is several there (`connector.sync.parts`); `planned`: by what a plan has decided it: where that has
    moved when it runs, it stops (`connector.sync.basis`).
    """
    if not writes(tx, spoke):
        return None
    if kind in ISSUED and (first_sync.left_here(tx, spoke.id, document) or stays(tx, spoke, document)):
        return None
    kind = form(tx, spoke, kind, document)
    task: dict[str, Any] = ({"part": part} if part else {}) | ({"planned": dict(planned)} if planned else {})
    return work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=turn,
        kind=PUSH + kind,
        connection=spoke.id,
        document=document,
        subject=subject(spoke, document, part),
        task=task or None,
        needs=needs,
    )


def stays(tx: Tx, spoke: Spoke, document: str) -> bool:
    """Whether a document stays where another system has issued it: those are brought here, and it is from before the
    start, and not here.
    """
    there = documents.peek(tx, spoke.tenant, document) if spoke.taken else None
    if there is None or there.source not in spoke.taken or reaches(spoke, there):
        return False
    return links.of(tx, document, spoke.id) is None


def need(tx: Tx, spoke: Spoke, by: Document, kind: str, document: str) -> tuple[str, ...]:
    """What must be done before something (`by`) that refers to this document can be pushed.

    Nothing where it is linked, or what needs it is refused anyway; else the work that brings it there, which is asked
    for where nobody has yet.
    """
    if not takes(spoke, by) or links.of(tx, document, spoke.id) is not None:
        return ()
    wanted = live(tx, spoke, document)
    if wanted:
        return (wanted[-1].id,)
    made = push(tx, spoke, kind, document)
    return (made,) if made else ()


def live(tx: Tx, spoke: Spoke, document: str) -> list[Work]:
    """Pushes of a document to a system that are not over."""
    return [one for one in work.live_of(tx, spoke.tenant, document, spoke.id) if one.kind.startswith(PUSH)]


def last(tx: Tx, spoke: Spoke, document: str, part: int = 0) -> Work | None:
    """The push of a document to a system that was asked for last, over or not; of this part of it."""
    found = work.find(tx, tenant=spoke.tenant, document=document, connection=spoke.id, limit=1000)
    mine = subject(spoke, document, part)
    return next((one for one in reversed(found) if one.kind.startswith(PUSH) and one.subject == mine), None)


def could_explain(tx: Tx, spoke: Spoke, kind: str, documents: frozenset[str] | None = None) -> list[Work]:
    """Pushes under way that may have made a record we have no link for yet.

    Only those that have begun (a goal is stored with the first attempt). `documents`: only pushes of these.
    """
    begun = work.find(
        tx, tenant=spoke.tenant, connection=spoke.id, state=("queued", "running", "unknown", "parked"), limit=1000
    )
    return [
        one
        for one in begun
        if one.kind == PUSH + kind and one.goal is not None and (documents is None or one.document in documents)
    ]


def explaining(tx: Tx, pushes: Sequence[Work], vendor_id: str) -> list[Work]:
    """Those of pushes under way that may have made this very record: one that waits for a person, and of which nothing
    is unknown, has made only what it has proof of.
    """
    return [one for one in pushes if one.state != "parked" or (made := _made(tx, one)) is None or vendor_id in made]


def _made(tx: Tx, push: Work) -> frozenset[str] | None:
    """The ids of what a push has made, by its proofs; None where something is unknown."""
    key = ("made by", push.id)
    if key not in tx.memo:
        calls = [one for one in attempts.of_work(tx, push.id) if one.what == "call"]
        unknown = any(one.outcome in (None, attempts.UNKNOWN) for one in calls)
        proved = (one.proof.id for one in calls if one.outcome == attempts.PROVED and one.proof is not None)
        tx.memo[key] = None if unknown else frozenset(proved)
    made: frozenset[str] | None = tx.memo[key]
    return made
