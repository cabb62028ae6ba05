"""How far an incoming invoice has come in a ledger: delivered, booked, paid, and what is still open of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connector.errors import Stop
from connector.ports import Kind, Payable, Record
from connector.store import Tx, attention, documents
from connector.store.documents import Document
from connector.sync.objections import LEDGER_HAS_IT
from connector.sync.spokes import Spoke

KIND = Kind.SUPPLIER_INVOICE.value


def follow(tx: Tx, spoke: Spoke, document: Document, record: Record) -> Document:
    """State and open amount as the ledger has them, with an event for what has come to be.

    A fall of the balance that payments in the ledger do not explain is told to a person, where it shows payments.
    """
    shown = record.payable
    if shown is None:  # a record that was kept before ledgers told it so: the next reading tells
        return document
    state = _state(shown)
    open_amount = document.open_amount if shown.open is None else shown.open
    if document.state in ("held", "refused"):
        state = document.state
    if (state, open_amount) == (document.state, document.open_amount):
        return document
    before = document
    document = documents.change(tx, document, state=state, open_amount=open_amount)
    paid = sum((one.amount for one in shown.payments or ()), Decimal(0))
    told: dict[str, Any] = {"connection": spoke.name, "open": str(open_amount), **voucher_of(record)}
    if shown.payments:
        told["payments"] = [{"id": one.id, "date": str(one.date), "amount": str(one.amount)} for one in shown.payments]
    what = "paid" if open_amount != before.open_amount else state
    if state != before.state or what == "paid":
        tx.emit(spoke.tenant, f"{KIND}.{what}", document=document.id, connection=spoke.id, data=told)
    if (
        shown.payments is not None
        and open_amount is not None
        and document.payable is not None
        and document.payable - paid != open_amount
    ):
        _tell_balance(tx, spoke, document, paid)
    return document


def _state(shown: Payable) -> str:
    if shown.voucher is None:
        return "delivered"
    return "paid" if shown.open == 0 else "booked"


def voucher_of(record: Record) -> dict[str, Any]:
    """The voucher as bookkeepers write it, by the name that links and events have for it; empty while not booked."""
    voucher = record.payable.voucher if record.payable else None
    return {"voucher": voucher} if voucher else {}


def ask(tx: Tx, spoke: Spoke, document: Document, reason: Stop) -> None:
    """Show a person something about an incoming invoice that nothing here settles."""
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=f"{reason.code}:{spoke.id}:{document.id}",
        reason=reason,
        verbs=("ignore",),
        document=document.id,
        connection=spoke.id,
    )


def _tell_balance(tx: Tx, spoke: Spoke, document: Document, paid: Decimal) -> None:
    reason = Stop(
        f"{spoke.name} shows {document.open_amount} {document.currency} open of {document.number} from"
        f" {document.counterparty_name}; {document.payable} less the {paid} paid there makes"
        f" {(document.payable or Decimal(0)) - paid}.",
        code="balance-unexplained",
        do="See what else was booked on it: a credit note, a correction.",
        where={"document": document.id, "connection": spoke.id},
    )
    ask(tx, spoke, document, reason)


def was_there(tx: Tx, spoke: Spoke, document: Document) -> None:
    """The ledger had an invoice already, by supplier, number and amount, when we brought it: a person hears of it."""
    reason = Stop(
        f"{document.number} from {document.counterparty_name} was in {spoke.name} already, over the same amount: it has"
        " received it itself. It is linked with that one, and nothing was written.",
        code=LEDGER_HAS_IT,
        do="ignore: it is the same one. If it is another one, book it by hand in the system.",
        where={"document": document.id, "connection": spoke.id},
    )
    ask(tx, spoke, document, reason)
