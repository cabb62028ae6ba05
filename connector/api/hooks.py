"""Where systems post their webhooks. No API key: a request is known by its signature, which the plugin checks."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from connector.api.access import TheHouse
from connector.api.body import body_of
from connector.api.problems import declared
from connector.errors import ConnectorError, Denied, Missing
from connector.peppol import receiving
from connector.peppol.points import Point
from connector.ports import Heard
from connector.service.house import House
from connector.store import Tx
from connector.sync import hints

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

MOST = 1024 * 1024
LARGEST_MESSAGE = 100 * 1024 * 1024
"""Bytes that an access point may hand over at once: none of those in use takes more."""


@router.post(
    "/{connection}",
    status_code=204,
    summary="A system tells that something changed",
    responses=declared(401, 403, 404, 409, 413, 503),
)
async def take_hook(
    connection: Annotated[str, Path(description="Id of the connection, as in the address we subscribed with.")],
    request: Request,
    house: TheHouse,
) -> Response:
    """2xx means: it is on disk (once, however often it comes), and the records it speaks of will be read. Nothing else
    is taken from it, but for what an access point hands over whole: that is kept as it came.
    """
    if house.access_points.has(connection):
        return await _told(house, house.access_points.point(connection), request)
    spoke = house.hooked(connection)
    hooks = spoke.accounting.hooks
    if hooks is None or spoke.webhooks is None:
        raise Missing("Nobody listens here.", code="hook-unknown", do="See `webhooks` in the tenant's file.")
    body = await body_of(request, MOST)
    kept = await house.store.read(lambda tx: hints.state(tx, spoke.id))
    try:
        heard = hooks.hear({name.lower(): value for name, value in request.headers.items()}, body, kept.get("state"))
    except Denied as error:
        reason = error
        log.warning("hook-refused", connection=spoke.id, tenant=spoke.tenant, code=error.code)
        if error.code != "signature-wrong":
            await house.store.write(lambda tx: hints.refused(tx, spoke, reason))
        raise

    def take(tx: Tx, heard: Heard = heard) -> None:
        hints.arrive(tx, spoke, heard, body)

    await house.store.write(take)
    return Response(status_code=204)


async def _told(house: House, point: Point, request: Request) -> Response:
    """A call of an access point. Our answer confirms to the network what it hands over: so first it is on disk."""
    callbacks = point.access_point.callbacks
    if callbacks is None:
        raise Missing("Nobody listens here.", code="hook-unknown", do="This access point makes no calls to us.")
    try:
        body = await body_of(request, LARGEST_MESSAGE)
        kept = await house.store.read(lambda tx: receiving.state(tx, point.id))
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = callbacks.hear(headers, body, kept.get("state"))
        receiving.admit(house.access_points, point, told)
    except ConnectorError as error:
        log.warning("hook-refused", connection=point.id, tenant=point.tenant, code=error.code)
        reason = error
        await house.store.write(lambda tx: receiving.refused(tx, point, reason))
        if (said := callbacks.refusal(error)) is None:
            raise
        return JSONResponse(said)
    await house.store.write(lambda tx: receiving.take_told(tx, house.access_points, point, told))
    return Response(status_code=204) if told.answer is None else JSONResponse(told.answer)
