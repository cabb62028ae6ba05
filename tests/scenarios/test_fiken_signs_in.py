"""A person signs in at Fiken; what was granted is renewed, kept before it is used, and ended."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.accounting.fiken.sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox

sys.path.append(str(Path(__file__).parent))
from fiken_company import INVOICE, TENANT, kroner, sold

SIGNED_IN = TENANT.replace("token: env:FJORD_TOKEN", "client_id: env:FJORD_ID, client_secret: env:FJORD_SECRET")


@pytest.fixture
async def fjord(founded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A company whose connection lives by a sign-in; nobody has signed in yet."""
    monkeypatch.setenv("FJORD_ID", CLIENT_ID)
    monkeypatch.setenv("FJORD_SECRET", CLIENT_SECRET)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tenant = SIGNED_IN.replace("base_url:", f'sign_in_url: "http://127.0.0.1:{port}/oauth", base_url:')
    async with partial(founded, books=Sandbox)(rounding="document", tenant=tenant, port=port) as made:
        yield made


async def signs_in(fjord: Any) -> httpx.Response:
    """A person opens the address and says yes in Fiken, which sends him back."""
    answer = await fjord.client.get("/v1/oauth/fiken/start", params={"connection": "books"})
    assert answer.status_code == 200, answer.text
    async with httpx.AsyncClient() as browser:
        there = await browser.get(answer.json()["url"])
    assert there.status_code == 302, there.text
    way_back = httpx.URL(there.headers["location"])
    return await fjord.client.get(way_back.path, params=dict(way_back.params), headers={"Authorization": ""})


async def test_a_connection_lives_by_a_sign_in(fjord: Any) -> None:
    await fjord.post("/v1/invoices", INVOICE)
    await fjord.work()
    assert [one["code"] for one in await fjord.get("/v1/attention")] == ["sign-in-needed"]

    assert (await signs_in(fjord)).status_code == 200
    await fjord.work(within=2)
    document = await fjord.document(kind="invoice")
    assert (document.state, Decimal(document.payable)) == ("issued", kroner("12 500,00"))


async def test_tokens_that_ended_are_renewed_once_by_a_token_that_works_once(fjord: Any) -> None:
    await signs_in(fjord)
    await sold(fjord)
    (grant,) = fjord.box.access.grants
    first = grant.refresh
    for number in (1, 2):
        fjord.box.fault("", "expire")
        await sold(fjord, INVOICE | {"source_id": f"sale-{number}"})
    renewals = [one for one in fjord.box.requests if one.path == "/oauth/token"][1:]
    assert [one.status for one in renewals] == [200, 200]
    assert renewals[0].body["refresh_token"] == first != grant.refresh
    assert len(fjord.box.books.vouchers) == 3
    told = str(await fjord.get("/v1/changes", limit=1000))
    assert grant.access not in told
    assert CLIENT_SECRET not in told


async def test_a_grant_that_was_taken_back_asks_for_a_sign_in(fjord: Any) -> None:
    await signs_in(fjord)
    await sold(fjord)
    fjord.box.access.grants.clear()
    await fjord.post("/v1/invoices", INVOICE | {"source_id": "sale-2"})
    await fjord.work()
    assert [one["code"] for one in await fjord.get("/v1/attention")] == ["sign-in-needed"]
    assert (await signs_in(fjord)).status_code == 200
    await fjord.work(within=2)
    assert await fjord.get("/v1/attention") == []
    assert len(fjord.box.books.vouchers) == 2
