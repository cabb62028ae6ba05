"""Transactions: groups that do not harm each other, the feed's order, processes that share a file."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select

from connector.errors import BadInput, Clash, Misconfigured, Missing
from connector.store import Moved, Store, Tx, arrivals, events, meta, open_store, schema, work


def arrive(tx: Tx, key: str) -> str:
    return arrivals.arrive(tx, tenant="a", source="api", kind="k", key=key, body=key.encode())[0]


def count(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(schema.arrivals)).scalar_one())


async def test_writes_at_the_same_moment_share_a_commit(store: Store) -> None:
    before = store.stats.commits
    await asyncio.gather(*(store.write(lambda tx, n=n: arrive(tx, str(n))) for n in range(50)))
    assert store.stats.commits - before <= 3
    assert await store.read(count) == 50


async def test_one_that_raises_harms_nobody_else(store: Store) -> None:
    def bad(tx: Tx) -> None:
        arrive(tx, "half")
        tx.emit("a", "half")
        raise Clash("no")

    def deferred_bad(tx: Tx) -> None:
        arrive(tx, "half too")
        tx.defer(schema.arrivals.update().where(schema.arrivals.c.id == "nobody").values(kind="x"), {}, rows=1)

    jobs = [store.write(lambda tx, n=n: (arrive(tx, str(n)), tx.emit("a", "whole"))) for n in range(5)]
    results = await asyncio.gather(
        *jobs[:2], store.write(bad), *jobs[2:], store.write(deferred_bad), return_exceptions=True
    )
    assert [type(result) for result in results] == [tuple, tuple, Clash, tuple, tuple, tuple, Moved]
    assert await store.read(count) == 5
    found, _ = await store.read(lambda tx: events.read(tx, "a", None))
    assert [(event.seq, event.kind) for event in found] == [(n, "whole") for n in range(1, 6)]


async def test_a_savepoint_takes_back_all_that_was_inside(store: Store) -> None:
    mark = schema.arrivals.update().where(schema.arrivals.c.key == "outer").values(kind="marked")

    def work(tx: Tx) -> None:
        arrive(tx, "outer")
        tx.emit("a", "outer")
        try:
            with tx.savepoint():
                arrive(tx, "inner")
                tx.emit("a", "inner")
                tx.ring("inner")
                tx.defer(mark, {})
                raise Clash("no")
        except Clash:
            pass
        assert tx.topics == {"arrivals"}
        with tx.savepoint():
            arrive(tx, "second")

    await store.write(work)
    assert await store.read(count) == 2
    (outer,) = await store.read(lambda tx: [a for a in arrivals.find(tx, "a") if a.key == "outer"])
    assert outer.kind == "k"
    found, _ = await store.read(lambda tx: events.read(tx, "a", None))
    assert [event.kind for event in found] == ["outer"]


async def test_a_cancelled_writer_does_not_hold_up_the_others(store: Store) -> None:
    first = asyncio.create_task(store.write(lambda tx: arrive(tx, "1")))
    second = asyncio.create_task(store.write(lambda tx: arrive(tx, "2")))
    await asyncio.sleep(0)
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    await store.write(lambda tx: arrive(tx, "3"))
    assert await store.read(count) >= 2


# --- the feed ---------------------------------------------------------------------------------------------------------


async def test_the_feed_pages_acknowledges_and_expires(store: Store) -> None:
    await store.write(lambda tx: [tx.emit("a", "k", document=str(n), data={"n": n}) for n in range(7)])
    await store.write(lambda tx: tx.emit("b", "other"))
    page, cursor = await store.read(lambda tx: events.read(tx, "a", None, limit=5))
    assert [(event.seq, event.data) for event in page] == [(n + 1, {"n": n}) for n in range(5)]
    await store.write(lambda tx: events.acknowledge(tx, "a", "billing", cursor))
    assert await store.read(lambda tx: events.acknowledged(tx, "a", "billing")) == cursor
    page, last = await store.read(lambda tx: events.read(tx, "a", cursor))
    assert [event.seq for event in page] == [6, 7]
    assert await store.read(lambda tx: events.read(tx, "a", last)) == ([], last)
    assert await store.read(lambda tx: events.head(tx, "a")) == last

    await store.write(lambda tx: events.trim(tx, "a", tx.now))
    with pytest.raises(Missing) as trimmed:
        await store.read(lambda tx: events.read(tx, "a", cursor))
    assert trimmed.value.code == "cursor-expired"
    assert await store.read(lambda tx: events.read(tx, "a", last)) == ([], last)
    await store.write(lambda tx: tx.emit("a", "after"))
    page, _ = await store.read(lambda tx: events.read(tx, "a", None))
    assert [(event.seq, event.kind) for event in page] == [(8, "after")]

    await store.write(meta.restored)
    assert await store.read(meta.effects_held) == "restored"
    with pytest.raises(Missing):
        await store.read(lambda tx: events.read(tx, "a", last))


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "Lg", "YS4tMQ", "æøå", "YS4x" * 50])
async def test_a_made_up_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises((BadInput, Missing)) as refused:
        await store.read(lambda tx: events.read(tx, "a", cursor))
    assert refused.value.code in ("cursor-malformed", "cursor-expired")


async def test_a_reader_never_skips_what_commits_late(postgres_url: str, store_keys: list[bytes]) -> None:
    """Two transactions emit; the one that took its number first commits last, and a reader follows meanwhile."""
    slow, fast, reader = [await open_store(postgres_url, keys=store_keys) for _ in range(3)]
    try:
        began = asyncio.Event()

        def held(tx: Tx) -> None:
            # The slow transaction has done its work and holds its place in time, then waits before it ends.
            tx.emit("a", "slow")
            tx.execute(select(func.pg_sleep(0.7)))

        def numbered_then_slow(tx: Tx) -> None:
            tx.emit("a", "numbered")
            events.number(tx)  # takes its number now, commits 0.7 s later
            tx.execute(select(func.pg_sleep(0.7)))

        async def follow() -> list[tuple[int, str]]:
            seen: list[tuple[int, str]] = []
            cursor = None
            end = time.monotonic() + 4
            while len(seen) < 22 and time.monotonic() < end:
                page, cursor = await reader.read(lambda tx: events.read(tx, "a", cursor, limit=3))
                seen += [(event.seq, event.kind) for event in page]
                await asyncio.sleep(0.01)
            return seen

        async def quick() -> None:
            await began.wait()
            for n in range(20):
                await fast.write(lambda tx, n=n: tx.emit("a", f"fast {n}"))

        following = asyncio.create_task(follow())
        quicks = asyncio.create_task(quick())
        one = asyncio.create_task(slow.write(numbered_then_slow))
        await asyncio.sleep(0.2)
        began.set()
        await one
        await slow.write(held)
        await quicks
        seen = await following
        assert [seq for seq, _ in seen] == list(range(1, 23))
        assert seen[0][1] == "numbered"
        assert {kind for _, kind in seen} >= {"numbered", "slow", "fast 0", "fast 19"}
    finally:
        for one_store in (slow, fast, reader):
            await one_store.close()


async def test_two_tenants_in_opposite_order_do_not_lock_each_other(postgres_url: str, store_keys: list[bytes]) -> None:
    stores = [await open_store(postgres_url, keys=store_keys) for _ in range(2)]

    async def emit(store: Store, tenants: str) -> None:
        for _ in range(20):
            await store.write(lambda tx: [tx.emit(tenant, "k") for tenant in tenants])

    began = time.monotonic()
    await asyncio.gather(emit(stores[0], "ab"), emit(stores[1], "ba"))
    assert time.monotonic() - began < 10
    found, _ = await stores[0].read(lambda tx: events.read(tx, "b", None))
    assert [event.seq for event in found] == list(range(1, 41))
    for store in stores:
        await store.close()


# --- several processes ------------------------------------------------------------------------------------------------

WRITER = """
import asyncio, sys
from connector.store import arrivals, open_store

async def main(url, name, n):
    store = await open_store(url, keys=[bytes(range(32))])
    for i in range(n):
        await store.write(lambda tx: (
            arrivals.arrive(tx, tenant="a", source="api", kind="k", key=f"{name}-{i}", body=b"x"),
            tx.emit("a", f"{name}-{i}"),
        ))
    await store.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_processes_that_open_and_write_at_once(database_url: str, store_keys: list[bytes]) -> None:
    """Also the very first opening: the tables are made once, and nobody fails."""
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, database_url, name, "60") for name in "xyz"
    ]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    store = await open_store(database_url, keys=store_keys)
    found, _ = await store.read(lambda tx: events.read(tx, "a", None, limit=500))
    assert [event.seq for event in found] == list(range(1, 181))
    assert await store.read(count) == 180
    await store.close()


async def test_a_locked_file_is_waited_for_without_standing_still(tmp_path: Path, store_keys: list[bytes]) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    store = await open_store(url, keys=store_keys)
    script = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); time.sleep(1); c.execute('COMMIT')"
    )
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", script, str(tmp_path / "c.db")], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        turns = 0

        async def turning() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        task = asyncio.create_task(turning())
        await store.write(lambda tx: arrive(tx, "1"))
        task.cancel()
    assert turns > 10
    assert await store.read(count) == 1
    await store.close()


async def test_what_another_process_commits_is_heard(database_url: str, store: Store) -> None:
    ear = store.bell.ear()
    watching = asyncio.create_task(store.watch())
    await ear.wait(0.5)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, database_url, "w", "1")
    heard = await ear.wait(10)
    assert heard & {"*", "feed:a", "arrivals"}
    await process.wait()
    watching.cancel()


async def test_work_that_is_due_later_wakes_nobody(store: Store) -> None:
    """A lane that is being served would read on for each; it looks for itself what has become due."""
    ear = store.bell.ear()
    for moment, heard in ((timedelta(minutes=1), False), (timedelta(0), True)):

        def submitted(tx: Tx, moment: timedelta = moment) -> None:
            work.submit(tx, tenant="a", lane="l", turn=work.Turn.POLL, kind="k", not_before=tx.now + moment)

        await store.write(submitted)
        assert ("lane:l" in await ear.wait(0)) is heard


async def test_opening_with_the_wrong_key_or_address(database_url: str, store: Store, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as wrong:
        await open_store(database_url, keys=[bytes(32)])
    assert wrong.value.code == "key-unknown"
    for url in ("mysql://x/y", "nonsense", "sqlite:///:memory:", "sqlite://"):
        with pytest.raises(Misconfigured) as refused:
            await open_store(url, keys=[bytes(32)])
        assert refused.value.code == "database-url"
    with pytest.raises(Misconfigured) as unreachable:
        await open_store("postgresql://me:hush@127.0.0.1:1/x", keys=[bytes(32)])
    assert unreachable.value.code == "database-unreachable"
    assert "hush" not in unreachable.value.said
    (tmp_path / "text.db").write_text("this is no database, though long enough to look like one" * 20)
    with pytest.raises(Misconfigured) as no_database:
        await open_store(f"sqlite:///{tmp_path / 'text.db'}", keys=[bytes(32)])
    assert no_database.value.code == "database-unreachable"


@pytest.mark.parametrize("within", ["a transaction", "a pipeline"])
async def test_a_session_that_stands_still_in_a_transaction_is_ended(
    postgres_url: str, store_keys: list[bytes], within: str
) -> None:
    """Its process is stopped or its host is gone; the server's own limit does not count while a pipeline is open."""
    store = await open_store(postgres_url, keys=store_keys)
    with psycopg.connect(postgres_url, autocommit=True, application_name="somebody else's") as theirs:
        ours = psycopg.connect(postgres_url, autocommit=True, application_name="connector")
        for conn in (theirs, ours):
            conn.execute("BEGIN")
        with contextlib.ExitStack() as stopped:
            if within == "a pipeline":
                stopped.enter_context(ours.pipeline())
            ours.execute("LOCK TABLE arrivals IN EXCLUSIVE MODE")
            watching = asyncio.create_task(store.watch())
            await asyncio.wait_for(store.write(lambda tx: arrive(tx, "after")), 30)
            watching.cancel()
            with contextlib.suppress(psycopg.Error):
                stopped.close()
        ours.close()
        assert theirs.execute("SELECT 1").fetchone() == (1,)  # a person's session is not ours to end
    await store.close()
