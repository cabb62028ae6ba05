"""A leased lane at work: what is next, how many at a time, when to let the lane go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from connector.errors import Stop
from connector.lanes import ends
from connector.lanes.effects import Effect
from connector.lanes.ends import Patience
from connector.lanes.fairness import Turns
from connector.lanes.handlers import EffectHandler, ReadHandler
from connector.lanes.held import Held, HeldBack
from connector.lanes.reading import read
from connector.store import Moved, leases
from connector.store import work as works
from connector.store.bell import ANY
from connector.store.engine import TROUBLE
from connector.store.leases import LostLease
from connector.store.work import Turn, Work

log = structlog.get_logger(__name__)

IN_HAND = 48
"""Works of a class that are read ahead."""
LINGER = 1.0
"""Seconds that an idle lane is kept: letting it go and taking it again costs two commits."""
GLANCE = 0.25
"""Seconds between two looks for work that has become due, or was brought by another process."""


@dataclass(slots=True)
class Doing:
    """What every lane of a worker shares."""

    effects: Mapping[str, EffectHandler]
    reads: Mapping[str, ReadHandler]
    patience: Patience
    read_timeout: float
    back: HeldBack


class Serving:
    """Serves one leased lane until nothing is due in it, the lease is lost, or it is told to stop."""

    def __init__(self, held: Held, doing: Doing) -> None:
        self.held = held
        self.store = held.store
        self.doing = doing
        self._turns = Turns()
        self._in_hand: set[str] = set()
        self._subjects: set[tuple[str, str]] = set()
        self._tasks: dict[asyncio.Task[None], Work] = {}
        # While some wait for their commits, the others keep the calls going.
        self._at_once = 2 * held.lane.width + 2
        self._ear = held.store.bell.ear()

    async def run(self) -> None:
        """Serve. The lease is given back at the end, unless it is lost."""
        try:
            await self._serve()
        except LostLease:
            log.warning("lease-lost", lane=self.held.key, epoch=self.held.epoch)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if not self.held.lost:
                with contextlib.suppress(LostLease, *TROUBLE):
                    await self.held.write(lambda tx: leases.release(tx, self.held.key, self.held.epoch))

    @property
    def busy(self) -> bool:
        """Whether anything is being done."""
        return bool(self._tasks) or bool(len(self._turns))

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        idle_since = loop.time()
        glance = 0.0
        more = True
        while True:
            if self.held.lost:
                raise LostLease(self.held.key)
            if self._may_serve() and (loop.time() >= glance or (more and len(self._turns) < self._at_once)):
                more = await self._refill()
                glance = loop.time() + GLANCE
            started = self._start()
            if self._tasks or started:
                idle_since = loop.time()
            elif not self._may_serve() or loop.time() - idle_since > LINGER:
                return
            await self._wait(glance - loop.time())
            heard = await self._ear.wait(0)
            if heard & {ANY, f"lane:{self.held.key}", "work"}:
                glance = 0.0

    def _may_serve(self) -> bool:
        return not (self.held.rests() or self.held.stopping or self.held.key in self.doing.back.lanes)

    async def _wait(self, seconds: float) -> None:
        """Until something has been done, the bell rings, or so many seconds."""
        hearing = asyncio.ensure_future(self._ear.wait(max(seconds, 0.0)))
        try:
            await asyncio.wait({hearing, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if hearing.done():
                self._ear.hear(hearing.result())
            else:
                hearing.cancel()
        for task in [task for task in self._tasks if task.done()]:
            self._over(task)

    async def _refill(self) -> bool:
        """Read on what is due; whether there may be more."""
        most = {turn: IN_HAND + len(self._in_hand) for turn in Turn}
        effects = self.doing.back.effects is None
        found = await self.store.read(lambda tx: works.due(tx, self.held.key, most, effects=effects, but=self._in_hand))
        stray = set()
        new = 0
        for work in found:
            if work.connection in self.doing.back.connections:
                stray.add(work.connection)
            elif self._turns.count(Turn(work.turn)) < IN_HAND:
                self._in_hand.add(work.id)
                self._turns.add(work)
                new += 1
        for connection in stray:  # submitted while it was being paused
            await self.store.write(lambda tx, c=connection: works.hold(tx, c))  # type: ignore[misc]
        return new > 0

    def _start(self) -> bool:
        started = False
        while len(self._tasks) < self._at_once and self._may_serve():
            work = self._turns.take(self._may_start)
            if work is None:
                break
            if work.subject is not None:
                self._subjects.add((work.tenant, work.subject))
            self._tasks[asyncio.create_task(self._do(work))] = work
            started = True
        if not self._may_serve() and not self._tasks:
            self._turns.clear()
            self._in_hand.clear()
        return started

    def _may_start(self, work: Work) -> bool:
        if work.connection in self.doing.back.connections or (self.doing.back.effects and work.role == "effect"):
            return False
        return work.subject is None or (work.tenant, work.subject) not in self._subjects

    def _over(self, task: asyncio.Task[None]) -> None:
        work = self._tasks.pop(task)
        self._in_hand.discard(work.id)
        if work.subject is not None:
            self._subjects.discard((work.tenant, work.subject))
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _do(self, work: Work) -> None:
        try:
            if work.role == "read":
                reader = self.doing.reads.get(work.kind)
                if reader is None:
                    await self._nobody(work)
                else:
                    await read(self.held, reader, work, self.doing.patience, self.doing.read_timeout)
            else:
                handler = self.doing.effects.get(work.kind)
                if handler is None:
                    await self._nobody(work)
                else:
                    await Effect(self.held, handler, work, self.doing.patience).run()
        except Moved:
            # A person (or another process) decided about it meanwhile: what was decided is read with the next refill.
            log.info("work-moved", work=work.id)

    async def _nobody(self, work: Work) -> None:
        reason = Stop(
            f"Nobody here knows how to do {work.kind}.", code="no-handler", do="Install what does it, then retry."
        )
        await self.held.write(lambda tx: ends.park(tx, work, reason))
