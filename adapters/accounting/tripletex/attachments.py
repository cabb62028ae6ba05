"""Files that go along: which ones Tripletex takes, put on an order or on a voucher, each once.

Tripletex publishes which formats it takes, but not how large a file may be: the limit is a setting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.records import not_as_described
from connector.errors import Refused, UnknownOutcome, VendorError
from connector.http import Answer
from connector.ports import File, Goal, Proof, Run, Step

TAKEN: Mapping[str, str] = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/tiff": "tif",
}
"""Media types that are taken, with the ending of their names."""
MB = 1024 * 1024
_HELD = "id,version,attachment(id,fileName,size)"


def why_not(file: File, most: int) -> tuple[str, str] | None:
    """Code and reason why a file cannot go to Tripletex; None where it can. `most`: bytes."""
    if file.media_type not in TAKEN:
        return "attachment-type", f"{file.name} is {file.media_type}; Tripletex takes PDF, PNG, JPEG and TIFF."
    if len(file.content) > most:
        size, limit = len(file.content) / MB, most / MB
        return "attachment-too-large", f"{file.name} has {size:.1f} MB; no more than {limit:g} MB are sent."
    if not file.content:
        return "attachment-empty", f"{file.name} is empty."
    return None


def attached(goal: Goal) -> list[File]:
    """The attachments among a goal's files."""
    return [file for file in goal.files if file.role == "attachment"]


def fitting(goal: Goal, most: int) -> list[File]:
    """The attachments of a goal. Raises `Refused` where one of them cannot go. `most`: bytes."""
    files = attached(goal)
    for place, file in enumerate(files):
        if problem := why_not(file, most):
            raise Refused(
                problem[1],
                code=problem[0],
                do="Send it as a smaller PDF, or without the attachment.",
                where={"field": f"attachments[{place}]"},
            )
    return files


def plain_name(text: str, ending: str = "") -> str:
    """A file name of plain letters, digits, - _ and ., no longer than 80 characters."""
    folded = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("Ø", "O").replace("æ", "ae"))
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", folded.encode("ascii", "ignore").decode()).strip("-.") or "fil"
    if ending and stem.lower().endswith(f".{ending}"):
        stem = stem[: -len(ending) - 1]
    return f"{stem[:70]}.{ending}" if ending else stem[:80]


def named(number: int, file: File) -> File:
    """The file under a name that no other file of the document has."""
    name = f"{number}-{plain_name(file.name, TAKEN.get(file.media_type, ''))}"
    return File(name, file.media_type, file.content, file.role)


def answered(answer: Answer, path: str) -> dict[str, Any]:
    """The thing that an upload was answered with. What was taken and is not answered as described may have happened."""
    try:
        value = answer.json().get("value")
    except (VendorError, AttributeError):
        value = None
    if not isinstance(value, dict) or type(value.get("id")) is not int:
        problem = not_as_described("value.id", "an integer", path)
        raise UnknownOutcome(problem.said, code=problem.code, where=problem.where, status=answer.status)
    return value


# --- on an order ------------------------------------------------------------------------------------------------------


class OrderFiles:
    """Attachments of an invoice, put on its order before it is invoiced. `most`: bytes of a file."""

    def __init__(self, client: Client, most: int) -> None:
        self._client = client
        self._most = most

    def steps(self, goal: Goal) -> list[Step]:
        """A step for each file, after the step `order`. Raises `Refused` where one of them cannot go."""
        found = [named(number, file) for number, file in enumerate(fitting(goal, self._most), 1)]
        return [
            Step(f"attachment-{number}", partial(self._attach, file=file), partial(self._look, file=file))
            for number, file in enumerate(found, 1)
        ]

    async def _attach(self, run: Run, *, file: File) -> Proof:
        path = f"/order/{run.proofs['order'].id}/:attach"
        return Proof(str(answered(await self._client.upload("PUT", path, file), path)["id"]))

    async def _look(self, run: Run, *, file: File) -> Sequence[Proof]:
        """The order is ours alone: a file of this name and size on it is this one."""
        order = await self._client.get(f"/order/{run.proofs['order'].id}", fields=_HELD)
        return [
            Proof(str(one["id"]))
            for one in order.get("attachment") or ()
            if (one.get("fileName"), one.get("size")) == (file.name, len(file.content))
        ]


# --- on a voucher -----------------------------------------------------------------------------------------------------


class VoucherFiles:
    """Files appended to a voucher, page after page.

    Tripletex makes one document of all that is put on a voucher, so no file can be found in it again. But each one
    changes the document: what it was before stands in the proof of a step before, and where it is another after a lost
    answer, the file has arrived.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def steps(self, files: Sequence[File], after: str) -> list[Step]:
        """Steps for each file, the first after the step `after`, whose proof is the voucher, as `held` says."""
        made, before = [], after
        for number, file in enumerate(files, 1):
            if number > 1:
                made.append(Step(f"document-{number}", partial(self._again, before=before)))
                before = f"document-{number}"
            one = named(number, file)
            made.append(
                Step(
                    f"attachment-{number}",
                    partial(self._attach, file=one, before=before),
                    partial(self._look, before=before),
                )
            )
        return made

    async def held(self, voucher: str) -> Proof:
        """The voucher, with what it has for a document now."""
        return _held(await self._client.get(f"/ledger/voucher/{voucher}", fields=_HELD))

    async def _again(self, run: Run, *, before: str) -> Proof:
        """The same once a file has been added to it."""
        voucher = run.proofs[before]
        return voucher if voucher.facts.get("found") else await self.held(voucher.id)

    async def _attach(self, run: Run, *, file: File, before: str) -> Proof:
        voucher = run.proofs[before]
        if not voucher.facts.get("found"):
            path = f"/ledger/voucher/{voucher.id}/attachment"
            answered(await self._client.upload("POST", path, file), path)
        return Proof(voucher.id)

    async def _look(self, run: Run, *, before: str) -> Sequence[Proof]:
        was = run.proofs[before]
        now = await self.held(was.id)
        return [now] if now.facts["document"] != was.facts["document"] else []


def _held(voucher: Mapping[str, Any]) -> Proof:
    document = voucher.get("attachment") or {}
    return Proof(str(voucher["id"]), {"document": [document.get("id"), document.get("size")]})
