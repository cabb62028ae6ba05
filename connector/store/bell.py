"""Who waits for something is woken when it has been committed, by this process or by another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from weakref import WeakSet

ANY = "*"
"""The topic for "something has changed, nobody here knows what" (another process committed)."""


class Ear:
    """One waiter; hears what rings from the moment it was made."""

    def __init__(self) -> None:
        self._heard: set[str] = set()
        self._event = asyncio.Event()

    def hear(self, topics: Iterable[str]) -> None:
        """Note the topics and wake up."""
        self._heard.update(topics)
        self._event.set()

    async def wait(self, seconds: float) -> set[str]:
        """The topics that rang since the last call, at once or as soon as one rings; empty after `seconds`."""
        if not self._event.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._event.wait()
            except TimeoutError:
                return set()
        self._event.clear()
        heard, self._heard = self._heard, set()
        return heard


class Bell:
    """Rings after commits. Topics: `feed:<tenant>`, `lane:<key>`, `arrivals`, `control` (pauses), or `ANY`."""

    def __init__(self) -> None:
        self._ears: WeakSet[Ear] = WeakSet()

    def ear(self) -> Ear:
        """A new waiter."""
        ear = Ear()
        self._ears.add(ear)
        return ear

    def ring(self, topics: Iterable[str]) -> None:
        """Wake everybody; each decides by the topics whether it is meant."""
        for ear in list(self._ears):
            ear.hear(topics)
