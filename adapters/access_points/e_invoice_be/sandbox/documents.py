"""What there is: drafts, what was sent of them, and what came; and how each is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from adapters.access_points.sandbox import Incoming, Papers, Transmission

TYPES = {"Invoice": "INVOICE", "CreditNote": "CREDIT_NOTE"}
"""Types of documents by their root element; others are no documents here."""
_STATES: Mapping[str, str] = {"sent": "SENT", "delivered": "SENT", "refused": "FAILED", "failed": "FAILED"}
_EVENTS: Mapping[str, str] = {
    "sending": "send_attempted",
    "waiting": "send_failed",
    "failed": "send_failed",
    "refused": "send_failed",
    "sent": "send_success",
    "delivered": "mlr_received",
}

Shown = Literal["whole", "bare", "none"]
"""How the receiver's address is shown: with its scheme, without, not at all."""


@dataclass(slots=True)
class Draft:
    """A document on its way out. `sent`: what became of it in the network, where it was sent."""

    id: str
    papers: Papers
    body: bytes = field(repr=False)
    created: datetime
    sent: Transmission | None = None

    def state(self, at: datetime | None = None) -> str:
        """DRAFT, TRANSIT, SENT or FAILED; `at`: as it was then."""
        if self.sent is None or (at is not None and self.sent.created > at):
            return "DRAFT"
        return _STATES.get(self.sent.now(at).state, "TRANSIT")

    def timeline(self, at: datetime | None = None) -> list[dict[str, Any]]:
        """What has happened to it so far."""
        story = [] if self.state(at) == "DRAFT" or self.sent is None else self.sent.past(at)
        events = [_event("document_created", self.created, {})]
        for moment in story:
            if moment.state in _EVENTS:
                said = {"message": moment.reason} if moment.reason else {}
                events.append(_event(_EVENTS[moment.state], moment.at, said))
        return events


def _event(kind: str, at: datetime, details: dict[str, Any]) -> dict[str, Any]:
    return {"event_type": kind, "timestamp": at.isoformat(), "details": details}


def outgoing(one: Draft, at: datetime | None, shown: Shown) -> dict[str, Any]:
    """A document on its way out."""
    receiver = one.papers.receiver
    address = {"whole": receiver, "bare": receiver.partition(":")[2], "none": None}[shown]
    return {
        "id": one.id,
        "created_at": one.created.isoformat(),
        "document_type": TYPES[one.papers.root],
        "direction": "OUTBOUND",
        "state": one.state(at),
        "invoice_id": one.papers.number,
        "customer_peppol_id": address,
        "currency": "NOK",
    }


def incoming(one: Incoming) -> dict[str, Any]:
    """A document that came. Its time is shown without a zone."""
    return {
        "id": one.id,
        "created_at": one.came.replace(tzinfo=None).isoformat(),
        "document_type": TYPES.get(one.papers.root, "INVOICE"),
        "direction": "INBOUND",
        "state": "RECEIVED",
        "invoice_id": one.papers.number,
        "customer_peppol_id": one.papers.receiver or None,
        "currency": "NOK",
    }


def ubl(id: str, papers: Papers, link: str | None, size: int) -> dict[str, Any]:
    """Where the UBL of a document is, and its addresses."""
    said: dict[str, Any] = {"id": id, "file_name": f"{id}.xml", "file_size": size, "signed_url": link}
    for role, participant in (("sender", papers.sender), ("receiver", papers.receiver)):
        scheme, _, value = participant.partition(":")
        said |= {f"{role}_peppol_scheme": scheme or None, f"{role}_peppol_id": value or None}
    return said
