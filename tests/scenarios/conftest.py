"""A company with its books in a sandbox on loopback, and a program that posts to the API."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox
from connector.api.app import create_app
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import connections, keys
from connector.sync import reads

TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {{base_url: "{url}", payment_type: Betalt til bank, timeout: 5, settle: {settle}{more}}}
    secrets: {{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}
    mapping: {mapping}
routes:
  sales:
    takes: api
    to: books
    issues: {issues}
    sends: nobody
    reminds: nobody
    receives: connector
    hold_new_suppliers: {hold_new}
    takes_bank_money: {{"86011117947": books, "15032080119": source}}
"""


class Company:
    """One tenant: its house, the API in front of it, and the books behind it."""

    def __init__(self, house: House, box: Sandbox, client: httpx.AsyncClient) -> None:
        self.house = house
        self.box = box
        self.client = client

    async def post(self, path: str, body: Any, *, key: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, **more.pop("headers", {})}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/xml"
            return await self.client.post(path, content=body, headers=headers, **more)
        return await self.client.post(path, json=body, headers=headers, **more)

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def work(self, *, within: float = 0.0) -> None:
        await self.house.work_until_idle(within=within)

    async def poll(self) -> None:
        for spoke in self.house.spokes():
            for reading in spoke.accounting.readings:
                await self.house.store.write(lambda tx, s=spoke, k=reading.kind: reads.poll(tx, s, k))
        await self.work(within=2.5)

    async def document(self, **by: str) -> SimpleNamespace:
        """The only document that fits, whole."""
        found = (await self.get("/v1/documents", **by))["documents"]
        assert len(found) == 1, found
        return SimpleNamespace(**{"open": None, "number": None, **await self.get(f"/v1/documents/{found[0]['id']}")})

    async def events(self) -> list[str]:
        return [event["kind"] for event in (await self.get("/v1/changes", limit=1000))["events"]]


@asynccontextmanager
async def company(
    folder: Path,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    books: type[Sandbox] = Sandbox,
    settle: float = 0.2,
    issues: str = "books",
    settings: str = "",
    more_routes: str = "",
    mapping: str = "{}",
    tenant: str = TENANT,
    hold_new: bool = False,
    **sandbox: Any,
) -> AsyncIterator[Company]:
    """A company on this database; `sandbox` says how its books behave, `settings` what more the connection says,
    `more_routes` which routes it has besides (YAML both), `mapping` what its file changes of the mapping, `hold_new`
    whether the first invoice of a supplier waits.

    The environment is set so that a program of ours that is started from the test belongs to the same company.
    """
    async with books(**sandbox) as box:
        tenants = folder / "mappings" / "tenants"
        tenants.mkdir(parents=True, exist_ok=True)
        more = f", {settings}" if settings else ""
        told = {"issues": issues, "mapping": mapping, "hold_new": str(hold_new).lower(), "more": more}
        said = tenant.format(url=box.url, settle=settle, **told)
        (tenants / "fjord.yaml").write_text(said + more_routes.lstrip("\n"))
        monkeypatch.setenv("CONNECTOR_MAPPINGS", str(folder / "mappings"))
        monkeypatch.setenv("CONNECTOR_DATABASE", database)
        monkeypatch.setenv("CONNECTOR_KEYS", base64.b64encode(bytes(range(32))).decode())
        monkeypatch.setenv("FJORD_CONSUMER", CONSUMER_TOKEN)
        monkeypatch.setenv("FJORD_EMPLOYEE", EMPLOYEE_TOKEN)
        async with open_house(Settings(database=database)) as house:
            for spoke in house.spokes():
                await house.store.write(lambda tx, s=spoke: connections.change(tx, s.id, mode="active"))
            _, secret = await house.store.write(
                lambda tx: keys.create(tx, tenant="fjord", name="test", scopes=("read", "write", "settle"))
            )
            transport = httpx.ASGITransport(app=create_app(house))
            headers = {"Authorization": f"Bearer {secret}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
                yield Company(house, box, client)


@pytest.fixture
def founded(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with founded(rounding="line") as fjord`: a company whose books behave so, on each database."""
    return partial(company, tmp_path, database_url, monkeypatch)


@pytest.fixture
async def fjord(founded: Any) -> AsyncIterator[Company]:
    """A company with ordinary books, on each database."""
    async with founded() as made:
        yield made
