"""Arrivals: stored once, handled in order of their subject, a bad one alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connector.errors import BadInput, Clash, TryLater
from connector.lanes import Arrival, Later, Patience, Schedule, Verb, Worker, arrive, pause, replay, resolve, resume
from connector.store import Moved, Store, Tx, arrivals, attention, audit, connections, events, open_store, operations


def came(tx: Tx, key: str, subject: str | None = None, kind: str = "k", body: bytes | None = None) -> str:
    body = key.encode() if body is None else body
    return arrive(tx, tenant="a", source="api", kind=kind, key=key, subject=subject, body=body)[0]


class Handler:
    """Notes what it handled, in the feed; `plan` says what to raise, by key, in which try."""

    def __init__(self) -> None:
        self.plan: dict[str, list[Exception]] = {}

    def __call__(self, tx: Tx, arrival: Arrival) -> str | None:
        tx.emit("a", arrival.key)
        plan = self.plan.get(arrival.key, [])
        if arrival.tries < len(plan):
            raise plan[arrival.tries]
        return f"document of {arrival.key}"


@pytest.fixture
def handler() -> Handler:
    return Handler()


def worker(store: Store, handler: Any) -> Worker:
    return Worker(store, arrivals={"k": handler}, effects={}, reads={}, patience=Patience(first=0.1, longest=0.2))


async def handled(store: Store) -> list[str]:
    found, _ = await store.read(lambda tx: events.read(tx, "a", None, limit=1000))
    return [event.kind for event in found if "." not in event.kind]


async def test_the_same_is_stored_once_and_other_bytes_clash(store: Store) -> None:
    first = await store.write(lambda tx: arrive(tx, tenant="a", source="s", kind="k", key="1", body=b"x"))
    assert first[1]
    assert await store.write(lambda tx: arrive(tx, tenant="a", source="s", kind="k", key="1", body=b"x")) == (
        first[0],
        False,
    )
    with pytest.raises(Clash) as other:
        await store.write(lambda tx: arrive(tx, tenant="a", source="s", kind="k", key="1", body=b"y"))
    assert other.value.code == "arrival-differs"
    for more in ({"tenant": "b", "source": "s"}, {"tenant": "a", "source": "t"}):
        assert (await store.write(lambda tx, m=more: arrive(tx, kind="k", key="1", body=b"y", **m)))[1]


async def test_two_workers_handle_each_once_and_each_subject_in_order(
    store: Store, handler: Handler, database_url: str, store_keys: list[bytes]
) -> None:
    other = await open_store(database_url, keys=store_keys)
    keys = [f"{n}-{s}" for n in range(40) for s in "abcde"]
    await store.write(lambda tx: [came(tx, key, subject=key[-1]) for key in keys])
    await asyncio.gather(worker(store, handler).run_until_idle(), worker(other, handler).run_until_idle())
    seen = await handled(store)
    assert sorted(seen) == sorted(keys)
    for subject in "abcde":
        assert [key for key in seen if key[-1] == subject] == [key for key in keys if key[-1] == subject]
    await other.close()


async def test_a_bad_one_is_parked_alone_with_its_reason(store: Store, handler: Handler) -> None:
    handler.plan = {"3": [BadInput("It is bad.", code="so-bad")], "5": [KeyError("oops")]}
    await store.write(lambda tx: [came(tx, str(n), subject="s" if n in (3, 4) else None) for n in range(8)])
    operation = await store.write(
        lambda tx: operations.accept(
            tx, tenant="a", kind="x", arrival=next(a.id for a in arrivals.find(tx, "a") if a.key == "3")
        )
    )
    await worker(store, handler).run_until_idle()
    assert sorted(await handled(store)) == ["0", "1", "2", "6", "7"]
    found = await store.read(lambda tx: {a.key: a for a in arrivals.find(tx, "a")})
    assert {key: a.state for key, a in found.items() if a.state != "handled"} == {
        "3": "parked",
        "4": "queued",
        "5": "parked",
    }
    assert found["0"].document == "document of 0"
    assert found["3"].error["code"] == "so-bad"
    assert (await store.read(lambda tx: operations.get(tx, "a", operation.id))).state == "waiting"
    items = await store.read(lambda tx: {item.code: item for item in attention.find(tx, tenant="a")})
    assert set(items) == {"so-bad", "internal-error"}

    handler.plan.clear()
    await store.write(lambda tx: resolve(tx, "a", items["so-bad"].id, Verb.RETRY, who="Kari"))
    await store.write(lambda tx: resolve(tx, "a", items["internal-error"].id, Verb.CANCEL, who="Kari"))
    await worker(store, handler).run_until_idle()
    assert sorted(await handled(store)) == ["0", "1", "2", "3", "4", "6", "7"]
    assert [entry.did for entry in await store.read(lambda tx: audit.find(tx, "a"))] == ["retry", "cancel"]
    assert await store.read(attention.count) == 0
    assert (await store.read(lambda tx: operations.get(tx, "a", operation.id))).state == "accepted"


async def test_what_moved_or_must_wait_comes_again_by_itself(store: Store, handler: Handler) -> None:
    handler.plan = {"1": [Moved(), Moved()], "2": [Later("not yet", after=0.1)], "3": [TryLater("busy"), Later("x")]}
    await store.write(lambda tx: [came(tx, key) for key in "0123"])
    await worker(store, handler).run_until_idle(within=1)
    assert sorted(await handled(store)) == ["0", "1", "2", "3"]
    assert await store.read(attention.count) == 0


async def test_replay(store: Store, handler: Handler) -> None:
    id = await store.write(lambda tx: came(tx, "1"))
    await worker(store, handler).run_until_idle()
    await store.write(lambda tx: replay(tx, "a", id, who="Kari"))
    await worker(store, handler).run_until_idle()
    assert await handled(store) == ["1", "1"]


async def test_what_nobody_handles_waits_for_a_person(store: Store, handler: Handler) -> None:
    await store.write(lambda tx: came(tx, "1", kind="unheard of"))
    await worker(store, handler).run_until_idle()
    (item,) = await store.read(lambda tx: attention.find(tx))
    assert item.code == "no-handler"


async def test_a_running_worker_hears_what_another_process_stores(
    store: Store, handler: Handler, database_url: str, store_keys: list[bytes]
) -> None:
    running = worker(store, handler)
    task = asyncio.create_task(running.run())
    await asyncio.sleep(0.3)
    other = await open_store(database_url, keys=store_keys)
    await other.write(lambda tx: came(tx, "1"))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if await handled(store):
            break
    assert await handled(store) == ["1"]
    running.stop()
    await asyncio.wait_for(task, 5)
    await other.close()


async def test_a_person_pauses_and_resumes_a_connection(store: Store) -> None:
    id = (
        await store.write(lambda tx: connections.add(tx, tenant="a", system="s", name="n", settings={}, secrets={}))
    ).id
    assert await store.write(lambda tx: pause(tx, "a", id, who="Kari", why="year end"))
    assert not await store.write(lambda tx: pause(tx, "a", id, who="Kari", why="year end"))
    assert (await store.read(lambda tx: connections.get(tx, id))).paused_said == "year end"
    assert await store.write(lambda tx: resume(tx, "a", id, who="Kari"))
    assert not await store.write(lambda tx: resume(tx, "a", id, who="Kari"))


async def test_ticks_submit_and_survive_a_failure(store: Store) -> None:
    from datetime import timedelta

    ticks = 0

    def tick(tx: Tx) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 1:
            raise RuntimeError("the first one fails")
        came(tx, "tick")

    schedule = Schedule(store)
    schedule.every("poll", timedelta(seconds=0.2), tick)
    schedule.start()
    await asyncio.sleep(1)
    schedule.stop()
    assert ticks >= 2
    assert len(await store.read(lambda tx: arrivals.find(tx, "a"))) == 1
