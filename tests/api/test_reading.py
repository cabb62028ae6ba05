"""Reading: documents, originals, pages, stories, the feed, what waits, health; every error a problem document."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from connector.api.app import create_app
from connector.store import meta

READS = ["", "/story", "/original", "/pdf"]


async def issued(door, body, path="/v1/invoices"):
    """Post it, work, and give the document."""
    answer = await door.post(path, body)
    assert answer.status_code == 202, answer.text
    await door.work()
    return await door.document(kind="invoice")


async def test_what_was_received_is_given_back_byte_for_byte(any_door, ehf):
    sent = b"<?xml version='1.0' encoding='UTF-8'?>\n<!-- ours -->\n" + ehf(number="D-1").split(b"?>", 1)[1]
    invoice = await issued(any_door, sent, "/v1/invoices?draft=true")
    answer = await any_door.client.get(f"/v1/documents/{invoice.id}/original")
    assert answer.content == sent
    assert answer.headers["content-type"] == "application/xml"


async def test_a_document_is_shown_as_a_page(door, draft):
    invoice = await issued(door, draft())
    answer = await door.client.get(f"/v1/documents/{invoice.id}/pdf", params={"language": "en"})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    missing = await door.client.get(f"/v1/documents/{invoice.id}/original")
    assert (missing.status_code, missing.json()["code"]) == (404, "no-original")


async def test_the_story_has_calls_and_no_secrets(door, draft):
    invoice = await issued(door, draft())
    answer = await door.client.get(f"/v1/documents/{invoice.id}/story")
    kinds = [entry["kind"] for entry in answer.json()]
    assert kinds[0] == "arrival"
    assert {"arrival", "event", "work", "attempt"} <= set(kinds)
    assert "sandbox-consumer" not in answer.text
    assert "sandbox-employee" not in answer.text


async def test_documents_are_found_page_by_page(door, draft):
    for n in range(3):
        await door.post("/v1/invoices", draft(source_id=f"s{n}"))
    await door.work()
    first = await door.get("/v1/documents", kind="invoice", limit=2)
    second = await door.get("/v1/documents", kind="invoice", limit=2, after=first["next"])
    assert [one["source_id"] for one in first["documents"] + second["documents"]] == ["s0", "s1", "s2"]
    assert "next" not in second


async def test_one_tenant_never_sees_anothers(door, draft):
    invoice = await issued(door, draft())
    operation = (await door.post("/v1/invoices", draft())).json()["id"]
    stranger = await door.key("read", "write", "settle", tenant="other")
    for path in (*(f"/v1/documents/{invoice.id}{more}" for more in READS), f"/v1/operations/{operation}"):
        answer = await door.client.get(path, headers=stranger)
        assert answer.status_code == 404, path
        nobody = await door.client.get(path.replace(invoice.id, "0" * 32).replace(operation, "0" * 32))
        assert nobody.json()["code"] == answer.json()["code"]
    assert (await door.client.get("/v1/documents", headers=stranger)).json()["documents"] == []
    assert (await door.client.get("/v1/changes", headers=stranger)).json()["events"] == []


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/changes", "/v1/attention", "/v1/operations/x"])
async def test_reading_takes_a_key_with_the_scope(door, path):
    for headers, status in (({"Authorization": ""}, 401), (await door.key("write"), 403)):
        answer = await door.client.get(path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_feed_wakes_when_something_happens(any_door, draft):
    cursor = (await any_door.get("/v1/changes"))["cursor"]
    waiting = asyncio.create_task(any_door.get("/v1/changes", after=cursor, wait=20))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    began = time.monotonic()
    await any_door.post("/v1/invoices", draft())
    await any_door.work()
    told = await asyncio.wait_for(waiting, 15)
    assert time.monotonic() - began < 15
    assert told["events"][0]["kind"] == "invoice.accepted"
    following = await any_door.get("/v1/changes", after=told["cursor"])
    seqs = [event["seq"] for event in told["events"] + following["events"]]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_a_consumer_goes_on_where_it_acknowledged(any_door, draft):
    await issued(any_door, draft())
    page = await any_door.get("/v1/changes", limit=1)
    said = {"consumer": "webshop", "cursor": page["cursor"]}
    assert (await any_door.client.post("/v1/changes/ack", json=said)).status_code == 204
    assert (await any_door.get("/v1/changes", consumer="webshop"))["events"][0]["seq"] == 2
    assert (await any_door.get("/v1/changes", consumer="new"))["events"][0]["seq"] == 1
    both = await any_door.client.get("/v1/changes", params={"consumer": "webshop", "after": page["cursor"]})
    assert both.json()["code"] == "cursor-twice"


async def test_a_cursor_of_a_store_before_is_gone_and_nonsense_is_refused(any_door, draft):
    await issued(any_door, draft())
    cursor = (await any_door.get("/v1/changes"))["cursor"]
    await any_door.house.store.write(meta.restored)
    for call in (
        any_door.client.get("/v1/changes", params={"after": cursor}),
        any_door.client.post("/v1/changes/ack", json={"consumer": "a", "cursor": cursor}),
    ):
        answer = await call
        assert (answer.status_code, answer.json()["code"]) == (410, "cursor-expired")
    answer = await any_door.client.get("/v1/changes", params={"after": "%%%"})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")


async def test_settling_takes_the_scope_and_an_offered_verb(door, draft, payment):
    await issued(door, draft())
    await door.post("/v1/payments", payment(currency="EUR"))
    await door.work()
    [item] = await door.get("/v1/attention")
    path = f"/v1/attention/{item['id']}/resolve"
    answer = await door.client.post(path, json={"verb": "retry"}, headers=await door.key("read", "write"))
    assert answer.status_code == 403
    answer = await door.client.post(path, json={"verb": "retry"}, headers=await door.key("settle", tenant="other"))
    assert answer.status_code == 404
    answer = await door.client.post(path, json={"verb": "happened", "vendor_id": "1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "verb-not-offered")
    answer = await door.client.post(path, json={"verb": "guess"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request-malformed")
    assert (await door.client.post(path, json={"verb": "cancel"})).status_code == 204
    again = await door.client.post(path, json={"verb": "cancel"})
    assert (again.status_code, again.json()["code"]) == (409, "settled-already")


async def test_health(door):
    assert (await door.get("/health/live"))["status"] == "live"
    ready = await door.client.get("/health/ready", headers={"Authorization": ""})
    assert ready.json()["status"] == "ready"


@pytest.mark.parametrize("after", ["customer", "order", "invoice"])
async def test_an_answer_that_is_garbled_ends_in_the_books_once(door, draft, after):
    calls = {"customer": "POST /customer$", "order": "POST /order$", "invoice": "PUT /order/.*/:invoice"}[after]
    door.box.fault(calls, "garbled")
    answer = await door.post("/v1/invoices", draft())
    await door.work(within=5)
    assert (await door.get(answer.headers["location"]))["state"] in ("done", "waiting")
    assert door.issued() <= 1


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/v1/documents", 405)])
async def test_what_is_no_route_is_a_problem_document(door, method, path, status):
    answer = await door.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_should_not_happen_is_a_problem_document(door, monkeypatch):
    monkeypatch.setattr(type(door.house.store), "read", None)
    transport = httpx.ASGITransport(create_app(door.house), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=door.client.headers) as client:
        answer = await client.get("/v1/documents")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "NoneType" not in answer.text
