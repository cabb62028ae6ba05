"""The control totals: what a ledger shows as open of an invoice, against what the facts make of it.

A figure that differs is a reason to look, and never a fact. First the customers' accounts are read again; what they do
not explain is looked at once more; what is then still apart waits for a person, with both figures, and is settled by
itself when later rows explain it. A row that the books do not show any more, twice, and whose amount is exactly the
difference, is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from connector.errors import Stop
from connector.lanes import Found, Later, Work
from connector.model import Reversal
from connector.model.json import loads
from connector.ports import Kind, Record
from connector.store import Tx, arrivals, attention, documents, links, work
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.links import Link
from connector.store.work import Turn
from connector.sync import effects, reads, ties
from connector.sync.arriving import RECORD, arrive
from connector.sync.balance import REVERSAL
from connector.sync.intake import SOURCE
from connector.sync.ledger_facts import FACTS, UNEXPLAINED, control_wanted, take_back
from connector.sync.matches import MATCH
from connector.sync.money import customer_of
from connector.sync.parts import fact_of, linked, parts
from connector.sync.spokes import Handler, Spoke, Spokes

LOOK = "look"
"""Kind of the work that looks at an invoice whose open amount nobody can explain."""
LEDGER = (Kind.PAYMENT, Kind.SETTLEMENT, Kind.REVERSAL)
"""Kinds of rows on customers' accounts."""
TAKEN_IN = timedelta(minutes=10)
"""How long a figure waits for what has been read and is not taken in yet: a first reading brings more than a poll."""
SETTLES = 30.0
"""Seconds after which a row that was not there is looked for a second time."""

_ZERO = Decimal(0)


def take_control(tx: Tx, arrival: Arrival, spokes: Spokes) -> None:
    """Hold balances against each other: see which invoices need a look, and which need none any more.

    Raises:
        Later: what has been read is not all taken in yet.
    """
    spoke, began = spokes.spoke(arrival.source), loads(arrival.body)["began"]
    if began is None:
        if tx.now - arrival.received < TAKEN_IN and _under_way(tx, spoke, Kind.INVOICE):
            raise Later("what has been read is taken in first", after=0.5)
        if control_wanted(tx, spoke, tx.now):
            reads.poll(tx, spoke, Kind.PAYMENT)
        return
    if _under_way(tx, spoke):
        raise Later("what has been read is taken in first", after=0.5 if arrival.tries < 10 else None)
    apart, waiting = set(), _waiting(tx, spoke)
    for id, shown in links.apart(tx, spoke.id, Kind.INVOICE.value, before=datetime.fromisoformat(began)):
        invoice = documents.get(tx, spoke.tenant, id)
        if customer_of(tx, invoice) not in waiting and not explained(tx, spoke, invoice, shown):
            apart.add(id)
            work.submit(
                tx,
                tenant=spoke.tenant,
                lane=spoke.lane,
                turn=Turn.POLL,
                kind=LOOK,
                connection=spoke.id,
                task={"document": id},
                coalesce=f"{LOOK}:{spoke.id}:{id}",
            )
    for item in attention.find(tx, tenant=spoke.tenant, connection=spoke.id, limit=1000):
        if item.code == UNEXPLAINED and item.document not in apart:
            attention.close(tx, item.about, who="connector", how="explained")


def _under_way(tx: Tx, spoke: Spoke, *more: Kind) -> bool:
    """Whether facts from there (and records of `more`) wait to be taken in, or a reversal of ours to be done."""
    kinds = [MATCH, *(RECORD + kind for kind in (*LEDGER, Kind.CREDIT_NOTE, *more))]
    return arrivals.any_queued(tx, spoke.tenant, spoke.id, kinds) or bool(
        effects.could_explain(tx, spoke, Kind.REVERSAL.value)
    )


def _waiting(tx: Tx, spoke: Spoke) -> set[str]:
    """Customers of whose account a row waits for a person already: not all of it is taken in, so nothing is judged."""
    found = set()
    for head in arrivals.find(tx, spoke.tenant, state="parked", source=spoke.id, limit=500):
        if head.kind in [RECORD + kind for kind in LEDGER]:
            customer = loads(arrivals.get(tx, spoke.tenant, head.id).body).get("customer")
            link = links.by_vendor_id(tx, spoke.id, Kind.CUSTOMER.value, customer) if customer else None
            if link is not None:
                found.add(link.document)
    return found


def explained(tx: Tx, spoke: Spoke, invoice: Document, shown: Decimal) -> bool:
    """Whether what a system shows as open is what the facts make of it there: without those that have not been brought
    there yet. Credit that was applied here may be matched there or not.
    """
    expected = advances = _ZERO
    for tie in ties.of(tx, invoice):
        if tie.fact.kind == "payment" and _on_its_way(tx, spoke, tie.fact):
            expected += tie.amount
        elif tie.fact.source == "connector":
            advances += tie.amount
    for row in documents.relations(tx, invoice.tenant, invoice.id):
        if row.kind == REVERSAL and row.other == invoice.id and row.amount:
            reversal = documents.get(tx, invoice.tenant, row.document)
            if reversal.source == SOURCE and _pending(tx, spoke, reversal):
                expected -= row.amount
    expected += invoice.open_amount or _ZERO
    return max(shown, _ZERO) in (expected, expected + advances)


def _pending(tx: Tx, spoke: Spoke, reversal: Document) -> bool:
    """Whether what a reversal of ours takes back is still there."""
    fact = fact_of(tx, reversal)
    if reversal.state != "received" or not linked(tx, fact, spoke.id):
        return False
    return not effects.writes(tx, spoke) or bool(effects.live(tx, spoke, reversal.id))


def _on_its_way(tx: Tx, spoke: Spoke, payment: Document) -> bool:
    """Whether a payment of ours is not there yet, or not all of it."""
    if payment.source == spoke.id or len(linked(tx, payment, spoke.id)) >= len(parts(tx, payment)):
        return False
    return not effects.writes(tx, spoke) or bool(effects.live(tx, spoke, payment.id))


# --- the look ---------------------------------------------------------------------------------------------------------


class Look(Handler):
    """Looks at an invoice that is apart, and at the rows that close it (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """The invoice as it is now; where more is open than the facts say, also the rows that should have closed it."""
        spoke, id = self.spoke(work), work.task["document"]
        link, wanted = await self.store.read(lambda tx: _to_see(tx, spoke, id))
        fresh = await spoke.accounting.read(Kind.INVOICE, link.vendor_id)
        gone: list[str] = []
        if fresh is not None and fresh.open_amount is not None:
            for kind, vendor_id in wanted:
                if await spoke.accounting.read(kind, vendor_id) is None:
                    gone.append(vendor_id)
        first = datetime.fromisoformat(work.task["gone"][1]) if work.task.get("gone") else None
        again = first is not None and set(work.task["gone"][0]) == set(gone)
        if gone and not again:
            # What vanished counts only after a second look.
            return Found(lambda tx: _second_look(tx, spoke, id, gone))
        return Found(lambda tx: _judge(tx, spoke, id, fresh, gone))


def _to_see(tx: Tx, spoke: Spoke, id: str) -> tuple[Link, Sequence[tuple[Kind, str]]]:
    link = links.of(tx, id, spoke.id, Kind.INVOICE.value)
    assert link is not None
    invoice, wanted = documents.get(tx, spoke.tenant, id), []
    if link.shown_open is not None and link.shown_open > (invoice.open_amount or _ZERO):
        for fact in {tie.fact.id: tie.fact for tie in ties.of(tx, invoice)}.values():
            there = links.of(tx, fact.id, spoke.id)
            if fact.kind in FACTS and there is not None and len(linked(tx, fact, spoke.id)) == 1:
                wanted.append((Kind(fact.kind), there.vendor_id))
    return link, wanted


def _second_look(tx: Tx, spoke: Spoke, id: str, gone: Sequence[str]) -> None:
    work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=Turn.POLL,
        kind=LOOK,
        connection=spoke.id,
        task={"document": id, "gone": [list(gone), tx.now.isoformat()]},
        not_before=tx.now + timedelta(seconds=SETTLES),
        coalesce=f"{LOOK}:{spoke.id}:{id}:gone",
    )


def _judge(tx: Tx, spoke: Spoke, id: str, fresh: Record | None, gone: Sequence[str]) -> None:
    """What is there to be said after a look; nothing where the figure has moved since: then it is read again."""
    link = links.of(tx, id, spoke.id, Kind.INVOICE.value)
    if fresh is None or fresh.open_amount is None or link is None:
        return
    if fresh.open_amount != link.shown_open:
        arrive(tx, spoke, fresh)
        return
    invoice = documents.get(tx, spoke.tenant, id)
    if explained(tx, spoke, invoice, fresh.open_amount):
        attention.close(tx, _about(spoke, id), who="connector", how="explained")
        return
    if gone and _vanished(tx, spoke, invoice, fresh.open_amount, gone):
        return
    _ask(tx, spoke, invoice, fresh.open_amount)


def _vanished(tx: Tx, spoke: Spoke, invoice: Document, shown: Decimal, gone: Sequence[str]) -> bool:
    """Take back the facts whose rows are gone, where they are exactly what is apart."""
    facts = []
    for vendor_id in gone:
        for kind in FACTS:
            link = links.by_vendor_id(tx, spoke.id, kind, vendor_id)
            if link is not None:
                facts.append((documents.get(tx, spoke.tenant, link.document), link))
    closed = [tie for tie in ties.of(tx, invoice) if tie.fact.id in {fact.id for fact, _ in facts}]
    if shown - (invoice.open_amount or _ZERO) != sum((tie.amount for tie in closed), _ZERO):
        return False
    for fact, link in facts:
        said = {"source_id": f"gone/{link.vendor_id}", "of": fact.kind, "of_id": fact.source_id or fact.id}
        reversal = Reversal.model_validate({**said, "date": tx.now.date(), "text": "The row is in the books no more."})
        take_back(tx, spoke, reversal, fact)
    return True


def _about(spoke: Spoke, id: str) -> str:
    return f"balance:{spoke.id}:{id}"


def _ask(tx: Tx, spoke: Spoke, invoice: Document, shown: Decimal) -> None:
    ours = invoice.open_amount or _ZERO
    fell = max(shown, _ZERO) < ours
    reason = Stop(
        f"{spoke.name} shows {shown} {invoice.currency} open on invoice {invoice.number or invoice.id}; by the payments"
        f" and settlements that are known it is {ours}, a difference of {abs(ours - shown)}.",
        code=UNEXPLAINED,
        do="See in the ledger what has lowered it, and book it there as what it is; what is read then explains it."
        if fell
        else "See in the ledger which row is not there or counts for something else; what is read then explains it. A"
        " payment that is known only here was perhaps never booked: post its reversal.",
        where={"document": invoice.id, "connection": spoke.id},
        details={"ours": str(ours), "theirs": str(shown), "difference": str(ours - shown)},
    )
    about = _about(spoke, invoice.id)
    if attention.ignored(tx, tenant=spoke.tenant, about=about, reason=reason):
        return
    attention.ask(
        tx, tenant=spoke.tenant, about=about, reason=reason, verbs=("ignore",), document=invoice.id, connection=spoke.id
    )
