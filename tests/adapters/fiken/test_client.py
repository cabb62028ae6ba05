"""How Fiken is called: one call at a time, not too soon, waiting after lost answers; and what answers mean."""

from __future__ import annotations

import asyncio
import sys
from datetime import date
from pathlib import Path

import pytest

from adapters.accounting.fiken import pacing
from adapters.accounting.fiken.sandbox import Sandbox
from adapters.loopback import Answer
from connector.errors import NeedsPerson, Refused, TryLater, UnknownOutcome, VendorError
from connector.http import calling
from connector.ports import Kind, Run

sys.path.append(str(Path(__file__).parent))
from fiken_driving import customer_goal, opened, reach


async def test_the_companies_of_a_user_are_never_called_in_parallel() -> None:
    async with Sandbox(companies=["Elv AS"], latency=0.02) as box:
        first, second = opened(box, company="fjord-as"), opened(box, company="elv-as")
        assert first.lane == second.lane
        assert (first.lane.width, first.lane.key.startswith("fiken:")) == (1, True)
        await asyncio.gather(*(one.company() for one in (first, second) for _ in range(5)))
        assert (box.parallel, box.banned) == ({}, set())
        assert len(box.requests) == 10


async def test_calls_are_as_far_apart_as_the_settings_say() -> None:
    async with Sandbox() as box:
        system = opened(box, spacing=0.2, company="fjord-as")
        assert system.lane.spacing == 0.2
        for _ in range(5):
            await system.company()
        # By when they arrive, and the first may arrive late: 0.8 s between first and last, next to nothing unspaced.
        assert box.starts[4] - box.starts[0] > 0.5


async def test_who_calls_beside_himself_is_refused_then_banned() -> None:
    """The sandbox means it: two connections that do not know of each other, as two programs with one token would be."""
    async with Sandbox(latency=0.2, ban_after=2) as box:
        first, second = opened(box, company="fjord-as"), opened(box, company="fjord-as")
        second._client._user = "somebody else"  # type: ignore[attr-defined]
        for _ in range(2):
            ended = await asyncio.gather(first.company(), second.company(), return_exceptions=True)
            assert [type(one) for one in ended if isinstance(one, BaseException)] == [TryLater]
        with pytest.raises(TryLater):
            await first.company()
        assert box.banned == {"kari"}


async def test_after_a_lost_answer_the_next_call_waits() -> None:
    """The call may still be running there; a second one beside it would be an offence."""
    async with Sandbox() as box:
        system = opened(box, spacing=0.03, timeout=0.2, company="fjord-as")
        box.fault("GET /companies/fjord-as", "slow", seconds=0.3)
        with pytest.raises(TryLater) as lost:
            await system.company()
        assert lost.value.code == "answer-lost"
        await system.company()
        assert (box.parallel, len(box.requests)) == ({}, 2)


async def test_after_a_call_that_was_given_up_the_next_one_waits() -> None:
    """The time of a whole step is over before that of the call."""
    async with Sandbox() as box:
        system = opened(box, spacing=0.05, company="fjord-as")
        box.fault("GET /companies/fjord-as", "slow", seconds=0.3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await system.company()
        await system.company()
        assert box.parallel == {}


async def test_too_many_calls_are_waited_out_longer_each_time() -> None:
    async with Sandbox() as box:
        system = opened(box, company="fjord-as")
        box.fault("", "429-no-reset", count=4)
        waits = []
        for _ in range(4):
            with pytest.raises(TryLater) as later:
                await system.company()
            waits.append(later.value.after)
        assert waits == [1.0, 2.0, 4.0, 8.0]
        await system.company()
        box.fault("", "429-no-reset")
        with pytest.raises(TryLater) as later:
            await system.company()
        assert later.value.after == 1.0


async def test_one_pace_for_a_user_however_slow_the_slowest_wants_it() -> None:
    first = pacing.of("user", 0.1)
    assert pacing.of("user", 0.3) is first
    assert first.spacing == 0.3
    assert pacing.of("another", 0.1) is not first


# --- what answers mean ------------------------------------------------------------------------------------------------


async def test_a_company_that_was_taken_away_is_no_deleted_data() -> None:
    async with Sandbox() as box:
        system = opened(box, company="fjord-as")
        id = (await reach(system, customer_goal()))["read"].id
        assert await system.read(Kind.CUSTOMER, "1") is None
        box.access.personal["sandbox-token"].companies.clear()
        with pytest.raises(NeedsPerson) as lost:
            await system.read(Kind.CUSTOMER, id)
        assert (lost.value.code, "Nothing was deleted" in lost.value.do) == ("access-lost", True)


async def test_a_token_that_is_not_taken() -> None:
    async with Sandbox() as box:
        with pytest.raises(NeedsPerson) as refused:
            await opened(box, token="wrong", company="fjord-as").company()
        assert refused.value.code == "sign-in"
        assert "wrong" not in str(refused.value.as_json())
        assert len(box.requests) == 1


async def test_which_company_is_never_guessed() -> None:
    async with Sandbox(companies=["Elv AS"]) as box:
        with pytest.raises(NeedsPerson) as unclear:
            await opened(box).company()
        assert unclear.value.code == "company-unclear"
        assert [one["company"] for one in unclear.value.details["companies"]] == ["fjord-as", "elv-as"]
        probe = await opened(box, company="elv-as").probe()
        assert (probe.company, [one.id for one in probe.reaches]) == ("Elv AS", ["fjord-as", "elv-as"])


async def test_the_api_module_and_another_user_are_missed_in_the_test_call() -> None:
    async with Sandbox() as box:
        box.books.company["hasApiAccess"] = False
        probe = await opened(box, user="ola@example.no").probe()
        assert [said[:12] for said in probe.missing] == ["A sign-in as", "The API modu"]


async def test_the_token_is_in_no_exchange(box: Sandbox) -> None:
    system = opened(box)
    with calling(None) as scope:
        await system.company()
    assert len(scope.exchanges) == 2
    assert "sandbox-token" not in str(scope.exchanges)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "invalid_request", "error_description": "name må fylles ut"}, "invalid_request: name må fylles ut"),
        ({"message": "finnes ikke"}, "finnes ikke"),
        ("Perioden er låst", "Perioden er låst"),
        (None, None),
    ],
)
async def test_fikens_words_in_whichever_shape_they_come(box: Sandbox, body: object, said: str | None) -> None:
    box.vendor = lambda request, path, since: Answer(400, body, {})  # type: ignore[method-assign]
    with pytest.raises(Refused) as refused:
        await opened(box, company="fjord-as").company()
    assert (refused.value.code, refused.value.said_by_vendor) == ("vendor-validation", said)


@pytest.mark.parametrize("body", [b"<html>", []])
async def test_answers_that_are_not_as_described_are_errors(box: Sandbox, body: object) -> None:
    system = opened(box)
    id = (await reach(system, customer_goal()))["read"].id
    plain = box.vendor

    def odd(request, path, since):  # type: ignore[no-untyped-def]
        answer = plain(request, path, since)
        if path.endswith(f"/contacts/{id}"):
            answer.body = body
        return answer

    box.vendor = odd  # type: ignore[method-assign]
    with pytest.raises(VendorError) as error:
        await system.read(Kind.CUSTOMER, id)
    assert error.value.code == "vendor-answer"


@pytest.mark.parametrize("missing", ["name", "contactId"])
async def test_a_field_that_is_missing_is_named_and_one_too_many_is_harmless(box: Sandbox, missing: str) -> None:
    system = opened(box)
    id = (await reach(system, customer_goal()))["read"].id
    there = box.books.find("contact", id)
    there["somethingNew"] = {"a": 1}
    record = await system.read(Kind.CUSTOMER, id)
    assert record is not None
    assert "somethingNew" not in record.body
    plain = box.vendor

    def without(request, path, since):  # type: ignore[no-untyped-def]
        answer = plain(request, path, since)
        if isinstance(answer.body, list):
            for row in answer.body:
                row.pop(missing, None)
        return answer

    box.vendor = without  # type: ignore[method-assign]
    with pytest.raises(VendorError) as error:
        await system.changes(Kind.CUSTOMER, await system.begin(Kind.CUSTOMER, date(2027, 1, 1)))
    assert (error.value.code, missing in error.value.said) == ("vendor-answer", True)


async def test_a_created_thing_without_its_place_is_an_unknown_outcome(box: Sandbox) -> None:
    plain = box.vendor

    def placeless(request, path, since):  # type: ignore[no-untyped-def]
        answer = plain(request, path, since)
        answer.headers.pop("Location", None)
        return answer

    box.vendor = placeless  # type: ignore[method-assign]
    goal = customer_goal()
    with pytest.raises(UnknownOutcome) as unknown:
        await opened(box).flow(goal)[0].call(Run(goal, {}))
    assert unknown.value.where["field"] == "Location"
    assert len(list(box.books.all("contact"))) == 1
