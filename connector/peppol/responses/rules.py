"""The rules of the three responses, in our words: the official ids, severities and verdicts.

Two layers as in the official files: the data model (what must, may and must not stand where, and with which codes) is a
table; what goes across elements is a function. Message Level Status has no table, its rules are all of the second kind.

One official rule never fires because its test is always true (PEPPOL-T111-R005: PPD only with PD); neither does ours
here. What we write keeps it (`writing`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from lxml import etree

from connector.ehf.report import Severity
from connector.ehf.rules import releases
from connector.ehf.rules.codelists import code_list
from connector.ehf.rules.peppol.identifiers import broken_by
from connector.ehf.rules.xpath import is_date, normalize
from connector.ehf.ubl.node import tag
from connector.ehf.validation import rules_for
from connector.ehf.xml import line_of, name_of, path_of, string_value
from connector.peppol.identifiers import INVOICE_RESPONSE, MESSAGE_LEVEL_RESPONSE, MESSAGE_LEVEL_STATUS
from connector.peppol.responses.codes import (
    ACTION_LIST,
    ACTIONS,
    DOCUMENT_TYPES,
    FAILURES,
    MESSAGE_CODES,
    NEED_REASON,
    REASON_LIST,
    REASONS,
    STATUSES,
    WARNING,
)
from connector.peppol.responses.model import Finding, Kind

_SAYS: Final[dict[str, tuple[str, str]]] = {
    "missing": ("{what} mangler i {where}.", "{what} is missing in {where}."),
    "foreign": ("{where} hører ikke hjemme her.", "{where} has no place here."),
    "empty": ("{where} er tom.", "{where} is empty."),
    "code": ("{where} er «{value}»; det må være en av {what}.", "{where} is “{value}”; it must be one of {what}."),
    "value": ("{where} er «{value}»; det må være {what}.", "{where} is “{value}”; it must be {what}."),
    "date": ("{where} er «{value}», ikke en dato som ÅÅÅÅ-MM-DD.", "{where} is “{value}”, not a date as YYYY-MM-DD."),
    "number": (
        "{where} «{value}» er ikke et nummer slik ordningen krever.",
        "{where} “{value}” is no number as its scheme asks for.",
    ),
    "schema": ("Dokumentet har et schemaLocation-attributt.", "The document has a schemaLocation attribute."),
    "reason": (
        "Statusen krever en kode for årsak, og det er ingen.",
        "The status asks for a reason code, and there is none.",
    ),
    "text": ("Årsaken krever en forklaring i ord.", "The reason asks for an explanation in words."),
    "once": ("Det skal være nøyaktig én {what} i {where}.", "There must be exactly one {what} in {where}."),
    "failure-needed": (
        "En avvisning må nevne minst én feil ({what}).",
        "A rejection must name at least one failure ({what}).",
    ),
    "failure-unfit": (
        "Det nevnes en feil ({what}), men meldingen er ikke avvist.",
        "A failure is named ({what}), but the message is not rejected.",
    ),
}

_MOST: Final = 50
"""Findings of one rule that are kept, so that a huge document makes no huge list."""


class _Judging:
    """One response being judged: rules tell with `fire`."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.found: list[Finding] = []
        self.times: Counter[str] = Counter()

    def fire(self, rule: str, element: etree._Element, says: str, what: str = "", severity: Severity = "fatal") -> None:
        self.times[rule] += 1
        if self.times[rule] > _MOST:
            return
        values = {"what": what, "where": name_of(element.tag), "value": string_value(element).strip()[:80]}
        nb, en = (text.format_map(values) for text in _SAYS[says])
        self.found.append(Finding(rule, severity, path_of(element), line_of(element), {"nb": nb, "en": en}))


def judge(root: etree._Element, kind: Kind) -> tuple[Finding, ...]:
    """The rules that a response of that kind breaks, each at most 50 times; empty when it is in order.

    Args:
        root: its document element, as `connector.ehf.xml.parse` reads it.
    """
    judging = _Judging(root)
    if kind == "message-level-status":
        _status(judging)
    else:
        _common(judging)
        prefix, places = _MODELS[kind]
        _data_model(judging, prefix, places, "", root)
        (_invoice_response if kind == "invoice-response" else _message_response)(judging)
    return tuple(judging.found)


# --- what all documents of Peppol have in common ----------------------------------------------------------------------

_DATES: Final = tuple(f"cbc:{name}Date" for name in ("Issue", "Due", "TaxPoint", "Start", "End", "ActualDelivery"))


def _common(doc: _Judging) -> None:
    for element in doc.root.iter(etree.Element):
        if not len(element) and not normalize(element.text or ""):
            doc.fire("PEPPOL-COMMON-R001", element, "empty")
    if _has_schema_location(doc.root):
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
        and normalize(_text(parent, "cac:TaxScheme", "cbc:ID")) == "VAT"
    )
    endpoint = element.tag == tag("cbc:EndpointID")
    return broken_by(string_value(element), element.get("schemeID"), endpoint=endpoint, vat=vat)


@cache
def _severity(rule: str) -> Severity:
    return rules_for(releases.NEWEST.version).entries[rule][0]


def _has_schema_location(root: etree._Element) -> bool:
    return any(etree.QName(name).localname == "schemaLocation" for name in root.attrib)


# --- the data model ---------------------------------------------------------------------------------------------------

_Codes = Callable[[], Collection[str]]


@dataclass(frozen=True, slots=True)
class _Place:
    """What the data model says of a place. Rules are named by their numbers in the file.

    `needs`: children that must be there, each with its rule; `knows`: children about which nothing more is said;
    `others`: the rule on all further children; `code`: the rule on the text, and its list; `attribute`: name of an
    attribute, the rule on its being there, the rule on its code, and its list.
    """

    needs: str = ""
    knows: str = ""
    others: str | None = None
    code: tuple[str, _Codes] | None = None
    attribute: tuple[str, str | None, str, _Codes] | None = None


def _endpoint_schemes() -> Collection[str]:
    return code_list("peppol-endpoint-scheme", releases.NEWEST.version)


def number_schemes() -> Collection[str]:
    """ISO 6523 ICD: the schemes that a party's identifier may have."""
    return code_list("icd", releases.NEWEST.version)


def _endpoint(missing: str, wrong: str) -> _Place:
    return _Place(attribute=("schemeID", missing, wrong, _endpoint_schemes))


def _number(wrong: str) -> _Place:
    return _Place(attribute=("schemeID", None, wrong, number_schemes))


_CLARIFICATIONS: Final = ("OPStatusAction", "OPStatusReason")
_ROOT: Final = (
    "cbc:CustomizationID 00101 cbc:ProfileID 00102 cbc:ID 00103 cbc:IssueDate 00104 "
    "cac:SenderParty 00105 cac:ReceiverParty 00106 cac:DocumentResponse 00107"
)
_RESPONSE: Final = "cac:DocumentResponse/cac:Response"
_REFERENCE: Final = "cac:DocumentResponse/cac:DocumentReference"
_ISSUER: Final = "cac:DocumentResponse/cac:IssuerParty"
_RECIPIENT: Final = "cac:DocumentResponse/cac:RecipientParty"
_LINE: Final = "cac:DocumentResponse/cac:LineResponse"

_T111: Final = {
    "": _Place(
        needs=_ROOT,
        knows="cbc:CustomizationID cbc:ProfileID cbc:ID cbc:IssueDate cbc:IssueTime cbc:Note",
        others="00109",
    ),
    "cac:SenderParty": _Place(needs="cbc:EndpointID 00801 cac:PartyLegalEntity 00802", others="00803"),
    "cac:SenderParty/cbc:EndpointID": _endpoint("00901", "00902"),
    "cac:SenderParty/cac:PartyIdentification": _Place(needs="cbc:ID 01101"),
    "cac:SenderParty/cac:PartyIdentification/cbc:ID": _number("01201"),
    "cac:SenderParty/cac:PartyLegalEntity": _Place(
        needs="cbc:RegistrationName 01401", knows="cbc:RegistrationName", others="01402"
    ),
    "cac:SenderParty/cac:Contact": _Place(knows="cbc:Name cbc:Telephone cbc:ElectronicMail", others="01601"),
    "cac:ReceiverParty": _Place(needs="cbc:EndpointID 02001 cac:PartyLegalEntity 02002", others="02003"),
    "cac:ReceiverParty/cbc:EndpointID": _endpoint("02101", "02102"),
    "cac:ReceiverParty/cac:PartyIdentification": _Place(needs="cbc:ID 02301"),
    "cac:ReceiverParty/cac:PartyIdentification/cbc:ID": _number("02401"),
    "cac:ReceiverParty/cac:PartyLegalEntity": _Place(
        needs="cbc:RegistrationName 02601", knows="cbc:RegistrationName", others="02602"
    ),
    "cac:DocumentResponse": _Place(needs="cac:Response 02801 cac:DocumentReference 02802", others="02803"),
    _RESPONSE: _Place(needs="cbc:ResponseCode 02901", knows="cbc:EffectiveDate", others="02902"),
    f"{_RESPONSE}/cbc:ResponseCode": _Place(code=("03001", lambda: STATUSES)),
    f"{_RESPONSE}/cac:Status": _Place(knows="cbc:StatusReason", others="03201"),
    f"{_RESPONSE}/cac:Status/cbc:StatusReasonCode": _Place(
        code=("03301", lambda: {*REASONS, *ACTIONS}),
        attribute=("listID", "03302", "03303", lambda: _CLARIFICATIONS),
    ),
    f"{_RESPONSE}/cac:Status/cac:Condition": _Place(
        needs="cbc:AttributeID 03601", knows="cbc:AttributeID cbc:Description", others="03602"
    ),
    _REFERENCE: _Place(needs="cbc:ID 03901 cbc:DocumentTypeCode 03902", knows="cbc:ID cbc:IssueDate", others="03903"),
    f"{_REFERENCE}/cbc:DocumentTypeCode": _Place(code=("04201", lambda: DOCUMENT_TYPES)),
    _ISSUER: _Place(needs="cac:PartyName 04301", others="04302"),
    f"{_ISSUER}/cac:PartyIdentification": _Place(needs="cbc:ID 04401"),
    f"{_ISSUER}/cac:PartyIdentification/cbc:ID": _number("04501"),
    f"{_ISSUER}/cac:PartyName": _Place(needs="cbc:Name 04701"),
    _RECIPIENT: _Place(needs="cac:PartyName 04901", others="04902"),
    f"{_RECIPIENT}/cac:PartyIdentification": _Place(needs="cbc:ID 05001"),
    f"{_RECIPIENT}/cac:PartyIdentification/cbc:ID": _number("05101"),
    f"{_RECIPIENT}/cac:PartyName": _Place(needs="cbc:Name 05301"),
}

_T71: Final = {
    "": _Place(needs=_ROOT, knows="cbc:CustomizationID cbc:ID cbc:IssueDate cbc:IssueTime", others="00109"),
    "cbc:ProfileID": _Place(code=("00301", lambda: (MESSAGE_LEVEL_RESPONSE.process.value,))),
    "cac:SenderParty": _Place(needs="cbc:EndpointID 00701", others="00702"),
    "cac:SenderParty/cbc:EndpointID": _endpoint("00801", "00802"),
    "cac:ReceiverParty": _Place(needs="cbc:EndpointID 01001", others="01002"),
    "cac:ReceiverParty/cbc:EndpointID": _endpoint("01101", "01102"),
    "cac:DocumentResponse": _Place(needs="cac:Response 01301 cac:DocumentReference 01302", others="01303"),
    _RESPONSE: _Place(needs="cbc:ResponseCode 01401", knows="cbc:Description", others="01402"),
    f"{_RESPONSE}/cbc:ResponseCode": _Place(code=("01501", lambda: MESSAGE_CODES)),
    _REFERENCE: _Place(needs="cbc:ID 01701", knows="cbc:ID cbc:VersionID", others="01702"),
    f"{_REFERENCE}/cbc:DocumentTypeCode": _Place(code=("01901", lambda: DOCUMENT_TYPES)),
    _LINE: _Place(needs="cac:LineReference 02101 cac:Response 02102"),
    f"{_LINE}/cac:LineReference": _Place(needs="cbc:LineID 02201", knows="cbc:LineID", others="02202"),
    f"{_LINE}/cac:Response": _Place(
        needs="cbc:Description 02401 cac:Status 02402", knows="cbc:Description", others="02403"
    ),
    f"{_LINE}/cac:Response/cbc:ResponseCode": _Place(code=("02501", lambda: MESSAGE_CODES)),
    f"{_LINE}/cac:Response/cac:Status": _Place(needs="cbc:StatusReasonCode 02701", others="02702"),
    f"{_LINE}/cac:Response/cac:Status/cbc:StatusReasonCode": _Place(code=("02801", lambda: ("BV", "BW", "SV"))),
}

_MODELS: Final[dict[Kind, tuple[str, Mapping[str, _Place]]]] = {
    "invoice-response": ("PEPPOL-T111-B", _T111),
    "message-level-response": ("PEPPOL-T71-B", _T71),
}


def _data_model(doc: _Judging, prefix: str, places: Mapping[str, _Place], path: str, element: etree._Element) -> None:
    """Judge the element, which is at `path` of the data model, and all below it that the model knows."""
    place = places[path]
    needs = place.needs.split()
    for needed, number in zip(needs[::2], needs[1::2], strict=True):
        if element.find(tag(needed)) is None:
            doc.fire(prefix + number, element, "missing", needed)
    if not path and _has_schema_location(element):
        doc.fire(f"{prefix}00108", element, "schema")
    if place.code is not None:
        number, codes = place.code
        if normalize(element.text or "") not in codes():
            doc.fire(prefix + number, element, "code", _listed(codes()))
    if place.attribute is not None:
        name, missing, wrong, codes = place.attribute
        stated = element.get(name)
        if stated is None and missing is not None:
            doc.fire(prefix + missing, element, "missing", f"@{name}")
        elif stated is not None and stated not in codes():
            doc.fire(prefix + wrong, element, "value", f"@{name}: {_listed(codes())}")
    known = place.knows.split()
    for child in element:
        name = name_of(child.tag)
        below = f"{path}/{name}".lstrip("/")
        if below in places:
            _data_model(doc, prefix, places, below, child)
        elif place.others is not None and name not in known:
            doc.fire(prefix + place.others, child, "foreign")


def _listed(codes: Collection[str]) -> str:
    some = sorted(codes)[:20]
    return ", ".join(some) + (" …" if len(codes) > len(some) else "")


# --- across elements: Invoice Response --------------------------------------------------------------------------------


def _invoice_response(doc: _Judging) -> None:
    for response in doc.root.iter(tag("cac:Response")):
        code = normalize(_text(response, "cbc:ResponseCode"))
        clarified = any(one.find(tag("cbc:StatusReasonCode")) is not None for one in _children(response, "cac:Status"))
        if code in NEED_REASON and not clarified:
            doc.fire("PEPPOL-T111-R001", response, "reason")
    for status in doc.root.iter(tag("cac:Status")):
        codes = _children(status, "cbc:StatusReasonCode")
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


def _message_response(doc: _Judging) -> None:
    _customization(doc, "PEPPOL-T71-R001", MESSAGE_LEVEL_RESPONSE.document.customization)


def _customization(doc: _Judging, rule: str, begins: str) -> None:
    for element in doc.root.iter(tag("cbc:CustomizationID")):
        if not normalize(string_value(element)).startswith(begins):
            doc.fire(rule, element, "value", begins)


# --- across elements: Message Level Status ----------------------------------------------------------------------------

_ZONE: Final = re.compile(r"([+-]\d{2}:\d{2}|Z)$")
_PROVIDER: Final = re.compile(r"[0-9]{6}(-[0-9A-Z_]{3,12}(\.[0-9A-Z\-._~]{3,24})?)?", re.IGNORECASE | re.ASCII)
_PROVIDER_SCHEME: Final = "0242"


def _status(doc: _Judging) -> None:
    root = doc.root
    service = MESSAGE_LEVEL_STATUS
    for rule, name, wanted in (
        ("SCH-MLS-01", "cbc:CustomizationID", service.document.customization),
        ("SCH-MLS-02", "cbc:ProfileID", service.process.value),
    ):
        if normalize(_text(root, name)) != wanted:
            doc.fire(rule, root, "missing", f"{name} ({wanted})")
    if not normalize(_text(root, "cbc:ID")):
        doc.fire("SCH-MLS-03", root, "missing", "cbc:ID")
    if len(normalize(_text(root, "cbc:IssueDate"))) != 10:
        doc.fire("SCH-MLS-04", root, "missing", "cbc:IssueDate (YYYY-MM-DD)")
    if root.find(tag("cbc:IssueTime")) is None:
        doc.fire("SCH-MLS-05", root, "missing", "cbc:IssueTime")
    if not _ZONE.search(normalize(_text(root, "cbc:IssueTime"))):
        doc.fire("SCH-MLS-06", root, "missing", "cbc:IssueTime (hh:mm:ssZ)")
    _provider(doc, "cac:SenderParty", 7)
    _provider(doc, "cac:ReceiverParty", 12)
    documents = _children(root, "cac:DocumentResponse")
    if len(documents) != 1:
        doc.fire("SCH-MLS-17", root, "once", "cac:DocumentResponse")
    for document in documents:
        _status_of(doc, document)


def _provider(doc: _Judging, party: str, first: int) -> None:
    """Five rules on an endpoint, from the number `first` on: it is there, not empty, a provider's, with its scheme."""
    endpoint = next(iter(_below(doc.root, party, "cbc:EndpointID")), None)
    text = "" if endpoint is None else normalize(string_value(endpoint))
    scheme = None if endpoint is None else endpoint.get("schemeID")
    broken = (endpoint is None, not text, not _PROVIDER.fullmatch(text), scheme is None, scheme != _PROVIDER_SCHEME)
    what = f"{party}/cbc:EndpointID"
    says = (what, what, f"{what} (000000)", f"{what}/@schemeID", f"{what}/@schemeID ({_PROVIDER_SCHEME})")
    for offset, (is_broken, missing) in enumerate(zip(broken, says, strict=True)):
        if is_broken:
            doc.fire(f"SCH-MLS-{first + offset:02}", doc.root, "missing", missing)


def _status_of(doc: _Judging, document: etree._Element) -> None:
    codes = _below(document, "cac:Response", "cbc:ResponseCode")
    code = normalize(string_value(codes[0])) if codes else ""
    descriptions = _below(document, "cac:Response", "cbc:Description")
    lines = _children(document, "cac:LineResponse")
    reasons = {
        normalize(string_value(one))
        for line in lines
        for one in _below(line, "cac:Response", "cac:Status", "cbc:StatusReasonCode")
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
    references = _children(document, "cac:DocumentReference")
    if len(references) != 1:
        doc.fire("SCH-MLS-22", document, "once", "cac:DocumentReference")
    for reference in references:
        if not normalize(_text(reference, "cbc:ID")):
            doc.fire("SCH-MLS-26", reference, "missing", "cbc:ID")
    for line in lines:
        _status_line(doc, line)


def _status_line(doc: _Judging, line: etree._Element) -> None:
    if not normalize(_text(line, "cac:LineReference", "cbc:LineID")):
        doc.fire("SCH-MLS-27", line, "missing", "cac:LineReference/cbc:LineID")
    for response in _children(line, "cac:Response"):
        description = response.find(tag("cbc:Description"))
        if description is None:
            doc.fire("SCH-MLS-28", response, "missing", "cbc:Description")
        if description is None or not normalize(string_value(description)):
            doc.fire("SCH-MLS-29", response, "missing", "cbc:Description")
        statuses = _children(response, "cac:Status")
        if not statuses:
            doc.fire("SCH-MLS-30", response, "missing", "cac:Status")
        for status in statuses:
            if normalize(_text(status, "cbc:StatusReasonCode")) not in (*FAILURES, WARNING):
                doc.fire("SCH-MLS-31", status, "missing", f"cbc:StatusReasonCode ({', '.join((*FAILURES, WARNING))})")


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return element.findall(tag(name))


def _below(element: etree._Element, *names: str) -> list[etree._Element]:
    return element.findall("/".join(map(tag, names)))


def _text(element: etree._Element, *names: str) -> str:
    """The string value of the first element at the path of names; empty where there is none."""
    return next((string_value(one) for one in _below(element, *names)), "")
