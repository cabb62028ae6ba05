"""The national rules: they apply by the country of the seller, some only when the buyer lives there too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol.layers import billing
from connector.ehf.rules.peppol.national import (
    denmark,
    germany,
    greece,
    iceland,
    italy,
    netherlands,
    norway,
    sweden,
)
from connector.ehf.rules.peppol.national.tree import everywhere
from connector.ehf.rules.peppol.parties import ADDRESS_COUNTRY, REPRESENTATIVE, SELLER, country
from connector.ehf.rules.xpath import normalize
from connector.ehf.xml import string_value

FAMILIES: Final[dict[str, Callable[[Document], None]]] = {
    "NO": norway.judge,
    "DK": denmark.judge,
    "IT": italy.judge,
    "SE": sweden.judge,
    "GR": greece.judge,
    "EL": greece.judge,
    "IS": iceland.judge,
    "NL": netherlands.judge,
    "DE": germany.judge,
}
"""By country. Each family looks again, in its own words, whether it applies."""


@billing.document
def national(doc: Document) -> None:
    """Ask the families that could apply: of the country worked out from the VAT number, and of the address."""
    codes = {normalize(text or "").upper() for text in doc.texts(f"{SELLER}/cac:Party/{ADDRESS_COUNTRY}")}
    codes.add(country(doc, SELLER, REPRESENTATIVE) or "")
    codes.add(country(doc, SELLER) or "")
    if not doc.typed:  # what is no UBL may have a seller anywhere
        codes |= {normalize(string_value(code)).upper() for code in everywhere(doc.root, "cbc:IdentificationCode")}
    for family in {found for code in codes if (found := FAMILIES.get(code))}:
        family(doc)
