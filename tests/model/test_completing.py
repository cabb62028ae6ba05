"""What a stated document does not state follows from its lines, where they come to what it states."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import CreditNote, Draft, Invoice, Line, Party, Totals, completed, compose, judge

SELLER, BUYER = Party.norwegian("923609016", "Fjord AS"), Party.norwegian("974760673", "Eksempel AS")


def line(id: str, net: str, rate: str = "25") -> Line:
    return Line(id=id, name="Vare", quantity=Decimal(1), price=Decimal(net), vat_category="S", vat_rate=Decimal(rate))


def stated(lines: list[Line], model: type[Invoice] = Invoice, **totals: Any) -> Invoice:
    said = {name: Decimal(value) for name, value in totals.items()}
    return model(currency="NOK", seller=SELLER, buyer=BUYER, lines=tuple(lines), totals=Totals(**said))


def test_sums_alone() -> None:
    made = completed(stated([line("1", "1000"), line("2", "200", "15")], tax_exclusive="1200", payable="1480"))
    assert made.totals is not None
    assert (made.totals.tax_inclusive, made.totals.tax) == (Decimal(1480), Decimal(280))
    assert [group.tax_amount for group in made.vat_breakdown] == [Decimal(250), Decimal(30)]
    assert judge(made) == []


def test_a_credit_note_stays_one() -> None:
    made = completed(stated([line("1", "1000")], CreditNote, tax_exclusive="1000", payable="1250"))
    assert isinstance(made, CreditNote)
    assert made.vat_breakdown[0].tax_amount == Decimal(250)


def test_whole_kroner_and_what_was_paid_before() -> None:
    said = stated([line("1", "99.99")], tax_exclusive="99.99", rounding="0.01", prepaid="25", payable="100.00")
    made = completed(said)
    assert made.totals is not None
    assert (made.totals.tax_inclusive, made.totals.rounding) == (Decimal("124.99"), Decimal("0.01"))
    assert judge(made) == []


def test_vat_as_the_issuer_has_rounded_it() -> None:
    """Three lines of 0,33 each with 25 %: 0,24 line by line, 0,25 on the sum."""
    made = completed(stated([line(str(n), "0.33") for n in range(3)], tax_exclusive="0.99", payable="1.23"))
    assert [group.tax_amount for group in made.vat_breakdown] == [Decimal("0.24")]


@pytest.mark.parametrize("payable", ["1479.99", "1480.01", "1000"])
def test_what_does_not_come_out_is_left_as_it_is(payable: str) -> None:
    said = stated([line("1", "1000"), line("2", "200", "15")], tax_exclusive="1200", payable=payable)
    assert completed(said) is said


def test_a_net_that_the_lines_do_not_make_is_left_as_it_is() -> None:
    said = stated([line("1", "1000")], tax_exclusive="1100", payable="1350")
    assert completed(said) is said


@pytest.mark.parametrize("payable", ["125.80", "125.01", "124.99"])
def test_a_difference_that_no_rounding_of_lines_makes_is_no_vat(payable: str) -> None:
    said = stated([line("1", "100")], tax_exclusive="100", payable=payable)
    assert completed(said) is said


def test_nothing_is_made_vat_where_there_is_none() -> None:
    zero = line("1", "100").model_copy(update={"vat_category": "Z", "vat_rate": Decimal(0)})
    said = stated([zero], tax_exclusive="100", payable="100.01")
    assert completed(said) is said


def test_a_breakdown_that_is_stated_stays() -> None:
    whole = completed(stated([line("1", "100")], tax_exclusive="100", payable="125"))
    group = whole.vat_breakdown[0].model_copy(update={"taxable_amount": Decimal(90), "tax_amount": Decimal("22.50")})
    said = stated([line("1", "100")], tax_exclusive="100", payable="125").model_copy(update={"vat_breakdown": (group,)})
    assert completed(said) is said


@given(
    nets=st.lists(st.tuples(st.integers(1, 10**7), st.sampled_from(["25", "15", "12"])), min_size=1, max_size=6),
)
def test_it_is_what_composing_makes(nets: list[tuple[int, str]]) -> None:
    lines = [line(str(n), str(Decimal(net) / 100), rate) for n, (net, rate) in enumerate(nets)]
    whole = compose(Draft(currency="NOK", seller=SELLER, buyer=BUYER, lines=tuple(lines)))
    assert whole.totals is not None
    sums = {"tax_exclusive": str(whole.totals.tax_exclusive), "payable": str(whole.totals.payable)}
    made = completed(stated(lines, **sums))
    assert (made.totals, made.vat_breakdown) == (whole.totals, whole.vat_breakdown)
