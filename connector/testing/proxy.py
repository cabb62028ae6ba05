"""A way to the vendor on loopback, on which things go wrong: every call is passed on, and any of them may have a fate.

It stands between an adapter and whatever answers it, so the stand-in of a vendor needs to know nothing of faults. What
is passed on arrives before an answer is lost: "the answer was lost" means that the work was done.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from connector.model.json import dumps, loads

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "expect"}
"""Headers that are about one connection, or about a body's way over it."""


_SECRET_FIELDS = {"client_secret", "refresh_token", "code", "code_verifier", "client_assertion"}
"""What proves something to an authorization server (RFC 6749, 7521, 7636)."""


@dataclass(slots=True)
class Call:
    """A call as it came by: `at` and, when it was answered, `answered` in seconds of `time.monotonic`; `status` None
    while, or where, it got no answer.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    answered: float | None = None
    status: int | None = None
    fate: str = ""

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method not in {"GET", "HEAD"}

    def __str__(self) -> str:
        return f"{self.method} {urlsplit(self.target).path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call.

    `passed_on`: whether it reaches the vendor; `cut`: whether the connection breaks then; `seconds`: how much longer
    the answer takes; `answer`: what is said instead of what the vendor says.
    """

    title: str
    passed_on: bool = True
    cut: bool = False
    seconds: float = 0.0
    answer: Callable[[Call], Answer] | None = None


LOST = Fate("the answer was lost", cut=True)
UNSENT = Fate("the connection broke before it arrived", passed_on=False, cut=True)
FAILED = Fate("it was done, and answered with 500", answer=lambda call: Answer(500, {}, b""))


def busy(headers: Mapping[str, str]) -> Fate:
    """Too many calls: not taken, and these headers say when to come back."""
    # A little later, so that what is under way at the same time is not taken for what follows.
    return Fate("429", passed_on=False, seconds=0.2, answer=lambda call: Answer(429, dict(headers), b"{}"))


def slow(seconds: float) -> Fate:
    """It is done at once, and answered so much later."""
    return Fate(f"the answer took {seconds:g} s longer", seconds=seconds)


def echo(status: int) -> Fate:
    """Refused, in words that repeat what was sent: headers, address and body."""

    def said(call: Call) -> Answer:
        heard = {"message": f"{call.target} {dict(call.headers)} {call.body.decode(errors='replace')}"}
        return Answer(status, {"Content-Type": "application/json"}, dumps(heard))

    return Fate(f"refused with {status} in words that repeat what was sent", passed_on=False, answer=said)


class Cut(Exception):
    """The connection is broken off."""


@dataclass
class Proxy:
    """`async with Proxy(url) as proxy`: what is sent to `proxy.url` reaches the vendor at `url`.

    `fate` decides about each call by its number since `mark` (from 0); `meanwhile` is done before the call with that
    number is passed on; `rewrite` makes another body of each JSON answer.
    """

    vendor: str
    calls: list[Call] = field(default_factory=list)
    fate: Callable[[int, Call], Fate | None] | None = None
    meanwhile: dict[int, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    rewrite: Callable[[Call, Any], Any] | None = None
    _from: int = 0

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(timeout=60.0, trust_env=False)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        at = urlsplit(self.vendor)
        self._there = f"{at.scheme}://{at.netloc}"
        self._here = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._client.aclose()

    @property
    def url(self) -> str:
        """The vendor's address, by way of here."""
        return self.through(self.vendor)

    def through(self, url: str) -> str:
        """Any address of the vendor, by way of here."""
        return url.replace(self._there, self._here)

    def mark(self) -> None:
        """Count calls from 0 again; nothing goes wrong until it is said again."""
        self._from, self.fate, self.rewrite = len(self.calls), None, None
        self.meanwhile.clear()

    @property
    def since(self) -> list[Call]:
        """The calls since `mark`."""
        return self.calls[self._from :]

    def at(self, number: int, fate: Fate) -> None:
        """Give one call its fate."""
        self.fate = lambda n, call: fate if n == number else None

    # --- one connection -----------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while call := await _read(reader):
                answer = await self._answer(call)
                call.status, call.answered = answer.status, time.monotonic()
                writer.write(_written(answer))
                await writer.drain()
        except (Cut, ConnectionError, asyncio.IncompleteReadError, httpx.TransportError):
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            with suppress(RuntimeError):  # the loop may be over
                writer.close()

    async def _answer(self, call: Call) -> Answer:
        number = len(self.calls) - self._from
        self.calls.append(call)
        if (first := self.meanwhile.pop(number, None)) is not None:
            await first()
        fate = self.fate(number, call) if self.fate else None
        call.fate = fate.title if fate else ""
        said = await self._asked(call) if fate is None or fate.passed_on else None
        if fate is not None and fate.seconds:
            await asyncio.sleep(fate.seconds)
        if fate is not None and fate.cut:
            raise Cut
        if fate is not None and fate.answer is not None:
            return fate.answer(call)
        assert said is not None
        return said

    async def _asked(self, call: Call) -> Answer:
        """What the vendor says, its own address in it replaced by ours."""
        here, there = self._here.encode(), self._there.encode()
        answer = await self._client.request(
            call.method,
            self._there + call.target,
            headers={name: value for name, value in call.headers.items() if name not in _HOP},
            content=call.body.replace(here, there),
        )
        body = answer.content.replace(there, here)
        if self.rewrite is not None and body and "json" in answer.headers.get("content-type", ""):
            with suppress(ValueError):
                body = dumps(self.rewrite(call, loads(body)))
        headers = {name: self.through(value) for name, value in answer.headers.items() if name.lower() not in _HOP}
        return Answer(answer.status_code, headers, body)

    # --- what must never be seen elsewhere ----------------------------------------------------------------------------

    def credentials(self) -> set[str]:
        """What calls proved themselves with: `Authorization` headers, what is packed in them, and forms for tokens."""
        found: set[str] = set()
        for call in self.calls:
            scheme, _, said = call.headers.get("authorization", "").partition(" ")
            if said:
                found.add(said)
            if scheme.lower() == "basic":
                with suppress(ValueError):
                    found.add(base64.b64decode(said).decode().partition(":")[2])
            if "form-urlencoded" in call.headers.get("content-type", ""):
                form = parse_qsl(call.body.decode(errors="replace"))
                found |= {value for name, value in form if name in _SECRET_FIELDS}
        return {one for one in found if len(one) > 3}


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """The next request; None when there is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(method, target, headers, body, time.monotonic())


def _written(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in answer.headers.items())]
    if answer.status not in {204, 304}:  # these have no body and say no length (RFC 9110, 8.6)
        lines.append(f"Content-Length: {len(answer.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body
