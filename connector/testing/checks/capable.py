"""The table of capabilities is true: what it says can be done, the rest is refused before any call."""

from __future__ import annotations

from functools import partial
from typing import get_args

from connector.errors import Refused
from connector.ports import Goal, Kind, Operation
from connector.testing.bench import Failing, NotApplicable
from connector.testing.check import Check, Make
from connector.testing.stories import STORIES, Story, books, ends, needed
from connector.testing.trial import Trial, trial

REFUSED = "operation-not-supported"


async def _true(make: Make, story: Story) -> None:
    async with trial(make, story.issues) as it:
        if lacking := story.lacks(it.accounting.capabilities):
            raise NotApplicable(f"its capabilities have no {', no '.join(lacking)} that it could follow")
        if story.leaves_credit and not it.bench.keeps_credit:
            await _no_credit(it, story)
        elif story.told(it.accounting.capabilities):
            await _can(it, story)
        else:
            await _cannot(it, story)


async def _can(it: Trial, story: Story) -> None:
    """It is done, and what the system then shows of it is nothing new."""
    await story.prepare(it)
    before = await books(it, story)
    await ends(it, story, await story.act(it), before)
    after, known = await books(it, story), await _documents(it)
    for _ in range(2):
        await it.poll()
    if (now := await books(it, story)) != after:
        raise Failing(f"It was read back, and the books are others: {after}, then {now}.")
    if more := await _documents(it) - known - {"customer", "supplier"}:
        raise Failing(f"What was written there came back as something new: {', '.join(sorted(more))}.")
    if waits := await it.attention():
        raise Failing(f"What was written there came back, and a person is asked: {waits[0]['said']}")


async def _documents(it: Trial) -> set[str]:
    found = (await it.get("/v1/documents", limit=500))["documents"]
    return {f"{one['kind']} {one['id']}" for one in found if one["kind"] not in ("customer", "supplier")}


async def _cannot(it: Trial, story: Story) -> None:
    """It is refused with our code, and nothing is in the books, not even whom it is for.

    A record that the system cannot be told of is kept here alone: its command is done.
    """
    await story.prepare(it)
    before = await books(it, story)
    try:
        said = await it.over(await story.act(it))
        heard = f"{said} {await it.attention()}"
    except Failing as failing:  # refused at the door
        heard = str(failing)
    if REFUSED not in heard and not story.of_register:
        raise Failing(f"The table does not have {needed(story)}, and it is not refused with {REFUSED}: {heard}")
    after = await books(it, story)
    for kind in after.things:
        if after.things[kind] != before.things[kind]:
            raise Failing(f"The table does not have {needed(story)}, and a {kind} came to be.")
    if after.owed != before.owed:
        raise Failing(f"{needed(story)} is refused, and customers owe {after.owed - before.owed} more.")


async def _no_credit(it: Trial, story: Story) -> None:
    """More than is owed is not taken, and not said to be."""
    await story.prepare(it)
    said = await it.over(await story.act(it))
    if said["state"] == "done" or await it.bench.owed() < 0:
        raise Failing(f"Its ledger keeps no credit, and {story.name} is {said['state']}.")


async def _table(make: Make) -> None:
    """Every kind and operation: what is not in the table is refused by `flow`, with our code, before any call."""
    async with trial(make) as it:
        accounting, plugin = it.accounting, it.bench.plugin
        wrong = []
        it.proxy.mark()
        for kind in Kind:
            for operation in get_args(Operation):
                if (kind, operation) in accounting.capabilities:
                    continue
                try:
                    accounting.flow(Goal(kind, operation, "kit-1", {}))
                    wrong.append(f"{kind} {operation} has a flow")
                except Refused as error:
                    if error.code != REFUSED:
                        wrong.append(f"{kind} {operation} is refused as {error.code}")
                except Exception as error:
                    wrong.append(f"{kind} {operation} ends in {type(error).__name__}")
        if wrong:
            raise Failing(f"Not in the table, and not refused with {REFUSED}: {'; '.join(wrong)}.")
        for (kind, operation), how in accounting.capabilities.items():
            if not how.strip():
                wrong.append(f"{kind} {operation} does not say how")
            if kind not in plugin.wire:
                wrong.append(f"{kind} {operation} has no wire model")
        wrong += [
            f"{one.kind} is read, and has no wire model" for one in accounting.readings if one.kind not in plugin.wire
        ]
        if wrong:
            raise Failing(f"In the table: {'; '.join(wrong)}.")
        if it.proxy.since:
            raise Failing(f"To be asked what it can, it calls the vendor: {', '.join(map(str, it.proxy.since))}.")


async def _works(make: Make) -> None:
    """The test call says whose books these are, and that nothing is missing."""
    async with trial(make) as it:
        found = await it.ask(it.accounting.probe())
        if found.missing:
            raise Failing(f"`probe` misses {', '.join(found.missing)}, and the bench should have it all.")
        own, there = it.bench.organisation_number, await it.ask(it.accounting.company())
        for name, number in (("probe", found.organisation_number), ("company", there.organisation_number)):
            if number != own and (number is not None or it.bench.shows_number):
                raise Failing(f"These are the books of {own}, and `{name}` says {number}.")
        lane = it.accounting.lane
        if lane.width < 1 or lane.spacing < 0:
            raise Failing(f"No call can be made in a lane of width {lane.width} and spacing {lane.spacing}.")
        if open_ := [name for name, secret in it.bench.secrets().items() if secret in lane.key]:
            raise Failing(f"The lane's key shows {', '.join(open_)}.")


CHECKS = (
    Check("works", "The test call finds the company, with all that is needed.", _works),
    Check("capable-table", "What is not in the table is refused before any call.", _table),
    *(Check(f"capable-{story.name}", "What the table has is done, and nothing new when read; the rest is refused.",
            partial(_true, story=story)) for story in STORIES),
)  # fmt: skip
