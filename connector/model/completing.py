"""Stated documents that do not state every figure: of an invoice it has issued a ledger often shows the sums only.

What is missing follows from the document's own lines, where they come to exactly what is stated. Nothing that is stated
is changed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from connector.model.invoice import Invoice
from connector.model.totals import Uncomposable, compose

Stated = TypeVar("Stated", bound=Invoice)

_HALF_AN_ORE = Decimal("0.005")
"""How far the VAT of one line may be off where a ledger rounds it by itself."""


def completed(invoice: Stated) -> Stated:
    """The document with the line nets (BT-131), totals (BG-22) and VAT breakdown (BG-23) that its lines make; as it is,
    where that is not what it states, or where it states a breakdown.

    A payable amount that differs from the sum with VAT is rounding (BT-114) only where the document says so. The VAT of
    a document with one category and rate is what is left of the sum, as the issuer has rounded it.
    """
    stated = invoice.totals
    if stated is None or stated.payable is None or invoice.vat_breakdown:
        return invoice
    try:
        made = compose(invoice.model_copy(update={"totals": None, "vat_breakdown": (), "tax_currency": None}))
    except Uncomposable:
        return invoice
    assert made.totals is not None
    assert made.totals.tax_exclusive is not None
    net, rounding = made.totals.tax_exclusive, stated.rounding or Decimal(0)
    gross = stated.payable + (stated.prepaid or Decimal(0)) - rounding
    vat, groups = gross - net, made.vat_breakdown
    apart = len(invoice.lines) * _HALF_AN_ORE if len(groups) == 1 and groups[0].rate else Decimal(0)
    if len(groups) == 1 and abs(vat - (groups[0].tax_amount or Decimal(0))) <= apart:
        groups = (groups[0].model_copy(update={"tax_amount": vat}),)
    whole = made.totals.model_copy(
        update={
            "tax": vat,
            "tax_inclusive": gross,
            "prepaid": stated.prepaid,
            "rounding": rounding or None,
            "payable": stated.payable,
            "tax_in_accounting_currency": stated.tax_in_accounting_currency,
        }
    )
    if sum((group.tax_amount or Decimal(0) for group in groups), Decimal(0)) != vat:
        return invoice
    said = stated.model_dump(exclude_none=True)
    if any(getattr(whole, name) != value for name, value in said.items() if value or name != "rounding"):
        return invoice
    lines = tuple(
        line if line.net is not None else line.model_copy(update={"net": filled.net})
        for line, filled in zip(invoice.lines, made.lines, strict=True)
    )
    return invoice.model_copy(update={"lines": lines, "totals": whole, "vat_breakdown": groups})
