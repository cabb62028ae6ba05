"""Statements that are built once and run often: compiled at their first use, then run straight on the driver's cursor.

SQLAlchemy stays the one place where SQL is written. What it does at every run (looking up the compiled form, checking
parameters against it, wrapping the result) costs several times what the database needs for a row by its key, so it is
done once here: SQL text, the order of the parameters, and the conversions that some columns need on their way in and
out. A row comes back as a named tuple of the selected columns.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import ClauseElement, Connection, Dialect, Insert, LargeBinary
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.dialects.sqlite import pysqlite as sqlite_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Given = Mapping[str, Any]
Convert = Callable[[Any], Any]

_DIALECTS: dict[bool, Dialect] = {
    False: sqlite_dialect.dialect(paramstyle="qmark", dbapi=sqlite3),
    True: psycopg_dialect.dialect(paramstyle="format", dbapi=psycopg),  # type: ignore[no-untyped-call]
}
"""By `Tx.postgres`."""

ERRORS = (sqlite3.Error, psycopg.Error)
"""What the drivers raise."""


@dataclass(frozen=True, slots=True)
class Form:
    """One statement in the words of one database."""

    sql: str
    names: tuple[str, ...]
    fixed: Given
    into: tuple[tuple[int, Convert], ...]
    row: Callable[[Any], Any]
    out: tuple[tuple[int, Convert], ...]

    def values(self, given: Given) -> Sequence[Any]:
        """The parameters in their order, as the driver takes them."""
        if self.fixed:
            given = {**self.fixed, **given}
        values = [given[name] for name in self.names]
        for place, convert in self.into:
            values[place] = convert(values[place])
        return values

    def read(self, row: Sequence[Any]) -> Any:
        """A row as we speak of it."""
        if self.out:
            values = list(row)
            for place, convert in self.out:
                values[place] = convert(values[place])
            return self.row(values)
        return self.row(row)


class Prepared:
    """A statement; `postgres` where that database needs other words. All values are given by name when it is run.

    An insert writes the columns that it is given, and so does an update with `chosen`.
    """

    __slots__ = ("_by_columns", "_forms", "_said")

    def __init__(
        self, statement: ClauseElement, *, postgres: ClauseElement | None = None, chosen: bool = False
    ) -> None:
        self._said = {False: statement, True: statement if postgres is None else postgres}
        self._forms: dict[Any, Form] = {}
        self._by_columns = chosen or isinstance(statement, Insert)

    def form(self, given: Given, *, postgres: bool) -> Form:
        """Its form for one database (and for these columns)."""
        key = (postgres, *given) if self._by_columns else postgres
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _compiled(
                self._said[postgres], given, _DIALECTS[postgres], by_columns=self._by_columns
            )
        return form


def _compiled(statement: Any, given: Given, dialect: Dialect, *, by_columns: bool) -> Form:
    compiled = statement.compile(
        dialect=dialect,
        column_keys=[name for name in given if name in statement.table.c] if by_columns else None,
        for_executemany=True,
    )
    names = tuple(compiled.positiontup or ())
    said = compiled.construct_params(_check=False)
    asked = {name for name, bound in compiled.binds.items() if bound.required} | set(given)
    fixed = {name: said[name] for name in names if name not in asked}
    into = [(place, _into(compiled.binds[name].type, dialect)) for place, name in enumerate(names)]
    columns = list(statement.exported_columns) if hasattr(statement, "exported_columns") else []
    out = [(place, _out(column.type, dialect)) for place, column in enumerate(columns)]
    row: Any = namedtuple("Row", [column.key for column in columns]) if columns else None
    return Form(
        sql=str(compiled),
        names=names,
        fixed=fixed,
        into=tuple((place, convert) for place, convert in into if convert is not None),
        row=row._make if columns else tuple,
        out=tuple((place, convert) for place, convert in out if convert is not None),
    )


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    # Both drivers speak bytes by themselves.
    return None if isinstance(kind, LargeBinary) else kind.dialect_impl(dialect).bind_processor(dialect)


def _out(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return None if isinstance(kind, LargeBinary) else kind.dialect_impl(dialect).result_processor(dialect, None)


def failure(exc: Any, cursor: Any, sql: str, *, postgres: bool) -> Exception:
    """What a driver's exception is raised as: the same as when SQLAlchemy runs the statement."""
    dialect = _DIALECTS[postgres]
    lost = dialect.is_disconnect(exc, cursor.connection, cursor) if postgres else False
    return DBAPIError.instance(  # type: ignore[no-any-return, call-overload]
        sql, None, exc, ERRORS, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )


def command(conn: Connection, sql: str) -> None:
    """Run words that have no parameters and find nothing (`BEGIN` …).

    Raises:
        DBAPIError: as `failure` says.
    """
    cursor = conn.connection.cursor()
    try:
        cursor.execute(sql)
    except ERRORS as exc:
        raise failure(exc, cursor, sql, postgres=conn.dialect.name == "postgresql") from exc
    finally:
        cursor.close()
