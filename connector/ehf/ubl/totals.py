"""Document totals (BG-22)."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from connector.ehf.ubl.node import Node, group, put
from connector.model import Totals


def read_totals(node: Node | None, tax: Decimal | None, accounting_tax: Decimal | None) -> Totals | None:
    """LegalMonetaryTotal with the two VAT totals; None where no payable amount is stated."""
    payable = node and node.number("cbc:PayableAmount")
    if node is None or payable is None:
        return None
    return Totals(
        line_total=node.number("cbc:LineExtensionAmount"),
        tax_exclusive=node.number("cbc:TaxExclusiveAmount"),
        tax_inclusive=node.number("cbc:TaxInclusiveAmount"),
        allowance_total=node.number("cbc:AllowanceTotalAmount"),
        charge_total=node.number("cbc:ChargeTotalAmount"),
        prepaid=node.number("cbc:PrepaidAmount"),
        rounding=node.number("cbc:PayableRoundingAmount"),
        payable=payable,
        tax=tax,
        tax_in_accounting_currency=accounting_tax,
    )


def write_totals(parent: etree._Element, totals: Totals, currency: str) -> None:
    """Append LegalMonetaryTotal."""
    element = group(parent, "cac:LegalMonetaryTotal")
    for name, amount in (
        ("cbc:LineExtensionAmount", totals.line_total),
        ("cbc:TaxExclusiveAmount", totals.tax_exclusive),
        ("cbc:TaxInclusiveAmount", totals.tax_inclusive),
        ("cbc:AllowanceTotalAmount", totals.allowance_total),
        ("cbc:ChargeTotalAmount", totals.charge_total),
        ("cbc:PrepaidAmount", totals.prepaid),
        ("cbc:PayableRoundingAmount", totals.rounding),
        ("cbc:PayableAmount", totals.payable),
    ):
        put(element, name, amount, currencyID=currency)
