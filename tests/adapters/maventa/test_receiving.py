"""What comes: read whole, once, and handled only when the house says so; and Maventa's calls that say when to look."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from maventa_driving import HOOK_SECRET, everything, opened, response

from adapters.access_points.maventa.sandbox import COMPANY, Rules, Sandbox
from adapters.loopback import Answer
from connector.errors import BadInput, Denied, TryLater, VendorError
from connector.model.json import loads
from connector.ports import AccessPoint
from connector.testing.samples import purchase

COMPANY_NUMBER = "923609016"


async def test_what_comes_is_read_once_and_then_handled(box: Sandbox, point: AccessPoint) -> None:
    bodies = [purchase(COMPANY_NUMBER, str(n)) for n in range(45)]  # three pages
    for body in bodies:
        box.network.come(body)
    answer = response().document
    box.network.come(answer, sender="0192:974760673", receiver=f"0192:{COMPANY_NUMBER}")
    page = await point.inbox(None)
    assert (len(page.messages), page.more) == (20, True)
    assert box.network.waiting() == box.network.incoming  # nothing is handled before the house says so
    found, cursor = await everything(point)
    assert sorted(one.body for one in found) == sorted([*bodies, answer])
    assert {one.id.partition("/")[0] for one in found} == {"invoices", "documents"}
    assert {(one.receiver, one.content_type) for one in found} == {(f"0192:{COMPANY_NUMBER}", "application/xml")}
    assert box.network.waiting() == []
    for one in found[-2:]:
        await point.acknowledge(one.id)  # twice is harmless
    assert (await everything(point, cursor))[0] == []
    box.network.come(purchase(COMPANY_NUMBER, "46"))
    assert [one.body for one in (await everything(point, cursor))[0]] == [purchase(COMPANY_NUMBER, "46")]


async def test_the_same_page_comes_again_until_its_cursor_is_kept(box: Sandbox, point: AccessPoint) -> None:
    box.network.come(purchase(COMPANY_NUMBER, "1"))
    box.fault("GET /invoices/", "500-before", count=3)
    with pytest.raises(TryLater):
        await point.inbox(None)
    assert [one.id for one in (await point.inbox(None)).messages] == [
        one.id for one in (await point.inbox(None)).messages
    ]


async def test_what_is_shown_late_is_found_within_the_overlap(box: Sandbox, point: AccessPoint) -> None:
    _, cursor = await everything(point)
    (late,) = box.network.come(purchase(COMPANY_NUMBER, "1"))
    late.came = datetime.now(UTC) - timedelta(minutes=30)
    found, cursor = await everything(point, cursor)
    assert [one.id for one in found] == [f"invoices/{late.id}"]
    assert (await everything(point, cursor))[0] == []


async def test_what_came_before_the_connection_is_left_alone(box: Sandbox, point: AccessPoint) -> None:
    (old,) = box.network.come(purchase(COMPANY_NUMBER, "1"))
    old.came = datetime(2026, 1, 2, tzinfo=UTC)
    assert (await everything(point))[0] == []
    since = opened(box.url, receive_since="2026-01-01")
    assert len((await everything(since))[0]) == 1
    await since.close()


async def test_what_cannot_be_had_in_our_format_comes_as_it_is() -> None:
    async with Sandbox(rules=Rules(converts=False)) as box:
        point = opened(box.url)
        body = purchase(COMPANY_NUMBER, "1")
        box.network.come(body)
        assert [one.body for one in (await everything(point))[0]] == [body]
        await point.close()


async def test_what_is_not_there_is_null_and_an_id_leads_nowhere_else(
    box: Sandbox, point: AccessPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"id": "7", "sender": None, "recipient": {"eia": None}, "files": None, "number": 12, "received_at": None}
    monkeypatch.setattr(box, "_listed", lambda call, door: Answer(200, [row] if door == "invoices" else [], {}))
    (message,) = (await point.inbox(None)).messages  # it cannot be fetched, so what is shown of it is kept
    assert (loads(message.body), message.content_type, message.sender) == (row, "application/json", None)
    row["id"] = "../companies"
    with pytest.raises(VendorError) as odd:
        await point.inbox(None)
    assert odd.value.code == "vendor-answer"


async def test_what_is_too_large_to_be_taken_in_holds_up_nothing(box: Sandbox) -> None:
    point = opened(box.url, most=20_000)
    (huge,) = box.network.come(purchase(COMPANY_NUMBER, "1").replace(b"</Invoice>", b" " * 20_000 + b"</Invoice>"))
    box.network.come(purchase(COMPANY_NUMBER, "2"))
    found, _ = await everything(point)
    shown = {one.id: one.content_type for one in found}
    assert (len(shown), shown[f"invoices/{huge.id}"]) == (2, "application/json")
    await point.close()


async def test_nothing_is_received_where_that_is_switched_off() -> None:
    assert opened("http://127.0.0.1:9", inbox_minutes=0).inbox_every is None
    assert opened("http://127.0.0.1:9").inbox_every == timedelta(minutes=5)


# --- its calls to us --------------------------------------------------------------------------------------------------


class Door:
    """Where we are called: keeps what came."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []

    async def __aenter__(self) -> Door:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/hooks/7"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        self.came.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()


async def test_it_calls_us_with_our_secret_when_something_comes(box: Sandbox) -> None:
    point = opened(box.url, hooks=True)
    assert point.callbacks is not None
    async with Door() as door:
        made = await point.callbacks.keep(door.url, None)
        assert len(made.mended) == 4
        assert HOOK_SECRET not in made.state
        assert not (await point.callbacks.keep(door.url, made.state)).mended
        (subscription,) = box.caller.subscriptions
        box.network.come(purchase(COMPANY_NUMBER, "1"))
        await box.caller.idle()
        ((headers, body),) = door.came
        told = point.callbacks.hear(headers, body, made.state)
        assert (told.event, told.inbox, told.transmissions) == ("DOCUMENTS.INVOICE.RECEIVED", True, [])
        moved = await point.callbacks.keep(f"{door.url}/new", made.state)
        assert (len(moved.mended), len(box.caller.subscriptions)) == (4, 1)
        assert subscription not in box.caller.subscriptions
        await point.callbacks.keep(None, moved.state)
        assert box.caller.subscriptions == []
    await point.close()


def heard(secret: str, body: bytes) -> Any:
    proof = base64.b64encode(f"maventa:{secret}".encode()).decode()
    callbacks = opened("http://127.0.0.1:9", hooks=True).callbacks
    assert callbacks is not None
    return callbacks.hear({"authorization": f"Basic {proof}"}, body, None)


def test_what_a_call_says_is_where_to_look() -> None:
    id = "5a301110-db65-48fe-8993-61db26939d99"
    body = f'{{"event": "DOCUMENTS.INVOICE.FAILED", "company_id": "{COMPANY}", "data": {{"id": "{id}"}}}}'.encode()
    told = heard(HOOK_SECRET, body)
    assert (told.transmissions, told.inbox) == ([f"invoices/{id}"], False)
    assert told.key == heard(HOOK_SECRET, body).key != heard(HOOK_SECRET, body + b" ").key
    assert heard(HOOK_SECRET, b'{"what": 1}').inbox is True


@pytest.mark.parametrize(
    ("secret", "body", "error", "code"),
    [
        ("guessed", b"{}", Denied, "signature-wrong"),
        (HOOK_SECRET, b'{"company_id": "another"}', Denied, "hook-for-another"),
        (HOOK_SECRET, b"<xml/>", BadInput, "hook-malformed"),
        (HOOK_SECRET, b"[]", BadInput, "hook-malformed"),
    ],
)
def test_a_forged_call_is_denied(secret: str, body: bytes, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as refused:
        heard(secret, body)
    assert refused.value.code == code  # type: ignore[attr-defined]


async def test_without_a_secret_of_ours_there_are_no_calls(box: Sandbox, point: AccessPoint) -> None:
    assert point.callbacks is None
    async with httpx.AsyncClient() as client:
        said = (await client.get(f"{box.url}/_desk/incoming")).json()
    assert said == []
