"""Following what changes: by the day, with what is open read besides; and a first reading that makes few calls."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken import reading
from adapters.accounting.fiken.sandbox import Sandbox, forms
from connector.errors import BadInput
from connector.ports import Accounting, Kind, Page, Receivables, Record

sys.path.append(str(Path(__file__).parent))
from fiken_driving import (
    LINES,
    credit_goal,
    customer_goal,
    external_goal,
    invoice_goal,
    opened,
    payment_goal,
    reach,
    totals,
)

START, FEBRUARY = date(2027, 1, 1), date(2027, 2, 1)


async def all_of(system: Accounting, kind: Kind, cursor: str) -> tuple[list[Record], str]:
    """Everything that there is to read now."""
    found: list[Record] = []
    while True:
        page = await system.changes(kind, cursor)
        found += page.records
        cursor = page.cursor
        if not page.more:
            return found, cursor


async def sold(system: Accounting, marker: str = "m-1", **customer: Any) -> str:
    id = (await reach(system, customer_goal(**customer)))["read"].id
    return (await reach(system, invoice_goal(id, marker)))["read"].id


def of(kind: Kind, records: list[Record]) -> list[Record]:
    return [one for one in records if one.kind is kind]


async def test_a_change_on_the_day_of_the_last_read_is_seen(box: Sandbox) -> None:
    system = opened(box)
    first, cursor = await all_of(system, Kind.CUSTOMER, await system.begin(Kind.CUSTOMER, START))
    assert first == []
    id = (await reach(system, customer_goal()))["read"].id
    made, cursor = await all_of(system, Kind.CUSTOMER, cursor)
    box.books.touch(box.books.find("contact", id), email="ny@example.no")
    changed, cursor = await all_of(system, Kind.CUSTOMER, cursor)
    again, _ = await all_of(system, Kind.CUSTOMER, cursor)
    assert [one.id for one in (*made, *changed, *again)] == [id] * 3
    assert made[0].version != changed[0].version == again[0].version


async def test_what_was_changed_before_yesterday_is_not_asked_for_again(box: Sandbox) -> None:
    system = opened(box)
    await reach(system, customer_goal())
    _, cursor = await all_of(system, Kind.CUSTOMER, await system.begin(Kind.CUSTOMER, START))
    (there,) = box.books.all("contact")
    there["lastModifiedDate"] = (date.fromisoformat(box.books.day()) - timedelta(days=2)).isoformat()
    assert (await all_of(system, Kind.CUSTOMER, cursor))[0] == []


@pytest.mark.parametrize(("hours", "seen"), [(0, 1), (24, 0)])
@pytest.mark.parametrize("kind", [Kind.INVOICE, Kind.PAYMENT])
@pytest.mark.parametrize("amount", ["5000", "12500", "13000"])
async def test_a_payment_that_changes_no_day_is_found_by_what_is_open(
    box: Sandbox, hours: int, seen: int, kind: Kind, amount: str
) -> None:
    """Of a part, of the whole (then it is not among what is open any more), of more; and then not again."""
    system = opened(box, open_hours=hours)
    invoice = await sold(system)
    other = (await reach(system, invoice_goal(str(box.books.find("invoice", invoice)["_customer"]), "m-2")))["read"].id
    _, cursor = await all_of(system, kind, await system.begin(kind, START))
    for one in (*box.books.all("invoice"), *box.books.all("sale")):
        one["lastModifiedDate"] = "2026-01-01"
    _, cursor = await all_of(system, kind, cursor)
    box.payment(int(invoice), Decimal(amount), FEBRUARY)
    found, cursor = await all_of(system, kind, cursor)
    assert [str(one.body["invoice"]["invoiceId"]) for one in of(Kind.PAYMENT, found)] == [invoice] * seen
    if kind is Kind.INVOICE:
        assert [(one.id, one.open_amount) for one in of(kind, found)] == [
            (invoice, Decimal(12500) - Decimal(amount))
        ] * seen
    assert (await all_of(system, kind, cursor))[0] == []
    box.payment(int(other), Decimal(1), FEBRUARY)
    assert len(of(Kind.PAYMENT, (await all_of(system, kind, cursor))[0])) == seen


async def test_what_was_settled_is_read_some_at_a_time(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_AT_ONCE", 2)
    system = opened(box, open_hours=0)
    customer = (await reach(system, customer_goal()))["read"].id
    invoices = [(await reach(system, invoice_goal(customer, f"m-{n}")))["read"].id for n in range(5)]
    _, cursor = await all_of(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, START))
    for one in box.books.all("sale"):
        one["lastModifiedDate"] = "2026-01-01"
    _, cursor = await all_of(system, Kind.PAYMENT, cursor)
    for id in invoices[1:]:
        box.payment(int(id), Decimal(12500), FEBRUARY)
    found, cursor = await all_of(system, Kind.PAYMENT, cursor)
    assert [str(one.body["invoice"]["invoiceId"]) for one in found] == invoices[1:]
    assert (await all_of(system, Kind.PAYMENT, cursor))[0] == []


async def test_a_page_of_invoices_has_their_payments_with_number_and_kroner(box: Sandbox) -> None:
    system = opened(box)
    invoice = await sold(system)
    box.payment(int(invoice), Decimal("5000.50"), FEBRUARY, account="1920:10002")
    found, _ = await all_of(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
    assert [one.kind for one in found] == [Kind.INVOICE, Kind.PAYMENT]
    assert found[0].open_amount == Decimal("7499.50")
    body = found[1].body
    assert (body["amount"], body["bankAccountNumber"], body["invoice"]) == (
        500050, "15032080119", {"invoiceId": int(invoice)},
    )  # fmt: skip
    assert await system.read(Kind.PAYMENT, found[1].id) == found[1]


async def test_the_invoice_of_a_sale_is_found_by_who_has_never_seen_it(box: Sandbox) -> None:
    system = opened(box)
    invoice = await sold(system)
    box.payment(int(invoice), Decimal(5000), FEBRUARY)
    fresh = opened(box)
    found, _ = await all_of(fresh, Kind.PAYMENT, await fresh.begin(Kind.PAYMENT, START))
    assert [one.body["invoice"]["invoiceId"] for one in found] == [int(invoice)]


async def test_payments_of_sales_invoiced_elsewhere_and_of_those_taken_back(box: Sandbox) -> None:
    system = opened(box)
    customer = (await reach(system, customer_goal()))["read"].id
    sale = (await reach(system, external_goal(customer)))["read"].id
    box.books.pay(box.books.find("sale", sale), "2027-02-01", "1920:10001", 100)
    found, cursor = await all_of(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, START))
    assert [one.body["sale"] for one in found] == [{"saleId": int(sale)}]
    box.books.touch(box.books.find("sale", sale), deleted=True)
    assert (await all_of(system, Kind.PAYMENT, cursor))[0] == []
    assert await system.read(Kind.PAYMENT, found[0].id) is None


def a_draft(customer: str, lines: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A draft as the sandbox completes it, for invoices that a person makes in Fiken."""
    net, vat = (sum(line[name] for line in lines) for name in ("net", "vat"))
    return {"type": "invoice", "issueDate": "2027-01-15", "daysUntilDueDate": 14, "customerId": int(customer),
            "bankAccountNumber": "86011117947", "currency": "NOK", "uuid": "a", "lines": lines, "net": net, "vat": vat,
            "gross": net + vat, "_rounding": 0} | more  # fmt: skip


async def test_a_cash_invoice_is_read_paid_and_never_open(box: Sandbox) -> None:
    system = opened(box)
    customer = (await reach(system, customer_goal()))["read"].id
    box.books.invoice(a_draft(customer, box.books.lines(LINES, forms.DRAFT_LINE), type="cash_invoice"))
    found, _ = await all_of(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
    assert [one.kind for one in found] == [Kind.INVOICE, Kind.PAYMENT]
    assert (found[0].open_amount, found[0].body["cash"], found[1].body["amount"]) == (0, True, 1250000)


async def test_how_much_of_several_credit_notes_closes_the_invoice(box: Sandbox) -> None:
    """12 500 less 11 000 paid leave 1 500: the first credit note of 3 125 closes that, the second nothing."""
    system = opened(box)
    customer = (await reach(system, customer_goal()))["read"].id
    invoice = (await reach(system, invoice_goal(customer)))["read"].id
    await reach(system, payment_goal(invoice, 1100000))
    for marker in ("m-c1", "m-c2"):
        await reach(system, credit_goal(customer, invoice, marker))
    found, _ = await all_of(system, Kind.CREDIT_NOTE, await system.begin(Kind.CREDIT_NOTE, START))
    assert [(one.body["gross"], one.body["applied"]) for one in found] == [(312500, 150000), (312500, 0)]


@pytest.mark.parametrize("share", [True, False])
async def test_a_discount_is_per_cent_however_fiken_shows_it(box: Sandbox, share: bool) -> None:
    box.books.rules.discount_share = share
    system = opened(box)
    customer = (await reach(system, customer_goal()))["read"].id
    lines = box.books.lines([{**LINES[0], "discount": Decimal("12.5")}], forms.DRAFT_LINE)
    box.books.invoice(a_draft(customer, lines))
    (record, *_), _ = await all_of(system, Kind.INVOICE, await system.begin(Kind.INVOICE, START))
    assert record.body["lines"][0]["discount"] == Decimal("12.5")


async def test_countries_in_both_languages_and_one_that_nobody_knows(box: Sandbox) -> None:
    system = opened(box)
    for name in ("Norge", "Norway", "Tyskland", "Germany", "Atlantis"):
        box.books.add_contact({"name": name, "customer": True, "address": {"city": "X", "country": name}})
    found, _ = await all_of(system, Kind.CUSTOMER, await system.begin(Kind.CUSTOMER, START))
    assert [one.body["address"].get("country") for one in found] == ["NO", "NO", "DE", "DE", None]


async def test_a_sweep_reads_all_that_is_dated_between_and_every_register(box: Sandbox) -> None:
    system = opened(box)
    await sold(system)
    for kind, until, count in (
        (Kind.INVOICE, date(2027, 1, 15), 0), (Kind.INVOICE, date(2027, 1, 16), 1), (Kind.CUSTOMER, START, 1),
    ):  # fmt: skip
        page: Page = await system.sweep(kind, START, until, None)
        assert (len(page.records), page.more) == (count, False)


async def test_a_cursor_of_somebody_else_is_refused(box: Sandbox) -> None:
    for cursor in ("", "[]", '{"v": 2}', "x"):
        with pytest.raises(BadInput):
            await opened(box).changes(Kind.INVOICE, cursor)


async def test_a_first_reading_makes_no_more_calls_than_pages(box: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """20,000 invoices and the payments of some: a page has 100, and the payments come along."""
    count = 20_000
    system = opened(box)
    invoice = await sold(system)
    there = box.books.find("invoice", invoice)
    sale = box.books.find("sale", there["_sale"])
    for number in range(1, count):
        copy = box.books.add("sale", **_another(sale, saleNumber=str(10001 + number), settled=number % 2 == 0))
        box.books.add("invoice", **_another(there, invoiceNumber=10001 + number, _sale=copy["_id"]))
    for copy in list(box.books.all("sale"))[::20]:
        box.books.add("payment", _sale=copy["_id"], date="2027-02-01", account="1920:10001", amount=100, currency="NOK")
    before = len(box.requests)
    invoices, payments = 0, 0
    cursor, more = await system.begin(Kind.INVOICE, START), True
    while more:
        page = await system.changes(Kind.INVOICE, cursor)
        cursor, more = page.cursor, page.more
        invoices += len(of(Kind.INVOICE, list(page.records)))
        payments += len(of(Kind.PAYMENT, list(page.records)))
    calls = len(box.requests) - before
    with capsys.disabled():
        print(f"\nfirst reading of {invoices} invoices: {calls} calls, {calls / invoices:.4f} for each")
    assert (invoices, payments) == (count, count // 20)
    assert calls <= math.ceil(count / 100 * 1.05)


def _another(thing: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """All that a thing has but its id."""
    return {name: value for name, value in thing.items() if name not in ("_id", "_created")} | changed


# --- losses of what was issued elsewhere, calls for sales without invoices, what is owed ------------------------------


@pytest.mark.parametrize("currency", ["NOK", "EUR"])
async def test_a_sale_invoiced_elsewhere_that_is_written_off(box: Sandbox, currency: str) -> None:
    system = opened(box)
    customer = (await reach(system, customer_goal()))["read"].id
    line = {"description": "Timer", "netPrice": 100000, "vatType": "EXEMPT_IMPORT_EXPORT", "account": "3100"}
    goal = external_goal(customer, currency=currency, lines=[line], vat=[])
    sale = (await reach(system, replace(goal, totals=replace(totals("1000", "0"), currency=currency))))["read"].id
    there = box.books.find("sale", sale)
    box.books.pay(there, "2027-02-01", "1920:10001", 40000)
    box.books.write_off(there, "2027-03-12")
    found, _ = await all_of(system, Kind.PAYMENT, await system.begin(Kind.PAYMENT, START))
    (loss,) = of(Kind.SETTLEMENT, found)
    assert (loss.body["sale"], loss.body["amount"], loss.body["currency"]) == ({"saleId": int(sale)}, 60000, currency)
    assert (loss.body["account"], loss.body["date"], loss.customer) == ("7830", "2027-03-12", customer)
    assert await system.read(Kind.SETTLEMENT, loss.id) == loss
    assert await system.read(Kind.SETTLEMENT, f"{sale}/loss") is None


async def test_the_invoices_of_a_page_of_sales_are_found_in_one_search(box: Sandbox) -> None:
    """Three cash invoices of different customers, a payment of an ordinary one, and cash sales that have no invoice."""
    system = opened(box)
    invoices = []
    for n in range(3):
        customer = box.books.add_contact({"name": f"Kunde {n}", "customer": True})["_id"]
        lines = box.books.lines(LINES, forms.DRAFT_LINE)
        invoices.append(box.books.invoice(a_draft(customer, lines, type="cash_invoice"))["_id"])
    invoices.append(int(await sold(system)))
    box.payment(invoices[-1], Decimal(5000), FEBRUARY)
    there = next(iter(box.books.all("sale")))
    for n in range(2):
        cash = box.books.add("sale", **_another(there, saleNumber=f"K-{n}", kind="cash_sale"))
        box.books.pay(cash, "2027-01-15", "1920:10001", 1250000)
    fresh = opened(box)
    cursor, asked = await fresh.begin(Kind.PAYMENT, START), []
    for _ in range(2):
        before = len(box.requests)
        found, cursor = await all_of(fresh, Kind.PAYMENT, cursor)
        asked.append([one.path for one in list(box.requests)[before:] if one.path.endswith("/invoices")])
        assert sorted(one.body["invoice"]["invoiceId"] for one in found) == sorted(invoices)
    assert [len(one) for one in asked] == [1, 0]


async def test_an_invoice_dated_far_from_its_sale_is_found_by_its_customer(box: Sandbox) -> None:
    invoice = await sold(opened(box))
    box.payment(int(invoice), Decimal(5000), FEBRUARY)
    (sale,) = box.books.all("sale")
    sale["date"] = "2027-06-01"
    fresh = opened(box)
    found, _ = await all_of(fresh, Kind.PAYMENT, await fresh.begin(Kind.PAYMENT, START))
    assert [one.body["invoice"]["invoiceId"] for one in found] == [int(invoice)]


async def test_what_customers_owe_by_their_accounts_and_by_what_is_open(box: Sandbox) -> None:
    """Invoiced and partly credited, invoiced elsewhere, in euro, and a credit note that closes nothing."""
    system = opened(box)
    assert await system.receivables() == Receivables(Decimal(0), {})
    customer = (await reach(system, customer_goal()))["read"].id
    invoice = (await reach(system, invoice_goal(customer)))["read"].id
    await reach(system, payment_goal(invoice, 1100000))
    for marker in ("m-c1", "m-c2"):  # 1 500 of the first closes the invoice
        await reach(system, credit_goal(customer, invoice, marker))
    await reach(system, external_goal(customer))
    other = (await reach(system, customer_goal("m-2", organizationNumber="991825827", name="Annen AS")))["read"].id
    line = {"description": "Eksport", "netPrice": 100000, "vatType": "EXEMPT_IMPORT_EXPORT", "account": "3100"}
    euro = external_goal(other, "m-eur", saleNumber="2", currency="EUR", lines=[line], vat=[])
    await reach(system, replace(euro, totals=replace(totals("1000", "0"), currency="EUR")))
    assert await system.receivables() == Receivables(
        Decimal("19270.00"), {customer: Decimal("7750.00"), other: Decimal("11520.00")}
    )
    box.books.add("sale", **_another(list(box.books.all("sale"))[-1], deleted=True))
    owed = await system.receivables()
    assert owed is not None
    assert sum(owed.open.values()) == owed.account
