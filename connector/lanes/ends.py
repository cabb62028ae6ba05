"""How a turn of a work ends when it is not done: later, parked for a person, or its connection paused."""

from __future__ import annotations

import random
import traceback
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connector.errors import ConnectorError, NeedsPerson, Stop, TryLater
from connector.lanes import following
from connector.lanes.held import LANE_RESTS, TOO_MANY_REQUESTS
from connector.store import Tx, attention, connections, leases, operations
from connector.store import work as works
from connector.store.arrivals import Arrival
from connector.store.work import Work


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often something is tried again. Seconds, but for `gives_up`."""

    first: float = 1.0
    longest: float = 900.0
    gives_up: timedelta = timedelta(days=3)

    def pause(self, tries: int) -> float:
        """The pause after that many failures: doubled each time, up to `longest`, with jitter."""
        return min(self.first * 2.0 ** min(tries, 30), self.longest) * random.uniform(0.75, 1.25)  # noqa: S311


def fault(exc: BaseException) -> dict[str, str]:
    """An unexpected exception as the log says it: what and where, without its message and variables, which may hold
    anything.
    """
    frames = traceback.extract_tb(exc.__traceback__)
    return {
        "fault": type(exc).__name__,
        "at": " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames),
    }


def surprised(exc: BaseException) -> Stop:
    """What an unexpected exception is for a person: a fault in the program."""
    said = fault(exc)
    return Stop(
        f"Something went wrong inside: {said['fault']} at {said['at'].rpartition(' > ')[2]}.",
        code="internal-error",
        do="Retry once; if it comes again, report it with the log's lines of this work.",
    )


def later(
    tx: Tx,
    work: Work,
    reason: ConnectorError,
    patience: Patience,
    *,
    tries: int,
    lane: str,
    state: str,
    answers: Sequence[str] = (),
) -> None:
    """Do it again after a pause, in `state` (`queued` or `unknown`); the vendor's own hint wins. After a long time a
    person is asked (`answers`: as for `park`).
    """
    since = work.failing_since if tries and work.failing_since else tx.now
    if tx.now - since > patience.gives_up:
        reason = Stop(
            f"It has been tried since {since:%Y-%m-%d %H:%M} UTC. The last time: {reason.said}",
            code="tried-too-long",
            do=reason.do or "Find out what is the matter with the system, then retry.",
            details=reason.as_json(),
        )
        park(tx, work, reason, unresolved=state == "unknown", answers=answers)
        return
    after = reason.after if isinstance(reason, TryLater) else None
    pause = patience.pause(tries) if after is None else max(after, 0.0)
    due = tx.now + timedelta(seconds=pause)
    if isinstance(reason, TryLater) and reason.status == TOO_MANY_REQUESTS:
        leases.rest(tx, lane, due)
    tried = tries if reason.code == LANE_RESTS else tries + 1  # nobody has tried it
    works.move(tx, work, state, due=due, tries=tried, looks=work.looks, failing_since=since, error=reason.as_json())


def park(tx: Tx, work: Work, reason: ConnectorError, *, unresolved: bool = False, answers: Sequence[str] = ()) -> None:
    """Ask a person about a work; `unresolved`: whether a call of it took effect is one of the questions; `answers`:
    verbs beside the usual ones, where it is not.
    """
    works.move(tx, work, "parked", tries=work.tries, failing_since=work.failing_since, error=reason.as_json())
    ask_about_work(tx, work, reason, unresolved=unresolved, answers=answers)


def ask_about_work(
    tx: Tx, work: Work, reason: ConnectorError, *, unresolved: bool = False, answers: Sequence[str] = ()
) -> None:
    """Put a parked work on the list, and tell the commands that wait for it."""
    usual = ("happened", "did-not-happen", "retry", "cancel") if unresolved else (*answers, "retry", "cancel")
    attention.ask(
        tx,
        tenant=work.tenant,
        about=f"work:{work.id}",
        reason=reason,
        verbs=usual if unresolved else (*reason.answers, *usual),
        document=work.document,
        work=work.id,
        connection=work.connection,
    )
    following.waits(tx, work, reason.as_json())


def park_arrival(tx: Tx, arrival: Arrival, reason: ConnectorError) -> None:
    """Ask a person about an arrival, and tell the commands that wait for it."""
    attention.ask(
        tx,
        tenant=arrival.tenant,
        about=f"arrival:{arrival.id}",
        reason=reason,
        verbs=(*reason.answers, "retry", "cancel"),
        document=arrival.document,
        arrival=arrival.id,
    )
    for operation in operations.find(tx, arrival=arrival.id):
        operations.move(tx, operation, "waiting", result=reason.as_json())


def pause_connection(tx: Tx, work: Work, reason: NeedsPerson, *, state: str, now: datetime) -> None:
    """Pause the work's connection with the exact reason; all its work waits as it is, and one item asks a person."""
    works.move(tx, work, state, due=now, error=reason.as_json())
    tx.settle()  # the work's own state first: pausing then takes it out of service with all the others
    if work.connection is not None and connections.pause(tx, work.connection, reason):
        asked = copy(reason)
        asked.do = connections.get(tx, work.connection).do or reason.do
        attention.ask(
            tx,
            tenant=work.tenant,
            about=f"connection:{work.connection}",
            reason=asked,
            verbs=("resume",),
            connection=work.connection,
        )
