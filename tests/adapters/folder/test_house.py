"""A whole company whose access point works by files: what it sends arrives once, what comes gets in."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
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
    settings: {{path: "%s", layout: phoss, follow_after: 0, settle: 0.2}}
routes:
  web: {{to: [], issues: source, sends: connector, receives: connector, takes_bank_money: nobody}}
"""


@pytest.fixture
def founded(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda root: partial(company, tmp_path, monkeypatch, database_url, points=0, tenant=TENANT % root)()


async def test_a_company_sends_and_receives_by_files(boxes: Callable[..., Any], founded: Any) -> None:
    box = await boxes(layout="phoss", every=0.01)
    async with founded(box.root) as fjord:
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


def _collect(tx: Any, house: Any) -> None:
    receiving.collect(tx, house.access_points.points("fjord")[0])
