"""What reading a ledger costs: calls and rows of a first reading, and memory of a full comparison, against full books.

    python -m benchmarks.reading [--first 20000] [--nightly 10000 --nightly 50000] [--limit 10000] [--database sqlite]

The first reading is of so many invoices, each paid. Calls are counted by the sandbox, beside what paging makes
necessary: a page for each 1,000 rows of each window of dates; a query may match at most `--limit` rows (10,000, as the
vendor has it), which makes further windows necessary. What is read are the invoices and the rows on customers'
accounts: a loss or a refund that a bookkeeper books is a row without a type, which the vendor has no way to ask for
alone, so the rows that invoices have there pass by, too. The nightly comparison is of so many records (half of them
invoices, half payments), in a process of its own over a store that another has filled: whether any row was read twice,
and its peak memory. Exit status 1: more than 5 % more calls, a row read twice, or memory that grew by 10 %.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.engine import database
from benchmarks.full_books import bench_house, requests_of, sandbox, shape
from connector.sync import reads
from connector.sync.comparison import reports

PAGE = 1000
SHORT = (
    "customers",
    "customers that are not in use",  # hidden from the other list
    "suppliers",
    "suppliers that are not in use",
    "products",
    "departments",
    "projects",
    "values of free dimensions",
    "suppliers' invoices",
    "the reception",
    "which accounts are customers'",
)
"""Lists that have one page in these books."""
ALLOWED, GROWTH = 1.05, 1.10


def counted(url: str, since: int = 0) -> Counter[str]:
    """Calls by their shape, beginning and ending of sessions left out."""
    return Counter(shape(one) for one in requests_of(url)[since:] if one["method"] == "GET")


def necessary(records: dict[str, int], limit: int) -> int:
    """Calls that paging makes necessary. A list has ended with the first page that is not full, also where that is
    empty; more than `limit` rows need further windows, each with an end of its own.
    """
    pages = sum(count // PAGE + math.ceil(count / limit) for count in records.values())
    return pages + len(SHORT)


async def read_all(url: str, address: str, folder: Path) -> dict[str, Any]:
    """A first reading; figures."""
    async with bench_house(url, address, folder, 4) as house:
        (spoke,) = house.spokes()
        start = time.perf_counter()
        for reading in spoke.accounting.readings:
            await house.store.write(lambda tx, kind=reading.kind: reads.poll(tx, spoke, kind))
        await house.work_until_idle(within=2.5)
        return {"seconds": time.perf_counter() - start}


async def compare_all(url: str, address: str, folder: Path) -> dict[str, Any]:
    """A full comparison; figures."""
    from adapters.accounting.tripletex.client import Client

    rows: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))  # ids; small, as memory is measured
    plain = Client.rows

    async def counting(self: Client, path: str, **asked: Any) -> list[dict[str, Any]]:
        found = await plain(self, path, **asked)
        rows[path].extend(row["id"] for row in found)
        return found

    Client.rows = counting  # type: ignore[method-assign]
    async with bench_house(url, address, folder, 4) as house:
        (spoke,) = house.spokes()
        start = time.perf_counter()
        kinds = await house.store.write(lambda tx: reads.compare(tx, spoke))
        await house.work_until_idle(within=1.0)
        seconds = time.perf_counter() - start
        found = await house.store.read(lambda tx: reports(tx, spoke.id, kinds))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before the counting below takes its own
    return {
        "seconds": seconds,
        "records": sum(one.read for one in found),
        "missed": sum(one.missed for one in found),
        "rows": sum(len(ids) for ids in rows.values()),
        "twice": sum(len(ids) - len(set(ids)) for ids in rows.values()),
        "peak": peak,
    }


def here(what: str, url: str, address: str, folder: str) -> None:
    """One measurement in this process; its figures as JSON."""
    measure = read_all if what == "read" else compare_all
    print(json.dumps(asyncio.run(measure(url, address, Path(folder)))))


def apart(what: str, url: str, address: str, folder: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reading", "--here", what, url, address, folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def first(invoices: int, limit: int, kind: str) -> bool:
    """A first reading; whether it makes few enough calls."""
    with (
        tempfile.TemporaryDirectory(prefix="connector-bench-") as name,
        sandbox(0, filled=2 * invoices, limit=limit) as url,
        database(kind, Path(name)) as address,
    ):
        found = apart("read", url, address, name)
        calls = counted(url)
    there = {"invoice": invoices, "row on a customer's account": 2 * invoices}
    made, needed = calls.total(), necessary(there, limit)
    records = 2 * invoices + 1
    print(f"first reading on {kind}: {invoices} invoices with payments in {found['seconds']:.1f} s")
    for what, count in sorted(calls.items()):
        print(f"  {what:32}{count:6}")
    print(f"  calls {made}, {made / records:.5f} a record; paging makes {needed} necessary ({made / needed - 1:+.1%})")
    return made <= needed * ALLOWED + 1  # one asks whose books these are


def nightly(sizes: list[int], limit: int, kind: str) -> bool:
    """Comparisons of growing books; whether memory stays flat and nothing is read twice."""
    fine, least = True, math.inf
    for records in sizes:
        with (
            tempfile.TemporaryDirectory(prefix="connector-bench-") as name,
            sandbox(0, filled=records, limit=limit) as url,
            database(kind, Path(name)) as address,
        ):
            apart("read", url, address, name)
            before = len(requests_of(url))
            found = apart("compare", url, address, name)
            calls = counted(url, before).total()
        least = min(least, found["peak"])
        once = found["twice"] == 0 and found["records"] == records + 1
        print(
            f"comparison on {kind}: {found['records']} records in {found['seconds']:.1f} s, {found['rows']} rows in"
            f" {calls} calls, {found['twice']} of them twice, {found['missed']} missed, peak {found['peak']:.0f} MB"
            f" ({found['peak'] / least - 1:+.1%})",
            flush=True,
        )
        fine = fine and once and found["missed"] == 0 and found["peak"] <= least * GROWTH
    return fine


def main() -> None:
    """Read the command line and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--first", type=int, help="invoices of a first reading")
    options.add_argument("--nightly", type=int, action="append", help="records of a comparison; may be given again")
    options.add_argument("--limit", type=int, default=10_000, help="rows that a query may match")
    options.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    options.add_argument("--here", nargs=4, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.here:
        here(*given.here)
        return
    if given.first is None and given.nightly is None:
        given.first, given.nightly = 20_000, [10_000, 50_000]
    fine = True
    if given.first:
        fine &= first(given.first, given.limit, given.database)
    if given.nightly:
        fine &= nightly(sorted(given.nightly), given.limit, given.database)
    if not fine:
        raise SystemExit("more calls, rows or memory than is allowed")


if __name__ == "__main__":
    main()
