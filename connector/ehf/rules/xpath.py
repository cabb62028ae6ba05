"""XPath's own notions of text, number and date, where Python's differ.

The official rules are XPath 2.0; their verdict hangs on how it trims, casts, divides and rounds. Where the official
evaluation ends in an error, these functions raise `BreaksOff`: there is no official verdict then, never a valid one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_FLOOR, Context, Decimal
from functools import lru_cache
from typing import Final

EXACT: Final = Context(prec=min(MAX_PREC, 10**9), Emax=MAX_EMAX, Emin=MIN_EMIN)
"""`xs:decimal` arithmetic rounds nothing but a division; Python's default context rounds to 28 digits."""

_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER: Final = re.compile(r"[ \t\r\n]*[+-]?[0-9]+[ \t\r\n]*")
_DOUBLE: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE: Final = re.compile(r"(-?(?:[1-9][0-9]{3,}|0[0-9]{3}))-([0-9]{2})-([0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")
_HALF: Final = Decimal("0.5")
_DIVISION_DIGITS: Final = 18  # Saxon's least number of decimals in a quotient


class BreaksOff(Exception):
    """The official evaluation ends here in an error; the text says at what."""


def normalize(text: str) -> str:
    """`normalize-space`: no blanks at the ends, one between words. Blanks are space, tab and line ends only."""
    if text.isascii():
        return " ".join(text.split())
    return _BLANKS.sub(" ", text).strip(" ")


def number(text: str) -> float:
    """`number`: NaN for what is no `xs:double`."""
    text = text.strip(" \t\r\n")
    if _DOUBLE.fullmatch(text):
        return float(text)
    return {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf}.get(text, math.nan)


def sign(text: str) -> int:
    """How a text compares with the number 0, as in `cbc:Percent > 0`: -1, 0 or 1.

    A whole number compares as one; all others do as doubles in Saxon's order, where NaN is above every number and
    minus zero (`-0.00`, but not `-0`) below zero.

    Raises:
        BreaksOff: the text is no `xs:double`.
    """
    text = text.strip(" \t\r\n")
    if _INTEGER.fullmatch(text):
        return (int(text) > 0) - (int(text) < 0) if len(text) < 1000 else sign(f"{text}.5")
    value = number(text)
    if math.isnan(value):
        if text != "NaN":
            raise BreaksOff(f"xs:double({text!r})")
        return 1
    return int(math.copysign(1, value)) if value or math.copysign(1, value) < 0 else 0


def decimal(text: str) -> Decimal:
    """`xs:decimal`.

    Raises:
        BreaksOff: the text is no decimal number (`1e5`, `1,5`, empty).
    """
    text = text.strip(" \t\r\n")
    if _DECIMAL.fullmatch(text) is None:
        raise BreaksOff(f"xs:decimal({text!r})")
    return Decimal(text)


def is_integer(text: str) -> bool:
    """Whether `text castable as xs:integer`: digits with a sign or none, blanks around them allowed."""
    return _INTEGER.fullmatch(text) is not None


def divide(numerator: Decimal, denominator: Decimal) -> Decimal:
    """`div` on decimals: at least eighteen decimals, half of the last one rounded towards zero.

    Raises:
        BreaksOff: division by zero.
    """
    if not denominator:
        raise BreaksOff("division by zero")
    if denominator == 1:
        return numerator
    scale = _DIVISION_DIGITS + max(0, _scale(numerator) - _scale(denominator))
    # Whole numbers only: a quotient with more digits than wanted, then one rounding.
    up, down = numerator.as_integer_ratio(), denominator.as_integer_ratio()
    top, bottom = up[0] * down[1] * 10**scale, up[1] * down[0]
    if bottom < 0:
        top, bottom = -top, -bottom
    whole, rest = divmod(abs(top), bottom)
    whole += rest * 2 > bottom
    return Decimal(-whole if top < 0 else whole).scaleb(-scale, EXACT)


def _scale(value: Decimal) -> int:
    exponent = EXACT.normalize(value).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def round_half_up(value: Decimal, decimals: int = 0) -> Decimal:
    """`round`: half goes towards plus infinity, so 2.345 gives 2.35 and -2.345 gives -2.34 (with two decimals)."""
    shifted = EXACT.add(value.scaleb(decimals, EXACT), _HALF)
    return shifted.to_integral_value(ROUND_FLOOR).scaleb(-decimals, EXACT)


def date(text: str) -> tuple[int, int]:
    """`xs:date` as something to compare: minutes since a day long ago at which it begins, and its days.

    A date without time zone counts as UTC.

    Raises:
        BreaksOff: it is no date (2026-02-30, 20260501).
    """
    moment = _moment(text)
    if moment is None:
        raise BreaksOff(f"xs:date({text!r})")
    return moment


def is_date(text: str) -> bool:
    """Whether `text castable as xs:date`."""
    return _moment(text) is not None


def _moment(text: str) -> tuple[int, int] | None:
    # An invoice says the same few dates again and again; what is too long for one is not worth remembering.
    return _remembered_moment(text) if len(text) < 32 else _worked_out_moment(text)


def _worked_out_moment(text: str) -> tuple[int, int] | None:
    found = _DATE.fullmatch(text.strip(" \t\r\n"))
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1 <= month <= 12 and 1 <= day <= lengths[month - 1]):
        return None
    offset = 0
    if found[4] and found[4] != "Z":
        hours, minutes = int(found[4][1:3]), int(found[4][4:6])
        if hours > 14 or minutes > 59 or (hours == 14 and minutes):
            return None
        offset = (hours * 60 + minutes) * (-1 if found[4][0] == "-" else 1)
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + sum(lengths[: month - 1]) + day
    return days * 1440 - offset, days


_remembered_moment: Final = lru_cache(maxsize=1024)(_worked_out_moment)


def conjunction(*tests: Callable[[], bool]) -> bool:
    """`and`: false as soon as one is false, even if another one is an error, as XPath allows and Saxon does.

    Raises:
        BreaksOff: none is false and one is an error.
    """
    return not disjunction(*(lambda test=test: not test() for test in tests))


def disjunction(*tests: Callable[[], bool]) -> bool:
    """`or`: true as soon as one is true, even if another one is an error.

    Raises:
        BreaksOff: none is true and one is an error.
    """
    error: BreaksOff | None = None
    for test in tests:
        try:
            if test():
                return True
        except BreaksOff as reason:
            error = reason
    if error is not None:
        raise error
    return False
