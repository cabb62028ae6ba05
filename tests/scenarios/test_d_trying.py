"""The test call of a connection: made in its lane, by whoever serves that, also where the connection is paused."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Sandbox
from connector.errors import NeedsPerson
from connector.ports import Kind, Lane
from connector.service.house import open_house
from connector.store import connections, work
from connector.sync import reads
from connector.sync.onboarding import trying

LATENCY = 0.03


class Timed(Sandbox):
    """Books that know when each call came."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.began: list[float] = []

    def handle(self, request: Any) -> Any:
        self.began.append(time.monotonic())
        return super().handle(request)


async def poll(fjord: Any, *kinds: Kind) -> None:
    [spoke] = fjord.house.spokes()
    for kind in kinds:
        await fjord.house.store.write(lambda tx, k=kind: reads.poll(tx, spoke, k))


async def a_call(fjord: Any) -> None:
    """Wait until the books hear the first."""
    async with asyncio.timeout(20):
        while not fjord.box.began:
            await asyncio.sleep(0.005)


def sessions(fjord: Any) -> int:
    return sum(one.path.endswith("/token/session/:create") for one in fjord.box.requests)


async def test_while_a_worker_holds_the_lane_it_is_made_there_one_call_at_a_time(founded: Any) -> None:
    async with founded(books=Timed, settings="width: 1", latency=LATENCY) as fjord:
        await poll(fjord, Kind.CUSTOMER, Kind.PRODUCT, Kind.DEPARTMENT, Kind.PROJECT)
        working = asyncio.create_task(fjord.house.worker.run())
        await a_call(fjord)
        async with open_house(fjord.house.settings) as command:
            found = await command.probe(command.named("fjord", "books"))
        fjord.house.stop()
        await working
        assert found.organisation_number == fjord.box.books.company["organizationNumber"]
        assert found.missing == ()
        assert sessions(fjord) == 1, "the command called by itself"
        assert min(later - one for one, later in pairwise(fjord.box.began)) > LATENCY * 0.9


async def test_it_keeps_the_distance_that_the_lane_keeps(founded: Any) -> None:
    async with founded(books=Timed) as fjord:
        [spoke] = fjord.house.spokes()
        spoke.accounting.lane = Lane(spoke.lane, 4, spacing=0.6)
        await poll(fjord, Kind.CUSTOMER)
        working = asyncio.create_task(fjord.house.worker.run())
        await a_call(fjord)
        first = fjord.box.began[0]
        await fjord.house.probe(spoke)
        fjord.house.stop()
        await working
        own = [at for at, one in zip(fjord.box.began, fjord.box.requests, strict=True) if ">withLogin" in one.path]
        assert own[0] - first > 0.5


async def test_where_nobody_serves_the_lane_the_command_does_and_brings_about_nothing(founded: Any) -> None:
    async with founded(books=Timed) as fjord:
        [spoke] = fjord.house.spokes()
        assert (await fjord.house.probe(spoke)).missing == ()
        assert {one.method for one in fjord.box.requests if "session" not in one.path} == {"GET"}
        fjord.box.shrink("advanced_voucher")
        assert (await fjord.house.probe(spoke)).missing != (), "it was answered from before"


async def test_a_paused_connection_is_tried_too(fjord: Any) -> None:
    [spoke] = fjord.house.spokes()
    by_hand = NeedsPerson("Paused by a person.", code="paused")
    await fjord.house.store.write(lambda tx: connections.pause(tx, spoke.id, by_hand))
    assert (await fjord.house.probe(spoke)).company
    row = await fjord.house.store.read(lambda tx: connections.get(tx, spoke.id))
    assert row.paused == "paused"


async def test_a_service_that_does_not_know_the_connection_yet_says_so(fjord: Any) -> None:
    """It was started before the connection stood in the file; nobody is asked, and the next one tries."""
    [spoke] = fjord.house.spokes()
    known, fjord.house._spokes = fjord.house._spokes, {}
    id = await fjord.house.store.write(lambda tx: trying.ask(tx, spoke))
    await fjord.house.looker().run_until_idle()
    row = await fjord.house.store.read(lambda tx: work.get(tx, id))
    assert row.error["code"] == "connection-not-known-yet"
    assert await fjord.get("/v1/attention") == []
    fjord.house._spokes = known
    assert (await fjord.house.probe(spoke, wait=30)).company


async def test_another_companys_books_are_told(fjord: Any) -> None:
    [spoke] = fjord.house.spokes()
    fjord.box.books.company["organizationNumber"] = "974760673"
    with pytest.raises(NeedsPerson) as refused:
        await fjord.house.probe(spoke)
    assert refused.value.code == "company-differs"
    assert refused.value.details["organisation_number"] == "974760673"


async def test_keys_that_are_not_taken_are_no_sign_in(fjord: Any) -> None:
    """What a person must do is said in the system's words, and where he puts in what he has got there."""
    fjord.box.access.clear()
    await poll(fjord, Kind.CUSTOMER)
    await fjord.work()
    (shown,) = await fjord.get("/v1/connections")
    assert shown["state"] == "needs-keys"
    for word in ("API-tilgang", "connector connections secret books KEY", "connector connections resume books"):
        assert word in shown["do"], shown["do"]
    (item,) = await fjord.get("/v1/attention")
    assert (item["code"], item["do"], item["verbs"]) == ("sign-in", shown["do"], ["resume"])
