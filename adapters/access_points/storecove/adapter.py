"""One company's account at Storecove, as the house sees access points."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.access_points import taking
from adapters.access_points.storecove import events, wire
from adapters.access_points.storecove.callbacks import Webhooks
from adapters.access_points.storecove.client import STORECOVE, Client
from adapters.access_points.storecove.receiving import Receiving
from adapters.access_points.storecove.sending import Sending
from connector.ports import Callbacks, Inbox, Lane, Probe, Status, Step, Transmission

if TYPE_CHECKING:
    from adapters.access_points.storecove import Secrets, Settings
    from connector.http import Http


class Storecove:
    """An open connection; makes no call before it is asked for something."""

    looks_up = True
    callbacks: Callbacks | None = None

    def __init__(self, settings: Settings, secrets: Secrets, http: Http) -> None:
        key = secrets.api_key.get_secret_value()
        digest = hashlib.sha256(f"storecove {settings.base_url} {key}".encode()).hexdigest()[:16]
        self.lane = Lane(f"storecove:{digest}", width=settings.parallel)
        self.largest = None if settings.largest_mb is None else int(settings.largest_mb * 1_000_000)
        self.inbox_every: timedelta | None = timedelta(minutes=settings.inbox_minutes)
        self.follow_after = timedelta(seconds=settings.follow_after)
        self._legal_entity, self._evidence = settings.legal_entity, settings.evidence
        self._client = Client(http, settings.base_url, key)
        self._sending = Sending(
            self._client,
            legal_entity=settings.legal_entity,
            schemes=settings.schemes,
            parse=settings.parse,
            largest=self.largest,
            timeout=settings.timeout,
            settle=settings.settle,
        )
        self._receiving = Receiving(self._client, settings.legal_entity, settings.tenant_id, self._proved)
        if secrets.hook_secret is not None:
            secret = secrets.hook_secret.get_secret_value()
            http.keep_secret(secret)
            self.callbacks = Webhooks(secret, settings.legal_entity, settings.tenant_id)

    async def probe(self) -> Probe:
        """Whose account it is, by one call."""
        path = f"/legal_entities/{self._legal_entity}"
        entity = STORECOVE.read(wire.LegalEntity, await self._client.get(path), path)
        numbers = [one.identifier for one in entity.peppol_identifiers if one.scheme.upper() == "NO:ORG"]
        missing = [] if numbers else ["the Peppol identifier NO:ORG: without it the company receives nothing here"]
        return Probe(entity.party_name, numbers[0] if numbers else None, missing=missing)

    def flow(self, transmission: Transmission) -> Sequence[Step]:
        """One call with our key in it."""
        return self._sending.flow(transmission)

    async def status(self, id: str, instance: str) -> Status | None:
        """Whether there is proof of sending. There is none before it was sent, and none of what failed: that the queue
        tells. Never None: Storecove does not say what it does not know.
        """
        if id == instance:
            return Status("accepted", "submitted already")
        return await self._of_evidence(id) or Status("accepted", "not sent yet")

    async def _of_evidence(self, guid: str) -> Status | None:
        """None: there is none yet."""
        row = await self._client.find(f"/document_submissions/{guid}/{self._evidence}")
        return None if row is None else events.of_evidence(STORECOVE.read(wire.Evidence, row, "evidence"))

    async def _proved(self, guid: str) -> bool:
        status = await self._of_evidence(guid)
        return status is not None and status.state == "sent"

    async def inbox(self, cursor: str | None) -> Inbox:
        """What the queue says next."""
        return await self._receiving.inbox(cursor)

    async def acknowledge(self, message: str) -> None:
        """Take it out of the queue."""
        await self._receiving.acknowledge(message)

    async def takes(self, participant: str, document_type: str, process: str) -> bool | None:
        """By Storecove's own look-up; None for what it cannot be asked about. One that gets a PDF by e-mail takes no
        EHF.
        """
        root, receiver = taking.billing(document_type), self._sending.routed(participant)
        if root is None or receiver is None:
            return None
        asked = {
            "documentTypes": [root.lower()],
            "network": "peppol",
            "metaScheme": "iso6523-actorid-upis",
            "scheme": receiver["scheme"],
            "identifier": receiver["id"],
        }
        path = "/discovery/receives"
        answer = await self._client.call("POST", path, json=asked, writes=False, collection=True)
        said = STORECOVE.read(wire.DiscoveredParticipant, answer.json(), path)
        return said.code == "OK" and not said.email if said.code in {"OK", "NOK"} else None

    async def close(self) -> None:
        """Free the sockets."""
        await self._client.close()
