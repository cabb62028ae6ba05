"""Releases: a draft is compared first, asked for once, and waited for; what goes wrong is told in our words."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Sandbox
from connector.errors import Refused, Stop, TryLater, VendorError
from connector.ports import Run

sys.path.append(str(Path(__file__).parent))
from visma_driving import customer_goal, invoice_goal, line, opened, reach, read


async def before_the_read(box: Sandbox, system: Any, **more: Any) -> tuple[Any, Run]:
    """A flow up to the step that waits; that step, and what it gets."""
    id = (await reach(system, customer_goal()))["read"].id
    goal, proofs = invoice_goal(id, **more), {}
    *steps, last = system.flow(goal)
    for step in steps:
        proofs[step.name] = await step.call(Run(goal, proofs))
    return last, Run(goal, proofs)


def releases(box: Sandbox) -> int:
    return sum(came.path.endswith("/action/release") for came in box.requests)


async def test_a_queued_release_is_not_released() -> None:
    async with Sandbox(queue=2) as box:
        step, run = await before_the_read(box, opened(box))
        for _ in range(2):
            with pytest.raises(TryLater) as exc:
                await step.call(run)
            assert exc.value.code == "release-queued"
        assert (await step.call(run)).record.body["status"] == "Open"
        assert releases(box) == 1


async def test_a_stuck_release_is_for_a_person_in_the_end() -> None:
    async with Sandbox(release="stuck") as box:
        step, run = await before_the_read(box, opened(box, release_hours=0.0000001))
        with pytest.raises(Stop) as exc:
            await step.call(run)
        assert exc.value.code == "release-stuck"


@pytest.mark.parametrize(("release", "code"), [("background-400", "release-failed"), ("background", "period-closed")])
async def test_a_job_that_finished_with_a_failure(release: str, code: str) -> None:
    async with Sandbox(release=release, queue=2) as box:
        step, run = await before_the_read(box, opened(box))
        box.close_period("202701")
        with pytest.raises(TryLater):
            await step.call(run)
        with pytest.raises(Refused) as exc:
            await read(lambda: step.call(run))
        assert exc.value.code == code
        assert exc.value.said_by_vendor
        assert "release it in Visma Net" in exc.value.do
        assert releases(box) == 1


async def test_a_job_that_nobody_knows_any_more_is_waited_for_by_the_document() -> None:
    async with Sandbox(release="background-gone") as box:
        step, run = await before_the_read(box, opened(box))
        with pytest.raises(TryLater):
            await step.call(run)
        assert (await step.call(run)).record.body["status"] == "Open"


async def test_a_release_that_fails_at_once_may_be_asked_for_again() -> None:
    async with Sandbox(release="failed") as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        goal = invoice_goal(id)
        create, release, read = system.flow(goal)
        proofs = {"document": await create.call(Run(goal, {}))}
        box.close_period("202701")
        with pytest.raises(Refused) as exc:
            await release.call(Run(goal, proofs))
        assert exc.value.code == "period-closed"
        box.close_period("202701", False)
        proofs["release"] = await release.call(Run(goal, proofs))
        assert (await read.call(Run(goal, proofs))).record.body["status"] == "Open"


async def test_another_total_is_a_stop_and_nothing_is_released() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        with pytest.raises(Stop) as exc:
            await reach(system, invoice_goal(id, totals={"net": "10160.00", "vat": "2340.01", "gross": "12500.01"}))
        assert exc.value.code == "totals-differ"
        assert exc.value.details["theirs"]["vat"] == "2340.00"
        assert releases(box) == 0


@pytest.mark.parametrize("draft", ["absent", "nothing", "stated"])
async def test_a_draft_may_have_no_amount_and_is_compared_all_the_same(draft: str) -> None:
    """Where totals are not validated on entry Visma Net fills `amount` when it releases the document."""
    lines = [line("Vare", 1, "1", "3")]
    sums = {"net": "1.00", "vat": "0.25", "gross": "1.25", "rounding": "-0.25"}
    wrong = ({**sums, "vat": "0.26", "gross": "1.26"}, {**sums, "rounding": "0"}, {**sums, "rounding": "0.75"})
    async with Sandbox(whole_kroner=True, draft_amount=draft) as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        for n, totals in enumerate(wrong):
            with pytest.raises(Stop) as exc:
                await reach(system, invoice_goal(id, f"m-{n}", totals=totals, invoiceLines=lines))
            assert exc.value.code == "totals-differ"
        assert releases(box) == 0
        assert (await reach(system, invoice_goal(id, "m-9", totals=sums, invoiceLines=lines)))["read"].record


async def test_what_is_released_must_have_an_amount() -> None:
    async with Sandbox(release="done") as box:
        step, run = await before_the_read(box, opened(box))
        (row,) = box.books.tables["invoice"].values()
        del row["amount"]
        with pytest.raises(VendorError) as exc:
            await step.call(run)
        assert exc.value.where["field"] == "amount"


async def test_a_discount_that_nobody_asked_for_is_a_stop() -> None:
    async with Sandbox() as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        create, release, _ = system.flow(goal := invoice_goal(id))
        proofs = {"document": await create.call(Run(goal, {}))}
        (row,) = box.books.tables["invoice"].values()
        row["discountTotal"] = 10
        with pytest.raises(Stop) as exc:
            await release.call(Run(goal, proofs))
        assert exc.value.details["theirs"]["net"] == "10150.00"


async def test_whole_kroner_are_a_rounding() -> None:
    lines = [line("Vare", 1, "1", "3")]
    plain = {"net": "1", "vat": "0.25", "gross": "1.25"}
    async with Sandbox(whole_kroner=True) as box:
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        with pytest.raises(Stop):
            await reach(system, invoice_goal(id, totals=plain, invoiceLines=lines))
        sums = {"net": "1.00", "vat": "0.25", "gross": "1.25", "rounding": "-0.25"}
        assert (await reach(system, invoice_goal(id, "m-2", totals=sums, invoiceLines=lines)))["read"].record


async def test_what_visma_net_holds_up_is_for_a_person() -> None:
    async with Sandbox(release="done") as box:
        step, run = await before_the_read(box, opened(box))
        (row,) = box.books.tables["invoice"].values()
        row["status"] = "CreditHold"
        with pytest.raises(Stop) as exc:
            await step.call(run)
        assert exc.value.code == "release-held"


async def test_a_draft_is_no_invoice_to_those_who_read() -> None:
    async with Sandbox(release="stuck") as box:
        system = opened(box)
        await before_the_read(box, system)
        cursor = await system.begin("invoice", date(2027, 1, 1))
        assert (await system.changes("invoice", cursor)).records == []
        assert await system.read("invoice", "100001") is None
