"""A worker that works until it is idle does not leave while something is being done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from little_books import Books, World

from connector.store import Tx, work


class _Late:
    """A transaction that was asked at one moment and reads at a later one."""

    def __init__(self, tx: Tx, asked: datetime) -> None:
        self._tx, self.now = tx, asked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


async def test_what_is_begun_while_the_store_is_asked_is_waited_for(
    world: World, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is in hand at the first look, and when the store reads what was due then, a step has just been begun."""
    books.latency = 0.3
    _, id = await world.store.write(lambda tx: world.issue(tx, "1"))
    read, asked_for = world.store.read, set()

    async def late(fn: Callable[..., Any]) -> Any:
        name, asked = fn.__qualname__, world.store.clock()
        asked_for.update(word for word in ("._free", "._idle.") if word in name)
        await asyncio.sleep(0.05 if name.endswith("._free") else 0.2 if "._idle." in name else 0.0)
        return await read((lambda tx: fn(_Late(tx, asked))) if "._idle." in name else fn)

    monkeypatch.setattr(world.store, "read", late)
    await world.worker().run_until_idle()
    assert (await read(lambda tx: work.get(tx, id))).state == "done"
    assert asked_for == {"._free", "._idle."}, "what is held up here has another name now"
