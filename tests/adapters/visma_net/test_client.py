"""Access and limits: one token at a time, renewed before it ends, never shown; calls that are used up are not made."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.client import segment
from adapters.accounting.visma_net.sandbox import CLIENT_SECRET, CONTRACT_ID, Sandbox
from connector.errors import NeedsPerson, TryLater, UnknownOutcome
from connector.http import calling
from connector.ports import Kind, Run

sys.path.append(str(Path(__file__).parent))
from visma_driving import customer_goal, invoice_goal, opened, reach, supplier_goal


def tokens(box: Sandbox) -> int:
    return sum(came.path.endswith("/connect/token") for came in box.requests)


async def test_one_token_for_many_calls_at_once() -> None:
    async with Sandbox(latency=0.02) as box:
        system = opened(box)
        await asyncio.gather(*(system.company() for _ in range(8)))
        assert tokens(box) == 1


async def test_a_token_is_renewed_before_it_ends() -> None:
    async with Sandbox(life=1) as box:
        system = opened(box)
        await system.company()
        await asyncio.sleep(0.95)  # a tenth of its life before its end
        await system.company()
        assert tokens(box) == 2
        assert all(came.status == 200 for came in box.requests)


async def test_a_token_that_is_refused_is_fetched_anew_once() -> None:
    async with Sandbox() as box:
        system = opened(box)
        await system.company()
        box.tokens.clear()
        await system.company()
        assert tokens(box) == 2


@pytest.mark.parametrize(("more", "requests"), [({"secret": "wrong"}, 1), ({"tenant_id": "nobody"}, 1)])
async def test_what_visma_connect_does_not_accept_is_for_a_person(more: dict[str, Any], requests: int) -> None:
    async with Sandbox() as box:
        with pytest.raises(NeedsPerson) as exc:
            await opened(box, **more).probe()
        assert exc.value.code == "sign-in"
        assert len(box.requests) == requests


async def test_the_tenant_of_the_contract_opens_nothing() -> None:
    async with Sandbox() as box:
        with pytest.raises(NeedsPerson) as exc:
            await opened(box, tenant_id=CONTRACT_ID).probe()
        assert (exc.value.code, exc.value.status) == ("sign-in", 401)
        assert "tenant_id" in exc.value.do


async def test_no_secret_is_shown_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Sandbox() as box:
        system = opened(box)
        with calling(None) as scope:
            await reach(system, customer_goal())
            box.tokens.clear()
            await system.company()
        said = caplog.text + "".join(f"{one.url}{one.request}{one.answer}{one.error}" for one in scope.exchanges)
        assert len(scope.exchanges) > 4
        for token in (*box.tokens, CLIENT_SECRET):
            assert token not in said


async def test_calls_that_are_used_up_are_not_made() -> None:
    async with Sandbox(limit=2, window=60) as box:
        system = opened(box)
        await system.company()
        await system.company()
        with pytest.raises(TryLater) as exc:
            await system.company()
        assert exc.value.code == "rate-limited"
        assert 0 < exc.value.after <= 61
        assert len(box.requests) == 3  # the token's, and two


async def test_too_many_says_when_to_come_back() -> None:
    async with Sandbox() as box:
        box.fault("GET /v1/organization", "429", seconds=17)
        with pytest.raises(TryLater) as exc:
            await opened(box).company()
        assert (exc.value.code, exc.value.after) == ("rate-limited", 17)


async def test_after_too_many_no_other_call_is_made_before_its_time() -> None:
    """A supplier is made, and what reads it is told to wait: reading it at once would be a call too many."""
    async with Sandbox() as box:
        system = opened(box, incoming="release", incoming_account="4300")
        goal = supplier_goal()
        create, read = system.flow(goal)
        proofs = {"made": await create.call(Run(goal, {}))}
        box.fault("GET /v1/supplier/", "429", seconds=1)
        with pytest.raises(TryLater):
            await read.call(Run(goal, proofs))
        made = len(box.requests)
        with pytest.raises(TryLater) as exc:
            await read.call(Run(goal, proofs))
        assert 0.5 < exc.value.after <= 1
        assert len(box.requests) == made
        await asyncio.sleep(1)
        assert (await read.call(Run(goal, proofs))).record.body["name"] == "Selger AS"


async def test_a_500_to_a_write_is_not_known_whatever_it_says() -> None:
    """Its text may be what went wrong after the work was done: it is a reason only when a look finds nothing."""
    async with Sandbox(faults_as=500) as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        goal = invoice_goal(id, documentDate="2031-01-15", documentDueDate="2031-01-29")
        step, *_ = system.flow(goal)
        with pytest.raises(UnknownOutcome) as unknown:
            await step.call(Run(goal, {}))
        meant = unknown.value.refused
        assert meant is not None
        assert (meant.code, meant.status) == ("period-closed", 500)
        assert meant.where["visma_id"]
        assert unknown.value.as_json()["refused"]["code"] == "period-closed"

        box.fault("POST /v2/customerinvoice", "500-after")
        with pytest.raises(UnknownOutcome) as unknown:
            await step.call(Run(invoice_goal(id), {}))
        assert unknown.value.refused is None


async def test_an_answer_that_names_nothing_is_not_known() -> None:
    async with Sandbox() as box:
        system = opened(box)
        vendor = box.vendor

        def silent(*args: Any) -> Any:
            answer = vendor(*args)
            answer.headers.pop("Location", None)
            return answer

        box.vendor = silent  # type: ignore[method-assign]
        step, *_ = system.flow(customer_goal())
        with pytest.raises(UnknownOutcome):
            await step.call(Run(customer_goal(), {}))
        assert len(await step.look(Run(customer_goal(), {}))) == 1


@pytest.mark.parametrize(
    ("number", "part"), [("100001", "100001"), ("A/17", "b64(QS8xNw==)"), ("Ø-1", "b64(w5gtMQ==)")]
)
def test_numbers_with_reserved_characters(number: str, part: str) -> None:
    assert segment(number) == part


async def test_a_number_with_a_slash_is_found() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        made = (await reach(system, invoice_goal(id)))["read"].id
        row = box.books.tables["invoice"].pop(made)
        box.books.tables["invoice"]["A/17"] = row | {"referenceNumber": "A/17"}
        assert (await system.read(Kind.INVOICE, "A/17")).id == "A/17"
