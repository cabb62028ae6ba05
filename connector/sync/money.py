"""Payments and open amounts in the hub: what a payment settles, and what is left.

Payments come only from rows that are payments. Nothing here looks at a balance; an amount that would make more of a
payment than is open is a stop.
"""

from __future__ import annotations

from decimal import Decimal

from connector.errors import BadInput, Clash, Stop
from connector.mapping import Tenant
from connector.mapping.tenants import ALL_ACCOUNTS
from connector.model import Allocation, DocumentKey, Payment
from connector.store import Tx, documents
from connector.store.documents import Document
from connector.sync.canonical import stored
from connector.sync.keys import payment_key


def settle(
    tx: Tx, tenant: str, source: str, payment: Payment, *, arrival: str | None = None
) -> tuple[Document, list[Document]]:
    """Keep a payment and lower what is open on the invoices it settles.

    The same payment again (same source and row id, same content) is the one there is: nothing is lowered twice.

    Returns:
        The payment's document, and the invoices as they are now.

    Raises:
        BadInput: it names no invoice, or one that is not here (code `invoice-unknown`).
        Stop: it is in another currency, or more than is open (codes `currency-differs`, `exceeds-open-amount`).
        Clash: the row id came before with other content (code `document-exists`).
    """
    payment = allocated(payment)
    try:
        made = documents.insert(
            tx,
            tenant=tenant,
            kind="payment",
            business_key=payment_key(source, payment),
            body=stored(payment),
            state="received",
            source=source,
            direction=payment.direction,
            number=payment.bank_reference,
            issue_date=payment.date,
            currency=payment.currency,
            payable=payment.amount,
            counterparty_name=payment.counterparty_name,
            arrival=arrival,
        )
    except Clash as clash:
        there = str(clash.where["document"])
        if clash.details["same"]:
            return documents.get(tx, tenant, there), []
        raise Clash(
            f"The payment {payment.source_id} came before with other content.",
            code="document-exists",
            do="A payment is a fact: send a reversal of the first, or give the second its own `source_id`.",
            where={"document": there},
        ) from None
    settled = []
    for allocation in payment.allocations:
        invoice = invoice_for(tx, tenant, allocation.document)
        now = lowered(tx, invoice, allocation.amount, payment.currency)
        documents.relate(
            tx, tenant=tenant, document=made.id, kind="allocation", other=invoice.id, amount=allocation.amount
        )
        settled.append(now)
        tx.emit(
            tenant,
            "payment.received",
            document=invoice.id,
            data={
                "payment": made.id,
                "source": source,
                "date": payment.date.isoformat(),
                "amount": str(allocation.amount),
                "currency": payment.currency,
                "open": str(now.open_amount),
                "number": invoice.number,
            },
        )
    return made, settled


def lowered(tx: Tx, invoice: Document, amount: Decimal, currency: str) -> Document:
    """The invoice with so much less open; `paid` when nothing is left."""
    place = {"document": invoice.id, "number": invoice.number}
    if invoice.currency != currency:
        raise Stop(
            f"The payment is in {currency}, invoice {invoice.number or invoice.id} in {invoice.currency}.",
            code="currency-differs",
            do="State in the allocation how much of the invoice's currency it settles.",
            where=place,
        )
    before = invoice.open_amount or Decimal(0)
    after = before - amount
    if after < 0:
        raise Stop(
            f"{amount} {currency} is more than what is open on invoice {invoice.number or invoice.id}: {before}.",
            code="exceeds-open-amount",
            do="Allocate what is open; the rest is the customer's credit and is booked by a person.",
            where=place,
        )
    return documents.change(tx, invoice, open_amount=after, state="paid" if after == 0 else invoice.state)


def check_bank_money(tenant: Tenant, payment: Payment, invoice: Document) -> None:
    """Whether payments on this account are for the poster to tell.

    Raises:
        BadInput: another system takes the bank money of the account on the invoice's route (`bank-money-elsewhere`): a
            payment seen in a system that does not own it is matched, never copied; or nobody does
            (`bank-money-unowned`).
    """
    route = tenant.routes.get(invoice.source or "")
    if route is None:
        return
    account = str(payment.bank_account or "")
    place = {"field": "bank_account", "route": route.name, "file": tenant.file, "line": route.line}
    owner = route.takes_bank_money.get(account) or route.takes_bank_money.get(ALL_ACCOUNTS)
    if owner is None:
        raise BadInput(
            f"Nobody takes the bank money of account {account or '(none named)'} on the route `{route.name}`.",
            code="bank-money-unowned",
            do=f"Name one of the accounts that have an owner ({', '.join(route.takes_bank_money)}), or give this one an"
            " owner under takes_bank_money of the route.",
            where=place,
        )
    if owner not in ("source", "connector"):
        raise BadInput(
            f"The bank money of account {account or '(none named)'} is read by `{owner}`; payments come from there.",
            code="bank-money-elsewhere",
            do="Name the account the money came to; or make `source` its owner under takes_bank_money of the route.",
            where=place,
        )


def allocated(payment: Payment) -> Payment:
    """The payment with its allocations stated."""
    return payment if payment.allocations else payment.model_copy(update={"allocations": allocations_of(payment)})


def allocations_of(payment: Payment) -> tuple[Allocation, ...]:
    """The allocations it states; a payment with a KID and none is for the invoice that asked for that KID."""
    if payment.allocations:
        return payment.allocations
    if payment.kid:
        return (Allocation(document=DocumentKey(kid=payment.kid), amount=payment.amount),)
    raise BadInput(
        "The payment names no invoice.",
        code="invoice-unknown",
        do="Say in `allocations` which documents it settles, or give the KID it came with.",
        where={"field": "allocations"},
    )


def invoice_for(tx: Tx, tenant: str, key: DocumentKey) -> Document:
    """The invoice that a document key means.

    Raises:
        BadInput: there is none, or several (code `invoice-unknown`).
    """
    found: list[Document] = []
    if key.document_id:
        found = [one for one in [documents.peek(tx, tenant, key.document_id)] if one and one.kind == "invoice"]
    elif key.kid:
        found = documents.find(tx, tenant, kind="invoice", kid=key.kid, limit=2)
    elif key.number:
        found = documents.find(tx, tenant, kind="invoice", number=key.number, limit=2)
    elif key.source_id:
        found = documents.find(tx, tenant, kind="invoice", source_id=key.source_id, limit=2)
    if len(found) == 1:
        return found[0]
    said = key.model_dump(exclude_none=True)
    raise BadInput(
        f"{'No' if not found else 'More than one'} invoice here fits {said}.",
        code="invoice-unknown",
        do="Name it by `document_id`, its number, its `source_id` or its KID as this service shows them.",
        where={"field": "allocations.document", **said},
    )
