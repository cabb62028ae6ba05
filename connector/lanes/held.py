"""A lane in hand: its lease, how many calls may run in it and how far apart, and the one way to make a call or a write
in its name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from connector.errors import Stop, TryLater, UnknownOutcome
from connector.http import Exchange, calling, now
from connector.ports import Lane
from connector.store import Store, Tx, connections, leases, meta
from connector.store.leases import LostLease

T = TypeVar("T")

MARGIN = 1.0
"""Seconds before the end of a lease from which on nothing is sent any more."""

TOO_MANY_REQUESTS = 429
LANE_RESTS = "lane-rests"
"""Code of what was not called, because the lane rests."""

_LOOKS = "this worker only looks"


class HeldBack:
    """What is not served now, as the database says: paused connections and lanes, all effects. A worker has one.

    `looks`: this worker brings about no effects, whatever the database says.
    """

    def __init__(self, *, looks: bool = False) -> None:
        self.looks = looks
        self.connections: frozenset[str] = frozenset()
        self.lanes: frozenset[str] = frozenset()
        self.effects: str | None = _LOOKS if looks else None

    async def refresh(self, store: Store) -> None:
        """Read it anew."""
        self.connections, self.lanes, self.effects = await store.read(
            lambda tx: (connections.paused(tx), leases.paused(tx), meta.effects_held(tx))
        )
        if self.looks:
            self.effects = self.effects or _LOOKS


class Beating(Protocol):
    """Whoever keeps the leases alive."""

    async def beat(self) -> None:
        """Prolong all leases now."""


class Journal(Protocol):
    """Where is noted which attempts are about to be called (`connector.lanes.life`)."""

    def waits(self, attempt: str) -> None:
        """An attempt will be written down, and its call waits for its turn."""

    def called(self, attempt: str) -> None:
        """Its call begins now."""

    def over(self, attempt: str) -> None:
        """How it ended is written down, or will be found out."""


@dataclass(slots=True)
class Said:
    """What was said in a call: filled while it runs, so that it is there also when the call raises."""

    exchanges: list[Exchange] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> list[dict[str, Any]]:
        """As stored with the attempt, what was said `before` the call (for its witness) included."""
        return self.before + [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in self.exchanges]


class Held:
    """A leased lane. `end` is the moment (`http.now`) at which the lease runs out unless it is prolonged;
    `unknown_since` when this worker first saw the outcome of an attempt unknown (`http.now`).
    """

    def __init__(
        self,
        store: Store,
        lane: Lane,
        epoch: int,
        end: float,
        *,
        keeper: Beating,
        back: HeldBack,
        journal: Journal,
        unknown_since: dict[str, float],
    ) -> None:
        self.store = store
        self.key = lane.key
        self.lane = lane
        self.epoch = epoch
        self.end = end
        self.back = back
        self.journal = journal
        self.unknown_since = unknown_since
        self.lost = False
        self.stopping = False
        self._rests_until: datetime | None = None
        self._keeper = keeper
        self._slots = asyncio.Semaphore(lane.width)
        self._gate = asyncio.Lock()
        self._next_start = 0.0

    def rests(self) -> float:
        """Seconds for which nothing is called, because the vendor has said that it was too much; 0: it goes on."""
        return 0.0 if self._rests_until is None else max((self._rests_until - self.store.clock()).total_seconds(), 0.0)

    def valid(self) -> bool:
        """Whether the lease is still ours as far as we can know."""
        return not self.lost and now() < self.end - MARGIN

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """`Store.write`, refused when the lane has another epoch by now.

        Raises:
            LostLease: it has; nothing was written.
        """

        def checked(tx: Tx) -> T:
            leases.check(tx, self.key, self.epoch)
            return fn(tx)

        try:
            return await self.store.write(checked)
        except LostLease:
            self.lost = True
            raise

    async def call(
        self, fn: Callable[[], Awaitable[T]], timeout: float, said: Said, *, attempt: str | None = None
    ) -> T:
        """Make a vendor call when it is its turn, and only if the lease outlasts its whole time-out.

        Args:
            attempt: the one it is; noted when the call begins.

        Raises:
            LostLease: the lease is over (nothing was sent).
            TryLater: `lane-rests`: the vendor has just said that it was too much (nothing was sent).
            UnknownOutcome: no answer within `timeout` seconds.
            Stop: `step-too-long`: the time-out is longer than any lease.
        """
        async with self._slots:
            await self._spaced()
            if (left := self.rests()) > 0:
                raise TryLater("The system wants no calls for a moment.", code=LANE_RESTS, after=left)
            if self.end - now() <= timeout + MARGIN:
                await self._keeper.beat()
                if not self.valid():
                    raise LostLease(self.key)
                if self.end - now() <= timeout + MARGIN:
                    raise Stop(f"A call may take {timeout} s, longer than the lease of its lane.", code="step-too-long")
            if not self.valid():
                raise LostLease(self.key)
            with calling(min(self.end - MARGIN, now() + timeout)) as scope:
                said.exchanges = scope.exchanges
                if attempt is not None:
                    self.journal.called(attempt)
                try:
                    async with asyncio.timeout(timeout):
                        return await fn()
                except TimeoutError as exc:
                    raise UnknownOutcome(f"There was no answer within {timeout:g} s.", code="timed-out") from exc
                except TryLater as exc:
                    if exc.status == TOO_MANY_REQUESTS:  # at once: others are waiting for their turn
                        self._rests_until = self.store.clock() + timedelta(seconds=exc.after or 1.0)
                    raise

    async def _spaced(self) -> None:
        if self.lane.spacing:
            async with self._gate:  # a loop that wakes up late must not let two calls out close together
                await asyncio.sleep(max(self._next_start - now(), 0.0))
                self._next_start = now() + self.lane.spacing
