"""A connection comes to life by a sign-in, and its tokens are renewed by one process at a time."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import re
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from connector import plugins
from connector.cli import connections as command_line
from connector.cli import signing_in
from connector.errors import NeedsPerson, TryLater
from connector.service.signing_in import Granted
from connector.store import attention, connections, grants, keys
from tests.scenarios import conftest as scenarios

_spec = importlib.util.spec_from_file_location("oauth_vendor", Path(__file__).with_name("oauth_vendor.py"))
assert _spec is not None
assert _spec.loader is not None
oauth_vendor = importlib.util.module_from_spec(_spec)
sys.modules["oauth_vendor"] = oauth_vendor
_spec.loader.exec_module(oauth_vendor)

founded, fjord = scenarios.founded, scenarios.fjord


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    async with oauth_vendor.Server() as server:
        known = MappingProxyType({"tripletex": oauth_vendor.Plugin(server)})
        monkeypatch.setattr(plugins, "accounting", lambda: known)
        yield server


@pytest.fixture
async def company(server: Any, founded: Any) -> AsyncIterator[Any]:
    async with founded() as made:
        made.server = server
        yield made


async def begun(company: Any) -> str:
    answer = await company.client.get("/v1/oauth/tripletex/start", params={"connection": "books"})
    assert answer.status_code == 200, answer.text
    return answer.json()["url"]


async def back(company: Any, **said: str) -> Any:
    return await company.client.get("/v1/oauth/tripletex/callback", params=said, headers={"Authorization": ""})


def grant_of(company: Any) -> Granted:
    (spoke,) = company.house.spokes()
    return spoke.accounting.grant


async def signed_in(company: Any) -> Granted:
    answer = await back(company, **company.server.signs_in(await begun(company)))
    assert answer.status_code == 200, answer.text
    return grant_of(company)


async def test_a_sign_in_brings_a_connection_to_life(company: Any) -> None:
    (spoke,) = company.house.spokes()
    with pytest.raises(NeedsPerson, match="Nobody has signed in") as none:
        await company.house.probe(spoke)
    assert (none.value.code, "sign-in books" in none.value.do) == ("sign-in-needed", True)
    store = company.house.store
    await store.write(lambda tx: connections.pause(tx, spoke.id, none.value))
    (shown,) = await company.get("/v1/connections")
    assert (shown["state"], shown["do"]) == ("needs-sign-in", none.value.do)

    answer = await back(company, **company.server.signs_in(await begun(company)))
    assert answer.status_code == 200
    assert "Tilkoblingen er klar" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    (shown,) = await company.get("/v1/connections")
    assert shown["state"] == "active"
    assert await store.read(lambda tx: attention.find(tx, tenant="fjord")) == []
    assert await grant_of(company).token() == company.server.good


async def test_a_state_is_good_once_and_only_here(company: Any) -> None:
    said = company.server.signs_in(await begun(company))
    wrong = await back(company, state="guessed", code=said["code"])
    assert (wrong.status_code, "sign-in-unknown" in wrong.text) == (422, True)
    elsewhere = await company.client.get("/v1/oauth/other/callback", params=said)
    assert elsewhere.status_code == 422
    again = await back(company, **said)  # it was used up by the attempt from elsewhere
    assert again.status_code == 422
    assert await company.house.store.read(lambda tx: grants.get(tx, company.house.spokes()[0].id)) is None


async def test_a_sign_in_that_takes_too_long(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = company.server.signs_in(await begun(company))
    clock = company.house.store.clock
    monkeypatch.setattr(company.house.store, "clock", lambda: clock() + timedelta(minutes=16))
    assert (await back(company, **said)).status_code == 422


async def test_a_token_that_is_not_taken_asks_for_a_sign_in_and_wrong_keys_for_keys(company: Any) -> None:
    (spoke,) = company.house.spokes()
    refused, store = NeedsPerson("No.", code="sign-in", do="Ask Kari."), company.house.store
    await store.write(lambda tx: connections.pause(tx, spoke.id, refused))
    (shown,) = await company.get("/v1/connections")
    assert (shown["state"], "connections secret books" in shown["do"]) == ("needs-keys", True)
    await signed_in(company)
    assert (await company.get("/v1/connections"))[0]["state"] == "active", "signed in, it goes on"
    await store.write(lambda tx: connections.pause(tx, spoke.id, refused))
    (shown,) = await company.get("/v1/connections")
    assert (shown["state"], shown["do"]) == ("needs-sign-in", "Ask Kari.")


async def test_access_that_is_not_given(company: Any) -> None:
    said = company.server.signs_in(await begun(company))
    answer = await back(company, state=said["state"], error="access_denied", error_description="<b>Nei</b>")
    assert answer.status_code == 422
    assert "&lt;b&gt;Nei&lt;/b&gt;" in answer.text
    assert "sign-in-refused" in answer.text


async def test_a_code_that_is_not_taken(company: Any) -> None:
    said = company.server.signs_in(await begun(company))
    answer = await back(company, state=said["state"], code="another")
    assert (answer.status_code, "sign-in-needed" in answer.text) == (502, True)


async def test_only_who_may_settle_begins_one(company: Any) -> None:
    answer = await company.client.get(
        "/v1/oauth/tripletex/start", params={"connection": "books"}, headers={"Authorization": ""}
    )
    assert answer.status_code == 401
    _, secret = await company.house.store.write(
        lambda tx: keys.create(tx, tenant="fjord", name="reads", scopes=("read", "write"))
    )
    answer = await company.client.get(
        "/v1/oauth/tripletex/start", params={"connection": "books"}, headers={"Authorization": f"Bearer {secret}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    answer = await company.client.get("/v1/oauth/fiken/start", params={"connection": "books"})
    assert (answer.status_code, answer.json()["code"]) == (404, "connection-not-found")
    page = await company.client.get(
        "/v1/oauth/tripletex/start", params={"connection": "books"}, headers={"Accept": "text/html"}
    )
    assert page.status_code == 303
    assert page.headers["location"].startswith(company.server.url)


async def test_tokens_are_renewed_once_by_all_who_need_them(company: Any) -> None:
    mine = await signed_in(company)
    old = company.server.good
    asked = len(company.server.requests)
    (spoke,) = company.house.spokes()
    other = Granted(company.house.store, spoke.id, spoke.name, company.house.signs_in[spoke.id])  # another process
    company.server.latency = 0.3
    got = await asyncio.gather(*(one.token(refused=old) for one in (mine, other, mine, other)))
    assert set(got) == {company.server.good}
    assert company.server.good != old
    assert len(company.server.requests) == asked + 1


async def test_a_token_is_renewed_before_it_ends(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = await signed_in(company)
    first = await grant.token()
    clock = company.house.store.clock
    monkeypatch.setattr(company.house.store, "clock", lambda: clock() + timedelta(minutes=59, seconds=30))
    assert await grant.token() == company.server.good != first


async def test_what_was_kept_is_used_after_a_restart(company: Any) -> None:
    await signed_in(company)
    asked = len(company.server.requests)
    (spoke,) = company.house.spokes()
    again = Granted(company.house.store, spoke.id, spoke.name, company.house.signs_in[spoke.id])
    assert await again.token() == company.server.good
    assert len(company.server.requests) == asked


async def test_a_lost_answer_is_asked_for_again(company: Any) -> None:
    grant = await signed_in(company)
    old = company.server.good
    company.server.fault("POST /token", "no-answer-before")
    with pytest.raises(TryLater) as lost:
        await grant.token(refused=old)
    assert lost.value.code == "token-not-renewed"
    assert await grant.token(refused=old) == company.server.good != old


async def test_a_lost_answer_that_used_the_token_up_asks_for_a_sign_in(company: Any) -> None:
    grant = await signed_in(company)
    old = company.server.good
    company.server.fault("POST /token", "no-answer")
    with pytest.raises(TryLater):
        await grant.token(refused=old)
    with pytest.raises(NeedsPerson) as gone:
        await grant.token(refused=old)
    assert gone.value.code == "sign-in-needed"
    assert "sign-in books" in gone.value.do
    assert await (await signed_in(company)).token() == company.server.good


async def test_a_process_that_died_while_renewing_is_not_waited_for_for_ever(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await signed_in(company)
    old = company.server.good
    store, id = company.house.store, company.house.spokes()[0].id
    epoch = (await store.read(lambda tx: grants.get(tx, id))).epoch
    assert await store.write(lambda tx: grants.claim(tx, id, epoch, 60))
    assert not await store.write(lambda tx: grants.claim(tx, id, epoch, 60))
    clock = store.clock
    monkeypatch.setattr(store, "clock", lambda: clock() + timedelta(seconds=61))
    assert await grant.token(refused=old) == company.server.good


async def test_who_signs_in_anew_is_who_counts_from_then_on(company: Any) -> None:
    grant = await signed_in(company)
    first = await grant.token()
    await signed_in(company)
    assert await grant.token() == company.server.good != first


async def test_a_renewal_whose_asker_is_gone_is_kept(company: Any) -> None:
    grant = await signed_in(company)
    old = company.server.good
    company.server.latency = 0.3
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await grant.token(refused=old)
    await asyncio.sleep(0.6)
    asked = len(company.server.requests)
    assert await grant.token(refused=old) == company.server.good != old
    assert len(company.server.requests) == asked


async def test_no_secret_is_told(company: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    grant = await signed_in(company)
    kept = await company.house.store.read(lambda tx: grants.get(tx, company.house.spokes()[0].id))
    said = f"{kept!r} {grant!r} {caplog.text} {company.house.signs_in!r}"
    for secret in (company.server.good, company.server.refresh, oauth_vendor.SECRET):
        assert secret not in said


async def typed(company: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """What `connections sign-in` ends with and says, while somebody does what it asks for."""
    said = io.StringIO()
    monkeypatch.setattr("connector.cli.common.configure", lambda *_: None)  # loggers of this process are everybody's
    monkeypatch.setattr(signing_in, "out", Console(file=said, width=500))
    monkeypatch.setattr(signing_in, "err", Console(file=said, width=500))
    running = asyncio.create_task(
        asyncio.to_thread(CliRunner().invoke, command_line.app, ["sign-in", "books", *arguments])
    )
    while not running.done() and "The way back" not in said.getvalue():
        await asyncio.sleep(0.05)
    if not running.done():
        found = re.search(r"^http://\S+/authorize\S+", said.getvalue(), re.MULTILINE)
        assert found is not None, said.getvalue()
        where = company.server.signs_in(found[0])
        redirect = company.server.codes[where["code"]]["redirect_uri"]
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(redirect, params=where)
        assert "Tilkoblingen er klar" in answer.text
    ended = await running
    return ended.exit_code, said.getvalue() + ended.output


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as there:
        return int(there.getsockname()[1])


async def test_at_the_command_line(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = await typed(company, monkeypatch, "--port", str(free_port()))
    assert (code, "books works: " in said) == (0, True), said


async def test_a_port_that_is_taken_is_said(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = await typed(company, monkeypatch, "--port", port)
    assert (code, f"Port {port}" in said, "The way back" in said) == (2, True, False), said
