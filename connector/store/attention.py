"""Attention: the one list of everything that waits for a person, with what is known and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from connector.errors import ConnectorError, Missing
from connector.store import reading_ahead, schema
from connector.store.schema import new_id
from connector.store.sql import upsert
from connector.store.tx import Tx

_t = schema.attention
_INSERT = upsert(_t, lambda insert: insert.on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits for a person. `said` and `do` are sentences; `verbs` what can be answered (`retry`,
    `happened`, `link`, `did-not-happen`, `cancel`, `resume` …); `amount` is in `currency`.
    """

    id: str
    tenant: str
    about: str
    code: str
    said: str
    do: str
    verbs: tuple[str, ...]
    since: datetime
    details: Any = None
    document: str | None = None
    work: str | None = None
    arrival: str | None = None
    connection: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    due_date: date | None = None
    closed: datetime | None = None
    closed_by: str | None = None
    closed_how: str | None = None


def ask(
    tx: Tx,
    *,
    tenant: str,
    about: str,
    reason: ConnectorError,
    verbs: Sequence[str],
    document: str | None = None,
    work: str | None = None,
    arrival: str | None = None,
    connection: str | None = None,
) -> None:
    """Ask a person. What is open `about` the same thing (`work:<id>`, `arrival:<id>`, `connection:<id>`, `link:<id>` …)
    is replaced by the newer reason. Amount, currency and due date are the document's.
    """
    d = schema.documents.c
    money = None
    if document is not None:
        money = tx.execute(
            select(d.payable, d.open_amount, d.currency, d.due_date).where(d.id == document)
        ).one_or_none()
    id = new_id()
    said = reason.as_json()
    row = {
        "id": id,
        "tenant": tenant,
        "about": about,
        "code": reason.code,
        "said": reason.said,
        "do": reason.do,
        "verbs": " ".join(verbs),
        "details": tx.seal_json("attention.details", id, said),
        "document": document,
        "work": work,
        "arrival": arrival,
        "connection": connection,
        "amount": money and (money.payable if money.open_amount is None else money.open_amount),
        "currency": money and money.currency,
        "due_date": money and money.due_date,
        "since": tx.now,
    }
    there = tx.execute(select(_t.c.id).where(_t.c.about == about, _t.c.closed.is_(None))).scalar_one_or_none()
    if there is not None:
        keep = {key: row[key] for key in ("code", "said", "do", "verbs", "amount", "currency", "due_date")}
        keep["details"] = tx.seal_json("attention.details", there, said)
        tx.execute(_t.update().where(_t.c.id == there).values(**keep))
        return
    if tx.run(_INSERT, row) == 1:
        data = {"id": id, "code": reason.code}
        tx.emit(tenant, "attention.opened", document=document, connection=connection, data=data)


def ignored(tx: Tx, *, tenant: str, about: str, reason: ConnectorError) -> bool:
    """Whether a person has looked at exactly this before, and left it as it is."""
    query = select(_t).where(_t.c.tenant == tenant, _t.c.about == about).order_by(_t.c.id.desc()).limit(1)
    last = tx.execute(query).one_or_none()
    return last is not None and last.closed_how == "ignore" and _item(tx, last).details == reason.as_json()


def answered(tx: Tx, *, tenant: str, about: str, code: str, how: str) -> bool:
    """Whether a person has given this answer where something was asked about before, for this reason."""
    given = (_t.c.tenant == tenant, _t.c.about == about, _t.c.code == code, _t.c.closed_how == how)
    return tx.execute(select(_t.c.id).where(*given).limit(1)).first() is not None


def open_of(tx: Tx, connection: str, code: str) -> set[str]:
    """What everything with this code that waits at a connection is about."""
    query = select(_t.c.about).where(_t.c.connection == connection, _t.c.code == code, _t.c.closed.is_(None))
    return set(tx.execute(query).scalars())


def close(tx: Tx, about: str, *, who: str, how: str) -> bool:
    """It waits no more; `who` settled it and `how`. False when nothing was open."""
    row = tx.execute(
        _t.update()
        .where(_t.c.about == about, _t.c.closed.is_(None))
        .values(closed=tx.now, closed_by=who, closed_how=how)
        .returning(_t.c.id, _t.c.tenant, _t.c.document, _t.c.connection)
    ).one_or_none()
    if row is None:
        return False
    data = {"id": row.id, "how": how}
    tx.emit(row.tenant, "attention.closed", document=row.document, connection=row.connection, data=data)
    return True


def get(tx: Tx, tenant: str, id: str) -> Item:
    """One item.

    Raises:
        Missing: there is none (or it is another tenant's).
    """
    row = tx.execute(select(_t).where(_t.c.id == id, _t.c.tenant == tenant)).one_or_none()
    if row is None:
        raise Missing(f"Nothing called {id} waits for a person.", code="attention-not-found", where={"attention": id})
    return _item(tx, row)


def find(
    tx: Tx,
    *,
    tenant: str | None = None,
    document: str | None = None,
    connection: str | None = None,
    about: str | None = None,
    closed: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> list[Item]:
    """What waits (with `closed`: also what waited), oldest first. Pages: `after` is the id of the last one seen."""
    if about is not None and not closed and (connection, document, after) == (None, None, None) and tx.ahead:
        open_ = select(_t).where(_t.c.about == about, _t.c.closed.is_(None))
        rows = reading_ahead.rows(tx, "attention", about, lambda: list(tx.execute(open_)))
        return [_item(tx, row) for row in rows if tenant in (None, row.tenant)]
    query = select(_t)
    given = ((_t.c.tenant, tenant), (_t.c.document, document), (_t.c.connection, connection), (_t.c.about, about))
    for column, value in given:
        if value is not None:
            query = query.where(column == value)
    if not closed:
        query = query.where(_t.c.closed.is_(None))
    if after is not None:
        query = query.where(_t.c.id > after)
    return [_item(tx, row) for row in tx.execute(query.order_by(_t.c.id).limit(limit))]


def ahead(tx: Tx, abouts: Iterable[str]) -> None:
    """Read what waits under these names in one go (`connector.store.reading_ahead`)."""
    found: dict[str, list[Any]] = {}
    for some in reading_ahead.chunks(abouts):
        found |= {about: [] for about in some}
        for row in tx.execute(select(_t).where(_t.c.about.in_(some), _t.c.closed.is_(None))):
            found[row.about].append(row)
    reading_ahead.keep(tx, "attention", found)


def count(tx: Tx, tenant: str | None = None) -> int:
    """How many things wait."""
    query = select(func.count()).select_from(_t).where(_t.c.closed.is_(None))
    if tenant is not None:
        query = query.where(_t.c.tenant == tenant)
    return int(tx.execute(query).scalar_one())


def _item(tx: Tx, row: Any) -> Item:
    fields = row._asdict()
    fields["details"] = tx.unseal_json("attention.details", row.id, row.details)
    fields["verbs"] = tuple(row.verbs.split())
    return Item(**fields)
