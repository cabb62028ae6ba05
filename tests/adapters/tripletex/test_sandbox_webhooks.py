"""Webhooks of the sandbox: subscribing, deliveries by real POSTs, signatures, failures, switching on again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import date
from decimal import Decimal

import pytest

EVENT = "/event/subscription"


class Listener:
    """A subscriber on loopback: keeps what is posted, answers `status`."""

    def __init__(self):
        self.posted, self.status = [], 200

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = [line.partition(":") for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value.strip() for name, _, value in lines}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.posted.append((headers, body))
                writer.write(f"HTTP/1.1 {self.status} -\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def said(self):
        return [json.loads(body) for _, body in self.posted]


@pytest.fixture
async def listener():
    async with Listener() as it:
        yield it


@pytest.fixture
def webhooks(box):
    return box.webhooks[box.books.company["id"]]


async def subscribe(call, listener, event, **more):
    return await call("POST", EVENT, {"event": event, "targetUrl": listener.url, **more})


async def test_what_can_be_subscribed_to(checked):
    found = await checked("GET", "/event")
    assert {"invoice.charged", "customer.update", "voucherstatus.ready", "closeGroup.delete"} <= set(found)
    assert not {"invoice.update", "payment.create"} & set(found)
    assert (await checked("GET", "/event/customer.create"))["payloadModel"] == "Customer"
    assert (await checked.refused("GET", "/event/invoice.update"))["code"] == 6000


async def test_a_change_is_posted_and_signed(checked, listener, webhooks):
    more = {"hmacSharedSecret": "hemmelig", "authHeaderName": "X-Key", "authHeaderValue": "abc", "fields": "id,name"}
    made = await subscribe(checked, listener, "customer.create", **more)
    assert made["status"] == "ACTIVE"
    assert not {"hmacSharedSecret", "authHeaderValue"} & set(made)
    customer = await checked.customer()
    await webhooks.idle()
    ((headers, body),) = listener.posted
    value = {"id": customer["id"], "name": "Kjøper AS"}
    assert json.loads(body) == {
        "subscriptionId": made["id"], "event": "customer.create", "id": customer["id"], "value": value,
    }  # fmt: skip
    signed = headers["idempotency-key"].encode() + b"&" + body
    expected = base64.b64encode(hmac.new(b"hemmelig", signed, hashlib.sha512).digest()).decode()
    assert (headers["x-request-signature"], headers["x-key"]) == (expected, "abc")
    await webhooks.again(webhooks.sent[0])
    assert listener.posted[1][0]["idempotency-key"] == headers["idempotency-key"]
    assert listener.posted[1][1] == body


async def test_every_kind_of_change_that_is_told(box, checked, listener, webhooks):
    call = checked
    events = ("invoice.charged", "customer.update", "customer.delete", "closeGroup.create", "closeGroup.delete",
              "voucher.create", "product.create", "supplier.create", "voucherstatus.ready")  # fmt: skip
    await call("POST", f"{EVENT}/list", [{"event": one, "targetUrl": listener.url} for one in events])
    customer = await call.customer()
    await call("PUT", f"/customer/{customer['id']}", {"name": "Nytt navn"})
    made = await call.invoice((1, 1000, 6))
    paid = box.payment(made["id"], Decimal(1000), date(2027, 2, 1))
    await webhooks.idle()
    box.books.reverse(paid, date(2027, 2, 5))
    await call("DELETE", f"/customer/{customer['id']}")
    await call("POST", "/product", {"name": "Lunsj"})
    await call("POST", "/supplier", {"name": "Selger AS"})
    await call.upload("/ledger/voucher/importDocument", b"%PDF-1.4")
    await webhooks.idle()
    told = [(one["event"], one["value"] is None) for one in listener.said()]
    assert {event for event, _ in told} == set(events)
    assert {event for event, empty in told if empty} == {"customer.delete", "closeGroup.delete"}
    charged = next(one["value"] for one in listener.said() if one["event"] == "invoice.charged")
    assert charged["invoiceNumber"] == made["invoiceNumber"]


async def test_changes_close_together_are_told_once_in_the_last_version(box, checked, listener, webhooks):
    box.books.rules.webhook_delay = 1.0
    customer = await checked.customer()
    await subscribe(checked, listener, "customer.update")
    for name in ("A", "B", "C"):
        await checked("PUT", f"/customer/{customer['id']}", {"name": name})
    await webhooks.idle()
    assert [one["value"]["name"] for one in listener.said()] == ["C"]


async def test_too_many_failures_switch_off_until_it_is_switched_on(box, checked, listener, webhooks):
    box.books.rules.webhook_errors = 3
    made = await subscribe(checked, listener, "customer.create")
    path = f"{EVENT}/{made['id']}"
    listener.status = 500
    for _ in range(2):
        await checked.customer()
        await webhooks.idle()
    assert (await checked("GET", path))["status"] == "ACTIVE"
    listener.status = 204
    await checked.customer()
    await webhooks.idle()  # one that succeeds forgives
    listener.status = 500
    for _ in range(4):
        await checked.customer()
        await webhooks.idle()
    assert (await checked("GET", path))["status"] == "DISABLED_TOO_MANY_ERRORS"
    assert len(listener.posted) == 6  # nothing is posted any more, nothing is kept
    listener.status = 200
    assert (await checked("PUT", path, {"status": "ACTIVE"}))["status"] == "ACTIVE"
    await checked.customer()
    await webhooks.idle()
    assert len(listener.posted) == 7


async def test_failed_deliveries_are_lost_or_tried_again_as_the_rule_says(box, checked, listener, webhooks):
    await subscribe(checked, listener, "customer.create")
    listener.status = 503
    await checked.customer()
    await webhooks.idle()
    box.books.rules.webhook_attempts = 3
    await checked.customer()
    await webhooks.idle()
    keys = [headers["idempotency-key"] for headers, _ in listener.posted]
    assert [keys.count(key) for key in dict.fromkeys(keys)] == [1, 3]


async def test_nobody_there(box, checked, webhooks):
    said = {"event": "customer.create", "targetUrl": "http://127.0.0.1:1/"}
    await checked("POST", EVENT, said)
    await checked.customer()
    await webhooks.idle()
    assert [one.status for one in webhooks.sent] == [None]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"targetUrl": "https://a.no/"}, "event"),
        ({"event": "customer.create"}, "targetUrl"),
        ({"event": "invoice.update", "targetUrl": "https://a.no/"}, "event"),
        ({"event": "customer.create", "targetUrl": "http://a.no/"}, "targetUrl"),
        ({"event": "customer.create", "targetUrl": "https://a.no/", "fields": "("}, "fields"),
        ({"event": "customer.create", "targetUrl": "https://a.no/", "status": "DISABLED_MISUSE"}, "status"),
    ],
)
async def test_subscriptions_that_are_refused(call, said, field):
    refused = await call.refused("POST", EVENT, said)
    assert refused["validationMessages"][0]["field"] == field
    assert await call("GET", EVENT) == []


async def test_subscriptions_end_and_pause(box, checked, listener, webhooks):
    first = await subscribe(checked, listener, "customer.create")
    second = await subscribe(checked, listener, "customer.create")
    third = await subscribe(checked, listener, "customer.create")
    await checked("PUT", f"{EVENT}/list", [{"id": first["id"], "status": "DISABLED"}])
    await checked("DELETE", f"{EVENT}/{second['id']}")
    await checked.customer()
    await webhooks.idle()
    assert [one["subscriptionId"] for one in listener.said()] == [third["id"]]
    await checked("DELETE", f"{EVENT}/list", ids=f"{first['id']},{third['id']}")
    assert await checked("GET", EVENT) == []


@pytest.mark.parametrize("clients", [["Fjord AS"]])
async def test_subscriptions_belong_to_one_token_and_company(box, checked, listener, webhooks):
    made = await subscribe(checked, listener, "customer.create")
    box.client("Fjord AS").add("customer", name="x", customerNumber=1)
    assert webhooks.sent == []
    box.books.things["subscription"][made["id"]]["_token"] = "another"
    assert await checked("GET", EVENT) == []
    assert (await checked.refused("GET", f"{EVENT}/{made['id']}"))["code"] == 6000
