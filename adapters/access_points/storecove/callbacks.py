"""Storecove's webhooks about what was sent: believed, because they carry our secret, and told here only.

Documents that came are not taken here: a webhook has their guid and not the document, and what is answered with 2xx
must be on disk. They come through the queue, which shows them until they are.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from adapters.access_points.storecove import wire
from adapters.access_points.storecove.client import STORECOVE
from adapters.access_points.storecove.receiving import report, response
from connector.errors import BadInput, ConnectorError, Denied, VendorError
from connector.model.json import loads
from connector.ports import Json, Message, Subscribed, Told


class Webhooks:
    """The webhooks of one connection. `secret` is ours; `legal_entity`, `tenant_id`: whose events they are."""

    def __init__(self, secret: str, legal_entity: int, tenant_id: str | None) -> None:
        self._secret, self._legal_entity, self._tenant_id = secret, legal_entity, tenant_id

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """Nothing: a person sets them up at Storecove, and the API does not tell how they stand."""
        return Subscribed("{}", {}, ())

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Told:
        """What has become of something that was sent. Raises `Denied` ("signature-wrong", "hook-for-another"),
        `BadInput` ("hook-malformed", "hook-not-taken").
        """
        if not hmac.compare_digest(_password(headers.get("authorization", "")), self._secret.encode()):
            raise Denied(
                "The call does not carry the secret of this connection.",
                code="signature-wrong",
                do="Enter the connection's hook_secret at Storecove as the password of the webhook.",
            )
        try:
            event = STORECOVE.read(wire.Event, loads(body), "webhook")
        except (ValueError, VendorError):
            raise BadInput("The body is no event of Storecove.", code="hook-malformed", do="Send it as JSON.") from None
        others = event.legal_entity_id not in (None, self._legal_entity)
        if others or (self._tenant_id is not None and event.tenant_id not in (None, self._tenant_id)):
            raise Denied(
                f"The event is of another company ({event.tenant_id or event.legal_entity_id}).",
                code="hook-for-another",
                do="Give the webhooks of each company their own address.",
            )
        if event.document_guid is not None or (event.guid is None and event.idempotencyGuid is None):
            raise BadInput(
                "Only events about documents that were sent are taken here.",
                code="hook-not-taken",
                do="Set this webhook to pull at Storecove: what came is read from the queue.",
            )
        key = hashlib.sha256(body).hexdigest()
        answers = [Message(key, answer) for answer in response(event)]
        return Told(key, event.event or "unknown", answers, reports=[report(key, event)])

    def refusal(self, error: ConnectorError) -> Json:
        """Nothing of its own: Storecove tries again for days."""
        return None


def _password(authorization: str) -> bytes:
    """The password of basic authentication, whoever the user is."""
    scheme, _, proof = authorization.partition(" ")
    try:
        decoded = base64.b64decode(proof, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        decoded = b""
    return decoded.partition(b":")[2]
