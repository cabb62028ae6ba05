"""JSON with exact numbers: on the wire, in stored bodies, in proofs.

A `Decimal` is written as a JSON number with its own digits (`Decimal("12.50")` as `12.50`), and every number that is
not an integer is read as a `Decimal` with the digits it was written with. No amount passes through a binary float.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import BaseModel

_NOT_A_NUMBER = re.compile(rb"(?<![\w\"])-?(?:s?NaN|Infinity)\b")


def _plain(value: Any) -> Any:
    """What msgspec does not know by itself: our own string types, and models."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="python", exclude_none=True)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)
_sorted_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain, order="sorted")


def dumps(value: Any, *, canonical: bool = False) -> bytes:
    """`value` as UTF-8 JSON without spaces.

    Decimals become numbers with their exact text, dates and times ISO 8601 (UTC as `Z`), enumerations their values,
    models what they hold (empty fields left out). `canonical` sorts the keys of every object, so that equal values have
    equal bytes.

    Raises:
        ValueError: a Decimal that is no number (NaN, infinity).
        TypeError: something that JSON cannot say.
    """
    data = (_sorted_encoder if canonical else _encoder).encode(value)
    # A Decimal is written as it prints. Looked for only where the letters occur at all, which is almost never.
    if (b"NaN" in data or b"Infinity" in data) and _NOT_A_NUMBER.search(re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', data)):
        raise ValueError("NaN and infinity are no JSON numbers")
    return data


def loads(data: bytes | str) -> Any:
    """What the JSON text `data` (UTF-8) says; integers as `int`, every other number as `Decimal`.

    Raises:
        ValueError: it is no JSON, not UTF-8, or nested deeper than anything sensible.
    """
    try:
        return _decoder.decode(data)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
