"""Work: what is to be done in a lane, an effect on the world outside or a read from it."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, Literal

from sqlalchemy import Boolean, Integer, bindparam, func, literal_column, select, text, true, union_all

from connector.errors import Missing, Stop
from connector.ports import Goal, Issued, Kind, Totals
from connector.store import reading_ahead, schema
from connector.store.prepared import Prepared
from connector.store.schema import Moment, new_id
from connector.store.sql import one_of, upsert
from connector.store.states import WORK, check
from connector.store.tx import Tx

_t = schema.work


class Turn(IntEnum):
    """The classes that a lane serves in turn."""

    PERSON = 0
    EFFECT = 1
    HINT = 2
    POLL = 3
    SWEEP = 4


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work.

    `task` is what `submit` was given; `goal` what an effect's handler decided, set from the first attempt on. `asked`
    counts how often it was asked for while it waited. `waits` counts the works it waits for.
    """

    id: str
    tenant: str
    lane: str
    turn: int
    role: str
    kind: str
    connection: str | None
    document: str | None
    subject: str | None
    merge: str | None
    asked: int
    state: str
    due: datetime | None
    waits: int
    tries: int
    looks: int
    failing_since: datetime | None
    created: datetime
    ended: datetime | None = None
    task: Any = None
    goal: Goal | None = None
    error: Any = None


_INSERT = Prepared(_t.insert())
_MERGE = upsert(
    _t,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["lane", "merge"],
        index_where=text("ended IS NULL AND merge IS NOT NULL"),
        set_={"asked": _t.c.asked + 1},
    ).returning(_t.c.id),
)
_BEFORE = Prepared(
    select(
        select(schema.connections.c.paused)
        .where(schema.connections.c.id == bindparam("connection"))
        .scalar_subquery()
        .label("paused"),
        select(func.max(_t.c.id))
        .where(_t.c.tenant == bindparam("tenant"), _t.c.subject == bindparam("subject"), _t.c.ended.is_(None))
        .scalar_subquery()
        .label("before"),
        select(literal_column("1")).where(schema.lanes.c.key == bindparam("lane")).scalar_subquery().label("lane"),
    )
)
_NEW_LANE = Prepared(
    text("INSERT INTO lanes (key, epoch, beat, length) VALUES (:lane, 0, 0, 0) ON CONFLICT (key) DO NOTHING")
)
_NEED = Prepared(schema.needs.insert())
_GET = Prepared(select(_t).where(_t.c.id == bindparam("id")))
_MOVE = Prepared(
    _t.update()
    .where(_t.c.id == bindparam("row"), _t.c.state == bindparam("was"), _t.c.asked <= bindparam("most_asked"))
    .values(
        state=bindparam("to"),
        due=bindparam("due"),
        tries=bindparam("tries"),
        looks=bindparam("looks"),
        failing_since=bindparam("failing_since"),
        error=bindparam("error"),
        ended=bindparam("ended"),
    )
)
_SERVED = ("queued", "running", "unknown")
_ANY_NUMBER = 2**31 - 1
_TOLD = Prepared(_t.update().where(_t.c.id == bindparam("row")).values(task=bindparam("task")))
_DECIDED = Prepared(_t.update().where(_t.c.id == bindparam("row")).values(goal=bindparam("goal")))

check(WORK, "blocked", "queued")
_WAKE = Prepared(
    text(
        "UPDATE work SET waits = waits - 1, "
        "state = CASE WHEN state = 'blocked' AND waits <= 1 THEN 'queued' ELSE state END, "
        "due = CASE WHEN state = 'blocked' AND waits <= 1 THEN :now ELSE due END "
        "WHERE id IN (SELECT work FROM needs WHERE needs = :id AND NOT (firm AND :cancelled = 1))"
    ).bindparams(bindparam("now", type_=Moment()))
)


def submit(
    tx: Tx,
    *,
    tenant: str,
    lane: str,
    turn: Turn,
    kind: str,
    connection: str | None = None,
    document: str | None = None,
    subject: str | None = None,
    task: Any = None,
    needs: Sequence[str] = (),
    not_before: datetime | None = None,
    coalesce: str | None = None,
    role: Literal["effect", "read"] | None = None,
) -> str:
    """Have something done. Returns the id of the work.

    Args:
        lane: the key of the lane whose turn it waits for (`ports.Lane.key`).
        kind: names the handler.
        subject: work of one subject (document × connection) is done one after the other, in the order submitted.
        task: what the handler needs to know beyond document and connection (JSON-able; kept sealed).
        needs: ids of works that must have been done first; it waits for them.
        not_before: earliest moment (not together with `needs`).
        coalesce: only for reads: while one with the same lane and key waits, it is that one (asked for once more).
        role: `effect` or `read`; by default effect for the turns PERSON and EFFECT, read for the others.

    Raises:
        Stop: `need-cancelled`: one of `needs` was cancelled and will never be done.
    """
    role = role or ("effect" if turn <= Turn.EFFECT else "read")
    if coalesce is not None and (role != "read" or needs):
        raise ValueError("only reads that wait for nothing coalesce: an effect decides when it runs")
    if needs and not_before is not None:
        raise ValueError("work waits for other work or for a moment, not for both")
    id = new_id()
    there = tx.row(_BEFORE, {"connection": connection, "tenant": tenant, "subject": subject, "lane": lane})
    if there.lane is None:
        tx.run(_NEW_LANE, {"lane": lane})
    waits_for = dict.fromkeys(needs, True)
    if there.before is not None and coalesce is None:
        waits_for.setdefault(there.before, False)
    if waits_for:
        waits_for = _still_waited_for(tx, waits_for)
    row = {
        "id": id,
        "tenant": tenant,
        "lane": lane,
        "turn": int(turn),
        "role": role,
        "kind": kind,
        "connection": connection,
        "document": document,
        "subject": subject,
        "merge": coalesce,
        "asked": 1,
        "task": tx.seal_json("work.task", id, task),
        "state": "blocked" if waits_for else "queued",
        "due": None if waits_for or there.paused is not None else max(not_before or tx.now, tx.now),
        "waits": len(waits_for),
        "tries": 0,
        "looks": 0,
        "created": tx.now,
    }
    if coalesce is None:
        tx.run(_INSERT, row)
    else:
        id = tx.row(_MERGE, row).id
    if waits_for:
        tx.run_each(_NEED, [{"work": id, "needs": need, "firm": firm} for need, firm in waits_for.items()])
    elif not_before is None or not_before <= tx.now:  # what is due later is found when it is
        tx.ring(f"lane:{lane}")
    return id


def _still_waited_for(tx: Tx, waits_for: dict[str, bool]) -> dict[str, bool]:
    """Those that have not ended; locked, so that none ends unseen before we have committed."""
    query = select(_t.c.id, _t.c.state).where(_t.c.id.in_(waits_for)).order_by(_t.c.id)
    rows = tx.execute(query.with_for_update(read=True) if tx.postgres else query)
    states: dict[str, str] = {row.id: row.state for row in rows}
    for id, firm in waits_for.items():
        if id not in states:
            raise Missing(f"There is no work {id}.", code="work-not-found", where={"work": id})
        if firm and states[id] == "cancelled":
            raise Stop("What this needs first was cancelled.", code="need-cancelled", where={"work": id})
    return {id: firm for id, firm in waits_for.items() if states[id] not in ("done", "cancelled")}


def get(tx: Tx, id: str) -> Work:
    """One piece of work.

    Raises:
        Missing: there is none.
    """
    row = tx.row(_GET, {"id": id})
    if row is None:
        raise Missing(f"There is no work {id}.", code="work-not-found", where={"work": id})
    return _work(tx, row)


_NOT_OVER = ("blocked", "queued", "running", "unknown", "parked")
_LIVE = Prepared(select(_t).where(_t.c.document == bindparam("document"), _t.c.ended.is_(None)).order_by(_t.c.id))


def live_of(tx: Tx, tenant: str, document: str, connection: str) -> list[Work]:
    """Works about a document at a connection that are not over, oldest first."""
    if not tx.ahead:
        return find(tx, tenant=tenant, document=document, connection=connection, state=_NOT_OVER)
    found = reading_ahead.rows(tx, "work", document, lambda: tx.rows(_LIVE, {"document": document}))
    return [_work(tx, row) for row in found if (row.tenant, row.connection) == (tenant, connection)]


def ahead(tx: Tx, documents: Iterable[str]) -> None:
    """Read the works about these documents that are not over in one go (`connector.store.reading_ahead`)."""
    found: dict[str, list[Any]] = {}
    for some in reading_ahead.chunks(documents):
        found |= {document: [] for document in some}
        query = select(_t).where(_t.c.document.in_(some), _t.c.ended.is_(None))
        for row in tx.execute(query.order_by(_t.c.id)):
            found[row.document].append(row)
    reading_ahead.keep(tx, "work", found)


def find(
    tx: Tx,
    *,
    tenant: str | None = None,
    document: str | None = None,
    connection: str | None = None,
    lane: str | None = None,
    state: str | Sequence[str] | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[Work]:
    """Works, oldest first. Pages: `after` is the id of the last one seen."""
    given = {"tenant": tenant, "document": document, "connection": connection, "lane": lane}
    given = {name: value for name, value in given.items() if value is not None}
    states = (state,) if isinstance(state, str) else tuple(state or ())
    if state is not None and not states:
        return []
    statement = _found_by(*given, states=states, paging=after is not None)
    return [_work(tx, row) for row in tx.rows(statement, given | {"after": after, "most": limit})]


@functools.lru_cache(maxsize=256)
def _found_by(*names: str, states: tuple[str, ...], paging: bool) -> Prepared:
    query = select(_t).where(*(_t.c[name] == bindparam(name) for name in names))
    if paging:
        query = query.where(_t.c.id > bindparam("after"))
    if states:
        query = query.where(one_of(_t.c.state, states))
    return Prepared(query.order_by(_t.c.id).limit(bindparam("most", type_=Integer)))


_COALESCED = Prepared(
    select(_t.c.due).where(
        _t.c.lane == bindparam("lane"),
        _t.c.merge == bindparam("merge"),
        _t.c.merge.is_not(None),
        _t.c.ended.is_(None),
        one_of(_t.c.state, ("queued", "running")),
    )
)


def due_of(tx: Tx, lane: str, coalesce: str) -> datetime | None:
    """When the read that coalesces under this key will be done; None where none waits, or it waits for a person."""
    row = tx.row(_COALESCED, {"lane": lane, "merge": coalesce})
    return None if row is None else row.due


def needs_of(tx: Tx, id: str) -> list[Work]:
    """What it waits for, or waited for."""
    query = select(_t).join(schema.needs, schema.needs.c.needs == _t.c.id).where(schema.needs.c.work == id)
    return [_work(tx, row) for row in tx.execute(query.order_by(_t.c.id))]


def move(
    tx: Tx,
    work: Work,
    to: str,
    *,
    due: datetime | None = None,
    tries: int | None = None,
    looks: int | None = None,
    failing_since: datetime | None = None,
    error: Any = None,
    unless_asked_again: bool = False,
) -> None:
    """Bring a work into another state. `due` is kept only by states that are served (queued, running, unknown).

    The transaction ends with `Moved` when the work is no longer in the state it was read in (or, with
    `unless_asked_again`, was asked for once more meanwhile).
    """
    check(WORK, work.state, to)
    ended = to in ("done", "cancelled")
    tx.defer(
        _MOVE,
        {
            "row": work.id,
            "was": work.state,
            "most_asked": work.asked if unless_asked_again else _ANY_NUMBER,
            "to": to,
            "due": due if to in _SERVED else None,
            "tries": work.tries if tries is None else tries,
            "looks": work.looks if looks is None else looks,
            "failing_since": failing_since,
            "error": tx.seal_json("work.error", work.id, error),
            "ended": tx.now if ended else None,
        },
        rows=1,
    )
    if ended:
        tx.defer(_WAKE, {"id": work.id, "now": tx.now, "cancelled": int(to == "cancelled")}, ring="work")


def decided(tx: Tx, work: Work, goal: Goal) -> None:
    """Keep the goal that an effect's handler decided, before its first attempt."""
    tx.defer(_DECIDED, {"row": work.id, "goal": tx.seal_json("work.goal", work.id, _goal_json(goal))}, rows=1)


def told(tx: Tx, work: Work, task: Any) -> None:
    """Keep another task: a person has said something about it that the handler needs to know."""
    if task != work.task:
        tx.defer(_TOLD, {"row": work.id, "task": tx.seal_json("work.task", work.id, task)}, rows=1)


def forget_goal(tx: Tx, work: Work) -> None:
    """Let the handler decide anew the next time; only while nothing has taken effect."""
    tx.defer(_DECIDED, {"row": work.id, "goal": None}, rows=1)


_DUE = Prepared(
    union_all(
        *(
            select(
                select(_t)
                .where(
                    _t.c.lane == bindparam("lane"),
                    _t.c.turn == int(turn),
                    _t.c.due <= bindparam("now", type_=Moment()),
                    (_t.c.role == "read") | (bindparam("effects", type_=Boolean) == true()),
                )
                .order_by(_t.c.due, _t.c.id)
                .limit(bindparam(f"most_{int(turn)}", type_=Integer))
                .subquery()
            )
            for turn in Turn
        )
    )
)


def due(tx: Tx, lane: str, most: Mapping[Turn, int], *, effects: bool = True, but: Collection[str] = ()) -> list[Work]:
    """What can be served now in a lane, oldest first in each class; `most` says how many of each class, those in `but`
    (by id) included, which are left out.
    """
    given = {"lane": lane, "now": tx.now, "effects": effects} | {f"most_{int(turn)}": most[turn] for turn in Turn}
    return [_work(tx, row) for row in tx.rows(_DUE, given) if row.id not in but]


def next_due(tx: Tx, lane: str | None = None) -> datetime | None:
    """When the next work of a lane (of any) is to be served; None when none waits for its time."""
    query = select(func.min(_t.c.due)).where(_t.c.due.is_not(None))
    if lane is not None:
        query = query.where(_t.c.lane == lane)
    return tx.execute(query).scalar_one_or_none()


def hold(tx: Tx, connection: str) -> None:
    """Take everything of a connection out of its lane's service, as it is, if the connection is paused."""
    c = schema.connections.c
    query = select(c.id).where(c.id == connection, c.paused.is_not(None))
    if tx.execute(query.with_for_update(read=True) if tx.postgres else query).one_or_none() is None:
        return
    tx.execute(_t.update().where(_t.c.connection == connection, _t.c.state.in_(_SERVED)).values(due=None))


def release(tx: Tx, connection: str) -> None:
    """The reverse of `hold`."""
    tx.execute(
        _t.update().where(_t.c.connection == connection, _t.c.state.in_(_SERVED), _t.c.due.is_(None)).values(due=tx.now)
    )
    tx.ring("work")


def firm_dependants(tx: Tx, id: str) -> list[Work]:
    """What cannot be done without it, and is not ended."""
    query = select(_t).join(schema.needs, schema.needs.c.work == _t.c.id)
    rows = tx.execute(query.where(schema.needs.c.needs == id, schema.needs.c.firm, _t.c.ended.is_(None)))
    return [_work(tx, row) for row in rows]


def _goal_json(goal: Goal) -> dict[str, Any]:
    return {
        "kind": goal.kind,
        "operation": goal.operation,
        "marker": goal.marker,
        "record": goal.record,
        "totals": None
        if goal.totals is None
        else {name: value for name, value in asdict(goal.totals).items() if value is not None},
        "target": goal.target,
        "issued": None if goal.issued is None else {"number": goal.issued.number, "kid": goal.issued.kid},
        "beside": list(goal.beside),
        "may_create": goal.may_create,
        "seen": goal.seen,
        "made_by": goal.made_by,
    }


_WORDS = ("currency", "vat_currency")
"""Of a goal's totals, those that are no amounts."""


def _goal(stored: Any) -> Goal | None:
    if stored is None:
        return None
    totals = stored["totals"]
    if totals is not None:
        figures: dict[str, Any] = {name: said if name in _WORDS else Decimal(said) for name, said in totals.items()}
        totals = Totals(**figures)
    issued = stored.get("issued")
    return Goal(
        Kind(stored["kind"]),
        stored["operation"],
        stored["marker"],
        stored["record"],
        totals,
        stored["target"],
        None if issued is None else Issued(**issued),
        beside=tuple(stored.get("beside") or ()),
        may_create=stored.get("may_create", True),
        seen=stored.get("seen"),
        made_by=stored.get("made_by"),
    )


def _work(tx: Tx, row: Any) -> Work:
    fields = row._asdict()
    fields["task"] = tx.unseal_json("work.task", row.id, row.task)
    fields["goal"] = _goal(tx.unseal_json("work.goal", row.id, row.goal))
    fields["error"] = tx.unseal_json("work.error", row.id, row.error)
    return Work(**fields)
