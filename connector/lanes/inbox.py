"""Arrivals are handled: many in one transaction, each of a subject in its order, a bad one alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from connector.errors import ConnectorError, Stop
from connector.lanes import ends
from connector.lanes.ends import Patience
from connector.lanes.handlers import ArrivalHandler, Later
from connector.store import Moved, Store, Tx, arrivals
from connector.store.arrivals import Arrival

log = structlog.get_logger(__name__)

BATCH = 32
"""Arrivals of one transaction: enough to share its cost, few enough to hold the database only shortly."""


class Inbox:
    """The handlers of arrivals by their kind, at work."""

    def __init__(self, store: Store, handlers: Mapping[str, ArrivalHandler], patience: Patience) -> None:
        self.store = store
        self.handlers = handlers
        self.patience = patience

    async def handle_some(self) -> int:
        """Handle what is due, at most a batch; how many were taken up."""
        try:
            return await self.store.write(self._batch)
        except Moved:  # somebody else decided about one of them in this very moment
            return 1

    def _batch(self, tx: Tx) -> int:
        due = arrivals.due(tx, most=BATCH)
        if not due:
            return 0
        if len(due) > 1:
            try:
                with tx.savepoint():
                    for arrival in due:
                        self._handle(tx, arrival)
            except DBAPIError as exc:
                if self.store.passes(exc):
                    raise
            except Exception as exc:  # whose it is shows below, where each is handled alone
                log.debug("batch-undone", because=type(exc).__name__)
            else:
                return len(due)
        for arrival in due:
            self._alone(tx, arrival)
        return len(due)

    def _handle(self, tx: Tx, arrival: Arrival) -> None:
        handler = self.handlers.get(arrival.kind)
        if handler is None:
            raise Stop(
                f"Nobody here knows what to do with {arrival.kind}.",
                code="no-handler",
                do="Install what handles it, then retry.",
            )
        arrivals.move(tx, arrival, "handled", document=handler(tx, arrival))

    def _alone(self, tx: Tx, arrival: Arrival) -> None:
        try:
            with tx.savepoint():
                self._handle(tx, arrival)
        except Later as exc:
            pause = self.patience.pause(arrival.tries) if exc.after is None else exc.after
            self._again(tx, arrival, pause, {"code": "later", "message": exc.reason})
        except Moved:
            self._again(tx, arrival, 0.0 if arrival.tries < 3 else self.patience.pause(arrival.tries), None)
        except DBAPIError as exc:
            if self.store.passes(exc):
                raise
            log.error("arrival-failed", arrival=arrival.id, kind=arrival.kind, **ends.fault(exc))
            self._park(tx, arrival, ends.surprised(exc))
        except ConnectorError as exc:
            if exc.again and tx.now - arrival.received < self.patience.gives_up:
                self._again(tx, arrival, self.patience.pause(arrival.tries), exc.as_json())
            else:
                self._park(tx, arrival, exc)
        except Exception as exc:
            log.error("arrival-failed", arrival=arrival.id, kind=arrival.kind, **ends.fault(exc))
            self._park(tx, arrival, ends.surprised(exc))

    def _again(self, tx: Tx, arrival: Arrival, pause: float, error: object) -> None:
        due = tx.now + timedelta(seconds=pause)
        arrivals.move(tx, arrival, "queued", due=due, tries=arrival.tries + 1, error=error)

    def _park(self, tx: Tx, arrival: Arrival, reason: ConnectorError) -> None:
        arrivals.move(tx, arrival, "parked", error=reason.as_json())
        ends.park_arrival(tx, arrival, reason)
