"""HTTP/1.1 connections to one vendor, kept alive between calls: h11 over our own sockets.

One request at a time on each; a request whose bytes are known goes out in one write. A connection is used again only
after a whole answer to a whole request.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterable, AsyncIterator

import h11

from connector import sockets
from connector.sockets import Stream

KEPT = 4.0
"""Seconds that an idle connection is kept: shorter than the five after which common servers close one. A request that
crosses such a closing would be an unknown outcome."""
MOST = 64
"""Connections at a time."""
CONNECT = 10.0
"""Seconds that making a connection may take."""
_LONGEST_HEAD = 100 * 1024

Headers = list[tuple[bytes, bytes]]


class _Connection:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self.idle_since = 0.0

    async def ask(self, request: h11.Request, content: bytes | AsyncIterable[bytes]) -> h11.Response:
        # Whoever closes while we still write may have answered before: that is read even so.
        with contextlib.suppress(ConnectionError):
            await self._send(request, content)
        while True:
            event = await self.event()
            if isinstance(event, h11.Response):
                return event

    async def _send(self, request: h11.Request, content: bytes | AsyncIterable[bytes]) -> None:
        data = self._encoded(request)
        if isinstance(content, bytes):
            data += self._encoded(h11.Data(data=content)) if content else b""
        else:
            await self.stream.write(data)
            async for part in content:
                await self.stream.write(self._encoded(h11.Data(data=part)))
            data = b""
        await self.stream.write(data + self._encoded(h11.EndOfMessage()))

    def _encoded(self, event: h11.Event) -> bytes:
        return self.http.send(event) or b""

    async def event(self) -> h11.Event | type[h11.PAUSED]:
        """The next piece of the answer."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            data = await self.stream.read()
            if not data and self.http.their_state is h11.SEND_RESPONSE:
                raise h11.RemoteProtocolError("the server closed the connection without an answer")
            self.http.receive_data(data)
        assert not isinstance(event, type) or event is h11.PAUSED
        return event


class Response:
    """An answer whose body is still to be read. `close` it in any case."""

    __slots__ = ("_connection", "_pool", "headers", "status")

    def __init__(self, pool: Pool, connection: _Connection, said: h11.Response) -> None:
        self._pool = pool
        self._connection = connection
        self.status = said.status_code
        self.headers: Headers = list(said.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        while isinstance(event := await self._connection.event(), h11.Data):
            yield bytes(event.data)

    def close(self) -> None:
        """Give the connection back, or end it where the answer was not read to its end."""
        self._pool.take_back(self._connection)


class Pool:
    """The connections to one host. `connect` makes one; errors are `OSError`, `TimeoutError` and `h11.ProtocolError`.

    Args:
        host, port: where to.
        tls: None for plain HTTP.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["http/1.1"])
        self._free = asyncio.Semaphore(MOST)
        self._idle: list[_Connection] = []
        self.connect = sockets.connect

    async def send(self, method: str, target: str, headers: Headers, content: bytes | AsyncIterable[bytes]) -> Response:
        """Send a request and read the head of its answer."""
        request = h11.Request(method=method, target=target, headers=headers)
        await self._free.acquire()
        connection = None
        try:
            connection = self._kept() or await self._new()
            return Response(self, connection, await connection.ask(request, content))
        except BaseException:
            if connection is not None:
                connection.stream.close()
            self._free.release()
            raise

    def take_back(self, connection: _Connection) -> None:
        """Keep a connection for the next request, if it can serve one."""
        self._free.release()
        http = connection.http
        # What came beyond the answer would be taken for the answer to the next request.
        if http.our_state is http.their_state is h11.DONE and http.trailing_data == (b"", False):
            http.start_next_cycle()
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.stream.close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().stream.close()

    def _kept(self) -> _Connection | None:
        """The connection that was used last, unless it is too old; then all others are."""
        while self._idle:
            connection = self._idle.pop()
            if asyncio.get_running_loop().time() - connection.idle_since < KEPT and not connection.stream.is_over():
                return connection
            connection.stream.close()
        return None

    async def _new(self) -> _Connection:
        async with asyncio.timeout(CONNECT):
            return _Connection(await self.connect(self._host, self._port, self._tls))
