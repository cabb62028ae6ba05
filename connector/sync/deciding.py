"""A person settles what waits, and what follows from it in the hub: what holds an incoming invoice, above all."""

from __future__ import annotations

from connector.lanes import Verb
from connector.store import Tx, attention, documents, operations
from connector.sync.incoming import holds, refuse, release
from connector.sync.objections import HELD
from connector.sync.spokes import Spokes
from connector.sync.withdrawing import resolve


def settle_item(
    tx: Tx, spokes: Spokes, tenant: str, id: str, verb: Verb, *, who: str, vendor_id: str | None = None
) -> None:
    """As `lanes.resolve`. What is accepted goes on once nothing else holds it; what is refused goes nowhere.

    Raises what `lanes.resolve` raises.
    """
    item = attention.get(tx, tenant, id)
    resolve(tx, tenant, id, verb, who=who, vendor_id=vendor_id)
    if item.code not in HELD or item.document is None or verb not in (Verb.ACCEPT, Verb.REFUSE):
        return
    document = documents.locked(tx, tenant, item.document)
    if verb is Verb.REFUSE:
        refuse(tx, document, {"code": item.code, "message": item.said, "by": who}, who)
    elif not holds(tx, document):
        tx.emit(tenant, f"{document.kind}.released", document=document.id, data={"by": who})
        release(tx, spokes, document, operations.find(tx, document=document.id))
