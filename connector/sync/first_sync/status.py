"""How far the first sync of a connection is. While it is under way, nothing of the connection is read by itself.

Records of a ledger that is joined for the first time are not matched one by one as they come: a person sees all
proposals first. So polls, hints and comparisons of the connection rest from `begin` until it is applied, or a person
says that there is nothing to join.
"""

from __future__ import annotations

from typing import Any

from connector.errors import Stop
from connector.ports import Kind
from connector.store import Tx, attention, onboarding
from connector.store.onboarding import Entry
from connector.sync.identity import REGISTERS
from connector.sync.spokes import Spoke

STEP = "first-sync"
"""Under what the first sync is noted among the steps of onboarding."""
GO_LIVE = "go-live"
"""The step that keeps the day from which the connection is written to."""
OPEN, READ, PROPOSED, APPLYING, APPLIED, WAIVED = "open", "read", "proposed", "applying", "applied", "waived"
"""Begun (or undone); all records are read; a file is written; its lines are being followed; over; not wanted."""
UNDER_WAY = (OPEN, READ, PROPOSED)
KINDS = (*REGISTERS, Kind.INVOICE.value, Kind.CREDIT_NOTE.value)
"""What is matched: registers, then what refers to them. Payments follow their invoices by the ordinary way."""


def of(tx: Tx, connection: str) -> Entry | None:
    """How far it is; None where there is no first sync."""
    key = ("first sync of", connection)
    if key not in tx.memo:
        tx.memo[key] = onboarding.get(tx, connection, STEP)
    found: Entry | None = tx.memo[key]
    return found


def rests(tx: Tx, connection: str) -> bool:
    """Whether nothing is read of the connection, because its first sync is not decided."""
    return onboarding.state(tx, connection, STEP) in UNDER_WAY


def check_decided(tx: Tx, spoke: Spoke) -> None:
    """Raises `Stop` (`first-sync-open`): a connection is not written to before its first sync is decided."""
    if rests(tx, spoke.id):
        raise Stop(
            f"The first sync of {spoke.name} is not decided: what is there already would be made a second time.",
            code="first-sync-open",
            do=f"connector first-sync propose {spoke.name}, and apply; or, where nothing is to be joined, connector"
            f" onboard confirm first-sync --connection {spoke.name}.",
            where={"connection": spoke.name},
        )


def note(tx: Tx, spoke: Spoke, state: str, *, who: str, **details: Any) -> None:
    """Note how far it is; what `details` does not name stays as it was noted."""
    before = onboarding.get(tx, spoke.id, STEP)
    known = dict(before.details or {}) if before else {}
    onboarding.put(tx, spoke.tenant, spoke.id, STEP, state, who=who, details=known | details)
    tx.memo.pop(("first sync of", spoke.id), None)
    if state in UNDER_WAY:
        reason = Stop(
            f"{spoke.name} is not read until its first sync is decided: nothing shall be matched without a person.",
            code="first-sync-open",
            do=f"See what is proposed: connector first-sync propose {spoke.name}. Is nothing to be joined:"
            f" connector onboard confirm first-sync --connection {spoke.name}.",
            where={"connection": spoke.name},
        )
        attention.ask(tx, tenant=spoke.tenant, about=_about(spoke), reason=reason, verbs=(), connection=spoke.id)
    else:
        attention.close(tx, _about(spoke), who=who, how=state)


def _about(spoke: Spoke) -> str:
    return f"{STEP}:{spoke.id}"
