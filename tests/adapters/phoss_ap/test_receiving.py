"""What phoss-ap hands over: posted to a receiver of ours over a socket, once it is taken, again until then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from phoss_ap_driving import BUYER, send, transmission

from adapters.access_points.phoss_ap.sandbox import HOOK_SECRET, TOKEN, Sandbox
from adapters.loopback import Answer, Request
from adapters.loopback.http11 import Connection
from connector.errors import BadInput, Clash, ConnectorError, Denied, TryLater
from connector.model.json import dumps
from connector.peppol import envelope
from connector.ports import AccessPoint, Message, Told
from connector.testing.samples import purchase


class House:
    """Hears what is posted, as the house does; `fails`: errors that the next calls end with."""

    def __init__(self, point: AccessPoint) -> None:
        assert point.callbacks is not None
        self.callbacks = point.callbacks
        self.told: list[Told] = []
        self.fails: list[ConnectorError] = []
        self.requests = None

    @property
    def messages(self) -> list[Message]:
        return [message for told in self.told for message in told.messages]

    def answer(self, request: Request) -> Answer:
        assert isinstance(request.body, bytes)
        try:
            told = self.callbacks.hear(request.headers, request.body, None)
            if self.fails:
                raise self.fails.pop(0)
        except ConnectorError as error:
            refusal = self.callbacks.refusal(error)
            return Answer(400, error.as_json(), {}) if refusal is None else Answer(200, refusal, {})
        self.told.append(told)
        return Answer(204, None, {}) if told.answer is None else Answer(200, dumps(told.answer).decode(), {})


class _Handler:
    def __init__(self, house: House) -> None:
        self.house = house
        self.requests: list[Request] = []

    def handle(self, request: Request) -> tuple[Answer | None, float]:
        return self.house.answer(request), 0.0

    def refuse(self, why: ValueError) -> Answer:
        return Answer(400, str(why), {})


@pytest.fixture
async def house(point: AccessPoint) -> AsyncIterator[House]:
    it, open_ones = House(point), set[Connection]()
    handler = _Handler(it)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(handler, open_ones), "127.0.0.1", 0)
    it.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    it.requests = handler.requests
    yield it
    server.close()
    for one in list(open_ones):
        one.cut()


async def test_an_invoice_comes_whole_in_its_envelope(box: Sandbox, house: House) -> None:
    box.forward_to(house.url)
    document = purchase(BUYER, "77")
    (came,) = box.network.come(document)
    await box.forwarder.idle()
    (message,) = house.messages
    assert (message.id, message.instance, message.content_type) == (
        came.papers.instance,
        came.papers.instance,
        "application/xml",
    )
    on, inside = envelope.read(message.body)
    assert (on.instance, on.receiver.number, on.country) == (message.instance, BUYER, "NO")
    assert inside.partition(b"?>")[2].strip() == document.partition(b"?>")[2].strip()
    (handing,) = box.forwarder.handings
    assert (handing.status, handing.country, handing.answers, came.handled) == ("forwarded", "NO", [200], True)


async def test_it_is_posted_again_until_it_is_taken(box: Sandbox, house: House) -> None:
    box.forwarder.retry = 0.02
    house.fails = [TryLater("The disk is full."), Denied("No."), Clash("Moved.")]
    box.network.come(purchase(BUYER, "77"))
    await asyncio.sleep(0.05)
    assert house.told == []
    box.forward_to(house.url)
    await box.forwarder.idle()
    (handing,) = box.forwarder.handings
    assert (handing.status, handing.answers) == ("forwarded", [400, 400, 400, 200])
    assert len(house.messages) == 1


async def test_what_would_be_refused_again_is_not_posted_again(box: Sandbox, house: House) -> None:
    house.fails = [BadInput("It is no envelope.", code="envelope-malformed")]
    box.forward_to(house.url)
    box.network.come(b"no XML at all", receiver=f"0192:{BUYER}", instance="i-1")
    await box.forwarder.idle()
    (handing,) = box.forwarder.handings
    assert (handing.status, handing.answers) == ("permanently_failed", [200])
    assert "envelope-malformed: It is no envelope." in (handing.error or "")


async def test_who_has_not_the_secret_is_not_heard(box: Sandbox, house: House) -> None:
    box.forwarder.attempts = 2
    box.forwarder.retry = 0.01
    box.forward_to(house.url, {"X-Hook-Secret": "guessed"})
    box.network.come(purchase(BUYER, "77"))
    await box.forwarder.idle()
    (handing,) = box.forwarder.handings
    assert (house.told, handing.answers, handing.status) == ([], [400, 400], "permanently_failed")
    for headers in ({}, {"x-hook-secret": ""}, {"x-hook-secret": "blåbær"}, {"x-hook-secret": HOOK_SECRET[:-1]}):
        with pytest.raises(Denied) as denied:
            house.callbacks.hear(headers, b"<x/>", None)
        assert denied.value.code == "signature-wrong"
    # Whoever sets the secret right gets what was not heard.
    box.forward_to(house.url)
    await box.forwarder.idle()
    assert len(house.messages) == 1


async def test_a_message_twice_is_one_key_and_another_under_its_id_is_not(box: Sandbox, house: House) -> None:
    box.forward_to(house.url)
    box.network.come(purchase(BUYER, "77"), instance="i-1", times=2)
    box.network.come(purchase(BUYER, "78"), instance="i-1")
    await box.forwarder.idle()
    assert [message.id for message in house.messages] == ["i-1"] * 3
    assert len({told.key for told in house.told}) == 2


async def test_without_its_id_or_its_body(house: House) -> None:
    headers = {"x-hook-secret": HOOK_SECRET, "content-type": "application/xml; charset=UTF-8"}
    (message,) = house.callbacks.hear(headers, b"<x/>", None).messages
    assert (message.instance, message.id[:7], message.content_type) == (None, "sha256-", "application/xml")
    with pytest.raises(BadInput) as empty:
        house.callbacks.hear(headers, b" \n", None)
    assert empty.value.code == "hook-malformed"
    subscribed = await house.callbacks.keep("https://connector.example/x", None)
    assert (subscribed.events, subscribed.mended) == ({"document": "set by hand"}, ())


async def test_a_server_that_reads_no_answers_is_told_of(box: Sandbox, house: House, point: AccessPoint) -> None:
    box.forward_to(house.url, mode="async")
    box.network.come(purchase(BUYER, "77"))
    await box.forwarder.idle()
    (handing,) = box.forwarder.handings
    assert (handing.status, handing.country, len(house.messages)) == ("forwarded", None, 1)
    (missing,) = (await point.probe()).missing
    assert "forwarding.mode=http_post_sync" in missing
    await point.acknowledge(house.messages[0].id)
    async with httpx.AsyncClient(base_url=box.url, headers={"X-Token": TOKEN}) as operator:
        query = {"sbdhInstanceID": handing.message.papers.instance, "c4CountryCode": "NO"}
        told = [(await operator.post("/api/inbound/report", params=query)).status_code for _ in range(2)]
    assert (told, handing.country) == ([200, 400], "NO")


async def test_the_buyer_answers(box: Sandbox, house: House, point: AccessPoint) -> None:
    box.forward_to(house.url)
    what = transmission()
    await send(point, what)
    response = (
        b'<ApplicationResponse xmlns="urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2" xmlns:cbc='
        b'"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><cbc:CustomizationID>urn:fdc:peppol.eu'
        b":poacc:trns:invoice_response:3</cbc:CustomizationID><cbc:ProfileID>urn:fdc:peppol.eu:poacc:bis:"
        b"invoice_response:3</cbc:ProfileID><cbc:ID>svar-1</cbc:ID></ApplicationResponse>"
    )
    box.network.answer(box.network.find("1001"), response)
    await box.forwarder.idle()
    on, _ = envelope.read(house.messages[0].body)
    assert (on.sender.value, on.receiver.value) == (what.receiver, what.sender)
    assert on.document.root == "ApplicationResponse"


async def test_nothing_waits_to_be_fetched(point: AccessPoint) -> None:
    assert point.inbox_every is None
    assert (await point.inbox(None)).messages == ()
    assert await point.takes("0192:923609016", "busdox-docid-qns::x", "cenbii-procid-ubl::x") is None
