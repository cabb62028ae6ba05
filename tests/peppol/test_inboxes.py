"""Access points whose inbox is read: kept before it is acknowledged, and one however often it comes."""

from __future__ import annotations

from typing import Any

import pytest
from company import NUMBER, ehf

from adapters.access_points.e_invoice_be import sandbox as e_invoice_be
from adapters.access_points.e_invoice_be.sandbox.calling import Webhook, event
from adapters.access_points.maventa import sandbox as maventa
from adapters.access_points.sandbox import Pace, Plan
from adapters.access_points.storecove import sandbox as storecove
from connector.peppol import receiving
from connector.ports import Reason, Report, Status, Told
from connector.testing.samples import purchase

MAVENTA = """
  ap:
    system: maventa
    settings: {{base_url: "{url}", company: {company}, timeout: 5, settle: 0.2, follow_after: 0}}
    secrets: {{api_key: env:MAVENTA, vendor_api_key: env:MAVENTA_VENDOR}}
"""
STORECOVE = """
  ap:
    system: storecove
    settings: {{base_url: "{url}", legal_entity: {entity}, timeout: 5, settle: 0.2, follow_after: 3600}}
    secrets: {{api_key: env:STORECOVE}}
"""
E_INVOICE_BE = """
  ap:
    system: e-invoice-be
    settings: {{base_url: "{url}", timeout: 5, settle: 0.2, follow_after: 0}}
    secrets: {{api_key: env:E_INVOICE_BE, hook_secret: env:E_INVOICE_BE_HOOK}}
    webhooks: http://127.0.0.1
"""


async def look(fjord: Any) -> None:
    """The inbox is read now, and what comes of it is done."""
    (ap,) = fjord.house.access_points.points("fjord")
    await fjord.house.store.write(lambda tx: receiving.collect(tx, ap))
    await fjord.work(within=2.0)


async def test_a_list_is_read_on_from_where_it_was_left(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAVENTA", maventa.API_KEY)
    monkeypatch.setenv("MAVENTA_VENDOR", maventa.VENDOR_API_KEY)
    async with (
        maventa.Sandbox(life=3) as box,
        founded(points=0, also=MAVENTA.format(url=box.url, company=maventa.COMPANY)) as fjord,
    ):
        box.fault("POST /invoices", "no-answer")
        sent = await fjord.issue(ehf("1001"))
        await fjord.work(within=2.0)
        assert [way["state"] for way in await fjord.sends(sent)] == ["sent"]
        assert (box.network.arrived(), box.printed) == ({"1001": 1}, [])
        for number in ("F-1", "F-2"):
            box.network.come(purchase(NUMBER, number))
            await look(fjord)
            await look(fjord)
        bills = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
        assert sorted(one["number"] for one in bills) == ["F-1", "F-2"]
        assert box.network.waiting() == []
        assert await fjord.waits() == []


async def test_what_a_queue_tells_is_kept_and_then_taken_out(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORECOVE", storecove.API_KEY)
    async with (
        storecove.Sandbox(pace=Pace(retry=0.0)) as box,
        founded(points=0, also=STORECOVE.format(url=box.url, entity=storecove.LEGAL_ENTITY)) as fjord,
    ):
        box.network.plans.append(Plan(number="1001", end="failed", reason="No access point answers."))
        box.fault("POST /document_submissions", "no-answer")
        failed, arrived, late = [await fjord.issue(ehf(number)) for number in ("1001", "1002", "1003")]
        await fjord.work(within=2.0)
        (came,) = box.network.come(purchase(NUMBER, "F-1"))
        box.queue.came(came)  # two events of one document
        box.queue.submission(box.network.find("1002"), "succeeded")  # the same again
        box.queue.add(event_type="document_submission", event="failed", guid="of another program")
        await look(fjord)
        assert [way["state"] for way in await fjord.sends(failed)] == ["failed"]
        assert [way["state"] for way in await fjord.sends(arrived)] == ["sent"]
        assert (await fjord.events(arrived)).count("invoice.sent") == 1
        assert (box.network.arrived(), box.queue.events) == ({"1002": 1, "1003": 1}, [])
        (document,) = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
        assert document["number"] == "F-1"
        assert "not-delivered" in await fjord.waits()
        # The buyer answers, and only the word for it is told.
        box.queue.submission(box.network.find("1002"), "rejected", "Feil pris")
        await look(fjord)
        assert (await fjord.events(arrived)).count("invoice.response") == 1
        (item,) = [one for one in await fjord.get("/v1/attention") if one["code"] == "invoice-rejected"]
        assert "Feil pris" in item["said"]
        # One fails late: the receiver's access point has it, and does not hand it on.
        ap, instance = fjord.house.access_points.points("fjord")[0], box.network.find("1003").instance
        told = Told("k", "failed", reports=[Report("k", instance, Status("failed", "failed", [Reason(None, "FD")]))])
        await fjord.house.store.write(lambda tx: receiving.take_told(tx, fjord.house.access_points, ap, told))
        assert [way["state"] for way in await fjord.sends(late)] == ["refused"]


async def test_two_steps_and_calls_that_only_hint(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E_INVOICE_BE", e_invoice_be.API_KEY)
    monkeypatch.setenv("E_INVOICE_BE_HOOK", "made by the vendor")
    async with (
        e_invoice_be.Sandbox() as box,
        founded(points=0, also=E_INVOICE_BE.format(url=box.url)) as fjord,
    ):
        box.fault("POST /documents/ubl", "no-answer")
        box.fault("POST /documents/.*/send", "no-answer")
        sent = await fjord.issue(ehf("1001"))
        await fjord.work(within=2.0)
        assert [way["state"] for way in await fjord.sends(sent)] == ["sent"]
        # A second lost call proves nothing: a person decides, and the document is sent once more or not at all.
        box.fault("POST /documents/.*/send", "500-before", count=2)
        asked = await fjord.issue(ehf("1002"))
        await fjord.work(within=2.0)
        assert [way["state"] for way in await fjord.sends(asked)] == ["waiting"]
        assert await fjord.waits() == ["outcome-unclear"]
        assert (box.network.arrived(), len(box.drafts), box.mailed, box.guessed) == ({"1001": 1}, 2, [], [])
        # What comes is hinted at, and read where it lies.
        (ap,) = fjord.house.access_points.points("fjord")
        hook = Webhook(f"{ap.webhooks}", [], secret="made by the vendor")
        for number in ("F-1", "F-2"):
            (came,) = box.network.come(purchase(NUMBER, number))
            body, headers = hook.signed(event("document.received", came.id))
            for _ in range(2):
                answer = await fjord.client.post(f"/v1/hooks/{ap.id}", content=body, headers=headers)
                assert answer.status_code == 204, answer.text
            await fjord.work(within=2.0)
        bills = (await fjord.get("/v1/documents?kind=supplier_invoice"))["documents"]
        assert sorted(one["number"] for one in bills) == ["F-1", "F-2"]
        headers["X-Signature"] = "sha256=guessed"
        refused = await fjord.client.post(f"/v1/hooks/{ap.id}", content=body, headers=headers)
        assert refused.status_code == 401, refused.text
