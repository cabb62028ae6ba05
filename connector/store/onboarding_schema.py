"""The tables of onboarding: what is arranged before a connection is written to, and its first sync."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, Text, UniqueConstraint, text

from connector.store.schema import SEALED, Moment, metadata

onboarding = Table(
    "onboarding",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("details", LargeBinary),
    Column("at", Moment, nullable=False),
    UniqueConstraint("connection", "step"),
)

first_sync = Table(
    "first_sync",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("vendor_id", Text),
    Column("document", Text),
    Column("action", Text),
    Column("state", Text, nullable=False),
    Column("record", LargeBinary),
    Column("before", LargeBinary),
    Column("changed", Moment, nullable=False),
    Index("ix_first_sync_list", "connection", "state", "id"),
    Index("ix_first_sync_document", "connection", "document"),
    Index(
        "uq_first_sync_record",
        "connection",
        "kind",
        "vendor_id",
        unique=True,
        sqlite_where=text("vendor_id IS NOT NULL"),
        postgresql_where=text("vendor_id IS NOT NULL"),
    ),
)

SEALED["onboarding"] = ("details",)
SEALED["first_sync"] = ("record", "before")
