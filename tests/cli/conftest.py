"""The console script in a folder of its own, with the books in a sandbox that runs beside it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.api.app import create_app
from connector.api.examples import INVOICE_DRAFT
from connector.service.house import open_house
from connector.service.settings import Settings

TENANT = """\
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {{base_url: "{url}", payment_type: Innbetaling bank}}
    secrets: {{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}
routes:
  sales:
    takes: api
    to: books
    issues: books
    sends: nobody
    reminds: nobody
    receives: connector
    takes_bank_money: books
"""


class Desk:
    """A person at the command line, in a folder with one tenant's file."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.file = folder / "mappings" / "tenants" / "fjord.yaml"
        self.file.parent.mkdir(parents=True)
        self.file.write_text(TENANT.format(url=url))
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")} | {
            "FJORD_CONSUMER": "sandbox-consumer",
            "FJORD_EMPLOYEE": "sandbox-employee",
            "CONNECTOR_MAPPINGS": str(folder / "mappings"),
            "COLUMNS": "200",
            "TZ": "Europe/Oslo",
            "USER": "kari",
        }

    def run(self, *words: str, ends: int = 0, gives: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `connector …` here, giving it this on standard input; it must end with this exit status and never with a
        traceback.
        """
        done = subprocess.run(
            [str(Path(sys.executable).with_name("connector")), *words],
            cwd=self.folder,
            env=self.env | env,
            input=gives,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == ends, f"{done.returncode}: {done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str, ends: int = 0) -> Any:
        """What a command says to a program."""
        return json.loads(self.run(*words, "--format", "json", ends=ends).stdout)

    def post(self, monkeypatch: pytest.MonkeyPatch, secret: str, **changes: Any) -> str:
        """Post an invoice to the API over this desk's store, as a program would; the operation's id."""
        for name in ("CONNECTOR_MAPPINGS", "FJORD_CONSUMER", "FJORD_EMPLOYEE"):
            monkeypatch.setenv(name, self.env[name])
        monkeypatch.chdir(self.folder)

        async def send() -> str:
            async with (
                open_house(Settings()) as house,
                httpx.AsyncClient(transport=httpx.ASGITransport(create_app(house)), base_url="http://api") as client,
            ):
                headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": uuid.uuid4().hex}
                answer = await client.post("/v1/invoices", json=INVOICE_DRAFT | changes, headers=headers)
                assert answer.status_code == 202, answer.text
                return str(answer.json()["id"])

        return asyncio.run(send())


@contextmanager
def started() -> Iterator[str]:
    """The address of a sandbox, started by the command that people use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = subprocess.Popen(
        [str(Path(sys.executable).with_name("connector")), "sandbox", "tripletex", "--port", str(port)],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/fault", timeout=2)
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v2"
    finally:
        program.terminate()
        program.wait(10)


@pytest.fixture(scope="session")
def a_ledger() -> Callable[[], AbstractContextManager[str]]:
    """`with a_ledger() as address`: a sandbox of one's own."""
    return started


@pytest.fixture(scope="session")
def ledger(a_ledger: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The address of the sandbox that all desks share."""
    with a_ledger() as address:
        yield address


@pytest.fixture
def desk(tmp_path: Path, ledger: str) -> Desk:
    """An empty desk: a tenant's file, no store yet."""
    return Desk(tmp_path, ledger)
