"""Every flow reaches its goal exactly once, whatever happens to any of its calls."""

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
from connector.errors import Refused, Stop, TryLater, UnknownOutcome
from connector.ports import Accounting, Goal, Kind, Run

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import (
    SeveralFound,
    customer_goal,
    invoice_goal,
    line,
    opened,
    payment_goal,
    reach,
    struck,
    with_order,
)


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    system = opened(box)
    yield system
    await system.close()


async def customer(system: Accounting) -> str:
    return (await reach(system, customer_goal()))["read"].id


async def invoice(system: Accounting) -> str:
    return (await reach(system, invoice_goal(await customer(system))))["read"].id


def count(box: Sandbox, kind: str) -> int:
    return box.state()["counts"].get(kind, 0)


def rows(box: Sandbox, invoice_id: str) -> list[Decimal]:
    """The payment rows on an invoice."""
    items = box.books.items(int(invoice_id))
    return [posting["amount"] for posting in items if posting.get("type") == "INCOMING_PAYMENT"]


# --- the plain way ----------------------------------------------------------------------------------------------------


async def test_a_customer_is_made_and_read_back(system: Accounting, box: Sandbox) -> None:
    proofs = await reach(system, customer_goal())
    record = proofs["read"].record
    assert record is not None
    assert record.body["name"] == "Kjøper AS"
    assert record.body["postalAddress"]["country"]["isoAlpha2Code"] == "NO"
    assert record.body["customerNumber"] == proofs["read"].facts["number"]
    assert record.body["email"] is None, "an empty text is nothing"
    assert proofs["customer"].facts["found"] is False


async def test_a_customer_that_is_there_is_found_by_organisation_number(system: Accounting, box: Sandbox) -> None:
    first = await customer(system)
    again = await reach(system, customer_goal("m-customer-2", name="Kjøper Norge AS"))
    assert again["customer"].id == first
    assert again["customer"].facts["found"] is True
    assert count(box, "customer") == 1


async def test_customers_with_the_same_organisation_number_are_for_a_person(system: Accounting, call: Any) -> None:
    ids = [(await call.customer())["id"] for _ in range(2)]
    with pytest.raises(Stop) as stop:
        await reach(system, customer_goal())
    assert stop.value.code == "customer-duplicates"
    assert sorted(stop.value.details["ids"]) == ids


async def test_an_inactive_customer_is_not_made_a_second_time(system: Accounting, box: Sandbox, call: Any) -> None:
    made = await call.customer(isInactive=True)
    with pytest.raises(Stop) as stop:
        await reach(system, customer_goal())
    assert stop.value.code == "customer-inactive"
    assert stop.value.details["ids"] == [made["id"]]
    assert count(box, "customer") == 1


async def test_a_customer_is_changed_with_the_version_that_was_read(system: Accounting, box: Sandbox) -> None:
    id = await customer(system)
    goal = Goal(Kind.CUSTOMER, "update", "m-2", {"name": "Kjøper Norge AS", "email": "post@kjoper.no"}, target=id)
    proofs = await reach(system, goal)
    record = proofs["read"].record
    assert record is not None
    assert (record.body["name"], record.body["email"]) == ("Kjøper Norge AS", "post@kjoper.no")
    assert [r.body["version"] for r in box.requests if r.method == "PUT"] == [1]


async def test_scenario_a1_an_invoice_in_four_calls(system: Accounting, box: Sandbox) -> None:
    goal = invoice_goal(await customer(system))
    await reach(system, goal)  # fills the tables
    before = len(box.requests)
    proofs = await reach(system, replace(goal, marker="m-2"))
    calls = [f"{r.method} {r.path.removeprefix('/v2')}" for r in list(box.requests)[before:]]
    order, id = proofs["order"].id, proofs["read"].id
    assert calls == ["POST /order", f"GET /order/{order}", f"PUT /order/{order}/:invoice", f"GET /invoice/{id}"]
    read = proofs["read"]
    made = box.books.things["invoice"][int(id)]
    assert read.facts["number"] == made["invoiceNumber"]
    assert read.facts["kid"] == made["kid"]
    assert Decimal(read.facts["gross"]) == Decimal("12500.00")
    assert Decimal(read.facts["net"]) == Decimal("10160.00")
    assert read.facts["voucher"] == "2027/2"  # the first run made the first
    record = read.record
    assert record is not None
    assert record.body["invoice"]["invoiceDueDate"] == "2027-01-29"
    assert record.body["order"]["reference"] == "PO 7"
    assert [line["vatType"]["number"] for line in record.body["order"]["orderLines"]] == ["3", "31"]
    books = {one["account"]: one["amount"] for one in _voucher(box, made)}
    assert books == {1500: Decimal("12500.00"), 3000: Decimal("-8160.00"), 3001: Decimal("-2000.00"),
                     2700: Decimal("-2040.00"), 2701: Decimal("-300.00")}  # fmt: skip


def _voucher(box: Sandbox, made: Any) -> list[dict[str, Any]]:
    postings = box.books.find(made["voucher"])["postings"]
    found = [box.books.find(link) for link in postings]
    return [{"account": box.books.find(p["account"])["number"], "amount": p["amount"]} for p in found]


async def test_nothing_is_ever_sent_to_the_customer(system: Accounting, box: Sandbox) -> None:
    id = await invoice(system)
    await reach(system, payment_goal(id))
    assert not box.books.outbox
    charging = [r for r in box.requests if r.path.endswith(("/:invoice", "/:createCreditNote", "/:send")) or
                (r.method, r.path) == ("POST", "/v2/invoice")]  # fmt: skip
    assert charging, "the test sees the calls it is about"
    assert all(r.query.get("sendToCustomer") == "false" for r in charging)


async def test_scenario_a2_a_payment(system: Accounting, box: Sandbox) -> None:
    id = await invoice(system)
    proofs = await reach(system, payment_goal(id))
    assert rows(box, id) == [Decimal("-5000.00")]
    record = proofs["read"].record
    assert record is not None
    assert record.id == proofs["payment"].id
    assert record.body["amount"] == Decimal("5000.00")
    assert record.body["invoice"]["id"] == int(id)
    assert record.body["paymentDate"] == "2027-02-01"
    assert record.body["posting"]["voucher"]["number"]


async def test_two_equal_instalments_are_two_rows(system: Accounting, box: Sandbox) -> None:
    id = await invoice(system)
    first = await reach(system, payment_goal(id, "1000.00", "m-1"))
    second = await reach(system, payment_goal(id, "1000.00", "m-2"))
    assert first["payment"].id != second["payment"].id
    assert rows(box, id) == [Decimal("-1000.00")] * 2


# --- nothing is guessed -----------------------------------------------------------------------------------------------


async def test_scenario_a7_totals_that_differ_stop_before_the_invoice() -> None:
    async with Sandbox(rounding="line") as box:
        system = opened(box)
        id = await customer(system)
        goal = invoice_goal(id, net="99.99", vat="25.00", gross="124.99")
        goal = with_order(goal, orderLines=[line("Vare", 1, "33.33", "3")] * 3)
        with pytest.raises(Stop) as stop:
            await reach(system, goal)
        assert stop.value.code == "totals-differ"
        assert "124.98" in stop.value.said
        assert stop.value.details["ours"] == {"net": "99.99", "vat": "25.00", "gross": "124.99", "rounding": "0"}
        assert stop.value.details["theirs"] == {"net": "99.99", "vat": "24.99", "gross": "124.98", "rounding": "0.00"}
        assert count(box, "invoice") == 0
        await system.close()
    async with Sandbox() as box:
        system = opened(box)
        goal = with_order(goal, customer={"id": await customer(system)})
        await reach(system, goal)
        assert count(box, "invoice") == 1
        await system.close()


async def test_totals_are_summed_from_the_lines_where_an_order_shows_none() -> None:
    async with Sandbox(preliminary=False) as box:
        system = opened(box)
        assert await invoice(system)
        with pytest.raises(Stop, match="12500"):
            await reach(system, invoice_goal(await customer(system), "m-9", gross="12500.01", vat="2340.01"))
        assert count(box, "invoice") == 1
        await system.close()


async def test_a_vat_code_that_is_not_legal_here_stops() -> None:
    async with Sandbox(vat_registered=False) as box:
        system = opened(box)
        with pytest.raises(Stop) as stop:
            await reach(system, invoice_goal(await customer(system)))
        assert stop.value.code == "vat-code-unknown"
        assert "3" not in stop.value.details["legal"]
        assert count(box, "order") == 0
        await system.close()


async def test_vat_codes_are_sent_by_the_id_of_this_company(system: Accounting, box: Sandbox) -> None:
    goal = invoice_goal(await customer(system), net="200.00", vat="23.11", gross="223.11")
    goal = with_order(goal, orderLines=[line("Fisk", 1, "100.00", number) for number in ("33", "32")])
    proofs = await reach(system, goal)
    sent = next(r.body for r in box.requests if (r.method, r.path) == ("POST", "/v2/order"))
    assert [line["vatType"] for line in sent["orderLines"]] == [{"id": 32}, {"id": 311}]
    assert proofs["read"].record is not None
    assert [line["vatType"]["number"] for line in proofs["read"].record.body["order"]["orderLines"]] == ["33", "32"]


async def test_a_payment_that_exceeds_what_is_open_is_not_pushed(system: Accounting, box: Sandbox) -> None:
    id = await invoice(system)
    box.payment(int(id), Decimal("12000.00"), date(2027, 1, 31))
    with pytest.raises(Stop) as stop:
        await reach(system, payment_goal(id, "500.01"))
    assert stop.value.code == "exceeds-open-amount"
    assert [Decimal(stop.value.details[name]) for name in ("open", "amount")] == [Decimal("500"), Decimal("500.01")]
    assert rows(box, id) == [Decimal("-12000.00")]


async def test_what_is_open_is_read_again_when_the_witness_is_old(system: Accounting, box: Sandbox) -> None:
    id = await invoice(system)
    goal = payment_goal(id, "12500.00")
    step = system.flow(goal)[0]
    assert step.witness is not None
    witness = {**await step.witness(Run(goal, {})), "at": 0}
    box.payment(int(id), Decimal("12500.00"), date(2027, 1, 31))
    with pytest.raises(Stop, match="open"):
        await step.call(Run(goal, {}, witness))


async def test_two_new_equal_rows_are_for_a_person(system: Accounting, box: Sandbox) -> None:
    id = await invoice(system)
    goal = payment_goal(id, "1000.00")
    box.fault("PUT /invoice/.*/:payment", "no-answer")
    step = system.flow(goal)[0]
    assert step.witness is not None
    assert step.look is not None
    run = Run(goal, {}, await step.witness(Run(goal, {})))
    with pytest.raises(UnknownOutcome):
        await step.call(run)
    box.payment(int(id), Decimal("1000.00"), date(2027, 2, 1))
    assert len(await step.look(run)) == 2


async def test_an_equal_row_of_before_is_not_taken_for_ours(system: Accounting, box: Sandbox) -> None:
    id = await invoice(system)
    old = box.payment(int(id), Decimal("5000.00"), date(2027, 2, 1))
    box.fault("PUT /invoice/.*/:payment", "no-answer")
    proofs = await reach(system, payment_goal(id))
    assert rows(box, id) == [Decimal("-5000.00")] * 2
    assert int(proofs["payment"].id) not in [link.id for link in old["postings"]]


async def test_a_foreign_payment_is_compared_in_the_currency_of_its_invoice(system: Accounting) -> None:
    goal = invoice_goal(await customer(system), net="1000.00", vat="0.00", gross="1000.00")
    goal = with_order(goal, currency={"code": "EUR"}, orderLines=[line("Eksport", 1, "1000.00", "52")])
    proofs = await reach(system, goal)
    id = proofs["read"].id
    paid = await reach(system, payment_goal(id, "6950.00", amountCurrency=Decimal("600.00")))
    assert paid["read"].record is not None
    assert paid["read"].record.body["amountCurrency"] == Decimal("600.00")
    assert paid["read"].record.body["currency"]["code"] == "EUR"
    with pytest.raises(Stop, match="400"):
        await reach(system, payment_goal(id, "4700.00", "m-2", amountCurrency=Decimal("400.01")))


INVOICE = invoice_goal("7")
DUE_FIRST = {**INVOICE.record, "invoice": {"invoiceDate": "2027-01-15", "invoiceDueDate": "2027-01-14"}}
TWO_PRICES = {"unitPriceExcludingVatCurrency": 1, "unitPriceIncludingVatCurrency": 1}


@pytest.mark.parametrize(
    ("goal", "code"),
    [
        (replace(INVOICE, operation="update", target="1"), "operation-not-supported"),
        (replace(INVOICE, totals=None), "totals-missing"),
        (replace(INVOICE, record=DUE_FIRST), "due-before-invoice"),
        (replace(INVOICE, record={**INVOICE.record, "invoice": {}}), "date-missing"),
        (with_order(INVOICE, orderLines=[TWO_PRICES]), "price-twice"),
        (payment_goal("7", "-1.00"), "payment-not-positive"),
        (payment_goal("7", "0.00"), "payment-not-positive"),
        (payment_goal("", "1.00"), "payment-without-invoice"),
        (Goal(Kind.CUSTOMER, "create", "m", {}), "name-missing"),
        (Goal(Kind.CUSTOMER, "update", "m", {"name": "x"}, target="abc"), "link-missing"),
    ],
)
async def test_what_cannot_be_is_refused_without_a_call(
    system: Accounting, box: Sandbox, goal: Goal, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        system.flow(goal)
    assert refused.value.code == code
    assert not box.requests


async def test_the_ledgers_own_refusal_comes_with_its_text_and_fields() -> None:
    async with Sandbox(bank_account=False) as box:
        system = opened(box)
        with pytest.raises(Refused) as refused:
            await invoice(system)
        assert refused.value.code == "bank-account-missing"
        assert "bankkontonummer" in (refused.value.said_by_vendor or "")
        assert refused.value.details["vendor_code"] == 18000
        assert refused.value.where["request_id"]
        assert count(box, "order") == 1
        box.books.rules.bank_account = True
        proofs = await reach(system, invoice_goal(await customer(system)), looks=1)
        assert proofs["read"].facts["number"]
        await system.close()


# --- whatever happens to any call -------------------------------------------------------------------------------------


async def test_a_customer_once_whatever_happens_to_any_call() -> None:
    async def check(box: Sandbox, given: None, proofs: Any, what: str) -> None:
        assert count(box, "customer") == 1, what
        assert proofs["read"].record.body["name"] == "Kjøper AS", what

    async def nothing(system: Accounting) -> None:
        return None

    assert await struck(nothing, lambda _: customer_goal(), check) > 30


async def test_a_customer_without_organisation_number_once() -> None:
    async def prepare(system: Accounting) -> None:
        await reach(system, customer_goal("m-namesake", organizationNumber=None, name="Kari Nordmann"))

    async def check(box: Sandbox, given: None, proofs: Any, what: str) -> None:
        assert count(box, "customer") == 2, what
        made = box.books.things["customer"][int(proofs["customer"].id)]
        assert made["description"] == "m-kari", what

    goal = customer_goal("m-kari", organizationNumber=None, name="Kari Nordmann")
    assert await struck(prepare, lambda _: goal, check) > 20


async def test_an_invoice_once_whatever_happens_to_any_call() -> None:
    async def check(box: Sandbox, given: str, proofs: Any, what: str) -> None:
        state = box.state()
        assert state["counts"]["invoice"] == 1, what
        assert state["balances"]["1500"] == Decimal("12500.00"), what
        assert sum(state["balances"].values()) == 0, what
        assert not box.books.outbox, what
        assert proofs["read"].facts["number"] == 10017, what

    assert await struck(customer, invoice_goal, check) > 50


async def test_a_payment_once_whatever_happens_to_any_call() -> None:
    async def check(box: Sandbox, given: str, proofs: Any, what: str) -> None:
        assert rows(box, given) == [Decimal("-5000.00")], what
        assert proofs["read"].record.id == proofs["payment"].id, what

    assert await struck(invoice, payment_goal, check) > 30


async def test_a_change_of_a_customer_comes_through_whatever_happens() -> None:
    async def check(box: Sandbox, given: str, proofs: Any, what: str) -> None:
        there = box.books.things["customer"][int(given)]
        assert there["email"] == "post@kjoper.no", what
        assert there["version"] == 2, what

    def goal(id: str) -> Goal:
        return Goal(Kind.CUSTOMER, "update", "m-2", {"name": "Kjøper AS", "email": "post@kjoper.no"}, target=id)

    assert await struck(customer, goal, check) > 25


async def test_an_invoice_that_a_lagging_read_does_not_show_is_not_made_twice(system: Accounting, box: Sandbox) -> None:
    """Should the settle time be too short: an order is invoiced once, and the refusal is taken for what it is."""
    goal = invoice_goal(await customer(system))
    box.fault("PUT /order/.*/:invoice", "no-answer")
    box.fault("GET /invoice", "stale", count=2)
    proofs = await reach(system, goal)
    assert count(box, "invoice") == 1
    assert proofs["invoice"].facts["number"] == 10017


async def test_several_orders_with_our_marker_are_for_a_person(system: Accounting, box: Sandbox, call: Any) -> None:
    id = await customer(system)
    await call.order(customer=int(id), number="m-invoice-1")
    box.fault("POST /order", "no-answer")
    with pytest.raises(SeveralFound):
        await reach(system, invoice_goal(id))


async def test_what_only_looks_like_ours_is_not_ours() -> None:
    async with Sandbox(loose_filters=True) as box:
        system = opened(box)
        await reach(system, customer_goal("m-0", organizationNumber="9747606735"))
        id = await customer(system)
        assert count(box, "customer") == 2
        other = await reach(system, invoice_goal(id, "m-invoice-10"))
        box.fault("POST /order", "no-answer-before")
        ours = await reach(system, invoice_goal(id, "m-invoice-1"))
        assert ours["order"].id != other["order"].id
        await system.close()


async def test_an_invoice_of_another_order_is_not_taken_for_ours(system: Accounting, box: Sandbox) -> None:
    id = await customer(system)
    other = await reach(system, invoice_goal(id, "m-other"))
    box.fault("PUT /order/.*/:invoice", "no-answer-before")
    ours = await reach(system, invoice_goal(id))
    assert ours["invoice"].id != other["invoice"].id
    assert count(box, "invoice") == 2


async def test_money_taken_is_not_pushed_again_because_its_row_could_not_be_read(
    system: Accounting, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await invoice(system)
    goal = payment_goal(id)
    step = system.flow(goal)[0]
    assert step.witness is not None
    assert step.look is not None
    run = Run(goal, {}, await step.witness(Run(goal, {})))
    book = box.books.pay

    def somebody_else_first(day: date, payments: Any, debit: Any) -> Any:
        other = [(payments[0][0], Decimal("700.00"), Decimal("700.00"))]
        book(day, other, debit)  # two new rows: the answer does not say which is ours
        return book(day, payments, debit)

    monkeypatch.setattr(box.books, "pay", somebody_else_first)
    box.fault("GET /invoice/[0-9]+", "500-before", count=3, after=1)
    with pytest.raises(UnknownOutcome):
        await step.call(run)
    assert [proof.id for proof in await step.look(run)] == [str(_latest_payment(box))]
    assert rows(box, id) == [Decimal("-700.00"), Decimal("-5000.00")]


def _latest_payment(box: Sandbox) -> int:
    return max(p["id"] for p in box.books.all("posting") if p.get("type") == "INCOMING_PAYMENT")


async def test_a_used_up_period_is_waited_for_without_calls() -> None:
    async with Sandbox(rate_limit=3) as box:
        system = opened(box)
        for _ in range(3):
            await system.read(Kind.CUSTOMER, "1")
        before = len(box.requests)
        with pytest.raises(TryLater) as later:
            await system.read(Kind.CUSTOMER, "1")
        assert later.value.code == "rate-limited"
        assert 0 < (later.value.after or 0) <= 61
        assert len(box.requests) == before
        await system.close()
