"""Money and numbers: `Decimal` in, `Decimal` out; a float is refused wherever it turns up.

Amounts are in whole units of their currency (kroner, not øre), at any number of decimals as stated; `minor_units` and
`to_minor`/`from_minor` serve systems that count in øre. Rounding is XPath's `round`, as the official rules use it:
halves go towards plus infinity, so 2.345 becomes 2.35 and -2.345 becomes -2.34.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

ZERO = Decimal(0)
CENT = Decimal("0.01")
MAX_DIGITS = 34
"""Longest number taken, in digits: far more than any invoice needs, and short enough that no input makes us slow."""

EXACT = Context(prec=150, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero])
"""Arithmetic in which sums and products of numbers of `MAX_DIGITS` digits are exact."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")

# ISO 4217, active codes. https://www.six-group.com/en/products-services/financial-information/data-standards.html
_TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD
KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK
NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ANG HRK SLL ZWL CUC
"""
_OTHER_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_UNITS: dict[str, int] = dict.fromkeys(_TWO_DECIMALS.split(), 2) | {
    code: decimals for decimals, codes in _OTHER_DECIMALS.items() for code in codes.split()
}
"""Decimals of each ISO 4217 currency; a few retired codes are there because old invoices carry them."""


def parse_decimal(value: Any) -> Decimal:
    """A number from text, `Decimal` or whole number, exactly; the decimals written are kept (100.00 stays 100.00).

    Raises:
        ValueError: "float-refused" for a float (it cannot hold 0.10), "number-malformed" for an exponent, a thousands
            separator, a comma, NaN or anything else that is no plain number, "number-too-long" beyond 34 digits.
    """
    if isinstance(value, Decimal):
        number = value
        if not number.is_finite():
            raise PydanticCustomError("number-malformed", "Not a number: NaN and infinity are no amounts.")
    elif isinstance(value, str):
        text = value.strip()
        if len(text) > MAX_DIGITS + 2:
            raise _too_long()
        if not _NUMBER.fullmatch(text):
            raise PydanticCustomError(
                "number-malformed",
                "Not a plain number: write digits with a point for the decimals, for instance 1234.50.",
            )
        number = Decimal(text)
    elif isinstance(value, float):
        raise PydanticCustomError(
            "float-refused",
            'A binary floating-point number cannot hold amounts exactly; send it as text, for instance "1234.50".',
        )
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**MAX_DIGITS:
            raise _too_long()
        number = Decimal(value)
    else:
        raise PydanticCustomError("number-malformed", 'Not a number: send it as text, for instance "1234.50".')
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and (number.adjusted() >= MAX_DIGITS or exponent < -MAX_DIGITS):
        raise _too_long()
    return number


def _too_long() -> PydanticCustomError:
    return PydanticCustomError("number-too-long", f"The number has more than {MAX_DIGITS} digits.")


def plain(number: Decimal) -> str:
    """The number as EHF and JSON write it: digits, no exponent, the decimals it has."""
    return format(number, "f")


Number = Annotated[
    Decimal,
    PlainValidator(parse_decimal),
    PlainSerializer(plain, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^[+-]?(\d+(\.\d*)?|\.\d+)$", "examples": ["1234.50"]}),
]
"""An exact decimal number: quantity, price, rate or percentage. Text in JSON."""

Amount = Number
"""An amount in whole units of the currency its document or owner names. Text in JSON."""


def _currency(code: str) -> str:
    if code in MINOR_UNITS:
        return code
    hint = f" Did you mean {code.strip().upper()}?" if code.strip().upper() in MINOR_UNITS else ""
    raise PydanticCustomError(
        "currency-unknown", "{code} is no ISO 4217 currency code.{hint}", {"code": repr(code), "hint": hint}
    )


Currency = Annotated[
    str,
    AfterValidator(_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["NOK", "EUR"]}),
]
"""An ISO 4217 currency code that is known; another is refused ("currency-unknown")."""


def minor_units(currency: str) -> int:
    """Decimals of the currency: 2 for NOK, 0 for JPY. Raises ValueError for an unknown one."""
    return MINOR_UNITS[_currency(currency)]


def round_half_up(number: Decimal, decimals: int = 2) -> Decimal:
    """XPath `round` to so many decimals: halves towards plus infinity (validation of EHF rounds like this)."""
    halves = ROUND_HALF_DOWN if number < 0 else ROUND_HALF_UP
    return number.quantize(CENT if decimals == 2 else Decimal(1).scaleb(-decimals), rounding=halves, context=EXACT)


def round2(number: Decimal) -> Decimal:
    """The number to two decimals, halves towards plus infinity: how every amount of an EHF is rounded."""
    return round_half_up(number, 2)


def round_to(number: Decimal, unit: Decimal) -> Decimal:
    """The nearest multiple of a unit, for instance of 1 (whole kroner) or 0.05; halves towards plus infinity."""
    return EXACT.multiply(round_half_up(EXACT.divide(number, unit), 0), unit)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum, whatever number of digits; 0 of nothing."""
    result = ZERO
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount as a whole number of øre (cents …) of its currency.

    Raises ValueError if it has a fraction of an øre: nothing is rounded on the way.
    """
    scaled = EXACT.scaleb(amount, minor_units(currency))
    if scaled != scaled.to_integral_value():
        raise PydanticCustomError(
            "amount-too-fine",
            "{amount} {currency} cannot be written in whole minor units.",
            {"amount": plain(amount), "currency": currency},
        )
    return int(scaled)


def from_minor(amount: int, currency: str) -> Decimal:
    """The amount that so many øre (cents …) are, with the decimals of its currency."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise PydanticCustomError("number-malformed", "An amount in minor units is a whole number.")
    return Decimal(amount).scaleb(-minor_units(currency), context=EXACT)
