"""Sending through the stand-in: one key, one document, by Peppol or not at all; and what becomes of it afterwards."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any

import httpx
import pytest
from storecove_driving import INVOICE, PROCESS, emptied, opened, send, transmission

from adapters.access_points.sandbox import Pace, Plan
from adapters.access_points.storecove.sandbox import API_KEY, LEGAL_ENTITY, Rules, Sandbox
from adapters.loopback import Answer
from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome
from connector.model.json import loads
from connector.ports import AccessPoint, Reason
from tests.adapters.insisting import RUN, insist, mischief


def submissions(box: Sandbox) -> list[Any]:
    return [one for one in box.requests if (one.method, one.path) == ("POST", "/api/v2/document_submissions")]


async def test_an_invoice_goes_by_peppol_and_no_other_way(box: Sandbox, point: AccessPoint) -> None:
    what = transmission()
    proof = await send(point, what)
    assert (proof.id, proof.facts["state"]) == (box.network.transmissions[0].id, "accepted")
    (came,) = submissions(box)
    assert came.body == {
        "legalEntityId": LEGAL_ENTITY,
        "idempotencyGuid": what.instance,
        "routing": {"eIdentifiers": [{"scheme": "NO:ORG", "id": "923609016"}]},
        "document": {
            "documentType": "invoice",
            "rawDocumentData": {
                "document": base64.b64encode(what.document).decode(), "parse": True, "parseStrategy": "ubl",
            },
        },
    }  # fmt: skip
    assert (box.network.transmissions[0].body, box.mailed) == (what.document, [])
    assert box.network.arrived() == {"1001": 1}


@pytest.mark.parametrize("fault", ["no-answer", "500-after", "slow", "garbled", "no-answer-before", "500-before"])
async def test_after_a_lost_answer_the_key_makes_a_second_call_harmless(box: Sandbox, fault: str) -> None:
    point, what = opened(box.url, timeout=1.0), transmission()
    box.fault("POST /document_submissions", fault, seconds=1.2)
    proof = await send(point, what)
    first, second = submissions(box)
    assert first.body == second.body
    assert box.network.arrived() == {"1001": 1}
    # What Storecove calls it is known only where the second call was the first one that it took.
    known = fault.endswith("-before")
    assert proof.id == (box.network.transmissions[0].id if known else what.instance)
    status = await point.status(proof.id, what.instance)
    assert status is not None
    assert status.state == ("sent" if known else "accepted")
    # The queue tells the rest, by our key.
    _, reports = await emptied(point)
    assert [(one.transmission, one.status.state) for one in reports] == [(what.instance, "sent")]
    await point.close()


async def test_the_second_call_waits_until_the_first_is_surely_over(box: Sandbox) -> None:
    point = opened(box.url, settle=0.2)
    box.fault("POST /document_submissions", "no-answer")
    (step,) = point.flow(transmission())
    with pytest.raises(UnknownOutcome):
        await step.call(RUN)
    assert await step.look(RUN) == []  # type: ignore[misc]
    assert len(submissions(box)) == 1
    await asyncio.sleep(0.25)
    assert len(await step.look(RUN)) == 1  # type: ignore[misc]
    assert (len(submissions(box)), box.network.arrived()) == (2, {"1001": 1})
    await point.close()


async def test_a_call_that_was_refused_is_no_proof_when_it_is_made_again(box: Sandbox, point: AccessPoint) -> None:
    box.fault("POST /document_submissions", "500-before")
    box.network.plans.append(Plan(end="rejected", reason="BR-CO-15", count=2))
    (step,) = point.flow(transmission())
    with pytest.raises(UnknownOutcome):
        await step.call(RUN)
    assert await step.look(RUN) == []  # type: ignore[misc]
    with pytest.raises(Refused) as refused:
        await step.call(RUN)
    assert refused.value.code == "vendor-validation"
    assert refused.value.details == [{"source": "document", "details": "BR-CO-15"}]
    assert box.network.transmissions == []


async def test_there_is_no_proof_before_it_is_sent(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(sending=3600)
    what = transmission()
    proof = await send(point, what)
    assert await _state(point, proof.id, what.instance) == ("accepted", "not sent yet")
    box.network.become(box.network.find("1001"), "sent")
    assert await _state(point, proof.id, what.instance) == ("sent", "evidence")


async def _state(point: AccessPoint, id: str, instance: str) -> tuple[str, str]:
    status = await point.status(id, instance)
    assert status is not None
    return status.state, status.said


async def test_proof_is_read_in_its_older_shape_too() -> None:
    async with Sandbox(rules=Rules(actions=True)) as box:
        point, what = opened(box.url, evidence="evidence/sending"), transmission()
        proof = await send(point, what)
        status = await point.status(proof.id, what.instance)
        assert status is not None
        assert (status.state, status.said, status.at is not None) == ("sent", "accepted", True)
        box.network.become(box.network.find("1001"), "refused", "unknown buyer")
        status = await point.status(proof.id, what.instance)
        assert status is not None
        assert (status.state, [one.text for one in status.reasons]) == ("refused", ["unknown buyer"])
        await point.close()


async def test_what_could_not_be_sent_is_told_in_the_queue(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(retry=0.0)
    box.network.plans.append(Plan(number="1001", end="failed", reason="No access point answers."))
    box.outside.add("0192:910000000")
    nobody = replace(transmission("1002"), receiver="0192:910000000")
    for what in (first := transmission("1001"), nobody):
        await send(point, what)
    _, reports = await emptied(point)
    told = {one.transmission: one.status for one in reports}
    assert (told[first.instance].state, told[first.instance].reasons[0].text) == ("failed", "No access point answers.")
    assert (told[nobody.instance].state, told[nobody.instance].said) == ("failed", "no_action_taken")
    assert (box.mailed, box.network.arrived()) == ([], {})


async def test_what_fails_after_it_had_arrived_is_refused_there(box: Sandbox, point: AccessPoint) -> None:
    what = transmission()
    await send(point, what)
    box.network.become(box.network.find("1001"), "refused", "The receiver does not take it.")
    _, reports = await emptied(point)
    assert [one.status.state for one in reports] == ["sent", "refused"]


async def test_what_the_buyer_answers_comes_as_it_is(box: Sandbox, point: AccessPoint) -> None:
    what = transmission()
    await send(point, what)
    (one,) = box.network.transmissions
    answer = b"<ApplicationResponse/>"
    box.queue.submission(one, "rejected", "PRI", response_document=base64.b64encode(answer).decode())
    box.queue.submission(one, "accepted")
    messages, reports = await emptied(point)
    assert [one.body for one in messages] == [answer]
    assert [(one.status.state, one.status.said) for one in reports][:2] == [
        ("delivered", "rejected"), ("delivered", "accepted"),
    ]  # fmt: skip
    # The first is a message of its own; of the second only the word is told.
    assert [one.answer for one in reports[:2]] == [None, Reason("AP", "")]


async def test_sent_as_it_is_where_that_was_opened() -> None:
    async with Sandbox(rules=Rules(as_is=True)) as box:
        point = opened(box.url, parse=False)
        await send(point, transmission())
        (came,) = submissions(box)
        raw = came.body["document"]["rawDocumentData"]
        assert (raw["parse"], raw["documentTypeId"], raw["processId"]) == (False, INVOICE, PROCESS)
        await point.close()


def test_what_it_does_not_take_is_refused_before_anything_is_sent() -> None:
    what = transmission()
    for code, other, settings in (
        ("document-too-large", what, {"largest_mb": 0.001}),
        ("document-type-not-sent", replace(what, document_type=what.document_type.replace(":billing", ":self")), {}),
        ("scheme-unknown", replace(what, receiver="0216:003712345678"), {}),
        ("key-unfit", replace(what, instance="invoice 1001"), {}),
    ):
        with pytest.raises(Refused) as refused:
            opened("http://127.0.0.1:9", **settings).flow(other)
        assert refused.value.code == code
    assert opened("http://127.0.0.1:9", schemes={"0216": "FI:OVT"}).flow(replace(what, receiver="0216:003712345678"))


@pytest.mark.parametrize(
    ("settings", "prepare", "error", "code"),
    [
        ({"api_key": "wrong"}, None, NeedsPerson, "sign-in"),
        ({"legal_entity": 1}, None, NeedsPerson, "access-refused"),
        ({}, lambda box: box.network.plans.append(Plan(end="rejected", reason="BR-01")), Refused, "vendor-validation"),
        ({}, lambda box: box.fault("POST /document_submissions", "429", seconds=7), TryLater, "rate-limited"),
        ({}, lambda box: box.fault("POST /document_submissions", "500-before"), UnknownOutcome, "unknown-outcome"),
        ({}, lambda box: setattr(box, "_submit", lambda body: Answer(404, None, {})), NeedsPerson, "address-wrong"),
        ({}, lambda box: setattr(box, "_submit", lambda body: Answer(200, {"id": 1}, {})), UnknownOutcome,
         "vendor-answer"),
    ],
)  # fmt: skip
async def test_how_a_call_ended(
    box: Sandbox, settings: dict[str, Any], prepare: Any, error: type[Exception], code: str
) -> None:
    if prepare is not None:
        prepare(box)
    point = opened(box.url, **settings)
    (step,) = point.flow(transmission())
    with pytest.raises(error) as ended:
        await step.call(RUN)
    assert ended.value.code == code  # type: ignore[attr-defined]
    if code == "access-refused":
        assert "LegalEntity is not yours" in ended.value.as_json()["vendor"]  # type: ignore[attr-defined]
    await point.close()


async def test_the_probe_says_whose_account_it_is(point: AccessPoint) -> None:
    probe = await point.probe()
    assert (probe.company, probe.organisation_number, list(probe.missing)) == ("Fjord AS", "923609016", [])


async def test_what_a_receiver_takes(box: Sandbox, point: AccessPoint) -> None:
    box.outside.add("0192:910000000")
    assert await point.takes("0192:974760673", INVOICE, PROCESS) is True
    assert await point.takes("0192:910000000", INVOICE, PROCESS) is False
    assert await point.takes("0216:003712345678", INVOICE, PROCESS) is None
    assert await point.takes("0192:974760673", INVOICE.replace(":billing", ":self"), PROCESS) is None


async def driven(box: Sandbox) -> None:
    """Every call, and both ways to send."""
    for settings in ({}, {"parse": False, "evidence": "evidence/sending"}):
        point, what = opened(box.url, **settings), transmission()  # type: ignore[arg-type]
        await point.probe()
        for kind in ("Invoice", "CreditNote"):
            await point.takes(what.receiver, INVOICE.replace("Invoice", kind), PROCESS)
        proof = await send(point, what)
        await point.status(proof.id, what.instance)
        box.network.come(what.document)
        await emptied(point)
        await point.close()


async def test_every_request_is_as_described(contract: Any) -> None:
    async with Sandbox(rules=Rules(as_is=True)) as box:
        await driven(box)
        assert {one.method for one in box.requests} == {"GET", "POST", "DELETE"}
        assert {one.path.split("/")[3] for one in box.requests} == {
            "document_submissions", "webhook_instances", "received_documents", "discovery", "legal_entities",
        }  # fmt: skip
        contract.check_requests(list(box.requests))


async def test_every_answer_is_as_described(box: Sandbox, contract: Any) -> None:
    box.network.come(transmission().document)
    asked = {"scheme": "NO:ORG", "identifier": "923609016"}
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(base_url=box.url, headers=headers) as client:
        for method, path, body, status in (
            ("GET", f"/legal_entities/{LEGAL_ENTITY}", None, 200),
            ("POST", "/discovery/receives", asked, 200),
            ("POST", "/discovery/receives", asked | {"scheme": "XX:YY"}, 422),
            ("POST", "/document_submissions", {"legalEntityId": LEGAL_ENTITY}, 422),
            ("GET", "/webhook_instances/", None, 200),
        ):
            answer = await client.request(method, path, json=body)
            assert answer.status_code == status, answer.text
            contract.check_answer(method, path, status, loads(answer.content))


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("POST", "/document_submissions", {}, {"legalEntityId": "4711"}),
        ("POST", "/document_submissions", {}, {"idempotencyGuid": "short"}),
        ("POST", "/document_submissions", {}, {"document": {"documentType": "invoice", "raw": {}}}),
        ("POST", "/discovery/receives", {}, {"scheme": "NO:ORG"}),
        ("GET", "/webhook_instances/", {"limit": "10"}, None),
        ("GET", "/received_documents", {}, None),
    ],
)
def test_the_check_can_fail(contract: Any, method: str, path: str, query: dict[str, str], body: Any) -> None:
    with pytest.raises(AssertionError):
        contract.check_request(method, path, query, body)


async def test_whatever_is_lost_on_the_way_each_arrives_once(box: Sandbox, point: AccessPoint) -> None:
    for n in range(60):
        mischief(box, n, "POST /document_submissions")
        await insist(point, transmission(str(n)))
    assert box.network.arrived() == {str(n): 1 for n in range(60)}
    assert box.mailed == []
