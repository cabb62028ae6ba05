"""Money that programs post: payments, refunds, and what takes them back, with the work for every connection concerned.

One transaction makes the document, what it closes or opens, the work and the events, as for invoices
(`connector.sync.intake`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from connector.errors import BadInput, Missing
from connector.mapping import Tenant
from connector.mapping.duties import account as bank_account
from connector.mapping.tenants import ALL_ACCOUNTS, TenantRoute
from connector.model import Payment, Reversal
from connector.store import Tx, connections, documents, links, operations
from connector.store.arrivals import Arrival
from connector.store.connections import Connection
from connector.store.documents import Document
from connector.store.schema import scaled
from connector.sync import effects, ties
from connector.sync.balance import PART
from connector.sync.bank_money import claim_waiting
from connector.sync.closing import fact_for, reverse
from connector.sync.intake import SOURCE, Filed, faults, json_of, under_way
from connector.sync.ledger_facts import loosen
from connector.sync.matches import come_to_rest
from connector.sync.money import CUSTOMER, allocations_of, credit_for, invoice_for, settle
from connector.sync.parts import fact_of, link_kind, linked, parts
from connector.sync.settlements import push_settlements, round_off
from connector.sync.spokes import Spoke, Spokes, reaches
from connector.sync.withdrawing import cancelled


def payment_of(body: bytes) -> Payment:
    """The payment that was posted, as model JSON. Raises `BadInput` with every fault."""
    json_of(body)
    try:
        payment = Payment.model_validate_json(body)
    except ValidationError as error:
        raise faults(error, "payment") from None
    for amount in (payment.amount, *(one.amount for one in payment.allocations)):
        scaled(amount)
    return payment


def reversal_of(body: bytes) -> Reversal:
    """The reversal that was posted, as model JSON. Raises `BadInput` with every fault."""
    json_of(body)
    try:
        return Reversal.model_validate_json(body)
    except ValidationError as error:
        raise faults(error, "reversal") from None


def file_payment(tx: Tx, spokes: Spokes, tenant: str, payment: Payment, *, arrival: str) -> Filed:
    """Document, allocations, open amounts, work and events of a payment that was posted. Raises as `money.settle`."""
    made, settled = settle(tx, tenant, SOURCE, payment, arrival=arrival)
    ledgers = spokes_of(tx, spokes, made)
    for spoke in ledgers:
        claim_waiting(tx, spokes, spoke, made)
    works = push_payment(tx, ledgers, made)
    for document in settled:
        document = round_off(tx, payment, made, document, ledgers)
        for spoke in ledgers:
            push_settlements(tx, spoke, document.id, needs=[one.id for one in effects.live(tx, spoke, made.id)])
    return Filed(made.id, works)


def push_payment(
    tx: Tx, wanted: Sequence[Spoke], payment: Document, *, planned: Mapping[str, str | None] | None = None
) -> list[str]:
    """Have each part of a payment brought to these systems that is not there, after what it refers to. `planned`: as
    `effects.push`.
    """
    pushes = []
    for number, part in enumerate(parts(tx, payment)):
        for spoke in wanted:
            if links.of(tx, payment.id, spoke.id, part.link) is not None or cancelled(tx, payment, number):
                continue
            if "invoice" in part.related and effects.stays(tx, spoke, part.related["invoice"]):
                continue
            needs: tuple[str, ...] = ()
            for kind in ("invoice", "payment", "credit_note", CUSTOMER):
                if kind in part.related and (kind != CUSTOMER or "invoice" not in part.related):
                    needs += effects.need(tx, spoke, payment, kind, part.related[kind])
            pushes.append(effects.push(tx, spoke, "payment", payment.id, needs=needs, part=number, planned=planned))
    return [work for work in pushes if work is not None]


def file_reversal(tx: Tx, spokes: Spokes, tenant: str, reversal: Reversal, *, arrival: str) -> Filed:
    """Document, open amounts, work and events of a reversal that was posted. Raises as `closing.reverse`."""
    fact = fact_for(tx, tenant, reversal)
    wanted = spokes_of(tx, spokes, fact) if fact.state != "reversed" else []
    for spoke in wanted:
        # What a ledger shows to use it is loosened there by the reversal, too.
        loosen(tx, spoke, fact, reversal.date, only_theirs=True)
        fact = documents.get(tx, tenant, fact.id)
    made, opened = reverse(tx, tenant, SOURCE, reversal, fact, arrival=arrival)
    for spoke in wanted:
        ties.touch(tx, *(document.id for document in opened))
        come_to_rest(tx, spoke, reversal.date)
    return Filed(made.id, push_reversal(tx, spokes, made))


def push_reversal(tx: Tx, spokes: Spokes, reversal: Document, *, but: Spoke | None = None) -> list[str]:
    """Have what a reversal takes back taken back in every system that has it, or is about to. `but`: the one that told
    of it.
    """
    fact, pushes = fact_of(tx, reversal), []
    for spoke in spokes_of(tx, spokes, fact):
        if but is not None and spoke.id == but.id:
            continue
        there = len(linked(tx, fact, spoke.id))
        needs = tuple(work.id for work in effects.live(tx, spoke, fact.id))
        count = len(parts(tx, fact)) if needs and fact.kind == "payment" else there
        gone = _reversed_there(tx, spoke, fact)
        pushes += [
            effects.push(tx, spoke, "reversal", reversal.id, needs=needs, part=number)
            for number in range(count)
            if link_kind("reversal", number) not in gone
        ]
    return [work for work in pushes if work is not None]


def _reversed_there(tx: Tx, spoke: Spoke, fact: Document) -> set[str]:
    """Kinds of the links of what has taken back single parts of a payment in a system already."""
    rows = [row for row in documents.relations(tx, fact.tenant, fact.id) if row.kind == PART and row.other == fact.id]
    return {link.kind for row in rows for link in links.all_of(tx, row.document) if link.connection == spoke.id}


def spokes_of(tx: Tx, spokes: Spokes, fact: Document) -> list[Spoke]:
    """The connections that a payment belongs to: those of the routes of what it settles; of money that settles nothing
    yet, the route that takes what programs post. What a connection issued itself is in no other but those that have it,
    or that a route brings it to: nor is its payment.
    """
    tenant = spokes.tenant(fact.tenant)
    issued = _issued(tx, fact)
    if issued:
        ids = {one.source for one in issued} | {link.connection for one in issued for link in links.all_of(tx, one.id)}
        there = spokes.spokes(fact.tenant)
        return [spoke for spoke in there if spoke.id in ids or any(reaches(spoke, one) for one in issued)]
    names: dict[str, None] = {}
    for route in routes_of(tx, tenant, fact):
        names |= dict.fromkeys(route.to)
    return [spokes.named(fact.tenant, name) for name in names]


def routes_of(tx: Tx, tenant: Tenant, fact: Document) -> list[TenantRoute]:
    """The routes that a payment or settlement concerns."""
    return _routes(tx, tenant, fact.tenant, [
        documents.get(tx, fact.tenant, row.other)
        for row in documents.relations(tx, fact.tenant, fact.id)
        if row.document == fact.id and row.amount is not None
    ])  # fmt: skip


def _routes(tx: Tx, tenant: Tenant, name: str, settled: Sequence[Document]) -> list[TenantRoute]:
    found: dict[str, TenantRoute] = {}
    for document in settled:
        route = tenant.routes.get(document.source or "")
        if route is not None:
            found[route.name] = route
        elif document.kind in ("invoice", "credit_note"):
            # Born in a connected system: it is on the routes that lead there.
            there = {connections.get(tx, link.connection).name for link in links.all_of(tx, document.id)}
            found |= {one.name: one for one in tenant.routes.values() if there.intersection((*one.to, *one.takes))}
        elif document.kind == "payment":
            found |= {route.name: route for route in routes_of(tx, tenant, document)}
        elif (ledger := _ledger(tx, document)) is not None:
            found |= {route.name: route for route in tenant.routes.values() if ledger.name in route.to}
    taking = [route for route in tenant.routes.values() if SOURCE in route.takes]
    return list(found.values()) or ([] if settled and settled[0].kind == "invoice" else taking)


def _ledger(tx: Tx, document: Document) -> Connection | None:
    """The connection that issued a document itself."""
    try:
        return connections.get(tx, document.source or "", tenant=document.tenant)
    except Missing:
        return None


def _issued(tx: Tx, fact: Document) -> list[Document]:
    """What a payment settles, where all of it was issued in ledgers."""
    settled = [
        documents.get(tx, fact.tenant, row.other)
        for row in documents.relations(tx, fact.tenant, fact.id)
        if row.document == fact.id and row.amount is not None
    ]
    born = all(one.kind in ("invoice", "credit_note") and _ledger(tx, one) is not None for one in settled)
    return settled if born else []


def check_bank_money(tx: Tx, tenant: Tenant, name: str, payment: Payment) -> None:
    """Whether payments on this account are for the poster to tell.

    Raises:
        BadInput: another system takes the bank money of the account on the payment's route (`bank-money-elsewhere`): a
            payment seen in a system that does not own it is matched, never copied; or nobody does
            (`bank-money-unowned`). It names a document that is not here.
    """
    meant = credit_for if payment.kind == "refund" else invoice_for
    settled = [meant(tx, name, one.document) for one in allocations_of(payment)]
    account = bank_account(str(payment.bank_account or ""))
    for route in _routes(tx, tenant, name, settled):
        place = {"field": "bank_account", "route": route.name, "file": tenant.file, "line": route.line}
        owner = route.takes_bank_money.get(account) or route.takes_bank_money.get(ALL_ACCOUNTS)
        if owner is None:
            raise BadInput(
                f"Nobody takes the bank money of account {account or '(none named)'} on the route `{route.name}`.",
                code="bank-money-unowned",
                do=f"Name one of the accounts that have an owner ({', '.join(route.takes_bank_money)}), or give this"
                " one an owner under takes_bank_money of the route.",
                where=place,
            )
        if owner not in ("source", "connector"):
            raise BadInput(
                f"The bank money of account {account or '(none named)'} is read by `{owner}`; payments come from"
                " there.",
                code="bank-money-elsewhere",
                do="Name the account the money came to; or make `source` its owner under takes_bank_money of the"
                " route.",
                where=place,
            )


def take_payment(tx: Tx, arrival: Arrival, spokes: Spokes) -> str:
    """The arrival of a payment that a program posted."""
    filed = file_payment(tx, spokes, arrival.tenant, payment_of(arrival.body), arrival=arrival.id)
    for operation in operations.find(tx, arrival=arrival.id):
        under_way(tx, operation, filed)
    return filed.document


def take_reversal(tx: Tx, arrival: Arrival, spokes: Spokes) -> str:
    """The arrival of a reversal that a program posted."""
    filed = file_reversal(tx, spokes, arrival.tenant, reversal_of(arrival.body), arrival=arrival.id)
    for operation in operations.find(tx, arrival=arrival.id):
        under_way(tx, operation, filed)
    return filed.document
