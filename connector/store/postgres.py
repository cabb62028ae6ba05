"""PostgreSQL: many workers on many hosts.

One connection writes (groups follow each other; the functions of the next gather meanwhile), a small pool reads, each
statement on its own. The event loop goes on while the server works (`connector.store.waiting`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from connector.store import waiting
from connector.store.bell import ANY
from connector.store.engine import Store, Uncertain, utc_now
from connector.store.prepared import Prepared, command
from connector.store.tx import Tx
from connector.store.vault import Vault

T = TypeVar("T")

CHANNEL = "connector"
"""The one channel of LISTEN/NOTIFY; the payload names the topics."""
_NOTIFY = Prepared(text("SELECT pg_notify(:channel, :payload)"))
_OPTIONS = "-c idle_in_transaction_session_timeout=10s"
"""A process that is stopped in the middle of a transaction must not hold its locks for ever."""
_GLANCE = 5.0
"""Seconds between two looks for sessions that this setting does not reach."""
_END_ABANDONED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
AND application_name = current_setting('application_name')
AND wait_event = 'ClientRead' AND xact_start IS NOT NULL AND state_change < clock_timestamp() - interval '10 s'
"""
"""The server's own clock for idle transactions stands still while it waits for the rest of a pipeline."""
_PASSING = frozenset({"40001", "40P01", "55P03", "25P03"})  # serialization, deadlock, lock, idle for too long


class PostgresStore(Store):
    """A store in a PostgreSQL database."""

    postgres = True

    def __init__(self, url: URL, vault: Vault, clock: Callable[[], datetime] = utc_now, *, readers: int = 8) -> None:
        super().__init__(vault, clock)
        if "application_name" not in url.query:
            url = url.update_query_dict({"application_name": "connector"})  # by it we know our own sessions
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        options = f"{url.query.get('options', '')} {_OPTIONS}".strip()
        self._engine = create_engine(
            url.set(query={}),
            creator=lambda: waiting.connect(self._address, options=options),
            poolclass=NullPool,
            hide_parameters=True,
            use_native_hstore=False,
        )
        self._writer: Connection | None = None
        self._places = asyncio.Semaphore(readers)
        self._idle: list[Connection] = []

    async def _transact(self, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        if self._writer is None:
            self._writer = await greenlet_spawn(self._connect)
        conn = self._writer
        try:
            done = await greenlet_spawn(self._run_and_tell, conn, fns)
        except BaseException:
            await self._let_go(conn)
            raise
        try:
            await greenlet_spawn(_commit, conn)
        except BaseException as exc:
            await self._let_go(conn)
            if isinstance(exc, DBAPIError) and exc.connection_invalidated and _sqlstate(exc) not in _PASSING:
                raise Uncertain from exc
            raise
        return done

    def _connect(self) -> Connection:
        conn = self._engine.connect()
        conn.begin()  # SQLAlchemy's own notion of a transaction; the database's are begun and ended here
        return conn

    def _run_and_tell(self, conn: Connection, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        command(conn, "BEGIN")
        results, topics = self._run(conn, fns)
        if topics:
            payload = " ".join(sorted(topics))
            # NOTIFY takes less than 8000 bytes; so many topics at once are "anything".
            self._tx(conn).run(_NOTIFY, {"channel": CHANNEL, "payload": payload if len(payload) < 4000 else ANY})
        return results, topics

    async def _let_go(self, conn: Connection) -> None:
        """After an error: roll back; a connection that cannot even do that is thrown away."""
        try:
            await greenlet_spawn(command, conn, "ROLLBACK")
            return
        except Exception:  # noqa: S110 - the connection is broken, which is what we are finding out
            pass
        self._writer = None
        _throw_away(conn)

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn`, which only reads; each statement sees what is committed when it begins."""
        self.stats.reads += 1
        async with self._places:
            return await greenlet_spawn(self._read, fn)

    def _read(self, fn: Callable[[Tx], T]) -> T:
        conn = self._idle.pop() if self._idle else self._connect()
        try:
            return fn(self._tx(conn, only_reads=True))
        finally:
            if _works(conn):
                self._idle.append(conn)
            else:
                _throw_away(conn)

    def passes(self, exc: DBAPIError) -> bool:
        """Whether it only said "not now", or went away before the commit."""
        return exc.connection_invalidated or _sqlstate(exc) in _PASSING

    async def watch(self) -> None:
        """Ring for what other processes commit (LISTEN), and end the transactions of those that are stopped, until
        cancelled; a lost connection is made anew.
        """
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(self._address, autocommit=True) as conn:
                    await conn.execute(f"LISTEN {CHANNEL}")
                    self.bell.ring({ANY})  # what was said while nobody listened
                    while True:
                        async for notify in conn.notifies(timeout=_GLANCE):
                            self.bell.ring(notify.payload.split(" "))
                        await conn.execute(_END_ABANDONED)
            await asyncio.sleep(1.0)

    async def _close(self) -> None:
        for conn in (self._writer, *self._idle):
            if conn is not None:
                _throw_away(conn)


def _sqlstate(exc: DBAPIError) -> str | None:
    return exc.orig.sqlstate if isinstance(exc.orig, psycopg.Error) else None


def _commit(conn: Connection) -> None:
    driver = conn.connection.driver_connection
    assert isinstance(driver, waiting.LoopConnection)
    before, driver.aside = driver.aside, 1  # the disk takes longer than a moment
    command(conn, "COMMIT")
    driver.aside = before


def _works(conn: Connection) -> bool:
    return not (conn.invalidated or conn.connection.driver_connection.closed)  # type: ignore[union-attr]


def _throw_away(conn: Connection) -> None:
    with contextlib.suppress(Exception):
        conn.invalidate()
    with contextlib.suppress(Exception):
        conn.close()
