"""What Peppol's room gives to the lanes: handlers by name."""

from __future__ import annotations

from functools import partial

from connector.lanes import Handlers
from connector.peppol.following import FOLLOW, Follow
from connector.peppol.looking_up import LOOK_UP, LookUp
from connector.peppol.points import Points
from connector.peppol.receiving import COLLECT, KEEP, MESSAGE, Collect, Keep, take_message
from connector.peppol.sending import SEND, Send
from connector.store import Store


def handlers(store: Store, points: Points) -> Handlers:
    """All handlers of Peppol's room."""
    return Handlers(
        arrivals={MESSAGE: partial(take_message, points=points)},
        effects={SEND: Send(store, points)},
        reads={
            LOOK_UP: LookUp(store, points),
            FOLLOW: Follow(store, points),
            COLLECT: Collect(store, points),
            KEEP: Keep(store, points),
        },
    )
