"""Webhooks become reads: what a system tells is a hint to look, never data. And the subscriptions are looked after.

A request is kept as an arrival under its own key, so that one that comes twice is one. Handled, it has its records
read: hints for one record are one read, however many they are. Where the system had switched a subscription off, what
happened meanwhile is found by a full comparison.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from connector.errors import ConnectorError, Denied, NeedsPerson, Refused, VendorError
from connector.lanes import Arrival, Found, Work
from connector.model.json import dumps, loads
from connector.ports import Heard, Kind, Subscribed
from connector.store import Tx, arrivals, attention, connections, work
from connector.store.work import Turn
from connector.sync import effects, reads
from connector.sync.spokes import Handler, Spoke, Spokes

HOOK = "hook"
"""Kind of an arrival that is a webhook."""
KEEP = "hooks"
"""Kind of the work that looks after the subscriptions; and the name under which their state is kept."""
EVERY = timedelta(minutes=15)
"""How often subscriptions are looked after."""
GATHER = timedelta(seconds=3)
"""How long a poll waits that was asked for by an event without a record: such events come in swarms."""
SETTLE = timedelta(seconds=10)
"""How long after subscribing everything is read."""


# --- what was told ----------------------------------------------------------------------------------------------------


def arrive(tx: Tx, spoke: Spoke, heard: Heard, body: bytes) -> tuple[str, bool]:
    """Keep a webhook whose signature is right; its id, and whether it is new. Raises `Clash` (`arrival-differs`)."""
    return arrivals.arrive(
        tx,
        tenant=spoke.tenant,
        source=spoke.id,
        kind=HOOK,
        key=f"{HOOK}/{heard.key}",
        body=body,
        content_type="application/json",
        headers={"event": heard.event, "hints": [[str(hint.kind), hint.id] for hint in heard.hints]},
    )


def take_hook(tx: Tx, arrival: Arrival, spokes: Spokes) -> None:
    """Have read what a webhook hints at."""
    spoke = spokes.spoke(arrival.source)
    followed = {reading.kind.value for reading in spoke.followed}
    for kind, id in (arrival.headers or {}).get("hints", ()):
        if kind not in followed:
            continue
        if id is None:
            reads.poll(tx, spoke, Kind(kind), not_before=tx.now + GATHER)
        else:
            reads.hint(tx, spoke, Kind(kind), id)


def refused(tx: Tx, spoke: Spoke, reason: Denied) -> None:
    """Tell a person that a webhook came here that is signed with our secret and is for another."""
    place = {"connection": spoke.name}
    attention.ask(
        tx,
        tenant=spoke.tenant,
        about=f"hook:{spoke.id}",
        reason=Denied(reason.said, code=reason.code, do=reason.do, where=place),
        verbs=("ignore",),
        connection=spoke.id,
    )


# --- the subscriptions ------------------------------------------------------------------------------------------------


def keep(tx: Tx, spoke: Spoke) -> str:
    """Have the connection's subscriptions looked after."""
    return work.submit(
        tx,
        tenant=spoke.tenant,
        lane=spoke.lane,
        turn=Turn.POLL,
        kind=KEEP,
        connection=spoke.id,
        coalesce=f"{KEEP}:{spoke.id}",
    )


def state(tx: Tx, connection: str) -> dict[str, Any]:
    """How the subscriptions stood when they were last looked after: `target`, `events`, `at`, `error`; and the plugin's
    own `state`. Empty before the first time.
    """
    kept = connections.cursor(tx, connection, KEEP)
    return dict(loads(kept)) if kept else {}


class Keep(Handler):
    """Looks after the subscriptions of a connection (`lanes.ReadHandler`). One that only observes has none."""

    async def read(self, work: Work) -> Found:
        """Look, mend, and have everything compared where something had to be mended."""
        spoke = self.spoke(work)
        hooks = spoke.accounting.hooks
        before, writes = await self.store.read(lambda tx: (state(tx, spoke.id), effects.writes(tx, spoke)))
        if hooks is None or not writes or (spoke.webhooks is None and not before.get("target")):
            return Found(lambda tx: None)
        try:
            found = await hooks.keep(spoke.webhooks, before.get("state"))
        except (Refused, NeedsPerson) as error:
            if error.code == "sign-in":
                raise
            reason = error  # Polling goes on without webhooks: this is nothing to pause a connection for.
            return Found(lambda tx: _not_kept(tx, spoke, before, reason))
        return Found(lambda tx: _kept(tx, spoke, found, before))


def _kept(tx: Tx, spoke: Spoke, found: Subscribed, before: dict[str, Any]) -> None:
    said = {"target": spoke.webhooks, "state": found.state, "events": dict(found.events), "at": tx.now.isoformat()}
    connections.put_cursor(tx, spoke.id, KEEP, dumps(said).decode())
    if before.get("error"):
        attention.close(tx, f"hooks:{spoke.id}", who="connector", how="mended")
    if not found.mended:
        return
    data = {"connection": spoke.name, "mended": {event: found.events.get(event) for event in found.mended}}
    tx.emit(spoke.tenant, "connection.webhooks", connection=spoke.id, data=data)
    for reading in spoke.followed:
        # What was never read is being read in full anyway.
        if reading.holes and connections.cursor(tx, spoke.id, reading.kind) is not None:
            reads.sweep(tx, spoke, reading.kind, not_before=tx.now + SETTLE)


def _not_kept(tx: Tx, spoke: Spoke, before: dict[str, Any], reason: VendorError) -> None:
    said = {**before, "at": tx.now.isoformat(), "error": reason.as_json()}
    connections.put_cursor(tx, spoke.id, KEEP, dumps(said).decode())
    if (before.get("error") or {}).get("code") == reason.code:
        return
    asked = ConnectorError(
        f"{spoke.name} does not let its webhooks be kept: {reason.said}",
        code="webhooks-not-kept",
        do=f"{reason.do} Until then changes are found by polling alone.",
        where={"connection": spoke.name},
        details=reason.as_json(),
    )
    attention.ask(
        tx, tenant=spoke.tenant, about=f"hooks:{spoke.id}", reason=asked, verbs=("ignore",), connection=spoke.id
    )
