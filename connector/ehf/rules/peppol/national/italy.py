"""Italy: seller whose worked-out country is IT."""

from __future__ import annotations

import re
from typing import Final

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol.national.tree import at, everywhere, strings, value
from connector.ehf.rules.peppol.parties import REPRESENTATIVE, SELLER, country
from connector.ehf.rules.xpath import normalize

_TAX_CODE: Final = re.compile("[A-Z0-9]{11,16}")
_ADDRESS: Final = (
    ("cbc:StreetName", "IT-R-002"),
    ("cbc:CityName", "IT-R-003"),
    ("cbc:PostalZone", "IT-R-004"),
)


def judge(doc: Document) -> None:
    """IT-R-001 to 004: the tax registration has 11 to 16 characters; street, city and post code are there."""
    if country(doc, SELLER, REPRESENTATIVE) != "IT":
        return
    for party in at(everywhere(doc.root, SELLER), "cac:Party"):
        for scheme in at(party, "cac:PartyTaxScheme"):
            names = strings(scheme, "cac:TaxScheme/cbc:ID")
            if len(names) < 2 and normalize(names[0] if names else "") != "VAT":
                code = value(scheme, "cbc:CompanyID")
                if _TAX_CODE.fullmatch(normalize(code)) is None:
                    doc.fire("IT-R-001", scheme, value=code)
        for name, rule in _ADDRESS:
            if not at(party, f"cac:PostalAddress/{name}"):
                doc.fire(rule, party)
