"""VAT breakdown, and allowances (rabatt) and charges (gebyr) on documents and lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import StrictBool

from connector.model.base import Term, Text
from connector.model.money import Amount, Number

CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O", "L", "M", "B")
"""VAT categories of EN 16931 (UNCL5305): S standard rated, Z zero rated, E exempt, AE reverse charge, K within the EU,
G export, O outside VAT, L Canary Islands, M Ceuta and Melilla, B Italian split payment."""

RATED = ("S", "L", "M", "B")
"""Categories with VAT to pay; the others have rate 0, O has no rate at all."""


class VatBreakdown(Term):
    """VAT of one category and rate (BG-23)."""

    category: Text | None = None
    """BT-118 VAT category code."""
    rate: Number | None = None
    """BT-119 Rate in percent; None for category O."""
    taxable_amount: Amount | None = None
    """BT-116 Taxable amount."""
    tax_amount: Amount
    """BT-117 VAT amount."""
    exemption_reason: Text | None = None
    """BT-120 Why there is no VAT, as text."""
    exemption_code: Text | None = None
    """BT-121 Why there is no VAT, as a VATEX code."""

    @property
    def group(self) -> tuple[str | None, Decimal | None]:
        """What makes a group: category and rate (25 and 25.00 are one rate)."""
        return self.category, self.rate


class AllowanceCharge(Term):
    """An allowance or charge on the document (BG-20, BG-21) or a line (BG-27, BG-28).

    In a draft the amount may be left out where a percentage says it; `compose` fills it.
    """

    is_charge: StrictBool
    """False: allowance (lowers the price); True: charge."""
    amount: Amount | None = None
    """BT-92, BT-99, BT-136, BT-141 Amount without VAT, not negative."""
    base: Amount | None = None
    """BT-93, BT-100, BT-137, BT-142 Amount the percentage is of."""
    percent: Number | None = None
    """BT-94, BT-101, BT-138, BT-143 Percentage."""
    reason: Text | None = None
    """BT-97, BT-104, BT-139, BT-144 Reason."""
    reason_code: Text | None = None
    """BT-98, BT-105, BT-140, BT-145 Reason code (UNCL5189 for allowances, UNCL7161 for charges)."""
    vat_category: Text | None = None
    """BT-95, BT-102 VAT category; on the document only, a line's allowance has the line's."""
    vat_rate: Number | None = None
    """BT-96, BT-103 VAT rate in percent; on the document only."""
    vat_code: Text | None = None
    """SAF-T standard VAT code; on the document only. Not carried by EHF."""
    vat_exemption_reason: Text | None = None
    """Why there is no VAT: goes to the breakdown (BT-120) when the document is composed."""
    vat_exemption_code: Text | None = None
    """The same as VATEX code: goes to the breakdown (BT-121)."""

    @property
    def signed_amount(self) -> Decimal:
        """The amount as it counts in sums: a charge adds, an allowance takes away; 0 where none is stated."""
        amount = self.amount or Decimal(0)
        return amount if self.is_charge else -amount


def as_carried(item: AllowanceCharge) -> AllowanceCharge:
    """The allowance or charge without what EHF cannot carry."""
    inner: dict[str, Any] = dict.fromkeys(("vat_code", "vat_exemption_reason", "vat_exemption_code"))
    return item.model_copy(update=inner) if any(getattr(item, name) for name in inner) else item
