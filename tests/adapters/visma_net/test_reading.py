"""Following changes: pages that are cut silently, a clock that is not ours, the hour that comes twice."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.sandbox import Sandbox
from adapters.accounting.visma_net.sandbox.asking import Said
from adapters.accounting.visma_net.wrapping import wrapped
from connector.errors import BadInput, VendorError
from connector.ports import Kind

sys.path.append(str(Path(__file__).parent))
from visma_driving import all_changes, line, opened

START = date(2027, 1, 1)


def filled(box: Sandbox, count: int, *, day: str = "2027-01-15") -> list[str]:
    """So many released invoices of a customer; their numbers."""
    books = box.books
    customer = next(iter(books.tables.get("customer", {}).values()), None)
    customer = customer or books.add_customer(Said(wrapped({"name": "Kjøper AS"})))
    said = {"customerNumber": customer["number"], "documentDate": f"{day}T00:00:00",
            "invoiceLines": [{"operation": "Insert", **line("Vare", 1, "100.00", "3")}]}  # fmt: skip
    made = []
    for _ in range(count):
        row = books.add_invoice(Said(wrapped(said)))
        books.release_invoice(row)
        made.append(row["referenceNumber"])
    return made


def asked(box: Sandbox, path: str) -> int:
    return sum(came.path == f"/api{path}" for came in box.requests)


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100])
async def test_pages_that_are_cut_silently_are_read_to_the_end(count: int) -> None:
    async with Sandbox(most=50) as box:
        made = filled(box, count)
        system = opened(box)
        found, _ = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
        assert sorted(record.id for record in found) == made
        assert asked(box, "/v1/customerinvoice") == max(1, -(-count // 50))
        swept, cursor, more = [], None, True
        while more:
            page = await system.sweep(Kind.INVOICE, START, date(2028, 1, 1), cursor)
            swept += page.records
            cursor, more = page.cursor, page.more
        assert sorted(record.id for record in swept) == made


async def test_customers_behind_documents_cost_no_call_each() -> None:
    async with Sandbox(most=50) as box:
        for number in range(60):
            row = box.books.add_customer(Said(wrapped({"name": f"Kunde {number}"})))
            said = {"customerNumber": row["number"], "documentDate": "2027-01-15T00:00:00",
                    "invoiceLines": [{"operation": "Insert", **line("Vare", 1, "1.00", "3")}]}  # fmt: skip
            box.books.release_invoice(box.books.add_invoice(Said(wrapped(said))))
        system = opened(box)
        found, _ = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
        assert len({record.customer for record in found}) == 60
        assert len(box.requests) == 1 + 2 + 2  # the token, the invoices, the customers


async def test_what_changes_is_seen_and_what_was_seen_is_not_given_again() -> None:
    async with Sandbox() as box:
        first, second = filled(box, 2)
        system = opened(box)
        _, cursor = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
        _, cursor = await all_changes(system, Kind.INVOICE, cursor)
        again, cursor = await all_changes(system, Kind.INVOICE, cursor)
        assert again == []
        box.pays((second, "50.00"), day=date(2027, 2, 1))
        (found,), cursor = await all_changes(system, Kind.INVOICE, cursor)
        assert (found.id, found.open_amount) == (second, Decimal(75))
        third = filled(box, 1)
        found, _ = await all_changes(system, Kind.INVOICE, cursor)
        assert [record.id for record in found] == third
        assert first not in third


async def test_what_is_dated_earlier_is_not_given() -> None:
    async with Sandbox() as box:
        filled(box, 1, day="2026-11-15")
        system = opened(box)
        found, cursor = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
        more, _ = await all_changes(system, Kind.INVOICE, cursor)
        assert found == more == []


async def test_the_hour_that_comes_twice_in_autumn() -> None:
    """A row that is changed after the clock was set back has a time *before* the greatest one that was seen."""
    async with Sandbox() as box:
        early, late = filled(box, 2)
        rows = box.books.tables["invoice"]
        rows[early]["lastModifiedDateTime"] = "2026-10-25T02:10:00.000"
        rows[late]["lastModifiedDateTime"] = "2026-10-25T02:58:00.000"
        system = opened(box)
        _, cursor = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
        _, cursor = await all_changes(system, Kind.INVOICE, cursor)
        box.pays((early, "50.00"), day=date(2027, 2, 1))
        rows[early]["lastModifiedDateTime"] = "2026-10-25T02:02:00.000"
        (found,), _ = await all_changes(system, Kind.INVOICE, cursor)
        assert (found.id, found.open_amount) == (early, Decimal(75))


async def test_our_clock_is_never_held_against_theirs() -> None:
    """A vendor whose clock is a day behind ours loses nothing."""
    async with Sandbox() as box:
        (number,) = filled(box, 1)
        row = box.books.tables["invoice"][number]
        yesterday = datetime.fromisoformat(row["lastModifiedDateTime"]) - timedelta(days=1)
        row["lastModifiedDateTime"] = yesterday.isoformat()
        system = opened(box)
        _, cursor = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
        _, cursor = await all_changes(system, Kind.INVOICE, cursor)
        box.pays((number, "50.00"), day=date(2027, 2, 1))
        row["lastModifiedDateTime"] = (yesterday + timedelta(minutes=1)).isoformat()
        (found,), _ = await all_changes(system, Kind.INVOICE, cursor)
        assert found.open_amount == Decimal(75)


async def test_a_payment_of_several_invoices_and_what_takes_it_back() -> None:
    async with Sandbox() as box:
        first, second = filled(box, 2)
        paid = box.pays((first, "100.00"), (second, "25.00"), amount="200.00", day=date(2027, 2, 1))
        system = opened(box)
        (record,), _ = await all_changes(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, START))
        assert record.body["paymentAmount"] == Decimal(200)
        assert {one["refNbr"]: one["amountPaid"] for one in record.body["paymentLines"]} == {
            first: Decimal(100), second: Decimal(25),
        }  # fmt: skip
        box.voids(paid["refNbr"], day=date(2027, 2, 3))
        found, _ = await all_changes(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, START))
        assert [(one.kind, one.id) for one in found] == [
            (Kind.PAYMENT, paid["refNbr"]), (Kind.REVERSAL, f"VoidPayment/{paid['refNbr']}"),
        ]  # fmt: skip


def test_rows_that_repeat_an_invoice_are_one() -> None:
    rows = [{"documentType": "Invoice", "refNbr": "1", "amountPaid": Decimal(amount)} for amount in (100, -100, 40)]
    assert records.applied({"paymentLines": rows}) == {"1": Decimal(40)}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-08-05T15:13:15.643", datetime(2026, 8, 5, 15, 13, 15, 643000)),
        ("2026-08-05T15:13:15.6430000", datetime(2026, 8, 5, 15, 13, 15, 643000)),
        ("2026-08-05T15:13:15", datetime(2026, 8, 5, 15, 13, 15)),
        ("2026-08-05T13:13:15Z", datetime(2026, 8, 5, 15, 13, 15)),
        ("2026-08-05T15:13:15+02:00", datetime(2026, 8, 5, 15, 13, 15)),
        ("2026-08-05", datetime(2026, 8, 5)),
        ("i dag", None),
        (None, None),
    ],
)
def test_moments_are_norwegian_wall_time(text: Any, moment: datetime | None) -> None:
    assert records.moment(text) == moment


@pytest.mark.parametrize("cursor", ["", "{}", '{"v":2,"page":1}', '{"v":1,"page":"x"}', "[]"])
async def test_a_cursor_that_is_none(cursor: str) -> None:
    async with Sandbox() as box:
        with pytest.raises(BadInput):
            await opened(box).changes(Kind.INVOICE, cursor)


@pytest.mark.parametrize("field", ["balance", "customer", "referenceNumber", "documentDate"])
async def test_a_field_that_is_missing_is_named(field: str) -> None:
    async with Sandbox() as box:
        (number,) = filled(box, 1)
        del box.books.tables["invoice"][number][field]
        system = opened(box)
        with pytest.raises(VendorError) as exc:
            await system.read(Kind.INVOICE, number)
        assert exc.value.code == "vendor-answer"
        assert field.rstrip(".number") in str(exc.value.where["field"]) or field == "customer"


async def test_a_field_that_nobody_knows_is_harmless() -> None:
    async with Sandbox() as box:
        (number,) = filled(box, 1)
        box.books.tables["invoice"][number]["brandNew"] = {"a": [1]}
        assert (await opened(box).read(Kind.INVOICE, number)).id == number
