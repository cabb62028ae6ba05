"""What goes over the wire, in Maventa's own names; what it adds later is let pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from connector.errors import VendorError

Id = Annotated[str, StringConstraints(pattern=r"^[\w.:-]+$")]
"""What stands in paths: nothing that would lead elsewhere."""


class Shape(BaseModel):
    """Something Maventa shows; null is as if it were not there."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        return {name: value for name, value in said.items() if value is not None}


class Party(Shape):
    """Sender or recipient. `eia`: the electronic address, `0192:923609016`; `bid`: the organisation number."""

    eia: str | None = None
    bid: str | None = None
    name: str | None = None
    country: str | None = None
    operator: str | None = None


class Action(Shape):
    """What happened to an invoice. `type`: RECEIVED, CREATED, SENT, DELIVERED, INFO, ERROR; `channel`: EINVOICE, PRINT,
    SCAN, EMAIL.
    """

    type: str
    channel: str | None = None
    message: str | None = None
    happened_at: datetime | None = None


class File(Shape):
    """A file of an invoice or a document."""

    id: Id
    filename: str | None = None
    mimetype: str | None = None


class Invoice(Shape):
    """An invoice or credit note, sent or received. `status`: PENDING, DELIVERED, FAILED."""

    id: Id
    status: str = ""
    number: str | None = None
    sender: Party = Party()
    recipient: Party = Party()
    received_at: datetime | None = None
    files: Sequence[File] = ()
    actions: Sequence[Action] | None = None


class Event(Shape):
    """What happened to a document last."""

    code: str | None = None
    message: str | None = None
    details: str | None = None
    created_at: datetime | None = None


class Document(Shape):
    """Anything but an invoice: an invoice response. `status`: PROCESSING, RESERVED, DELIVERED, CONFIRMED_DELIVERY,
    FAILED.
    """

    id: Id
    type: str = ""
    status: str = ""
    transmission_id: str | None = None
    sender: Party = Party()
    recipient: Party = Party()
    delivered_at: datetime | None = None
    received_at: datetime | None = None
    last_event: Event | None = None
    files: Sequence[File] = ()


class Company(Shape):
    """Who has signed in."""

    id: str = ""
    name: str = ""
    bid: str | None = None
    disabled: bool = False


class Current(Shape):
    """Who the token is for, and what it may do."""

    company: Company
    scopes: Sequence[str] = ()


class Standing(Shape):
    """How far the company's authorisation is. `company_state`: VERIFIED, UNVERIFIED, UNKNOWN."""

    company_state: str = ""


class Taken(Shape):
    """A document type that a receiver takes."""

    document_identifier: str = ""
    process_identifier: str = ""


class Receiver(Shape):
    """A receiver that was found."""

    eia: str = ""
    network: str | None = None
    document_types: Sequence[Taken] = ()


class Subscription(Shape):
    """What Maventa calls us for."""

    id: Id
    destination: str = ""
    events: Sequence[str] = ()


S = TypeVar("S", bound=Shape)


def read(shape: type[S], said: Any, path: str) -> S:
    """What Maventa said, as one of these. Raises `VendorError` ("vendor-answer")."""
    try:
        return shape.model_validate(said)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole answer"
        raise VendorError(
            f"Maventa's answer is not as described: {place} ({first['msg']}).",
            code="vendor-answer",
            do="Try again later; if it stays so, see whether Maventa has changed it.",
            where={"call": path, "field": place},
        ) from None


def moment(at: datetime) -> str:
    """A time as Maventa writes it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
