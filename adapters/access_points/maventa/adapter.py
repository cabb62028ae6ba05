"""One company's account at Maventa, as the house sees access points."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.access_points.maventa import statuses, wire
from adapters.access_points.maventa.callbacks import Webhooks
from adapters.access_points.maventa.client import MAVENTA, Client, refusal
from adapters.access_points.maventa.receiving import Receiving
from adapters.access_points.maventa.sending import INVOICES, NETWORK, Sending
from connector.oauth import ClientTokens
from connector.ports import Callbacks, Inbox, Lane, Probe, Status, Step, Transmission

if TYPE_CHECKING:
    from adapters.access_points.maventa import Secrets, Settings
    from connector.http import Http

SCOPES = {
    "invoice:send": "send invoices",
    "invoice:receive": "fetch what was received, and the status of what was sent",
    "document:send": "send invoice responses",
    "document:receive": "fetch invoice responses",
    "lookup": "see what a receiver takes",
    "company:read": "see whose account it is",
}
"""What is asked for, and what for."""
HOOK_SCOPES = {"company:write": "be called when something happens"}


class Maventa:
    """An open connection; makes no call before it is asked for something."""

    looks_up = True
    callbacks: Callbacks | None = None

    def __init__(self, settings: Settings, secrets: Secrets, http: Http) -> None:
        api_key, vendor_key = secrets.api_key.get_secret_value(), secrets.vendor_api_key.get_secret_value()
        digest = hashlib.sha256(f"maventa {settings.base_url} {settings.company} {api_key}".encode()).hexdigest()
        self.lane = Lane(f"maventa:{digest[:16]}", width=settings.parallel)
        self.largest = None if settings.largest_mb is None else int(settings.largest_mb * 1_000_000)
        self.inbox_every = timedelta(minutes=settings.inbox_minutes) or None
        self.follow_after = timedelta(seconds=settings.follow_after)
        self._scopes = SCOPES | (HOOK_SCOPES if secrets.hook_secret else {})
        self._company = settings.company
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.company,
            "client_secret": api_key,
            "vendor_api_key": vendor_key,
            "scope": " ".join(self._scopes),
        }
        url = f"{settings.base_url.rstrip('/')}/oauth2/token"
        tokens = ClientTokens("Maventa", url, form, secrets=(api_key, vendor_key), api=http, refusal=refusal)
        self._client = Client(http, tokens)
        self._sending = Sending(self._client, largest=self.largest, timeout=settings.timeout, settle=settings.settle)
        overlap = timedelta(minutes=settings.overlap_minutes)
        self._receiving = Receiving(self._client, settings.receive_since, overlap)
        if secrets.hook_secret is not None:
            secret = secrets.hook_secret.get_secret_value()
            http.keep_secret(secret)
            self.callbacks = Webhooks(self._client, secret, settings.company)

    async def probe(self) -> Probe:
        """Whose account it is, what the keys allow, and whether the company's identity is verified."""
        current = MAVENTA.read(wire.Current, await self._client.get("/oauth2/current"), "/oauth2/current")
        row = await self._client.find(f"/v1/companies/{self._company}/status")
        standing = MAVENTA.read(wire.Standing, row or {}, "/v1/companies/{id}/status").company_state
        # A scope may be granted under a wider one's name; where none is shown, nothing is known of them.
        lacking = [scope for scope in self._scopes if current.scopes and scope not in current.scopes]
        missing = [f"{scope}: to {self._scopes[scope]}" for scope in lacking]
        if standing and standing != "VERIFIED":
            missing.append(f"the company's identity is not verified ({standing}): sign the authorisation from Maventa")
        if current.company.disabled:
            missing.append("the company's account is switched off in Maventa")
        number = re.search(r"\d{9}", (current.company.bid or "").replace(" ", ""))
        return Probe(
            current.company.name,
            number[0] if number else None,
            missing=missing,
            needs=[f"{scope}: to {what}" for scope, what in self._scopes.items()],
        )

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """One call with our key in it."""
        return self._sending.flow(transmission)

    async def status(self, id: str, instance: str) -> Status | None:
        """As Maventa shows it now."""
        row = await self._client.find(f"/v1/{id}")
        if row is None:
            return None
        if not id.startswith(f"{INVOICES}/"):
            return statuses.of_document(MAVENTA.read(wire.Document, row, f"/v1/{id}"))
        invoice = MAVENTA.read(wire.Invoice, row, f"/v1/{id}")
        if invoice.actions is None and invoice.status != "PENDING":
            actions = await self._client.rows(f"/v1/{id}/actions")
            read = [MAVENTA.read(wire.Action, one, f"/v1/{id}/actions") for one in actions]
            invoice = invoice.model_copy(update={"actions": read})
        return statuses.of_invoice(invoice)

    async def inbox(self, cursor: str | None) -> Inbox:
        """A page of what was received."""
        return await self._receiving.inbox(cursor)

    async def acknowledge(self, message: str) -> None:
        """Say that it was handled."""
        await self._receiving.acknowledge(message)

    async def takes(self, participant: str, document_type: str, process: str) -> bool | None:
        """By Maventa's own look-up in Peppol; None where it knows the receiver and not what it takes."""
        path = "/v1/lookup/receivers"
        rows = [
            MAVENTA.read(wire.Receiver, row, path)
            for row in await self._client.rows(path, network=NETWORK, eia=participant)
        ]
        there = [row for row in rows if row.eia.lower() == participant.lower()]
        types = [one for row in there for one in row.document_types]
        if there and not types:
            return None
        wanted = (_value(document_type), _value(process))
        return any((_value(one.document_identifier), _value(one.process_identifier)) == wanted for one in types)

    async def close(self) -> None:
        """Free the sockets."""
        await self._client.close()


def _value(identifier: str) -> str:
    """Without its scheme, which Maventa may or may not show."""
    return re.sub(r"^(?:busdox-docid-qns|cenbii-procid-ubl)::", "", identifier)
