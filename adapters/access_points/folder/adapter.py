"""The port of an access point, by files."""

from __future__ import annotations

import hashlib
import secrets as random
from collections.abc import Sequence
from datetime import timedelta

from adapters.access_points.folder import Secrets, Settings, tree
from adapters.access_points.folder.local import LocalTree
from adapters.access_points.folder.receiving import Receiving
from adapters.access_points.folder.sending import Receipts, Sending
from adapters.access_points.folder.tree import Tree
from connector.errors import Refused
from connector.ports import Callbacks, Inbox, Lane, Probe, Status, Step, Transmission

_MB = 1024 * 1024
_WIDTH = 4
"""How many things are done at a time in one tree."""


class Folder:
    """One company's folders at an access point."""

    callbacks: Callbacks | None = None
    looks_up = False

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._files = _tree(settings, secrets)
        self._folders = [one for one in (settings.outbound, settings.temporary, settings.inbound) if one is not None]
        self._archive = settings.archive if settings.inbound is not None else None
        self.lane = Lane(f"folder:{hashlib.sha256(self._files.where.encode()).hexdigest()[:16]}", width=_WIDTH)
        self.largest = settings.largest_mb and settings.largest_mb * _MB
        self.inbox_every = None if settings.inbound is None else timedelta(minutes=settings.inbox_minutes)
        self.follow_after = timedelta(seconds=settings.follow_after)
        self._sending = None if settings.outbound is None else _sending(self._files, settings, settings.outbound)
        self._receiving = None if settings.inbound is None else _receiving(self._files, settings, settings.inbound)

    async def probe(self) -> Probe:
        """See that the folders are there, and that a file can be made and removed in each.

        Raises:
            NeedsPerson: `folder-missing`, `folder-permission`, `host-key-wrong`, `login-refused` …
        """
        for folder in self._folders:
            lies = await self._files.stat(folder)
            if lies is None or lies.kind != "folder":
                raise tree.missing(folder, self._files.where)
        if self._archive is not None:
            await self._files.make(self._archive)
        for folder in (*self._folders, *([self._archive] if self._archive else [])):
            await self._files.entries(folder)
            trial = tree.below(folder, f".trial-{random.token_hex(4)}.tmp")
            await self._files.write(trial, b"")
            await self._files.remove(trial)
        return Probe(self._files.where, None)

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """See `Sending.flow`; `Refused` where nothing is sent here (`operation-not-supported`)."""
        if self._sending is None:
            raise Refused(
                "Nothing is sent through this access point: it has no `outbound`.",
                code="operation-not-supported",
                do="Name the folder `outbound` in its settings, or another access point.",
            )
        return self._sending.flow(transmission)

    async def status(self, id: str, instance: str) -> Status | None:
        """See `Sending.status`."""
        return None if self._sending is None else await self._sending.status(instance)

    async def inbox(self, cursor: str | None) -> Inbox:
        """See `Receiving.read`."""
        return Inbox(()) if self._receiving is None else await self._receiving.read(cursor)

    async def acknowledge(self, message: str) -> None:
        """See `Receiving.acknowledge`."""
        if self._receiving is not None:
            await self._receiving.acknowledge(message)

    async def takes(self, participant: str, document_type: str, process: str) -> bool | None:
        """A folder knows nobody."""
        return None

    async def close(self) -> None:
        """End the connection to the server, where there is one."""
        await self._files.close()


def _tree(settings: Settings, secrets: Secrets) -> Tree:
    if not settings.host:
        return LocalTree(settings.path)
    # asyncssh is loaded where it is needed only.
    from adapters.access_points.folder.sftp import Login, SftpTree

    password, key = (None if one is None else one.get_secret_value() for one in (secrets.password, secrets.private_key))
    login = Login(settings.host, settings.port, settings.user, settings.path, settings.host_keys, password, key)
    return SftpTree(login, settings.timeout)


def _sending(files: Tree, settings: Settings, outbound: str) -> Sending:
    return Sending(
        files,
        outbound=outbound,
        temporary=settings.temporary or outbound,
        receipts=Receipts(settings.accepted, settings.sent, settings.failed),
        envelope=settings.sends == "envelope",
        largest=settings.largest_mb and settings.largest_mb * _MB,
        kept=timedelta(hours=settings.temporary_hours),
        timeout=settings.timeout,
        settle=settings.settle,
    )


def _receiving(files: Tree, settings: Settings, inbound: str) -> Receiving:
    return Receiving(
        files,
        inbound=inbound,
        archive=settings.archive,
        layout=settings.layout,
        marker=settings.marker,
        quiet=settings.quiet,
        largest=settings.inbound_mb * _MB,
        page_files=settings.page_files,
        page_bytes=settings.page_mb * _MB,
    )
