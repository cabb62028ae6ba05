"""What a ledger shows on the accounts of customers, beyond payments of invoices: credit that is applied, settlements,
what is taken back; and the control total of an invoice, which says that something has not been seen yet.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from connector.errors import ConnectorError, Stop
from connector.lanes import Later
from connector.model import Payment, Reversal, Settlement
from connector.ports import Kind, Record
from connector.store import Tx, arrivals, attention, connections, documents, links
from connector.store.arrivals import Arrival
from connector.store.documents import Document
from connector.sync import effects
from connector.sync.balance import REVERSES
from connector.sync.closing import Use, apply, reverse, use
from connector.sync.parts import link_kind, linked
from connector.sync.push import keep_link
from connector.sync.spokes import Linked, Spoke

UNEXPLAINED = "balance-fell-unexplained"


class Behind(Linked):
    """For facts: a customer that has not been read yet is waited for; a fact is named by its id alone."""

    def our_id(self, kind: str, vendor_id: str) -> object:
        """The hub's document behind a vendor's record."""
        try:
            found = super().our_id(kind, vendor_id)
        except ConnectorError as error:
            if kind != Kind.CUSTOMER.value:
                raise
            raise Later(error.said, after=2.0) from None
        return found


def new_settlement(tx: Tx, spoke: Spoke, record: Record, arrival: str) -> str:
    """A posting that closes (part of) an invoice without money: which kind it is says the mapping's table of accounts.

    Raises:
        Stop: the table does not know the account (`balance-fell-unexplained`), or the posting is matched with no
            invoice (`settlement-unmatched`).
    """
    try:
        fields = spoke.mapping[Kind.SETTLEMENT].into(record.body, Behind(tx, spoke.id, {}))
    except ConnectorError as error:
        if error.code != "code-not-in-table":
            raise
        raise Stop(
            f"A posting on a customer's account in {spoke.name} closes a balance, and nothing says what it is:"
            f" {error.said}",
            code=UNEXPLAINED,
            do="Say in the mapping's table `settlement-by-account` what postings against this account are, then retry;"
            " or correct the voucher in the ledger and cancel this.",
            where={"vendor_id": record.id, "connection": spoke.id},
        ) from None
    if not fields.get("allocations"):
        raise Stop(
            f"Posting {record.id} in {spoke.name} settles something on a customer's account, and is matched with no"
            " invoice.",
            code="settlement-unmatched",
            do="Match it with the invoice in the ledger; then it is read again, and this can be cancelled.",
            where={"vendor_id": record.id, "connection": spoke.id},
        )
    settlement = Settlement.model_validate({"currency": "NOK", **fields, "source_id": record.id})
    made, _ = apply(tx, spoke.tenant, spoke.id, settlement, arrival=arrival)
    keep_link(tx, spoke, Kind.SETTLEMENT.value, made, settlement.model_dump(), record, {})
    return made.id


def new_reversal(tx: Tx, spoke: Spoke, record: Record, arrival: str) -> str | None:
    """A row that takes another back. Where a reversal of ours is what it shows, it is linked to that.

    Raises:
        Stop: it takes back one row of several that one payment is there (`reversal-of-part`).
        Later: what it takes back has come and is not handled yet, or our own reversal is under way.
    """
    fields = spoke.mapping[Kind.REVERSAL].into(record.body, Behind(tx, spoke.id, {}))
    vendor_id = str(fields["of_id"])
    link = next(
        (
            found
            for kind in (Kind.PAYMENT.value, Kind.SETTLEMENT.value)
            for found in [
                links.by_vendor_id(tx, spoke.id, kind, vendor_id) or links.part(tx, spoke.id, kind, vendor_id)
            ]
            if found is not None
        ),
        None,
    )
    if link is None:
        waiting = [
            arrivals.of_subject(tx, spoke.tenant, f"{spoke.id}/{kind}/{vendor_id}")
            for kind in (Kind.PAYMENT.value, Kind.SETTLEMENT.value)
        ]
        if any(waiting):
            raise Later("what it takes back has not been taken in yet", after=5.0)
        # Neither it nor what it takes back has ever counted here: together they come to nothing.
        return None
    fact = documents.get(tx, spoke.tenant, link.document)
    number = linked(tx, fact, spoke.id).index(link.kind)
    part = link_kind(Kind.REVERSAL.value, number)
    before = next(
        (row.document for row in documents.relations(tx, spoke.tenant, fact.id)
         if row.kind == REVERSES and row.other == fact.id), None
    )  # fmt: skip
    if before is not None:
        if effects.could_explain(tx, spoke, Kind.REVERSAL.value, frozenset({before})):
            raise Later("a reversal of ours that is under way could explain this", after=1.0)
        made = documents.get(tx, spoke.tenant, before)
    elif len(linked(tx, fact, spoke.id)) > 1:
        raise Stop(
            f"Posting {record.id} in {spoke.name} takes back one of several rows of the payment {fact.source_id}.",
            code="reversal-of-part",
            do="Reverse the payment here (`POST /v1/reversals`) and post it again as it was meant; or take the reversal"
            " back in the ledger.",
            where={"vendor_id": record.id, "document": fact.id},
        )
    else:
        said = {**fields, "of": fact.kind, "of_id": fact.source_id or fact.id, "source_id": record.id}
        made, _ = reverse(tx, spoke.tenant, spoke.id, Reversal.model_validate(said), fact, arrival=arrival)
    if links.of(tx, made.id, spoke.id, part) is None:
        keep_link(tx, spoke, Kind.REVERSAL.value, made, made.body, record, {}, part=part)
    return made.id


def applied(tx: Tx, spoke: Spoke, document: Document, record: Record) -> None:
    """Credit that the ledger has matched with an invoice since it was read is applied here, too: a settlement
    `on_account`, never more than is left of it and open of the invoice.
    """
    if not document.open_amount or document.state == "reversed":
        return
    fields = spoke.mapping[Kind.PAYMENT].into(record.body, Behind(tx, spoke.id, {}))
    named = {one.document.document_id for one in Payment.model_validate(document.body).allocations}
    for one in fields.get("allocations") or ():
        invoice = documents.peek(tx, spoke.tenant, one["document"].get("document_id", ""))
        if invoice is None or invoice.id in named or not invoice.open_amount:
            continue
        amount = min(document.open_amount or Decimal(0), invoice.open_amount)
        use(tx, invoice, [Use(document, amount)], _day(fields.get("posting_date") or fields.get("date")))


def _day(said: object) -> date:
    return said if isinstance(said, date) else date.fromisoformat(str(said))


def control(tx: Tx, spoke: Spoke, invoice: Document, record: Record, arrival: Arrival) -> None:
    """Hold what the system shows as open against what the facts make of it. Less is a sign that something has not been
    seen: rows are read first; what they do not explain waits for a person. Nothing is ever taken from it.

    Raises:
        Later: payments have not been read since, or one is not handled yet.
    """
    if record.open_amount is None or invoice.open_amount is None:
        return
    about = f"balance:{spoke.id}:{invoice.id}"
    shown = max(record.open_amount, Decimal(0))
    if shown >= invoice.open_amount:
        attention.close(tx, about, who="connector", how="explained")
        return
    read = connections.cursor_moved(tx, spoke.id, Kind.PAYMENT.value)
    if read is None or read <= arrival.received or _under_way(tx, spoke):
        raise Later("what has happened on the customer's account is read first", after=0.5)
    reason = Stop(
        f"{spoke.name} shows {shown} {invoice.currency} open on invoice {invoice.number or invoice.id}; by the payments"
        f" and settlements that are known it is {invoice.open_amount}.",
        code=UNEXPLAINED,
        do="See in the ledger what has lowered it, and book it there as what it is; what is read then explains it.",
        where={"document": invoice.id, "connection": spoke.id},
        details={"ours": str(invoice.open_amount), "theirs": str(shown)},
    )
    attention.ask(
        tx, tenant=spoke.tenant, about=about, reason=reason, verbs=("seen",), document=invoice.id, connection=spoke.id
    )


def _under_way(tx: Tx, spoke: Spoke) -> bool:
    """Whether facts from there wait to be handled, or a reversal of ours to be done."""
    kinds = [f"record-{kind}" for kind in (Kind.PAYMENT, Kind.SETTLEMENT, Kind.REVERSAL)]
    return arrivals.any_queued(tx, spoke.tenant, spoke.id, kinds) or bool(
        effects.could_explain(tx, spoke, Kind.REVERSAL.value)
    )
