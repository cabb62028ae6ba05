"""The API in front of a real service whose books are a sandbox on loopback; a second tenant lives beside the first."""

from __future__ import annotations

import copy
import importlib.util
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.api.examples import INVOICE_DRAFT, PAYMENT
from connector.ehf import write
from connector.model import Draft, compose
from connector.store import keys

_spec = importlib.util.spec_from_file_location(
    "scenario_company", Path(__file__).parent.parent / "scenarios" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
scenario_company = importlib.util.module_from_spec(_spec)
sys.modules["scenario_company"] = scenario_company
_spec.loader.exec_module(scenario_company)

OTHER = """
layer: tenant
tenant: other
title: Other AS
organisation_number: "974760673"
start: 2026-01-01
connections: {}
routes: {}
"""


class Door:
    """What the tests use: the company, and requests as programs make them."""

    def __init__(self, company: Any) -> None:
        self.company = company
        self.house = company.house
        self.box = company.box
        self.client: httpx.AsyncClient = company.client
        self.get = company.get
        self.work = company.work
        self.document = company.document

    async def post(self, path: str, body: Any, key: str | None = None, **headers: str) -> httpx.Response:
        """Post JSON, or bytes (as XML unless a content type is given), with an Idempotency-Key."""
        said = {"Idempotency-Key": key or uuid.uuid4().hex} | {n.replace("_", "-"): v for n, v in headers.items()}
        if isinstance(body, bytes):
            said.setdefault("Content-Type", "application/xml")
            return await self.client.post(path, content=body, headers=said)
        return await self.client.post(path, json=body, headers=said)

    async def key(self, *scopes: str, tenant: str = "fjord") -> dict[str, str]:
        """Headers of a new key."""
        _, secret = await self.house.store.write(
            lambda tx: keys.create(tx, tenant=tenant, name=" ".join(scopes), scopes=scopes)
        )
        return {"Authorization": f"Bearer {secret}"}

    async def nothing_kept(self) -> None:
        """Neither document, event nor anything that waits: as if nothing had been posted."""
        await self.work()
        assert (await self.get("/v1/documents"))["documents"] == []
        assert (await self.get("/v1/changes"))["events"] == []
        assert await self.get("/v1/attention") == []
        assert self.issued() == 0

    def issued(self) -> int:
        """How many invoices the ledger has issued."""
        return int(self.box.state()["counts"].get("invoice", 0))


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """The API over an SQLite store."""
    async with _door(tmp_path, f"sqlite:///{tmp_path}/c.db", monkeypatch) as made:
        yield made


@pytest.fixture
async def any_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> AsyncIterator[Door]:
    """The API over each database."""
    async with _door(tmp_path, database_url, monkeypatch) as made:
        yield made


def _door(folder: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened() -> AsyncIterator[Door]:
        tenants = folder / "mappings" / "tenants"
        tenants.mkdir(parents=True)
        (tenants / "other.yaml").write_text(OTHER)
        async with scenario_company.company(folder, database, monkeypatch) as company:
            yield Door(company)

    return opened()


@pytest.fixture
def draft() -> Callable[..., dict[str, Any]]:
    """A draft of an invoice, with changes."""

    def make(**changes: Any) -> dict[str, Any]:
        return copy.deepcopy(INVOICE_DRAFT) | changes

    return make


@pytest.fixture
def payment() -> Callable[..., dict[str, Any]]:
    """A payment, with changes."""

    def make(**changes: Any) -> dict[str, Any]:
        return copy.deepcopy(PAYMENT) | changes

    return make


@pytest.fixture
def ehf() -> Callable[..., bytes]:
    """An EHF invoice, with changes to the draft it is made of."""

    def make(**changes: Any) -> bytes:
        said = copy.deepcopy(INVOICE_DRAFT) | {"number": "1001", "source_id": None} | changes
        return write(compose(Draft.model_validate(said)))

    return make
