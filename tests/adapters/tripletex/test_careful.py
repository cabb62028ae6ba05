"""Where money is at stake and two things happen at a time, or the ledger ends elsewhere than we do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Sandbox
from connector.errors import Refused, Stop, TryLater
from connector.ports import Accounting, Goal, Kind, Run

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import customer_goal, invoice_goal, line, opened, payment_goal, reach, with_order


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    system = opened(box)
    yield system
    await system.close()


async def invoice(system: Accounting) -> str:
    customer = (await reach(system, customer_goal()))["read"].id
    return (await reach(system, invoice_goal(customer)))["read"].id


async def both(system: Accounting, id: str, amount: str) -> list[Any]:
    """Two equal payments whose witnesses were both taken before either was made."""
    goals = [payment_goal(id, amount, marker=f"m-{number}") for number in (1, 2)]
    steps = [system.flow(goal)[0] for goal in goals]
    witnesses = [await step.witness(Run(goal, {})) for step, goal in zip(steps, goals, strict=True)]
    runs = [Run(goal, {}, witness) for goal, witness in zip(goals, witnesses, strict=True)]
    calls = [step.call(run) for step, run in zip(steps, runs, strict=True)]
    return await asyncio.gather(*calls, return_exceptions=True)


def paid(box: Sandbox, id: str) -> list[Decimal]:
    return [-one["amount"] for one in box.books.items(int(id)) if one.get("type") == "INCOMING_PAYMENT"]


async def test_two_equal_payments_at_a_time_are_two_rows_and_each_knows_its_own(system, box):
    box.latency = 0.05
    id = await invoice(system)
    first, second = await both(system, id, "1000.00")
    assert first.id != second.id
    assert paid(box, id) == [1000, 1000]


async def test_together_they_do_not_exceed_what_is_open(system, box):
    box.latency = 0.05
    id = await invoice(system)
    results = await both(system, id, "10000.00")
    stops = [one for one in results if isinstance(one, Stop)]
    assert [one.code for one in stops] == ["exceeds-open-amount"]
    assert stops[0].details["open"] == "2500.00"
    assert paid(box, id) == [10000]


async def test_totals_are_compared_again_once_it_is_invoiced(system, box):
    customer = (await reach(system, customer_goal()))["read"].id
    goal = invoice_goal(customer, net="99.99", vat="25.00", gross="124.99")
    goal = with_order(goal, orderLines=[line(str(number), 1, "33.33", "3") for number in range(3)])
    charge = box.books.charge

    def rounds_elsewhere(order, day):
        box.books.rules.rounding = "line"
        return charge(order, day)

    box.books.charge = rounds_elsewhere
    with pytest.raises(Stop) as stop:
        await reach(system, goal)
    assert stop.value.code == "totals-differ"
    assert stop.value.details["theirs"] == {"net": "99.99", "vat": "24.99", "gross": "124.98", "rounding": "0.00"}
    assert "It is invoiced" in stop.value.said
    assert box.state()["counts"]["invoice"] == 1


@pytest.mark.parametrize(
    ("whole", "stated", "fits"), [(True, "0.01", True), (True, "0", False), (False, "0.01", False)]
)
async def test_rounding_to_whole_kroner_is_compared_too(system, box, whole, stated, fits):
    box.books.rules.whole_kroner = whole
    customer = (await reach(system, customer_goal()))["read"].id
    goal = invoice_goal(customer, net="99.99", vat="25.00", gross="124.99", rounding=stated)
    goal = with_order(goal, orderLines=[line(str(number), 1, "33.33", "3") for number in range(3)])
    if fits:
        record = (await reach(system, goal))["read"].record
        assert record.body["invoice"]["amountCurrency"] == Decimal("125" if whole else "124.99")
        return
    with pytest.raises(Stop) as stop:
        await reach(system, goal)
    assert stop.value.code == "totals-differ"
    assert box.state()["counts"]["invoice"] == 0


@pytest.mark.parametrize("vat", [None, {}, {"percentage": 25}])
async def test_a_line_without_vat_code_is_refused_before_any_call(system, box, vat):
    goal = with_order(invoice_goal("1"), orderLines=[{**line("x", 1, "1.00", "3"), "vatType": vat}])
    with pytest.raises(Refused) as refused:
        system.flow(goal)
    assert refused.value.code == "vat-code-missing"
    assert refused.value.where == {"field": "order.orderLines[0].vatType"}
    assert not box.requests


async def test_a_change_decided_on_an_older_version_is_refused(system, box):
    id = (await reach(system, customer_goal()))["read"].id
    box.books.touch(box.books.things["customer"][int(id)], name="Nytt navn")
    goal = Goal(Kind.CUSTOMER, "update", "m-2", {"name": "Vårt navn", "version": 1}, target=id)
    with pytest.raises(Refused) as refused:
        await reach(system, goal)
    assert refused.value.code == "revision-conflict"
    assert box.books.things["customer"][int(id)]["name"] == "Nytt navn"


async def test_a_change_that_crosses_another_within_the_moment_is_tried_later(system, box):
    id = (await reach(system, customer_goal()))["read"].id
    there = box.books.things["customer"][int(id)]
    touch, handle = box.books.touch, box.handle

    def crossed(request):
        if request.method == "PUT":
            box.handle = handle
            touch(there, email="post@kjoper.no")
        return handle(request)

    box.handle = crossed
    goal = Goal(Kind.CUSTOMER, "update", "m-2", {"name": "Vårt navn"}, target=id)
    with pytest.raises(TryLater) as later:
        await system.flow(goal)[0].call(Run(goal, {}))
    assert later.value.code == "revision-conflict"
    assert there["name"] == "Kjøper AS"
    await reach(system, goal)
    assert (there["name"], there["email"]) == ("Vårt navn", "post@kjoper.no")
