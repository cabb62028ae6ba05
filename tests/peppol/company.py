"""A company that sends and receives through an access point: a house, a stand-in of the access point, the API."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.access_points.phoss_ap.sandbox import HOOK_SECRET, TOKEN, Sandbox
from adapters.access_points.sandbox import Pace
from connector.api.app import create_app
from connector.cli.demo.invoices import invoice as draft
from connector.ehf import read, write
from connector.peppol import envelope
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import keys

NUMBER = "923609016"
TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections: {{}}
access_points:
{points}
routes:
  web: {{to: [], issues: source, sends: connector, receives: connector, takes_bank_money: nobody}}
"""
POINT = """
  {name}:
    system: phoss-ap
    settings: {{base_url: "{url}", timeout: 5, settle: 0.2, follow_after: 0}}
    secrets: {{token: env:FJORD_AP, hook_secret: env:FJORD_AP_HOOK}}
    webhooks: http://127.0.0.1
    gives_up_after: {gives_up}
"""


def ehf(number: str = "1001", **changes: Any) -> bytes:
    """An invoice that the company has issued under a number."""
    return write(read(draft(1)).model_copy(update={"number": number, **changes}))


def sbd(document: bytes, instance: str) -> bytes:
    """A document in its envelope."""
    on = envelope.address(document, instance=instance, created=datetime.now(UTC))
    return envelope.write(on, document)


class Company:
    """The house, its access points, and a program that posts to it."""

    def __init__(self, house: House, boxes: list[Sandbox], client: httpx.AsyncClient) -> None:
        self.house = house
        self.boxes = boxes
        self.client = client
        self.command = ""
        """Where the last command that was posted is followed."""

    @property
    def box(self) -> Sandbox:
        return self.boxes[0]

    async def work(self, within: float = 0.6) -> None:
        await self.house.work_until_idle(within=within)

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, body: bytes) -> str:
        """Post an invoice; where to ask what became of it."""
        headers = {"Content-Type": "application/xml", "Idempotency-Key": uuid.uuid4().hex}
        posted = await self.client.post("/v1/invoices", content=body, headers=headers)
        assert posted.status_code == 202, posted.text
        return str(posted.headers["location"])

    async def issue(self, body: bytes) -> str:
        """Post an invoice, and do what follows; the id of its document."""
        self.command = location = await self.post(body)
        await self.work()
        return str((await self.get(location))["document"])

    async def sends(self, id: str) -> list[dict[str, Any]]:
        """How far a document has come."""
        return list((await self.get(f"/v1/documents/{id}")).get("transmissions", []))

    async def events(self, id: str) -> list[str]:
        """The events of a document, in their order."""
        return [one["what"] for one in await self.get(f"/v1/documents/{id}/story") if one["kind"] == "event"]

    async def waits(self) -> list[str]:
        """Codes of what waits for a person."""
        return [item["code"] for item in await self.get("/v1/attention")]

    async def call(self, body: bytes, instance: str, *, secret: str = HOOK_SECRET, point: int = 0) -> httpx.Response:
        """What the access point does when a document has come."""
        id = self.house.access_points.points("fjord")[point].id
        headers = {"X-Hook-Secret": secret, "X-SBDH-Instance-ID": instance, "Content-Type": "application/xml"}
        return await self.client.post(f"/v1/hooks/{id}", content=body, headers=headers)


@asynccontextmanager
async def company(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    database: str,
    *,
    points: int = 1,
    pace: Pace | None = None,
    gives_up: int = 900,
    tenant: str = TENANT,
    others: Mapping[str, str] | None = None,
    also: str = "",
    kind: type[Sandbox] = Sandbox,
    **settings: Any,
) -> AsyncIterator[Company]:
    """The company with so many access points, in order; `also`: further ones, as they stand in its file; `others`:
    files of companies that share them, by name; `kind` of stand-in.

    The environment is set so that a program of ours that is started from the test belongs to the same company.
    """
    async with AsyncExitStack() as stack:
        boxes = [await stack.enter_async_context(kind(pace=pace)) for _ in range(points)]
        said = "".join(POINT.format(name=f"ap{n or ''}", url=box.url, gives_up=gives_up) for n, box in enumerate(boxes))
        tenants = folder / "mappings" / "tenants"
        tenants.mkdir(parents=True)
        for name, text in {"fjord": tenant, **(others or {})}.items():
            (tenants / f"{name}.yaml").write_text(text.format(points=said + also))
        monkeypatch.setenv("CONNECTOR_MAPPINGS", str(folder / "mappings"))
        monkeypatch.setenv("CONNECTOR_DATABASE", database)
        monkeypatch.setenv("CONNECTOR_KEYS", base64.b64encode(bytes(range(32))).decode())
        monkeypatch.setenv("FJORD_AP", TOKEN)
        monkeypatch.setenv("FJORD_AP_HOOK", HOOK_SECRET)
        house = await stack.enter_async_context(open_house(Settings(database=database, **settings)))
        _, secret = await house.store.write(
            lambda tx: keys.create(tx, tenant="fjord", name="shop", scopes=("read", "write", "settle"))
        )
        headers = {"Authorization": f"Bearer {secret}"}
        transport = httpx.ASGITransport(app=create_app(house))
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://connector", headers=headers)
        )
        yield Company(house, boxes, client)
