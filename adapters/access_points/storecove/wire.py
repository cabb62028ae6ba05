"""What goes over the wire, in Storecove's own names; what it adds later is let pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from connector.errors import VendorError

Id = Annotated[str, StringConstraints(pattern=r"^[\w.:-]+$")]
"""What stands in paths: nothing that would lead elsewhere."""


class Shape(BaseModel):
    """Something Storecove shows; null is as if it were not there."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        return {name: value for name, value in said.items() if value is not None}


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


S = TypeVar("S", bound=Shape)


def read(shape: type[S], said: Any, path: str) -> S:
    """What Storecove said, as one of these. Raises `VendorError` ("vendor-answer")."""
    try:
        return shape.model_validate(said)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole answer"
        raise VendorError(
            f"Storecove's answer is not as described: {place} ({first['msg']}).",
            code="vendor-answer",
            do="Try again later; if it stays so, see whether Storecove has changed it.",
            where={"call": path, "field": place},
        ) from None
