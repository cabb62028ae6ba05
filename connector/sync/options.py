"""What a connection's ledger takes: read through its lane, kept, and compared with what its mapping relies on.

Whoever needs it takes what is kept (`known`), or has it read (`ask`) and waits. Every reading is compared with the
mapping (`connector.sync.guard`), so that a code that is gone is told before a document fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.lanes import Found, Turn, Work
from connector.options import Options
from connector.store import Tx, options
from connector.sync import guard
from connector.sync.asking import ask_read
from connector.sync.spokes import Handler, Spoke, Spokes

OPTIONS = "options"
"""Kind of work that reads them."""


@dataclass(frozen=True, slots=True)
class Known:
    """Options as they are kept; `read`: when (UTC). `had`: every code that the ledger has ever shown, by list."""

    options: Options
    read: datetime
    had: dict[str, list[str]]

    def is_fresh(self, now: datetime, age: timedelta) -> bool:
        """Whether they are young enough to go by."""
        return now - self.read <= age


def known(tx: Tx, spoke: Spoke) -> Known | None:
    """What was last read; None where nothing was yet."""
    kept = options.get(tx, spoke.id)
    if kept is None:
        return None
    return Known(Options.model_validate(kept.body["options"]), kept.read, dict(kept.body["had"]))


def ask(tx: Tx, spoke: Spoke, *, turn: Turn = Turn.PERSON) -> str:
    """Have them read; asked for twice, they are read once. The work that does it."""
    return ask_read(tx, spoke, OPTIONS, turn=turn)


def ask_nightly(tx: Tx, spoke: Spoke) -> str:
    """The same among the night's comparisons."""
    return ask(tx, spoke, turn=Turn.SWEEP)


class ReadOptions(Handler):
    """The handler of `OPTIONS` (`lanes.ReadHandler`)."""

    async def read(self, work: Work) -> Found:
        """All of it in one turn."""
        spoke = self.spoke(work)
        found = await spoke.accounting.options()
        return Found(lambda tx: keep(tx, self.spokes, spoke, found))


def keep(tx: Tx, spokes: Spokes, spoke: Spoke, found: Options) -> None:
    """Keep what was read, and tell a person what the mapping relies on and the ledger no longer has."""
    before = known(tx, spoke)
    had = {name: set(codes) for name, codes in before.had.items()} if before else {}
    for name, values in found.lists.items():
        had.setdefault(name, set()).update(one.code for one in values if one.active)
        had[name].update(code for one in values if one.active for code in one.also)
    body: dict[str, Any] = {
        "options": found.model_dump(mode="json"),
        "had": {name: sorted(codes) for name, codes in had.items()},
    }
    options.put(tx, spoke.id, body)
    guard.compare(tx, spokes, spoke, found, had)
