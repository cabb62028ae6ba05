"""Back-fill: any number of arrivals in flat memory. (What each costs is measured: `benchmarks.engine --backfill`.)"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FULL = os.environ.get("CONNECTOR_PROOF") == "full"

SCRIPT = """
import asyncio, resource, sys
from connector.lanes import Arrival, Worker, arrive
from connector.store import Tx, documents, open_store

def handle(tx: Tx, arrival: Arrival) -> str:
    return documents.insert(
        tx, tenant="a", kind="invoice", business_key=arrival.key, body={"text": "x" * 2000}, state="received",
        original=arrival.body, arrival=arrival.id,
    ).id

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main(url, piece, pieces):
    store = await open_store(url, keys=[bytes(range(32))])
    for n in range(pieces):
        for m in range(0, piece, 200):
            await store.write(lambda tx: [
                arrive(tx, tenant="a", source="s", kind="k", key=key, subject=key, body=b"y" * 3000)
                for key in (f"{n}-{m + i}" for i in range(200))
            ])
        await Worker(store, arrivals={"k": handle}, effects={}, reads={}).run_until_idle()
        print(peak(), flush=True)
    await store.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.mark.proof
def test_memory_is_flat(database_url: str) -> None:
    """Peak memory grows by less than a tenth from the first piece on."""
    piece, pieces = (10_000, 5) if FULL else (1_000, 3)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, database_url, str(piece), str(pieces)],
        capture_output=True,
        text=True,
        check=True,
        timeout=1200,
    )
    peaks = [int(line) for line in done.stdout.splitlines()]
    assert len(peaks) == pieces
    assert peaks[-1] < peaks[0] * 1.1
