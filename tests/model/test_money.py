from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from connector.model import Amount, Currency, from_minor, minor_units, parse_decimal, plain, round2, round_to, to_minor

NUMBERS = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("number", "rounded"),
    [("2.345", "2.35"), ("-2.345", "-2.34"), ("-2.346", "-2.35"), ("0.005", "0.01"), ("-0.005", "0.00"), ("1", "1.00")],
)
def test_halves_go_towards_plus_infinity(number: str, rounded: str) -> None:
    assert round2(Decimal(number)) == Decimal(rounded)


@given(NUMBERS)
def test_rounding_is_the_floor_of_hundredths_and_a_half(number: Decimal) -> None:
    assert Fraction(round2(number)) == Fraction(math.floor(Fraction(number) * 100 + Fraction(1, 2)), 100)


def test_more_digits_than_the_usual_context_stay_exact() -> None:
    assert round2(Decimal("12345678901234567890123456789012.345")) == Decimal("12345678901234567890123456789012.35")


@pytest.mark.parametrize("value", ["1e3", "1E3", "NaN", "Infinity", "1,50", "1 000", "", "0x10", "१२", "--1", "."])
def test_only_plain_numbers_are_numbers(value: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_decimal(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "float-refused"),
        (True, "number-malformed"),
        ("9" * 35, "number-too-long"),
        (10**34, "number-too-long"),
        (Decimal("1E+40"), "number-too-long"),
        (Decimal("1E-40"), "number-too-long"),
        (None, "number-malformed"),
    ],
)
def test_refusals_have_codes(value: object, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Amount).validate_python(value)
    assert caught.value.errors()[0]["type"] == code


def test_a_json_number_with_decimals_is_refused_as_float() -> None:
    with pytest.raises(ValidationError, match="floating-point"):
        TypeAdapter(Amount).validate_json("1.10")
    assert TypeAdapter(Amount).validate_json('"1.10"') == Decimal("1.10")


@given(NUMBERS)
def test_text_and_number_are_the_same(number: Decimal) -> None:
    again = parse_decimal(plain(number)) if len(plain(number)) < 34 else number
    assert again == number
    assert "E" not in plain(number)


def test_decimals_are_kept() -> None:
    assert plain(parse_decimal("100.00")) == "100.00"
    assert plain(parse_decimal("100.0")) == "100.0"


@pytest.mark.parametrize(
    ("amount", "unit", "rounded"),
    [
        ("124.99", "1", "125"),
        ("124.50", "1", "125"),
        ("-124.50", "1", "-124"),
        ("9.98", "0.05", "10.00"),
        ("9.97", "0.05", "9.95"),
    ],
)
def test_rounding_to_a_unit(amount: str, unit: str, rounded: str) -> None:
    assert round_to(Decimal(amount), Decimal(unit)) == Decimal(rounded)


def test_minor_units() -> None:
    assert [minor_units(code) for code in ("NOK", "JPY", "KWD")] == [2, 0, 3]
    assert to_minor(Decimal("12500.00"), "NOK") == 1250000
    assert to_minor(Decimal("100"), "JPY") == 100
    assert plain(from_minor(1250050, "NOK")) == "12500.50"
    with pytest.raises(ValueError, match="minor units"):
        to_minor(Decimal("0.001"), "NOK")
    with pytest.raises(ValueError, match="whole number"):
        from_minor(1.0, "NOK")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["nok", "NOKK", "XXX", "", "XYZ"])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(ValidationError, match="ISO 4217"):
        TypeAdapter(Currency).validate_python(code)
