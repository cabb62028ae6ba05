from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from connector.model.json import dumps, loads


class Code(StrEnum):
    VAT = "3"


class Id(str):
    __slots__ = ()


class Thing(BaseModel):
    amount: Decimal
    note: str | None = None


def test_decimals_keep_their_digits():
    assert dumps({"a": Decimal("12.50"), "b": Decimal("0.0000000001")}) == b'{"a":12.50,"b":1E-10}'
    read = loads(b'{"a":12.50,"b":7,"c":1e2}')
    assert read == {"a": Decimal("12.50"), "b": 7, "c": Decimal("1E+2")}
    assert str(read["a"]) == "12.50"
    assert type(read["b"]) is int


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_comes_back(value):
    back = loads(dumps([value]))[0]
    assert back == value


def test_what_else_can_be_said():
    moment = datetime(2027, 1, 15, 8, 30, tzinfo=UTC)
    said = dumps([date(2027, 1, 15), moment, Code.VAT, Id("NO1"), Thing(amount=Decimal("1.0")), (1, 2)])
    assert said == b'["2027-01-15","2027-01-15T08:30:00Z","3","NO1",{"amount":1.0},[1,2]]'


def test_canonical_bytes_do_not_depend_on_order():
    assert dumps({"b": 1, "a": {"d": 1, "c": 2}}, canonical=True) == b'{"a":{"c":2,"d":1},"b":1}'


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("sNaN")])
def test_no_number_is_refused(value):
    with pytest.raises(ValueError):
        dumps({"note": "a", "amount": [value]})


def test_text_may_say_nan():
    assert loads(dumps({"NaN": 'say "NaN, -Infinity"'})) == {"NaN": 'say "NaN, -Infinity"'}


def test_what_json_cannot_say():
    with pytest.raises(TypeError, match="object has no form"):
        dumps({"a": object()})


@pytest.mark.parametrize(
    "text", [b"", b"NaN", b"{", b'{"a":1}}', b"\xff", b'"\xff"', b"[" * 200_000, b"01", b"'a'"], ids=range(9)
)
def test_what_is_no_json(text):
    with pytest.raises(ValueError):
        loads(text)
