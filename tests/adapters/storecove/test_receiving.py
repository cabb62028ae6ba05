"""What comes: the first of a queue, fetched at once, and taken away only when the house says so."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from storecove_driving import HOOK_SECRET, emptied, opened, send, transmission

from adapters.access_points.storecove.sandbox import LEGAL_ENTITY, Rules, Sandbox
from adapters.loopback import Answer
from connector.errors import BadInput, Denied, NeedsPerson, TryLater, VendorError
from connector.model.json import dumps, loads
from connector.ports import AccessPoint
from connector.testing.samples import purchase

COMPANY = "923609016"


async def test_what_comes_waits_until_it_is_acknowledged(box: Sandbox, point: AccessPoint) -> None:
    bodies = [purchase(COMPANY, str(n)) for n in range(3)]
    for body in bodies:
        box.network.come(body)
    first = await point.inbox(None)
    assert ([one.body for one in first.messages], first.more) == (bodies[:1], True)
    again = await point.inbox(first.cursor)  # read on without acknowledging: the same, and no end of it is promised
    assert ([one.id for one in again.messages], again.more) == ([one.id for one in first.messages], False)
    assert len(box.network.waiting()) == 3
    for _ in range(2):  # twice is harmless: what has become the first one meanwhile stays
        await point.acknowledge(first.messages[0].id)
    assert len(box.queue.events) == 2
    messages, reports = await emptied(point)
    assert ([one.body for one in messages], reports, box.network.waiting()) == (bodies[1:], [], [])
    assert {one.content_type for one in messages} == {"application/xml"}
    empty = await point.inbox(None)
    assert (empty.messages, empty.reports, empty.more) == ((), (), False)


async def test_two_events_of_one_document_are_one_message(box: Sandbox, point: AccessPoint) -> None:
    (came,) = box.network.come(purchase(COMPANY, "1"))
    box.queue.came(came)
    box.network.come(purchase(COMPANY, "2"))
    messages, _ = await emptied(point)
    assert len(messages) == 3
    assert len({one.id for one in messages}) == 2
    assert box.queue.events == []


@pytest.mark.parametrize("seconds", [60.0, -1.0])
async def test_a_link_is_followed_at_once_without_our_key(seconds: float) -> None:
    async with Sandbox(rules=Rules(links=seconds)) as box:
        point, body = opened(box.url), purchase(COMPANY, "1")
        (came,) = box.network.come(body)
        (message,), _ = await emptied(point)
        if seconds > 0:
            assert (message.body, message.content_type) == (body, "application/xml")
        else:  # it does not hold any more: what is known of it reaches a person, and the queue goes on
            assert message.content_type == "application/json"
            assert loads(message.body)["document_guid"] == came.id
        (link,) = [one for one in box.requests if one.path.startswith("/links/")]
        assert "authorization" not in link.headers
        await point.close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b'{"guid": "g", "shape": "new"}', "application/json"), (b"plain text", "application/octet-stream"),
     (b'{"original": "no base64!"}', "application/json"), (b"<Invoice/>", "application/xml")],
)  # fmt: skip
async def test_a_document_in_an_odd_shape_is_kept_and_holds_up_nothing(
    box: Sandbox, point: AccessPoint, monkeypatch: pytest.MonkeyPatch, body: bytes, kind: str
) -> None:
    monkeypatch.setattr(box, "_original", lambda guid: Answer(200, body, {}))
    box.network.come(purchase(COMPANY, "1"))
    (message,), _ = await emptied(point)
    assert (message.body, message.content_type, box.queue.events) == (body, kind, [])


async def test_what_is_too_large_to_be_taken_in_holds_up_nothing(box: Sandbox) -> None:
    point = opened(box.url, most=40_000)
    box.network.come(purchase(COMPANY, "1").replace(b"</Invoice>", b" " * 40_000 + b"</Invoice>"))
    box.network.come(purchase(COMPANY, "2"))
    messages, _ = await emptied(point)
    assert [one.content_type for one in messages] == ["application/json", "application/xml"]
    await point.close()


async def test_a_link_that_leads_elsewhere_is_not_followed(box: Sandbox, point: Any) -> None:
    with pytest.raises(VendorError) as refused:
        await point._client.follow("http://127.0.0.1:9/secret")
    assert refused.value.code == "link-unfit"


async def test_what_cannot_be_fetched_now_is_not_lost(box: Sandbox, point: AccessPoint) -> None:
    box.network.come(purchase(COMPANY, "1"))
    box.fault("GET /received_documents/", "500-before", count=3)
    with pytest.raises(TryLater):
        await point.inbox(None)
    assert len((await emptied(point))[0]) == 1


async def test_an_event_nobody_can_read_is_kept_for_a_person(box: Sandbox, point: AccessPoint) -> None:
    box.queue.events.append(("5a301110-db65-48fe-8993-61db26939d74", "<html>"))
    box.queue.add(event_type="legal_entity", event="verified", guid=None)
    messages, reports = await emptied(point)
    assert [one.body for one in messages] == [b"<html>"]
    assert [(one.transmission, one.status.said) for one in reports] == [("", "legal_entity verified")]
    assert box.queue.events == []


@pytest.mark.parametrize("mark", [{"legal_entity_id": 1}, {"tenant_id": "other", "legal_entity_id": None}])
async def test_another_companys_event_is_left_to_it(box: Sandbox, mark: dict[str, Any]) -> None:
    point = opened(box.url, tenant_id="mine")
    box.queue.add(event_type="received_document", document_guid="5a301110-db65-48fe-8993-61db26939d74", **mark)
    box.network.come(purchase(COMPANY, "1"))
    page = await point.inbox(None)
    assert (page.messages, page.reports, page.more, len(box.queue.events)) == ((), (), False, 2)
    # Whose it is has had an hour to take it: nobody sees what is behind it.
    long_ago = loads(page.cursor or "") | {"since": (datetime.now(UTC) - timedelta(minutes=61)).isoformat()}
    with pytest.raises(NeedsPerson) as held:
        await point.inbox(dumps(long_ago).decode())
    assert held.value.code == "queue-held"
    box.queue.take(box.queue.events[0][0])
    assert len((await emptied(point))[0]) == 1
    await point.close()


# --- its calls to us --------------------------------------------------------------------------------------------------


def heard(body: Any, secret: str = HOOK_SECRET) -> Any:
    callbacks = opened("http://127.0.0.1:9", hooks=True, tenant_id="mine").callbacks
    assert callbacks is not None
    proof = base64.b64encode(f"anybody:{secret}".encode()).decode()
    data = body if isinstance(body, bytes) else dumps(body)
    return callbacks.hear({"authorization": f"Basic {proof}"}, data, None)


async def test_a_webhook_tells_what_has_become_of_what_was_sent(box: Sandbox, point: AccessPoint) -> None:
    what = transmission()
    await send(point, what)
    _, body = box.queue.look(box.network.transmissions) or ("", "")
    told = heard(body.encode())
    assert (told.event, [(one.transmission, one.status.state) for one in told.reports]) == (
        "succeeded", [(what.instance, "sent")],
    )  # fmt: skip
    assert told.key == heard(body.encode()).key
    answer = base64.b64encode(b"<ApplicationResponse/>").decode()
    answered = heard({"event": "rejected", "guid": "g", "response_document": answer})
    assert [one.body for one in answered.messages] == [b"<ApplicationResponse/>"]


@pytest.mark.parametrize(
    ("body", "secret", "error", "code"),
    [
        ({"event": "succeeded", "guid": "g"}, "guessed", Denied, "signature-wrong"),
        ({"event": "succeeded", "guid": "g", "tenant_id": "other"}, HOOK_SECRET, Denied, "hook-for-another"),
        ({"event": "succeeded", "guid": "g", "legal_entity_id": 1}, HOOK_SECRET, Denied, "hook-for-another"),
        (b"<xml/>", HOOK_SECRET, BadInput, "hook-malformed"),
        (b"[]", HOOK_SECRET, BadInput, "hook-malformed"),
        # Its document would be lost if it were answered with 2xx: only the queue shows it until it is on disk.
        ({"event": "received", "document_guid": "g", "legal_entity_id": LEGAL_ENTITY}, HOOK_SECRET, BadInput,
         "hook-not-taken"),
    ],
)  # fmt: skip
def test_what_is_not_taken_from_a_webhook(body: Any, secret: str, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as refused:
        heard(body, secret)
    assert refused.value.code == code  # type: ignore[attr-defined]


async def test_webhooks_are_set_up_by_hand(box: Sandbox, point: AccessPoint) -> None:
    assert point.callbacks is None
    hooks = opened(box.url, hooks=True).callbacks
    assert hooks is not None
    assert (await hooks.keep("https://here.example", None)).events == {}
    assert not box.requests
