"""The queue: what came for the company, and what became of what was sent.

It shows its first event only, and the next one when that is taken away; so the house acknowledges before it reads on.
A document is acknowledged by its own guid, so that two events of the same one are one message.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.access_points.answers import out_of_reach
from adapters.access_points.storecove import events, wire
from adapters.access_points.storecove.client import STORECOVE, Client
from connector.errors import NeedsPerson, Refused, VendorError
from connector.model.json import dumps, loads
from connector.ports import Inbox, Message, Report, Status

QUEUE = "/webhook_instances/"
HELD = timedelta(hours=1)
"""How long another company's event may be the first one before a person hears of it."""
_BYTES = ("original", "document", "ubl", "content")
"""Where the document has been seen in the answer: base64, or a link that holds for a short time."""


class Receiving:
    """The queue as one company sees it.

    Args:
        client: the account's calls.
        legal_entity, tenant_id: see the settings.
        proved: whether there is proof that a submission was sent, by its guid.
    """

    def __init__(
        self,
        client: Client,
        legal_entity: int,
        tenant_id: str | None,
        proved: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._client, self._legal_entity, self._tenant_id = client, legal_entity, tenant_id
        self._proved = proved

    async def inbox(self, cursor: str | None) -> Inbox:
        """What the first event says. The cursor knows which one that was, and since when.

        Raises `NeedsPerson` ("queue-held") where another company's event stays the first one.
        """
        first = await self._first()
        if first is None:
            return Inbox((), None)
        before: dict[str, str] = loads(cursor) if cursor else {}
        again = before.get("first") == first.guid
        since = before["since"] if again else datetime.now(UTC).isoformat()
        here = dumps({"first": first.guid, "since": since}).decode()
        event = _event(first)
        if event is not None and self._of_another(event):
            if datetime.now(UTC) - datetime.fromisoformat(since) > HELD:
                raise NeedsPerson(
                    "The first event in Storecove's queue is another company's, and nobody takes it: what comes after"
                    " it cannot be seen.",
                    code="queue-held",
                    do="See that the connection of that company works, or give each company an account of its own.",
                    where={"event": first.guid, "legal_entity": event.legal_entity_id, "tenant_id": event.tenant_id},
                )
            return Inbox((), here)
        messages, reports = await self._told(first, event)
        return Inbox(messages, here, more=not again, reports=reports)

    async def acknowledge(self, message: str) -> None:
        """Take an event away; it is harmless where it is away already."""
        kind, _, id = message.partition("/")
        if kind == "document":
            first = await self._first()
            event = None if first is None else _event(first)
            if first is None or event is None or event.document_guid != id:
                return
            id = first.guid
        try:
            await self._client.call("DELETE", f"{QUEUE}{id}")
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise

    async def _first(self) -> wire.WebhookInstance | None:
        answer = await self._client.call("GET", QUEUE, collection=True)
        if answer.status == 204 or not answer.body.strip():
            return None
        said = answer.json()
        if isinstance(said, list):  # the description says one, its name says several
            said = said[0] if said else None
        return None if said is None else STORECOVE.read(wire.WebhookInstance, said, f"GET {QUEUE}")

    def _of_another(self, event: wire.Event) -> bool:
        if event.legal_entity_id not in (None, self._legal_entity):
            return True
        return self._tenant_id is not None and event.tenant_id not in (None, self._tenant_id)

    async def _told(self, first: wire.WebhookInstance, event: wire.Event | None) -> tuple[list[Message], list[Report]]:
        if event is None:  # nobody can read it, so it is kept for a person
            return [Message(f"event/{first.guid}", first.body.encode(), content_type="application/json")], []
        if event.document_guid:
            return [await self._message(event.document_guid, first.body)], []
        told = report(f"event/{first.guid}", event)
        if told.status.state == "failed" and event.guid and await self._proved(event.guid):
            # It failed after the receiver's access point had it: it is there, and is not handed on.
            told = replace(told, status=replace(told.status, state="refused"))
        return [Message(told.id, answer) for answer in response(event)], [told]

    async def _message(self, guid: str, event: str) -> Message:
        """The document, fetched at once. Where it cannot be had (any more, or for its size), or only in a shape that we
        do not know: what is there of it, so that a person hears of it and the queue goes on.
        """
        path = f"/received_documents/{guid}/original"
        try:
            answer = (await self._client.call("GET", path)).body
            body = await self._document(answer) or answer
        except VendorError as exc:
            if not out_of_reach(exc):
                raise
            body = event.encode()
        return Message(f"document/{guid}", body, content_type=_media_type(body))

    async def _document(self, answer: bytes) -> bytes | None:
        """The document in an answer: itself, as base64, or behind a link. Raises `Refused`: that leads nowhere."""
        if _media_type(answer) == "application/xml":
            return answer
        try:
            said = loads(answer)
        except ValueError:
            return None
        text = next((said[name] for name in _BYTES if _is_text(said, name)), "") if isinstance(said, dict) else ""
        try:
            if re.match(r"https?://", text):
                return await self._client.follow(text)
            return base64.b64decode(re.sub(r"\s", "", text), validate=True)
        except (binascii.Error, ValueError):
            return None


def report(id: str, event: wire.Event) -> Report:
    """What an event says of a submission of ours: by our key, and by Storecove's where it does not show ours. The
    buyer's answer is in it where the response itself is not (`response`).
    """
    if event.idempotencyGuid is None and event.guid is None:
        return Report(id, "", Status("accepted", f"{event.event_type} {event.event or ''}".strip()))
    answer = None if response(event) else events.answer(event)
    return Report(id, event.idempotencyGuid or event.guid or "", events.of_submission(event), answer)


def response(event: wire.Event) -> list[bytes]:
    """The buyer's answer itself, where the event has it."""
    try:
        body = base64.b64decode(event.response_document or "", validate=True)
    except (binascii.Error, ValueError):
        return []
    return [body] if _media_type(body) == "application/xml" else []


def _event(first: wire.WebhookInstance) -> wire.Event | None:
    try:
        return STORECOVE.read(wire.Event, loads(first.body), QUEUE)
    except (ValueError, VendorError):
        return None


def _is_text(said: Mapping[str, Any], name: str) -> bool:
    return isinstance(said.get(name), str) and bool(said[name].strip())


def _media_type(body: bytes) -> str:
    begin = body.lstrip(b"\xef\xbb\xbf \r\n\t")[:5]
    if begin == b"%PDF-":
        return "application/pdf"
    kinds = {b"<": "application/xml", b"{": "application/json"}
    return kinds.get(begin[:1], "application/octet-stream")
