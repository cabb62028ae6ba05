"""The full comparison: what it reads, what it says had been missed, and that it reads each record once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "api"))
sys.path.append(str(Path(__file__).parents[1] / "scenarios"))

import importlib.util

from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.sandbox import registers
from connector.ports import Kind, Page, Record
from connector.store import Tx, connections
from connector.sync import reads
from connector.sync.comparison import NAMED, Comparison, reports

if "scenario_company" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "scenario_company", Path(__file__).parents[1] / "scenarios" / "conftest.py"
    )
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["scenario_company"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["scenario_company"])
company = sys.modules["scenario_company"].company

DAY = date(2026, 2, 1)


@pytest.fixture
async def fjord(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    make = partial(company, tmp_path, database_url, monkeypatch)
    async with make() as made:
        yield made


def filled(box: Any, invoices: int) -> list[Any]:
    """So many invoices, each paid, of one customer."""
    books = box.books
    customer = registers.create_customer(books, {"name": "Eksempel AS", "organizationNumber": "974760673"})
    line = {"description": "Lunsj", "count": 1, "unitPriceExcludingVatCurrency": Decimal(100), "vatType": {"id": 31}}
    made = []
    for _ in range(invoices):
        order = registers.create_order(books, {
            "customer": {"id": customer["id"]}, "orderDate": str(DAY), "deliveryDate": str(DAY), "orderLines": [line],
        })  # fmt: skip
        invoice = books.charge(order, DAY)
        box.payment(invoice["id"], Decimal(115), DAY)
        made.append(invoice)
    return made


async def compared(fjord: Any) -> dict[str, Comparison]:
    (spoke,) = fjord.house.spokes()
    kinds = await fjord.house.store.write(lambda tx: reads.compare(tx, spoke))
    await fjord.work(within=1.0)
    return {one.kind: one for one in await fjord.house.store.read(lambda tx: reports(tx, spoke.id, kinds))}


async def test_where_nothing_was_missed_it_says_so_and_reads_each_record_once(
    fjord: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(fjord.box, 6)
    await fjord.poll()
    seen: Counter[tuple[str, int]] = Counter()
    plain = Client.rows

    async def counting(self: Client, path: str, **asked: Any) -> list[dict[str, Any]]:
        found = await plain(self, path, **asked)
        seen.update((path, row["id"]) for row in found)
        return found

    monkeypatch.setattr(Client, "rows", counting)
    found = await compared(fjord)

    assert {kind: (one.read, one.missed) for kind, one in found.items() if one.read or one.missed} == {
        "customer": (1, 0), "invoice": (6, 0), "payment": (6, 0),
    }  # fmt: skip
    assert set(seen.values()) == {1}
    # A customer, six invoices, and for each its row and that of its payment on the customer's account.
    assert len([path for path, _ in seen if path != "/ledger/account"]) == 19


async def test_a_first_reading_asks_for_each_page_once_and_whose_books_these_are(fjord: Any) -> None:
    """Many invoices show less open than is known of them before the payments are taken in: no reason to look again."""
    filled(fjord.box, 80)
    (spoke,) = fjord.house.spokes()
    begun = len(fjord.box.requests)
    for reading in spoke.accounting.readings:
        await fjord.house.store.write(lambda tx, kind=reading.kind: reads.poll(tx, spoke, kind))
    await fjord.work(within=2.5)

    paths = Counter(one.path.removeprefix("/v2") for one in list(fjord.box.requests)[begun:] if one.method == "GET")
    assert paths["/invoice"] == paths["/ledger/posting"] == paths["/token/session/>whoAmI"] == 1, paths
    documents = (await fjord.get("/v1/documents", kind="invoice", limit=500))["documents"]
    assert [Decimal(one["open"]) for one in documents] == [0] * 80
    assert await fjord.get("/v1/attention") == []


async def test_what_polls_cannot_see_is_found_named_and_counted(fjord: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that lies further back than a poll's memory reaches, and one that no poll has been made for."""
    monkeypatch.setattr("adapters.accounting.tripletex.reading.KEPT", 2)
    first, *_ = filled(fjord.box, 4)
    await fjord.poll()
    fjord.box.books.touch(first)  # too old for the memory of polls, and nothing that is open changes
    await fjord.poll()
    registers.create_customer(fjord.box.books, {"name": "Ny Kunde AS"})

    found = await compared(fjord)

    assert (found["customer"].new, found["customer"].changed) == (1, 0)
    assert found["invoice"].changed == 1
    (named,) = found["invoice"].named
    assert named["id"] == str(first["id"])
    assert named["was"] != named["is"]
    assert (await fjord.document(counterparty="Ny Kunde AS")).kind == "customer"
    events = (await fjord.get("/v1/changes", limit=1000))["events"]
    told = {event["data"]["kind"]: event["data"] for event in events if event["kind"] == "connection.compared"}
    assert told["customer"]["missed"] == 1
    (books,) = await fjord.get("/v1/connections")
    shown = {one["kind"]: one for one in books["compared"]}
    assert shown["invoice"]["named"][0]["now"] == named["is"]

    again = await compared(fjord)
    assert sum(one.missed for one in again.values()) == 0


async def test_kinds_are_read_after_what_they_refer_to(fjord: Any) -> None:
    filled(fjord.box, 3)
    (spoke,) = fjord.house.spokes()
    for kind in (Kind.PAYMENT, Kind.INVOICE, Kind.CUSTOMER):
        await fjord.house.store.write(lambda tx, kind=kind: reads.poll(tx, spoke, kind))
    await fjord.work(within=2.5)
    lists = [r.path.removeprefix("/v2") for r in fjord.box.requests if r.method == "GET" and "from" in r.query]
    lists.remove("/ledger/account")  # which rows are customers'
    order = list(dict.fromkeys(lists))
    assert order == ["/customer", "/invoice", "/ledger/posting"]
    assert len(lists) == 4  # customers are two lists; no invoice had to be looked up for its payment


async def test_one_that_is_interrupted_goes_on_where_it_was(fjord: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.accounting.tripletex.reading.PAGE", 2)
    monkeypatch.setattr("adapters.accounting.tripletex.client.PAGE", 2)
    plain = Client.rows
    monkeypatch.setattr(Client, "rows", lambda self, path, **asked: plain(self, path, **{"count": 2} | asked))
    filled(fjord.box, 5)
    await fjord.poll()
    fjord.box.fault("GET /invoice", "500-before", count=30, after=1)
    (spoke,) = fjord.house.spokes()
    await fjord.house.store.write(lambda tx: reads.sweep(tx, spoke, Kind.INVOICE))
    await fjord.work()
    kept = await fjord.house.store.read(lambda tx: connections.cursor(tx, spoke.id, "sweep:invoice"))
    assert '"read":2' in (kept or "").replace(" ", "")
    fjord.box.faults.active.clear()
    await fjord.work(within=20)
    (report,) = await fjord.house.store.read(lambda tx: reports(tx, spoke.id, [Kind.INVOICE]))
    assert (report.read, report.pages, report.missed) == (5, 3, 0)


def test_a_report_names_so_many_and_counts_all() -> None:
    found = Comparison("invoice", "2027-01-01T00:00:00+00:00")
    for page in range(3):
        records = [Record(Kind.INVOICE, f"{page}-{n}", "2", {}) for n in range(60)]
        known = {(Kind.INVOICE, f"{page}-{n}"): "1" for n in range(30)}
        found = found.with_page(Page(records, ""), known, records)
    assert (found.read, found.new, found.changed, len(found.named)) == (180, 90, 90, NAMED)
    assert Comparison.of(Kind.INVOICE, found.as_json(), None) == found  # type: ignore[arg-type]


async def test_what_waits_for_its_own_turn_still_goes_before_what_refers_to_it(fjord: Any) -> None:
    """Invoices that wait a moment, as they do for customers: payments, which name them, are not read meanwhile."""
    (spoke,) = fjord.house.spokes()
    begun = len(fjord.box.requests)

    def ask(tx: Tx) -> None:
        reads.poll(tx, spoke, Kind.INVOICE, not_before=tx.now + timedelta(seconds=0.3))
        reads.poll(tx, spoke, Kind.PAYMENT)

    await fjord.house.store.write(ask)
    await fjord.work(within=2.5)
    paths = [one.path.removeprefix("/v2") for one in list(fjord.box.requests)[begun:]]
    assert paths.index("/invoice") < paths.index("/ledger/posting"), paths
