"""Totals of what we compose. The official rules themselves judge the same documents in tests/ehf/test_composed.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from connector.model import Draft, Line, Totals, Uncomposable, compose, judge, round2
from connector.model.money import total
from tests.model.documents import BUYER, SELLER, drafts


def line(number: int = 1, quantity: str = "1", price: str | None = "33.33", **more: Any) -> Line:
    fields = {"id": str(number), "quantity": quantity, "price": price, "vat_category": "S", "vat_rate": "25", **more}
    return Line(**fields)


def draft(*lines: Line, **more: Any) -> Draft:
    return Draft(**{"currency": "NOK", "seller": SELLER, "buyer": BUYER, "lines": lines, **more})


def totals(composed: Any) -> Totals:
    assert composed.totals is not None
    return composed.totals


def test_three_lines_of_33_33() -> None:
    made = totals(compose(draft(line(1), line(2), line(3))))
    assert (made.line_total, made.tax, made.payable) == (Decimal("99.99"), Decimal("25.00"), Decimal("124.99"))
    whole = totals(compose(draft(line(1), line(2), line(3), round_payable_to="1")))
    assert (whole.rounding, whole.payable, whole.tax_inclusive) == (Decimal("0.01"), Decimal(125), Decimal("124.99"))


def test_scenario_a_with_a_prepaid_amount() -> None:
    hours = line(1, "8", "1020.00")
    lunch = line(2, "20", "100.00", vat_rate="15")
    made = totals(compose(draft(hours, lunch, prepaid="4000.00")))
    assert (made.tax_exclusive, made.tax, made.tax_inclusive) == (Decimal(10160), Decimal(2340), Decimal(12500))
    assert (made.prepaid, made.payable) == (Decimal(4000), Decimal(8500))


def test_what_a_consumer_saw_is_what_is_paid() -> None:
    made = compose(draft(*(line(n, "1", "9.99") for n in range(1, 8)), prices_include_vat=True))
    assert totals(made).payable == Decimal("69.93")
    assert total(each.net or Decimal(0) for each in made.lines) == made.vat_breakdown[0].taxable_amount
    assert {each.price for each in made.lines} == {Decimal("7.992")}


@settings(max_examples=150, deadline=None)
@given(drafts())
def test_composed_documents_judge_clean(given_draft: Draft) -> None:
    assert judge(compose(given_draft)) == []


@settings(max_examples=150, deadline=None)
@given(drafts(prices_include_vat=True, prepaid=None))
def test_gross_sums_are_kept_to_the_oere(given_draft: Draft) -> None:
    """The same figures taken without VAT give the sum the consumer saw."""
    seen = compose(given_draft.model_copy(update={"prices_include_vat": False}))
    made = compose(given_draft)
    assert totals(made).tax_inclusive == totals(seen).tax_exclusive
    for part in made.vat_breakdown:
        exact = (part.taxable_amount or Decimal(0)) * (part.rate or Decimal(0)) / 100
        assert abs(part.tax_amount - exact) < Decimal("0.02")


@settings(max_examples=50, deadline=None)
@given(drafts())
def test_every_amount_has_two_decimals(given_draft: Draft) -> None:
    made = compose(given_draft)
    amounts = [*totals(made).model_dump().values(), *(each.net for each in made.lines)]
    amounts += [part.tax_amount for part in made.vat_breakdown] + [part.taxable_amount for part in made.vat_breakdown]
    assert all(amount is None or amount == round2(amount) for amount in amounts)


def test_one_rate_written_twice_is_one_group() -> None:
    made = compose(draft(line(1, vat_rate="25"), line(2, vat_rate="25.00")))
    assert len(made.vat_breakdown) == 1


def test_percentages_are_of_the_lines_of_their_group() -> None:
    item = {"is_charge": False, "percent": "10", "vat_category": "S", "vat_rate": "15", "reason": "Rabatt"}
    made = compose(draft(line(1, "1", "100"), line(2, "1", "200", vat_rate="15"), allowances_charges=[item]))
    assert (made.allowances_charges[0].base, made.allowances_charges[0].amount) == (Decimal(200), Decimal(20))


def test_a_negative_price_becomes_a_negative_quantity() -> None:
    made = compose(draft(line(1, "2", "-50")))
    assert (made.lines[0].quantity, made.lines[0].price, made.lines[0].net) == (Decimal(-2), Decimal(50), Decimal(-100))


def test_reasons_for_no_vat_come_into_the_breakdown() -> None:
    reason = "Unntatt merverdiavgift"
    made = compose(draft(line(1), line(2, vat_category="E", vat_rate=None, vat_exemption_reason=reason)))
    assert made.vat_breakdown[1].exemption_reason == reason
    assert made.vat_breakdown[1].rate == Decimal(0)
    export = compose(draft(line(1, vat_category="G", vat_rate=None)))
    assert export.vat_breakdown[0].exemption_code == "VATEX-EU-G"


def test_a_currency_without_minor_unit_is_paid_whole() -> None:
    made = totals(compose(draft(line(1, "1", "100.40"), currency="JPY")))
    assert (made.tax_inclusive, made.rounding, made.payable) == (Decimal("125.50"), Decimal("0.50"), Decimal(126))


def test_vat_in_the_accounting_currency_is_stated_never_computed() -> None:
    made = compose(
        draft(line(1, "1", "1000"), currency="EUR", tax_currency="NOK", tax_in_accounting_currency="2875.00")
    )
    assert totals(made).tax_in_accounting_currency == Decimal("2875.00")


@pytest.mark.parametrize(
    ("lines", "more", "codes"),
    [
        ([line(price=None)], {}, ["price-missing"]),
        ([line(vat_category=None)], {}, ["vat-category-missing"]),
        ([line(vat_rate=None)], {}, ["vat-rate-missing"]),
        ([line(vat_rate="-25")], {}, ["vat-rate-negative"]),
        ([line(vat_category="Z")], {}, ["vat-rate-not-zero"]),
        ([line(base_quantity="0")], {}, ["base-quantity"]),
        ([line(gross_price="40", price_discount="1")], {}, ["price-clash"]),
        ([line(price_discount="1")], {}, ["price-clash"]),
        ([line(net="33.34")], {}, ["line-net-differs"]),
        ([line(), line(2, quantity=None)], {}, ["quantity-missing"]),  # type: ignore[arg-type]
        ([line(price=None, vat_category=None)], {}, ["price-missing", "vat-category-missing"]),
        ([line(allowances_charges=[{"is_charge": True}])], {}, ["amount-missing"]),
        ([line(allowances_charges=[{"is_charge": True, "amount": "0.001"}])], {}, ["too-many-decimals"]),
        ([line()], {"totals": {"payable": "1"}}, ["totals-stated"]),
        ([line()], {"tax_currency": "EUR"}, ["accounting-tax-incomplete"]),
        ([line()], {"round_payable_to": "0"}, ["rounding-unit"]),
    ],
)
def test_what_cannot_be_composed_is_said_all_at_once(lines: list[Line], more: dict[str, Any], codes: list[str]) -> None:
    with pytest.raises(Uncomposable) as caught:
        compose(draft(*lines, **more))
    assert [problem.code for problem in caught.value.problems] == codes


def test_a_ledger_that_rounds_per_line_is_seen() -> None:
    made = compose(draft(line(1), line(2), line(3)))
    theirs = made.model_copy(update={"totals": totals(made).model_copy(update={"tax": Decimal("24.99")})})
    assert [(each.rule, each.stated, each.computed) for each in judge(theirs)] == [
        ("BR-CO-14", Decimal("24.99"), Decimal("25.00")),
        ("BR-CO-15", Decimal("124.99"), Decimal("124.98")),
    ]


def test_stated_vat_within_the_tolerance_is_no_difference() -> None:
    made = compose(draft(line(1, "1", "10000")))
    stated = made.model_copy(
        update={
            "vat_breakdown": (made.vat_breakdown[0].model_copy(update={"tax_amount": Decimal("2499.99")}),),
            "totals": Totals(
                line_total="10000", tax_exclusive="10000", tax="2499.99", tax_inclusive="12499.99", payable="12499.99"
            ),
        }
    )
    assert judge(stated) == []
    off_by_one = made.vat_breakdown[0].model_copy(update={"tax_amount": Decimal("2499.00")})
    assert "BR-CO-17" in [each.rule for each in judge(made.model_copy(update={"vat_breakdown": (off_by_one,)}))]
