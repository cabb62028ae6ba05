"""Documents: invoices, credit notes, payments, customers; one row each, in the form of the canonical model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, bindparam, func, select

from connector.errors import Clash, Missing
from connector.model.json import dumps, loads
from connector.store import reading_ahead, schema
from connector.store.prepared import Prepared
from connector.store.schema import new_id
from connector.store.sql import upsert
from connector.store.tx import Moved, Tx

_t = schema.documents
_HEAD = [column for column in _t.c if column.name not in ("body", "original")]


@dataclass(frozen=True, slots=True)
class Document:
    """A document as stored. `body` is the canonical model as JSON values (None where only heads were asked for).

    `payable` and `open_amount` are in `currency`, in its unit (kroner). `version` counts changes from 1.
    `mapping_version`: content hash of the mapping that made it from a system's record; None of what a program said.
    """

    id: str
    tenant: str
    kind: str
    business_key: str
    digest: str
    state: str
    version: int
    created: datetime
    changed: datetime
    source: str | None = None
    direction: str | None = None
    number: str | None = None
    source_id: str | None = None
    kid: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    currency: str | None = None
    payable: Decimal | None = None
    open_amount: Decimal | None = None
    counterparty_name: str | None = None
    counterparty_number: str | None = None
    content_type: str | None = None
    mapping_version: str | None = None
    arrival: str | None = None
    body: Any = None


PLAIN = frozenset(
    {
        "source",
        "source_id",
        "direction",
        "number",
        "issue_date",
        "due_date",
        "currency",
        "payable",
        "open_amount",
        "state",
        "kid",
    }
    | {"counterparty_name", "counterparty_number", "content_type", "mapping_version", "arrival", "business_key"}
)
"""Columns that `insert` and `change` take by name."""

_INSERT = upsert(_t, lambda insert: insert.on_conflict_do_nothing(index_elements=["tenant", "kind", "business_key"]))
_RELATE = upsert(
    schema.relations,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["document", "kind", "other"], set_={"amount": insert.excluded.amount}
    ),
)
_CHANGE = Prepared(
    _t.update().where(
        _t.c.id == bindparam("row"), _t.c.tenant == bindparam("of"), _t.c.version == bindparam("was", type_=Integer)
    ),
    chosen=True,
)
_GET = Prepared(select(_t).where(_t.c.id == bindparam("id"), _t.c.tenant == bindparam("tenant")))
_LOCK = Prepared(select(_t).where(_t.c.id == bindparam("id"), _t.c.tenant == bindparam("tenant")).with_for_update())
_BY_KEY = Prepared(
    select(_t).where(
        _t.c.tenant == bindparam("tenant"), _t.c.kind == bindparam("kind"), _t.c.business_key == bindparam("key")
    )
)

_r = schema.relations.c
_RELATIONS = Prepared(
    select(_r.document, _r.kind, _r.other, _r.amount)
    .where(_r.tenant == bindparam("tenant"), (_r.document == bindparam("id")) | (_r.other == bindparam("id")))
    .order_by(_r.created, _r.document, _r.other)
)


def digest_of(body: Any) -> str:
    """SHA-256 of the canonical JSON of `body`, hexadecimal: equal content has equal digests."""
    return hashlib.sha256(dumps(body, canonical=True)).hexdigest()


def insert(
    tx: Tx,
    *,
    tenant: str,
    kind: str,
    business_key: str,
    body: Any,
    state: str,
    original: bytes | None = None,
    digest: str | None = None,
    **plain: Any,
) -> Document:
    """Keep a new document.

    Args:
        business_key: what it is in the world, unique for ever per tenant and kind: seller, series or fiscal year, type
            and number; without a number the source's own id.
        body: the canonical model, as it is dumped (`Decimal` amounts).
        original: the bytes as received, where there are any; `content_type` says what they are.
        digest: of the content, when something else than `body` decides whether two are the same.
        plain: further columns by name (`PLAIN`).

    Raises:
        Clash: `document-exists`, with the id of the one that has this key in `where["document"]` and whether its
            content is the same in `details["same"]`.
    """
    _known(plain)
    data = dumps(body)
    digest = digest or digest_of(body)
    id = new_id()
    row: dict[str, Any] = dict.fromkeys(PLAIN) | plain
    row |= {
        "id": id,
        "tenant": tenant,
        "kind": kind,
        "business_key": business_key,
        "digest": digest,
        "state": state,
        "version": 1,
        "body": tx.seal("documents.body", id, data),
        "original": tx.seal("documents.original", id, original),
        "created": tx.now,
        "changed": tx.now,
    }
    if tx.run(_INSERT, row) != 1:
        other = tx.row(_BY_KEY, {"tenant": tenant, "kind": kind, "key": business_key})
        raise Clash(
            f"There is already a document of kind {kind} with the key {business_key}.",
            code="document-exists",
            where={"document": other.id},
            details={"same": other.digest == digest},
        )
    del row["original"]
    return Document(**(row | {"body": loads(data)}))


def get(tx: Tx, tenant: str, id: str) -> Document:
    """One document of the tenant.

    Raises:
        Missing: there is none (or it is another tenant's).
    """
    document = peek(tx, tenant, id)
    if document is None:
        raise Missing(f"There is no document {id}.", code="document-not-found", where={"document": id})
    return document


def locked(tx: Tx, tenant: str, id: str) -> Document:
    """As `get`; nobody else changes it before the transaction ends, and what they wrote before is seen."""
    row = tx.row(_LOCK, {"id": id, "tenant": tenant})
    if row is None:
        raise Missing(f"There is no document {id}.", code="document-not-found", where={"document": id})
    return _document(tx, row)


def peek(tx: Tx, tenant: str, id: str) -> Document | None:
    """The document with this id, None when the tenant has none."""
    found = reading_ahead.rows(tx, "documents", id, lambda: tx.rows(_GET, {"id": id, "tenant": tenant}))
    return _document(tx, found[0]) if found and found[0].tenant == tenant else None


def ahead(tx: Tx, tenant: str, ids: Iterable[str]) -> None:
    """Read these documents in one go (`connector.store.reading_ahead`)."""
    found: dict[str, list[Any]] = {}
    for some in reading_ahead.chunks(ids):
        found |= {id: [] for id in some}
        for row in tx.execute(select(*_HEAD, _t.c.body).where(_t.c.tenant == tenant, _t.c.id.in_(some))):
            found[row.id].append(row)
    reading_ahead.keep(tx, "documents", found)
    reading_ahead.keep(tx, "documents by key", {})


def by_key(tx: Tx, tenant: str, kind: str, business_key: str) -> Document | None:
    """The document with this business key, if there is one."""
    key = (tenant, kind, business_key)
    given = {"tenant": tenant, "kind": kind, "key": business_key}
    found = reading_ahead.rows(tx, "documents by key", key, lambda: tx.rows(_BY_KEY, given))
    return _document(tx, found[0]) if found else None


_NAMED = Prepared(
    select(_t)
    .where(
        _t.c.tenant == bindparam("tenant"), _t.c.kind == bindparam("kind"), _t.c.counterparty_name == bindparam("name")
    )
    .order_by(_t.c.id)
)


def named(tx: Tx, tenant: str, kind: str, name: str) -> list[Document]:
    """Documents whose counterparty has exactly this name; of a customer, the customer itself."""
    return [_document(tx, row) for row in tx.rows(_NAMED, {"tenant": tenant, "kind": kind, "name": name})]


_NUMBERED = Prepared(
    select(_t)
    .where(
        _t.c.tenant == bindparam("tenant"),
        _t.c.counterparty_number == bindparam("number"),
        _t.c.kind == bindparam("kind"),
    )
    .order_by(_t.c.id)
)


def numbered(tx: Tx, tenant: str, kind: str, number: str) -> list[Document]:
    """Documents whose counterparty has this organisation number; of a customer, the customer itself."""
    return [_document(tx, row) for row in tx.rows(_NUMBERED, {"tenant": tenant, "kind": kind, "number": number})]


_ORIGINAL = Prepared(
    select(_t.c.original, _t.c.content_type).where(_t.c.id == bindparam("id"), _t.c.tenant == bindparam("tenant"))
)


def original(tx: Tx, tenant: str, id: str) -> tuple[bytes, str | None] | None:
    """The bytes as received and their content type; None when the document was not received as bytes."""
    row = tx.row(_ORIGINAL, {"id": id, "tenant": tenant})
    if row is None or row.original is None:
        return None
    plain = tx.unseal("documents.original", id, row.original)
    return (plain or b"", row.content_type)


def keep_original(tx: Tx, document: Document, original: bytes, content_type: str) -> None:
    """Give a document the bytes that came later; one that has some keeps them."""
    tx.execute(
        _t.update()
        .where(_t.c.id == document.id, _t.c.tenant == document.tenant, _t.c.original.is_(None))
        .values(original=tx.seal("documents.original", document.id, original), content_type=content_type)
    )


def made_by(tx: Tx, document: Document, version: str) -> None:
    """Note which version of a mapping made a document from a system's record. That is no change of the document."""
    tx.execute(
        _t.update().where(_t.c.id == document.id, _t.c.tenant == document.tenant).values(mapping_version=version)
    )


def find(
    tx: Tx,
    tenant: str,
    *,
    kind: str | None = None,
    state: str | Sequence[str] | None = None,
    direction: str | None = None,
    number: str | None = None,
    source_id: str | None = None,
    kid: str | None = None,
    counterparty: str | None = None,
    issued_from: date | None = None,
    issued_to: date | None = None,
    due_before: date | None = None,
    voucher: str | None = None,
    vendor_id: str | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> list[Document]:
    """Heads of documents (without bodies), in the order they came. Pages: `after` is the id of the last one seen.

    `counterparty` is a part of the name (any case) or the whole number; `voucher` and `vendor_id` look in the links;
    `issued_to` is included, `due_before` not.
    """
    query = select(*_HEAD).where(_t.c.tenant == tenant)
    for column, value in (
        (_t.c.kind, kind),
        (_t.c.direction, direction),
        (_t.c.number, number),
        (_t.c.source_id, source_id),
        (_t.c.kid, kid),
    ):
        if value is not None:
            query = query.where(column == value)
    if state is not None:
        query = query.where(_t.c.state.in_([state] if isinstance(state, str) else list(state)))
    if counterparty is not None:
        named = _t.c.counterparty_name.icontains(counterparty, autoescape=True)
        query = query.where(named | (_t.c.counterparty_number == counterparty))
    if issued_from is not None:
        query = query.where(_t.c.issue_date >= issued_from)
    if issued_to is not None:
        query = query.where(_t.c.issue_date <= issued_to)
    if due_before is not None:
        query = query.where(_t.c.due_date < due_before)
    for column, value in ((schema.links.c.voucher, voucher), (schema.links.c.vendor_id, vendor_id)):
        if value is not None:
            query = query.where(
                _t.c.id.in_(select(schema.links.c.document).where(schema.links.c.tenant == tenant, column == value))
            )
    if after is not None:
        query = query.where(_t.c.id < after if newest_first else _t.c.id > after)
    query = query.order_by(_t.c.id.desc() if newest_first else _t.c.id).limit(limit)
    return [Document(**row) for row in tx.execute(query).mappings()]


def count(tx: Tx, tenant: str, *, after: str | None = None) -> int:
    """How many documents a tenant has; `after`: of those that came after this id."""
    query = select(func.count()).select_from(_t).where(_t.c.tenant == tenant)
    return int(tx.execute(query if after is None else query.where(_t.c.id > after)).scalar_one())


def credits(tx: Tx, tenant: str, customer: str, currency: str) -> list[Document]:
    """Payments and credit notes of a customer of which something is left, oldest first."""
    mine = select(_r.document).where(_r.other == customer, _r.kind == "customer", _r.tenant == tenant)
    query = (
        select(_t)
        .where(_t.c.id.in_(mine), _t.c.tenant == tenant)
        .where((_t.c.kind == "credit_note") | ((_t.c.kind == "payment") & (_t.c.direction == "in")))
        .where(_t.c.currency == currency, _t.c.open_amount > Decimal(0))
        .order_by(_t.c.issue_date, _t.c.id)
    )
    return [_document(tx, row) for row in tx.execute(query)]


def change(tx: Tx, document: Document, **changes: Any) -> Document:
    """Change a document that has not changed since it was read (compare-and-swap on its version).

    `changes`: `body`, `digest` (follows `body` when it is not given) and the columns in `PLAIN`.

    Raises:
        Moved: it has changed meanwhile: read it and decide again.
    """
    values: dict[str, Any] = {key: value for key, value in changes.items() if key not in ("body", "digest")}
    _known(values)
    if "body" in changes:
        data = dumps(changes["body"])
        values["body"] = tx.seal("documents.body", document.id, data)
        changes["body"] = loads(data)
        changes.setdefault("digest", digest_of(changes["body"]))
    if "digest" in changes:
        values["digest"] = changes["digest"]
    values |= {"version": document.version + 1, "changed": tx.now}
    if tx.run(_CHANGE, values | {"row": document.id, "of": document.tenant, "was": document.version}) != 1:
        raise Moved
    return Document(**({name: getattr(document, name) for name in _FIELDS} | values | changes))


def forget(tx: Tx, document: Document) -> None:
    """Delete a document that nothing refers to, with what it says of others itself."""
    tx.execute(schema.relations.delete().where(schema.relations.c.document == document.id))
    tx.execute(_t.delete().where(_t.c.id == document.id, _t.c.tenant == document.tenant))


_FIELDS = tuple(Document.__dataclass_fields__)


def relate(tx: Tx, *, tenant: str, document: str, kind: str, other: str, amount: Decimal | None = None) -> None:
    """Say that `document` has to do with `other`: `allocation` (a payment settles an invoice with `amount`), `credits`,
    `reverses`, `customer` …  Saying it again replaces the amount.
    """
    tx.run(
        _RELATE,
        {"tenant": tenant, "document": document, "kind": kind, "other": other, "amount": amount, "created": tx.now},
    )


@dataclass(frozen=True, slots=True)
class Relation:
    """`document` has to do with `other` (see `relate`)."""

    document: str
    kind: str
    other: str
    amount: Decimal | None


def relations(tx: Tx, tenant: str, id: str) -> list[Relation]:
    """All relations of a document, in both directions, oldest first."""
    given = {"tenant": tenant, "id": id}
    return [Relation(*row) for row in reading_ahead.rows(tx, "relations", id, lambda: tx.rows(_RELATIONS, given))]


_REFERENCES = Prepared(
    select(_r.document, _r.kind, _r.other, _r.amount)
    .where(_r.tenant == bindparam("tenant"), _r.document == bindparam("id"))
    .order_by(_r.created, _r.other)
)


def references(tx: Tx, tenant: str, id: str) -> list[Relation]:
    """What a document says of others, oldest first; not what others say of it, which of a customer is everything."""
    given = {"tenant": tenant, "id": id}
    held = reading_ahead.rows(tx, "references", id, lambda: tx.rows(_REFERENCES, given))
    return [Relation(*row) for row in held]


def relations_ahead(tx: Tx, tenant: str, ids: Iterable[str]) -> set[str]:
    """Read the relations of these documents in one go (`connector.store.reading_ahead`); the documents they refer to.
    Not for registers: a customer is referred to by everything that was ever sold to it.
    """
    found: dict[str, list[Any]] = {}
    others: set[str] = set()
    for some in reading_ahead.chunks(ids):
        found |= {id: [] for id in some}
        query = select(_r.document, _r.kind, _r.other, _r.amount).where(_r.tenant == tenant)
        query = query.where(_r.document.in_(some) | _r.other.in_(some))
        for row in tx.execute(query.order_by(_r.created, _r.document, _r.other)):
            for id in {row.document, row.other}.intersection(some):
                found[id].append(row)
            others |= {row.other} if row.document in some else set()
    reading_ahead.keep(tx, "relations", found)
    reading_ahead.keep(
        tx, "references", {id: [row for row in rows if row.document == id] for id, rows in found.items()}
    )
    return others


def _known(plain: Mapping[str, Any]) -> None:
    unknown = plain.keys() - PLAIN
    if unknown:
        raise TypeError(f"documents have no column {', '.join(sorted(unknown))}")


def _document(tx: Tx, row: Any) -> Document:
    fields = row._asdict()
    fields.pop("original", None)
    fields["body"] = tx.unseal_json("documents.body", row.id, row.body)
    return Document(**fields)
