"""What a person decides about something that waits; each decision is written down with who made it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from connector.errors import BadInput, Clash, Stop
from connector.lanes import following
from connector.lanes.ends import ask_about_work
from connector.ports import Proof
from connector.store import Tx, arrivals, attempts, attention, audit, connections, operations
from connector.store import work as works
from connector.store.attempts import Attempt
from connector.store.attention import Item
from connector.store.work import Work


class Verb(StrEnum):
    """The answers to what waits for a person."""

    RETRY = "retry"
    """Do it again; what has taken effect is kept, what is not known is looked for first."""
    HAPPENED = "happened"
    """It has taken effect, under the vendor's id that is given."""
    DID_NOT_HAPPEN = "did-not-happen"
    """It has not taken effect: do it again."""
    CANCEL = "cancel"
    """It shall not be done."""
    RESUME = "resume"
    """What kept the connection from working is mended: go on."""
    OURS = "ours"
    """What is here holds: there it shall be the same."""
    THEIRS = "theirs"
    """What is there holds: here it shall be the same."""
    MERGE = "merge"
    """Of some fields what is here holds, of others what is there."""
    IGNORE = "ignore"
    """It has been looked at, and stays as it is; it is asked about again when something changes."""
    ACCEPT = "accept"
    """What speaks against it is all right: go on."""
    REFUSE = "refuse"
    """It shall go no further; it is kept, and so is why."""
    LINK = "link"
    """It has been done in the system by hand: what is called there as is given is it. It is read and compared first."""


BY_HAND = "by_hand"
"""Part of a work's task: what a person says is it, as it is called in the system."""


def resolve(
    tx: Tx, tenant: str, id: str, verb: Verb, *, who: str, vendor_id: str | None = None, details: Any = None
) -> None:
    """Settle an item of the attention list.

    Args:
        id: of the item; `attention.find(tx, document=…)` finds those of a document.
        vendor_id: with `happened` and `link`, what it is called in the system.
        who: the person or key that decides; goes into the audit, and so do `details`.

    Raises:
        Missing: `attention-not-found`.
        Clash: `settled-already`, `work-is-running`.
        BadInput: `verb-not-offered`, `vendor-id-missing`.
    """
    item = attention.get(tx, tenant, id)
    if item.closed is not None:
        raise Clash(f"This was settled already ({item.closed_how}).", code="settled-already", where={"attention": id})
    if verb not in item.verbs:
        raise BadInput(
            f"{verb} is no answer to this.", code="verb-not-offered", do=f"Use one of: {', '.join(item.verbs)}."
        )
    if verb in (Verb.HAPPENED, Verb.LINK) and not vendor_id:
        raise BadInput("Say what it is called in the system.", code="vendor-id-missing", do="Give the system's id.")
    if item.work is not None:
        _settle_work(tx, item, works.get(tx, item.work), verb, vendor_id)
    elif item.arrival is not None:
        _settle_arrival(tx, item, verb)
    elif item.connection is not None and verb is Verb.RESUME:
        connections.resume(tx, item.connection)
    noted = {"code": item.code} | ({"vendor_id": vendor_id} if vendor_id else {}) | (details or {})
    audit.note(tx, tenant=tenant, who=who, did=verb, document=item.document, about=item.about, details=noted)
    attention.close(tx, item.about, who=who, how=verb)


def _settle_work(tx: Tx, item: Item, work: Work, verb: Verb, vendor_id: str | None) -> None:
    if work.state != "parked":
        raise Clash("This is being done at the moment, or is over.", code="work-is-running", where={"work": work.id})
    tried = attempts.of_work(tx, work.id)
    unresolved = next(
        (one for one in reversed(tried) if one.what == "call" and one.outcome in (None, attempts.UNKNOWN)), None
    )
    if verb is Verb.CANCEL:
        cancel(tx, work)
        return
    if verb in (Verb.HAPPENED, Verb.DID_NOT_HAPPEN):
        if unresolved is None:
            raise Clash("Nothing about this is unknown any more.", code="settled-already", where={"work": work.id})
        _decide(tx, work, unresolved, verb, vendor_id)
        unresolved = None
    task = {name: said for name, said in (work.task or {}).items() if name != BY_HAND}
    works.told(tx, work, (task | {BY_HAND: vendor_id} if verb is Verb.LINK else task) or None)
    proved = any(one.what == "call" and one.outcome == attempts.PROVED for one in tried)
    if verb in (Verb.RETRY, Verb.LINK) and work.goal is not None and unresolved is None and not proved:
        works.forget_goal(tx, work)  # nothing has taken effect: what was mended is seen by a new decision
    works.move(tx, work, "queued" if unresolved is None else "unknown", due=tx.now, tries=0, looks=0)
    tx.ring(f"lane:{work.lane}", "work")
    following.goes_on(tx, work)


def _decide(tx: Tx, work: Work, attempt: Attempt, verb: Verb, vendor_id: str | None) -> None:
    if verb is Verb.DID_NOT_HAPPEN:
        attempts.resolve(tx, attempt.id, attempts.DISPROVED)
        return
    attempts.resolve(tx, attempt.id, attempts.PROVED, proof=Proof(vendor_id or ""))
    if attempt.witness is not None and work.goal is not None:
        attempts.claim(tx, work.connection or "", work.goal.kind, vendor_id or "", work=work.id, document=work.document)


def cancel(tx: Tx, work: Work) -> None:
    """It shall not be done: what needs it asks a person, and the command that follows it hears of it."""
    works.move(tx, work, "cancelled", error=work.error)
    reason = Stop(
        "What this needs first was cancelled.",
        code="need-cancelled",
        do="Have it done in another way and retry, or cancel this too.",
        where={"work": work.id},
    )
    for dependant in works.firm_dependants(tx, work.id):
        if dependant.state == "blocked":
            works.move(tx, dependant, "parked", error=reason.as_json())
            ask_about_work(tx, dependant, reason)
    following.cancelled(tx, work)


def _settle_arrival(tx: Tx, item: Item, verb: Verb) -> None:
    arrival = arrivals.get(tx, item.tenant, item.arrival or "")
    if arrival.state != "parked":
        raise Clash("This was settled already.", code="settled-already", where={"arrival": arrival.id})
    result: Any = None
    if verb is Verb.CANCEL:
        arrivals.move(tx, arrival, "dropped", error=arrival.error)
        result = arrival.error
    else:
        arrivals.move(tx, arrival, "queued", due=tx.now, tries=0)
    tx.ring("arrivals")
    for operation in operations.find(tx, arrival=arrival.id):
        operations.move(tx, operation, "rejected" if verb is Verb.CANCEL else "accepted", result=result)


def replay(tx: Tx, tenant: str, arrival: str, *, who: str) -> None:
    """Handle an arrival again that was handled, dropped or parked (after a mapping was mended, for instance).

    Raises:
        Missing: there is no such arrival.
    """
    there = arrivals.get(tx, tenant, arrival)
    if there.state == "queued":
        return
    arrivals.move(tx, there, "queued", due=tx.now, tries=0)
    attention.close(tx, f"arrival:{arrival}", who=who, how="replay")
    audit.note(tx, tenant=tenant, who=who, did="replay", document=there.document, about=f"arrival:{arrival}")
    tx.ring("arrivals")


def pause(tx: Tx, tenant: str, connection: str, *, who: str, why: str) -> bool:
    """Do nothing with a connection any more until `resume`; its work waits as it is. False: it was paused already.

    Raises:
        Missing: the tenant has no such connection.
    """
    connections.get(tx, connection, tenant=tenant)
    reason = Stop(why, code="paused-by-person", do="Resume it when it may go on: `connector connections resume`.")
    paused = connections.pause(tx, connection, reason)
    audit.note(tx, tenant=tenant, who=who, did="pause", about=f"connection:{connection}", details={"why": why})
    return paused


def resume(tx: Tx, tenant: str, connection: str, *, who: str) -> bool:
    """Go on with a connection. False: it was not paused.

    Raises:
        Missing: the tenant has no such connection.
    """
    if connections.get(tx, connection, tenant=tenant).paused is None:
        return False
    connections.resume(tx, connection)
    audit.note(tx, tenant=tenant, who=who, did="resume", about=f"connection:{connection}")
    attention.close(tx, f"connection:{connection}", who=who, how="resume")
    return True
