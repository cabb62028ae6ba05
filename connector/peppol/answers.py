"""What others answer to our documents: the receiver's access point by message level status, the buyer by invoice
response.

An answer counts only from whom it can come: the receiver of the document, or an access point (0242). It is kept
whatever it says; of several on one invoice the one holds that `responses.standing` names. A rejection, a query or a
condition asks a person, and those who keep the books see it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.ehf.rules import releases
from connector.ehf.rules.codelists import code_list
from connector.errors import Stop
from connector.mapping import Tenant
from connector.peppol import responses, statuses
from connector.peppol.identifiers import Participant
from connector.peppol.points import Points, data_of
from connector.peppol.responses import InvoiceResponse, MessageStatus
from connector.ports import Reason, Status
from connector.store import Tx, attention, documents, transmissions
from connector.store import responses as kept
from connector.store.documents import Document

_PROVIDER: Final = "0242"
"""Code of service providers: message level statuses go between them."""
_ASKS: Final = {"RE": "invoice-rejected", "UQ": "invoice-queried", "CA": "invoice-accepted-conditionally"}
"""What a person is asked about, by status, with the code of the question."""


def take(tx: Tx, points: Points, tenant: Tenant, data: bytes, *, key: str, sender: str | None) -> str:
    """An answer that came in. Returns the document that it speaks of.

    Args:
        data: the ApplicationResponse.
        key: the message's own id, by which it is one however often it comes.
        sender: who stands on the envelope.

    Raises:
        BadInput: it cannot be understood (`response-…`).
        Stop: `response-unmatched`: we have sent no such document; `response-unclear`: several fit;
            `response-from-another`: it is not from whom it would have to be.
    """
    response = responses.read(data)
    if isinstance(response, MessageStatus):
        return _message_status(tx, points, tenant, response, sender)
    return _invoice_response(tx, points, tenant, response, key, sender)


def of_document(tx: Tx, tenant: str, document: str) -> Sequence[InvoiceResponse]:
    """What was answered on an invoice, in the order in which it came."""
    found = [responses.from_json(one.body) for one in kept.of_document(tx, tenant, document)]
    return [one for one in found if isinstance(one, InvoiceResponse)]


# --- the receiver's access point --------------------------------------------------------------------------------------


def _message_status(tx: Tx, points: Points, tenant: Tenant, said: MessageStatus, sender: str | None) -> str:
    there = transmissions.by_instance(tx, said.about.id)
    if there is None or there.tenant != tenant.name:
        raise _unmatched(said.about.id, "transmission")
    responder = sender or _written(said.sender_participant)
    if responder is None or (responder != there.receiver and not responder.startswith(f"{_PROVIDER}:")):
        raise _from_another(responder, there.receiver)
    reasons = [Reason(one.code, _at(one.text or said.text or "", one.where)) for one in said.issues]
    if not reasons and not said.delivered:
        reasons = [Reason(said.status, said.text or "The receiver's access point does not say why.")]
    state = Status("delivered" if said.delivered else "refused", f"{said.kind} {said.status}", reasons, said.at)
    statuses.take(tx, points, there, state)
    return there.document


def _at(text: str, where: str | None) -> str:
    return f"{text} ({where})" if where else text


# --- the buyer --------------------------------------------------------------------------------------------------------


def _invoice_response(
    tx: Tx, points: Points, tenant: Tenant, said: InvoiceResponse, key: str, sender: str | None
) -> str:
    responder = sender or _written(said.sender_participant)
    document = _document(tx, tenant, said, responder)
    _keep(tx, points, tenant, document, said, key)
    return document.id


def take_word(tx: Tx, points: Points, tenant: Tenant, document: Document, word: Reason, *, key: str) -> None:
    """The buyer's answer to a document, of which the access point tells the status and no more. `key` as in `take`."""
    credits = document.kind == "credit_note"
    said = responses.from_json(
        {
            "kind": "invoice-response",
            "id": key,
            "at": tx.now,
            "sender": {"name": document.counterparty_name},
            "receiver": {"name": tenant.title},
            "about": {"id": document.number or document.id, "type_code": "381" if credits else "380"},
            "status": word.code,
            "notes": [word.text] if word.text else [],
        }
    )
    assert isinstance(said, InvoiceResponse)
    _keep(tx, points, tenant, document, said, key)


def _keep(tx: Tx, points: Points, tenant: Tenant, document: Document, said: InvoiceResponse, key: str) -> None:
    if not kept.keep(
        tx, tenant=tenant.name, document=document.id, key=key, code=said.status, body=responses.as_json(said)
    ):
        return
    title, text = responses.in_words(said, "nb")
    reasons = [{"code": one.code, "text": one.text} for one in said.reasons]
    data = data_of(
        number=document.number,
        status=said.status,
        reasons=reasons,
        title=title,
        text=text,
        at=said.at.isoformat() if said.at else None,
        findings=[one.rule for one in said.findings],
    )
    tx.emit(tenant.name, f"{document.kind}.response", document=document.id, data=data)
    _ask(tx, points, document)


def _ask(tx: Tx, points: Points, document: Document) -> None:
    """Ask a person where what holds now is no simple yes; those who keep the books see it, too."""
    holds = responses.standing(of_document(tx, document.tenant, document.id))
    about = f"response:{document.id}"
    code = _ASKS.get(holds.status) if holds is not None else None
    if holds is None or code is None:
        attention.close(tx, about, who="connector", how="answered")
        return
    english, norwegian = responses.in_words(holds, "en"), responses.in_words(holds, "nb")
    reason = Stop(
        f"{document.number} to {document.counterparty_name}: {english.text}",
        code=code,
        do="Talk to the customer. The invoice has arrived: what is wrong with it is credited, and issued anew.",
        where={"document": document.id},
        details=responses.as_json(holds),
    )
    attention.ask(tx, tenant=document.tenant, about=about, reason=reason, verbs=("ignore",), document=document.id)
    key = f"response:{holds.id or holds.status}"
    points.note(tx, document, code=code, key=key, title=norwegian.title, text=norwegian.text)


def _document(tx: Tx, tenant: Tenant, said: InvoiceResponse, responder: str | None) -> Document:
    """The document of ours that a response speaks of: by number and kind, sent to whom it comes from, and by its date
    where several are left.
    """
    numbered = documents.find(tx, tenant.name, number=said.about.id, limit=500)
    kinds = _kinds(said.about.type_code)
    ours = [one for one in numbered if one.kind in kinds and one.direction != "incoming"]
    if not ours:
        raise _unmatched(said.about.id, "invoice or credit note")
    fitting = [one for one in ours if responder in _receivers(tx, one)]
    if not fitting:
        raise _from_another(responder, next(iter(_receivers(tx, ours[0])), None))
    dated = [one for one in fitting if one.issue_date == said.about.issued]
    (first, *others) = dated or fitting
    if others:
        raise Stop(
            f"Several documents to {responder} have the number {said.about.id}: {first.issue_date} and"
            f" {others[0].issue_date}.",
            code="response-unclear",
            do="Read what the customer says (connector attention show), see which one it means, and cancel this.",
            details={"documents": [one.id for one in fitting]},
        )
    return documents.get(tx, tenant.name, first.id)


def _kinds(type_code: str | None) -> tuple[str, ...]:
    if type_code is None:
        return ("invoice", "credit_note")
    credits = code_list("credit-note-type", releases.NEWEST.version)
    return ("credit_note",) if type_code in credits else ("invoice",)


def _receivers(tx: Tx, document: Document) -> set[str]:
    """Who can answer a document: whom it was sent to."""
    sent = {one.receiver for one in transmissions.of_document(tx, document.tenant, document.id) if one.receiver}
    return sent or ({f"0192:{document.counterparty_number}"} if document.counterparty_number else set())


def _written(participant: Participant | None) -> str | None:
    return None if participant is None else participant.value


def _unmatched(id: str, what: str) -> Stop:
    return Stop(
        f"It answers {id}, and we have sent no such {what}.",
        code="response-unmatched",
        do="If it was sent by another program, tell there. retry: it has come here meanwhile. cancel: nothing is done"
        " with it.",
        where={"about": id},
    )


def _from_another(responder: str | None, receiver: str | None) -> Stop:
    return Stop(
        f"It comes from {responder or 'nobody who is named'}, and what it answers went to {receiver or 'nobody'}.",
        code="response-from-another",
        do="Ask the receiver whether it is from them; then cancel this. It changes nothing as it stands.",
        where={"sender": responder, "receiver": receiver},
    )
