"""A version in force that this program cannot use stops its tenant; applying what the files say helps."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx
import pytest

from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN
from connector import plugins
from connector.api.app import create_app
from connector.errors import Misconfigured, Stop, TryLater
from connector.service import applying, mappings
from connector.service.house import open_house
from connector.service.settings import Settings
from connector.store import Tx, connections, mapping_versions
from connector.store.connections import Connection

TENANT = """\
layer: tenant
tenant: {name}
title: {name} AS
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {{base_url: "http://127.0.0.1:9/v2"}}
    secrets: {{consumer_token: env:CONSUMER, employee_token: env:EMPLOYEE}}
    mapping: {{kinds: {{{mapping}}}}}
routes:
  sales: {{takes: api, to: books, issues: books, sends: nobody, takes_bank_money: books}}
"""
OWNER = "invoice: {fields: {due_date: {owner: ours}}}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tenants' files are; the settings name it and a store beside it."""
    tenants = tmp_path / "mappings" / "tenants"
    tenants.mkdir(parents=True)
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tenants.parent))
    monkeypatch.setenv("CONNECTOR_DATABASE", f"sqlite:///{tmp_path}/c.db")
    monkeypatch.setenv("CONNECTOR_KEYS", base64.b64encode(bytes(range(32))).decode())
    monkeypatch.setenv("CONSUMER", CONSUMER_TOKEN)
    monkeypatch.setenv("EMPLOYEE", EMPLOYEE_TOKEN)
    return tenants


def write(folder: Path, name: str, mapping: str = "") -> None:
    """Write a tenant's file."""
    (folder / f"{name}.yaml").write_text(TENANT.format(name=name, mapping=mapping))


def of(tx: Tx, name: str) -> Connection:
    return connections.named(tx, name, "books")


async def test_it_stops_its_tenant_alone_until_the_files_are_applied(folder: Path) -> None:
    write(folder, "good")
    write(folder, "old")
    async with open_house(Settings()) as house:
        row = await house.store.read(lambda tx: of(tx, "old"))
        layers = await house.store.read(
            lambda tx: mapping_versions.layers(tx, row.id, house.named("old", "books").mapping.version)
        )
        (system,) = [one for one in layers if one["layer"] == "system"]
        system["text"] = system["text"].replace("theirs: order.orderLines", "theirs: order.lines")

        def of_another_program(tx: Tx) -> None:
            mapping_versions.keep(tx, tenant="old", connection=row.id, version="0" * 16, layers=layers)
            mapping_versions.apply(tx, tenant="old", connection=row.id, version="0" * 16, who="kari")

        await house.store.write(of_another_program)
        before = house.named("old", "books").mapping
        await house.take_over()
        assert house.named("old", "books").mapping is before, "what runs goes on with what it can use"
    async with open_house(Settings()) as house:
        assert (list(house.tenants), house.stopped["old"].code) == (["good"], "mapping-version-unusable")
        with pytest.raises(TryLater):
            house.named("old", "books")
    async with open_house(Settings(), connected=False) as house:
        ready = await applying.ready(house.store, house, row, plugins.accounting(), spoke=None, last=None)
        await house.store.write(lambda tx: applying.apply(tx, [ready], who="kari"))
    async with open_house(Settings()) as house:
        assert sorted(house.tenants) == ["good", "old"]
        log = await house.store.read(lambda tx: mapping_versions.history(tx, row.id))
        assert [one.did for one in log] == ["apply", "apply", "first"]
        with pytest.raises(Misconfigured) as unusable:
            await applying.rollback(house.store, row, plugins.accounting(), who="kari", to="0" * 16)
        assert unusable.value.code == "mapping-version-unusable"
        assert await house.store.read(lambda tx: mapping_versions.history(tx, row.id)) == log, (
            "it went back all the same"
        )


async def test_what_was_looked_at_is_not_applied_over_what_came_into_force_meanwhile(folder: Path) -> None:
    write(folder, "good")
    async with open_house(Settings()) as house:
        row = await house.store.read(lambda tx: of(tx, "good"))
        first = house.named("good", "books").mapping.version
        write(folder, "good", OWNER)
        looked = await applying.ready(
            house.store, house, row, plugins.accounting(), spoke=house.named("good", "books"), last=None
        )
        await house.store.write(lambda tx: applying.apply(tx, [looked], who="kari"))
        await applying.rollback(house.store, row, plugins.accounting(), who="ola")  # first again: as it was looked at
        await house.store.write(lambda tx: applying.apply(tx, [looked], who="kari"))
        with pytest.raises(Stop) as moved:
            await house.store.write(lambda tx: applying.apply(tx, [looked], who="per"))
        assert moved.value.code == "mapping-moved"
        log = await house.store.read(lambda tx: mapping_versions.history(tx, row.id))
        assert [(one.did, one.who) for one in log] == [
            ("apply", "kari"), ("rollback", "ola"), ("apply", "kari"), ("first", "connector"),
        ]  # fmt: skip
        assert log[-1].version == first


async def test_health_points_out_what_is_not_applied(folder: Path) -> None:
    write(folder, "acme")
    async with open_house(Settings()) as house:
        first = house.named("acme", "books").mapping.version
    write(folder, "acme", OWNER)
    async with (
        open_house(Settings()) as house,
        httpx.AsyncClient(transport=httpx.ASGITransport(create_app(house)), base_url="http://api") as client,
    ):
        (said,) = (await client.get("/health/ready")).json()["mappings_not_applied"]
        assert (said["tenant"], said["connection"], said["in_force"]) == ("acme", "books", first)
        assert "connector mappings apply" in said["do"]
        row = await house.store.read(lambda tx: of(tx, "acme"))
        new = await mappings.meant(house.store, row, "files", plugins.accounting())
        assert new.version == said["files"]
        await house.store.write(lambda tx: mappings.put_in_force(tx, row, new, who="kari"))
        await house.take_over()
        assert (await client.get("/health/ready")).json()["mappings_not_applied"] == []
        assert house.named("acme", "books").mapping["invoice"].owners["due_date"] == "ours"
        back = await mappings.meant(house.store, row, first[:6], plugins.accounting())
        assert back.version == first


async def test_a_version_is_sealed_and_survives_new_keys(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.store.rotation import rotate

    write(folder, "acme", 'invoice: {fields: {due_date: {note: "secretly-noted"}}}')
    async with open_house(Settings()) as house:
        version = house.named("acme", "books").mapping.version
    assert b"secretly-noted" not in (folder.parents[1] / "c.db").read_bytes()
    new = base64.b64encode(bytes(range(1, 33))).decode()
    monkeypatch.setenv("CONNECTOR_KEYS", f"{new},{base64.b64encode(bytes(range(32))).decode()}")
    async with open_house(Settings()) as house:
        await rotate(house.store)
    monkeypatch.setenv("CONNECTOR_KEYS", new)
    async with open_house(Settings()) as house:
        row = await house.store.read(lambda tx: of(tx, "acme"))
        assert (await mappings.kept(house.store, row, version, plugins.accounting())).version == version
