"""A stand-in's calls to those who have asked for them: in the background, once each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx


class Caller:
    """Makes calls in the background."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def call(self, to: str, body: bytes, headers: Mapping[str, str], answers: list[int | None]) -> None:
        """Post JSON to an address, with the password that stands in it. `answers` gets the status, None where there was
        no answer.
        """
        task = asyncio.get_running_loop().create_task(self._post(to, body, headers, answers))
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

    async def _post(self, to: str, body: bytes, headers: Mapping[str, str], answers: list[int | None]) -> None:
        said = {"Content-Type": "application/json", **headers}
        async with httpx.AsyncClient(timeout=5.0) as client:  # puts the password of an address into a header
            try:
                answers.append((await client.post(to, content=body, headers=said)).status_code)
            except httpx.HTTPError:
                answers.append(None)
