"""One company with two ledgers, each a sandbox on loopback, and a program that posts to the API."""

from __future__ import annotations

import base64
import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox
from connector.api.app import create_app
from connector.ports import Kind
from connector.service import onboarding
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import Tx, connections, keys
from connector.sync import reads
from connector.sync.spokes import Spoke

_spec = importlib.util.spec_from_file_location(
    "scenario_company", Path(__file__).parent.parent / "scenarios" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
scenario_company = sys.modules.setdefault("scenario_company", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(scenario_company)
_filled = importlib.util.spec_from_file_location("filled_books", Path(__file__).with_name("filled_books.py"))
assert _filled is not None
assert _filled.loader is not None
_filled.loader.exec_module(sys.modules.setdefault("filled_books", importlib.util.module_from_spec(_filled)))

TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {{base_url: "{books}", payment_type: Betalt til bank, timeout: 5, settle: 0.2}}
    secrets: {{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}
    mapping: {{kinds: {{{mapping}}}}}
  shop:
    system: tripletex
    settings: {{base_url: "{shop}", payment_type: Betalt til bank, timeout: 5, settle: 0.2}}
    secrets: {{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}
    mapping: {{kinds: {{{second}}}}}
routes:
  sales: {{takes: api, to: {to}, issues: {owner}, sends: nobody, reminds: nobody, takes_bank_money: {bank}}}
"""


class Two(scenario_company.Company):  # type: ignore[misc, name-defined]
    """A company with the ledgers `books` and `shop`."""

    def __init__(self, house: House, books: Sandbox, shop: Sandbox, client: httpx.AsyncClient) -> None:
        super().__init__(house, books, client)
        self.books = books
        self.shop = shop

    async def poll(self, *kinds: Kind, of: str | None = None) -> None:
        """Read what changed (of these kinds, in this ledger), and do what follows."""
        for spoke in self.house.spokes():
            for kind in kinds or (Kind.CUSTOMER, Kind.PRODUCT, Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION):
                if of in (None, spoke.name):
                    await self.house.store.write(lambda tx, s=spoke, k=kind: reads.poll(tx, s, k))
        await self.work(within=2.5)

    async def sweep(self, kind: Kind, of: str = "books") -> None:
        """Compare everything of a kind, and do what follows."""
        spoke = self.house.named("fjord", of)
        await self.house.store.write(lambda tx: reads.sweep(tx, spoke, kind))
        await self.work(within=1.0)

    async def waits(self) -> list[str]:
        """The codes of what waits for a person."""
        return [item["code"] for item in await self.get("/v1/attention")]

    async def answer(self, code: str, verb: str, vendor_id: str | None = None) -> None:
        """Settle the item with this code, and do what follows."""
        (item,) = [one for one in await self.get("/v1/attention") if one["code"] == code]
        said = {"verb": verb} | ({"vendor_id": vendor_id} if vendor_id else {})
        answer = await self.client.post(f"/v1/attention/{item['id']}/resolve", json=said)
        assert answer.status_code == 204, answer.text
        await self.work(within=1.0)

    async def rehearsed(self, spoke: Spoke, day: date) -> None:
        """Everything before the cut-over on a day is done, or a person says so; nothing is joined."""
        await onboarding.look(self.house, spoke, who="test")

        def agree(tx: Tx) -> None:
            for step in onboarding.steps(tx, self.house, spoke):
                if step.confirm:
                    onboarding.confirm(tx, self.house, spoke, step.name, note="", day=day, who="test")

        await self.house.store.write(agree)

    async def done(self, path: str, body: Any) -> Any:
        """Post, do what follows, and give the operation."""
        answer = await self.post(path, body)
        assert answer.status_code == 202, answer.text
        await self.work()
        return await self.get(answer.headers["location"])


def things(box: Sandbox, type: str) -> list[dict[str, Any]]:
    """All records of a register in a ledger, oldest first."""
    return [dict(one) for one in box.books.things.get(type, {}).values()]


@asynccontextmanager
async def two_books(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    mapping: str = "",
    second: str = "",
    to: str = "books",
    owner: str = "books",
    bank: str = "",
    observing: str = "",
    database: str | None = None,
    boxes: type[Sandbox] = Sandbox,
) -> AsyncIterator[Two]:
    """The company; `mapping` and `second`: what the tenant changes for each connection, as YAML in one line. `to`:
    where its route leads, `owner`: who issues on it, and takes bank money unless `bank` does; `observing`: which ledger
    is not written to.
    """
    async with AsyncExitStack() as stack:
        books, shop = [await stack.enter_async_context(boxes()) for _ in range(2)]
        tenants = folder / "mappings" / "tenants"
        tenants.mkdir(parents=True, exist_ok=True)
        said = TENANT.format(books=books.url, shop=shop.url, mapping=mapping, second=second, to=to, owner=owner,
                             bank=bank or owner)  # fmt: skip
        (tenants / "fjord.yaml").write_text(said)
        database = database or f"sqlite:///{folder}/c.db"
        for name, value in {
            "CONNECTOR_MAPPINGS": str(folder / "mappings"),
            "CONNECTOR_DATABASE": database,
            "CONNECTOR_KEYS": base64.b64encode(bytes(range(32))).decode(),
            "FJORD_CONSUMER": CONSUMER_TOKEN,
            "FJORD_EMPLOYEE": EMPLOYEE_TOKEN,
        }.items():
            monkeypatch.setenv(name, value)
        house = await stack.enter_async_context(open_house(Settings(database=database)))
        for spoke in (one for one in house.spokes() if one.name != observing):
            await house.store.write(lambda tx, s=spoke: connections.change(tx, s.id, mode="active"))
        _, secret = await house.store.write(
            lambda tx: keys.create(tx, tenant="fjord", name="test", scopes=("read", "write", "settle"))
        )
        transport = httpx.ASGITransport(app=create_app(house))
        headers = {"Authorization": f"Bearer {secret}"}
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)
        )
        yield Two(house, books, shop, client)


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with both(mapping="…") as two`: a company whose connections are mapped so."""
    return partial(two_books, tmp_path, monkeypatch)


@pytest.fixture
async def two(both: Any) -> AsyncIterator[Two]:
    """A company with two ledgers, mapped as shipped."""
    async with both() as made:
        yield made


@pytest.fixture
def register() -> Any:
    """All records of a register in a ledger."""
    return things
