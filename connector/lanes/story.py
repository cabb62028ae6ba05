"""The story of a document: everything that happened to it, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.store import Tx, arrivals, attempts, attention, audit, documents, events
from connector.store import work as works

_MOST = 1000
"""Most entries of a kind that one story tells."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened (or waits). `kind`: arrival, event, work, attempt, attention or decision."""

    at: datetime
    kind: str
    id: str
    what: str
    """In a word or two: the arrival's kind, the event's, the step and how it ended, the code, the verb."""
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As the API and `--format json` show it."""
        return {"at": self.at, "kind": self.kind, "id": self.id, "what": self.what} | (
            {"data": self.data} if self.data else {}
        )


def story(tx: Tx, tenant: str, document: str) -> list[Entry]:
    """All that is known about a document, oldest first; exchanges with vendors are masked when they are stored.

    Raises:
        Missing: the tenant has no such document.
    """
    subject = documents.get(tx, tenant, document)
    told: list[Entry] = []
    came = arrivals.find(tx, tenant, document=document, limit=_MOST)
    if subject.arrival is not None and subject.arrival not in {one.id for one in came}:
        came.append(arrivals.get(tx, tenant, subject.arrival))
    for arrival in came:
        data = {
            "source": arrival.source,
            "key": arrival.key,
            "state": arrival.state,
            "content_type": arrival.content_type,
            "digest": arrival.digest,
            "error": arrival.error,
        }
        told.append(Entry(arrival.received, "arrival", arrival.id, arrival.kind, _said(data)))
    for event in events.of_document(tx, tenant, document):
        at = event.at or subject.created
        data = {"seq": event.seq, "connection": event.connection, "data": event.data}
        told.append(Entry(at, "event", event.id, event.kind, _said(data)))
    for work in works.find(tx, document=document, tenant=tenant, limit=_MOST):
        waits_for = [
            {"work": need.id, "kind": need.kind, "state": need.state, "document": need.document}
            for need in (works.needs_of(tx, work.id) if work.state == "blocked" else ())
            if need.ended is None
        ]
        data = {
            "state": work.state,
            "connection": work.connection,
            "due": work.due,
            "tries": work.tries,
            "waits_for": waits_for,
            "error": work.error,
            "ended": work.ended,
        }
        told.append(Entry(work.created, "work", work.id, work.kind, _said(data)))
    for attempt in attempts.of_document(tx, document):
        data = {
            "work": attempt.work,
            "what": attempt.what,
            "outcome": attempt.outcome or "no end",
            "vendor_id": attempt.proof.id if attempt.proof is not None else None,
            "error": attempt.error,
            "exchanges": attempt.exchanges,
            "ended": attempt.ended,
        }
        told.append(Entry(attempt.began, "attempt", attempt.id, attempt.step, _said(data)))
    for item in attention.find(tx, tenant=tenant, document=document, closed=True, limit=_MOST):
        data = {
            "said": item.said,
            "do": item.do,
            "verbs": list(item.verbs),
            "closed": item.closed,
            "how": item.closed_how,
            "by": item.closed_by,
        }
        told.append(Entry(item.since, "attention", item.id, item.code, _said(data)))
    for entry in audit.find(tx, tenant, document=document, limit=_MOST):
        data = {"who": entry.who, "about": entry.about, "details": entry.details}
        told.append(Entry(entry.at, "decision", entry.id, entry.did, _said(data)))
    told.sort(key=lambda entry: (entry.at, entry.id))
    return told


def _said(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, [], {})}
