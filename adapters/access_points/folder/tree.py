"""A tree of files that an access point and we both reach: what can be done in it, and how it can go wrong.

Paths are relative to the tree's root, with `/` between names. Links are never followed below the root: what lies behind
one is not what the access point put there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Protocol

from connector.errors import BadInput, NeedsPerson, TryLater

Kind = Literal["file", "folder", "link", "other"]

NOT_ASKED = frozenset(
    {"lease-over", "vendor-unreachable", "login-refused", "host-key-wrong", "private-key-unreadable", "ssh-unusable"}
)
"""Codes of errors after which the other side was not even asked for what was to be done."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies in a folder. `size` in bytes; `changed`: seconds since 1970 by the clock of whoever keeps the files."""

    name: str
    kind: Kind
    size: int
    changed: float


class Tree(Protocol):
    """Files somewhere, local or at the other end of a connection.

    Whatever is asked of it raises `FileNotFoundError` where the path, or a folder on the way to it, is not there, and:

    * `NeedsPerson`: we may not (`folder-permission`), or cannot get there at all (see the trees)
    * `TryLater`: it did not work this time (`folder-full`, `folder-failed`, `vendor-unreachable`, `answer-lost`)
    """

    where: str
    """Its root as a person would write it, without secrets."""

    async def entries(self, folder: str) -> list[Entry]:
        """What lies in a folder, in the order of the names."""

    async def stat(self, path: str) -> Entry | None:
        """What lies under this path itself (a link is a link); None: nothing."""

    async def read(self, path: str, limit: int) -> bytes:
        """A whole file.

        Raises:
            BadInput: it is none (`file-unfit`), or has more than `limit` bytes (`file-too-large`).
        """

    async def write(self, path: str, content: bytes) -> None:
        """Make a new file, on disk as far as the other side lets us know, its folder too. It is there whole or, where
        this raises, perhaps in part.
        """

    async def rename(self, old: str, new: str) -> None:
        """Give a file or folder another path, in one move. Callers see to it that nothing lies at `new`.

        Raises:
            UnknownOutcome: the answer was lost.
        """

    async def remove(self, path: str) -> None:
        """Remove a file."""

    async def remove_folder(self, path: str) -> None:
        """Remove a folder that is empty; one that is not stays."""

    async def make(self, folder: str) -> None:
        """Make a folder and those on the way to it, where they are missing."""

    async def sync(self, folder: str) -> None:
        """See to it that what a folder shows now outlasts a power cut, where that is in our hands."""

    async def close(self) -> None:
        """Free what is open."""


def inside(path: str) -> bool:
    """Whether a path stays below where it begins, and can be written down as text."""
    parts = path.split("/")
    return path.isprintable() and "\\" not in path and not {"", ".", ".."} & set(parts)


def below(folder: str, name: str) -> str:
    """The path of what lies in a folder."""
    return name if folder in {"", "."} else f"{folder}/{name}"


def parent(path: str) -> str:
    """The folder that something lies in."""
    return str(PurePosixPath(path).parent)


# --- how it goes wrong, said alike by all trees -----------------------------------------------------------------------


def forbidden(what: str, where: str) -> NeedsPerson:
    """We may not."""
    return NeedsPerson(
        f"No permission: {what}.",
        code="folder-permission",
        do="Give the user this service works as the right to list, read, write, rename and remove in the folder named.",
        where={"folder": where},
    )


def full(what: str, where: str) -> TryLater:
    """There is no room."""
    return TryLater(
        f"No room: {what}.",
        code="folder-full",
        do="Make room on the disk of the folder named, or have the quota raised; it is tried again by itself.",
        where={"folder": where},
    )


def failed(what: str, where: str) -> TryLater:
    """It did not work, and nobody says why."""
    return TryLater(
        f"It did not work: {what}.",
        code="folder-failed",
        do="It is tried again by itself; if it stays so, see whether the disk of the folder named is full.",
        where={"folder": where},
    )


def missing(folder: str, where: str) -> NeedsPerson:
    """A folder that the settings name is not there."""
    return NeedsPerson(
        f"There is no folder {folder}.",
        code="folder-missing",
        do="Make the folder, or connect the disk it lies on, or mend its name in the settings.",
        where={"folder": where},
    )


def unfit(path: str, why: str) -> BadInput:
    """Something lies there that is no plain file."""
    return BadInput(
        f"{path} {why}.",
        code="file-unfit",
        do="See who put it there, and take it away; documents lie there as plain files.",
        where={"file": path},
    )


def too_large(path: str, limit: int) -> BadInput:
    """A file that is not read."""
    return BadInput(
        f"{path} has more than {limit} bytes.",
        code="file-too-large",
        do="See what it is. If it is a document, raise `inbound_mb` of the access point's settings; else take it away.",
        where={"file": path},
    )
