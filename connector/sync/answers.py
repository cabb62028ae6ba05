"""What a person answers, and what follows from it in the hub: which record is meant, whose value holds, what a closed
or deleted record means, whether an incoming invoice goes on. Everything else is answered in the lanes
(`connector.lanes.resolve`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connector.errors import BadInput
from connector.lanes import Verb
from connector.ports import Kind
from connector.store import Tx, arrivals, attention, documents, links, operations
from connector.store.attention import Item
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import arriving, bulk, differences, effects, matching, reads
from connector.sync.arriving import RECORD
from connector.sync.canonical import model_of
from connector.sync.closing_records import CLOSED, close_here, open_there
from connector.sync.differences import CONFLICT
from connector.sync.incoming import holds, is_the_ledgers, refuse, release
from connector.sync.keeping import with_body
from connector.sync.objections import HELD, LEDGER_HAS_IT
from connector.sync.push import over
from connector.sync.registers import spread
from connector.sync.spokes import Spoke, Spokes
from connector.sync.vanished import MANY, VANISHED, believed
from connector.sync.withdrawing import resolve


def answer(
    tx: Tx,
    spokes: Spokes,
    tenant: str,
    id: str,
    verb: Verb,
    *,
    who: str,
    vendor_id: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Settle an item of the attention list; arguments and errors are those of `lanes.resolve`. What is accepted goes on
    once nothing else holds it; what is refused goes nowhere.

    Args:
        fields: with `merge`, whose value holds (`ours`, `theirs`) by field; of others what was proposed.

    Raises:
        BadInput: `vendor-id-unknown`: it is none of those that were found; `field-not-disputed`, `side-unknown`,
            `fields-without-merge`.
    """
    if fields and verb is not Verb.MERGE:
        raise BadInput(
            "Fields are chosen one by one with `merge` only.", code="fields-without-merge", do="Answer `merge`."
        )
    item = attention.get(tx, tenant, id)
    if item.closed is None and verb in item.verbs and item.document and item.connection and spokes.has(item.connection):
        spoke, document = spokes.spoke(item.connection), documents.get(tx, tenant, item.document)
        what = item.about.partition(":")[0]
        if verb is Verb.HAPPENED and _found_several(item):
            _meant(tx, spoke, document, item, vendor_id)
            if item.work is not None:
                verb, vendor_id = Verb.RETRY, None
        elif what == CONFLICT:
            disputed = item.details["details"]
            sides = {one["field"]: str(verb) for one in disputed}
            if verb is Verb.MERGE:
                sides = differences.chosen(disputed, fields or {})
            # The question is over before what follows is decided: a field that waits for an answer is left alone.
            resolve(tx, tenant, id, verb, who=who, details={"fields": sides})
            _conflict(tx, spokes, spoke, document, item, None if verb is Verb.IGNORE else sides)
            return
        elif what == CLOSED:
            _closed(tx, spokes, spoke, document, verb)
        elif what == VANISHED:
            resolve(tx, tenant, id, verb, who=who)
            _vanished(tx, spokes, spoke, document, verb)
            return
    elif item.closed is None and verb is Verb.THEIRS and item.about.startswith(f"{MANY}:") and item.connection:
        said = item.details
        run, began = said["details"]["run"], datetime.fromisoformat(said["details"]["began"])
        believed(tx, spokes.spoke(item.connection), Kind(said["where"]["kind"]), run, began)
    elif item.closed is None and verb is Verb.THEIRS and item.code == "too-many-changed" and item.connection:
        spoke, kind = spokes.spoke(item.connection), Kind(item.details["where"]["kind"])
        bulk.believe(tx, spoke, kind)
        reads.poll(tx, spoke, kind)
    resolve(tx, tenant, id, verb, who=who, vendor_id=vendor_id)
    if item.code in HELD and item.document and verb in (Verb.ACCEPT, Verb.REFUSE):
        _held(tx, spokes, documents.locked(tx, tenant, item.document), item, verb, who)


def _held(tx: Tx, spokes: Spokes, document: Document, item: Item, verb: Verb, who: str) -> None:
    if verb is Verb.REFUSE and item.code == LEDGER_HAS_IT:
        is_the_ledgers(tx, document, item.details["details"]["other"], who)
    elif verb is Verb.REFUSE:
        refuse(tx, document, {"code": item.code, "message": item.said, "by": who}, who)
    elif not holds(tx, document):
        tx.emit(document.tenant, f"{document.kind}.released", document=document.id, data={"by": who})
        release(tx, spokes, document, operations.find(tx, document=document.id))


def _found_several(item: Item) -> bool:
    return bool(_ids(item)) and "happened" in item.verbs


def _ids(item: Item) -> list[str]:
    details = (item.details or {}).get("details")
    found = details.get("ids") if isinstance(details, dict) else None
    return [str(one) for one in found or ()]


def _meant(tx: Tx, spoke: Spoke, document: Document, item: Item, vendor_id: str | None) -> None:
    if vendor_id not in _ids(item):
        raise BadInput(
            f"{vendor_id or 'Nothing'} is none of those that were found: {', '.join(_ids(item))}.",
            code="vendor-id-unknown",
            do="Give the system's id of the one that is meant.",
        )
    matching.choose(tx, spoke, document, vendor_id)
    reads.hint(tx, spoke, Kind(document.kind), vendor_id)


def _conflict(
    tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, item: Item, sides: Mapping[str, str] | None
) -> None:
    """What follows from the sides that hold, by field; None: each side keeps what it says.

    What the system showed becomes known. Beside it the value there counts as what we last said, so what holds of ours
    is the newer; where both stay, our own value does, so that nobody is asked again until one of them changes.
    """
    link = links.of(tx, document.id, spoke.id, document.kind)
    if link is None:
        return
    disputed = item.details["details"]
    known = {one["field"]: one["ours" if sides is None else "theirs"] for one in disputed}
    links.change(tx, link, base_sent={**(link.base_sent or {}), **known}, **_as_shown(tx, spoke, document, link, item))
    taken = {name: value for name, value in known.items() if sides is not None and sides[name] == Verb.THEIRS}
    if taken:
        fields = spoke.mapping[document.kind].merge(model_of(document.kind, document.body).model_dump(), taken)
        document, _ = with_body(tx, document, document.kind, fields, state=document.state)
    if len(taken) < len(known):  # what holds of ours, and what else is newer here
        effects.push(tx, spoke, document.kind, document.id)
    else:
        over(tx, document, {"vendor_id": link.vendor_id})
        reads.hint(tx, spoke, Kind(document.kind), link.vendor_id)
    if taken:
        spread(tx, spokes, document, but=spoke)


def _as_shown(tx: Tx, spoke: Spoke, document: Document, link: Link, item: Item) -> dict[str, Any]:
    """What changes of the link when the record that the question is about counts as known."""
    version = (item.details.get("where") or {}).get("version")
    came = arrivals.find(
        tx, document.tenant, document=document.id, source=spoke.id, kind=RECORD + document.kind, limit=1000
    )
    for head in reversed(came if version != link.vendor_version else ()):
        record = arriving.shown(arrivals.get(tx, document.tenant, head.id).body, document.kind)
        if record.version == version:
            return {"state": "linked", "base_seen": record.body, "vendor_version": version}
    return {"state": "linked"}


def _closed(tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, verb: Verb) -> None:
    link = links.of(tx, document.id, spoke.id, document.kind)
    if verb is Verb.THEIRS:
        spread(tx, spokes, close_here(tx, document, link), but=spoke)
    elif verb is Verb.OURS and link is not None:
        open_there(tx, spoke, document, link)


def _vanished(tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, verb: Verb) -> None:
    link = links.of(tx, document.id, spoke.id, document.kind)
    if link is not None:
        links.drop(tx, link)
    if verb is Verb.THEIRS:
        spread(tx, spokes, close_here(tx, document, None), but=spoke)
    elif verb is Verb.OURS:
        effects.push(tx, spoke, document.kind, document.id)
