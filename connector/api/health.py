"""Whether the service lives, and whether it is ready to work."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from connector import __version__
from connector.api.access import TheHouse
from connector.service import mappings, tenants
from connector.store import attention, meta

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="It lives")
async def live() -> dict[str, Any]:
    """The process answers."""
    return {"status": "live", "version": __version__}


@router.get("/ready", summary="It is ready", responses={503: {"description": "Not ready"}})
async def ready(house: TheHouse, response: Response) -> dict[str, Any]:
    """The store answers; `held` says why no effects are started, where that is so; `attention` counts what waits;
    `stopped` are tenants that are not served, with file and line; `mappings_not_applied` are connections whose files
    were changed and are not used yet.
    """
    try:
        held, waiting = await house.store.read(lambda tx: (meta.effects_held(tx), attention.count(tx)))
    except Exception as error:
        response.status_code = 503
        return {"status": "not ready", "reason": f"the store does not answer ({type(error).__name__})"}
    return {
        "status": "ready",
        "held": held,
        "attention": waiting,
        "tenants": sorted(house.tenants),
        "stopped": tenants.shown(house.stopped),
        "mappings_not_applied": mappings.shown(house.unapplied()),
    }
