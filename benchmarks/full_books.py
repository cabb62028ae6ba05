"""Books of Tripletex' sandbox that are full, with as many rows to a query as a benchmark wants.

python -m benchmarks.full_books --serve DOCUMENTS [--limit ROWS]
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from connector.service.house import open_house
from connector.service.settings import Settings
from connector.store import connections

SANDBOX = "adapters.accounting.tripletex.sandbox"
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


@contextlib.contextmanager
def sandbox(latency: float, *, filled: int = 0, limit: int = 10**9) -> Iterator[str]:
    """A sandbox process; gives its address. `limit`: rows that a query of filled books may match."""
    full = ["benchmarks.full_books", "--serve", str(filled), "--limit", str(limit)]
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


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--serve", type=int, required=True, help="documents in the books")
    options.add_argument("--limit", type=int, default=10**9, help="rows that a query may match")
    given = options.parse_args()
    serve_filled(given.serve, given.limit)
