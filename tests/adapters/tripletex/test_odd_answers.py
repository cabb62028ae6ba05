"""Whatever an answer holds, what comes of it is one of our errors, and nothing happens twice."""

from __future__ import annotations

import random
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Sandbox
from connector.errors import ConnectorError

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import SeveralFound, customer_goal, invoice_goal, opened, payment_goal, reach

JUNK: list[Any] = [None, 7, -1, "", "x", [], {}, [None], ["x"], {"id": None}, {"id": "x"}, True]


def spoiled(value: Any, dice: random.Random) -> Any:
    """The answer with something else in one place, or without it."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        name = dice.choice(list(value))
        if dice.random() < 0.15:
            return {key: inner for key, inner in value.items() if key != name}
        return {**value, name: spoiled(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return [*value[:at], spoiled(value[at], dice), *value[at + 1 :]]
    return dice.choice(JUNK)


@pytest.mark.parametrize("seed", range(12))
async def test_an_odd_answer_anywhere_ends_in_our_errors(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(12):
        async with Sandbox() as box:
            handle, calls, at = box.handle, [0], dice.randrange(18)

            def odd(request: Any, handle: Any = handle, calls: Any = calls, at: int = at) -> Any:
                answer, seconds = handle(request)
                calls[0] += 1
                if calls[0] == at and answer is not None and answer.body is not None:
                    answer.body = spoiled(answer.body, dice)
                return answer, seconds

            box.handle = odd  # type: ignore[method-assign]
            system = opened(box)
            try:
                buyer = (await reach(system, customer_goal()))["read"].id
                made = (await reach(system, invoice_goal(buyer)))["read"].id
                await reach(system, payment_goal(made))
                for kind in [one.kind for one in system.readings]:
                    page = await system.changes(kind, await system.begin(kind, date(2027, 1, 1)))
                    await system.changes(kind, page.cursor)
            except (ConnectorError, SeveralFound):
                pass
            counts = box.state()["counts"]
            assert counts["customer"] <= 1
            assert counts["invoice"] <= 1
            rows = [p for p in box.books.all("posting") if p.get("type") == "INCOMING_PAYMENT"]
            assert len(rows) <= 1
            await system.close()
