"""Where the two databases need their own word for the same thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(table: Table, make: Callable[[Any], Any]) -> dict[bool, Any]:
    """An `INSERT … ON CONFLICT` for both databases, built once; to be taken by `Tx.postgres`.

    `make` gets the dialect's insert and completes it. Its result knows how many rows it touched.
    """
    made = {True: make(postgresql.insert(table)), False: make(sqlite.insert(table))}
    return {name: one.execution_options(preserve_rowcount=True) for name, one in made.items()}
