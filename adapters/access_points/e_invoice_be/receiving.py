"""What others have sent to the company: a list, the latest first, in which nothing can be marked as taken.

So the cursor says what was taken: up to when it was read, and the ids of the time that is read once more, for what is
shown late. The list can be asked for by date of issue only, so it is read from its top down to that time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from adapters.access_points.e_invoice_be import wire
from adapters.access_points.e_invoice_be.client import E_INVOICE_BE, Client
from connector.errors import NeedsPerson, TryLater, VendorError
from connector.model.json import dumps, loads
from connector.ports import Inbox, Message

PAGE = 20
"""Documents that are fetched in one go, with two calls each."""
_PATH = "/api/inbox/"


@dataclass(slots=True)
class _Pass:
    """One reading of the list from its top down. `since`: how far; `seen`: what was taken, and when it came there;
    `page`, `total`: where it is, and how long the list was; `top`: the latest that it has met; `waiting`: the earliest
    that could not be fetched yet.
    """

    since: datetime
    seen: dict[str, datetime] = field(default_factory=dict)
    page: int = 1
    total: int | None = None
    top: datetime | None = None
    waiting: datetime | None = None

    @classmethod
    def read(cls, cursor: str) -> _Pass:
        """As `write` has written it."""
        said = loads(cursor)
        times = {name: datetime.fromisoformat(said[name]) for name in ("since", "top", "waiting") if said.get(name)}
        seen = {id: datetime.fromisoformat(at) for id, at in said["seen"].items()}
        return cls(seen=seen, page=said.get("page", 1), total=said.get("total"), **times)

    def write(self) -> str:
        """As a cursor."""
        times = {name: getattr(self, name) for name in ("since", "top", "waiting")}
        said: dict[str, Any] = {name: wire.moment(at) for name, at in times.items() if at is not None}
        seen = {id: wire.moment(at) for id, at in self.seen.items()}
        return dumps({**said, "seen": seen, "page": self.page, "total": self.total}).decode()

    def after(self, overlap: timedelta) -> _Pass:
        """The next one: from the top again, down to somewhat before this one's, and to what is waited for."""
        since = max(self.since, self.top - overlap) if self.top is not None else self.since
        since = min(since, self.waiting) if self.waiting is not None else since
        return _Pass(since, {id: at for id, at in self.seen.items() if at >= since})


class Receiving:
    """The inbox of one company. `since`, `overlap`: see the settings."""

    def __init__(self, client: Client, since: date | None, overlap: timedelta) -> None:
        self._client, self._since, self._overlap = client, since, overlap

    async def inbox(self, cursor: str | None) -> Inbox:
        """The next page. What its cursor has passed does not come again."""
        now = datetime.now(UTC)
        at = _Pass.read(cursor) if cursor else _Pass(datetime.combine(self._since or now.date(), time(), UTC))
        order = {"sort_by": "created_at", "sort_order": "desc", "page_size": PAGE}
        page = await self._client.get(_PATH, wire.Page, collection=True, **order, page=at.page)
        messages, last = [], None
        for row in page.items:
            there = E_INVOICE_BE.read(wire.Document, row, f"GET {_PATH}")
            last = there.created
            at.top = max(at.top or last, last)
            if last < at.since or there.id in at.seen:
                continue
            message = await self._message(there, row, wait=now - last < self._overlap)
            if message is None:
                at.waiting = min(at.waiting or last, last)
            else:
                messages.append(message)
                at.seen[there.id] = last
        if page.total < (at.total or 0):
            # Something was taken out of the list: what moved up from the next page was not met.
            at.page, at.total = 1, page.total
            return Inbox(messages, at.write(), more=True)
        at.page, at.total = at.page + 1, page.total
        if page.has_next_page and last is not None and last >= at.since:
            return Inbox(messages, at.write(), more=True)
        return Inbox(messages, at.after(self._overlap).write())

    async def _message(self, there: wire.Document, row: dict[str, Any], *, wait: bool) -> Message | None:
        """The document. Where it cannot be had: None while it is waited for (`wait`), then what is shown of it, so that
        a person hears of it.
        """
        try:
            ubl, body = await self._client.ubl(there.id)
        except (TryLater, NeedsPerson):
            raise
        except VendorError:
            return None if wait else Message(there.id, dumps(row), content_type="application/json")
        sender = _participant(ubl.sender_peppol_scheme, ubl.sender_peppol_id)
        receiver = _participant(ubl.receiver_peppol_scheme, ubl.receiver_peppol_id)
        kind = "application/xml" if body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else "application/octet-stream"
        return Message(there.id, body, sender=sender, receiver=receiver, content_type=kind)


def _participant(scheme: str | None, id: str | None) -> str | None:
    return f"{scheme}:{id}" if scheme and id else None
