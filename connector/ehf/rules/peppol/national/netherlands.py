"""The Netherlands: seller's address in NL, some rules only when the buyer's or the representative's is as well."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from lxml import etree

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol.national.tree import at, everywhere, strings, value
from connector.ehf.rules.peppol.parties import BUYER, REPRESENTATIVE, SELLER, lives_in
from connector.ehf.rules.xpath import decimal, normalize
from connector.ehf.xml import string_value

_LEGAL: Final = "cac:Party/cac:PartyLegalEntity/cbc:CompanyID"
_MEANS: Final = ("30", "48", "49", "57", "58", "59")


def judge(doc: Document) -> None:
    """NL-R-001 to NL-R-009."""
    if not lives_in(doc, SELLER, "NL"):
        return
    root = doc.root
    if not at(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"):
        for code in everywhere(root, "cbc:CreditNoteTypeCode"):
            doc.fire("NL-R-001", code)
    _party(doc, SELLER, "NL-R-002", "NL-R-003")
    if lives_in(doc, REPRESENTATIVE, "NL"):
        for address in at(everywhere(root, REPRESENTATIVE), "cac:PostalAddress"):
            _address(doc, "NL-R-006", address)
    means = everywhere(root, "cac:PaymentMeans")
    for total in everywhere(root, "cac:LegalMonetaryTotal") if not means else ():
        payable = _payable(total)
        if payable is None or (payable > 0 if doc.kind == "Invoice" else payable < 0):
            doc.fire("NL-R-007", total)
    if not at(root, "cac:OrderReference/cbc:ID"):
        for line in at(everywhere(root, "cac:OrderLineReference"), "cbc:LineID"):
            doc.fire("NL-R-009", line)
    if lives_in(doc, BUYER, "NL"):
        _party(doc, BUYER, "NL-R-004", "NL-R-005")
        for one in means:
            way = normalize(value(one, "cbc:PaymentMeansCode"))
            if way not in _MEANS:
                doc.fire("NL-R-008", one, value=way or None, allowed=", ".join(_MEANS))


def _payable(total: etree._Element) -> Decimal | None:
    said = value(total, "cbc:PayableAmount")
    return decimal(said) if strings(total, "cbc:PayableAmount") else None


def _party(doc: Document, side: str, address_rule: str, number_rule: str) -> None:
    for address in at(everywhere(doc.root, side), "cac:Party/cac:PostalAddress"):
        _address(doc, address_rule, address)
    for company in at(everywhere(doc.root, side), _LEGAL):
        scheme = f" {company.get('schemeID', '')} "
        if not (" 0106 " in scheme or " 0190 " in scheme) or not normalize(string_value(company)):
            doc.fire(number_rule, company, value=scheme.strip() or None, allowed="0106, 0190")


def _address(doc: Document, rule: str, address: etree._Element) -> None:
    if not all(at(address, name) for name in ("cbc:StreetName", "cbc:CityName", "cbc:PostalZone")):
        doc.fire(rule, address)
