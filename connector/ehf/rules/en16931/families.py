"""The VAT categories of UNTDID 5305 as EN 16931 uses them: what the rules of each family want."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from connector.ehf.rules.en16931.facts import Facts, double, is_vat
from connector.ehf.rules.engine import Document, strip
from connector.ehf.rules.xpath import BreaksOff


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
    identified: Callable[[Facts], bool]
    by_rate: bool = False

    def rule(self, number: int) -> str:
        """The id of one of its rules."""
        return f"BR-{self.name}-{number:02}"


def _seller(known: Facts) -> bool:
    """BT-31, BT-32 or BT-63."""
    return known.supplier_any or known.representative_vat


def _seller_vat(known: Facts) -> bool:
    """BT-31 or BT-63."""
    return known.supplier_vat or known.representative_vat


FAMILIES: Final = {
    family.code: family
    for family in (
        Family("S", "S", "positive", False, _seller, by_rate=True),
        Family("Z", "Z", "zero", False, _seller),
        Family("E", "E", "zero", True, _seller),
        Family("AE", "AE", "zero", True, lambda known: _seller(known) and (known.customer_vat or known.customer_legal)),
        Family("K", "IC", "zero", True, lambda known: _seller_vat(known) and known.customer_vat),
        Family("G", "G", "zero", True, _seller_vat),
        Family("O", "O", "none", True, lambda known: not _seller_vat(known) and not known.customer_vat),
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
    """The rate that decides: of several the highest, as a comparison holds if any fits; None where there is none.

    Raises:
        BreaksOff: several rates of a category whose rate is cast to a number.
    """
    if len(rates) < 2 or not is_vat(scheme):
        return (rates[0] or "") if rates else None
    family = FAMILIES.get(strip(code))
    if family is not None and family.rate == "zero":
        raise BreaksOff("several rates in one VAT category")
    return max((rate or "" for rate in rates), key=lambda rate: (double(rate) != double(rate), double(rate)))


def _rate_fits(wanted: str, rate: str | None, doc: Document) -> bool:
    if rate is None or wanted == "none":
        return rate is None and wanted == "none"
    if wanted == "zero":
        return doc.decimal(rate) == 0
    # What is no number at all (NaN) passes.
    return not double(rate) <= 0 if wanted == "positive" else not double(rate) < 0
