"""What is open, from the facts alone: pure arithmetic, nothing is read and nothing is kept.

A fact that closes something has one row for each document it closes, with the amount: a payment its `allocation` rows,
a settlement its `settlement` rows. Whoever takes a fact back adds rows of its own (`reversal`); no row is ever changed.
So what is open follows from the rows, whatever order they came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from connector.store.documents import Relation as Row

ALLOCATION, SETTLEMENT = "allocation", "settlement"
"""Row kinds: the fact (`document`) closes so much of `other`. A fact that carries money of its own (a payment, a credit
note) has so much less of it left."""
REVERSAL = "reversal"
"""The reversal (`document`) opens so much of `other` again; so does a refund of what was paid on an invoice."""
RELEASE = "release"
"""The reversal of one allocation gives so much back to the fact (`other`) that had closed something with it; what was
closed is opened by a `reversal` row."""
PART = "reverses-part"
"""The reversal takes so much of what a payment had left back: one of several rows that the payment is in a ledger."""
REVERSES = "reverses"
"""The reversal takes this fact (`other`) back, and with it so much credit that was left of it."""

_ORE = Decimal("0.01")


def open_amount(document: str, payable: Decimal, rows: Iterable[Row]) -> Decimal:
    """What is open of a document, in its currency.

    Args:
        document: its id.
        payable: what it is over: of an invoice what is to be paid, of a payment what was paid.
        rows: all rows that name it, on either side, in any order; rows of other kinds say nothing.
    """
    left = payable
    for row in rows:
        amount = row.amount or Decimal(0)
        if row.other == document:
            if row.kind in (ALLOCATION, SETTLEMENT, REVERSES, PART):
                left -= amount
            elif row.kind in (REVERSAL, RELEASE):
                left += amount
        elif row.document == document and row.kind in (ALLOCATION, SETTLEMENT, REVERSAL):
            left -= amount
    return left


def taken_back(document: str, rows: Iterable[Row]) -> str | None:
    """The reversal that takes a fact back, if there is one."""
    return next((row.document for row in rows if row.kind == REVERSES and row.other == document), None)


def used(document: str, rows: Iterable[Row]) -> Decimal:
    """How much of the credit of a payment others have used (refunds, settlements) and not given back."""
    by_others = (row for row in rows if row.other == document and row.kind not in (REVERSES, RELEASE, PART))
    left = open_amount(document, Decimal(0), by_others)
    return -left


def allot(
    amount: Decimal, wanted: Sequence[tuple[str, Decimal]], opened: Mapping[str, Decimal]
) -> tuple[dict[str, Decimal], Decimal]:
    """So much of an amount as is open goes where it is wanted; what is left is credit.

    Args:
        wanted: documents in the order they are served, each with how much it shall get at most.
        opened: what is open of each document.

    Returns:
        How much each document gets (only those that get something), and what is left of `amount`. Together they are
        `amount`, and nobody gets more than is open.
    """
    given: dict[str, Decimal] = {}
    left = amount
    for document, most in wanted:
        got = given.get(document, Decimal(0))
        part = min(most, opened[document] - got, left)
        if part > 0:
            given[document] = got + part
            left -= part
    return given, left


def shares(total: Decimal, parts: Sequence[Decimal]) -> list[Decimal]:
    """A total (kroner of a foreign payment, say) over parts in proportion, in whole øre; together exactly the total."""
    whole, made, gone = sum(parts, Decimal(0)), [], Decimal(0)
    so_far = Decimal(0)
    for part in parts:
        so_far += part
        until = total if so_far == whole else (total * so_far / whole).quantize(_ORE, ROUND_HALF_UP)
        made.append(until - gone)
        gone = until
    return made
