"""What is read from an accounting system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from connector.ports.kinds import Json, Kind


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
