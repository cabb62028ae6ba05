"""What a dead worker leaves behind: what it was about to call and had not called need not be looked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connector.lanes import life
from connector.lanes.life import Life
from connector.store import Store, new_id


@pytest.fixture
def two(store: Store) -> tuple[Life, Life, str]:
    """A worker that has died, and one that lives; the name of the first."""
    dead, lives, name = Life(store), Life(store), new_id()
    dead.begin(name)
    lives.begin(new_id())
    return dead, lives, name


def died(one: Life) -> None:
    assert one._handle is not None
    os.close(one._handle)


def test_only_what_was_never_called_is_named(two: tuple[Life, Life, str]) -> None:
    dead, lives, name = two
    waits, called, ended, again = (new_id() for _ in range(4))
    for one in (waits, called, ended):
        dead.waits(one)
    dead.called(called)
    dead.over(ended)
    dead.waits(again)  # in the place of the one that has ended
    assert lives.never_called(name) == []  # it is alive
    died(dead)
    assert lives.never_called(name) == [waits, again]
    assert lives.never_called(new_id()) == []


def test_after_a_new_start_of_the_machine_nothing_is_concluded(
    two: tuple[Life, Life, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: Store
) -> None:
    dead, _, name = two
    dead.waits(new_id())
    died(dead)
    (tmp_path / "boot").write_text("another\n")
    monkeypatch.setattr(life, "_BOOT", tmp_path / "boot")
    later = Life(store)
    later.begin(new_id())
    assert later.never_called(name) == []
    monkeypatch.setattr(life, "_BOOT", tmp_path / "none")  # a system that does not tell
    silent = Life(store)
    silent.begin(new_id())
    silent.waits(new_id())
    assert silent.never_called(name) == []
