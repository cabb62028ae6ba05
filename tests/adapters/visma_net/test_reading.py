"""Following changes: pages that are cut silently, a clock that is not ours, the hour that comes twice."""

from __future__ import annotations

import sys
from dataclasses import replace
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
from connector.ports import Kind, Run, Totals

sys.path.append(str(Path(__file__).parent))
from visma_driving import all_changes, customer_goal, invoice_goal, line, opened, reach

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


def balance(box: Sandbox, account: str) -> Decimal:
    return sum((amount for _, number, amount in box.books.entries if number == account), Decimal(0))


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
    """Not by the first read, which asks by date, and not when it changes later: that is asked for by time of change."""
    async with Sandbox() as box:
        (early,), (late,) = filled(box, 1, day="2026-12-31"), filled(box, 1, day="2027-01-01")
        system = opened(box)
        found, cursor = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
        assert [record.id for record in found] == [late]
        for number in (early, late):
            box.pays((number, "50.00"), day=date(2027, 2, 1))
        found, _ = await all_changes(system, Kind.INVOICE, cursor)
        assert [record.id for record in found] == [late]
        swept = await system.sweep(Kind.INVOICE, date(2026, 1, 1), START, None)
        assert [record.id for record in swept.records] == [early]


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
            (Kind.PAYMENT, f"Payment/{paid['refNbr']}"), (Kind.REVERSAL, f"VoidPayment/{paid['refNbr']}"),
        ]  # fmt: skip
        assert found[1].body["reverses"] == {"id": found[0].id}
        # What it gave before it was taken back is what it shows still.
        assert (found[0].body, found[0].id) == (record.body, record.id)


async def test_a_payment_and_a_refund_with_one_number_are_two_and_each_is_taken_back_by_its_own() -> None:
    async with Sandbox() as box:
        (number,) = filled(box, 1)
        customer = box.books.tables["invoice"][number]["customer"]["number"]
        paid = box.pays((number, "125.00"), amount="200.00", day=date(2027, 2, 1))["refNbr"]
        back = box.pays(amount="75.00", customer=customer, type="Refund", day=date(2027, 2, 2))["refNbr"]
        assert paid == back
        box.voids(back, type="Refund", day=date(2027, 2, 3))
        system = opened(box)
        found, cursor = await all_changes(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, START))
        assert [(one.id, one.body.get("reverses")) for one in found] == [
            (f"Payment/{paid}", None), (f"Refund/{back}", None), (f"VoidRefund/{back}", {"id": f"Refund/{back}"}),
        ]  # fmt: skip
        for record in found:
            assert (await system.read(record.kind, record.id)).body == record.body
        assert balance(box, "1500") == Decimal(-75)

        # A prepayment is taken back by a VoidPayment, too: which of the two it was is looked up.
        prepaid = box.pays(amount="10.00", customer=customer, type="Prepayment", day=date(2027, 2, 4))["refNbr"]
        box.voids(prepaid, type="Prepayment", day=date(2027, 2, 5))
        found, _ = await all_changes(system, Kind.PAYMENT, cursor)
        assert found[-1].body["reverses"] == {"id": f"Prepayment/{prepaid}"}
        del box.books.tables["payment"][f"Prepayment/{prepaid}"]["timeStamp"]
        lone = await system.read(Kind.REVERSAL, f"VoidPayment/{prepaid}")
        assert lone.body["reverses"] == {"id": f"Prepayment/{prepaid}"}


async def test_a_voided_payment_shows_what_it_gave_last_and_not_what_it_had_been_moved_from() -> None:
    async with Sandbox() as box:
        first, second = filled(box, 2)
        paid = box.pays((first, "100.00"), day=date(2027, 2, 1))["refNbr"]
        box.books.move(f"Payment/{paid}", first, second, Decimal(100))
        system = opened(box)
        before = await system.read(Kind.PAYMENT, f"Payment/{paid}")
        assert before.body["paymentLines"] == [{"refNbr": second, "amountPaid": Decimal(100)}]
        box.voids(paid, day=date(2027, 2, 3))
        after = await system.read(Kind.PAYMENT, f"Payment/{paid}")
        assert after.body == before.body
        assert [box.books.tables["invoice"][one]["balance"] for one in (first, second)] == [Decimal(125)] * 2


def note(*applied: tuple[str, int, bool, str], **more: Any) -> dict[str, Any]:
    """A credit note as it is read, applied to invoices: number, amount, whether that is in the books, day."""
    rows = [
        {
            "docType": "Invoice",
            "refNbr": number,
            "amountPaid": Decimal(amount),
            "released": done,
            "applicationDate": day,
        }
        for number, amount, done, day in applied
    ]
    return {
        "referenceNumber": "1", "documentDate": "2027-03-10T00:00:00", "status": "Open", "timeStamp": "a",
        "detailTotal": Decimal(400), "vatTotal": Decimal(100), "amount": Decimal(500), "balance": Decimal(0),
        "applications": rows, "lines": [], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("applied", "credits", "amount"),
    [
        ([], None, 0),
        ([("7", 300, True, "2027-03-10")], "7", 300),
        # What is planned and not in the books yet is not applied.
        ([("7", 300, False, "2027-03-10")], None, 0),
        ([("7", 300, True, "2027-03-10"), ("7", 50, False, "2027-03-12")], "7", 300),
        # What was left went to another one later, and it was more: the note still is of the first.
        ([("9", 400, True, "2027-03-20"), ("7", 100, True, "2027-03-10")], "7", 100),
        # Taken away from one invoice again, and given to another.
        ([("7", 300, True, "2027-03-10"), ("7", -300, True, "2027-03-11"), ("9", 300, True, "2027-03-11")], "9", 300),
    ],
)
def test_what_a_credit_note_is_applied_to(applied: Any, credits: str | None, amount: int) -> None:
    body = records.sale(Kind.CREDIT_NOTE, note(*applied), 1).body
    assert ((body.get("credits") or {}).get("referenceNumber"), body["applied"]) == (credits, Decimal(amount))


def test_of_a_credit_note_without_its_applications_nothing_is_said() -> None:
    row = note()
    del row["applications"]
    assert not {"credits", "applied"} & records.sale(Kind.CREDIT_NOTE, row, 1).body.keys()


def test_rows_that_repeat_an_invoice_are_one() -> None:
    rows = [{"documentType": "Invoice", "refNbr": "1", "amountPaid": Decimal(amount)} for amount in (100, -100, 40)]
    assert records.applied({"paymentLines": rows}) == {"1": Decimal(40)}


def test_what_a_payment_gives_to_an_invoice_in_another_currency_is_not_guessed() -> None:
    """Visma does not tell in which of the two currencies that amount is."""
    rows = [
        {"documentType": "Invoice", "refNbr": number, "amountPaid": Decimal(600), "currency": currency}
        for number, currency in (("1", "EUR"), ("2", "NOK"))
    ]
    assert records.applied({"currency": "NOK", "paymentLines": rows}) == {"2": Decimal(600)}


async def test_what_is_called_in_currency_is_in_kroner_when_it_is_read() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        lines = [line("Consulting", 10, "100.00", "52", "3150")]
        goal = invoice_goal(id, currencyId="EUR", invoiceLines=lines)
        goal = replace(goal, totals=Totals("EUR", Decimal(1000), Decimal(0), Decimal(1000)))
        record = (await reach(system, goal))["read"].record
        (read,) = record.body["invoiceLines"]
        assert (read["unitPriceInCurrency"], read["amountInCurrency"]) == (Decimal(100), Decimal(1000))
        assert (record.body["amount"], record.open_amount) == (Decimal(1000), Decimal(1000))
        (row,) = box.books.tables["invoice"].values()
        assert row["invoiceLines"][0]["unitPriceInCurrency"] == Decimal(1150)


async def test_of_a_document_whose_currency_is_not_said_nothing_is_taken_for_granted() -> None:
    async with Sandbox(release="done") as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        create, release, _ = system.flow(goal := invoice_goal(id))
        proofs = {"document": await create.call(Run(goal, {}))}
        del next(iter(box.books.tables["invoice"].values()))["currencyId"]
        with pytest.raises(VendorError) as exc:
            await release.call(Run(goal, proofs))
        assert exc.value.where["field"] == "currencyId"


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


@pytest.mark.parametrize(
    ("field", "named"),
    [("balance", "balance"), ("customer", "customer.number"), ("referenceNumber", "referenceNumber"),
     ("documentDate", "documentDate"), ("status", "status")],
)  # fmt: skip
async def test_a_field_that_is_missing_is_named(field: str, named: str) -> None:
    async with Sandbox() as box:
        (number,) = filled(box, 1)
        del box.books.tables["invoice"][number][field]
        system = opened(box)
        with pytest.raises(VendorError) as exc:
            await system.read(Kind.INVOICE, number)
        assert (exc.value.code, exc.value.where["field"]) == ("vendor-answer", named)


async def test_a_field_that_nobody_knows_is_harmless() -> None:
    async with Sandbox() as box:
        (number,) = filled(box, 1)
        box.books.tables["invoice"][number]["brandNew"] = {"a": [1]}
        assert (await opened(box).read(Kind.INVOICE, number)).id == number
