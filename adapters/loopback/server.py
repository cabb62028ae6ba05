"""A sandbox's server: it listens, keeps what was asked, is as slow as wanted, and fails when told to."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from datetime import datetime
from typing import Any, Self

from adapters.loopback import desk
from adapters.loopback.faults import Fault, Faults
from adapters.loopback.http11 import Answer, Connection, Request


class Refused(Exception):
    """What was asked is refused, in the shape of the vendor's errors (see `Loopback.failed`).

    Args:
        status: the HTTP status.
        message: what is wrong, in the vendor's words.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Loopback(ABC):
    """A vendor on loopback; `async with` starts and stops it.

    Args:
        host, port: where it listens; port 0 takes a free one.
        latency: seconds every answer takes at least.
        keep: how many requests are kept for tests to read.
    """

    prefix: str = ""
    """Where the vendor's paths begin; what does not begin so is a call to the sandbox itself (see `own`)."""
    beside: str | None = None
    """Where further paths of the vendor's begin that lie beside its API, its sign-in for instance; they stay whole."""
    desk: desk.Desk | None = None
    """What a bookkeeper does in the program, alike in all sandboxes that have it (`/_desk/…`)."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, latency: float = 0.0, keep: int = 20_000) -> None:
        self.faults = Faults()
        self.requests: deque[Request] = deque(maxlen=keep)
        self.latency = latency
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    # --- what a sandbox says itself -----------------------------------------------------------------------------------

    @abstractmethod
    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """The vendor's answer. Never raises `Refused`.

        Args:
            path: without the prefix.
            since: what was made or changed after that is not seen (the fault `stale`).
        """

    @abstractmethod
    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """An error as the vendor words it."""

    @abstractmethod
    def own(self, request: Request) -> Any:
        """The body of an answer to a call to the sandbox itself, other than `/fault`: what people do in the program.

        Raises:
            Refused: it cannot be done.
            LookupError, TypeError, ValueError, ArithmeticError: what was said makes no sense.
        """

    def unread(self, why: ValueError) -> Refused:
        """What is said of a body that cannot be read."""
        return Refused(400, str(why))

    def broken(self) -> Refused:
        """What is said when something breaks inside."""
        return Refused(500, "Internal error")

    def too_many(self, seconds: float | None) -> tuple[Refused, dict[str, str]]:
        """What is said to too many calls, and the headers that tell when to come back (None: none of them)."""
        return Refused(429, "Too many requests"), {} if seconds is None else {"Retry-After": f"{seconds:.0f}"}

    # --- life ---------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the API begins."""
        return f"http://{self._host}:{self._port}{self.prefix}"

    async def start(self) -> Self:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self, self._connections), self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Listen no more and cut what is open."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.cut()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def fault(self, calls: str, kind: str, **more: Any) -> None:
        """Switch a fault on (see `faults`)."""
        self.faults.active.append(Fault(calls, kind, **more))

    # --- one request --------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> tuple[Answer | None, float]:
        """Do what a request asks. What goes back (None: the connection is cut), and after how many seconds."""
        beside = self.beside is not None and request.path.startswith(f"{self.beside}/")
        if not beside and not request.path.startswith(f"{self.prefix}/"):
            return self._own(request), 0.0
        path, seconds = request.path if beside else request.path.removeprefix(self.prefix), self.latency
        fault = self.faults.strike(f"{request.method} {path}")
        kind = fault.kind if fault else ""
        if kind == "no-answer-before":
            return None, seconds
        if kind == "500-before":
            return self.failed(self.broken()), seconds
        if fault and kind in {"429", "429-no-reset"}:
            return self.failed(*self.too_many(fault.seconds if kind == "429" else None)), seconds
        answer = self.vendor(request, path, fault.since if fault and kind == "stale" else None)
        if kind == "no-answer":
            return None, seconds
        if kind == "500-after":
            return self.failed(self.broken()), seconds
        if kind == "garbled":
            answer.body = "<html>Bad gateway</html>"
        if fault and kind == "slow":
            seconds += fault.seconds
        return answer, seconds

    def refuse(self, why: ValueError) -> Answer:
        """What goes back where a body cannot be read."""
        return self.failed(self.unread(why))

    @property
    def open(self) -> int:
        """How many requests are being answered now, the present one with them."""
        return sum(connection.busy for connection in self._connections)

    def _own(self, request: Request) -> Answer:
        try:
            if request.path == "/fault":
                return Answer(200, self._fault(request), {})
            if request.path == "/_requests":
                return Answer(200, [self._asked(one) for one in self.requests], {})
            if self.desk is not None and request.path.startswith("/_desk/"):
                said = request.body if isinstance(request.body, dict) else {}
                return Answer(200, desk.call(self.desk, f"{request.method} {request.path}", said), {})
            return Answer(200, self.own(request), {})
        except Refused as error:
            return self.failed(error)
        except (LookupError, TypeError, ValueError, ArithmeticError) as exc:
            return Answer(422, {"message": f"{type(exc).__name__}: {exc}"}, {})

    @staticmethod
    def _asked(one: Request) -> dict[str, Any]:
        """`GET /_requests`: what was asked, in order."""
        return {"method": one.method, "path": one.path, "query": one.query, "status": one.status}

    def _fault(self, request: Request) -> Any:
        """`GET|POST|DELETE /fault`: the faults that are switched on; a query says the same as a body."""
        said = request.body if isinstance(request.body, dict) else {}
        if request.method == "POST" or (request.method == "GET" and "kind" in request.query):
            numbers = {"count": int, "after": int, "seconds": float}
            asked = {**{name: numbers.get(name, str)(value) for name, value in request.query.items()}, **said}
            self.fault(**{"calls": "", **asked})
        elif request.method == "DELETE":
            self.faults.active.clear()
        return [fault.as_json() for fault in self.faults.active]
