from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import time
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest

from connector.errors import Misconfigured, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import SHOWN, Http, calling, now, retry_after


async def test_a_call_and_its_answer(http, loopback, says):
    loopback.says(says(200, b'{"amount":12.50,"n":3}', X_Rate_Limit_Remaining="7"))
    answer = await http.call("GET", "/company/>withLoginAccess", params={"from": 0, "a": None, "b": True})
    assert answer.status == 200
    assert answer.headers["x-rate-limit-remaining"] == "7"
    assert answer.json() == {"amount": Decimal("12.50"), "n": 3}
    assert loopback.came[0].line == "GET /v2/company/%3EwithLoginAccess?from=0&b=true HTTP/1.1"


async def test_actions_keep_their_colon_and_json_its_digits(http, loopback):
    await http.call("PUT", "/order/7/:invoice", json={"price": Decimal("1020.10"), "note": "æ"})
    came = loopback.came[0]
    assert came.line == "PUT /v2/order/7/:invoice HTTP/1.1"
    assert came.body == '{"price":1020.10,"note":"æ"}'.encode()
    assert "Content-Type: application/json\r\n" in came.head


async def test_headers_are_sent_and_answered_cookies_are_not(http, loopback, says):
    loopback.says(says(200, Set_Cookie="session=1"))
    for _ in range(2):
        await http.call("GET", "/a", headers={"Authorization": "Basic MDp0", "Accept": "application/xml"})
    for came in loopback.came:
        assert f"Host: 127.0.0.1:{loopback.port}\r\nUser-Agent: connector\r\n" in came.head
        assert "Authorization: Basic MDp0" in came.head
        assert came.head.count("Accept:") == 1
        assert "Content-Length" not in came.head
        assert "ookie" not in came.head


async def test_paths_and_parameters_are_quoted_once(http, loopback):
    await http.call("GET", "/customer/å b%2F?c#d", params={"name": "Å & Sønn+=", "id": [1, None, 2], "b": False})
    assert loopback.came[0].line == (
        "GET /v2/customer/%C3%A5%20b%2F%3Fc%23d?name=%C3%85+%26+S%C3%B8nn%2B%3D&id=1&id=2&b=false HTTP/1.1"
    )


async def test_a_write_without_body_says_so(http, loopback):
    await http.call("PUT", "/order/7/:invoice", params={"sendToCustomer": False})
    assert "Content-Length: 0\r\n" in loopback.came[0].head


async def test_connections_are_kept(http, loopback):
    for _ in range(5):
        await http.call("GET", "/a")
    assert loopback.connections == 1


async def test_other_statuses_are_the_clients_business(http, loopback, says):
    loopback.says(says(422, b'{"code":18000}'), says(304, b""), says(401))
    assert (await http.call("POST", "/a", json={})).status == 422
    assert (await http.call("GET", "/a")).status == 304
    assert (await http.call("PUT", "/a")).status == 401
    assert len(loopback.came) == 3


# --- lost answers -----------------------------------------------------------------------------------------------------


async def _hang_up(came, writer):
    writer.close()


async def test_a_write_without_answer_is_unknown_and_not_repeated(http, loopback):
    loopback.script = _hang_up
    with pytest.raises(UnknownOutcome) as failed:
        await http.call("POST", "/order", json={})
    assert failed.value.code == "unknown-outcome"
    assert failed.value.where == {"call": "POST /v2/order"}
    assert len(loopback.came) == 1


async def test_a_write_whose_answer_breaks_off_is_unknown(http, loopback, says):
    async def half(came, writer):
        writer.write(says(200, b'{"value":{"id":1}}')[:-5])
        await writer.drain()
        writer.close()

    loopback.script = half
    with pytest.raises(UnknownOutcome):
        await http.call("POST", "/order", json={})


async def test_a_read_without_answer_is_tried_three_times(http, loopback, says):
    loopback.script = _hang_up
    with pytest.raises(TryLater) as failed:
        await http.call("GET", "/order")
    assert failed.value.code == "answer-lost"
    assert len(loopback.came) == 3


async def test_a_vendor_that_takes_one_call_at_a_time_is_asked_once(http, loopback, says):
    loopback.script = _hang_up
    with pytest.raises(TryLater) as failed:
        await http.call("GET", "/order", tries=1)
    assert failed.value.code == "answer-lost"
    assert len(loopback.came) == 1


async def test_a_read_succeeds_on_its_second_try(http, loopback, says):
    loopback.says(says(503), says(200, b'{"n":1}'))
    assert (await http.call("GET", "/order")).json() == {"n": 1}


async def test_a_post_that_only_reads_is_tried_again_too(http, loopback, says):
    loopback.says(says(500), says(200))
    assert (await http.call("POST", "/search", json={}, writes=False)).status == 200


async def test_slow_answers_end_in_time(http, loopback):
    async def slow(came, writer):
        await asyncio.sleep(30)

    loopback.script = slow
    begun = time.monotonic()
    with pytest.raises(UnknownOutcome):
        await http.call("PUT", "/a", timeout=0.3)
    with pytest.raises(TryLater):
        await http.call("GET", "/a", timeout=0.3)
    assert time.monotonic() - begun < 2


async def test_an_answer_that_drips_ends_in_time_too(http, loopback):
    async def drip(came, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await asyncio.sleep(0.05)

    loopback.script = drip
    with pytest.raises(UnknownOutcome):
        await http.call("PUT", "/a", timeout=0.4)


async def test_nobody_there_is_try_later_for_writes_too():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    http = Http(f"http://127.0.0.1:{port}")
    with pytest.raises(TryLater) as failed:
        await http.call("POST", "/a", json={})
    assert failed.value.code == "vendor-unreachable"
    await http.aclose()


# --- what the vendor says about itself --------------------------------------------------------------------------------


async def test_429_carries_the_vendors_own_hint(http, loopback, says):
    loopback.says(says(429, b'{"message":"For mange"}', Retry_After="17"), says(429, X_Reset="3"))
    with pytest.raises(TryLater) as failed:
        await http.call("POST", "/a", json={})
    assert (failed.value.code, failed.value.after, failed.value.status) == ("rate-limited", 17.0, 429)
    assert "For mange" in failed.value.said_by_vendor
    with pytest.raises(TryLater) as failed:
        await http.call("GET", "/a", hint=lambda headers: float(headers["x-reset"]))
    assert failed.value.after == 3.0
    assert len(loopback.came) == 2


async def test_5xx_is_unknown_for_writes(http, loopback, says):
    loopback.says(says(500, b'{"code":1000}'))
    with pytest.raises(UnknownOutcome) as failed:
        await http.call("PUT", "/a")
    assert failed.value.status == 500
    with pytest.raises(TryLater) as later:
        await http.call("GET", "/a")
    assert later.value.code == "vendor-failed"


def test_retry_after_as_seconds_as_a_date_or_not_at_all():
    assert retry_after({"retry-after": "120"}) == 120.0
    soon = retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)})
    assert soon == pytest.approx(50, abs=2)
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


# --- answers that are too much or not what they say -------------------------------------------------------------------


async def test_a_huge_answer_is_not_taken_in(loopback, says):
    http = Http(f"http://127.0.0.1:{loopback.port}", max_answer=10_000)
    loopback.says(says(200, b"x" * 10_000), says(200, b"x" * 10_001))
    assert len((await http.call("GET", "/a")).body) == 10_000
    with pytest.raises(VendorError) as failed:
        await http.call("GET", "/a")
    assert failed.value.code == "answer-too-large"
    with pytest.raises(UnknownOutcome):
        await http.call("POST", "/a", json={})
    await http.aclose()


async def test_a_compression_bomb_costs_no_memory(http, loopback, says):
    bomb = gzip.compress(b"\0" * (100 * 2**20))
    assert len(bomb) < 120_000
    loopback.says(says(200, bomb, Content_Encoding="gzip"))
    tracemalloc.start()
    try:
        with pytest.raises(VendorError) as failed:
            await http.call("GET", "/a")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert failed.value.code == "answer-too-large"
    assert peak < 90 * 2**20


async def test_compressed_answers_are_read(http, loopback, says):
    body = b'{"n":1}'
    loopback.says(
        says(200, gzip.compress(body), Content_Encoding="gzip"),
        says(200, zlib.compress(body), Content_Encoding="deflate"),
    )
    assert (await http.call("GET", "/a")).json() == {"n": 1}
    assert (await http.call("GET", "/a")).json() == {"n": 1}


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"not gzip", "gzip"), (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip"), (b"{}", "br"), (b"{}", "snappy")],
    ids=["no gzip", "cut off", "brotli", "unknown"],
)
async def test_garbled_answers_have_a_code(http, loopback, says, body, encoding):
    loopback.says(says(200, body, Content_Encoding=encoding))
    with pytest.raises(VendorError) as failed:
        await http.call("GET", "/a")
    assert failed.value.code == "vendor-answer"


@pytest.mark.parametrize("body", [b"<html>", b"", b"{", b"[" * 100_000, b"\xff\xfe"], ids=range(5))
async def test_no_json_has_a_code(http, loopback, says, body):
    loopback.says(says(200, body))
    answer = await http.call("GET", "/a")
    with pytest.raises(VendorError) as failed:
        answer.json()
    assert failed.value.code == "vendor-answer"


async def test_what_can_never_be_sent(http, loopback):
    with pytest.raises(Refused) as failed:
        await http.call("GET", "/a", headers={"X-Note": "two\r\nlines"})
    assert failed.value.code == "request-not-sendable"
    assert not loopback.came


@pytest.mark.parametrize("url", ["", "tripletex.no/v2", "ftp://a", "https://"])
def test_an_address_that_is_none(url):
    with pytest.raises(Misconfigured):
        Http(url)


# --- what is recorded -------------------------------------------------------------------------------------------------


async def test_exchanges_are_recorded_without_secrets(http, loopback, says, caplog):
    http.keep_secret("s3cret/+")
    loopback.says(
        says(200, b'{"value":{"token":"abc\\"def","employee_id":5}}', X_Tlx_Request_Id="r-1"),
        says(404, b'{"message":"unknown token s3cret/+"}'),
    )
    caplog.set_level(logging.DEBUG)
    with calling(None) as scope:
        await http.call(
            "POST", "/token", params={"consumerToken": "c-1", "from": 0}, json={"employeetoken": 1, "Token": "t-1"}
        )
        await http.call("DELETE", "/token/session/s3cret%2F%2B")
    first, second = scope.exchanges
    assert first.url.endswith("/token?consumerToken=***&from=0")
    assert first.request == '{"employeetoken":1,"Token":"***"}'
    assert first.answer == '{"value":{"token":"***","employee_id":5}}'
    assert (first.status, first.request_id, first.error) == (200, "r-1", None)
    assert first.started.tzinfo is UTC
    assert 0 < first.seconds < 5
    assert second.url.endswith("/token/session/***")
    assert second.answer == '{"message":"unknown token ***"}'
    for secret in ("c-1", "t-1", "abc", "s3cret"):
        assert secret not in caplog.text


async def test_a_call_without_answer_is_recorded_with_its_reason(http, loopback):
    loopback.script = _hang_up
    with calling(None) as scope:
        with pytest.raises(UnknownOutcome):
            await http.call("POST", "/a", json={})
        with pytest.raises(TryLater):
            await http.call("GET", "/a")
    assert [(exchange.method, exchange.status) for exchange in scope.exchanges] == [("POST", None)] + [
        ("GET", None)
    ] * 3
    assert "may have happened" in scope.exchanges[0].error


async def test_long_bodies_are_cut_and_files_only_named(http, loopback, says):
    loopback.says(says(200, b"%PDF-1.7 ...", Content_Type="application/pdf"), says(200, b'"' + b"x" * 90_000 + b'"'))
    with calling(None) as scope:
        await http.call("POST", "/a", files={"file": ("a.pdf", b"%PDF" * 100, "application/pdf")})
        await http.call("GET", "/a")
    assert scope.exchanges[0].request == f"<multipart/form-data, {len(loopback.came[0].body)} bytes>"
    assert b'filename="a.pdf"' in loopback.came[0].body
    assert scope.exchanges[0].answer == "<application/pdf, 12 bytes>"
    assert len(scope.exchanges[1].answer) == SHOWN + 1


async def test_a_secret_that_the_cut_goes_through_stays_hidden(http, loopback, says):
    body = b'{"a":"' + b"x" * (SHOWN - 30) + b'","token":"' + b"s" * 100_000 + b'"}'
    loopback.says(says(200, body))
    with calling(None) as scope:
        await http.call("GET", "/a")
    assert "sss" not in scope.exchanges[0].answer


async def test_cancelled_calls_are_recorded(http, loopback):
    async def slow(came, writer):
        await asyncio.sleep(30)

    loopback.script = slow
    with calling(None) as scope:
        task = asyncio.create_task(http.call("PUT", "/a"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [exchange.status for exchange in scope.exchanges] == [None]


# --- time is over -----------------------------------------------------------------------------------------------------


async def test_nothing_is_sent_when_the_time_is_over(http, loopback):
    with calling(now() - 1), pytest.raises(TryLater) as failed:
        await http.call("POST", "/a", json={})
    assert failed.value.code == "lease-over"
    assert not loopback.came
    assert loopback.connections == 0


async def test_scopes_end_and_nest(http, loopback):
    with calling(now() + 60) as outer:
        await http.call("GET", "/a")
        with calling(now() - 1) as inner, pytest.raises(TryLater):
            await http.call("GET", "/a")
        await http.call("GET", "/a")
    await http.call("GET", "/a")
    assert (len(outer.exchanges), len(inner.exchanges)) == (2, 0)
