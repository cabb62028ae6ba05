"""Periodic work: polls, nightly comparisons. A tick only submits work that coalesces, so that it is harmless when two
processes tick at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connector.lanes.ends import fault
from connector.store import Store, Tx

log = structlog.get_logger(__name__)

OSLO = ZoneInfo("Europe/Oslo")


class Schedule:
    """Ticks, from `start` to `stop`, on the running event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scheduler = AsyncIOScheduler(
            timezone=OSLO, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def every(self, name: str, period: timedelta, submit: Callable[[Tx], object], *, at_once: bool = True) -> None:
        """Call `submit` in a transaction every `period` (with a little jitter), the first time at once."""
        seconds = period.total_seconds()
        trigger = IntervalTrigger(seconds=seconds, jitter=min(seconds / 10, 30), timezone=OSLO)
        self._add(name, trigger, submit)
        if at_once:
            self._scheduler.add_job(self._tick, args=(name, submit), id=f"{name} (first)", replace_existing=True)

    def daily(self, name: str, at: time, submit: Callable[[Tx], object]) -> None:
        """Call `submit` in a transaction every day at a time of day in Norway."""
        self._add(name, CronTrigger(hour=at.hour, minute=at.minute, jitter=300, timezone=OSLO), submit)

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _add(self, name: str, trigger: object, submit: Callable[[Tx], object]) -> None:
        self._scheduler.add_job(self._tick, trigger, args=(name, submit), id=name, replace_existing=True)

    async def _tick(self, name: str, submit: Callable[[Tx], object]) -> None:
        try:
            await self._store.write(submit)
        except Exception as exc:  # the next tick comes all the same
            log.error("tick-failed", name=name, **fault(exc))
