"""Whether a connection may be written to, where somebody has begun to lead it through the checklist.

Its steps are what is wise for a connection that was set up without the checklist, and are left to whoever activates it.
Once somebody has begun, they are what must be done: each was put there because its lack cannot be taken back.
"""

from __future__ import annotations

from connector.errors import Stop
from connector.store import Tx, audit, connections, onboarding
from connector.sync import effects
from connector.sync.effects import ACTIVE
from connector.sync.first_sync import status
from connector.sync.first_sync.status import STEP as FIRST_SYNC
from connector.sync.left_out import CUT_OVER
from connector.sync.onboarding.checklist import checklist
from connector.sync.onboarding.facts import CONFIRMED, LIVE, facts
from connector.sync.spokes import Spoke, Spokes

BEGUN = "begun"
"""What is noted of a connection that is led through the checklist; it is no step."""


def begin(tx: Tx, spoke: Spoke, *, who: str) -> None:
    """From now on the steps of this connection must be done, where it is not written to yet."""
    if not effects.writes(tx, spoke) and onboarding.state(tx, spoke.id, BEGUN) is None:
        onboarding.put(tx, spoke.tenant, spoke.id, BEGUN, BEGUN, who=who)


def is_led(tx: Tx, spoke: Spoke) -> bool:
    """Whether a connection is led through the checklist, and has not been cut over."""
    noted = onboarding.states(tx, spoke.id)
    begun = BEGUN in noted or FIRST_SYNC in noted or CONFIRMED in noted.values()
    return begun and noted.get(CUT_OVER) != LIVE


def activate(tx: Tx, spokes: Spokes, spoke: Spoke, *, who: str, anyway: bool = False) -> None:
    """Let a connection be written to from now on; nothing is asked for yet.

    Args:
        anyway: although steps of its checklist are open; which, and who said so, is written down.

    Raises:
        Stop: `first-sync-open`, whatever is said; `onboarding-open`, unless `anyway`: all open steps are in `details`.
    """
    status.check_decided(tx, spoke)
    if effects.writes(tx, spoke):
        return
    lacking = []
    if is_led(tx, spoke):
        steps = checklist(facts(tx, spokes, spoke), today=tx.now.date())
        lacking = [step for step in steps if step.state != "done"]
    if lacking and not anyway:
        raise Stop(
            f"{spoke.name} is led through its checklist, and {len(lacking)} step(s) are open:"
            f" {', '.join(one.name for one in lacking)}.",
            code="onboarding-open",
            do=f"See what each needs: connector onboard {spoke.tenant}/{spoke.name}; the last is connector onboard"
            " cut-over. Shall everything be written to it now all the same, also what is dated before the go-live day:"
            f" connector connections activate {spoke.name} --anyway.",
            where={"connection": spoke.name},
            details=[{"step": one.name, "state": one.state, "said": one.said, "do": one.do} for one in lacking],
        )
    connections.change(tx, spoke.id, mode=ACTIVE)
    tx.memo.pop(("mode", spoke.id), None)
    details = {"open": [one.name for one in lacking]} if lacking else None
    audit.note(tx, tenant=spoke.tenant, who=who, did=ACTIVE, about=f"connection:{spoke.id}", details=details)
