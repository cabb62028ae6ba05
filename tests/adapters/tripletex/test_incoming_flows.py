"""Suppliers, incoming invoices and files reach Tripletex exactly once, whatever happens to any call."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.incoming import split
from adapters.accounting.tripletex.sandbox import Sandbox, behind
from adapters.loopback import Upload
from connector.errors import Refused, Stop
from connector.ports import Accounting, File, Goal, Kind

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import (
    PAGE,
    SHEET,
    customer_goal,
    ehf_said,
    incoming_goal,
    invoice_goal,
    opened,
    reach,
    struck,
    supplier_goal,
)

PILOT = {"incoming_pilot": True}
LARGE = File("stor.pdf", "application/pdf", b"%PDF-" + b"x" * 1024 * 1024, "page")
BOOKED = {"incoming": "ledger", "incoming_account": 4300}


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    system = opened(box)
    yield system
    await system.close()


async def supplier(system: Accounting) -> str:
    return (await reach(system, supplier_goal()))["read"].id


def vouchers(box: Sandbox) -> list[Any]:
    return list(box.books.things.get("voucher", {}).values())


def files(box: Sandbox, voucher: Any) -> list[bytes]:
    return [one.content for one in box.books.find(voucher["attachment"])["_uploads"]]


def received(box: Sandbox, content: bytes | None = None, **more: str) -> Any:
    """An EHF through the company's own inbox."""
    upload = Upload(ehf_said(**more) if content is None else content, "faktura.xml")
    return box.books.receive_ehf(**behind.read_ehf(box.books, upload), upload=upload)


# --- suppliers --------------------------------------------------------------------------------------------------------


async def test_a_supplier_is_made_read_back_and_found_again(system: Accounting, box: Sandbox) -> None:
    proofs = await reach(system, supplier_goal())
    record = proofs["read"].record
    assert record is not None
    assert (record.body["name"], record.body["supplierNumber"]) == ("Selger AS", 50001)
    assert record.body["postalAddress"]["country"]["isoAlpha2Code"] == "NO"
    again = await reach(system, supplier_goal("m-2", name="Selger Norge AS"))
    assert again["supplier"].id == proofs["supplier"].id
    assert len(box.books.things["supplier"]) == 1


async def test_its_accounts_are_read_and_never_written(system: Accounting, box: Sandbox) -> None:
    id = await supplier(system)
    box.books.touch(
        box.books.things["supplier"][int(id)], bankAccountPresentation=[{"bban": "86011117947"}, {"iban": "SE45"}]
    )
    change = Goal(Kind.SUPPLIER, "update", "m-2", {"name": "Ny AS", "bankAccounts": ["15032080119"]}, target=id)
    record = (await reach(system, change))["read"].record
    assert record is not None
    assert (record.body["name"], record.body["bankAccounts"]) == ("Ny AS", ["86011117947", "SE45"])


async def test_duplicates_and_inactive_suppliers_are_for_a_person(system: Accounting, box: Sandbox, call: Any) -> None:
    said = {"name": "Selger AS", "organizationNumber": "974760673"}
    first = await call("POST", "/supplier", {**said, "isInactive": True})
    with pytest.raises(Stop) as stop:
        await supplier(system)
    assert (stop.value.code, stop.value.details["ids"]) == ("supplier-inactive", [first["id"]])
    await call("POST", "/supplier", said)
    with pytest.raises(Stop) as stop:
        await supplier(system)
    assert stop.value.code == "supplier-duplicates"


async def test_a_foreign_supplier_is_known_by_its_name_alone(system: Accounting, box: Sandbox, call: Any) -> None:
    there = await call("POST", "/supplier", {"name": "Säljare AB"})
    proofs = await reach(system, supplier_goal(name="SÄLJARE AB", organizationNumber=None))
    assert proofs["supplier"].id == str(there["id"])
    other = await reach(system, supplier_goal(name="Annan AB", organizationNumber=None))
    assert other["supplier"].id != str(there["id"])


async def nothing(system: Accounting) -> None:
    return None


@pytest.mark.parametrize("number", ["974760673", None])
async def test_a_supplier_once_whatever_happens_to_any_call(number: str | None) -> None:
    async def check(box: Sandbox, given: None, proofs: Any, what: str) -> None:
        assert len(box.books.things["supplier"]) == 1, what
        assert proofs["read"].record.body["name"] == "Selger AS", what

    assert await struck(nothing, lambda _: supplier_goal(organizationNumber=number), check) > 20


async def test_a_change_of_a_supplier_comes_through_whatever_happens() -> None:
    async def check(box: Sandbox, given: str, proofs: Any, what: str) -> None:
        there = box.books.things["supplier"][int(given)]
        assert (there["email"], there["version"]) == ("post@selger.no", 2), what

    def goal(id: str) -> Goal:
        return Goal(Kind.SUPPLIER, "update", "m-2", {"name": "Selger AS", "email": "post@selger.no"}, target=id)

    assert await struck(supplier, goal, check) > 20


# --- into the reception, and by the pilot's call ----------------------------------------------------------------------


async def test_the_page_lies_in_the_reception_with_its_timesheet(system: Accounting, box: Sandbox) -> None:
    proofs = await reach(system, incoming_goal(await supplier(system)))
    (voucher,) = vouchers(box)
    assert proofs["read"].id == str(voucher["id"])
    assert (voucher["_state"], voucher["description"]) == ("inbox", "Faktura F-7 fra Selger AS")
    assert files(box, voucher) == [PAGE, SHEET]
    assert box.state()["balances"] == {}


@pytest.mark.parametrize(
    ("rules", "settings", "holds"),
    [
        ({}, {}, [PAGE, SHEET, SHEET]),
        ({"ehf_import": True}, {"incoming": "ehf"}, None),
        (PILOT, {"incoming": "inbox"}, [PAGE, SHEET, SHEET]),
        (PILOT, {"incoming": "nonPosted", "incoming_account": 4300}, [PAGE, SHEET, SHEET]),
        (PILOT, BOOKED, [PAGE, SHEET, SHEET]),
    ],
    ids=["pdf", "ehf", "inbox", "nonPosted", "ledger"],
)
async def test_an_incoming_invoice_once_whatever_happens_to_any_call(rules: Any, settings: Any, holds: Any) -> None:
    async def check(box: Sandbox, given: str, proofs: Any, what: str) -> None:
        (voucher,) = vouchers(box)
        assert proofs["read"].record.id == str(voucher["id"]), what
        if holds is not None:
            assert files(box, voucher) == holds, what
        if settings == BOOKED:
            balances = box.state()["balances"]
            assert (balances["4300"], balances["2400"]) == (Decimal("10000.00"), Decimal("-12499.99")), what
            assert sum(balances.values()) == 0, what

    goal = lambda id: incoming_goal(id, sheets=2)  # noqa: E731
    assert await struck(supplier, goal, check, rules=rules, **settings) > 40


async def test_somebody_has_moved_it_on_before_the_answer_was_looked_for(system: Accounting, box: Sandbox) -> None:
    """The text is changed and the voucher is registered: the file's name still has our marker."""
    id = await supplier(system)
    box.fault("POST /ledger/voucher/importDocument", "no-answer")
    importing = box.books.receive

    def registered(*given: Any, **more: Any) -> Any:
        voucher = importing(*given, **more)
        box.books.touch(voucher, description="Kontorrekvisita")
        seller = box.books.things["supplier"][int(id)]
        behind.register_voucher(box.books, voucher, seller, "F-7", date(2027, 1, 10), date(2027, 2, 10),
                                Decimal("12499.99"))  # fmt: skip
        return voucher

    box.books.receive = registered  # type: ignore[method-assign]
    proofs = await reach(system, incoming_goal(id, sheets=0))
    assert len(vouchers(box)) == 1
    assert proofs["read"].record is not None
    assert proofs["read"].record.body["outstandingAmount"] == Decimal("12499.99")


# --- what Tripletex has received itself -------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [False, True])
async def test_what_is_there_is_not_sent_again(listed: bool) -> None:
    async with Sandbox(reception_in_list=listed) as box:
        system = opened(box)
        voucher = received(box)
        proofs = await reach(system, incoming_goal(await supplier(system)))
        assert proofs["read"].id == str(voucher["id"])
        assert proofs["read"].facts["found"] is True
        assert len(vouchers(box)) == 1
        assert not any(r.method == "POST" and "voucher" in r.path for r in box.requests)
        await system.close()


@pytest.mark.parametrize("other", [{"number": "F-8"}, {"organisation": "991825827"}, {"root": "CreditNote"}])
async def test_another_invoice_in_the_reception_is_another_one(system: Accounting, box: Sandbox, other: Any) -> None:
    received(box, **other)
    proofs = await reach(system, incoming_goal(await supplier(system)))
    assert proofs["there"].facts["found"] is False
    assert len(vouchers(box)) == 2


async def test_another_amount_and_one_that_cannot_be_read_are_for_a_person(system: Accounting, box: Sandbox) -> None:
    voucher = received(box, amount="12500.00")
    id = await supplier(system)
    with pytest.raises(Stop) as stop:
        await reach(system, incoming_goal(id))
    assert stop.value.code == "invoice-in-ledger-differs"
    box.books.things["document"][voucher["ediDocument"].id]["_uploads"] = [Upload(b"<broken", "x.xml")]
    with pytest.raises(Stop) as stop:
        await reach(system, incoming_goal(id))
    assert (stop.value.code, stop.value.details["voucher"]) == ("perhaps-in-reception", str(voucher["id"]))
    assert len(vouchers(box)) == 1


# --- what cannot go ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "goal", "code"),
    [
        ({"incoming": "off"}, incoming_goal("7"), "incoming-off"),
        ({}, incoming_goal("7", invoiceNumber=None), "field-missing"),
        ({}, incoming_goal("7", invoiceDate=None), "field-missing"),
        ({}, incoming_goal(""), "link-missing"),
        ({}, replace(incoming_goal("7"), files=()), "document-missing"),
        ({"attachment_mb": 1}, replace(incoming_goal("7"), files=(LARGE,)), "attachment-too-large"),
        (BOOKED, incoming_goal("7", lines=[]), "lines-missing"),
        ({"incoming": "ledger"}, incoming_goal("7"), "account-missing"),
        ({}, Goal(Kind.SUPPLIER, "create", "m", {}), "name-missing"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_without_a_call(box: Sandbox, settings: Any, goal: Goal, code: str) -> None:
    system = opened(box, **settings)
    with pytest.raises(Refused) as refused:
        system.flow(goal)
    assert refused.value.code == code
    assert not box.requests
    await system.close()


async def test_files_that_are_not_taken_stay_behind_with_the_reason(box: Sandbox) -> None:
    system = opened(box, attachment_mb=1)
    goal = incoming_goal(await supplier(system), sheets=0)
    large = File("stor.pdf", "application/pdf", b"%PDF-" + b"x" * 1024 * 1024)
    goal = replace(
        goal, files=(*goal.files, File("tall.csv", "text/csv", b"a;b"), large, File("tom.pdf", "application/pdf", b""))
    )
    proofs = await reach(system, goal)
    said = proofs["read"].facts["left_out"]
    assert [one["code"] for one in said] == ["attachment-type", "attachment-too-large", "attachment-empty"]
    assert said[1]["why"] == "stor.pdf has 1.0 MB; no more than 1 MB are sent."
    assert files(box, vouchers(box)[0]) == [PAGE]
    await system.close()


async def test_who_is_no_pilot_is_told_by_the_probe() -> None:
    async with Sandbox() as box:
        for way, missing in (("pdf", 0), ("off", 0), ("inbox", 1)):
            system = opened(box, incoming=way)
            assert len((await system.probe()).missing) == missing
            assert (Kind.SUPPLIER in {one.kind for one in system.readings}) is (way != "off")
            await system.close()


@pytest.mark.parametrize(
    ("net", "vat", "rate", "rows"),
    [
        ("10000.00", "2500.00", "25", [("12500.00", True)]),
        ("10000.00", "2499.99", "25", [("12499.95", True), ("0.04", False)]),
        ("10000.00", "2500.01", "25", [("12500.05", True), ("-0.04", False)]),
        ("33.33", "5.01", "15", [("38.41", True), ("-0.07", False)]),
        ("100.00", "0.00", "0", [("100.00", False)]),
    ],
)
def test_rows_come_to_the_stated_figures(net: str, vat: str, rate: str, rows: Any) -> None:
    found = split(Decimal(net), Decimal(vat), Decimal(rate))
    assert found == [(Decimal(amount), taxed) for amount, taxed in rows]
    assert sum(amount for amount, _ in found) == Decimal(net) + Decimal(vat)


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_the_register_and_the_reception_are_followed(system: Accounting, box: Sandbox) -> None:
    cursor = await system.begin(Kind.SUPPLIER_INVOICE, date(2027, 1, 1))
    voucher = received(box)
    page = await system.changes(Kind.SUPPLIER_INVOICE, cursor)
    while page.more:
        page = await system.changes(Kind.SUPPLIER_INVOICE, page.cursor)
    (record,) = page.records
    assert record.id == str(voucher["id"])
    assert record.body["amountCurrency"] == Decimal("12499.99")
    assert record.body["supplier"] == {"name": "Selger AS", "organizationNumber": "974760673"}
    page = await system.changes(Kind.SUPPLIER_INVOICE, page.cursor)
    assert page.records == []
    seller = next(iter(box.books.things["supplier"].values()))
    made = behind.register_voucher(box.books, voucher, seller, "F-7", date(2027, 1, 10), date(2027, 2, 10),
                                   Decimal("12499.99"))  # fmt: skip
    page = await system.changes(Kind.SUPPLIER_INVOICE, page.cursor)
    (record,) = page.records
    assert record.id == str(voucher["id"])
    assert record.body["voucher"]["number"] == 1
    box.books.pay_supplier(
        made, date(2027, 2, 9), Decimal("5000.00"), next(iter(box.books.things["paymentTypeOut"].values()))
    )
    (record,) = (await system.changes(Kind.SUPPLIER_INVOICE, page.cursor)).records
    assert record.body["outstandingAmount"] == Decimal("7499.99")
    assert [one["amountCurrency"] for one in record.body["payments"]] == [Decimal("5000.00")]
    again = await system.read(Kind.SUPPLIER_INVOICE, record.id)
    assert again is not None
    assert again.body == record.body
    assert await system.read(Kind.SUPPLIER_INVOICE, "999") is None
    swept = await system.sweep(Kind.SUPPLIER_INVOICE, date(2027, 1, 1), date(2028, 1, 1), None)
    assert [one.id for one in swept.records] == [record.id]


async def test_a_credit_note_is_read_above_zero(system: Accounting, box: Sandbox) -> None:
    voucher = received(box, root="CreditNote", amount="1000.00")
    record = await system.read(Kind.SUPPLIER_INVOICE, str(voucher["id"]))
    assert record is not None
    assert (record.body["isCreditNote"], record.body["amountCurrency"]) == (True, Decimal("1000.00"))
    seller = next(iter(box.books.things["supplier"].values()))
    behind.register_voucher(box.books, voucher, seller, "F-7", date(2027, 1, 10), date(2027, 2, 10),
                            Decimal("-1000.00"))  # fmt: skip
    record = await system.read(Kind.SUPPLIER_INVOICE, str(voucher["id"]))
    assert record is not None
    assert (record.body["isCreditNote"], record.body["amountCurrency"]) == (True, Decimal("1000.00"))
    assert record.body["outstandingAmount"] == Decimal("1000.00")


async def test_without_the_rights_nothing_is_read_and_sales_go_on(box: Sandbox, system: Accounting) -> None:
    await supplier(system)
    cursors = {kind: await system.begin(kind, date(2027, 1, 1)) for kind in (Kind.SUPPLIER, Kind.SUPPLIER_INVOICE)}
    box.books.rules.without_right = "403"
    access = next(iter(box.access.values()))
    access.rights -= {"supplier", "incoming"}
    for kind, cursor in cursors.items():
        page = await system.changes(kind, cursor)
        assert (page.records, page.cursor, page.blind) == ([], cursor, True)
        page = await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), None)
        assert (page.records, page.blind) == ([], True)
    assert [one.split(" (")[0] for one in (await system.probe()).missing] == [
        "Suppliers",
        "Incoming invoices",
        "Voucher reception",
    ]
    access.rights |= {"supplier", "incoming"}
    assert len((await system.changes(Kind.SUPPLIER, cursors[Kind.SUPPLIER])).records) == 1


# --- attachments of what is sold --------------------------------------------------------------------------------------


def with_sheets(goal: Goal) -> Goal:
    sheet = File("Timeliste januar.pdf", "application/pdf", SHEET)
    return replace(goal, files=(sheet, replace(sheet, content=PAGE)))


async def customer(system: Accounting) -> str:
    return (await reach(system, customer_goal()))["read"].id


async def test_attachments_are_on_the_order_before_it_is_invoiced(system: Accounting, box: Sandbox) -> None:
    await reach(system, with_sheets(invoice_goal(await customer(system))))
    (order,) = box.books.things["order"].values()
    kept = [box.books.find(link) for link in order["attachment"]]
    assert [one["fileName"] for one in kept] == ["1-Timeliste-januar.pdf", "2-Timeliste-januar.pdf"]
    calls = [f"{r.method} {r.path.rpartition('/')[2]}" for r in box.requests]
    assert calls.index("PUT :attach") < calls.index("PUT :invoice")


async def test_attachments_once_whatever_happens_to_any_call() -> None:
    async def check(box: Sandbox, given: str, proofs: Any, what: str) -> None:
        (order,) = box.books.things["order"].values()
        assert len(order["attachment"]) == 2, what
        assert box.state()["counts"]["invoice"] == 1, what

    assert await struck(customer, lambda id: with_sheets(invoice_goal(id)), check) > 60


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (File("tall.csv", "text/csv", b"a;b"), "attachment-type"),
        (File("stor.pdf", "application/pdf", b"x" * (15 * 1024 * 1024 + 1)), "attachment-too-large"),
    ],
)
async def test_an_attachment_that_is_not_taken_stops_before_anything_is_made(
    system: Accounting, box: Sandbox, file: File, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        system.flow(replace(invoice_goal("7"), files=(file,)))
    assert refused.value.code == code
    assert file.name in refused.value.said
    assert not box.requests


async def test_the_pages_that_tripletex_has(system: Accounting, box: Sandbox) -> None:
    made = (await reach(system, invoice_goal(await customer(system))))["read"].id
    page = await system.document(Kind.INVOICE, made)
    assert page is not None
    assert page.content.startswith(b"%PDF-")
    came = (await reach(system, incoming_goal(await supplier(system), sheets=0)))["read"].id
    page = await system.document(Kind.SUPPLIER_INVOICE, came)
    assert page is not None
    assert page.content == PAGE
    assert await system.document(Kind.SUPPLIER_INVOICE, "999") is None
    assert await system.document(Kind.CUSTOMER, "1") is None
