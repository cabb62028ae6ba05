"""Many tenants in one service: one that is not right is stopped, and the others are served; many over one token."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from adapters.accounting.tripletex.sandbox import ACCOUNTANT_TOKEN, CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox, registers
from connector.api.app import create_app
from connector.api.examples import INVOICE_DRAFT
from connector.errors import Misconfigured, TryLater
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import attention, connections, documents, keys
from connector.store import work as works
from connector.sync import reads

TENANT = """\
layer: tenant
tenant: {name}
title: {title}
{number}start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {{base_url: "{url}", company: {company}, timeout: 5, settle: 0.2}}
    secrets: {{consumer_token: env:CONSUMER, employee_token: env:{env}}}
routes:
  sales: {{takes: api, to: books, issues: books, sends: nobody, takes_bank_money: books}}
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a tenant's file."""
    folder = tmp_path / "mappings" / "tenants"
    folder.mkdir(parents=True)
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path / "mappings"))
    monkeypatch.setenv("CONNECTOR_KEYS", base64.b64encode(bytes(range(32))).decode())
    monkeypatch.setenv("CONSUMER", CONSUMER_TOKEN)
    monkeypatch.setenv("EMPLOYEE", EMPLOYEE_TOKEN)
    monkeypatch.setenv("OFFICE", ACCOUNTANT_TOKEN)

    def written(name: str, url: str, *, company: int = 0, env: str = "EMPLOYEE", number: str = "") -> Path:
        file = folder / f"{name}.yaml"
        said = f'organisation_number: "{number}"\n' if number else ""
        file.write_text(TENANT.format(name=name, title=f"{name} AS", url=url, company=company, env=env, number=said))
        return file

    return written


def opened(tmp_path: Path) -> Any:
    return open_house(Settings(database=f"sqlite:///{tmp_path}/c.db"))


async def activate(house: House) -> None:
    for spoke in house.spokes():
        await house.store.write(lambda tx, s=spoke: connections.change(tx, s.id, mode="active"))


async def polled(house: House) -> None:
    for spoke in house.spokes():
        for reading in spoke.accounting.readings:
            await house.store.write(lambda tx, s=spoke, k=reading.kind: reads.poll(tx, s, k))
    await house.work_until_idle(within=2.0)


async def names(house: House, tenant: str) -> list[str | None]:
    return [one.counterparty_name for one in await house.store.read(lambda tx: documents.find(tx, tenant))]


@pytest.mark.parametrize("what", ["file", "secret"])
async def test_one_that_is_not_right_is_stopped_and_the_others_are_served(
    what: str, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox() as box:
        write("good", box.url)
        bad = write("bad", box.url, env="NOT_SET" if what == "secret" else "EMPLOYEE")
        if what == "file":
            bad.write_text(bad.read_text().replace("issues: books", "issues: boks"))
        with capture_logs() as logs:
            async with opened(tmp_path) as house:
                await house.tell()
                assert list(house.tenants) == ["good"]
                assert [spoke.tenant for spoke in house.spokes()] == ["good"], "nothing is half applied"
                registers.create_customer(box.books, {"name": "Kunde AS"})
                await polled(house)
                assert await names(house, "good") == ["Kunde AS"]
                assert await names(house, "bad") == []

                lines = enumerate(bad.read_text().splitlines(), 1)
                line = next(n for n, text in lines if "boks" in text or "NOT_SET" in text)
                (item,) = await house.store.read(lambda tx: attention.find(tx, tenant="bad"))
                assert item.code == "tenant-stopped"
                assert f"{bad}:{line}" in item.said
                (logged,) = [one for one in logs if one["event"] == "tenant-stopped"]
                assert (logged["tenant"], logged["file"], logged["line"]) == ("bad", str(bad), line)

                async with httpx.AsyncClient(
                    transport=httpx.ASGITransport(create_app(house)), base_url="http://api"
                ) as client:
                    health = await client.get("/health/ready")
                    assert health.status_code == 200
                    (stopped,) = health.json()["stopped"]
                    assert (stopped["tenant"], stopped["file"], stopped["line"]) == ("bad", str(bad), line)
                    _, secret = await house.store.write(
                        lambda tx: keys.create(tx, tenant="bad", name="x", scopes=("read", "write"))
                    )
                    refused = await client.post(
                        "/v1/invoices",
                        json=INVOICE_DRAFT,
                        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"},
                    )
                    assert (refused.status_code, refused.json()["code"]) == (503, "tenant-stopped")
                    assert refused.headers["retry-after"] == "60"
                    assert await names(house, "bad") == []

        monkeypatch.setenv("NOT_SET", EMPLOYEE_TOKEN)
        bad.write_text(bad.read_text().replace("issues: boks", "issues: books"))
        async with opened(tmp_path) as house:
            await house.tell()
            assert sorted(house.tenants) == ["bad", "good"]
            assert await house.store.read(lambda tx: attention.find(tx, tenant="bad")) == []


async def test_what_waits_for_a_stopped_tenant_waits_and_is_done_when_it_is_mended(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox() as box:
        write("good", box.url)
        write("late", box.url, env="LATE")
        monkeypatch.setenv("LATE", EMPLOYEE_TOKEN)
        registers.create_customer(box.books, {"name": "Kunde AS"})
        async with opened(tmp_path) as house:
            spoke = house.named("late", "books")
            for reading in spoke.accounting.readings:
                await house.store.write(lambda tx, k=reading.kind: reads.poll(tx, spoke, k))
        monkeypatch.delenv("LATE")
        async with opened(tmp_path) as house:
            with pytest.raises(TryLater):
                house.spoke(spoke.id)
            await house.work_until_idle()
            found = await house.store.read(lambda tx: works.find(tx, tenant="late"))
            assert {one.state for one in found} == {"queued"}
            assert {(one.error or {}).get("code") for one in found} == {"tenant-stopped"}
            assert await house.store.read(lambda tx: attention.find(tx, tenant="late")) == []
        monkeypatch.setenv("LATE", EMPLOYEE_TOKEN)
        async with opened(tmp_path) as house:
            for one in await house.store.read(lambda tx: works.find(tx, tenant="late")):
                await house.store.write(lambda tx, w=one: works.move(tx, w, "queued", due=tx.now))
            await house.work_until_idle(within=2.0)
            assert await names(house, "late") == ["Kunde AS"]


async def test_where_none_is_left_it_does_not_start(tmp_path: Path, write: Write) -> None:
    bad = write("bad", "http://127.0.0.1:1/v2", env="NOT_SET")
    with pytest.raises(Misconfigured) as refused:
        async with opened(tmp_path):
            pass
    assert refused.value.code == "secret-missing"
    assert refused.value.where["file"] == str(bad)


# --- one token, many companies ----------------------------------------------------------------------------------------


async def test_two_tenants_over_one_token_share_the_lane_and_never_their_data(tmp_path: Path, write: Write) -> None:
    async with Sandbox(clients=["Fjord AS", "Dal AS"]) as office:
        for name, client in (("fjord", "Fjord AS"), ("dal", "Dal AS")):
            write(name, office.url, company=office.client(client).company["id"], env="OFFICE")
            registers.create_customer(office.client(client), {"name": f"Kunde av {client}"})
        async with opened(tmp_path) as house:
            fjord, dal = house.named("fjord", "books"), house.named("dal", "books")
            assert fjord.lane == dal.lane
            await polled(house)
            assert await names(house, "fjord") == ["Kunde av Fjord AS"]
            assert await names(house, "dal") == ["Kunde av Dal AS"]
            assert sum(one.path == "/v2/token/session/:create" for one in office.requests) == 1


async def test_a_429_for_one_waits_both(tmp_path: Path, write: Write) -> None:
    async with Sandbox(clients=["Fjord AS", "Dal AS"]) as office:
        for name, client in (("fjord", "Fjord AS"), ("dal", "Dal AS")):
            write(name, office.url, company=office.client(client).company["id"], env="OFFICE")
        async with opened(tmp_path) as house:
            await polled(house)
            office.fault("GET /customer", "429", seconds=300)
            fjord, dal = house.named("fjord", "books"), house.named("dal", "books")
            kind = fjord.accounting.readings[0].kind
            await house.store.write(lambda tx: reads.poll(tx, fjord, kind))
            await house.work_until_idle()
            before = len(office.requests)
            await house.store.write(lambda tx: reads.poll(tx, dal, kind))
            await house.work_until_idle()
            assert len(office.requests) == before


async def test_another_companys_books_are_refused_before_anything_is_read(tmp_path: Path, write: Write) -> None:
    async with Sandbox(clients=["Fjord AS", "Dal AS"]) as office:
        dal = office.client("Dal AS")
        office.companies[dal.company["id"]].company["organizationNumber"] = "974760673"
        file = write("fjord", office.url, company=dal.company["id"], env="OFFICE", number="923609016")
        registers.create_customer(dal, {"name": "Kunde av Dal AS"})
        async with opened(tmp_path) as house:
            await polled(house)
            assert await names(house, "fjord") == []
            (item,) = await house.store.read(lambda tx: attention.find(tx, tenant="fjord"))
            assert item.code == "company-differs"
            assert "974760673" in item.said
            assert str(file) in item.do
            assert not [one for one in office.requests if one.path == "/v2/customer"]


# --- the same books ---------------------------------------------------------------------------------------------------


async def test_two_tenants_that_open_the_same_books_are_told(tmp_path: Path, write: Write) -> None:
    """The later one's list says so, and names nobody; both go on. Another company over the same token is another."""
    async with Sandbox(clients=["Fjord AS", "Dal AS"]) as office:
        fjord, dal = (office.client(name).company["id"] for name in ("Fjord AS", "Dal AS"))
        for name, company in (("fjord", fjord), ("dal", dal)):
            write(name, office.url, company=company, env="OFFICE")
        registers.create_customer(office.client("Fjord AS"), {"name": "Kunde"})
        async with opened(tmp_path) as house:
            await polled(house)
            for tenant in ("fjord", "dal"):
                assert await house.store.read(lambda tx, t=tenant: attention.find(tx, tenant=t)) == []
        write("again", office.url, company=fjord, env="OFFICE")
        async with opened(tmp_path) as house:
            await polled(house)
            (item,) = await house.store.read(lambda tx: attention.find(tx, tenant="again"))
            assert (item.code, item.verbs) == ("books-of-another-tenant", ("ignore",))
            assert "fjord" not in str(item)
            assert await names(house, "again") == ["Kunde"]
            assert await house.store.read(lambda tx: attention.find(tx, tenant="fjord")) == []


async def test_one_tenant_does_not_open_the_same_books_twice(tmp_path: Path, write: Write) -> None:
    """Their settings differ, so the file does not show it; nothing is read through the second."""
    async with Sandbox() as box:
        file = write("fjord", box.url)
        said = file.read_text()
        other = '  twin:\n    system: tripletex\n    settings: {base_url: "URL", timeout: 6, settle: 0.2}\n'
        other += "    secrets: {consumer_token: env:CONSUMER, employee_token: env:EMPLOYEE}\n"
        file.write_text(said.replace("routes:\n", other.replace("URL", box.url) + "routes:\n"))
        registers.create_customer(box.books, {"name": "Kunde"})
        async with opened(tmp_path) as house:
            await polled(house)
            (item,) = await house.store.read(lambda tx: attention.find(tx, tenant="fjord"))
            assert (item.code, item.verbs) == ("connection-twice", ("resume",))
            assert await names(house, "fjord") == ["Kunde"]
            there = await house.store.read(lambda tx: documents.find(tx, "fjord"))
            assert len(there) == 1
