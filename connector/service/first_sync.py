"""A first sync from beginning to end, as a person asks for it: read, propose, decide, follow, and count again."""

from __future__ import annotations

from collections.abc import Callable

from connector.errors import BadInput, Stop
from connector.mapping.match import Certainty
from connector.service.house import House
from connector.store import Tx, first_sync
from connector.sync.first_sync import applying, deciding, reading, sheet, status, totals, undoing
from connector.sync.first_sync.deciding import Proposal
from connector.sync.first_sync.totals import Totals
from connector.sync.spokes import Spoke

SOON = 2.5
"""Seconds within which what waits for something else is waited for."""


async def propose(house: House, spoke: Spoke, *, accept: Certainty = "certain", who: str) -> Proposal:
    """Read everything of a connection that is not known here, and propose what belongs together.

    Raises:
        BadInput: `first-sync-not-read`: it could not be read to the end; `connector attention` says why.
        Stop: `first-sync-applying`: another proposal is being followed.
    """
    entry = await house.store.read(lambda tx: status.of(tx, spoke.id))
    if entry is not None and entry.state == status.APPLYING:
        raise Stop(
            f"The first sync of {spoke.name} is being applied.",
            code="first-sync-applying",
            do=f"Let it end: connector first-sync apply {spoke.name}.",
            where={"connection": spoke.name},
        )
    await house.store.write(lambda tx: reading.begin(tx, spoke, who=who))
    await house.work_until_idle(within=SOON)
    # The matching may take a while: nobody who writes waits for it.
    found = await house.store.read(lambda tx: deciding.proposed(tx, house, spoke, accept=accept))
    await house.store.write(lambda tx: deciding.opened(tx, spoke, found, who=who))
    return found


async def apply(
    house: House,
    spoke: Spoke,
    content: bytes | None,
    *,
    file: str,
    who: str,
    told: Callable[[int], object] = lambda begun: None,
    noted: Callable[[int, int], object] = lambda noted, of: None,
) -> Totals:
    """Do what a file says (None, or the same file again: go on where it stopped), and count what customers owe.
    `noted` hears how much of the file has been noted (`deciding.decide`), `told` how many lines have been begun.

    Raises:
        BadInput: as `deciding.decide`; `first-sync-not-decided`: there is nothing to go on with.
    """
    entry = await house.store.read(lambda tx: status.of(tx, spoke.id))
    decided = entry is not None and entry.state in (status.APPLYING, status.APPLIED)
    if content is not None and not (decided and entry and sheet.proposal_of(content, file) == entry.details.get("id")):
        await deciding.decide(house.store, spoke, content, file=file, who=who, told=noted)
    elif not decided:
        raise BadInput(
            f"Nothing has been decided about {spoke.name} that is not done.",
            code="first-sync-not-decided",
            do="Give the file of the proposal.",
            where={"connection": spoke.name},
        )
    await applying.carry_out(house.store, house, spoke, who=who, told=told)
    await house.work_until_idle(within=SOON)
    await house.store.write(lambda tx: reading.count(tx, spoke))
    await house.work_until_idle(within=SOON)
    return await house.store.read(lambda tx: counted(tx, spoke))


def counted(tx: Tx, spoke: Spoke) -> Totals:
    """What customers owed before the first sync, and did when it was counted last."""
    entry = status.of(tx, spoke.id)
    said = entry.details if entry is not None else {}
    return totals.totals(tx, spoke, said.get("before"), said.get("after"))


def undo_sheet(tx: Tx, spoke: Spoke) -> tuple[bytes, list[str]]:
    """The undo file, and what is decided and not done yet."""
    return undoing.sheet(tx, spoke)


async def undo(house: House, spoke: Spoke, content: bytes, *, file: str, who: str) -> tuple[int, list[str]]:
    """Take back what an undo file names; how many lines were, and why the others stay.

    Raises:
        BadInput: as `undoing.read`.
    """
    rows = await house.store.read(lambda tx: undoing.read(tx, spoke, content, file=file))
    await house.store.write(lambda tx: undoing.begin(tx, spoke, who=who))
    kept = []
    for row in rows:
        why = await house.store.write(lambda tx, id=row.id: undoing.take_back(tx, house, spoke, id))  # type: ignore[misc]
        if why is not None:
            kept.append(why)
    await house.work_until_idle(within=SOON)
    states = await house.store.read(lambda tx: [first_sync.get(tx, row.id) for row in rows])
    return sum(row is not None and row.state == "undone" for row in states), kept
