"""What comes: a list without any mark of what was taken, so the cursor knows; and what calls to us hint at."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from e_invoice_be_driving import HOOK_SECRET, everything, opened, send, transmission

from adapters.access_points.e_invoice_be import receiving
from adapters.access_points.e_invoice_be.callbacks import EVENTS
from adapters.access_points.e_invoice_be.sandbox import NUMBER, Sandbox
from adapters.access_points.e_invoice_be.sandbox.calling import Webhook, event
from connector.errors import BadInput, Denied, NeedsPerson, TryLater
from connector.model.json import dumps, loads
from connector.ports import AccessPoint, Callbacks
from connector.testing.samples import organisation_number, purchase


def earlier(days: int = 2) -> Any:
    """A day before today: what came on it is taken, too."""
    return datetime.now(UTC).date() - timedelta(days=days)


def fetched(box: Sandbox) -> int:
    return sum(one.path.startswith("/files/") for one in box.requests)


def come(box: Sandbox, *numbers: str, hours: float = 0.0) -> None:
    """Documents that came so many hours ago."""
    for number in numbers:
        for one in box.network.come(purchase(NUMBER, number)):
            one.came = datetime.now(UTC) - timedelta(hours=hours)


def numbers(box: Sandbox, messages: Any) -> list[str | None]:
    by_id = {one.id: one.papers.number for one in box.network.incoming}
    return [by_id[one.id] for one in messages]


async def test_what_came_comes_once_with_its_bytes_and_addresses(box: Sandbox, point: AccessPoint) -> None:
    come(box, "1", "2")
    messages, cursor = await everything(point)
    assert sorted(one.body for one in messages) == sorted(one.document for one in box.network.incoming)
    assert {(one.sender, one.receiver, one.content_type) for one in messages} == {
        (f"0192:{organisation_number(90)}", f"0192:{NUMBER}", "application/xml")
    }
    come(box, "3")
    again, cursor = await everything(point, cursor)
    assert numbers(box, again) == ["3"]
    assert (await everything(point, cursor))[0] == []
    assert fetched(box) == 3  # what is read once more is not fetched once more
    for link in (one for one in box.requests if one.path.startswith("/files/")):
        assert "authorization" not in link.headers


async def test_each_look_reaches_back_for_what_is_shown_late(box: Sandbox) -> None:
    point = opened(box.url, receive_since=earlier())
    come(box, "1")
    _, cursor = await everything(point)
    come(box, "late", hours=0.9)
    come(box, "too late", hours=1.1)
    assert numbers(box, (await everything(point, cursor))[0]) == ["late"]
    await point.close()


@pytest.mark.parametrize(("since", "found"), [(None, []), (2, ["yesterday"]), (40, ["yesterday", "last month"])])
async def test_where_it_begins(box: Sandbox, since: int | None, found: list[str]) -> None:
    point = opened(box.url, receive_since=None if since is None else earlier(since))
    come(box, "last month", hours=24 * 30)
    come(box, "yesterday", hours=26)
    assert numbers(box, (await everything(point))[0]) == found
    await point.close()


async def test_a_long_list_is_read_page_by_page_while_it_changes(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    point = opened(box.url, receive_since=earlier())
    monkeypatch.setattr(receiving, "PAGE", 3)
    for n in range(8):
        come(box, str(n))
    first = await point.inbox(None)
    assert (numbers(box, first.messages), first.more) == (["7", "6", "5"], True)
    come(box, "8")  # what is on the next page moves down
    second = await point.inbox(first.cursor)
    assert numbers(box, second.messages) == ["4", "3"]
    del box.network.incoming[4:7]  # and up
    rest, cursor = await everything(point, second.cursor)
    assert sorted(map(str, numbers(box, rest))) == ["0", "1", "2", "8"]
    assert (await everything(point, cursor))[0] == []
    # The next look does not go further down than what is new.
    for one in box.network.incoming:
        one.came -= timedelta(hours=3)
    come(box, "9")
    box.requests.clear()
    assert numbers(box, (await everything(point, cursor))[0]) == ["9"]
    assert [one.query["page"] for one in box.requests if one.path == "/api/inbox/"] == ["1"]
    await point.close()


async def test_what_cannot_be_fetched_yet_is_waited_for_and_then_told(box: Sandbox) -> None:
    point = opened(box.url, receive_since=earlier())
    box.rules.links = None
    come(box, "old", hours=1.5)
    come(box, "1", hours=0.9)
    come(box, "new", hours=-0.2)  # so that the next look would not reach back to the one before by itself
    messages, cursor = await everything(point)
    (told,) = messages  # it has been waited for, and holds up nothing
    assert (loads(told.body)["invoice_id"], told.content_type) == ("old", "application/json")
    assert (await everything(point, cursor))[0] == []
    box.rules.links = 60.0
    assert numbers(box, (await everything(point, cursor))[0]) == ["new", "1"]
    await point.close()


async def test_an_odd_answer_holds_up_nothing(box: Sandbox, point: AccessPoint) -> None:
    come(box, "1", "2")
    box.fault("GET /documents/.*/ubl", "garbled")
    messages, cursor = await everything(point)
    assert numbers(box, messages) == ["1"]
    assert numbers(box, (await everything(point, cursor))[0]) == ["2"]
    box.fault("GET /documents/.*/ubl", "500-before", count=3)  # while this is for later
    come(box, "3")
    with pytest.raises(TryLater):
        await point.inbox(cursor)


async def test_a_link_that_has_ended_is_no_document(box: Sandbox, point: AccessPoint) -> None:
    box.rules.links = -1.0
    come(box, "1")
    assert (await everything(point))[0] == []
    box.fault("GET /inbox", "500-before", count=3)
    with pytest.raises(TryLater):
        await point.inbox(None)
    box.rules.links = 60.0
    assert len((await everything(point))[0]) == 1


# --- its calls to us --------------------------------------------------------------------------------------------------


def callbacks(box: Sandbox, secret: str = HOOK_SECRET) -> Callbacks:
    found = opened(box.url, hook_secret=secret).callbacks
    assert found is not None
    return found


def call(kind: str, id: str = "doc-1", secret: str = HOOK_SECRET, **more: Any) -> tuple[dict[str, str], bytes]:
    """What the stand-in posts."""
    body, headers = Webhook("", [], secret=secret).signed(event(kind, id) | more)
    return {name.lower(): value for name, value in headers.items()}, body


def test_the_signature_is_over_the_event_written_anew(box: Sandbox) -> None:
    hooks = callbacks(box)
    headers, body = call("document.sent", amount=1234.10, æ={"z": [1, None, True], "å": "ø\u2028"})
    assert b"\xc3\xa6" in body
    assert hooks.hear(headers, body, None).transmissions == ["doc-1"]
    over_bytes = hmac.new(HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-signature"] != f"sha256={over_bytes}"
    for other in (body.replace(b"doc-1", b"doc-2"), body.replace(b"1234.1", b"1234.2")):
        with pytest.raises(Denied):
            hooks.hear(headers, other, None)


# Computed once by another program: {"a": "\u00f8", "data": {"document_id": "d"}, "type": "document.sent"}.
KNOWN = "sha256=8a723f803acce89d24f98a6fe2a2d8e1d30b5ff2bf7f6c5d8768523d44ab9284"


def test_a_known_signature(box: Sandbox) -> None:
    body = '{"type":"document.sent","data":{"document_id":"d"},"a":"ø"}'.encode()
    assert callbacks(box).hear({"x-signature": KNOWN}, body, None).transmissions == ["d"]


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        (lambda headers, body: ({}, body), Denied, "signature-wrong"),
        (lambda headers, body: ({"x-signature": "sha256=ø"}, body), Denied, "signature-wrong"),
        (lambda headers, body: call("document.sent", secret="another secret here"), Denied, "signature-wrong"),
        (lambda headers, body: (headers, b"<xml/>"), BadInput, "hook-malformed"),
        (lambda headers, body: (headers, b"[]"), BadInput, "hook-malformed"),
        (lambda headers, body: (headers, b"[" * 100_000), BadInput, "hook-malformed"),
        (lambda headers, body: (headers, b"\xff"), BadInput, "hook-malformed"),
    ],
)
def test_what_is_not_believed(box: Sandbox, change: Callable[..., Any], error: type[Exception], code: str) -> None:
    with pytest.raises(error) as refused:
        callbacks(box).hear(*change(*call("document.sent")), None)
    assert refused.value.code == code  # type: ignore[attr-defined]


def test_a_call_is_a_reason_to_look(box: Sandbox) -> None:
    hooks = callbacks(box)
    for kind, about, inbox in (
        ("document.sent", ["doc-1"], False), ("document.sent.failed", ["doc-1"], False),
        ("document.received", [], True), ("document.received.failed", [], True), ("something.else", [], True),
    ):  # fmt: skip
        headers, body = call(kind)
        told = hooks.hear(headers, body, None)
        assert (told.event, told.transmissions, told.inbox, told.messages) == (kind, about, inbox, ())
        assert told.key == loads(body)["id"]


async def test_the_webhook_that_a_person_made_is_kept(box: Sandbox) -> None:
    hooks, target = callbacks(box), "https://here.example/hook"
    with pytest.raises(NeedsPerson) as missing:
        await hooks.keep(target, None)
    assert missing.value.code == "hook-missing"
    there = Webhook(target, ["document.sent", "document.other"], enabled=False, secret=HOOK_SECRET)
    others = Webhook("https://there.example/hook", ["document.sent"])
    box.caller.webhooks += [others, there]
    kept = await hooks.keep(target, None)
    assert kept.events == dict.fromkeys(EVENTS, "missing") | {"document.sent": "off"}
    assert (set(kept.mended), there.enabled, set(there.events)) == (set(EVENTS), True, {*EVENTS, "document.other"})
    again = await hooks.keep(target, kept.state)
    assert (again.mended, again.events) == ([], dict.fromkeys(EVENTS, "active"))
    # Nobody listens there any more; it can be switched on again, with the same secret.
    ended = await hooks.keep(None, kept.state)
    assert (ended.events, there.enabled, others.enabled) == ({}, False, True)
    there.secret = "made anew over there"
    with pytest.raises(NeedsPerson) as wrong:
        await hooks.keep(target, None)
    assert wrong.value.code == "hook-secret-wrong"
    assert there.enabled is False


async def test_the_stand_in_calls(box: Sandbox, point: AccessPoint) -> None:
    heard: list[Any] = []
    async with Sandbox() as ears:  # any server will do: what it is posted is read
        ears.own = lambda request: heard.append(request)  # type: ignore[method-assign]
        box.caller.webhooks.append(Webhook(f"{ears.url}/_desk/hook", list(EVENTS), secret=HOOK_SECRET))
        proof = await send(point, transmission())
        come(box, "1")
        await box.caller.idle()
    told = [callbacks(box).hear(one.headers, dumps(one.body), None) for one in heard]
    assert {(one.event, tuple(one.transmissions)) for one in told} == {
        ("document.sent", (proof.id,)), ("document.received", ()),
    }  # fmt: skip
