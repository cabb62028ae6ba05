"""Sending through an access point: once, followed to the end, each step told once."""

from __future__ import annotations

from typing import Any

import pytest
from company import ehf

from adapters.access_points.sandbox import Pace, Plan


async def test_an_invoice_leaves_and_is_followed(founded: Any) -> None:
    async with founded(pace=Pace(sent=0.1, delivered=0.2)) as fjord:
        body = ehf("1001")
        id = await fjord.issue(body)
        await fjord.work(within=2.0)
        (way,) = await fjord.sends(id)
        assert (way["state"], way["access_point"], way["receiver"]) == ("delivered", "ap", "0192:974760673")
        (sent,) = fjord.box.network.transmissions
        assert fjord.box.network.arrived() == {"1001": 1}
        assert sent.instance == way["instance"]
        assert sent.body == body  # a numbered EHF goes as it came, to the byte
        assert (await fjord.client.get(f"/v1/documents/{id}/sent")).content == body
        events = await fjord.events(id)
        steps = ["invoice.accepted", "invoice.sending", "invoice.sent", "invoice.delivered"]
        assert events in (steps, [one for one in steps if one != "invoice.sent"])  # as it was when somebody looked
        assert await fjord.waits() == []


async def test_a_lost_answer_is_looked_for(founded: Any) -> None:
    async with founded(pace=Pace(sent=0.1)) as fjord:
        fjord.box.fault("POST /outbound/submit", "no-answer")
        id = await fjord.issue(ehf("1001"))
        await fjord.work(within=2.0)
        assert fjord.box.network.arrived() == {"1001": 1}
        submits = [one.status for one in fjord.box.requests if one.method == "POST"]
        assert submits == [None]  # it got no answer, and was not made again
        assert [way["state"] for way in await fjord.sends(id)] == ["sent"]


async def test_what_is_not_sound_is_not_sent_and_may_be_mended(founded: Any) -> None:
    async with founded() as fjord:
        wrong = ehf("1001", buyer_reference=None)  # PEPPOL-EN16931-R003
        id = await fjord.issue(wrong)
        assert fjord.box.network.transmissions == []
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "ehf-invalid"
        assert "PEPPOL-EN16931-R003" in item["said"]
        xml = {"Content-Type": "application/xml"}
        again = await fjord.client.post(f"/v1/documents/{id}/send", content=wrong, headers=xml)
        assert (again.status_code, again.json()["code"]) == (422, "ehf-invalid")
        other = await fjord.client.post(f"/v1/documents/{id}/send", content=ehf("1002"), headers=xml)
        assert (other.status_code, other.json()["code"]) == (422, "correction-changes-document")
        mended = ehf("1001")
        said = await fjord.client.post(f"/v1/documents/{id}/send", content=mended, headers=xml)
        assert said.status_code == 202, said.text
        await fjord.work()
        assert [way["state"] for way in await fjord.sends(id)] == ["withdrawn", "sent"]
        assert [one.body for one in fjord.box.network.transmissions] == [mended]
        assert await fjord.waits() == []
        late = await fjord.client.post(f"/v1/documents/{id}/send")
        assert (late.status_code, late.json()["code"]) == (409, "delivered")


@pytest.mark.parametrize("end", ["refused", "failed"])
async def test_what_does_not_arrive_is_sent_again_under_its_number(founded: Any, end: str) -> None:
    async with founded(pace=Pace(sent=0.1, delivered=0.1)) as fjord:
        fjord.box.network.plans.append(Plan(number="1001", end=end, reason="Nobody is called so here.", code="BV"))
        id = await fjord.issue(ehf("1001"))
        await fjord.work(within=1.5)
        (way,) = await fjord.sends(id)
        assert way["state"] == end
        assert await fjord.waits() == ["not-delivered"]
        assert (await fjord.events(id)).count("invoice.not_delivered") == 1
        said = await fjord.client.post(f"/v1/documents/{id}/send")
        assert said.status_code == 202, said.text
        await fjord.work(within=1.5)
        first, second = await fjord.sends(id)
        assert (first["state"], second["state"]) == (end, "delivered")
        assert first["instance"] != second["instance"]  # another intention: another transmission
        assert fjord.box.network.arrived()["1001"] == (2 if end == "refused" else 1)
        assert await fjord.waits() == []
