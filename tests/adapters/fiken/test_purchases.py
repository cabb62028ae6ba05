"""Incoming invoices: once, with VAT as it is stated, with their page, not where they are already; and what is paid."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import Sandbox, purchases
from connector.errors import Refused, Stop
from connector.ports import Accounting, Goal, Kind, Paid, Record, Run, Totals

sys.path.append(str(Path(__file__).parent))
from fiken_driving import opened, purchase_goal, reach, supplier_goal

BOOK = {"incoming": "book", "incoming_account": "4300"}
INBOX = {"incoming": "inbox"}
START = date(2027, 1, 1)


async def bought(system: Accounting, **more: Any) -> Any:
    return (await reach(system, purchase_goal((await reach(system, supplier_goal()))["read"].id, **more)))["read"]


def there(box: Sandbox, type: str = "purchase") -> list[Any]:
    return list(box.books.all(type))


def by_hand(box: Sandbox, net: int = 1000000, **more: Any) -> Any:
    """Somebody books the invoice in Fiken itself, or Fiken received it."""
    contact = next(iter(box.books.all("contact")), None) or box.books.add_contact(
        {"name": "Selger AS", "organizationNumber": "974760673", "supplier": True}
    )
    line = {"description": "Varer", "netPrice": net, "vat": net // 4 - 1, "account": "4300", "vatType": "HIGH"}
    said = {"kind": "supplier", "paid": False, "identifier": "F-7", "date": "2027-01-20", "currency": "NOK",
            "supplierId": contact["_id"], "lines": [line], **more}  # fmt: skip
    return purchases.book(box.books, said)


@pytest.mark.parametrize("fault", ["no-answer", "no-answer-before", "500-after", "500-before", "429"])
@pytest.mark.parametrize(("settings", "wanted"), [(BOOK, [1, 0, [2]]), (INBOX, [0, 1, [1]])], ids=["book", "inbox"])
async def test_once_whichever_call_fails(settings: dict[str, str], wanted: list[Any], fault: str) -> None:
    call, calls = 0, 1
    while call < calls:
        async with Sandbox() as box:
            box.fault("", fault, after=call)
            proof = await bought(opened(box, **settings))
            made = [*there(box), *there(box, "inbox")]
            files = [len(one["_files"]) for one in made]
            assert [len(there(box)), len(there(box, "inbox")), files] == wanted, f"{fault} at call {call}"
            assert len(there(box, "contact")) == 1
            assert proof.id.rpartition("/")[2] == str(made[0]["_id"])
            calls = max(calls, len(box.requests) - 1)
        call += 1
    assert call > 5


async def test_booked_as_stated_with_its_page_in_front(box: Sandbox) -> None:
    system = opened(box, **BOOK)
    proof = await bought(system)
    (made,), (rows,) = there(box), box.books.vouchers
    assert sorted(rows) == [("2400:20001", -1249999), ("2710", 249999), ("4300", 1000000)]
    assert (made["identifier"], made["dueDate"], made["kid"]) == ("F-7", "2027-02-10", "0000100172")
    assert [one.file_name for one in made["_files"]] == ["F-7.pdf", "timer.pdf"]
    assert [(one["file"], one["code"]) for one in proof.facts["left_out"]] == [("timer.xlsx", "attachment-type")]
    shown = proof.record.payable
    assert (shown.number, shown.open, shown.net, bool(shown.voucher)) == (
        "F-7", Decimal("12499.99"), Decimal(10000), True,
    )  # fmt: skip
    page = await system.document(Kind.SUPPLIER_INVOICE, proof.id)
    assert page is not None
    assert page.content == bytes(made["_files"][0].content)


async def test_in_the_inbox_it_is_delivered_and_what_is_booked_of_it_is_another_record(box: Sandbox) -> None:
    system = opened(box, **INBOX)
    proof = await bought(system, lines=None)
    (laid,) = there(box, "inbox")
    assert (laid["name"], laid["description"], laid["filename"]) == (
        "Faktura F-7 fra Selger AS", "Ref. m-purchase-1", "F-7.pdf",
    )  # fmt: skip
    assert (proof.record.payable.voucher, proof.record.payable.passing, proof.record.payable.number) == (
        None, True, "F-7",
    )  # fmt: skip
    assert [one["file"] for one in proof.facts["left_out"]] == ["timer.pdf", "timer.xlsx"]
    read = await system.read(Kind.SUPPLIER_INVOICE, proof.id)
    assert read is not None
    assert (read.id, read.payable and read.payable.passing) == (proof.id, True)
    assert await system.document(Kind.SUPPLIER_INVOICE, proof.id) is not None
    assert await system.read(Kind.SUPPLIER_INVOICE, "inbox/1") is None


async def test_a_credit_note_goes_to_the_inbox_and_is_not_booked(box: Sandbox) -> None:
    await bought(opened(box, **INBOX), creditNote=True)
    assert [one["name"] for one in there(box, "inbox")] == ["Kreditnota F-7 fra Selger AS"]


@pytest.mark.parametrize("settings", [BOOK, INBOX])
async def test_what_fiken_has_already_is_not_made_again(box: Sandbox, settings: dict[str, str]) -> None:
    made = by_hand(box)
    system = opened(box, **settings)
    proof = await bought(system)
    assert (proof.id, proof.facts["found"]) == (str(made["_id"]), True)
    assert (len(there(box)), there(box, "inbox"), made["_files"]) == (1, [], [])
    assert (made["_supplier"], len(there(box, "contact"))) == (there(box, "contact")[0]["_id"], 1)


async def test_what_somebody_books_between_look_and_booking_is_not_booked_again(box: Sandbox) -> None:
    system = opened(box, **BOOK)
    goal = purchase_goal((await reach(system, supplier_goal()))["read"].id)
    look, book, *_ = system.flow(goal)
    run = Run(goal, {"there": await look.call(Run(goal, {}))})
    made = by_hand(box)
    assert (await book.call(run)).id == str(made["_id"])
    assert len(there(box)) == 1


async def test_a_document_in_the_inbox_is_told_by_our_marker_and_not_by_its_name(box: Sandbox) -> None:
    theirs = box.books.add("inbox", name="Faktura F-7 fra Selger AS", description="Fra e-post", filename="a.pdf",
                           status=False, createdAt="2027-01-10T10:00:00Z", _files=[])  # fmt: skip
    box.fault("POST .*/inbox", "no-answer")
    proof = await bought(opened(box, **INBOX))
    assert [one["description"] for one in there(box, "inbox")] == ["Fra e-post", "Ref. m-purchase-1"]
    assert proof.id != f"inbox/{theirs['_id']}"


async def test_another_amount_is_for_a_person_and_one_that_was_taken_back_is_none(box: Sandbox) -> None:
    made = by_hand(box, 900000)
    with pytest.raises(Stop) as stop:
        await bought(opened(box, **BOOK))
    assert stop.value.code == "invoice-in-ledger-differs"
    purchases.take_back(box.books, made)
    await bought(opened(box, **BOOK))
    assert [one["deleted"] for one in there(box)] == [True, False]


async def test_the_same_number_of_another_supplier_is_another_invoice(box: Sandbox) -> None:
    other = box.books.add_contact({"name": "Annen AS", "organizationNumber": "991825827", "supplier": True})
    by_hand(box, supplierId=other["_id"])
    await bought(opened(box, **BOOK))
    assert len(there(box)) == 2


async def test_a_customer_becomes_a_supplier_too_and_no_bank_account_is_written(box: Sandbox) -> None:
    known = {"name": "Selger AS", "organizationNumber": "974760673", "customer": True, "bankAccountNumber": "1"}
    contact = box.books.add_contact(known)
    await reach(opened(box, **BOOK), supplier_goal(bankAccountNumber="86011117947"))
    assert (contact["supplier"], contact["customer"], contact["bankAccountNumber"]) == (True, True, "1")
    assert contact["supplierAccountCode"] == "2400:20001"


@pytest.mark.parametrize(
    ("settings", "more", "code"),
    [
        ({"incoming": "off"}, {}, "operation-not-supported"),
        ({"incoming": "book"}, {}, "account-missing"),
        (BOOK, {"lines": []}, "lines-missing"),
        (BOOK, {"creditNote": True}, "credit-note-unsure"),
        (BOOK, {"amount": 1250000}, "payable-differs"),
        (BOOK, {"identifier": None}, "field-missing"),
        (BOOK, {"supplier": {}}, "link-missing"),
        (INBOX, {"date": None}, "field-missing"),
    ],
)
def test_what_is_refused_before_anything_is_sent(settings: Any, more: Any, code: str) -> None:
    goal = purchase_goal("1")
    with pytest.raises(Refused) as refused:
        opened(Sandbox(), **settings).flow(replace(goal, record={**goal.record, **more}))
    assert refused.value.code == code


def test_vat_that_is_stated_in_kroner_is_not_booked_by_another_rate() -> None:
    stated = Totals("EUR", Decimal(1000), Decimal(250), Decimal(1250), Decimal(0), "NOK", Decimal("2875.00"))
    lines = [{"netPrice": 100000, "vat": 25000, "vatType": "HIGH"}]
    euro = purchase_goal("1", currency="EUR", amount=125000, lines=lines)
    with pytest.raises(Refused) as refused:
        opened(Sandbox(), **BOOK).flow(replace(euro, totals=stated))
    assert refused.value.code == "stated-vat"
    assert opened(Sandbox(), **BOOK).flow(replace(euro, totals=replace(stated, stated_vat=None)))


async def test_refusals_turn_into_codes(box: Sandbox) -> None:
    system = opened(box, **BOOK)
    supplier = (await reach(system, supplier_goal()))["read"].id

    async def refused(goal: Goal, **settings: str) -> Any:
        with pytest.raises((Refused, Stop)) as exc:
            await reach(opened(box, **(BOOK | settings)), goal)
        return exc.value

    assert (await refused(purchase_goal(supplier), incoming_account="6999")).code == "account-unknown"
    box.books.rules.closed_until = "2027-01-31"
    closed = await refused(purchase_goal(supplier))
    assert (closed.code, "låst" in closed.said_by_vendor) == ("period-closed", True)
    box.books.find("contact", supplier)["inactive"] = True
    assert (await refused(purchase_goal(supplier))).code == "supplier-inactive"
    assert there(box) == []


# --- what is read -----------------------------------------------------------------------------------------------------


async def news(system: Accounting, cursor: str) -> tuple[list[Record], str]:
    found: list[Record] = []
    while True:
        page = await system.changes(Kind.SUPPLIER_INVOICE, cursor)
        found, cursor = [*found, *page.records], page.cursor
        if not page.more:
            return found, cursor


async def test_what_is_paid_is_read_in_parts_and_then_whole(box: Sandbox) -> None:
    """Fiken tells no changes of purchases: what is open is read each time, and what was settled lately."""
    system = opened(box, **BOOK)
    first, cursor = await news(system, await system.begin(Kind.SUPPLIER_INVOICE, START))
    assert first == []
    proof = await bought(system)
    (made,), seen = there(box), []
    for amount in (500000, 749999):
        found, cursor = await news(system, cursor)
        seen += found
        said = {"date": box.books.day(), "account": "1920:10001", "amount": amount}
        purchases.pay(box.books, made, said)
    for _ in range(2):
        found, cursor = await news(system, cursor)
        seen += found
    assert {one.id for one in seen} == {proof.id}
    shown = [one.payable for one in seen if one.payable]
    assert [str(one.open) for one in shown[:3]] == ["12499.99", "7499.99", "0"]
    assert [one.amount for one in shown[-1].payments or ()] == [Decimal(5000), Decimal("7499.99")]
    assert len({one.version for one in seen}) == 3
    assert isinstance((shown[-1].payments or ())[0], Paid)


async def test_what_is_booked_and_paid_between_two_reads_is_read(box: Sandbox) -> None:
    system = opened(box, **BOOK)
    _, cursor = await news(system, await system.begin(Kind.SUPPLIER_INVOICE, START))
    made = by_hand(box)
    purchases.pay(box.books, made, {"date": box.books.day(), "account": "1920:10001", "amount": 1249999})
    found, _ = await news(system, cursor)
    assert [(one.id, one.payable and one.payable.open) for one in found] == [(str(made["_id"]), 0)]


async def test_what_was_settled_without_payment_is_not_open(box: Sandbox) -> None:
    system = opened(box, **BOOK)
    proof = await bought(system)
    there(box)[0].update(settled=True, settledDate="2027-02-01")
    record = await system.read(Kind.SUPPLIER_INVOICE, proof.id)
    assert record is not None
    assert record.payable is not None
    assert (record.payable.open, record.payable.payments) == (0, ())


async def test_cash_purchases_and_what_was_taken_back_are_no_invoices_and_below_zero_is_a_credit_note(
    box: Sandbox,
) -> None:
    system = opened(box, **BOOK)
    gone, _ = by_hand(box, identifier="F-8"), by_hand(box, identifier=None)
    purchases.take_back(box.books, gone)
    line = {"description": "Kaffe", "netPrice": 10000, "vat": 2500, "account": "4300", "vatType": "HIGH"}
    purchases.book(box.books, {"kind": "cash_purchase", "paid": True, "date": "2027-01-10", "currency": "NOK",
                               "identifier": "K", "paymentAccount": "1920:10001", "lines": [line]})  # fmt: skip
    by_hand(box, -1000000, identifier="K-1")
    page = await system.sweep(Kind.SUPPLIER_INVOICE, START, date(2028, 1, 1), None)
    (record,) = page.records
    assert (record.body["identifier"], record.body["creditNote"], record.body["amount"]) == ("K-1", True, 1250001)
    assert record.payable is not None
    assert (record.payable.open, record.payable.net) == (Decimal("12500.01"), Decimal(10000))
    assert await system.read(Kind.SUPPLIER_INVOICE, str(gone["_id"])) is None


async def test_in_euro_amounts_are_euro(box: Sandbox) -> None:
    system = opened(box, **BOOK)
    goal = await bought(system, currency="EUR", amount=100000,
                        lines=[{"netPrice": 100000, "vat": 0, "vatType": "NONE"}])  # fmt: skip
    assert goal.record.payable.open == Decimal(1000)
    (made,) = there(box)
    purchases.pay(box.books, made, {"date": "2027-02-01", "account": "1920:10001", "amount": 40000, "currency": "EUR",
                                    "amountInNok": 460000})  # fmt: skip
    record = await system.read(Kind.SUPPLIER_INVOICE, goal.id)
    assert record is not None
    assert record.payable is not None
    assert record.payable.open == Decimal(600)
    assert box.books.balance("2400") == -1152000 + 460800
