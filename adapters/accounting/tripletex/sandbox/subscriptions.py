"""Webhooks: who is subscribed to what, and delivering it by a real POST, signed as Tripletex signs.

Stated by the vendor: the signature, one verb a subscription, a subscription belongs to one employee token, `value` null
on delete, versions may be skipped. Not stated, and set in `Rules`: how often a failed delivery is tried, and after how
many failures in a row a subscription is switched off.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from adapters.accounting.tripletex.sandbox import forms
from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.fields import FIELDS
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid, parse_fields, show
from connector.model.json import dumps

_SUBJECTS = {"customer": "Kunde", "supplier": "Leverandør", "contact": "Kontakt", "order": "Ordre",
             "product": "Produkt", "project": "Prosjekt", "account": "Konto",
             "employee": "Ansatt", "voucher": "Bilag"}  # fmt: skip
_VERBS = {"create": "opprettet", "update": "endret", "delete": "slettet"}
EVENTS: Mapping[str, str] = {
    **{f"{subject}.{verb}": f"{name} {done}" for subject, name in _SUBJECTS.items() for verb, done in _VERBS.items()},
    "invoice.charged": "Faktura opprettet", "voucherstatus.ready": "Bilag er klart",
    "closeGroup.create": "Posteringer lukket", "closeGroup.delete": "Lukking opphevet",
}  # fmt: skip
"""The events there are, and what they say. There is none for a changed invoice, nor for a payment."""
_TYPES = {"voucherstatus": "voucherStatus"}
_STATES = {"ACTIVE", "DISABLED"}


def subscribe(books: Books, said: Any, token: str) -> Thing:
    """As `POST /event/subscription`. Targets must be HTTPS; the sandbox takes HTTP on loopback too."""
    values = _values(said)
    for name in ("event", "targetUrl"):
        if not values.get(name):
            raise invalid(name, "Kan ikke være null.")
    return books.add("subscription", **{"fields": "*", "status": "ACTIVE", "_token": token, "_errors": 0, **values})


def change(books: Books, subscription: Thing, said: Any) -> None:
    """As `PUT /event/subscription/{id}`. Switched on again, its failures are forgotten."""
    values = _values(said)
    if values.get("status") == "ACTIVE":
        values["_errors"] = 0
    books.touch(subscription, **values)


def _values(said: Any) -> dict[str, Any]:
    forms.check_names(FIELDS["subscription"], said, "", "subscription")
    values = {name: forms.text(value, name) for name, value in said.items()
              if value is not None and name not in {"id", "version", "url", "changes"}}  # fmt: skip
    if values.get("event", "invoice.charged") not in EVENTS:
        raise invalid("event", "Ukjent hendelse.")
    if "fields" in values:
        parse_fields(values["fields"])
    if values.get("status") not in {None, *_STATES}:
        raise invalid("status", "Kan bare settes til ACTIVE eller DISABLED.")
    if "targetUrl" in values:
        url = urlsplit(values["targetUrl"])
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in {"127.0.0.1", "localhost", "::1"}):
            raise invalid("targetUrl", "Må være en absolutt adresse med HTTPS.")
    return values


@dataclass
class Delivery:
    """One POST to a subscriber, as it was sent; `status` None: no answer."""

    url: str
    headers: dict[str, str]
    body: bytes
    status: int | None = None


@dataclass
class Deliverer:
    """Tells the subscribers of one company what happens in its books, as `base` (the API's address) shows it."""

    books: Books
    base: str
    sent: list[Delivery] = field(default_factory=list)
    """Everything that was posted, failures too."""

    def __post_init__(self) -> None:
        self._waiting: dict[tuple[int, str, int], None] = {}
        self._telling: tuple[int, str, int] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._repeats: set[asyncio.Task[Delivery]] = set()
        self.books.listeners.append(self.happened)

    def happened(self, event: str, id: int) -> None:
        """Something happened in the books; from whatever thread."""
        if event not in EVENTS:
            return
        for subscription in list(self.books.things.get("subscription", {}).values()):
            if subscription["event"] == event and subscription["status"] == "ACTIVE":
                self._waiting[subscription["id"], event, id] = None
        if self._waiting and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def start(self) -> None:
        """Begin to deliver."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """Deliver no more; what waits is lost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def idle(self) -> None:
        """Until nothing waits to be delivered."""
        while self._waiting or self._telling or self._repeats:  # noqa: ASYNC110 - changes come from other threads too
            await asyncio.sleep(0.005)

    async def again(self, delivery: Delivery) -> Delivery:
        """Post a delivery once more, under the same idempotency key."""
        async with httpx.AsyncClient(timeout=5.0) as client:
            return await self._post(client, Delivery(delivery.url, delivery.headers, delivery.body))

    def repeat(self, index: int) -> dict[str, str]:
        """The same from the outside: one of `sent` is posted once more, soon. Raises IndexError."""
        delivery = self.sent[index]
        if self._loop is not None:
            task = self._loop.create_task(self.again(delivery))
            self._repeats.add(task)
            task.add_done_callback(self._repeats.discard)
        return {"idempotency-key": delivery.headers["idempotency-key"]}

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=5.0) as client:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await asyncio.sleep(self.books.rules.webhook_delay)
                while self._waiting:
                    self._telling = next(iter(self._waiting))
                    del self._waiting[self._telling]
                    await self._tell(client, *self._telling)
                    self._telling = None

    async def _tell(self, client: httpx.AsyncClient, subscription_id: int, event: str, id: int) -> None:
        subscription = self.books.things["subscription"].get(subscription_id)
        if subscription is None or subscription["status"] != "ACTIVE":
            return
        delivery = self._delivery(subscription, event, id)
        for _ in range(self.books.rules.webhook_attempts):
            if (await self._post(client, delivery)).status in range(200, 300):
                subscription["_errors"] = 0
                return
        subscription["_errors"] += 1
        if subscription["_errors"] >= self.books.rules.webhook_errors:
            self.books.touch(subscription, status="DISABLED_TOO_MANY_ERRORS")

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> Delivery:
        self.sent.append(delivery)
        try:
            delivery.status = (
                await client.post(delivery.url, content=delivery.body, headers=delivery.headers)
            ).status_code
        except httpx.HTTPError:
            delivery.status = None
        return delivery

    def _delivery(self, subscription: Thing, event: str, id: int) -> Delivery:
        body = dumps({"subscriptionId": subscription["id"], "event": event, "id": id,
                      "value": self._value(subscription, event, id)})  # fmt: skip
        key = secrets.token_hex(16)
        headers = {"Content-Type": "application/json; charset=utf-8", "idempotency-key": key}
        if secret := subscription.get("hmacSharedSecret"):
            headers["x-request-signature"] = signature(secret, key, body)
        if subscription.get("authHeaderName"):
            headers[subscription["authHeaderName"]] = subscription.get("authHeaderValue", "")
        return Delivery(subscription["targetUrl"], headers, body)

    def _value(self, subscription: Thing, event: str, id: int) -> dict[str, Any] | None:
        """What the record looks like now; None where it is gone."""
        subject = event.partition(".")[0]
        try:
            thing = self.books.find(Link(_TYPES.get(subject, subject), id))
            return show(thing, parse_fields(subscription["fields"]), self.books.find, self.base)
        except SandboxError:
            return None


def signature(secret: str, key: str, body: bytes) -> str:
    """What `x-request-signature` says: base64 of HMAC-SHA512 over the idempotency key, `&` and the raw body."""
    signed = hmac.new(secret.encode(), key.encode() + b"&" + body, hashlib.sha512)
    return base64.b64encode(signed.digest()).decode()
