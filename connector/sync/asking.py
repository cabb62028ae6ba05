"""Having something read of a connection, in its lane; the handler of its kind says what (`connector.sync.handlers`)."""

from __future__ import annotations

from connector.lanes import Turn
from connector.store import Tx, work
from connector.sync.spokes import Spoke


def ask_read(tx: Tx, spoke: Spoke, kind: str, *, turn: Turn = Turn.PERSON) -> str:
    """Have it read; asked for twice before it is, it is read once. The work that does it."""
    return work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=turn,
        role="read",
        kind=kind,
        connection=spoke.id,
        coalesce=f"{kind}:{spoke.id}",
    )
