"""Maventa's calls to us: one subscription, kept as it should be, and what a call hints at.

How calls are signed is not described. So our secret goes into the address that Maventa calls, as the password of basic
authentication, and what a call says is a reason to look and nothing more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from adapters.access_points.maventa import wire
from adapters.access_points.maventa.client import MAVENTA, Client
from adapters.access_points.maventa.sending import INVOICES
from connector.errors import BadInput, ConnectorError, Denied, Refused
from connector.model.json import dumps, loads
from connector.ports import Json, Subscribed, Told

PATH = "/v1/company/notifications"
USER = "maventa"
EVENTS = tuple(f"DOCUMENTS.INVOICE.{what}" for what in ("RECEIVED", "DELIVERED", "DELIVERY_CONFIRMED", "FAILED"))
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Webhooks:
    """The calls of one connection. `secret` is ours; `company`: whose events they are."""

    def __init__(self, client: Client, secret: str, company: str) -> None:
        self._client, self._secret, self._company = client, secret, company

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """One subscription with all events, to `target` with our secret in it; what we had before is ended."""
        before = (loads(state) if state else {}).get("target")
        wanted = None if target is None else _with_password(target, self._secret)
        ours = {target, before} - {None}
        kept: wire.Subscription | None = None
        for row in await self._client.rows(PATH):
            there = MAVENTA.read(wire.Subscription, row, PATH)
            if _bare(there.destination) not in ours:
                continue
            if there.destination == wanted and kept is None and set(EVENTS) <= set(there.events):
                kept = there
            else:
                await self._end(there.id)
        states = dict.fromkeys(EVENTS, "missing" if kept is None else "active") if wanted else {}
        if wanted and kept is None:
            said = {"destination_type": "WEBHOOK", "destination": wanted, "events": list(EVENTS)}
            await self._client.call("POST", PATH, json=said, collection=True)
        mended = [event for event, was in states.items() if was == "missing"]
        return Subscribed(dumps({"target": target}).decode(), states, mended)

    async def _end(self, id: str) -> None:
        try:
            await self._client.call("DELETE", f"{PATH}/{id}")
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Told:
        """That it is worth looking now: at the inbox, and at the invoice that is named. Raises `Denied`
        ("signature-wrong", "hook-for-another"), `BadInput` ("hook-malformed").
        """
        made = "Basic " + base64.b64encode(f"{USER}:{self._secret}".encode()).decode()
        if not hmac.compare_digest(headers.get("authorization", "").encode(), made.encode()):
            raise Denied(
                "The call does not carry the secret of this connection.",
                code="signature-wrong",
                do="Maventa sends it with each call to the address we gave it; see its subscriptions there.",
            )
        try:
            said = loads(body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise BadInput("The body is no event of Maventa.", code="hook-malformed", do="Send a JSON object.")
        names = dict(_flat(said))
        company = names.get("company_id") or names.get("company_uuid")
        if company and company.lower() != self._company.lower():
            raise Denied(
                f"The event is of the company {company}.",
                code="hook-for-another",
                do="See which subscriptions the company has in Maventa; another company's call another address.",
            )
        event = next((names[name] for name in ("event", "event_type", "type") if names.get(name)), "unknown")[:200]
        ids = [names[name] for name in ("invoice_id", "document_id", "id") if _ID.fullmatch(names.get(name, ""))]
        about = [f"{INVOICES}/{ids[0].lower()}"] if ids and not event.endswith("RECEIVED") else []
        return Told(hashlib.sha256(body).hexdigest(), event, transmissions=about, inbox=not about)

    def refusal(self, error: ConnectorError) -> Json:
        """Nothing of its own: Maventa hands nothing over by its calls."""
        return None


def _flat(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Texts by name, those of objects inside it first: what is outside counts where both have a name."""
    for value in said.values():
        if isinstance(value, dict):
            yield from _flat(value)
    yield from ((name, value) for name, value in said.items() if isinstance(value, str))


def _with_password(target: str, secret: str) -> str:
    parts = urlsplit(target)
    return urlunsplit(parts._replace(netloc=f"{USER}:{quote(secret, safe='')}@{parts.netloc}"))


def _bare(destination: str) -> str:
    parts = urlsplit(destination)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
