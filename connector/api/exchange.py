"""Sending documents by hand, and again; and what was sent."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from connector.api.access import Reader, TheHouse, Writer
from connector.api.body import body_of, media_type
from connector.api.documents import TransmissionView, transmitted
from connector.api.problems import declared
from connector.errors import BadInput, Missing
from connector.peppol import correcting, sending
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
