"""One call at a time for each Fiken user, and not too soon after the one before.

Fiken counts by user, whichever companies and connections the calls are about, and bans who calls in parallel. The lane
keeps workers from each other; this keeps the calls of one process from each other, those inside a step too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from connector.http import now

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0


class Pace:
    """The pace of one user. `spacing`: the least seconds between two calls' starts."""

    def __init__(self, spacing: float) -> None:
        self.spacing = spacing
        self._lock = asyncio.Lock()
        self._next = 0.0
        self._refused = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The right to call, once it is time; nobody else calls meanwhile."""
        async with self._lock:
            if (wait := self._next - now()) > 0:
                await asyncio.sleep(wait)
            self._next = now() + self.spacing
            yield

    def lost(self) -> None:
        """An answer was lost: the call may still be running, and the next one waits for a while."""
        self._next = now() + 8 * self.spacing

    def refused(self) -> float:
        """Fiken took no more calls and never says until when: seconds to wait, twice as long each time."""
        self._refused += 1
        return min(_FIRST_WAIT * 2.0 ** (self._refused - 1), _LONGEST_WAIT)

    def taken(self) -> None:
        """Fiken takes calls again."""
        self._refused = 0


_PACES: WeakValueDictionary[tuple[int, str], Pace] = WeakValueDictionary()


def of(key: str, spacing: float) -> Pace:
    """The pace of a user, shared by all connections of this process and event loop with the same `key`."""
    at = (id(asyncio.get_running_loop()), key)
    pace = _PACES.get(at)
    if pace is None:
        pace = _PACES[at] = Pace(spacing)
    pace.spacing = max(pace.spacing, spacing)
    return pace
