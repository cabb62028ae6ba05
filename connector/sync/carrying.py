"""What one system has told goes on to the others.

A route that takes documents from a connection (`takes: shop`) brings what is issued there to the connections it leads
to, as issued elsewhere: under the number it has, never a second time. Money goes the other way as well: what the owner
of the bank money tells of is registered in every other system that has what it settles, once.
"""

from __future__ import annotations

from connector.model import CreditNote, Invoice, Payment
from connector.ports import Kind
from connector.store import Tx, documents
from connector.store.documents import Document
from connector.sync import coded, effects
from connector.sync.bank_money import claim_waiting, owns
from connector.sync.credits import invoice_of
from connector.sync.money import customer_of
from connector.sync.parts import fact_of
from connector.sync.postings import push_payment, push_reversal, spokes_of
from connector.sync.spokes import Spoke, Spokes, reaches


def carry(tx: Tx, spokes: Spokes, spoke: Spoke, id: str) -> list[str]:
    """Have a document that a ledger has issued brought to where its routes lead; the works that do it. What is dated
    before a connection's start stays where it is, and what credits that.
    """
    document = documents.get(tx, spoke.tenant, id)
    credited = invoice_of(tx, document) if document.kind == Kind.CREDIT_NOTE else None
    others = [
        one
        for one in spokes.spokes(spoke.tenant)
        if reaches(one, document) and (credited is None or not effects.stays(tx, one, credited))
    ]
    works = [effects.push(tx, one, document.kind, id, needs=_needs(tx, one, document)) for one in others]
    return [work for work in works if work is not None]


def _needs(tx: Tx, spoke: Spoke, document: Document) -> tuple[str, ...]:
    model = (CreditNote if document.kind == Kind.CREDIT_NOTE else Invoice).model_validate(document.body)
    customer = customer_of(tx, document)
    needs = effects.need(tx, spoke, document, Kind.CUSTOMER, customer) if customer else ()
    needs += coded.needs(tx, spoke, document, model)
    credited = invoice_of(tx, document) if document.kind == Kind.CREDIT_NOTE else None
    return needs + (effects.need(tx, spoke, document, Kind.INVOICE, credited) if credited else ())


def tell(tx: Tx, spokes: Spokes, spoke: Spoke, fact: Document) -> list[str]:
    """Have the other systems that have what a payment settles register it, and take it back where this connection takes
    it back, if its word counts for the money. What is paid back to a customer is not carried.
    """
    if fact.kind == Kind.REVERSAL:
        before = fact_of(tx, fact)
        if before.kind != Kind.PAYMENT or not owns(tx, spokes, spoke, Payment.model_validate(before.body)):
            return []
        return push_reversal(tx, spokes, fact, but=spoke)
    if fact.kind != Kind.PAYMENT or Payment.model_validate(fact.body).kind != "payment":
        return []
    others = [one for one in spokes_of(tx, spokes, fact) if one.id != spoke.id]
    for other in others:
        claim_waiting(tx, spokes, other, fact)
    return push_payment(tx, others, fact)
