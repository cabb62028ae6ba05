"""What goes over the wire, in e-invoice.be's own names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.access_points.answers import Id, Shape

DRAFT, TRANSIT, FAILED, SENT = "DRAFT", "TRANSIT", "FAILED", "SENT"
"""States of a document on its way out; one that came is `RECEIVED`."""
GONE_OUT = frozenset({TRANSIT, FAILED, SENT})
"""Of what was sent, whatever became of it. A word that we do not know says neither this nor that it is a draft."""


class Document(Shape):
    """A document, on its way out or received. `invoice_id` is its number (BT-1); `document_type`: INVOICE, CREDIT_NOTE,
    and others that are not sent from here.
    """

    id: Id
    created_at: datetime
    state: str = ""
    document_type: str = ""
    invoice_id: str | None = None
    customer_peppol_id: str | None = None

    @property
    def created(self) -> datetime:
        """When it was made there; a time without a zone is UTC."""
        return self.created_at if self.created_at.tzinfo else self.created_at.replace(tzinfo=UTC)


class Page(Shape):
    """A page of a list."""

    items: Sequence[dict[str, Any]] = ()
    total: int = 0
    has_next_page: bool = False


class Ubl(Shape):
    """A document's UBL: behind a link that holds for a short time, with its addresses."""

    signed_url: str | None = None
    sender_peppol_scheme: str | None = None
    sender_peppol_id: str | None = None
    receiver_peppol_scheme: str | None = None
    receiver_peppol_id: str | None = None


class Event(Shape):
    """What happened to a document. `event_type`: send_attempted, send_failed, send_success, and others."""

    event_type: str
    timestamp: datetime
    details: dict[str, Any] | None = None


class Timeline(Shape):
    """All that happened to it."""

    events: Sequence[Event] = ()

    def count(self, kind: str) -> int:
        """How often something happened."""
        return sum(event.event_type == kind for event in self.events)


class Issue(Shape):
    """What breaks a rule (`type`: error) or nearly does (warning)."""

    message: str
    type: str
    rule_id: str | None = None
    location: str | None = None


class Validation(Shape):
    """Whether a document keeps the rules of Peppol BIS Billing 3.0."""

    is_valid: bool
    issues: Sequence[Issue] = ()


class Account(Shape):
    """Whose account it is."""

    name: str
    company_name: str | None = None
    peppol_ids: Sequence[str] = ()
    credit_balance: int | None = None
    smp_registration: bool | None = None


class Reach(Shape):
    """What is known of a participant. `is_valid`: it is registered in Peppol."""

    is_valid: bool
    supported_document_types: Sequence[str] = ()


class Webhook(Shape):
    """A subscription."""

    id: Id
    url: str = ""
    events: Sequence[str] = ()
    enabled: bool = True
    secret: str = ""


def moment(at: datetime) -> str:
    """A time as it is kept in a cursor."""
    return at.astimezone(UTC).isoformat()
