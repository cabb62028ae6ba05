"""Files on documents, put on the draft before it is released.

A second file of the same name is a new revision of the first, not a second file: so every file has a number in front of
its name, and putting it there twice leaves one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from adapters.accounting.visma_net.client import Client
from connector.errors import Refused
from connector.ports import File, Goal, Proof, Run, Step

MB = 2**20


class Files:
    """Steps that put a goal's files on a document. `most`: bytes of a file."""

    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._most = most

    def steps(self, goal: Goal, read: Callable[[Run], str], write: Callable[[Run], str]) -> list[Step]:
        """A step for each file. `read` gives the path of the document, `write` the one that files are sent to.

        Raises `Refused` ("attachment-too-large", "attachment-empty").
        """
        made = []
        for number, file in enumerate(goal.files, 1):
            if not file.content or len(file.content) > self._most:
                empty = not file.content
                raise Refused(
                    f"The file {file.name} is empty." if empty else f"The file {file.name} is larger than is sent.",
                    code="attachment-empty" if empty else "attachment-too-large",
                    do="Leave it out, or make it smaller; `attachment_mb` in the settings says how large files may be.",
                    where={"file": file.name},
                )
            one = File(f"{number}-{_plain(file.name)}", file.media_type, file.content, file.role)
            name = f"attachment-{number}"
            made.append(
                Step(name, partial(self._attach, file=one, path=write), partial(self._look, file=one, path=read))
            )
        return made

    async def _attach(self, run: Run, *, file: File, path: Callable[[Run], str]) -> Proof:
        await self._client.upload(path(run), file)
        return Proof(file.name)

    async def _look(self, run: Run, *, file: File, path: Callable[[Run], str]) -> Sequence[Proof]:
        row = await self._client.get(path(run))
        names = [one.get("name") for one in row.get("attachments") or ()]
        return [Proof(file.name)] if file.name in names else []


def _plain(name: str) -> str:
    """A name without what file systems and forms do not take."""
    return re.sub(r"[^\w.() -]", "_", name.strip())[-100:] or "fil"
