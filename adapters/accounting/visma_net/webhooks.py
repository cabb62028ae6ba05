"""Visma Net's webhooks: what a signed request hints at.

They are set up by hand, for an application, in the Visma Developer Portal (publisher Visma Net Financial): since April
2025 the API has no call for it. The dispatcher signs the raw body with HMAC-SHA256. How a body looks today is not
described; the one seen is a list of events with the address of a record in each. There is none for payments and credit
notes, so that an invoice that changed is the reason to look at them, too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connector.errors import BadInput, Denied
from connector.model.json import loads
from connector.ports import Heard, Hint, Kind, Subscribed

_SALES = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.PAYMENT)
_ABOUT: Mapping[str, tuple[Kind, ...]] = {
    "customer": (Kind.CUSTOMER,),
    "supplier": (Kind.SUPPLIER,),
    "inventory": (Kind.PRODUCT,),
    "project": (Kind.PROJECT,),
    "department": (Kind.DEPARTMENT,),
    "dimension": (Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION),
    "segment": (Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION),
    "customerinvoice": _SALES,
    "arinvoice": _SALES,
    "supplierinvoice": (Kind.SUPPLIER_INVOICE,),
    "apinvoice": (Kind.SUPPLIER_INVOICE,),
    "account": (),
    "employee": (),
    "backgroundapioperation": (),
}
"""What a resource, or the first words of an event's name, is about; nothing: we do not follow it."""
_LONGEST_KEY = 200


class Webhooks:
    """The webhooks of one connection, signed with `secret`. `kinds`: what is read of this company."""

    def __init__(self, secret: str, tenant: str, kinds: Collection[Kind]) -> None:
        self._secret, self._tenant, self._kinds = secret, tenant, tuple(kinds)

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """Nothing: a person has set them up, and the API does not tell how they stand."""
        return Subscribed("{}", {}, ())

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Heard:
        """What a request hints at: kinds of records to look at, never single ones, for what is said of them is not
        described. Raises `Denied` ("signature-wrong", "hook-for-another"), `BadInput`.
        """
        if not self._signed(headers.get("x-vwd-signature-v1", ""), body):
            raise Denied(
                "The request is not signed with the secret of this connection.",
                code="signature-wrong",
                do="See that the webhook's key in the Visma Developer Portal is the `webhook_secret` here.",
            )
        tenant = headers.get("x-vwd-tenant-id", self._tenant)
        if tenant != self._tenant:
            raise Denied(
                f"The event is of the company with tenant id {tenant}.",
                code="hook-for-another",
                do="An application has one address for all its companies: give each company an application of its own,"
                " or let polls find what changes.",
            )
        try:
            said = loads(body)
        except ValueError:
            raise BadInput("The body is no JSON.", code="hook-malformed", do="Send what was signed.") from None
        events = [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, dict)]
        names = [name for one in events if (name := _text(one, "event"))]
        about = dict.fromkeys(kind for one in events for kind in self._about(one))
        key = headers.get("x-vwd-notification-id", "")[:_LONGEST_KEY] or hashlib.sha256(body).hexdigest()
        return Heard(key, ", ".join(dict.fromkeys(names))[:_LONGEST_KEY] or "unknown", [Hint(kind) for kind in about])

    def _signed(self, signature: str, body: bytes) -> bool:
        made = hmac.new(self._secret.encode(), body, hashlib.sha256).digest()
        try:
            given = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        return hmac.compare_digest(given, made)

    def _about(self, event: dict[str, Any]) -> Iterator[Kind]:
        """What to look at. What says nothing that we know is reason to look at everything."""
        found = next((_ABOUT[word] for word in _words(event) if word in _ABOUT), self._kinds)
        return (kind for kind in found if kind in self._kinds)


def _words(event: dict[str, Any]) -> Iterator[str]:
    """The resource in an event's address, and what its name begins with, longest first."""
    for name in ("relativeResourceUri", "resourceUri"):
        path = re.sub(r"^https?://[^/]+", "", _text(event, name)).lower()
        yield from (part for part in path.strip("/").split("/") if not re.fullmatch(r"v\d+|controller|api", part))
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", _text(event, "event"))
    yield from ("".join(words[:count]).lower() for count in range(len(words), 0, -1))


def _text(event: dict[str, Any], name: str) -> str:
    found = event.get(name)
    return found if isinstance(found, str) else ""
