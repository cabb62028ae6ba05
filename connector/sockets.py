"""The sockets under every vendor call: asyncio's own, with one question asked just before bytes leave.

A process can be stopped for minutes at any instruction (a frozen virtual machine, a laptop lid, SIGSTOP). What it
checked before is then worth nothing. `before_sending` is therefore asked inside `write`, with nothing but the system
call after it.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

before_sending: ContextVar[Callable[[], None] | None] = ContextVar("before_sending", default=None)
"""Called before every write of the current task; what it raises keeps the bytes from leaving."""

_PIECE = 64 * 1024
_ENOUGH = 256 * 1024


class _Pipe(asyncio.Protocol):
    """Bytes that came, and whether the system takes more."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.came = bytearray()
        self.ended = False
        self.error: Exception | None = None
        self.full = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=1)  # with 0, TLS transports never say that they have drained

    def data_received(self, data: bytes) -> None:
        self.came += data
        if len(self.came) > _ENOUGH:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.error = True, exc
        self._wake()

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def news(self) -> None:
        """Wait until something comes, ends or drains."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None


class Stream:
    """A connection's bytes, both ways. What fails raises `OSError`."""

    __slots__ = ("_pipe",)

    def __init__(self, pipe: _Pipe) -> None:
        self._pipe = pipe

    async def read(self) -> bytes:
        """What has come, as soon as anything has; nothing at the end."""
        pipe = self._pipe
        while not pipe.came and not pipe.ended:
            await pipe.news()
        if not pipe.came and pipe.error is not None:
            raise ConnectionError(str(pipe.error)) from pipe.error
        data = bytes(pipe.came)
        pipe.came.clear()
        if not pipe.ended:
            pipe.transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send it all; nothing waits here when it returns."""
        pipe, may_go = self._pipe, before_sending.get()
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            if pipe.ended:
                raise ConnectionError("the connection is closed")
            if may_go is not None:
                may_go()
            pipe.transport.write(piece)
            while pipe.full and not pipe.ended:
                await pipe.news()

    def close(self) -> None:
        """Bytes still waiting here must not leave after we have given up."""
        if self._pipe.full:
            self._pipe.transport.abort()
        else:
            self._pipe.transport.close()

    def is_over(self) -> bool:
        """Of an idle connection: whether the other side has closed it, or said what nobody asked for."""
        pipe = self._pipe
        return pipe.ended or bool(pipe.came) or _readable(pipe.transport.get_extra_info("socket"))


def _readable(socket: Any) -> bool:
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))


async def connect(host: str, port: int, tls: ssl.SSLContext | None) -> Stream:
    """A connection to `host`:`port`, on whichever of its addresses answers first."""
    pipe = _Pipe()
    await asyncio.get_running_loop().create_connection(
        lambda: pipe, host, port, ssl=tls, server_hostname=host if tls else None, happy_eyeballs_delay=0.25
    )
    return Stream(pipe)
