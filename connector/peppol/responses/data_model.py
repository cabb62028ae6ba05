"""The data model of Invoice Response and Message Level Response: what must, may and must not stand where.

A table for each document: place in the document, and what the rules say of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from connector.ehf.rules import releases
from connector.ehf.rules.codelists import code_list
from connector.ehf.rules.xpath import normalize
from connector.ehf.ubl.node import tag
from connector.ehf.xml import name_of
from connector.peppol.identifiers import MESSAGE_LEVEL_RESPONSE
from connector.peppol.responses.codes import (
    ACTION_LIST,
    ACTIONS,
    DOCUMENT_TYPES,
    MESSAGE_CODES,
    REASON_LIST,
    REASONS,
    STATUSES,
)
from connector.peppol.responses.judging import Judging, has_schema_location
from connector.peppol.responses.model import Kind

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
        attribute=("listID", "03302", "03303", lambda: (ACTION_LIST, REASON_LIST)),
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


def data_model(doc: Judging, kind: Kind) -> None:
    """Judge the whole response by the table of its kind."""
    prefix, places = _MODELS[kind]
    _judge(doc, prefix, places, "", doc.root)


def _judge(doc: Judging, prefix: str, places: Mapping[str, _Place], path: str, element: etree._Element) -> None:
    """Judge the element, which is at `path` of the data model, and all below it that the model knows."""
    place = places[path]
    needs = place.needs.split()
    for needed, number in zip(needs[::2], needs[1::2], strict=True):
        if element.find(tag(needed)) is None:
            doc.fire(prefix + number, element, "missing", needed)
    if not path and has_schema_location(element):
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
            _judge(doc, prefix, places, below, child)
        elif place.others is not None and name not in known:
            doc.fire(prefix + place.others, child, "foreign")


def _listed(codes: Collection[str]) -> str:
    some = sorted(codes)[:20]
    return ", ".join(some) + (" …" if len(codes) > len(some) else "")
