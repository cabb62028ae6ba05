"""The onboarding of a connection, as a person asks for it: the checklist after a test call, and what is confirmed."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from connector.errors import BadInput, Stop, VendorError
from connector.service.house import House
from connector.store import Tx, audit, connections, first_sync, onboarding
from connector.store.attempts import Attempt
from connector.sync import effects
from connector.sync.first_sync import status
from connector.sync.first_sync.status import GO_LIVE
from connector.sync.first_sync.status import STEP as FIRST_SYNC
from connector.sync.onboarding import cutting, ready
from connector.sync.onboarding.checklist import Step, checklist
from connector.sync.onboarding.cutting import Written
from connector.sync.onboarding.facts import CONFIRMED, facts
from connector.sync.spokes import Spoke


async def look(house: House, spoke: Spoke, *, call: bool = True, who: str) -> list[Step]:
    """The checklist of a connection as it stands; `call`: after a test call in its lane."""
    await house.store.write(lambda tx: _begin(tx, spoke, who))
    if call:
        with suppress(VendorError):  # the step says why, and what to do
            await house.probe(spoke)
    return await house.store.read(lambda tx: steps(tx, house, spoke))


def steps(tx: Tx, house: House, spoke: Spoke) -> list[Step]:
    """The checklist of a connection, from what is known."""
    return checklist(facts(tx, house, spoke), today=tx.now.date())


def _begin(tx: Tx, spoke: Spoke, who: str) -> None:
    """From now on its steps must be done; and where it was never read, it waits for its first sync: nothing is matched
    by itself.
    """
    ready.begin(tx, spoke, who=who)
    kinds = (reading.kind for reading in spoke.accounting.readings)
    read = any(connections.cursor(tx, spoke.id, kind) is not None for kind in kinds)
    if not read and not effects.writes(tx, spoke) and status.of(tx, spoke.id) is None:
        status.note(tx, spoke, status.OPEN, who=who)


async def back(house: House, spoke: Spoke, *, who: str) -> list[Written]:
    """Write nothing more to a connection, and list what was written since its cut-over, oldest first. Doing it again
    lists it again.

    Raises:
        Stop: `cut-over-not-done`: there was none.
    """
    since = await house.store.write(lambda tx: cutting.halt(tx, spoke, who=who))
    found: list[Written] = []
    last: Attempt | None = None
    while True:
        page, last = await house.store.read(lambda tx, after=last: cutting.written(tx, spoke, since, after=after))  # type: ignore[misc]
        if last is None:
            break
        found += page
    await house.store.write(lambda tx: cutting.halted(tx, spoke, since=since, written=len(found), who=who))
    return found


def confirm(tx: Tx, house: House, spoke: Spoke, step: str, *, note: str, day: date | None, who: str) -> None:
    """Note that a person has said that a step is done.

    Raises:
        BadInput: there is no such step (`step-unknown`), it is not a person's to say (`step-not-confirmed`), or the day
            is missing (`date-missing`).
        Stop: a first sync is being applied (`first-sync-applying`).
    """
    known = {one.name: one for one in steps(tx, house, spoke)}
    if step not in known:
        said = ", ".join(name for name, one in known.items() if one.confirm)
        raise BadInput(f"There is no step {step}.", code="step-unknown", do=f"Use one of: {said}.")
    if not known[step].confirm:
        raise BadInput(f"Whether {step} is done is seen, and not said.", code="step-not-confirmed", do=known[step].do)
    if step == GO_LIVE and day is None:
        raise BadInput("The day is missing.", code="date-missing", do="Add --date YYYY-MM-DD.")
    if step == FIRST_SYNC:
        _waive(tx, spoke, note, who)
    else:
        details = {"note": note, "date": day.isoformat() if day else None}
        onboarding.put(tx, spoke.tenant, spoke.id, step, CONFIRMED, who=who, details=details)
    audit.note(tx, tenant=spoke.tenant, who=who, did="confirm", about=f"connection:{spoke.id}", details={"step": step})


def withdraw(tx: Tx, house: House, spoke: Spoke, step: str, *, who: str) -> bool:
    """Take back that a step was confirmed. False when it was not."""
    entry = onboarding.get(tx, spoke.id, step)
    if step == FIRST_SYNC and entry is not None and entry.state == status.WAIVED:
        status.note(tx, spoke, status.OPEN, who=who)
        return True
    if entry is None or entry.state != CONFIRMED:
        return False
    audit.note(tx, tenant=spoke.tenant, who=who, did="withdraw", about=f"connection:{spoke.id}", details={"step": step})
    return onboarding.drop(tx, spoke.id, step)


def _waive(tx: Tx, spoke: Spoke, note: str, who: str) -> None:
    entry = status.of(tx, spoke.id)
    if entry is not None and entry.state == status.APPLYING:
        raise Stop(
            "The first sync is being applied.",
            code="first-sync-applying",
            do=f"Let it end: connector first-sync apply {spoke.name}.",
        )
    first_sync.forget_undecided(tx, spoke.id)
    status.note(tx, spoke, status.WAIVED, who=who, note=note)
