"""What a person's answer means for money: a payment whose push is cancelled does not count, here neither.

A command that is cancelled ends as rejected, and has had no effect. So the payment is taken back here, as far as it is
in no system, and its `source_id` is free for a corrected posting.
"""

from __future__ import annotations

from typing import Any

from connector import lanes
from connector.lanes import Verb
from connector.lanes.following import LIVE
from connector.model import Reversal
from connector.store import Tx, attention, documents, links
from connector.store import work as works
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.sync.closing import reverse
from connector.sync.effects import PUSH
from connector.sync.keys import fact_key
from connector.sync.parts import link_kind, parts, reverse_part

WITHDRAWN = "cancelled"
"""What the reversal of a payment that was cancelled is called, behind the payment's id."""


def resolve(
    tx: Tx, tenant: str, id: str, verb: Verb, *, who: str, vendor_id: str | None = None, details: Any = None
) -> None:
    """Settle an item of the attention list, as `lanes.resolve`, and what follows from it.

    Raises:
        Stop: `credit-used`: what would be withdrawn has been used as credit; that is taken back first.
    """
    item = attention.get(tx, tenant, id)
    lanes.resolve(tx, tenant, id, verb, vendor_id=vendor_id, who=who, details=details)
    if verb is Verb.CANCEL and item.work is not None and item.document is not None:
        tx.settle()
        work = works.get(tx, item.work)
        document = documents.get(tx, tenant, item.document)
        if work.kind == f"{PUSH}payment" and document.source_id and document.state != "reversed":
            _withdraw(tx, document, int((work.task or {}).get("part", 0)))


def _withdraw(tx: Tx, payment: Document, part: int) -> None:
    """Take back what of a payment is in no system and on its way to none: the whole, or one part of several."""
    there = {link.kind for link in links.all_of(tx, payment.id)}
    going = {
        link_kind("payment", int((one.task or {}).get("part", 0)))
        for one in works.find(tx, tenant=payment.tenant, document=payment.id, state=LIVE)
        if one.kind == f"{PUSH}payment"
    }
    if link_kind("payment", part) in there | going:
        return
    day = tx.now.date()
    if len(parts(tx, payment)) > 1:
        source_id = _called(payment, part)
        said = Reversal(source_id=source_id, of="allocation", of_id=payment.source_id or payment.id, date=day)
        reverse_part(tx, "connector", said, payment, part)
    else:
        source_id = f"{payment.id}/{WITHDRAWN}"
        said = Reversal(source_id=source_id, of="payment", of_id=payment.source_id or payment.id, date=day)
        reverse(tx, payment.tenant, "connector", said, payment)
    payment = documents.get(tx, payment.tenant, payment.id)
    if payment.state == "reversed" and not there:
        documents.change(tx, payment, business_key=f"{payment.business_key}#{payment.id}")


def _called(payment: Document, part: int) -> str:
    return f"{payment.id}/{part}/{WITHDRAWN}"


def cancelled(tx: Tx, payment: Document, part: int) -> bool:
    """Whether a person has cancelled this part of a payment."""
    key = fact_key("connector", _called(payment, part))
    return documents.by_key(tx, payment.tenant, "reversal", key) is not None


def withdrawn(tx: Tx, arrival: Arrival) -> bool:
    """Whether what came with an arrival does not count: a person has cancelled it before it was anywhere."""
    if arrival.state == "dropped":
        return True
    document = documents.peek(tx, arrival.tenant, arrival.document) if arrival.document else None
    return document is not None and document.business_key.endswith(f"#{document.id}")
