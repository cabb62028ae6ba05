"""A worker: takes the leases of lanes that have something to do, serves them, and handles what came in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

import structlog

from connector import ports
from connector.http import now
from connector.lanes.ends import Patience, fault
from connector.lanes.handlers import ArrivalHandler, EffectHandler, ReadHandler
from connector.lanes.held import MARGIN, Held, HeldBack
from connector.lanes.inbox import Inbox
from connector.lanes.life import Life
from connector.lanes.serving import Doing, Serving
from connector.store import Store, Tx, arrivals, attempts, leases, new_id
from connector.store.bell import ANY
from connector.store.engine import TROUBLE
from connector.store.leases import LaneRow

log = structlog.get_logger(__name__)

GLANCE = 0.5
"""Seconds between two looks for lanes with something to do (bells ring in between)."""


class Worker:
    """Does what waits. Any number of workers may run on one store, in one process or many.

    Args:
        arrivals, effects, reads: the handlers, by `Arrival.kind` and `Work.kind`.
        lanes: what the vendor allows in a lane, by its key; None (or no answer) means one call at a time.
        lease: seconds after which others may take the lanes of a worker that shows no life; longer than any call.
        read_timeout: seconds that one turn of a read may take.
        grace: seconds that `stop` waits for what is being done.
        looks: it only reads: effects and arrivals are left to others, for as long as they are.
        most_lanes: how many lanes it serves at a time; the others are left to other workers.
    """

    def __init__(
        self,
        store: Store,
        *,
        arrivals: Mapping[str, ArrivalHandler],
        effects: Mapping[str, EffectHandler],
        reads: Mapping[str, ReadHandler],
        lanes: Callable[[str], ports.Lane | None] = lambda key: None,
        lease: int = 60,
        read_timeout: float = 45.0,
        patience: Patience | None = None,
        grace: float = 30.0,
        most_lanes: int = 64,
        looks: bool = False,
    ) -> None:
        self.store = store
        self.me = new_id()
        self.lease = lease
        self.grace = grace
        self.most_lanes = most_lanes
        patience = patience or Patience()
        self._lanes = lanes
        self._inbox = Inbox(store, arrivals, patience)
        self._looks = looks
        self._back = HeldBack(looks=looks)
        self._doing = Doing(effects, reads, patience, min(read_timeout, lease - 2 * MARGIN), self._back)
        self._life = Life(store)
        self._serving: dict[str, tuple[Serving, asyncio.Task[None]]] = {}
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._unknown_since: dict[str, float] = {}
        self._handling = False
        self._stop = asyncio.Event()
        self._ear = store.bell.ear()

    async def run(self) -> None:
        """Work until `stop` is called."""
        await self._while_alive(self._stop.wait())

    async def run_until_idle(self, *, within: float = 0.0) -> None:
        """Work until nothing is due any more, nor will be within so many seconds; for tests, demos and one-off runs."""
        await self._while_alive(self._idle(within))

    def stop(self) -> None:
        """Take up nothing more; `run` returns when what is being done is at a safe point, at latest after `grace`."""
        self._stop.set()

    # --- life

    async def _while_alive(self, until: Coroutine[Any, Any, Any]) -> None:
        self._life.begin(self.me)
        dead = self._life.dead()  # before the look at who holds what: the dead take no more leases
        holders = {row.holder for row in await self.store.read(leases.find)}
        for name in dead:
            if name not in holders:
                self._life.bury(name)
        jobs = [
            asyncio.create_task(job)
            for job in (
                self.store.watch(),
                self._forever(self._beats, self.lease / 5),
                self._forever(self._take_lanes, 0.0),
                *(() if self._looks else (self._forever(self._handle_arrivals, 0.0),)),
            )
        ]
        waiting = asyncio.ensure_future(until)
        try:
            await asyncio.wait({waiting, jobs[0]}, return_when=asyncio.FIRST_COMPLETED)
            if jobs[0].done():
                jobs[0].result()
            elif waiting.done():
                waiting.result()
            await self._wind_up(jobs)
        finally:
            waiting.cancel()
            for job in jobs:
                job.cancel()
            tasks = [task for _, task in self._serving.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(waiting, *jobs, *tasks, return_exceptions=True)
            self._serving.clear()
            self._life.end()

    async def _wind_up(self, jobs: list[asyncio.Task[Any]]) -> None:
        """Bring what is being done to a safe point; leases are kept alive meanwhile."""
        for job in jobs[2:]:
            job.cancel()
        for serving, _ in self._serving.values():
            serving.held.stopping = True
        self.store.bell.ring({"work"})
        tasks = {task for _, task in self._serving.values()}
        if tasks:
            await asyncio.wait(tasks, timeout=self.grace)

    async def _forever(self, job: Callable[[], Coroutine[Any, Any, None]], pause: float) -> None:
        """Again and again; what goes wrong with the database is waited out, it must not end the worker."""
        while True:
            try:
                await job()
            except TROUBLE as exc:
                log.error("database-failed", **fault(exc))
                await asyncio.sleep(1.0)
            except Exception as exc:
                log.error("worker-failed", **fault(exc))
                await asyncio.sleep(1.0)
            await asyncio.sleep(pause)

    # --- leases

    async def beat(self) -> None:
        """Prolong all leases now."""
        begun = now()
        mine = await self.store.write(lambda tx: leases.beat(tx, self.me))
        for key, (serving, _) in self._serving.items():
            if mine.get(key) == serving.held.epoch:
                serving.held.end = begun + self.lease
            else:
                serving.held.lost = True

    async def _beats(self) -> None:
        if self._serving:
            await self.beat()
        await self._back.refresh(self.store)

    async def _take_lanes(self) -> None:
        await self._back.refresh(self.store)
        await self._reap()
        free = await self.store.read(self._free)
        for row in free:
            if row.key not in self._serving and len(self._serving) < self.most_lanes:
                await self._take(row)
        end = now() + GLANCE
        while (left := end - now()) > 0 and not self._calls_for_lanes(await self._ear.wait(left)):
            pass

    def _calls_for_lanes(self, heard: set[str]) -> bool:
        """Whether what rang can mean that another lane has something to do."""
        return any(
            topic in (ANY, "work", "control") or (topic[:5] == "lane:" and topic[5:] not in self._serving)
            for topic in heard
        )

    def _free(self, tx: Tx) -> list[LaneRow]:
        """Lanes with something to do whose lease nobody holds, or somebody who is dead."""
        found = leases.busy(tx, self.me, effects=self._back.effects is None)
        self._seen = {row.key: self._seen.get(row.key, (-1, -1, 0.0)) for row in found}
        return [row for row in found if row.holder is None or self._is_dead(row)]

    def _is_dead(self, row: LaneRow) -> bool:
        epoch, beat, since = self._seen[row.key]
        if (epoch, beat) != (row.epoch, row.beat):
            since = now()
            self._seen[row.key] = (row.epoch, row.beat, since)
        if now() - since > row.length + MARGIN:
            return True
        return self._life.is_over(row.holder or "")

    async def _take(self, row: LaneRow) -> None:
        begun = now()
        never_called = self._life.never_called(row.holder) if row.holder is not None else []

        def take(tx: Tx) -> int | None:
            epoch = leases.take(tx, row, self.me, self.lease)
            if epoch is not None:
                attempts.never_called(tx, never_called, lane=row.key)
            return epoch

        epoch = await self.store.write(take)
        if epoch is None:
            return
        if row.holder is not None:
            log.warning("lease-taken-over", lane=row.key, epoch=epoch)
        lane = self._lanes(row.key) or ports.Lane(row.key)
        held = Held(
            self.store,
            lane,
            epoch,
            begun + self.lease,
            keeper=self,
            back=self._back,
            journal=self._life,
            unknown_since=self._unknown_since,
        )
        serving = Serving(held, self._doing)
        self._serving[row.key] = (serving, asyncio.create_task(serving.run()))

    async def _reap(self) -> None:
        for key, (_, task) in list(self._serving.items()):
            if task.done():
                del self._serving[key]
                if not task.cancelled() and (error := task.exception()) is not None:
                    log.error("lane-failed", lane=key, **fault(error))

    # --- arrivals

    async def _handle_arrivals(self) -> None:
        ear = self.store.bell.ear()
        while True:
            self._handling = True
            try:
                due = await self.store.read(arrivals.next_due)
                while due is not None and due <= self.store.clock() and await self._inbox.handle_some():
                    pass
            finally:
                self._handling = False
            await ear.wait(GLANCE)

    # --- idle

    async def _idle(self, within: float) -> None:
        def waiting(tx: Tx) -> bool:
            until = tx.now + timedelta(seconds=within)
            due = None if self._looks else arrivals.next_due(tx)
            return (due is not None and due <= until) or leases.anything_due(
                tx, until, effects=self._back.effects is None
            )

        ear = self.store.bell.ear()
        while True:
            await asyncio.sleep(0.02)
            await ear.wait(0.0)
            # What is begun while the store is asked is due from a later moment on: it is seen here, or heard.
            if not self._busy() and not await self.store.read(waiting) and not self._busy() and not await ear.wait(0.0):
                return

    def _busy(self) -> bool:
        return self._handling or any(serving.busy for serving, task in self._serving.values() if not task.done())
