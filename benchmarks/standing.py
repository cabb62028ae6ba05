"""Sandboxes for benchmarks, each a program of its own, by the names of their systems."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from connector.cli.sandbox import connection, variables
from connector.ports import StandIn
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import connections

ROUTE = """routes:
  sales: {takes: api, to: books, issues: books, sends: nobody, reminds: nobody, takes_bank_money: books}
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A sandbox that runs."""

    system: str
    given: StandIn

    @property
    def root(self) -> str:
        """Where its own calls lie."""
        place = urlsplit(str(self.given.settings["base_url"]))
        return f"{place.scheme}://{place.netloc}"

    def own(self, method: str, path: str, said: Mapping[str, Any] | None = None) -> Any:
        """One of the sandbox's own calls."""
        answer = httpx.request(method, f"{self.root}{path}", json=said, timeout=600)
        answer.raise_for_status()
        return answer.json()

    def requests(self) -> list[dict[str, Any]]:
        """What it was asked, in order."""
        return list(self.own("GET", "/_requests"))


@contextmanager
def sandbox(system: str, latency: float = 0.0) -> Iterator[Standing]:
    """A sandbox whose answers take `latency` seconds longer."""
    command = ["sandbox", system, "--port", "0", "--format", "json", "--latency", str(latency * 1000)]
    program = subprocess.Popen([sys.executable, "-m", "connector", *command], stdout=subprocess.PIPE)
    assert program.stdout is not None
    try:
        yield Standing(system, StandIn(**json.loads(program.stdout.readline())))
    finally:
        program.terminate()
        program.wait()


def shape(request: Mapping[str, Any]) -> str:
    """A call without the numbers in its path."""
    return f"{request['method']} {re.sub(r'(?<![a-z])[0-9]+', 'N', request['path'])}"


@asynccontextmanager
async def house(standing: Standing, database: str, folder: Path, mode: str, **settings: Any) -> AsyncIterator[House]:
    """A house with one tenant, `bench`, whose books are this sandbox. `settings`: of the connection, beside its own."""
    given = StandIn({**standing.given.settings, **settings}, standing.given.secrets)
    tenants = folder / "mappings" / "tenants"
    tenants.mkdir(parents=True, exist_ok=True)
    text = 'layer: tenant\ntenant: bench\ntitle: Bench AS\norganisation_number: "923609016"\nstart: 2026-01-01\n'
    (tenants / "bench.yaml").write_text(f"{text}connections:\n{connection(standing.system, given)}{ROUTE}")
    os.environ |= variables(standing.system, given) | {
        "CONNECTOR_MAPPINGS": str(folder / "mappings"),
        "CONNECTOR_KEYS": base64.b64encode(bytes(range(32))).decode(),
    }
    async with open_house(Settings(database=database)) as made:
        (spoke,) = made.spokes()
        await made.store.write(lambda tx: connections.change(tx, spoke.id, mode=mode))
        yield made
