"""Webhooks end to end: the ledger posts to our address by real requests, signed; what it says is looked up, never
believed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
import uvicorn
from scenario_company import company

from adapters.accounting.tripletex.sandbox import registers
from connector.api.app import create_app
from connector.api.examples import INVOICE_DRAFT
from connector.store import arrivals, connections
from connector.sync import hints

SECRET = "a secret of ours, long enough"
TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: tripletex
    webhooks: {address}
    settings: {{{{base_url: "{{url}}", payment_type: Betalt til bank, timeout: 5, settle: {{settle}}}}}}
    secrets:
      consumer_token: env:FJORD_CONSUMER
      employee_token: env:FJORD_EMPLOYEE
      webhook_secret: env:FJORD_HOOK
routes:
  sales: {{{{takes: api, to: books, issues: {{issues}}, sends: nobody, takes_bank_money: books}}}}
"""
EVENTS = {f"{subject}.{verb}" for subject in ("customer", "supplier", "product", "project", "voucher")
          for verb in ("create", "update", "delete")} | {"invoice.charged", "closeGroup.create",
          "closeGroup.delete"}  # fmt: skip


class Hooked:
    """A company whose ledger can reach it."""

    def __init__(self, fjord: Any, address: str) -> None:
        self.fjord, self.box, self.house = fjord, fjord.box, fjord.house
        (self.spoke,) = self.house.spokes()
        self.target = f"{address}/v1/hooks/{self.spoke.id}"
        self.webhooks = self.box.webhooks[self.box.books.company["id"]]

    async def keep(self) -> None:
        await self.house.store.write(lambda tx: hints.keep(tx, self.spoke))
        await self.fjord.work()

    async def delivered(self) -> None:
        """Everything that happened has been posted, and what it hints at has been read."""
        await self.webhooks.idle()
        await self.fjord.work(within=0.5)

    def subscriptions(self) -> dict[str, str]:
        found = self.box.books.things.get("subscription", {}).values()
        return {one["event"]: one["status"] for one in found if one["targetUrl"] == self.target}

    def switch_off(self, event: str, status: str) -> None:
        for one in self.box.books.things["subscription"].values():
            if one["event"] == event:
                self.box.books.touch(one, status=status)

    async def post(
        self, body: bytes, *, key: str = "k1", secret: str = SECRET, to: str | None = None
    ) -> httpx.Response:
        signed = base64.b64encode(hmac.new(secret.encode(), key.encode() + b"&" + body, hashlib.sha512).digest())
        headers = {"idempotency-key": key, "x-request-signature": signed.decode(), "content-type": "application/json"}
        async with httpx.AsyncClient() as client:
            return await client.post(to or self.target, content=body, headers=headers)

    def asked(self, path: str) -> int:
        return sum(1 for one in self.box.requests if one.method == "GET" and one.path.startswith(path))


@contextlib.asynccontextmanager
async def hooked(make: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hooked]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("FJORD_HOOK", SECRET)
    monkeypatch.setattr(hints, "SETTLE", timedelta(seconds=0.2))
    monkeypatch.setattr(hints, "GATHER", timedelta(seconds=0.2))
    async with make(tenant=TENANT.format(address=address)) as fjord:
        server = uvicorn.Server(
            uvicorn.Config(create_app(fjord.house), "127.0.0.1", port, log_config=None, access_log=False)
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.02)
        try:
            yield Hooked(fjord, address)
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
async def it(tmp_path: Any, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hooked]:
    make = partial(company, tmp_path, database_url, monkeypatch)
    async with hooked(make, monkeypatch) as made:
        yield made


@pytest.fixture
async def told(it: Hooked) -> Hooked:
    """One that has read everything and is subscribed."""
    await it.fjord.poll()
    await it.keep()
    await it.fjord.work(within=0.5)
    return it


def customer(box: Any, **said: Any) -> Any:
    return registers.create_customer(box.books, {"name": "Eksempel AS", "organizationNumber": "974760673", **said})


async def test_it_subscribes_to_what_it_reads_once(it: Hooked) -> None:
    await it.keep()
    assert it.subscriptions() == dict.fromkeys(EVENTS, "ACTIVE")
    await it.keep()
    assert len(it.box.books.things["subscription"]) == len(EVENTS)
    made = [one for one in it.box.requests if one.method == "POST" and one.path.endswith("/event/subscription")]
    assert len(made) == len(EVENTS)


async def test_nothing_is_subscribed_while_it_only_observes(it: Hooked) -> None:
    await it.house.store.write(lambda tx: connections.change(tx, it.spoke.id, mode="observe"))
    await it.keep()
    assert it.subscriptions() == {}


async def test_a_change_is_read_because_it_was_told(told: Hooked) -> None:
    before = told.asked("/v2/customer/")
    made = customer(told.box)
    told.box.books.touch(made, name="Nytt navn AS")
    await told.delivered()

    document = await told.fjord.document(kind="customer")
    assert document.counterparty == "Nytt navn AS"
    assert told.asked("/v2/customer/") - before <= 2
    assert told.asked("/v2/customer") >= 1


async def test_many_hints_of_one_record_are_one_read(told: Hooked) -> None:
    made = customer(told.box)
    await told.delivered()
    before = told.asked(f"/v2/customer/{made['id']}")
    for n in range(5):
        body = json.dumps({"subscriptionId": None, "event": "customer.update", "id": made["id"], "value": None})
        ids = [one["id"] for one in told.box.books.things["subscription"].values()]
        answer = await told.post(json.dumps(json.loads(body) | {"subscriptionId": ids[0]}).encode(), key=f"many-{n}")
        assert answer.status_code == 204
    await told.fjord.work(within=0.5)
    assert told.asked(f"/v2/customer/{made['id']}") - before == 1


async def test_money_is_looked_for_when_postings_are_closed(told: Hooked) -> None:
    answer = await told.fjord.post("/v1/invoices", INVOICE_DRAFT)
    assert answer.status_code == 202
    await told.fjord.work()
    await told.delivered()
    (invoice,) = [one for one in told.box.books.things["invoice"].values() if one["isCharged"]]

    told.box.payment(invoice["id"], Decimal(12500), date(2027, 2, 1))
    await told.delivered()

    document = await told.fjord.document(kind="invoice")
    assert (document.state, Decimal(document.open)) == ("paid", 0)


async def test_what_the_body_claims_is_not_believed(told: Hooked) -> None:
    made = customer(told.box)
    await told.delivered()
    ids = [one["id"] for one in told.box.books.things["subscription"].values()]
    lie = {
        "subscriptionId": ids[0],
        "event": "customer.update",
        "id": made["id"],
        "value": {"id": 1, "name": "Løgn AS"},
    }
    assert (await told.post(json.dumps(lie).encode(), key="lie")).status_code == 204
    gone = {"subscriptionId": ids[0], "event": "customer.delete", "id": made["id"], "value": None}
    assert (await told.post(json.dumps(gone).encode(), key="gone")).status_code == 204
    await told.fjord.work(within=0.5)
    assert (await told.fjord.document(kind="customer")).counterparty == "Eksempel AS"


async def test_the_same_one_again_is_one(told: Hooked) -> None:
    made = customer(told.box)
    await told.delivered()
    before = told.asked(f"/v2/customer/{made['id']}")
    for _ in range(2):
        assert (await told.webhooks.again(told.webhooks.sent[-1])).status == 204
    await told.fjord.work(within=0.5)
    assert told.asked(f"/v2/customer/{made['id']}") == before

    other = await told.post(b'{"event": "customer.update"}', key=told.webhooks.sent[-1].headers["idempotency-key"])
    assert (other.status_code, other.json()["code"]) == (403, "hook-for-another")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"idempotency-key": "k"},
        {"idempotency-key": "k", "x-request-signature": "æøå"},
        {"idempotency-key": "k", "x-request-signature": "AAAA"},
        {"x-request-signature": base64.b64encode(bytes(64)).decode()},
    ],
)
async def test_a_wrong_signature_is_refused_and_nothing_is_kept(told: Hooked, headers: dict[str, str]) -> None:
    said = {name: value.encode() for name, value in headers.items()}
    async with httpx.AsyncClient() as client:
        answer = await client.post(told.target, content=b'{"event": "customer.update", "id": 1}', headers=said)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature-wrong")
    assert (await told.post(b"{}", secret="another secret of ours")).status_code == 401
    assert await told.fjord.get("/v1/attention") == []


async def test_one_signed_for_other_bytes_is_refused(told: Hooked) -> None:
    customer(told.box)
    await told.webhooks.idle()
    sent = told.webhooks.sent[-1]
    async with httpx.AsyncClient() as client:
        answer = await client.post(told.target, content=sent.body + b" ", headers=sent.headers)
    assert answer.status_code == 401


async def test_one_for_another_company_is_refused_and_told(told: Hooked) -> None:
    body = {"subscriptionId": 4711, "event": "customer.update", "id": 1, "value": None}
    answer = await told.post(json.dumps(body).encode())
    assert (answer.status_code, answer.json()["code"]) == (403, "hook-for-another")
    (item,) = await told.fjord.get("/v1/attention")
    assert item["code"] == "hook-for-another"
    assert item["connection"] == told.spoke.id
    assert item["verbs"] == ["ignore"]


async def test_an_event_that_nobody_knows_is_harmless(told: Hooked) -> None:
    ids = [one["id"] for one in told.box.books.things["subscription"].values()]
    for n, event in enumerate(("invoice.update", "customer.exploded", "")):
        body = {"subscriptionId": ids[0], "event": event, "id": [1], "value": None}
        assert (await told.post(json.dumps(body).encode(), key=f"odd-{n}")).status_code == 204
    assert (await told.post(b"[]", key="odd")).json()["code"] == "hook-malformed"
    await told.fjord.work()
    assert await told.fjord.get("/v1/attention") == []


async def test_addresses_that_are_nobodys(told: Hooked) -> None:
    answer = await told.post(b"{}", to=told.target[:-1] + "x")
    assert (answer.status_code, answer.json()["code"]) == (404, "hook-unknown")
    assert (await told.post(b"x" * (1024 * 1024 + 1))).status_code == 413


@pytest.mark.parametrize("status", ["DISABLED", "DISABLED_TOO_MANY_ERRORS", "DISABLED_MISUSE"])
async def test_what_was_switched_off_is_switched_on_and_everything_compared(told: Hooked, status: str) -> None:
    told.switch_off("customer.create", status)
    customer(told.box)
    await told.webhooks.idle()

    await told.keep()
    assert set(told.subscriptions().values()) == {"ACTIVE"}
    await told.fjord.work(within=0.5)

    assert (await told.fjord.document(kind="customer")).counterparty == "Eksempel AS"
    (books,) = await told.fjord.get("/v1/connections")
    assert books["webhooks"]["events"]["customer.create"] == status
    compared = {one["kind"]: one for one in books["compared"]}
    assert (compared["customer"]["read"], compared["customer"]["new"]) == (1, 1)
    events = (await told.fjord.get("/v1/changes", limit=1000))["events"]
    mended = [event["data"]["mended"] for event in events if event["kind"] == "connection.webhooks"]
    assert mended[-1] == {"customer.create": status}


async def test_too_many_errors_by_our_own_fault(told: Hooked) -> None:
    """While nobody answers, the vendor gives up; afterwards nothing is missing."""
    told.box.books.rules.webhook_errors = 1
    for one in told.box.books.things["subscription"].values():
        one["hmacSharedSecret"] = "not ours any more"
    customer(told.box)
    await told.webhooks.idle()
    assert told.subscriptions()["customer.create"] == "DISABLED_TOO_MANY_ERRORS"
    await told.keep()
    await told.fjord.work(within=0.5)
    assert (await told.fjord.document(kind="customer")).counterparty == "Eksempel AS"


async def test_a_missing_right_is_told_and_polling_goes_on(it: Hooked) -> None:
    it.box.shrink("webhook")
    await it.keep()
    (item,) = await it.fjord.get("/v1/attention")
    assert item["code"] == "webhooks-not-kept"
    customer(it.box)
    await it.fjord.poll()
    assert (await it.fjord.document(kind="customer")).counterparty == "Eksempel AS"
    await it.keep()
    assert len(await it.fjord.get("/v1/attention")) == 1
    it.box.access["sandbox-employee"].rights.add("webhook")
    await it.keep()
    assert await it.fjord.get("/v1/attention") == []
    assert set(it.subscriptions()) == EVENTS


async def test_204_means_that_it_is_on_disk(told: Hooked) -> None:
    made = customer(told.box)
    await told.webhooks.idle()
    sent = f"hook/{told.webhooks.sent[-1].headers['idempotency-key']}"
    waiting = await told.house.store.read(lambda tx: arrivals.find(tx, "fjord", state="queued", kind=hints.HOOK))
    assert sent in [one.key for one in waiting]
    await told.fjord.work(within=0.5)
    assert (await told.fjord.document(kind="customer")).links[0]["vendor_id"] == str(made["id"])
