"""e-invoice.be's calls to us: one webhook, made by hand, and what a call hints at.

e-invoice.be makes the secret, so a person makes the webhook and puts its secret where secrets are; here it is switched
on and given the events that are needed. What a call says is a reason to look and nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.access_points.e_invoice_be import wire
from adapters.access_points.e_invoice_be.client import E_INVOICE_BE, Client
from connector.errors import BadInput, ConnectorError, Denied, NeedsPerson
from connector.model.json import dumps, loads
from connector.ports import Json, Subscribed, Told

PATH = "/api/webhooks/"
SENT, RECEIVED = ("document.sent", "document.sent.failed"), ("document.received", "document.received.failed")
EVENTS = (*RECEIVED, *SENT)


class Webhooks:
    """The calls of one connection. `secret` is the webhook's."""

    def __init__(self, client: Client, secret: str) -> None:
        self._client, self._secret = client, secret

    async def keep(self, target: str | None, state: str | None) -> Subscribed:
        """The webhook to `target` is on and has all events; one at an address that we had before is switched off.

        Raises `NeedsPerson` ("hook-missing", "hook-secret-wrong"): a person makes it, and says its secret.
        """
        before = (loads(state) if state else {}).get("target")
        rows = (await self._client.call("GET", PATH, collection=True)).json()
        if not isinstance(rows, list):
            raise E_INVOICE_BE.undescribed(f"GET {PATH}", "it is no list")
        there = [E_INVOICE_BE.read(wire.Webhook, row, f"GET {PATH}") for row in rows]
        for one in there:
            if one.url == before != target and one.enabled:
                await self._change(one, one.events, enabled=False)
        if target is None:
            return Subscribed(dumps({"target": None}).decode(), {})
        found = [one for one in there if one.url == target]
        ours = next((one for one in found if hmac.compare_digest(one.secret.encode(), self._secret.encode())), None)
        if ours is None:
            raise _not_ours(target, there=bool(found))
        states = {event: _state(ours, event) for event in EVENTS}
        mended = [event for event, state in states.items() if state != "active"]
        if mended:
            await self._change(ours, {*ours.events, *EVENTS}, enabled=True)
        return Subscribed(dumps({"target": target}).decode(), states, mended)

    async def _change(self, one: wire.Webhook, events: Iterable[str], *, enabled: bool) -> None:
        said = {"url": one.url, "events": sorted(events), "enabled": enabled}
        await self._client.call("PUT", f"{PATH}{one.id}", json=said)

    def hear(self, headers: Mapping[str, str], body: bytes, state: str | None) -> Told:
        """That it is worth looking now: at the inbox, or at the document that is named. Raises `Denied`
        ("signature-wrong"), `BadInput` ("hook-malformed").
        """
        event, written = _event(body)
        made = f"sha256={hmac.new(self._secret.encode(), written, hashlib.sha256).hexdigest()}"
        if not hmac.compare_digest(headers.get("x-signature", "").encode(), made.encode()):
            raise Denied(
                "The call is not signed with the secret of this connection's webhook.",
                code="signature-wrong",
                do="Put the secret that e-invoice.be shows for the webhook to this address into hook_secret.",
            )
        word, data = str(event.get("type") or "unknown")[:200], event.get("data")
        id = data.get("document_id") if isinstance(data, dict) else None
        about = [str(id)] if id and word in SENT else []
        key = event.get("id")
        return Told(
            key[:200] if isinstance(key, str) and key else hashlib.sha256(body).hexdigest(),
            word,
            transmissions=about,
            inbox=not about,
        )

    def refusal(self, error: ConnectorError) -> Json:
        """Nothing of its own: e-invoice.be hands nothing over by its calls."""
        return None


def _event(body: bytes) -> tuple[dict[str, Any], bytes]:
    """An event, and the same written anew, which is what is signed: keys sorted, a space after `,` and `:`, everything
    beyond ASCII escaped. Numbers are read as the one who signs writes them: exact ones would come out otherwise.
    """
    try:
        event = json.loads(body)
        written = json.dumps(event, sort_keys=True, separators=(", ", ": "), ensure_ascii=True)
    except (ValueError, RecursionError):
        event, written = None, ""
    if not isinstance(event, dict):
        raise BadInput("The body is no event of e-invoice.be.", code="hook-malformed", do="Send a JSON object.")
    return event, written.encode()


def _state(webhook: wire.Webhook, event: str) -> str:
    if event not in webhook.events:
        return "missing"
    return "active" if webhook.enabled else "off"


def _not_ours(target: str, *, there: bool) -> NeedsPerson:
    if there:
        return NeedsPerson(
            f"The webhook to {target} has another secret than this connection.",
            code="hook-secret-wrong",
            do="Put the secret that e-invoice.be shows for it into hook_secret (connector connections secret).",
        )
    return NeedsPerson(
        f"e-invoice.be has no webhook to {target}.",
        code="hook-missing",
        do="Make one at e-invoice.be with this address, and put the secret that it shows into hook_secret.",
    )
