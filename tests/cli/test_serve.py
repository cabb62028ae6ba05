"""`connector serve` as people run it: a process with an address, and whatever anybody may send there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from connector.api.examples import INVOICE_DRAFT

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
NOT_HERE = (positive_data_acceptance, negative_data_rejection)
"""The description cannot say all that makes a document good (check digits, sums that hold): what fits it may be
refused, and is then refused as declared. Our own examples are held against it elsewhere."""


class Served:
    """A service that listens at `url`; `headers` open it, `program` is its process."""

    def __init__(self, desk: Any) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        made = desk.json("keys", "create", "program", "--tenant", "fjord", "--scope", "read", "--scope", "write")
        self.headers = {"Authorization": f"Bearer {made['secret']}"}
        self.url = f"http://127.0.0.1:{port}"
        self.log = desk.folder / "log"
        with self.log.open("wb") as log:
            self.program = subprocess.Popen(
                [str(Path(sys.executable).with_name("connector")), "serve", "--port", str(port)],
                cwd=desk.folder,
                env=desk.env,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.url}/health/ready", timeout=2)
                return
            except OSError:
                time.sleep(0.1)
        pytest.fail(self.log.read_text())


@pytest.fixture
def served(desk: Any) -> Iterator[Served]:
    """The service of this desk."""
    service = Served(desk)
    yield service
    if service.program.poll() is None:
        service.program.terminate()
        assert service.program.wait(30) == 0
    assert "Traceback" not in service.log.read_text()


def test_what_was_answered_with_202_outlives_the_process(desk: Any, served: Served) -> None:
    answer = httpx.post(
        f"{served.url}/v1/invoices", json=INVOICE_DRAFT, headers=served.headers | {"Idempotency-Key": "a"}
    )
    served.program.kill()
    served.program.wait()
    assert answer.status_code == 202
    desk.run("sync")
    # Others have invoiced in the same books; those were read, too.
    found = [one["source_id"] for one in desk.json("documents", "find", "--kind", "invoice")]
    assert found.count(INVOICE_DRAFT["source_id"]) == 1


def test_whatever_is_sent_gets_an_answer_that_was_declared(served: Served) -> None:
    """Requests made up from the description, good and bad: no 500, no undeclared status, media type or shape."""
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    said: Counter[int] = Counter()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 12
    for operation in operations:
        if operation.path == "/v1/changes":
            continue  # it waits for news as long as it is told to

        @settings(
            max_examples=300 if FULL else 20,
            deadline=None,
            derandomize=not FULL,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answered(case: Any) -> None:
            # Every second request has a key of its own, so that what it carries is looked at.
            key = {"Idempotency-Key": f"k{sum(said.values())}"} if sum(said.values()) % 2 else {}
            answer = case.call_and_validate(headers=served.headers | key, excluded_checks=NOT_HERE, timeout=30)
            said[answer.status_code] += 1

        answered()
    assert {200, 400, 404, 422} <= set(said), said
    assert {body.media_type for operation in operations for body in operation.body} >= {
        "application/json",
        "application/xml",
    }
