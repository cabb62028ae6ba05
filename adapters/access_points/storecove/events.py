"""What Storecove tells: events from its queue or by its webhooks, and proof of sending that can be asked for."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.access_points.storecove import wire
from connector.ports import Reason, State, Status

_SUBMISSIONS: Mapping[str, State] = {
    "succeeded": "sent",
    "failed": "failed",
    "no_action_taken": "failed",
    # What the buyer has answered: so it has arrived.
    "acknowledged": "delivered",
    "in_process": "delivered",
    "under_query": "delivered",
    "conditionally_accepted": "delivered",
    "accepted": "delivered",
    "rejected": "delivered",
    "paid": "delivered",
}
_RESULTS: Mapping[str, State] = {
    "accepted": "sent",
    "rejected": "refused",
    "send_error": "failed",
    "internal_error": "failed",
}
_ANSWERS: Mapping[str, str] = {
    "acknowledged": "AB",
    "in_process": "IP",
    "under_query": "UQ",
    "conditionally_accepted": "CA",
    "accepted": "AP",
    "rejected": "RE",
    "paid": "PD",
}
"""The buyer's answers, and their codes in Peppol."""


def of_submission(event: wire.Event) -> Status:
    """What an event says of something that was sent. A word that we do not know says nothing: it is on its way."""
    word = event.event or "unknown"
    state = _SUBMISSIONS.get(word, "accepted")
    text = event.details or ("Storecove found no way to the receiver." if word == "no_action_taken" else "")
    return Status(state, word, [Reason(None, text)] if text else [])


def answer(event: wire.Event) -> Reason | None:
    """What the buyer answers, where the event says that; in Peppol's codes."""
    code = _ANSWERS.get(event.event or "")
    return None if code is None else Reason(code, event.details or "")


def of_evidence(evidence: wire.Evidence) -> Status:
    """What proof of sending says: there is none before it was sent."""
    actions = sorted(evidence.actions or (), key=lambda one: str(one.transmission_datetime or ""))
    network = actions[-1].transmission_type if actions else evidence.network
    reasons = []
    if network not in {None, "", "peppol", "sandbox"}:
        reasons.append(Reason("sent-elsewhere", f"Storecove shows that it went by {network}, which was not asked for."))
    if evidence.actions is None:
        return Status("sent", evidence.status or "evidence", reasons)
    if not actions:
        return Status("accepted", evidence.status or "no action yet")
    last = actions[-1]
    state = _RESULTS.get(last.transmission_result, "accepted")
    if state in {"refused", "failed"}:
        reasons.insert(0, Reason(last.transmission_result, last.receiver_response or last.transmission_result))
    return Status(state, last.transmission_result, reasons, last.transmission_datetime)
