"""The calls of the sandbox as a table, and what a call is given and answers."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from adapters.accounting.visma_net.sandbox import lists
from adapters.accounting.visma_net.sandbox.asking import SandboxError
from adapters.accounting.visma_net.sandbox.books import Books
from adapters.accounting.visma_net.sandbox.store import Row, shown
from adapters.loopback import Upload
from adapters.loopback.routing import NoRoute, Routes


class Reply(NamedTuple):
    """Status, body (None: without; bytes: a file) and headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


@dataclass(slots=True)
class Call:
    """One call: what the path, the query and the body say."""

    books: Books
    base: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    key: str = ""

    def row(self, table: str, key: str) -> Row:
        """A row. Raises `SandboxError` (404)."""
        found = self.books.find(table, key)
        if found is None:
            raise SandboxError(404, "The requested resource was not found.")
        return found

    def one(self, row: Row) -> Reply:
        """An answer with one row and its ETag; a single row is shown with all its parts."""
        return Reply(200, shown(row), {"ETag": f'"{row["timeStamp"]}"'})

    def page(self, rows: Any, *leave: str) -> Reply:
        """An answer with a page of rows, without the fields to leave."""
        rows = lists.timed(rows, self.query, "lastModifiedDateTime", "lastModifiedDateTime")
        rows = lists.timed(rows, self.query, "createdDateTime", "createdDateTime")
        return Reply(200, lists.page(rows, self.query, self.books.rules.most, *self.unasked(), *leave))

    def unasked(self) -> tuple[str, ...]:
        """Parts that are shown only where they are asked for."""
        flags = {"expandTaxDetails": "taxDetails", "expandApplications": "applications",
                 "expandAttachments": "attachments"}  # fmt: skip
        return tuple(name for flag, name in flags.items() if self.query.get(flag) != "true")

    def made(self, path: str, row: Row) -> Reply:
        """What answers a row that was made: where it is, and nothing else."""
        return Reply(201, None, {"Location": f"{self.base}{path}", "ETag": f'"{row["timeStamp"]}"'})

    def attached(self, row: Row) -> Reply:
        """A file that is put on a row; one of the same name is a new revision. The row's ETag changes."""
        uploads = [one for one in (self.body or {}).values() if isinstance(one, Upload)]
        if len(uploads) != 1:
            raise SandboxError(400, "The request is invalid.")
        held = row.setdefault("attachments", [])
        there = next((one for one in held if one["name"] == uploads[0].file_name), None)
        if there is None:
            held.append({"name": uploads[0].file_name, "id": str(uuid.uuid4()), "revision": 1})
        else:
            there["revision"] += 1
        row.setdefault("_files", {})[uploads[0].file_name] = uploads[0].content
        self.books.touch(row)
        return Reply(201, None, {"ETag": f'"{row["timeStamp"]}"'})

    def released(self, do: Callable[[], None]) -> Reply:
        """What answers a release."""
        status, body, job = self.books.releases.ask(do)
        if job is not None:
            body = {"id": job.id, "stateLocation": f"{self.base}/v1/background/{job.id}"}
        return Reply(status, body)


route = Routes[Call, Reply](case=False, key="[^/]+")
"""The calls that exist."""


def answer(call: Call, method: str, path: str) -> Reply:
    """What the call says and does. Raises `SandboxError`."""
    try:
        entry, found = route.find(method, path)
    except NoRoute:
        raise SandboxError(404, "The requested resource was not found.") from None
    call.key = _plain(found[0]) if found else ""
    return entry.run(call)


def _plain(part: str) -> str:
    written = re.fullmatch(r"b64\((.+)\)", part)
    return base64.urlsafe_b64decode(written[1]).decode() if written else part
