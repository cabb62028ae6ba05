"""HTTP/1.1 on a socket, spoken by a small protocol of its own.

It can cut a connection after the work is done, which servers for daily use cannot, and it is quick, so that benchmarks
measure the caller.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from adapters.loopback import uploads
from connector.model.json import dumps, loads


@dataclass(slots=True)
class Request:
    """A request that came, for tests to read; `status` is None when it got no answer. `target`: path and query as they
    were written, percent-encoded. `body`: what JSON or a form says; the bytes where it is XML.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    status: int | None = None
    target: str = ""


@dataclass(slots=True)
class Answer:
    """What goes back; `body` None is an empty one, bytes a file."""

    status: int
    body: Any
    headers: dict[str, str]


class Handler(Protocol):
    """What answers requests."""

    requests: deque[Request]

    def handle(self, request: Request) -> tuple[Answer | None, float]:
        """Do what a request asks. What goes back (None: the connection is cut), and after how many seconds."""

    def refuse(self, why: ValueError) -> Answer:
        """What goes back where the body cannot be read."""


class Connection(asyncio.Protocol):
    """HTTP/1.1, kept alive, one request at a time."""

    def __init__(self, handler: Handler, all: set[Connection]) -> None:
        self._handler, self._all = handler, all
        self._came = bytearray()
        self.busy = False
        """Whether a request is being answered."""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._all.discard(self)

    def cut(self) -> None:
        """Break the connection off."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """A piece of a request came."""
        self._came += data
        self._next()

    def _next(self) -> None:
        end = self._came.find(b"\r\n\r\n")
        if self.busy or end < 0:
            return
        first, *lines = self._came[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if "transfer-encoding" in headers or length > 32 * 2**20:
            self.cut()
            return
        if len(self._came) < end + 4 + length:
            return
        body = bytes(self._came[end + 4 : end + 4 + length])
        del self._came[: end + 4 + length]
        self.busy = True
        method, target, _ = first.split(" ", 2)
        path, _, query = target.partition("?")
        request = Request(method, unquote(path), _query(query), None, headers, target=target)
        answer: Answer | None
        try:
            request.body = _read(headers.get("content-type", ""), body)
        except ValueError as exc:
            answer, seconds = self._handler.refuse(exc), 0.0
        else:
            answer, seconds = self._handler.handle(request)
        request.status = answer.status if answer else None
        self._handler.requests.append(request)
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: Answer | None) -> None:
        self.busy = False
        if self._transport.is_closing():
            return
        if answer is None:
            self.cut()
            return
        body = b"" if answer.body is None else answer.body
        if not isinstance(body, bytes):
            body = body.encode() if isinstance(body, str) else dumps(body)
        headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        kind = "application/octet-stream" if isinstance(answer.body, bytes) else "application/json"
        kind = f"Content-Type: {kind}\r\n" if body else ""
        # 204 and 304 have no body and say no length (RFC 9110, 8.6).
        length = "" if answer.status in {204, 304} else f"Content-Length: {len(body)}\r\n"
        self._transport.write(f"HTTP/1.1 {answer.status} -\r\n{kind}{length}{headers}\r\n".encode("latin-1") + body)
        self._next()


def _query(query: str) -> dict[str, str]:
    """A parameter that comes several times is a list."""
    said: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        said[name] = f"{said[name]},{value}" if name in said else value
    return said


def _read(content_type: str, body: bytes) -> Any:
    if content_type.startswith("multipart/form-data"):
        return uploads.form(content_type, body)
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _query(body.decode())
    if re.match(r"(application|text)/([\w.]+\+)?xml\b", content_type):
        return body
    return loads(body) if body else None
