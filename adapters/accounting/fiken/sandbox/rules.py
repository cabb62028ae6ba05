"""How this company's Fiken behaves where companies differ or the vendor says nothing: then the default is what is
harder for the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Rules:
    """Switches of a sandbox.

    Args:
        rounding: whether VAT is rounded for each line, or of the sum for each rate.
        touches: whether a payment changes the day of last change of its sale and invoice.
        ban_after: how many calls beside another that is still running are answered with 429 before the user is banned.
        vat: how often the company reports VAT, as `GET /companies` says; `no`: it is not registered.
        counter: whether the series of invoice numbers has been begun.
        closed_until: days up to and with this one (`YYYY-MM-DD`) are closed; empty: none.
        inactive_accounts: accounts that a new company has not switched on.
        discount_share: whether discounts are read as a share (0 to 1) though they are written in per cent.
        country: what `address.country` says of Norway when it is read.
        shows_all: whether contacts are shown with what the description calls write-only.
    """

    rounding: Literal["line", "document"] = "line"
    touches: bool = False
    ban_after: int = 3
    vat: Literal["no", "yearly", "monthly", "bi-monthly"] = "bi-monthly"
    counter: bool = True
    closed_until: str = ""
    inactive_accounts: tuple[str, ...] = ("3001", "3110")
    discount_share: bool = True
    country: str = "Norge"
    shows_all: bool = False
