"""Iceland: seller's address in IS, some rules only when the buyer's is as well."""

from __future__ import annotations

from typing import Final

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol.national.tree import at, attributes, strings, value
from connector.ehf.rules.peppol.parties import ADDRESS_COUNTRY, BUYER, SELLER
from connector.ehf.rules.xpath import disjunction, is_date, normalize

_TYPES: Final = ("380", "381")
_KENNITALA: Final = "0196"
_DUE: Final = "EINDAGI"


def judge(doc: Document) -> None:
    """IS-R-001 to IS-R-010."""
    root = doc.root
    if strings(root, f"{SELLER}/cac:Party/{ADDRESS_COUNTRY}") != ["IS"]:
        return
    types = ("cbc:InvoiceTypeCode", "cbc:CreditNoteTypeCode")
    if not disjunction(*(lambda name=name: normalize(value(root, name)) in _TYPES for name in types)):
        said = [found for name in types for found in strings(root, name)]
        doc.fire("IS-R-001", root, value=said[0] if said else None, allowed=", ".join(_TYPES))
    if _KENNITALA not in attributes(at(root, f"{SELLER}/cac:Party/cac:PartyLegalEntity/cbc:CompanyID"), "schemeID"):
        doc.fire("IS-R-002", root, allowed=_KENNITALA)
    address = at(root, f"{SELLER}/cac:Party/cac:PostalAddress")
    if not (at(address, "cbc:StreetName") and at(address, "cbc:PostalZone")):
        doc.fire("IS-R-003", root)
    for code, rule in (("9", "IS-R-006"), ("42", "IS-R-007")):
        means = [one for one in at(root, "cac:PaymentMeans") if code in strings(one, "cbc:PaymentMeansCode")]
        if means:
            account = value(means, "cac:PayeeFinancialAccount/cbc:ID")
            if len(normalize(account)) != 12:
                doc.fire(rule, root, value=account or None)
    _last_day(doc)
    if strings(root, f"{BUYER}/cac:Party/{ADDRESS_COUNTRY}") != ["IS"]:
        return
    for buyer in at(root, BUYER):
        if _KENNITALA not in attributes(at(buyer, "cac:Party/cac:PartyLegalEntity/cbc:CompanyID"), "schemeID"):
            doc.fire("IS-R-004", buyer, allowed=_KENNITALA)
        address = at(buyer, "cac:Party/cac:PostalAddress")
        if not (at(address, "cbc:StreetName") and at(address, "cbc:PostalZone")):
            doc.fire("IS-R-005", buyer)


def _last_day(doc: Document) -> None:
    """IS-R-008 to 010: the last day to pay (eindagi) is a date, comes with a due date and not before it."""
    root = doc.root
    references = [
        one for one in at(root, "cac:AdditionalDocumentReference") if _DUE in strings(one, "cbc:DocumentDescription")
    ]
    if not references:
        return
    days, due = strings(references, "cbc:ID"), strings(root, "cbc:DueDate")
    day = value(references, "cbc:ID")
    if len(day) != 10 or not is_date(day):
        doc.fire("IS-R-008", root, value=day or None)
    if not due:
        doc.fire("IS-R-009", root)
    if not any(first <= last for first in due for last in days):  # compared as text, as the official rule does
        doc.fire("IS-R-010", root, value=day or None)
