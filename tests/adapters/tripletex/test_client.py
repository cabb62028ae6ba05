"""Sessions, limits, errors, secrets."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from adapters.accounting.tripletex import Secrets, Settings, plugin
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox
from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome
from connector.http import Http, calling
from connector.ports import ConnectionConfig, Kind

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import customer_goal, invoice_goal, opened, reach


def client(box: Sandbox, **more: object) -> Client:
    given = {"consumer_token": CONSUMER_TOKEN, "employee_token": EMPLOYEE_TOKEN, "company": 0, "days": 2}
    return Client(Http(box.url), **{**given, "legacy": False, **more})  # type: ignore[arg-type]


def sessions(box: Sandbox) -> int:
    return sum(1 for request in box.requests if request.path == "/v2/token/session/:create")


async def test_one_session_for_many_calls_at_once_and_one_more_when_it_ended(box: Sandbox) -> None:
    it = client(box)
    await asyncio.gather(*(it.rows("/customer", fields="id") for _ in range(8)))
    assert sessions(box) == 1
    box.fault("", "expire")
    await asyncio.gather(*(it.rows("/customer", fields="id") for _ in range(8)))
    assert sessions(box) == 2
    await it.close()
    assert not box.sessions, "the session was ended"


async def test_a_session_is_renewed_before_it_dies(box: Sandbox) -> None:
    it = client(box, days=1)
    with time_machine.travel(datetime(2027, 1, 15, 12, 0, tzinfo=UTC), tick=True) as clock:
        await it.rows("/customer", fields="id")
        clock.move_to(datetime(2027, 1, 15, 22, 45, tzinfo=UTC))  # 23.45 in Norway
        await it.rows("/customer", fields="id")
        assert sessions(box) == 1
        clock.move_to(datetime(2027, 1, 15, 22, 55, tzinfo=UTC))
        await it.rows("/customer", fields="id")
        assert sessions(box) == 2
        assert [r.status for r in box.requests] == [201, 200, 200, 201, 200], "no call was refused"
        await it.close()


async def test_the_older_way_to_begin_a_session(box: Sandbox) -> None:
    it = client(box, legacy=True)
    await it.rows("/customer", fields="id")
    assert box.requests[0].method == "PUT"
    await it.close()


@pytest.mark.parametrize("wrong", [{"consumer_token": "x1x1x1x1"}, {"employee_token": "x1x1x1x1"}])
async def test_tokens_that_are_not_accepted_are_for_a_person(box: Sandbox, wrong: dict[str, str]) -> None:
    it = client(box, **wrong)
    with pytest.raises(NeedsPerson) as needs:
        await it.rows("/customer", fields="id")
    assert needs.value.code == "sign-in"
    assert needs.value.said_by_vendor == "Ugyldig token."
    assert "API-tilgang" in needs.value.do
    await it.close()


async def test_a_company_that_is_not_ones_own_is_a_missing_right(box: Sandbox) -> None:
    it = client(box, company=4711)
    with pytest.raises(NeedsPerson) as needs:
        await it.rows("/customer", fields="id")
    assert needs.value.code == "right-missing"
    await it.close()


async def test_a_clients_company_is_entered_by_its_id(box: Sandbox) -> None:
    it = client(box, company=box.books.company["id"])
    assert await it.rows("/customer", fields="id") == []
    await it.close()


async def test_errors_go_by_status_code_and_field(box: Sandbox) -> None:
    it = client(box)
    made = await it.write("POST", "/customer", json={"name": "Kjøper AS"})
    with pytest.raises(Refused) as refused:
        await it.write("PUT", f"/customer/{made['id']}", json={"version": 99, "name": "X"})
    assert (refused.value.code, refused.value.status) == ("revision-conflict", 409)
    assert refused.value.details == {"vendor_code": 8000, "fields": ["version"]}
    with pytest.raises(Refused) as refused:
        await it.write("POST", "/customer", json={"email": "a@b.no"})
    assert refused.value.code == "vendor-validation"
    assert refused.value.details == {"vendor_code": 18000, "fields": ["name"]}
    assert "Kan ikke være null." in (refused.value.said_by_vendor or "")
    with pytest.raises(Refused) as refused:
        await it.get("/customer/1", fields="id")
    assert refused.value.code == "vendor-not-found"
    with pytest.raises(Refused) as refused:
        await it.rows("/customer", fields="id,nonsense")
    assert refused.value.code == "vendor-bad-request"
    await it.close()


async def test_a_write_whose_answer_cannot_be_read_may_have_happened(box: Sandbox) -> None:
    it = client(box)
    box.fault("POST /customer", "garbled")
    with pytest.raises(UnknownOutcome) as unknown:
        await it.write("POST", "/customer", json={"name": "Kjøper AS"})
    assert unknown.value.code == "vendor-answer"
    await it.close()


async def test_how_long_to_wait_is_remembered_where_the_429_does_not_say_it() -> None:
    async with Sandbox(rate_limit=100, rate_period=60) as box:
        it = client(box)
        await it.rows("/customer", fields="id")
        box.fault("GET /customer", "429-no-reset")
        with pytest.raises(TryLater) as later:
            await it.rows("/customer", fields="id")
        assert later.value.code == "rate-limited"
        assert 50 < (later.value.after or 0) <= 61
        await it.close()


async def test_how_long_to_wait_is_read_from_the_429(box: Sandbox) -> None:
    it = client(box)
    box.fault("GET /customer", "429", seconds=17)
    with pytest.raises(TryLater) as later:
        await it.rows("/customer", fields="id")
    assert later.value.after == 17
    await it.close()


async def test_no_secret_is_kept_of_what_was_said(box: Sandbox) -> None:
    for legacy in (False, True):
        system = opened(box, legacy_session=legacy)
        with calling(None) as scope:
            await reach(system, invoice_goal((await reach(system, customer_goal()))["read"].id, f"m-{legacy}"))
            await system.close()
        tokens = [CONSUMER_TOKEN, EMPLOYEE_TOKEN]
        tokens += [request.path.rpartition("/")[2] for request in box.requests if request.method == "DELETE"]
        assert len(tokens) >= 3
        for exchange in scope.exchanges:
            said = f"{exchange.url} {exchange.request} {exchange.answer} {exchange.error}"
            assert not any(token in said for token in tokens), said
        assert all(exchange.request_id for exchange in scope.exchanges)


def test_a_lane_is_one_per_token_and_does_not_tell_it(box: Sandbox) -> None:
    def lane(token: str) -> str:
        secrets = Secrets(consumer_token="c-token", employee_token=token)
        config = ConnectionConfig("c", "t", Settings(base_url=box.url), secrets)
        return plugin.open(config, Http(box.url)).lane.key

    assert lane("e-token-1") == lane("e-token-1") != lane("e-token-2")
    assert "e-token-1" not in lane("e-token-1")


async def test_reads_are_tried_again_and_cost_nothing_else(box: Sandbox) -> None:
    system = opened(box)
    box.fault("GET /customer", "500-before", count=2)
    assert await system.read(Kind.CUSTOMER, "1") is None
    await system.close()
