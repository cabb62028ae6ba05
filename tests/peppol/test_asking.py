"""Programs and people ask what a receiver can take; answers are kept in the store."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.append(str(Path(__file__).parent))
from network import Authorities, Publisher, entry, name_server, signed

from connector.api.app import create_app
from connector.peppol import sml
from connector.peppol.discovery import Answer
from connector.peppol.identifiers import CREDIT_NOTE, INVOICE, Participant
from connector.peppol.kept import Kept
from connector.peppol.smp import Endpoint
from connector.service.house import open_house
from connector.service.settings import Settings
from connector.store import Store, keys

HIM = Participant("0192", "923609016")
ZONE = "participant.sml.example"
AUTHORITIES = Authorities()


async def test_answers_come_out_of_the_store_as_they_went_in(store: Store) -> None:
    now = store.clock()
    until = now + timedelta(hours=1)
    endpoint = Endpoint(
        "peppol-transport-as4-v2_0", "https://ap.example", "QUJD", datetime(2026, 1, 1, tzinfo=UTC), None, "x"
    )
    yes = Answer(HIM, INVOICE, "yes", "takes", "It takes it.", now, until, "https://smp.example", endpoint)
    no = Answer(HIM, CREDIT_NOTE, "no", "not-registered", "It does not.", now, until, do="Print.")
    kept = Kept(store, ZONE)
    for answer in (yes, no):
        assert await kept.get(answer.participant, answer.service) is None
        await kept.put(answer)
        assert await kept.get(answer.participant, answer.service) == answer
    assert await Kept(store, "another.zone").get(HIM, INVOICE) is None
    await kept.put(Answer(HIM, INVOICE, "no", "endpoint-closed", "Closed.", now, now))
    assert await kept.get(HIM, INVOICE) is None  # believed no longer


@pytest.fixture
async def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "smp.pem").write_bytes(AUTHORITIES.smp.pem + AUTHORITIES.root.pem)
    zone: dict[str, Any] = {}
    async with name_server(zone) as (server, _), Publisher() as publisher:
        zone[sml.name(HIM, ZONE).lower()] = [("", "NAPTR", f'100 10 "U" "Meta:SMP" "!.*!{publisher.url}!" .')]
        for service in (INVOICE, CREDIT_NOTE):
            page = signed(entry(HIM, service, until="2099-01-01T00:00:00Z"), AUTHORITIES.publisher)
            publisher.pages[f"/{HIM.whole}/services/{service.document}"] = (200, page)
        monkeypatch.setenv("CONNECTOR_PEPPOL_ZONE", ZONE)
        monkeypatch.setenv("CONNECTOR_PEPPOL_TRUST", str(trust))
        monkeypatch.setenv("CONNECTOR_PEPPOL_NAME_SERVERS", server)
        monkeypatch.setenv("CONNECTOR_PEPPOL_LOOPBACK", "1")
        yield publisher


async def test_a_program_asks_and_what_is_known_is_kept(
    network: Publisher, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path))
    monkeypatch.setenv("CONNECTOR_KEYS", base64.b64encode(bytes(range(32))).decode())
    async with open_house(Settings(database=database_url)) as house:
        _, secret = await house.store.write(lambda tx: keys.create(tx, tenant="t", name="test", scopes=("read",)))
        transport = httpx.ASGITransport(create_app(house))
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            path = f"/v1/peppol/participants/{HIM}"
            first = (await client.get(path)).json()
            assert [answer["can"] for answer in first[:3]] == ["yes", "yes", "no"]
            assert first[0]["endpoint"]["address"] == "https://ap.example/as4"
            calls = len(network.asked)
            assert (await client.get(path)).json() == first
            assert len(network.asked) == calls
            await client.get(path, params={"fresh": True})
            assert len(network.asked) == 2 * calls
            wrong = await client.get("/v1/peppol/participants/0192:923609017")
            assert (wrong.status_code, wrong.json()["code"]) == (422, "participant-invalid")
            house.settings.peppol_trust = None
            none = await client.get(path)
            assert (none.status_code, none.json()["code"]) == (404, "trust-store-missing")


def lookup(*said: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "connector", "peppol", "lookup", *said]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


async def test_a_person_asks(network: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = await asyncio.to_thread(lookup, "923 609 016")
    assert found.returncode == 0, found.stderr
    assert "yes EHF invoice                 0192:923609016 takes EHF invoice." in found.stdout
    assert "delivered to https://ap.example/as4" in found.stdout
    assert "no  self-billed invoice" in found.stdout
    said = await asyncio.to_thread(lookup, "974760673", "--format", "json")
    assert (said.returncode, json.loads(said.stdout)[0]["code"]) == (1, "not-registered")
    network.pages.clear()
    network.pages[f"/{HIM.whole}/services/{INVOICE.document}"] = (503, b"")
    assert (await asyncio.to_thread(lookup, str(HIM))).returncode == 2
    wrong = await asyncio.to_thread(lookup, "923609017")
    assert wrong.returncode == 2
    assert "participant-invalid" in wrong.stderr
    untrusting = await asyncio.to_thread(lambda: lookup(str(HIM), CONNECTOR_PEPPOL_TRUST=str(tmp_path / "none")))
    assert untrusting.returncode == 2
    assert "trust-store-missing" in untrusting.stderr
    assert "connector.db" not in os.listdir(tmp_path)  # a question leaves nothing behind
