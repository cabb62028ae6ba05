"""From one access point to the next: only what the first has surely not taken.

The same InstanceIdentifier does not stop a second access point from delivering what the first has delivered. So a
document goes on only while nothing about it is unknown: every attempt at the first ended with proof that it was not
taken, and the access point has not worked for as long as the tenant's file says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connector.errors import Misconfigured, TryLater
from connector.peppol.points import Point, Points
from connector.peppol.sending import SEND, hand
from connector.store import Tx, attempts, connections, transmissions, work
from connector.store.transmissions import Transmission
from connector.store.work import Work

EVERY: Final = timedelta(seconds=30)
"""How often it is looked whether something should go on."""
_PROOF: Final = (attempts.NOT_TAKEN, attempts.REFUSED, attempts.DISPROVED)
"""How an attempt ends that has surely not been taken. A verdict on the document itself is among them, and waits for a
person instead (the work is parked): the next access point would say the same.
"""


def fail_over(tx: Tx, points: Points) -> int:
    """Have the next access point try what the one before it has not taken for too long; how many go on."""
    gone, after = 0, ""
    while page := transmissions.waiting(tx, after=after):
        gone += sum(_goes_on(tx, points, there) for there in page)
        after = page[-1].id
    return gone


def _goes_on(tx: Tx, points: Points, there: Transmission) -> bool:
    try:
        all_of_them = list(points.points(there.tenant))
        point = points.point(there.connection or "")
    except (Misconfigured, TryLater):
        return False
    at = [one.id for one in all_of_them].index(point.id)
    trying = work_of(tx, there)
    if at + 1 >= len(all_of_them) or trying is None:
        return False
    since = _fails_since(tx, point, trying)
    if since is None or tx.now - since < point.gives_up:
        return False
    then = all_of_them[at + 1]
    work.move(tx, trying, "cancelled", error=trying.error)
    hand(tx, then, there)
    data = {"transmission": there.id, "from": point.name, "to": then.name, "number": there.number}
    tx.emit(there.tenant, "transmission.failed_over", document=there.document, connection=then.id, data=data)
    return True


def work_of(tx: Tx, there: Transmission) -> Work | None:
    """The work that hands a transmission to its access point, while it is not over."""
    for one in work.live_of(tx, there.tenant, there.document, there.connection or ""):
        if one.kind == SEND and one.task["transmission"] == there.id:
            return one
    return None


def _fails_since(tx: Tx, point: Point, trying: Work) -> datetime | None:
    """Since when the access point does not take it; None where it does, or where that is not certain."""
    if trying.state != "queued":
        return None
    tried = [one for one in attempts.of_work(tx, trying.id) if one.what == "call"]
    if any(one.outcome not in _PROOF for one in tried):
        return None
    paused = connections.get(tx, point.id)
    if paused.paused is not None:
        return paused.paused_at
    return trying.failing_since if tried else None
