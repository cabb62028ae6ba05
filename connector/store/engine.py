"""One way into the database, the same for SQLite and PostgreSQL.

Store functions are plain synchronous functions over a `Tx`; `await store.write(fn)` and `await store.read(fn)` run
them. On SQLite they run inside the process, on PostgreSQL through psycopg's async connection.

Writes are committed in groups: functions that wait at the same moment share one transaction. When one of them raises,
the transaction is rolled back and each is run again in one of its own, so that nobody's error harms another. A function
given to `write` may therefore be run more than once and must have no effect outside the database.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from connector.store import events
from connector.store.bell import Bell
from connector.store.tx import Stats, Tx
from connector.store.vault import Vault

T = TypeVar("T")

GROUP = 64
"""Most functions that share one commit."""
PATIENCE = 60.0
"""Seconds that a transaction waits for the database's locks before it gives up."""


class Uncertain(Exception):
    """The database went away in the very moment of the commit: it may be committed or not. Read before going on."""


TROUBLE = (DBAPIError, Uncertain)
"""What the database's own failures are raised as."""


@dataclass(slots=True)
class _Waiting:
    fn: Callable[[Tx], Any]
    future: asyncio.Future[Any]

    def failed(self, exc: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(exc)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Store(ABC):
    """An open database. `connector.store.open_store` makes one; `await close()` ends it."""

    postgres: bool

    def __init__(self, vault: Vault, clock: Callable[[], datetime] = utc_now) -> None:
        self.vault = vault
        self.clock = clock
        self.stats = Stats()
        self.bell = Bell()
        self._waiting: list[_Waiting] = []
        self._flusher: asyncio.Task[None] | None = None

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in a transaction and commit it; returns when it is on disk.

        `fn` may be run more than once (see the module). What it raises is raised here, with nothing written.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(fn, future))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return await future

    @abstractmethod
    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn`, which only reads. On PostgreSQL each statement sees what is committed when it begins; what must
        hold together is checked again where it is written.
        """

    @abstractmethod
    async def watch(self) -> None:
        """Ring the bell also for what other processes commit, until cancelled."""

    async def close(self) -> None:
        """Let go of the database; what `write` has accepted is finished first."""
        while self._flusher is not None:
            await asyncio.wait([self._flusher])
        await self._close()

    @abstractmethod
    async def _close(self) -> None: ...

    @abstractmethod
    async def _transact(self, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        """Run all in one transaction and commit; their results, and the topics to ring."""

    @abstractmethod
    def passes(self, exc: DBAPIError) -> bool:
        """Whether the database only said "not now" (locked, deadlock): the same may succeed in a moment."""

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # whoever is ready at this moment shares the transaction
                batch = [one for one in self._waiting[:GROUP] if not one.future.done()]
                del self._waiting[:GROUP]
                if batch:
                    await self._group(batch)
        finally:
            self._flusher = asyncio.create_task(self._flush()) if self._waiting else None

    async def _group(self, batch: list[_Waiting]) -> None:
        try:
            results, topics = await self._patiently([one.fn for one in batch])
        except Exception as exc:
            if len(batch) == 1:
                batch[0].failed(exc)
                return
            for one in batch:
                await self._group([one])
            return
        except BaseException as exc:  # the loop is being torn down: nobody may wait for ever
            for one in batch:
                one.failed(exc)
            raise
        self.stats.commits += 1
        self.stats.writes += len(batch)
        for one, result in zip(batch, results, strict=True):
            if not one.future.done():
                one.future.set_result(result)
        if topics:
            self.bell.ring(topics)

    async def _patiently(self, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        pause = 0.005
        while True:
            try:
                return await self._transact(fns)
            except DBAPIError as exc:
                if not self.passes(exc) or loop.time() > end:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            pause = min(pause * 2, 0.25)

    def _run(self, conn: Connection, fns: Sequence[Callable[[Tx], Any]]) -> tuple[list[Any], set[str]]:
        tx = self._tx(conn)
        results = [fn(tx) for fn in fns]
        tx.settle()
        events.number(tx)
        return results, tx.topics

    def _tx(self, conn: Connection, *, only_reads: bool = False) -> Tx:
        return Tx(conn, self.vault, self.clock(), self.stats, postgres=self.postgres, only_reads=only_reads)
