"""What has become of what was sent, by Maventa's words for it."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.access_points.maventa import wire
from connector.ports import Reason, State, Status

_INVOICE: Mapping[str, State] = {
    "PENDING": "accepted",
    "DELIVERED": "sent",
    "DELIVERY_CONFIRMED": "delivered",
    "CONFIRMED_DELIVERY": "delivered",
    "FAILED": "failed",
}
_DOCUMENT: Mapping[str, State] = {
    "PROCESSING": "accepted",
    "RESERVED": "accepted",
    "DELIVERED": "sent",
    "CONFIRMED_DELIVERY": "delivered",
    "FAILED": "failed",
}
_ELSEWHERE = {"PRINT", "EMAIL"}


def of_invoice(invoice: wire.Invoice) -> Status:
    """Delivered to the receiver's access point, or given up. One that fails after it was delivered was refused there.
    A word that we do not know says nothing: it is on its way.
    """
    actions = list(invoice.actions or ())
    state = _INVOICE.get(invoice.status, "accepted")
    if state == "failed" and any(one.type == "DELIVERED" for one in actions):
        state = "refused"
    telling = {"sent": "DELIVERED", "delivered": "DELIVERED", "refused": "ERROR", "failed": "ERROR"}.get(state)
    told = [one for one in actions if one.type == telling]
    reasons = [Reason(None, one.message) for one in told if one.type == "ERROR" and one.message]
    reasons += [
        Reason("sent-elsewhere", f"Maventa shows that it went by {one.channel}, which was not asked for.")
        for one in actions
        if one.channel in _ELSEWHERE and one.type in {"SENT", "DELIVERED"}
    ]
    return Status(state, invoice.status, reasons, told[-1].happened_at if told else None)


def of_document(document: wire.Document) -> Status:
    """The same of an invoice response."""
    state = _DOCUMENT.get(document.status, "accepted")
    if state == "failed" and document.delivered_at is not None:
        state = "refused"
    last = document.last_event
    if last is None or state == "accepted":
        return Status(state, document.status)
    if state not in {"failed", "refused"}:
        return Status(state, document.status, (), last.created_at)
    text = ": ".join(part for part in (last.message, last.details) if part)
    return Status(state, document.status, [Reason(last.code, text or document.status)], last.created_at)
