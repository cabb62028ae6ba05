"""What a row on a customer's account is: told by its voucher, and never guessed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Sandbox, orders, registers, vouchers
from adapters.accounting.tripletex.sandbox.things import Thing
from connector.ports import Accounting, Kind, Matched, Page

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import opened

DAY = date(2027, 2, 1)
BANK, CASH, LOSS, VAT, SUPPLIERS, CUSTOMERS, FEES = 1920, 1900, 7830, 2700, 2400, 1500, 7770
KEPT = [{"account": "7770", "amount": Decimal(10)}]


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    system = opened(box)
    yield system
    await system.close()


@pytest.fixture
def sale(box: Sandbox) -> Thing:
    buyer = registers.create_customer(box.books, {"name": "Kjøper AS"})
    line = {"description": "Vare", "count": 1, "unitPriceExcludingVatCurrency": Decimal(100), "vatType": {"id": 3}}
    said = {"customer": {"id": buyer["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-15"}
    return box.books.charge(orders.create_order(box.books, said | {"orderLines": [line]}), date(2027, 1, 15))


def booked(box: Sandbox, sale: Thing, *rows: tuple[int, int], **more: Any) -> Thing:
    """A voucher with these rows (account, amount); its row on the customer's account."""
    said = [
        {"row": at, "account": {"id": box.books.account(number).id}, "amountGross": Decimal(amount)}
        | ({"customer": {"id": sale["customer"].id}, **more} if number == CUSTOMERS else {})
        for at, (number, amount) in enumerate(rows, 1)
    ]
    voucher = vouchers.create(box.books, {"date": DAY.isoformat(), "postings": said}, send=True)
    return next(one for link in voucher["postings"] if (one := box.books.find(link)).get("customer"))


async def all_of(system: Accounting) -> Page:
    return await system.sweep(Kind.PAYMENT, date(2027, 1, 1), date(2027, 12, 31), None)


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [
        (((BANK, 50), (CUSTOMERS, -50)), Kind.PAYMENT, {"amount": 50}),
        (((CASH, 50), (CUSTOMERS, -50)), Kind.PAYMENT, {"amount": 50}),
        (((BANK, -50), (CUSTOMERS, 50)), Kind.PAYMENT, {"amount": 50, "isRefund": True}),
        (((LOSS, 50), (CUSTOMERS, -50)), Kind.SETTLEMENT, {"amount": 50, "account": {"number": "7830"}}),
        (((LOSS, 40), (VAT, 10), (CUSTOMERS, -50)), Kind.SETTLEMENT, {"amount": 50, "account": {"number": "7830"}}),
        (((BANK, 40), (FEES, 10), (CUSTOMERS, -50)), Kind.PAYMENT, {"amount": 50, "deductions": KEPT}),
        (((BANK, 40), (LOSS, 10), (CUSTOMERS, -50)), Kind.SETTLEMENT, {"account": {"number": "1920+7830"}}),
        (((LOSS, -50), (CUSTOMERS, 50)), Kind.SETTLEMENT, {"amount": -50}),
    ],
)
async def test_what_stands_against_it_says_what_it_is(
    system: Accounting, box: Sandbox, sale: Thing, rows: Any, kind: Kind, said: dict[str, Any]
) -> None:
    row = booked(box, sale, *rows)
    (record,) = (await all_of(system)).records
    assert (record.kind, record.id, record.customer) == (kind, str(row["id"]), str(sale["customer"].id))
    assert {name: record.body[name] for name in said} == said
    assert await system.read(kind, record.id) == record
    others = {Kind.PAYMENT, Kind.SETTLEMENT, Kind.REVERSAL} - {kind}
    assert [await system.read(other, record.id) for other in others] == [None, None]


@pytest.mark.parametrize("keeps_type", [False, True])
async def test_a_reversed_voucher_is_a_reversal_of_its_row(
    system: Accounting, box: Sandbox, sale: Thing, keeps_type: bool
) -> None:
    box.books.rules.reversal_keeps_type = keeps_type
    for amount in (20, 30):
        box.payment(sale["id"], Decimal(amount), DAY)
    first, second = (one for one in box.books.items(sale["id"]) if one.get("type") == "INCOMING_PAYMENT")
    box.books.reverse(box.books.find(second["voucher"]), DAY)
    records = (await all_of(system)).records
    assert [(one.kind, one.body.get("reverses")) for one in records] == [
        (Kind.PAYMENT, None), (Kind.PAYMENT, None), (Kind.REVERSAL, {"id": second["id"]})
    ]  # fmt: skip
    assert [one.id for one in records[:2]] == [str(first["id"]), str(second["id"])]


async def test_a_number_on_a_row_counts_where_the_invoice_shows_the_row(
    system: Accounting, box: Sandbox, sale: Thing
) -> None:
    named = {"invoiceNumber": str(sale["invoiceNumber"])}
    for links in (False, True):
        box.books.rules.invoice_number_links = links
        booked(box, sale, (LOSS, 50), (CUSTOMERS, -50), **named)
    not_there, there = (await all_of(system)).records
    assert "invoice" not in not_there.body
    assert there.body["invoice"] == {"id": sale["id"]}


async def test_what_is_matched_comes_and_goes(system: Accounting, box: Sandbox, sale: Thing) -> None:
    cursor = await system.begin(Kind.PAYMENT, date(2027, 1, 1))
    while (page := await system.changes(Kind.PAYMENT, cursor)).more:
        cursor = page.cursor
    loss = booked(box, sale, (LOSS, 125), (CUSTOMERS, -125))
    group = box.books.close([*box.books.open_items(sale["id"]), loss], DAY)
    page = await system.changes(Kind.PAYMENT, page.cursor)
    assert [(one.kind, one.match) for one in page.records] == [(Kind.SETTLEMENT, str(group["id"]))]
    (match,) = page.matches
    assert (match.id, match.date) == (str(group["id"]), DAY)
    assert sorted(match.rows, key=lambda one: one.amount) == [
        Matched(None, str(loss["id"]), Decimal(-125)), Matched(Kind.INVOICE, str(sale["id"]), Decimal(125))
    ]  # fmt: skip
    box.books.reopen(group, DAY)
    page = await system.changes(Kind.PAYMENT, page.cursor)
    assert [(one.id, one.match) for one in page.records] == [(str(loss["id"]), None)]
    assert [(one.id, list(one.rows)) for one in page.matches] == [(str(group["id"]), [])]
    page = await system.changes(Kind.PAYMENT, page.cursor)
    assert (list(page.records), list(page.matches)) == ([], [])


async def test_an_invoice_paid_in_full_says_nothing_more(system: Accounting, box: Sandbox, sale: Thing) -> None:
    box.payment(sale["id"], Decimal(125), DAY)
    page = await all_of(system)
    assert [one.kind for one in page.records] == [Kind.PAYMENT]
    assert list(page.matches) == []
