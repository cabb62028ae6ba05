"""What a system showed becomes knowledge: arrivals of records, matched, reconciled, or made into documents.

A record without a link is first held against our own pushes under way: while one could explain it, it waits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from connector.errors import ConnectorError, Stop
from connector.lanes import Later
from connector.mapping import Tenant
from connector.model import CreditNote, Customer, Invoice, Party, Payment, completed
from connector.ports import Kind, Record
from connector.store import Tx, documents, links
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import (
    arriving,
    carrying,
    closing_records,
    differences,
    dispatched,
    effects,
    matching,
    registers,
    vanished,
)
from connector.sync.arriving import RECORD
from connector.sync.bank_money import matched
from connector.sync.canonical import IMMUTABLE, model_of, policy_of, shown, stored, view_of
from connector.sync.credits import CREDITS, booked, invoice_of, notes_of
from connector.sync.external import EXTERNAL, EXTERNAL_INVOICE
from connector.sync.first_sync import following
from connector.sync.identity import REGISTERS
from connector.sync.keeping import keep_link, with_body
from connector.sync.ledger_facts import Behind, ask_reading, book, new_reversal, new_settlement, shown_again
from connector.sync.matches import come_to_rest, rejoin, unmatched
from connector.sync.money import CUSTOMER, allocated
from connector.sync.parts import linked, parts
from connector.sync.purchases import known_supplier_invoice, new_supplier_invoice
from connector.sync.push import MONEY, over
from connector.sync.reconcile import Base, reconcile
from connector.sync.settlements import push_settlements
from connector.sync.spokes import LEFT, Linked, Spoke, Spokes


def take_record(tx: Tx, arrival: Arrival, spokes: Spokes) -> str | None:
    """A vendor's record, new or changed; what belongs to something that a person left out is left out, too."""
    try:
        return _take_record(tx, arrival, spokes)
    except Stop as stop:
        if stop.code != LEFT:
            raise
        return None


def _take_record(tx: Tx, arrival: Arrival, spokes: Spokes) -> str | None:
    spoke = spokes.spoke(arrival.source)
    kind = arrival.kind.removeprefix(RECORD)
    record = arriving.shown(arrival.body, kind)
    link = links.by_vendor_id(tx, spoke.id, kind, record.id)
    if link is None and kind in (Kind.PAYMENT.value, Kind.REVERSAL.value):
        link = links.part(tx, spoke.id, kind, record.id)
    if link is None and kind in REGISTERS and (second := links.part(tx, spoke.id, kind, record.id)) is not None:
        links.change(tx, second, vendor_version=record.version)
        return second.document
    said = following.decided(tx, spoke, record) if link is None else None
    if said is not None and said.action != "create":
        return following.follow(tx, spokes, spoke, record, said)
    if said is not None:
        following.created(tx, said)
        if kind in REGISTERS:
            return matching.taken_over(tx, spokes, spoke, record, arrival.id)
    if kind in REGISTERS and link is None:
        return matching.found(tx, spokes, spoke, record, arrival.id)
    if kind == Kind.SUPPLIER_INVOICE.value and link is None:
        return new_supplier_invoice(tx, spoke, record, arrival, spokes.tenant(spoke.tenant))
    if kind == Kind.SETTLEMENT.value and link is None and spoke.elsewhere:
        for form in EXTERNAL:  # booked there by hand, and a person has said which document it is
            if (ours := links.by_vendor_id(tx, spoke.id, form, record.id)) is not None:
                return ours.document
    document: str | None
    if link is not None:
        document = _known(tx, spokes, spoke, kind, dispatched.note(tx, spoke, link, record), record)
    elif kind == Kind.PAYMENT.value:
        document = _new_payment(tx, spoke, record, arrival, spokes)
    elif kind in _FACTS:
        document = _FACTS[kind](tx, spoke, record, arrival)
        if kind == Kind.REVERSAL.value and document is not None:
            carrying.tell(tx, spokes, spoke, documents.get(tx, spoke.tenant, document))
    else:
        document = _ISSUED[kind](tx, spoke, record, arrival, _seller(spokes.tenant(spoke.tenant)))
        carrying.carry(tx, spokes, spoke, document)
    come_to_rest(tx, spoke, tx.now.date())
    still = record.open_amount
    here = documents.get(tx, spoke.tenant, document).open_amount if document and still is not None else None
    if still is not None and here is not None and here != max(still, Decimal(0)):
        ask_reading(tx, spoke)
    return document


# --- a record we know -------------------------------------------------------------------------------------------------


def _known(tx: Tx, spokes: Spokes, spoke: Spoke, kind: str, link: Link, record: Record) -> str:
    """Compare each side with its own half of the base, and do what follows."""
    document = documents.get(tx, spoke.tenant, link.document)
    if kind == Kind.SUPPLIER_INVOICE.value:
        return known_supplier_invoice(tx, spoke, document, link, record)
    if kind in MONEY:
        # What a row settles may come to it later, or be undone. The row itself is a fact and stays.
        shown_again(tx, spoke, document, record)
        _seen_only(tx, link, record)
        return document.id
    if link.state == vanished.VANISHED:
        vanished.back(tx, spoke, link)
    mapper = spoke.mapping[kind]
    context = Linked(tx, spoke.id, {})
    theirs = shown(mapper, record.body, context)
    seen = shown(mapper, link.base_seen, context) if link.base_seen else theirs
    if kind == Kind.CREDIT_NOTE.value:
        unmatched(tx, spoke, document, record.match, tx.now.date())
        document = documents.get(tx, spoke.tenant, link.document)
    if kind in IMMUTABLE and theirs == seen:
        # Nothing that is carried has changed there (most often an amount is less open), and nothing is ever pushed.
        _seen_only(tx, link, record)
        return link.document
    if kind in REGISTERS and link.base_seen is None:  # a person has said that it is this one
        matching.joined(tx, spokes, spoke, document, record)
        return document.id
    canonical = model_of(kind, document.body).model_dump()
    if kind in REGISTERS:
        # What was empty here and did not show there was empty there, too: what shows there now has been filled in.
        seen = {path: None for path, value in (link.base_sent or {}).items() if value is None} | seen
    base = Base(sent=link.base_sent or {}, seen=seen)
    decision = reconcile(base, view_of(mapper, canonical), theirs, policy_of(mapper, issued=kind in IMMUTABLE))
    if kind in REGISTERS:
        decision = closing_records.closed_there(tx, spoke, document, decision)
    if decision.take:
        canonical = mapper.merge(canonical, decision.take)
        read_by = {"mapping_version": mapper.version} if document.source == spoke.id else {}
        document, canonical = with_body(tx, document, kind, canonical, state=document.state, **read_by)
        tx.emit(
            spoke.tenant,
            f"{kind}.changed",
            document=document.id,
            connection=spoke.id,
            data={"connection": spoke.name, "fields": sorted(decision.take), **differences.changed_by(record)},
        )
    if decision.drift or decision.conflicts:
        differences.tell(tx, spoke, document, decision, record)
    elif link.state == "conflict":
        differences.alike(tx, spoke, document)
    if decision.conflicts:
        # Both values stay as they are until a person has chosen: the base keeps saying what was last agreed.
        links.change(tx, link, state="conflict", base_seen=link.base_seen or record.body, shown_open=record.open_amount)
    elif decision.push:
        _seen_only(tx, link, record)
    else:
        sent = view_of(mapper, canonical)
        links.change(
            tx,
            link,
            vendor_version=record.version,
            base_sent=sent,
            base_seen=record.body,
            shown_open=record.open_amount,
            read_by=mapper.version,
        )
    if kind == Kind.CREDIT_NOTE.value:
        booked(tx, spoke, document, first=False)
        credited = invoice_of(tx, document)
        if credited is not None:
            rejoin(tx, spoke, credited, tx.now.date())
    if decision.push and kind not in IMMUTABLE:
        effects.push(tx, spoke, kind, document.id)
    if kind in REGISTERS:
        if decision.take:
            registers.spread(tx, spokes, document, but=spoke)
        if not decision.conflicts:
            over(tx, document, {"vendor_id": link.vendor_id})
    return document.id


def _seen_only(tx: Tx, link: Link, record: Record) -> None:
    """Note what the vendor shows; what we hold was known, or is still to be pushed."""
    links.change(tx, link, vendor_version=record.version, base_seen=record.body, shown_open=record.open_amount)


# --- a record we have no link for -------------------------------------------------------------------------------------


def _hold(pushes: list[Any], what: str) -> None:
    if pushes:
        raise Later(f"a push of ours that is under way could explain this {what} ({pushes[0].id})", after=1.0)


def _seller(tenant: Tenant) -> Party:
    """Whose books these are: the seller of what is issued in them."""
    if tenant.organisation_number is None:
        return Party(name=tenant.title)
    return Party.norwegian(tenant.organisation_number, tenant.title)


def _new_invoice(tx: Tx, spoke: Spoke, record: Record, arrival: Arrival, seller: Party) -> str:
    """An invoice issued inside the system: mirrored as it is, never sent again by us."""
    _hold(effects.explaining(tx, effects.could_explain(tx, spoke, "invoice"), record.id), "invoice")
    behind = _Behind(tx, spoke, arrival)
    fields = {"seller": seller, "buyer": {}, **spoke.mapping["invoice"].into(record.body, behind)}
    return _mirrored(tx, spoke, record, arrival, Invoice, fields, behind).id


def _new_credit_note(tx: Tx, spoke: Spoke, record: Record, arrival: Arrival, seller: Party) -> str:
    """A credit note issued inside the system: mirrored, and what is applied of it lowers its invoice.

    Raises:
        Later: its invoice has not been read yet, or a credit note of ours that is under way could be this one.
        Stop: the invoice has not been read for an hour (`credited-invoice-unknown`).
    """
    behind = _Behind(tx, spoke, arrival)
    try:
        fields = {"seller": seller, "buyer": {}, **spoke.mapping["credit_note"].into(record.body, behind)}
    except Later as later:
        if tx.now - arrival.received < _PATIENCE:
            raise
        raise Stop(
            f"A credit note in {spoke.name} ({record.id}) credits an invoice that has not been read: {later.reason}.",
            code="credited-invoice-unknown",
            do="Have everything read (`connector sync`), then retry; or cancel this where the invoice is older than"
            " what is read.",
            where={"connection": spoke.id, "vendor_id": record.id},
        ) from None
    preceding = fields.get("preceding_invoices") or ()
    invoice = documents.get(tx, spoke.tenant, preceding[0]["document_id"]) if preceding else None
    if invoice is not None:
        ours = [one.id for one in notes_of(tx, invoice) if links.of(tx, one.id, spoke.id, "credit_note") is None]
        pushes = effects.could_explain(tx, spoke, "credit_note", frozenset(ours))
        _hold(effects.explaining(tx, pushes, record.id), "credit note")
    made = _mirrored(tx, spoke, record, arrival, CreditNote, fields, behind)
    if invoice is None:
        return made.id
    documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=CREDITS, other=invoice.id)
    return booked(tx, spoke, made, first=True).id


_PATIENCE = timedelta(hours=1)


def _mirrored(
    tx: Tx,
    spoke: Spoke,
    record: Record,
    arrival: Arrival,
    model: type[Invoice],
    fields: dict[str, Any],
    behind: _Behind,
) -> Document:
    """A document that was issued in the system, with its link and event."""
    invoice = completed(model.model_validate({"currency": "NOK", "source_id": f"{spoke.name}/{record.id}", **fields}))
    kind, totals = record.kind.value, invoice.totals
    made = documents.insert(
        tx,
        tenant=spoke.tenant,
        kind=kind,
        business_key=f"{spoke.id}/{record.id}",
        body=stored(invoice),
        state="issued",
        source=spoke.id,
        direction="outgoing",
        number=invoice.number,
        kid=invoice.payment_id,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        currency=invoice.currency,
        payable=totals.payable if totals else None,
        open_amount=totals.payable if totals else None,
        counterparty_name=invoice.buyer.name,
        counterparty_number=invoice.buyer.organisation_number,
        arrival=arrival.id,
    )
    if behind.customer is not None:
        documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=CUSTOMER, other=behind.customer)
    keep_link(tx, spoke, kind, made, invoice.model_dump(), record, {"number": invoice.number})
    tx.emit(
        spoke.tenant,
        f"{kind}.found",
        document=made.id,
        connection=spoke.id,
        data={"connection": spoke.name, "number": invoice.number},
    )
    return made


def _new_payment(tx: Tx, spoke: Spoke, record: Record, arrival: Arrival, spokes: Spokes) -> str:
    """Money on a customer's account in the system's books: one row, one payment or refund."""
    mapper = spoke.mapping["payment"]
    try:
        fields = mapper.into(record.body, Behind(tx, spoke.id, arrival))
    except Stop as stop:
        if stop.code == "link-missing":  # of an invoice that we are booking there in this very moment
            _hold(effects.could_explain(tx, spoke, EXTERNAL_INVOICE), "payment's invoice")
        raise
    payment = allocated(Payment.model_validate({"direction": "in", **fields, "source_id": record.id}))
    ours = _unlinked_payments(tx, spoke, payment)
    if ours:
        _hold(effects.could_explain(tx, spoke, "payment", frozenset(ours)), "payment")
    there = matched(tx, spokes, spoke, payment, record, arrival)
    if there is not None:
        return there
    made = book(tx, spoke, payment, record, arrival)
    keep_link(tx, spoke, "payment", made, payment.model_dump(), record, {})
    for one in payment.allocations if payment.kind == "payment" else ():
        push_settlements(tx, spoke, one.document.document_id or "")
    carrying.tell(tx, spokes, spoke, made)
    return made.id


def _unlinked_payments(tx: Tx, spoke: Spoke, payment: Payment) -> list[str]:
    """Payments of these invoices that are not in this system yet; of a row that names none, of this customer."""
    settled = {one.document.document_id or "" for one in payment.allocations}
    about = settled or ({payment.customer.document_id or ""} if payment.customer else set())
    found = []
    for document in about - {""}:
        for relation in documents.relations(tx, spoke.tenant, document):
            if relation.other == document and relation.kind in ("allocation", CUSTOMER):
                one = documents.peek(tx, spoke.tenant, relation.document)
                if one and one.kind == "payment" and len(linked(tx, one, spoke.id)) < len(parts(tx, one)):
                    found.append(one.id)
    return found


class _Behind(Linked):
    """For an invoice made in the system: the buyer is the customer we know under the vendor's id."""

    def __init__(self, tx: Tx, spoke: Spoke, arrival: Arrival) -> None:
        super().__init__(tx, spoke.id, {})
        self.spoke = spoke
        self.patient = tx.now - arrival.received < _PATIENCE
        self.customer: str | None = None

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """The party behind a customer's id; it waits where the customer has not been read yet."""
        try:
            known = super().our_id(kind, vendor_id)
        except ConnectorError as error:
            if error.code == LEFT:
                raise
            raise Later(error.said, after=2.0) from None
        if known is None and self.patient and kind in self.spoke.mapping:
            raise Later(f"the {kind} {vendor_id} has not been read yet", after=2.0)
        if kind != Kind.CUSTOMER.value:
            return known
        self.customer = str(known["document_id"])
        customer = Customer.model_validate(documents.get(self.tx, self.spoke.tenant, self.customer).body)
        return customer.party.model_dump()


_FACTS: dict[str, Callable[[Tx, Spoke, Record, Arrival], str | None]] = {
    "settlement": new_settlement,
    "reversal": new_reversal,
}
_ISSUED = {"invoice": _new_invoice, "credit_note": _new_credit_note}
