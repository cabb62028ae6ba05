"""What sending costs beside a bare loop: invoices that are there, until an access point has them all and it is proved.

    python -m benchmarks.peppol_sending [--size 1000] [--latency 0.02] [--width 4] [--database sqlite] [--profile]

The bare loop makes the same calls (compared by the stand-in's own list) with the same client, `connector.http.Http`, at
the same width, and keeps nothing: its documents and addresses are ready before. The stand-in of the access point is a
process of its own. Documents are posted to the API before the clock starts, as whoever runs a company's invoicing has
them: what is measured begins with the first document taken from the queue and ends when the last one is proved to be at
the access point. That is: validated, its receiver known (`cached`: from a kept answer of a look-up; `no look-ups`:
this access point does not tell and nobody is asked), the attempt written down, sent, the answer written down.

Exit status 1: more than 1.15 times the bare loop, or other calls.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import cProfile
import os
import pstats
import statistics
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import func, select

from benchmarks.engine import asked, database
from benchmarks.standing import Standing, sandbox, shape
from connector.api.app import create_app
from connector.cli.demo.invoices import invoice as draft
from connector.cli.sandbox import connection, variables
from connector.ehf import read, write
from connector.http import Http
from connector.peppol import envelope, looking_up
from connector.peppol.discovery import Answer, Discovery
from connector.peppol.kept import Kept
from connector.peppol.trust import Trust
from connector.ports import StandIn
from connector.service.house import House, open_house
from connector.service.logs import configure
from connector.service.settings import Settings
from connector.store import Tx, keys, meta, schema

ALLOWED = 1.15
SYSTEM = "phoss-ap"
TENANT = """layer: tenant
tenant: bench
title: Bench AS
organisation_number: "923609016"
start: 2026-01-01
connections: {{}}
access_points:
{point}routes:
  web: {{to: [], issues: source, sends: connector, receives: connector, takes_bank_money: nobody}}
"""


def documents(size: int) -> list[bytes]:
    """Invoices under numbers of their own."""
    whole = read(draft(1))
    return [write(whole.model_copy(update={"number": str(10_000 + n)})) for n in range(size)]


# --- the bare loop ----------------------------------------------------------------------------------------------------


async def bare(box: Standing, bodies: Sequence[bytes], width: int) -> dict[str, float]:
    """The same calls, by hand."""
    http = Http(str(box.given.settings["base_url"]))
    headers = {"Content-Type": "application/xml", "X-Token": str(box.given.secrets["token"])}
    ready = [_call(body) for body in bodies]
    todo = iter(zip(ready, bodies, strict=True))

    async def sends() -> None:
        for (path, params), body in todo:
            answer = await http.call("POST", path, params=params, content=body, headers=headers)
            assert answer.json()["sendingSuccess"], answer.body

    cpu, start = time.process_time(), time.perf_counter()
    await asyncio.gather(*(sends() for _ in range(width)))
    found = {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    await http.aclose()
    return found


def _call(body: bytes) -> tuple[str, dict[str, str]]:
    on = envelope.address(body, instance=str(uuid.uuid4()), created=datetime.now(UTC))
    actor = "iso6523-actorid-upis"
    said = (f"{actor}::{on.sender}", f"{actor}::{on.receiver}", str(on.document), str(on.process), "NO")
    path = "/".join(("/api/outbound/submit", *(quote(one, safe="") for one in said)))
    return path, {"sbdhInstanceID": on.instance, "custom1": f"t-{uuid.uuid4().hex[:28]}", "custom2": "10000"}


# --- the house --------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def house(box: Standing, address: str, folder: Path, width: int) -> AsyncIterator[House]:
    """A house with one tenant, who sends through this stand-in."""
    given = StandIn({**box.given.settings, "parallel": width, "follow_after": 60}, box.given.secrets)
    tenants = folder / "mappings" / "tenants"
    tenants.mkdir(parents=True)
    (tenants / "bench.yaml").write_text(TENANT.format(point=connection(SYSTEM, given, "ap")))
    os.environ |= variables(SYSTEM, given) | {
        "CONNECTOR_MAPPINGS": str(folder / "mappings"),
        "CONNECTOR_KEYS": base64.b64encode(bytes(range(32))).decode(),
    }
    async with open_house(Settings(database=address)) as made:
        yield made


async def queued(house: House, bodies: Sequence[bytes]) -> None:
    """Documents are there, each with the work that sends it."""
    await house.store.write(lambda tx: meta.hold_effects(tx, "not yet"))
    _, secret = await house.store.write(
        lambda tx: keys.create(tx, tenant="bench", name="bench", scopes=("read", "write"))
    )
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/xml"}
    transport = httpx.ASGITransport(app=create_app(house))
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
        for n, body in enumerate(bodies):
            answer = await client.post("/v1/invoices", content=body, headers={"Idempotency-Key": f"k{n}"})
            assert answer.status_code == 202, answer.text
    await house.work_until_idle()
    await house.store.write(lambda tx: meta.hold_effects(tx, None))
    assert await house.store.read(_waiting) == len(bodies)


def known(house: House, body: bytes) -> Answer:
    """What a look-up has found: the receiver takes it."""
    on, now = envelope.address(body, instance="", created=datetime.now(UTC)), datetime.now(UTC)
    service = looking_up.service_of(on.document, on.process)
    return Answer(on.receiver, service, "yes", "takes", "It takes it.", now, now + timedelta(hours=24))


async def engine(
    house: House, bodies: Sequence[bytes], *, cached: bool, profiler: cProfile.Profile | None = None
) -> dict[str, float]:
    """One run; figures."""
    await queued(house, bodies)
    if cached:
        house.access_points.lookups = Discovery(Trust(()))
        await Kept(house.store, house.access_points.lookups.zone).put(known(house, bodies[0]))
    stats = house.store.stats
    if profiler:
        profiler.enable()
    before, cpu, start = (stats.commits, stats.statements), time.process_time(), time.perf_counter()
    work = asyncio.create_task(house.worker.run())
    while await house.store.read(_waiting):  # noqa: ASYNC110 - what is counted is on disk
        await asyncio.sleep(0.02)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    commits, statements = stats.commits - before[0], stats.statements - before[1]
    if profiler:
        profiler.disable()
    house.stop()
    await work
    return {"wall": wall, "cpu": cpu, "commits": commits, "statements": statements}


def _waiting(tx: Tx) -> int:
    table = schema.metadata.tables["transmissions"]
    return int(tx.execute(select(func.count()).select_from(table).where(table.c.state == "waiting")).scalar_one())


# --- both -------------------------------------------------------------------------------------------------------------


def compare(given: argparse.Namespace, kind: str, bodies: Sequence[bytes], *, cached: bool) -> bool:
    """Bare loop and engine by turns; a line, and whether it is as promised."""
    loops: list[dict[str, float]] = []
    engines: list[dict[str, float]] = []
    same = True
    for _ in range(given.rounds):
        with sandbox(SYSTEM, given.latency) as box:
            loops.append(asyncio.run(bare(box, bodies, given.width)))
            by_hand = Counter(map(shape, asked(box)))
        with (
            tempfile.TemporaryDirectory(prefix="connector-bench-") as name,
            sandbox(SYSTEM, given.latency) as box,
            database(kind, Path(name)) as address,
        ):
            engines.append(asyncio.run(_measured(box, address, Path(name), bodies, given, cached=cached)))
            made = Counter(map(shape, asked(box)))
            arrived = box.own("GET", "/_desk/arrived")
        assert arrived == {str(10_000 + n): 1 for n in range(len(bodies))}
        if made != by_hand:
            print("NOT THE SAME CALLS:", made - by_hand, by_hand - made)
            same = False
    ratio = statistics.median(ours["wall"] / loop["wall"] for ours, loop in zip(engines, loops, strict=True))
    ours, loop = (sorted(rows, key=lambda row: row["wall"])[len(rows) // 2] for rows in (engines, loops))
    size = len(bodies)
    print(
        f"{kind + (', cached' if cached else ', no look-ups'):24}{loop['wall']:8.2f}{ours['wall']:8.2f}{ratio:7.2f}"
        f"{loop['cpu'] / size * 1000:9.2f}{ours['cpu'] / size * 1000:9.2f}"
        f"{ours['commits'] / size:9.2f}{ours['statements'] / size:12.1f}",
        flush=True,
    )
    return same and ratio <= ALLOWED


async def _measured(
    box: Standing, address: str, folder: Path, bodies: Sequence[bytes], given: argparse.Namespace, *, cached: bool
) -> dict[str, Any]:
    async with house(box, address, folder, given.width) as made:
        profiler = cProfile.Profile() if given.profile else None
        found = await engine(made, bodies, cached=cached, profiler=profiler)
        if profiler:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(50)
        return found


def main() -> int:
    """Read the command line and measure; 1 where it is not as promised."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=1000, help="invoices")
    options.add_argument("--latency", type=float, default=0.02, help="seconds a call")
    options.add_argument("--width", type=int, default=4, help="calls at a time; 4 is what a connection has by default")
    options.add_argument("--rounds", type=int, default=1, help="each so often, by turns; the median ratio counts")
    options.add_argument("--database", choices=["sqlite", "postgres"], help="only this one")
    options.add_argument("--profile", action="store_true", help="print where the engine's time goes")
    given = options.parse_args()
    configure("error", "text")
    bodies = documents(given.size)
    print(
        f"{given.size} invoices of {len(bodies[0]) // 1000} kB, {given.width} calls at a time, {given.latency * 1000:g}"
        f" ms a call; at most {ALLOWED} times the bare loop:"
    )
    print(
        f"{'':24}{'loop s':>8}{'ours s':>8}{'ratio':>7}{'loop cpu':>9}{'ours cpu':>9}{'commits':>9}{'statements':>12}"
    )
    kinds = [given.database] if given.database else ["sqlite", "postgres"]
    kept = [compare(given, kind, bodies, cached=cached) for kind in kinds for cached in (True, False)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
