"""PostgreSQL: many workers on many hosts, through psycopg's async connection.

One connection writes (groups follow each other; the functions of the next gather meanwhile), a small pool reads, each
statement on its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from connector.store.bell import ANY
from connector.store.engine import Store, Uncertain, utc_now
from connector.store.tx import Tx
from connector.store.vault import Vault

T = TypeVar("T")

CHANNEL = "connector"
"""The one channel of LISTEN/NOTIFY; the payload names the topics."""
_OPTIONS = "-c idle_in_transaction_session_timeout=10s"
"""A process that is stopped in the middle of a transaction must not hold its locks for ever."""
_PASSING = frozenset({"40001", "40P01", "55P03", "25P03"})  # serialization, deadlock, lock, idle for too long


class PostgresStore(Store):
    """A store in a PostgreSQL database."""

    postgres = True

    def __init__(self, url: URL, vault: Vault, clock: Callable[[], datetime] = utc_now, *, readers: int = 4) -> None:
        super().__init__(vault, clock)
        self._url = url
        self._engine = create_async_engine(
            url,
            pool_size=readers + 1,
            max_overflow=8,
            pool_use_lifo=True,
            hide_parameters=True,
            connect_args={"options": f"{url.query.get('options', '')} {_OPTIONS}".strip()},
        )
        self._readers = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer: AsyncConnection | None = None

    async def _transact(self, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        if self._writer is None:
            self._writer = await self._engine.connect()
        conn = self._writer
        try:
            done = await conn.run_sync(self._run_and_tell, fns)
        except BaseException:
            await self._let_go(conn)
            raise
        try:
            await conn.commit()
        except BaseException as exc:
            await self._let_go(conn)
            if isinstance(exc, DBAPIError) and exc.connection_invalidated and _sqlstate(exc) not in _PASSING:
                raise Uncertain from exc
            raise
        return done

    def _run_and_tell(self, conn: Connection, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        results, topics = self._run(conn, fns)
        if topics:
            payload = " ".join(sorted(topics))
            # NOTIFY takes less than 8000 bytes; so many topics at once are "anything".
            conn.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, payload if len(payload) < 4000 else ANY))
        return results, topics

    async def _let_go(self, conn: AsyncConnection) -> None:
        """After an error: roll back; a connection that cannot even do that is thrown away."""
        try:
            await conn.rollback()
            if not conn.closed and not conn.invalidated:
                return
        except Exception:  # noqa: S110 - the connection is broken, which is what we are finding out
            pass
        self._writer = None
        with contextlib.suppress(Exception):
            await conn.invalidate()
            await conn.close()

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn`, which only reads; each statement sees what is committed when it begins."""
        self.stats.reads += 1
        async with self._readers.connect() as conn:
            return await conn.run_sync(lambda sync: fn(self._tx(sync)))

    def passes(self, exc: DBAPIError) -> bool:
        """Whether it only said "not now", or went away before the commit."""
        return exc.connection_invalidated or _sqlstate(exc) in _PASSING

    async def watch(self) -> None:
        """Ring for what other processes commit (LISTEN), until cancelled; a lost connection is made anew."""
        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(address, autocommit=True) as conn:
                    await conn.execute(f"LISTEN {CHANNEL}")
                    self.bell.ring({ANY})  # what was said while nobody listened
                    async for notify in conn.notifies():
                        self.bell.ring(notify.payload.split(" "))
            await asyncio.sleep(1.0)

    async def _close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
        await self._engine.dispose()


def _sqlstate(exc: DBAPIError) -> str | None:
    return exc.orig.sqlstate if isinstance(exc.orig, psycopg.Error) else None
