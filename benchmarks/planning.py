"""Queries and time of a plan: a few queries a page, and ten times the documents in ten times the time.

    python -m benchmarks.planning [--few 1000] [--many 10000]

A store is filled with invoices of which every second is in the ledger already, and the plan of all of them is made: as
it is (what a page needs is read in one go), and, as the named peer, with every row asked for by itself. Bounds: a tenth
of the peer's queries, and per document no more than a third more processor time for ten times the documents.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from benchmarks.preview import TENANT, fill
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import Tx, links
from connector.store import documents as kept
from connector.sync.plan import plan

QUERIES, TIME = 0.1, 1.33
"""Most of the peer's queries; most of the time per document of the smaller plan."""


def unlink(tx: Tx, connection: str, first: int, count: int) -> None:
    """Every second of these invoices is not in the ledger yet."""
    for number in range(first, first + count, 2):
        link = links.by_vendor_id(tx, connection, "invoice", str(number))
        if link is not None:
            links.drop(tx, link)
            document = kept.get(tx, "fjord", link.document)
            kept.change(tx, document, number=None, body=(document.body or {}) | {"number": None})


async def planned(house: House, size: int, *, singly: bool = False) -> tuple[float, float]:
    """Queries and milliseconds per document."""
    spoke = house.named("fjord", "books")

    def read(tx: Tx) -> int:
        if singly:
            tx.ahead = None
        return len(plan(tx, house, spoke, limit=10 * size))

    queries, began = house.store.stats.statements, time.process_time()
    steps = await house.store.read(read)
    seconds = time.process_time() - began
    each = (house.store.stats.statements - queries) / size
    how = "one by one  " if singly else "in one go   "
    print(
        f"{size:>7} documents, {steps} steps  {how} {each:7.3f} queries  {seconds / size * 1e3:6.3f} ms each",
        flush=True,
    )
    return each, seconds / size * 1e3


async def measure(few: int, many: int) -> tuple[float, float]:
    """Queries against the peer, and time per document of the larger plan against the smaller."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mappings" / "tenants" / "fjord.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(TENANT.replace("MAPPING\n", ""))
        os.environ |= {"CONNECTOR_MAPPINGS": str(file.parent.parent), "FJORD": "x"}
        async with open_house(Settings(database=f"sqlite:///{folder}/c.db")) as house:
            id, held, found = house.named("fjord", "books").id, 0, []
            for size in (few, many):
                while held < size:
                    count = min(500, size - held)
                    await house.store.write(lambda tx, a=held, n=count: fill(tx, id, a, n))  # type: ignore[misc]
                    await house.store.write(lambda tx, a=held, n=count: unlink(tx, id, a, n))  # type: ignore[misc]
                    held += count
                await planned(house, size)  # what is compiled once, is
                found.append(await planned(house, size))
                if size == few:
                    peer = await planned(house, size, singly=True)
    return found[0][0] / peer[0], found[1][1] / found[0][1]


def main() -> int:
    """1 if it asks too often, or takes more than linear time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    asked = parser.parse_args()
    queries, slower = asyncio.run(measure(asked.few, asked.many))
    print(f"{queries:.3f}× the queries (bound {QUERIES}×); {slower:.2f}× the time per document (bound {TIME}×)")
    return int(queries > QUERIES or slower > TIME)


if __name__ == "__main__":
    raise SystemExit(main())
