"""Payments and refunds in the hub: what they settle, and what is left.

Payments come only from rows that are payments; nothing here looks at a balance. What is open of a document follows from
the rows that facts have left (`connector.sync.balance`). An amount beyond what is open is credit of the customer: the
open amount of the payment itself. A refund goes out against such credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector.errors import BadInput, Clash, Stop
from connector.model import Allocation, DocumentKey, Payment
from connector.store import Tx, documents, links
from connector.store.documents import Document
from connector.sync.balance import ALLOCATION, allot, open_amount
from connector.sync.canonical import stored
from connector.sync.keys import payment_key

CUSTOMER = "customer"
"""Relation of a document to the customer it is about."""
CLOSED = ("paid", "credited", "written_off")
"""States of a document of which nothing is open, by what closed it last."""
CREDITS = ("payment", "credit_note")
"""Kinds of documents whose open amount is credit of the customer."""


def settle(
    tx: Tx, tenant: str, source: str, payment: Payment, *, arrival: str | None = None, booked: bool = False
) -> tuple[Document, list[Document]]:
    """Keep a payment and lower what is open on the invoices it names; what is beyond that is the customer's credit. A
    refund lowers the customer's credit: the payments it names, else the oldest first.

    The same payment again (same source and row id, same content) is the one there is: nothing is lowered twice.

    Args:
        booked: it is in a ledger's books: a refund of more than the credit that is known is what it is there, and the
            rest of it is owed by the customer (the open amount of the refund).

    Returns:
        The payment's document, and the documents that it names as they are now.

    Raises:
        BadInput: it names neither document nor customer, or one that is not here (`invoice-unknown`,
            `customer-unknown`).
        Stop: it is in another currency than what it settles, or a refund of more than the customer's credit
            (`currency-differs`, `refund-exceeds-credit`).
        Clash: the row id came before with other content (code `document-exists`).
    """
    payment = allocated(payment)
    there = _kept_before(tx, tenant, source, payment)
    if there is not None:
        return there, []
    refund = payment.kind == "refund"
    named = [(credit_for if refund else invoice_for)(tx, tenant, one.document) for one in payment.allocations]
    customer = _customer(tx, tenant, payment, named)
    wanted = [
        (document.id, _in_currency_of(document, payment, one.amount, one.currency))
        for document, one in zip(named, payment.allocations, strict=True)
    ]
    if refund and not wanted:
        assert customer is not None
        named = documents.credits(tx, tenant, customer, payment.currency)
        wanted = [(one.id, one.open_amount or Decimal(0)) for one in named]
    foreign = any(one.currency not in (None, payment.currency) for one in payment.allocations)
    most = sum((amount for _, amount in wanted), Decimal(0)) if foreign else payment.amount
    given, left = allot(most, wanted, {one.id: one.open_amount or Decimal(0) for one in named})
    if left and (foreign or (refund and not booked)):
        raise _too_much(payment, left, named)
    if left and customer is None:
        raise _nobody(payment)
    made = _keep(tx, tenant, source, payment, None if foreign else left, arrival)
    if customer is not None:
        documents.relate(tx, tenant=tenant, document=made.id, kind=CUSTOMER, other=customer)
    now = {}
    for document in {one.id: one for one in named}.values():
        now[document.id] = document
        if document.id in given:
            amount = given[document.id]
            documents.relate(tx, tenant=tenant, document=made.id, kind=ALLOCATION, other=document.id, amount=amount)
            now[document.id] = refreshed(tx, document, closed="paid")
            tx.emit(
                tenant,
                "payment.refunded" if refund else "payment.received",
                document=document.id,
                data=told(now[document.id], payment=made.id, source=source, date=payment.date, amount=amount),
            )
    if left and not refund:
        tx.emit(
            tenant,
            "credit.received",
            document=made.id,
            data=told(made, source=source, date=payment.date, amount=left) | {"customer": customer},
        )
    return made, list(now.values())


def _kept_before(tx: Tx, tenant: str, source: str, payment: Payment) -> Document | None:
    there = documents.by_key(tx, tenant, "payment", payment_key(source, payment))
    if there is None or there.digest == documents.digest_of(stored(payment)):
        return there
    raise Clash(
        f"The payment {payment.source_id} came before with other content.",
        code="document-exists",
        do="A payment is a fact: send a reversal of the first, or give the second its own `source_id`.",
        where={"document": there.id},
    )


def _keep(tx: Tx, tenant: str, source: str, payment: Payment, credit: Decimal | None, arrival: str | None) -> Document:
    return documents.insert(
        tx,
        tenant=tenant,
        kind="payment",
        business_key=payment_key(source, payment),
        body=stored(payment),
        state="received",
        source=source,
        source_id=payment.source_id,
        direction=payment.direction,
        number=payment.bank_reference,
        issue_date=payment.date,
        currency=payment.currency,
        payable=payment.amount,
        open_amount=credit,
        counterparty_name=payment.counterparty_name,
        arrival=arrival,
    )


def refreshed(tx: Tx, document: Document, *, closed: str = "paid") -> Document:
    """The document with what is open by its rows; `closed` is its state where nothing is left, and where something is
    again it is what it was before.

    `document` must have been read before the row was written that calls for this: its version is what tells that
    nobody else wrote one meanwhile (`Moved`).

    Raises:
        Stop: less than nothing would be open (`exceeds-open-amount`).
    """
    assert document.payable is not None
    rows = documents.relations(tx, document.tenant, document.id)
    after = open_amount(document.id, document.payable, rows)
    if after < 0:
        raise Stop(
            f"{-after} {document.currency} more would be settled than is open of {_name(document)}.",
            code="exceeds-open-amount",
            do="Settle what is open; the rest is the customer's credit.",
            where={"document": document.id, "number": document.number},
        )
    state = document.state
    if document.kind == "invoice" and after == 0:
        state = closed
    elif document.kind == "invoice" and state in CLOSED:
        state = "issued" if links.all_of(tx, document.id) else "accepted"
    return documents.change(tx, document, open_amount=after, state=state)


def told(document: Document, **facts: Any) -> dict[str, Any]:
    """What the feed says of money: the facts, and what is open of the document now."""
    said = {name: value if isinstance(value, str) else str(value) for name, value in facts.items()}
    said |= {"currency": document.currency or "", "open": str(document.open_amount)}
    return said | {"number": document.number}


# --- which document, whose money --------------------------------------------------------------------------------------


def allocated(payment: Payment) -> Payment:
    """The payment with its allocations stated; none where it is only said whose money it is."""
    return payment if payment.allocations else payment.model_copy(update={"allocations": allocations_of(payment)})


def allocations_of(payment: Payment) -> tuple[Allocation, ...]:
    """The allocations it states; a payment with a KID and none is for the invoice that asked for that KID, one with
    neither is credit of the customer it names.
    """
    if payment.allocations or payment.customer or payment.customer_id:
        return payment.allocations
    if payment.kid:
        return (Allocation(document=DocumentKey(kid=payment.kid), amount=payment.amount),)
    raise BadInput(
        "The payment names neither an invoice nor a customer.",
        code="invoice-unknown",
        do="Say in `allocations` which documents it settles, give the KID it came with, or say whose money it is in"
        " `customer`.",
        where={"field": "allocations"},
    )


def invoice_for(tx: Tx, tenant: str, key: DocumentKey) -> Document:
    """The invoice that a document key means.

    Raises:
        BadInput: there is none, or several (code `invoice-unknown`).
    """
    return _meant(tx, tenant, key, ("invoice",), "invoice")


def credit_for(tx: Tx, tenant: str, key: DocumentKey, kinds: Sequence[str] = CREDITS) -> Document:
    """The payment or credit note that a document key means. Raises `BadInput` (code `credit-unknown`)."""
    return _meant(tx, tenant, key, kinds, "credit")


def customer_for(tx: Tx, tenant: str, key: DocumentKey) -> Document:
    """The customer that a document key means: our id of it, its organisation number, or the source's own number.

    Raises:
        BadInput: there is none, or several (code `customer-unknown`).
    """
    said = key.number or key.source_id
    for business_key in (f"NO:{said}", f"source:{said}") if said else ():
        there = documents.by_key(tx, tenant, CUSTOMER, business_key)
        if there is not None:
            return there
    return _meant(tx, tenant, key, (CUSTOMER,), CUSTOMER)


def _meant(tx: Tx, tenant: str, key: DocumentKey, kinds: Sequence[str], what: str) -> Document:
    found: list[Document] = []
    if key.document_id:
        found = [one for one in [documents.peek(tx, tenant, key.document_id)] if one and one.kind in kinds]
    else:
        by: dict[str, Any] = {"kid": key.kid} if key.kid else {"number": key.number} if key.number else {}
        by = by or {"source_id": key.source_id}
        for kind in kinds:
            found += documents.find(tx, tenant, kind=kind, limit=2, **by)
    if len(found) == 1:
        return found[0]
    said = key.model_dump(exclude_none=True)
    raise BadInput(
        f"{'No' if not found else 'More than one'} {what} here fits {said}.",
        code=f"{what}-unknown",
        do="Name it by `document_id`, its number, its `source_id` or its KID as this service shows them.",
        where={"field": "customer" if what == CUSTOMER else "allocations.document", **said},
    )


def customer_of(tx: Tx, document: Document) -> str | None:
    """The id of the customer that a document is about."""
    for row in documents.relations(tx, document.tenant, document.id):
        if row.kind == CUSTOMER and row.document == document.id:
            return row.other
    return None


def _customer(tx: Tx, tenant: str, payment: Payment, named: Sequence[Document]) -> str | None:
    """Whose money it is: said, or the customer of what it settles. Raises `BadInput` where it is said wrongly."""
    if payment.customer is not None:
        return customer_for(tx, tenant, payment.customer).id
    for document in named:
        found = customer_of(tx, document)
        if found is not None:
            return found
    if named:
        return None
    return customer_for(tx, tenant, DocumentKey(source_id=payment.customer_id)).id


def _in_currency_of(document: Document, payment: Payment, amount: Decimal, currency: str | None) -> Decimal:
    if document.currency == (currency or payment.currency):
        return amount
    raise Stop(
        f"The payment is in {currency or payment.currency}, {_name(document)} in {document.currency}.",
        code="currency-differs",
        do=f"State in the allocation how much {document.currency} it settles: its `amount`, with `currency:"
        f" {document.currency}`.",
        where={"document": document.id, "number": document.number},
    )


def _too_much(payment: Payment, left: Decimal, named: Sequence[Document]) -> Stop:
    if payment.kind == "refund":
        return Stop(
            f"{payment.amount} {payment.currency} is paid back, {left} more than the customer's credit.",
            code="refund-exceeds-credit",
            do="See whether a payment of the customer has not been read yet, then retry; or book it as what it is.",
            where={"source_id": payment.source_id},
            details={"credits": [{"document": one.id, "open": str(one.open_amount)} for one in named]},
        )
    return Stop(
        f"The payment settles {left} more than is open, in another currency than its own.",
        code="exceeds-open-amount",
        do="Allocate what is open; say the rest in the payment's own currency.",
        where={"source_id": payment.source_id},
    )


def _nobody(payment: Payment) -> BadInput:
    return BadInput(
        f"The payment {payment.source_id} is more than is open, and nobody is known whose credit the rest is.",
        code="customer-unknown",
        do="Say in `customer` whose money it is.",
        where={"field": "customer", "source_id": payment.source_id},
    )


def _name(document: Document) -> str:
    return f"{document.kind.replace('_', ' ')} {document.number or document.source_id or document.id}"
