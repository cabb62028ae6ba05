"""The rules of the three responses, in our words: the official ids, severities and verdicts.

Two layers as in the official files: the data model is a table (`data_model`), what goes across elements is a function.
Message Level Status has no table, its rules are all of the second kind.

One official rule never fires because its test is always true (PEPPOL-T111-R005: PPD only with PD); neither does ours
here. What we write keeps it (`writing`).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from lxml import etree

from connector.ehf.report import Severity
from connector.ehf.rules import releases
from connector.ehf.rules.peppol.identifiers import broken_by
from connector.ehf.rules.xpath import is_date, normalize
from connector.ehf.ubl.node import tag
from connector.ehf.validation import rules_for
from connector.ehf.xml import string_value
from connector.peppol.identifiers import INVOICE_RESPONSE, MESSAGE_LEVEL_RESPONSE, MESSAGE_LEVEL_STATUS
from connector.peppol.responses.codes import (
    ACTION_LIST,
    ACTIONS,
    FAILURES,
    MESSAGE_CODES,
    NEED_REASON,
    REASON_LIST,
    REASONS,
    WARNING,
)
from connector.peppol.responses.data_model import data_model
from connector.peppol.responses.judging import Judging, below, children, has_schema_location, text_at
from connector.peppol.responses.model import Finding, Kind


def judge(root: etree._Element, kind: Kind) -> tuple[Finding, ...]:
    """The rules that a response of that kind breaks, each at most 50 times; empty when it is in order.

    Args:
        root: its document element, as `connector.ehf.xml.parse` reads it.
    """
    judging = Judging(root)
    if kind == "message-level-status":
        _status(judging)
    else:
        _common(judging)
        data_model(judging, kind)
        (_invoice_response if kind == "invoice-response" else _message_response)(judging)
    return tuple(judging.found)


# --- what all documents of Peppol have in common ----------------------------------------------------------------------

_DATES: Final = tuple(f"cbc:{name}Date" for name in ("Issue", "Due", "TaxPoint", "Start", "End", "ActualDelivery"))


def _common(doc: Judging) -> None:
    for element in doc.root.iter(etree.Element):
        if not len(element) and not normalize(element.text or ""):
            doc.fire("PEPPOL-COMMON-R001", element, "empty")
    if has_schema_location(doc.root):
        doc.fire("PEPPOL-COMMON-R003", doc.root, "schema", severity="warning")
    for element in doc.root.iter(*map(tag, _DATES)):
        text = string_value(element)
        if not is_date(text) or len(text) != 10:
            doc.fire("PEPPOL-COMMON-R030", element, "date")
    for element in doc.root.iter(tag("cbc:EndpointID"), tag("cbc:CompanyID"), tag("cbc:ID")):
        rule = _identifier(element)
        if rule is not None:
            doc.fire(rule, element, "number", severity=_severity(rule))


def _identifier(element: etree._Element) -> str | None:
    parent = element.getparent()
    around = None if parent is None else parent.tag
    if element.tag == tag("cbc:ID") and around != tag("cac:PartyIdentification"):
        return None
    vat = (
        element.tag == tag("cbc:CompanyID")
        and parent is not None
        and around == tag("cac:PartyTaxScheme")
        and normalize(text_at(parent, "cac:TaxScheme", "cbc:ID")) == "VAT"
    )
    endpoint = element.tag == tag("cbc:EndpointID")
    return broken_by(string_value(element), element.get("schemeID"), endpoint=endpoint, vat=vat)


@cache
def _severity(rule: str) -> Severity:
    return rules_for(releases.NEWEST.version).entries[rule][0]


# --- across elements: Invoice Response --------------------------------------------------------------------------------


def _invoice_response(doc: Judging) -> None:
    for response in doc.root.iter(tag("cac:Response")):
        code = normalize(text_at(response, "cbc:ResponseCode"))
        clarified = any(one.find(tag("cbc:StatusReasonCode")) is not None for one in children(response, "cac:Status"))
        if code in NEED_REASON and not clarified:
            doc.fire("PEPPOL-T111-R001", response, "reason")
    for status in doc.root.iter(tag("cac:Status")):
        codes = children(status, "cbc:StatusReasonCode")
        texts = [string_value(one) for one in codes]
        explained = status.find(tag("cbc:StatusReason")) is not None
        # In the official file the first rule that fits a status is the only one.
        if "OTH" in texts:
            if not explained:
                doc.fire("PEPPOL-T111-R002", status, "text", severity="warning")
        elif "PPD" in texts and not explained:
            doc.fire("PEPPOL-T111-R004", status, "text")
        lists = [one.get("listID") for one in codes]
        for name, rule, known in (
            (ACTION_LIST, "PEPPOL-T111-R006", ACTIONS),
            (REASON_LIST, "PEPPOL-T111-R007", REASONS),
        ):
            if name in lists:
                if normalize(texts[0]) not in known:
                    doc.fire(rule, codes[0], "code", ", ".join(known))
                break
    _customization(doc, "PEPPOL-T111-R003", INVOICE_RESPONSE.document.customization)
    for element in doc.root.iter(tag("cbc:ProfileID")):
        if normalize(string_value(element)) not in _PROFILES:
            doc.fire("PEPPOL-T111-R008", element, "code", ", ".join(_PROFILES))


_PROFILES: Final = (INVOICE_RESPONSE.process.value, "urn:peppol:bis:billing_with_response")


def _message_response(doc: Judging) -> None:
    _customization(doc, "PEPPOL-T71-R001", MESSAGE_LEVEL_RESPONSE.document.customization)


def _customization(doc: Judging, rule: str, begins: str) -> None:
    for element in doc.root.iter(tag("cbc:CustomizationID")):
        if not normalize(string_value(element)).startswith(begins):
            doc.fire(rule, element, "value", begins)


# --- across elements: Message Level Status ----------------------------------------------------------------------------

_ZONE: Final = re.compile(r"([+-]\d{2}:\d{2}|Z)$")
_PROVIDER: Final = re.compile(r"[0-9]{6}(-[0-9A-Z_]{3,12}(\.[0-9A-Z\-._~]{3,24})?)?", re.IGNORECASE | re.ASCII)
_PROVIDER_SCHEME: Final = "0242"


def _status(doc: Judging) -> None:
    root = doc.root
    service = MESSAGE_LEVEL_STATUS
    for rule, name, wanted in (
        ("SCH-MLS-01", "cbc:CustomizationID", service.document.customization),
        ("SCH-MLS-02", "cbc:ProfileID", service.process.value),
    ):
        if normalize(text_at(root, name)) != wanted:
            doc.fire(rule, root, "unfit", f"{name} ({wanted})")
    if not normalize(text_at(root, "cbc:ID")):
        doc.fire("SCH-MLS-03", root, "missing", "cbc:ID")
    if len(normalize(text_at(root, "cbc:IssueDate"))) != 10:
        doc.fire("SCH-MLS-04", root, "unfit", "cbc:IssueDate (YYYY-MM-DD)")
    if root.find(tag("cbc:IssueTime")) is None:
        doc.fire("SCH-MLS-05", root, "missing", "cbc:IssueTime")
    if not _ZONE.search(normalize(text_at(root, "cbc:IssueTime"))):
        doc.fire("SCH-MLS-06", root, "unfit", "cbc:IssueTime (hh:mm:ssZ)")
    _provider(doc, "cac:SenderParty", 7)
    _provider(doc, "cac:ReceiverParty", 12)
    documents = children(root, "cac:DocumentResponse")
    if len(documents) != 1:
        doc.fire("SCH-MLS-17", root, "once", "cac:DocumentResponse")
    for document in documents:
        _status_of(doc, document)


def _provider(doc: Judging, party: str, first: int) -> None:
    """Five rules on an endpoint, from the number `first` on: it is there, not empty, a provider's, with its scheme."""
    endpoint = next(iter(below(doc.root, party, "cbc:EndpointID")), None)
    text = "" if endpoint is None else normalize(string_value(endpoint))
    scheme = None if endpoint is None else endpoint.get("schemeID")
    broken = (endpoint is None, not text, not _PROVIDER.fullmatch(text), scheme is None, scheme != _PROVIDER_SCHEME)
    name = f"{party}/cbc:EndpointID"
    parts = (name, name, f"{name} (000000)", f"{name}/@schemeID", f"{name}/@schemeID ({_PROVIDER_SCHEME})")
    for offset, (is_broken, what) in enumerate(zip(broken, parts, strict=True)):
        if is_broken:
            doc.fire(f"SCH-MLS-{first + offset:02}", doc.root, "unfit", what)


def _status_of(doc: Judging, document: etree._Element) -> None:
    codes = below(document, "cac:Response", "cbc:ResponseCode")
    code = normalize(string_value(codes[0])) if codes else ""
    descriptions = below(document, "cac:Response", "cbc:Description")
    lines = children(document, "cac:LineResponse")
    reasons = {
        normalize(string_value(one))
        for line in lines
        for one in below(line, "cac:Response", "cac:Status", "cbc:StatusReasonCode")
    }
    failed = not reasons.isdisjoint(FAILURES)
    if not codes:
        doc.fire("SCH-MLS-18", document, "missing", "cac:Response/cbc:ResponseCode")
    if code not in MESSAGE_CODES:
        doc.fire("SCH-MLS-19", codes[0] if codes else document, "code", ", ".join(MESSAGE_CODES))
    if code == "RE":
        if not descriptions:
            doc.fire("SCH-MLS-20", document, "missing", "cac:Response/cbc:Description")
        if not descriptions or not normalize(string_value(descriptions[0])):
            doc.fire("SCH-MLS-21", document, "missing", "cac:Response/cbc:Description")
        if not lines:
            doc.fire("SCH-MLS-23", document, "missing", "cac:LineResponse")
        if not failed:
            doc.fire("SCH-MLS-24", document, "failure-needed", ", ".join(FAILURES))
    elif failed:
        doc.fire("SCH-MLS-25", document, "failure-unfit", ", ".join(sorted(reasons.intersection(FAILURES))))
    references = children(document, "cac:DocumentReference")
    if len(references) != 1:
        doc.fire("SCH-MLS-22", document, "once", "cac:DocumentReference")
    for reference in references:
        if not normalize(text_at(reference, "cbc:ID")):
            doc.fire("SCH-MLS-26", reference, "missing", "cbc:ID")
    for line in lines:
        _status_line(doc, line)


def _status_line(doc: Judging, line: etree._Element) -> None:
    if not normalize(text_at(line, "cac:LineReference", "cbc:LineID")):
        doc.fire("SCH-MLS-27", line, "missing", "cac:LineReference/cbc:LineID")
    for response in children(line, "cac:Response"):
        description = response.find(tag("cbc:Description"))
        if description is None:
            doc.fire("SCH-MLS-28", response, "missing", "cbc:Description")
        if description is None or not normalize(string_value(description)):
            doc.fire("SCH-MLS-29", response, "missing", "cbc:Description")
        statuses = children(response, "cac:Status")
        if not statuses:
            doc.fire("SCH-MLS-30", response, "missing", "cac:Status")
        for status in statuses:
            if normalize(text_at(status, "cbc:StatusReasonCode")) not in (*FAILURES, WARNING):
                doc.fire("SCH-MLS-31", status, "unfit", f"cbc:StatusReasonCode ({', '.join((*FAILURES, WARNING))})")
