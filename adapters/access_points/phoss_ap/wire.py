"""What goes over the wire, in phoss-ap's names. Only what is used is declared, all of it may be missing or be something
else than is known here, and what is not known is left alone: its reports grow with its versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


Text = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) and value.strip() else None)]
Flag = Annotated[bool | None, BeforeValidator(lambda value: value if isinstance(value, bool) else None)]
Number = Annotated[int | None, BeforeValidator(lambda value: value if type(value) is int else None)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Wire(BaseModel):
    """What all have: fields we do not know are harmless."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Thrown(Wire):
    """An exception in a report."""

    message: Text = None


class ResponseError(Wire):
    """What the receiver's access point answered instead of a receipt."""

    errorCode: Text = None
    severity: Text = None
    errorDetails: Text = None
    description: Text = None


Exceptional = Annotated[Thrown | None, BeforeValidator(lambda value: value if isinstance(value, dict) else None)]
Errors = Annotated[
    list[ResponseError],
    BeforeValidator(lambda value: [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []),
]


class Report(Wire):
    """What submitting answers: how the first attempt went."""

    overallSuccess: Flag = None
    sendingSuccess: Flag = None
    """The receiver's access point has it, whatever went wrong afterwards."""
    sendingResult: Text = None
    sbdhInstanceIdentifier: Text = None
    as4MessageId: Text = None
    lookupError: Text = None
    lookupException: Exceptional = None
    sendingException: Exceptional = None
    as4ResponseErrors: Errors = []

    def tells(self) -> bool:
        """Whether it says anything of an attempt: what does not is no report."""
        return self.sendingSuccess is not None or self.overallSuccess is not None or self.sendingResult is not None

    def reasons(self) -> Iterator[tuple[str | None, str]]:
        """Why the attempt failed: code and words."""
        for error in self.as4ResponseErrors:
            if text := error.errorDetails or error.description or error.errorCode:
                yield error.errorCode, text
        if self.lookupError:
            yield "LOOKUP_ERROR", self.lookupError
        for thrown in (self.lookupException, self.sendingException):
            if thrown is not None and thrown.message:
                yield self.sendingResult, thrown.message


class Transaction(Wire):
    """What the status call answers."""

    status: Text = None
    """`pending`, `rejected`, `sending`, `sent`, `failed` (to be tried again), `permanently_failed`."""
    mlsStatus: Text = None
    """`pending`, `received_ap`, `received_ab`, `received_re`, `not_applicable`."""
    sbdhInstanceID: Text = None
    attemptCount: Number = None
    createdDT: Moment = None
    completedDT: Moment = None
    nextRetryDT: Moment = None
    errorDetails: Text = None
    reportingStatus: Text = None
    custom1: Text = None


class Management(Wire):
    """What the status of the server says, of which an operator may have switched off all."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "."))

    build_version: Text = None
    peppol_stage: Text = None
    peppol_owner_seatid: Text = None
    peppol_sending_enabled: Flag = None
    peppol_receiving_enabled: Flag = None
    forwarding_mode: Text = None
