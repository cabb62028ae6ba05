"""Self-billing: a sale of ours whose invoice the buyer has written, in a series of the buyer's own.

It comes from the buyer through an access point (`receive_sale`), and only where the tenant's file has asked for it, by
a route with `issues: counterparty`. It is kept as it came, known by the message's own id; a message that comes again is
the same one, and nothing else makes two messages one. In its turn (`take_sale`) it becomes an invoice or credit note
like those that their source has issued: it keeps its number and its bytes, is booked by the ledgers of the route as
issued elsewhere, and is sent to nobody. What speaks against that waits for a person, as the arrival it is.
"""

from __future__ import annotations

from typing import Any

from connector.errors import Clash, ConnectorError, Stop
from connector.lanes import Verb
from connector.mapping import Tenant
from connector.mapping.tenants import COUNTERPARTY, TenantRoute
from connector.model import Invoice
from connector.store import Tx, arrivals, attention, documents
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.sync.credits import in_series_of
from connector.sync.intake import check_route, file_invoice, objections
from connector.sync.objections import invalid, readable
from connector.sync.spokes import Spokes

SALE = "self-billed-sale"
"""Kind of arrivals that are EHFs which buyers have written for our sales."""
XML = "application/xml"


def receive_sale(tx: Tx, tenant: Tenant, *, source: str, message: str, body: bytes, **said: Any) -> str:
    """Keep an EHF that a buyer has written for our sale. The same message again (same source and id) is the same
    arrival. Its id.

    Args:
        source: who delivers.
        message: id of the message there, unique for ever: the SBDH instance identifier.
        body: the bytes, as received.
        said: what else belongs to the message (JSON-able).

    Raises:
        Stop: the tenant's file does not ask for it (`self-billing`).
        Clash: `arrival-differs`: the message came before with other bytes.
    """
    counterparty_route(tenant)
    return arrivals.arrive(
        tx,
        tenant=tenant.name,
        source=source,
        kind=SALE,
        key=f"{SALE}/{message}",
        body=body,
        content_type=XML,
        headers={"message": message, **said},
    )[0]


def counterparty_route(tenant: Tenant) -> TenantRoute:
    """The route on which buyers issue; a file has one at most. Raises `Stop` (`self-billing`) where it has none."""
    for route in tenant.routes.values():
        if route.issues == COUNTERPARTY:
            return route
    books = ", ".join(dict.fromkeys(name for route in tenant.routes.values() for name in route.to))
    raise Stop(
        "It is self-billing: a sale of the company's that the buyer has written the invoice for. No route of"
        f" {tenant.name} takes that.",
        code="self-billing",
        do="If it is agreed with the buyer, write a route into the tenant's file, under `routes:`: `self-billed:"
        f" {{takes: [], to: [{books}], issues: {COUNTERPARTY}, takes_bank_money: …}}`, bank money as on the route of"
        " your other sales; start the service again, then retry. If it is not, tell the buyer, and cancel this.",
        where={"tenant": tenant.name, "file": tenant.file},
    )


# --- in its turn ------------------------------------------------------------------------------------------------------


def take_sale(tx: Tx, arrival: Arrival, spokes: Spokes) -> str:
    """The arrival of an EHF that a buyer has written for our sale."""
    tenant = spokes.tenant(arrival.tenant)
    route = counterparty_route(tenant)
    invoice = readable(arrival.body, direction="outgoing")
    _ours(tenant, invoice)
    _from_buyer(tx, arrival, invoice)
    _sound(tx, arrival, invoice)
    check_route(route, invoice)
    there = _there(tx, arrival, invoice)
    if there is not None:
        return there
    received = (arrival.body, arrival.content_type)
    try:
        return file_invoice(tx, spokes, tenant.name, route, invoice, arrival=arrival.id, received=received).document
    except Clash as clash:
        raise _twice(invoice, documents.get(tx, tenant.name, str(clash.where["document"])), sure=True) from None


def _ours(tenant: Tenant, invoice: Invoice) -> None:
    """Whether it is this company's sale to somebody else.

    Raises:
        Stop: `organisation-number-missing`, `wrong-seller`, `own-purchase`.
    """
    own = tenant.organisation_number
    if own is None:
        raise Stop(
            f"Whether it is a sale of {tenant.title} cannot be known: the tenant's file has no organisation number.",
            code="organisation-number-missing",
            do="Add `organisation_number` to the tenant's file, then retry.",
            where={"file": tenant.file},
        )
    seller, buyer = invoice.seller.organisation_number, invoice.buyer.organisation_number
    if seller != own:
        raise Stop(
            f"It is a sale of {invoice.seller.name or 'somebody'} ({seller or 'no organisation number'}), not of"
            f" {tenant.title} ({own}).",
            code="wrong-seller",
            do="Tell the buyer who has sent it, and cancel this; nothing of it goes to any books.",
            where={"seller": seller, "own": own},
        )
    if buyer == own:
        raise Stop(
            f"{tenant.title} is its seller and its buyer.",
            code="own-purchase",
            do="Nobody sells to himself: tell who has sent it, and cancel this.",
            where={"buyer": buyer},
        )


def _from_buyer(tx: Tx, arrival: Arrival, invoice: Invoice) -> None:
    """Whether it comes from the buyer, as far as the envelope tells: whoever else writes it makes a claim of us.

    Raises:
        Stop: `sender-differs`; it can be accepted.
    """
    sender = str((arrival.headers or {}).get("sender") or "").partition(":")[2]
    buyer = invoice.buyer
    names = {str(buyer.organisation_number or ""), buyer.endpoint.value.lower() if buyer.endpoint else ""}
    if not sender or sender in names or _accepted(tx, arrival, "sender-differs"):
        return
    raise Stop(
        f"{invoice.number} is written by {buyer.name or 'a buyer'}, and {sender} has sent it.",
        code="sender-differs",
        do=f"Ask {buyer.name or 'the buyer'}. accept: they send for the buyer. cancel: it does not go to the books.",
        where={"sender": sender, "buyer": buyer.organisation_number},
        answers=(Verb.ACCEPT,),
    )


def _sound(tx: Tx, arrival: Arrival, invoice: Invoice) -> None:
    """Whether it keeps the official rules, or a person has taken it as it is; and whether books can hold it.

    Raises:
        Stop: `ehf-invalid`, with every finding. It can be accepted where its figures hold together.
        BadInput: as `intake.objections` says.
    """
    faults = list(objections(invoice))
    for reason in invalid(arrival.body):
        if not _accepted(tx, arrival, reason.code):
            reason.answers = () if faults else (Verb.ACCEPT,)
            taken = "" if faults else "accept: take it as it is. "
            reason.do = f"{taken}cancel: it does not go to the books; ask the buyer for a sound one."
            raise reason
    for fault in faults:
        raise fault


def _there(tx: Tx, arrival: Arrival, invoice: Invoice) -> str | None:
    """The document that was made of this very arrival, where it was handled before.

    Raises:
        Stop: `invoice-twice`: the buyer has used the number before, in this year or for the same amount. It can be
            accepted where it is of another year: then it is another document.
    """
    others = in_series_of(tx, arrival.tenant, invoice, invoice.kind, invoice.number or "")
    for other in others:
        if other.arrival == arrival.id:
            return other.id
    for other in others:
        if _year(other) == _year(invoice):
            raise _twice(invoice, other, sure=True)
    for other in others:
        if _same_amount(invoice, other) and not _accepted(tx, arrival, "invoice-twice"):
            raise _twice(invoice, other, sure=False)
    return None


def _twice(invoice: Invoice, other: Document, *, sure: bool) -> ConnectorError:
    """`sure`: the two cannot both be, as a number is used once in a year."""
    assert invoice.totals is not None
    same = _same_amount(invoice, other)
    number = "cancel: it is the same one, sent twice."
    another = (
        " Is it another one, ask the buyer to send it under a number of its own, and cancel this."
        if sure
        else " accept: it is another one, and goes to the books as well."
    )
    return Stop(
        f"{invoice.number} of {other.counterparty_name} is here already{'' if same else ' with another amount'}:"
        f" {other.payable} {other.currency} of {other.issue_date}; this one says {invoice.totals.payable}"
        f" {invoice.currency} of {invoice.issue_date}.",
        code="invoice-twice",
        do=number + another,
        where={"other": other.id},
        details={"other": other.id, "same_amount": same},
        answers=() if sure else (Verb.ACCEPT,),
    )


def _year(one: Invoice | Document) -> int | None:
    return one.issue_date.year if one.issue_date else None


def _same_amount(invoice: Invoice, other: Document) -> bool:
    totals = invoice.totals
    assert totals is not None
    owed = totals.payable + (totals.prepaid or 0)
    return (owed, invoice.currency) == (other.payable, other.currency)


def _accepted(tx: Tx, arrival: Arrival, code: str) -> bool:
    """Whether a person has said that an arrival goes on in spite of this."""
    about = f"arrival:{arrival.id}"
    return attention.answered(tx, tenant=arrival.tenant, about=about, code=code, how=Verb.ACCEPT)
