"""The stand-in's webhooks, and the calls it makes to them: signed over the event, not over the bytes it posts."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.access_points.sandbox import calling


@dataclass(slots=True)
class Webhook:
    """Who is called, for what. `answers`: the status of each call, None where there was no answer."""

    url: str
    events: list[str]
    enabled: bool = True
    id: str = field(default_factory=lambda: f"whk-{uuid.uuid4().hex}")
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    answers: list[int | None] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """As it is shown."""
        return {"id": self.id, "url": self.url, "events": self.events, "enabled": self.enabled, "secret": self.secret}

    def signed(self, event: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The body of a call, and its headers."""
        written = json.dumps(event, sort_keys=True).encode()
        proof = hmac.new(self.secret.encode(), written, hashlib.sha256).hexdigest()
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        return body, {"X-Signature": f"sha256={proof}"}


class Caller(calling.Caller):
    """Calls webhooks in the background."""

    def __init__(self) -> None:
        super().__init__()
        self.webhooks: list[Webhook] = []

    def tell(self, kind: str, id: str) -> None:
        """Something has happened to a document."""
        for one in self.webhooks:
            if one.enabled and kind in one.events:
                self.call(one.url, *one.signed(event(kind, id)), one.answers)


def event(kind: str, id: str) -> dict[str, Any]:
    """What a call says."""
    return {
        "type": kind,
        "id": f"evt-{uuid.uuid4().hex}",
        "tenant_id": "ten-fjord",
        "created_at": int(time.time()),
        "data": {"document_id": id},
        "text": f"⚡ Dokument på vei: {kind}",
    }
