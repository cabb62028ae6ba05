"""Memory of a preview: over ten times as many documents it must need no more.

    python -m benchmarks.preview [--few 1000] [--many 10000]

A store is filled with invoices, each linked to what a ledger has shown of it; then two versions of the mapping are held
against each other over the first of them, and over all. What Python holds at most meanwhile (tracemalloc) is compared.
Bound: a tenth more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
import tracemalloc
from datetime import date
from decimal import Decimal
from pathlib import Path

from connector import plugins
from connector.mapping.versions import of_files
from connector.model import Draft, Line, Party, compose
from connector.service.applying import counted_over
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import Tx, documents, links
from connector.sync.canonical import stored
from connector.sync.money import CUSTOMER

BOUND = 1.1
TENANT = """\
layer: tenant
tenant: fjord
title: Fjord AS
start: 2026-01-01
connections:
  books:
    system: tripletex
    settings: {base_url: "http://127.0.0.1:9/v2"}
    secrets: {consumer_token: env:FJORD, employee_token: env:FJORD}
MAPPING
routes:
  sales: {takes: api, to: books, issues: books, sends: nobody, takes_bank_money: books}
"""
CHANGED = "    mapping: {kinds: {invoice: {fields: {delivery.day: null}, loses: {delivery.day: Not used.}}}}"


def fill(tx: Tx, connection: str, first: int, count: int) -> None:
    """Invoices as the hub keeps them, with their links."""
    buyer = Party(name="Kunde AS")
    for number in range(first, first + count):
        lines = tuple(
            Line(id=str(n), name=f"Vare {n}", quantity=Decimal(n), price=Decimal("99.50"), vat_category="S",
                 vat_rate=Decimal(25), unit_code="C62")
            for n in range(1, 6)
        )  # fmt: skip
        draft = Draft(
            source_id=f"order-{number}", issue_date=date(2027, 1, 14), due_date=date(2027, 1, 28), currency="NOK",
            seller=buyer, buyer=buyer, lines=lines,
        )  # fmt: skip
        invoice = compose(draft)
        body = stored(invoice)
        if number == 0:
            party = {"party": {"name": "Kunde AS"}}
            documents.insert(tx, tenant="fjord", kind="customer", business_key="c", body=party, state="known")
        (customer,) = documents.find(tx, "fjord", kind="customer", limit=1)
        made = documents.insert(
            tx, tenant="fjord", kind="invoice", business_key=str(number), body=body, state="issued", source="sales",
            number=str(10000 + number), counterparty_name="Kunde AS",
        )  # fmt: skip
        documents.relate(tx, tenant="fjord", document=made.id, kind=CUSTOMER, other=customer.id)
        shown = {"invoice": {"invoiceDate": "2027-01-14", "invoiceNumber": 10000 + number}, "order": {"reference": "x"}}
        links.put(tx, tenant="fjord", document=made.id, connection=connection, kind="invoice", vendor_id=str(number),
                  base_seen=shown, base_sent={})  # fmt: skip


async def peak(house: House) -> tuple[int, int, float]:
    """Bytes held at most, documents looked at, and seconds, of a preview of everything against another version."""
    spoke = house.named("fjord", "books")
    other = of_files("fjord", "books", plugins.accounting())
    await counted_over(house.store, house, spoke, other, spoke.mapping, last=None)  # what is compiled once, is
    tracemalloc.start()
    began = time.perf_counter()
    counted = await counted_over(house.store, house, spoke, other, spoke.mapping, last=None)
    seconds = time.perf_counter() - began
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most, counted.looked_at, seconds


async def measure(few: int, many: int) -> float:
    """The ratio of both peaks."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mappings" / "tenants" / "fjord.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(TENANT.replace("MAPPING\n", ""))
        os.environ |= {"CONNECTOR_MAPPINGS": str(file.parent.parent), "FJORD": "x"}
        async with open_house(Settings(database=f"sqlite:///{folder}/c.db")) as house:
            file.write_text(TENANT.replace("MAPPING", CHANGED))
            id, held, peaks = house.named("fjord", "books").id, 0, []
            for size in (few, many):
                while held < size:
                    count = min(500, size - held)
                    await house.store.write(lambda tx, a=held, n=count: fill(tx, id, a, n))  # type: ignore[misc]
                    held += count
                most, looked_at, seconds = await peak(house)
                print(f"{looked_at:>7} documents  at most {most / 1e6:6.2f} MB  {seconds:6.1f} s", flush=True)
                peaks.append(most)
    return peaks[1] / peaks[0]


def main() -> int:
    """1 if memory grows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    asked = parser.parse_args()
    ratio = asyncio.run(measure(asked.few, asked.many))
    print(f"{ratio:.2f}× as much memory (bound {BOUND}×)")
    return int(ratio > BOUND)


if __name__ == "__main__":
    raise SystemExit(main())
