"""An SFTP server on loopback over a folder of its own. It fails when told to, and can be stopped and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import asyncssh

from adapters.access_points.folder.sandbox.access_point import AccessPoint, Layout
from adapters.access_points.sandbox import Network, Pace
from adapters.loopback import Fault, Faults

USER = "connector"
PASSWORD = "let-me-in"  # noqa: S105 (of a stand-in on loopback)


class Sandbox:
    """An SFTP server, and an access point behind it; `async with` starts and stops both.

    Args:
        port: 0 takes a free one.
        latency: seconds every answer takes longer.
        every: seconds between two looks of the access point into its folders; None: it looks when told to.
        posix_rename: whether the server has the rename that is one act.
        names: what is put among the names of every listing, as a server may that means no good.
        holds: bytes that a file can have; the rest is lost without a word.
        layout: see `AccessPoint`.
        pace: how long things take in the network behind it.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        latency: float = 0.0,
        every: float | None = 0.05,
        posix_rename: bool = True,
        names: tuple[bytes, ...] = (),
        holds: int | None = None,
        layout: Layout = "plain",
        pace: Pace | None = None,
    ) -> None:
        self.faults = Faults()
        self.latency = latency
        self.posix_rename = posix_rename
        self.names = names
        self.root = Path(tempfile.mkdtemp(prefix="sandbox-"))
        self.holds = holds
        self.network = Network(pace)
        self.access_point = AccessPoint(self.root, layout, self.network)
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        """What opens the server instead of the password."""
        self._port, self._every = port, every
        self._listener: asyncssh.SSHAcceptor | None = None
        self._work: asyncio.Task[None] | None = None
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.logins: list[str] = []
        """How it was tried to come in: `password`, `key`."""

    @property
    def settings(self) -> dict[str, Any]:
        """Of a connection to it."""
        layout = self.access_point.layout.partition("-")[0]
        server = {"host": "127.0.0.1", "port": self._port, "user": USER, "layout": layout}
        return {**server, "host_keys": [self.key.export_public_key().decode().strip()]}

    @property
    def secrets(self) -> dict[str, str]:
        """Of a connection to it."""
        return {"password": PASSWORD}

    def fault(self, calls: str, kind: str, **more: Any) -> None:
        """Switch a fault on (see `adapters.loopback.faults`). Calls are `rename /outbound/…`, `write`, `lstat` …; a
        500 is the server's bare "failure", as full disks are told by most.
        """
        self.faults.active.append(Fault(calls, kind, **more))

    # --- life

    async def start(self) -> Self:
        """Listen, and let the access point work."""
        self.access_point.open()
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            self._port,
            server_host_keys=[self.key],
            server_factory=lambda: _Door(self),
            sftp_factory=lambda channel: _Files(self, channel),
        )
        self._port = self._listener.get_port()
        if self._every is not None and self._work is None:
            self._work = asyncio.create_task(self.access_point.work(self._every))
        return self

    async def stop(self) -> None:
        """Listen no more and cut what is open; the folder stays, and the access point works on in it."""
        if self._listener is not None:
            self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break all connections off."""
        for connection in list(self.connections):
            connection.abort()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work
        shutil.rmtree(self.root, ignore_errors=True)

    # --- one call

    async def answer(self, call: str, channel: asyncssh.SSHServerChannel[bytes], do: Callable[[], Any]) -> Any:
        """Do what is asked, with the fault that strikes it, if any."""
        fault = self.faults.strike(call)
        kind = fault.kind if fault else ""
        if self.latency:
            await asyncio.sleep(self.latency)
        if kind == "no-answer-before":
            self._cut(channel)
        if kind == "500-before":
            raise asyncssh.SFTPFailure("Failure")
        done = do()
        if isinstance(done, Awaitable):
            done = await done
        if kind == "no-answer":
            self._cut(channel)
        if kind == "500-after":
            raise asyncssh.SFTPFailure("Failure")
        if fault and kind == "slow":
            await asyncio.sleep(fault.seconds)
        return done

    @staticmethod
    def _cut(channel: asyncssh.SSHServerChannel[bytes]) -> None:
        channel.get_connection().abort()
        raise asyncssh.SFTPConnectionLost("cut")


class _Door(asyncssh.SSHServer):
    """Who may come in."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection: asyncssh.SSHServerConnection = conn
        self._box.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._box.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._box.logins.append("password")
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._box.logins.append("key")
        return username == USER and key.public_data == self._box.user_key.public_data


class _Files(asyncssh.SFTPServer):
    """The folder, as SFTP shows it."""

    def __init__(self, box: Sandbox, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(channel, chroot=os.fsencode(box.root))
        self._box = box

    async def _answer(self, what: str, path: bytes, do: Callable[[], Any]) -> Any:
        return await self._box.answer(f"{what} {path.decode(errors='replace')}", self.channel, do)

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        return await self._answer("open", path, lambda: super(_Files, self).open(path, pflags, attrs))

    async def read(self, file_obj: Any, offset: int, size: int) -> Any:
        return await self._answer("read", b"", lambda: super(_Files, self).read(file_obj, offset, size))

    async def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        kept = data if self._box.holds is None else data[: max(self._box.holds - offset, 0)]
        return await self._answer("write", b"", lambda: super(_Files, self).write(file_obj, offset, kept))

    async def lstat(self, path: bytes) -> Any:
        return await self._answer("lstat", path, lambda: super(_Files, self).lstat(path))

    async def remove(self, path: bytes) -> Any:
        return await self._answer("remove", path, lambda: super(_Files, self).remove(path))

    async def rename(self, oldpath: bytes, newpath: bytes) -> Any:
        return await self._answer("rename", newpath, lambda: super(_Files, self).rename(oldpath, newpath))

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
        if not self._box.posix_rename:
            raise asyncssh.SFTPOpUnsupported("posix-rename")
        return await self._answer("rename", newpath, lambda: super(_Files, self).posix_rename(oldpath, newpath))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        await self._answer("list", path, lambda: None)
        async for one in super().scandir(path):
            yield one
        for name in self._box.names:
            yield asyncssh.SFTPName(name, attrs=asyncssh.SFTPAttrs(type=asyncssh.FILEXFER_TYPE_REGULAR, size=1))
