"""What is connected: in which state, how its webhooks stand, and what the last full comparison found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from connector.api.access import Reader, TheHouse
from connector.api.examples import OPTIONS
from connector.api.problems import declared
from connector.errors import Missing, TryLater
from connector.model.json import dumps
from connector.service.house import House
from connector.store import Tx, connections
from connector.sync import comparison, hints, offers
from connector.sync.spokes import Spoke

router = APIRouter(prefix="/v1/connections", tags=["connections"])


class Missed(BaseModel):
    """A record that neither a poll nor a webhook had brought."""

    kind: str = Field(examples=["invoice"])
    id: str = Field(description="What it is called in the system.")
    was: str | None = Field(default=None, description="Its version here; none: it was not here at all.")
    now: str = Field(description="Its version there.")


class ComparisonView(BaseModel):
    """The last full comparison of one kind."""

    kind: str = Field(examples=["invoice"])
    began: datetime
    ended: datetime
    read: int = Field(description="Records read.")
    missed: int = Field(description="How many of them neither a poll nor a webhook had brought.")
    new: int = Field(description="Of these, how many were not here at all.")
    changed: int = Field(description="Of these, how many were here in an older version.")
    named: list[Missed] = Field(description="The first of them.")


class WebhooksView(BaseModel):
    """How the subscriptions stood when they were last looked after."""

    looked: datetime | None = None
    events: dict[str, str] = Field(default={}, description="State of each subscription as found, by event.")
    error: str | None = Field(default=None, description="Why they could not be kept.")


class ConnectionView(BaseModel):
    """One connection of the tenant."""

    id: str
    name: str = Field(examples=["books"])
    system: str
    mode: str = Field(description="observe or active.")
    state: str = Field(
        description="new (read at most), active, needs-keys, needs-sign-in, missing-right (or a module), paused.",
        examples=["active"],
    )
    paused: str | None = Field(default=None, description="Why nothing is done with it.")
    do: str | None = Field(default=None, description="What a person must do about that.")
    webhooks: WebhooksView | None = None
    compared: list[ComparisonView] = []


@router.get(
    "",
    response_model=list[ConnectionView],
    response_model_exclude_none=True,
    summary="What is connected",
    responses=declared(401, 403, 503),
)
async def list_connections(house: TheHouse, key: Reader) -> list[ConnectionView]:
    """Every connection of the tenant, with its webhooks and its last full comparison."""
    house.tenant(key.tenant)
    spokes = house.spokes(key.tenant)

    def read(tx: Tx) -> list[ConnectionView]:
        found = []
        for spoke in spokes:
            row = connections.get(tx, spoke.id)
            kinds = [reading.kind for reading in spoke.followed]
            found.append(
                ConnectionView(
                    id=row.id,
                    name=row.name,
                    system=row.system,
                    mode=row.mode,
                    state=row.state,
                    paused=row.paused_said,
                    do=row.do,
                    webhooks=_webhooks(hints.state(tx, spoke.id)) if spoke.webhooks else None,
                    compared=[_view(one) for one in comparison.reports(tx, spoke.id, kinds)],
                )
            )
        return found

    return await house.store.read(read)


@router.get(
    "/{id}/options",
    response_class=Response,
    summary="What may be posted to this ledger now",
    responses={
        200: {"content": {"application/schema+json": {"example": OPTIONS}}},
        202: {"description": "It is being read from the ledger; ask again."},
        **declared(401, 403, 404, 503),
    },
)
async def get_options(
    id: str,
    house: TheHouse,
    key: Reader,
    refresh: Annotated[bool, Query(description="Read it from the ledger now, however young what is kept is.")] = False,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait until it has been read.")] = 10,
) -> Response:
    """JSON Schema (2020-12) of an invoice as this ledger takes it: VAT codes, currencies, dimension values, days that
    are not closed; under `$defs` the ledger's own lists, accounts and payment types too. `id`: the connection's, or its
    name. Read through the connection's lane, and kept for a while (`CONNECTOR_OPTIONS_AGE`).
    """
    try:
        known = await house.options(_spoke(house, key.tenant, id), refresh=refresh, wait=wait)
    except TryLater as error:
        if error.code != "options-unread":
            raise
        return Response(status_code=202, headers={"Retry-After": "2"})
    said = offers.schema(_spoke(house, key.tenant, id), known, house.tenant(key.tenant))
    return Response(dumps(said), media_type="application/schema+json")


def _spoke(house: House, tenant: str, id: str) -> Spoke:
    for spoke in house.spokes(tenant):
        if id in (spoke.id, spoke.name):
            return spoke
    raise Missing(f"There is no connection {id}.", code="connection-not-found", where={"connection": id})


def _webhooks(kept: dict[str, object]) -> WebhooksView:
    error = kept.get("error")
    said = error.get("message") if isinstance(error, dict) else None
    return WebhooksView.model_validate({"looked": kept.get("at"), "events": kept.get("events", {}), "error": said})


def _view(one: comparison.Comparison) -> ComparisonView:
    said = one.as_json()
    named = [{"kind": row["kind"], "id": row["id"], "was": row["was"], "now": row["is"]} for row in one.named]
    return ComparisonView.model_validate({**said, "named": named})
