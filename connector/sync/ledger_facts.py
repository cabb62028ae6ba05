"""What people book on customers' accounts in a ledger, beyond payments of invoices: refunds, settlements, and what
takes a row back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from connector.errors import ConnectorError, Stop
from connector.lanes import Later
from connector.model import Allocation, DocumentKey, Payment, Reversal, Settlement
from connector.model.json import dumps
from connector.ports import Kind, Matched, Record
from connector.store import Tx, arrivals, attention, documents, links
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.links import Link
from connector.store.schema import new_id
from connector.sync import effects, ties
from connector.sync.balance import REVERSAL, REVERSES
from connector.sync.canonical import stored
from connector.sync.closing import apply, reverse
from connector.sync.external import EXTERNAL
from connector.sync.intake import SOURCE
from connector.sync.keeping import keep_link
from connector.sync.keys import payment_key
from connector.sync.matches import PATIENCE, apart, free, rejoin, unmatched
from connector.sync.money import CUSTOMER, customer_for, customer_of, refreshed, settle, told
from connector.sync.parts import link_kind, linked, parts, reverse_part
from connector.sync.settlements import OURS, own_row_under_way
from connector.sync.spokes import LEFT, Linked, Spoke
from connector.sync.ties import NAMES

CONTROL = "control"
"""Kind of the arrivals that have balances compared (`connector.sync.control`)."""
UNEXPLAINED = "balance-unexplained"
"""What waits for a person where a balance and the facts are apart."""
FACTS = (Kind.PAYMENT.value, Kind.SETTLEMENT.value)
"""Kinds of facts that a ledger takes back."""

_ZERO = Decimal(0)


class Behind(Linked):
    """For facts: what they speak of and has not been read yet is waited for; a fact is named by its id alone."""

    def __init__(self, tx: Tx, connection: str, arrival: Arrival | None = None) -> None:
        super().__init__(tx, connection, {})
        self.arrival = arrival

    def our_id(self, kind: str, vendor_id: str) -> object:
        """The hub's document behind a vendor's record."""
        try:
            found = super().our_id(kind, vendor_id)
        except ConnectorError as error:
            if error.code == LEFT or self.arrival is None or self.tx.now - self.arrival.received > PATIENCE:
                raise
            raise Later(error.said) from None
        return found


def ask_control(tx: Tx, spoke: Spoke, began: datetime) -> None:
    """Have balances held against each other, once what has been read is taken in.

    Args:
        began: when the read of customers' accounts began that has just ended.
    """
    _ask(tx, spoke, f"{spoke.id}/{CONTROL}", began)


def ask_reading(tx: Tx, spoke: Spoke) -> None:
    """Have customers' accounts read again and then balances held against each other, once what has been read already is
    taken in; asked for often meanwhile, it is done once.
    """
    subject = f"{spoke.id}/{CONTROL}/reading"
    if not arrivals.stands(tx, spoke.tenant, subject):
        _ask(tx, spoke, subject, None)


def _ask(tx: Tx, spoke: Spoke, subject: str, began: datetime | None) -> None:
    arrivals.arrive(
        tx,
        tenant=spoke.tenant,
        source=spoke.id,
        kind=CONTROL,
        key=f"{CONTROL}/{new_id()}",
        subject=subject,
        body=dumps({"began": began.isoformat() if began else None}),
        content_type="application/json",
    )


def control_wanted(tx: Tx, spoke: Spoke, began: datetime) -> bool:
    """Whether there are balances apart, or some that were."""
    if links.apart(tx, spoke.id, Kind.INVOICE.value, before=began, limit=1):
        return True
    return any(one.code == UNEXPLAINED for one in attention.find(tx, tenant=spoke.tenant, connection=spoke.id))


# --- money ------------------------------------------------------------------------------------------------------------


def book(tx: Tx, spoke: Spoke, payment: Payment, record: Record, arrival: Arrival) -> Document:
    """Keep a payment or refund as the ledger has it. A refund that names an invoice takes back a payment of it: the one
    that it fits, as a reversal of that; where none or several do, it is money that went back, and the invoice is owed
    again.
    """
    named = [documents.get(tx, spoke.tenant, one.document.document_id or "") for one in payment.allocations]
    invoices = [one for one in named if one.kind == "invoice"]
    if payment.kind == "refund" and invoices:
        taken = _taken_back(tx, spoke, payment, record, invoices[0])
        if taken is not None:
            said = Reversal(source_id=record.id, of="payment", of_id=taken.source_id or taken.id, date=payment.date)
            return _reversed(tx, spoke, said, taken, arrival.id)
        return _paid_back(tx, spoke, payment, invoices[0], arrival.id)
    made, _ = settle(tx, spoke.tenant, spoke.id, payment, arrival=arrival.id, booked=True)
    _name(tx, made, invoices)
    return made


def _name(tx: Tx, fact: Document, invoices: list[Document]) -> None:
    for invoice in invoices:
        documents.relate(tx, tenant=fact.tenant, document=fact.id, kind=NAMES, other=invoice.id)


def _taken_back(tx: Tx, spoke: Spoke, refund: Payment, record: Record, invoice: Document) -> Document | None:
    """The payment of exactly this amount that came before it and settles this invoice alone, if there is only one."""
    found = []
    for tie in ties.of(tx, invoice):
        fact = tie.fact
        there = [link.vendor_id for link in links.all_of(tx, fact.id) if link.connection == spoke.id]
        if fact.kind != "payment" or tie.opens or fact.payable != refund.amount or tie.amount != refund.amount:
            continue
        if len(there) == 1 and (len(there[0]), there[0]) < (len(record.id), record.id):
            found.append(fact)
    return found[0] if len(found) == 1 else None


def _paid_back(tx: Tx, spoke: Spoke, payment: Payment, invoice: Document, arrival: str | None) -> Document:
    """Money of an invoice that went back to the customer: so much of the invoice is open again."""
    made = documents.insert(
        tx,
        tenant=spoke.tenant,
        kind="payment",
        business_key=payment_key(spoke.id, payment),
        body=stored(payment),
        state="booked",
        source=spoke.id,
        source_id=payment.source_id,
        direction=payment.direction,
        issue_date=payment.date,
        currency=payment.currency,
        payable=payment.amount,
        open_amount=_ZERO,
        arrival=arrival,
    )
    if payment.customer:
        customer = customer_for(tx, spoke.tenant, payment.customer)
        documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=CUSTOMER, other=customer.id)
    amount = payment.amount
    documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=REVERSAL, other=invoice.id, amount=amount)
    invoice = refreshed(tx, invoice)
    data = told(invoice, payment=made.id, source=spoke.id, date=payment.date, amount=amount)
    tx.emit(spoke.tenant, "payment.refunded", document=invoice.id, data=data)
    rejoin(tx, spoke, invoice.id, payment.date)
    return made


def shown_again(tx: Tx, spoke: Spoke, document: Document, record: Record) -> None:
    """A fact that is known, in a newer version: what it is stays; what it settles is what the books match now."""
    if document.kind not in FACTS or document.state == "reversed":
        return
    if len(linked(tx, document, spoke.id)) == 1:
        unmatched(tx, spoke, document, record.match, tx.now.date())
    if document.source == OURS:
        return  # made and matched by us: all that the row can tell is whether it is matched
    fields = spoke.mapping[record.kind].into(record.body, Behind(tx, spoke.id))
    document = documents.get(tx, spoke.tenant, document.id)
    for one in fields.get("allocations") or ():
        invoice = documents.peek(tx, spoke.tenant, one["document"].get("document_id", ""))
        if invoice is None or invoice.kind != "invoice":
            continue
        rows = documents.relations(tx, spoke.tenant, document.id)
        if not any(row.document == document.id and row.other == invoice.id for row in rows):
            _name(tx, document, [invoice])
            rejoin(tx, spoke, invoice.id, _day(fields.get("posting_date") or fields.get("date")))
        elif document.source == spoke.id:
            rejoin(tx, spoke, invoice.id, _day(fields.get("posting_date") or fields.get("date")))


def _day(said: object) -> date:
    return said if isinstance(said, date) else date.fromisoformat(str(said))


# --- settlements ------------------------------------------------------------------------------------------------------


def new_settlement(tx: Tx, spoke: Spoke, record: Record, arrival: Arrival) -> str:
    """A row that lowers what a customer owes, without money: which kind it is says the mapping's table of accounts.

    Raises:
        Later: a settlement of ours that is under way could be this one.
        Stop: the table does not know the account (`settlement-unexplained`).
    """
    customer = links.by_vendor_id(tx, spoke.id, CUSTOMER, record.customer) if record.customer else None
    if customer is not None and own_row_under_way(tx, spoke, customer.document):
        raise Later("a settlement of ours that is under way could explain this", after=1.0)
    try:
        fields = spoke.mapping[Kind.SETTLEMENT].into(record.body, Behind(tx, spoke.id, arrival))
    except ConnectorError as error:
        if error.code != "code-not-in-table":
            raise
        raise Stop(
            f"A row on a customer's account in {spoke.name} lowers what is owed, and nothing says what it is:"
            f" {error.said}",
            code="settlement-unexplained",
            do="Say in the mapping's table `settlement-by-account` what such rows are, then retry; or reverse it in the"
            " ledger and book it as what it is, then cancel this.",
            where={"vendor_id": record.id, "connection": spoke.id},
        ) from None
    settlement = Settlement.model_validate({"currency": "NOK", **fields, "source_id": record.id})
    made, _ = apply(tx, spoke.tenant, spoke.id, settlement, arrival=arrival.id, booked=True)
    _name(tx, made, [
        documents.get(tx, spoke.tenant, one.document.document_id or "") for one in settlement.allocations
    ])  # fmt: skip
    keep_link(tx, spoke, Kind.SETTLEMENT.value, made, settlement.model_dump(), record, {})
    return made.id


# --- what is taken back -----------------------------------------------------------------------------------------------


def new_reversal(tx: Tx, spoke: Spoke, record: Record, arrival: Arrival) -> str | None:
    """A row that takes another back. Where a reversal of ours is what it shows, it is linked to that.

    Raises:
        Later: what it takes back has come and is not handled yet, or our own reversal is under way.
        Stop: it takes back what was issued elsewhere (`document-reversed`).
    """
    fields = spoke.mapping[Kind.REVERSAL].into(record.body, Behind(tx, spoke.id, arrival))
    link = _link_of(tx, spoke, str(fields["of_id"]))
    if link is None:
        _no_document(tx, spoke, str(fields["of_id"]))
        _not_under_way(tx, spoke, str(fields["of_id"]), arrival)
        # Neither it nor what it takes back has ever counted here: together they come to nothing.
        return None
    fact = documents.get(tx, spoke.tenant, link.document)
    if fact.kind == Kind.REVERSAL.value:
        return _again(tx, spoke, record, fact, Reversal.model_validate({**fields, "of": "payment"}), arrival).id
    part = link_kind(Kind.REVERSAL.value, linked(tx, fact, spoke.id).index(link.kind))
    before = next(
        (row.document for row in documents.relations(tx, spoke.tenant, fact.id)
         if row.kind == REVERSES and row.other == fact.id), None
    )  # fmt: skip
    if before is not None:
        if effects.could_explain(tx, spoke, Kind.REVERSAL.value, frozenset({before})):
            raise Later("a reversal of ours that is under way could explain this", after=1.0)
        made = documents.get(tx, spoke.tenant, before)
        if links.of(tx, made.id, spoke.id, Kind.PAYMENT.value) is not None:
            # A negative payment has taken it back before: that stays, and this is money that goes back once more.
            return _once_more(tx, spoke, record, made, Reversal.model_validate({**fields, "of": "payment"}), arrival).id
    else:
        said = {**fields, "of": fact.kind, "of_id": fact.source_id or fact.id, "source_id": record.id}
        whole = len(linked(tx, fact, spoke.id)) == 1
        take = _reversed if whole else partial(_part_reversed, number=linked(tx, fact, spoke.id).index(link.kind))
        made = take(tx, spoke, Reversal.model_validate(said), fact, arrival.id)
    if links.of(tx, made.id, spoke.id, part) is None:
        keep_link(tx, spoke, Kind.REVERSAL.value, made, made.body, record, {}, part=part)
    return made.id


def _once_more(tx: Tx, spoke: Spoke, record: Record, before: Document, said: Reversal, arrival: Arrival) -> Document:
    opened = [row.other for row in documents.relations(tx, spoke.tenant, before.id)
              if row.document == before.id and row.kind == REVERSAL]  # fmt: skip
    refund = Payment(
        source_id=record.id,
        kind="refund",
        direction="out",
        date=said.date,
        amount=before.payable or _ZERO,
        currency=before.currency or "NOK",
        customer=_customer(tx, before),
        text=said.text,
    )
    if opened:
        made = _paid_back(tx, spoke, refund, documents.get(tx, spoke.tenant, opened[0]), arrival.id)
    else:
        made, _ = settle(tx, spoke.tenant, spoke.id, refund, arrival=arrival.id, booked=True)
    keep_link(tx, spoke, Kind.REVERSAL.value, made, said.model_dump(), record, {})
    return made


def _customer(tx: Tx, document: Document) -> DocumentKey | None:
    customer = customer_of(tx, document)
    return DocumentKey(document_id=customer) if customer else None


def _again(tx: Tx, spoke: Spoke, record: Record, reversal: Document, said: Reversal, arrival: Arrival) -> Document:
    """The ledger has taken back what had taken a payment back: the money counts again, as a payment by this row."""
    opened = [row.other for row in documents.relations(tx, spoke.tenant, reversal.id)
              if row.document == reversal.id and row.kind == REVERSAL]  # fmt: skip
    invoices = [one for id in opened if (one := documents.get(tx, spoke.tenant, id)).kind == "invoice"]
    amount = reversal.payable or _ZERO
    payment = Payment(
        source_id=record.id,
        direction="in",
        date=said.date,
        amount=amount,
        currency=reversal.currency or "NOK",
        text=said.text,
        customer=_customer(tx, reversal),
        allocations=tuple(Allocation(document=DocumentKey(document_id=one.id), amount=amount) for one in invoices[:1]),
    )
    made, _ = settle(tx, spoke.tenant, spoke.id, payment, arrival=arrival.id, booked=True)
    _name(tx, made, invoices[:1])
    keep_link(tx, spoke, Kind.REVERSAL.value, made, said.model_dump(), record, {})
    return made


def take_back(tx: Tx, spoke: Spoke, reversal: Reversal, fact: Document) -> Document:
    """As `_reversed`, for a row that is in the books no more."""
    return _reversed(tx, spoke, reversal, fact, None)


def _reversed(tx: Tx, spoke: Spoke, reversal: Reversal, fact: Document, arrival: str | None) -> Document:
    """The ledger has taken a fact back: what has used its credit is released, what it had closed is open again and
    takes what else the books have for it.
    """
    loosen(tx, spoke, fact, reversal.date)
    fact = documents.get(tx, spoke.tenant, fact.id)
    made, opened = reverse(tx, spoke.tenant, spoke.id, reversal, fact, arrival=arrival)
    for document in opened:
        rejoin(tx, spoke, document.id, reversal.date)
    return made


def loosen(tx: Tx, spoke: Spoke, fact: Document, day: date, *, only_theirs: bool = False) -> None:
    """Have nothing stand in the way of taking a fact back: what uses its credit is released, what closes what it had
    opened makes room. `only_theirs`: what programs have posted is not released.
    """
    for tie in ties.of(tx, fact):
        if only_theirs and tie.fact.source in (SOURCE, "connector") and tie.fact.id != fact.id:
            continue
        if tie.whole:
            apart(tx, spoke, tie.fact.id, day)
        elif tie.other == fact.id and tie.fact.open_amount is not None:
            ties.release(tx, spoke.id, tie, tie.amount, day)
        elif tie.opens:
            free(tx, spoke, documents.get(tx, spoke.tenant, tie.other), tie.amount, day)


def _part_reversed(
    tx: Tx, spoke: Spoke, reversal: Reversal, fact: Document, arrival: str | None, *, number: int
) -> Document:
    """The ledger has taken back one of the rows that a payment is there."""
    part, day = parts(tx, fact)[number], reversal.date
    tied = sum((tie.amount for tie in ties.own(tx, fact) if tie.other == part.related.get("invoice")), _ZERO)
    free(tx, spoke, fact, part.model.amount - min(tied, part.model.amount), day)
    made = reverse_part(tx, spoke.id, reversal, documents.get(tx, fact.tenant, fact.id), number, arrival=arrival)
    if "invoice" in part.related:
        rejoin(tx, spoke, part.related["invoice"], day)
    return made


def _link_of(tx: Tx, spoke: Spoke, vendor_id: str) -> Link | None:
    for kind in FACTS:
        link = links.part(tx, spoke.id, kind, vendor_id) or links.by_vendor_id(tx, spoke.id, kind, vendor_id)
        if link is not None:
            return link
    return None


def told_apart(tx: Tx, spoke: Spoke, rows: Sequence[Matched], day: date) -> None:
    """Where the ledger matches a payment without the negative payment that took it back here, or that one alone, the
    one did not take back the other: the payment counts again, and the money went back by itself.
    """
    ids = {row.id for row in rows if row.kind is None}
    for id in ids:
        link = links.by_vendor_id(tx, spoke.id, Kind.PAYMENT.value, id)
        if link is None or links.part(tx, spoke.id, Kind.PAYMENT.value, id) is not None:
            continue
        document = documents.get(tx, spoke.tenant, link.document)
        related = documents.relations(tx, spoke.tenant, document.id)
        pair = next((row for row in related if row.kind == REVERSES), None)
        if pair is None:
            continue
        back, paid = (links.of(tx, one, spoke.id, Kind.PAYMENT.value) for one in (pair.document, pair.other))
        if back is None or paid is None or {back.vendor_id, paid.vendor_id} <= ids:
            continue
        _tell_apart(tx, spoke, back, paid, day)


def _tell_apart(tx: Tx, spoke: Spoke, back: Link, paid: Link, day: date) -> None:
    reversal, fact = (documents.get(tx, spoke.tenant, one.document) for one in (back, paid))
    opened = [row.other for row in documents.relations(tx, spoke.tenant, reversal.id)
              if row.document == reversal.id and row.kind == REVERSAL]  # fmt: skip
    common = {"date": day, "amount": fact.payable, "currency": fact.currency, "customer": _customer(tx, fact)}
    key = tuple(Allocation(document=DocumentKey(document_id=one), amount=fact.payable or _ZERO) for one in opened[:1])
    again = {"source_id": f"{paid.vendor_id}/again", "direction": "in", "allocations": key}
    made, _ = settle(tx, spoke.tenant, spoke.id, Payment.model_validate(common | again), booked=True)
    invoices = [documents.get(tx, spoke.tenant, one) for one in opened[:1]]
    _name(tx, made, invoices)
    refund = {"source_id": f"{back.vendor_id}/again", "direction": "out", "kind": "refund"}
    model = Payment.model_validate(common | refund)
    if invoices:
        gone = _paid_back(tx, spoke, model, documents.get(tx, spoke.tenant, invoices[0].id), None)
    else:
        gone, _ = settle(tx, spoke.tenant, spoke.id, model, booked=True)
    for document, link in ((made, paid), (gone, back)):
        links.put(
            tx,
            tenant=spoke.tenant,
            document=document.id,
            connection=spoke.id,
            kind="payment:again",
            vendor_id=link.vendor_id,
        )


def _no_document(tx: Tx, spoke: Spoke, vendor_id: str) -> None:
    """Raises `Stop` where what is taken back is an invoice or credit note: such documents are credited."""
    for kind in EXTERNAL:
        link = links.by_vendor_id(tx, spoke.id, kind, vendor_id)
        if link is not None:
            document = documents.get(tx, spoke.tenant, link.document)
            raise Stop(
                f"The voucher of {document.kind.replace('_', ' ')} {document.number} is reversed in {spoke.name}; here"
                " the document still counts.",
                code="document-reversed",
                do="Credit it from its source, or book it again in the ledger; then cancel this.",
                where={"document": document.id, "connection": spoke.id, "vendor_id": vendor_id},
            )


def _not_under_way(tx: Tx, spoke: Spoke, vendor_id: str, arrival: Arrival) -> None:
    for kind in FACTS:
        if arrivals.of_subject(tx, spoke.tenant, f"{spoke.id}/{kind}/{vendor_id}"):
            raise Later("what it takes back has not been taken in yet", after=None)
        if effects.could_explain(tx, spoke, kind):
            raise Later("what it takes back could be a payment of ours that is under way", after=1.0)
