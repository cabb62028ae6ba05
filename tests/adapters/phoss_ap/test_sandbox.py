"""The stand-in itself: what its desk does from outside, that things take their time, and the address it serves at."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from phoss_ap_driving import BUYER, opened, send, transmission

from adapters.access_points.phoss_ap import plugin
from adapters.access_points.phoss_ap.sandbox import TOKEN, Sandbox
from adapters.access_points.sandbox import Network, Pace, Papers, Plan, papers
from connector.peppol import envelope
from connector.testing.samples import purchase

XML = {"Content-Type": "application/xml"}


async def test_the_desk_over_http(box: Sandbox) -> None:
    point = opened(box.url)
    async with httpx.AsyncClient(base_url=box.url) as desk:
        await desk.post("/_desk/plan", json={"number": "1002", "end": "refused", "reason": "Ukjent.", "code": "BV"})
        for number in ("1001", "1002"):
            await send(point, transmission(number))
        sent = (await desk.get("/_desk/transmissions")).json()
        assert [(one["number"], one["state"], one["reason"], one["arrived"]) for one in sent] == [
            ("1001", "sent", None, True),
            ("1002", "refused", "Ukjent.", True),
        ]
        became = await desk.post("/_desk/become", json={"number": "1001", "state": "delivered"})
        assert became.json()["state"] == "delivered"
        assert (await desk.get("/_desk/arrived")).json() == {"1001": 1, "1002": 1}
        came = await desk.post("/_desk/incoming?times=2", content=purchase(BUYER, "77"), headers=XML)
        assert [one["number"] for one in came.json()] == ["77", "77"]
        assert len({one["id"] for one in came.json()}) == 2
        assert len({one["instance"] for one in came.json()}) == 1
        await desk.post("/_desk/answer?number=1001", content=b"<Svar xmlns='urn:x'/>", headers=XML)
        answer = (await desk.get("/_desk/incoming")).json()[-1]
        assert (answer["root"], answer["sender"], answer["receiver"]) == (
            "Svar",
            sent[0]["receiver"],
            sent[0]["sender"],
        )
        assert (await desk.post("/_desk/forward-to", json={"url": f"{box.url}/nobody"})).status_code == 200
        await box.forwarder.stop()
        assert [one["status"] for one in (await desk.get("/_desk/forwarded")).json()] == ["forwarding"] * 3
        await desk.post("/_desk/sending", json={"on": False})
        assert box.sending is False
        for wrong in (
            desk.post("/_desk/become", json={"number": "9", "state": "sent"}),
            desk.post("/_desk/become", json={"number": "1001", "state": "lost"}),
            desk.post("/_desk/plan", json={"end": "lost"}),
            desk.post("/_desk/incoming", json={}),
            desk.get("/_desk/nothing"),
            desk.post("/_desk/forward-to", json={"url": "x", "mode": "fax"}),
        ):
            assert (await wrong).status_code == 422


async def test_things_take_their_time() -> None:
    async with Sandbox(pace=Pace(sending=0.1, sent=0.1, delivered=0.1)) as box:
        point, what = opened(box.url), transmission()
        proof = await send(point, what)
        assert proof.facts["state"] == "accepted"
        seen = []
        for _ in range(60):
            status = await point.status(what.instance, what.instance)
            assert status is not None
            if status.said not in seen:
                seen.append(status.said)
            if status.state == "delivered":
                break
            await asyncio.sleep(0.02)
        assert seen == ["pending", "sending", "sent", "received_ap"]
        await point.close()


async def test_what_the_vendor_answers(box: Sandbox) -> None:
    headers = {"X-Token": TOKEN, **XML}
    on = transmission()
    async with httpx.AsyncClient(base_url=box.url) as vendor:
        assert (await vendor.get("/api/outbound/in-transmission")).status_code == 401
        submitted = await vendor.post("/api/outbound/submit-sbd?custom1=a", content=on.envelope, headers=headers)
        assert (submitted.status_code, submitted.json()["sbdhInstanceIdentifier"]) == (200, on.instance)
        refused = await vendor.post("/api/outbound/submit-sbd", content=on.document, headers=headers)
        assert (refused.status_code, type(refused.json())) == (400, str)
        long = await vendor.post(f"/api/outbound/submit-sbd?custom1={'a' * 256}", content=on.envelope, headers=headers)
        assert long.status_code == 400
        path = f"/api/outbound/submit/0192%3A{BUYER}/0192%3A{BUYER}/a%3A%3Ab%2Fc/p/NO"
        bare = await vendor.post(path, content=b"<x/>", headers=headers)
        assert (bare.status_code, bare.json()["docTypeId"]) == (200, "busdox-docid-qns::a::b/c")
        status = await vendor.get(f"/api/outbound/status/{on.instance}", headers=headers)
        said = status.json()
        assert (said["status"], said["attemptCount"], said["mlsStatus"], said["custom1"]) == ("sent", 1, "pending", "a")
        assert (await vendor.get("/api/outbound/status/x", headers=headers)).content == b""
        box.network.plans.append(Plan(failures=1))
        box.network.pace = Pace(retry=60)
        await vendor.post("/api/outbound/submit-sbd", content=transmission("2").envelope, headers=headers)
        (under_way,) = (await vendor.get("/api/outbound/in-transmission", headers=headers)).json()
        assert (under_way["status"], under_way["nextRetryDT"] > under_way["createdDT"]) == ("failed", True)
        (came,) = box.network.come(on.document)
        inbound = await vendor.get(f"/api/inbound/status/{came.papers.instance}", headers=headers)
        assert inbound.json()["status"] == "received"
        assert len((await vendor.get("/api/inbound/in-processing", headers=headers)).json()) == 1
        for query in ("", "?sbdhInstanceID=x&c4CountryCode=NO"):
            answer = await vendor.post(f"/api/inbound/report{query}", headers=headers)
            assert answer.status_code == (404 if query else 400)
        assert (await vendor.delete("/api/outbound/status/x", headers=headers)).status_code == 404
        assert (await vendor.get("/management/other")).status_code == 404


def test_a_network_that_two_access_points_share_counts_what_arrived_through_both() -> None:
    network = Network()
    given = Papers(sender="0192:1", receiver="0192:2", instance="i-1")
    first = network.send(b"<Invoice/>", given)
    network.become(first, "failed", "Nobody there.")
    network.send(b"<Invoice/>", given)
    assert network.arrived() == {"i-1": 2}  # what has arrived stays arrived
    network.plans.append(Plan(end="failed"))
    network.send(b"<Invoice/>", replace(given, instance="i-2"))
    assert (network.arrived(), len(network.by_instance("i-1"))) == ({"i-1": 2}, 2)
    network.become(network.find(instance="i-2"), "refused")
    assert network.arrived()["i-2"] == 1  # nobody can refuse what he has not got
    assert network.waiting() == []
    network.come(b"<x/>", receiver="0192:AB")
    assert len(network.waiting(["0192:ab"])) == 1
    assert network.waiting(["0192:1"]) == []


def test_what_stands_on_documents() -> None:
    what = transmission("5")
    bare, whole = papers.read(what.document), papers.read(what.envelope)
    assert bare == Papers("5", "Invoice", what.sender, what.receiver, what.document_type, what.process)
    assert whole == replace(bare, country="NO", instance=what.instance, enveloped=True)
    assert papers.read(b"%PDF-1.7") == Papers()
    assert papers.inside(what.envelope).strip() == what.document.partition(b"?>")[2].strip()
    on, inside = envelope.read(papers.enveloped(what.document, replace(whole, sender="0192:974760673")))
    assert (on.sender.value, on.instance) == ("0192:974760673", what.instance)
    assert papers.read(inside).number == "5"


def test_the_command_serves_it_and_says_what_a_connection_is_given() -> None:
    command = [
        str(Path(sys.executable).with_name("connector")),
        "sandbox",
        "phoss-ap",
        "--port",
        "0",
        "--format",
        "json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            given = json.loads(process.stdout.readline())
            url = plugin.settings(**given["settings"]).model_dump()["base_url"]
            token = plugin.secrets(**given["secrets"]).model_dump()["token"].get_secret_value()
            asked = httpx.get(f"{url}/api/outbound/in-transmission", headers={"X-Token": token})
            assert (asked.status_code, asked.json()) == (200, [])
        finally:
            process.terminate()


@pytest.mark.parametrize("secret", ["short", ""])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="hook_secret"):
        plugin.secrets(token="t", hook_secret=secret)
