"""A cut-over goes in pages, and may be broken off after any of them: what is older is left out, the rest is asked for,
each once.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from connector.api.examples import INVOICE_DRAFT
from connector.errors import Stop
from connector.service import onboarding as asked
from connector.store import first_sync, schema
from connector.store.connections import change, get
from connector.sync import catching_up
from connector.sync.left_out import CUT_OVER
from connector.sync.onboarding import cutting
from connector.sync.onboarding.facts import LIVE, MAKING

DAY = date(2026, 11, 1)
OLD, NEW = 13, 9
PAGE = 4


@pytest.fixture
async def ready(both: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A ledger that observes, whose checklist is done; invoices from before the day and after it are here."""
    monkeypatch.setattr(catching_up, "PAGE", PAGE)
    monkeypatch.setattr(catching_up, "AT_ONCE", PAGE // 2)
    async with both(observing="books") as two:
        spoke = two.house.named("fjord", "books")
        await two.rehearsed(spoke, DAY)
        for at in range(OLD + NEW):
            day = f"2026-{10 if at < OLD else 11}-15"
            body = {**INVOICE_DRAFT, "source_id": f"order-{at}", "issue_date": day, "due_date": "2026-12-15"}
            answer = await two.post("/v1/invoices", body)
            assert answer.status_code == 202, answer.text
        await two.work()
        yield two, spoke


async def cut(two: Any, spoke: Any, **more: Any) -> Any:
    return await cutting.cut_over(two.house.store, two.house, spoke, go_live=None, who="test", **more)


async def pushes(two: Any) -> dict[str, int]:
    """How many pushes of a kind there are."""

    def read(tx: Any) -> dict[str, int]:
        t = schema.work.c
        rows = tx.execute(select(t.kind, func.count().label("many")).where(t.kind.like("push-%")).group_by(t.kind))
        return {row.kind: row.many for row in rows}

    return await two.house.store.read(read)


async def left(two: Any, spoke: Any) -> int:
    rows = await two.house.store.read(lambda tx: first_sync.find(tx, spoke.id, action="leave"))
    assert len({row.document for row in rows}) == len(rows), "one was left twice"
    return len(rows)


async def test_broken_off_after_every_page_it_does_all_of_it_once(ready: Any) -> None:
    two, spoke = ready
    seen = []

    def dies(now: cutting.Cut) -> None:
        seen.append((now.state, now.left, now.asked, now.seen))
        if now.state != LIVE:
            raise KeyError("dead")

    for _ in range(40):
        before = (await two.house.store.read(lambda tx: get(tx, spoke.id))).mode
        try:
            done = await cut(two, spoke, told=dies)
        except KeyError:
            assert (before == "observe") >= (seen[-1][0] == "leaving"), "nothing is written while older ones may be"
            continue
        break
    else:
        raise AssertionError(f"it never ends: {seen}")
    assert done.state == LIVE
    assert (done.left, done.asked) == (OLD, NEW)
    assert len(seen) >= 2 * (OLD + NEW) // PAGE
    assert len(set(seen)) > 4, "it does not go forward page by page"
    assert await left(two, spoke) == OLD
    assert await pushes(two) == {"push-invoice": NEW, "push-customer": 1}
    assert [one for one in await two.events() if one == "connection.live"] == ["connection.live"]
    with pytest.raises(Stop) as refused:
        await cut(two, spoke)
    assert refused.value.code == "cut-over-done"
    await two.work(within=2.5)
    issued = [one for one in two.books.books.things["invoice"].values() if one["isCharged"]]
    assert len(issued) == NEW


async def test_begun_for_one_day_it_is_not_ended_for_another(ready: Any) -> None:
    two, spoke = ready

    def dies(now: cutting.Cut) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await cut(two, spoke, told=dies)
    shown = {one.name: one for one in await two.house.store.read(lambda tx: asked.steps(tx, two.house, spoke))}
    assert (shown[CUT_OVER].state, "goes on" in shown[CUT_OVER].said) == ("open", True)
    with pytest.raises(Stop) as refused:
        await cutting.cut_over(two.house.store, two.house, spoke, go_live=date(2026, 12, 1), who="test")
    assert refused.value.code == "cut-over-begun"
    assert (await cut(two, spoke)).left == OLD


async def test_taken_back_in_the_middle_nothing_more_is_asked_for(ready: Any) -> None:
    two, spoke = ready

    seen = []

    def dies(now: cutting.Cut) -> None:
        seen.append(now)
        if now.state == "asking" and now.asked:
            raise KeyError

    with pytest.raises(KeyError):
        await cut(two, spoke, told=dies)
    assert await asked.back(two.house, spoke, who="test") == [], "nothing had been written yet"
    before = await pushes(two)
    with pytest.raises(Stop) as refused:
        await two.house.store.write(
            lambda tx: cutting._go_on(tx, spoke, seen[-1], partial(cutting._end, spoke=spoke), "test")
        )
    assert refused.value.code == "cut-over-stopped"
    assert await pushes(two) == before


async def test_what_is_posted_meanwhile_is_pushed_and_not_left_out(ready: Any) -> None:
    two, spoke = ready
    body = {**INVOICE_DRAFT, "source_id": "meanwhile", "issue_date": "2026-10-20", "due_date": "2026-12-15"}

    def dies(now: cutting.Cut) -> None:
        if now.state == "asking":
            raise KeyError

    with pytest.raises(KeyError):
        await cut(two, spoke, told=dies)
    assert (await two.post("/v1/invoices", body)).status_code == 202
    done = await cut(two, spoke)
    assert (done.left, await left(two, spoke)) == (OLD, OLD)
    await two.work(within=2.5)
    found = (await two.get("/v1/documents", source_id="meanwhile"))["documents"]
    assert [one["state"] for one in found] == ["issued"]


async def test_stopped_in_the_middle_it_begins_anew_and_back_still_lists_what_was_written(ready: Any) -> None:
    two, spoke = ready

    def dies(now: cutting.Cut) -> None:
        if now.state == "asking" and now.asked:
            raise KeyError

    with pytest.raises(KeyError):
        await cut(two, spoke, told=dies)
    await two.work(within=2.5)
    await two.house.store.write(lambda tx: change(tx, spoke.id, mode="observe"))
    shown = {one.name: one for one in await two.house.store.read(lambda tx: asked.steps(tx, two.house, spoke))}
    assert "goes on" not in shown[CUT_OVER].said, "it begins anew"

    def at_once(now: cutting.Cut) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await cut(two, spoke, told=at_once)
    listed = await asked.back(two.house, spoke, who="test")
    assert {"invoice", "customer"} <= {one.kind for one in listed}
    assert await asked.back(two.house, spoke, who="test") == listed


KILLED = """
import asyncio, os, signal, sys
from connector.service.house import open_house
from connector.sync.left_out import CUT_OVER
from connector.sync import catching_up
from connector.sync.onboarding import cutting

async def main():
    catching_up.PAGE, catching_up.AT_ONCE = {page}, {page} // 2
    async with open_house() as house:
        spoke = house.named("fjord", "books")
        def told(cut):
            if cut.state == sys.argv[1]:
                os.kill(os.getpid(), signal.SIGKILL)
        await cutting.cut_over(house.store, house, spoke, go_live=None, who="test", told=told)
asyncio.run(main())
"""


async def test_a_killed_process_leaves_whole_pages(ready: Any, tmp_path: Path) -> None:
    two, spoke = ready
    program = tmp_path / "cut.py"
    program.write_text(KILLED.format(page=PAGE))
    for state in ("leaving", MAKING, "asking"):
        process = await asyncio.create_subprocess_exec(sys.executable, str(program), state)
        assert await process.wait() == -signal.SIGKILL
    done = await cut(two, spoke)
    assert (done.left, done.asked) == (OLD, NEW)
    assert await left(two, spoke) == OLD
    assert await pushes(two) == {"push-invoice": NEW, "push-customer": 1}
