"""Files that go along: PDF and pictures, put on what they belong to, each once.

Fiken does not tell what the files of a thing are called. But the draft or sale is one that we have just made, so its
first file is our first: where it has so many after a lost answer, the file has arrived.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from typing import Any

from adapters.accounting.fiken.client import Client
from connector.errors import Refused
from connector.ports import File, Goal, Proof, Run, Step

TAKEN = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
"""Media types that are taken, with the ending of their names."""
MB = 1024 * 1024


class Attachments:
    """Steps that attach files. `most`: MB of a file; Fiken does not publish its own limit."""

    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._most = most

    def steps(self, goal: Goal, path: str, to: str) -> list[Step]:
        """A step for each attachment of the goal, on the thing below `path` that the step `to` has made.

        Raises `Refused` ("attachment-type", "attachment-too-large", "attachment-empty").
        """
        files = [file for file in goal.files if file.role == "attachment"]
        fitting = [self.fitting(file, n) for n, file in enumerate(files, 1)]
        return [
            Step(
                f"attachment-{n}",
                partial(self._attach, file=file, path=path, to=to),
                partial(self.look, path=path, to=to, number=n),
            )
            for n, file in enumerate(fitting, 1)
        ]

    def fitting(self, file: File, number: int) -> File:
        """The file under a name that Fiken takes. Raises `Refused`."""
        code = said = ""
        if file.media_type not in TAKEN:
            code, said = "attachment-type", f"{file.name} is {file.media_type}; Fiken takes PDF, PNG, JPEG and GIF."
        elif len(file.content) > self._most * MB:
            code, said = "attachment-too-large", f"{file.name} has more than {self._most} MB."
        elif not file.content:
            code, said = "attachment-empty", f"{file.name} is empty."
        if code:
            raise Refused(
                said,
                code=code,
                do="Send it as a smaller PDF, or without the attachment.",
                where={"field": f"attachments[{number - 1}]"},
            )
        return File(plain_name(file.name, TAKEN[file.media_type]), file.media_type, file.content, file.role)

    async def _attach(self, run: Run, *, file: File, path: str, to: str) -> Proof:
        return await self.attach(f"{path}/{run.proofs[to].id}", file)

    async def attach(self, path: str, file: File, **params: Any) -> Proof:
        """Put a file on the thing at `path`."""
        made = await self._client.upload(f"{path}/attachments", file, {"filename": file.name}, **params)
        return Proof(str(made))

    async def look(self, run: Run, *, path: str, to: str, number: int) -> Sequence[Proof]:
        """The file of this number, where there are so many."""
        there = await self._client.whole(f"{path}/{run.proofs[to].id}/attachments")
        return [Proof(str(row.get("identifier"))) for row in there[number - 1 : number]]


def plain_name(text: str, ending: str) -> str:
    """A file name of plain letters, digits, - _ and . with this ending."""
    folded = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("Ø", "O").replace("æ", "ae"))
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", folded.encode("ascii", "ignore").decode()).strip("-.") or "fil"
    return f"{stem.rpartition('.')[0] or stem if '.' in stem else stem}"[:70] + f".{ending}"
