"""The protocols that plugins implement.

An accounting system is a plugin: a package that offers an `AccountingPlugin` under the entry point group
`connector.accounting`. It speaks the vendor's own names on the wire and knows nothing of lanes, store or mapping.
What it writes is a **flow**: a short list of durable steps. The house runs the steps, writes each attempt down before
its call and each proof after it, and after a lost answer asks the step to *look* before anything is called again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel

from connector.options import Options

if TYPE_CHECKING:
    from connector.http import Http
    from connector.oauth import Grant, OAuth

Json = Any
"""What JSON can say, with `Decimal` for every number that is not an integer."""


class Kind(StrEnum):
    """The kinds of things that are kept alike."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    PRODUCT = "product"
    DEPARTMENT = "department"
    PROJECT = "project"
    DIMENSION = "dimension"
    """A value of a dimension that the company has made itself."""
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    SETTLEMENT = "settlement"
    REVERSAL = "reversal"
    EXTERNAL_INVOICE = "external_invoice"
    """An invoice that was issued elsewhere, booked the way a system offers for such documents."""
    EXTERNAL_CREDIT_NOTE = "external_credit_note"
    """A credit note that was issued elsewhere, of an invoice that was."""
    SUPPLIER_INVOICE = "supplier_invoice"
    """An invoice or credit note that we received: our purchase."""


# --- what is read -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What a system says about having sent a document to its receiver itself: `sent`, or `failed` (it tried).

    `channel`: `ehf`, `email` …, where it is said; `said`: the vendor's own word.
    """

    state: Literal["sent", "failed"]
    channel: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A change as the vendor tells of it: the moment (UTC, as ISO text), and by whom, in the vendor's own words."""

    at: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of an incoming invoice as the vendor shows it: its id there, its day (ISO text), its amount."""

    id: str
    date: str | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Payable:
    """How an incoming invoice stands in the vendor's books.

    `number`: the seller's own; `supplier`: the vendor's id of who sent it; `text`: what it is called there; `net`: its
    amount without VAT. `voucher`: under what it is booked, as bookkeepers write it; None: it is delivered, not booked.
    `open`: what is still to be paid; `payments`: what was, None where only the balance tells. Amounts are in the
    invoice's currency, above zero also for credit notes. None where the vendor says nothing. `passing`: it lies there
    for a person to book, and what he books is another record, which then takes its place.
    """

    number: str | None = None
    supplier: str | None = None
    text: str | None = None
    net: Decimal | None = None
    voucher: str | None = None
    open: Decimal | None = None
    payments: Sequence[Paid] | None = ()
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One thing as the vendor shows it.

    `id` is the vendor's id as text; `version` differs whenever the content differs (a version number, an ETag or a
    digest); `body` has the vendor's own names in the shape of the plugin's wire model for this kind.

    `open_amount`: what the vendor shows as open of an invoice, in its currency. A control total and a reason to look,
    never a fact. `dispatch`: what it says about having sent the document. `match`: the id of the `Match` that the
    record is in; `customer`: the vendor's id of the customer on whose account a row is; `changed`: who changed it last,
    and when; `payable`: how an incoming invoice stands. None where the vendor says nothing.
    """

    kind: Kind
    id: str
    version: str
    body: Mapping[str, Json]
    dispatch: Dispatch | None = None
    open_amount: Decimal | None = None
    match: str | None = None
    customer: str | None = None
    changed: Changed | None = None
    payable: Payable | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """One row of a match: the record it belongs to (`kind` None: a row on the customer's account that is a record by
    this id of a kind that is not known here), and its amount: above zero where it raises what is owed.
    """

    kind: Kind | None
    id: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Match:
    """Rows on customers' accounts that somebody has matched in the vendor's books, so that none of them is open; their
    amounts come to zero. Without rows: it has been taken apart. It says what settles what, and never that there is
    money.
    """

    id: str
    date: date
    rows: Sequence[Matched] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of what changed. `cursor` is where the next read begins, opaque to the house; `more`: read on at once.

    Where the vendor keeps credit notes among its invoices, a page of invoices has records of both kinds; a page of
    payments also has what else happened on customers' accounts: settlements, reversals and matches. Records come in the
    order in which they were made. `blind`: the connection may not read this kind (a right or module is missing): that a
    record is not here says nothing.
    """

    records: Sequence[Record]
    cursor: str
    more: bool = False
    matches: Sequence[Match] = ()
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """How a kind is followed: how often a poll is worth its calls, and whether the vendor's change tracking has holes
    (then a nightly full comparison finds what polls and webhooks missed).
    """

    kind: Kind
    every: timedelta
    holes: bool
    after: Sequence[Kind] = ()
    """Kinds that its records refer to: where both are to be read, those are read first."""


# --- what is written --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Totals:
    """What the ledger must arrive at, in the document's currency; compared before anything irrevocable.

    `gross` is with VAT (BT-112); `rounding` is what is added to it for whole kroner (BT-114). `stated_vat`: the VAT in
    `vat_currency`, the accounting currency, where the document states it (BT-111, BT-6).
    """

    currency: str
    net: Decimal
    vat: Decimal
    gross: Decimal
    rounding: Decimal = Decimal(0)
    vat_currency: str | None = None
    stated_vat: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """Under what a document was issued elsewhere, for a system that shall keep it: number (BT-1) and KID (BT-83)."""

    number: str
    kid: str | None = None


Operation = Literal["create", "update", "register", "link"]
"""`register`: entered under the number it was issued with elsewhere. `link`: a person has booked it there and says what
it is called there (the goal's `target`): it is read and held against the goal, nothing is written.
"""


@dataclass(frozen=True, slots=True)
class File:
    """A file with its name and media type. `role`: the readable `page` of a document, the `original` as it was
    received, or an `attachment` of it (BG-24).
    """

    name: str
    media_type: str
    content: bytes
    role: Literal["page", "original", "attachment"] = "attachment"


@dataclass(frozen=True, slots=True)
class Goal:
    """What shall be true at the vendor when a flow has ended.

    `marker` is our own key for this effect: unique for ever, at most 30 characters of [0-9a-z-]; the adapter puts it
    into a field that can be searched and that the mapping does not carry. `record` is what the mapping made, in the
    vendor's own names; `target` the vendor's id where something existing is changed; `issued` what is to be kept of a
    document that is registered. `beside`: ids of things that are there and count together with this one (other
    settlements of the same invoice).

    `may_create`: whether a record of a register that is looked for and is not there may be made; else it is a `Stop`
    that names the near misses. `seen`: what the vendor showed of the target when this was decided. Where a field that
    is to be written shows something else by now, the flow writes nothing, says `moved` in a proof's facts, and reads
    the record: it is decided anew.

    `made_by`: the version of the mapping that made `record`; kept with what comes of it, of no meaning to adapters.

    `files` go along; `paper` makes the readable page of what is booked with one. They are not kept with the goal:
    `flow` is given them anew each time, always the same ones.
    """

    kind: Kind
    operation: Operation
    marker: str
    record: Mapping[str, Json]
    totals: Totals | None = None
    target: str | None = None
    issued: Issued | None = None
    paper: Callable[[], Awaitable[File]] | None = field(default=None, compare=False, repr=False)
    beside: Sequence[str] = ()
    files: Sequence[File] = ()
    may_create: bool = True
    seen: Mapping[str, Json] | None = None
    made_by: str | None = None


Capabilities = Mapping[tuple[Kind, Operation], str]
"""What a system can be told, by kind and operation, and how it does it (a sentence for a person). What is not in the
table is refused before anything is sent (`operation-not-supported`).
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """That a step has taken effect: the vendor's id of what now exists, facts for later steps (JSON-able), and the
    record as read back, where the step reads it (the last step of a flow does).

    Of the facts `number`, `series`, `voucher` (as bookkeepers write it: 2027/1043) and `period` are kept in the link.
    """

    id: str
    facts: Mapping[str, Json] = field(default_factory=dict)
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What a step gets: the goal, the proofs of the steps before it by step name, its own witness if any."""

    goal: Goal
    proofs: Mapping[str, Proof]
    witness: Json = None


@dataclass(frozen=True, slots=True)
class Step:
    """One call that changes something, and the way to find out whether it happened.

    * `call` makes one vendor call (with the reads that belong to it) and returns the proof. What it raises says how it
      ended: `TryLater` (not taken), `Refused`, `NeedsPerson`, `Stop` (all: nothing happened), `UnknownOutcome` (with
      what a server error would mean in `refused`: it is why, when looking finds nothing).
    * `look` finds what `call` would have made: no proof, one, or several. None: calling again is harmless.
    * `witness` is for calls that can carry no marker (payments, mostly): it lists the rows that are there already; they
      are stored with the attempt. `look` then returns the equal rows that are *new* since the witness; exactly one may
      be claimed, by one effect; none or several wait for a person.
    * `reads`: it changes nothing, it reads what later steps go by. Where a person has all of it tried again, and no
      other step has taken effect, it is decided and read anew.
    * `timeout`: seconds the whole call may take, answers included. `settle`: seconds after the attempt from which on a
      look that finds nothing is believed (and it is looked a second time).
    """

    name: str
    call: Callable[[Run], Awaitable[Proof]]
    look: Callable[[Run], Awaitable[Sequence[Proof]]] | None = None
    witness: Callable[[Run], Awaitable[Json]] | None = None
    timeout: float = 30.0
    settle: float = 60.0
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """What the vendor counts together: the unit of rate limits. `key` names it (no secrets; a digest of a credential
    will do), `width` how many calls may run at a time, `spacing` the least seconds between two calls' starts.
    """

    key: str
    width: int = 1
    spacing: float = 0.0


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


# --- what is told by the vendor ---------------------------------------------------------------------------------------


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


# --- lenses -----------------------------------------------------------------------------------------------------------

LensForm = Literal["text", "integer", "number", "boolean", "date"]
"""What a value is: `str`, `int`, `Decimal`, `bool`, `date` (on the vendor's side ISO text)."""


class LensPlugin(Protocol):
    """What an entry point of the group `connector.lenses` names: a lens of one's own for mapping files (`lens: NAME`).

    Both functions are pure and undo each other; `connector mappings check` tries that on the samples. A value that
    cannot go through raises `ValueError` with words for a person; nothing is replaced by a guess.
    """

    title: str
    """What it does, in words."""
    ours: LensForm
    theirs: LensForm
    our_samples: Sequence[Any]
    """Values of ours, odd ones among them; at least one."""
    their_samples: Sequence[Any]
    """Values as a record has them; at least one."""

    def out(self, value: Any) -> Any:
        """Our value as the vendor writes it."""

    def into(self, value: Any) -> Any:
        """The vendor's value as ours."""
