"""How the stand-in hands over what has come: it posts the whole envelope to one address, and tries again.

Synchronous mode reads `countryCodeC4` from the answer, or `retry: none`; asynchronous mode reads nothing and is told
the country by a call of its own. Only 2xx counts, and in synchronous mode only with a JSON object in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from adapters.access_points.sandbox import Incoming
from connector.model.json import loads

Mode = Literal["sync", "async"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where it is posted to, with which fixed headers."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = "sync"

    def __post_init__(self) -> None:
        if self.mode not in ("sync", "async"):
            raise ValueError(f"There is no mode {self.mode!r}; there are sync and async.")
        httpx.URL(self.url)


@dataclass(slots=True)
class Handing:
    """One message on its way to the company. `status` in the vendor's words; `country`: what was told of it (C4);
    `answers`: the HTTP status of each try, None where there was no answer.
    """

    message: Incoming
    status: str = "received"
    country: str | None = None
    error: str | None = None
    answers: list[int | None] = field(default_factory=list)


class Forwarder:
    """Hands over, each message by itself.

    Args:
        retry: seconds to the second try; doubled each time.
        attempts: after how many tries it gives up.
    """

    def __init__(self, *, retry: float, attempts: int) -> None:
        self.retry, self.attempts = retry, attempts
        self.target: Target | None = None
        self.handings: list[Handing] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def take(self, message: Incoming) -> None:
        """Hand this over, as soon as there is somebody to hand it to."""
        handing = Handing(message)
        self.handings.append(handing)
        if self.target is not None:
            self._begin(handing)

    def forward_to(self, target: Target) -> None:
        """From now on to there; what has waited for an address goes now, and what was given up is tried anew."""
        self.target = target
        for handing in self.handings:
            if handing.status in {"received", "permanently_failed"}:
                self._begin(handing)

    def of(self, instance: str) -> Handing | None:
        """The last message under an instance."""
        return next((one for one in reversed(self.handings) if one.message.papers.instance == instance), None)

    async def idle(self) -> None:
        """Until everything has been handed over or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Hand over no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _begin(self, handing: Handing) -> None:
        task = asyncio.get_running_loop().create_task(self._run(handing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, handing: Handing) -> None:
        for attempt in range(self.attempts):
            if attempt:
                handing.status = "forward_failed"
                await asyncio.sleep(self.retry * 2 ** (attempt - 1))
            handing.status = "forwarding"
            if await self._posted(handing):
                return
        handing.status = "permanently_failed"

    async def _posted(self, handing: Handing) -> bool:
        """Whether it is over: handed over, or not wanted again."""
        target = self.target
        assert target is not None
        self._client = self._client or httpx.AsyncClient(timeout=10.0)
        instance = handing.message.papers.instance
        headers = {**target.headers, "Content-Type": "application/xml; charset=UTF-8", "X-SBDH-Instance-ID": instance}
        try:
            answer = await self._client.post(target.url, content=handing.message.body, headers=headers)
        except httpx.HTTPError as exc:
            handing.answers.append(None)
            handing.error = f"http_io_error: {exc}"
            return False
        handing.answers.append(answer.status_code)
        if answer.status_code >= 300:
            handing.error = f"http_status: {answer.status_code}"
            return False
        if target.mode == "sync":
            said = _object(answer.content)
            if said is None:
                handing.error = "http_response_error: no JSON object"
                return False
            if said.get("retry") == "none":
                handing.status, handing.error = "permanently_failed", f"http_sync_no_retry: {said.get('errorMessage')}"
                return True
            handing.country = said.get("countryCodeC4")
        handing.status, handing.error, handing.message.handled = "forwarded", None, True
        return True


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        said = loads(body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
