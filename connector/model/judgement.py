"""Stated totals against computed ones, by the tolerances of the official rules.

Nothing is corrected: what a document states is what it states. A difference within the tolerance is none. The verdict
on a whole document is `connector.ehf.validate`'s; this looks at the figures of a document in the model, also of one
that never was XML, for instance figures that a ledger computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import NamedTuple

from connector.model.charges import AllowanceCharge
from connector.model.invoice import Invoice, Totals
from connector.model.line import Line
from connector.model.money import CENT, EXACT, ZERO, round2, round_half_up, total

HUNDRED = Decimal(100)
ONE = Decimal(1)

FAMILIES = {"S": "S", "Z": "Z", "E": "E", "AE": "AE", "K": "IC", "G": "G", "O": "O", "L": "AF", "M": "AG"}
"""Rule family of each VAT category."""
_WITHIN_ONE = ("S", "L", "M")


class Difference(NamedTuple):
    """A stated figure that is not what the others make it."""

    rule: str
    """Official rule id."""
    at: str
    """Where: path of field names, `totals.payable`."""
    stated: Decimal | None
    """What the document says; None where it says nothing."""
    computed: Decimal
    """What follows from the other figures of the document."""


def judge(invoice: Invoice) -> list[Difference]:
    """Every stated figure that differs from the computed one by more than the official tolerance.

    Rules: BR-CO-10 to 17, BR-x-08 and BR-x-09 per VAT category, PEPPOL-EN16931-R040, R046 and R120. A missing figure
    that the official rule asks for is a difference with `stated` None.
    """
    with localcontext(EXACT):
        found: list[Difference] = []
        for number, line in enumerate(invoice.lines):
            found += _line(line, f"lines[{number}]")
        for number, item in enumerate(invoice.allowances_charges):
            found += _percentage(item, f"allowances_charges[{number}]")
        found += _breakdown(invoice)
        if invoice.totals is not None:
            found += _totals(invoice, invoice.totals)
        return found


def _line(line: Line, at: str) -> Iterator[Difference]:
    for number, item in enumerate(line.allowances_charges):
        yield from _percentage(item, f"{at}.allowances_charges[{number}]")
    if line.gross_price is not None and line.price is not None:
        computed = line.gross_price - (line.price_discount or ZERO)
        if line.price != computed:
            yield Difference("PEPPOL-EN16931-R046", f"{at}.price", line.price, computed)
    quantity = ONE if line.quantity is None else line.quantity
    charges = round2(total(item.amount or ZERO for item in line.allowances_charges if item.is_charge))
    allowances = round2(total(item.amount or ZERO for item in line.allowances_charges if not item.is_charge))
    computed = quantity * ((line.price or ZERO) / (line.base_quantity or ONE)) + charges - allowances
    if abs((line.net or ZERO) - computed) > 2 * CENT:
        yield Difference("PEPPOL-EN16931-R120", f"{at}.net", line.net, round2(computed))


def _percentage(item: AllowanceCharge, at: str) -> Iterator[Difference]:
    if item.base is not None and item.percent is not None:
        computed = item.base * item.percent / HUNDRED
        if abs((item.amount or ZERO) - computed) > 2 * CENT:
            yield Difference("PEPPOL-EN16931-R040", f"{at}.amount", item.amount, round2(computed))


def _breakdown(invoice: Invoice) -> Iterator[Difference]:
    for number, stated in enumerate(invoice.vat_breakdown):
        at = f"vat_breakdown[{number}]"
        family = FAMILIES.get(stated.category or "")
        base, tax = stated.taxable_amount, stated.tax_amount
        rate = stated.rate or ZERO
        if base is not None:
            computed = round2(abs(base) * rate / HUNDRED)
            zero_rate = round_half_up(rate, 0) == 0
            if (zero_rate and round_half_up(tax, 0) != 0) or (not zero_rate and abs(abs(tax) - computed) >= 1):
                yield Difference("BR-CO-17", f"{at}.tax_amount", tax, computed if base >= 0 else -computed)
        if family is None:
            continue
        within_one = stated.category in _WITHIN_ONE
        members = [line for line in invoice.lines if line.vat_category == stated.category]
        items = [item for item in invoice.allowances_charges if item.vat_category == stated.category]
        if within_one:
            members = [line for line in members if line.vat_rate == stated.rate]
            items = [item for item in items if item.vat_rate == stated.rate]
        belongs = total(line.net or ZERO for line in members) + total(item.signed_amount for item in items)
        off = abs((base or ZERO) - belongs)
        if (within_one and off >= 1) or (not within_one and off != 0):
            yield Difference(f"BR-{family}-08", f"{at}.taxable_amount", base, belongs)
        if not within_one and tax != 0:
            yield Difference(f"BR-{family}-09", f"{at}.tax_amount", tax, ZERO)


def _totals(invoice: Invoice, totals: Totals) -> Iterator[Difference]:
    lines = round2(total(line.net or ZERO for line in invoice.lines))
    if totals.line_total != lines:
        yield Difference("BR-CO-10", "totals.line_total", totals.line_total, lines)
    for rule, name, charge in (("BR-CO-11", "allowance_total", False), ("BR-CO-12", "charge_total", True)):
        amounts = [item.amount or ZERO for item in invoice.allowances_charges if item.is_charge is charge]
        stated: Decimal | None = getattr(totals, name)
        if (amounts or stated is not None) and stated != round2(total(amounts)):
            yield Difference(rule, f"totals.{name}", stated, round2(total(amounts)))
    net = round2((totals.line_total or ZERO) + (totals.charge_total or ZERO) - (totals.allowance_total or ZERO))
    if totals.tax_exclusive != net:
        yield Difference("BR-CO-13", "totals.tax_exclusive", totals.tax_exclusive, net)
    tax = round2(total(group.tax_amount for group in invoice.vat_breakdown))
    if invoice.vat_breakdown and totals.tax != tax:
        yield Difference("BR-CO-14", "totals.tax", totals.tax, tax)
    gross = round2((totals.tax_exclusive or ZERO) + (totals.tax or ZERO))
    if totals.tax_inclusive != gross:
        yield Difference("BR-CO-15", "totals.tax_inclusive", totals.tax_inclusive, gross)
    payable = round2((totals.tax_inclusive or ZERO) - (totals.prepaid or ZERO) + (totals.rounding or ZERO))
    if totals.payable != payable:
        yield Difference("BR-CO-16", "totals.payable", totals.payable, payable)
