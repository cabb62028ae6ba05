"""Random days: calls that fail in every way, people who decide, connections that are paused, works that need others;
in the end every invoice is in the books once, every payment as often as people let it be, and nothing is left over.
"""

from __future__ import annotations

import os
import random

import pytest
from little_books import LANE, Books, World

from connector.lanes import Verb, pause, resolve, resume
from connector.store import Tx, attempts, attention, operations, states, work

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
FAULTS = ["", "", "", "", "drop", "before", "error", "busy", "refuse", "sign-in"]


@pytest.mark.parametrize("seed", range(30 if FULL else 2))
async def test_a_random_day(world: World, books: Books, seed: int) -> None:
    chance = random.Random(seed)
    world.writer.settle = 0.1
    world.width = chance.choice([1, 2, 4])
    for path in ("POST order", "POST invoice", "POST payment", "GET order", "GET invoice", "GET payment"):
        books.faults[path] = [chance.choice(FAULTS) for _ in range(30)]

    def fill(tx: Tx) -> list[tuple[str, str]]:
        made: list[tuple[str, str]] = []
        for n in range(12):
            kind = chance.choice(["issue", "issue", "pay"])
            needs = [chance.choice(made)[1]] if made and chance.random() < 0.3 else []
            made.append(
                world.issue(tx, f"{n}", kind=kind, needs=needs, lane=f"{LANE}{n % 2}", task={"amount": 100 + n})
            )
            operations.accept(tx, tenant="a", kind="issue", work=made[-1][1])
        return made

    made = await world.store.write(fill)
    for _ in range(60):
        await world.worker().run_until_idle(within=1.5)
        if not await decide(world, books, chance):
            left = await world.store.read(lambda tx: work.find(tx, tenant="a"))
            if all(states.final(states.WORK, one.state) for one in left):
                break
    left = await world.store.read(lambda tx: work.find(tx, tenant="a"))
    assert {one.state for one in left} == {"done"}, [(one.state, one.due, one.error) for one in left]
    issued = {f"m-{document}" for document, id in made if next(one for one in left if one.id == id).kind == "issue"}
    assert books.markers("order") == dict.fromkeys(issued, 1)
    assert books.markers("invoice") == dict.fromkeys(issued, 1)
    amounts = [row["amount"] for row in books.rows["payment"]]
    assert len(amounts) == len(set(amounts)) == 12 - len(issued)
    unresolved = await world.store.read(lambda tx: attempts.unresolved(tx, world.connection))
    assert unresolved == []
    assert await world.store.read(attention.count) == 0


async def decide(world: World, books: Books, chance: random.Random) -> bool:
    """A person goes through the list and answers truly; now and then pauses the connection and resumes it."""
    items = await world.store.read(lambda tx: attention.find(tx, tenant="a"))
    for item in items:
        verb, vendor_id = Verb(item.verbs[-1] if item.verbs == ("resume",) else "retry"), None
        if "happened" in item.verbs and item.work is not None:
            verb, vendor_id = await truth(world, books, item.work)
        await world.store.write(
            lambda tx, i=item.id, v=verb, n=vendor_id: resolve(tx, "a", i, v, vendor_id=n, who="Kari")
        )
    if chance.random() < 0.2:
        await world.store.write(lambda tx: pause(tx, "a", world.connection, who="Kari", why="lunch"))
        await world.worker().run_until_idle()
        await world.store.write(lambda tx: resume(tx, "a", world.connection, who="Kari"))
        return True
    return bool(items)


async def truth(world: World, books: Books, id: str) -> tuple[Verb, str | None]:
    """What became of the unresolved attempt of a work, as the books say."""
    one = await world.store.read(lambda tx: work.get(tx, id))
    tried = await world.store.read(lambda tx: attempts.of_work(tx, id))
    lost = [attempt for attempt in tried if attempt.what == "call" and attempt.outcome in (None, attempts.UNKNOWN)]
    if not lost:
        return Verb.RETRY, None
    kind = "payment" if one.kind == "pay" else lost[-1].step
    for row in books.rows[kind]:
        if row["marker"] == f"m-{one.document}" or (one.kind == "pay" and row["amount"] == one.task["amount"]):
            return Verb.HAPPENED, row["id"]
    return Verb.DID_NOT_HAPPEN, None
