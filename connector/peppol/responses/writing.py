"""Our answer on an incoming invoice, as a value and as UBL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final, cast

from lxml import etree

from connector.ehf.rules import releases
from connector.ehf.rules.codelists import code_list
from connector.ehf.rules.peppol.identifiers import broken_by
from connector.ehf.ubl.node import group, put
from connector.ehf.ubl.party import write_bare_party
from connector.ehf.xml import APPLICATION_RESPONSE, CAC, CBC, parse
from connector.errors import BadInput
from connector.model import Identifier, Invoice, Party
from connector.peppol.identifiers import INVOICE_RESPONSE
from connector.peppol.responses.codes import (
    ACTION_LIST,
    ACTIONS,
    NEED_REASON,
    NEED_TEXT,
    REASON_LIST,
    REASONS,
    STATUSES,
    Status,
)
from connector.peppol.responses.data_model import number_schemes
from connector.peppol.responses.model import About, Clarification, Condition, InvoiceResponse
from connector.peppol.responses.rules import judge

_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def answer(
    invoice: Invoice,
    status: str,
    *,
    id: str,
    at: datetime,
    clarifications: Iterable[Clarification] = (),
    effective: date | None = None,
    notes: Iterable[str] = (),
) -> InvoiceResponse:
    """Our answer on an invoice or credit note that came to us: from its buyer to its seller, or, where the buyer has
    issued it (self-billing), from its seller to its buyer.

    Args:
        invoice: as `connector.ehf.read(data, direction="incoming")` reads its original bytes.
        status: one of `codes.STATUSES`.
        id: the answer's own id, unique for ever; the same again when it is sent again.
        at: when it is given, with a zone; whole seconds are kept.
        clarifications: reasons and actions, `Clarification.reason("PRI", "…")`; CA, UQ and RE need a reason.
        effective: the day of the payment (PD), or of the next attempt (IP).
        notes: further words.

    Raises:
        BadInput: `response-direction` (the invoice is our own), `response-document-missing` (it has no number),
            `response-unaddressed` (no electronic address or name of seller or buyer), or as `check`.
        ValueError: `at` has no zone.
    """
    if at.tzinfo is None:
        raise ValueError("at needs a zone")
    if invoice.direction != "incoming":
        raise BadInput(
            "The invoice is our own; only what came to us can be answered.",
            code="response-direction",
            do="Choose an incoming invoice.",
        )
    if invoice.number is None:
        raise BadInput("The invoice has no number.", code="response-document-missing", do="It cannot be answered.")
    buyer = _addressed(invoice.buyer, "buyer (BT-49, BT-44)")
    seller = _addressed(invoice.seller, "seller (BT-34, BT-27)")
    sender, receiver = (seller, buyer) if invoice.type_code in _self_billed() else (buyer, seller)
    made = InvoiceResponse(
        id=id.strip(),
        issued=at.astimezone(UTC).date(),
        at=at.astimezone(UTC).replace(microsecond=0),
        sender=sender,
        receiver=receiver,
        about=About(id=invoice.number, type_code=invoice.type_code, issued=invoice.issue_date),
        status=cast("Status", status),
        effective=effective,
        clarifications=tuple(map(_tidy, clarifications)),
        notes=tuple(text for note in notes if (text := note.strip())),
    )
    check(made)
    return made


def check(response: InvoiceResponse) -> None:
    """Refuse an answer that the receiver would refuse, or not understand.

    Raises:
        BadInput: `response-status-unknown`, `reason-missing`, `reason-unknown`, `reason-text-missing`, `reason-unfit`
            (PPD without PD), `text-not-xml` (a control character).
    """
    status = response.status
    if status not in STATUSES:
        raise BadInput(
            f"There is no status {status!r}.", code="response-status-unknown", do=f"Say one of {', '.join(STATUSES)}."
        )
    for one in response.clarifications:
        _check_clarification(one, status)
    if status in NEED_REASON and not response.reasons:
        raise BadInput(
            f"The status {status} needs a reason.",
            code="reason-missing",
            do=f"Give at least one of {', '.join(code for code in REASONS if code != 'PPD')}.",
            where={"status": status},
            details=list(REASONS),
        )
    texts = [text for one in response.clarifications for text in (one.text, *_texts(one.conditions))]
    for text in (response.id, *response.notes, *texts):
        if text and (found := _NOT_XML.search(text)):
            raise BadInput(
                f"A text has the character U+{ord(found[0]):04X}, which no XML document can carry.",
                code="text-not-xml",
                do="Remove it.",
            )


def _check_clarification(one: Clarification, status: str) -> None:
    if one.code is None:
        return
    codes = {REASON_LIST: REASONS, ACTION_LIST: ACTIONS}.get(one.list or "", ())
    if one.code not in codes:
        raise BadInput(
            f"There is no code {one.code!r} in {one.list or 'no list'}.",
            code="reason-unknown",
            do=f"Reasons are {', '.join(REASONS)} ({REASON_LIST}); actions are {', '.join(ACTIONS)} ({ACTION_LIST}).",
            where={"code": one.code},
        )
    if one.code in NEED_TEXT and not one.text:
        raise BadInput(
            f"{one.code} says nothing without words.",
            code="reason-text-missing",
            do="Say how much was paid." if one.code == "PPD" else "Say in words what it is.",
            where={"code": one.code},
        )
    if one.code == "PPD" and status != "PD":
        raise BadInput(
            f"PPD (partly paid) stands with the status PD only, not with {status}.",
            code="reason-unfit",
            do="Say PD, or give another reason.",
            where={"code": one.code, "status": status},
        )


def write(response: InvoiceResponse) -> bytes:
    """An answer that `answer` has made, as UBL 2.1: UTF-8, schema order, indented.

    Raises:
        BadInput: as `check`; `response-invalid`, with the rules it breaks in `details`, for instance when the seller's
            electronic address has a wrong check digit.
    """
    check(response)
    root = _element(response)
    etree.indent(root, "  ")
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
    broken = [found for found in judge(parse(made), "invoice-response") if found.severity == "fatal"]
    if broken:
        raise BadInput(
            f"The response would not be taken: {broken[0].message['en']}",
            code="response-invalid",
            do="Mend what it says of the parties and the invoice; the invoice itself may have it wrong.",
            where={"rule": broken[0].rule, "xpath": broken[0].path},
            details=[{"rule": found.rule, "path": found.path, **found.message} for found in broken],
        )
    return made


def _element(response: InvoiceResponse) -> etree._Element:
    root = etree.Element(
        f"{{{APPLICATION_RESPONSE}}}ApplicationResponse",
        nsmap={None: APPLICATION_RESPONSE, "cac": CAC, "cbc": CBC},  # type: ignore[dict-item]  # lxml takes None
    )
    put(root, "cbc:CustomizationID", INVOICE_RESPONSE.document.customization)
    put(root, "cbc:ProfileID", INVOICE_RESPONSE.process.value)
    put(root, "cbc:ID", response.id)
    put(root, "cbc:IssueDate", response.at.date() if response.at else response.issued)
    put(root, "cbc:IssueTime", response.at and f"{response.at:%H:%M:%S}Z")
    for note in response.notes:
        put(root, "cbc:Note", note)
    write_bare_party(root, "cac:SenderParty", response.sender)
    write_bare_party(root, "cac:ReceiverParty", response.receiver)
    said = group(root, "cac:DocumentResponse")
    stated = group(said, "cac:Response")
    put(stated, "cbc:ResponseCode", response.status)
    put(stated, "cbc:EffectiveDate", response.effective)
    for one in response.clarifications:
        status = group(stated, "cac:Status")
        put(status, "cbc:StatusReasonCode", one.code, listID=one.list)
        put(status, "cbc:StatusReason", one.text)
        for condition in one.conditions:
            about = group(status, "cac:Condition")
            put(about, "cbc:AttributeID", condition.term)
            put(about, "cbc:Description", condition.value)
    reference = group(said, "cac:DocumentReference")
    put(reference, "cbc:ID", response.about.id)
    put(reference, "cbc:IssueDate", response.about.issued)
    put(reference, "cbc:DocumentTypeCode", response.about.type_code)
    return root


def _addressed(party: Party, whose: str) -> Party:
    """What a response says of a party: electronic address, name, and its registration where that is sound."""
    if party.endpoint is None or party.endpoint.scheme is None or party.name is None:
        raise BadInput(
            f"The invoice lacks the electronic address or the name of the {whose}.",
            code="response-unaddressed",
            do="It cannot be answered in Peppol; tell the seller by e-mail.",
        )
    legal = party.legal_id
    return Party(name=party.name, endpoint=party.endpoint, identifiers=(legal,) if legal and _sound(legal) else ())


def _sound(identifier: Identifier) -> bool:
    known = identifier.scheme is None or identifier.scheme in number_schemes()
    return known and broken_by(identifier.value, identifier.scheme) is None


def _self_billed() -> frozenset[str]:
    lists = ("self-billing-invoice-type", "self-billing-credit-note-type")
    return frozenset(code for name in lists for code in code_list(name, releases.NEWEST.version))


def _tidy(one: Clarification) -> Clarification:
    """Without blanks around texts, and without texts that are only blanks."""
    conditions = (
        Condition(condition.term.strip(), (condition.value or "").strip() or None) for condition in one.conditions
    )
    return replace(
        one,
        text=(one.text or "").strip() or None,
        conditions=tuple(condition for condition in conditions if condition.term),
    )


def _texts(conditions: Iterable[Condition]) -> Iterable[str | None]:
    for condition in conditions:
        yield from (condition.term, condition.value)
