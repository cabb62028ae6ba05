"""Following a document through an access point until nothing more is said of it.

A look is asked for when the document is there, and goes on by itself: soon at first, then more and more seldom. An
access point's call to us has it looked at once. Nothing is taken from such a call but that it is worth a look.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from connector.errors import Stop
from connector.lanes import Found, Turn, Work
from connector.peppol import statuses
from connector.peppol.points import Handler, Point, Points
from connector.ports import Status
from connector.store import Tx, attention, transmissions, work
from connector.store.transmissions import ENDS, Transmission

FOLLOW: Final = "follow-peppol"
"""Kind of the work that reads a status."""
SELDOM: Final = timedelta(hours=1)
"""The longest pause between two looks."""
STUCK: Final = timedelta(hours=24)
"""How long an access point may try before a person hears of it."""
LONG: Final = timedelta(days=14)
"""How long anything is looked for; a receiver's access point answers by message level status within days, or never."""


def follow(tx: Tx, point: Point, there: Transmission) -> str:
    """Have its status read, in a while and again."""
    return _submit(tx, point, there, f"{FOLLOW}:{there.id}", after=point.access_point.follow_after)


def look(tx: Tx, point: Point, there: Transmission) -> str:
    """Have its status read now: somebody says that there is news."""
    return _submit(tx, point, there, f"{FOLLOW}:{there.id}:now", after=None)


def _submit(tx: Tx, point: Point, there: Transmission, coalesce: str, after: timedelta | None) -> str:
    return work.submit(
        tx,
        tenant=there.tenant,
        lane=point.lane,
        turn=Turn.HINT if after is None else Turn.POLL,
        kind=FOLLOW,
        connection=point.id,
        task={"transmission": there.id, "once": after is None},
        not_before=None if after is None else tx.now + after,
        coalesce=coalesce,
    )


class Follow(Handler):
    """Reads the status of one transmission (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """What the access point says of it now."""
        point = self.points.point(work.connection or "")
        there = await self.store.read(lambda tx: transmissions.get(tx, work.tenant, work.task["transmission"]))
        if there.state in ENDS and not work.task["once"]:
            return Found(lambda tx: None)
        status = await point.access_point.status(there.vendor_id or there.instance, there.instance)
        over = self._over(there, status) or work.task["once"]
        age = self.store.clock() - there.changed
        pause = min(max(point.access_point.follow_after, age / 2), SELDOM)
        write = partial(self._take, point=point, there=there, status=status)
        return Found(write, again=not over, after=pause.total_seconds())

    def _over(self, there: Transmission, status: Status | None) -> bool:
        return (status is not None and status.state in ENDS) or self.store.clock() - there.created > LONG

    def _take(self, tx: Tx, *, point: Point, there: Transmission, status: Status | None) -> None:
        if status is not None:
            statuses.take(tx, self.points, there, status, by=point)
        _stuck(tx, self.points, point, transmissions.get(tx, there.tenant, there.id), known=status is not None)


def _stuck(tx: Tx, points: Points, point: Point, there: Transmission, *, known: bool) -> None:
    """Tell a person where an access point has had it for too long, or knows nothing of it any more."""
    about = f"{statuses.about_of(there)}:stuck"
    if there.state != "accepted" or tx.now - there.changed < STUCK:
        attention.close(tx, about, who="connector", how="mended")
        return
    how = "has had it for a day and not delivered it" if known else "took it and knows nothing of it any more"
    reason = Stop(
        f"{point.name} {how}: {there.number or there.instance}.",
        code="transmission-stuck",
        do=f"Ask {point.name} about the transmission {there.instance}. Send it nowhere else before it says that it has"
        " not delivered it.",
        where={"document": there.document, "transmission": there.id, "connection": point.name},
    )
    attention.ask(tx, tenant=there.tenant, about=about, reason=reason, verbs=("ignore",), document=there.document)
