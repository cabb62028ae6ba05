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
from connector.store.vault import Vault


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
    """One transaction. `now` is the moment it began (UTC); `memo` is a notebook for its length."""

    __slots__ = ("_deferred", "_stats", "conn", "events", "memo", "now", "postgres", "topics", "vault")

    def __init__(self, conn: Connection, vault: Vault, now: datetime, stats: Stats, *, postgres: bool) -> None:
        self.conn = conn
        self.vault = vault
        self.now = now
        self.postgres = postgres
        self.memo: dict[Any, Any] = {}
        self.events: list[Event] = []
        self.topics: set[str] = set()
        self._stats = stats
        self._deferred: dict[Executable, list[tuple[Mapping[str, Any], int | None, str | None]]] = {}

    def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a statement; a list of parameters runs it for each (`executemany`)."""
        self._stats.statements += 1
        try:
            return self.conn.execute(statement, parameters)
        except StatementError as exc:
            if isinstance(exc.orig, ConnectorError):  # a value that its column cannot hold
                raise exc.orig from None
            raise

    def defer(
        self, statement: Executable, parameters: Mapping[str, Any], *, rows: int | None = None, ring: str | None = None
    ) -> None:
        """Run it at the end of the transaction, together with all others of the same statement (`executemany`).

        `rows`: how many rows it must touch; another number means that somebody else was there first, and the
        transaction ends with `Moved`. `ring`: the topic to ring when it touches any row.
        """
        self._deferred.setdefault(statement, []).append((parameters, rows, ring))

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
        self._stats.statements += 2
        self.conn.exec_driver_sql("SAVEPOINT inner_work")
        try:
            yield
        except BaseException:
            self.conn.exec_driver_sql("ROLLBACK TO SAVEPOINT inner_work")
            self.conn.exec_driver_sql("RELEASE SAVEPOINT inner_work")
            del self.events[events:]
            self.topics = topics
            self.memo.clear()
            for statement, rows in self._deferred.items():
                del rows[deferred.get(statement, 0) :]
            raise
        self.conn.exec_driver_sql("RELEASE SAVEPOINT inner_work")

    def settle(self) -> None:
        """Run what was deferred, in the order of first use. Called by the store before the feed takes its numbers."""
        while self._deferred:
            waiting, self._deferred = self._deferred, {}
            for statement, given in waiting.items():
                if not given:
                    continue
                result = self.execute(statement, [parameters for parameters, _, _ in given])
                expected = [rows for _, rows, _ in given if rows is not None]
                if expected and result.rowcount != sum(expected):
                    raise Moved
                if result.rowcount:
                    self.ring(*{topic for _, _, topic in given if topic is not None})

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
