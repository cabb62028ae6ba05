"""Sweden: seller's address in SE, some rules only with a Swedish VAT number as well."""

from __future__ import annotations

from typing import Final

from lxml import etree

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol import check_digits
from connector.ehf.rules.peppol.national.tree import at, everywhere, strings, value, vat_schemes
from connector.ehf.rules.peppol.parties import ADDRESS_COUNTRY, BUYER, SELLER
from connector.ehf.rules.xpath import normalize, number
from connector.ehf.xml import string_value

_F_TAX: Final = "GODKÄND FÖR F-SKATT"
_RATES: Final = (25, 12, 6)


def judge(doc: Document) -> None:
    """SE-R-001 to SE-R-013."""
    root = doc.root
    parties = [one for one in at(everywhere(root, SELLER), "cac:Party") if "SE" in strings(one, ADDRESS_COUNTRY)]
    if not parties:
        return
    registered = [party for party in parties if _has_swedish_vat(party)]
    for party in registered:
        _vat_number(doc, party)
    for party in parties:
        _registration(doc, party)
    if registered:
        for name in ("cac:TaxCategory", "cac:ClassifiedTaxCategory"):
            for category in everywhere(root, name):
                if "S" in strings(category, "cbc:ID"):
                    rate = value(category, "cbc:Percent")
                    if number(rate) not in _RATES:
                        doc.fire("SE-R-006", category, value=rate or None, allowed="25, 12, 6")
    domestic = any("SE" in strings(one, ADDRESS_COUNTRY) for one in at(everywhere(root, BUYER), "cac:Party"))
    for means in everywhere(root, "cac:PaymentMeans"):
        _payment(doc, means, domestic)


def _has_swedish_vat(party: etree._Element) -> bool:
    numbers = [strings(scheme, "cbc:CompanyID") for scheme in vat_schemes([party])]
    for found in numbers:
        if len(found) > 1:
            return False  # an error in the official context: the rule is not for this party
        if found and found[0].startswith("SE"):
            return True
    return False


def _vat_number(doc: Document, party: etree._Element) -> None:
    code = value(vat_schemes([party]), "cbc:CompanyID")
    if len(normalize(code)) != 14:
        doc.fire("SE-R-001", party, value=code)
    if _is_nan(code[2:14]):
        doc.fire("SE-R-002", party, value=code)


def _registration(doc: Document, party: etree._Element) -> None:
    legal = False
    for entity in at(party, "cac:PartyLegalEntity"):
        if at(entity, "cbc:CompanyID"):
            legal = True
            code = value(entity, "cbc:CompanyID")
            trimmed = normalize(code)
            if _is_nan(code):
                doc.fire("SE-R-003", entity, value=code)
            if len(trimmed) != 10:
                doc.fire("SE-R-004", entity, value=code)
            if not check_digits.swedish(trimmed):
                doc.fire("SE-R-013", entity, value=code)
    if not legal:
        return
    for scheme in at(party, "cac:PartyTaxScheme"):
        names = strings(scheme, "cac:TaxScheme/cbc:ID")
        if len(names) < 2 and normalize((names[0] if names else "").upper()) != "VAT":
            for company in at(scheme, "cbc:CompanyID"):
                if normalize(string_value(company).upper()) != _F_TAX:
                    doc.fire("SE-R-005", company, value=string_value(company), allowed="Godkänd för F-skatt")


def _payment(doc: Document, means: etree._Element, domestic: bool) -> None:
    codes = strings(means, "cbc:PaymentMeansCode")
    branches = strings(means, "cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID")
    if len(codes) == 1 and normalize(codes[0]) == "30" and len(branches) == 1:
        for account in at(means, "cac:PayeeFinancialAccount/cbc:ID"):
            _account(doc, account, normalize(branches[0]))
    if "50" in codes or "56" in codes:
        doc.fire("SE-R-011", means, value=codes[0], allowed="30")
    elif domestic and "31" in codes:
        doc.fire("SE-R-012", means, value=codes[0], allowed="30")


def _account(doc: Document, account: etree._Element, kind: str) -> None:
    code = string_value(account)
    size = len(normalize(code))
    if kind == "SE:PLUSGIRO":
        if _is_nan(code):
            doc.fire("SE-R-007", account, value=code)
        if not 2 <= size <= 8:
            doc.fire("SE-R-010", account, value=code)
    elif kind == "SE:BANKGIRO":
        if _is_nan(code):
            doc.fire("SE-R-008", account, value=code)
        if size not in (7, 8):
            doc.fire("SE-R-009", account, value=code)


def _is_nan(text: str) -> bool:
    """`string_value(number(text)) = 'NaN'`."""
    found = number(text)
    return found != found
