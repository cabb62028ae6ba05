"""Tripletex' webhooks: the subscriptions, kept as they should be, and what a signed request hints at.

One subscription is one event; each belongs to the token and company it was made with. A request is signed with
HMAC-SHA512 over its `idempotency-key`, `&` and the raw body. There is no event for a changed invoice nor for a payment:
a voucher or a close group that comes or goes is the reason to look at both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from adapters.accounting.tripletex.client import Client
from connector.errors import BadInput, Denied, Refused
from connector.model.json import dumps, loads
from connector.ports import Heard, Hint, Kind, Subscribed

ACTIVE = "ACTIVE"
REGISTERS = ("customer", "supplier", "product", "project")
"""Subjects that tell of single records (`customer.update`); those are followed whose kind is read. Departments and free
dimensions have no events: they are polled.
"""
TRIGGERS: Mapping[str, tuple[Kind, ...]] = {
    "closeGroup.create": (Kind.PAYMENT, Kind.INVOICE),
    "closeGroup.delete": (Kind.PAYMENT, Kind.INVOICE),
    "voucher.create": (Kind.PAYMENT, Kind.INVOICE),
    "voucher.update": (Kind.PAYMENT, Kind.INVOICE),
    "voucher.delete": (Kind.PAYMENT, Kind.INVOICE),
}
"""Events that say where to look and not at what: the rows behind them are read like all the others."""
LONGEST_KEY = 200


class Webhooks:
    """The webhooks of one connection, signed with `secret`. `kinds`: what is read of this company."""

    def __init__(self, client: Client, secret: str, kinds: Collection[Kind]) -> None:
        self._client = client
        self._secret = secret
        self._hints = _events(kinds)
        self._made: set[int] = set()
        """Subscriptions of ours that may not have been kept by the house yet."""

    # --- subscriptions ------------------------------------------------------------------------------------------------

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """Every event we follow has one subscription that is ACTIVE and posts to `target`; those at a target we had
        before are ended. Raises what `Client.call` raises.
        """
        before = loads(state) if state else {}
        ours = {target, before.get("target")} - {None}
        sign = self._sign() if target else None
        wanted = dict.fromkeys(self._hints) if target else {}
        there: dict[str, dict[str, Any]] = {}
        for row in await self._client.every("/event/subscription", fields="id,version,event,targetUrl,status"):
            if row.get("targetUrl") not in ours:
                continue
            event = str(row.get("event"))
            if row["targetUrl"] != target or event not in wanted or event in there:
                await self._end(row["id"])
            else:
                there[event] = row
        mended, states, ids = [], {}, []
        for event in wanted:
            found = there.get(event)
            states[event] = str(found.get("status")) if found else "missing"
            sound = found is not None and found.get("status") == ACTIVE and before.get("sign") == sign
            if found is None:
                found = await self._made_anew(event, str(target))
            elif not sound:
                await self._switched_on(found["id"])
            ids.append(found["id"])
            if not sound:
                mended.append(event)
        self._made = set(ids)
        return Subscribed(dumps({"target": target, "sign": sign, "ids": sorted(ids)}).decode(), states, mended)

    async def _made_anew(self, event: str, target: str) -> dict[str, Any]:
        said = {"event": event, "targetUrl": target, "fields": "id", "hmacSharedSecret": self._secret}
        made = await self._client.write("POST", "/event/subscription", json=said)
        self._made.add(made["id"])
        return made

    async def _switched_on(self, id: int) -> None:
        said = {"status": ACTIVE, "hmacSharedSecret": self._secret}
        await self._client.write("PUT", f"/event/subscription/{id}", json=said)

    async def _end(self, id: int) -> None:
        try:
            await self._client.call("DELETE", f"/event/subscription/{id}")
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise

    def _sign(self) -> str:
        """Tells whether the secret is another than the one the subscriptions were made with, without telling it."""
        return hashlib.sha256(f"tripletex webhook {self._secret}".encode()).hexdigest()[:16]

    # --- requests -----------------------------------------------------------------------------------------------------

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Heard:
        """What a request hints at. Raises `Denied` ("signature-wrong", "hook-for-another"), `BadInput`."""
        key = headers.get("idempotency-key", "")
        if not key or len(key) > LONGEST_KEY or not self._signed(headers.get("x-request-signature", ""), key, body):
            raise Denied(
                "The request is not signed with the secret of this connection.",
                code="signature-wrong",
                do="Webhooks are signed by the system that sends them; see that its subscription has our secret.",
            )
        try:
            said = loads(body)
        except ValueError:
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("event"), str):
            raise BadInput("The body is no event of Tripletex.", code="hook-malformed", do="Send what was signed.")
        known = {*(loads(state).get("ids", ()) if state else ()), *self._made}
        if known and said.get("subscriptionId") not in known:
            raise Denied(
                f"The event {said['event']} is of a subscription ({said.get('subscriptionId')}) that is not this"
                " connection's.",
                code="hook-for-another",
                do="See which subscriptions the company has in Tripletex; another company's post to another address.",
            )
        return Heard(key, said["event"], self._hints_of(said["event"], said.get("id")))

    def _signed(self, signature: str, key: str, body: bytes) -> bool:
        made = hmac.new(self._secret.encode(), key.encode() + b"&" + body, hashlib.sha512).digest()
        try:
            given = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        return hmac.compare_digest(given, made)

    def _hints_of(self, event: str, id: Any) -> Sequence[Hint]:
        """Where to look. An event that we do not know hints at nothing."""
        single = event not in TRIGGERS and type(id) is int
        return [Hint(kind, str(id) if single else None) for kind in self._hints.get(event, ())]


def _events(kinds: Collection[Kind]) -> dict[str, tuple[Kind, ...]]:
    """What we subscribe to, and the kinds that each event is about."""
    read = {str(kind): kind for kind in kinds}
    found: dict[str, tuple[Kind, ...]] = {}
    for subject in REGISTERS:
        if subject in read:
            found |= {f"{subject}.{verb}": (read[subject],) for verb in ("create", "update", "delete")}
    if Kind.INVOICE in kinds:
        found["invoice.charged"] = (Kind.INVOICE,)
    for event, about in TRIGGERS.items():
        if some := tuple(kind for kind in about if kind in kinds):
            found[event] = some
    return found
