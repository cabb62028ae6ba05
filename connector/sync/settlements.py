"""Settlements of ours in a ledger: credit that is matched with an invoice, an advance that the mapping names an account
for, øre that are rounded away.

What may be booked is said by the mapping of kind `settlement`: what it refuses is not made here either, so the hub and
the books agree. A ledger matches rows only where they come to nothing together: a settlement that is booked and not yet
matched is tried again whenever money settles its invoice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from connector.errors import ConnectorError, Stop
from connector.model import Allocation, DocumentKey, Payment, Settlement
from connector.ports import Kind
from connector.store import Tx, documents, links
from connector.store.documents import Document
from connector.sync import effects
from connector.sync.balance import SETTLEMENT
from connector.sync.closing import Use, advance, apply, use
from connector.sync.money import customer_of
from connector.sync.spokes import Spoke

OURS = "connector"
"""Source of the settlements that are made here."""
ORE = Decimal(1)
"""A difference of a whole krone (or unit of another currency) is no rounding, whatever the mapping says."""


# --- made here --------------------------------------------------------------------------------------------------------


def uses_of(
    tx: Tx, tenant: str, customer: str, currency: str, prepaid: Decimal, spokes: Sequence[Spoke]
) -> list[Use] | None:
    """Which credit of the customer stands behind a prepaid amount; None: none does, and the mapping of every ledger
    names the account that the advance stands on.

    Raises:
        Stop: neither (`prepaid-without-credit`).
    """
    try:
        return advance(tx, tenant, customer, currency, prepaid)
    except Stop as stop:
        if prepaid > 0 and bookable(_settlement("on_account", "-", prepaid, currency), spokes):
            return None
        stop.do += " Where it stands on an account of the ledger, the mapping names it (kinds.settlement)."
        raise


def prepay(tx: Tx, invoice: Document, uses: Sequence[Use] | None, prepaid: Decimal) -> Document:
    """Lower what is open of an invoice by what was prepaid: by credit of the customer, or by what the ledger holds."""
    day = invoice.issue_date or tx.now.date()
    if uses is not None:
        return use(tx, invoice, uses, day)
    said = {"source_id": f"prepaid/{invoice.id}", "date": day}
    settlement = _settlement("on_account", invoice.id, prepaid, invoice.currency or "NOK").model_copy(update=said)
    _, (invoice,) = apply(tx, invoice.tenant, OURS, settlement)
    return invoice


def round_off(tx: Tx, payment: Payment, made: Document, invoice: Document, spokes: Sequence[Spoke]) -> Document:
    """Close the few øre that a payment has left open of an invoice, where the mapping of every ledger books them."""
    left = invoice.open_amount or Decimal(0)
    if payment.kind != "payment" or invoice.kind != "invoice" or not 0 < left < ORE:
        return invoice
    settlement = _settlement("rounding", invoice.id, left, invoice.currency or "NOK").model_copy(
        update={"source_id": f"{made.id}/{invoice.id}", "date": payment.date}
    )
    if not bookable(settlement, spokes):
        return invoice
    _, (invoice,) = apply(tx, invoice.tenant, OURS, settlement)
    return invoice


def _settlement(kind: Any, invoice: str, amount: Decimal, currency: str) -> Settlement:
    allocated = Allocation(document=DocumentKey(document_id=invoice), amount=amount)
    return Settlement.model_validate(
        {"source_id": "-", "kind": kind, "date": "2000-01-01", "allocations": [allocated], "currency": currency}
    )


def bookable(settlement: Settlement, spokes: Sequence[Spoke]) -> bool:
    """Whether the mapping of every one of these ledgers (there is one) says how a settlement is booked there."""
    fields = settlement.model_dump()
    for spoke in spokes:
        if Kind.SETTLEMENT not in spoke.mapping or (Kind.SETTLEMENT, "create") not in spoke.accounting.capabilities:
            return False
        try:
            spoke.mapping[Kind.SETTLEMENT].out(fields, _Anybody())
        except ConnectorError:
            return False
    return bool(spokes)


class _Anybody:
    """Links of a document that is not there yet."""

    def vendor_id(self, kind: str, ours: Any) -> str:
        """Some id."""
        return "0"

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """Some document."""
        return {"document_id": vendor_id}


# --- brought to the ledger --------------------------------------------------------------------------------------------


def push_settlements(tx: Tx, spoke: Spoke, invoice: str, *, needs: Sequence[str] = ()) -> list[str]:
    """Have the settlements of ours on an invoice brought to a system, and matched there, that are not yet; after what
    they refer to, and after `needs`.
    """
    if (Kind.SETTLEMENT, "create") not in spoke.accounting.capabilities:
        return []
    pushes = []
    for fact, credits in _of(tx, spoke.tenant, invoice):
        if any(credit.kind != Kind.PAYMENT.value for credit in credits) or not unmatched(tx, spoke, fact.id):
            continue
        first = effects.need(tx, spoke, fact, Kind.INVOICE.value, invoice)
        for credit in credits:
            first += effects.need(tx, spoke, fact, Kind.PAYMENT.value, credit.id)
        pushes.append(effects.push(tx, spoke, Kind.SETTLEMENT.value, fact.id, needs=(*first, *needs)))
    return [work for work in pushes if work is not None]


def unmatched(tx: Tx, spoke: Spoke, settlement: str) -> bool:
    """Whether something is left to be done about a settlement in a system."""
    link = links.of(tx, settlement, spoke.id, Kind.SETTLEMENT.value)
    return link is None or (link.base_seen or {}).get("matched") is False


def beside(tx: Tx, spoke: Spoke, settlement: Document) -> tuple[str, ...]:
    """What the other settlements of the same invoice are called in a system that are not matched there either: rows
    come to nothing together, or not at all.
    """
    near = []
    for other in _others(tx, spoke, settlement):
        link = links.of(tx, other, spoke.id, Kind.SETTLEMENT.value)
        if link is not None and unmatched(tx, spoke, other):
            near.append(link.vendor_id)
    return tuple(near)


def own_row_under_way(tx: Tx, spoke: Spoke, customer: str) -> bool:
    """Whether a settlement of ours of this customer that gets a row of its own in a system is being brought there."""
    for push in effects.could_explain(tx, spoke, Kind.SETTLEMENT.value):
        settlement = documents.get(tx, spoke.tenant, push.document or "")
        known = links.of(tx, settlement.id, spoke.id, Kind.SETTLEMENT.value) is not None
        if not known and not settlement.body.get("by") and customer_of(tx, settlement) == customer:
            return True
    return False


def others_matched(tx: Tx, spoke: Spoke, settlement: Document) -> None:
    """Have the others that were matched together with this one read back."""
    for invoice in closed_by(tx, settlement):
        push_settlements(tx, spoke, invoice)


def _others(tx: Tx, spoke: Spoke, settlement: Document) -> Iterable[str]:
    for invoice in closed_by(tx, settlement):
        yield from (fact.id for fact, _ in _of(tx, spoke.tenant, invoice) if fact.id != settlement.id)


def closed_by(tx: Tx, settlement: Document) -> list[str]:
    """The invoices that a settlement closes."""
    return [
        row.other
        for row in documents.relations(tx, settlement.tenant, settlement.id)
        if row.document == settlement.id
        and row.kind == SETTLEMENT
        and documents.get(tx, settlement.tenant, row.other).kind == Kind.INVOICE.value
    ]


def _of(tx: Tx, tenant: str, invoice: str) -> Iterable[tuple[Document, list[Document]]]:
    """The settlements of ours that close an invoice and are not taken back, each with the credit that does it."""
    for row in documents.relations(tx, tenant, invoice):
        if row.kind != SETTLEMENT or row.other != invoice:
            continue
        fact = documents.get(tx, tenant, row.document)
        if fact.kind != Kind.SETTLEMENT.value or fact.source != OURS or fact.state == "reversed":
            continue
        yield (
            fact,
            [
                documents.get(tx, tenant, one.other)
                for one in documents.relations(tx, tenant, fact.id)
                if one.kind == SETTLEMENT and one.document == fact.id and one.other != invoice
            ],
        )
