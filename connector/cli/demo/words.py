"""How the demo says things."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def kroner(amount: Any) -> str:
    """An amount as a bookkeeper writes it: `12 500,00 kr`."""
    return f"{Decimal(str(amount)):,.2f} kr".replace(",", " ").replace(".", ",")


def line(what: str, words: str) -> str:
    """A line of a chapter."""
    return f"   {what:<14}{words}"
