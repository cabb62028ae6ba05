"""The stand-in as a server: who may call, and what each call does."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.access_points.sandbox import AccessPointSandbox, Incoming, Network, Pace, Papers, Rejected, Transmission
from adapters.access_points.storecove.sandbox.queue import Queue
from adapters.loopback import Answer, Refused, Request

API_KEY = "sandbox-key"
LEGAL_ENTITY = 4711
NUMBER = "923609016"
"""The company's organisation number."""
_SCHEMES = {"NO:ORG": "0192", "GLN": "0088"}


@dataclass(slots=True)
class Rules:
    """Where the vendor's behaviour is uncertain.

    `links`: a document that came is shown by a link that holds so many seconds; None: as base64. `actions`: proof of
    sending in the older shape. `as_is`: documents may be sent as they are.
    """

    links: float | None = None
    actions: bool = False
    as_is: bool = False


class Problem(Refused):
    """A refusal: what is wrong, and where."""

    def __init__(self, status: int, source: str, details: str) -> None:
        super().__init__(status, details)
        self.source = source


class Sandbox(AccessPointSandbox):
    """Storecove on loopback; `async with` starts and stops it.

    Args:
        pace, network: see `AccessPointSandbox`.
        tenant_id: what the company's LegalEntity was given.
        outside: participants that are not in Peppol; everybody else takes invoices and credit notes.
        rules: see `Rules`.
        more: see `Loopback`: host, port, latency, keep.
    """

    prefix = "/api/v2"
    beside = "/links"

    def __init__(
        self,
        *,
        pace: Pace | None = None,
        network: Network | None = None,
        tenant_id: str | None = None,
        outside: Collection[str] = (),
        rules: Rules | None = None,
        **more: Any,
    ) -> None:
        super().__init__(pace=pace, network=network, **more)
        self.rules, self.outside = rules or Rules(), set(outside)
        self.queue = Queue(LEGAL_ENTITY, tenant_id)
        self.network.listeners.append(self.queue.came)
        self.mailed: list[str] = []
        """Numbers of what went by e-mail."""
        self.keys: set[str] = set()
        self._links: dict[str, tuple[float, bytes]] = {}

    def own(self, request: Request) -> Any:
        """The desk's calls, and of this access point only: `GET /_desk/queue` (the events that wait)."""
        if (request.method, request.path) == ("GET", "/_desk/queue"):
            self.queue.look(self.network.transmissions)
            return [{"guid": guid, "body": body} for guid, body in self.queue.events]
        return super().own(request)

    # --- one request --------------------------------------------------------------------------------------------------

    def vendor(self, request: Request, path: str, since: datetime | None) -> Answer:
        """As Storecove answers; `since`: proof of what was sent after that is not there yet."""
        try:
            if path.startswith("/links/"):
                return self._linked(path.removeprefix("/links/"), request)
            if request.headers.get("authorization") != f"Bearer {API_KEY}":
                return Answer(401, None, {})
            body = request.body if isinstance(request.body, dict) else {}
            return self._called(request.method, path.removeprefix("/").split("/"), body, since)
        except Refused as error:
            return self.failed(error)

    def failed(self, error: Refused, headers: dict[str, str] | None = None) -> Answer:
        """A list of problems (422), an object with one (403), or nothing."""
        said = {"source": error.source if isinstance(error, Problem) else "", "details": error.message}
        body: Any = {422: [said], 403: {"errors": [said]}}.get(error.status)
        return Answer(error.status, body, headers or {})

    def _called(self, method: str, parts: list[str], body: Mapping[str, Any], since: datetime | None) -> Answer:
        match (method, *parts):
            case ("POST", "document_submissions"):
                return self._submit(body)
            case ("GET", "document_submissions", guid, "evidence", *kind) if kind in ([], ["sending"]):
                return self._evidence(guid, since)
            case ("GET", "webhook_instances", ""):
                first = self.queue.look(self.network.transmissions)
                return Answer(204, None, {}) if first is None else Answer(200, {"guid": first[0], "body": first[1]}, {})
            case ("DELETE", "webhook_instances", guid):
                return self._taken_away(guid)
            case ("GET", "received_documents", guid, "original"):
                return self._original(guid)
            case ("POST", "discovery", "receives"):
                known = self._participant(body) not in self.outside and body.get("documentTypes") != ["order"]
                return Answer(200, {"code": "OK" if known else "NOK", "email": False}, {})
            case ("GET", "legal_entities", id):
                return self._legal_entity(id)
        raise Refused(404, "")

    # --- out ----------------------------------------------------------------------------------------------------------

    def _submit(self, body: Mapping[str, Any]) -> Answer:
        if body.get("legalEntityId") != LEGAL_ENTITY:
            raise Problem(403, "legalEntityId", "The LegalEntity is not yours")
        key, document = body.get("idempotencyGuid", str(uuid.uuid4())), self._document(body)
        if len(key) != 36:
            raise Problem(422, "idempotencyGuid", "has the wrong length (should be 36 characters)")
        if key in self.keys:
            raise Problem(422, "idempotencyGuid", "has already been taken")
        routing = body.get("routing", {})
        to = [self._participant(one) for one in routing.get("eIdentifiers", ())]
        if not to and not routing.get("emails"):
            raise Problem(422, "routing", "must have an identifier or an e-mail address")
        sender = f"0192:{NUMBER}"
        try:
            one = self.network.send(document, Papers(sender=sender, receiver=to[0] if to else "", instance=key))
        except Rejected as why:
            raise Problem(422, "document", str(why)) from None
        self.keys.add(key)
        if not to or to[0] in self.outside:
            # It reaches nobody in Peppol.
            self.network.transmissions.remove(one)
            if routing.get("emails"):
                self.mailed.append(str(one.number))
            self.queue.submission(one, "succeeded" if routing.get("emails") else "no_action_taken")
        return Answer(200, {"guid": one.id}, {})

    def _document(self, body: Mapping[str, Any]) -> bytes:
        said = body.get("document", {})
        raw = said.get("rawDocumentData", {})
        if said.get("documentType") != "invoice":
            raise Problem(422, "document.documentType", "is not included in the list")
        if not raw.get("parse", True) and not (self.rules.as_is and raw.get("processId") and raw.get("documentTypeId")):
            raise Problem(422, "document.rawDocumentData.parse", "only parse == true is supported")
        try:
            document = base64.b64decode(raw.get("document", ""), validate=True)
        except (binascii.Error, ValueError):
            document = b""
        if not document.lstrip().startswith(b"<"):
            raise Problem(422, "document.rawDocumentData.document", "could not be parsed")
        return document

    def _participant(self, said: Mapping[str, Any]) -> str:
        scheme = _SCHEMES.get(str(said.get("scheme")).upper())
        if scheme is None:
            raise Problem(422, "scheme", "is not a known scheme")
        return f"{scheme}:{said.get('id') or said.get('identifier')}"

    def _evidence(self, guid: str, since: datetime | None) -> Answer:
        one = next((one for one in self.network.transmissions if one.id == guid), None)
        arrived = None if one is None else one.arrived()
        if one is None or arrived is None or (since is not None and arrived.at > since):
            raise Refused(404, "")
        return Answer(200, self._older(one) if self.rules.actions else self._newer(one), {})

    def _newer(self, one: Transmission) -> dict[str, Any]:
        return {
            "guid": one.id,
            "sender": one.papers.sender,
            "receiver": one.papers.receiver,
            "network": "peppol",
            "documents": [{"document": self._link(one.body, 60.0), "mime_type": "application/xml"}],
            "evidence": {"message_id": f"{one.id}@storecove", "receiving_accesspoint": "CN=PNO000999"},
        }

    @staticmethod
    def _older(one: Transmission) -> dict[str, Any]:
        results = {"sent": "accepted", "refused": "rejected"}
        return {
            "guid": one.id,
            "status": "complete",
            "actions": [
                {
                    "transmission_datetime": moment.at.isoformat(),
                    "transmission_type": "peppol",
                    "transmission_result": results[moment.state],
                    "receiver_response": moment.reason,
                }
                for moment in one.past()
                if moment.state in results
            ],
        }

    # --- in -----------------------------------------------------------------------------------------------------------

    def _taken_away(self, guid: str) -> Answer:
        if not self.queue.take(guid):
            raise Refused(404, "")
        waiting = " ".join(body for _, body in self.queue.events)
        for one in self.network.waiting():
            one.handled = one.id not in waiting
        return Answer(204, None, {})

    def _original(self, guid: str) -> Answer:
        one = self._incoming(guid)
        if self.rules.links is None:
            return Answer(200, {"guid": guid, "original": base64.b64encode(one.document).decode()}, {})
        return Answer(200, {"guid": guid, "original": self._link(one.document, self.rules.links)}, {})

    def _incoming(self, guid: str) -> Incoming:
        for one in self.network.incoming:
            if one.id == guid:
                return one
        raise Refused(404, "")

    def _link(self, body: bytes, seconds: float) -> str:
        name = secrets.token_urlsafe(16)
        self._links[name] = (time.monotonic() + seconds, body)
        return f"{self.url.removesuffix(self.prefix)}/links/{name}?X-Signature={secrets.token_urlsafe(8)}%2B"

    def _linked(self, name: str, request: Request) -> Answer:
        until, body = self._links.get(name, (0.0, b""))
        if "authorization" in request.headers:
            raise Refused(400, "")  # as object stores answer to a second way of authentication
        if until <= time.monotonic() or not request.query.get("X-Signature", "").endswith("+"):
            return Answer(403, "<Error><Code>AccessDenied</Code></Error>", {})
        return Answer(200, body, {})

    def _legal_entity(self, id: str) -> Answer:
        if id != str(LEGAL_ENTITY):
            raise Problem(403, "legalEntityId", "The LegalEntity is not yours")
        identifier = {"superscheme": "iso6523-actorid-upis", "scheme": "NO:ORG", "identifier": NUMBER}
        return Answer(200, {"id": LEGAL_ENTITY, "party_name": "Fjord AS", "peppol_identifiers": [identifier]}, {})
