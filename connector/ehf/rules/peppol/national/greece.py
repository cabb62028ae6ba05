"""Greece: seller whose worked-out country is GR or EL, some rules only when the buyer's is as well."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol import check_digits
from connector.ehf.rules.peppol.national.tree import (
    at,
    everywhere,
    strings,
    trimmed_schemes,
    value,
    vat_schemes,
)
from connector.ehf.rules.peppol.parties import ADDRESS_COUNTRY, BUYER, REPRESENTATIVE, SELLER, country
from connector.ehf.rules.xpath import BreaksOff, is_integer, normalize, number
from connector.ehf.xml import string_value

_GREEK: Final = ("GR", "EL")
_DATE: Final = re.compile(r"(0?[1-9]|[12][0-9]|3[01])[-\\/ ]?(0?[1-9]|1[0-2])[-\\/ ]?(19|20)[0-9]{2}")
_TYPES: Final = ("1.1", "1.6", "2.1", "2.4", "5.1", "5.2")
_MARK: Final = re.compile("[1-9]")
_MARK_NAME: Final = "##M.AR.K##"
_URL_NAME: Final = "##INVOICE|URL##"


def judge(doc: Document) -> None:
    """GR-R-001 to GR-R-010 and GR-S-008, GR-S-011."""
    root = doc.root
    if country(doc, SELLER) in _GREEK:
        for endpoint in at(everywhere(root, SELLER), "cac:Party/cbc:EndpointID"):
            _endpoint(doc, "GR-R-009", endpoint)
    if country(doc, SELLER, REPRESENTATIVE) not in _GREEK:
        return
    for identifier in at(root, "cbc:ID"):
        _number(doc, identifier)
    for party in at(everywhere(root, SELLER), "cac:Party"):
        if not value(party, "cac:PartyName/cbc:Name"):
            doc.fire("GR-R-002", party)
        if not _has_one_vat_number(party):
            doc.fire("GR-S-011", party)
        for scheme in at(party, "cac:PartyTaxScheme"):
            names = strings(scheme, "cac:TaxScheme/cbc:ID")
            if len(names) == 1 and normalize(names[0]) == "VAT":
                for company in at(scheme, "cbc:CompanyID"):
                    if not _is_vat_number(string_value(company)):
                        doc.fire("GR-R-003", company, value=string_value(company))
    _references(doc)
    for party in at(everywhere(root, BUYER), "cac:Party"):
        if not value(party, "cac:PartyName/cbc:Name"):
            doc.fire("GR-R-005", party)
    if country(doc, BUYER) in _GREEK:
        for party in at(everywhere(root, BUYER), "cac:Party"):
            if not _has_one_vat_number(party):
                doc.fire("GR-R-006", party)
            for endpoint in at(party, "cbc:EndpointID"):
                _endpoint(doc, "GR-R-010", endpoint)


def _is_vat_number(code: str) -> bool:
    return code.startswith("EL") and check_digits.greek_tin(code[2:])


def _has_one_vat_number(party: etree._Element) -> bool:
    codes = strings(trimmed_schemes([party], "VAT"), "cbc:CompanyID")
    return len(codes) == 1 and _is_vat_number(codes[0])


def _endpoint(doc: Document, rule: str, endpoint: etree._Element) -> None:
    if endpoint.get("schemeID") != "9933" or not check_digits.greek_tin(string_value(endpoint)):
        doc.fire(rule, endpoint, value=string_value(endpoint))


def _number(doc: Document, identifier: etree._Element) -> None:
    """The invoice number is TIN|day/month/year|branch|type|series|serial."""
    said = string_value(identifier)
    segments = said.split("|") if said else []
    tin, day, branch, kind, series, serial = (segments + [""] * 6)[:6]

    def fire(rule: str, value: str) -> None:
        doc.fire(rule, identifier, value=value or None)

    if len(segments) != 6:
        fire("GR-R-001-1", said)
    if len(normalize(tin)) != 9 or not check_digits.greek_tin(tin) or tin not in _tins(doc):
        fire("GR-R-001-2", tin)
    if not normalize(day) or _DATE.match(day) is None or not _is_issue_date(doc, day):
        fire("GR-R-001-3", day)
    if not normalize(branch) or number(branch) != number(branch):
        fire("GR-R-001-4", branch)
    elif not is_integer(branch):
        raise BreaksOff(f"xs:integer({branch!r})")
    elif int(branch) < 0:
        fire("GR-R-001-4", branch)
    if kind not in _TYPES:
        fire("GR-R-001-5", kind)
    if not series:
        fire("GR-R-001-6", series)
    if not serial:
        fire("GR-R-001-7", serial)


def _tins(doc: Document) -> list[str]:
    parties = at(doc.root, f"{SELLER}/cac:Party") + at(doc.root, REPRESENTATIVE)
    return [value(scheme, "cbc:CompanyID")[2:11] for scheme in vat_schemes(parties)]


def _is_issue_date(doc: Document, day: str) -> bool:
    issued = value(doc.root, "cbc:IssueDate")
    return len(wanted := issued.split("-")[:3]) == 3 and bool(issued) and day.split("/")[:3] == wanted[::-1]


def _references(doc: Document) -> None:
    """GR-R-004, GR-R-008, GR-S-008: the mark of the tax authority and the address where the invoice can be checked."""
    root = doc.root
    if "GR" in strings(root, f"{SELLER}/cac:Party/{ADDRESS_COUNTRY}"):
        named = [strings(one, "cbc:DocumentDescription") for one in at(root, "cac:AdditionalDocumentReference")]
        marks, urls = sum(_MARK_NAME in names for names in named), sum(_URL_NAME in names for names in named)
        if marks != 1:
            doc.fire("GR-R-004-1", root, value=str(marks), allowed="1")
        if urls != 1:
            doc.fire("GR-S-008-1", root, value=str(urls), allowed="1")
        if urls > 1:
            doc.fire("GR-R-008-2", root, value=str(urls), allowed="1")
        for reference in everywhere(root, "cac:AdditionalDocumentReference"):
            if _MARK_NAME in strings(reference, "cbc:DocumentDescription"):
                for mark in at(reference, "cbc:ID"):
                    if _MARK.match(string_value(mark)) is None:
                        doc.fire("GR-R-004-2", mark, value=string_value(mark))
    for reference in everywhere(root, "cac:AdditionalDocumentReference"):
        if _URL_NAME in strings(reference, "cbc:DocumentDescription") and not normalize(
            value(reference, "cac:Attachment/cac:ExternalReference/cbc:URI")
        ):
            doc.fire("GR-R-008-3", reference)
