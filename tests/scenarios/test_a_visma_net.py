"""Scenario A on Visma Net: an invoice that the ledger issues, its payments both ways, each once."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.api.examples import BUYER, PAYMENT, SELLER

sys.path.append(str(Path(__file__).parent))
from visma_net import balance, invoices, on_visma_net, payments

FEBRUARY = date(2027, 2, 1)
OWN_ACCOUNT = "15032080119"
INVOICE: dict[str, Any] = {
    "source_id": "sale-10017",
    "issue_date": "2027-01-15",
    "due_date": "2027-01-29",
    "currency": "NOK",
    "buyer_reference": "Kari Nordmann",
    "seller": SELLER,
    "buyer": BUYER,
    "payment_means": [{"code": "30", "account": {"id": OWN_ACCOUNT}}],
    "lines": [
        {"id": "1", "name": "Rådgivning", "quantity": "8", "unit_code": "HUR", "price": "1020.00",
         "vat_category": "S", "vat_rate": "25", "vat_code": "3"},
        {"id": "2", "name": "Lunsj", "quantity": "20", "unit_code": "C62", "price": "100.00",
         "vat_category": "S", "vat_rate": "15", "vat_code": "31"},
    ],
}  # fmt: skip


@pytest.fixture
def founded(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    return on_visma_net(founded, monkeypatch)


@pytest.fixture
async def fjord(founded: Any) -> AsyncIterator[Any]:
    async with founded() as made:
        yield made


async def sold(fjord: Any, invoice: dict[str, Any] = INVOICE) -> Any:
    """The invoice, posted and issued by the ledger."""
    answer = await fjord.post("/v1/invoices", invoice)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    return await fjord.document(kind="invoice", source_id=invoice["source_id"])


async def received(fjord: Any) -> list[dict[str, Any]]:
    events = (await fjord.get("/v1/changes", limit=1000))["events"]
    return [event["data"] for event in events if event["kind"] == "payment.received"]


async def test_the_ledger_issues_it_once(fjord: Any) -> None:
    document = await sold(fjord)

    (there,) = invoices(fjord.box)
    assert there["status"] == "Open"
    assert there["customerRefNumber"] == "Kari Nordmann"
    assert [balance(fjord.box, account) for account in ("1500", "3000", "3001", "2700", "2701")] == [
        Decimal(amount) for amount in ("12500.00", "-8160.00", "-2000.00", "-2040.00", "-300.00")
    ]
    assert document.state == "issued"
    assert document.number == there["referenceNumber"]
    assert document.kid == there["paymentReference"]
    assert Decimal(document.payable) == Decimal(document.open) == Decimal("12500.00")
    (link,) = document.links
    assert link["vendor_id"] == there["referenceNumber"]


async def test_the_second_invoice_finds_the_customer(fjord: Any) -> None:
    await sold(fjord)
    await sold(fjord, INVOICE | {"source_id": "sale-10018"})

    assert len(fjord.box.books.tables["customer"]) == 1
    assert len(invoices(fjord.box)) == 2


async def test_payments_of_the_ledger_come_back_once(fjord: Any) -> None:
    document = await sold(fjord)
    fjord.box.pays((document.number, "5000.00"), day=FEBRUARY)
    await fjord.poll()
    await fjord.poll()
    fjord.box.pays((document.number, "7500.00"), day=FEBRUARY)
    await fjord.poll()
    await fjord.poll()

    after = await fjord.document(kind="invoice", source_id="sale-10017")
    assert (after.state, Decimal(after.open)) == ("paid", Decimal(0))
    assert [Decimal(data["amount"]) for data in await received(fjord)] == [Decimal(5000), Decimal(7500)]


async def test_one_payment_of_two_invoices(fjord: Any) -> None:
    first = await sold(fjord)
    second = await sold(fjord, INVOICE | {"source_id": "sale-10018"})
    fjord.box.pays((first.number, "12500.00"), (second.number, "500.00"), day=FEBRUARY)
    await fjord.poll()

    assert (await fjord.document(source_id="sale-10017", kind="invoice")).state == "paid"
    assert Decimal((await fjord.document(source_id="sale-10018", kind="invoice")).open) == Decimal(12000)


async def test_a_payment_of_the_source_reaches_the_ledger_once(fjord: Any) -> None:
    document = await sold(fjord)
    said = PAYMENT | {"source_id": "bank-1", "amount": "5000.00", "bank_account": OWN_ACCOUNT,
                      "allocations": [{"document": {"number": document.number}, "amount": "5000.00"}]}  # fmt: skip
    answer = await fjord.post("/v1/payments", said)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)

    (there,) = payments(fjord.box)
    assert (there["paymentAmount"], there["status"]) == (Decimal("5000.00"), "Closed")
    assert balance(fjord.box, "1500") == Decimal("7500.00")
    await fjord.poll()
    await fjord.poll()
    after = await fjord.document(kind="invoice", source_id="sale-10017")
    assert Decimal(after.open) == Decimal("7500.00")
    assert len(await received(fjord)) == 1
    assert len(payments(fjord.box)) == 1


async def test_a_payment_that_was_voided_is_taken_back(fjord: Any) -> None:
    document = await sold(fjord)
    row = fjord.box.pays((document.number, "12500.00"), day=FEBRUARY)
    await fjord.poll()
    assert (await fjord.document(kind="invoice", source_id="sale-10017")).state == "paid"

    fjord.box.voids(row["refNbr"], day=date(2027, 2, 3))
    await fjord.poll()
    await fjord.poll()
    assert Decimal((await fjord.document(kind="invoice", source_id="sale-10017")).open) == Decimal("12500.00")


async def test_another_total_is_a_stop_before_anything_is_released(founded: Any) -> None:
    ore = INVOICE | {
        "source_id": "sale-ore",
        "lines": [
            {"id": str(n), "name": "Øre", "quantity": "1", "unit_code": "C62", "price": "33.33",
             "vat_category": "S", "vat_rate": "25", "vat_code": "3"}
            for n in (1, 2, 3)
        ],
    }  # fmt: skip
    async with founded(rounding="line") as fjord:
        answer = await fjord.post("/v1/invoices", ore)
        await fjord.work(within=10)
        (waits,) = await fjord.get("/v1/attention")
        assert waits["code"] == "totals-differ"
        assert (await fjord.get(answer.headers["location"]))["state"] != "done"
        (draft,) = invoices(fjord.box)
        assert draft["status"] == "Balanced"
        assert fjord.box.books.entries == []


async def test_a_business_fault_that_comes_as_a_server_error_is_looked_into_and_then_told(founded: Any) -> None:
    async with founded(faults_as=500) as fjord:
        fjord.box.close_period("202701")
        answer = await fjord.post("/v1/invoices", INVOICE)
        await fjord.work(within=10)
        (waits,) = await fjord.get("/v1/attention")
        assert (waits["code"], waits["verbs"]) == ("period-closed", ["retry", "cancel"])
        fjord.box.close_period("202701", False)
        await fjord.client.post(f"/v1/attention/{waits['id']}/resolve", json={"verb": "retry"})
        await fjord.work(within=10)
        assert (await fjord.get(answer.headers["location"]))["state"] == "done"
        assert [row["status"] for row in invoices(fjord.box)] == ["Open"]


async def test_a_release_that_stays_queued_holds_nobody_up(founded: Any) -> None:
    async with founded(release="stuck") as fjord:
        await fjord.post("/v1/invoices", INVOICE)
        await fjord.work()
        assert [row["status"] for row in invoices(fjord.box)] == ["Balanced"]
        fjord.box.books.rules.release = "done"
        other = await fjord.post("/v1/invoices", INVOICE | {"source_id": "sale-10018"})
        await fjord.work(within=2)
        assert (await fjord.get(other.headers["location"]))["state"] == "done"
        assert sorted(row["status"] for row in invoices(fjord.box)) == ["Balanced", "Open"]

        stuck = next(row for row in invoices(fjord.box) if row["status"] == "Balanced")
        fjord.box.books.release_invoice(stuck)  # somebody in the program
        await fjord.work(within=30)
        document = await fjord.document(kind="invoice", source_id="sale-10017")
        assert (document.state, document.number) == ("issued", stuck["referenceNumber"])
    assert len(invoices(fjord.box)) == 2


def credit(hours: int = 2, lunches: int = 5) -> dict[str, Any]:
    counted = [line | {"quantity": str(n)} for line, n in zip(INVOICE["lines"], (hours, lunches), strict=True)]
    return {
        "type_code": "381", "source_id": "credit-1", "issue_date": "2027-03-10", "currency": "NOK", "seller": SELLER,
        "buyer": BUYER, "preceding_invoices": [{"source_id": INVOICE["source_id"]}], "lines": counted,
    }  # fmt: skip


async def credited(fjord: Any, note: dict[str, Any]) -> Any:
    answer = await fjord.post("/v1/invoices", note)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    return await fjord.document(kind="credit_note", source_id="credit-1")


async def test_a_credit_note_of_a_part(fjord: Any) -> None:
    invoice = await sold(fjord)
    fjord.box.pays((invoice.number, "5000.00"), day=FEBRUARY)
    await fjord.poll()

    note = await credited(fjord, credit())
    await fjord.poll()

    assert (note.state, Decimal(note.payable), Decimal(note.open)) == ("issued", Decimal(3125), Decimal(0))
    now = await fjord.document(kind="invoice")
    assert Decimal(now.open) == balance(fjord.box, "1500") == Decimal(4375)


async def test_a_credit_note_of_what_is_paid_is_the_customers_credit(fjord: Any) -> None:
    invoice = await sold(fjord)
    fjord.box.pays((invoice.number, "12500.00"), day=FEBRUARY)
    await fjord.poll()

    note = await credited(fjord, credit())

    assert Decimal(note.open) == Decimal(3125)
    assert balance(fjord.box, "1500") == Decimal(-3125)


async def test_a_payment_of_the_source_is_taken_back_in_the_ledger(fjord: Any) -> None:
    document = await sold(fjord)
    said = PAYMENT | {"source_id": "bank-1", "amount": "5000.00", "bank_account": OWN_ACCOUNT,
                      "allocations": [{"document": {"number": document.number}, "amount": "5000.00"}]}  # fmt: skip
    await fjord.post("/v1/payments", said)
    await fjord.work(within=10)
    back = {"source_id": "bank-2", "of": "payment", "of_id": "bank-1", "date": "2027-02-03"}
    answer = await fjord.post("/v1/reversals", back)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)
    await fjord.poll()
    await fjord.poll()

    assert sorted((row["type"], row["status"]) for row in payments(fjord.box)) == [
        ("Payment", "Voided"), ("VoidPayment", "Closed"),
    ]  # fmt: skip
    assert balance(fjord.box, "1500") == Decimal(12500)
    assert Decimal((await fjord.document(kind="invoice")).open) == Decimal(12500)


async def test_an_invoice_of_the_source_keeps_its_number_and_kid(founded: Any) -> None:
    issued = INVOICE | {
        "number": "A-17", "payment_means": [{"code": "30", "payment_id": "0000100172", "account": {"id": OWN_ACCOUNT}}]
    }  # fmt: skip
    async with founded(issues="source", settings="own_numbers: true", manual_numbers=True) as fjord:
        document = await sold(fjord, issued)
        (there,) = invoices(fjord.box)
        assert (document.number, there["referenceNumber"]) == ("A-17", "A-17")
        assert there["paymentReference"] == "0000100172"
        fjord.box.pays(("A-17", "12500.00"), day=FEBRUARY)
        await fjord.poll()
        assert (await fjord.document(kind="invoice")).state == "paid"


LOSSES = "{tables: {settlement-by-account: {rows: [{ours: loss, theirs: TAP}, {ours: rounding, theirs: ORE}]}}}"


async def settled(fjord: Any) -> list[tuple[str, str, str]]:
    found = (await fjord.get("/v1/documents", kind="settlement"))["documents"]
    whole = [await fjord.get(f"/v1/documents/{one['id']}") for one in found]
    return sorted((one["body"]["kind"], one["payable"], one["state"]) for one in whole)


async def test_6_what_is_written_off_there_closes_the_document_by_loss(founded: Any) -> None:
    async with founded(mapping=LOSSES) as fjord:
        document = await sold(fjord)
        fjord.box.pays((document.number, "8125.00"), day=FEBRUARY)
        await fjord.poll()
        fjord.box.books.write_off(document.number, Decimal(4375), date(2027, 3, 12), "TAP")
        for _ in range(2):
            await fjord.poll()

        after = await fjord.document(kind="invoice")
        assert (after.state, Decimal(after.open)) == ("written_off", 0)
        assert [one[:2] for one in await settled(fjord)] == [("loss", "4375.00")]
        assert balance(fjord.box, "1920") == Decimal(8125)
        assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 1
        assert await fjord.get("/v1/attention") == []


async def test_6_what_a_payment_writes_off_is_taken_back_with_it(founded: Any) -> None:
    async with founded(mapping=LOSSES) as fjord:
        document = await sold(fjord)
        row = fjord.box.pays((document.number, "12499.50"), day=FEBRUARY, lost="0.50", reason="ORE")
        for _ in range(2):
            await fjord.poll()
        assert (await fjord.document(kind="invoice")).state == "paid"
        assert [one[:2] for one in await settled(fjord)] == [("rounding", "0.50")]

        fjord.box.voids(row["refNbr"], day=date(2027, 2, 3))
        for _ in range(2):
            await fjord.poll()
        assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, "1500") == Decimal(12500)
        assert [state for *_, state in await settled(fjord)] == ["reversed"]
        assert await fjord.get("/v1/attention") == []


async def test_6_a_reason_that_nobody_has_named_is_a_question(fjord: Any) -> None:
    document = await sold(fjord)
    fjord.box.books.write_off(document.number, Decimal(12500), date(2027, 3, 12), "TAP")
    await fjord.poll()
    codes = {one["code"] for one in await fjord.get("/v1/attention")}
    assert "settlement-unexplained" in codes
    assert await settled(fjord) == []
