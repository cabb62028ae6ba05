"""Following what changes: nothing is missed, nothing unchanged comes twice, cursors stay small."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex import reading
from adapters.accounting.tripletex.sandbox import Sandbox, registers
from adapters.accounting.tripletex.sandbox.things import Thing
from adapters.loopback import Upload
from connector.errors import BadInput, Stop, VendorError
from connector.model.json import loads
from connector.ports import Accounting, Kind, Page, Record

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import customer_goal, opened, reach

SINCE = date(2027, 1, 1)


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    system = opened(box)
    yield system
    await system.close()


def customer(box: Sandbox, name: str = "Kjøper AS", **more: Any) -> Thing:
    return registers.create_customer(box.books, {"name": name, **more})


def invoice(box: Sandbox, day: date, of: Thing, price: Any = 100) -> Thing:
    line = {"description": "Vare", "count": 1, "unitPriceExcludingVatCurrency": Decimal(price), "vatType": {"id": 3}}
    said = {"customer": {"id": of["id"]}, "orderDate": str(day), "deliveryDate": str(day), "orderLines": [line]}
    return box.books.charge(registers.create_order(box.books, said), day)


async def drained(system: Accounting, kind: Kind, cursor: str) -> tuple[list[Record], str]:
    found: list[Record] = []
    while True:
        page = await system.changes(kind, cursor)
        found += page.records
        cursor = page.cursor
        if not page.more:
            return found, cursor


async def swept(system: Accounting, kind: Kind, since: date, until: date) -> list[Record]:
    found: list[Record] = []
    cursor: str | None = None
    while True:
        page: Page = await system.sweep(kind, since, until, cursor)
        found += page.records
        cursor = page.cursor
        if not page.more:
            return found


def ids(records: list[Record]) -> list[int]:
    return sorted(int(record.id) for record in records)


# --- what changed -----------------------------------------------------------------------------------------------------


async def test_invoices_all_at_first_then_what_is_new_or_changed(system: Accounting, box: Sandbox) -> None:
    buyer = customer(box)
    first, second = (invoice(box, date(2027, 1, day), buyer) for day in (15, 31))
    invoice(box, date(2026, 12, 31), buyer)
    found, cursor = await drained(system, Kind.INVOICE, await system.begin(Kind.INVOICE, SINCE))
    assert ids(found) == [first["id"], second["id"]]
    found, cursor = await drained(system, Kind.INVOICE, cursor)
    assert not found
    third = invoice(box, date(2027, 1, 2), buyer)
    box.payment(first["id"], Decimal(25), date(2027, 2, 1))
    assert first["version"] == 1, "the payment left the version as it was"
    found, cursor = await drained(system, Kind.INVOICE, cursor)
    assert ids(found) == [first["id"], third["id"]]
    changed = next(record for record in found if record.id == str(first["id"]))
    assert changed.body["invoice"]["amountCurrencyOutstanding"] == Decimal(100)
    box.books.credit(second, date(2027, 2, 2), None)
    found, cursor = await drained(system, Kind.INVOICE, cursor)
    assert len(found) == 2, "the credited invoice and its credit note"
    assert not (await drained(system, Kind.INVOICE, cursor))[0]


async def test_payments_come_from_rows_also_back_dated_ones(system: Accounting, box: Sandbox) -> None:
    buyer = customer(box)
    made = invoice(box, date(2027, 1, 15), buyer, 10_000)
    box.payment(made["id"], Decimal(1000), date(2027, 2, 1))
    box.payment(made["id"], Decimal(1000), date(2027, 2, 1))
    found, cursor = await drained(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, SINCE))
    assert len(found) == 2, "two equal instalments are two payments"
    assert {record.body["amount"] for record in found} == {Decimal(1000)}
    box.payment(made["id"], Decimal(500), date(2027, 1, 16), reference="0000100172")
    found, cursor = await drained(system, Kind.PAYMENT, cursor)
    assert [record.body["amount"] for record in found] == [Decimal(500)]
    body = found[0].body
    assert body["invoice"] == {"id": made["id"], "invoiceNumber": made["invoiceNumber"]}
    assert body["customer"] == {"id": buyer["id"]}
    assert body["posting"]["externalRef"] == "0000100172"
    assert not (await drained(system, Kind.PAYMENT, cursor))[0]


async def test_a_credit_note_is_no_payment_though_the_balance_falls(system: Accounting, box: Sandbox) -> None:
    made = invoice(box, date(2027, 1, 15), customer(box))
    cursor = await system.begin(Kind.PAYMENT, SINCE)
    box.books.credit(made, date(2027, 1, 20), None)
    assert made["amountOutstanding"]() == 0
    assert not (await drained(system, Kind.PAYMENT, cursor))[0]


async def test_one_voucher_with_many_payments_is_many_records_in_few_calls(system: Accounting, box: Sandbox) -> None:
    buyer = customer(box)
    made = [invoice(box, date(2027, 1, day), buyer) for day in range(1, 21)]
    box.payments([(one["id"], Decimal(125)) for one in made], date(2027, 2, 1))
    before = len(box.requests)
    found, _ = await drained(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, SINCE))
    assert sorted(record.body["invoice"]["id"] for record in found) == [one["id"] for one in made]
    calls = [request.path for request in list(box.requests)[before:]]
    assert len(calls) <= 5, calls


async def test_customers_by_time_of_change_inactive_ones_too(system: Accounting, box: Sandbox) -> None:
    first, second = customer(box), customer(box, "Annen AS")
    found, cursor = await drained(system, Kind.CUSTOMER, await system.begin(Kind.CUSTOMER, SINCE))
    assert ids(found) == [first["id"], second["id"]]
    for one in (first, second):
        one["_changed"] -= timedelta(hours=5)
    found, cursor = await drained(system, Kind.CUSTOMER, cursor)
    assert not found
    registers.change_customer(box.books, first["id"], {"isInactive": True})
    found, cursor = await drained(system, Kind.CUSTOMER, cursor)
    assert ids(found) == [first["id"]]
    assert found[0].body["isInactive"] is True
    before = datetime.now(UTC)
    again, _ = await drained(system, Kind.CUSTOMER, cursor)
    assert ids(again) == [first["id"]], "reads overlap"
    said = datetime.fromisoformat(box.requests[-1].query["changedSince"] + "Z")
    assert timedelta(minutes=9) < before - said < timedelta(minutes=11), "in UTC: never later than Norwegian time"


async def test_what_the_cursor_remembers_is_bounded(
    system: Accounting, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "KEPT", 3)
    buyer = customer(box)
    made = [invoice(box, date(2027, 1, day), buyer) for day in range(1, 8)]
    found, cursor = await drained(system, Kind.INVOICE, await system.begin(Kind.INVOICE, SINCE))
    assert ids(found) == [one["id"] for one in made]
    for _ in range(3):
        found, cursor = await drained(system, Kind.INVOICE, cursor)
        assert not found, "what is older than all that is remembered is not new"
        assert len(loads(cursor)["known"]) == 3
    made.append(invoice(box, date(2027, 1, 1), buyer))
    found, cursor = await drained(system, Kind.INVOICE, cursor)
    assert ids(found) == [made[-1]["id"]]


async def test_a_poll_looks_less_far_back_when_more_match_than_is_given() -> None:
    async with Sandbox(result_limit=6) as box:
        system = opened(box)
        buyer, today = customer(box), date.today()
        made = [invoice(box, today - timedelta(days=20 * back), buyer) for back in range(9)]
        found, cursor = await drained(
            system, Kind.INVOICE, await system.begin(Kind.INVOICE, today - timedelta(days=300))
        )
        assert ids(found) == [one["id"] for one in made]
        newest = invoice(box, today, buyer)
        found, cursor = await drained(system, Kind.INVOICE, cursor)
        assert ids(found) == [newest["id"]]
        await system.close()


@pytest.mark.parametrize("cursor", ["", "{}", "[]", "nonsense", '{"v":2}'])
async def test_a_cursor_that_is_none_is_refused(system: Accounting, cursor: str) -> None:
    with pytest.raises(BadInput) as bad:
        await system.changes(Kind.INVOICE, cursor)
    assert bad.value.code == "cursor-malformed"


# --- everything -------------------------------------------------------------------------------------------------------


async def test_a_sweep_has_its_first_day_and_not_its_last(system: Accounting, box: Sandbox) -> None:
    buyer = customer(box)
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 31), date(2027, 2, 1)]
    made = [invoice(box, day, buyer) for day in days]
    for one, day in zip(made, days, strict=True):
        box.payment(one["id"], Decimal(10), day)
    found = await swept(system, Kind.INVOICE, date(2027, 1, 1), date(2027, 2, 1))
    assert ids(found) == [made[1]["id"], made[2]["id"]]
    paid = await swept(system, Kind.PAYMENT, date(2027, 1, 1), date(2027, 2, 1))
    assert sorted(record.body["paymentDate"] for record in paid) == ["2027-01-01", "2027-01-31"]
    assert not await swept(system, Kind.INVOICE, date(2027, 1, 1), date(2027, 1, 1))


async def test_pages_and_windows_together_give_every_row_once() -> None:
    async with Sandbox(result_limit=1500) as box:
        system = opened(box)
        buyer = customer(box)
        made = [invoice(box, SINCE + timedelta(days=number % 300), buyer) for number in range(3200)]
        found = await swept(system, Kind.INVOICE, SINCE, SINCE + timedelta(days=365))
        assert ids(found) == [one["id"] for one in made]
        calls = [request for request in box.requests if request.path == "/v2/invoice"]
        assert len(calls) <= 12
        assert all(request.query["sorting"] == "id" for request in calls)
        await system.close()


async def test_a_day_with_more_rows_than_is_given_stops() -> None:
    async with Sandbox(result_limit=3) as box:
        system = opened(box)
        buyer = customer(box)
        for _ in range(4):
            invoice(box, SINCE, buyer)
        with pytest.raises(Stop) as stop:
            await swept(system, Kind.INVOICE, date(2026, 12, 1), date(2027, 3, 1))
        assert stop.value.code == "too-many-rows"
        assert stop.value.where["date"] == "2027-01-01"
        await system.close()


async def test_all_customers_in_pages(system: Accounting, box: Sandbox) -> None:
    made = [customer(box, f"Kunde {number}", isInactive=number % 7 == 0) for number in range(2300)]
    found = await swept(system, Kind.CUSTOMER, SINCE, SINCE)
    assert ids(found) == [one["id"] for one in made]


# --- single records and answers that are not as described -------------------------------------------------------------


async def test_what_is_not_there_is_none(system: Accounting, box: Sandbox) -> None:
    made = invoice(box, SINCE, customer(box))
    sale = box.books.find(made["voucher"])["postings"][0].id
    for kind in (Kind.CUSTOMER, Kind.INVOICE, Kind.CREDIT_NOTE, Kind.PAYMENT):
        for id in ("123", "", "abc", "12/../7"):
            assert await system.read(kind, id) is None
    assert await system.read(Kind.PAYMENT, str(sale)) is None, "a posting that is no payment"
    assert (await system.read(Kind.INVOICE, str(made["id"]))) is not None


async def test_single_reads_and_sweeps_show_the_same(system: Accounting, box: Sandbox) -> None:
    made = invoice(box, SINCE, customer(box))
    box.payment(made["id"], Decimal(10), SINCE)
    box.books.add("product", name="Råd", number="1")
    box.books.add("department", name="Salg", departmentNumber="10")
    box.books.add("project", name="Bro", number="1")
    box.books.add("accountingDimensionName", dimensionName="Kampanje", dimensionIndex=1)
    box.books.add("accountingDimensionValue", displayName="Vår", number="K1", dimensionIndex=1)
    said = {"name": "Selger AS", "organizationNumber": "974760673"}
    supplier = registers.create(box.books, registers.REGISTERS["supplier"], said)
    voucher = box.books.receive(Upload(b"%PDF-1.7", "faktura.pdf"), "Faktura F-7", SINCE)
    box.books.supplier_invoice(voucher, supplier, "F-7", SINCE, SINCE, Decimal(125))
    for kind in (one.kind for one in system.readings):
        (one,) = await swept(system, kind, SINCE, SINCE + timedelta(days=1))
        assert await system.read(kind, one.id) == one


@pytest.mark.parametrize(
    ("kind", "spoil", "field"),
    [
        (Kind.CUSTOMER, {"name": 7}, "name"),
        (Kind.CUSTOMER, {"name": None}, "name"),
        (Kind.CUSTOMER, {"postalAddress": "Gata 1"}, "postalAddress"),
        (Kind.INVOICE, {"invoiceDate": "i går"}, "invoice.invoiceDate"),
        (Kind.INVOICE, {"amount": "mye"}, "invoice.amount"),
        (Kind.INVOICE, {"orderLines": ["vare"]}, "order.orderLines[0]"),
    ],
)
async def test_an_answer_that_is_not_as_described_names_the_field(
    system: Accounting, box: Sandbox, kind: Kind, spoil: dict[str, Any], field: str
) -> None:
    made: Thing = invoice(box, SINCE, customer(box))
    if kind is Kind.CUSTOMER:
        made = box.books.find(made["customer"])
    made.update(spoil)
    with pytest.raises(VendorError) as error:
        await system.read(kind, str(made["id"]))
    assert error.value.code == "vendor-answer"
    assert error.value.where["field"] == field


async def test_a_garbled_answer_is_said_to_be_one(system: Accounting, box: Sandbox) -> None:
    box.fault("GET /customer", "garbled", count=9)
    with pytest.raises(VendorError) as error:
        await system.changes(Kind.CUSTOMER, await system.begin(Kind.CUSTOMER, SINCE))
    assert error.value.code == "vendor-answer"


async def test_a_probe_names_the_company(system: Accounting, box: Sandbox) -> None:
    probe = await system.probe()
    assert probe.company == box.books.company["name"]
    assert probe.organisation_number == box.books.company["organizationNumber"]
    assert not probe.missing
    await reach(system, customer_goal())
