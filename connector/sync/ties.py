"""What is tied to what: which fact closes how much of which document, as the rows say it now.

A tie is a fact's row on another document, less what reversals of that one allocation have given back. What the books
match otherwise than it was tied before is released here: by rows of a reversal of its own, like everything that is
taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connector.model import Reversal
from connector.store import Tx, documents
from connector.store.documents import Document
from connector.store.schema import new_id
from connector.sync.balance import ALLOCATION, RELEASE, REVERSAL, SETTLEMENT
from connector.sync.canonical import stored
from connector.sync.keys import fact_key
from connector.sync.money import refreshed, told

NAMES = "names"
"""Relation of a fact in a ledger's books to the invoice that its row names."""
FACTS = ("payment", "settlement", "credit_note")
"""Kinds of documents whose rows are ties."""


@dataclass(frozen=True, slots=True)
class Tie:
    """`fact` closes so much of `other`; with `opens`, it raises it instead (a refund of what was paid)."""

    fact: Document
    other: str
    amount: Decimal
    opens: bool = False

    @property
    def whole(self) -> bool:
        """Whether the fact does nothing but tie others: then it is taken back whole."""
        return self.fact.kind == "settlement" and self.fact.open_amount is None


def own(tx: Tx, fact: Document) -> list[Tie]:
    """The ties that a fact has made, oldest first; none where it is taken back."""
    if fact.kind not in FACTS or fact.state == "reversed":
        return []
    rows = documents.relations(tx, fact.tenant, fact.id)
    given_back: dict[str, Decimal] = {}
    for release in (row.document for row in rows if row.kind == RELEASE and row.other == fact.id):
        for row in documents.relations(tx, fact.tenant, release):
            if row.document == release and row.other != fact.id and row.amount:
                given_back[row.other] = given_back.get(row.other, Decimal(0)) + row.amount
    made = []
    for row in rows:
        if row.document == fact.id and row.kind in (ALLOCATION, SETTLEMENT, REVERSAL) and row.amount:
            left = row.amount - given_back.get(row.other, Decimal(0))
            if left > 0:
                made.append(Tie(fact, row.other, left, row.kind == REVERSAL))
    return made


def of(tx: Tx, document: Document) -> list[Tie]:
    """All ties of a document: those that it has made as a fact, and those that facts have made with it."""
    found = own(tx, document)
    for row in documents.relations(tx, document.tenant, document.id):
        if row.other == document.id and row.kind in (ALLOCATION, SETTLEMENT, REVERSAL):
            fact = documents.get(tx, document.tenant, row.document)
            found += [tie for tie in own(tx, fact) if tie.other == document.id]
    return found


def release(tx: Tx, source: str, tie: Tie, amount: Decimal, day: date) -> None:
    """Take back so much of one tie: what it had closed is open again, and the fact has so much more left. What it had
    raised is lowered again; so much of it must be open.
    """
    fact = documents.get(tx, tie.fact.tenant, tie.fact.id)
    other = documents.get(tx, fact.tenant, tie.other)
    of_id, source_id = f"{fact.source_id or fact.id}/{other.id}", f"release/{new_id()}"
    reversal = Reversal(source_id=source_id, of="allocation", of_id=of_id, date=day)
    made = documents.insert(
        tx,
        tenant=fact.tenant,
        kind="reversal",
        business_key=fact_key(source, source_id),
        body=stored(reversal),
        state="booked",
        source=source,
        source_id=source_id,
        issue_date=day,
        currency=fact.currency,
        payable=amount,
    )
    opened = SETTLEMENT if tie.opens else REVERSAL
    for document, kind in ((other, opened), (fact, RELEASE)):
        documents.relate(tx, tenant=fact.tenant, document=made.id, kind=kind, other=document.id, amount=amount)
    other = refreshed(tx, other)
    refreshed(tx, fact)
    touch(tx, other.id, fact.id)
    data = told(other, reversal=made.id, source=source, date=day, amount=amount, **{fact.kind: fact.id})
    tx.emit(fact.tenant, "allocation.reversed", document=other.id, data=data)


def touch(tx: Tx, *documents: str) -> None:
    """Note that something has been released of these documents: what else is for them may take its place."""
    tx.memo.setdefault(_TOUCHED, {}).update(dict.fromkeys(documents))


def touched(tx: Tx) -> list[str]:
    """What has been noted so since this was asked last."""
    return list(tx.memo.pop(_TOUCHED, {}))


_TOUCHED = ("ties", "touched")


def partners(tx: Tx, tie: Tie, document: str) -> Sequence[str]:
    """The documents at the other end of a tie of this one; of a fact that only ties others, these others."""
    if tie.whole:
        return [one.other for one in own(tx, tie.fact) if one.other != document]
    return [tie.fact.id if tie.other == document else tie.other]
