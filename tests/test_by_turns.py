"""By turns, each test is run on one of the databases: on exactly one, whatever it is called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

DATABASES = ("sqlite", "postgres")


@pytest.fixture
def whose_turn(pytestconfig: pytest.Config) -> Callable[[str, str], str]:
    """The function of `conftest.py`."""
    plugins = pytestconfig.pluginmanager.get_plugins()
    found = next(one for one in plugins if hasattr(one, "whose_turn"))
    if len(found.DATABASES) < 2:
        pytest.skip("one database alone has no turns")
    return found.whose_turn  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["it[{}]", "it[{}-sqlite]", "it[postgres-{}]", "it[a-{}-b]", "of_sqlite[{}]"])
def test_both_items_of_a_test_say_the_same(whose_turn: Callable[[str, str], str], name: str) -> None:
    assert len({whose_turn(f"tests/sync/test_x.py::test_{name.format(one)}", one) for one in DATABASES}) == 1


def test_the_name_of_a_test_is_no_database(whose_turn: Callable[[str, str], str]) -> None:
    """Tests that are called after the databases are tests of their own, and have turns of their own."""
    turns = [[whose_turn(f"tests/x.py::test_{at}_{of}[sqlite]", "sqlite") for of in DATABASES] for at in range(20)]
    assert any(first != second for first, second in turns)
    assert {turn for pair in turns for turn in pair} == set(DATABASES)
