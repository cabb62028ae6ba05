"""A real server on loopback that says, byte for byte, what a test tells it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from connector.http import Http


@dataclass
class Came:
    """A request as it came; `whole` is False when the connection broke off within it."""

    head: str
    body: bytes
    whole: bool

    @property
    def line(self) -> str:
        return self.head.partition("\r\n")[0]


Script = Callable[[Came, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    said = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


@dataclass
class Loopback:
    port: int = 0
    came: list[Came] = field(default_factory=list)
    connections: int = 0
    script: Script | None = None

    def says(self, *answers: bytes) -> None:
        """Answer so, in turn; the last one again and again."""
        left = list(answers)

        async def script(came: Came, writer: asyncio.StreamWriter) -> None:
            writer.write(left.pop(0) if len(left) > 1 else left[0])

        self.script = script

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = b""
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                    names = dict(
                        line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line
                    )
                    body = await reader.readexactly(int(names.get("content-length", "0")))
                except asyncio.IncompleteReadError as exc:
                    if head or exc.partial:
                        self.came.append(Came(head.decode(), exc.partial, whole=False))
                    return
                except ConnectionError:
                    return
                came = Came(head.decode(), body, whole=True)
                self.came.append(came)
                assert self.script is not None
                await self.script(came, writer)
                if writer.is_closing():
                    return
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def loopback() -> AsyncIterator[Loopback]:
    it = Loopback()
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    it.says(answer())
    yield it
    server.close()


@pytest.fixture
async def http(loopback: Loopback) -> AsyncIterator[Http]:
    it = Http(f"http://127.0.0.1:{loopback.port}/v2", mask={"consumerToken"}, timeout=5.0)
    yield it
    await it.aclose()


@pytest.fixture
def says() -> Callable[..., bytes]:
    return answer
