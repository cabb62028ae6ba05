"""What receivers can take in Peppol."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from connector.api.access import Reader, TheHouse
from connector.api.problems import declared
from connector.peppol.identifiers import Participant
from connector.service.peppol import discovery, look_up

router = APIRouter(prefix="/v1/peppol", tags=["peppol"])


class AnswerView(BaseModel):
    """Whether a participant can take a document type."""

    participant: str = Field(examples=["0192:923609016"])
    document_type: str = Field(description="With its scheme.")
    process: str = Field(description="With its scheme.")
    can: str = Field(description="yes, no, or unknown: nothing follows from that one.", examples=["yes"])
    code: str = Field(description="Why, for programs.", examples=["takes"])
    message: str = Field(description="Why, for people.")
    do: str = Field("", description="What helps.")
    asked: datetime = Field(description="When it was found out (UTC).")
    until: datetime = Field(description="How long it is believed (UTC).")
    publisher: str | None = Field(None, description="Who has published it.")
    endpoint: dict[str, Any] | None = Field(None, description="Transport and address of the receiving access point.")


@router.get(
    "/participants/{participant}",
    response_model=list[AnswerView],
    summary="What a receiver can take in Peppol",
    responses=declared(401, 403, 404),
)
async def what_a_receiver_takes(
    house: TheHouse,
    key: Reader,
    participant: Annotated[str, Path(description="Code and number.", examples=["0192:923609016"])],
    fresh: Annotated[bool, Query(description="Ask now, whatever is kept.")] = False,
) -> list[dict[str, Any]]:
    """Asks the name servers and the publisher, or answers from what is kept: a yes for a day, a no for an hour. Three
    answers, never two: what is not known now says nothing about the receiver.
    """
    looks = discovery(house.settings, house.store)
    found = await look_up(looks, Participant.read(participant), fresh=fresh)
    return [answer.as_json() for answer in found]
