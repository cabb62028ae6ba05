"""An accounting system: what its plugin offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

from connector.options import Options
from connector.ports.flows import Capabilities, File, Goal, Lane, Step
from connector.ports.kinds import Kind
from connector.ports.records import Page, Reading, Record

if TYPE_CHECKING:
    from connector.http import Http
    from connector.oauth import Grant, OAuth


@dataclass(frozen=True, slots=True)
class Company:
    """A company as the vendor knows it: its id there, its name, its organisation number where the vendor shows one.

    `at`: the address that the books are opened at; the same id at the same address is the same books.
    """

    id: str
    name: str
    organisation_number: str | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a test call found: whose books these are, and what this customer's package and rights allow."""

    company: str
    organisation_number: str | None
    missing: Sequence[str] = ()
    """Rights or modules that the connection needs and does not have, in words for a person."""
    needs: Sequence[str] = ()
    """All rights that the connection needs, with what for."""
    reaches: Sequence[Company] = ()
    """Every company that the same secrets open, where one secret serves many (an accountant's)."""


@dataclass(frozen=True, slots=True)
class Receivables:
    """What a system says its customers owe, as it stands now, in the accounting currency.

    `account`: the balance of its receivable accounts. `open`: the sum of each customer's open rows, by the vendor's
    id; `loose`: of open rows that name no customer. They are two answers to one question: what is apart is a question
    for a person.
    """

    account: Decimal
    open: Mapping[str, Decimal]
    loose: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Formality:
    """Something that must be arranged with the vendor or at the customer's before a connection can work: an approval, a
    key, a module.

    `name`: lower case, with hyphens; `who` does it, `do` is what, `takes` how long it takes, all in words for a person.
    `proved`: a test call that succeeds shows that it is done; otherwise a person says so.
    """

    name: str
    title: str
    who: str
    do: str
    takes: str
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """Somebody says that a record may have changed; `id` None: that any of its kind may have. It is read, never
    believed.
    """

    kind: Kind
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A webhook whose signature is right. `key`: the same when the same one comes again; `event`: the vendor's word for
    what happened.
    """

    key: str
    event: str
    hints: Sequence[Hint]


@dataclass(frozen=True, slots=True)
class Subscribed:
    """How the vendor's webhooks stand after they were looked after.

    `state` is the plugin's own, kept for it and given back the next time (opaque, JSON text); `events` what each
    subscription's state was when it was looked at, by event; `mended` those that had to be made or switched on: what
    happened before that may have been missed.
    """

    state: str
    events: Mapping[str, str]
    mended: Sequence[str] = ()


class Hooks(Protocol):
    """The vendor's webhooks for one connection. Nothing is read from them but hints."""

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """Have every subscription that we need post to `target`, and switch on those the vendor switched off; None: end
        them. `state` as returned the last time. Doing it twice is harmless.
        """

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Heard:
        """What a request says. `headers` have names in lower case.

        Raises:
            Denied: `signature-wrong`: it is not signed with our secret; `hook-for-another`: it is, and speaks of a
                subscription that is not this connection's.
            BadInput: `hook-malformed`.
        """


class Accounting(Protocol):
    """One company's books in one system: an open connection."""

    lane: Lane
    readings: Sequence[Reading]
    capabilities: Capabilities
    hooks: Hooks | None
    """The vendor's webhooks; None where it has none, or the connection has no secret for them."""

    async def company(self) -> Company:
        """Whose books these are, by one call; raises `NeedsPerson` where that cannot be said, with what to do."""

    async def probe(self) -> Probe:
        """Make the cheapest call that proves access; raises `NeedsPerson` with what to do."""

    async def options(self) -> Options:
        """What the ledger takes now: codes, accounts, dimension values, closed periods, what the company has and lacks.
        What may not be read is unknown, not empty; raises `NeedsPerson` where the connection does not work at all.
        """

    async def begin(self, kind: Kind, since: date) -> str:
        """A cursor from which `changes` sees everything dated `since` or later; taken before the first read."""

    async def changes(self, kind: Kind, cursor: str) -> Page:
        """What changed since `cursor`, with overlap where the vendor's clock or resolution asks for it."""

    async def sweep(self, kind: Kind, since: date, until: date, cursor: str | None) -> Page:
        """Everything of a kind dated in [since, until), page by page; `cursor` None begins."""

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now; None when the vendor says that there is none."""

    async def document(self, kind: Kind, id: str) -> File | None:
        """The page that the system shows of a record; None where it has none."""

    async def receivables(self) -> Receivables | None:
        """What customers owe by its ledger, now; None where the system (or the key's rights) does not tell."""

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Pure; raises `Refused` for what this system cannot do."""

    async def close(self) -> None:
        """End the session with the vendor, where there is one, and free the sockets."""


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """A tenant's connection to one system, as its plugin sees it: validated settings and secrets. `grant`: where the
    plugin lets people sign in (`AccountingPlugin.oauth`), what they granted.
    """

    id: str
    tenant: str
    settings: BaseModel
    secrets: BaseModel
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class StandIn:
    """A vendor's sandbox that listens: what a connection to it is given in a tenant's file.

    Its own calls lie beside the vendor's, at the root of the server: `/fault` (what goes wrong) and `/_desk/…` (what a
    bookkeeper does in the program), see `docs/adapters.md`.
    """

    settings: Mapping[str, Any]
    """By their names in the plugin: `base_url` among them, and waits as short as a sandbox allows."""
    secrets: Mapping[str, str]


class AccountingPlugin(Protocol):
    """What an entry point of the group `connector.accounting` names."""

    name: str
    """As in mapping files and on the command line: lower case, no spaces."""
    title: str
    settings: type[BaseModel]
    secrets: type[BaseModel]
    hook_secret: str | None
    """Which of the secrets webhooks are signed with; None where the vendor has none."""
    wire: Mapping[Kind, type[BaseModel]]
    """Shape of a record's body by kind, in the vendor's own names: mapping files are checked against it."""
    formalities: Sequence[Formality]
    """What is to be arranged before a company's connection can work, in the order it is done."""

    def oauth(self, settings: BaseModel, secrets: BaseModel) -> OAuth | None:
        """Where people sign in to give the connection access; None where its secrets alone open it."""

    def open(self, connection: ConnectionConfig, http: Http) -> Accounting:
        """An open connection; makes no call yet."""

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve a local stand-in of the vendor on 127.0.0.1 until interrupted; it forgets everything when it ends.

        `port`: 0 takes a free one. `latency`: seconds that every answer takes longer. `ready` is told, once it listens,
        what a connection to it is given.
        """
