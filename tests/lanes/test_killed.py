"""Workers that are processes of their own, killed or stopped at any moment, two at a time: each invoice is issued
exactly once, each payment at most once, and nothing is left behind.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from little_books import LANE, Books, World

from connector.lanes import Worker
from connector.store import Store, Tx, attempts, attention, leases, open_store, work
from connector.store.leases import LostLease

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
SCRIPT = Path(__file__).with_name("little_books.py")


class Fleet:
    """Worker processes."""

    def __init__(self, database: str, books: Books, lease: int) -> None:
        self.arguments = (database, books.url, str(lease))
        self.running: list[asyncio.subprocess.Process] = []

    async def start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), *self.arguments, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"working\n"
        self.running.append(process)
        return process

    async def kill(self, process: asyncio.subprocess.Process, how: signal.Signals = signal.SIGKILL) -> None:
        process.send_signal(how)
        if how is signal.SIGKILL:
            await process.wait()
            self.running.remove(process)

    async def end(self) -> None:
        for process in list(self.running):
            process.send_signal(signal.SIGCONT)
            await self.kill(process)


async def settled(
    world: World, seconds: float, done: Callable[[str], bool] = lambda s: s in ("done", "parked")
) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        all_of_it = await world.store.read(lambda tx: work.find(tx, tenant="a", limit=1000))
        if all(done(one.state) for one in all_of_it):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"left behind: {[(one.kind, one.state, one.error) for one in all_of_it if not done(one.state)]}")


async def stop_outside_a_transaction(process: asyncio.subprocess.Process, database: str) -> None:
    """An SQLite file that a stopped process has locked stays locked: nothing to be done about that but to wake it up.
    (PostgreSQL ends the transaction of a stopped process after a while.)
    """
    while True:
        process.send_signal(signal.SIGSTOP)
        if not database.startswith("sqlite:///"):
            return
        try:
            with sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None, timeout=0.3) as conn:
                conn.execute("BEGIN IMMEDIATE")
                conn.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.01)


def issued_once(books: Books, issued: list[tuple[str, str]]) -> None:
    expected = {f"m-{document}": 1 for document, _ in issued}
    assert books.markers("order") == expected
    assert books.markers("invoice") == expected


async def test_killed_at_random_moments(world: World, database_url: str, books: Books) -> None:
    """Kill and start again, many times, while invoices flow and answers are lost."""
    count, kills = (200, 40) if FULL else (20, 3)
    books.latency = 0.02
    chance = random.Random(4)
    for path in ("POST order", "POST invoice"):
        books.faults[path] = [chance.choice(["", "", "", "drop", "before", "error"]) for _ in range(count)]
    issued = await world.issue_many(count)
    fleet = Fleet(database_url, books, lease=6)
    try:
        for _ in range(kills):
            process = await fleet.start()
            await asyncio.sleep(chance.uniform(0.02, 0.5))
            await fleet.kill(process)
        await fleet.start()
        await settled(world, 120, lambda state: state == "done")
    finally:
        await fleet.end()
    issued_once(books, issued)
    assert await world.store.read(attention.count) == 0


async def test_killed_before_its_turn_came_it_is_not_looked_for(world: World, database_url: str, books: Books) -> None:
    books.latency = 1.0
    issued = await world.issue_many(12)
    fleet = Fleet(database_url, books, lease=30)
    try:
        first = await fleet.start()
        while not books.calls["POST order"]:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # the others are written down by now
        await fleet.kill(first)
        called = books.calls["POST order"]
        await asyncio.sleep(1.0)  # what was called takes effect
        books.latency = 0.01
        await fleet.start()
        await settled(world, 90, lambda state: state == "done")
    finally:
        await fleet.end()
    issued_once(books, issued)
    works = await world.store.read(lambda tx: work.find(tx, tenant="a", limit=1000))
    found = [await world.store.read(lambda tx, id=one.id: attempts.of_work(tx, id)) for one in works]  # type: ignore[misc]
    waited = [of for of in found if of and of[0].outcome == attempts.NOT_TAKEN]
    looked = [of for of in found if any(one.what == "look" for one in of)]
    assert waited
    assert all((of[0].error or {})["code"] == "never-called" for of in waited)
    assert not [of for of in waited if of in looked]
    assert len(looked) <= called  # only what may have arrived is looked for


@pytest.mark.parametrize("moment", ["call", "answer"] if FULL else ["answer"])
async def test_stopped_beyond_its_lease(world: World, database_url: str, books: Books, moment: str) -> None:
    """A stopped process wakes up after another has taken its lanes over: it sends nothing and writes nothing."""
    books.latency = 0.15
    issued = await world.issue_many(12)
    fleet = Fleet(database_url, books, lease=6)
    try:
        first = await fleet.start()
        while sum(books.calls.values()) < (1 if moment == "call" else 6):
            await asyncio.sleep(0.005)
        await stop_outside_a_transaction(first, database_url)
        second = await fleet.start()
        await asyncio.sleep(3)
        assert not await world.store.read(lambda tx: all(one.state == "done" for one in work.find(tx, tenant="a")))
        await settled(world, 90, lambda state: state == "done")
        calls = books.calls["POST order"] + books.calls["POST invoice"]
        await fleet.kill(first, signal.SIGCONT)
        more = await world.issue_many(5, "late")
        await settled(world, 60, lambda state: state == "done")
        assert books.calls["POST order"] + books.calls["POST invoice"] == calls + 10
        await fleet.kill(second)
    finally:
        await fleet.end()
    issued_once(books, issued + more)


async def test_two_workers_share_and_never_double(world: World, database_url: str, books: Books) -> None:
    """Two processes, three lanes, killed in turn."""
    books.latency = 0.02
    count = 60 if FULL else 18

    def fill(tx: Tx) -> list[tuple[str, str]]:
        return [world.issue(tx, f"k{n}", lane=f"{LANE}-{n % 3}") for n in range(count)]

    issued = await world.store.write(fill)
    fleet = Fleet(database_url, books, lease=6)
    chance = random.Random(7)
    try:
        for _ in range(2):
            await fleet.start()
        for _ in range(6 if FULL else 1):
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            await fleet.kill(chance.choice(fleet.running))
            await fleet.start()
        await settled(world, 90, lambda state: state == "done")
    finally:
        await fleet.end()
    issued_once(books, issued)
    holders = await world.store.read(leases.find)
    assert len(holders) == 3


async def test_proof_of_death_outlasts_the_start_of_another_store_s_worker(
    world: World, database_url: str, books: Books, another_postgres_url: str, store_keys: list[bytes]
) -> None:
    """The lease would last five minutes: who follows must know that its holder is dead."""
    books.latency = 0.2
    issued = await world.issue_many(3)
    fleet = Fleet(database_url, books, lease=300)
    try:
        first = await fleet.start()
        while not books.calls:
            await asyncio.sleep(0.005)
        await fleet.kill(first)
        other = await open_store(another_postgres_url, keys=store_keys)
        await Worker(other, arrivals={}, effects={}, reads={}).run_until_idle()
        await other.close()
        await fleet.start()
        await settled(world, 30, lambda state: state == "done")
    finally:
        await fleet.end()
    issued_once(books, issued)


async def test_killed_payments_are_never_paid_twice(world: World, database_url: str, books: Books) -> None:
    """Payments carry no mark: what is unclear waits for a person, and nothing is paid twice."""
    books.latency = 0.03
    count = 12

    def fill(tx: Tx) -> None:
        for n in range(count):
            world.issue(tx, f"p{n}", kind="pay", task={"amount": 100 + n})

    await world.store.write(fill)
    fleet = Fleet(database_url, books, lease=6)
    chance = random.Random(11)
    try:
        for _ in range(10 if FULL else 2):
            process = await fleet.start()
            await asyncio.sleep(chance.uniform(0.05, 0.4))
            await fleet.kill(process)
        await fleet.start()
        await settled(world, 90)
    finally:
        await fleet.end()
    amounts = [row["amount"] for row in books.rows["payment"]]
    assert len(amounts) == len(set(amounts))
    parked = await world.store.read(lambda tx: work.find(tx, tenant="a", state="parked"))
    assert len(amounts) >= count - len(parked)
    assert {(one.error or {}).get("code") for one in parked} <= {"outcome-unclear"}


async def test_postgresql_frees_what_a_stopped_process_holds(
    postgres_url: str, store_keys: list[bytes], books: Books
) -> None:
    """Stopped in the middle of a transaction, with the lane's row locked."""
    first, second = [await open_store(postgres_url, keys=store_keys) for _ in range(2)]
    world = await World.make(first, books.url)
    await world.issue_many(1)
    runs = 0

    def stopped(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        leases.check(tx, LANE, 0)
        if runs == 1:
            time.sleep(12)  # the whole process stands still

    task = asyncio.create_task(asyncio.to_thread(asyncio.run, _write(postgres_url, store_keys, stopped)))
    await asyncio.sleep(2)
    (row,) = await second.read(leases.find)
    epoch = None
    for _ in range(150):
        epoch = await second.write(lambda tx: leases.take(tx, row, "two", 60))
        if epoch is not None:
            break
        await asyncio.sleep(0.1)
    assert epoch == 1
    with pytest.raises(LostLease):
        await task
    assert runs == 2
    await world.close()
    await first.close()
    await second.close()


async def _write(url: str, keys: list[bytes], fn: Callable[[Tx], None]) -> None:
    store = await open_store(url, keys=keys)
    try:
        await store.write(fn)
    finally:
        await store.close()


async def test_an_old_epoch_writes_nothing(store: Store, world: World) -> None:
    ((_, id),) = await world.issue_many(1)
    (row,) = await store.read(leases.find)
    first = await store.write(lambda tx: leases.take(tx, row, "one", 60))
    assert first == 1
    assert await store.write(lambda tx: leases.take(tx, row, "two", 60)) is None
    (row,) = await store.read(leases.find)
    second = await store.write(lambda tx: leases.take(tx, row, "two", 60))
    assert second == 2

    def late(tx: Tx) -> None:
        leases.check(tx, LANE, 1)
        attempts.begin(tx, "x", work.get(tx, id), step="s", lane=LANE, epoch=1)

    with pytest.raises(LostLease):
        await store.write(late)
    assert await store.read(lambda tx: attempts.of_work(tx, id)) == []
    assert await store.write(lambda tx: leases.beat(tx, "one")) == {}
    assert await store.write(lambda tx: leases.beat(tx, "two")) == {LANE: 2}


async def test_a_live_lease_is_not_taken_whatever_the_wall_clock_says(world: World, books: Books) -> None:
    """The wall clock jumps a day ahead in the second worker: leases do not depend on it."""
    from datetime import timedelta

    books.latency = 0.3
    issued = await world.issue_many(6)
    first = asyncio.create_task(world.worker(lease=6).run_until_idle())
    while not books.calls:
        await asyncio.sleep(0.01)
    right = world.store.clock
    world.store.clock = lambda: right() + timedelta(days=1)
    second = asyncio.create_task(world.worker(lease=6).run_until_idle())
    await asyncio.sleep(1)
    world.store.clock = right
    await asyncio.gather(first, second)
    issued_once(books, issued)
    (row,) = await world.store.read(leases.find)
    assert row.epoch == 1


async def test_stop_leaves_everything_at_a_safe_point(world: World, books: Books) -> None:
    books.latency = 0.05
    issued = await world.issue_many(20)
    worker = world.worker()
    running = asyncio.create_task(worker.run())
    while books.calls["GET invoice"] < 4:
        await asyncio.sleep(0.01)
    worker.stop()
    await asyncio.wait_for(running, 5)
    left = await world.store.read(lambda tx: work.find(tx, tenant="a"))
    assert {one.state for one in left} == {"done", "queued"}
    (row,) = await world.store.read(leases.find)
    assert row.holder is None
    await world.worker().run_until_idle()
    issued_once(books, issued)
    tried = [await world.store.read(lambda tx, id=id: attempts.of_work(tx, id)) for _, id in issued]
    assert {one.what for many in tried for one in many} == {"call"}
