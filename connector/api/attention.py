"""What waits for a person, and its settling."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from connector.api.access import Reader, Settler, TheHouse
from connector.api.problems import declared
from connector.lanes import Verb
from connector.store import attention
from connector.store.attention import Item
from connector.sync import answers

router = APIRouter(prefix="/v1/attention", tags=["attention"])


class ItemView(BaseModel):
    """One thing that waits for a person."""

    id: str
    code: str = Field(examples=["totals-differ"])
    said: str = Field(description="What is the matter, in a sentence.")
    do: str = Field(description="What helps.")
    verbs: list[str] = Field(description="What can be answered.", examples=[["retry", "cancel"]])
    since: datetime
    document: str | None = None
    connection: str | None = None
    amount: str | None = None
    currency: str | None = None
    due_date: date | None = None
    details: Any = None


class Side(StrEnum):
    """Whose value holds."""

    ours = "ours"
    theirs = "theirs"


class Answer(BaseModel):
    """What a person decided."""

    verb: Verb = Field(description="One of the item's verbs.")
    vendor_id: str | None = Field(
        default=None, pattern=r"^[^\x00]*$", description="With `happened` and `link`: what it is called in the system."
    )
    fields: dict[str, Side] = Field(
        default_factory=dict,
        description="With `merge`: whose value holds, by field; of the others what `details` propose.",
        examples=[{"party.contact.phone": "theirs"}],
    )


def view(item: Item) -> ItemView:
    """An item as the API shows it."""
    return ItemView(
        id=item.id,
        code=item.code,
        said=item.said,
        do=item.do,
        verbs=list(item.verbs),
        since=item.since,
        document=item.document,
        connection=item.connection,
        amount=None if item.amount is None else str(item.amount),
        currency=item.currency,
        due_date=item.due_date,
        details=item.details,
    )


@router.get(
    "",
    response_model=list[ItemView],
    response_model_exclude_none=True,
    summary="What waits for a person",
    responses=declared(401, 403, 422),
)
async def list_items(
    house: TheHouse,
    key: Reader,
    after: Annotated[str | None, Query(description="Id of the last item of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ItemView]:
    """Everything that waits, oldest first."""
    found = await house.store.read(lambda tx: attention.find(tx, tenant=key.tenant, after=after, limit=limit))
    return [view(item) for item in found]


@router.post("/{id}/resolve", status_code=204, summary="Settle an item", responses=declared(401, 403, 404, 409, 422))
async def resolve_item(id: str, answer: Answer, house: TheHouse, key: Settler) -> None:
    """Say what happened, or what shall happen; it is written down who said it."""
    await house.store.write(
        lambda tx: answers.answer(
            tx,
            house,
            key.tenant,
            id,
            answer.verb,
            vendor_id=answer.vendor_id,
            fields=answer.fields,
            who=f"key {key.name}",
        )
    )
