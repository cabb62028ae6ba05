"""Sending and receiving with programs of our own that are killed at every moment: each invoice arrives exactly once."""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import httpx
import pytest
from company import NUMBER, ehf, sbd

from adapters.access_points.phoss_ap.sandbox import HOOK_SECRET, Sandbox
from adapters.access_points.sandbox import Pace
from connector.peppol.receiving import MESSAGE
from connector.store import Tx, arrivals
from connector.testing.samples import purchase

_spec = spec_from_file_location("killed_at_work", Path(__file__).parents[1] / "scenarios" / "test_a_killed.py")
assert _spec is not None
assert _spec.loader is not None
killed = module_from_spec(_spec)
_spec.loader.exec_module(killed)

SUBMIT, STATUS = r"POST /outbound/submit/.*", r"GET /outbound/status/.*"
TAKEN = ("between", "on the way", "after")
"""Moments at which the access point has the document and nothing of that is recorded here."""
MOMENTS = ("before", "between", "on the way")
HANDED = ("soon", "kept", "answered")
SOON = 0.05
"""Seconds."""
CHANCE = random.Random(20270115)


class Deadly(killed.Fated, Sandbox):  # type: ignore[misc, name-defined]
    """phoss-ap with fate."""


@pytest.fixture
def at_work(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with at_work() as (fjord, workers)`: a company's access point is deadly, its workers are programs."""
    monkeypatch.setenv("CONNECTOR_LEASE", str(killed.LEASE))
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "error")

    @asynccontextmanager
    async def opened(**more: Any) -> AsyncIterator[tuple[Any, Any]]:
        workers = killed.Workers()
        async with founded(kind=Deadly, pace=Pace(delivered=0.2), **more) as fjord:
            try:
                yield fjord, workers
            finally:
                workers.end()

    return opened


# --- sending ----------------------------------------------------------------------------------------------------------


async def ways(fjord: Any) -> list[dict[str, Any]]:
    """Every transmission there is."""
    found = (await fjord.get("/v1/documents?kind=invoice&limit=500"))["documents"]
    return [way for one in found for way in await fjord.sends(one["id"])]


async def settled(fjord: Any, workers: Any, numbers: list[str]) -> int:
    """Until all are delivered. A person is asked only where the answer of a second call was lost and nothing is there:
    he looks, and says so. How often that was.
    """
    asked = 0

    async def over() -> bool:
        return len(states := [way["state"] for way in await ways(fjord)]) == len(numbers) and (
            set(states) == {"delivered"} or bool(await fjord.waits())
        )

    while True:
        await workers.until(over, 120)
        waiting = await fjord.get("/v1/attention")
        if not waiting:
            return asked
        for item in waiting:
            assert item["code"] == "outcome-unclear"
            document = await fjord.get(f"/v1/documents/{item['document']}")
            story = await fjord.get(f"/v1/documents/{item['document']}/story")
            assert sum(one["kind"] == "attempt" and one["data"]["what"] == "call" for one in story) > 1
            assert document["number"] not in fjord.box.network.arrived()
            said = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "did-not-happen"})
            assert said.status_code == 204, said.text
            asked += 1


async def killed_in(fjord: Any, workers: Any, fates: list[tuple[str, str]], *, invoices: int = 1) -> int:
    """A worker dies in each of these calls, one after the other, each time a worker of its own, and before each so many
    invoices are posted, until the last has struck; how often a person was asked.
    """
    numbers = []
    for n, (call, moment) in enumerate(fates):
        for _ in range(invoices if call == SUBMIT or n == 0 else 0):
            numbers.append(str(1001 + len(numbers)))
            await fjord.post(ehf(numbers[-1]))
        fjord.box.fate(call, moment, workers.kill)
        await workers.until(partial(_killed, workers, n + 1))
        workers.running[-1].wait()
        await asyncio.sleep(SOON)  # what the dead one has sent is taken first
    asked = await settled(fjord, workers, numbers)
    await workers.died(len(fates))
    assert len(workers.running) == len(fates) + 1
    assert fjord.box.network.arrived() == dict.fromkeys(numbers, 1)
    assert len(fjord.box.network.transmissions) == len(numbers)
    for one in (await fjord.get("/v1/documents?kind=invoice&limit=500"))["documents"]:
        told = Counter(await fjord.events(one["id"]))
        assert told["invoice.accepted"] == told["invoice.delivered"] == 1
        assert set(told.values()) == {1}
    print(f"{len(numbers)} invoices, {workers.kills} kills; a person was asked {asked} times")
    return asked


async def _killed(workers: Any, times: int) -> bool:
    return bool(workers.kills == times)


async def test_killed_between_accepted_and_recorded(at_work: Any) -> None:
    """A hundred times in the full proof, at each of the moments by turns, while others are being sent as well."""
    times = 100 if killed.FULL else 3
    async with at_work() as (fjord, workers):
        await killed_in(fjord, workers, [(SUBMIT, TAKEN[n % 3]) for n in range(times)], invoices=2)
        assert await fjord.waits() == []


async def test_killed_before_the_call_in_the_look_and_in_the_following(at_work: Any) -> None:
    """What was not taken is sent again after two looks; a look, and then the following, begin anew."""
    rounds = 5 if killed.FULL else 1
    fates = [(SUBMIT, "before"), *((STATUS, one) for one in MOMENTS), (SUBMIT, "between")]
    fates += [(STATUS, one) for one in MOMENTS]
    async with at_work() as (fjord, workers):
        asked = await killed_in(fjord, workers, fates * rounds)
        assert asked == 0 or rounds > 1  # then a document is hit twice by chance before it was taken


async def test_killed_twice_before_the_same_call_a_person_looks(at_work: Any) -> None:
    """This access point shows nothing of what it was given twice: after two lost answers that is no proof any more."""
    async with at_work() as (fjord, workers):
        await fjord.post(ehf("1001"))
        for _ in range(2):
            fjord.box.fate(SUBMIT, "before", workers.kill)
        assert await settled(fjord, workers, ["1001"]) == 1
        assert workers.kills == 2
        assert fjord.box.network.arrived() == {"1001": 1}


# --- receiving --------------------------------------------------------------------------------------------------------


class Serving:
    """`connector serve`, as a program, again and again at one address."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.running: subprocess.Popen[bytes] | None = None
        self.kills = 0

    async def up(self, client: httpx.AsyncClient) -> None:
        """Have it run, and answer."""
        self.running = self.running or self._started()
        for _ in range(600):
            try:
                if (await client.get(f"http://127.0.0.1:{self.port}/health/live")).status_code == 200:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
        raise AssertionError("it does not answer")

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "connector", "serve", "--port", str(self.port)])

    def kill(self) -> None:
        """SIGKILL it."""
        assert self.running is not None
        self.running.kill()
        self.running.wait()
        self.running = None
        self.kills += 1


async def handed_over(fjord: Any, serving: Serving, client: httpx.AsyncClient, number: str, moment: str) -> None:
    """As an access point hands over: again until it is told 2xx. The service is killed in the first call: `soon` after
    it was sent; when the message is `kept` and its answer is on the way; or when it is `answered`.
    """
    instance = str(uuid.uuid4())
    address = f"http://127.0.0.1:{serving.port}/v1/hooks/{fjord.house.access_points.points('fjord')[0].id}"
    headers = {"X-Hook-Secret": HOOK_SECRET, "X-SBDH-Instance-ID": instance, "Content-Type": "application/xml"}
    body = sbd(purchase(NUMBER, number), instance)
    calling = asyncio.create_task(client.post(address, content=body, headers=headers))
    if moment == "soon":
        await asyncio.sleep(CHANCE.uniform(0, SOON))
    while moment == "kept" and not await fjord.house.store.read(partial(_is_kept, instance=instance)):
        await asyncio.sleep(0.001)
    if moment == "answered":
        assert (await calling).status_code == 200
    serving.kill()
    (said,) = await asyncio.gather(calling, return_exceptions=True)
    while isinstance(said, BaseException) or said.status_code != 200:
        assert isinstance(said, httpx.HTTPError), said
        await serving.up(client)
        (said,) = await asyncio.gather(client.post(address, content=body, headers=headers), return_exceptions=True)


def _is_kept(tx: Tx, instance: str) -> bool:
    return any(instance in one.key for one in arrivals.find(tx, "fjord", kind=MESSAGE, limit=1000))


async def test_killed_while_documents_are_handed_over(founded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred times in the full proof."""
    times = 100 if killed.FULL else 3
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "error")
    serving = Serving()
    async with founded() as fjord, httpx.AsyncClient(timeout=20) as client:
        try:
            for n in range(times):
                await serving.up(client)
                await handed_over(fjord, serving, client, f"F-{n}", HANDED[n % 3])
            await serving.up(client)
            end = time.monotonic() + 60
            while len(found := await received(fjord)) < times:
                assert time.monotonic() < end, found
                await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            assert await received(fjord) == {f"F-{n}": 1 for n in range(times)}
            assert await fjord.waits() == []
        finally:
            if serving.running is not None:
                serving.kill()
    print(f"{times} documents, {serving.kills - 1} kills")


async def received(fjord: Any) -> Counter[str]:
    """How often each incoming invoice is there, of those that have been looked at."""
    found = (await fjord.get("/v1/documents?kind=supplier_invoice&limit=500"))["documents"]
    return Counter(one["number"] for one in found if one["state"] == "received")
