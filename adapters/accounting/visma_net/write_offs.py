"""What was written off in Visma Net, as settlements: by a line of a payment (`balanceWriteOff`), or by a document that
does nothing else. Read only: it needs a limit on the customer and a reason code that each company has for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.accounting.visma_net import records, wire
from connector.ports import Kind, Record

Row = Mapping[str, Any]
CALL = "/v1/customerPayment"
WRITTEN_OFF = "/write-off/"
"""Stands between the id of what writes off and the number of the invoice: the id of a settlement."""


def settlements(row: Row, internal_id: int, void: Row | None = None) -> list[Record]:
    """What a row wrote off of each invoice. `void`: of a payment that was voided, what takes it back: that tells what
    the payment had written off until then.
    """
    sums, reasons = _written_off(void or row)
    said: dict[str, Any] = {"date": records.day(row, "applicationDate", CALL), "currency": row.get("currency")}
    found = []
    for invoice, amount in sums.items():
        body = said | {
            "invoice": {"referenceNumber": invoice}, "amount": -amount if void else amount, "reason": reasons[invoice],
        }  # fmt: skip
        found.append(_record(Kind.SETTLEMENT, row, invoice, records.sound(wire.Settlement, body, CALL), internal_id))
    return found


def reversals(void: Row, internal_id: int, taken: str) -> list[Record]:
    """That what a payment wrote off was taken back with it. `taken`: the id of the payment."""
    sums, _ = _written_off(void)
    day = records.day(void, "applicationDate", CALL)
    return [
        _record(
            Kind.REVERSAL,
            void,
            invoice,
            {"reverses": {"id": f"{taken}{WRITTEN_OFF}{invoice}"}, "applicationDate": day},
            internal_id,
        )
        for invoice in sums
    ]


def _written_off(row: Row) -> tuple[dict[str, Decimal], dict[str, str]]:
    """Amount and reason by invoice."""
    name = "amountPaid" if row.get("type") == records.WRITE_OFF else "balanceWriteOff"
    sums: dict[str, Decimal] = {}
    reasons: dict[str, str] = {}
    for line in row.get("paymentLines") or ():
        if line.get("documentType") == "Invoice" and line.get(name):
            invoice = records.text(line, "refNbr", CALL)
            sums[invoice] = sums.get(invoice, Decimal(0)) + records.number(line, name, CALL)
            reasons[invoice] = str(records.part(line, "writeOffReasonCode").get("id") or "-")
    return {invoice: amount for invoice, amount in sums.items() if amount}, reasons


def _record(kind: Kind, row: Row, invoice: str, body: dict[str, Any], internal_id: int) -> Record:
    return Record(
        kind,
        f"{records.payment_id(row)}{WRITTEN_OFF}{invoice}",
        records.version(row),
        body,
        customer=str(internal_id),
        changed=records.changed(row),
    )
