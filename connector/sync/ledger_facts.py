"""What a ledger shows of customer credit beyond the row it came with: that it has been matched with an invoice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from connector.errors import ConnectorError
from connector.lanes import Later
from connector.model import Payment
from connector.ports import Kind, Record
from connector.store import Tx, documents
from connector.store.documents import Document
from connector.sync.closing import Use, use
from connector.sync.spokes import Linked, Spoke


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
