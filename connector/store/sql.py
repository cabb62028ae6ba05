"""Where the two databases need their own word for the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Table, or_
from sqlalchemy.dialects import postgresql, sqlite

from connector.store.prepared import Prepared


def upsert(table: Table, make: Callable[[Any], Any]) -> Prepared:
    """An `INSERT … ON CONFLICT` for both databases. `make` gets the dialect's insert and completes it."""
    return Prepared(make(sqlite.insert(table)), postgres=make(postgresql.insert(table)))


def one_of(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """`column IN (…)` for values that are known when the statement is written, in a form that can be prepared."""
    return or_(*(column == value for value in values))
