"""Sending documents by hand, and again; what was sent; what is answered to an invoice, by others and by us."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from connector.api.access import Reader, TheHouse, Writer
from connector.api.body import body_of, media_type
from connector.api.documents import TransmissionView, transmitted
from connector.api.problems import declared
from connector.ehf.pdf import Language
from connector.errors import BadInput, Missing
from connector.peppol import answers, correcting, responding, responses, sending
from connector.peppol.responses import Clarification, InvoiceResponse
from connector.store import Tx, documents, transmissions
from connector.sync.intake import XML

router = APIRouter(prefix="/v1/documents", tags=["documents"])

_BODY = {
    "requestBody": {
        "required": False,
        "content": {
            "application/xml": {
                "schema": {"type": "string", "description": "EHF: the document as it shall be sent now, if mended."}
            }
        },
    }
}


@router.post(
    "/{id}/send",
    status_code=202,
    response_model=TransmissionView,
    response_model_exclude_none=True,
    summary="Send a document through Peppol, or again",
    openapi_extra=_BODY,
    responses=declared(400, 401, 403, 404, 409, 413, 415, 422),
)
async def send_document(id: str, request: Request, house: TheHouse, key: Writer) -> TransmissionView:
    """Have an invoice or credit note sent that nobody has asked to be sent, or whose receiver does not have it.

    With a body, that is sent in its place: the same document with the same figures and the rest mended. 409
    `delivered`: the receiver has it; it can only be credited. 409 `on-its-way`: wait until it has arrived or failed.
    """
    body = await body_of(request)
    if body:
        if media_type(request) not in XML:
            raise BadInput("A document is sent as application/xml.", code="media-type", do="Set Content-Type.")
        if (wrong := await run_in_threadpool(sending.invalid, body)) is not None:
            raise BadInput(wrong.said, code=wrong.code, do=wrong.do, details=wrong.details)
    who = f"key {key.name}"
    begun = await house.store.write(
        lambda tx: correcting.send(tx, house.access_points, key.tenant, id, mended=body or None, who=who)
    )
    there = await house.store.read(lambda tx: transmissions.get(tx, key.tenant, begun.id))
    return transmitted(there, house.names(key.tenant))


class Clarified(BaseModel):
    """A reason or an action."""

    code: str = Field(description="Of OPStatusReason or OPStatusAction.", examples=["PRI"], pattern=r"^[A-Z]{3}$")
    text: str | None = Field(default=None, pattern=r"^[^\x00]*$", examples=["The price is not the one agreed."])


class Answer(BaseModel):
    """How an incoming invoice stands with us."""

    status: str = Field(
        description="AB received, IP in process, UQ under query, CA accepted with conditions, RE rejected, AP accepted,"
        " PD paid.",
        pattern=r"^[A-Z]{2}$",
        examples=["RE"],
    )
    reasons: list[Clarified] = Field(default_factory=list, description="CA, UQ and RE need one.")
    actions: list[Clarified] = Field(default_factory=list, description="What the seller is asked to do.")
    note: str | None = Field(default=None, pattern=r"^[^\x00]*$", description="Words beside it.")


class ResponseView(BaseModel):
    """One answer to an invoice: the buyer's to ours, or ours to a supplier's."""

    status: str = Field(examples=["RE"])
    title: str = Field(description="In words.", examples=["The customer has rejected the invoice"])
    text: str
    holds: bool = Field(description="Whether it is the one that holds, of several.")
    response: dict[str, Any] = Field(description="All that it says.")


@router.post(
    "/{id}/respond",
    status_code=202,
    response_model=TransmissionView,
    response_model_exclude_none=True,
    summary="Answer an incoming invoice",
    responses=declared(401, 403, 404, 409, 422),
)
async def respond_to_document(id: str, answer: Answer, house: TheHouse, key: Writer) -> TransmissionView:
    """Tell the seller how its invoice stands, by an invoice response through Peppol. Nothing is booked by it."""
    clarified = [Clarification.reason(one.code, one.text) for one in answer.reasons]
    clarified += [Clarification.action(one.code, one.text) for one in answer.actions]
    notes = [answer.note] if answer.note else []
    who = f"key {key.name}"
    begun = await house.store.write(
        lambda tx: responding.respond(
            tx, house.access_points, key.tenant, id, answer.status, clarified, notes=notes, who=who
        )
    )
    there = await house.store.read(lambda tx: transmissions.get(tx, key.tenant, begun.id))
    return transmitted(there, house.names(key.tenant))


@router.get(
    "/{id}/responses",
    response_model=list[ResponseView],
    summary="What was answered to an invoice",
    responses=declared(401, 403, 404),
)
async def get_responses(id: str, house: TheHouse, key: Reader, language: Language = "en") -> list[ResponseView]:
    """Every answer, in the order in which they came; of several one holds."""

    def read(tx: Tx) -> list[InvoiceResponse]:
        documents.get(tx, key.tenant, id)
        return list(answers.of_document(tx, key.tenant, id))

    found = await house.store.read(read)
    holds = responses.standing(found)
    return [
        ResponseView(
            status=one.status,
            title=words.title,
            text=words.text,
            holds=one is holds,
            response=responses.as_json(one),
        )
        for one, words in ((one, responses.in_words(one, language)) for one in found)
    ]


@router.get(
    "/{id}/sent",
    response_class=Response,
    summary="The document as it was sent",
    responses={200: {"content": {"application/xml": {}}}, **declared(401, 403, 404)},
)
async def get_sent(id: str, house: TheHouse, key: Reader) -> Response:
    """The very bytes that went (or will go) to the receiver; 404 where nothing was made ready to be sent."""

    def read(tx: Tx) -> bytes | None:
        document = documents.get(tx, key.tenant, id)
        ways = [one for one in transmissions.of_document(tx, key.tenant, id) if one.kind == document.kind]
        return sending.sent(tx, house.access_points, document, ways[-1]) if ways else None

    found = await house.store.read(read)
    if found is None:
        raise Missing("Nothing of this document was made ready to be sent.", code="not-sent", where={"document": id})
    return Response(found, media_type="application/xml")
