"""Releasing a document: asked for once, then waited for without holding anybody up.

An answer of 200 says that the release was taken, not that it is done: it may be queued, and a call may even be handed
to a background job (202), whose own end may be a failure inside a success (`Finished` with a status code of 400). What
counts is the document's state; the job tells why it does not come.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.accounting.visma_net.client import Client
from adapters.accounting.visma_net.records import DRAFT, RELEASED
from adapters.accounting.visma_net.refusals import refusal, text_of
from connector.errors import Refused, Stop, TryLater, VendorError

ACCEPTED = 202


class Releasing:
    """Asks for releases. `hours`: how long one may stay queued before a person is asked."""

    def __init__(self, client: Client, hours: float) -> None:
        self._client = client
        self._patience = timedelta(hours=hours)

    async def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        """Ask for a release; facts for `wait`. What has been released meanwhile is none the worse for being asked for.

        Raises what `Client.call` raises, and `Refused` where the answer says that it failed.
        """
        try:
            answer = await self._client.call("POST", path, json=body)
        except Refused as exc:
            if exc.code != "released-already":
                raise
            return {}
        said: Any = None
        if answer.body:
            try:
                said = answer.json()
            except VendorError:  # it was taken: what became of it, the document's state tells
                said = None
        said = said if isinstance(said, Mapping) else {}
        if said.get("actionResult") == "Failed":
            raise _failed(str(said.get("errorInfo") or ""), answer.status)
        # Whatever else it says (Queued, InProcess, Done): the document's state is what counts.
        facts: dict[str, Any] = {"asked": datetime.now(UTC).isoformat(timespec="seconds")}
        if answer.status == ACCEPTED and isinstance(said.get("id"), str):
            facts["job"] = said["id"]
        return facts

    async def wait(self, row: Mapping[str, Any], facts: Mapping[str, Any], what: str) -> None:
        """Return when a document that was just read (`row`) is released.

        Raises:
            TryLater: "release-queued": not yet; ask again later.
            Refused: the release has failed.
            Stop: "release-stuck": it has been queued for too long; "release-held": it is held up in Visma Net.
        """
        status = row.get("status")
        if status in RELEASED:
            return
        if status not in DRAFT:
            raise Stop(
                f"Visma Net holds {what} in the state {status}.",
                code="release-held",
                do="Let it go in Visma Net (credit limit, printing, schedule), then retry.",
                where={"status": str(status)},
            )
        if job := facts.get("job"):
            await self._job(str(job))
        asked = facts.get("asked")
        if asked and datetime.now(UTC) - datetime.fromisoformat(str(asked)) > self._patience:
            raise Stop(
                f"Visma Net has not released {what} since it was asked to.",
                code="release-stuck",
                do="Release it in Visma Net and retry; what is wrong with it is said there.",
                where={"asked": str(asked)},
            )
        raise TryLater(f"Visma Net has not released {what} yet.", code="release-queued")

    async def _job(self, id: str) -> None:
        """Raises `Refused` where a background job has ended badly."""
        # 404 and, after a day, 410: nothing more is known of it, and the document's state decides.
        try:
            state = await self._client.get(f"/v1/background/{id}")
        except Refused as exc:
            if exc.status in (404, 410):
                return
            raise
        code = state.get("statusCode")
        if state.get("status") == "Failed" or (isinstance(code, int) and code >= 400):
            said = str(state.get("errorMessage") or "")
            if not said and state.get("hasResponseContent"):
                answer = await self._client.call("GET", f"/v1/background/{id}/content")
                try:
                    said, _ = text_of(answer.json())
                except VendorError:
                    said = ""
            raise _failed(said, code if isinstance(code, int) else None, asked=True)


def _failed(said: str, status: int | None, *, asked: bool = False) -> Refused:
    """A release that did not succeed. `asked`: it will not be asked for again, so a person releases the document."""
    text, support = text_of({"message": said})
    row = refusal(text)
    do = row.do if row else "Read what Visma Net says about it and mend it there."
    return Refused(
        row.says if row else "Visma Net could not release it.",
        code=row.ours if row else "release-failed",
        do=f"{do} Then release it in Visma Net and retry." if asked else do,
        status=status,
        said_by_vendor=text or None,
        where={"visma_id": support} if support else None,
    )
