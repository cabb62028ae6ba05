"""One transaction, as store functions see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import StatementError

from connector.errors import ConnectorError
from connector.model.json import dumps, loads
from connector.store.prepared import ERRORS, Form, Given, Prepared, failure
from connector.store.vault import Vault

_NOTHING: Given = {}
_Deferred = list[tuple[Given, int | None, str | None]]


class Moved(Exception):
    """What this change was based on is no longer so: read again, decide again. Never leaves the house."""


@dataclass(slots=True)
class Stats:
    """What the store has done since it was opened; benchmarks read it."""

    statements: int = 0
    commits: int = 0
    writes: int = 0
    reads: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a tenant's feed; `seq` counts from 1 without gaps, in the order of commits."""

    tenant: str
    kind: str
    document: str | None = None
    connection: str | None = None
    data: Any = None
    seq: int = 0
    id: str = ""
    at: datetime | None = None


class Tx:
    """One transaction. `now` is the moment it began (UTC); `memo` is a notebook for its length.

    `ahead`: in a transaction that only reads, what store functions have read in one go because it will be asked for one
    by one, by the name of the table (`connector.store.reading_ahead`); None where something may be written.
    """

    __slots__ = (
        "_cursor",
        "_deferred",
        "_stats",
        "ahead",
        "conn",
        "events",
        "memo",
        "now",
        "postgres",
        "topics",
        "vault",
    )

    def __init__(
        self, conn: Connection, vault: Vault, now: datetime, stats: Stats, *, postgres: bool, only_reads: bool = False
    ) -> None:
        self.conn = conn
        self.vault = vault
        self.now = now
        self.postgres = postgres
        self.memo: dict[Any, Any] = {}
        self.ahead: dict[str, dict[Any, Any]] | None = {} if only_reads else None
        self.events: list[Event] = []
        self.topics: set[str] = set()
        self._stats = stats
        self._cursor: Any = conn.connection.cursor()
        self._deferred: dict[Executable | Prepared, _Deferred] = {}

    def rows(self, statement: Prepared, given: Given = _NOTHING) -> list[Any]:
        """All rows that a prepared statement finds or returns."""
        form = self._ran(statement, given)
        return [form.read(row) for row in self._cursor.fetchall()]

    def row(self, statement: Prepared, given: Given = _NOTHING) -> Any:
        """The first row that a prepared statement finds or returns; None when there is none."""
        form = self._ran(statement, given)
        found = self._cursor.fetchall()
        return form.read(found[0]) if found else None

    def run(self, statement: Prepared, given: Given = _NOTHING) -> int:
        """Run a prepared statement; how many rows it touched."""
        self._ran(statement, given)
        return int(self._cursor.rowcount)

    def run_each(self, statement: Prepared, given: Sequence[Given]) -> int:
        """Run a prepared statement for each of `given` (not none); how many rows were touched in all."""
        try:
            self._send(self._cursor, statement, given)
        except ERRORS as exc:
            raise failure(exc, self._cursor, "", postgres=self.postgres) from exc
        return int(self._cursor.rowcount)

    def _ran(self, statement: Prepared, given: Given) -> Form:
        form = statement.form(given, postgres=self.postgres)
        self._stats.statements += 1
        try:
            self._cursor.execute(form.sql, form.values(given))
        except ERRORS as exc:
            raise failure(exc, self._cursor, form.sql, postgres=self.postgres) from exc
        return form

    def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a statement that was put together for this once; a list of parameters runs it for each (`executemany`).
        What runs often is `Prepared`, and run by `rows`, `row` and `run`.
        """
        self._stats.statements += 1
        try:
            return self.conn.execute(statement, parameters)
        except StatementError as exc:
            if isinstance(exc.orig, ConnectorError):  # a value that its column cannot hold
                raise exc.orig from None
            raise

    def defer(
        self, statement: Executable | Prepared, given: Given, *, rows: int | None = None, ring: str | None = None
    ) -> None:
        """Run it at the end of the transaction, together with all others of the same statement (`executemany`).

        `rows`: how many rows it must touch; another number means that somebody else was there first, and the
        transaction ends with `Moved`. `ring`: the topic to ring when it touches any row.
        """
        self._deferred.setdefault(statement, []).append((given, rows, ring))

    def emit(
        self, tenant: str, kind: str, *, document: str | None = None, connection: str | None = None, data: Any = None
    ) -> None:
        """Put an event into the tenant's feed. It gets its number at the very end of the transaction.

        `kind` like `invoice.booked`; `data` is what JSON can say, without secrets.
        """
        self.events.append(Event(tenant, kind, document, connection, data))

    def ring(self, *topics: str) -> None:
        """Wake who waits for these topics (see `connector.store.bell`) if and when this has been committed."""
        self.topics.update(topics)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What happens inside is undone when it raises; the transaction goes on."""
        events, topics = len(self.events), set(self.topics)
        deferred = {statement: len(rows) for statement, rows in self._deferred.items()}
        self._command("SAVEPOINT inner_work")
        try:
            yield
        except BaseException:
            self._command("ROLLBACK TO SAVEPOINT inner_work")
            self._command("RELEASE SAVEPOINT inner_work")
            del self.events[events:]
            self.topics = topics
            self.memo.clear()
            for statement, rows in self._deferred.items():
                del rows[deferred.get(statement, 0) :]
            raise
        self._command("RELEASE SAVEPOINT inner_work")

    def _command(self, sql: str) -> None:
        self._stats.statements += 1
        try:
            self._cursor.execute(sql)
        except ERRORS as exc:
            raise failure(exc, self._cursor, sql, postgres=self.postgres) from exc

    def settle(self) -> None:
        """Run what was deferred, in the order of first use. Called by the store before the feed takes its numbers."""
        while self._deferred:
            waiting, self._deferred = self._deferred, {}
            for given, touched in self._settled([(statement, given) for statement, given in waiting.items() if given]):
                expected = [rows for _, rows, _ in given if rows is not None]
                if expected and touched != sum(expected):
                    raise Moved
                if touched:
                    self.ring(*{topic for _, _, topic in given if topic is not None})

    def _settled(self, waiting: Sequence[tuple[Executable | Prepared, _Deferred]]) -> list[tuple[_Deferred, int]]:
        """Run these; how many rows each touched. On PostgreSQL they go to the server together: one answer is waited for
        instead of one for each.
        """
        if not self.postgres or not all(isinstance(statement, Prepared) for statement, _ in waiting):
            return [(given, self._each(statement, [one for one, _, _ in given])) for statement, given in waiting]
        connection, cursors = self._cursor.connection, []
        try:
            with connection.pipeline():
                for statement, given in waiting:
                    assert isinstance(statement, Prepared)
                    cursors.append(connection.cursor())
                    self._send(cursors[-1], statement, [one for one, _, _ in given])
        except ERRORS as exc:
            raise failure(exc, self._cursor, "what was deferred", postgres=True) from exc
        return [(given, cursor.rowcount) for (_, given), cursor in zip(waiting, cursors, strict=True)]

    def _each(self, statement: Executable | Prepared, given: list[Given]) -> int:
        return (
            self.run_each(statement, given)
            if isinstance(statement, Prepared)
            else self.execute(statement, given).rowcount
        )

    def _send(self, cursor: Any, statement: Prepared, given: Sequence[Given]) -> None:
        form = statement.form(given[0], postgres=self.postgres)
        self._stats.statements += 1
        if len(given) == 1:
            cursor.execute(form.sql, form.values(given[0]))
        else:
            cursor.executemany(form.sql, [form.values(one) for one in given])

    # What is sealed is bound to its place: the column (`table.column`) and the row's id.

    def seal(self, place: str, id: str, plain: bytes | None) -> bytes | None:
        """`plain` encrypted for column `place` of row `id`; None stays None."""
        return None if plain is None else self.vault.seal(place, id, plain)

    def unseal(self, place: str, id: str, sealed: bytes | None) -> bytes | None:
        """The reverse of `seal`."""
        return None if sealed is None else self.vault.unseal(place, id, bytes(sealed))

    def seal_json(self, place: str, id: str, value: Any) -> bytes | None:
        """`seal` of a value as JSON; None stays None."""
        return None if value is None else self.vault.seal(place, id, dumps(value))

    def unseal_json(self, place: str, id: str, sealed: bytes | None) -> Any:
        """The reverse of `seal_json`."""
        return None if sealed is None else loads(self.vault.unseal(place, id, bytes(sealed)))
