"""One company's account at e-invoice.be, as the house sees access points."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.access_points.e_invoice_be import statuses, wire
from adapters.access_points.e_invoice_be.callbacks import Webhooks
from adapters.access_points.e_invoice_be.client import Client
from adapters.access_points.e_invoice_be.receiving import Receiving
from adapters.access_points.e_invoice_be.sending import Sending
from connector.ports import Callbacks, Inbox, Lane, Probe, Status, Step, Transmission

if TYPE_CHECKING:
    from adapters.access_points.e_invoice_be import Secrets, Settings
    from connector.http import Http


class EInvoiceBe:
    """An open connection; makes no call before it is asked for something."""

    looks_up = True
    callbacks: Callbacks | None = None

    def __init__(self, settings: Settings, secrets: Secrets, http: Http) -> None:
        key = secrets.api_key.get_secret_value()
        digest = hashlib.sha256(f"e-invoice-be {settings.base_url} {key}".encode()).hexdigest()[:16]
        self.lane = Lane(f"e-invoice-be:{digest}", width=settings.parallel)
        self.largest = None if settings.largest_mb is None else int(settings.largest_mb * 1_000_000)
        self.inbox_every = timedelta(minutes=settings.inbox_minutes) or None
        self.follow_after = timedelta(seconds=settings.follow_after)
        self._client = Client(http, settings.base_url, key)
        self._sending = Sending(self._client, largest=self.largest, timeout=settings.timeout, settle=settings.settle)
        overlap = timedelta(minutes=settings.overlap_minutes)
        self._receiving = Receiving(self._client, settings.receive_since, overlap)
        if secrets.hook_secret is not None:
            secret = secrets.hook_secret.get_secret_value()
            http.keep_secret(secret)
            self.callbacks = Webhooks(self._client, secret)

    async def probe(self) -> Probe:
        """Whose account it is, by one call."""
        account = await self._client.get("/api/me/", wire.Account, collection=True)
        numbers = [id.partition(":")[2] for id in account.peppol_ids if id.startswith("0192:")]
        missing = [] if numbers else ["the Peppol identifier 0192 of the company: nothing is sent without"]
        if account.credit_balance is not None and account.credit_balance <= 0:
            missing.append("credit: nothing is sent without")
        if self.inbox_every is not None and account.smp_registration is False:
            missing.append("registration for receiving: nothing comes through this account (or set inbox_minutes: 0)")
        return Probe(account.company_name or account.name, numbers[0] if numbers else None, missing=missing)

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """Make a draft, and send it."""
        return self._sending.flow(transmission)

    async def status(self, id: str, instance: str) -> Status | None:
        """As e-invoice.be shows it now."""
        there = await self._client.document(id)
        if there is None:
            return None
        if there.state != wire.FAILED:
            return statuses.of(there)
        return statuses.of(there, await self._client.get(f"/api/documents/{id}/timeline", wire.Timeline))

    async def inbox(self, cursor: str | None) -> Inbox:
        """A page of what was received."""
        return await self._receiving.inbox(cursor)

    async def acknowledge(self, message: str) -> None:
        """Nothing: e-invoice.be keeps no note of what was taken; the cursor does."""

    async def takes(self, participant: str, document_type: str, process: str) -> bool | None:
        """By e-invoice.be's own look-up. None where no document types are told: it does not tell a participant that is
        in no register from one that could not be looked up.
        """
        path = "/api/validate/peppol-id"
        said = await self._client.get(path, wire.Reach, collection=True, peppol_id=participant)
        types = {_value(one) for one in said.supported_document_types if "##" in one}
        return _value(document_type) in types if said.is_valid and types else None

    async def close(self) -> None:
        """Free the sockets."""
        await self._client.close()


def _value(identifier: str) -> str:
    """A document type without its scheme, which may or may not be shown."""
    return identifier.removeprefix("busdox-docid-qns::")
