"""The queue of events: first in, first out, and nothing but the first is shown.

Nothing runs in the background: whoever looks is told what has become so by now.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.access_points.sandbox import Incoming, Transmission
from connector.model.json import dumps

_WORDS: Mapping[str, str] = {"sent": "succeeded", "failed": "failed", "refused": "failed"}


class Queue:
    """What is told. `events`: guid and body, oldest first; `told`: what was said of each submission."""

    def __init__(self, legal_entity: int, tenant_id: str | None) -> None:
        self._legal_entity, self._tenant_id = legal_entity, tenant_id
        self.events: list[tuple[str, str]] = []
        self._told: set[tuple[str, str]] = set()

    def add(self, **said: Any) -> None:
        """One event more; what it does not say is as for this company."""
        body = {"legal_entity_id": self._legal_entity, "tenant_id": self._tenant_id, **said}
        self.events.append((str(uuid.uuid4()), dumps(body).decode()))

    def came(self, one: Incoming) -> None:
        """A document came for the company."""
        kind = "invoice" if one.papers.root in {"Invoice", "CreditNote", ""} else "invoice_response"
        self.add(event_type="received_document", event_group=kind, event="received", document_guid=one.id)

    def look(self, transmissions: Iterable[Transmission]) -> tuple[str, str] | None:
        """The first event, after what has become of submissions was laid down."""
        for one in transmissions:
            for moment in one.past():
                word = _WORDS.get(moment.state)
                if word is not None and (one.id, moment.state) not in self._told:
                    self._told.add((one.id, moment.state))
                    self.submission(one, word, moment.reason)
        return self.events[0] if self.events else None

    def submission(self, one: Transmission, word: str, details: str | None = None, **more: Any) -> None:
        """Something has become of a submission. Which company's it is stands in the tenant id only."""
        self.add(
            event_type="document_submission",
            event_group="invoice",
            event=word,
            guid=one.id,
            idempotencyGuid=one.instance,
            details=details,
            legal_entity_id=None,
            **more,
        )

    def take(self, guid: str) -> bool:
        """Take an event away; whether it was there."""
        before = len(self.events)
        self.events = [event for event in self.events if event[0] != guid]
        return len(self.events) < before
