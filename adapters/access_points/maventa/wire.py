"""What goes over the wire, in Maventa's own names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from adapters.access_points.answers import Id, Shape


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


def moment(at: datetime) -> str:
    """A time as Maventa writes it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
