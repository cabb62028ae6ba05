"""Access points that cannot be asked what has failed, and tell it once: kept before it is acknowledged."""

from __future__ import annotations

from typing import Any

import pytest
from company import NUMBER, ehf

from adapters.access_points.sandbox import Pace, Plan
from adapters.access_points.storecove.sandbox import API_KEY, LEGAL_ENTITY, Sandbox
from connector.peppol import receiving
from connector.testing.samples import purchase

POINT = """
  ap:
    system: storecove
    settings: {{base_url: "{url}", legal_entity: {entity}, timeout: 5, settle: 0.2, follow_seconds: 3600}}
    secrets: {{api_key: env:STORECOVE}}
"""


async def test_what_a_queue_tells_is_kept_and_then_taken_out(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORECOVE", API_KEY)
    async with Sandbox(pace=Pace(retry=0.0)) as box:
        async with founded(points=0, also=POINT.format(url=box.url, entity=LEGAL_ENTITY)) as fjord:
            box.network.plans.append(Plan(number="1001", end="failed", reason="No access point answers."))
            box.fault("POST /document_submissions", "no-answer")
            failed, arrived = await fjord.issue(ehf("1001")), await fjord.issue(ehf("1002"))
            await fjord.work(within=2.0)
            (came,) = box.network.come(purchase(NUMBER, "F-1"))
            box.queue.came(came)  # two events of one document
            box.queue.submission(box.network.find("1002"), "succeeded")  # the same again
            box.queue.add(event_type="document_submission", event="failed", guid="of another program")
            (ap,) = fjord.house.access_points.points("fjord")
            await fjord.house.store.write(lambda tx: receiving.collect(tx, ap))
            await fjord.work(within=2.0)
            assert [way["state"] for way in await fjord.sends(failed)] == ["failed"]
            assert [way["state"] for way in await fjord.sends(arrived)] == ["sent"]
            assert (await fjord.events(arrived)).count("invoice.sent") == 1
            assert (box.network.arrived(), box.queue.events) == ({"1002": 1}, [])
            (document,) = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
            assert document["number"] == "F-1"
            assert "not-delivered" in await fjord.waits()
