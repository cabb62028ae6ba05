"""What somebody has booked in a system by hand, where our own push of it waits for a person, who says which one it is.

The push goes on with another step: the record is read and held against the document. From there on it is linked as if
the push had made it: what needs it wakes, the command that asked for it ends, later changes are followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from connector.errors import Stop
from connector.lanes import BY_HAND, Verb, Work, cancel, replay
from connector.lanes.following import LIVE
from connector.ports import Goal, Kind, Proof, Record, Run, Step
from connector.store import Store, Tx, arrivals, attention, documents, links
from connector.store import work as works
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync.effects import PUSH
from connector.sync.external import EXTERNAL
from connector.sync.purchases import tell_drift
from connector.sync.spokes import REPLACED, Linked, Spoke


def by_hand(work: Work) -> str | None:
    """What a person says the document of this push is in the system, as it is called there."""
    said = (work.task or {}).get(BY_HAND)
    return str(said) if said else None


def offered(spoke: Spoke, work: Work) -> tuple[str, ...]:
    """Whether a person may say so of this push."""
    kind = Kind(work.kind.removeprefix(PUSH))
    return (Verb.LINK.value,) if (kind, "link") in spoke.accounting.capabilities else ()


def steps(store: Store, spoke: Spoke, work: Work, goal: Goal, named: str) -> Sequence[Step]:
    """The one step of a push whose document is there already, called `named`."""
    goal = replace(goal, operation="link", target=named)
    (step,) = spoke.accounting.flow(goal)

    async def call(run: Run) -> Proof:
        proof = await step.call(replace(run, goal=goal))
        await store.read(lambda tx: _check(tx, spoke, work, proof))
        return proof

    return [replace(step, name=_step(named), call=call)]


def _step(named: str) -> str:
    return f"link {named}"


def proof_of(work: Work, proofs: Mapping[str, Proof]) -> Mapping[str, Proof]:
    """Of the proofs of a push those that count: where it was linked, what it had tried before is not what is there."""
    named = by_hand(work)
    return {_step(named): proofs[_step(named)]} if named else proofs


def _check(tx: Tx, spoke: Spoke, work: Work, proof: Proof) -> None:
    """Raises `Stop`: `linked-to-another`, `link-differs` (it has another number than the document)."""
    document, number = documents.get(tx, work.tenant, work.document or ""), proof.facts.get("number")
    if document.number and number and document.number != str(number):
        raise Stop(
            f"It has number {number} in {spoke.name}, and {document.number} here.",
            code="link-differs",
            do="Link the one that has this number; or book it so that it keeps its number.",
            where={"document": document.id, "connection": spoke.id, "vendor_id": proof.id},
        )
    _mirrored(tx, spoke, work.kind.removeprefix(PUSH), document, proof.id)


def _mirrored(tx: Tx, spoke: Spoke, kind: str, document: Document, vendor_id: str) -> tuple[Document, Link] | None:
    """What was mirrored of a record because nobody knew that it is this document.

    Raises:
        Stop: `linked-to-another`: it is more than a mirror of what the system shows.
    """
    link = links.by_vendor_id(tx, spoke.id, kind, vendor_id)
    if link is None or link.document == document.id:
        return None
    other = documents.get(tx, spoke.tenant, link.document)
    alone = [one.id for one in links.all_of(tx, other.id)] == [link.id]
    referred_to = any(row.other == other.id for row in documents.relations(tx, other.tenant, other.id))
    on_its_way = any(one.goal is not None for one in _pushes(tx, other))
    if alone and other.source == spoke.id and not referred_to and not on_its_way:
        return other, link
    raise Stop(
        f"{vendor_id} in {spoke.name} is {other.kind.replace('_', ' ')} {other.number or other.id} here, which did not"
        " come from there alone, is on its way to another system, or has payments or credit notes.",
        code="linked-to-another",
        do="Where it is the same, cancel this: the other one stands for it. Else link the right one.",
        where={"document": document.id, "other": other.id, "connection": spoke.id, "vendor_id": vendor_id},
    )


def _pushes(tx: Tx, document: Document) -> Sequence[Work]:
    """Works that bring it to another system, and are not over."""
    return works.find(tx, tenant=document.tenant, document=document.id, state=LIVE, limit=1000)


def make_room(tx: Tx, spoke: Spoke, kind: str, document: Document, record: Record) -> None:
    """Before the link: what was mirrored of this record gives way to the document that it is, and goes nowhere else.

    Raises:
        Stop: `linked-to-another`: meanwhile more hangs on it.
    """
    found = _mirrored(tx, spoke, kind, document, record.id)
    if found is None:
        return
    mirrored, link = found
    links.drop(tx, link)
    for work in _pushes(tx, mirrored):  # it has not begun
        cancel(tx, work)
    for item in attention.find(tx, tenant=mirrored.tenant, document=mirrored.id):
        attention.close(tx, item.about, who=spoke.name, how=REPLACED)
    documents.change(tx, mirrored, state=REPLACED, open_amount=Decimal(0))
    told = {"connection": spoke.name, "by": document.id}
    tx.emit(mirrored.tenant, f"{mirrored.kind}.replaced", document=mirrored.id, connection=spoke.id, data=told)


def linked(tx: Tx, spoke: Spoke, kind: str, document: Document, record: Record) -> None:
    """After the link: what the record was taken for before is taken back, and what it says otherwise is shown."""
    if kind in EXTERNAL:
        for arrival in arrivals.of_subject(
            tx, spoke.tenant, f"{spoke.id}/{Kind.SETTLEMENT}/{record.id}", states=("parked",)
        ):
            replay(tx, spoke.tenant, arrival.id, who=spoke.name)
    if kind == Kind.SUPPLIER_INVOICE:
        tell_drift(tx, spoke, document, spoke.mapping[kind].into(record.body, Linked(tx, spoke.id, {})))
