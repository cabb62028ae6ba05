"""The tables.

Ids are UUIDv7 in 32 hexadecimal digits, made by us (`new_id`), so that rows can be written many at a time. Moments are
microseconds since 1970 UTC and money is 1/10,000 of the currency's unit (four decimals for every currency), both as
64-bit integers: they sort and sum alike on both databases. What is searched, summed or sorted has a plain column;
everything a stranger must not read (bodies, originals, goals, proofs, exchanges, secrets) is `LargeBinary`, sealed by
the vault.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from connector.errors import BadInput

SCALE = 4
"""Decimals of a stored amount, the same for every currency."""
_UNIT = 10**SCALE
_MOST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A UUIDv7 (RFC 9562) in 32 hexadecimal digits; ids made one after the other in a process sort in that order."""
    global _last
    random = int.from_bytes(os.urandom(8))
    with _lock:
        # 48 bits of milliseconds and 12 bits below them, which count on when the clock stands still or goes back.
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        stamp = _last
    head = (stamp >> 12) << 16 | 0x7000 | (stamp & 0xFFF)
    return f"{head:016x}{0x8000000000000000 | (random & 0x3FFFFFFFFFFFFFFF):016x}"


class Moment(TypeDecorator[datetime]):
    """A UTC-aware datetime, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Refuses a naive datetime: nobody knows which moment it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"{value!r} has no time zone")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """Always in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def scaled(amount: Decimal) -> int:
    """An amount as its column keeps it. Raises `BadInput` (`amount-not-exact`) for one that it cannot hold."""
    moved = amount.scaleb(SCALE)
    whole = int(moved)
    if whole != moved or abs(whole) > _MOST:
        raise BadInput(
            f"The amount {amount} has more than {SCALE} decimals or is too large to keep.", code="amount-not-exact"
        )
    return whole


class Money(TypeDecorator[Decimal]):
    """An amount in the currency's unit (kroner), exact to four decimals, at most about 900 billion."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:
        """Refuses what the column cannot hold exactly."""
        return None if value is None else scaled(value)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:
        """Without trailing zeros beyond two decimals: 1250.00, 0.125."""
        if value is None:
            return None
        if value % 100 == 0:
            return Decimal(value // 100).scaleb(-2)
        return Decimal(value).scaleb(-SCALE).normalize()


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _tenant() -> Column[str]:
    return Column("tenant", Text, nullable=False)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# --- what is kept -----------------------------------------------------------------------------------------------------

documents = Table(
    "documents",
    metadata,
    _id(),
    _tenant(),
    Column("kind", Text, nullable=False),
    Column("business_key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("source", Text),
    Column("direction", Text),
    Column("number", Text),
    Column("source_id", Text),
    Column("kid", Text),
    Column("issue_date", Date),
    Column("due_date", Date),
    Column("currency", Text),
    Column("payable", Money),
    Column("open_amount", Money),
    Column("counterparty_name", Text),
    Column("counterparty_number", Text),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("original", LargeBinary),
    Column("content_type", Text),
    Column("mapping_version", Text),
    Column("arrival", Text),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    UniqueConstraint("tenant", "kind", "business_key"),
    Index("ix_documents_list", "tenant", "kind", "id"),
    Index("ix_documents_number", "tenant", "number"),
    Index("ix_documents_source_id", "tenant", "source_id"),
    Index("ix_documents_kid", "tenant", "kid"),
    Index("ix_documents_counterparty", "tenant", "counterparty_number"),
    Index("ix_documents_name", "tenant", "kind", "counterparty_name"),
    Index("ix_documents_due", "tenant", "kind", "state", "due_date"),
)

relations = Table(
    "relations",
    metadata,
    _tenant(),
    Column("document", Text, ForeignKey("documents.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("other", Text, ForeignKey("documents.id"), primary_key=True),
    Column("amount", Money),
    Column("created", Moment, nullable=False),
    Index("ix_relations_other", "other", "kind"),
)

links = Table(
    "links",
    metadata,
    _id(),
    _tenant(),
    Column("document", Text, ForeignKey("documents.id"), nullable=False),
    Column("connection", Text, ForeignKey("connections.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("vendor_id", Text, nullable=False),
    Column("number", Text),
    Column("series", Text),
    Column("voucher", Text),
    Column("period", Text),
    Column("vendor_version", Text),
    Column("dispatch", Text),
    Column("shown_open", Money),
    Column("base_sent", LargeBinary),
    Column("base_seen", LargeBinary),
    Column("swept", Text),  # the full comparison that saw it last
    Column("written_by", Text),  # the version of the mapping that made what we wrote there last
    Column("read_by", Text),  # the version through which the document was read from there last
    Column("state", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    UniqueConstraint("connection", "vendor_id", "kind"),
    UniqueConstraint("document", "connection", "kind"),
    Index("ix_links_voucher", "tenant", "voucher"),
    # A comparison asks for nothing else: read from the index alone, it stays out of the rows with their sealed bases.
    Index("ix_links_versions", "connection", "kind", "vendor_id", "vendor_version"),
)

connections = Table(
    "connections",
    metadata,
    _id(),
    _tenant(),
    Column("system", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("start_date", Date),
    Column("lane", Text),
    Column("settings", LargeBinary, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("paused", Text),
    Column("paused_said", Text),
    Column("paused_do", Text),
    Column("paused_at", Moment),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    UniqueConstraint("tenant", "name"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("connection", Text, ForeignKey("connections.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed", Moment, nullable=False),
)

# --- the feed ---------------------------------------------------------------------------------------------------------

feed_heads = Table(
    "feed_heads",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("trimmed", BigInteger, nullable=False, server_default="0"),
)

events = Table(
    "events",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("document", Text),
    Column("connection", Text),
    Column("data", LargeBinary),
    Column("at", Moment, nullable=False),
    Index("ix_events_document", "document"),
)

consumers = Table(
    "consumers",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("changed", Moment, nullable=False),
)

# --- what waits to be done --------------------------------------------------------------------------------------------

arrivals = Table(
    "arrivals",
    metadata,
    _id(),
    _tenant(),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("subject", Text),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("content_type", Text),
    Column("headers", LargeBinary),
    Column("state", Text, nullable=False),
    Column("due", Moment),
    Column("tries", Integer, nullable=False),
    Column("error", LargeBinary),
    Column("document", Text),
    Column("received", Moment, nullable=False),
    Column("ended", Moment),
    UniqueConstraint("tenant", "source", "key"),
    _partial("ix_arrivals_due", "due", "id", where="due IS NOT NULL"),
    _partial("ix_arrivals_subject", "tenant", "subject", "id", where="ended IS NULL"),
    Index("ix_arrivals_document", "document"),
)

work = Table(
    "work",
    metadata,
    _id(),
    _tenant(),
    Column("lane", Text, nullable=False),
    Column("turn", SmallInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("connection", Text),
    Column("document", Text),
    Column("subject", Text),
    Column("merge", Text),
    Column("asked", Integer, nullable=False),
    Column("task", LargeBinary),
    Column("goal", LargeBinary),
    Column("state", Text, nullable=False),
    Column("due", Moment),
    Column("waits", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("failing_since", Moment),
    Column("error", LargeBinary),
    Column("created", Moment, nullable=False),
    Column("ended", Moment),
    _partial("ix_work_due", "lane", "turn", "due", "id", where="due IS NOT NULL"),
    _partial("ix_work_subject", "tenant", "subject", "id", where="ended IS NULL AND subject IS NOT NULL"),
    _partial("ix_work_connection", "connection", "state", where="ended IS NULL"),
    _partial("uq_work_merge", "lane", "merge", where="ended IS NULL AND merge IS NOT NULL", unique=True),
    Index("ix_work_document", "document"),
)

needs = Table(
    "needs",
    metadata,
    Column("work", Text, ForeignKey("work.id"), primary_key=True),
    Column("needs", Text, ForeignKey("work.id"), primary_key=True),
    Column("firm", Boolean, nullable=False),
    Index("ix_needs_needs", "needs"),
)

attempts = Table(
    "attempts",
    metadata,
    _id(),
    Column("work", Text, ForeignKey("work.id"), nullable=False),
    Column("connection", Text),
    Column("document", Text),
    Column("step", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("witness", LargeBinary),
    Column("outcome", Text),
    Column("proof", LargeBinary),
    Column("error", LargeBinary),
    Column("exchanges", LargeBinary),
    Column("began", Moment, nullable=False),
    Column("ended", Moment),
    Index("ix_attempts_work", "work", "id"),
    _partial("ix_attempts_unresolved", "connection", "id", where="outcome IS NULL OR outcome = 'unknown'"),
    # What was written since the cut-over: asked for when it is taken back, whatever else has been tried since.
    _partial("ix_attempts_proved", "connection", "began", "id", where="what = 'call' AND outcome = 'proved'"),
)

claims = Table(
    "claims",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("vendor_id", Text, primary_key=True),
    Column("work", Text),
    Column("document", Text),
    Column("created", Moment, nullable=False),
    Index("ix_claims_work", "work"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("holder", Text),
    Column("epoch", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("length", Integer, nullable=False),
    Column("rests_until", Moment),
    Column("paused", Text),
)

attention = Table(
    "attention",
    metadata,
    _id(),
    _tenant(),
    Column("about", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("do", Text, nullable=False),
    Column("verbs", Text, nullable=False),
    Column("details", LargeBinary),
    Column("document", Text),
    Column("work", Text),
    Column("arrival", Text),
    Column("connection", Text),
    Column("amount", Money),
    Column("currency", Text),
    Column("due_date", Date),
    Column("since", Moment, nullable=False),
    Column("closed", Moment),
    Column("closed_by", Text),
    Column("closed_how", Text),
    _partial("uq_attention_about", "about", where="closed IS NULL", unique=True),
    _partial("ix_attention_open", "tenant", "id", where="closed IS NULL"),
    Index("ix_attention_document", "document"),
)

# --- the doors --------------------------------------------------------------------------------------------------------

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _tenant(),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("revoked", Moment),
)

idempotency = Table(
    "idempotency",
    metadata,
    _id(),
    _tenant(),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("tenant", "key"),
    Index("ix_idempotency_created", "created"),
)

operations = Table(
    "operations",
    metadata,
    _id(),
    _tenant(),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("arrival", Text),
    Column("document", Text),
    Column("work", Text),
    Column("result", LargeBinary),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Index("ix_operations_arrival", "arrival"),
    Index("ix_operations_work", "work"),
    Index("ix_operations_document", "document"),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _tenant(),
    Column("who", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("document", Text),
    Column("about", Text),
    Column("details", LargeBinary),
    Column("at", Moment, nullable=False),
    Index("ix_audit_document", "document"),
    Index("ix_audit_list", "tenant", "id"),
)

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", LargeBinary, nullable=False))

SEALED: dict[str, tuple[str, ...]] = {
    "documents": ("body", "original"),
    "links": ("base_sent", "base_seen"),
    "connections": ("settings", "secrets"),
    "events": ("data",),
    "arrivals": ("body", "headers", "error"),
    "work": ("task", "goal", "error"),
    "attempts": ("witness", "proof", "error", "exchanges"),
    "attention": ("details",),
    "idempotency": ("answer",),
    "operations": ("result",),
    "audit": ("details",),
}
"""Which columns the vault seals; each ciphertext is bound to its table, column and row."""
