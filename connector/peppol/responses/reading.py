"""Read a response: which of the three it is, what it says, and the rules it breaks.

What a customer says must not be lost: a response that breaks rules is read wherever its meaning is clear, that is,
where it names a status that there is and the one document that it speaks of.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from lxml import etree

from connector.ehf.ubl.node import Node
from connector.ehf.ubl.party import read_bare_party
from connector.ehf.xml import APPLICATION_RESPONSE, line_of, name_of, parse, path_of
from connector.errors import BadInput
from connector.model import Party
from connector.peppol.identifiers import INVOICE_RESPONSE, MESSAGE_LEVEL_RESPONSE
from connector.peppol.responses.codes import MESSAGE_CODES, STATUSES
from connector.peppol.responses.model import (
    About,
    Clarification,
    Condition,
    Finding,
    InvoiceResponse,
    Issue,
    Kind,
    MessageStatus,
)
from connector.peppol.responses.rules import judge

_BEGINS: Final[tuple[tuple[str, Kind], ...]] = (
    (INVOICE_RESPONSE.document.customization, "invoice-response"),
    (MESSAGE_LEVEL_RESPONSE.document.customization, "message-level-response"),
    ("urn:peppol:edec:mls:1", "message-level-status"),
)
_OSLO: Final = ZoneInfo("Europe/Oslo")
_NOWHERE: Final = "NA"  # what stands for the place of an issue that has none
_Code = TypeVar("_Code", bound=str)


def read(data: bytes) -> InvoiceResponse | MessageStatus:
    """What a response says, with the rules it breaks in `findings`.

    Args:
        data: an ApplicationResponse (UBL 2.1), without its envelope.

    Raises:
        BadInput: `response-other-document` (no ApplicationResponse), `response-unknown` (none of the three kinds),
            `response-status-unknown` (no status, or one that there is not), `response-several` (it speaks of more than
            one document), `response-document-missing` (of none), or as `connector.ehf.xml.parse`.
    """
    root = parse(data)
    kind = kind_of(root)
    document = Node(root)
    said = _only(document, "cac:DocumentResponse")
    response = said.first("cac:Response") or said
    found: list[Finding] = []
    issued, at = _moment(document, found)
    fields: dict[str, Any] = {
        "id": document.text("cbc:ID"),
        "issued": issued,
        "at": at,
        "sender": _party(document, "cac:SenderParty") or Party(),
        "receiver": _party(document, "cac:ReceiverParty") or Party(),
        "about": _about(said, found),
    }
    if kind == "invoice-response":
        fields |= {
            "status": _status(response, STATUSES),
            "effective": _day(response, "cbc:EffectiveDate", found),
            "clarifications": tuple(map(_clarification, response.all("cac:Status"))),
            # A description has no place there, and still it is what the customer says.
            "notes": document.texts("cbc:Note") + response.texts("cbc:Description"),
        }
        return InvoiceResponse(**fields, findings=judge(root, kind) + tuple(found))
    fields |= {
        "kind": kind,
        "status": _status(response, MESSAGE_CODES),
        "text": "\n".join(response.texts("cbc:Description")) or None,
        "issues": tuple(issue for line in said.all("cac:LineResponse") for issue in _issues(line)),
    }
    return MessageStatus(**fields, findings=judge(root, kind) + tuple(found))


def kind_of(root: etree._Element) -> Kind:
    """Which of the three responses a document is, by its CustomizationID.

    Raises:
        BadInput: `response-other-document`, `response-unknown`.
    """
    if root.tag != f"{{{APPLICATION_RESPONSE}}}ApplicationResponse":
        name = etree.QName(root).localname
        raise BadInput(
            f"The document is no response: it begins with {name}.",
            code="response-other-document",
            do="Open the envelope first."
            if name == "StandardBusinessDocument"
            else "Hand an invoice or another document to where it belongs.",
            where={"xpath": f"/{name_of(root.tag)}", "line": line_of(root)},
        )
    follows = Node(root).text("cbc:CustomizationID") or ""
    for begin, kind in _BEGINS:
        if follows.startswith(begin):
            return kind
    raise BadInput(
        f"The response follows {follows[:120]!r}, which is unknown here."
        if follows
        else "The response does not say what it follows (CustomizationID).",
        code="response-unknown",
        do="Read it, and ask its sender for a Peppol Invoice Response 3 or a Message Level Status 1.",
        where={"xpath": "/ApplicationResponse/cbc:CustomizationID"},
    )


def _only(parent: Node, name: str) -> Node:
    """The one child of the name: a response that speaks of several documents has no one meaning."""
    found = parent.all(name)
    if len(found) == 1:
        return found[0]
    place = {"xpath": path_of(parent.element), "line": line_of(parent.element)}
    if found:
        raise BadInput(
            f"The response speaks of {len(found)} documents at once ({name}); it may speak of one.",
            code="response-several",
            do="Read it, and ask its sender for one response for each document.",
            where=place,
        )
    raise _of_nothing(place)


def _of_nothing(place: dict[str, Any]) -> BadInput:
    return BadInput(
        "The response does not say which document it speaks of.",
        code="response-document-missing",
        do="Ask its sender for a response that names the document.",
        where=place,
    )


def _status(response: Node, known: tuple[_Code, ...]) -> _Code:
    code = response.text("cbc:ResponseCode")
    if code not in known:
        raise BadInput(
            f"The response has the status {code!r}; known are {', '.join(known)}."
            if code
            else "The response has no status.",
            code="response-status-unknown",
            do="Read it, and ask its sender what is meant.",
            where={"xpath": path_of(response.element), "line": line_of(response.element)},
        )
    return code


def _about(said: Node, found: list[Finding]) -> About:
    reference = _only(said, "cac:DocumentReference")
    number = reference.text("cbc:ID")
    if number is None:
        raise _of_nothing({"xpath": path_of(reference.element), "line": line_of(reference.element)})
    return About(
        id=number,
        type_code=reference.text("cbc:DocumentTypeCode"),
        issued=_day(reference, "cbc:IssueDate", found),
        version=reference.text("cbc:VersionID"),
        issuer=_party(said, "cac:IssuerParty"),
        recipient=_party(said, "cac:RecipientParty"),
    )


def _party(parent: Node, role: str) -> Party | None:
    party = parent.first(role)
    return None if party is None else read_bare_party(party)


def _clarification(status: Node) -> Clarification:
    return Clarification(
        code=status.text("cbc:StatusReasonCode"),
        list=status.attribute("listID", "cbc:StatusReasonCode"),
        text="\n".join(status.texts("cbc:StatusReason")) or None,
        conditions=tuple(
            Condition(term or "", value)
            for one in status.all("cac:Condition")
            for term, value in [(one.text("cbc:AttributeID"), one.text("cbc:Description"))]
            if term or value
        ),
    )


def _issues(line: Node) -> list[Issue]:
    where = line.text("cac:LineReference", "cbc:LineID")
    return [
        Issue(
            code=response.text("cac:Status", "cbc:StatusReasonCode"),
            text="\n".join(response.texts("cbc:Description")) or None,
            where=None if where == _NOWHERE else where,
        )
        for response in line.all("cac:Response")
    ]


# --- dates and times --------------------------------------------------------------------------------------------------


def _day(parent: Node, name: str, found: list[Finding]) -> date | None:
    """A date; where it cannot be read there is none, and a finding."""
    try:
        return parent.day(name)
    except BadInput:
        found.append(_unread(parent, name, "response-date", "ikke en dato som ÅÅÅÅ-MM-DD", "not a date as YYYY-MM-DD"))
        return None


def _moment(document: Node, found: list[Finding]) -> tuple[date | None, datetime | None]:
    """Date as stated, and date and time in UTC."""
    issued = _day(document, "cbc:IssueDate", found)
    said = document.text("cbc:IssueTime")
    if issued is None or said is None:
        return issued, None
    try:
        # The schema knows the end of a day as 24:00:00, Python does not.
        ends = said.startswith("24:00:00")
        clock = time.fromisoformat(f"00{said[2:]}" if ends else said)
        moment = datetime.combine(issued + timedelta(days=ends), clock)
        return issued, (moment if moment.tzinfo else moment.replace(tzinfo=_OSLO)).astimezone(UTC)
    except (ValueError, OverflowError):
        found.append(
            _unread(
                document, "cbc:IssueTime", "response-time", "ikke et klokkeslett som TT:MM:SS", "not a time as HH:MM:SS"
            )
        )
        return issued, None


def _unread(parent: Node, name: str, rule: str, nb: str, en: str) -> Finding:
    node = parent.first(name) or parent
    said = (node.element.text or "").strip()[:80]
    return Finding(
        rule,
        "warning",
        path_of(node.element),
        line_of(node.element),
        {"nb": f"{name} er «{said}», {nb}.", "en": f"{name} is “{said}”, {en}."},
    )
