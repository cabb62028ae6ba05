"""Products as registers hold them; a line of an invoice carries its own copy of what it sold."""

from __future__ import annotations

from connector.model.base import Term, Text
from connector.model.dimension import Dimensions
from connector.model.money import Amount, Currency, Number
from connector.model.party import Identifier


class Product(Term):
    """Something that is sold or bought."""

    source_id: Text | None = None
    """The record's id in the system that holds it."""
    number: Text | None = None
    """Product number that people use (BT-155 on a line)."""
    name: Text
    """Name (BT-153 on a line)."""
    description: Text | None = None
    """Description (BT-154 on a line)."""
    standard_id: Identifier | None = None
    """GTIN or another standard identifier with its scheme, 0160 for GTIN (BT-157 on a line)."""
    unit_code: Text | None = None
    """Unit of the quantity, UN/ECE recommendation 20 or 21: C62 piece, HUR hour, KGM kilogram (BT-130)."""
    price: Amount | None = None
    """Price of one unit without VAT."""
    price_including_vat: Amount | None = None
    """Price of one unit with VAT, where that is what is fixed."""
    currency: Currency = "NOK"
    """Currency of the prices."""
    vat_code: Text | None = None
    """SAF-T standard VAT code of the sale: 3, 31, 32, 5 …"""
    vat_category: Text | None = None
    """EN 16931 VAT category (BT-151)."""
    vat_rate: Number | None = None
    """VAT rate in percent (BT-152)."""
    account: Text | None = None
    """Income account in the ledger."""
    dimensions: Dimensions = Dimensions()
    """Dimension values its lines get unless they say otherwise."""
    active: bool = True
    """False: no longer sold; never deleted, documents refer to it."""
