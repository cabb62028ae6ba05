"""What of a payment is one row in a ledger: each invoice that it settles, and what is left as credit.

The hub keeps a payment as the bank has it: one. A ledger's payment settles one invoice, so one payment may be several
rows there. Each part is pushed by a work of its own and has a link of its own (`payment`, `payment:1`, …): so each is
known when it is seen again, and each takes effect once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.errors import Stop
from connector.model import Allocation, DocumentKey, Payment, Reversal
from connector.store import Tx, documents, links
from connector.store.documents import Document, Relation
from connector.sync import ties
from connector.sync.balance import ALLOCATION, PART, REVERSES, shares
from connector.sync.canonical import stored
from connector.sync.keys import fact_key
from connector.sync.money import CUSTOMER, refreshed, told


@dataclass(frozen=True, slots=True)
class Part:
    """One row: `link` is the kind of its link, `related` the documents that stand behind its references, by kind (and
    by kind the kind of their links, where that is another).
    """

    link: str
    model: Payment
    related: dict[str, str]
    links: dict[str, str]


def link_kind(kind: str, part: int) -> str:
    """The kind of the link that a part has."""
    return kind if part == 0 else f"{kind}:{part}"


def parts(tx: Tx, document: Document) -> list[Part]:
    """The parts of a payment or refund, always the same ones in the same order."""
    payment = Payment.model_validate(document.body)
    rows = documents.relations(tx, document.tenant, document.id)
    common = {row.kind: row.other for row in rows if row.document == document.id and row.kind == CUSTOMER}
    if CUSTOMER in common:
        payment = payment.model_copy(update={"customer": DocumentKey(document_id=common[CUSTOMER])})
    settled = [row for row in rows if row.document == document.id and row.kind == ALLOCATION and row.amount]
    if payment.kind == "refund":
        return [_refund(tx, document, payment, common, settled)]
    amounts = [row.amount or Decimal(0) for row in settled]
    if any(one.currency not in (None, payment.currency) for one in payment.allocations):
        payment = in_currency_of_invoices(tx, document.tenant, payment, settled)
    left = payment.amount - sum(amounts, Decimal(0))
    if left > 0:
        amounts.append(left)
    accounts = [None] * len(amounts) if payment.account_amount is None else shares(payment.account_amount, amounts)
    fees = [None] * len(amounts) if payment.fee is None else shares(payment.fee, amounts)
    made = []
    for number, amount in enumerate(amounts):
        row = settled[number] if number < len(settled) else None
        update = {
            "amount": amount,
            "account_amount": accounts[number],
            "fee": fees[number] or None,
            "allocations": () if row is None else (_allocation(row.other, amount),),
        }
        related = common | ({} if row is None else {"invoice": row.other})
        made.append(Part(link_kind("payment", number), payment.model_copy(update=update), related, {}))
    return made


def in_currency_of_invoices(tx: Tx, tenant: str, payment: Payment, settled: Sequence[Relation]) -> Payment:
    """A payment that settles invoices in another currency than its own, said in theirs: so much of that is settled, and
    what came to the account is what was paid.

    Raises:
        Stop: they are in several currencies, or a fee is stated in the payment's own (`currency-differs`).
    """
    currencies = {documents.get(tx, tenant, row.other).currency for row in settled}
    if len(currencies) != 1 or payment.fee or payment.account_currency not in (None, payment.currency):
        raise Stop(
            f"The payment is in {payment.currency} and settles documents in {', '.join(sorted(map(str, currencies)))}.",
            code="currency-differs",
            do="Post a payment for each currency: `amount`, `currency` and `fee` in the currency of what it settles,"
            " and what came to the account in `account_amount` and `account_currency`.",
            where={"source_id": payment.source_id},
        )
    return payment.model_copy(
        update={
            "amount": sum((row.amount or Decimal(0) for row in settled), Decimal(0)),
            "currency": currencies.pop(),
            "account_amount": payment.amount,
            "account_currency": payment.currency,
            "allocations": (),
        }
    )


def _refund(tx: Tx, document: Document, payment: Payment, common: dict[str, str], used: Sequence[Relation]) -> Part:
    """A refund is one row on the customer's account; where it is of one payment, it closes that."""
    allocations = tuple(_allocation(row.other, row.amount or Decimal(0)) for row in used)
    model = payment.model_copy(update={"allocations": allocations})
    credit = documents.get(tx, document.tenant, used[0].other) if len(used) == 1 else None
    if credit is None:
        return Part("payment", model.model_copy(update={"allocations": ()}), common, {})
    if credit.kind != "payment":
        return Part("payment", model, common | {credit.kind: credit.id}, {})
    # Born in a ledger, a payment is one row there, whatever it settles.
    born = next((link.kind for link in links.all_of(tx, credit.id) if link.connection == credit.source), None)
    last = born or parts(tx, credit)[-1].link
    return Part("payment", model, common | {"payment": credit.id}, {"payment": last})


def reverse_part(
    tx: Tx, source: str, reversal: Reversal, payment: Document, number: int, *, arrival: str | None = None
) -> Document:
    """Take back one of the parts of a payment: what it settles is open again, and so much less of the payment is left.

    Raises:
        Stop: so much is not left of it (`exceeds-open-amount`): it has been used as credit.
    """
    part = parts(tx, payment)[number]
    amount, invoice = part.model.amount, part.related.get("invoice")
    for tie in ties.own(tx, payment):
        if tie.other == invoice:
            ties.release(tx, source, tie, min(tie.amount, amount), reversal.date)
    payment = documents.get(tx, payment.tenant, payment.id)
    made = documents.insert(
        tx,
        tenant=payment.tenant,
        kind="reversal",
        business_key=fact_key(source, reversal.source_id),
        body=stored(reversal),
        state="received",
        source=source,
        source_id=reversal.source_id,
        issue_date=reversal.date,
        currency=payment.currency,
        payable=amount,
        arrival=arrival,
    )
    documents.relate(tx, tenant=payment.tenant, document=made.id, kind=PART, other=payment.id, amount=amount)
    if invoice:
        documents.relate(tx, tenant=payment.tenant, document=made.id, kind=ties.NAMES, other=invoice)
    payment = refreshed(tx, payment)
    if not payment.open_amount and not ties.own(tx, payment):
        payment = documents.change(tx, payment, state="reversed")
    data = told(payment, reversal=made.id, source=source, date=reversal.date, amount=amount)
    tx.emit(payment.tenant, "payment.reversed", document=payment.id, data=data)
    return made


def fact_of(tx: Tx, reversal: Document) -> Document:
    """What a reversal takes back."""
    for row in documents.relations(tx, reversal.tenant, reversal.id):
        if row.kind == REVERSES and row.document == reversal.id:
            return documents.get(tx, reversal.tenant, row.other)
    raise RuntimeError(f"the reversal {reversal.id} takes nothing back")


def linked(tx: Tx, document: Document, connection: str) -> list[str]:
    """Kinds of the links that a payment or settlement has in a system, in the order of its parts."""
    found = {link.kind for link in links.all_of(tx, document.id) if link.connection == connection}
    kind = document.kind
    return sorted((one for one in found if one.partition(":")[0] == kind), key=lambda one: (len(one), one))


def _allocation(document: str, amount: Decimal) -> Allocation:
    return Allocation(document=DocumentKey(document_id=document), amount=amount)
