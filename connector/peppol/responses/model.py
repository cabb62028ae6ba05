"""What comes back, as values: the buyer's word on an invoice, and an access point's word on a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from connector.ehf.report import Language, Severity
from connector.errors import BadInput
from connector.model import Party
from connector.peppol.identifiers import Participant
from connector.peppol.responses.codes import (
    ACTION_LIST,
    ACTIONS,
    REASON_LIST,
    REASONS,
    MessageCode,
    Status,
)

Kind = Literal["invoice-response", "message-level-response", "message-level-status"]
"""The three documents: T111, T71 (the older one) and MLS."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that the response breaks: its official id (or ours, `response-…`), where, and in words (`nb`, `en`).

    A fatal one means that the sender should not have sent it so; what it says is read all the same.
    """

    rule: str
    severity: Severity
    path: str
    line: int | None
    message: Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class About:
    """The document that a response speaks of.

    `id`: its number (BT-1) in an invoice response; the envelope's InstanceIdentifier in what access points say.
    `type_code`: UNCL 1001, 380 invoice, 381 credit note. `issuer` and `recipient`: who it is from and to, where that is
    stated beside sender and receiver of the response.
    """

    id: str
    type_code: str | None = None
    issued: date | None = None
    version: str | None = None
    issuer: Party | None = None
    recipient: Party | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What all of them have.

    `issued`: its date, as stated; None where it has none that can be read. `at`: date and time in UTC; None without a
    time; a time without a zone is Norwegian. `sender` is who responds; names, identifiers, endpoint and contact of the
    parties are as stated. `findings`: the rules it breaks.
    """

    id: str | None = None
    issued: date | None = None
    at: datetime | None = None
    sender: Party
    receiver: Party
    about: About
    findings: tuple[Finding, ...] = ()

    @property
    def sender_participant(self) -> Participant | None:
        """Who responds, as a participant; None where its endpoint is none."""
        return _participant(self.sender)

    @property
    def receiver_participant(self) -> Participant | None:
        """Whom it is for, as a participant; None where its endpoint is none."""
        return _participant(self.receiver)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a clarification is about: a business term (`BT-13`), and the value it has or should have."""

    term: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Clarification:
    """One reason, one action asked for, or words alone (`code` None).

    `list` is the code list that is named, `OPStatusReason` or `OPStatusAction`; a wrong or missing one is read as well.
    """

    code: str | None = None
    list: str | None = None
    text: str | None = None
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def reason(cls, code: str, text: str | None = None, *conditions: Condition) -> Clarification:
        """A reason (`codes.REASONS`)."""
        return cls(code, REASON_LIST, text, conditions)

    @classmethod
    def action(cls, code: str, text: str | None = None, *conditions: Condition) -> Clarification:
        """An action that the seller is asked for (`codes.ACTIONS`)."""
        return cls(code, ACTION_LIST, text, conditions)

    @property
    def is_reason(self) -> bool:
        """Whether it says why. The list decides where the code is in both (`OTH`), else the code."""
        return self.code in REASONS and not (self.list == ACTION_LIST and self.code in ACTIONS)

    @property
    def is_action(self) -> bool:
        """Whether it says what to do."""
        return self.code in ACTIONS and not self.is_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceResponse(Response):
    """The buyer's word on an invoice (Peppol BIS Invoice Response, T111).

    `effective`: the day the status took or takes effect: of the payment (PD), of the next attempt (IP).
    """

    status: Status
    effective: date | None = None
    clarifications: tuple[Clarification, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """Always `invoice-response`."""
        return "invoice-response"

    @property
    def reasons(self) -> tuple[Clarification, ...]:
        """Why."""
        return tuple(one for one in self.clarifications if one.is_reason)

    @property
    def actions(self) -> tuple[Clarification, ...]:
        """What the seller is asked to do."""
        return tuple(one for one in self.clarifications if one.is_action)

    @property
    def seller(self) -> Party:
        """Who issued the invoice: as stated, else whom the response is for."""
        return self.about.issuer or self.receiver

    @property
    def buyer(self) -> Party:
        """Who got the invoice: as stated, else who responds."""
        return self.about.recipient or self.sender


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing an access point found: `SV` syntax, `BV` a rule, `BW` a rule that warns, `FD` not deliverable.

    `where`: an XPath in the document, None for the whole of it.
    """

    code: str | None
    text: str | None
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStatus(Response):
    """The receiving access point's word on a message: Message Level Status, or the older Message Level Response.

    `text` is about the whole of it.
    """

    kind: Kind
    status: MessageCode
    text: str | None = None
    issues: tuple[Issue, ...] = ()

    @property
    def delivered(self) -> bool:
        """Whether the document was handed on to the receiver (`AP`, `AB`); else it was refused (`RE`)."""
        return self.status != "RE"


def _participant(party: Party) -> Participant | None:
    if party.endpoint is None or party.endpoint.scheme is None:
        return None
    try:
        return Participant.read(f"{party.endpoint.scheme}:{party.endpoint.value}", in_use=False)
    except BadInput:
        return None
