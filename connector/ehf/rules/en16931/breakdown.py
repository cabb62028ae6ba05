"""Rules 08, 09 and 10 of every VAT family: base, tax and reason of one group of the VAT breakdown (BG-23)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, cast

from lxml import etree

from connector.ehf.rules.en16931.facts import (
    HUNDRED,
    MANY_DIGITS,
    ZERO,
    Breakdown,
    Facts,
    cents,
    double,
    facts,
    shown,
    tax_is_near,
)
from connector.ehf.rules.en16931.families import Family
from connector.ehf.rules.engine import Document, Place, element_of, is_blank, strip


def judge_group(doc: Document, known: Facts, family: Family, group: Breakdown) -> None:
    """Rules 08 to 10 on one category of the breakdown."""
    if doc.typed and not doc.too_fine and _is_right(known, family, group):
        return
    if group.has_reason != family.reason:
        doc.fire(family.rule(10), group.place, category=family.code)
    tax = None if group.tax is None else doc.decimal(group.tax)
    if not family.by_rate:
        if tax != 0:
            doc.fire(family.rule(9), _beside(group.place, "TaxAmount"), stated=group.tax, expected="0.00")
        _base_exactly(doc, known, family, group)
        return
    # Operands are cast from left to right, and none after one that is not there.
    base = None if tax is None or group.base is None else doc.decimal(group.base)
    rate = None if group.rate is None else doc.decimal(group.rate)
    if rate is None or tax is None or base is None:
        doc.fire(family.rule(9), group.place, stated=group.tax)
    else:
        expected = cents(abs(base) * (rate / HUNDRED))
        if not abs(tax) - 1 < expected < abs(tax) + 1:
            calculation = f"{shown(abs(base))} × {rate:f} % = {shown(expected)}"
            place = _beside(group.place, "TaxAmount")
            doc.fire(family.rule(9), place, stated=group.tax, expected=shown(expected), calculation=calculation)
    if rate is not None:
        _base_about(doc, known, family, group, rate)


def _is_right(known: Facts, family: Family, group: Breakdown) -> bool:
    """Whether a group per rate clearly is as it should be; the short way for the many that are."""
    if not family.by_rate or group.has_reason != family.reason or known.odd_lines:
        return False
    if group.rate is None or group.base is None or group.tax is None or len(group.rate) >= MANY_DIGITS:
        return False
    base, rate = Decimal(group.base), Decimal(group.rate)
    if not tax_is_near(base, rate, Decimal(group.tax)):
        return False
    code, charges = family.code, ZERO
    for charge, categories, rates, amounts in known.allowances:
        if code in categories and any(Decimal(text) == rate for text in rates):
            amount = sum(map(Decimal, cast("tuple[str, ...]", amounts)), ZERO)
            charges += amount if charge else -amount
    for groups in known.groups.values():
        nets = [lines.net for key, lines in groups.items() if key[0] == code and key[2] and Decimal(key[2]) == rate]
        if nets and sum(nets, charges) == base:
            return True
    return False


def _line_tags(known: Facts) -> list[str]:
    return [tag for tag in LINE_TAGS if known.groups[tag] or any(line.tag == tag for line in known.odd_lines)]


LINE_TAGS: Final = ("cac:InvoiceLine", "cac:CreditNoteLine")


def _base_exactly(doc: Document, known: Facts, family: Family, group: Breakdown) -> None:
    """Rule 08 without rates: the base is the sum of lines and charges, less allowances, to the last decimal."""
    tags = _line_tags(known)
    base = group.base
    if base is None or not any(doc.decimal(base) == _sum(known, tag, family.code, None, doc) for tag in tags):
        _tell_base(doc, family, group, tags, None)


def _base_about(doc: Document, known: Facts, family: Family, group: Breakdown, rate: Decimal) -> None:
    """Rule 08 per rate: less than one whole unit off."""
    tags = _line_tags(known)
    if family.code == "S":
        # Here an allowance or charge of that rate stands in for a line of it.
        charged = any(
            "S" in categories and any(doc.decimal(text) == rate for text in rates)
            for categories, rates in known.rated_charges
        )
        tags = [tag for tag in LINE_TAGS if charged or _has_line(known, tag, "S", rate, doc)]
    base = group.base
    if base is None or not any(_is_about(base, _sum(known, tag, family.code, rate, doc)) for tag in tags):
        _tell_base(doc, family, group, tags, rate)


def _is_about(base: str, total: Decimal) -> bool:
    """`xs:decimal(cbc:TaxableAmount - 1)` and `+ 1` on both sides: they are doubles, and so is their error."""
    return Decimal(double(base) - 1) < total < Decimal(double(base) + 1)


def _tell_base(doc: Document, family: Family, group: Breakdown, tags: list[str], rate: Decimal | None) -> None:
    values: dict[str, str | None] = {"stated": group.base, "category": family.code, "rate": group.rate}
    if tags and group.base is not None:
        known = facts(doc)
        total = _sum(known, tags[0], family.code, rate, doc)
        calculation = shown(sum(_lines(known, tags[0], family.code, rate, doc), ZERO))
        for charge, amount in _charges(known, family.code, rate, doc):
            calculation += f" {'+' if charge else '−'} {shown(amount)}"
        values |= {"expected": shown(total), "calculation": f"{calculation} = {shown(total)}"}
    doc.fire(family.rule(8), _beside(group.place, "TaxableAmount"), **values)


def _has_line(known: Facts, tag: str, code: str, rate: Decimal, doc: Document) -> bool:
    return any(True for _ in _lines(known, tag, code, rate, doc))


def _lines(known: Facts, tag: str, code: str, rate: Decimal | None, doc: Document) -> Iterable[Decimal]:
    """Net amounts of the lines with that category and, unless None, rate: one per group of lines, one per odd line."""
    for key, group in known.groups[tag].items():
        if strip(key[0]) == code and (rate is None or (not is_blank(key[2]) and doc.decimal(key[2]) == rate)):
            yield group.net
    for line in known.odd_lines:
        fits = line.tag == tag and not line.nested and code in line.categories
        if fits and (rate is None or any(doc.decimal(text) == rate for text in line.rates)):
            yield sum(map(doc.decimal, line.nets), ZERO)


def _charges(known: Facts, code: str, rate: Decimal | None, doc: Document) -> Iterable[tuple[bool, Decimal]]:
    """Whether charge, and amount, of the document's allowances and charges with that category (and rate)."""
    for charge, categories, rates, amounts in known.allowances:
        if code in categories and (rate is None or any(doc.decimal(text) == rate for text in rates)):
            yield charge, sum(map(doc.decimal, amounts), ZERO)


def _sum(known: Facts, tag: str, code: str, rate: Decimal | None, doc: Document) -> Decimal:
    """Lines plus charges less allowances of a category (and rate)."""
    total = sum(_lines(known, tag, code, rate, doc), ZERO)
    for charge, amount in _charges(known, code, rate, doc):
        total += amount if charge else -amount
    return total


def _beside(category: Place, name: str) -> etree._Element:
    """A sibling of a category of the breakdown, or the category when there is none."""
    category_element = element_of(category)
    parent = category_element.getparent()
    if parent is not None:
        for child in parent:
            if child.tag.endswith("}" + name):
                return child
    return category_element
