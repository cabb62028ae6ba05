"""One turn of one read: the vendor's calls first, then what they found, in one transaction with the work's end."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import structlog

from connector.errors import ConnectorError, NeedsPerson, Refused, Stop, TryLater, VendorError
from connector.lanes import ends
from connector.lanes.ends import Patience
from connector.lanes.handlers import Found, ReadHandler
from connector.lanes.held import Held, Said
from connector.store import Moved, Tx
from connector.store import work as works
from connector.store.engine import TROUBLE
from connector.store.leases import LostLease
from connector.store.work import Work

log = structlog.get_logger(__name__)

_AGAIN = 5
"""How often what was found is written anew when something moved underneath."""
_SURPRISES = 3
"""How often an unexpected exception is taken for a passing one."""


async def read(held: Held, handler: ReadHandler, work: Work, patience: Patience, timeout: float) -> None:
    """Read one page and write it; `timeout` in seconds, for all calls of the turn.

    Raises:
        LostLease: the lane is not ours any more; nothing was written.
    """
    try:
        found = await held.call(lambda: handler.read(work), timeout, Said())
        await _write(held, work, found)
    except (LostLease, *TROUBLE):
        raise
    except ConnectorError as exc:
        await _failed(held, work, exc, patience)
    except Exception as exc:
        log.error("read-failed", work=work.id, kind=work.kind, **ends.fault(exc))
        await _failed(held, work, ends.surprised(exc), patience)


async def _write(held: Held, work: Work, found: Found) -> None:
    for _ in range(_AGAIN):
        try:
            await held.write(partial(_end, work=work, found=found))
        except Moved:
            work = await held.store.read(partial(works.get, id=work.id))
            if work.state != "queued":
                return  # a person has decided otherwise meanwhile
            continue
        return
    raise TryLater("Something else keeps changing what this would change.", code="moved")


def _end(tx: Tx, *, work: Work, found: Found) -> None:
    now = works.get(tx, work.id)
    found.write(tx)
    asked_again = now.asked > work.asked
    if found.again or asked_again:
        works.move(tx, work, "queued", due=tx.now + timedelta(seconds=found.after if found.again else 0), tries=0)
    else:
        works.move(tx, work, "done", unless_asked_again=True)


async def _failed(held: Held, work: Work, exc: ConnectorError, patience: Patience) -> None:
    # A read changes nothing: but for a clear no, the same read may succeed later.
    again = exc.again or (isinstance(exc, VendorError) and not isinstance(exc, Refused | NeedsPerson))
    if isinstance(exc, Stop) and exc.code == "internal-error":
        again = work.tries < _SURPRISES

    def write(tx: Tx) -> None:
        if isinstance(exc, NeedsPerson):
            ends.pause_connection(tx, work, exc, state="queued", now=tx.now)
        elif again:
            ends.later(tx, work, exc, patience, tries=work.tries, lane=held.key, state="queued")
        else:
            ends.park(tx, work, exc)

    await held.write(write)
