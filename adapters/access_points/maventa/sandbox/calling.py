"""The stand-in's calls to those who subscribe: once each, with what stands in their address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx


@dataclass(slots=True)
class Subscription:
    """Who is called, for what. `answers`: the status of each call, None where there was no answer."""

    id: str
    destination: str
    events: list[str]
    answers: list[int | None] = field(default_factory=list)


class Caller:
    """Calls subscribers in the background."""

    def __init__(self) -> None:
        self.subscriptions: list[Subscription] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, event: str, company: str, id: str) -> None:
        """Something has happened to an invoice."""
        for one in self.subscriptions:
            if event in one.events:
                said = {"event": event, "company_id": company, "data": {"id": id}}
                task = asyncio.get_running_loop().create_task(self._post(one, said))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Until everybody has been called."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Call nobody any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _post(self, to: Subscription, said: Mapping[str, object]) -> None:
        async with httpx.AsyncClient(timeout=5.0) as client:  # puts the password of an address into a header
            try:
                to.answers.append((await client.post(to.destination, json=said)).status_code)
            except httpx.HTTPError:
                to.answers.append(None)
