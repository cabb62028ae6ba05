"""What can be switched on to make a caller's life hard, and the sandbox as a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from adapters.accounting.tripletex.sandbox import Sandbox

ORDERS = {"orderDateFrom": "2027-01-01", "orderDateTo": "2028-01-01"}


async def test_no_answer_after_the_work_is_done(box, call):
    customer = (await call.customer())["id"]
    box.fault("POST /order$", "no-answer")
    begun = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        await call.order(customer=customer)
    assert time.monotonic() - begun < 1
    assert len(await call("GET", "/order", **ORDERS)) == 1
    assert box.requests[-2].status is None


async def test_no_answer_before_anything_is_done(box, call):
    customer = (await call.customer())["id"]
    box.fault("POST /order$", "no-answer-before")
    with pytest.raises(httpx.RemoteProtocolError):
        await call.order(customer=customer)
    assert await call("GET", "/order", **ORDERS) == []


@pytest.mark.parametrize(("kind", "made"), [("500-before", 0), ("500-after", 1)])
async def test_internal_errors(box, call, kind, made):
    box.fault("POST /customer", kind)
    said = await call.refused("POST", "/customer", {"name": "x"})
    assert (said["status"], said["code"]) == (500, 1000)
    assert len(await call("GET", "/customer")) == made


@pytest.mark.parametrize(("kind", "reset"), [("429", "7"), ("429-no-reset", None)])
async def test_too_many_calls_by_fault(box, call, kind, reset):
    box.fault("POST /customer", kind, seconds=7)
    answer = await call.raw("POST", "/customer", {"name": "x"})
    assert (answer.status_code, answer.headers.get("x-rate-limit-reset")) == (429, reset)
    assert await call("GET", "/customer") == []


async def test_slow_is_done_and_answered_late(box, call):
    box.fault("POST /customer", "slow", seconds=0.3)
    begun = time.monotonic()
    await call("POST", "/customer", {"name": "x"})
    assert 0.3 <= time.monotonic() - begun < 1


async def test_garbled_answers(box, call):
    box.fault("POST /customer", "garbled")
    assert (await call.raw("POST", "/customer", {"name": "x"})).content.startswith(b"<html>")
    assert len(await call("GET", "/customer")) == 1


async def test_stale_reads_do_not_see_what_is_new(box, call):
    made = await call.invoice((1, 100, 6))
    how = {"paymentDate": "2027-02-01", "paymentTypeId": await call.payment_type(), "paidAmount": 40}
    box.fault("GET /(invoice|ledger)/", "stale", count=2)
    paid = await call("PUT", f"/invoice/{made['id']}/:payment", **how)
    assert paid["amountOutstanding"] == 60
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 100
    rows = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01", "type": "INCOMING_PAYMENT"}
    assert await call("GET", "/ledger/posting", **rows) == []
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 60


async def test_faults_count_and_let_pass(box, call):
    box.fault("GET /currency", "500-before", count=2, after=1)
    statuses = [(await call.raw("GET", "/currency")).status_code for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]
    assert box.faults.active == []


def test_unknown_faults_are_refused():
    with pytest.raises(ValueError, match="no fault"):
        Sandbox().fault("", "nonsense")


async def test_rate_limits_tell_what_is_left_and_hide_the_reset_at_the_end(box, call):
    box.rate_limit, box.rate_period = 2, 0.5
    left = []
    for _ in range(3):
        answer = await call.raw("GET", "/currency")
        left.append((answer.status_code, answer.headers.get("x-rate-limit-remaining")))
    assert left == [(200, "1"), (200, "0"), (429, None)]
    await asyncio.sleep(0.55)
    answer = await call.raw("GET", "/currency")
    assert (answer.status_code, answer.headers["x-rate-limit-limit"], answer.headers["x-rate-limit-reset"]) == (
        200, "2", "1",
    )  # fmt: skip


async def test_latency_is_added_and_calls_overlap(box, call):
    box.latency = 0.2
    begun = time.monotonic()
    await asyncio.gather(*(call("GET", "/currency") for _ in range(4)))
    assert 0.2 <= time.monotonic() - begun < 0.7


async def test_faults_and_books_over_http(box, call):
    made = await call.invoice((1, 100, 6))
    root = box.url.removesuffix("/v2")
    async with httpx.AsyncClient(base_url=root) as plain:
        rules = {"calls": "GET /currency", "kind": "500-before"}
        assert (await plain.post("/fault", json=rules)).json()[0]["calls"] == "GET /currency"
        assert len((await plain.get("/fault")).json()) == 1
        assert (await plain.request("DELETE", "/fault")).json() == []
        assert (await plain.post("/fault", json={**rules, "kind": "nonsense"})).status_code == 422
        await plain.post("/fault", json={"kind": "expire"})
        assert box.sessions == {}
        paid = {"invoiceNumber": made["invoiceNumber"], "amount": "40.50", "date": "2027-02-01"}
        assert (await plain.post("/_sandbox/payment", json=paid)).json()["year"] == 2027
        assert (await plain.post("/_sandbox/payment", json={**paid, "invoiceNumber": 1})).status_code == 404
        assert (await plain.post("/_sandbox/payment", json={})).status_code == 422
        await plain.put(f"/_sandbox/customer/{made['customer']['id']}", json={"name": "Nytt navn"})
        state = (await plain.get("/_sandbox/state")).json()
        assert (state["counts"]["invoice"], state["balances"]["1500"]) == (1, 59.5)
        assert (await plain.get("/_sandbox/outbox")).json() == []
        assert (await plain.get("/_sandbox/requests")).json()[0]["path"] == "/v2/token/session/:create"
        assert (await plain.get("/nowhere")).status_code == 404
    await call.sign_in()
    assert (await call("GET", f"/customer/{made['customer']['id']}"))["name"] == "Nytt navn"


async def test_bad_requests_do_not_hurt(box, call):
    answer = await call.client.post("/customer", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, 22000)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(box.url.split(":")[2].split("/")[0]))
    writer.write(b"POST /v2/customer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert await reader.read() == b""
    assert (await call.refused("PATCH", "/customer"))["status"] == 405
    assert (await call.refused("GET", "/nowhere"))["status"] == 404


def test_as_a_process_of_its_own():
    command = [sys.executable, "-m", "adapters.accounting.tripletex.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as child:
        url = child.stdout.readline().strip()
        assert httpx.get(url + "/currency").status_code == 401
        child.terminate()
        assert child.wait(5) == 0
