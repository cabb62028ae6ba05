"""What has become of a document, by e-invoice.be's words for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.access_points.e_invoice_be import wire
from connector.ports import Proof, Reason, State, Status

_STATES: Mapping[str, State] = {wire.SENT: "sent", wire.FAILED: "failed"}
_WORDS = ("message", "error", "error_message", "reason", "detail", "description")
"""Where words may stand in an event's details: they are not described."""


def proof(document: wire.Document) -> Proof:
    """That it is on its way; what has become of it since is for `of`."""
    return Proof(document.id, {"state": "sent" if document.state == wire.SENT else "accepted", "said": document.state})


def of(document: wire.Document, timeline: wire.Timeline | None = None) -> Status:
    """Sent, or given up. One that failed after it had been sent was refused there. Every other word says that it is on
    its way. `timeline`: for what has failed.
    """
    state = _STATES.get(document.state, "accepted")
    if timeline is None or state != "failed":
        return Status(state, document.state)
    if timeline.count("send_success"):
        state = "refused"
    failed = [event for event in timeline.events if event.event_type == "send_failed"]
    last = failed[-1] if failed else None
    reasons = [] if last is None else [Reason(None, text) for text in [_said(last.details or {})] if text]
    return Status(state, document.state, reasons, None if last is None else last.timestamp)


def _said(details: Mapping[str, Any]) -> str:
    """The words of an event; all that it says where none stand where they are looked for."""
    words = [str(details[name]) for name in _WORDS if details.get(name)]
    return ("; ".join(words) or ", ".join(f"{name}: {value}" for name, value in details.items()))[:1000]
