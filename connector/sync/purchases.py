"""What a ledger shows of incoming invoices: matched with those we received, else mirrored; booked and paid there.

Matched by supplier, number, and amount: one invoice is one document, also when the ledger received it itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.errors import Stop
from connector.lanes import Later
from connector.mapping import Tenant
from connector.model import Invoice, Party
from connector.ports import Payable, Record
from connector.store import Tx, documents, links
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.links import Link
from connector.sync import effects
from connector.sync.canonical import stored
from connector.sync.incoming import KIND, columns, same_number
from connector.sync.keeping import PASSING, keep_link, state_of
from connector.sync.objections import is_same
from connector.sync.payables import ask, follow, voucher_of
from connector.sync.spokes import Linked, Spoke
from connector.sync.suppliers import SUPPLIER, supplier_of

_COMPARED = ("number", "issue_date", "currency")


def new_supplier_invoice(tx: Tx, spoke: Spoke, record: Record, arrival: Arrival, tenant: Tenant) -> str | None:
    """An incoming invoice in the system that we have no link for.

    Raises:
        Later: a push of ours that is under way could be it.
    """
    shown = record.payable or Payable()
    fields = spoke.mapping[KIND].into(record.body, Linked(tx, spoke.id, {}))
    if not shown.number and not shown.supplier and not fields.get("seller"):
        return None  # a voucher that says nothing yet
    invoice = _invoice(spoke, record, fields, tenant)
    supplier = _supplier(tx, spoke, record, invoice)
    pushes = effects.could_explain(tx, spoke, KIND)
    if any(one.document and _number_of(tx, spoke, one.document) == shown.number for one in pushes):
        raise Later("a push of ours that is under way could be this incoming invoice", after=1.0)
    there = same_number(tx, spoke.tenant, supplier, invoice)
    ours = next((one for one in there if is_same(one, invoice)), None)
    if ours is None:
        made = _mirrored(tx, spoke, record, arrival, invoice, supplier)
        if there:
            _tell_differs(tx, spoke, made, there[0])
        return made.id
    link = links.of(tx, ours.id, spoke.id, KIND)
    if link is not None and link.state == PASSING and not shown.passing:
        links.named_otherwise(tx, link, record.id)
    elif link is not None:
        _tell_twice(tx, spoke, ours, link, record)
        return ours.id
    keep_link(tx, spoke, KIND, ours, _fields(ours), record, {"number": ours.number, **voucher_of(record)})
    tx.emit(spoke.tenant, f"{KIND}.matched", document=ours.id, connection=spoke.id, data={"connection": spoke.name})
    return follow(tx, spoke, ours, record).id


def _number_of(tx: Tx, spoke: Spoke, document: str) -> str | None:
    return documents.get(tx, spoke.tenant, document).number


def known_supplier_invoice(tx: Tx, spoke: Spoke, document: Document, link: Link, record: Record) -> str:
    """One that we know, changed there: registered, booked, paid. What it says otherwise than the invoice is told."""
    links.change(
        tx, link, state=state_of(record), vendor_version=record.version, base_seen=record.body, **voucher_of(record)
    )
    theirs = spoke.mapping[KIND].into(record.body, Linked(tx, spoke.id, {}))
    tell_drift(tx, spoke, document, theirs)
    return follow(tx, spoke, document, record).id


def _invoice(spoke: Spoke, record: Record, fields: dict[str, Any], tenant: Tenant) -> Invoice:
    """The invoice as far as the ledger shows it. It shows no lines: one stands for all that was bought."""
    own = tenant.organisation_number
    buyer = Party.norwegian(own, tenant.title) if own else Party(name=tenant.title)
    shown = record.payable or Payable()
    what, net = shown.text or f"Invoice {shown.number}", shown.net
    said = {"currency": "NOK", "source_id": f"{spoke.name}/{record.id}", **fields}
    said |= {"buyer": buyer, "lines": [{"id": "1", "name": what, "net": net}], "direction": "incoming"}
    return Invoice.model_validate(said)


def _supplier(tx: Tx, spoke: Spoke, record: Record, invoice: Invoice) -> Document:
    id = record.payable.supplier if record.payable else None
    link = links.by_vendor_id(tx, spoke.id, SUPPLIER, id) if id is not None else None
    if link is None and id is not None:  # a second record of the same supplier is the same supplier
        link = links.part(tx, spoke.id, SUPPLIER, id)
    if link is not None:
        return documents.locked(tx, spoke.tenant, link.document)
    return supplier_of(tx, spoke.tenant, invoice.seller)


def _mirrored(tx: Tx, spoke: Spoke, record: Record, arrival: Arrival, invoice: Invoice, supplier: Document) -> Document:
    made = documents.insert(
        tx,
        tenant=spoke.tenant,
        kind=KIND,
        business_key=f"{spoke.id}/{record.id}",
        body=stored(invoice),
        state="delivered",
        source=spoke.id,
        arrival=arrival.id,
        **columns(invoice),
    )
    documents.relate(tx, tenant=spoke.tenant, document=made.id, kind=SUPPLIER, other=supplier.id)
    keep_link(tx, spoke, KIND, made, invoice.model_dump(), record, {"number": made.number, **voucher_of(record)})
    told = {"connection": spoke.name, "number": made.number, "supplier": made.counterparty_name}
    tx.emit(spoke.tenant, f"{KIND}.found", document=made.id, connection=spoke.id, data=told)
    return follow(tx, spoke, made, record)


def _fields(document: Document) -> dict[str, Any]:
    return Invoice.model_validate(document.body).model_dump()


# --- what a person should know ----------------------------------------------------------------------------------------


def _tell_twice(tx: Tx, spoke: Spoke, ours: Document, link: Link, record: Record) -> None:
    reason = Stop(
        f"{spoke.name} has {ours.number} from {ours.counterparty_name} twice: the vouchers {link.vendor_id} and"
        f" {record.id}.",
        code="supplier-invoice-twice",
        do="Delete one of them in the system before both are booked and paid.",
        where={"document": ours.id, "connection": spoke.id},
        details={"vouchers": [link.vendor_id, record.id]},
    )
    ask(tx, spoke, ours, reason)


def _tell_differs(tx: Tx, spoke: Spoke, made: Document, other: Document) -> None:
    reason = Stop(
        f"{spoke.name} shows {made.number} from {made.counterparty_name} over {made.payable} {made.currency}; we have"
        f" received it over {other.payable} {other.currency}.",
        code="supplier-invoice-differs",
        do="See which of them is right, and correct the other.",
        where={"document": made.id, "other": other.id},
    )
    ask(tx, spoke, made, reason)


def tell_drift(tx: Tx, spoke: Spoke, document: Document, theirs: Mapping[str, Any]) -> None:
    """What is registered in the ledger otherwise than the invoice says: shown with both values, never settled."""
    ours = _fields(document)
    found = [
        {"field": name, "ours": str(ours.get(name)), "theirs": str(theirs[name])}
        for name in _COMPARED
        if theirs.get(name) is not None and theirs[name] != ours.get(name)
    ]
    payable = (theirs.get("totals") or {}).get("payable")
    if payable is not None and payable != document.payable:
        found.append({"field": "totals.payable", "ours": str(document.payable), "theirs": str(payable)})
    if not found:
        return
    first = found[0]
    reason = Stop(
        f"{document.number} from {document.counterparty_name}: `{first['field']}` is {first['ours']} on the invoice and"
        f" {first['theirs']} in {spoke.name}.",
        code="drift",
        do="Mend it in the system; the invoice stays what it is.",
        where={"document": document.id, "connection": spoke.id},
        details=found,
    )
    ask(tx, spoke, document, reason)
