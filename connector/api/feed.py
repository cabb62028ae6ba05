"""The feed: everything that happened, in order, for programs that poll."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from connector.api.access import Reader, TheHouse
from connector.api.problems import declared
from connector.errors import BadInput
from connector.model.json import dumps
from connector.store import Event, Tx, events

router = APIRouter(prefix="/v1/changes", tags=["feed"])

LONGEST = 60.0
"""Seconds that a poll may wait."""


class EventView(BaseModel):
    """One thing that happened."""

    seq: int = Field(description="Counts from 1 without gaps, in the order of commits.")
    kind: str = Field(examples=["invoice.issued"])
    at: datetime
    document: str | None = None
    data: Any = None


class Changes(BaseModel):
    """What happened since a cursor."""

    events: list[EventView]
    cursor: str = Field(description="Give it as `after` to read on; keep it only when you have handled the events.")


class Acknowledgement(BaseModel):
    """How far a consumer has come."""

    consumer: str = Field(pattern=r"^[^\x00]*$", min_length=1, max_length=100, examples=["webshop"])
    cursor: str


@router.get("", response_model=Changes, summary="Read what happened", responses=declared(400, 401, 403, 410))
async def changes(
    house: TheHouse,
    key: Reader,
    after: Annotated[
        str | None, Query(description="Cursor of the answer before; left out: from the beginning.")
    ] = None,
    consumer: Annotated[str | None, Query(description="Go on where this consumer has acknowledged.")] = None,
    wait: Annotated[float, Query(ge=0, le=LONGEST, description="Seconds to wait for something to happen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Events after a cursor, oldest first. With `wait` the answer comes as soon as something happens (long poll).

    A reader that has seen number n has seen everything before it; nothing is skipped and nothing comes late.
    """
    if after is not None and consumer is not None:
        raise BadInput("Give `after` or `consumer`, not both.", code="cursor-twice")

    def read(tx: Tx) -> tuple[list[Event], str]:
        start = events.acknowledged(tx, key.tenant, consumer) if consumer else after
        return events.read(tx, key.tenant, start, limit=limit)

    loop = asyncio.get_running_loop()
    end = loop.time() + wait
    ear = house.store.bell.ear()
    while True:
        found, cursor = await house.store.read(read)
        left = end - loop.time()
        if found or left <= 0:
            break
        await ear.wait(min(left, 1.0))
    shown = [
        {"seq": event.seq, "kind": event.kind, "at": event.at, "document": event.document, "data": event.data}
        for event in found
    ]
    return Response(dumps({"events": shown, "cursor": cursor}), media_type="application/json")


@router.post("/ack", status_code=204, summary="Say how far you have come", responses=declared(400, 401, 403, 410))
async def acknowledge(said: Acknowledgement, house: TheHouse, key: Reader) -> None:
    """Keep a consumer's cursor here, so that it need keep nothing: it reads on with `consumer=…`."""
    await house.store.write(lambda tx: events.acknowledge(tx, key.tenant, said.consumer, said.cursor))
