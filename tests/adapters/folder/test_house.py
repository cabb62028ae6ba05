"""A whole company whose access point works by files: what it sends arrives once, what comes gets in."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[2] / "peppol"))
from company import NUMBER, company, ehf

from connector.peppol import envelope, receiving
from connector.testing.samples import purchase

TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections: {{}}
access_points:
  ap:
    system: folder
    settings: %s
    secrets: %s
routes:
  web: {{to: [], issues: source, sends: connector, receives: connector, takes_bank_money: nobody}}
"""


@pytest.fixture
def founded(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    def found(settings: dict[str, Any], secrets: dict[str, str]) -> Any:
        for name, value in secrets.items():
            monkeypatch.setenv(f"FJORD_{name.upper()}", value)
        names = {name: f"env:FJORD_{name.upper()}" for name in secrets}
        said = [json.dumps(one).replace("{", "{{").replace("}", "}}") for one in (settings, names)]
        return company(tmp_path, monkeypatch, database_url, points=0, tenant=TENANT % tuple(said))

    return found


async def test_a_company_sends_and_receives_by_files(boxes: Callable[..., Any], founded: Any) -> None:
    box = await boxes(layout="phoss", every=0.01)
    async with founded({"path": str(box.root), "layout": "phoss", "follow_after": 0}, {}) as fjord:
        id = await fjord.issue(ehf("1001"))
        await fjord.work(within=0.3)
        assert box.network.arrived() == {"1001": 1}
        (way,) = await fjord.sends(id)
        assert (way["state"], way["access_point"]) == ("sent", "ap")
        assert [one.instance for one in box.network.transmissions] == [way["instance"]]

        bill = purchase(NUMBER, "F-1")
        on = envelope.address(bill, instance=str(uuid.uuid4()), created=datetime.now(UTC))
        box.network.come(envelope.write(on, bill), times=2)
        (box.root / "inbound" / "link.xml").symlink_to("/etc/passwd")
        (box.root / "inbound" / "link.json").touch()
        await fjord.house.store.write(lambda tx: _collect(tx, fjord.house))
        await fjord.work()
        (document,) = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
        assert (document["number"], document["state"]) == ("F-1", "received")
        assert sorted(path.suffix for path in (box.root / "archive").iterdir()) == [".json", ".json", ".xml", ".xml"]

        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "message-unread"
        assert item["said"].startswith("link.xml waits at ap and cannot be taken: ")
        (box.root / "inbound" / "link.xml").unlink()
        await fjord.house.store.write(lambda tx: _collect(tx, fjord.house))
        await fjord.work()
        assert await fjord.waits() == []


async def test_a_person_settles_who_took_an_old_temporary_file(boxes: Callable[..., Any], founded: Any) -> None:
    """The rename's answer is lost, the server is away, and when it is back the temporary file has been cleaned away."""
    box = await boxes()
    waits = {"temporary_hours": 0, "settle": 0.1, "follow_after": 0}
    async with founded({**box.settings, **waits}, box.secrets) as fjord:
        box.fault("rename", "no-answer-before")
        box.fault("lstat .*", "no-answer-before", after=1, count=1000)  # the first measures what was written
        await fjord.issue(ehf("1001"))
        for path in (box.root / "outbound").iterdir():
            path.unlink()
        box.faults.active.clear()
        await fjord.work(within=3.0)
        assert await _settle(fjord, "did-not-happen") == "outcome-unclear"
        await fjord.work()
        assert await _settle(fjord, "retry") == "temporary-gone"
        await fjord.work()
        assert await fjord.waits() == []
        box.access_point.look()
        assert box.network.arrived() == {"1001": 1}


async def _settle(fjord: Any, verb: str) -> str:
    (item,) = await fjord.get("/v1/attention")
    answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": verb})
    assert answer.status_code == 204, answer.text
    return str(item["code"])


def _collect(tx: Any, house: Any) -> None:
    receiving.collect(tx, house.access_points.points("fjord")[0])
