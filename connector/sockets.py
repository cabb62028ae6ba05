"""The sockets under every vendor call: asyncio's own, with one question asked just before bytes leave.

A process can be stopped for minutes at any instruction (a frozen virtual machine, a laptop lid, SIGSTOP). What it
checked before is then worth nothing. `before_sending` is therefore asked inside `write`, with nothing but the system
call after it. It serves httpcore as its network backend; requests, pools and TLS settings are left to httpx.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

import httpcore

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
        self.use(transport)

    def use(self, transport: asyncio.Transport) -> None:
        """Write through this transport, which shall hold nothing back."""
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

    async def news(self, timeout: float | None) -> None:
        """Wait until something comes, ends or drains."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._waiting
        finally:
            self._waiting = None


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, pipe: _Pipe) -> None:
        self._pipe = pipe

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        pipe = self._pipe
        try:
            while not pipe.came and not pipe.ended:
                await pipe.news(timeout)
        except TimeoutError as exc:
            raise httpcore.ReadTimeout(str(exc)) from exc
        if not pipe.came and pipe.error is not None:
            raise httpcore.ReadError(str(pipe.error)) from pipe.error
        data = bytes(pipe.came[:max_bytes])
        del pipe.came[:max_bytes]
        if not pipe.ended and len(pipe.came) <= _ENOUGH:
            pipe.transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pipe, may_go = self._pipe, before_sending.get()
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            if pipe.ended:
                raise httpcore.WriteError("the connection is closed")
            if may_go is not None:
                may_go()
            pipe.transport.write(piece)
            try:
                while pipe.full and not pipe.ended:
                    await pipe.news(timeout)
            except TimeoutError as exc:
                raise httpcore.WriteTimeout(str(exc)) from exc

    async def aclose(self) -> None:
        # Bytes still waiting here must not leave after we have given up.
        if self._pipe.full:
            self._pipe.transport.abort()
        else:
            self._pipe.transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                transport = await asyncio.get_running_loop().start_tls(
                    self._pipe.transport, self._pipe, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(str(exc)) from exc
        except OSError as exc:  # ssl.SSLError is one
            raise httpcore.ConnectError(str(exc)) from exc
        if transport is None:
            raise httpcore.ConnectError("the connection was closed during the TLS handshake")
        self._pipe.use(transport)
        return self

    def get_extra_info(self, info: str) -> Any:
        transport = self._pipe.transport
        if info == "is_readable":  # of an idle connection: the other side has closed it
            return self._pipe.ended or bool(self._pipe.came) or _readable(transport.get_extra_info("socket"))
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return transport.get_extra_info(names.get(info, info))


def _readable(socket: Any) -> bool:
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class Backend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections for httpcore."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to `host`:`port`, on whichever of its addresses answers first."""
        pipe = _Pipe()
        local = None if local_address is None else (local_address, 0)
        try:
            async with asyncio.timeout(timeout):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    lambda: pipe, host, port, local_addr=local, happy_eyeballs_delay=0.25
                )
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(str(exc)) from exc
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return _Stream(pipe)

    async def sleep(self, seconds: float) -> None:
        """As asyncio sleeps."""
        await asyncio.sleep(seconds)
