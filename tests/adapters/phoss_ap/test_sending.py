"""Sending through the stand-in: taken once, whatever becomes of the answer; and what becomes of it afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from phoss_ap_driving import MARKER, opened, send, transmission

from adapters.access_points.phoss_ap.sandbox import Sandbox
from adapters.access_points.sandbox import Pace, Plan
from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.ports import AccessPoint, Goal, Kind, Reason, Run


async def test_an_invoice_arrives_once_as_it_is(box: Sandbox, point: AccessPoint) -> None:
    what = transmission()
    proof = await send(point, what)
    assert (proof.id, proof.facts["state"], proof.facts["said"]) == (what.instance, "sent", "SUCCESS")
    (there,) = box.network.transmissions
    assert there.body == what.document
    assert there.papers.instance == what.instance
    assert (there.papers.sender, there.papers.receiver) == (what.sender, what.receiver)
    assert (there.papers.document_type, there.papers.process) == (what.document_type, what.process)
    assert there.said == {"custom1": MARKER, "custom2": "1001"}
    assert box.network.arrived() == {"1001": 1}
    status = await point.status(proof.id, what.instance)
    assert status is not None
    assert (status.state, status.said, list(status.reasons), status.at) == ("sent", "sent", [], there.created)


@pytest.mark.parametrize("fault", ["no-answer", "500-after", "slow", "garbled"])
async def test_a_lost_answer_is_found_and_nothing_is_sent_again(box: Sandbox, fault: str) -> None:
    point = opened(box.url, timeout=1.0)
    box.fault("POST /outbound/submit", fault, seconds=1.3)
    proof = await send(point, transmission())
    assert proof.facts["state"] == "sent"
    assert box.network.arrived() == {"1001": 1}


@pytest.mark.parametrize("fault", ["no-answer-before", "500-before"])
async def test_what_never_arrived_is_sent_under_the_same_instance(box: Sandbox, point: AccessPoint, fault: str) -> None:
    box.fault("POST /outbound/submit", fault)
    what = transmission()
    assert (await send(point, what)).facts["state"] == "sent"
    assert [one.instance for one in box.network.transmissions] == [what.instance]


async def test_a_look_speaks_for_one_lost_answer_only(box: Sandbox, point: AccessPoint) -> None:
    """It detects no duplicates: both are sent, and then neither is shown."""
    what = transmission()
    (step,) = point.flow(what)
    assert step.speaks_for == 1
    await send(point, what)
    await send(point, what)
    assert box.network.arrived() == {"1001": 2}
    assert await point.status(what.instance, what.instance) is None


async def test_a_first_attempt_that_fails_is_not_submitted_again(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(retry=0.3)
    box.network.plans.append(Plan(number="1001", failures=1, reason="connect timed out"))
    what = transmission()
    proof = await send(point, what)
    assert (proof.id, proof.facts["state"]) == (what.instance, "accepted")
    assert proof.facts["reasons"] == [{"code": "TRANSPORT_ERROR", "text": "connect timed out"}]
    status = await point.status(proof.id, what.instance)
    assert status is not None
    assert (status.state, status.said) == ("accepted", "failed")
    assert list(status.reasons) == [Reason("failed", "connect timed out")]
    await asyncio.sleep(0.35)
    status = await point.status(proof.id, what.instance)
    assert status is not None
    # What the first attempt ended with stays in the answer, and is no reason any more.
    assert (status.state, list(status.reasons), box.network.arrived()) == ("sent", [], {"1001": 1})


async def test_it_gives_up_after_its_own_attempts(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(retry=0.0, attempts=3)
    box.network.plans.append(Plan(end="failed", reason="The receiver is not registered.", code="EBMS:0301"))
    what = transmission()
    assert (await send(point, what)).facts["state"] == "accepted"
    status = await point.status(what.instance, what.instance)
    assert status is not None
    assert (status.state, status.said) == ("failed", "permanently_failed")
    assert list(status.reasons) == [Reason("permanently_failed", "The receiver is not registered.")]
    assert box.network.arrived() == {}


@pytest.mark.parametrize(
    ("state", "code", "expected", "said", "reasons"),
    [
        ("delivered", None, "delivered", "received_ap", []),
        ("delivered", "AB", "delivered", "received_ab", []),
        ("refused", None, "refused", "received_re", ["RE"]),
    ],
)
async def test_what_the_receivers_access_point_says_later(
    box: Sandbox, point: AccessPoint, state: Any, code: str | None, expected: str, said: str, reasons: list[str]
) -> None:
    what = transmission()
    await send(point, what)
    box.network.become(box.network.find("1001"), state, "Ukjent kjøper." if reasons else None, code)
    status = await point.status(what.instance, what.instance)
    assert status is not None
    assert (status.state, status.said, [one.code for one in status.reasons]) == (expected, said, reasons)
    assert box.network.arrived() == {"1001": 1}


async def test_what_its_own_checks_refuse_was_not_sent(box: Sandbox, point: AccessPoint) -> None:
    box.network.plans.append(Plan(end="rejected", reason="BR-16 is broken"))
    with pytest.raises(Refused) as refused:
        await send(point, transmission())
    assert (refused.value.code, refused.value.status) == ("not-taken", 422)
    assert "BR-16 is broken" in (refused.value.said_by_vendor or "")
    assert box.network.transmissions == []


async def test_a_status_that_is_not_known_yet(box: Sandbox, point: AccessPoint) -> None:
    box.fault("GET /outbound/status", "stale")
    what = transmission()
    await send(point, what)
    assert await point.status(what.instance, what.instance) is None
    assert await point.status(what.instance, what.instance) is not None


async def test_what_is_wrong_with_the_connection_is_no_verdict_on_the_document(
    box: Sandbox, point: AccessPoint
) -> None:
    box.sending = False
    with pytest.raises(NeedsPerson) as off:
        await send(point, transmission())
    assert off.value.code == "sending-off"
    probe = await point.probe()
    assert len(probe.missing) == 1
    assert "Sending is switched off" in probe.missing[0]
    box.sending = True
    box.fault("POST /outbound/submit", "429", seconds=7)
    with pytest.raises(TryLater) as busy:
        await send(point, transmission())
    assert (busy.value.code, busy.value.after) == ("rate-limited", 7)
    stranger = opened(box.url, token="wrong")
    for call in (send(stranger, transmission()), stranger.probe(), stranger.status("x", "x")):
        with pytest.raises(NeedsPerson) as unknown:
            await call
        assert unknown.value.code == "sign-in"
    assert box.network.transmissions == []
    assert not (await point.probe()).missing


async def test_what_it_cannot_read_is_refused(box: Sandbox, point: AccessPoint) -> None:
    with pytest.raises(Refused) as refused:
        await send(point, replace(transmission(), receiver="nobody"))
    assert (refused.value.code, refused.value.status) == ("vendor-validation", 400)
    assert "receiving participant" in (refused.value.said_by_vendor or "")
    small = opened(box.url, largest_mb=1)
    with pytest.raises(Refused) as large:
        small.flow(replace(transmission(), document=b"x" * (2**20 + 1)))
    assert large.value.code == "document-too-large"


async def test_a_server_that_is_something_else(box: Sandbox) -> None:
    """An address that leads elsewhere: nothing is concluded from its 404 about what was sent."""
    elsewhere = opened(f"{box.url}/management")
    with pytest.raises(NeedsPerson):
        await elsewhere.probe()
    box.fault("GET /outbound/status", "garbled")
    with pytest.raises(VendorError) as garbled:
        await opened(box.url).status("x", "x")
    assert not isinstance(garbled.value, UnknownOutcome)
    run = Run(Goal(Kind.INVOICE, "send", MARKER, {}), {})
    (step,) = opened("http://127.0.0.1:9").flow(transmission())
    with pytest.raises(TryLater) as nobody:
        await step.call(run)
    assert nobody.value.code == "vendor-unreachable"
