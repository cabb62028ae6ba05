"""The VAT categories of UNTDID 5305 as EN 16931 uses them: what the rules of each family want."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from connector.ehf.rules.en16931.facts import (
    BUYER_LEGAL,
    BUYER_VAT,
    REPRESENTATIVE_VAT,
    SELLER_ANY,
    SELLER_VAT,
    is_vat,
)
from connector.ehf.rules.engine import Document, strip
from connector.ehf.rules.xpath import BreaksOff, sign

Numbers = AbstractSet[str]
"""Which numbers seller, tax representative and buyer have (`Facts.identified`)."""


@dataclass(frozen=True, slots=True)
class Family:
    """One VAT category: its code, its name in rule ids, and what its rules want.

    `rate` is what they say of a rate: `zero`, `positive`, `not-negative` or `none` (there is none). `reason` says
    whether the breakdown has an exemption reason. `identified` tells whether seller and buyer have what the category
    wants. `by_rate`: groups are per rate, and their sums may be off by less than one whole unit.
    """

    code: str
    name: str
    rate: str
    reason: bool
    identified: Callable[[Numbers], bool]
    by_rate: bool = False

    def rule(self, number: int) -> str:
        """The id of one of its rules."""
        return f"BR-{self.name}-{number:02}"


def _seller(numbers: Numbers) -> bool:
    """BT-31, BT-32 or BT-63."""
    return SELLER_ANY in numbers or REPRESENTATIVE_VAT in numbers


def _seller_vat(numbers: Numbers) -> bool:
    """BT-31 or BT-63."""
    return SELLER_VAT in numbers or REPRESENTATIVE_VAT in numbers


def _seller_and_buyer(numbers: Numbers) -> bool:
    """The seller as in `_seller`, and BT-48 or BT-47."""
    return _seller(numbers) and (BUYER_VAT in numbers or BUYER_LEGAL in numbers)


def _both_vat(numbers: Numbers) -> bool:
    """The seller as in `_seller_vat`, and BT-48."""
    return _seller_vat(numbers) and BUYER_VAT in numbers


def _no_vat(numbers: Numbers) -> bool:
    """None of BT-31, BT-63 and BT-48."""
    return not _seller_vat(numbers) and BUYER_VAT not in numbers


FAMILIES: Final = {
    family.code: family
    for family in (
        Family("S", "S", "positive", False, _seller, by_rate=True),
        Family("Z", "Z", "zero", False, _seller),
        Family("E", "E", "zero", True, _seller),
        Family("AE", "AE", "zero", True, _seller_and_buyer),
        Family("K", "IC", "zero", True, _both_vat),
        Family("G", "G", "zero", True, _seller_vat),
        Family("O", "O", "none", True, _no_vat),
        Family("L", "AF", "not-negative", False, _seller, by_rate=True),
        Family("M", "AG", "not-negative", False, _seller, by_rate=True),
    )
}


def item_rules(code: str | None, scheme: str | None, rate: str | None, doc: Document) -> tuple[str, ...]:
    """The rules 05 that a line's category breaks; `rate` is None where there is none."""
    return rate_rules(5, code, scheme, rate, doc)


def rate_rules(number: int, code: str | None, scheme: str | None, rate: str | None, doc: Document) -> tuple[str, ...]:
    """Rule 05 (lines), 06 (allowances) or 07 (charges), if that category breaks it."""
    family = FAMILIES.get(strip(code))
    if family is None or not is_vat(scheme) or _rate_fits(family.rate, rate, doc):
        return ()
    return (family.rule(number),)


def telling_rate(code: str | None, scheme: str | None, rates: Sequence[str | None]) -> str | None:
    """The rate that decides; None where there is none. Of several the first that fits: a comparison holds if any does.

    Raises:
        BreaksOff: several rates of a category whose rate is cast to a number; or one that is no number before the first
            that fits.
    """
    first = (rates[0] or "") if rates else None
    if len(rates) < 2 or not is_vat(scheme):
        return first
    family = FAMILIES.get(strip(code))
    if family is None or family.rate == "none":
        return first
    if family.rate == "zero":
        raise BreaksOff("several rates in one VAT category")
    return next((rate or "" for rate in rates if _sign_fits(family.rate, rate or "")), first)


def _rate_fits(wanted: str, rate: str | None, doc: Document) -> bool:
    if rate is None or wanted == "none":
        return rate is None and wanted == "none"
    return doc.decimal(rate) == 0 if wanted == "zero" else _sign_fits(wanted, rate)


def _sign_fits(wanted: str, rate: str) -> bool:
    return sign(rate) >= (1 if wanted == "positive" else 0)
