"""What is written to a system outside: a goal, and the durable steps that reach it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from connector.ports.kinds import Json, Kind
from connector.ports.records import Record


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


Operation = Literal["create", "update", "register", "link", "note", "send"]
"""`register`: entered under the number it was issued with elsewhere. `link`: a person has booked it there and says what
it is called there (the goal's `target`): it is read and held against the goal, nothing is written. `note`: a person
who opens the record there (`target`) shall see what has become of it; the goal's record has `title` and `text`, its one
file the same as a page (PDF); nothing in the books changes, and the flow reads nothing back. `send`: a transmission
through an access point (`connector.ports.access_points`).
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
    * `speaks_for`: how many calls whose outcome was lost a look that finds nothing can speak for; None: any number. Of
      one call more, nothing follows from it (two of the same may hide each other there), and a person decides.
    """

    name: str
    call: Callable[[Run], Awaitable[Proof]]
    look: Callable[[Run], Awaitable[Sequence[Proof]]] | None = None
    witness: Callable[[Run], Awaitable[Json]] | None = None
    timeout: float = 30.0
    settle: float = 60.0
    reads: bool = False
    speaks_for: int | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """What the vendor counts together: the unit of rate limits. `key` names it (no secrets; a digest of a credential
    will do), `width` how many calls may run at a time, `spacing` the least seconds between two calls' starts.
    """

    key: str
    width: int = 1
    spacing: float = 0.0
