"""Order and fairness: subjects, needs, classes, hints that coalesce, width and spacing."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest
from little_books import LANE, Books, World
from sqlalchemy import text

from connector.errors import Stop
from connector.lanes import Turn, Verb, resolve, submit
from connector.lanes.fairness import WEIGHTS, Turns
from connector.store import Tx, attention, leases, schema, work


async def test_work_of_one_subject_is_done_in_order(world: World, books: Books) -> None:
    world.width = 8
    books.latency = 0.01

    def fill(tx: Tx) -> list[str]:
        return [world.issue(tx, f"{s}{n}", subject=f"subject {s}")[0] for n in range(6) for s in "abc"]

    made = await world.store.write(fill)
    await world.worker().run_until_idle()
    order = [row["marker"] for row in books.rows["invoice"]]
    for subject in range(3):
        mine = [f"m-{document}" for document in made[subject::3]]
        assert [marker for marker in order if marker in mine] == mine


async def test_a_parked_work_holds_up_only_its_own_subject(world: World, books: Books) -> None:
    books.faults["POST order"] = ["refuse"]
    world.width = 1

    def fill(tx: Tx) -> list[str]:
        return [world.issue(tx, key, subject=subject)[1] for key, subject in (("1", "x"), ("2", "x"), ("3", "y"))]

    first, second, other = await world.store.write(fill)
    await world.worker().run_until_idle()
    found = {one.id: one.state for one in await world.store.read(lambda tx: work.find(tx, tenant="a"))}
    assert found == {first: "parked", second: "blocked", other: "done"}
    (item,) = await world.store.read(lambda tx: attention.find(tx, tenant="a"))
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.CANCEL, who="Kari"))
    await world.worker().run_until_idle()
    assert (await world.store.read(lambda tx: work.get(tx, first))).state == "cancelled"
    assert (await world.store.read(lambda tx: work.get(tx, second))).state == "done"


async def test_needs_of_any_lane_are_waited_for(world: World, books: Books) -> None:
    def fill(tx: Tx) -> tuple[str, str]:
        one = world.issue(tx, "customer", lane="a")[1]
        two = world.issue(tx, "other", lane="b")[1]
        return world.issue(tx, "invoice", lane="c", needs=[one, two])

    document, id = await world.store.write(fill)
    assert (await world.store.read(lambda tx: work.get(tx, id))).waits == 2
    await world.worker().run_until_idle(within=2)  # also where a call has to be made again
    assert (await world.store.read(lambda tx: work.get(tx, id))).state == "done"
    assert books.rows["order"][-1]["marker"] == f"m-{document}"
    later = await world.store.write(lambda tx: world.issue(tx, "later", needs=[id])[1])
    assert (await world.store.read(lambda tx: work.get(tx, later))).state == "queued"


async def test_a_need_that_fails_for_good_parks_what_needs_it(world: World, books: Books) -> None:
    books.faults["POST order"] = ["refuse"]
    world.width = 1

    def fill(tx: Tx) -> tuple[str, str]:
        one = world.issue(tx, "customer")[1]
        return one, world.issue(tx, "invoice", needs=[one])[1]

    one, two = await world.store.write(fill)
    await world.worker().run_until_idle()
    assert (await world.store.read(lambda tx: work.get(tx, two))).state == "blocked"
    (item,) = await world.store.read(lambda tx: attention.find(tx, tenant="a"))
    assert item.work == one
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.CANCEL, who="Kari"))
    (item,) = await world.store.read(lambda tx: attention.find(tx, tenant="a"))
    assert (item.work, item.code) == (two, "need-cancelled")
    with pytest.raises(Stop):
        await world.store.write(lambda tx: world.issue(tx, "third", needs=[one]))
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))
    await world.worker().run_until_idle()
    assert (await world.store.read(lambda tx: work.get(tx, two))).state == "done"


async def test_repair_resumes_what_waited(world: World, books: Books) -> None:
    books.faults["POST order"] = ["refuse"]
    world.width = 1

    def fill(tx: Tx) -> str:
        one = world.issue(tx, "customer")[1]
        return world.issue(tx, "invoice", needs=[one])[1]

    two = await world.store.write(fill)
    await world.worker().run_until_idle()
    (item,) = await world.store.read(lambda tx: attention.find(tx, tenant="a"))
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))
    await world.worker().run_until_idle()
    assert (await world.store.read(lambda tx: work.get(tx, two))).state == "done"


async def test_hints_coalesce_and_none_is_lost(world: World, books: Books) -> None:
    def hint(tx: Tx) -> str:
        return submit(
            tx, tenant="a", lane=LANE, turn=Turn.HINT, kind="hint", connection=world.connection, coalesce="customer 7"
        )

    ids = {await world.store.write(hint) for _ in range(5)}
    assert len(ids) == 1
    books.latency = 0.3
    running = asyncio.create_task(world.worker().run_until_idle())
    while not books.calls["GET order"]:
        await asyncio.sleep(0.01)
    assert await world.store.write(hint) in ids  # asked again while it is being read: it is read again
    await running
    assert books.calls["GET order"] == 2
    assert (await world.store.read(lambda tx: work.get(tx, ids.pop()))).state == "done"
    await world.store.write(hint)
    await world.worker().run_until_idle()
    assert books.calls["GET order"] == 3


async def test_pages_are_read_until_there_are_no_more(world: World, books: Books) -> None:
    world.reader.pages = 5
    await world.store.write(
        lambda tx: submit(tx, tenant="a", lane=LANE, turn=Turn.POLL, kind="poll", connection=world.connection)
    )
    await world.worker().run_until_idle()
    assert books.calls["GET order"] == 5


async def test_a_read_that_fails_is_tried_again(world: World, books: Books) -> None:
    books.faults["GET order"] = ["before"] * 4
    await world.store.write(
        lambda tx: submit(tx, tenant="a", lane=LANE, turn=Turn.POLL, kind="poll", connection=world.connection)
    )
    await world.worker().run_until_idle(within=3)
    (one,) = await world.store.read(lambda tx: work.find(tx, tenant="a"))
    assert (one.state, one.tries) == ("done", 0) or one.state == "done"


def test_everybody_has_a_turn_by_weight() -> None:
    turns = Turns()

    class One:
        def __init__(self, turn: Turn) -> None:
            self.turn = turn

    for turn in Turn:
        for _ in range(400):
            turns.add(One(turn))  # type: ignore[arg-type]
    taken = [turns.take(lambda work: True) for _ in range(310)]
    for turn, weight in WEIGHTS.items():
        had = sum(one is not None and one.turn == turn for one in taken)
        assert abs(had - 10 * weight) <= 1
    first = [one.turn for one in taken[:31] if one is not None]
    assert set(first) == set(Turn)


def test_a_class_that_was_away_does_not_catch_up() -> None:
    turns = Turns()

    class One:
        def __init__(self, turn: Turn) -> None:
            self.turn = turn

    for _ in range(200):
        turns.add(One(Turn.EFFECT))  # type: ignore[arg-type]
    for _ in range(100):
        turns.take(lambda work: True)
    for _ in range(50):
        turns.add(One(Turn.SWEEP))  # type: ignore[arg-type]
    taken = [turns.take(lambda work: True) for _ in range(18)]
    assert sum(one is not None and one.turn == Turn.SWEEP for one in taken) <= 3


async def test_people_do_not_wait_behind_a_thousand_effects(world: World, books: Books) -> None:
    world.width = 1
    await world.issue_many(60)
    await world.store.write(
        lambda tx: [
            submit(tx, tenant="a", lane=LANE, turn=Turn.SWEEP, kind="sweep", connection=world.connection),
            submit(tx, tenant="a", lane=LANE, turn=Turn.PERSON, kind="hint", role="read", connection=world.connection),
        ]
    )
    books.latency = 0.005
    await world.worker().run_until_idle()
    assert world.reader.turns[0] == ("hint", Turn.PERSON)
    assert [turn for _, turn in world.reader.turns] == [Turn.PERSON, Turn.SWEEP]


async def test_spacing_between_two_starts(world: World) -> None:
    world.width, world.spacing = 2, 0.1
    await world.issue_many(3)
    await world.worker().run_until_idle()
    begun = world.writer.begun  # where they arrive, the network and a busy machine have their say
    assert len(begun) == 9
    assert min(after - before for before, after in itertools.pairwise(begun)) >= 0.08


async def test_waiting_work_blocks_nobody_and_holds_no_lease(world: World, books: Books) -> None:
    books.faults["POST order"] = ["before"]
    world.writer.settle = 2.5
    await world.issue_many(8)
    await world.worker().run_until_idle(within=0)
    states = [one.state for one in await world.store.read(lambda tx: work.find(tx, tenant="a"))]
    assert sorted(states) == ["done"] * 7 + ["unknown"]
    (row,) = await world.store.read(leases.find)
    assert row.holder is None
    await world.worker().run_until_idle(within=3)
    assert {one.state for one in await world.store.read(lambda tx: work.find(tx, tenant="a"))} == {"done"}


async def test_not_before(world: World, books: Books) -> None:
    later = world.store.clock() + timedelta(seconds=1)
    await world.store.write(lambda tx: world.issue(tx, "k", not_before=later))
    await world.worker().run_until_idle()
    assert not books.calls
    await world.worker().run_until_idle(within=2)
    assert books.calls["POST order"] == 1


async def test_a_paused_lane_is_not_served(world: World, books: Books) -> None:
    await world.issue_many(2)
    await world.store.write(lambda tx: leases.pause(tx, LANE, "maintenance"))
    await world.worker().run_until_idle()
    assert not books.calls
    await world.store.write(lambda tx: leases.pause(tx, LANE, None))
    await world.worker().run_until_idle()
    assert books.calls["POST order"] == 2


async def test_two_of_one_subject_are_never_done_at_once(world: World, books: Books) -> None:
    """Also where neither knew of the other when they were submitted (two transactions at the same moment)."""
    books.latency = 0.02

    def fill(tx: Tx) -> None:
        for n in range(5):
            world.issue(tx, f"k{n}", subject="one")
        tx.execute(text("DELETE FROM needs"))
        now = schema.Moment().process_bind_param(tx.now, None)
        tx.execute(text("UPDATE work SET state = 'queued', waits = 0, due = :now"), {"now": now})

    await world.store.write(fill)
    await world.worker().run_until_idle()
    assert books.most_running == 1
    assert books.calls["POST order"] == 5
