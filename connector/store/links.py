"""Links: what a document is called in a connected system, and the base: what both sides last agreed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, case, func, literal, select

from connector.errors import Clash, Missing
from connector.store import reading_ahead, schema
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.sql import upsert
from connector.store.tx import Tx

_t = schema.links


@dataclass(frozen=True, slots=True)
class Link:
    """One document in one system. `base_sent` is what we sent, `base_seen` what the system shows of it; `dispatch` what
    the system says about having sent it to its receiver itself: `sent` or `failed`; `shown_open` what it shows as open,
    in the document's currency: a control total. `written_by` and `read_by`: versions (content hashes) of the mapping
    that made what was written there last, and through which it was read last; None where it never was.
    """

    id: str
    tenant: str
    document: str
    connection: str
    kind: str
    vendor_id: str
    state: str
    created: datetime
    changed: datetime
    number: str | None = None
    series: str | None = None
    voucher: str | None = None
    period: str | None = None
    vendor_version: str | None = None
    dispatch: str | None = None
    shown_open: Decimal | None = None
    base_sent: Any = None
    base_seen: Any = None
    swept: str | None = None
    written_by: str | None = None
    read_by: str | None = None


PLAIN = frozenset(["number", "series", "voucher", "period", "vendor_version", "dispatch", "shown_open", "state"]) | {
    "written_by",
    "read_by",
}
"""Columns that `put` takes by name, beside the two halves of the base."""

_INSERT = upsert(_t, lambda insert: insert.on_conflict_do_nothing())
_CHANGE = Prepared(_t.update().where(_t.c.id == bindparam("row")), chosen=True)
_OF = Prepared(select(_t).where(_t.c.document == bindparam("document"), _t.c.connection == bindparam("connection")))
_ALL_OF = Prepared(select(_t).where(_t.c.document == bindparam("document")).order_by(_t.c.id))
_BY_VENDOR = Prepared(
    select(_t).where(
        _t.c.connection == bindparam("connection"),
        _t.c.kind == bindparam("kind"),
        _t.c.vendor_id == bindparam("vendor_id"),
    )
)


def put(
    tx: Tx,
    *,
    tenant: str,
    document: str,
    connection: str,
    kind: str,
    vendor_id: str,
    state: str = "linked",
    **changes: Any,
) -> Link:
    """Make the link of a document, or change it. What is not named in `changes`, or is None, stays as it is.

    `changes`: the columns in `PLAIN`, and `base_sent` and `base_seen` (JSON-able).

    Raises:
        Clash: `link-taken`: the vendor's id belongs to another document, or the document has another id there.
    """
    _known(changes)
    id = new_id()
    row: dict[str, Any] = dict.fromkeys(_FIELDS) | changes
    row |= {
        "id": id,
        "tenant": tenant,
        "document": document,
        "connection": connection,
        "kind": kind,
        "vendor_id": vendor_id,
        "state": state,
        "created": tx.now,
        "changed": tx.now,
    }
    sealed = {half: tx.seal_json(f"links.{half}", id, changes.get(half)) for half in ("base_sent", "base_seen")}
    if tx.run(_INSERT, row | sealed) == 1:
        return Link(**row)
    there = of(tx, document, connection, kind)
    if there is not None and there.vendor_id == vendor_id:
        return change(tx, there, state=state, **changes)
    other = by_vendor_id(tx, connection, kind, vendor_id) or there
    raise Clash(
        f"{kind} {vendor_id} is linked to another document there, or this document to another {kind}.",
        code="link-taken",
        where={"connection": connection, "document": other.document if other else document},
    )


def change(tx: Tx, link: Link, *, state: str = "linked", **changes: Any) -> Link:
    """Change a link that has been read. `changes` as in `put`."""
    _known(changes)
    said = {name: value for name, value in changes.items() if value is not None}
    values = said | {"state": state, "changed": tx.now}
    for half in ("base_sent", "base_seen"):
        if half in said:
            values[half] = tx.seal_json(f"links.{half}", link.id, said[half])
    tx.run(_CHANGE, values | {"row": link.id})
    return replace(link, state=state, changed=tx.now, **said)


def _known(changes: Mapping[str, Any]) -> None:
    unknown = changes.keys() - PLAIN - {"base_sent", "base_seen"}
    if unknown:
        raise TypeError(f"links have no column {', '.join(sorted(unknown))}")


def of(tx: Tx, document: str, connection: str, kind: str | None = None) -> Link | None:
    """The link of a document on a connection (of a kind, when it has several there)."""
    if tx.ahead:
        there = [row for row in _rows(tx, document) if row.connection == connection]
    else:
        there = tx.rows(_OF, {"document": document, "connection": connection})
    for row in there:
        if kind is None or row.kind == kind:
            return _link(tx, row)
    return None


def all_of(tx: Tx, document: str) -> list[Link]:
    """All links of a document."""
    return [_link(tx, row) for row in _rows(tx, document)]


def _rows(tx: Tx, document: str) -> Sequence[Any]:
    return reading_ahead.rows(tx, "links", document, lambda: tx.rows(_ALL_OF, {"document": document}))


def ahead(tx: Tx, documents: Iterable[str]) -> None:
    """Read the links of these documents in one go (`connector.store.reading_ahead`)."""
    found: dict[str, list[Any]] = {}
    for some in reading_ahead.chunks(documents):
        found |= {document: [] for document in some}
        for row in tx.execute(select(_t).where(_t.c.document.in_(some)).order_by(_t.c.id)):
            found[row.document].append(row)
    reading_ahead.keep(tx, "links", found)


def by_vendor_id(tx: Tx, connection: str, kind: str, vendor_id: str) -> Link | None:
    """The link with the vendor's id, if there is one."""
    row = tx.row(_BY_VENDOR, {"connection": connection, "kind": kind, "vendor_id": vendor_id})
    return None if row is None else _link(tx, row)


_PART = Prepared(
    select(_t).where(
        _t.c.connection == bindparam("connection"),
        _t.c.vendor_id == bindparam("vendor_id"),
        _t.c.kind.like(bindparam("parts")),
    )
)


def part(tx: Tx, connection: str, kind: str, vendor_id: str) -> Link | None:
    """The link of a part (kinds `payment:1`, `payment:2` …) with the vendor's id, if there is one."""
    row = tx.row(_PART, {"connection": connection, "vendor_id": vendor_id, "parts": f"{kind}:%"})
    return None if row is None else _link(tx, row)


def versions(tx: Tx, connection: str, kind: str, ids: Sequence[str]) -> dict[str, str | None]:
    """By the vendor's id, the version we know of each of these records that is linked."""
    known: dict[str, str | None] = {}
    for start in range(0, len(ids), 500):  # databases take so many values in one statement
        some = select(_t.c.vendor_id, _t.c.vendor_version).where(
            _t.c.connection == connection, _t.c.kind == kind, _t.c.vendor_id.in_(ids[start : start + 500])
        )
        known.update((row.vendor_id, row.vendor_version) for row in tx.execute(some))
    return known


_OTHERWISE: dict[str, Any] = dict.fromkeys(["vendor_version", "base_sent", "base_seen", "written_by", "read_by"])
"""What is not known of another record."""


def named_otherwise(tx: Tx, link: Link, vendor_id: str) -> Link:
    """The document is called otherwise there: the record it was linked to was not the one that is meant."""
    tx.execute(_t.update().where(_t.c.id == link.id).values(vendor_id=vendor_id, **_OTHERWISE, changed=tx.now))
    return replace(link, vendor_id=vendor_id, **_OTHERWISE, changed=tx.now)


def drop(tx: Tx, link: Link) -> None:
    """The document is not there any more."""
    tx.execute(_t.delete().where(_t.c.id == link.id))


def swept(tx: Tx, connection: str, kind: str, ids: Sequence[str], run: str) -> None:
    """Note that a full comparison has seen these of the vendor's records."""
    for start in range(0, len(ids), 500):
        some = _t.c.vendor_id.in_(ids[start : start + 500])
        tx.execute(_t.update().where(_t.c.connection == connection, _of(kind), some).values(swept=run))


def _of(kind: str) -> Any:
    """A kind and its further records (`customer:2`)."""
    return (_t.c.kind == kind) | _t.c.kind.like(f"{kind}:%")


def in_state(tx: Tx, connection: str, kind: str, ids: Sequence[str], state: str) -> list[Link]:
    """Those of these of the vendor's records whose link is in this state."""
    found = []
    for start in range(0, len(ids), 500):
        some = _t.c.vendor_id.in_(ids[start : start + 500])
        query = select(_t).where(_t.c.connection == connection, _t.c.kind == kind, _t.c.state == state, some)
        found += [_link(tx, row) for row in tx.execute(query)]
    return found


def unseen(tx: Tx, connection: str, kind: str, run: str, since: datetime, *, limit: int) -> list[Link]:
    """Links made before `since` that the full comparison has not seen, at most `limit`."""
    query = select(_t).where(_t.c.connection == connection, _of(kind), _t.c.created < since)
    query = query.where(_t.c.state != "vanished", (_t.c.swept != run) | _t.c.swept.is_(None))
    return [_link(tx, row) for row in tx.execute(query.order_by(_t.c.id).limit(limit))]


def count(tx: Tx, connection: str, kind: str) -> int:
    """How many of a kind are linked."""
    query = select(func.count()).select_from(_t).where(_t.c.connection == connection, _t.c.kind == kind)
    return int(tx.execute(query).scalar_one())


def vendor_id(tx: Tx, document: str, connection: str, kind: str | None = None) -> str:
    """What the document is called there.

    Raises:
        Missing: `link-missing`.
    """
    link = of(tx, document, connection, kind)
    if link is None:
        raise Missing(
            "The document is not in this system yet.",
            code="link-missing",
            where={"document": document, "connection": connection},
        )
    return link.vendor_id


def page(tx: Tx, connection: str, kind: str, *, after: str | None = None, limit: int = 500) -> list[Link]:
    """Links of a connection, page by page (`after`: the id of the last one seen); for full comparisons."""
    query = select(_t).where(_t.c.connection == connection, _t.c.kind == kind)
    if after is not None:
        query = query.where(_t.c.id > after)
    return [_link(tx, row) for row in tx.execute(query.order_by(_t.c.id).limit(limit))]


def made_by_others(
    tx: Tx, connection: str, version: str, *, only: str | None = None, after: str | None = None, limit: int = 100
) -> list[Link]:
    """Links of what another version of the mapping made than this one, page by page (`after`: the id of the last one
    seen). `only`: made by this one. What was made before versions were kept belongs to them.
    """
    made = func.coalesce(_t.c.written_by, _t.c.read_by, "")
    query = select(_t).where(_t.c.connection == connection, _t.c.base_seen.is_not(None), made != version)
    if only is not None:
        query = query.where(made == only)
    if after is not None:
        query = query.where(_t.c.id > after)
    return [_link(tx, row) for row in tx.execute(query.order_by(_t.c.id).limit(limit))]


def makers(tx: Tx, connection: str) -> dict[str, int]:
    """How many links each version of the mapping made; `""` are those from before versions were kept."""
    made = func.coalesce(_t.c.written_by, _t.c.read_by, "")
    query = select(made.label("made"), func.count().label("many")).where(
        _t.c.connection == connection, _t.c.base_seen.is_not(None)
    )
    return {row.made: row.many for row in tx.execute(query.group_by(made))}


def apart(tx: Tx, connection: str, kind: str, *, before: datetime, limit: int = 100) -> list[tuple[str, Decimal]]:
    """Documents of which the system showed, before a moment, another amount open than there is here (less than nothing
    is nothing), each with what it showed.
    """
    d, t = schema.documents.c, _t.c
    shown = case((t.shown_open < Decimal(0), literal(Decimal(0), schema.Money())), else_=t.shown_open)
    query = (
        select(t.document, t.shown_open)
        .join(schema.documents, d.id == t.document)
        .where(t.connection == connection, t.kind == kind, t.changed < before)
        .where(d.open_amount.is_not(None), d.open_amount != shown)
        .order_by(t.document)
        .limit(limit)
    )
    return [(row.document, row.shown_open) for row in tx.execute(query)]


_FIELDS = tuple(Link.__dataclass_fields__)


def _link(tx: Tx, row: Any) -> Link:
    fields = row._asdict()
    for half in ("base_sent", "base_seen"):
        fields[half] = tx.unseal_json(f"links.{half}", row.id, fields[half])
    return Link(**fields)
