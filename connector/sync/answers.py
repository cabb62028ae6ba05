"""What a person answers, and what follows from it in the hub: which record is meant, whose value holds, what a closed
or deleted record means, whether an incoming invoice goes on. Everything else is answered in the lanes
(`connector.lanes.resolve`).
"""

from __future__ import annotations

from datetime import datetime

from connector.errors import BadInput
from connector.lanes import Verb
from connector.ports import Kind
from connector.store import Tx, attention, documents, links, operations
from connector.store.attention import Item
from connector.store.documents import Document
from connector.sync import effects, matching, reads
from connector.sync.canonical import model_of
from connector.sync.closing_records import CLOSED, close_here, open_there
from connector.sync.differences import CONFLICT
from connector.sync.incoming import holds, refuse, release
from connector.sync.keeping import with_body
from connector.sync.objections import HELD
from connector.sync.push import over
from connector.sync.registers import spread
from connector.sync.spokes import Spoke, Spokes
from connector.sync.vanished import MANY, VANISHED, believed
from connector.sync.withdrawing import resolve


def answer(tx: Tx, spokes: Spokes, tenant: str, id: str, verb: Verb, *, who: str, vendor_id: str | None = None) -> None:
    """Settle an item of the attention list; arguments and errors are those of `lanes.resolve`. What is accepted goes on
    once nothing else holds it; what is refused goes nowhere.

    Raises:
        BadInput: `vendor-id-unknown`: it is none of those that were found.
    """
    item = attention.get(tx, tenant, id)
    if item.closed is None and verb in item.verbs and item.document and item.connection:
        spoke, document = spokes.spoke(item.connection), documents.get(tx, tenant, item.document)
        what = item.about.partition(":")[0]
        if verb is Verb.HAPPENED and _found_several(item):
            _meant(tx, spoke, document, item, vendor_id)
            if item.work is not None:
                verb, vendor_id = Verb.RETRY, None
        elif what == CONFLICT and verb in (Verb.OURS, Verb.THEIRS):
            # The question is over before what follows is decided: a field that waits for an answer is left alone.
            resolve(tx, tenant, id, verb, who=who)
            _conflict(tx, spokes, spoke, document, item, verb)
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
    resolve(tx, tenant, id, verb, who=who, vendor_id=vendor_id)
    if item.code in HELD and item.document and verb in (Verb.ACCEPT, Verb.REFUSE):
        _held(tx, spokes, documents.locked(tx, tenant, item.document), item, verb, who)


def _held(tx: Tx, spokes: Spokes, document: Document, item: Item, verb: Verb, who: str) -> None:
    if verb is Verb.REFUSE:
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


def _conflict(tx: Tx, spokes: Spokes, spoke: Spoke, document: Document, item: Item, verb: Verb) -> None:
    link = links.of(tx, document.id, spoke.id, document.kind)
    if link is None:
        return
    if verb is Verb.OURS:
        differing = {one["field"]: one["theirs"] for one in item.details["details"]}
        # What is there now counts as what we last said: so ours is the newer.
        links.change(tx, link, base_sent={**(link.base_sent or {}), **differing})
        effects.push(tx, spoke, document.kind, document.id)
        return
    mapper = spoke.mapping[document.kind]
    theirs = {one["field"]: one["theirs"] for one in item.details["details"]}
    fields = mapper.merge(model_of(document.kind, document.body).model_dump(), theirs)
    document, _ = with_body(tx, document, document.kind, fields, state=document.state)
    links.change(tx, link, base_sent={**(link.base_sent or {}), **theirs})
    over(tx, document, {"vendor_id": link.vendor_id})
    reads.hint(tx, spoke, Kind(document.kind), link.vendor_id)
    spread(tx, spokes, document, but=spoke)


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
