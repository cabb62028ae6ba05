"""Attempts: what was tried in the world outside, written down before the call and again when it ended."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, or_, select, text, tuple_

from connector.errors import Clash
from connector.ports import Proof
from connector.store import schema
from connector.store.kept import kept, record_of
from connector.store.prepared import Prepared
from connector.store.sql import one_of, upsert
from connector.store.tx import Tx
from connector.store.work import Work

_t = schema.attempts

PROVED, NOT_TAKEN, REFUSED, UNKNOWN, DISPROVED, FOUND, FOUND_NOTHING = (
    "proved",
    "not-taken",
    "refused",
    "unknown",
    "disproved",
    "found",
    "found-nothing",
)
"""How an attempt ended. A call: `proved`, `not-taken` (may be called again), `refused` (nothing happened and a person
must act), `unknown`, and from there `proved` or `disproved` by looking or by a person. A look: `found`,
`found-nothing`, or one of `not-taken` and `refused`. None: it has not ended, or its process died."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, one that only reads, or one look for what became of a call (`what`: `call`, `read` or `look`)."""

    id: str
    work: str
    connection: str | None
    document: str | None
    step: str
    what: str
    lane: str
    epoch: int
    began: datetime
    ended: datetime | None = None
    outcome: str | None = None
    witness: Any = None
    proof: Proof | None = None
    error: Any = None
    exchanges: Any = None


_INSERT = Prepared(_t.insert())
_END = Prepared(
    _t.update()
    .where(_t.c.id == bindparam("row"), or_(_t.c.outcome.is_(None), _t.c.outcome == UNKNOWN))
    .values(
        outcome=bindparam("how"),
        proof=bindparam("proof"),
        error=bindparam("error"),
        exchanges=bindparam("exchanges"),
        ended=bindparam("ended"),
    )
)
_RESOLVE = Prepared(
    _t.update()
    .where(_t.c.id == bindparam("row"), or_(_t.c.outcome.is_(None), _t.c.outcome == UNKNOWN))
    .values(outcome=bindparam("how"), proof=bindparam("proof"), ended=bindparam("ended"))
)
_OF_WORK = Prepared(select(_t).where(_t.c.work == bindparam("work")).order_by(_t.c.id))
# In the very words of the index's condition: a value that is given when it runs is no reason to use the index.
_PROVED = Prepared(
    select(_t)
    .where(_t.c.connection == bindparam("connection"), text("what = 'call' AND outcome = 'proved'"))
    .where(tuple_(_t.c.began, _t.c.id) > tuple_(bindparam("began", type_=_t.c.began.type), bindparam("last")))
    .order_by(_t.c.began, _t.c.id)
    .limit(bindparam("most", type_=Integer))
)
_CLAIM = upsert(schema.claims, lambda insert: insert.on_conflict_do_nothing())


def proved_since(
    tx: Tx, connection: str, since: datetime, *, after: Attempt | None = None, limit: int = 500
) -> list[Attempt]:
    """Calls to a system that are proved to have taken effect and began at this moment (UTC) or later, oldest first.
    Pages: `after` is the last one seen.
    """
    place = {"began": after.began if after else since, "last": after.id if after else ""}
    return [_attempt(tx, row) for row in tx.rows(_PROVED, {"connection": connection, "most": limit, **place})]


def begin(
    tx: Tx, id: str, work: Work, *, step: str, lane: str, epoch: int, witness: Any = None, reads: bool = False
) -> None:
    """Write down that a call is about to be made; it must be committed before. `reads`: it changes nothing."""
    tx.defer(
        _INSERT,
        {
            "id": id,
            "work": work.id,
            "connection": work.connection,
            "document": work.document,
            "step": step,
            "what": "read" if reads else "call",
            "lane": lane,
            "epoch": epoch,
            "witness": tx.seal_json("attempts.witness", id, witness),
            "outcome": None,
            "proof": None,
            "error": None,
            "exchanges": None,
            "began": tx.now,
            "ended": None,
        },
    )


def end(tx: Tx, id: str, outcome: str, *, proof: Proof | None = None, error: Any = None, exchanges: Any = None) -> None:
    """Write down how a call ended."""
    tx.defer(
        _END,
        {
            "row": id,
            "how": outcome,
            "proof": tx.seal_json("attempts.proof", id, _proof_json(proof)),
            "error": tx.seal_json("attempts.error", id, error),
            "exchanges": tx.seal_json("attempts.exchanges", id, exchanges or None),
            "ended": tx.now,
        },
        rows=1,
    )


def resolve(tx: Tx, id: str, outcome: str, *, proof: Proof | None = None) -> None:
    """Write down what became of a call whose outcome was unknown; what was said in it stays."""
    sealed = tx.seal_json("attempts.proof", id, _proof_json(proof))
    tx.defer(_RESOLVE, {"row": id, "how": outcome, "proof": sealed, "ended": tx.now}, rows=1)


_NEVER_CALLED = Prepared(
    _t.update()
    .where(_t.c.id == bindparam("row"), _t.c.lane == bindparam("of"), _t.c.outcome.is_(None))
    .values(outcome=NOT_TAKEN, error=bindparam("error"), ended=bindparam("ended"))
)


def never_called(tx: Tx, ids: Iterable[str], *, lane: str) -> None:
    """Write down of attempts in a lane that their process ended before it made the call; of those that have no end."""
    said = {"code": "never-called", "message": "The process ended before the call was made.", "do": "", "again": True}
    for id in ids:
        sealed = tx.seal_json("attempts.error", id, said)
        tx.run(_NEVER_CALLED, {"row": id, "of": lane, "error": sealed, "ended": tx.now})


def looked(
    tx: Tx,
    id: str,
    work: Work,
    *,
    step: str,
    lane: str,
    epoch: int,
    began: datetime,
    outcome: str,
    error: Any = None,
    exchanges: Any = None,
) -> None:
    """Write down a look, after it was made (a look changes nothing, so nothing need be written before)."""
    tx.defer(
        _INSERT,
        {
            "id": id,
            "work": work.id,
            "connection": work.connection,
            "document": work.document,
            "step": step,
            "what": "look",
            "lane": lane,
            "epoch": epoch,
            "witness": None,
            "outcome": outcome,
            "proof": None,
            "error": tx.seal_json("attempts.error", id, error),
            "exchanges": tx.seal_json("attempts.exchanges", id, exchanges or None),
            "began": began,
            "ended": tx.now,
        },
    )


def of_work(tx: Tx, work: str) -> list[Attempt]:
    """All attempts of a work, oldest first."""
    return [_attempt(tx, row) for row in tx.rows(_OF_WORK, {"work": work})]


def of_document(tx: Tx, document: str) -> list[Attempt]:
    """All attempts about a document, oldest first."""
    rows = tx.execute(select(_t).where(_t.c.document == document).order_by(_t.c.began, _t.c.id))
    return [_attempt(tx, row) for row in rows]


def unresolved(tx: Tx, connection: str, *, kinds: Sequence[str] | None = None) -> list[tuple[Work, Attempt]]:
    """Calls on a connection that have no end, or an unknown one: any of them could explain a record without a link.

    `kinds`: only works of these kinds (`Work.kind`).
    """
    from connector.store import work as works

    statement = _unresolved(None if kinds is None else tuple(kinds))
    found = [_attempt(tx, row) for row in tx.rows(statement, {"connection": connection})]
    return [(works.get(tx, attempt.work), attempt) for attempt in found]


@functools.lru_cache(maxsize=64)
def _unresolved(kinds: tuple[str, ...] | None) -> Prepared:
    query = (
        select(_t)
        .join(schema.work, schema.work.c.id == _t.c.work)
        .where(_t.c.connection == bindparam("connection"), schema.work.c.ended.is_(None))
        .where(or_(_t.c.outcome.is_(None), _t.c.outcome == UNKNOWN))
    )
    return Prepared((query if kinds is None else query.where(one_of(schema.work.c.kind, kinds))).order_by(_t.c.id))


def claim(
    tx: Tx, connection: str, kind: str, vendor_id: str, *, work: str | None = None, document: str | None = None
) -> None:
    """Say that a vendor's row belongs to this work or document, and to no other. Saying it twice is harmless.

    Raises:
        Clash: `row-claimed`: it belongs to another one.
    """
    row = {
        "connection": connection,
        "kind": kind,
        "vendor_id": vendor_id,
        "work": work,
        "document": document,
        "created": tx.now,
    }
    if tx.run(_CLAIM, row) == 1:
        return
    c = schema.claims.c
    other = tx.execute(
        select(c.work, c.document).where(c.connection == connection, c.kind == kind, c.vendor_id == vendor_id)
    ).one()
    if (work is not None and other.work == work) or (document is not None and other.document == document):
        return
    raise Clash(
        f"{kind} {vendor_id} belongs to another {'effect' if other.work else 'document'} already.",
        code="row-claimed",
        where={"connection": connection, "work": other.work, "document": other.document},
    )


def claimed(tx: Tx, connection: str, kind: str, vendor_ids: Sequence[str], *, but: str | None = None) -> set[str]:
    """Which of these rows belong to somebody (other than the work `but`)."""
    c = schema.claims.c
    rows = tx.execute(
        select(c.vendor_id, c.work).where(c.connection == connection, c.kind == kind, c.vendor_id.in_(vendor_ids))
    )
    return {row.vendor_id for row in rows if but is None or row.work != but}


def _proof_json(proof: Proof | None) -> Any:
    if proof is None:
        return None
    record = proof.record
    shown = None if record is None else {"kind": record.kind, **kept(record)}
    return {"id": proof.id, "facts": proof.facts, "record": shown}


def _attempt(tx: Tx, row: Any) -> Attempt:
    fields = row._asdict()
    for column in ("witness", "proof", "error", "exchanges"):
        fields[column] = tx.unseal_json(f"attempts.{column}", row.id, fields[column])
    stored = fields["proof"]
    if stored is not None:
        record = stored["record"]
        if record is not None:
            record = record_of(record, record["kind"])
        fields["proof"] = Proof(stored["id"], stored["facts"], record)
    return Attempt(**fields)
