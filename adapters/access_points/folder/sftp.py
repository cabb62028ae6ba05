"""A tree at the other end of an SFTP connection.

One connection serves all calls, and a new one is made where it is gone. The server must show a key that the settings
name: nobody is trusted at first sight. Nothing of the machine's own SSH set-up is used (no agent, no `~/.ssh`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, cast

import asyncssh
from asyncssh import sftp

from adapters.access_points.folder import tree
from adapters.access_points.folder.tree import Entry, Kind
from connector.errors import ConnectorError, NeedsPerson, TryLater, UnknownOutcome
from connector.http import speaking

logging.getLogger("asyncssh").setLevel(logging.WARNING)  # at INFO it tells of every connection and login

_FORBIDDEN = (sftp.SFTPPermissionDenied, sftp.SFTPWriteProtect, sftp.SFTPCannotDelete)
_FULL = (sftp.SFTPNoSpaceOnFilesystem, sftp.SFTPQuotaExceeded)
_MISSING = (sftp.SFTPNoSuchFile, sftp.SFTPNoSuchPath, sftp.SFTPNotADirectory)
_LOST = (sftp.SFTPConnectionLost, sftp.SFTPBadMessage)
"""No answer came, or none that can be understood. So it is with whatever is no `SFTPError` at all."""
_KINDS: Final[dict[int, Kind]] = {
    asyncssh.FILEXFER_TYPE_REGULAR: "file",
    asyncssh.FILEXFER_TYPE_DIRECTORY: "folder",
    asyncssh.FILEXFER_TYPE_SYMLINK: "link",
}
_KEEPALIVE = 15.0
"""Seconds of silence after which the server is asked whether it is there; it is not, after three without an answer."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where the tree is and how to get in. `host_keys`: public keys as in a `.pub` file, any of which the server may
    show. `private_key`: OpenSSH or PEM text, not encrypted.
    """

    host: str
    port: int
    user: str
    path: str
    host_keys: Sequence[str]
    password: str | None = None
    private_key: str | None = None


class SftpTree:
    """A folder of an SFTP server.

    Raises, beside what every tree raises, `NeedsPerson`: `host-key-wrong`, `login-refused`,
    `private-key-unreadable`, `ssh-unusable`.

    Args:
        login: where, and as whom.
        timeout: seconds one call may take, connecting included.
    """

    def __init__(self, login: Login, timeout: float) -> None:
        port = "" if login.port == 22 else f":{login.port}"
        self.where = f"sftp://{login.user}@{login.host}{port}/{login.path.strip('/')}"
        self._login = login
        self._timeout = timeout
        self._connecting = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def entries(self, folder: str) -> list[Entry]:
        """See `Tree`."""
        async with self._call("LIST", folder) as (client, at):
            found = [one async for one in client.scandir(at)]
        entries = (_entry(str(one.filename), one.attrs) for one in found if one.filename not in {".", ".."})
        return sorted(entries, key=lambda one: one.name)

    async def stat(self, path: str) -> Entry | None:
        """See `Tree`."""
        try:
            async with self._call("STAT", path) as (client, at):
                return _entry(at.rpartition("/")[2], await client.lstat(at))
        except FileNotFoundError:
            return None

    async def read(self, path: str, limit: int) -> bytes:
        """See `Tree`."""
        async with self._call("READ", path) as (client, at):
            lies = _entry(path, await client.lstat(at))
            if lies.kind != "file":
                raise tree.unfit(path, "is a link" if lies.kind == "link" else "is no file")
            if lies.size > limit:
                raise tree.too_large(path, limit)
            async with client.open(at, "rb") as file:
                content = await file.read()
        if len(content) > limit:
            raise tree.too_large(path, limit)
        return cast(bytes, content)

    async def write(self, path: str, content: bytes) -> None:
        """See `Tree`. What came to lie there is measured: not every server says that its disk is full."""
        async with self._call("WRITE", path) as (client, at):
            async with client.open(at, "xb") as file:
                await file.write(content)
                with suppress(sftp.SFTPOpUnsupported):
                    await file.fsync()
            size = (await client.lstat(at)).size
        if size != len(content):
            raise tree.failed(f"{path} has {size} bytes instead of {len(content)}", self.where)

    async def rename(self, old: str, new: str) -> None:
        """See `Tree`. Where the server has it, by the rename that is one act (posix-rename@openssh.com)."""
        async with self._call("RENAME", old, changes=True) as (client, at):
            to = self._at(new)
            try:
                await client.posix_rename(at, to)
            except sftp.SFTPOpUnsupported:
                await client.rename(at, to)

    async def remove(self, path: str) -> None:
        """See `Tree`."""
        async with self._call("REMOVE", path) as (client, at):
            await client.remove(at)

    async def remove_folder(self, path: str) -> None:
        """See `Tree`."""
        async with self._call("REMOVE", path) as (client, at):
            with suppress(sftp.SFTPFailure, sftp.SFTPDirNotEmpty):
                await client.rmdir(at)

    async def make(self, folder: str) -> None:
        """See `Tree`."""
        async with self._call("MAKE", folder) as (client, at):
            await client.makedirs(at, exist_ok=True)

    async def sync(self, folder: str) -> None:
        """It is in the server's hands."""

    async def close(self) -> None:
        """See `Tree`."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await connection.wait_closed()

    # --- calls

    @asynccontextmanager
    async def _call(
        self, what: str, path: str, *, changes: bool = False
    ) -> AsyncIterator[tuple[asyncssh.SFTPClient, str]]:
        """One call: its errors are ours afterwards. `changes`: where no answer came, it may have happened."""
        at = self._at(path)
        client: asyncssh.SFTPClient | None = None
        try:
            async with asyncio.timeout(self._timeout):
                client = await self._connected()
                with speaking(what, f"{self.where}/{path}"):
                    try:
                        yield client, at
                    except (asyncssh.Error, OSError) as exc:
                        raise self._meant(exc, client, path, changes=changes) from exc
        except TimeoutError as exc:
            if client is None:
                raise self._unreachable("it takes too long") from exc
            self._drop(client)
            raise self._unanswered(f"nothing came within {self._timeout:g} s", changes=changes) from exc

    def _at(self, path: str) -> str:
        return tree.below(self._login.path.rstrip("/") or ("/" if self._login.path else ""), path).replace("//", "/")

    def _meant(self, exc: Exception, client: asyncssh.SFTPClient, path: str, *, changes: bool) -> Exception:
        why = str(exc) or type(exc).__name__
        if isinstance(exc, sftp.SFTPNoConnection):  # nothing left this machine
            self._drop(client)
            return self._unreachable(why)
        if isinstance(exc, _LOST) or not isinstance(exc, sftp.SFTPError):
            self._drop(client)
            return self._unanswered(why, changes=changes)
        if isinstance(exc, _MISSING):
            return FileNotFoundError(path)
        what = f"{path} ({why})"
        if isinstance(exc, _FORBIDDEN):
            return tree.forbidden(what, self.where)
        if isinstance(exc, _FULL):
            return tree.full(what, self.where)
        return tree.failed(what, self.where)

    def _unanswered(self, why: str, *, changes: bool) -> ConnectorError:
        where = {"folder": self.where}
        if changes:
            return UnknownOutcome(f"The answer was lost ({why}); it may have happened.", where=where)
        return TryLater(f"No answer came: {why}.", code="answer-lost", where=where)

    def _unreachable(self, why: str) -> TryLater:
        return TryLater(
            f"The server could not be reached: {why}.", code="vendor-unreachable", where={"folder": self.where}
        )

    # --- the connection

    def _drop(self, client: asyncssh.SFTPClient) -> None:
        """Use this connection no more; what may still come on it is nobody's. Another may have taken its place."""
        if client is self._client and self._connection is not None:
            self._connection.abort()
            self._connection, self._client = None, None

    async def _connected(self) -> asyncssh.SFTPClient:
        async with self._connecting:
            if self._client is not None and self._connection is not None and not self._connection.is_closed():
                return self._client
            with speaking("CONNECT", self.where):
                try:
                    return await self._connect()
                except asyncssh.HostKeyNotVerifiable as exc:
                    raise self._stranger("it shows a key that the settings do not name") from exc
                except asyncssh.KeyExchangeFailed as exc:
                    raise self._stranger(f"no key and cipher that both sides take ({exc.reason})") from exc
                except asyncssh.PermissionDenied as exc:
                    raise NeedsPerson(
                        f"The server lets {self._login.user} not in.",
                        code="login-refused",
                        do="See that user, password or private key are right, and that the server knows the key.",
                        where={"folder": self.where},
                        said_by_vendor=exc.reason,
                    ) from exc
                except (asyncssh.Error, OSError) as exc:
                    raise self._unreachable(str(exc) or type(exc).__name__) from exc
                except ValueError as exc:  # asyncssh wants to know who runs this process
                    raise NeedsPerson(
                        f"SSH cannot be used here: {exc}.",
                        code="ssh-unusable",
                        do="Run the service as a user with a name, or set LOGNAME in its environment.",
                        where={"folder": self.where},
                    ) from exc

    async def _connect(self) -> asyncssh.SFTPClient:
        login = self._login
        keys = [asyncssh.import_public_key(one) for one in login.host_keys]
        connection = await asyncssh.connect(
            login.host,
            login.port,
            username=login.user,
            password=login.password,
            client_keys=self._private_key(),
            known_hosts=(keys, [], []),
            config=None,
            agent_path=None,
            x509_trusted_certs=None,
            x509_trusted_cert_paths=None,
            keepalive_interval=_KEEPALIVE,
            connect_timeout=self._timeout,
            login_timeout=self._timeout,
        )
        try:
            # Names that are no UTF-8 must not hide the rest of a folder.
            client = await connection.start_sftp_client(path_errors="surrogateescape")
        except BaseException:
            connection.abort()
            raise
        self._connection, self._client = connection, client
        return client

    def _private_key(self) -> list[asyncssh.SSHKey] | None:
        if self._login.private_key is None:
            return None
        try:
            return [asyncssh.import_private_key(self._login.private_key)]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as exc:
            raise NeedsPerson(
                "The private key cannot be read.",
                code="private-key-unreadable",
                do="Give the whole text of a private key file without a passphrase.",
                where={"folder": self.where},
            ) from exc

    def _stranger(self, why: str) -> NeedsPerson:
        return NeedsPerson(
            f"This may not be the server it should be: {why}.",
            code="host-key-wrong",
            do="Ask who runs the server for its public key, by another way than this connection, and put it into"
            " `host_keys`. Nothing was sent, no password either.",
            where={"folder": self.where},
        )


def _entry(name: str, attrs: asyncssh.SFTPAttrs) -> Entry:
    return Entry(name, _KINDS.get(attrs.type, "other"), attrs.size or 0, float(attrs.mtime or 0))
