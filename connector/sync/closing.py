"""What closes a balance without money on a bank account, and what opens one again: settlements and reversals.

A settlement is read from the ledger's postings on the customer's account, or made here when credit of a customer is
applied; it touches no bank account anywhere. A reversal is a fact of its own: what it takes back stays, and counts no
more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connector.errors import BadInput, Clash, Stop
from connector.model import Allocation, DocumentKey, Reversal, Settlement
from connector.model.payment import SettlementKind
from connector.store import Tx, documents
from connector.store.documents import Document
from connector.store.schema import new_id
from connector.sync import ties
from connector.sync.balance import REVERSAL, REVERSES, SETTLEMENT, allot, taken_back, used
from connector.sync.canonical import stored
from connector.sync.keys import fact_key
from connector.sync.money import CREDITS, CUSTOMER, credit_for, customer_for, customer_of, invoice_for, refreshed, told

FACTS = ("payment", "settlement")
"""Kinds of documents that can be taken back."""
CLOSES_AS = {"credit_note": "credited", "write_off": "written_off", "loss": "written_off"}
"""State of a document that a settlement of this kind has closed; of any other kind: paid."""


def apply(
    tx: Tx, tenant: str, source: str, settlement: Settlement, *, arrival: str | None = None, booked: bool = False
) -> tuple[Document, list[Document]]:
    """Keep a settlement and lower what is open on the documents it closes, and of the credit that does it (`by`). What
    it closes no document with is its own open amount, on the customer's account.

    The same settlement again (same source and row id) is the one there is.

    Args:
        booked: it is in a ledger's books: what it is over beyond what is open stands on the customer's account.

    Returns:
        The settlement's document, and the documents it closes as they are now.

    Raises:
        BadInput: it names a document that is not here (`invoice-unknown`, `credit-unknown`).
        Stop: it closes more than is open, or is in another currency (`exceeds-open-amount`, `currency-differs`).
        Clash: the row id came before with other content (`document-exists`).
    """
    key, body = fact_key(source, settlement.source_id), stored(settlement)
    there = documents.by_key(tx, tenant, "settlement", key)
    if there is not None:
        if there.digest == documents.digest_of(body):
            return there, []
        raise _other_content("settlement", settlement.source_id, there)
    closed = [invoice_for(tx, tenant, one.document) for one in settlement.allocations]
    credit = credit_for(tx, tenant, settlement.by, (*CREDITS, "settlement")) if settlement.by else None
    customer = customer_for(tx, tenant, settlement.customer).id if settlement.customer else None
    for document in (*closed, *([credit] if credit else [])):
        if document.currency != settlement.currency:
            raise Stop(
                f"The settlement is in {settlement.currency}, {document.number or document.id} in {document.currency}.",
                code="currency-differs",
                do="Book it in the document's currency.",
                where={"document": document.id},
            )
    amounts: dict[str, Decimal] = {}
    for document, one in zip(closed, settlement.allocations, strict=True):
        amounts[document.id] = amounts.get(document.id, Decimal(0)) + one.amount
    if booked:
        opened = {one.id: one.open_amount or Decimal(0) for one in closed}
        amounts, _ = allot(settlement.amount, list(amounts.items()), opened)
    rest = settlement.amount - sum(amounts.values(), Decimal(0))
    made = documents.insert(
        tx,
        tenant=tenant,
        kind="settlement",
        business_key=key,
        body=body,
        state="booked",
        source=source,
        source_id=settlement.source_id,
        issue_date=settlement.date,
        currency=settlement.currency,
        payable=settlement.amount,
        open_amount=None if settlement.by or not (booked or rest) else rest,
        arrival=arrival,
    )
    now = {}
    for document in {one.id: one for one in closed if one.id in amounts}.values():
        amount = amounts[document.id]
        documents.relate(tx, tenant=tenant, document=made.id, kind=SETTLEMENT, other=document.id, amount=amount)
        now[document.id] = refreshed(tx, document, closed=CLOSES_AS.get(settlement.kind, "paid"))
        facts = {"settlement": made.id, "kind": settlement.kind, "source": source, "date": settlement.date}
        tx.emit(tenant, "invoice.settled", document=document.id, data=told(now[document.id], **facts, amount=amount))
    if credit is not None:
        total = settlement.amount
        documents.relate(tx, tenant=tenant, document=made.id, kind=SETTLEMENT, other=credit.id, amount=total)
        refreshed(tx, credit)
    customer = customer or customer_of(tx, closed[0])
    if customer is not None:
        documents.relate(tx, tenant=tenant, document=made.id, kind=CUSTOMER, other=customer)
    if not now:
        facts = {"kind": settlement.kind, "source": source, "date": settlement.date, "amount": settlement.amount}
        tx.emit(tenant, "settlement.booked", document=made.id, data=told(made, **facts) | {"customer": customer})
    return made, list(now.values())


@dataclass(frozen=True, slots=True)
class Use:
    """So much of a customer's credit, to be applied."""

    credit: Document
    amount: Decimal


def advance(tx: Tx, tenant: str, customer: str, currency: str, prepaid: Decimal) -> list[Use]:
    """Which credit of the customer stands behind a prepaid amount (BT-113), oldest first.

    Raises:
        Stop: there is less (`prepaid-without-credit`): what was prepaid is never believed without the money.
    """
    there = documents.credits(tx, tenant, customer, currency)
    opened = {one.id: one.open_amount or Decimal(0) for one in there}
    given, left = allot(prepaid, [(one.id, opened[one.id]) for one in there], opened)
    if left or prepaid < 0:
        raise Stop(
            f"{prepaid} {currency} is said to be prepaid; the customer's credit is {sum(opened.values(), Decimal(0))}.",
            code="prepaid-without-credit",
            do="Post the advance as a payment of the customer (`customer`, no allocation) and retry; or leave the"
            " prepaid amount (BT-113) out.",
            where={"field": "totals.prepaid"},
        )
    return [Use(one, given[one.id]) for one in there if one.id in given]


def use(tx: Tx, invoice: Document, uses: Sequence[Use], day: date, *, source: str = "connector") -> Document:
    """Apply credit to an invoice: a settlement for each payment it comes from (`on_account`); of a credit note or a
    settlement on the customer's account, of its own kind. `source`: who says so; the
    connection, where its books show it.
    """
    for one in uses:
        key = DocumentKey(document_id=invoice.id)
        settlement = Settlement(
            source_id=_again(tx, invoice.tenant, source, f"{one.credit.id}/{invoice.id}"),
            kind=closing_kind(one.credit),
            date=day,
            allocations=(Allocation(document=key, amount=one.amount),),
            by=DocumentKey(document_id=one.credit.id),
            currency=invoice.currency or "NOK",
        )
        _, (invoice,) = apply(tx, invoice.tenant, source, settlement)
    return invoice


def closing_kind(credit: Document) -> SettlementKind:
    """What it is that closes a document with this credit."""
    if credit.kind == "settlement":
        return Settlement.model_validate(credit.body).kind
    return "credit_note" if credit.kind == "credit_note" else "on_account"


def _again(tx: Tx, tenant: str, source: str, source_id: str) -> str:
    """The id of a settlement of ours, told apart from those that were taken back."""
    count, said = 0, source_id
    while documents.by_key(tx, tenant, "settlement", fact_key(source, said)):
        count += 1
        said = f"{source_id}/{count}"
    return said


# --- taken back -------------------------------------------------------------------------------------------------------


def reverse(
    tx: Tx, tenant: str, source: str, reversal: Reversal, fact: Document, *, arrival: str | None = None
) -> tuple[Document, list[Document]]:
    """Keep a reversal: what the fact had closed is open again, once; its credit is gone, the credit it used is back.

    The same reversal again is the one there is.

    Args:
        fact: the payment or settlement that is taken back (`fact_for`).

    Returns:
        The reversal's document, and the documents that are open again as they are now.

    Raises:
        Stop: what was left of a payment has been used (`credit-used`), or what it had opened is closed by something
            else (`exceeds-open-amount`): that is taken back first.
        Clash: another reversal has taken it back (`reversed-already`), or this one came with other content
            (`document-exists`).
    """
    key, body = fact_key(source, reversal.source_id), stored(reversal)
    there = documents.by_key(tx, tenant, "reversal", key)
    if there is not None:
        if there.digest == documents.digest_of(body):
            return there, []
        raise _other_content("reversal", reversal.source_id, there)
    rows = documents.relations(tx, tenant, fact.id)
    before = taken_back(fact.id, rows)
    if before is not None:
        raise Clash(
            f"The {fact.kind} {fact.source_id or fact.id} is taken back already.",
            code="reversed-already",
            do="A fact is taken back once.",
            where={"document": fact.id, "reversal": before},
        )
    gone = used(fact.id, rows)
    if gone:
        raise Stop(
            f"{gone} {fact.currency} of the {fact.kind} {fact.source_id or fact.id} has been used as credit.",
            code="credit-used",
            do="Take back the refund or settlement that used it first, then retry.",
            where={"document": fact.id},
        )
    made = documents.insert(
        tx,
        tenant=tenant,
        kind="reversal",
        business_key=key,
        body=body,
        state="received",
        source=source,
        source_id=reversal.source_id,
        issue_date=reversal.date,
        currency=fact.currency,
        payable=fact.payable,
        arrival=arrival,
    )
    documents.relate(
        tx, tenant=tenant, document=made.id, kind=REVERSES, other=fact.id, amount=fact.open_amount or Decimal(0)
    )
    made_ties = ties.own(tx, fact)
    rest = None if fact.open_amount is None else Decimal(0)
    documents.change(tx, fact, state="reversed", open_amount=rest)
    now = []
    for row in rows:
        if row.document == fact.id and row.kind == CUSTOMER:
            documents.relate(tx, tenant=tenant, document=made.id, kind=CUSTOMER, other=row.other)
    for tie in made_ties:
        document = documents.get(tx, tenant, tie.other)
        kind = SETTLEMENT if tie.opens else REVERSAL
        documents.relate(tx, tenant=tenant, document=made.id, kind=kind, other=tie.other, amount=tie.amount)
        document = refreshed(tx, document)
        now.append(document)
        facts = {fact.kind: fact.id, "reversal": made.id, "source": source, "date": reversal.date}
        tx.emit(tenant, f"{fact.kind}.reversed", document=document.id, data=told(document, **facts, amount=tie.amount))
    if not now:
        data = {"reversal": made.id, "source": source, "date": reversal.date.isoformat()}
        tx.emit(tenant, f"{fact.kind}.reversed", document=fact.id, data=data)
    return made, now


def take_apart(tx: Tx, source: str, settlement: Document, day: date) -> list[str]:
    """Take back a settlement that only ties others, where it is not taken back already; the ids of these others, which
    are open again.
    """
    if settlement.state == "reversed":
        return []
    touched = [tie.other for tie in ties.own(tx, settlement)]
    ties.touch(tx, *touched)
    of_id = settlement.source_id or settlement.id
    reversal = Reversal(source_id=f"{of_id}/undone/{new_id()}", of="settlement", of_id=of_id, date=day)
    reverse(tx, settlement.tenant, source, reversal, settlement)
    return touched


def fact_for(tx: Tx, tenant: str, reversal: Reversal) -> Document:
    """What a reversal that a program posts takes back: by our id of it, or by the `source_id` it was posted with.

    Raises:
        BadInput: there is none, or several (`fact-unknown`), or it is a kind of fact that is not taken back by itself
            (`reversal-unsupported`).
    """
    if reversal.of not in FACTS:
        raise BadInput(
            f"A {reversal.of} is not taken back by itself.",
            code="reversal-unsupported",
            do="Reverse the payment, and post it again with other allocations under a `source_id` of its own.",
            where={"field": "of"},
        )
    there = documents.peek(tx, tenant, reversal.of_id)
    if there is not None and there.kind == reversal.of:
        return there
    found = documents.find(tx, tenant, kind=reversal.of, source_id=reversal.of_id, limit=2)
    if len(found) != 1:
        raise BadInput(
            f"{'No' if not found else 'More than one'} {reversal.of} here is called {reversal.of_id}.",
            code="fact-unknown",
            do="Name it by the `source_id` it was posted with, or by its id here.",
            where={"field": "of_id"},
        )
    return documents.get(tx, tenant, found[0].id)


def _other_content(kind: str, source_id: str, there: Document) -> Clash:
    return Clash(
        f"The {kind} {source_id} came before with other content.",
        code="document-exists",
        do="A fact keeps what it said: give another one its own `source_id`.",
        where={"document": there.id},
    )
