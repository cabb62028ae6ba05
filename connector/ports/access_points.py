"""An access point: what its plugin offers, under the entry point group `connector.access_points`.

It takes documents to receivers in Peppol and hands over what others have sent to the company. It sends by a **flow**,
like everything that is written outside; what it is told is read and never believed without its secret; what it hands
over is acknowledged only when it is on disk here. It chooses no other way by itself: fall-backs of the vendor (e-mail,
print) are switched off.

Participants are written `0192:923609016`; document types and processes with their scheme: `busdox-docid-qns::urn:…`,
`cenbii-procid-ubl::urn:…`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel

from connector.errors import ConnectorError
from connector.ports.accounting import ConnectionConfig, Formality, Probe, StandIn, Subscribed
from connector.ports.flows import Lane, Step
from connector.ports.kinds import Json

if TYPE_CHECKING:
    from connector.http import Http

# --- what is sent -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transmission:
    """One document on its way to one receiver.

    `instance`: the UUID of this intention to send (InstanceIdentifier of the envelope), the same whenever it is tried
    again, with the same bytes. `sender`, `receiver`: participants; `country`: the business sender's (ISO 3166-1
    alpha-2). `root`: local name of the document's root element; `number`: its own number (BT-1), where it has one.
    `document`: UBL, UTF-8; `enveloped` makes the same with its SBDH around it (`envelope`). An access point is given
    the one that it asks for, with the identifiers above beside it.
    """

    instance: str
    sender: str
    receiver: str
    document_type: str
    process: str
    country: str
    root: str
    number: str | None
    document: bytes = field(repr=False)
    enveloped: Callable[[], bytes] = field(repr=False, compare=False)

    @property
    def envelope(self) -> bytes:
        """The document in its envelope, UTF-8; always the same bytes."""
        return self.enveloped()


State = Literal["accepted", "sent", "delivered", "refused", "failed"]
"""How far a transmission has come.

* `accepted`: the access point has taken it and tries
* `sent`: the receiver's access point has confirmed that it has it (AS4 receipt)
* `delivered`: the receiver's access point has handed it on (MLS `AP`, `AB`)
* `refused`: the receiver's access point has it and does not hand it on (MLS `RE`)
* `failed`: the access point has given up; the receiver's does not have it
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused or failed: a code, as it was given, and words."""

    code: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """What an access point says of a transmission now. `said`: its own word for it; `at`: when that became so (UTC),
    where it tells.
    """

    state: State
    said: str
    reasons: Sequence[Reason] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an access point tells of a transmission of its own accord, where it tells it once and cannot be asked again.

    `id`: by which it is acknowledged when it is on disk, like a message; `transmission`: the id (of `Proof.id`) or the
    instance it speaks of. One that speaks of none of ours is kept nowhere and acknowledged all the same. `answer`: what
    the buyer answers, where only the word for it is told and not the response itself: its status code (UNCL4343 as in
    Peppol's Invoice Response: AB, IP, UQ, CA, RE, AP, PD) and words.
    """

    id: str
    transmission: str
    status: Status
    answer: Reason | None = None


# --- what is received -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody has sent to the company, as the access point hands it over.

    `id`: the access point's own, by which it is acknowledged; `instance`: the envelope's InstanceIdentifier, where it
    is told. `body`: the bytes as they came, an envelope with its document or the document alone; `sender`, `receiver`:
    what the access point says of a document without its envelope.
    """

    id: str
    body: bytes = field(repr=False)
    instance: str | None = None
    sender: str | None = None
    receiver: str | None = None
    content_type: str = "application/xml"


@dataclass(frozen=True, slots=True)
class Unread:
    """What waits there and cannot be handed over as it is: `id` names it to a person, `error` says why and what helps.
    It holds up nothing else, and is told again whenever the inbox is read, until it is gone or can be read.
    """

    id: str
    error: ConnectorError


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of what waits at the access point. `cursor` is where the next read begins, opaque to the house; `more`:
    read on at once, when all of this is acknowledged: a queue shows what comes next only then. `reports`: what it tells
    of transmissions once; `unread`: what could not be taken in this page.
    """

    messages: Sequence[Message]
    cursor: str | None = None
    more: bool = False
    unread: Sequence[Unread] = ()
    reports: Sequence[Report] = ()


# --- what is told by the access point ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What a call of the access point to us says; it has our secret.

    `key`: the same when the same call comes again; `event`: its own word for it. `messages`: handed over whole.
    `transmissions`: ids (of `Proof.id`) or instances whose status is to be read; `reports`: statuses that it tells here
    and nowhere else (acknowledged by the answer); `inbox`: the inbox is to be read. `answer`: what a 200 says to it
    when all of it is on disk, as JSON; None: 204.
    """

    key: str
    event: str
    messages: Sequence[Message] = ()
    transmissions: Sequence[str] = ()
    inbox: bool = False
    answer: Json = None
    reports: Sequence[Report] = ()


class Callbacks(Protocol):
    """The access point's calls to us, for one connection."""

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """As `Hooks.keep`; without any call where the calls are set up by hand."""

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Told:
        """What a call says. `headers` have names in lower case; `state` as `keep` returned it.

        Raises:
            Denied: it does not have our secret (`signature-wrong`), or is another connection's (`hook-for-another`).
            BadInput: `hook-malformed`.
        """

    def refusal(self, error: ConnectorError) -> Json:
        """What the access point is told, as JSON and with status 200, when we do not take what it hands over, so that
        it does not try again in vain: it reads a success only. None: the problem document of our API, with its status.
        """


class AccessPoint(Protocol):
    """One company's account at one access point: an open connection."""

    lane: Lane
    largest: int | None
    """Bytes that a document may have; None: it has no limit that we know of."""
    inbox_every: timedelta | None
    """How often the inbox is worth its calls; None: it hands over by its calls to us only."""
    follow_after: timedelta
    """How long after sending the status is worth a first look."""
    looks_up: bool
    """Whether `takes` knows anything."""
    callbacks: Callbacks | None

    async def probe(self) -> Probe:
        """Make the cheapest call that proves access; raises `NeedsPerson` with what to do."""

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """The steps that send it. The proof of the last one has the access point's id of it, and in its facts `state`
        (`accepted` or `sent`) and `said`. Pure; raises `Refused` for what this access point cannot take.
        """

    async def status(self, id: str, instance: str) -> Status | None:
        """What became of a transmission (`id` as in its proof); None: the access point knows nothing of it."""

    async def inbox(self, cursor: str | None) -> Inbox:
        """What waits there, with the bytes; `cursor` None begins. What is not acknowledged comes again, as long as the
        cursor that it came with is not kept.
        """

    async def acknowledge(self, message: str) -> None:
        """A message (or a report) is on disk here, and need not come again. Doing it twice is harmless."""

    async def takes(self, participant: str, document_type: str, process: str) -> bool | None:
        """Whether the access point knows that a participant takes this; None: it does not tell, or does not know."""

    async def close(self) -> None:
        """Free the sockets."""


class AccessPointPlugin(Protocol):
    """What an entry point of the group `connector.access_points` names."""

    name: str
    """As in tenants' files and on the command line: lower case, no spaces."""
    title: str
    settings: type[BaseModel]
    secrets: type[BaseModel]
    hook_secret: str | None
    """Which of the secrets its calls to us carry or are signed with; None where it makes none."""
    formalities: Sequence[Formality]
    """What is to be arranged before it works, in the order it is done."""

    def open(self, connection: ConnectionConfig, http: Http) -> AccessPoint:
        """An open connection; makes no call yet."""

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """As `AccountingPlugin.serve_sandbox`."""
