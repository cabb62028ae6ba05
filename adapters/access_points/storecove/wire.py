"""What goes over the wire, in Storecove's own names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.access_points.answers import Id, Shape


class Submitted(Shape):
    """What a submission is called."""

    guid: Id


class ActionEvidence(Shape):
    """One way that was tried. `transmission_result`: unknown, accepted, rejected, send_error, internal_error."""

    transmission_datetime: datetime | None = None
    transmission_type: str = ""
    transmission_result: str = ""
    receiver_response: str | None = None


class Evidence(Shape):
    """Proof of sending: what was tried (the older shape), or who took it (the newer one)."""

    guid: str = ""
    status: str = ""
    actions: Sequence[ActionEvidence] | None = None
    network: str | None = None
    receiver: str | None = None


class WebhookInstance(Shape):
    """The first event of the queue. `body`: as it would have been posted, JSON text."""

    guid: Id
    body: str


class Event(Shape):
    """What has happened: to a submission (`guid`, `idempotencyGuid`), or that a document came (`document_guid`)."""

    event_type: str = ""
    event_group: str | None = None
    event: str | None = None
    guid: Id | None = None
    idempotencyGuid: str | None = None
    document_guid: Id | None = None
    legal_entity_id: int | None = None
    tenant_id: str | None = None
    details: str | None = None
    response_document: str | None = None


class PeppolIdentifier(Shape):
    """An identifier the company is registered under."""

    scheme: str = ""
    identifier: str = ""


class LegalEntity(Shape):
    """The company."""

    party_name: str = ""
    peppol_identifiers: Sequence[PeppolIdentifier] = ()


class DiscoveredParticipant(Shape):
    """Whether a participant receives something. `email`: what it gets is a PDF by e-mail."""

    code: str
    email: bool = False
