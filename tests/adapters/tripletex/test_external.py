"""What was issued elsewhere: rows and their VAT, matching, own numbers, and what is refused."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.accounting.tripletex import Settings
from adapters.accounting.tripletex.closing import fitting
from adapters.accounting.tripletex.external import external_number
from adapters.accounting.tripletex.income import Analysis, Income, grouped, with_vat
from adapters.accounting.tripletex.kroner import in_kroner
from adapters.accounting.tripletex.ore import tax_of
from adapters.accounting.tripletex.sandbox import Sandbox
from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.things import Thing
from connector.errors import NeedsPerson, Refused, Stop
from connector.ports import Accounting, Issued, Kind, Totals

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import (
    customer_goal,
    external_credit_goal,
    external_goal,
    invoice_goal,
    money_goal,
    opened,
    reach,
)

RATES = {"3": Decimal(25), "31": Decimal(15), "32": Decimal("11.11"), "6": Decimal(0), "51": Decimal(0)}


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    made = opened(box)
    yield made
    await made.close()


async def customer(system: Accounting) -> str:
    return (await reach(system, customer_goal()))["read"].id


def posting(box: Sandbox, id: str) -> Thing:
    return box.books.things["posting"][int(id)]


# --- rows and VAT -----------------------------------------------------------------------------------------------------

LINES = st.lists(
    st.builds(
        lambda code, account, department, net: {
            "amount": net, "vatType": {"number": code}, "account": {"number": account},
            **({"department": {"id": department}} if department else {}),
        },
        st.sampled_from(sorted(RATES)),
        st.sampled_from([3000, 3010, 3020]),
        st.sampled_from([None, 10, 20]),
        st.decimals(-9999, 99999, places=2),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def bases_of(rows: list[Income]) -> dict[Decimal, Decimal]:
    bases: dict[Decimal, Decimal] = {}
    for row in rows:
        bases[row.percent] = bases.get(row.percent, Decimal(0)) + row.net
    return bases


def taxed(row: Income, gross: Decimal) -> Decimal:
    """The VAT that the sandbox books of a row of this gross amount."""
    vat = Thing("vatType", number=row.code, percentage=row.percent, deductionPercentage=Decimal(100))
    return sum((tax for tax, _ in Books().without_vat(gross, vat)[1]), Decimal(0))


@settings(deadline=None)
@given(LINES, st.sampled_from([0, 0, 0, 1, -1]))
def test_what_passes_is_what_the_ledger_will_book(lines: list[dict[str, Any]], off: int) -> None:
    """VAT as a document states it, for each rate on the whole base: what is let through, the ledger computes alike."""
    rows = grouped({"lines": lines}, RATES)
    assert sum((row.net for row in rows), Decimal(0)) == sum(line["amount"] for line in lines)
    bases = bases_of(rows)
    stated = [
        {
            "percentage": rate,
            "amount": (base * rate / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
            + (Decimal(off) / 100 if rate else 0),
        }
        for rate, base in bases.items()
    ]
    made: list[Income] = []
    with suppress(Stop) if off else nullcontext():
        made = with_vat(rows, stated)
    if not made:
        return
    assert [(row.account, row.code, row.analysis) for row in made] == [
        (row.account, row.code, row.analysis) for row in rows
    ]
    assert sum((row.gross for row in made), Decimal(0)) == sum((row.net for row in rows), Decimal(0)) + sum(
        one["amount"] for one in stated
    )
    assert all(abs(row.net - was.net) <= Decimal("0.05") for row, was in zip(made, rows, strict=True))
    for one in stated:
        assert sum(taxed(row, row.gross) for row in made if row.percent == one["percentage"]) == one["amount"]


def test_rows_are_as_many_as_the_departments_of_an_account() -> None:
    common: dict[str, Any] = {"vatType": {"number": "3"}, "account": {"number": 3000}, "amount": Decimal(100)}
    free = [{"dimension": {"dimensionName": "Kampanje"}, "number": "K1"}]
    record = {
        "department": {"id": 10},
        "dimensions": free,
        "lines": [
            common,
            common | {"department": {"id": 20}},
            common | {"project": {"id": 7}},
            common | {"dimensions": [free[0] | {"number": "K2"}]},
            common | {"department": {"id": 10}, "dimensions": free},
        ],
        "adjustments": [common | {"isCharge": False, "amount": Decimal(5)}],
    }
    rows = grouped(record, RATES)
    assert [(row.net, row.analysis) for row in rows] == [
        (Decimal(195), Analysis(10, free=(("Kampanje", "K1"),))),
        (Decimal(100), Analysis(20, free=(("Kampanje", "K1"),))),
        (Decimal(100), Analysis(10, 7, free=(("Kampanje", "K1"),))),
        (Decimal(100), Analysis(10, free=(("Kampanje", "K2"),))),
    ]


def test_many_rows_of_one_rate_take_no_time() -> None:
    rows = [Income(3000, "3", Decimal(25), Decimal("33.33"), analysis=Analysis(id)) for id in range(300)]
    began = time.monotonic()
    made = with_vat(rows, [{"percentage": 25, "amount": Decimal("2499.75")}])
    assert sum(row.vat for row in made) == Decimal("2499.75")
    assert time.monotonic() - began < 10


def test_no_row_has_parts_of_an_ore() -> None:
    rows = [Income(3000, "3", Decimal(25), Decimal("33.333"))]
    with pytest.raises(Stop) as stop:
        with_vat(rows, [{"percentage": 25, "amount": Decimal("8.33")}])
    assert stop.value.code == "amount-too-fine"


# --- in another currency ----------------------------------------------------------------------------------------------

KRONER_PER_UNIT = st.decimals("0.05", "25", places=4)


@settings(deadline=None)
@given(LINES, KRONER_PER_UNIT, st.decimals("-0.49", "0.49", places=2))
def test_rows_in_kroner_come_to_nothing_and_to_the_vat_that_is_stated(
    lines: list[dict[str, Any]], rate: Decimal, rounding: Decimal
) -> None:
    """The VAT in kroner as a document states it by the same rate: rounding is no difference, and no øre is left."""
    rows = grouped({"lines": lines}, RATES)
    stated = [
        {"percentage": percent, "amount": (base * percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)}
        for percent, base in bases_of(rows).items()
    ]
    made = with_vat(rows, stated)
    net, vat = sum((row.net for row in made), Decimal(0)), sum((row.vat for row in made), Decimal(0))
    totals = Totals("EUR", net, vat, net + vat, rounding)
    plain = in_kroner(made, rounding, rate, totals)
    whole = ((net + vat + rounding) * rate).quantize(Decimal("0.01"), ROUND_HALF_DOWN if net < 0 else ROUND_HALF_UP)
    assert abs(sum(plain, Decimal(0)) - whole) <= Decimal("0.01")
    assert all(abs(kroner - row.gross * rate) <= Decimal("0.01") for kroner, row in zip(plain, made, strict=False))

    said = (vat * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
    kroner = in_kroner(made, rounding, rate, replace(totals, vat_currency="NOK", stated_vat=said))
    assert sum((taxed(row, one) for row, one in zip(made, kroner, strict=False)), Decimal(0)) == said
    assert kroner[-1] == plain[-1]
    most = len(made) * (rate + 2) * Decimal("0.1")
    assert abs(sum(kroner, Decimal(0)) - sum(plain, Decimal(0))) <= most


@pytest.mark.parametrize("off", ["0.08", "-0.08", "5.75"])
def test_more_than_rounding_is_another_rate(off: str) -> None:
    rows = [Income(3000, "3", Decimal(25), Decimal(1000), Decimal(250))]
    totals = Totals("EUR", Decimal(1000), Decimal(250), Decimal(1250), Decimal(0), "NOK", Decimal(2875) - Decimal(off))
    with pytest.raises(Stop) as stop:
        in_kroner(rows, Decimal(0), Decimal("11.50"), totals)
    assert stop.value.code == "totals-differ"
    assert stop.value.details["difference"] == off.removeprefix("-")
    assert stop.value.details["theirs"] == {"vat": "2875.00"}


@given(st.integers(-(10**9), 10**9), st.sampled_from(["25", "15", "12", "11.11", "0"]))
def test_the_vat_of_a_row_is_what_the_ledger_makes_of_it(ore: int, percent: str) -> None:
    row = Income(3000, "3", Decimal(percent), Decimal(0))
    assert tax_of(Decimal(ore) / 100, row.percent) == taxed(row, Decimal(ore) / 100)


def test_several_accounts_of_one_rate_share_its_vat() -> None:
    rows = [Income(account, "3", Decimal(25), Decimal("33.33")) for account in (3000, 3010, 3020)]
    made = with_vat(rows, [{"percentage": 25, "amount": Decimal("25.00")}])
    assert sorted(row.vat for row in made) == [Decimal("8.33"), Decimal("8.33"), Decimal("8.34")]


@pytest.mark.parametrize(
    ("stated", "rate"),
    [
        ([{"percentage": 25, "amount": Decimal("2499.99")}], "25"),
        ([], "25"),
        ([{"percentage": 25, "amount": Decimal(2500)}, {"percentage": 15, "amount": Decimal(1)}], "15"),
    ],
)
def test_vat_that_is_none_of_its_rate_stops(stated: list[dict[str, Any]], rate: str) -> None:
    rows = [Income(3000, "3", Decimal(25), Decimal(10000))]
    with pytest.raises(Stop) as stop:
        with_vat(rows, stated)
    assert (stop.value.code, stop.value.details["rates"][0]["rate"]) == ("vat-differs", rate)


def test_allowances_and_charges_are_income_too() -> None:
    common: dict[str, Any] = {"vatType": {"number": "3"}, "account": {"number": 3000}}
    record = {
        "lines": [{"amount": Decimal(100), **common}],
        "adjustments": [
            {"amount": Decimal(30), "isCharge": False, **common},
            {"amount": Decimal(5), "isCharge": True, **common},
        ],
    }
    assert [row.net for row in grouped(record, RATES)] == [Decimal(75)]


# --- matching ---------------------------------------------------------------------------------------------------------


def row(id: int, amount: int, **more: Any) -> dict[str, Any]:
    return {"id": id, "amount": amount, "account": {"id": 1500}, **more}


def euro(id: int, amount: int, kroner: int) -> dict[str, Any]:
    return row(id, kroner, amountCurrency=amount, currency={"id": 5, "code": "EUR"})


@pytest.mark.parametrize(
    ("own", "other", "same", "closed"),
    [
        (row(2, -100), row(1, 100), [], [1, 2]),
        (row(2, -60), row(1, 100), [row(3, -40)], [1, 2, 3]),
        (row(2, -60), row(1, 100), [], []),
        (row(2, -100), row(1, 100), [row(3, -40)], [1, 2]),
        (row(2, -100) | {"account": {"id": 1920}}, row(1, 100), [], []),
        (row(2, -60), row(1, 100), [row(3, -40) | {"account": {"id": 1501}}], []),
        (euro(2, -100, -1170), euro(1, 100, 1150), [], [1, 2]),
        (euro(2, -60, -690), euro(1, 100, 1150), [euro(3, -40, -480)], [1, 2, 3]),
        (euro(2, -100, -1150), euro(1, 90, 1150), [], []),
        (row(2, -1150), euro(1, 100, 1150), [], [1, 2]),
        (row(2, -100), euro(1, 100, 1150), [], []),
    ],
)
def test_which_rows_are_closed_together(own: Any, other: Any, same: Any, closed: list[int]) -> None:
    assert fitting(own, other, same) == closed


@pytest.mark.parametrize("refusal", ["message", "error"])
async def test_rows_that_are_matched_in_the_same_moment_are_matched(
    box: Sandbox, system: Accounting, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.books.rules.close_refusal = refusal
    id = (await reach(system, external_goal(await customer(system))))["read"].id
    unclosable = box.books.unclosable

    def closed_by_somebody(rows: list[Thing]) -> str | None:
        if unclosable(rows) is None:
            box.books.close(rows, date(2027, 3, 12))
        return unclosable(rows)

    monkeypatch.setattr(box.books, "unclosable", closed_by_somebody)
    made = await reach(system, money_goal("m-1", "12500.00", settles={"id": id}))
    assert posting(box, made["read"].id)["closeGroup"] == posting(box, id)["closeGroup"]
    assert len(box.books.things["closeGroup"]) == 1


async def test_a_credit_says_what_of_it_stands_against_its_invoice(box: Sandbox, system: Accounting) -> None:
    buyer = await customer(system)
    invoice = (await reach(system, external_goal(buyer)))["read"].id
    await reach(system, money_goal("m-1", "10000.00", settles={"id": invoice}))
    note = (await reach(system, external_credit_goal(buyer, invoice)))["read"]
    assert note.record is not None
    assert note.record.body["applied"] == Decimal("2500.00")
    await reach(system, money_goal("m-2", "625.00", settles={"id": note.id}, isRefund=True))
    assert posting(box, note.id)["closeGroup"] == posting(box, invoice)["closeGroup"], "all four come to nothing"

    second = (await reach(system, external_goal(buyer, "c-" + "3" * 24, invoiceNumber="A-18")))["read"].id
    await reach(system, money_goal("m-3", "12500.00", settles={"id": second}))
    late = (await reach(system, external_credit_goal(buyer, second, "c-" + "4" * 24)))["read"]
    assert late.record is not None
    assert late.record.body["applied"] == 0


# --- once -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["no-answer", "500-after", "garbled", "no-answer-before", "500-before"])
@pytest.mark.parametrize(
    "call", [r"POST /ledger/voucher$", "POST /ledger/voucher/.*/attachment", "PUT /ledger/posting"]
)
async def test_lost_answers(box: Sandbox, system: Accounting, fault: str, call: str) -> None:
    buyer = await customer(system)
    invoice = (await reach(system, external_goal(buyer)))["read"].id
    box.fault(call, fault)
    note = (await reach(system, external_credit_goal(buyer, invoice)))["read"]
    box.fault(call, fault)
    await reach(system, money_goal("m-1", "9375.00", settles={"id": invoice}))
    vouchers = list(box.books.things["voucher"].values())
    assert len(vouchers) == 3
    kept = [box.books.find(one["attachment"]) for one in vouchers if one.get("attachment")]
    assert [len(one["_uploads"]) for one in kept] == [1, 1]
    assert posting(box, note.id)["closeGroup"] == posting(box, invoice)["closeGroup"]


def test_a_long_number_leaves_room_for_the_marker() -> None:
    goal = external_goal("7", invoiceNumber="N" * 90)
    assert len(external_number(goal)) == 70
    assert external_number(goal).endswith(goal.marker)


async def test_without_the_right_nothing_is_booked(box: Sandbox, system: Accounting) -> None:
    buyer = await customer(system)
    box.shrink("advanced_voucher")
    with pytest.raises(NeedsPerson) as error:
        await reach(system, external_goal(buyer))
    assert error.value.code == "right-missing"
    assert box.books.things.get("voucher", {}) == {}


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        ((), []),
        (("advanced_voucher",), ["Advanced Voucher (Avansert bilag)"]),
        (("voucher", "advanced_voucher"), ["Vouchers (Bilag)", "Advanced Voucher (Avansert bilag)"]),
    ],
)
async def test_the_probe_names_what_vouchers_need(
    box: Sandbox, system: Accounting, rights: tuple[str, ...], missing: list[str]
) -> None:
    box.shrink(*rights)
    found = await system.probe()
    assert list(found.missing) == missing
    assert any(one.startswith("Advanced Voucher") for one in found.needs)


async def test_the_probe_names_registers_that_may_not_be_read(box: Sandbox, system: Accounting) -> None:
    box.books.rules.without_right = "403"
    box.shrink("product", "department", "project")
    missing = [one.split(" (")[0] for one in (await system.probe()).missing]
    assert missing == ["Products", "Departments", "Projects"]


# --- payments that somebody else books --------------------------------------------------------------------------------


async def test_a_payment_row_names_the_invoice_it_settles(box: Sandbox, system: Accounting) -> None:
    buyer = await customer(system)
    first = (await reach(system, external_goal(buyer)))["read"].id
    other = (await reach(system, external_goal(buyer, "c-" + "5" * 24, invoiceNumber="A-18")))["read"].id
    box.payment_on(int(other), Decimal(100), date(2027, 2, 1))
    page = await system.sweep(Kind.PAYMENT, date(2027, 1, 1), date(2028, 1, 1), None)
    (record,) = page.records
    assert (record.body["settles"], record.body.get("invoice")) == ({"id": int(other)}, None)

    # Without a number, what it was matched with tells.
    books = box.books
    plain = {"account": books.account(1500), "customer": posting(box, first)["customer"], "type": "INCOMING_PAYMENT"}
    bank = {"account": books.account(1920), "amount": Decimal(12500), "amountCurrency": Decimal(12500)}
    paid = books.book(
        date(2027, 2, 2), "Bank", [bank, {**plain, "amount": Decimal(-12500), "amountCurrency": Decimal(-12500)}]
    )
    own = books.find(paid["postings"][1])
    loose = await system.read(Kind.PAYMENT, str(own["id"]))
    assert loose is not None
    assert "settles" not in loose.body
    books.close([own, posting(box, first)], date(2027, 2, 2))
    matched = await system.read(Kind.PAYMENT, str(own["id"]))
    assert matched is not None
    assert matched.body["settles"] == {"id": int(first)}


# --- under its own number ---------------------------------------------------------------------------------------------


def numbered(customer: str, number: str = "4711", kid: str | None = None) -> Any:
    return replace(invoice_goal(customer), operation="register", issued=Issued(number, kid))


def confirmed(box: Sandbox) -> Accounting:
    return opened(box, external_invoices="invoice", nothing_invoiced_here=True)


def test_own_numbers_need_to_be_confirmed() -> None:
    with pytest.raises(ValidationError, match="confirm that nothing is invoiced inside Tripletex"):
        Settings(external_invoices="invoice")


async def test_what_is_not_set_cannot_be_done(box: Sandbox) -> None:
    assert (Kind.INVOICE, "register") not in opened(box).capabilities
    table = confirmed(box).capabilities
    assert (Kind.INVOICE, "register") in table
    assert (Kind.EXTERNAL_INVOICE, "create") not in table
    assert (Kind.EXTERNAL_CREDIT_NOTE, "create") not in table


@pytest.mark.parametrize("fault", ["", "no-answer", "500-after", "no-answer-before"])
async def test_it_keeps_its_number(box: Sandbox, fault: str) -> None:
    box.books.rules.keeps_kid = True
    system = confirmed(box)
    buyer = await customer(system)
    if fault:
        box.fault("POST /invoice$", fault)
    proof = (await reach(system, numbered(buyer, kid="0000100172")))["read"]
    (made,) = [one for one in box.books.things["invoice"].values() if one["isCharged"]]
    assert (made["invoiceNumber"], made["kid"], made["invoiceDueDate"]) == (4711, "0000100172", "2027-01-29")
    assert (proof.id, proof.facts["number"]) == (str(made["id"]), 4711)
    assert box.books.outbox == []


async def test_a_kid_that_is_not_kept_is_a_stop(box: Sandbox) -> None:
    system = confirmed(box)
    with pytest.raises(Stop) as stop:
        await reach(system, numbered(await customer(system), kid="0000100172"))
    assert stop.value.code == "kid-differs"


@pytest.mark.parametrize("number", ["A-17", "0042", "3000000000", "", "0"])
async def test_numbers_that_are_none_of_tripletex(box: Sandbox, number: str) -> None:
    with pytest.raises(Refused) as refused:
        confirmed(box).flow(numbered("7", number))
    assert refused.value.code == "number-not-numeric"


async def test_its_totals_are_compared_before_it_is_numbered(box: Sandbox) -> None:
    system = confirmed(box)
    goal = numbered(await customer(system))
    assert goal.totals is not None
    with pytest.raises(Stop) as stop:
        await reach(system, replace(goal, totals=replace(goal.totals, gross=Decimal(1))))
    assert stop.value.code == "totals-differ"
    assert not [one for one in box.books.things["invoice"].values() if one["isCharged"]]
