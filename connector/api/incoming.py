"""Incoming invoices: what somebody sent to the company, delivered here by whoever received it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from connector.api.access import TheHouse, Writer
from connector.api.body import body_of, media_type
from connector.api.commands import IdempotencyKey, OperationView, once_for
from connector.api.problems import declared
from connector.errors import BadInput
from connector.store import Tx
from connector.store.operations import Operation
from connector.sync import incoming
from connector.sync.intake import SOURCE, XML

router = APIRouter(prefix="/v1/incoming-invoices", tags=["incoming"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/xml": {
                "schema": {"type": "string", "description": "EHF: the UBL document as it was received."}
            }
        },
    }
}


@router.post(
    "",
    status_code=202,
    response_model=OperationView,
    summary="Deliver an incoming invoice",
    openapi_extra=_BODY,
    responses=declared(400, 401, 403, 409, 413, 415, 422, 503),
)
async def post_incoming_invoice(
    request: Request,
    house: TheHouse,
    key: Writer,
    idempotency_key: IdempotencyKey = None,
    route: Annotated[str | None, Query(description="Route of the tenant; the one that receives, if left out.")] = None,
) -> Response:
    """Take an EHF invoice or credit note that a supplier sent to the company, byte for byte.

    202 means: the bytes are on disk. They are the same message when they come again with the same `Idempotency-Key` (an
    access point's message id will do), and nothing else makes two messages one. Whatever is wrong with it (no EHF,
    invalid, for somebody else, here already, another bank account than the supplier's) is kept and waits for a person:
    the operation is `waiting` and says for what.
    """
    if media_type(request) not in XML:
        raise BadInput(
            f"An incoming invoice is sent as application/xml, not as {media_type(request) or 'nothing'}.",
            code="media-type",
            do="Set Content-Type.",
        )
    body = await body_of(request)
    tenant = house.tenant(key.tenant)
    incoming.incoming_route(tenant, route)

    def take(tx: Tx) -> Operation:
        message = f"{key.name}/{idempotency_key}"
        return incoming.receive(tx, tenant, source=SOURCE, message=message, body=body, route=route, key=key.name)

    return await once_for(house, key, request, body, idempotency_key, take)
