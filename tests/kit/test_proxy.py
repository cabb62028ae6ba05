"""What is said to have happened to a call on its way did happen."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.loopback import Answer, Loopback, Refused, Request
from connector.testing.proxy import FAILED, LOST, UNSENT, Proxy, busy, echo, slow


class Vendor(Loopback):
    """Says what it was sent, and where it is."""

    prefix = "/v1"

    def vendor(self, request: Request, path: str, since: Any) -> Answer:
        said = {"path": path, "query": request.query, "body": request.body, "next": f"{self.url}/more"}
        return Answer(200, said, {"Location": f"{self.url}/there"})

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        return Answer(error.status, {"message": error.message}, headers or {})

    def own(self, request: Request) -> Any:
        raise LookupError(request.path)


@pytest.fixture
async def way() -> AsyncIterator[tuple[Vendor, Proxy, httpx.AsyncClient]]:
    async with Vendor() as vendor, Proxy(vendor.url) as proxy, httpx.AsyncClient(base_url=proxy.url) as client:
        yield vendor, proxy, client


async def test_a_call_is_passed_on_and_the_vendor_seems_to_be_here(way: Any) -> None:
    vendor, proxy, client = way
    answer = await client.post("/order/:x", params={"a": "1 2"}, json={"at": f"{proxy.url}/order/1"})
    assert answer.json()["path"] == "/order/:x"
    assert answer.json()["query"] == {"a": "1 2"}
    assert answer.json()["next"] == f"{proxy.url}/more"
    assert answer.headers["location"] == f"{proxy.url}/there"
    assert vendor.requests[0].body == {"at": f"{vendor.url}/order/1"}
    assert [(str(call), call.status, call.writes) for call in proxy.since] == [("POST /v1/order/:x", 200, True)]


async def test_a_body_in_pieces_is_whole(way: Any) -> None:
    vendor, _, client = way

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"one": 1,'
        yield b' "two": 2}'

    assert (await client.post("/order", content=pieces())).status_code == 200
    assert vendor.requests[0].body == {"one": 1, "two": 2}


@pytest.mark.parametrize(("fate", "arrived", "status"), [
    (LOST, 1, None), (UNSENT, 0, None), (FAILED, 1, 500), (busy({"Retry-After": "1"}), 0, 429), (echo(401), 0, 401),
], ids=["lost", "unsent", "failed", "busy", "echo"])  # fmt: skip
async def test_a_fate_strikes_one_call(way: Any, fate: Any, arrived: int, status: int | None) -> None:
    vendor, proxy, client = way
    proxy.at(1, fate)
    assert (await client.get("/first")).status_code == 200
    if status is None:
        with pytest.raises(httpx.TransportError):
            await client.post("/second")
    else:
        assert (await client.post("/second")).status_code == status
    assert len(vendor.requests) == 1 + arrived
    assert (await client.get("/third")).status_code == 200
    assert [call.fate for call in proxy.since] == ["", fate.title, ""]


async def test_slow_is_done_at_once_and_answered_late(way: Any) -> None:
    vendor, proxy, client = way
    proxy.at(0, slow(3600))
    waiting = asyncio.create_task(client.post("/order", timeout=None))
    async with asyncio.timeout(30):
        while not vendor.requests:
            await asyncio.sleep(0.01)
    (call,) = proxy.since
    await client.get("/another")  # it has had its time
    assert (waiting.done(), call.answered, call.fate) == (False, None, slow(3600).title)
    waiting.cancel()


async def test_an_echo_says_what_was_sent_and_what_signed_it_is_known(way: Any) -> None:
    _, proxy, client = way
    proxy.at(0, echo(400))
    packed = base64.b64encode(b"0:the-session").decode()
    answer = await client.post("/order", json={"token": "s3cret"}, headers={"Authorization": f"Basic {packed}"})
    assert {"s3cret", packed} <= {word for word in ("s3cret", packed) if word in answer.text}
    assert proxy.credentials() == {packed, "the-session"}


async def test_something_may_happen_meanwhile_and_answers_may_be_others(way: Any) -> None:
    vendor, proxy, client = way
    seen: list[int] = []

    async def meanwhile() -> None:
        seen.append(len(vendor.requests))

    proxy.meanwhile[1] = meanwhile
    proxy.rewrite = lambda call, answer: {"was": answer["path"]}
    assert (await client.get("/a")).json() == {"was": "/a"}
    await client.get("/b")
    assert seen == [1]
