"""Credit notes in Tripletex: the whole by its own verb, a part by an order below zero; once, and compared before."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Sandbox
from connector.errors import Refused, Stop
from connector.ports import Accounting, File, Goal, Kind, Record, Totals

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import credit_goal, customer_goal, invoice_goal, opened, reach, struck, with_order


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    system = opened(box)
    yield system
    await system.close()


async def sold(system: Accounting) -> tuple[str, str]:
    """An invoice of scenario A.1, and its customer."""
    customer = (await reach(system, customer_goal()))["read"].id
    return (await reach(system, invoice_goal(customer)))["read"].id, customer


def writes(box: Sandbox, since: int) -> list[str]:
    made = [one for one in list(box.requests)[since:] if one.method != "GET"]
    return [f"{one.method} {one.path.removeprefix('/v2')}" for one in made]


def notes(box: Sandbox) -> list[Any]:
    return [one for one in box.books.things["invoice"].values() if one["isCharged"] and one["isCreditNote"]]


async def test_a_part(system: Accounting, box: Sandbox) -> None:
    invoice, customer = await sold(system)
    before = len(box.requests)
    proofs = await reach(system, credit_goal(invoice, customer))
    order = proofs["order"].id
    assert writes(box, before) == ["POST /order", f"PUT /order/{order}/:invoice"]
    call = box.requests[-1 - [r.path.endswith(":invoice") for r in reversed(box.requests)].index(True)]
    assert (call.query["sendToCustomer"], call.query["invoiceIdIfIsCreditNote"]) == ("false", invoice)
    record = proofs["read"].record
    assert record is not None
    assert (record.kind, record.body["credits"]["id"]) == (Kind.CREDIT_NOTE, int(invoice))
    assert (record.body["invoice"]["amountCurrency"], record.body["applied"]) == (3125, 3125)
    assert [one["count"] for one in record.body["order"]["orderLines"]] == [2, 5]
    assert proofs["read"].facts["voucher"] == "2027/2"


async def test_a_whole(system: Accounting, box: Sandbox) -> None:
    invoice, customer = await sold(system)
    before = len(box.requests)
    proofs = await reach(system, credit_goal(invoice, customer, whole=True))
    assert writes(box, before) == [f"PUT /invoice/{invoice}/:createCreditNote"]
    call = next(one for one in box.requests if one.path.endswith(":createCreditNote"))
    assert call.query == {"date": "2027-03-10", "comment": "For mye", "sendToCustomer": "false"}
    record = proofs["read"].record
    assert record is not None
    assert (record.body["invoice"]["amountCurrency"], record.body["applied"]) == (12500, 12500)
    assert [one["count"] for one in record.body["order"]["orderLines"]] == [8, 20]
    assert record.body["order"]["invoiceComment"] == "For mye"


async def test_the_same_sum_with_other_vat_is_no_whole(system: Accounting, box: Sandbox) -> None:
    """Its lines decide, too: the verb would credit the invoice's own."""
    invoice, customer = await sold(system)
    goal = credit_goal(invoice, customer, whole=True)
    lines = goal.record["order"]["orderLines"]
    goal = with_order(goal, orderLines=[{**lines[0], "count": 4}, {**lines[0], "count": 4}, lines[1]])
    await reach(system, goal)
    assert not [one for one in box.requests if one.path.endswith(":createCreditNote")]
    assert [one["amount"] for one in notes(box)] == [Decimal("-12500.00")]


async def test_more_than_tripletex_has_left_is_not_pushed(system: Accounting, box: Sandbox) -> None:
    invoice, customer = await sold(system)
    for n in range(4):
        await reach(system, credit_goal(invoice, customer, f"m-{n}"))
    before = len(box.requests)
    with pytest.raises(Stop) as stop:
        await reach(system, credit_goal(invoice, customer, "m-5"))
    assert stop.value.code == "credit-exceeds-remaining"
    assert (Decimal(stop.value.details["left"]), len(stop.value.details["notes"])) == (0, 4)
    assert writes(box, before) == []


async def test_totals_are_compared_before_anything_is_numbered() -> None:
    async with Sandbox(rounding="line") as box:
        system = opened(box)
        invoice, customer = await sold(system)
        goal = credit_goal(invoice, customer)
        goal = replace(goal, totals=Totals("NOK", Decimal("2540.00"), Decimal("585.01"), Decimal("3125.01")))
        with pytest.raises(Stop) as stop:
            await reach(system, goal)
        assert stop.value.code == "totals-differ"
        assert (stop.value.details["ours"]["gross"], stop.value.details["theirs"]["gross"]) == ("3125.01", "3125.00")
        assert notes(box) == []
        await system.close()


async def test_what_is_no_credit_note_when_read_back_stops(system: Accounting, box: Sandbox) -> None:
    """Should the parameter not do what its description says."""
    invoice, customer = await sold(system)
    charge = box.books.charge
    box.books.charge = lambda order, day, **more: charge(order, day)  # type: ignore[method-assign]
    with pytest.raises(Stop) as stop:
        await reach(system, credit_goal(invoice, customer))
    assert stop.value.code == "credit-note-differs"


async def test_the_ledger_that_knows_no_part_refuses(box: Sandbox, system: Accounting) -> None:
    box.books.rules.partial_credit = False
    invoice, customer = await sold(system)
    with pytest.raises(Refused) as refused:
        await reach(system, credit_goal(invoice, customer))
    assert refused.value.code == "credit-refused"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"totals": None}, "totals-missing"),
        ({"operation": "update", "target": "1"}, "operation-not-supported"),
        ({"record": {"order": {}, "invoice": {"invoiceDate": "2027-03-10"}}}, "link-missing"),
        ({"record": {"credits": {"id": 1}, "order": {}, "invoice": {}}}, "date-missing"),
    ],
)
async def test_what_cannot_be_is_refused_without_a_call(
    system: Accounting, box: Sandbox, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        system.flow(replace(credit_goal("7", "8"), **change))
    assert refused.value.code == code
    assert not box.requests


@pytest.mark.parametrize("whole", [False, True])
async def test_once_whatever_happens_to_any_call(whole: bool) -> None:
    def goal(given: tuple[str, str]) -> Goal:
        return credit_goal(*given, whole=whole)

    async def check(box: Sandbox, given: tuple[str, str], proofs: Any, what: str) -> None:
        (note,) = notes(box)
        assert note["amount"] == (Decimal("-12500.00") if whole else Decimal("-3125.00")), what
        assert note["creditedInvoice"] == int(given[0]), what
        assert proofs["read"].record.id == str(note["id"]), what
        assert box.state()["balances"].get("1500", 0) == 12500 + note["amount"], what
        assert not box.books.outbox, what

    assert await struck(sold, goal, check) > 40


SHEETS = tuple(File(f"Timeliste {n}.pdf", "application/pdf", f"%PDF-1.7 {n}".encode()) for n in (1, 2))


@pytest.mark.parametrize("whole", [False, True])
async def test_its_files_are_put_on_its_voucher(system: Accounting, box: Sandbox, whole: bool) -> None:
    invoice, customer = await sold(system)
    before = len(box.requests)
    await reach(system, replace(credit_goal(invoice, customer, whole=whole), files=SHEETS))
    (note,) = notes(box)
    assert writes(box, before)[-2:] == [f"POST /ledger/voucher/{note['voucher'].id}/attachment"] * 2
    held = box.books.find(box.books.find(note["voucher"])["attachment"])
    assert [upload.content for upload in held["_uploads"]][-2:] == [sheet.content for sheet in SHEETS]


async def test_its_files_once_whatever_happens_to_any_call() -> None:
    def goal(given: tuple[str, str]) -> Goal:
        return replace(credit_goal(*given), files=SHEETS)

    async def check(box: Sandbox, given: tuple[str, str], proofs: Any, what: str) -> None:
        (note,) = notes(box)
        held = box.books.find(box.books.find(note["voucher"])["attachment"])
        assert [upload.content for upload in held["_uploads"]][-2:] == [sheet.content for sheet in SHEETS], what
        assert len(held["_uploads"]) == 2, what

    assert await struck(sold, goal, check) > 50


async def test_a_file_that_is_not_taken_stops_before_anything_is_credited(system: Accounting, box: Sandbox) -> None:
    with pytest.raises(Refused) as refused:
        system.flow(replace(credit_goal("7", "8"), files=(File("tall.csv", "text/csv", b"a;b"),)))
    assert (refused.value.code, refused.value.where["field"]) == ("attachment-type", "attachments[0]")
    assert not box.requests


async def test_they_are_read_among_the_invoices_each_as_what_it_is(system: Accounting, box: Sandbox) -> None:
    invoice, customer = await sold(system)
    part = (await reach(system, credit_goal(invoice, customer)))["read"]
    cursor = await system.begin(Kind.INVOICE, date(2027, 1, 1))
    page = await system.changes(Kind.INVOICE, cursor)
    swept = await system.sweep(Kind.INVOICE, date(2027, 1, 1), date(2028, 1, 1), None)
    for found in (page, swept):
        assert [(one.kind, one.id) for one in found.records] == [(Kind.INVOICE, invoice), (Kind.CREDIT_NOTE, part.id)]
    read = await system.read(Kind.INVOICE, part.id)
    assert isinstance(read, Record)
    assert part.record == read == page.records[1]


async def test_what_is_applied_is_unknown_where_rights_hide_it(system: Accounting, box: Sandbox) -> None:
    invoice, customer = await sold(system)
    await reach(system, credit_goal(invoice, customer))
    (note,) = notes(box)
    del note["amountCurrencyOutstanding"]
    record = await system.read(Kind.CREDIT_NOTE, str(note["id"]))
    assert record is not None
    assert "applied" not in record.body
