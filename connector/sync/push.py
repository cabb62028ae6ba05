"""Bring a document to a system: decide what is to be done, have the adapter's steps done, keep what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from connector.errors import Stop
from connector.lanes import Nothing, Work, following
from connector.model import Customer, Invoice, Supplier
from connector.ports import Goal, Issued, Kind, Operation, Proof, Record, Step, Totals
from connector.store import Store, Tx, documents, links
from connector.store.documents import Document
from connector.sync import dispatched, keys
from connector.sync.canonical import IMMUTABLE, Model, model_of, policy_of, stored, view_of
from connector.sync.credits import CREDITS, booked
from connector.sync.effects import PUSH
from connector.sync.external import (
    EXTERNAL,
    EXTERNAL_CREDIT_NOTE,
    EXTERNAL_INVOICE,
    elsewhere,
    formed,
    paper,
    registers,
)
from connector.sync.files import WITH_FILES, embedded, files_of
from connector.sync.money import CLOSED
from connector.sync.parts import fact_of, link_kind, linked, parts
from connector.sync.payables import follow, voucher_of
from connector.sync.reconcile import Base, reconcile
from connector.sync.settlements import beside, others_matched, unmatched
from connector.sync.spokes import Linked, Spoke, Spokes, check_can


class Push:
    """The handler of all pushes (`lanes.EffectHandler`)."""

    def __init__(self, store: Store, spokes: Spokes) -> None:
        self.store = store
        self.spokes = spokes

    async def decide(self, work: Work) -> Goal | Nothing:
        """What shall be true there, from the document and the link as they are now."""
        return await self.store.read(lambda tx: self._decide(tx, work))

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        """The adapter's steps. The files that go along are not stored with the goal: they are given here."""
        if goal.kind.value in EXTERNAL:
            goal = replace(goal, paper=partial(paper, self.store, work.tenant, work.document or ""))
        if goal.operation == "create" and goal.kind in WITH_FILES and not goal.files and _may_have(goal, work):
            goal = replace(goal, files=await files_of(self.store, goal.kind, work.tenant, work.document or ""))
        return self.spokes.spoke(work.connection or "").accounting.flow(goal)

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        """Keep the link with both halves of the base, and what the system alone could say (number, KID …)."""
        spoke = self.spokes.spoke(work.connection or "")
        kind = work.kind.removeprefix(PUSH)
        document = documents.get(tx, work.tenant, work.document or "")
        proof = next((one for one in reversed(list(proofs.values())) if one.record is not None), None)
        if proof is None or proof.record is None:
            raise Stop("The system showed nothing of what was made.", code="nothing-read-back")
        facts: dict[str, Any] = {}
        for one in proofs.values():
            facts.update(one.facts)
        if kind in (*MONEY, Kind.SUPPLIER_INVOICE.value):
            document = changed(tx, document, state=_AFTER[kind])
            fields = behind(tx, spoke, document, _part(work))[0].model_dump()
        else:
            document, fields = self._taken(tx, spoke, kind, document, proof.record)
        part = link_kind(kind, _part(work))
        if kind == Kind.SUPPLIER_INVOICE.value:
            facts |= voucher_of(proof.record)
        keep_link(tx, spoke, kind, document, fields, proof.record, facts, part=part)
        if kind == Kind.SUPPLIER_INVOICE.value:
            document = follow(tx, spoke, document, proof.record)
        if document.kind == Kind.CREDIT_NOTE.value:
            document = booked(tx, spoke, document, first=True)
        if kind == Kind.SETTLEMENT.value and facts.get("matched"):
            others_matched(tx, spoke, document)
        told = _told(document, spoke, proof.record, facts)
        if work.goal is None or work.goal.operation == "create" or facts.get("matched"):
            event = "settlement.matched" if facts.get("matched") else _EVENTS[kind]
            tx.emit(work.tenant, event, document=document.id, connection=spoke.id, data=told)
        # The command that asked for this ends with the last push of the document.
        following.done(tx, work, {"document": document.id, **told})

    def _decide(self, tx: Tx, work: Work) -> Goal | Nothing:
        spoke = self.spokes.spoke(work.connection or "")
        kind = work.kind.removeprefix(PUSH)
        document = documents.get(tx, work.tenant, work.document or "")
        mapper = spoke.mapping[kind]
        number = _part(work)
        link = links.of(tx, document.id, spoke.id, link_kind(kind, number))
        model, context = behind(tx, spoke, document, number)
        canonical = model.model_dump()
        if link is None:
            how = operation(spoke, document)
            if how == "create" and kind not in EXTERNAL:
                _issued_once(model, spoke)
            check_can(spoke, kind, how)
            marker = keys.marker(document.id, spoke.id, f"create {number}" if number else "create")
            issued = Issued(document.number or "", document.kid) if how == "register" else None
            near = beside(tx, spoke, document) if kind == Kind.SETTLEMENT.value else ()
            files = embedded(model) if kind == Kind.INVOICE.value and isinstance(model, Invoice) else ()
            record = mapper.out(canonical, context)
            return Goal(Kind(kind), how, marker, record, _totals(model), issued=issued, beside=near, files=files)
        if kind == Kind.SETTLEMENT.value and unmatched(tx, spoke, document.id):
            marker = keys.marker(document.id, spoke.id, f"match {work.id}")
            near = beside(tx, spoke, document)
            record = mapper.out(canonical, context)
            return Goal(Kind(kind), "update", marker, record, target=link.vendor_id, beside=near)
        if kind in IMMUTABLE:
            return Nothing("It is there already.")
        base = Base(sent=link.base_sent or {}, seen={})
        decision = reconcile(base, view_of(mapper, canonical), {}, policy_of(mapper))
        if not decision.push:
            return Nothing("What is there is what is here.")
        check_can(spoke, kind, "update")
        record = mapper.update(canonical, set(decision.push), context)
        marker = keys.marker(document.id, spoke.id, f"update {document.version}")
        return Goal(Kind(kind), "update", marker, record, target=link.vendor_id)

    def _taken(
        self, tx: Tx, spoke: Spoke, kind: str, document: Document, record: Record
    ) -> tuple[Document, dict[str, Any]]:
        """The document with what the system decided (fields it alone says, and those we left empty), and its fields."""
        mapper = spoke.mapping[kind]
        canonical = model_of(kind, document.body).model_dump()
        ours = mapper.view(canonical)
        take = {
            path: value
            for path, value in mapper.view(mapper.into(record.body, Linked(tx, spoke.id, {}))).items()
            if value is not None and (path in mapper.only_in or ours.get(path) in (None, ()))
        }
        if not take:
            return changed(tx, document, state=_AFTER[kind]), canonical
        return with_body(tx, document, kind, mapper.merge(canonical, take), state=_AFTER[kind])


def operation(spoke: Spoke, document: Document) -> Operation:
    """How a document that is not there gets there: made, or entered under the number it was issued with elsewhere."""
    return "register" if document.kind == "invoice" and elsewhere(spoke, document) and registers(spoke) else "create"


def _issued_once(model: Model, spoke: Spoke) -> None:
    """Raises `Stop` (`issued-elsewhere`) for what has a number: a ledger would issue it again under another."""
    if isinstance(model, Invoice) and model.number and model.direction == "outgoing":
        raise Stop(
            f"It was issued elsewhere as {model.number}; {spoke.name} would issue it again, under a number of its own.",
            code="issued-elsewhere",
            do=f"Book it in {spoke.name} by hand and cancel this; or have {spoke.name} issue (`issues` on the route)"
            " what has no number yet.",
            where={"number": model.number},
        )


_EVENTS = {
    "invoice": "invoice.issued",
    "credit_note": "credit_note.issued",
    "customer": "customer.linked",
    "payment": "payment.booked",
    "settlement": "settlement.booked",
    "reversal": "reversal.booked",
    EXTERNAL_INVOICE: "invoice.booked",
    EXTERNAL_CREDIT_NOTE: "credit_note.booked",
    "supplier": "supplier.linked",
    "supplier_invoice": "supplier_invoice.delivered",
}
_AFTER = {
    "invoice": "issued",
    "credit_note": "issued",
    "customer": "known",
    "payment": "booked",
    "settlement": "booked",
    "reversal": "booked",
    EXTERNAL_INVOICE: "issued",
    EXTERNAL_CREDIT_NOTE: "issued",
    "supplier": "known",
    "supplier_invoice": "delivered",
}
MONEY = (Kind.PAYMENT.value, Kind.SETTLEMENT.value, Kind.REVERSAL.value)
"""Facts: what a system shows of them is never taken into them."""


def _may_have(goal: Goal, work: Work) -> bool:
    """Whether a document's files must be looked up: always of an incoming invoice; of an outgoing one the goal that was
    just decided has them, one that was stored has not.
    """
    return goal.kind is Kind.SUPPLIER_INVOICE or work.goal is not None


def _part(work: Work) -> int:
    return int((work.task or {}).get("part", 0))


def behind(tx: Tx, spoke: Spoke, document: Document, part: int = 0) -> tuple[Model, Linked]:
    """What is pushed of a document (of a payment: one part), and what stands behind its references."""
    if document.kind == Kind.PAYMENT.value:
        one = parts(tx, document)[part]
        behind_it, kinds = formed(tx, spoke, one.related), dict(one.links)
        if EXTERNAL_CREDIT_NOTE in behind_it:  # a refund of its credit is matched with its row, as with a payment's
            behind_it["payment"], kinds["payment"] = behind_it.pop(EXTERNAL_CREDIT_NOTE), EXTERNAL_CREDIT_NOTE
        return one.model, Linked(tx, spoke.id, behind_it, kinds)
    model = model_of(document.kind, document.body)
    if document.kind == Kind.SETTLEMENT.value:
        named, kinds = {}, {}
        for row in documents.relations(tx, document.tenant, document.id):
            if row.document == document.id:
                other = documents.get(tx, document.tenant, row.other)
                named[other.kind] = other.id
                if other.kind == Kind.PAYMENT.value:  # credit is what is left of a payment: its last part
                    kinds[other.kind] = parts(tx, other)[-1].link
        return model, Linked(tx, spoke.id, named, kinds)
    if document.kind == Kind.REVERSAL.value:
        fact = fact_of(tx, document)
        there = linked(tx, fact, spoke.id)
        kinds = {Kind.PAYMENT.value: there[part]} if part < len(there) else {}
        return model, Linked(tx, spoke.id, {Kind.PAYMENT.value: fact.id}, kinds)
    return model, Linked(tx, spoke.id, formed(tx, spoke, related(tx, document)))


def keep_link(
    tx: Tx,
    spoke: Spoke,
    kind: str,
    document: Document,
    fields: Mapping[str, Any],
    record: Record,
    facts: Mapping[str, Any],
    *,
    part: str | None = None,
) -> None:
    """Note what the document (with these canonical fields) is called there, what we hold of it now, and what the system
    shows of it now. `part`: the kind of the link, where the record is a part of the document.
    """
    link = links.put(
        tx,
        tenant=spoke.tenant,
        document=document.id,
        connection=spoke.id,
        kind=part or kind,
        vendor_id=record.id,
        vendor_version=record.version,
        base_sent=view_of(spoke.mapping[kind], fields),
        base_seen=record.body,
        shown_open=record.open_amount,
        **{name: str(facts[name]) for name in ("number", "series", "voucher", "period") if facts.get(name)},
    )
    dispatched.note(tx, spoke, link, record)


def with_body(
    tx: Tx, document: Document, kind: str, canonical: Mapping[str, Any], **more: Any
) -> tuple[Document, dict[str, Any]]:
    """The document with another content, its plain columns following it; and its canonical fields as they are then."""
    model = model_of(kind, canonical)
    columns: dict[str, Any] = {}
    if isinstance(model, Invoice):
        columns = {
            "number": model.number,
            "kid": model.payment_id,
            "issue_date": model.issue_date,
            "due_date": model.due_date,
        }
    elif isinstance(model, Customer | Supplier):
        columns = {"counterparty_name": model.party.name, "counterparty_number": model.party.organisation_number}
    # The digest stays that of what was posted: the same document sent again is known by it.
    document = changed(tx, document, body=stored(model), digest=document.digest, **columns, **more)
    return document, model.model_dump()


def changed(tx: Tx, document: Document, *, state: str, **changes: Any) -> Document:
    """The document with these changes; a state that says more (paid) is kept."""
    if document.state in (*CLOSED, "reversed"):
        state = document.state
    if not changes and state == document.state:
        return document
    return documents.change(tx, document, state=state, **changes)


def related(tx: Tx, document: Document) -> dict[str, str]:
    """By kind, the documents that this one refers to: its customer, the invoice that it settles or credits."""
    found = {}
    for relation in documents.relations(tx, document.tenant, document.id):
        if relation.document == document.id:
            found["invoice" if relation.kind in ("allocation", CREDITS) else relation.kind] = relation.other
    return found


def _totals(model: Model) -> Totals | None:
    if not isinstance(model, Invoice) or model.totals is None:
        return None
    stated = model.totals
    net, gross = stated.tax_exclusive, stated.tax_inclusive
    if net is None or gross is None:
        return None
    rounding, vat = stated.rounding or Decimal(0), stated.tax_in_accounting_currency
    return Totals(model.currency, net, gross - net, gross, rounding, model.tax_currency, vat)


def _told(document: Document, spoke: Spoke, record: Record, facts: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"connection": spoke.name, "vendor_id": record.id, "number": document.number}
    if document.kind in (Kind.INVOICE.value, Kind.CREDIT_NOTE.value):
        issued = document.issue_date.isoformat() if document.issue_date else None
        said |= {"kid": document.kid, "issue_date": issued, "payable": str(document.payable)}
        said["currency"] = document.currency
    if document.kind in MONEY and document.issue_date:
        said["date"] = document.issue_date.isoformat()  # the bank's, whatever day it is in the books
    for name in ("voucher", "posting_date"):
        if facts.get(name):
            said[name] = str(facts[name])
    for name in ("found", "left_out"):
        if facts.get(name):
            said[name] = facts[name]
    return {name: value for name, value in said.items() if value is not None}
