"""Bring a document to a system: decide what is to be done, have the adapter's steps done, keep what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from connector.errors import ConnectorError, Stop
from connector.lanes import Nothing, Work, following
from connector.model import Invoice
from connector.ports import Goal, Issued, Kind, Proof, Record, Step, Totals
from connector.store import Tx, documents, links, operations
from connector.store import work as works
from connector.store.documents import Document
from connector.sync import identity, keys, linking
from connector.sync.arriving import arrive
from connector.sync.basis import check_planned
from connector.sync.canonical import IMMUTABLE, Model, model_of, policy_of, view_of
from connector.sync.coded import as_carried
from connector.sync.credits import CREDITS, booked
from connector.sync.differences import disputed
from connector.sync.effects import LIVE, PUSH
from connector.sync.external import (
    EXTERNAL,
    EXTERNAL_CREDIT_NOTE,
    EXTERNAL_INVOICE,
    form_of,
    formed,
    operation,
    paper,
)
from connector.sync.files import ISSUED, WITH_FILES, embedded, files_of
from connector.sync.issued import issued
from connector.sync.keeping import changed, keep_link, told, with_body
from connector.sync.left_out import stays_out
from connector.sync.matching import joined
from connector.sync.parts import fact_of, link_kind, linked, parts
from connector.sync.payables import follow, voucher_of, was_there
from connector.sync.reconcile import Base, reconcile
from connector.sync.settlements import beside, others_matched, unmatched
from connector.sync.spokes import REPLACED, Handler, Linked, Spoke, check_can


class Push(Handler):
    """The handler of all pushes (`lanes.EffectHandler`)."""

    async def decide(self, work: Work) -> Goal | Nothing:
        """What shall be true there, from the document and the link as they are now."""
        decision = await self.store.read(lambda tx: self._decide(tx, work))
        if isinstance(decision, Nothing):
            await self.store.write(lambda tx: self._nothing(tx, work))
        return decision

    def answers(self, work: Work) -> Sequence[str]:
        """What was booked there by hand may be linked."""
        try:
            spoke = self.spokes.spoke(work.connection or "")
        except ConnectorError:  # the file has it no longer
            return ()
        return linking.offered(spoke, work)

    def _nothing(self, tx: Tx, work: Work) -> None:
        """What asked for this is over, too."""
        document = documents.get(tx, work.tenant, work.document or "")
        link = links.of(tx, document.id, work.connection or "", work.kind.removeprefix(PUSH))
        over(tx, document, {"vendor_id": link.vendor_id} if link else {}, but=work)

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        """The adapter's steps. The files that go along are not stored with the goal: they are given here."""
        if (named := linking.by_hand(work)) is not None:
            return linking.steps(self.store, self.spokes.spoke(work.connection or ""), work, goal, named)
        if goal.kind.value in EXTERNAL:
            goal = replace(goal, paper=partial(paper, self.store, work.tenant, work.document or ""))
        if goal.operation == "create" and goal.kind in WITH_FILES and not goal.files and _may_have(goal, work):
            goal = replace(goal, files=await files_of(self.store, goal.kind, work.tenant, work.document or ""))
        return self.spoke(work).accounting.flow(goal)

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        """Keep the link with both halves of the base, and what the system alone could say (number, KID …)."""
        spoke = self.spoke(work)
        kind = work.kind.removeprefix(PUSH)
        document = documents.get(tx, work.tenant, work.document or "")
        proofs, by_hand = linking.proof_of(work, proofs), linking.by_hand(work) is not None
        proof = next((one for one in reversed(list(proofs.values())) if one.record is not None), None)
        if proof is None or proof.record is None:
            raise Stop("The system showed nothing of what was made.", code="nothing-read-back")
        facts: dict[str, Any] = {}
        for one in proofs.values():
            facts.update(one.facts)
        if facts.get("moved"):
            # Somebody was there first: what it shows now is reconciled like any other change.
            arrive(tx, spoke, proof.record)
            return
        if by_hand:
            linking.make_room(tx, spoke, kind, document, proof.record)
        if kind == Kind.SUPPLIER_INVOICE.value:
            facts |= voucher_of(proof.record)
        if kind in identity.REGISTERS and facts.get("found"):
            joined(tx, self.spokes, spoke, document, proof.record)
            document = documents.get(tx, work.tenant, document.id)
        else:
            if kind in (*MONEY, Kind.SUPPLIER_INVOICE.value):
                document = changed(tx, document, state=_AFTER[kind])
                fields = behind(tx, spoke, document, _part(work))[0].model_dump()
            else:
                document, fields = taken(tx, spoke, kind, document, proof.record)
            part, before = link_kind(kind, _part(work)), links.of(tx, document.id, spoke.id, kind)
            keep_link(
                tx, spoke, kind, document, fields, proof.record, facts, part=part, written_by=_version(work, spoke)
            )
            if kind in identity.REGISTERS and work.goal is not None:
                told(tx, spoke, document, work.goal, before)
        if kind == Kind.SUPPLIER_INVOICE.value:
            document = follow(tx, spoke, document, proof.record)
            if facts.get("found"):
                was_there(tx, spoke, document)
        if by_hand:
            linking.linked(tx, spoke, kind, document, proof.record)
        if document.kind == Kind.CREDIT_NOTE.value:
            document = booked(tx, spoke, document, first=True)
        if kind == Kind.SETTLEMENT.value and facts.get("matched"):
            others_matched(tx, spoke, document)
        said = _told(document, spoke, proof.record, facts)
        if work.goal is None or work.goal.operation == "create" or facts.get("matched"):
            event = "settlement.matched" if facts.get("matched") else _EVENTS.get(kind, f"{kind}.linked")
            tx.emit(work.tenant, event, document=document.id, connection=spoke.id, data=said)
            issued(tx, self.spokes, document)
        # The command that asked for this ends with the last push of the document.
        following.done(tx, work, {"document": document.id, **said})

    def _decide(self, tx: Tx, work: Work) -> Goal | Nothing:
        spoke = self.spoke(work)
        kind = work.kind.removeprefix(PUSH)
        document = documents.get(tx, work.tenant, work.document or "")
        if document.state == REPLACED:
            return Nothing("It has turned out to be another one that is here.")
        if kind not in spoke.mapping:  # first what the system can at all, then what the file says
            check_can(spoke, kind, operation(spoke, document))
        mapper = spoke.mapping[kind]
        check_planned(tx, work, spoke, document)
        number = _part(work)
        link = links.of(tx, document.id, spoke.id, link_kind(kind, number))
        model, context = behind(tx, spoke, document, number)
        canonical = model.model_dump()
        if link is None and (out := stays_out(tx, work, spoke, document, context.related.values())) is not None:
            return out
        if link is None:
            how = operation(spoke, document)
            if linking.by_hand(work) is None:
                if how == "create" and kind not in EXTERNAL:
                    _issued_once(model, spoke)
                check_can(spoke, kind, how)
            marker = keys.marker(document.id, spoke.id, f"create {number}" if number else "create")
            issued = Issued(document.number or "", document.kid) if how == "register" else None
            near = beside(tx, spoke, document) if kind == Kind.SETTLEMENT.value else ()
            files = embedded(model) if kind in ISSUED and isinstance(model, Invoice) else ()
            may_create = kind not in identity.REGISTERS or mapper.bound.register.creates != "never"
            return Goal(
                Kind(kind),
                how,
                marker,
                mapper.out(canonical, context),
                _totals(model),
                issued=issued,
                beside=near,
                files=files,
                may_create=may_create,
                made_by=mapper.version,
            )
        if kind == Kind.SETTLEMENT.value and unmatched(tx, spoke, document.id):
            marker = keys.marker(document.id, spoke.id, f"match {work.id}")
            near = beside(tx, spoke, document)
            record = mapper.out(canonical, context)
            return Goal(
                Kind(kind), "update", marker, record, target=link.vendor_id, beside=near, made_by=mapper.version
            )
        if kind in IMMUTABLE:
            return Nothing("It is there already.")
        base = Base(sent=link.base_sent or {}, seen={})
        decision = reconcile(base, view_of(mapper, canonical), {}, policy_of(mapper))
        # What a person has still to choose between is left as it is there.
        fields = set(decision.push) - disputed(tx, spoke, document)
        if not fields:
            return Nothing("What is there is what is here.")
        check_can(spoke, kind, "update")
        record = mapper.update(canonical, fields, context)
        marker = keys.marker(document.id, spoke.id, f"update {document.version}")
        return Goal(
            Kind(kind), "update", marker, record, target=link.vendor_id, seen=link.base_seen, made_by=mapper.version
        )


def taken(tx: Tx, spoke: Spoke, kind: str, document: Document, record: Record) -> tuple[Document, dict[str, Any]]:
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
        return changed(tx, document, state=_AFTER.get(kind, "known")), canonical
    return with_body(tx, document, kind, mapper.merge(canonical, take), state=_AFTER.get(kind, "known"))


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
    "payment": "payment.booked",
    "settlement": "settlement.booked",
    "reversal": "reversal.booked",
    EXTERNAL_INVOICE: "invoice.booked",
    EXTERNAL_CREDIT_NOTE: "credit_note.booked",
    "supplier_invoice": "supplier_invoice.delivered",
}
_AFTER = {
    "invoice": "issued",
    "credit_note": "issued",
    "payment": "booked",
    "settlement": "booked",
    "reversal": "booked",
    EXTERNAL_INVOICE: "issued",
    EXTERNAL_CREDIT_NOTE: "issued",
    "supplier_invoice": "delivered",
}
MONEY = (Kind.PAYMENT.value, Kind.SETTLEMENT.value, Kind.REVERSAL.value)
"""Facts: what a system shows of them is never taken into them."""


def _may_have(goal: Goal, work: Work) -> bool:
    """Whether a document's files must be looked up: always of an incoming invoice; of an outgoing one the goal that was
    just decided has them, one that was stored has not.
    """
    return goal.kind is Kind.SUPPLIER_INVOICE or work.goal is not None


def _version(work: Work, spoke: Spoke) -> str:
    """The version of the mapping that made what was written: another may have come into force since it was decided."""
    return (work.goal.made_by if work.goal else None) or spoke.mapping.version


def _part(work: Work) -> int:
    return int((work.task or {}).get("part", 0))


def behind(tx: Tx, spoke: Spoke, document: Document, part: int = 0) -> tuple[Model, Linked]:
    """What is pushed of a document (of a payment: one part), and what stands behind its references."""
    if document.kind == Kind.PAYMENT.value:
        one = parts(tx, document)[part]
        paid, behind_it, kinds = one.model, formed(tx, spoke, one.related), dict(one.links)
        if EXTERNAL_CREDIT_NOTE in behind_it:  # a refund of its credit is matched with its row, as with a payment's
            behind_it["payment"], kinds["payment"] = behind_it.pop(EXTERNAL_CREDIT_NOTE), EXTERNAL_CREDIT_NOTE
        elif paid.kind == "refund" and "payment" not in behind_it:  # of credit that is no row of ours there
            paid = paid.model_copy(update={"allocations": ()})
        return paid, Linked(tx, spoke.id, behind_it, kinds)
    model = model_of(document.kind, document.body)
    if document.kind == Kind.SETTLEMENT.value:
        named, kinds = {}, {}
        for row in documents.relations(tx, document.tenant, document.id):
            if row.document == document.id:
                other = documents.get(tx, document.tenant, row.other)
                named[other.kind] = other.id
                if other.kind == Kind.PAYMENT.value:  # credit is what is left of a payment: its last part
                    kinds[other.kind] = parts(tx, other)[-1].link
        return model, Linked(tx, spoke.id, formed(tx, spoke, named), kinds)
    if isinstance(model, Invoice):
        model = as_carried(spoke.mapping[form_of(spoke, document)], model)
    if document.kind == Kind.REVERSAL.value:
        fact = fact_of(tx, document)
        there = linked(tx, fact, spoke.id)
        kinds = {Kind.PAYMENT.value: there[part]} if part < len(there) else {}
        return model, Linked(tx, spoke.id, {Kind.PAYMENT.value: fact.id}, kinds)
    return model, Linked(tx, spoke.id, formed(tx, spoke, related(tx, document)))


def over(tx: Tx, document: Document, told: Mapping[str, Any], *, but: Work | None = None) -> None:
    """End the operations that asked for this, once no push of the document (`but` this one) is under way."""
    following = operations.find(tx, document=document.id)
    if not following:
        return
    others = works.find(tx, tenant=document.tenant, document=document.id, state=LIVE)
    if all(but is not None and other.id == but.id for other in others):
        for operation in following:
            operations.move(tx, operation, "done", result={"document": document.id, **told})


def related(tx: Tx, document: Document) -> dict[str, str]:
    """By kind, the documents that this one refers to: its customer, the invoice that it settles or credits."""
    found = {}
    for relation in documents.references(tx, document.tenant, document.id):
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
