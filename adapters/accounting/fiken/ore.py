"""Øre: Fiken's amounts are whole numbers of them (cents, in other currencies), ours are kroner.

In mapping files it is the lens `minor_units`; where the adapter itself compares or computes, it is these two.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.accounting.fiken.records import not_as_described
from connector.errors import Refused


def ore(amount: Decimal) -> int:
    """Kroner as øre. Raises `Refused` ("amount-too-fine") for a fraction of one: Fiken would cut it without a word."""
    scaled = amount * 100
    if scaled != int(scaled):
        raise Refused(f"{amount} has a fraction of an øre, which Fiken cannot keep.", code="amount-too-fine")
    return int(scaled)


def kroner(amount: Any, field: str) -> Decimal:
    """Øre as kroner, exactly. Raises `VendorError` ("vendor-answer") for what is no whole number."""
    if type(amount) is not int:
        raise not_as_described(field, "a whole number of øre")
    return Decimal(amount) / 100
