"""Incoming invoices: from the bytes that somebody sent us to the ledger's place for them.

One door, `receive`, for whoever delivers: the API, the command line, an access point. It keeps the bytes as they came,
known by the message's own id; a message that comes again is the same one. Everything else is decided in its turn
(`take_incoming`):

* what is no EHF, or is not for this company, waits as the arrival it is; nothing of it is lost
* what is an invoice becomes a document with its original. What speaks against bringing it to the ledger (invalid by the
  official rules, here already, another bank account than the supplier's) holds it for a person, each reason by itself
* what the ledger has received itself, by supplier, number and amount, waits for a person like what came twice

Totals are what the invoice states; a figure that a rule would compute otherwise is a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.errors import Clash, Stop
from connector.mapping import Tenant
from connector.mapping.tenants import CONNECTOR, NOBODY, TenantRoute
from connector.model import Invoice, Supplier
from connector.ports import Kind
from connector.store import Tx, arrivals, attention, documents, operations
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.operations import Operation
from connector.sync import effects
from connector.sync.canonical import stored
from connector.sync.intake import Filed, under_way
from connector.sync.objections import HELD, account, for_us, invalid, is_same, notes, readable, received_there, twice
from connector.sync.spokes import REPLACED, Spokes, check_can
from connector.sync.suppliers import SUPPLIER, accept_accounts, supplier_of

INCOMING = "incoming-invoice"
"""Kind of arrivals that are EHFs sent to us."""
KIND = Kind.SUPPLIER_INVOICE.value
XML = "application/xml"
VERBS = ("accept", "refuse")


# --- the door ---------------------------------------------------------------------------------------------------------


def receive(
    tx: Tx, tenant: Tenant, *, source: str, message: str, body: bytes, route: str | None = None, **said: Any
) -> Operation:
    """Keep an EHF that somebody sent us. The same message again (same source and id) is the same operation.

    Args:
        source: who delivers: `api`, an access point's name.
        message: id of the message there, unique for ever: the SBDH instance identifier, an Idempotency-Key.
        body: the bytes, as received; whatever they are, they are kept.
        route: the tenant's route; the one on which `connector` receives, where left out.
        said: what else belongs to the message (JSON-able).

    Raises:
        Stop: nobody receives here, or not this service (`receives-elsewhere`, `route-unclear`).
        Clash: `arrival-differs`: the message came before with other bytes.
    """
    way = incoming_route(tenant, route)
    arrival, _ = arrivals.arrive(
        tx,
        tenant=tenant.name,
        source=source,
        kind=INCOMING,
        key=f"{INCOMING}/{message}",
        body=body,
        content_type=XML,
        headers={"route": way.name, "message": message, **said},
    )
    there = operations.find(tx, arrival=arrival, live=False)
    return there[0] if there else operations.accept(tx, tenant=tenant.name, kind=KIND, arrival=arrival)


def incoming_route(tenant: Tenant, name: str | None = None) -> TenantRoute:
    """The route on which this service receives. Raises `Stop` where there is none or the name is wrong."""
    named = [route for route in tenant.routes.values() if name in (None, route.name)]
    fitting = [route for route in named if route.receives == CONNECTOR]
    if len(fitting) == 1:
        return fitting[0]
    owners = {route.receives for route in named} - {CONNECTOR}
    if not fitting:
        who = ", ".join(sorted(owners - {NOBODY})) or "nobody"
        raise Stop(
            f"Incoming documents of {tenant.name} are received by {who}, not by this service.",
            code="receives-elsewhere",
            do=f"Where it shall take them, write `receives: {CONNECTOR}` on the route.",
            where={"tenant": tenant.name, "file": tenant.file},
        )
    raise Stop(
        f"Several routes of {tenant.name} receive: {', '.join(route.name for route in fitting)}.",
        code="route-unclear",
        do="Name the route.",
        where={"tenant": tenant.name, "file": tenant.file},
    )


# --- in its turn ------------------------------------------------------------------------------------------------------


def take_incoming(tx: Tx, arrival: Arrival, spokes: Spokes) -> str:
    """The arrival of an EHF that somebody sent us."""
    tenant = spokes.tenant(arrival.tenant)
    route = incoming_route(tenant, (arrival.headers or {}).get("route"))
    invoice = readable(arrival.body)
    reasons = for_us(tenant, invoice)
    key = f"{arrival.source}/{arrival.key}"
    there = documents.by_key(tx, tenant.name, KIND, key)
    if there is not None:
        return there.id
    supplier = supplier_of(tx, tenant.name, invoice.seller)
    others = same_number(tx, tenant.name, supplier, invoice)
    mirrored = next((one for one in others if _from_ledger(tx, tenant, one) and is_same(one, invoice)), None)
    reasons += invalid(arrival.body)
    reasons += received_there(invoice, mirrored)
    reasons += twice(invoice, [one for one in others if mirrored is None or one.id != mirrored.id])
    reasons += account(invoice, Supplier.model_validate(supplier.body), route)
    made = _insert(tx, tenant, invoice, arrival, key=key, source=route.name, held=bool(reasons))
    documents.relate(tx, tenant=tenant.name, document=made.id, kind=SUPPLIER, other=supplier.id)
    told: dict[str, Any] = {"number": made.number, "supplier": made.counterparty_name, "currency": made.currency,
            "payable": str(made.payable), "route": route.name}  # fmt: skip
    if found := notes(invoice):
        told["notes"] = found
    tx.emit(tenant.name, f"{KIND}.received", document=made.id, data=told)
    if not reasons:
        release(tx, spokes, made, operations.find(tx, arrival=arrival.id))
        return made.id
    for reason in reasons:
        reason.at(document=made.id)
        attention.ask(
            tx, tenant=tenant.name, about=f"{reason.code}:{made.id}", reason=reason, verbs=VERBS, document=made.id
        )
    for operation in operations.find(tx, arrival=arrival.id):
        operations.move(tx, operation, "waiting", document=made.id, result=reasons[0].as_json())
    tx.emit(tenant.name, f"{KIND}.held", document=made.id, data={"reasons": [reason.code for reason in reasons]})
    return made.id


def release(tx: Tx, spokes: Spokes, document: Document, following: Sequence[Operation]) -> Document:
    """Nothing holds it any more: its accounts are known from now on, and it goes to the ledgers of its route.

    Raises `Stop` (`operation-not-supported`) where one of them takes no incoming invoices.
    """
    tenant = spokes.tenant(document.tenant)
    invoice = Invoice.model_validate(document.body)
    supplier = documents.locked(tx, document.tenant, supplier_id(tx, document))
    accept_accounts(tx, supplier, invoice)
    if document.state == "held":
        document = documents.change(tx, document, state="received")
    works = []
    route = tenant.routes.get(document.source or "")
    for name in route.to if route else ():
        spoke = spokes.named(document.tenant, name)
        check_can(spoke, KIND, "create")  # before its supplier is told there
        needs = effects.need(tx, spoke, document, SUPPLIER, supplier.id)
        works.append(effects.push(tx, spoke, KIND, document.id, needs=needs))
    filed = Filed(document.id, [work for work in works if work is not None])
    for operation in following:
        if operation.state == "waiting":
            operations.move(tx, operation, "accepted", document=document.id)
            operation = operations.get(tx, operation.tenant, operation.id)
        under_way(tx, operation, filed)
    return document


def refuse(tx: Tx, document: Document, reason: Mapping[str, Any], who: str) -> Document:
    """It shall not go to any ledger; it is kept, and so is why."""
    for code in HELD:
        attention.close(tx, f"{code}:{document.id}", who=who, how="refuse")
    document = documents.change(tx, document, state="refused", open_amount=Decimal(0))
    tx.emit(document.tenant, f"{KIND}.refused", document=document.id, data={"code": reason.get("code")})
    for operation in operations.find(tx, document=document.id):
        operations.move(tx, operation, "rejected", result=dict(reason))
    return document


def is_the_ledgers(tx: Tx, document: Document, other: str, who: str) -> Document:
    """A person says that it is the one which the ledger has received itself: what came is kept with that one."""
    original = documents.original(tx, document.tenant, document.id)
    assert original is not None
    mirrored = documents.locked(tx, document.tenant, other)
    if documents.original(tx, document.tenant, other) is None:
        mirrored = _recognised(tx, mirrored, Invoice.model_validate(document.body), original[0])
    for code in HELD:
        attention.close(tx, f"{code}:{document.id}", who=who, how="refuse")
    done = {"document": other, "recognised": "The ledger received it itself; it is not sent again."}
    for operation in operations.find(tx, document=document.id):
        operations.move(tx, operation, "done", document=other, result=done)
    documents.change(tx, document, state=REPLACED, open_amount=Decimal(0))
    return mirrored


def holds(tx: Tx, document: Document) -> list[str]:
    """Codes of what still holds a document."""
    return [code for code in HELD if attention.find(tx, tenant=document.tenant, about=f"{code}:{document.id}")]


# --- what there is ----------------------------------------------------------------------------------------------------


def supplier_id(tx: Tx, document: Document) -> str:
    """The supplier of an incoming invoice."""
    for row in documents.relations(tx, document.tenant, document.id):
        if row.kind == SUPPLIER and row.document == document.id:
            return row.other
    raise RuntimeError(f"the incoming invoice {document.id} is from nobody")


def same_number(tx: Tx, tenant: str, supplier: Document, invoice: Invoice) -> list[Document]:
    """Documents of this supplier with the number and kind of an invoice, but for those that are refused or have
    turned out to be another one; oldest first.
    """
    if not invoice.number:
        return []
    found = []
    for head in documents.find(tx, tenant, kind=KIND, number=invoice.number, limit=500):
        if head.state in ("refused", REPLACED) or supplier_id(tx, head) != supplier.id:
            continue
        document = documents.get(tx, tenant, head.id)
        if (document.body or {}).get("kind", "invoice") == invoice.kind:
            found.append(document)
    return found


def _insert(
    tx: Tx, tenant: Tenant, invoice: Invoice, arrival: Arrival, *, key: str, source: str, held: bool
) -> Document:
    assert invoice.totals is not None
    try:
        return documents.insert(
            tx,
            tenant=tenant.name,
            kind=KIND,
            business_key=key,
            body=stored(lean(invoice)),
            state="held" if held else "received",
            original=arrival.body,
            content_type=XML,
            source=source,
            arrival=arrival.id,
            **columns(invoice),
        )
    except Clash as clash:  # pragma: no cover - the supplier is locked
        raise RuntimeError(f"two incoming documents with the key {key}: {clash.where}") from None


def columns(invoice: Invoice) -> dict[str, Any]:
    """The plain columns of an incoming invoice; its counterparty is who sells."""
    payable = invoice.totals.payable if invoice.totals else None
    return {
        "direction": "incoming",
        "number": invoice.number,
        "kid": invoice.payment_id,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "currency": invoice.currency,
        "payable": payable,
        "open_amount": payable,
        "counterparty_name": invoice.seller.name,
        "counterparty_number": invoice.seller.organisation_number,
    }


def lean(invoice: Invoice) -> Invoice:
    """The invoice without the bytes of its attachments: the original has them."""
    kept = tuple(
        one.model_copy(update={"embedded": one.embedded.model_copy(update={"content": b""})}) if one.embedded else one
        for one in invoice.attachments
    )
    return invoice.model_copy(update={"attachments": kept})


def _from_ledger(tx: Tx, tenant: Tenant, document: Document) -> bool:
    """Whether it was first seen in a ledger, and has not come as bytes since."""
    return document.source not in tenant.routes and documents.original(tx, document.tenant, document.id) is None


def _recognised(tx: Tx, mirrored: Document, invoice: Invoice, original: bytes) -> Document:
    """What the ledger received itself, we have now as well: one document, with the original and all it says."""
    state = mirrored.state
    open_amount = mirrored.open_amount
    kept = {name: value for name, value in columns(invoice).items() if name not in ("open_amount",)}
    documents.keep_original(tx, mirrored, original, XML)
    document = documents.change(tx, mirrored, body=stored(lean(invoice)), state=state, open_amount=open_amount, **kept)
    tx.emit(
        mirrored.tenant,
        f"{KIND}.recognised",
        document=mirrored.id,
        data={"number": document.number, "supplier": document.counterparty_name},
    )
    return document
