"""Sending through the stand-in: taken once, by Peppol or not at all; and what becomes of it afterwards."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from maventa_driving import opened, response, send, transmission

from adapters.access_points.maventa import wire
from adapters.access_points.maventa.client import MAVENTA
from adapters.access_points.maventa.sandbox import API_KEY, VENDOR_API_KEY, Rules, Sandbox
from adapters.access_points.sandbox import Pace, Plan
from adapters.loopback import Upload
from connector.errors import NeedsPerson, Refused, Stop, TryLater, UnknownOutcome
from connector.http import Answer, calling
from connector.ports import AccessPoint, Reason
from tests.adapters.insisting import RUN, insist, mischief

BILLING = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0::2.1"


def asked(box: Sandbox, method: str, path: str) -> list[Any]:
    return [one for one in box.requests if (one.method, one.path) == (method, path)]


async def test_an_invoice_goes_the_way_that_was_chosen_and_no_other(box: Sandbox, point: AccessPoint) -> None:
    what = transmission()
    proof = await send(point, what)
    assert proof.id == f"invoices/{box.network.transmissions[0].id}"
    assert (proof.facts["state"], proof.facts["said"]) == ("sent", "DELIVERED")
    (came,) = asked(box, "POST", "/v1/invoices")
    file = came.body.pop("file")
    assert isinstance(file, Upload)
    assert (file.content, file.file_name) == (what.document, "document.xml")
    assert came.body == {
        "format": "PEPPOLBIS30", "uuid": what.instance, "recipient_type": "b2b", "recipient_eia": what.receiver,
        "recipient_operator": "PEPPOL", "disabled_routes[]": "print,email",
    }  # fmt: skip
    assert (box.printed, box.network.arrived()) == ([], {"1001": 1})


@pytest.mark.parametrize("own_ids", [True, False])
@pytest.mark.parametrize("fault", ["no-answer", "500-after", "slow", "garbled"])
async def test_a_lost_answer_is_found_and_nothing_is_sent_again(fault: str, own_ids: bool) -> None:
    async with Sandbox(rules=Rules(own_ids=own_ids)) as box:
        point = opened(box.url, timeout=1.0)
        box.fault("POST /invoices", fault, seconds=1.2)
        proof = await send(point, transmission())
        assert proof.id == f"invoices/{box.network.transmissions[0].id}"
        assert (len(asked(box, "POST", "/v1/invoices")), box.network.arrived()) == (1, {"1001": 1})
        await point.close()


async def test_what_is_not_shown_yet_is_sent_again_under_its_key_and_arrives_once(
    box: Sandbox, point: AccessPoint
) -> None:
    box.fault("POST /invoices", "no-answer")
    box.fault("GET /invoices", "stale", count=4)  # two looks of two calls each
    await send(point, transmission())
    assert (len(asked(box, "POST", "/v1/invoices")), box.network.arrived()) == (2, {"1001": 1})


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize("own_ids", [True, False])
async def test_what_is_there_already_is_ours_where_number_and_receiver_agree(own_ids: bool, status: int) -> None:
    async with Sandbox(rules=Rules(own_ids=own_ids, known_key=status)) as box:
        point, what = opened(box.url), transmission()
        (step,) = point.flow(what)
        first, second = await step.call(RUN), await step.call(RUN)
        assert first.id == second.id
        assert box.network.arrived() == {"1001": 1}
        other = transmission("1002", what.instance)
        (step,) = point.flow(other)
        with pytest.raises(UnknownOutcome if own_ids else Stop) as refused:
            await step.call(RUN)
        if own_ids:  # it is looked for, and what Maventa said is why when nothing is found
            assert not await step.look(RUN)  # type: ignore[misc]
            assert refused.value.refused.code == "there-already"  # type: ignore[attr-defined]
        else:
            assert refused.value.code == "key-taken"
        assert box.network.arrived() == {"1001": 1}
        await point.close()


async def test_what_is_there_already_and_cannot_be_seen_now_is_unknown(box: Sandbox, point: AccessPoint) -> None:
    """Not "not taken": else another access point would be tried."""
    (step,) = point.flow(transmission())
    await step.call(RUN)
    box.fault("GET /invoices", "500-before", count=3)
    with pytest.raises(UnknownOutcome):
        await step.call(RUN)


async def test_of_two_that_could_be_it_none_is_claimed(box: Sandbox, point: AccessPoint) -> None:
    """The same number to the same receiver, sent by another program as well: a person sees both."""
    await send(point, transmission())
    box.fault("POST /invoices", "no-answer")
    (step,) = point.flow(transmission())
    with pytest.raises(UnknownOutcome):
        await step.call(RUN)
    assert len(await step.look(RUN)) == 2  # type: ignore[misc]


async def test_the_status_is_followed_to_the_end(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(sending=3600)
    what = transmission()
    proof = await send(point, what)
    assert (proof.facts["state"], proof.facts["said"]) == ("accepted", "PENDING")
    one, states = box.network.find("1001"), []
    for state, why in (("accepted", None), ("sent", None), ("refused", "BR-CO-15: the sums do not add up")):
        box.network.become(one, state, why)  # type: ignore[arg-type]
        status = await point.status(proof.id, what.instance)
        assert status is not None
        states.append((status.state, status.said))
    # It fails late, after it was delivered: the receiver's access point has it and does not hand it on.
    assert states == [("accepted", "PENDING"), ("sent", "DELIVERED"), ("refused", "FAILED")]
    assert list(status.reasons) == [Reason(None, "BR-CO-15: the sums do not add up")]
    assert status.at is not None
    assert await point.status("invoices/5a301110-db65-48fe-8993-000000000000", "x") is None


@pytest.mark.parametrize("shows_actions", [True, False])
async def test_what_is_given_up_has_failed_and_can_be_mended(shows_actions: bool) -> None:
    async with Sandbox(rules=Rules(shows_actions=shows_actions)) as box:
        point, what = opened(box.url), transmission()
        box.network.plans.append(Plan(end="failed", reason="No access point answers."))
        box.network.pace = Pace(retry=0.0)
        proof = await send(point, what)
        status = await point.status(proof.id, what.instance)
        assert status is not None
        assert (status.state, list(status.reasons)) == ("failed", [Reason(None, "No access point answers.")])
        # Mended: the same number, a new intention. What has failed is not taken for it.
        box.fault("POST /invoices", "no-answer")
        (step,) = point.flow(transmission())
        with pytest.raises(UnknownOutcome):
            await step.call(RUN)
        (found,) = await step.look(RUN)  # type: ignore[misc]
        assert found.id == f"invoices/{box.network.transmissions[1].id}" != proof.id
        await point.close()


async def test_an_answer_to_an_invoice_goes_through_the_other_door_once(box: Sandbox, point: AccessPoint) -> None:
    what = response()
    box.fault("POST /documents", "no-answer")
    proof = await send(point, what)
    (came,) = asked(box, "POST", "/v1/documents")
    assert came.body["transmission_id"] == what.instance
    assert (came.body["recipient_eia"], came.body["recipient_operator"]) == (what.receiver, "PEPPOL")
    (step,) = point.flow(what)
    assert (await step.call(RUN)).id == proof.id == f"documents/{box.network.transmissions[0].id}"
    box.network.become(box.network.transmissions[0], "failed", "Not registered", "NOT_REGISTERED")
    status = await point.status(proof.id, what.instance)
    assert status is not None
    assert (status.state, list(status.reasons)) == ("refused", [Reason("NOT_REGISTERED", "Not registered")])


def test_what_it_does_not_take_is_refused_before_anything_is_sent() -> None:
    point = opened("http://127.0.0.1:9", largest_mb=0.001)
    with pytest.raises(Refused) as too_large:
        point.flow(transmission())
    assert too_large.value.code == "document-too-large"
    selfbilling = replace(
        transmission(), document_type=transmission().document_type.replace(":billing:3.0", ":selfbilling:3.0")
    )
    with pytest.raises(Refused) as other:
        point.flow(selfbilling)
    assert other.value.code == "document-type-not-sent"


@pytest.mark.parametrize(
    ("prepare", "error", "code"),
    [
        (lambda box: box.network.plans.append(Plan(end="rejected", reason="BR-01")), Refused, "vendor-validation"),
        (lambda box: setattr(box, "verified", False), NeedsPerson, "sign-in"),
        (lambda box: box.fault("POST /invoices", "429", seconds=7), TryLater, "rate-limited"),
        (lambda box: box.fault("POST /invoices", "500-before"), UnknownOutcome, "unknown-outcome"),
    ],
)
async def test_how_a_call_ended(
    box: Sandbox, point: AccessPoint, prepare: Any, error: type[Exception], code: str
) -> None:
    prepare(box)
    (step,) = point.flow(transmission())
    with pytest.raises(error) as ended:
        await step.call(RUN)
    assert ended.value.code == code  # type: ignore[attr-defined]
    assert box.network.transmissions == []
    if code == "rate-limited":
        assert ended.value.after == 7  # type: ignore[attr-defined]
    if code == "vendor-validation":
        assert "BR-01" in ended.value.as_json()["vendor"]  # type: ignore[attr-defined]


async def test_a_wrong_address_is_no_verdict_on_the_document(point: Any) -> None:
    with pytest.raises(NeedsPerson) as refused:
        await point._client.upload("/v1/nowhere", b"<x/>", [], wire.Invoice)
    assert refused.value.code == "address-wrong"
    for status in (302, 405):
        said = MAVENTA.refusal(
            Answer(status, {}, b""), "POST /", words=None, details=None, collection=True, there=False
        )
        assert (type(said), said.code) == (NeedsPerson, "address-wrong")


async def test_a_token_is_renewed_before_it_ends_and_when_it_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Sandbox() as box:
        point = opened(box.url)
        with calling(None) as scope:
            await point.probe()
            await send(point, transmission())
            first = set(box.tokens)
            box.tokens.clear()
            await send(point, transmission("1002"))
        assert len(asked(box, "POST", "/oauth2/token")) == 2
        assert box.network.arrived() == {"1001": 1, "1002": 1}
        shown = caplog.text + "".join(f"{one.url}{one.request}{one.answer}{one.error}" for one in scope.exchanges)
        assert not [one for one in (*first, *box.tokens, API_KEY, VENDOR_API_KEY) if one in shown]
        await point.close()


async def test_keys_that_open_nothing_are_for_a_person(box: Sandbox) -> None:
    point = opened(box.url, api_key="wrong")
    with pytest.raises(NeedsPerson) as refused:
        await point.probe()
    assert refused.value.code == "sign-in"
    await point.close()


async def test_the_probe_says_whose_account_it_is_and_what_is_missing(box: Sandbox, point: AccessPoint) -> None:
    probe = await point.probe()
    assert (probe.company, probe.organisation_number, list(probe.missing)) == ("Fjord AS", "923609016", [])
    box.verified = False
    assert "identity" in (await point.probe()).missing[0]


async def test_what_a_receiver_takes_has_three_answers(box: Sandbox, point: AccessPoint) -> None:
    invoice = f"busdox-docid-qns::urn:oasis:names:specification:ubl:schema:xsd:Invoice-2::Invoice##{BILLING}"
    process = "cenbii-procid-ubl::urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
    assert await point.takes("0192:974760673", invoice, process) is True
    assert await point.takes("0192:974760673", invoice, process.replace("billing", "selfbilling")) is False
    assert await point.takes("0192:910000000", invoice, process) is False
    box.takes["0192:910000001"] = []
    assert await point.takes("0192:910000001", invoice, process) is None


async def test_whatever_is_lost_on_the_way_each_arrives_once(box: Sandbox, point: AccessPoint) -> None:
    for n in range(30):
        mischief(box, n, "POST /invoices|GET /invoices", reads="GET /invoices")
        await insist(point, transmission(str(n)))
    assert box.network.arrived() == {str(n): 1 for n in range(30)}
    assert box.printed == []
