"""Whose word counts for bank money: a payment seen in a system that does not own it is matched, never copied.

The owner tells of the money; the row that another system shows of it is linked to what the owner told. Where the owner
has told of nothing like it yet, the row waits for that, and after some days for a person: it is not money here until
then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from connector.errors import ConnectorError, Stop
from connector.lanes import Arrival, Later
from connector.mapping.duties import account
from connector.mapping.tenants import ALL_ACCOUNTS, Tenant, TenantRoute
from connector.model import Payment
from connector.ports import Kind, Record
from connector.store import Tx, arrivals, attention, documents, links
from connector.store.documents import Document
from connector.sync.arriving import shown
from connector.sync.keeping import keep_link
from connector.sync.ledger_facts import Behind
from connector.sync.money import CUSTOMER, allocated
from connector.sync.parts import Part, parts
from connector.sync.spokes import Spoke, Spokes

TELLS_WITHIN = timedelta(days=4)
"""How long the owner may take to tell of money that another system shows: a bank's file, over a long weekend."""
ROWS = f"record-{Kind.PAYMENT}"
"""Arrivals that are rows of payments."""
_MOST = 1000


def owners(tenant: Tenant, routes: list[TenantRoute], bank_account: str | None) -> set[str]:
    """Who takes the bank money of these routes: of one account, or of any where it is not known which."""
    found: set[str] = set()
    for route in routes:
        owned = route.takes_bank_money
        if bank_account is None:
            found |= set(owned.values())
        elif (owner := owned.get(account(bank_account)) or owned.get(ALL_ACCOUNTS)) is not None:
            found.add(owner)
    return found


def owns(tx: Tx, spokes: Spokes, spoke: Spoke, payment: Payment) -> bool:
    """Whether money that this connection shows is its own to tell of: it takes bank money on a route that the payment
    concerns, or is on no route at all.
    """
    tenant = spokes.tenant(spoke.tenant)
    settled = [documents.peek(tx, spoke.tenant, one.document.document_id or "") for one in payment.allocations]
    sources = [one.source or "" for one in settled if one is not None]
    routes = [tenant.routes[source] for source in sources if source in tenant.routes]
    routes = routes or [route for route in tenant.routes.values() if spoke.name in (*route.to, *route.takes)]
    named = str(payment.bank_account) if payment.bank_account else None
    return not routes or spoke.name in owners(tenant, routes, named)


def matched(tx: Tx, spokes: Spokes, spoke: Spoke, payment: Payment, record: Record, arrival: Arrival) -> str | None:
    """The document of a row that this connection shows and whose money it does not own, now linked to it; None where
    the money is its own.

    Raises:
        Later: the owner has not told of it yet.
        Stop: it has not for days (`bank-money-unmatched`), or of several that could be it (`payment-unclear`).
    """
    if owns(tx, spokes, spoke, payment):
        return None
    found = _equal(tx, spoke, payment)
    if found is not None:
        keep_link(tx, spoke, "payment", found[0], found[1].model.model_dump(), record, {}, part=found[1].link)
        return found[0].id
    said = f"{payment.amount} {payment.currency} of {payment.date} is shown by {spoke.name}, which takes no bank money"
    if tx.now - arrival.received < TELLS_WITHIN:
        raise Later(f"{said}; it is matched when its owner tells of it")
    raise Stop(
        f"{said}, and nobody who does has told of it.",
        code="bank-money-unmatched",
        do="See where the money came to. Was it never paid, take it back in the system and cancel this; else post the"
        f" payment, or make `{spoke.name}` the owner of its account (`takes_bank_money`), and retry.",
        where={"connection": spoke.name, "vendor_id": record.id},
        details={"amount": str(payment.amount), "currency": payment.currency, "date": payment.date.isoformat()},
    )


def claim_waiting(tx: Tx, spokes: Spokes, spoke: Spoke, made: Document) -> int:
    """Rows of this connection that have waited for this payment to be told of are linked to it; how many. Done before
    anything is pushed: what is there is not registered a second time.
    """
    payment = Payment.model_validate(made.body)
    if owns(tx, spokes, spoke, payment):
        return 0
    claimed = 0
    for arrival in _waiting(tx, spoke):
        record = shown(arrival.body, Kind.PAYMENT)
        try:
            fields = spoke.mapping["payment"].into(record.body, Behind(tx, spoke.id))
            row = allocated(Payment.model_validate({"direction": "in", **fields, "source_id": record.id}))
            found = _equal(tx, spoke, row)
        except (ConnectorError, Later):
            continue
        if found is None or found[0].id != made.id or links.by_vendor_id(tx, spoke.id, "payment", record.id):
            continue
        keep_link(tx, spoke, "payment", made, found[1].model.model_dump(), record, {}, part=found[1].link)
        if arrival.state == "parked":
            arrivals.move(tx, arrival, "queued", due=tx.now, tries=0)
            attention.close(tx, f"arrival:{arrival.id}", who="connector", how="matched")
        else:
            arrivals.move(tx, arrival, "handled", document=made.id)
        claimed += 1
    return claimed


def _waiting(tx: Tx, spoke: Spoke) -> Iterator[Arrival]:
    for state in ("queued", "parked"):
        for head in arrivals.find(tx, spoke.tenant, state=state, source=spoke.id, kind=ROWS, limit=_MOST):
            yield arrivals.get(tx, spoke.tenant, head.id)


def _equal(tx: Tx, spoke: Spoke, row: Payment) -> tuple[Document, Part] | None:
    """What the owner told that is equal to a row, and is not linked here: same amount, currency, kind and invoice (or
    customer), the same day first; two equal instalments are two, and each is taken once.

    Raises:
        Stop: several of other days could be it (`payment-unclear`).
    """
    same_day: list[tuple[Document, Part]] = []
    others: list[tuple[Document, Part]] = []
    for document in _told(tx, spoke, row):
        for part in parts(tx, document):
            one = part.model
            if (one.amount, one.currency, one.kind) != (row.amount, row.currency, row.kind):
                continue
            if _settles(one) != _settles(row) or links.of(tx, document.id, spoke.id, part.link) is not None:
                continue
            (same_day if one.date == row.date else others).append((document, part))
    if same_day:
        return min(same_day, key=lambda one: one[0].id)
    if len({document.id for document, _ in others}) > 1:
        raise Stop(
            f"{row.amount} {row.currency} of {row.date} in {spoke.name} could be any of {len(others)} payments of other"
            " days.",
            code="payment-unclear",
            do="See which of them it is; give them the same date, then retry; or cancel this.",
            where={"connection": spoke.name, "vendor_id": row.source_id},
        )
    return others[0] if others else None


def _told(tx: Tx, spoke: Spoke, row: Payment) -> list[Document]:
    """Payments of the invoices that a row names, else of its customer, that others have told of."""
    about = {one.document.document_id or "" for one in row.allocations}
    about = about or ({row.customer.document_id or ""} if row.customer else set())
    found: dict[str, Document] = {}
    for document in about - {""}:
        for relation in documents.relations(tx, spoke.tenant, document):
            if relation.other == document and relation.kind in ("allocation", CUSTOMER):
                one = documents.peek(tx, spoke.tenant, relation.document)
                if one and one.kind == "payment" and one.source != spoke.id and one.state != "reversed":
                    found[one.id] = documents.get(tx, spoke.tenant, one.id)
    return list(found.values())


def _settles(payment: Payment) -> frozenset[str | None]:
    return frozenset(one.document.document_id for one in payment.allocations)
