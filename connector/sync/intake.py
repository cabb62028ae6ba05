"""What programs post becomes documents, and what the world should now be told: arrivals of the source `api`.

One transaction makes the document, the customer it is for, the work for every connection on its route, and the event:
the one that keeps the arrival, where nothing stands in the way (`file_invoice`); else a later one of the inbox
(`take_invoice`). Payments and reversals are in `connector.sync.postings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from connector.ehf import read, validate, write
from connector.errors import BadInput, Clash
from connector.lanes.schedule import OSLO
from connector.mapping.tenants import CONNECTOR, COUNTERPARTY, TenantRoute
from connector.model import (
    Customer,
    Difference,
    Draft,
    Invoice,
    Uncomposable,
    compose,
    judge,
    plain,
)
from connector.model.json import loads
from connector.store import Tx, documents, operations
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.store.operations import Operation
from connector.store.schema import scaled
from connector.sync import coded, effects
from connector.sync.canonical import stored
from connector.sync.credits import CREDITS, credited
from connector.sync.identity import columns, same
from connector.sync.issued import issued
from connector.sync.keys import customer_key, invoice_key
from connector.sync.money import CUSTOMER
from connector.sync.settlements import prepay, push_settlements, uses_of
from connector.sync.spokes import Spokes, route_of

SOURCE = "api"
XML = ("application/xml", "text/xml")


def invoice_of(body: bytes, content_type: str | None, *, drop_number: bool = False) -> Invoice:
    """The invoice that was posted: model JSON (a draft is composed) or EHF.

    Args:
        body: bytes as received.
        content_type: media type; XML is EHF, anything else JSON.
        drop_number: it is a draft whose number means nothing.

    Raises:
        BadInput: it is neither, or its own figures do not hold together; every fault is in `details`.
    """
    invoice = read_invoice(body, content_type, drop_number=drop_number)
    for wrong in objections(invoice):
        raise wrong
    return invoice


def read_invoice(body: bytes, content_type: str | None, *, drop_number: bool = False) -> Invoice:
    """The same before it is judged. Raises `BadInput`: it is neither JSON nor EHF, or lacks what every invoice has."""
    invoice = read(body) if content_type in XML else _drafted(body)
    if drop_number:
        # What the source called its draft is the source's own id of it: known by that, it is taken once.
        return invoice.model_copy(update={"number": None, "source_id": invoice.source_id or invoice.number})
    return invoice


def objections(invoice: Invoice) -> Iterator[BadInput]:
    """Why an invoice cannot be taken, whatever its route: its figures, who its buyer is, an amount nobody can keep."""
    differences = judge(invoice) if invoice.totals else []
    if differences:
        yield BadInput(
            f"The stated totals do not hold together: {_apart(differences[0])['message']}",
            code="totals-wrong",
            do="Mend the figures named, or leave `totals` and `vat_breakdown` out and they are made.",
            details=[_apart(difference) for difference in differences],
        )
    for check in (lambda: customer_key(buyer_of(invoice)), lambda: invoice.totals and scaled(invoice.totals.payable)):
        try:
            check()
        except BadInput as error:
            yield error


def check_route(route: TenantRoute, invoice: Invoice) -> None:
    """Whether this route can take this document.

    Raises:
        BadInput: `numbered-document` where the ledger issues, `number-missing` where the source or the buyer does;
            `self-billing`: the buyer has made it, and somebody else issues; `not-self-billed`: the other way round.
    """
    by_buyer = route.issues == COUNTERPARTY
    if invoice.is_self_billed and not by_buyer:
        raise BadInput(
            f"The document is self-billed (type {invoice.type_code}): the buyer has issued it, and on the route"
            f" `{route.name}` {'the source' if route.numbered else 'the ledger'} issues.",
            code="self-billing",
            do=f"Use a route with `issues: {COUNTERPARTY}`: it is booked there as the buyer has issued it.",
            where={"route": route.name, "field": "type_code"},
        )
    if by_buyer and not invoice.is_self_billed:
        raise BadInput(
            f"On the route `{route.name}` buyers issue; a document of type {invoice.type_code} is the seller's.",
            code="not-self-billed",
            do="A self-billed invoice has the type code 389, a self-billed credit note 261 (BT-3). What is the"
            " seller's own takes another route.",
            where={"route": route.name, "field": "type_code"},
        )
    if route.issues in route.to and invoice.number:
        raise BadInput(
            f"The document has the number {invoice.number}, but on the route `{route.name}` the ledger issues: it would"
            " get another number there.",
            code="numbered-document",
            do="Either send it as a draft (`draft=true`): its number is dropped and the ledger gives it one; or use a"
            " route with `issues: source`, where it keeps its number and is booked as issued elsewhere.",
            where={"route": route.name, "field": "number"},
        )
    if route.numbered and not invoice.number:
        raise BadInput(
            f"On the route `{route.name}` the {'buyer' if by_buyer else 'source'} issues; the document has no number.",
            code="number-missing",
            do="Send the number it was issued under (BT-1).",
            where={"route": route.name, "field": "number"},
        )


def check_sendable(route: TenantRoute, invoice: Invoice) -> None:
    """What a ledger is to number and this service to send is judged before: else it would be issued, and could not be
    sent as it is.

    Raises:
        BadInput: `ehf-invalid`, with every official rule that it would break; as `connector.ehf.write`.
    """
    if route.sends != CONNECTOR or route.issues not in route.to:
        return
    found = [finding.as_json() for finding in validate(write(as_issued(invoice))).fatal]
    if found:
        first = found[0]
        raise BadInput(
            f"It could not be sent as EHF: it would break {len(found)} of the rules, the first {first['rule']}:"
            f" {first['message']['en']}",
            code="ehf-invalid",
            do="Mend what the findings name and send it again; nothing has been issued.",
            details=found,
        )


def as_issued(invoice: Invoice) -> Invoice:
    """A draft as it will be when the ledger has given it what ledgers give: a number and its dates."""
    day = invoice.issue_date or datetime.now(OSLO).date()
    return invoice.model_copy(
        update={"number": invoice.number or "0", "issue_date": day, "due_date": invoice.due_date or day}
    )


@dataclass(frozen=True, slots=True)
class Filed:
    """What was made of something posted: its document, and the works that bring it to the connections of its route."""

    document: str
    works: Sequence[str] = ()


def file_invoice(
    tx: Tx,
    spokes: Spokes,
    tenant: str,
    route: TenantRoute,
    invoice: Invoice,
    *,
    arrival: str,
    received: tuple[bytes, str | None],
) -> Filed:
    """Document, customer, work and event of an invoice or credit note that was posted and may take this route.

    Args:
        arrival: the id of its arrival.
        received: its bytes and their media type; an EHF is kept as it came.

    Raises:
        Clash: it is here already; the one there, and whether it says the same, as `documents.insert` says it.
        BadInput: it is a credit note that cannot be, as `credits.credited` says.
    """
    key, digest = invoice_key(invoice), documents.digest_of(stored(invoice))
    credits = None
    if invoice.is_credit_note:
        there = documents.by_key(tx, tenant, invoice.kind, key)
        if there is not None:  # what it credits has been taken by itself
            same = {"same": there.digest == digest}
            raise Clash("It is here already.", code="document-exists", where={"document": there.id}, details=same)
        stated = states_totals(*received)
        credits, invoice = credited(tx, spokes, tenant, route, invoice, stated=stated)
    customer = customer_of(tx, tenant, invoice)
    totals = invoice.totals
    assert totals is not None
    prepaid = totals.prepaid or Decimal(0)
    # What is owed is the whole; the advance is credit of the customer that is applied to it.
    ledgers = [spokes.named(tenant, name) for name in route.to]
    uses = uses_of(tx, tenant, customer.id, invoice.currency, prepaid, ledgers) if prepaid else []
    owed = totals.payable + prepaid
    original, content_type = received if received[1] in XML else (None, None)
    made = documents.insert(
        tx,
        tenant=tenant,
        kind=invoice.kind,
        business_key=key,
        body=stored(invoice),
        digest=digest,
        state="accepted",
        original=original,
        content_type=content_type,
        source=route.name,
        direction=invoice.direction,
        number=invoice.number,
        source_id=invoice.source_id,
        kid=invoice.payment_id,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        currency=invoice.currency,
        payable=owed,
        open_amount=owed,
        counterparty_name=invoice.buyer.name,
        counterparty_number=invoice.buyer.organisation_number,
        arrival=arrival,
    )
    documents.relate(tx, tenant=tenant, document=made.id, kind=CUSTOMER, other=customer.id)
    if credits is not None:
        documents.relate(tx, tenant=tenant, document=made.id, kind=CREDITS, other=credits.id)
    if prepaid:
        made = prepay(tx, made, uses, prepaid)
    pushes = []
    for spoke in ledgers:
        needs = effects.need(tx, spoke, made, "customer", customer.id)
        needs += coded.needs(tx, spoke, made, invoice)
        if credits is not None:
            needs += effects.need(tx, spoke, made, "invoice", credits.id)
        pushes.append(effects.push(tx, spoke, invoice.kind, made.id, needs=needs))
        if prepaid:
            push_settlements(tx, spoke, made.id)
    tx.emit(tenant, f"{invoice.kind}.accepted", document=made.id, data=_seen(made, route.name))
    issued(tx, spokes, made)
    return Filed(made.id, [work for work in pushes if work is not None])


def take_invoice(tx: Tx, arrival: Arrival, spokes: Spokes) -> str:
    """The arrival of an invoice that a program posted."""
    said = arrival.headers or {}
    invoice = invoice_of(arrival.body, arrival.content_type, drop_number=bool(said.get("draft")))
    route = route_of(spokes.tenant(arrival.tenant), said.get("route"), SOURCE)
    check_route(route, invoice)
    check_sendable(route, invoice)
    received = (arrival.body, arrival.content_type)
    try:
        filed = file_invoice(tx, spokes, arrival.tenant, route, invoice, arrival=arrival.id, received=received)
    except Clash as clash:
        if not clash.details["same"]:
            raise
        filed = Filed(str(clash.where["document"]))
    for operation in operations.find(tx, arrival=arrival.id):
        under_way(tx, operation, filed)
    return filed.document


def under_way(tx: Tx, operation: Operation, filed: Filed) -> None:
    """Tie the operation that a program follows to its document and work; it is over where nothing is to be pushed."""
    if filed.works:
        operations.move(tx, operation, operation.state, document=filed.document, work=filed.works[0])
    else:
        operations.move(tx, operation, "done", document=filed.document, result={"document": filed.document})


def customer_of(tx: Tx, tenant: str, invoice: Invoice) -> Document:
    """The customer an invoice is for: the one there is, else a new one made from the buyer."""
    customer = buyer_of(invoice)
    there = same(tx, tenant, "customer", customer)
    if there is not None:
        return there
    return documents.insert(
        tx,
        tenant=tenant,
        kind="customer",
        body=stored(customer),
        state="known",
        source_id=customer.source_id,
        **columns("customer", customer),
    )


def buyer_of(invoice: Invoice) -> Customer:
    """The customer that an invoice names."""
    return Customer(source_id=invoice.customer_id, number=invoice.customer_id, party=invoice.buyer)


def _apart(one: Difference) -> dict[str, str]:
    """A difference in words: which figure, what it says, what the others make of it."""
    stated, computed = (plain(value) if value is not None else "nothing" for value in (one.stated, one.computed))
    return {"rule": one.rule, "field": one.at, "message": f"{one.at} is {stated}, the other figures make {computed}"}


def _seen(document: Document, route: str) -> dict[str, Any]:
    return {
        "number": document.number,
        "currency": document.currency,
        "payable": str(document.payable),
        "route": route,
    }


def json_of(body: bytes) -> Any:
    """What a body says as JSON. Raises `BadInput` (`body-malformed`)."""
    try:
        return loads(body)
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInput(f"The body is no JSON: {error}", code="body-malformed", do="Send JSON in UTF-8.") from None


def states_totals(body: bytes, content_type: str | None) -> bool:
    """Whether a posted document came with its totals; else they are made here."""
    if content_type in XML:
        return True
    said = json_of(body)
    return isinstance(said, Mapping) and said.get("totals") is not None


def _drafted(body: bytes) -> Invoice:
    stated = states_totals(body, None)
    # The models read the bytes themselves: only so do they see a number that would have passed through a float.
    try:
        if stated:
            return Invoice.model_validate_json(body)
        return compose(Draft.model_validate_json(body))
    except ValidationError as error:
        raise faults(error, "invoice") from None
    except Uncomposable as error:
        raise BadInput(
            str(error),
            code="not-composable",
            do="Give each line a price and quantity, or a net.",
            details=[{"field": one.at, "code": one.code, "message": one.says} for one in error.problems],
        ) from None


def faults(error: ValidationError, what: str) -> BadInput:
    """What a model found wrong with a body, each fault with its field."""
    faults = [
        {"field": ".".join(map(str, fault["loc"])), "code": fault["type"].replace("_", "-"), "message": fault["msg"]}
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = faults[0]
    return BadInput(
        f"{first['field'] or what}: {first['message']}",
        code=first["code"] if len(faults) == 1 and "-" in first["code"] else f"{what}-malformed",
        where={"field": first["field"]} if first["field"] else {},
        details=faults,
    )
