"""What belongs to an invoice that was left out of a system: at the cut-over, or by a person at the first sync.

The invoice stays where it was booked, and its payment from before the cut-over with it. Money that moves later may have
to be in the new books, whatever became of the invoice: that is for a person to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from connector.errors import Stop
from connector.lanes import Nothing, Verb, Work
from connector.store import Tx, audit, documents, first_sync, onboarding
from connector.store.documents import Document
from connector.sync.effects import ISSUED
from connector.sync.spokes import LEFT, Spoke

CUT_OVER = "cut-over"
"""The step of onboarding that keeps the day of the cut-over."""


def stays_out(tx: Tx, work: Work, spoke: Spoke, document: Document, related: Iterable[str]) -> Nothing | None:
    """Why nothing is to be done with what refers to something that was left out; None where it refers to nothing such.

    Args:
        related: ids of the documents that it refers to.

    Raises:
        Stop: `left-out`: a person has to say whether it stays out, too.
    """
    invoice = _left(tx, spoke, related)
    if invoice is None:
        return None
    day = cut_over_day(tx, spoke)
    if day is not None and document.issue_date is not None and document.issue_date < day:
        return Nothing(
            f"It is from before the cut-over ({day}), and so is what it belongs to: both stay where they were."
        )
    decided = audit.find(tx, work.tenant, document=document.id, limit=1000)
    if any(entry.did == Verb.IGNORE and entry.about == f"work:{work.id}" for entry in decided):
        return Nothing("What it belongs to was left out, and a person has said that it stays out, too.")
    name, what, of = spoke.name, document.kind.replace("_", " "), invoice.kind.replace("_", " ")
    called = invoice.number or invoice.source_id or invoice.id
    raise Stop(
        f"The {of} {called} that this {what} belongs to was left out of {name} {_when(tx, spoke, invoice, day)}.",
        code=LEFT,
        do=f"Is the {what} booked where the {of} is: answer `ignore`, and it stays out of {name}, too. Shall both come"
        f" into {name}: connector first-sync propose {name}, write `opprett` in the line of {called}, apply, then"
        " answer `retry`.",
        where={"document": document.id, "connection": spoke.id, "related": invoice.id},
        answers=(Verb.IGNORE,),
    )


def cut_over_day(tx: Tx, spoke: Spoke) -> date | None:
    """The day from which a connection is written to; None where there was no cut-over."""
    cut = onboarding.get(tx, spoke.id, CUT_OVER)
    return date.fromisoformat(cut.details["date"]) if cut is not None else None


def _left(tx: Tx, spoke: Spoke, related: Iterable[str]) -> Document | None:
    """The first of these that was left out, and does not come by itself when it is needed."""
    if not first_sync.any_of(tx, spoke.id):
        return None
    there = (documents.peek(tx, spoke.tenant, id) for id in related if first_sync.left_here(tx, spoke.id, id))
    return next((one for one in there if one is not None and one.kind in ISSUED), None)


def _when(tx: Tx, spoke: Spoke, invoice: Document, day: date | None) -> str:
    if day is not None and invoice.issue_date is not None and invoice.issue_date < day:
        return f"at the cut-over: it is dated {invoice.issue_date}, before {day}, and stays where it was booked"
    row = first_sync.of_document(tx, spoke.id, invoice.id)
    return "by a person at the first sync" + (f", {row.changed:%Y-%m-%d}" if row and row.changed else "")
