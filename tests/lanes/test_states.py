"""States: every change goes through the tables, and the tables leave nobody stranded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector.store import states

ROOT = Path(__file__).parents[2] / "connector"


@pytest.mark.parametrize("table", [states.WORK, states.ARRIVAL, states.OPERATION])
def test_every_state_can_be_reached_and_can_end(table: states.Moves) -> None:
    assert {after for moves in table.values() for after in moves} <= set(table)
    begin = next(iter({"queued", "accepted"} & set(table)))
    reached, edge = {begin, "blocked"} & set(table), [begin]
    while edge:
        for after in table[edge.pop()] - reached:
            reached.add(after)
            edge.append(after)
    assert reached == set(table)
    ends = {state for state in table if states.final(table, state)} or {"handled", "dropped"}
    for state in set(table) - ends:
        seen, edge = {state}, [state]
        while edge:
            for after in table[edge.pop()] - seen:
                seen.add(after)
                edge.append(after)
        assert seen & ends, f"{state} never ends"


def test_a_way_that_is_not_in_the_table_is_refused() -> None:
    for table in (states.WORK, states.ARRIVAL, states.OPERATION):
        for before in table:
            for after in set(table) - table[before]:
                with pytest.raises(RuntimeError):
                    states.check(table, before, after)


def test_nobody_else_writes_a_state() -> None:
    """Statements that set the state of a work, an arrival or an operation stand in their own modules only, beside the
    check. (Links and the records of a first sync have states of their own.)
    """
    setters = re.compile(r"(update\(\)[\s\S]{0,400}?values\([^)]*state=)|(SET [^\"]*\bstate =)")
    writers = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "migrations" not in path.parts and setters.search(path.read_text())
    }
    assert writers <= {
        "store/work.py",
        "store/arrivals.py",
        "store/operations.py",
        "store/links.py",
        "store/first_sync.py",
    }
    for module in ("work", "arrivals", "operations"):
        assert "check(" in (ROOT / "store" / f"{module}.py").read_text()
