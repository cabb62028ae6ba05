"""What phoss-ap hands over: it posts the whole envelope to an address that its operator sets, with a fixed header that
holds our secret.

A 2xx makes it tell the network that the document was delivered, so the house answers only when it is on disk.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from connector.errors import BadInput, ConnectorError, Denied
from connector.ports import Json, Message, Subscribed, Told

INSTANCE = "x-sbdh-instance-id"


class Callbacks:
    """Its calls to us, for one connection.

    Args:
        header: the name of the header that holds the secret.
        secret: what must stand there.
        country: of the company that receives (C4).
    """

    def __init__(self, *, header: str, secret: str, country: str) -> None:
        self._header = header.lower()
        self._secret = secret.encode()
        self._country = country

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """Nothing is called: address and header are set by whoever runs phoss-ap."""
        return Subscribed(target or "", {"document": "set by hand"} if target else {})

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Told:
        """A document that was received. Raises `Denied` ("signature-wrong"), `BadInput` ("hook-malformed")."""
        if not hmac.compare_digest(headers.get(self._header, "").encode(), self._secret):
            raise Denied(
                "The call does not have the secret of this connection.",
                code="signature-wrong",
                do=f"In phoss-ap, set a fixed header {self._header} with the connection's hook_secret"
                " (forwarding.http.headers.1.name and .value).",
            )
        if not body.strip():
            raise BadInput(
                "There is no document in the call.", code="hook-malformed", do="Send the envelope as the body."
            )
        digest = hashlib.sha256(body).hexdigest()
        instance = headers.get(INSTANCE, "").strip() or None
        kind = headers.get("content-type", "application/xml").partition(";")[0].strip()
        message = Message(instance or f"sha256-{digest}", body, instance=instance, content_type=kind)
        # The bytes are part of the key: what comes under a known id and is something else is not the same call.
        return Told(
            f"{instance or ''}:{digest[:32]}", "document", messages=(message,), answer={"countryCodeC4": self._country}
        )

    def refusal(self, error: ConnectorError) -> Json:
        """Not to try again, for what would be refused again. What may go better later, and what a person may yet set
        right (the secret, whose this address is), is tried again.
        """
        if not isinstance(error, BadInput):
            return None
        return {"retry": "none", "errorMessage": f"{error.code}: {error.said}"[:1000]}
