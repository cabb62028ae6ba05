"""What a ledger has matched on a customer's account becomes settlements here, and what it takes apart is open again.

A match is rows that come to zero together. Most of it is known already: a payment that names its invoice is tied to
it. What a match closes besides becomes one settlement over all its documents; what was tied to a document outside of
the match is released first, because the ledger shows that it settles something else. Nothing here makes money: each
amount is that of a fact that has been read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from connector.errors import Stop
from connector.lanes import Later
from connector.model import Allocation, CreditNote, DocumentKey, Payment, Settlement
from connector.model.json import dumps, loads
from connector.model.payment import SettlementKind
from connector.ports import Kind, Match, Matched
from connector.store import Tx, arrivals, documents, first_sync, links
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.schema import new_id
from connector.sync import ties
from connector.sync.balance import ALLOCATION, PART, REVERSAL, REVERSES, SETTLEMENT
from connector.sync.canonical import stored
from connector.sync.closing import CLOSES_AS, Use, closing_kind, take_apart, use
from connector.sync.credits import booked, notes_of, tell
from connector.sync.keys import fact_key
from connector.sync.money import CUSTOMER, customer_of, refreshed, told
from connector.sync.parts import linked, parts
from connector.sync.spokes import Spoke, Spokes
from connector.sync.ties import NAMES, Tie

MATCH = "match"
"""Kind of the arrivals of matches."""
INSTEAD = "instead"
"""Relation of a match to an invoice that a row of it was for, with the amount: it is matched with something else."""
PATIENCE = timedelta(hours=1)
"""How long a match, or a fact, waits for what it speaks of to be read."""

_ROWS = (Kind.PAYMENT, Kind.SETTLEMENT, Kind.REVERSAL, Kind.EXTERNAL_INVOICE, Kind.EXTERNAL_CREDIT_NOTE)
"""What may be a record by the id of a row: also what was issued elsewhere, and is booked as a voucher."""
_ZERO = Decimal(0)


def arrive(tx: Tx, spoke: Spoke, match: Match) -> None:
    """Keep a match as the vendor showed it; the same again is the same arrival."""
    rows = [[one.kind and one.kind.value, one.id, one.amount] for one in match.rows]
    body = dumps({"id": match.id, "date": match.date, "rows": rows}, canonical=True)
    arrivals.arrive(
        tx,
        tenant=spoke.tenant,
        source=spoke.id,
        kind=MATCH,
        key=f"{MATCH}/{match.id}/{hashlib.sha256(dumps(rows, canonical=True)).hexdigest()[:16]}",
        subject=f"{spoke.id}/{MATCH}/{match.id}",
        body=body,
        content_type="application/json",
    )


def take_match(
    tx: Tx, arrival: Arrival, spokes: Spokes, *, told_apart: Callable[[Tx, Spoke, Sequence[Matched], date], None]
) -> str | None:
    """A match, or that one is no more.

    Args:
        told_apart: has a payment and what took it back count by themselves where only one of them is matched.

    Raises:
        Later: a row of it has not been taken in yet.
        Stop: a row is still not known after an hour (`match-row-unknown`); or its rows do not come to zero with what is
            known of them (`match-unexplained`).
    """
    spoke, said = spokes.spoke(arrival.source), loads(arrival.body)
    day = date.fromisoformat(said["date"])
    rows = [Matched(kind and Kind(kind), id, Decimal(amount)) for kind, id, amount in said["rows"]]
    here = [one for one in made_of(tx, spoke.tenant, said["id"]) if one.source == spoke.id]
    digest = hashlib.sha256(dumps(said["rows"], canonical=True)).hexdigest()[:16]
    if rows and any(one.business_key.endswith(digest) for one in here):
        return here[0].id
    for one in here:
        undo(tx, spoke, one, day)
    if not rows:
        come_to_rest(tx, spoke, day)
        return here[0].id if here else None
    if any(row.kind is not None and first_sync.left(tx, spoke.id, row.kind, row.id) for row in rows):
        return None
    told_apart(tx, spoke, rows, day)
    amounts: dict[str, Decimal] = {}
    for row in rows:
        id = _meant(tx, spoke, row, arrival)
        amounts[id] = amounts.get(id, _ZERO) + row.amount
    instead: dict[str, Decimal] = {}
    for row in rows:
        for invoice, amount in _loosened_part(tx, spoke, row, frozenset(amounts), day):
            instead[invoice] = instead.get(invoice, _ZERO) + amount
    made = _close(tx, spoke, said["id"], digest, day, {id: amount for id, amount in amounts.items() if amount})
    if made is not None:
        for invoice, amount in instead.items():
            documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=INSTEAD, other=invoice, amount=amount)
    come_to_rest(tx, spoke, day)
    return made.id if made else None


def made_of(tx: Tx, tenant: str, match: str) -> list[Document]:
    """The settlement that a match has become, if it has become one and has not been taken apart."""
    found = documents.find(tx, tenant, kind="settlement", source_id=f"{MATCH}/{match}")
    return [documents.get(tx, tenant, one.id) for one in found if one.state != "reversed"]


# --- closing ----------------------------------------------------------------------------------------------------------


def _meant(tx: Tx, spoke: Spoke, row: Matched, arrival: Arrival) -> str:
    """The document behind a row. A row that takes a payment back, and was booked like a
    payment of its invoice, stands for the invoice; so does, with it, the payment that it takes back.
    """
    kinds = (row.kind,) if row.kind else _ROWS
    for kind in kinds:
        link = links.part(tx, spoke.id, kind, row.id) or links.by_vendor_id(tx, spoke.id, kind, row.id)
        if link is None:
            continue
        document = documents.get(tx, spoke.tenant, link.document)
        if document.state != "reversed" and document.kind != "reversal":
            raised = [tie.other for tie in ties.own(tx, document) if tie.opens]
            return raised[0] if kind is Kind.REVERSAL and raised else document.id
        reversal = document.id if document.kind == "reversal" else _reversal_of(tx, document)
        of_part = [one.other for one in documents.relations(tx, spoke.tenant, reversal or "")
                   if one.kind == PART and one.document == reversal]  # fmt: skip
        if of_part:
            return of_part[0]
        paid = links.of(tx, reversal, spoke.id, Kind.PAYMENT.value) if reversal else None
        opened = [one.other for one in documents.relations(tx, spoke.tenant, reversal or "")
                  if one.kind == REVERSAL and one.document == reversal]  # fmt: skip
        if paid is not None and opened:
            return opened[0]
        # A reversed voucher: its two rows are matched with each other.
        return reversal or document.id
    for kind in kinds:
        waiting = arrivals.of_subject(tx, spoke.tenant, f"{spoke.id}/{kind}/{row.id}")
        if waiting:
            raise Later("a row that is matched has not been taken in yet")
    if tx.now - arrival.received < PATIENCE:
        raise Later("a row that is matched has not been read yet")
    raise Stop(
        f"In {spoke.name} row {row.id} of a customer's account is matched, and it is not known here.",
        code="match-row-unknown",
        do="Have everything read (`connector sync`), then retry; or cancel this where the row is older than what is"
        " read.",
        where={"connection": spoke.id, "vendor_id": row.id},
    )


def _loosened_part(tx: Tx, spoke: Spoke, row: Matched, within: frozenset[str], day: date) -> list[tuple[str, Decimal]]:
    """Where a payment is several rows there: the invoice that this very row settles is open again, unless it is matched
    with it. Which invoice, and how much of it the row was for.
    """
    kinds = () if row.kind else (Kind.PAYMENT,)
    link = next((found for kind in kinds if (found := links.part(tx, spoke.id, kind, row.id)
                                             or links.by_vendor_id(tx, spoke.id, kind, row.id))), None)  # fmt: skip
    if link is None:
        return []
    payment = documents.get(tx, spoke.tenant, link.document)
    there = linked(tx, payment, spoke.id)
    if len(there) < 2 or payment.kind != Kind.PAYMENT.value or payment.state == "reversed":
        return []
    part = parts(tx, payment)[there.index(link.kind)]
    for tie in ties.own(tx, payment):
        if tie.other == part.related.get("invoice") and tie.other not in within:
            ties.release(tx, spoke.id, tie, min(tie.amount, abs(row.amount)), day)
    invoice = part.related.get("invoice")
    return [(invoice, abs(row.amount))] if invoice and invoice not in within else []


def _reversal_of(tx: Tx, fact: Document) -> str | None:
    rows = documents.relations(tx, fact.tenant, fact.id)
    return next((row.document for row in rows if row.kind == REVERSES and row.other == fact.id), None)


@dataclass(frozen=True, slots=True)
class _Closing:
    document: Document
    amount: Decimal


def _close(tx: Tx, spoke: Spoke, match: str, digest: str, day: date, amounts: Mapping[str, Decimal]) -> Document | None:
    """One settlement over all documents of a match, by what of them is not tied within it already."""
    within = frozenset(amounts)
    debits: list[_Closing] = []
    credits: list[_Closing] = []
    for id, amount in amounts.items():
        _slacken(tx, spoke, documents.get(tx, spoke.tenant, id), abs(amount), day, within)
    for id, amount in amounts.items():
        document = documents.get(tx, spoke.tenant, id)
        need = abs(amount) - _inner(tx, document, within)
        if need > 0:
            free(tx, spoke, document, need, day, within=within)
            (debits if amount > 0 else credits).append(_Closing(document, need))
    owed, given = (sum((one.amount for one in side), _ZERO) for side in (debits, credits))
    short = [one for one in (*debits, *credits) if _left(tx, one.document) < one.amount]
    if owed != given or short:
        raise Stop(
            f"What {spoke.name} has matched ({match}) is {owed} against {given} by what is known of it here"
            + (f", and {len(short)} of its documents have less open" if short else "")
            + ".",
            code="match-unexplained",
            do="Something of it has not been read, or is booked in a way that is not understood here: see the match in"
            " the ledger, then retry.",
            where={"connection": spoke.id, "match": match},
            details={"rows": [{"document": id, "amount": str(amount)} for id, amount in amounts.items()]},
        )
    return _settled(tx, spoke, match, digest, day, debits, credits) if debits else None


def _slacken(tx: Tx, spoke: Spoke, document: Document, amount: Decimal, day: date, within: frozenset[str]) -> None:
    """Release what is tied within a match beyond what is matched: it belongs to rows that are not in it."""
    for tie in reversed(ties.of(tx, document)):
        over = _inner(tx, document, within) - amount
        if over <= 0:
            return
        if not tie.opens and set(ties.partners(tx, tie, document.id)) <= within:
            _untie(tx, spoke, tie, min(over, tie.amount), day)


def _settled(
    tx: Tx, spoke: Spoke, match: str, digest: str, day: date, debits: Sequence[_Closing], credits: Sequence[_Closing]
) -> Document:
    kind = _kind([one.document for one in credits])
    invoices = [one for one in debits if one.document.kind == "invoice"] or debits
    settlement = Settlement(
        source_id=f"{MATCH}/{match}",
        kind=kind,
        date=day,
        allocations=tuple(
            Allocation(document=DocumentKey(document_id=one.document.id), amount=one.amount) for one in invoices
        ),
        by=DocumentKey(document_id=credits[0].document.id) if len(credits) == 1 or kind == "credit_note" else None,
        currency=debits[0].document.currency or "NOK",
    )
    made = documents.insert(
        tx,
        tenant=spoke.tenant,
        kind="settlement",
        business_key=fact_key(spoke.id, f"{settlement.source_id}/{new_id()}/{digest}"),
        body=stored(settlement),
        state="booked",
        source=spoke.id,
        source_id=settlement.source_id,
        issue_date=day,
        currency=settlement.currency,
        payable=sum((one.amount for one in debits), _ZERO),
    )
    customer = next((found for one in debits if (found := customer_of(tx, one.document))), None)
    if customer:
        documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=CUSTOMER, other=customer)
    for one in (*debits, *credits):
        document = documents.get(tx, spoke.tenant, one.document.id)
        documents.relate(
            tx, tenant=spoke.tenant, document=made.id, kind=SETTLEMENT, other=document.id, amount=one.amount
        )
        document = refreshed(tx, document, closed=CLOSES_AS.get(kind, "paid"))
        if document.kind == "invoice":
            facts = {"settlement": made.id, "kind": kind, "source": spoke.id, "date": day, "amount": one.amount}
            tx.emit(spoke.tenant, "invoice.settled", document=document.id, data=told(document, **facts))
    if kind == "credit_note" and len(credits) == len(debits) == 1:
        note, invoice = (_now(tx, one.document) for one in (credits[0], debits[0]))
        tell(tx, spoke, note, invoice, debits[0].amount)
    return made


def _kind(credits: Sequence[Document]) -> SettlementKind:
    """What it is that closes: of one kind, or several against each other."""
    kinds = {closing_kind(one) for one in credits}
    return kinds.pop() if len(kinds) == 1 else "set_off"


def _inner(tx: Tx, document: Document, within: frozenset[str]) -> Decimal:
    """How much of a document is tied to others of the match already. A refund that was made to raise its invoice is in
    the invoice: there is so much more of that to be closed.
    """
    found = _ZERO
    for tie in ties.of(tx, document):
        if set(ties.partners(tx, tie, document.id)) <= within:
            found += -tie.amount if tie.opens and tie.other == document.id else tie.amount
    return found


# --- what was tied otherwise ------------------------------------------------------------------------------------------


def free(
    tx: Tx, spoke: Spoke, document: Document, need: Decimal, day: date, *, within: frozenset[str] = frozenset()
) -> None:
    """Have so much of a document open: what it is tied to outside of `within` is released, the newest first."""
    for tie in reversed(ties.of(tx, document)):
        short = need - _left(tx, document)
        if short <= 0:
            return
        if (tie.opens and tie.other == document.id) or set(ties.partners(tx, tie, document.id)) <= within:
            continue
        _untie(tx, spoke, tie, min(short, tie.amount), day)


def _untie(tx: Tx, spoke: Spoke, tie: Tie, amount: Decimal, day: date) -> None:
    if tie.whole:
        apart(tx, spoke, tie.fact.id, day)
        return
    if tie.fact.open_amount is None:
        return  # a payment in another currency than its invoice: which part of it that is, nobody can say
    if tie.opens:
        other = documents.get(tx, spoke.tenant, tie.other)
        free(tx, spoke, other, amount, day)
    ties.release(tx, spoke.id, tie, amount, day)


def _now(tx: Tx, document: Document) -> Document:
    return documents.get(tx, document.tenant, document.id)


def _left(tx: Tx, document: Document) -> Decimal:
    return _now(tx, document).open_amount or _ZERO


def apart(tx: Tx, spoke: Spoke, settlement: str, day: date) -> list[str]:
    """Take back a settlement that only ties others, with room made for it; the documents that are open again."""
    for tie in ties.own(tx, documents.get(tx, spoke.tenant, settlement)):
        if tie.opens:
            free(tx, spoke, documents.get(tx, spoke.tenant, tie.other), tie.amount, day)
    return take_apart(tx, spoke.id, documents.get(tx, spoke.tenant, settlement), day)


def undo(tx: Tx, spoke: Spoke, settlement: Document, day: date) -> None:
    """The ledger has taken a match apart: its rows are open again; those that name an invoice count for it again."""
    for id in apart(tx, spoke, settlement.id, day):
        rejoin(tx, spoke, id, day)


def unmatched(tx: Tx, spoke: Spoke, document: Document, match: str | None, day: date) -> None:
    """Take apart what a match had closed of a document whose row the ledger shows in another match, or in none."""
    for tie in ties.of(tx, document):
        fact = tie.fact
        if not tie.whole or fact.source != spoke.id or not (fact.source_id or "").startswith(f"{MATCH}/"):
            continue
        if fact.source_id != f"{MATCH}/{match}" and documents.get(tx, spoke.tenant, fact.id).state != "reversed":
            undo(tx, spoke, fact, day)


def rejoin(tx: Tx, spoke: Spoke, id: str, day: date) -> None:
    """After a document has been opened again: of an invoice, what the books say is for it and stands open closes it;
    of a fact, it closes the invoice that it names.
    """
    document = documents.get(tx, spoke.tenant, id)
    rows = documents.relations(tx, spoke.tenant, id)
    if document.kind != "invoice":
        for row in rows:
            closes = row.document == id and row.kind in (NAMES, ALLOCATION, SETTLEMENT)
            if closes and documents.get(tx, spoke.tenant, row.other).kind == "invoice":
                rejoin(tx, spoke, row.other, day)
            elif row.document == id and row.kind == REVERSAL and document.open_amount and document.state != "reversed":
                _raise(tx, spoke, document, row.other, document.open_amount, day)
        return
    for note in notes_of(tx, document):
        said = CreditNote.model_validate(note.body).applied or _ZERO
        _from_refunds(tx, spoke, note, min(said, _left(tx, document)), day)
        booked(tx, spoke, documents.get(tx, spoke.tenant, note.id), first=False)
    facts = {row.document: row for row in rows if row.other == id and row.kind in (NAMES, ALLOCATION, SETTLEMENT)}
    for fact_id, row in sorted(facts.items()):
        invoice, fact = documents.get(tx, spoke.tenant, id), documents.get(tx, spoke.tenant, fact_id)
        if not invoice.open_amount or fact.kind not in ("payment", "settlement") or fact.state == "reversed":
            continue
        if fact.open_amount is None or fact.currency != invoice.currency or fact.direction == "out":
            continue
        most = invoice.open_amount
        if fact.source != spoke.id and row.kind != NAMES:
            # Brought there by us: the row there is over what was allocated here, and no more of it names the invoice.
            tied = sum((tie.amount for tie in ties.of(tx, fact) if id in ties.partners(tx, tie, fact.id)), _ZERO)
            most = min(most, (row.amount or _ZERO) - tied - _taken_back(tx, fact, rows))
        _from_refunds(tx, spoke, fact, most, day)
        fact = documents.get(tx, spoke.tenant, fact_id)
        amount = min(most, fact.open_amount or _ZERO)
        if amount > 0:
            use(tx, invoice, [Use(fact, amount)], day, source=spoke.id)


def _raise(tx: Tx, spoke: Spoke, refund: Document, invoice: str, amount: Decimal, day: date) -> None:
    """A refund of what was paid on an invoice stands open again: so much more is owed of the invoice."""
    said = Settlement(
        source_id=f"{refund.id}/{invoice}/{new_id()}",
        kind="set_off",
        date=day,
        allocations=(Allocation(document=DocumentKey(document_id=invoice), amount=amount),),
        by=DocumentKey(document_id=refund.id),
        currency=refund.currency or "NOK",
    )
    made = documents.insert(
        tx,
        tenant=spoke.tenant,
        kind="settlement",
        business_key=fact_key(spoke.id, said.source_id),
        body=stored(said),
        state="booked",
        source=spoke.id,
        source_id=said.source_id,
        issue_date=day,
        currency=said.currency,
        payable=amount,
    )
    for other, kind in ((refund.id, SETTLEMENT), (invoice, REVERSAL)):
        document = documents.get(tx, spoke.tenant, other)
        documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=kind, other=other, amount=amount)
        document = refreshed(tx, document)
    facts = {"settlement": made.id, "payment": refund.id, "source": spoke.id, "date": day, "amount": amount}
    tx.emit(spoke.tenant, "payment.refunded", document=invoice, data=told(document, **facts))
    rejoin(tx, spoke, invoice, day)


def _taken_back(tx: Tx, fact: Document, rows: Sequence[documents.Relation]) -> Decimal:
    """How much of a fact, of its rows that were for the invoice that `rows` are about, the ledger has reversed or
    matched with something else.
    """
    named = {row.document for row in rows if row.kind == NAMES}
    taken = documents.relations(tx, fact.tenant, fact.id)
    gone = sum((row.amount or _ZERO for row in taken if row.kind == PART and row.document in named), _ZERO)
    for row in rows:
        if row.kind == INSTEAD:
            match = documents.get(tx, fact.tenant, row.document)
            if any(tie.other == fact.id for tie in ties.own(tx, match)):
                gone += row.amount or _ZERO
    return gone


def come_to_rest(tx: Tx, spoke: Spoke, day: date) -> None:
    """After things were released: what else the books have for the documents concerned takes its place."""
    done: set[str] = set()
    while found := [id for id in ties.touched(tx) if id not in done]:
        for id in found:
            done.add(id)
            if documents.peek(tx, spoke.tenant, id) is not None:
                rejoin(tx, spoke, id, day)


def _from_refunds(tx: Tx, spoke: Spoke, fact: Document, need: Decimal, day: date) -> None:
    """Money of a fact that names an invoice is for the invoice before it is for a refund; the books match neither."""
    for tie in reversed(ties.of(tx, fact)):
        short = need - _left(tx, fact)
        if short <= 0:
            return
        refund = tie.other == fact.id and tie.fact.kind == "payment"
        if refund and not Payment.model_validate(tie.fact.body).allocations:
            _untie(tx, spoke, tie, min(short, tie.amount), day)
