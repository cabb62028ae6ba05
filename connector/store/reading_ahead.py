"""Read in one go what will be asked for one by one.

A plan looks at every document of a tenant, and at several tables for each. Who walks through pages of documents says so
beforehand (`links.ahead`, `documents.ahead` …): one query a table and page, and the functions that are asked for single
rows answer from it. Only in a transaction that only reads: nothing that is remembered here can have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from connector.store.tx import Tx

MOST = 500
"""Databases take so many values in one statement."""


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """These values, each once, so many at a time."""
    all_of_them = list(dict.fromkeys(values))
    for start in range(0, len(all_of_them), MOST):
        yield all_of_them[start : start + MOST]


def keep(tx: Tx, table: str, rows: dict[Any, Any]) -> None:
    """Remember the rows of a page, in the place of those of the page before."""
    if tx.ahead is not None:
        tx.ahead[table] = rows


def rows(tx: Tx, table: str, key: Any, read: Callable[[], Sequence[Any]]) -> Sequence[Any]:
    """The rows under this key: remembered, else read; read once where a page is remembered."""
    held = tx.ahead.get(table) if tx.ahead is not None else None
    if held is None:
        return read()
    if key not in held:
        held[key] = read()
    found: Sequence[Any] = held[key]
    return found
