"""Scenario A with workers that are programs of their own, killed or stopped at every call: everything once."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Request, Sandbox
from adapters.loopback import Loopback
from connector.api.examples import BUYER, INVOICE_DRAFT, PAYMENT

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
LEASE = 10
SOON = 0.02
"""Seconds."""
ORDER, INVOICE, PAY = "POST /order", r"PUT /order/\d+/:invoice", r"PUT /invoice/\d+/:payment"
WRITES = ("POST /customer", ORDER, INVOICE, PAY)
READS = (r"GET /customer\?", r"GET /customer/\d+", r"GET /order/\d+", r"GET /invoice/\d+", r"GET /ledger/posting/\d+")
BUYERS = ("974760673", "991825827", "984661185", "889640782", "982463718", "986352325", "974761076", "971040238")
"""Organisation numbers; each invoice its own customer."""


class Fated(Loopback):
    """A sandbox's books that have something done to the worker when a call reaches them.

    `before`: the request is not taken. `between`: it is done, and its answer never leaves. `on the way`: its answer
    leaves for a worker that has met its fate already. `after`: it is answered, and the worker meets its fate some
    milliseconds later, whatever it is doing then.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.fates: list[tuple[str, str, Callable[[], None]]] = []
        self.chance = random.Random(20270115)

    def fate(self, call: str, moment: str, does: Callable[[], None]) -> None:
        """What happens at the next call that matches, at this moment of it."""
        self.fates.append((call, moment, does))

    def handle(self, request: Request) -> tuple[Any, float]:
        """As the sandbox does it, with fate."""
        query = "?" if request.query else ""
        said = f"{request.method} {request.path.removeprefix(self.prefix)}{query}"
        for fate in self.fates:
            call, moment, does = fate
            if re.match(call + (r"$" if "?" in call else r"\??$"), said):
                self.fates.remove(fate)
                if moment == "before":
                    does()
                    return None, 0.0
                answer = super().handle(request)
                if moment == "between":
                    does()
                    return None, 0.0
                if moment == "on the way":
                    does()
                    return answer
                asyncio.get_running_loop().call_later(self.chance.uniform(0, SOON), does)
                return answer
        return super().handle(request)


class Deadly(Fated, Sandbox):
    """Tripletex with fate."""


class Workers:
    """`connector worker`, as a program, again and again."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[bytes]] = []
        self.kills = 0

    def start(self) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen([sys.executable, "-m", "connector", "worker"])
        self.running.append(worker)
        return worker

    def kill(self) -> None:
        """SIGKILL the worker that runs."""
        self.kills += 1
        self.running[-1].kill()

    def stop(self) -> None:
        """SIGSTOP it."""
        self.running[-1].send_signal(signal.SIGSTOP)

    async def until(self, holds: Callable[[], Coroutine[Any, Any, bool]], seconds: float = 60) -> None:
        """Keep a worker running until something holds: within so many seconds of the last kill."""
        kills, end = self.kills, time.monotonic() + seconds
        while not await holds():
            if self.kills > kills:
                kills, end = self.kills, time.monotonic() + seconds
            assert time.monotonic() < end, f"not within {seconds} s, after {self.kills} kills"
            if not self.running or self.running[-1].poll() is not None:
                self.start()
            await asyncio.sleep(0.05)

    async def died(self, times: int) -> None:
        """So often has a worker been killed, the last one perhaps in a moment: `after` an answer means soon after."""
        await asyncio.sleep(2 * SOON)
        assert self.kills == times

    def end(self) -> None:
        for worker in self.running:
            worker.kill()
            worker.wait()


@pytest.fixture
def at_work(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with at_work() as (fjord, workers)`: a company with deadly books, and workers that are programs."""
    monkeypatch.setenv("CONNECTOR_LEASE", str(LEASE))
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "error")

    @asynccontextmanager
    async def opened(**sandbox: Any) -> AsyncIterator[tuple[Any, Workers]]:
        workers = Workers()
        async with founded(books=Deadly, settle=1, **sandbox) as fjord:
            try:
                yield fjord, workers
            finally:
                workers.end()

    return opened


def sale(n: int) -> dict[str, Any]:
    number = BUYERS[n % len(BUYERS)]
    buyer = {"name": f"Kunde {n % len(BUYERS)} AS", "legal_id": {"value": number, "scheme": "0192"}}
    return INVOICE_DRAFT | {"source_id": f"sale-{n}", "buyer": BUYER | buyer | {"endpoint": None, "vat_number": None}}


def money(n: int) -> dict[str, Any]:
    allocated = [{"document": {"source_id": f"sale-{n}"}, "amount": f"{100 + n}.00"}]
    return PAYMENT | {"source_id": f"bank-{n}", "amount": f"{100 + n}.00", "allocations": allocated}


async def posted(fjord: Any, path: str, bodies: list[dict[str, Any]]) -> list[str]:
    """Where to ask what became of each."""
    answers = [await fjord.post(path, body) for body in bodies]
    assert [answer.status_code for answer in answers] == [202] * len(bodies), answers[0].text
    return [answer.headers["location"] for answer in answers]


async def over(fjord: Any, operations: list[str], states: tuple[str, ...] = ("done",)) -> bool:
    return all([(await fjord.get(path))["state"] in states for path in operations])


def in_the_books(box: Sandbox) -> tuple[Counter[str], Counter[Decimal]]:
    """How often each order stands there as an invoice, and how often each amount came to the bank."""
    things = box.books.things
    orders = things.get("order", {})
    made = Counter(
        str(orders[invoice["orders"][0].id]["number"])
        for invoice in things.get("invoice", {}).values()
        if invoice["isCharged"]
    )
    paid = Counter(
        posting["amount"]
        for posting in things.get("posting", {}).values()
        if things["account"][posting["account"].id]["number"] == 1920
    )
    return made, paid


def once(box: Sandbox, invoices: int) -> None:
    """So many invoices, each once, from as many orders and for as many customers as there should be."""
    made, _ = in_the_books(box)
    assert len(made) == invoices
    assert set(made.values()) == {1}
    assert len(box.books.things["order"]) == invoices
    names = Counter(customer["name"] for customer in box.books.things["customer"].values())
    assert {names[f"Kunde {n} AS"] for n in range(min(invoices, len(BUYERS)))} == {1}


async def settle_payments(fjord: Any, workers: Workers, payments: list[str]) -> int:
    """Have a person answer what cannot be known, by looking into the books; how often one was asked."""
    asked = 0
    while True:
        await workers.until(lambda: over(fjord, payments, ("done", "waiting")))
        waiting = await fjord.get("/v1/attention")
        if not waiting:
            return asked
        for item in waiting:
            assert item["code"] == "outcome-unclear"
            assert {"happened", "did-not-happen"} <= set(item["verbs"])
            _, paid = in_the_books(fjord.box)
            asked += 1
            assert paid[Decimal(item["amount"])] == 0  # what happened and can be seen is found without asking
            answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "did-not-happen"})
            assert answer.status_code == 204


async def killed_in(fjord: Any, workers: Workers, calls: tuple[str, ...], moments: tuple[str, ...]) -> None:
    """Invoices and payments flow, and a worker dies in each of these calls at each of these moments."""
    box = fjord.box
    assert isinstance(box, Deadly)
    sales = list(range(len(moments)))
    for n in sales:
        for call in calls:
            box.fate(call, moments[n], workers.kill)
    invoices = await posted(fjord, "/v1/invoices", [sale(n) for n in sales])
    await workers.until(lambda: over(fjord, invoices))
    payments = await posted(fjord, "/v1/payments", [money(n) for n in sales])
    asked = await settle_payments(fjord, workers, payments)
    await workers.until(lambda: over(fjord, payments))

    assert [call for call, _, _ in box.fates] == []
    await workers.died(len(calls) * len(moments))
    once(box, len(sales))
    _, paid = in_the_books(box)
    assert paid == {Decimal(100 + n): 1 for n in sales}
    assert asked >= moments.count("before") * calls.count(PAY)
    documents = (await fjord.get("/v1/documents", kind="invoice"))["documents"]
    assert {document["state"] for document in documents} == {"issued"}
    assert {Decimal(d["payable"]) - Decimal(d["open"]) for d in documents} == set(paid)


async def test_killed_at_every_write(at_work: Any) -> None:
    """Before the request is taken, between call and answer, after the answer."""
    async with at_work() as (fjord, workers):
        await killed_in(fjord, workers, WRITES, ("before", "between", "after"))


@pytest.mark.proof
@pytest.mark.skipif(not FULL, reason="CONNECTOR_PROOF=full")
async def test_killed_at_every_read(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        await killed_in(fjord, workers, READS, ("before", "between", "after"))


@pytest.mark.parametrize("call", [r"GET /order/\d+", INVOICE])
async def test_stopped_beyond_its_lease(at_work: Any, call: str) -> None:
    """A worker sleeps with a call in its hands; another takes over; the first wakes up and must do nothing: neither the
    invoicing that comes next after a comparison, nor anything after an invoicing that was answered.
    """
    async with at_work() as (fjord, workers):
        box = fjord.box
        first = workers.start()
        box.fate(call, "on the way", workers.stop)
        # With nothing else to do it is in no transaction while it waits for the answer: on SQLite that would hold up
        # everybody until it wakes.
        invoices = await posted(fjord, "/v1/invoices", [sale(0)])
        await workers.until(lambda: _struck(box))
        invoices += await posted(fjord, "/v1/invoices", [sale(n) for n in range(1, 3)])
        second = workers.start()
        await workers.until(lambda: over(fjord, invoices))
        calls = len(box.requests)
        first.send_signal(signal.SIGCONT)
        await asyncio.sleep(1.5)
        writes = [request for request in list(box.requests)[calls:] if request.method in ("POST", "PUT")]
        assert [request.path for request in writes if "session" not in request.path] == []
        more = await posted(fjord, "/v1/invoices", [sale(n) for n in range(3, 6)])
        await workers.until(lambda: over(fjord, more))
        assert first.poll() is second.poll() is None
        once(box, 6)


async def _known(fjord: Any, sales: int) -> bool:
    return len((await fjord.get("/v1/documents", kind="invoice", limit=500))["documents"]) == sales


async def _struck(box: Deadly) -> bool:
    return not box.fates


@pytest.mark.proof
async def test_killed_and_stopped_at_random(at_work: Any) -> None:
    """Invoices and payments flow while workers die or sleep at any moment, and answers are lost besides."""
    sales, deaths = (60, 60) if FULL else (4, 3)
    chance = random.Random(17)
    async with at_work(latency=0.01) as (fjord, workers):
        for call in (ORDER, INVOICE):
            fjord.box.fault(call, "no-answer", after=1, count=sales // 4)
            fjord.box.fault(call, "500-after", after=sales // 3, count=sales // 8 or 1)
        invoices = await posted(fjord, "/v1/invoices", [sale(n) for n in range(sales)])
        payments: list[str] = []
        for death in range(deaths):
            worker = workers.start()
            await asyncio.sleep(chance.uniform(0.8, 3))
            if chance.random() < 0.2 and FULL:
                worker.send_signal(signal.SIGSTOP)  # sleeps on while others work, and wakes up at some time
                asyncio.get_running_loop().call_later(chance.uniform(1, 2 * LEASE), worker.send_signal, signal.SIGCONT)
            else:
                worker.kill()
                workers.kills += 1
            if death == deaths // 2:
                await workers.until(lambda: _known(fjord, sales))
                payments = await posted(fjord, "/v1/payments", [money(n) for n in range(sales)])
        for worker in workers.running:
            worker.send_signal(signal.SIGCONT)
        await workers.until(lambda: over(fjord, invoices), 240)
        await settle_payments(fjord, workers, payments)
        once(fjord.box, sales)
        _, paid = in_the_books(fjord.box)
        assert paid == {Decimal(100 + n): 1 for n in range(sales)}
