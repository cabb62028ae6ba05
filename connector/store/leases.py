"""Leases on lanes: who may make a lane's calls now, and the epoch that tells an old holder's words from a new one's.

No clock is compared between two processes. A holder raises `beat` again and again; an observer takes a lease for dead
when its beat has stood still for its whole `length` on the observer's own clock. Every taking raises `epoch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, or_, select, text

from connector.errors import Missing
from connector.store import schema
from connector.store.prepared import Prepared
from connector.store.tx import Tx

_t = schema.lanes


class LostLease(Exception):
    """The lane is somebody else's now: drop everything, touch nothing."""


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane as stored. `length` (seconds) is what its holder promised; `rests_until` when it may be served again."""

    key: str
    holder: str | None
    epoch: int
    beat: int
    length: int
    rests_until: datetime | None
    paused: str | None


_w = schema.work
_BUSY = Prepared(
    select(_t)
    .where(
        _t.c.paused.is_(None),
        or_(_t.c.rests_until.is_(None), _t.c.rests_until <= bindparam("now")),
        or_(_t.c.holder.is_(None), _t.c.holder != bindparam("me")),
        exists().where(
            _w.c.lane == _t.c.key,
            _w.c.due <= bindparam("now"),
            or_(_w.c.role == "read", bindparam("effects") == 1),
        ),
    )
    .order_by(_t.c.key)
)
_TAKE = Prepared(
    _t.update()
    .where(_t.c.key == bindparam("lane"), _t.c.epoch == bindparam("was"), _t.c.beat == bindparam("seen"))
    .values(holder=bindparam("me"), epoch=_t.c.epoch + 1, beat=_t.c.beat + 1, length=bindparam("seconds"))
)
_LOCK = Prepared(select(_t.c.key).where(_t.c.key == bindparam("lane")).with_for_update(skip_locked=True))
_BEAT = Prepared(
    _t.update().where(_t.c.holder == bindparam("me")).values(beat=_t.c.beat + 1).returning(_t.c.key, _t.c.epoch)
)
_RELEASE = Prepared(
    _t.update().where(_t.c.key == bindparam("lane"), _t.c.epoch == bindparam("mine")).values(holder=None)
)
_OF_LANE = select(_t.c.epoch).where(_t.c.key == bindparam("lane"))
_EPOCH = Prepared(_OF_LANE, postgres=_OF_LANE.with_for_update(read=True))
_REST = Prepared(
    _t.update()
    .where(_t.c.key == bindparam("lane"), or_(_t.c.rests_until.is_(None), _t.c.rests_until < bindparam("until")))
    .values(rests_until=bindparam("until"))
)
_PAUSED = Prepared(select(_t.c.key).where(_t.c.paused.is_not(None)))
_WAITS = Prepared(
    text(
        "SELECT EXISTS (SELECT 1 FROM work w JOIN lanes l ON l.key = w.lane WHERE w.due <= :until AND l.paused IS NULL "
        "AND (l.rests_until IS NULL OR l.rests_until <= :until) AND (w.role = 'read' OR :effects = 1))"
    ).bindparams(bindparam("until", type_=schema.Moment()))
)


def busy(tx: Tx, me: str, *, effects: bool) -> list[LaneRow]:
    """Lanes with work that is due, that somebody else holds or nobody."""
    given = {"now": tx.now, "me": me, "effects": int(effects)}
    return [LaneRow(*row) for row in tx.rows(_BUSY, given)]


def take(tx: Tx, row: LaneRow, me: str, length: int) -> int | None:
    """Take the lease of a lane that is still as it was seen; the new epoch, or None when somebody was quicker."""
    if tx.postgres and tx.row(_LOCK, {"lane": row.key}) is None:
        return None
    given = {"lane": row.key, "was": row.epoch, "seen": row.beat, "me": me, "seconds": length}
    return row.epoch + 1 if tx.run(_TAKE, given) == 1 else None


def beat(tx: Tx, me: str) -> dict[str, int]:
    """Say that this holder lives; the lanes that are still its own, with their epochs."""
    return {row.key: row.epoch for row in tx.rows(_BEAT, {"me": me})}


def release(tx: Tx, lane: str, epoch: int) -> None:
    """Give a lane back."""
    tx.run(_RELEASE, {"lane": lane, "mine": epoch})
    tx.ring("work")


def check(tx: Tx, lane: str, epoch: int) -> None:
    """Refuse to go on when the lane has another epoch; locked, so that it stays so until the transaction has ended.

    Raises:
        LostLease: the epoch is old.
    """
    if tx.memo.get(("epoch", lane)) == epoch:
        return
    row = tx.row(_EPOCH, {"lane": lane})
    if row is None or row.epoch != epoch:
        raise LostLease(lane)
    tx.memo["epoch", lane] = epoch


def rest(tx: Tx, lane: str, until: datetime) -> None:
    """Serve the lane no more until then: the vendor asked for it."""
    tx.run(_REST, {"lane": lane, "until": until})


def pause(tx: Tx, lane: str, reason: str | None) -> None:
    """Serve the lane no more, for this reason; None: serve it again.

    Raises:
        Missing: there is no such lane.
    """
    if tx.execute(_t.update().where(_t.c.key == lane).values(paused=reason)).rowcount != 1:
        raise Missing(f"There is no lane {lane}.", code="lane-not-found", where={"lane": lane})
    tx.ring("control", "work")


def paused(tx: Tx) -> frozenset[str]:
    """The keys of all lanes that are paused."""
    return frozenset(row.key for row in tx.rows(_PAUSED))


def find(tx: Tx, keys: Sequence[str] | None = None) -> list[LaneRow]:
    """All lanes, or those named."""
    query = select(_t).order_by(_t.c.key)
    if keys is not None:
        query = query.where(_t.c.key.in_(keys))
    return [LaneRow(**row) for row in tx.execute(query).mappings()]


def anything_due(tx: Tx, until: datetime, *, effects: bool) -> bool:
    """Whether any work in any lane that is served is due at that moment."""
    given: dict[str, Any] = {"until": until, "effects": int(effects)}
    return bool(tx.row(_WAITS, given)[0])
