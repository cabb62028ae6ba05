"""Invoice lines (BG-25)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connector.model.base import Term, Text
from connector.model.charges import AllowanceCharge, as_carried
from connector.model.dimension import Dimensions
from connector.model.extension import Extension
from connector.model.money import Amount, Number
from connector.model.party import Identifier
from connector.model.references import Period


class ItemAttribute(Term):
    """A property of what is sold (BG-32): colour, red."""

    name: Text
    """BT-160 Attribute name."""
    value: Text
    """BT-161 Attribute value."""


class Classification(Term):
    """A class of what is sold (BT-158), for instance of UNSPSC (list TST)."""

    code: Text
    """BT-158 Code."""
    list_id: Text | None = None
    """BT-158-1 Code list (UNTDID 7143): TST UNSPSC, STI CPV, HS tariff …"""
    version: Text | None = None
    """BT-158-2 Version of the list."""


class Line(Term):
    """One line of an invoice or credit note (BG-25). On a credit note amounts and quantities are positive too."""

    id: Text
    """BT-126 Line number, unique in the document."""
    note: Text | None = None
    """BT-127 Note."""
    object_id: Identifier | None = None
    """BT-128 What the line is about, with its scheme: a meter, a subscription."""
    quantity: Number | None = None
    """BT-129 Quantity."""
    unit_code: Text | None = None
    """BT-130 Unit of the quantity, UN/ECE recommendation 20 or 21: C62 piece, HUR hour."""
    net: Amount | None = None
    """BT-131 Line amount without VAT, after allowances and charges; left out in a draft, `compose` fills it."""
    order_line: Text | None = None
    """BT-132 Line of the purchase order."""
    accounting_cost: Text | None = None
    """BT-133 Buyer's accounting reference."""
    period: Period | None = None
    """BG-26 Period of the line."""
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    """BG-27, BG-28 Allowances and charges of the line."""

    price: Number | None = None
    """BT-146 Item net price without VAT, any number of decimals; of `base_quantity` units."""
    price_discount: Number | None = None
    """BT-147 What was taken off the gross price."""
    gross_price: Number | None = None
    """BT-148 Item price before the discount."""
    base_quantity: Number | None = None
    """BT-149 How many units the price is for; 1 where not stated."""
    base_quantity_unit: Text | None = None
    """BT-150 Unit of the base quantity."""

    vat_category: Text | None = None
    """BT-151 VAT category: S, Z, E, AE, K, G, O …"""
    vat_rate: Number | None = None
    """BT-152 VAT rate in percent; none for category O."""
    vat_code: Text | None = None
    """SAF-T standard VAT code, "3", "31", "52" …; what the books need. Not carried by EHF."""
    vat_exemption_reason: Text | None = None
    """Why there is no VAT: goes to the breakdown (BT-120) when the document is composed. Not carried on the line."""
    vat_exemption_code: Text | None = None
    """The same as VATEX code (BT-121)."""

    name: Text | None = None
    """BT-153 What is sold."""
    description: Text | None = None
    """BT-154 More about it."""
    seller_item_id: Text | None = None
    """BT-155 Seller's product number."""
    buyer_item_id: Text | None = None
    """BT-156 Buyer's product number."""
    standard_item_id: Identifier | None = None
    """BT-157 GTIN (scheme 0160) or another standard identifier."""
    classifications: tuple[Classification, ...] = ()
    """BT-158 Classes."""
    origin_country: Text | None = None
    """BT-159 Country of origin, ISO 3166-1 alpha-2."""
    attributes: tuple[ItemAttribute, ...] = ()
    """BG-32 Properties."""

    source_id: Text | None = None
    """The line's id in the system it comes from. Not carried by EHF."""
    dimensions: Dimensions = Dimensions()
    """Department, project … of the line; what is not set here is the document's. Not carried by EHF."""
    extension: Extension = ()
    """What the received line held besides (see `Kept`); nobody sets it by hand."""

    @property
    def vat_group(self) -> tuple[str | None, Decimal | None]:
        """The group of the breakdown that the line belongs to: category and rate."""
        return self.vat_category, self.vat_rate


_INNER: dict[str, Any] = {
    "vat_code": None,
    "vat_exemption_reason": None,
    "vat_exemption_code": None,
    "source_id": None,
    "dimensions": Dimensions(),
}


def line_as_carried(line: Line) -> Line:
    """The line without what EHF cannot carry."""
    items = tuple(as_carried(item) for item in line.allowances_charges)
    plain_items = tuple(
        item.model_copy(update={"vat_category": None, "vat_rate": None})
        if item.vat_category or item.vat_rate is not None
        else item
        for item in items
    )
    return line.model_copy(update={**_INNER, "allowances_charges": plain_items})
