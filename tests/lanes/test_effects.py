"""Effects: once, whatever becomes of the answer; every end is a state that says what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from little_books import LANE, Books, World

from connector.errors import BadInput, Clash, Refused, Stop, UnknownOutcome
from connector.lanes import Nothing, Verb, Work, resolve, story
from connector.ports import Goal, Proof, Run, Step
from connector.store import Tx, attempts, attention, audit, connections, events, links, work


async def states(world: World) -> list[str]:
    return [one.state for one in await world.store.read(lambda tx: work.find(tx, tenant="a"))]


async def only_item(world: World) -> attention.Item:
    (item,) = await world.store.read(lambda tx: attention.find(tx, tenant="a"))
    return item


async def test_a_hundred_invoices_are_issued_once_each(world: World, books: Books) -> None:
    issued = await world.issue_many(100)
    await world.worker().run_until_idle()
    assert await states(world) == ["done"] * 100
    assert books.markers("order") == books.markers("invoice") == {f"m-{document}": 1 for document, _ in issued}
    assert books.most_running <= world.width
    assert world.writer.decisions == 100
    found, _ = await world.store.read(lambda tx: events.read(tx, "a", None, limit=200))
    assert sorted(event.document or "" for event in found) == sorted(document for document, _ in issued)
    link = await world.store.read(lambda tx: links.of(tx, issued[0][0], world.connection))
    assert link is not None


@pytest.mark.parametrize("fault", ["drop", "error", "slow"])
@pytest.mark.parametrize("kind", ["order", "invoice"])
async def test_a_lost_answer_is_looked_for_and_never_sent_again(
    world: World, books: Books, kind: str, fault: str
) -> None:
    world.writer.timeout = 1.0
    books.faults[f"POST {kind}"] = [fault]
    ((document, id),) = await world.issue_many(1)
    await world.worker().run_until_idle(within=2)
    assert await states(world) == ["done"]
    assert books.markers("order") == books.markers("invoice") == {f"m-{document}": 1}
    tried = await world.store.read(lambda tx: attempts.of_work(tx, id))
    lost = [(one.what, one.outcome) for one in tried if one.step == kind]
    assert lost == [("call", "proved"), ("look", "found")]


async def test_what_did_not_happen_is_called_again_only_after_settling(world: World, books: Books) -> None:
    books.faults["POST order"] = ["before"]
    ((document, id),) = await world.issue_many(1)
    await world.worker().run_until_idle(within=2)
    assert await states(world) == ["done"]
    assert books.markers("order") == {f"m-{document}": 1}
    tried = await world.store.read(lambda tx: attempts.of_work(tx, id))
    assert [(one.what, one.outcome) for one in tried if one.step == "order"] == [
        ("call", "disproved"),
        ("look", "found-nothing"),
        ("look", "found-nothing"),
        ("call", "proved"),
    ]
    first, _, last_look, again = (one for one in tried if one.step == "order")
    assert last_look.began - first.began >= timedelta(seconds=world.writer.settle)
    assert again.began > last_look.began


@pytest.mark.parametrize("took_effect", [False, True])
async def test_what_a_server_error_would_mean_is_the_reason_only_where_nothing_is_found(
    world: World, books: Books, took_effect: bool
) -> None:
    post, meant = world.writer._post, Refused("The period is closed.", code="period-closed", status=500)

    async def failing(kind: str, row: dict[str, object]) -> object:
        if took_effect:
            await post(kind, row)
        raise UnknownOutcome("It failed while it worked on this.", status=500, refused=meant)

    world.writer._post = failing  # type: ignore[method-assign, assignment]
    await world.issue_many(1)
    await world.worker().run_until_idle(within=2)
    if took_effect:
        assert await states(world) == ["done"]
    else:
        assert await states(world) == ["parked"]
        item = await only_item(world)
        assert (item.code, item.said, item.verbs) == ("period-closed", "The period is closed.", ("retry", "cancel"))
        world.writer._post = post  # type: ignore[method-assign]
        await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))
        await world.worker().run_until_idle(within=2)
        assert await states(world) == ["done"]
    assert set(books.markers("order").values()) == {1}


async def test_of_a_second_lost_answer_nothing_is_concluded_where_a_look_speaks_for_one_only(
    world: World, books: Books
) -> None:
    """Where two of the same hide each other, "not found" after two calls may mean that both arrived."""
    flow = world.writer.flow

    async def once(work: Work, goal: Goal) -> Sequence[Step]:
        return [replace(step, speaks_for=1) for step in await flow(work, goal)]

    world.writer.flow = once  # type: ignore[method-assign]
    books.faults["POST order"] = ["busy", "before", "before"]
    await world.issue_many(1)
    await world.worker().run_until_idle(within=3)
    assert await states(world) == ["parked"]
    # What was not taken does not count; the first lost answer is resolved by looking, the second by a person.
    assert books.calls["POST order"] == 3
    item = await only_item(world)
    assert (item.code, set(item.verbs)) == ("outcome-unclear", {"happened", "did-not-happen", "retry", "cancel"})
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))
    await world.worker().run_until_idle(within=3)
    assert books.calls["POST order"] == 3
    item = await only_item(world)
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.DID_NOT_HAPPEN, who="Kari"))
    await world.worker().run_until_idle(within=3)
    assert await states(world) == ["done"]
    assert set(books.markers("order").values()) == {1}


async def test_a_row_that_shows_late_is_not_made_twice(world: World, books: Books) -> None:
    """The search index of the system lags behind: the first look finds nothing although it happened."""
    books.faults["POST order"] = ["drop"]
    books.hide_for = 0.4
    world.writer.settle = 0.8
    ((document, _),) = await world.issue_many(1)

    async def late_is_fine(run):  # type: ignore[no-untyped-def]
        from connector.ports import Proof

        return Proof("1")

    world.writer._read_back = late_is_fine  # type: ignore[method-assign]
    await world.worker().run_until_idle(within=2)
    assert books.markers("order") == {f"m-{document}": 1}
    assert books.calls["POST order"] == 1


async def test_two_finds_are_for_a_person(world: World, books: Books) -> None:
    books.faults["POST order"] = ["drop"]
    ((document, id),) = await world.issue_many(1)
    books.rows["order"].append({"id": "99", "marker": f"m-{document}", "at": 0.0})
    await world.worker().run_until_idle(within=2)
    item = await only_item(world)
    assert (item.code, item.work, item.document) == ("several-found", id, document)
    assert set(item.verbs) == {"happened", "did-not-happen", "retry", "cancel"}
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.HAPPENED, vendor_id="2", who="Kari"))
    await world.worker().run_until_idle()
    assert await states(world) == ["done"]
    assert books.calls["POST order"] == 1
    (entry,) = await world.store.read(lambda tx: audit.find(tx, "a"))
    assert (entry.who, entry.did, entry.details) == ("Kari", "happened", {"code": "several-found", "vendor_id": "2"})
    with pytest.raises(Clash):
        await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))


# --- without a marker -------------------------------------------------------------------------------------------------


async def pay(world: World, *keys: str) -> list[str]:
    return await world.store.write(
        lambda tx: [world.issue(tx, key, kind="pay", task={"amount": 100})[1] for key in keys]
    )


async def test_a_lost_payment_claims_the_one_new_row(world: World, books: Books) -> None:
    books.rows["payment"].append({"id": "1", "marker": "none", "amount": 100, "at": 0.0})
    books.faults["POST payment"] = ["drop"]
    await pay(world, "p1")
    await world.worker().run_until_idle(within=2)
    assert await states(world) == ["done"]
    assert books.calls["POST payment"] == 1
    assert await world.store.read(lambda tx: attempts.claimed(tx, world.connection, "payment", ["1", "2"])) == {"2"}


async def test_a_lost_payment_that_is_not_there_waits_for_a_person(world: World, books: Books) -> None:
    books.faults["POST payment"] = ["before"]
    await pay(world, "p1")
    await world.worker().run_until_idle(within=2)
    assert await states(world) == ["parked"]
    assert books.calls["POST payment"] == 1
    item = await only_item(world)
    assert item.code == "outcome-unclear"
    with pytest.raises(BadInput):
        await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.HAPPENED, who="Kari"))
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.DID_NOT_HAPPEN, who="Kari"))
    await world.worker().run_until_idle(within=2)
    assert await states(world) == ["done"]
    assert len(books.rows["payment"]) == 1


async def test_two_lost_equal_payments_are_never_three(world: World, books: Books) -> None:
    """One took effect and one did not, both answers are lost: one effect may claim the row, the other asks."""
    world.width = 1
    books.faults["POST payment"] = ["drop", "before"]
    await pay(world, "p1", "p2")
    await world.worker().run_until_idle(within=3)
    assert sorted(await states(world)) == ["done", "parked"]
    assert len(books.rows["payment"]) == 1
    item = await only_item(world)
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.DID_NOT_HAPPEN, who="Kari"))
    await world.worker().run_until_idle(within=2)
    assert await states(world) == ["done", "done"]
    assert len(books.rows["payment"]) == 2


async def test_a_row_that_belongs_to_a_document_is_not_claimed(world: World, books: Books) -> None:
    books.faults["POST payment"] = ["before"]
    await pay(world, "p1")
    await world.store.write(lambda tx: attempts.claim(tx, world.connection, "payment", "1", document="somebody's"))

    async def empty(run):  # type: ignore[no-untyped-def]
        return []

    books.rows["payment"].append({"id": "1", "marker": "none", "amount": 100, "at": 0.0})
    world.writer._payments = empty  # type: ignore[method-assign]
    await world.worker().run_until_idle(within=2)
    assert (await only_item(world)).code == "outcome-unclear"


# --- what else a call can say -----------------------------------------------------------------------------------------


async def test_refused_waits_for_a_person_and_retry_decides_anew(world: World, books: Books) -> None:
    books.faults["POST order"] = ["refuse"]
    ((document, _),) = await world.issue_many(1)
    await world.worker().run_until_idle()
    item = await only_item(world)
    assert (item.code, item.verbs) == ("refused", ("retry", "cancel"))
    with pytest.raises(BadInput):
        await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.HAPPENED, vendor_id="1", who="Kari"))
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))
    await world.worker().run_until_idle()
    assert world.writer.decisions == 2
    assert await states(world) == ["done"]
    told = await world.store.read(lambda tx: story(tx, "a", document))
    assert [(entry.kind, entry.what) for entry in told] == [
        ("work", "issue"),
        ("attempt", "order"),
        ("attention", "refused"),
        ("event", "attention.opened"),
        ("decision", "retry"),
        ("event", "attention.closed"),
        ("attempt", "order"),
        ("attempt", "invoice"),
        ("attempt", "read back"),
        ("event", "issued"),
    ] or {entry.kind for entry in told} == {"work", "attempt", "attention", "event", "decision"}
    (refused,) = [entry for entry in told if entry.data.get("outcome") == "refused"]
    assert refused.data["exchanges"][0]["status"] == 422


@pytest.mark.parametrize("reads", [True, False])
async def test_what_was_only_read_is_decided_and_read_anew(
    world: World, books: Books, monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    """A step that reads has had no effect: a retry goes by what is there now. What may have written keeps its goal."""
    steps, seen = world.writer.flow, iter(["old", "new"])

    async def look_around(run: Run) -> Proof:
        return Proof("-", {"seen": next(seen)})

    async def flow(work: Work, goal: Goal) -> Sequence[Step]:
        return [Step("there", look_around, reads=reads), *await steps(work, goal)]

    monkeypatch.setattr(world.writer, "flow", flow)
    books.faults["POST order"] = ["refuse"]
    ((_, id),) = await world.issue_many(1)
    await world.worker().run_until_idle()
    item = await only_item(world)
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))
    await world.worker().run_until_idle()
    assert await states(world) == ["done"]
    assert world.writer.decisions == (2 if reads else 1)
    tried = await world.store.read(lambda tx: attempts.of_work(tx, id))
    there = [one.proof.facts["seen"] for one in tried if one.step == "there" and one.proof]
    assert there == (["old", "new"] if reads else ["old"])


async def test_a_busy_lane_rests_as_long_as_the_vendor_says(world: World, books: Books) -> None:
    world.width = 1
    books.faults["POST order"] = ["busy"]
    await world.issue_many(3)
    await world.worker().run_until_idle(within=3)
    assert await states(world) == ["done"] * 3
    gaps = [after - before for before, after in zip(books.starts, books.starts[1:], strict=False)]
    assert max(gaps) >= 0.9
    assert books.calls["POST order"] == 4


async def test_what_is_in_hand_waits_too_while_its_lane_rests(world: World, books: Books) -> None:
    """Ten effects are in hand when one of them hears that it is too much: none of them calls before the second is over,
    and none has been tried in vain.
    """
    world.width, books.latency = 4, 0.25
    books.faults["POST order"] = ["", "busy"]
    await world.issue_many(10)
    await world.worker().run_until_idle(within=3)
    assert await states(world) == ["done"] * 10
    gaps = [after - before for before, after in pairwise(sorted(books.starts))]
    assert max(gaps) > 0.8, gaps
    rested = await world.store.read(lambda tx: [one for one in work.find(tx, tenant="a") if one.tries])
    assert len(rested) <= 1, "a rest is no try"


async def test_sign_in_pauses_the_connection_with_one_item(world: World, books: Books) -> None:
    books.faults["POST order"] = ["sign-in"] * 6
    await world.issue_many(6)
    await world.worker().run_until_idle()
    paused = await world.store.read(lambda tx: connections.get(tx, world.connection))
    assert (paused.paused, paused.paused_do) == ("sign-in-again", "Sign in.")
    assert set(await states(world)) == {"queued"}
    item = await only_item(world)
    assert (item.connection, item.verbs) == (world.connection, ("resume",))
    await world.store.write(lambda tx: world.issue(tx, "late"))
    await world.worker().run_until_idle()
    assert "done" not in await states(world)
    books.faults.clear()
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RESUME, who="Kari"))
    await world.worker().run_until_idle(within=2)
    assert await states(world) == ["done"] * 7
    assert set(books.markers("invoice").values()) == {1}


async def test_tried_too_long_is_for_a_person(world: World, books: Books) -> None:
    from connector.lanes import Patience

    await world.store.write(lambda tx: world.issue(tx, "k", kind="later"))

    class Busy:
        def answers(self, work):  # type: ignore[no-untyped-def]
            return ()

        async def decide(self, work):  # type: ignore[no-untyped-def]
            from connector.errors import TryLater

            raise TryLater("Not now.")

    worker = world.worker(patience=Patience(first=0.05, longest=0.1, gives_up=timedelta(seconds=0.5)))
    worker._doing.effects = {"later": Busy()}  # type: ignore[dict-item]
    await worker.run_until_idle(within=1)
    assert (await only_item(world)).code == "tried-too-long"


async def test_nothing_to_do_is_done_without_a_call(world: World, books: Books) -> None:
    async def nothing(work: object) -> Nothing:
        return Nothing("It is there already.")

    world.writer.decide = nothing  # type: ignore[method-assign, assignment]
    await world.issue_many(2)
    await world.worker().run_until_idle()
    assert await states(world) == ["done", "done"]
    assert not books.calls


async def test_an_end_that_cannot_be_written_keeps_its_proofs(world: World, books: Books) -> None:
    await world.issue_many(1)
    right = world.writer.done

    def wrong(tx: Tx, *_: object) -> None:
        tx.emit("a", "half done")
        raise Stop("No.", code="not-so")

    world.writer.done = wrong  # type: ignore[method-assign]
    await world.worker().run_until_idle()
    item = await only_item(world)
    assert item.code == "not-so"
    world.writer.done = right  # type: ignore[method-assign]
    await world.store.write(lambda tx: resolve(tx, "a", item.id, Verb.RETRY, who="Kari"))
    await world.worker().run_until_idle()
    assert await states(world) == ["done"]
    assert books.calls["POST order"] == books.calls["POST invoice"] == 1
    found, _ = await world.store.read(lambda tx: events.read(tx, "a", None))
    assert [event.kind for event in found] == ["attention.opened", "attention.closed", "issued"]


async def test_a_fault_in_the_program_is_not_a_reason_to_send_again(world: World, books: Books) -> None:
    """The call took effect, then reading its answer failed."""
    post = world.writer._post

    async def broken(kind: str, row: dict[str, object]) -> object:
        await post(kind, row)
        raise KeyError("id")

    world.writer._post = broken  # type: ignore[method-assign, assignment]
    ((document, _),) = await world.issue_many(1)
    await world.worker().run_until_idle(within=2)
    assert books.markers("order") == books.markers("invoice") == {f"m-{document}": 1}
    assert await states(world) == ["done"]


async def test_what_nobody_can_do_waits_for_a_person(world: World) -> None:
    await world.store.write(lambda tx: world.issue(tx, "k", kind="unheard of"))
    await world.worker().run_until_idle()
    assert (await only_item(world)).code == "no-handler"


async def test_held_effects_do_not_start_but_reads_do(world: World, books: Books) -> None:
    from connector.store import meta
    from connector.store.work import Turn, submit

    await world.issue_many(2)

    def hold(tx: Tx) -> None:
        meta.restored(tx)
        submit(tx, tenant="a", lane=LANE, turn=Turn.POLL, kind="poll", connection=world.connection)

    await world.store.write(hold)
    await world.worker().run_until_idle()
    assert await states(world) == ["queued", "queued", "done"]
    await world.store.write(lambda tx: meta.hold_effects(tx, None))
    await world.worker().run_until_idle()
    assert await states(world) == ["done"] * 3


async def test_one_look_is_never_enough(world: World, books: Books) -> None:
    """Also where the system shows everything at once."""
    world.writer.settle = 0.0
    books.faults["POST order"] = ["before"]
    ((_, id),) = await world.issue_many(1)
    await world.worker().run_until_idle(within=2)
    tried = await world.store.read(lambda tx: attempts.of_work(tx, id))
    assert [one.what for one in tried if one.step == "order"] == ["call", "look", "look", "call"]
