"""What the access point lays down for us: read when it is whole, and laid into the archive when it is on disk here.

What is handed over is called by its path and a digest of its bytes: should another document come to lie under the same
name, it is another message, and is not archived unread.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from adapters.access_points.folder import layouts, tree
from adapters.access_points.folder.layouts import Document, Layout
from adapters.access_points.folder.tree import Entry, Tree
from connector.errors import BadInput, ConnectorError, TryLater, UnknownOutcome
from connector.http import now
from connector.ports import Inbox, Message, Unread

_ITS_OWN = frozenset({"file-unfit", "file-too-large", "folder-permission", "folder-outside"})
"""Codes of what is wrong with one file, while others go on."""


_Found = Document | ConnectorError
"""A document that is to be read, or why nothing can be read there."""


@dataclass(slots=True)
class Stillness:
    """Which files have not changed for a while: seen twice alike, at least `quiet` seconds apart."""

    quiet: float
    _seen: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    def lies_still(self, path: str, entry: Entry) -> bool:
        """Whether it does; remembers how it looks now."""
        size, changed, since = self._seen.get(path, (-1, 0.0, 0.0))
        if (size, changed) == (entry.size, entry.changed):
            return now() - since >= self.quiet
        if len(self._seen) > 100_000:  # of files that are gone
            self._seen.clear()
        self._seen[path] = (entry.size, entry.changed, now())
        return False

    def forget(self, path: str) -> None:
        """It is gone."""
        self._seen.pop(path, None)


class Receiving:
    """The folder that documents come into.

    Args:
        files: the tree it is part of.
        inbound, archive: folders; `archive` None: what has been taken over is removed.
        layout, marker: see `layouts`.
        quiet: seconds after which a file that has not changed is whole, where nothing else says so.
        largest: bytes of one document.
        page_files, page_bytes: how much one page holds; a document that is larger by itself is a page.
    """

    def __init__(
        self,
        files: Tree,
        *,
        inbound: str,
        archive: str | None,
        layout: Layout,
        marker: str | None,
        quiet: float,
        largest: int,
        page_files: int,
        page_bytes: int,
    ) -> None:
        self._files = files
        self._inbound = inbound
        self._archive = archive
        self._layout: Layout = layout
        self._marker = marker
        self._still = Stillness(quiet)
        self._largest = largest
        self._page_files = page_files
        self._page_bytes = page_bytes

    # --- reading

    async def read(self, cursor: str | None) -> Inbox:
        """A page of what lies there, in the order of the paths; `cursor` is where the page before ended.

        Raises:
            NeedsPerson: `folder-missing`, and what every tree raises. TryLater: as every tree.
        """
        messages: list[Message] = []
        unread: list[Unread] = []
        weight, last = 0, cursor
        async for parts, found in self._lying(_after(cursor)):
            size = found.entry.size if isinstance(found, Document) else 0
            full = messages and weight + size > self._page_bytes
            if full or len(messages) + len(unread) >= self._page_files:
                return Inbox(messages, last, True, unread)
            last, path = json.dumps(parts), "/".join(parts)
            try:
                body = await self._body(path, found)
            except ConnectorError as exc:
                if exc.code not in _ITS_OWN:
                    raise
                unread.append(Unread(_shown(path), exc))
                continue
            if body is not None:
                weight += len(body)
                messages.append(Message(f"{path}#{_digest(body)}", body))
        return Inbox(messages, unread=unread)

    async def _lying(self, after: tuple[str, ...]) -> AsyncIterator[tuple[tuple[str, ...], _Found]]:
        """What is to be read, with the names on its way, in their order, from what comes after `after` on."""
        try:
            top = await self._files.entries(self._inbound)
        except FileNotFoundError as exc:
            raise tree.missing(self._inbound, self._files.where) from exc
        async for one in self._in((), top, after, layouts.DEPTH[self._layout]):
            yield one

    async def _in(
        self, folder: tuple[str, ...], entries: list[Entry], after: tuple[str, ...], depth: int
    ) -> AsyncIterator[tuple[tuple[str, ...], _Found]]:
        found = layouts.documents(self._layout, self._marker, entries, deep=folder != ())
        whole = {one.entry.name: one for one in found}
        for entry in entries:
            parts = (*folder, entry.name)
            if entry.name in whole:
                if parts > after:
                    yield parts, whole[entry.name]
            elif depth and entry.kind in {"folder", "link"} and parts >= after[: len(parts)]:
                try:
                    deeper = await self._folder(entry, "/".join(parts))
                except ConnectorError as exc:
                    if parts > after:
                        yield parts, exc
                    continue
                async for one in self._in(parts, deeper, after, depth - 1):
                    yield one

    async def _folder(self, entry: Entry, path: str) -> list[Entry]:
        if not tree.inside(path):
            raise _unfit_name(path)
        if entry.kind == "link":
            raise tree.unfit(path, "is a link")
        try:
            return await self._files.entries(tree.below(self._inbound, path))
        except FileNotFoundError:  # taken away meanwhile
            return []

    async def _body(self, path: str, found: _Found) -> bytes | None:
        """The bytes of a document; None: it is not whole yet, or gone."""
        if isinstance(found, ConnectorError):
            raise found
        if not tree.inside(path):
            raise _unfit_name(path)
        if found.still and found.entry.kind == "file" and not self._still.lies_still(path, found.entry):
            return None
        try:
            body = await self._files.read(tree.below(self._inbound, path), self._largest)
        except FileNotFoundError:
            return None
        return None if found.still and len(body) != found.entry.size else body

    # --- taking over

    async def acknowledge(self, message: str) -> None:
        """Lay a document that has been handed over into the archive, with what came with it.

        What lies beside it goes first: a document whose marker is gone is not read again, while a marker that is left
        over would make the next of that name count as whole.

        What is called so no more, or never was, is left as it is: then there is nothing of it to lay away.

        Raises:
            TryLater, NeedsPerson: as every tree.
        """
        path, _, digest = message.rpartition("#")
        if not tree.inside(path):
            return
        try:
            body = await self._files.read(tree.below(self._inbound, path), self._largest)
        except (FileNotFoundError, BadInput):  # gone, or something else lies there by now
            return
        if _digest(body) != digest:
            return
        folder, _, name = path.rpartition("/")
        entry = Entry(name, "file", len(body), 0.0)
        found = layouts.document(self._layout, self._marker, entry, deep=folder != "")
        beside = [tree.below(folder, other) for other in found.beside] if found else []
        own = found is not None and found.own
        try:
            if self._archive is None:
                for one in (*beside, path):
                    await self._remove(one)
                if own:
                    await self._files.remove_folder(tree.below(self._inbound, folder))
            elif own:
                await self._move(folder)
            else:
                for one in (*beside, path):
                    await self._move(one)
        except UnknownOutcome as exc:
            raise TryLater(exc.said, code="answer-lost", where=exc.where) from exc
        self._still.forget(path)

    async def _remove(self, path: str) -> None:
        try:
            await self._files.remove(tree.below(self._inbound, path))
        except FileNotFoundError:
            return

    async def _move(self, path: str) -> None:
        """Into the archive, under its path or, where something lies there, a longer one."""
        assert self._archive is not None
        at, to = tree.below(self._inbound, path), tree.below(self._archive, path)
        if await self._files.stat(to) is not None:
            to = f"{to}.{secrets.token_hex(4)}"
        try:
            await self._files.rename(at, to)
        except FileNotFoundError:  # it is gone, or the folder it goes to is not there yet
            if await self._files.stat(at) is None:
                return
            await self._files.make(tree.parent(to))
            await self._files.rename(at, to)


def _after(cursor: str | None) -> tuple[str, ...]:
    """The names on the way to what was read last; from the beginning where the cursor is none of ours."""
    try:
        names = json.loads(cursor or "[]")
    except ValueError:
        return ()
    return tuple(names) if isinstance(names, list) and all(isinstance(one, str) for one in names) else ()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _shown(path: str) -> str:
    """A path as text that can be written down."""
    return path.encode("unicode_escape").decode("ascii") if not path.isprintable() else path


def _unfit_name(path: str) -> BadInput:
    shown = _shown(path)
    return BadInput(
        f"{shown} is a name that leads elsewhere or cannot be written down.",
        code="file-unfit",
        do="See who put it there, and take it away.",
        where={"file": shown},
    )
