"""A record of a register that a system shows: matched with what is here, or taken over; and what is there twice.

Nothing is merged on a likeness: `identity.same` says who is the same. Two records of a system that are the same here
are a duplicate: both are linked, so that what is booked on either finds its way, and a person says which one is meant.
"""

from __future__ import annotations

from typing import Any

from connector.errors import Stop
from connector.lanes import Later, Verb, resolve
from connector.model import TradingPartner
from connector.ports import Record
from connector.store import Tx, attempts, attention, documents, links
from connector.store import work as works
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import effects
from connector.sync.canonical import policy_of, shown, stored, view_of
from connector.sync.differences import changed_by, tell
from connector.sync.identity import Record as OurRecord
from connector.sync.identity import columns, record_of, same
from connector.sync.keeping import keep_link, with_body
from connector.sync.reconcile import Decision, reconcile
from connector.sync.registers import spread
from connector.sync.spokes import Linked, Spoke, Spokes


def found(tx: Tx, spokes: Spokes, spoke: Spoke, record: Record, arrival: str) -> str:
    """A record we have no link for.

    Raises:
        Later: a push of ours that is under way could have made it.
        Stop: several documents here fit (`match-unclear`).
    """
    kind, mapper = record.kind.value, spoke.mapping[record.kind.value]
    fields = mapper.into(record.body, Linked(tx, spoke.id, {}))
    model = record_of(kind, {"source_id": f"{spoke.name}/{record.id}", **fields})
    there = same(tx, spoke.tenant, kind, model)
    _hold(tx, spoke, kind, model, there)
    if there is None:
        return _taken_over(tx, spokes, spoke, record, arrival, model)
    link = links.of(tx, there.id, spoke.id, kind)
    if link is not None:
        twice(tx, spoke, there, link, record)
        return there.id
    return linked(tx, spokes, spoke, there, record)


def taken_over(tx: Tx, spokes: Spokes, spoke: Spoke, record: Record, arrival: str) -> str:
    """A record that is not known here becomes a document, whatever it resembles: a person has said so.

    Raises:
        Clash: a document has its number already (`document-exists`).
    """
    fields = spoke.mapping[record.kind.value].into(record.body, Linked(tx, spoke.id, {}))
    model = record_of(record.kind.value, {"source_id": f"{spoke.name}/{record.id}", **fields})
    return _taken_over(tx, spokes, spoke, record, arrival, model)


def _taken_over(tx: Tx, spokes: Spokes, spoke: Spoke, record: Record, arrival: str, model: OurRecord) -> str:
    kind = record.kind.value
    made = documents.insert(
        tx, tenant=spoke.tenant, kind=kind, body=stored(model), state="known", source=spoke.id, arrival=arrival,
        **columns(kind, model),
    )  # fmt: skip
    keep_link(tx, spoke, kind, made, model.model_dump(), record, {"number": made.number})
    data = {"connection": spoke.name, **changed_by(record)}
    tx.emit(spoke.tenant, f"{kind}.found", document=made.id, connection=spoke.id, data=data)
    spread(tx, spokes, made, but=spoke)
    return made.id


def linked(tx: Tx, spokes: Spokes, spoke: Spoke, there: Document, record: Record) -> str:
    """A document here is this record: linked, held against each other, and what waited for it goes on."""
    kind = there.kind
    keep_link(tx, spoke, kind, there, record_of(kind, there.body).model_dump(), record, {"number": there.number})
    joined(tx, spokes, spoke, there, record)
    tx.emit(spoke.tenant, f"{kind}.linked", document=there.id, connection=spoke.id, data={"connection": spoke.name})
    _go_on(tx, spoke, there)
    return there.id


def _hold(tx: Tx, spoke: Spoke, kind: str, model: OurRecord, there: Document | None) -> None:
    """Wait while a push under way could have made this record: one of the same document, or of the same name."""
    for push in effects.could_explain(tx, spoke, kind):
        pushed = documents.peek(tx, spoke.tenant, push.document or "")
        if pushed is None or links.of(tx, pushed.id, spoke.id, kind) is not None:
            continue
        alike = there is not None and pushed.id == there.id
        if not alike and _name(record_of(kind, pushed.body)) != _name(model):
            continue
        if push.state == "parked" and not _unresolved(tx, push.id):
            continue
        raise Later(f"a push of ours that is under way could explain this {kind} ({push.id})", after=1.0)


def _name(model: OurRecord) -> str:
    return ((model.party.name if isinstance(model, TradingPartner) else model.name) or "").casefold()


def _unresolved(tx: Tx, work: str) -> bool:
    return any(one.what == "call" and one.outcome in (None, attempts.UNKNOWN) for one in attempts.of_work(tx, work))


def _go_on(tx: Tx, spoke: Spoke, document: Document) -> None:
    """What waited for this record to be there is tried again."""
    for item in attention.find(tx, tenant=spoke.tenant, document=document.id, connection=spoke.id):
        if item.work and Verb.RETRY in item.verbs and works.get(tx, item.work).state == "parked":
            resolve(tx, spoke.tenant, item.id, Verb.RETRY, who=f"found in {spoke.name}")


# --- the first time both sides are held against each other ------------------------------------------------------------


def joined(tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, record: Record) -> None:
    """A document and a record turn out to be the same: what one side says and the other leaves open is made known to
    the other; where both say something else, the owner in the mapping wins, or a person is asked.

    What only an invoice has said of its buyer is no record of a register: there the system's own holds.
    """
    kind, mapper = document.kind, spoke.mapping[document.kind]
    model = record_of(kind, document.body)
    said = _said(view_of(mapper, model.model_dump(exclude_defaults=True)))
    theirs = _said(shown(mapper, record.body, Linked(tx, spoke.id, {})))
    if document.source is None:
        decision = Decision(take={path: value for path, value in theirs.items() if said.get(path) != value})
    else:
        decision = reconcile(None, said, theirs, policy_of(mapper))
    fields = model.model_dump()
    if decision.take:
        fields = mapper.merge(fields, decision.take)
        document, fields = with_body(tx, document, kind, fields, state="known")
    elif document.state == "accepted":
        document, fields = with_body(tx, document, kind, fields, state="known")
    keep_link(tx, spoke, kind, document, fields, record, {"number": document.number})
    link = links.of(tx, document.id, spoke.id, kind)
    assert link is not None
    open_ = set(decision.push) | {one.field for one in decision.conflicts}
    if open_:
        # What is different is known to be so: as if each side had changed what it says.
        sent = {path: theirs.get(path) if path in open_ else value for path, value in (link.base_sent or {}).items()}
        links.change(tx, link, state="conflict" if decision.conflicts else "linked", base_sent=sent)
    if decision.conflicts:
        tell(tx, spoke, document, decision, record)
    if decision.push:
        effects.push(tx, spoke, kind, document.id)
    if decision.take:
        spread(tx, spokes, document, but=spoke)


def _said(view: dict[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in view.items() if value not in (None, "", [], ())}


# --- what is there twice ----------------------------------------------------------------------------------------------


def twice(tx: Tx, spoke: Spoke, document: Document, link: Link, record: Record) -> None:
    """A system has a second record of the same: a person says which one is meant; nothing is merged or picked."""
    kind = document.kind
    ids = [link.vendor_id, *second(tx, spoke, document, record)]
    name = document.counterparty_name or document.number
    reason = Stop(
        f"{spoke.name} has {kind} {name} {'twice' if len(ids) == 2 else f'{len(ids)} times'}: {' and '.join(ids)}."
        f" So far {link.vendor_id} is the one documents go to.",
        code=f"{kind}-twice",
        do=f"Say which one is meant: connector documents resolve {document.id} --happened ID (or --ignore: it stays"
        f" {link.vendor_id}); and merge them in {spoke.name}.",
        where={"document": document.id, "connection": spoke.id},
        details={"ids": ids, "meant": link.vendor_id},
    )
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=f"twice:{spoke.id}:{document.id}",
        reason=reason,
        verbs=(Verb.HAPPENED, Verb.IGNORE),
        document=document.id,
        connection=spoke.id,
    )
    tx.emit(
        spoke.tenant,
        f"{kind}.duplicate",
        document=document.id,
        connection=spoke.id,
        data={"connection": spoke.name, "vendor_ids": ids},
    )


def second(tx: Tx, spoke: Spoke, document: Document, record: Record) -> list[str]:
    """Link a further record of the same, so that what is booked on it finds its way; the ids of all further ones."""
    kind = document.kind
    there = [one for one in links.all_of(tx, document.id) if one.connection == spoke.id]
    others = [one for one in there if one.kind.startswith(f"{kind}:")]
    links.put(
        tx, tenant=spoke.tenant, document=document.id, connection=spoke.id, kind=f"{kind}:{len(others) + 2}",
        vendor_id=record.id, vendor_version=record.version,
    )  # fmt: skip
    return [*(one.vendor_id for one in others), record.id]


def choose(tx: Tx, spoke: Spoke, document: Document, vendor_id: str) -> None:
    """From now on this one of the system's records is meant; what it shows is read and compared."""
    kind = document.kind
    now = links.of(tx, document.id, spoke.id, kind)
    if now is None:
        links.put(tx, tenant=spoke.tenant, document=document.id, connection=spoke.id, kind=kind, vendor_id=vendor_id)
    elif now.vendor_id != vendor_id:
        other = links.part(tx, spoke.id, kind, vendor_id)
        if other is not None and other.document == document.id:
            links.drop(tx, other)
        before = now.vendor_id
        links.named_otherwise(tx, now, vendor_id)
        if other is not None:
            links.put(
                tx, tenant=spoke.tenant, document=document.id, connection=spoke.id, kind=other.kind, vendor_id=before
            )
