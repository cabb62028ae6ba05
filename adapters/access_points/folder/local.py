"""A tree on a disk of this machine, or one that is mounted here."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from adapters.access_points.folder import tree
from adapters.access_points.folder.tree import Entry, Kind
from connector.errors import NeedsPerson
from connector.http import speaking

T = TypeVar("T")

_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_KINDS: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


class LocalTree:
    """A folder of this machine.

    Raises, beside what every tree raises: `NeedsPerson` (`folder-outside`: a link leads out of the root;
    `folder-two-disks`: a rename would be a copy).

    Args:
        root: absolute path.
    """

    def __init__(self, root: str) -> None:
        self.where = root
        self._root = Path(root)

    async def entries(self, folder: str) -> list[Entry]:
        """See `Tree`."""

        def run(path: Path) -> list[Entry]:
            entries = []
            with os.scandir(path) as found:
                for one in found:
                    with suppress(FileNotFoundError):  # taken away meanwhile
                        entries.append(_entry(one.name, one.stat(follow_symlinks=False)))
            return sorted(entries, key=lambda one: one.name)

        return await self._do("LIST", folder, run, folder=True)

    async def stat(self, path: str) -> Entry | None:
        """See `Tree`."""
        try:
            return await self._do("STAT", path, lambda at: _entry(at.name, at.lstat()))
        except FileNotFoundError:
            return None

    async def read(self, path: str, limit: int) -> bytes:
        """See `Tree`."""

        def run(at: Path) -> bytes:
            # Nor does it wait for a writer at a pipe, should one lie there.
            handle = os.open(at, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise tree.unfit(path, "is no file")
                content = file.read(limit + 1)
            if len(content) > limit:
                raise tree.too_large(path, limit)
            return content

        return await self._do("READ", path, run)

    async def write(self, path: str, content: bytes) -> None:
        """See `Tree`."""

        def run(at: Path) -> None:
            with open(at, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _sync(at.parent)

        await self._do("WRITE", path, run)

    async def rename(self, old: str, new: str) -> None:
        """See `Tree`. Whether it was made is not lost but where the disk is another machine's (`folder-failed`)."""
        to = self._root / new

        def run(at: Path) -> None:
            self._guard(to.parent)
            at.rename(to)
            _sync(to.parent)

        await self._do("RENAME", old, run)

    async def remove(self, path: str) -> None:
        """See `Tree`."""
        await self._do("REMOVE", path, lambda at: at.unlink())

    async def remove_folder(self, path: str) -> None:
        """See `Tree`."""

        def run(at: Path) -> None:
            try:
                at.rmdir()
            except OSError as exc:
                if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise

        await self._do("REMOVE", path, run)

    async def make(self, folder: str) -> None:
        """See `Tree`."""
        await self._do("MAKE", folder, lambda at: at.mkdir(parents=True, exist_ok=True), folder=True)

    async def sync(self, folder: str) -> None:
        """See `Tree`."""
        await self._do("SYNC", folder, _sync, folder=True)

    async def close(self) -> None:
        """Nothing is open."""

    async def _do(self, what: str, path: str, run: Callable[[Path], T], *, folder: bool = False) -> T:
        at = self._root / path

        def guarded() -> T:
            self._guard(at if folder or at == self._root else at.parent)
            return run(at)

        with speaking(what, f"file://{at}"):
            try:
                return await asyncio.to_thread(guarded)
            except OSError as exc:
                raise _meant(exc, at) from exc

    def _guard(self, folder: Path) -> None:
        """No link on the way to a folder may lead out of the root."""
        if not folder.resolve().is_relative_to(self._root.resolve()):
            raise NeedsPerson(
                f"{folder} leads out of {self._root}.",
                code="folder-outside",
                do="Take the link away, or name the folder that it leads to as `path` of the settings.",
                where={"folder": str(folder)},
            )


def _entry(name: str, said: os.stat_result) -> Entry:
    return Entry(name, _KINDS.get(stat.S_IFMT(said.st_mode), "other"), said.st_size, said.st_mtime)


def _sync(folder: Path) -> None:
    """Write a folder down, where that can be asked for (not of one we may not read, nor on every network disk)."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(handle)


def _meant(exc: OSError, at: Path) -> Exception:
    what = f"{at} ({exc.strerror or exc})"
    if exc.errno in {errno.ENOENT, errno.ENOTDIR}:
        return FileNotFoundError(str(at))
    if exc.errno == errno.ELOOP:
        return tree.unfit(str(at), "is a link")
    if exc.errno in _FORBIDDEN:
        return tree.forbidden(what, str(at.parent))
    if exc.errno in _FULL:
        return tree.full(what, str(at.parent))
    if exc.errno == errno.EXDEV:
        return NeedsPerson(
            f"{at} would have to be moved to another disk.",
            code="folder-two-disks",
            do="Put the folders of the settings on one disk: only there a move is one act.",
            where={"folder": str(at.parent)},
        )
    return tree.failed(what, str(at.parent))
