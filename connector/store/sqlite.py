"""SQLite: one file, one host, several processes.

WAL, `synchronous=FULL` (a commit is on disk when it returns), `BEGIN IMMEDIATE` (whoever writes takes the lock before
reading), one connection that writes and one that reads, both inside the process: a transaction is short and never
waits for anything but the disk. A lock that another process holds is waited for without standing still: the event loop
goes on.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from connector.store.bell import ANY
from connector.store.engine import Store, utc_now
from connector.store.prepared import command
from connector.store.tx import Tx
from connector.store.vault import Vault

T = TypeVar("T")

_BUSY_MS = 20
"""Milliseconds SQLite itself waits for a lock, with the event loop standing still."""
_OPENING = 10.0
"""Seconds that an opening waits for others that open the same file."""
_PAGES = 8_000
"""KiB of pages that each of our two connections keeps. What is not among them the system's own cache of files has: with
32,000 nothing was faster, and a process grew with its file until both were full.
"""
_GLANCE = 0.05
"""Seconds between two glances at what other processes have committed."""


def engine(path: Path) -> Engine:
    """An engine whose connections keep our promises."""
    made = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(made, "connect")
    def _connected(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun by us, not by the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={1000 * _OPENING:.0f}")
        _in_wal(cursor)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", f"cache_size=-{_PAGES}", f"busy_timeout={_BUSY_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return made


def _in_wal(cursor: sqlite3.Cursor) -> None:
    """Turn a file to its write-ahead log. Of processes that open a new file together one does it, and SQLite does not
    wait with the others by itself.
    """
    end = time.monotonic() + _OPENING
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


class SqliteStore(Store):
    """A store in one SQLite file."""

    postgres = False

    def __init__(self, path: Path, vault: Vault, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(vault, clock)
        self.path = path
        self._engine = engine(path)
        self._writer = self._engine.connect()
        self._reader = self._engine.connect()
        self._committer = futures.ThreadPoolExecutor(1, "commit")
        self._committing = False
        for conn in (self._writer, self._reader):
            conn.begin()  # SQLAlchemy's own notion of a transaction; the database's are begun and ended below

    async def _transact(self, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        conn = self._writer
        command(conn, "BEGIN IMMEDIATE")
        try:
            done = self._run(conn, fns)
            await self._commit(conn)
        except BaseException:
            self._undo(conn)
            raise
        return done

    async def _commit(self, conn: Connection) -> None:
        """Commit beside the event loop: while the disk is made to keep it, calls go on and the next group gathers."""
        committing = self._committer.submit(command, conn, "COMMIT")
        self._committing = True
        try:
            await asyncio.wrap_future(committing)
        except asyncio.CancelledError:
            futures.wait([committing])  # nobody may touch the connection before that is over
            raise
        finally:
            self._committing = False

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn`, which only reads, on one state of the database."""
        conn = self._reader
        self.stats.reads += 1
        command(conn, "BEGIN")
        try:
            return fn(self._tx(conn, only_reads=True))
        finally:
            self._undo(conn)

    def _undo(self, conn: Connection) -> None:
        if conn.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            command(conn, "ROLLBACK")

    def passes(self, exc: DBAPIError) -> bool:
        """Whether it only said "not now"."""
        return isinstance(exc.orig, sqlite3.OperationalError) and (exc.orig.sqlite_errorcode & 0xFF) in (
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
        )

    async def watch(self) -> None:
        """Ring for every commit of another process, within about 50 ms. Our own commits ring by themselves."""
        # On the connection that writes: there the number moves only when somebody else has committed.
        writer = self._writer.connection.driver_connection
        assert isinstance(writer, sqlite3.Connection)
        seen = writer.execute("PRAGMA data_version").fetchone()
        while True:
            await asyncio.sleep(_GLANCE)
            if self._committing:
                continue
            now = writer.execute("PRAGMA data_version").fetchone()
            if now != seen:
                self.bell.ring({ANY})
            seen = now

    async def _close(self) -> None:
        self._committer.shutdown()
        self._writer.close()
        self._reader.close()
        self._engine.dispose()
