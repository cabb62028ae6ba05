"""Allowances, charges and VAT (BG-20, BG-21, BG-23, BG-27, BG-28, BG-30)."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from connector.ehf.ubl.node import Node, group, put, put_in
from connector.model import AllowanceCharge, Totals, VatBreakdown

_TRUE = ("true", "1")


def read_allowances_charges(parent: Node, *, with_vat: bool) -> tuple[AllowanceCharge, ...]:
    """Allowances and charges of the document (with VAT category) or of a line (without)."""
    return tuple(_read_item(node, with_vat) for node in parent.all("cac:AllowanceCharge"))


def _read_item(node: Node, with_vat: bool) -> AllowanceCharge:
    category, rate = _read_category(_vat_category(node, "cac:TaxCategory")) if with_vat else (None, None)
    return AllowanceCharge(
        is_charge=node.text("cbc:ChargeIndicator") in _TRUE,
        reason_code=node.text("cbc:AllowanceChargeReasonCode"),
        reason=node.text("cbc:AllowanceChargeReason"),
        percent=node.number("cbc:MultiplierFactorNumeric"),
        amount=node.number("cbc:Amount"),
        base=node.number("cbc:BaseAmount"),
        vat_category=category,
        vat_rate=rate,
    )


def write_allowances_charges(
    parent: etree._Element, items: tuple[AllowanceCharge, ...], currency: str, *, with_vat: bool
) -> None:
    """Append an AllowanceCharge for each."""
    for item in items:
        element = group(parent, "cac:AllowanceCharge")
        put(element, "cbc:ChargeIndicator", "true" if item.is_charge else "false")
        put(element, "cbc:AllowanceChargeReasonCode", item.reason_code)
        put(element, "cbc:AllowanceChargeReason", item.reason)
        put(element, "cbc:MultiplierFactorNumeric", item.percent)
        put(element, "cbc:Amount", item.amount, currencyID=currency)
        put(element, "cbc:BaseAmount", item.base, currencyID=currency)
        if with_vat:
            write_category(element, "cac:TaxCategory", item.vat_category, item.vat_rate)


def _vat_category(parent: Node, name: str) -> Node | None:
    """The category of value added tax; one of another tax is no VAT category and is left alone."""
    schemes = ((node, node.text("cac:TaxScheme", "cbc:ID") or "") for node in parent.all(name))
    return next((node for node, scheme in schemes if scheme.upper() == "VAT"), None)


def _read_category(node: Node | None) -> tuple[str | None, Decimal | None]:
    return (node.text("cbc:ID"), node.number("cbc:Percent")) if node else (None, None)


def read_category(item: Node) -> tuple[str | None, Decimal | None]:
    """VAT category and rate of a line's item (BG-30)."""
    return _read_category(_vat_category(item, "cac:ClassifiedTaxCategory"))


def write_category(parent: etree._Element, name: str, category: str | None, rate: Decimal | None) -> None:
    """Append a VAT category; nothing where there is neither category nor rate."""
    if category is None and rate is None:
        return
    element = group(parent, name)
    put(element, "cbc:ID", category)
    put(element, "cbc:Percent", rate)
    put_in(element, "cac:TaxScheme", "cbc:ID", "VAT")


def read_tax_totals(
    document: Node, currency: str, tax_currency: str | None
) -> tuple[Decimal | None, tuple[VatBreakdown, ...], Decimal | None]:
    """Total VAT (BT-110), its breakdown (BG-23), and total VAT in the accounting currency (BT-111)."""
    found = document.all("cac:TaxTotal")
    in_currency = [node for node in found if node.attribute("currencyID", "cbc:TaxAmount") == currency]
    main = next((node for node in in_currency if node.first("cac:TaxSubtotal")), next(iter(in_currency), None))
    others = (node for node in found if node is not main)
    accounting = next(
        (node for node in others if tax_currency and node.attribute("currencyID", "cbc:TaxAmount") == tax_currency),
        None,
    )
    breakdown = tuple(_read_breakdown(main)) if main else ()
    return main and main.number("cbc:TaxAmount"), breakdown, accounting and accounting.number("cbc:TaxAmount")


def _read_breakdown(main: Node) -> list[VatBreakdown]:
    found = []
    for node in main.all("cac:TaxSubtotal"):
        tax = node.number("cbc:TaxAmount")
        if tax is None:
            continue
        category = _vat_category(node, "cac:TaxCategory")
        code, rate = _read_category(category)
        found.append(
            VatBreakdown(
                category=code,
                rate=rate,
                taxable_amount=node.number("cbc:TaxableAmount"),
                tax_amount=tax,
                exemption_reason=category and category.text("cbc:TaxExemptionReason"),
                exemption_code=category and category.text("cbc:TaxExemptionReasonCode"),
            )
        )
    return found


def write_tax_totals(
    parent: etree._Element,
    totals: Totals,
    breakdown: tuple[VatBreakdown, ...],
    currency: str,
    tax_currency: str | None,
) -> None:
    """Append the TaxTotal in the document's currency, and the one in the accounting currency."""
    if totals.tax is not None:
        element = group(parent, "cac:TaxTotal")
        put(element, "cbc:TaxAmount", totals.tax, currencyID=currency)
        for part in breakdown:
            subtotal = group(element, "cac:TaxSubtotal")
            put(subtotal, "cbc:TaxableAmount", part.taxable_amount, currencyID=currency)
            put(subtotal, "cbc:TaxAmount", part.tax_amount, currencyID=currency)
            category = group(subtotal, "cac:TaxCategory")
            put(category, "cbc:ID", part.category)
            put(category, "cbc:Percent", part.rate)
            put(category, "cbc:TaxExemptionReasonCode", part.exemption_code)
            put(category, "cbc:TaxExemptionReason", part.exemption_reason)
            put_in(category, "cac:TaxScheme", "cbc:ID", "VAT")
    put_in(parent, "cac:TaxTotal", "cbc:TaxAmount", totals.tax_in_accounting_currency, currencyID=tax_currency)
