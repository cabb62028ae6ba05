"""How a document is laid down for the access point, and what becomes of it there.

Two steps. *Upload* lays it down under a temporary name, another one at each try, which the access point leaves alone.
*Publish* renames it, and that is the one act: a rename takes the temporary file away, so that it can happen once only,
however often, late or twice it is asked for. After a lost answer both names are looked for:

* the final name lies there, or a receipt of it: it is done
* the temporary file lies there: it is not
* neither: it was renamed, and the access point has taken it. Only where the temporary file is so old that the access
  point may have cleaned it away, this is not said, and a person looks
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from adapters.access_points.folder import tree
from adapters.access_points.folder.tree import Entry, Tree
from connector.errors import ConnectorError, Refused, Stop, UnknownOutcome
from connector.ports import Proof, Reason, Run, State, Status, Step, Transmission

_REASON = 16 * 1024
"""Bytes of a refusal that are read."""
_FILE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Receipts:
    """What the access point leaves that says how it went: paths below the root, with `{instance}` for the name without
    its ending, and `*` for what is not known.
    """

    accepted: Sequence[str] = ()
    sent: Sequence[str] = ()
    failed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Receipt:
    state: State
    path: str
    entry: Entry


class Sending:
    """The folder that documents leave from.

    Args:
        files: the tree it is part of.
        outbound, temporary: where documents are picked up, and where they are written before that.
        receipts: see there.
        envelope: whether the access point takes the envelope, or the document alone.
        largest: bytes it takes at most; None: it has no limit.
        kept: how long the access point leaves temporary files alone.
        timeout, settle: as of a `Step`.
    """

    def __init__(
        self,
        files: Tree,
        *,
        outbound: str,
        temporary: str,
        receipts: Receipts,
        envelope: bool,
        largest: int | None,
        kept: timedelta,
        timeout: float,
        settle: float,
    ) -> None:
        self._files = files
        self._outbound = outbound
        self._temporary = temporary
        self._receipts = receipts
        self._envelope = envelope
        self._largest = largest
        self._kept = kept
        self._timeout = timeout
        self._settle = settle

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """The two steps.

        Raises:
            Refused: `document-too-large`, or `instance-unfit` where it would not do as a file's name.
        """
        content = transmission.envelope if self._envelope else transmission.document
        instance = transmission.instance
        if self._largest is not None and len(content) > self._largest:
            raise Refused(
                f"The file has {len(content)} bytes, and the access point takes {self._largest}.",
                code="document-too-large",
                do="Send it with smaller attachments, or through another access point.",
            )
        if not _FILE_NAME.fullmatch(instance):
            raise Refused(f"{instance!r} does not do as the name of a file.", code="instance-unfit")

        async def upload(_: Run) -> Proof:
            return await self._upload(instance, content)

        async def publish(run: Run) -> Proof:
            return await self._publish(instance, run.proofs["upload"])

        async def look(run: Run) -> Sequence[Proof]:
            return await self._look(instance, run.proofs["upload"])

        return (
            # Nobody but us knows of it before it is published: with a new try it begins under another name.
            Step("upload", upload, timeout=self._timeout, settle=self._settle, reads=True),
            Step("publish", publish, look, timeout=self._timeout, settle=self._settle),
        )

    async def status(self, instance: str) -> Status:
        """How far it has come. What was published and has left no trace is with the access point: a folder cannot say
        that something never lay in it.
        """
        receipt = await self._receipt(instance)
        if receipt is None:
            lies = await self._files.stat(self._final(instance))
            return Status("accepted", "picked-up" if lies is None else "waits-to-be-picked-up")
        at = datetime.fromtimestamp(receipt.entry.changed, UTC) if receipt.entry.changed > 0 else None
        reasons = [Reason(None, await self._text(receipt.path))] if receipt.state == "failed" else []
        return Status(receipt.state, receipt.path, [one for one in reasons if one.text], at)

    # --- the steps

    async def _upload(self, instance: str, content: bytes) -> Proof:
        path = tree.below(self._temporary, f".{instance}-{secrets.token_hex(4)}.tmp")
        try:
            await self._files.write(path, content)
        except FileNotFoundError as exc:
            raise tree.missing(self._temporary, self._files.where) from exc
        except ConnectorError:
            await self._tidy(path)
            raise
        return Proof(path, {"temporary": path, "at": datetime.now(UTC).isoformat(), "bytes": len(content)})

    async def _tidy(self, path: str) -> None:
        """Take half a file away, if that can be done: it harms nobody."""
        try:
            await self._files.remove(path)
        except (ConnectorError, FileNotFoundError):
            return

    async def _publish(self, instance: str, uploaded: Proof) -> Proof:
        try:
            await self._files.rename(str(uploaded.facts["temporary"]), self._final(instance))
        except UnknownOutcome:
            raise
        except (ConnectorError, FileNotFoundError) as exc:
            raise await self._why_not(instance, uploaded, exc) from exc
        return self._proof(instance)

    async def _why_not(self, instance: str, uploaded: Proof, why: ConnectorError | FileNotFoundError) -> ConnectorError:
        """What a rename that was refused means: what counts is what lies there."""
        if isinstance(why, ConnectorError) and why.code in tree.NOT_ASKED:
            return why
        try:
            lies = await self._lies(instance, uploaded)
        except ConnectorError as exc:
            return UnknownOutcome(f"The rename failed, and nothing can be seen now: {exc.said}")
        if lies == "waits":
            return why if isinstance(why, ConnectorError) else tree.failed(f"rename of {why}", self._files.where)
        if lies == "gone" and self._may_be_cleaned_away(uploaded):
            return Stop(
                f"The temporary file of {instance} is gone, and it was laid down long ago.",
                code="temporary-gone",
                do=f"Ask the access point whether it has {instance}. If it has not: retry, it is laid down anew. If it"
                " has: cancel.",
            )
        return UnknownOutcome("The rename failed, and it may have been made before.")

    async def _look(self, instance: str, uploaded: Proof) -> Sequence[Proof]:
        lies = await self._lies(instance, uploaded)
        if lies == "waits":
            return []
        if lies == "gone" and self._may_be_cleaned_away(uploaded):
            raise Stop(
                f"{self._final(instance)} is not there, nor its temporary file, which was laid down so long ago that"
                " nothing tells who took it.",
                code="outcome-unclear",
                do=f"Ask the access point whether it has {instance}. If it has: happened, with that id. If it has not:"
                " did-not-happen.",
            )
        return [self._proof(instance)]

    async def _lies(self, instance: str, uploaded: Proof) -> Literal["published", "waits", "gone"]:
        """Under which of its names a document lies there. Published is also what has left a receipt."""
        for folder in (self._outbound, self._temporary):
            if await self._files.stat(folder) is None:  # a disk that is not connected shows nothing at all
                raise tree.missing(folder, self._files.where)
        # The temporary name first: what is renamed between two looks is then found under the final one, or taken.
        waits = await self._files.stat(str(uploaded.facts["temporary"])) is not None
        await self._files.sync(self._outbound)
        if await self._files.stat(self._final(instance)) is not None or await self._receipt(instance) is not None:
            return "published"
        return "waits" if waits else "gone"

    def _may_be_cleaned_away(self, uploaded: Proof) -> bool:
        return datetime.now(UTC) - datetime.fromisoformat(str(uploaded.facts["at"])) > self._kept

    def _proof(self, instance: str) -> Proof:
        return Proof(instance, {"state": "accepted", "said": "published"})

    def _final(self, instance: str) -> str:
        return tree.below(self._outbound, f"{instance}.xml")

    # --- receipts

    async def _receipt(self, instance: str) -> _Receipt | None:
        """What was left last in the order of what it means: who has a receipt from the receiver's side was not refused
        on ours, whatever lies there of an earlier try.
        """
        states: tuple[tuple[State, Sequence[str]], ...] = (
            ("sent", self._receipts.sent),
            ("failed", self._receipts.failed),
            ("accepted", self._receipts.accepted),
        )
        for state, patterns in states:
            for pattern in patterns:
                if found := await self._match("", pattern.replace("{instance}", instance).split("/")):
                    return _Receipt(state, *found)
        return None

    async def _match(self, folder: str, names: list[str]) -> tuple[str, Entry] | None:
        """The first file that a pattern fits, name by name."""
        name, *rest = names
        kind = "folder" if rest else "file"
        try:
            if "*" in name:
                found = [one for one in await self._files.entries(folder or ".") if fnmatchcase(one.name, name)]
            elif rest:  # nothing is asked of the folders on the way
                return await self._match(tree.below(folder, name), rest)
            else:
                lies = await self._files.stat(tree.below(folder, name))
                found = [] if lies is None else [lies]
        except FileNotFoundError:
            return None
        for entry in found:
            path = tree.below(folder, entry.name)
            if entry.kind == kind and tree.inside(path):
                deeper = await self._match(path, rest) if rest else (path, entry)
                if deeper is not None:
                    return deeper
        return None

    async def _text(self, path: str) -> str:
        """What a refusal says; empty where it says nothing, or is no text."""
        try:
            said = await self._files.read(path, _REASON)
        except (ConnectorError, FileNotFoundError):
            return ""
        return " ".join(said.decode("utf-8", "replace").replace("\ufffd", " ").split())
