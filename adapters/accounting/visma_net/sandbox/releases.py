"""Releases that are queued, and background jobs with their results."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from adapters.accounting.visma_net.sandbox.asking import SandboxError
from adapters.accounting.visma_net.sandbox.rules import Rules


@dataclass(slots=True)
class Job:
    """A background operation; `content` is the body of the inner call's answer."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "Started"
    code: int = 0
    content: Any = None

    def shown(self, base: str) -> dict[str, Any]:
        """As it is answered."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {"id": self.id, "status": self.status, "statusCode": self.code, "receivedUtc": now}
        if self.content is not None:
            said |= {"hasResponseContent": True, "contentLocation": f"{base}/v1/background/{self.id}/content"}
        return said


@dataclass(slots=True)
class _Waiting:
    calls: int
    do: Callable[[], None]
    job: Job | None = None


class Releases:
    """What waits to be released: every later call to the vendor brings it nearer."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._waiting: list[_Waiting] = []
        self.jobs: dict[str, Job] = {}

    def ask(self, do: Callable[[], None]) -> tuple[int, Any, Job | None]:
        """Have something released: status and body of the answer (None: a job's own), and the job."""
        kind = self._rules.release
        if kind == "failed":
            try:
                do()
            except SandboxError as error:
                said = {"actionResult": "Failed", "errorInfo": error.body()["message"]}
                return 200, {"actionId": str(uuid.uuid4()), **said}, None
            return 200, {"actionId": str(uuid.uuid4()), "actionResult": "Done"}, None
        if kind == "done":
            do()
            return 200, {"actionId": str(uuid.uuid4()), "actionResult": "Done"}, None
        job = Job() if kind.startswith("background") else None
        if kind != "stuck":
            self._waiting.append(_Waiting(self._rules.queue, do, job))
        if job is None:
            return 200, {"actionId": str(uuid.uuid4()), "actionResult": "Queued"}, None
        if kind != "background-gone":
            self.jobs[job.id] = job
        return 202, None, job

    def tick(self) -> None:
        """A call has come: what was queued long enough is done."""
        for one in list(self._waiting):
            one.calls -= 1
            if one.calls >= 0:
                continue
            self._waiting.remove(one)
            try:
                if self._rules.release == "background-400":
                    raise SandboxError(400, "An error occurred while releasing the document.")
                one.do()
            except SandboxError as error:
                if one.job is not None:
                    one.job.status, one.job.code, one.job.content = "Finished", error.status, error.body()
                continue
            if one.job is not None:
                one.job.status, one.job.code = "Finished", 200
