"""What receiving costs: an access point hands over, and is answered 2xx when the document is on disk.

    python -m benchmarks.peppol_receiving [--calls 1000] [--at-once 4] [--rounds 3] [--database sqlite]

Beside it a bare endpoint: FastAPI, one route that writes the body into one table and commits before it answers
(SQLite with the store's own pragmas, WAL and synchronous=FULL; PostgreSQL by psycopg, with a connection of its own for
each call at a time), nothing else: no secret, no look at the addressee, no encryption, no work that is queued. Both
are served by uvicorn in a process of their own and called by the same client (`connector.http.Http`), so many at once,
with the same envelopes: of an invoice as it mostly is, and of one with an attachment that makes it a megabyte. Ours is
measured as `serve --no-worker` runs it, and with the worker in the same process (`and works`), where the documents that
come in are also handled meanwhile.

Exit status 1: the 99th percentile is more than three times the bare endpoint's (median of the rounds, without worker).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response

from benchmarks.engine import database
from benchmarks.peppol_sending import SYSTEM, TENANT
from connector.cli.sandbox import connection, variables
from connector.ehf import read, write
from connector.http import Http
from connector.model import Attachment, Embedded
from connector.peppol import envelope
from connector.ports import StandIn
from connector.service.house import open_house
from connector.service.logs import configure
from connector.service.settings import Settings
from connector.testing.samples import purchase

ALLOWED = 3.0
OWN = "923609016"
SECRET = "a-secret-of-the-benchmark"
_BARE_TABLE = "CREATE TABLE messages (id TEXT PRIMARY KEY, body {bytes} NOT NULL)"


# --- the bare endpoint ------------------------------------------------------------------------------------------------


def bare_app(address: str, at_once: int) -> FastAPI:
    """The least that keeps a body before it answers."""
    keep = _sqlite(address) if address.startswith("sqlite") else None

    @contextlib.asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.keep = keep or await _postgres(address, at_once)
        yield

    app = FastAPI(lifespan=life)

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        await app.state.keep(request.headers["x-sbdh-instance-id"], await request.body())
        return Response(status_code=204)

    return app


def _sqlite(address: str) -> Callable[[str, bytes], Any]:
    import sqlite3

    conn = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        conn.execute(f"PRAGMA {pragma}")
    conn.execute(_BARE_TABLE.format(bytes="BLOB"))

    async def keep(id: str, body: bytes) -> None:
        conn.execute("INSERT INTO messages VALUES (?, ?)", (id, body))

    return keep


async def _postgres(address: str, at_once: int) -> Callable[[str, bytes], Any]:
    import psycopg

    idle = [await psycopg.AsyncConnection.connect(address, autocommit=True) for _ in range(at_once)]
    await idle[0].execute(_BARE_TABLE.format(bytes="BYTEA"))

    async def keep(id: str, body: bytes) -> None:
        conn = idle.pop()
        await conn.execute("INSERT INTO messages VALUES (%s, %s)", (id, body))
        idle.append(conn)

    return keep


# --- what is served ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(command: list[str], path: str) -> Iterator[str]:
    """A server that runs and answers; its address and this path."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = subprocess.Popen([sys.executable, "-m", *command, "--port", str(port)])
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}{path}"
    finally:
        program.terminate()
        program.wait()


async def _hook(address: str) -> str:
    """The path of a company's hook; the company is made."""
    async with open_house(Settings(database=address)) as house:
        (point,) = house.access_points.points("bench")
        return f"/v1/hooks/{point.id}"


@contextlib.contextmanager
def ours(address: str, folder: Path, *, works: bool) -> Iterator[str]:
    """Our service with one company; where its access point calls."""
    given = StandIn({"base_url": "http://127.0.0.1:9"}, {"token": "t", "hook_secret": SECRET})
    tenants = folder / "mappings" / "tenants"
    tenants.mkdir(parents=True)
    (tenants / "bench.yaml").write_text(TENANT.format(point=connection(SYSTEM, given, "ap")))
    os.environ |= variables(SYSTEM, given) | {
        "CONNECTOR_MAPPINGS": str(folder / "mappings"),
        "CONNECTOR_KEYS": base64.b64encode(bytes(range(32))).decode(),
        "CONNECTOR_DATABASE": address,
        "CONNECTOR_LOG_LEVEL": "error",
    }
    path = asyncio.run(_hook(address))
    with served(["connector", "serve", "--worker" if works else "--no-worker"], path) as url:
        yield url


@contextlib.contextmanager
def bare(address: str, at_once: int) -> Iterator[str]:
    """The bare endpoint."""
    command = ["benchmarks.peppol_receiving", "--bare", address, "--at-once", str(at_once)]
    with served(command, "/hook") as url:
        yield url


# --- what calls -------------------------------------------------------------------------------------------------------


def messages(size: int, calls: int) -> list[tuple[str, bytes]]:
    """Envelopes of about so many bytes (0: as they mostly are), each under an instance and a number of its own."""
    bill = purchase(OWN, "F-NUMBER")
    if size:
        file = Embedded(content=os.urandom(size * 3 // 4), mime_type="application/pdf", filename="vedlegg.pdf")
        bill = write(read(bill).model_copy(update={"attachments": (Attachment(id="1", embedded=file),)}))
    first = str(uuid.uuid4())
    whole = envelope.write(envelope.address(bill, instance=first, created=datetime.now(UTC)), bill)
    ids = [str(uuid.uuid4()) for _ in range(calls)]
    return [(id, whole.replace(first.encode(), id.encode()).replace(b"F-NUMBER", id[:8].encode())) for id in ids]


async def handed_over(url: str, given: list[tuple[str, bytes]], at_once: int) -> list[float]:
    """Milliseconds of each call, from the first byte sent to the answer."""
    http = Http(url)
    took: list[float] = []
    todo = iter(given)

    async def hands() -> None:
        for id, body in todo:
            headers = {"Content-Type": "application/xml", "X-Hook-Secret": SECRET, "X-SBDH-Instance-ID": id}
            start = time.perf_counter()
            answer = await http.call("POST", "", content=body, headers=headers)
            took.append((time.perf_counter() - start) * 1000)
            assert answer.status in (200, 204), answer.body

    await asyncio.gather(*(hands() for _ in range(at_once)))
    await http.aclose()
    return took


def once(url: str, size: int, calls: int, at_once: int) -> tuple[float, float, float]:
    """Median, 99th percentile and calls a second, of a server that is warm."""
    asyncio.run(handed_over(url, messages(size, 20), at_once))
    given = messages(size, calls)
    start = time.perf_counter()
    took = sorted(asyncio.run(handed_over(url, given, at_once)))
    return statistics.median(took), took[int(len(took) * 0.99)], calls / (time.perf_counter() - start)


def compare(given: argparse.Namespace, kind: str, size: int) -> bool:
    """Bare endpoint and ours by turns; lines, and whether it is as promised."""
    calls = max(given.calls // 5, 100) if size else given.calls
    found: dict[str, list[tuple[float, float, float]]] = {"bare endpoint": [], "ours": [], "ours, and works": []}
    for _ in range(given.rounds):
        for name, figures in found.items():
            with tempfile.TemporaryDirectory(prefix="connector-bench-") as folder, database(kind, Path(folder)) as at:
                running = (
                    bare(at, given.at_once)
                    if name == "bare endpoint"
                    else ours(at, Path(folder), works=name == "ours, and works")
                )
                with running as url:
                    figures.append(once(url, size, calls, given.at_once))
    middle = {name: [statistics.median(one) for one in zip(*rows, strict=True)] for name, rows in found.items()}
    for name, (median, slow, rate) in middle.items():
        ratio = slow / middle["bare endpoint"][1]
        where = f"{kind}, {'1 MB' if size else f'{len(messages(0, 1)[0][1]) / 1000:.0f} kB'}, {name}"
        print(f"{where:36}{median:9.2f}{slow:9.2f}{ratio:7.2f}{rate:10.0f}", flush=True)
    return middle["ours"][1] <= ALLOWED * middle["bare endpoint"][1]


def main() -> int:
    """Read the command line and measure; 1 where it is not as promised."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=1000, help="calls of a round; a fifth of them of a megabyte")
    options.add_argument("--at-once", type=int, default=4, help="calls at a time")
    options.add_argument("--rounds", type=int, default=3, help="each so often, by turns; the medians count")
    options.add_argument("--database", choices=["sqlite", "postgres"], help="only this one")
    options.add_argument("--bare", help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    configure("error", "text")
    if given.bare:
        import uvicorn

        uvicorn.run(bare_app(given.bare, given.at_once), port=given.port, log_config=None, access_log=False)
        return 0
    print(f"{given.at_once} calls at a time; p99 at most {ALLOWED:g} times the bare endpoint's, without worker; ms:")
    print(f"{'':36}{'median':>9}{'p99':>9}{'ratio':>7}{'calls/s':>10}")
    kinds = [given.database] if given.database else ["sqlite", "postgres"]
    kept = [compare(given, kind, size) for kind in kinds for size in (0, 1_000_000)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
