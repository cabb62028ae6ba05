"""Where systems post their webhooks. No API key: a request is known by its signature, which the plugin checks."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Request

from connector.api.access import TheHouse
from connector.api.body import body_of
from connector.api.problems import declared
from connector.errors import Denied, Missing
from connector.ports import Heard
from connector.store import Tx
from connector.sync import hints

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

MOST = 1024 * 1024


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
) -> None:
    """204 means: it is on disk (once, however often it comes), and the records it speaks of will be read. Nothing else
    is taken from it.
    """
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
