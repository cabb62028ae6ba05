"""Calls of a first sync: all that a ledger has is read with no more calls than its paging makes necessary.

    python -m benchmarks.first_sync [SYSTEM]... [--size 20000]

The books of a sandbox are filled past its API with so many invoices, each paid; a connection that observes reads them
into an empty store. Printed are the calls per record (an invoice or a payment), by path, and beside them the number
that is necessary: the lists of invoices and payments once, at the longest page there is, and what is asked once. Bound:
5 % more.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.standing import Standing, house, sandbox, shape
from connector.service.logs import configure
from connector.store import schema
from connector.sync import reads

BOUND = 1.05
FILL = {"customers": 40, "day": "2026-01-01", "days": 300}


@dataclass(frozen=True, slots=True)
class Paging:
    """What a vendor's paging makes necessary.

    Args:
        page: rows of the longest page.
        lists: rows that an invoice and its payment have in each long list.
        once: other calls, each made once: access, whose books these are, short lists.
        most: rows that a query may match: longer lists are read in windows of days. Where this is so, how many rows
            there are is not told either: a window has ended with the first page that is not full, which may be empty.
    """

    page: int
    lists: Mapping[str, int]
    once: tuple[str, ...]
    most: int | None = None

    def necessary(self, invoices: int) -> int:
        """Calls that cannot be saved."""
        return len(self.once) + sum(self._pages(rows * invoices) for rows in self.lists.values())

    def _pages(self, rows: int) -> int:
        return ceil(rows / self.page) if self.most is None else rows // self.page + ceil(rows / self.most)


PAGING = {
    "fiken": Paging(
        100,
        {"invoices": 1, "sales": 1},  # payments hang on sales, also on those that are no invoices of Fiken's
        ("companies", "company", "contacts", "products", "projects", "creditNotes", "bankAccounts"),
    ),
    "tripletex": Paging(
        1000,
        {"invoice": 1, "ledger/posting": 2},  # on a customer's account: the invoice's row and the payment's
        (
            "session", "session, ended", "whoAmI", "account", "customer", "customer, inactive", "supplier",
            "supplier, inactive", "supplierInvoice", "voucherReception", "department", "product", "project",
            "accountingDimensionValue",
        ),
        most=10_000,
    ),
    "visma-net": Paging(
        100,  # what the sandbox's rows say (`maxPageSize`); the vendor's description names none
        {"customerinvoice": 1, "customerPayment": 1},
        ("token", "organization", "customer", "inventory", "customerCreditNote"),
    ),
}  # fmt: skip


async def first_sync(standing: Standing, folder: Path) -> tuple[int, float]:
    """Read everything into an empty store; records that it then has (invoices and payments), and seconds."""
    async with house(standing, f"sqlite:///{folder}/bench.db", folder, "observe") as made:
        (spoke,) = made.spokes()
        began = time.perf_counter()
        for reading in spoke.followed:
            await made.store.write(lambda tx, kind=reading.kind: reads.poll(tx, spoke, kind))  # type: ignore[misc]
        await made.work_until_idle(within=2.5)
        seconds = time.perf_counter() - began
        records = select(func.count()).where(schema.documents.c.kind.in_(("invoice", "payment")))
        return int(await made.store.read(lambda tx: tx.execute(records).scalar_one())), seconds


def measured(system: str, size: int) -> tuple[Counter[str], int]:
    """The calls of a first sync by shape, and how many are necessary. All records must be there afterwards."""
    with sandbox(system) as standing, tempfile.TemporaryDirectory(prefix="connector-bench-") as folder:
        standing.own("POST", "/_desk/fill", FILL | {"invoices": size})
        records, seconds = asyncio.run(first_sync(standing, Path(folder)))
        calls = Counter(shape(one) for one in standing.requests() if not one["path"].startswith("/_"))
    assert records == 2 * size, f"{records} invoices and payments were read, and {2 * size} are there"
    made, necessary = sum(calls.values()), PAGING[system].necessary(size)
    print(
        f"{system:12}{records:>7} records{made:>6} calls{made / records:9.5f} each; necessary{necessary:>6}"
        f"{necessary / records:9.5f}; {made / necessary:.3f}×  ({seconds:.0f} s)",
        flush=True,
    )
    return calls, necessary


def main() -> int:
    """1 if a system's first sync makes more calls than its bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"any of {', '.join(PAGING)}; else all")
    parser.add_argument("--size", type=int, default=20_000, help="invoices, each with a payment")
    parser.add_argument("--paths", action="store_true", help="print the calls by path")
    asked = parser.parse_args()
    configure("error", "text")
    worst = 0.0
    for system in asked.systems or PAGING:
        calls, necessary = measured(system, asked.size)
        worst = max(worst, sum(calls.values()) / necessary)
        if asked.paths:
            for path, count in sorted(calls.items()):
                print(f"{count:>8}  {path}")
    print(f"at most {worst:.3f}× what is necessary (bound {BOUND}×)")
    return int(worst > BOUND)


if __name__ == "__main__":
    raise SystemExit(main())
