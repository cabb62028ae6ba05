"""Sending through the stand-in: a draft, and then that draft, once; and what becomes of it afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from e_invoice_be_driving import HOOK_SECRET, everything, opened, send, transmission

from adapters.access_points.e_invoice_be import client
from adapters.access_points.e_invoice_be.sandbox import API_KEY, Rules, Sandbox
from adapters.access_points.sandbox import Pace, Plan
from adapters.loopback import Answer
from connector.errors import NeedsPerson, Refused, Stop, TryLater, UnknownOutcome, VendorError
from connector.model.json import loads
from connector.ports import AccessPoint, Proof, Run, Status
from tests.adapters.insisting import RUN, insist, mischief

INVOICE = transmission().document_type
PROCESS = transmission().process
DRAFTING, SENDING = "POST /documents/ubl", "POST /documents/.*/send"


def calls(box: Sandbox, end: str) -> list[Any]:
    return [one for one in box.requests if one.method == "POST" and one.path.endswith(end)]


def after(id: str) -> Run:
    """What the second step gets."""
    return Run(RUN.goal, {"draft": Proof(id)})


async def become(point: AccessPoint, proof: Proof) -> Status:
    status = await point.status(proof.id, "")
    assert status is not None
    return status


# --- once -------------------------------------------------------------------------------------------------------------


async def test_an_invoice_goes_by_peppol_and_no_other_way(box: Sandbox, point: AccessPoint) -> None:
    what = transmission()
    proof = await send(point, what)
    (draft,) = box.drafts
    assert (proof.id, proof.facts) == (draft.id, {"state": "sent", "said": "SENT"})
    (sent,) = calls(box, "/send")
    sender, receiver = what.sender.partition(":")[2], what.receiver.partition(":")[2]
    assert sent.query == {
        "sender_peppol_scheme": "0192", "sender_peppol_id": sender,
        "receiver_peppol_scheme": "0192", "receiver_peppol_id": receiver,
    }  # fmt: skip
    (made,) = calls(box, "/ubl")
    assert (made.body["file"].content, list(made.body)) == (what.document, ["file"])
    assert (box.network.arrived(), box.mailed, box.guessed) == ({"1001": 1}, [], [])


@pytest.mark.parametrize("fault", ["no-answer", "500-after", "slow", "garbled", "no-answer-before", "500-before"])
@pytest.mark.parametrize("call", [DRAFTING, SENDING])
async def test_after_a_lost_answer_it_is_looked_for(box: Sandbox, call: str, fault: str) -> None:
    point = opened(box.url, timeout=1.0)
    box.fault(call, fault, seconds=1.2)
    proof = await send(point, transmission())
    again = fault.endswith("-before")
    assert len(calls(box, "/ubl")) == 1 + (again and call == DRAFTING)
    assert len(calls(box, "/send")) == 1 + (again and call == SENDING)
    assert (box.network.arrived(), len(box.drafts)) == ({"1001": 1}, 1)
    assert (await become(point, proof)).state == "sent"
    await point.close()


@pytest.mark.parametrize("shown", ["whole", "bare", "none"])
async def test_a_draft_is_ours_by_number_receiver_and_bytes(
    box: Sandbox, point: AccessPoint, monkeypatch: pytest.MonkeyPatch, shown: Any
) -> None:
    monkeypatch.setattr(client, "PAGE", 1)
    box.rules.receiver = shown
    what = transmission()
    draft, _ = point.flow(what)
    assert draft.look is not None
    for other in (
        transmission("10011"),  # the search finds it, too
        replace(what, document=what.document.replace(what.receiver[5:].encode(), b"974760673")),
    ):
        await point.flow(other)[0].call(RUN)
    if shown != "none":
        assert await draft.look(RUN) == []
    made = await draft.call(RUN)
    assert [one.id for one in await draft.look(RUN)] == [made.id]
    second = await draft.call(RUN)  # two of the same: a person decides, so both are told
    assert {one.id for one in await draft.look(RUN)} == {made.id, second.id}
    assert box.network.transmissions == []


async def test_an_older_document_under_the_number_is_not_taken_for_ours(box: Sandbox, point: AccessPoint) -> None:
    old, mended = transmission(), transmission()
    mended = replace(mended, document=mended.document.replace(b"Varer", b"Vare"))
    (older, _), (draft, _) = point.flow(old), point.flow(mended)
    assert draft.look is not None
    lying = await older.call(RUN)
    with pytest.raises(Stop) as held:
        await draft.look(RUN)
    assert (held.value.code, lying.id in str(held.value)) == ("number-taken", True)
    made = await draft.call(RUN)  # beside ours it is no question
    assert [one.id for one in await draft.look(RUN)] == [made.id]


@pytest.mark.parametrize("state", ["TRANSIT", "SENT", "FAILED"])
async def test_what_somebody_has_sent_by_hand_is_for_a_person(box: Sandbox, point: AccessPoint, state: str) -> None:
    box.network.pace = Pace(sending=3600 if state == "TRANSIT" else 0)
    if state == "FAILED":
        box.network.plans.append(Plan(end="failed"))
        box.network.pace = Pace(retry=0.0)
    what = transmission()
    await send(point, what)
    assert box.drafts[0].state() == state
    draft, _ = point.flow(what)
    assert draft.look is not None
    if state == "FAILED":  # an earlier try, which is over
        assert await draft.look(RUN) == []
        return
    for _ in range(2):
        with pytest.raises(Stop) as held:
            await draft.look(RUN)
        assert held.value.code == "number-taken"
        await draft.call(RUN)  # also where there is a draft beside it


async def test_a_draft_that_is_written_anew_there_is_for_a_person() -> None:
    async with Sandbox(rules=Rules(writes_anew=True)) as box:
        point, what = opened(box.url), transmission()
        what = replace(what, document=what.document + b"\n")
        draft, _ = point.flow(what)
        assert draft.look is not None
        await draft.call(RUN)
        with pytest.raises(Stop) as held:
            await draft.look(RUN)
        assert held.value.code == "number-taken"
        box.rules.links = None  # what cannot be seen yet is looked at again
        with pytest.raises(TryLater) as unseen:
            await draft.look(RUN)
        assert unseen.value.code == "draft-unseen"
        await point.close()


async def test_what_is_on_its_way_is_not_sent_again(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(sending=3600)
    what = transmission()
    proof = await send(point, what)
    assert proof.facts == {"state": "accepted", "said": "TRANSIT"}
    _, step = point.flow(what)
    assert (await step.call(after(proof.id))).facts["said"] == "TRANSIT"
    assert len(calls(box, "/send")) == 1
    # It is seen as a draft, and is none: the vendor says so, and shows it.
    box.fault(f"GET /documents/{proof.id}$", "stale")
    box.faults.active[0].since = box.drafts[0].created
    assert (await step.call(after(proof.id))).facts["said"] == "TRANSIT"
    # And where it goes on to be shown as a draft, nothing is known.
    box.fault(f"GET /documents/{proof.id}$", "stale", count=2)
    box.faults.active[0].since = box.drafts[0].created
    with pytest.raises(UnknownOutcome):
        await step.call(after(proof.id))
    assert (len(box.network.transmissions), step.speaks_for) == (1, 1)


@pytest.mark.parametrize(
    ("events", "ended"),
    [
        (["send_attempted"], "being-sent"),
        (["send_attempted", "send_success"], "found"),
        (["send_attempted", "send_failed"], "nothing"),
        (["send_attempted", "send_failed", "send_attempted"], "being-sent"),
        ([], "nothing"),
    ],
)
async def test_a_draft_that_was_tried_to_be_sent(
    box: Sandbox, point: AccessPoint, monkeypatch: pytest.MonkeyPatch, events: list[str], ended: str
) -> None:
    draft, step = point.flow(transmission())
    made = await draft.call(RUN)
    at = box.drafts[0].created.isoformat()
    said = [{"event_type": kind, "timestamp": at} for kind in ["document_created", *events]]
    monkeypatch.setattr("adapters.access_points.e_invoice_be.sandbox.documents.Draft.timeline", lambda *_: said)
    assert step.look is not None
    if ended == "being-sent":
        with pytest.raises(TryLater) as later:
            await step.look(after(made.id))
        assert later.value.code == "being-sent"
    else:
        found = await step.look(after(made.id))
        assert [one.facts["state"] for one in found] == (["sent"] if ended == "found" else [])


@pytest.mark.parametrize("word", [None, "VALIDATING", ""])
async def test_a_draft_that_is_not_shown_is_waited_for(
    box: Sandbox, point: AccessPoint, monkeypatch: pytest.MonkeyPatch, word: str | None
) -> None:
    draft, step = point.flow(transmission())
    made = await draft.call(RUN)
    if word is None:
        box.drafts.clear()
    else:  # it does not say that it was sent
        monkeypatch.setattr("adapters.access_points.e_invoice_be.sandbox.documents.Draft.state", lambda *_: word)
    for what in (step.call, step.look):
        with pytest.raises(TryLater) as unseen:
            await what(after(made.id))  # type: ignore[misc]
        assert unseen.value.code == "draft-unseen"


async def test_whatever_is_lost_on_the_way_each_arrives_once(box: Sandbox, point: AccessPoint) -> None:
    for n in range(60):
        mischief(box, n, "POST /documents/(ubl|.*/send)", "GET /documents")
        await insist(point, transmission(str(100 + n)))
    assert box.network.arrived() == {str(100 + n): 1 for n in range(60)}
    assert (box.mailed, box.guessed) == ([], [])


# --- what becomes of it -----------------------------------------------------------------------------------------------


async def test_how_far_it_has_come(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(sending=3600)
    proof = await send(point, transmission())
    assert await become(point, proof) == Status("accepted", "TRANSIT")
    one = box.network.find("1001")
    box.network.become(one, "failed", "No access point answers.")
    failed = await become(point, proof)
    assert (failed.state, [reason.text for reason in failed.reasons]) == ("failed", ["No access point answers."])
    assert failed.at is not None
    box.network.become(one, "sent")
    assert await become(point, proof) == Status("sent", "SENT")
    box.network.become(one, "refused", "The buyer is unknown here.")
    refused = await become(point, proof)
    assert (refused.state, refused.reasons[0].text) == ("refused", "The buyer is unknown here.")
    assert await point.status("doc-of-nobody", "") is None


async def test_an_attempt_that_fails_is_not_the_end(box: Sandbox, point: AccessPoint) -> None:
    box.network.pace = Pace(retry=3600)
    box.network.plans.append(Plan(failures=1))
    assert (await become(point, await send(point, transmission()))).said == "TRANSIT"


# --- refused, later, a person -----------------------------------------------------------------------------------------


def test_what_it_does_not_take_is_refused_before_anything_is_sent() -> None:
    what = transmission()
    for code, other, settings in (
        ("document-too-large", what, {"largest_mb": 0.001}),
        ("document-type-not-sent", replace(what, document_type=what.document_type.replace(":billing", ":self")), {}),
        ("number-missing", replace(what, number=None), {}),
    ):
        with pytest.raises(Refused) as refused:
            opened("http://127.0.0.1:9", **settings).flow(other)
        assert refused.value.code == code


async def test_what_the_vendor_finds_stands_in_the_refusal(box: Sandbox, point: AccessPoint) -> None:
    box.network.plans.append(Plan(end="rejected", reason="Sum of lines", code="BR-CO-10"))
    with pytest.raises(Refused) as refused:
        await send(point, transmission())
    assert refused.value.code == "vendor-validation"
    assert refused.value.details == [{"message": "Sum of lines", "type": "error", "rule_id": "BR-CO-10"}]
    assert calls(box, "/send") == []


async def _twice(point: AccessPoint) -> None:
    """Both calls, each once."""
    draft, step = point.flow(transmission())
    await step.call(after((await draft.call(RUN)).id))


def _answers(status: int, said: Any = "No.") -> Any:
    return lambda box: setattr(box, "_sent", lambda *_: Answer(status, {"detail": said}, {}))


@pytest.mark.parametrize(
    ("prepare", "error", "code", "words"),
    [
        (lambda box: box.fault(DRAFTING, "429", seconds=7), TryLater, "rate-limited", "Too many requests"),
        (lambda box: box.fault(SENDING, "429", seconds=7), TryLater, "rate-limited", "Too many requests"),
        (lambda box: setattr(box, "_made", lambda _: Answer), UnknownOutcome, "unknown-outcome", None),
        (lambda box: setattr(box, "foreign", {transmission().sender}), NeedsPerson, "sender-not-allowed",
         "not allowed to send"),
        (lambda box: setattr(box, "credit", 0), NeedsPerson, "access-refused", "Insufficient credits"),
        (_answers(400), Refused, "vendor-validation", "No."),
        (_answers(406), Refused, "vendor-validation", "No."),
        (_answers(422, [{"loc": ["query", "x"], "msg": "Bad", "type": "t"}]), Refused, "vendor-validation",
         "query.x: Bad"),
        (_answers(200), UnknownOutcome, "vendor-answer", None),
        (_answers(404), TryLater, "draft-unseen", None),
    ],
)  # fmt: skip
async def test_how_a_call_ended(
    box: Sandbox, point: AccessPoint, prepare: Any, error: type[VendorError], code: str, words: str | None
) -> None:
    if code == "unknown-outcome":
        box.fault(DRAFTING, "500-before")
    else:
        prepare(box)
    with pytest.raises(error) as ended:
        await _twice(point)
    assert ended.value.code == code
    if words is not None:
        assert words in ended.value.as_json()["vendor"]
    if code == "rate-limited":
        assert isinstance(ended.value, TryLater)
        assert ended.value.after == 7.0
    assert box.network.transmissions == []


async def test_a_body_that_is_no_invoice_is_refused(point: AccessPoint) -> None:
    with pytest.raises(Refused) as refused:
        await send(point, replace(transmission(), document=b"<Order/>"))
    assert refused.value.code == "vendor-validation"


# --- the account ------------------------------------------------------------------------------------------------------


async def test_the_probe_says_whose_account_it_is_and_what_it_lacks(box: Sandbox, point: AccessPoint) -> None:
    probe = await point.probe()
    assert (probe.company, probe.organisation_number, list(probe.missing)) == ("Fjord AS", "923609016", [])
    box.credit = 0
    assert [one.partition(":")[0] for one in (await point.probe()).missing] == ["credit"]
    with pytest.raises(NeedsPerson) as refused:
        await opened(box.url, api_key="wrong").probe()
    assert refused.value.code == "sign-in"


async def test_what_a_receiver_takes(box: Sandbox, point: AccessPoint) -> None:
    box.outside.add("0192:910000000")
    assert await point.takes("0192:974760673", INVOICE, PROCESS) is True
    assert await point.takes("0192:974760673", INVOICE.replace(":billing", ":self"), PROCESS) is False
    # It may be in no register, and it may be that it could not be looked up.
    assert await point.takes("0192:910000000", INVOICE, PROCESS) is None


# --- held against the vendor's description ----------------------------------------------------------------------------


async def driven(box: Sandbox) -> None:
    """Every call."""
    box.network.plans.append(Plan(number="2", end="failed"))
    box.network.pace = Pace(retry=0.0)
    point = opened(box.url, hook_secret=HOOK_SECRET)
    await point.probe()
    for what in (transmission("1"), transmission("2")):
        box.fault(DRAFTING, "no-answer")
        box.fault(SENDING, "no-answer-before")
        await point.takes(what.receiver, what.document_type, what.process)
        await point.status((await send(point, what)).id, what.instance)
    box.network.come(transmission("3").document)
    await everything(point)
    assert point.callbacks is not None
    await hook(box, enabled=False)
    await point.callbacks.keep("https://here.example/hook", None)
    await point.close()


async def hook(box: Sandbox, **said: Any) -> Any:
    """A webhook, as a person makes it; its secret is ours."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {API_KEY}"}) as person:
        body = {"url": "https://here.example/hook", "events": ["document.sent"], **said}
        made = await person.post(f"{box.url}/api/webhooks/", json=body)
    box.caller.webhooks[-1].secret = HOOK_SECRET
    return loads(made.content)


async def test_every_request_is_as_described(box: Sandbox, contract: Any) -> None:
    await driven(box)
    assert {one.path.split("/")[2] for one in box.requests if one.path.startswith("/api/")} == {
        "documents", "drafts", "outbox", "inbox", "validate", "me", "webhooks",
    }  # fmt: skip
    contract.check_requests(list(box.requests))


async def test_every_answer_is_as_described(box: Sandbox, point: AccessPoint, contract: Any) -> None:
    box.network.come(transmission("3").document)
    proof = await send(point, transmission())
    await hook(box)
    there, who = f"/api/documents/{proof.id}", "peppol_id=0192:974760673"
    async with httpx.AsyncClient(base_url=box.url, headers={"Authorization": f"Bearer {API_KEY}"}) as person:
        for method, path, status in (
            ("POST", "/api/documents/ubl", 201), ("POST", "/api/documents/ubl", 415),
            ("POST", f"{there}/send", 405), ("POST", "/api/documents/x/send", 404), ("POST", f"{there}/validate", 200),
            ("GET", there, 200), ("GET", f"{there}/timeline", 200), ("GET", f"{there}/ubl", 200),
            ("GET", "/api/documents/x", 404), ("GET", "/api/drafts/", 200), ("GET", "/api/outbox/", 200),
            ("GET", "/api/inbox/", 200), ("GET", "/api/inbox/?page_size=101", 422),
            ("GET", f"/api/validate/peppol-id?{who}", 200), ("GET", "/api/me/", 200), ("GET", "/api/webhooks/", 200),
        ):  # fmt: skip
            body = {201: transmission("4").document, 415: b"<Order/>"}.get(status)
            files = None if body is None else {"file": ("a.xml", body, "application/xml")}
            answer = await person.request(method, path, files=files)
            assert answer.status_code == status, answer.text
            contract.check_answer(method, path.partition("?")[0], status, loads(answer.content))
        box.foreign.add("0192:1")
        made = (await person.post("/api/documents/ubl", files={"file": ("a.xml", transmission("5").document)})).json()
        query = {"sender_peppol_scheme": "0192", "sender_peppol_id": "1"}
        answer = await person.post(f"/api/documents/{made['id']}/send", params=query)
        contract.check_answer("POST", "/api/documents/x/send", 409, loads(answer.content))


@pytest.mark.parametrize(
    ("method", "path", "query", "kind", "body"),
    [
        ("POST", "/api/documents/ubl", {}, "application/xml", b"<Invoice/>"),
        ("POST", "/api/documents/ubl", {}, "multipart/form-data", {"document": "x"}),
        ("POST", "/api/documents/d/send", {"receiver": "0192:1"}, "", None),
        ("GET", "/api/documents/ubl", {"page": "0"}, "", None),
        ("GET", "/api/inbox/", {"page_size": "101"}, "", None),
        ("GET", "/api/inbox/", {"sort_by": "received_at"}, "", None),
        ("GET", "/api/validate/peppol-id", {}, "", None),
        ("PUT", "/api/webhooks/w", {}, "application/json", {"active": True}),
        ("GET", "/api/inbox", {}, "", None),
    ],
)
def test_the_check_can_fail(contract: Any, method: str, path: str, query: dict[str, str], kind: str, body: Any) -> None:
    with pytest.raises(AssertionError):
        contract.check_request(method, path, query, kind, body)
