"""What others have sent to the company: read from two lists, window by window.

Maventa's lists do not say what was taken already, so the cursor does: where the present window of time begins and ends,
which page comes next, and which ids of the time that windows share were read before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from adapters.access_points.answers import out_of_reach
from adapters.access_points.maventa import wire
from adapters.access_points.maventa.client import MAVENTA, Client, Row
from adapters.access_points.maventa.sending import DOCUMENTS, INVOICES
from connector.errors import Refused, VendorError
from connector.model.json import dumps, loads
from connector.ports import Inbox, Message

PAGE = 20
"""Documents that are fetched in one go, each with a call of its own."""
OF_DOCUMENTS = frozenset({"INVOICE_RESPONSE", "MESSAGE_LEVEL_RESPONSE"})
"""Types of the second list that are handed over; the rest (orders, catalogues) is for other programs."""
_DATES = {INVOICES: ("received_at_start", "received_at_end"), DOCUMENTS: ("created_at_start", "created_at_end")}


class Receiving:
    """The inbox of one company. `since`, `overlap`: see the settings."""

    def __init__(self, client: Client, since: date | None, overlap: timedelta) -> None:
        self._client, self._since, self._overlap = client, since, overlap

    async def inbox(self, cursor: str | None) -> Inbox:
        """A page of invoices, or, when there are no more, of documents. What its cursor has passed does not come again,
        acknowledged or not.
        """
        now = datetime.now(UTC)
        at: dict[str, Any] = loads(cursor) if cursor else {}
        turn = at.get("turn", INVOICES)
        messages, window, more = await self._page(turn, at.get(turn) or self._first(now), now)
        at[turn] = window
        if not more and turn == INVOICES:
            at["turn"], more = DOCUMENTS, True
        elif not more:
            at["turn"] = INVOICES
        return Inbox(messages, dumps(at).decode(), more)

    async def acknowledge(self, message: str) -> None:
        """Say that it was handled, where Maventa wants to hear it."""
        kind, _, id = message.partition("/")
        path, said = (
            (f"/v1/{INVOICES}/{id}/invoice_events", {"state": "HANDLED"})
            if kind == INVOICES
            else (f"/v1/{DOCUMENTS}/{id}", {"status": "CONFIRMED_DELIVERY"})
        )
        with suppress(Refused):  # it is a mark for others; what was read, the cursor knows
            await self._client.call("PATCH", path, json=said)

    def _first(self, now: datetime) -> dict[str, Any]:
        day = self._since or now.date()
        return {"since": wire.moment(datetime.combine(day, time(), UTC)), "seen": {}}

    async def _page(
        self, kind: str, window: Mapping[str, Any], now: datetime
    ) -> tuple[list[Message], dict[str, Any], bool]:
        """The messages of the window's next page, and where to go on. A window has an end, so that what comes while it
        is read shifts no page.
        """
        until, page = window.get("until") or wire.moment(now), window.get("page", 1)
        seen: dict[str, str] = dict(window["seen"])
        start, end = _DATES[kind]
        asked = {"direction": "RECEIVED", start: window["since"], end: until, "page": page, "per_page": PAGE}
        rows = await self._client.rows(f"/v1/{kind}", **asked)
        messages = []
        for row in rows:
            there = _read(kind, row)
            if there.id not in seen:
                seen[there.id] = wire.moment(there.received_at or _time(until))
                if isinstance(there, wire.Invoice) or there.type in OF_DOCUMENTS:
                    messages.append(await self._message(there, row))
        if len(rows) == PAGE:
            return messages, {"since": window["since"], "until": until, "page": page + 1, "seen": seen}, True
        since = wire.moment(max(_time(until) - self._overlap, _time(window["since"])))
        # What the next window cannot show any more need not be remembered.
        seen = {id: at for id, at in seen.items() if _time(at) >= _time(since)}
        return messages, {"since": since, "seen": seen}, False

    async def _message(self, there: wire.Invoice | wire.Document, row: Row) -> Message:
        """The document; where it cannot be had, what Maventa shows of it, so that a person hears of it."""
        kind = INVOICES if isinstance(there, wire.Invoice) else DOCUMENTS
        found = await (self._invoice(there) if isinstance(there, wire.Invoice) else self._document(there))
        body = found or dumps(row)
        return Message(
            f"{kind}/{there.id}",
            body,
            sender=there.sender.eia,
            receiver=there.recipient.eia,
            content_type=_media_type(body),
        )

    async def _invoice(self, there: wire.Invoice) -> bytes | None:
        """The invoice in our format; where Maventa cannot make it, the file that it has."""
        path = f"/v1/{INVOICES}/{there.id}"
        body = await self._file(path, return_format="PEPPOLBIS30")
        for file in () if body else _xml_first(there.files):
            body = body or await self._file(f"{path}/files/{file.id}")
        return body

    async def _document(self, there: wire.Document) -> bytes | None:
        files = there.files or [
            MAVENTA.read(wire.File, file, "/v1/files")
            for file in await self._client.rows("/v1/files", document_id=there.id)
        ]
        body = None
        for file in _xml_first(files):
            body = body or await self._file(f"/v1/files/{file.id}")
        return body

    async def _file(self, path: str, **params: Any) -> bytes | None:
        """A file; None where it cannot be had, or is what Maventa shows of the document instead."""
        try:
            body = await self._client.content(path, **params)
        except VendorError as exc:
            if not out_of_reach(exc):
                raise
            return None
        return body if body.strip() and not body.lstrip().startswith(b"{") else None


def _read(kind: str, row: Row) -> wire.Invoice | wire.Document:
    path = f"/v1/{kind}"
    return MAVENTA.read(wire.Invoice, row, path) if kind == INVOICES else MAVENTA.read(wire.Document, row, path)


def _xml_first(files: Iterable[wire.File]) -> list[wire.File]:
    return sorted(files, key=lambda file: "xml" not in f"{file.mimetype} {file.filename}".lower())


def _media_type(body: bytes) -> str:
    begin = body.lstrip(b"\xef\xbb\xbf \r\n\t")[:5]
    if begin.startswith(b"<"):
        return "application/xml"
    if begin.startswith(b"{"):
        return "application/json"
    return "application/pdf" if begin == b"%PDF-" else "application/octet-stream"


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
