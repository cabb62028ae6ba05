"""Denmark: seller's address in DK, most rules only when the buyer's is as well."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from connector.ehf.rules.engine import Document
from connector.ehf.rules.peppol.layers import text_of
from connector.ehf.rules.peppol.national.tree import at, attributes, everywhere, only, strings, text, value
from connector.ehf.rules.peppol.parties import ADDRESS_COUNTRY, BUYER, SELLER
from connector.ehf.rules.xpath import conjunction, normalize, number
from connector.ehf.xml import string_value

_LEGAL: Final = "cac:Party/cac:PartyLegalEntity/cbc:CompanyID"
_MEANS: Final = " 1 10 31 42 48 49 50 58 59 93 97 "
_GIRO: Final = re.compile("[0-9]{7,8}")
_CLASSIFICATION: Final = "cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode"
_UNSPSC: Final = ("19.05.01", "19.0501", "26.08.01", "26.0801")


def judge(doc: Document) -> None:
    """DK-R-002 to DK-R-017."""
    if _country(doc, SELLER) != ["DK"]:
        return
    buyer = _country(doc, BUYER)
    _seller(doc, buyer)
    if buyer != ["DK"]:
        return
    root = doc.root
    for side in (SELLER, BUYER):
        for identification in at(root, f"{side}/cac:Party/cac:PartyIdentification"):
            ids = at(identification, "cbc:ID")
            if ids and not normalize(only(attributes(ids, "schemeID"), "@schemeID")):
                doc.fire("DK-R-013", identification, value=string_value(ids[0]))
    if doc.kind == "Invoice":
        for means in at(root, "cac:PaymentMeans"):
            _payment(doc, means)
    for party in at(root, f"{BUYER}/cac:Party") if doc.since("3.0.20") else ():
        _scheme(doc, "DK-R-017", party, at(party, "cac:PartyLegalEntity/cbc:CompanyID"))
    for line in at(root, f"cac:{doc.kind}Line"):
        codes = at(line, _CLASSIFICATION)
        versions = attributes(codes, "listVersionID")
        if "TST" in attributes(codes, "listID") and not any(version in _UNSPSC for version in versions):
            doc.fire("DK-R-003", line, value=versions[0] if versions else None, allowed=", ".join(_UNSPSC))
    for adjustment in everywhere(root, "cac:AllowanceCharge"):
        if "ZZZ" in strings(adjustment, "cbc:AllowanceChargeReasonCode"):
            reason = value(adjustment, "cbc:AllowanceChargeReason")
            # In this order, for text() breaks off on several pieces.
            if not _has_mark(reason) and not (
                0 <= number(reason) <= 9999 and len(text(doc, adjustment, "cbc:AllowanceChargeReason")) == 4
            ):
                doc.fire("DK-R-004", adjustment, value=reason)


def _country(doc: Document, side: str) -> list[str]:
    return strings(doc.root, f"{side}/cac:Party/{ADDRESS_COUNTRY}")


def _seller(doc: Document, buyer: list[str]) -> None:
    root = doc.root
    legal = at(root, f"{SELLER}/{_LEGAL}")
    if not text(doc, root, f"{SELLER}/{_LEGAL}"):
        doc.fire("DK-R-002", root)
    _scheme(doc, "DK-R-014", root, legal)
    if doc.kind == "CreditNote":
        payable = "cac:LegalMonetaryTotal/cbc:PayableAmount"
        if conjunction(
            lambda: only(buyer, "countries of the buyer") == "DK", lambda: number(text(doc, root, payable)) < 0
        ):
            doc.fire("DK-R-016", root, value=text(doc, root, payable))


def _scheme(doc: Document, rule: str, place: etree._Element, companies: list[etree._Element]) -> None:
    if companies:
        scheme = normalize(only(attributes(companies, "schemeID"), "@schemeID"))
        if scheme != "0184":
            doc.fire(rule, place, value=scheme or None, allowed="0184")


def _payment(doc: Document, means: etree._Element) -> None:
    """DK-R-005 to 011. Values are read only where the official test gets to them."""
    codes = strings(means, "cbc:PaymentMeansCode")
    code = only(codes, "cbc:PaymentMeansCode")
    account = "cac:PayeeFinancialAccount/cbc:ID"
    if f" {code} " not in _MEANS:
        doc.fire("DK-R-005", means, value=code, allowed=_MEANS.strip())
    if code in ("31", "42") and not _filled(
        doc, means, account, "cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID"
    ):
        doc.fire("DK-R-006", means, value=code)
    if code == "49" and not _filled(
        doc, means, "cac:PaymentMandate/cbc:ID", "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID"
    ):
        doc.fire("DK-R-007", means, value=code)
    if code not in ("50", "93"):
        return
    reference = value(means, "cbc:PaymentID")
    kind = reference[:3]
    if code == "50":
        if kind not in ("01#", "04#", "15#") or _GIRO.fullmatch(value(means, account)) is None:
            doc.fire("DK-R-008", means, value=reference)
        if kind in ("04#", "15#") and len(reference) != 19:
            doc.fire("DK-R-009", means, value=reference)
    else:
        if kind not in ("71#", "73#", "75#") or len(text_of(at(means, account), doc) or "") != 8:
            doc.fire("DK-R-010", means, value=reference)
        if kind in ("71#", "75#") and len(reference) not in (18, 19):
            doc.fire("DK-R-011", means, value=reference)


def _filled(doc: Document, means: etree._Element, *paths: str) -> bool:
    """Whether there is a text at each of the paths."""
    return conjunction(*(lambda path=path: bool(text(doc, means, path)) for path in paths))


def _has_mark(reason: str) -> bool:
    """A text with a # that is neither first nor last."""
    return "#" in reason and not reason.startswith("#") and not reason.endswith("#")
