"""Memory of a first sync's proposal: it must grow with what is compared, and not with what the records hold besides.

    python -m benchmarks.joining [--few 5000] [--many 50000]

A store is filled with customers that a program has posted and with as many records that were read of a ledger, which
have their counterparts; then the proposal is made. What Python holds at most meanwhile (tracemalloc) is measured for
both sizes, and for the larger one again with records of four times the size. Bounds: a pair more costs no more than
3 kB (both sides, what is compared, and the line of the proposal), and larger records no more than a tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from benchmarks.preview import TENANT
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import Tx, documents, first_sync
from connector.sync.first_sync.sides import lines

BOUND, MOST = 1.1, 3000
"""How much more larger records may need; bytes that a pair more may need."""
BATCH = 500


def fill(tx: Tx, connection: str, first: int, count: int, padding: int) -> None:
    """Customers on both sides; `padding`: characters that each holds besides what is compared."""
    for number in range(first, first + count):
        name, more = f"Kunde {number} AS", "x" * padding
        record: dict[str, Any] = {
            "id": number,
            "version": 1,
            "name": name,
            "email": f"post@{number}.no",
            "comment": more,
        }
        kept = {"id": str(number), "version": "1", "body": record}
        first_sync.keep(tx, "fjord", connection, "customer", str(number), kept)
        body = {"party": {"name": name}, "invoice_email": f"post@{number}.no", "source_id": f"k{number}"}
        body["party"] = {"name": name, "trading_name": more}
        documents.insert(
            tx, tenant="fjord", kind="customer", business_key=f"k{number}", body=body, state="known", source="api",
            counterparty_name=name,
        )  # fmt: skip


async def peak(house: House) -> tuple[int, int, float]:
    """Bytes held at most, lines of the proposal, and seconds."""
    spoke = house.named("fjord", "books")
    tracemalloc.start()
    began = time.perf_counter()
    found = await house.store.read(lambda tx: lines(tx, house, spoke))
    seconds = time.perf_counter() - began
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most, len(found), seconds


async def measured(size: int, padding: int) -> int:
    """Bytes that a proposal of so many customers holds at most."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mappings" / "tenants" / "fjord.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(TENANT.replace("MAPPING\n", ""))
        os.environ |= {"CONNECTOR_MAPPINGS": str(file.parent.parent), "FJORD": "x"}
        async with open_house(Settings(database=f"sqlite:///{folder}/c.db")) as house:
            id = house.named("fjord", "books").id
            for start in range(0, size, BATCH):
                await house.store.write(lambda tx, a=start: fill(tx, id, a, min(BATCH, size - a), padding))  # type: ignore[misc]
            most, made, seconds = await peak(house)
    print(
        f"{made:>7} lines, {padding:>5} characters besides  at most {most / 1e6:7.2f} MB  {seconds:6.1f} s", flush=True
    )
    return most


async def measure(few: int, many: int) -> tuple[float, float]:
    """Bytes for a record more, and how much more larger records need."""
    small, large, heavy = await measured(few, 500), await measured(many, 500), await measured(many, 2000)
    return (large - small) / (many - few), heavy / large


def main() -> int:
    """1 if memory grows with what records hold besides, or by too much with each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--few", type=int, default=5000)
    parser.add_argument("--many", type=int, default=50_000)
    asked = parser.parse_args()
    each, ratio = asyncio.run(measure(asked.few, asked.many))
    print(f"{each:.0f} bytes for a pair more (bound {MOST}); larger records {ratio:.2f}× as much (bound {BOUND}×)")
    return int(ratio > BOUND or each > MOST)


if __name__ == "__main__":
    raise SystemExit(main())
