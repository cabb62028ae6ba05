"""The things a company has: made, changed, removed, found; whoever listens is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.accounting.tripletex.sandbox.rules import Rules
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing

OSLO = ZoneInfo("Europe/Oslo")


class Store:
    """All that the company has; `find` and `all` see what is there.

    Args:
        rules: how this company's Tripletex behaves.
        first_id: where the ids of its things begin.
    """

    def __init__(self, rules: Rules | None = None, *, first_id: int = 2_147_001) -> None:
        self.rules = rules or Rules()
        self.things: dict[str, dict[int, Thing]] = {}
        self.outbox: list[dict[str, Any]] = []
        """What would have been sent to customers by now."""
        self.hide_since: datetime | None = None
        """What was made after this moment is not seen (a read from a copy that lags behind)."""
        self.listeners: list[Callable[[str, int], None]] = []
        """Told of what happens: an event's name (`customer.create`) and the id of the thing."""
        self._ids = itertools.count(first_id)

    def add(self, type: str, /, *, id: Any = None, **values: Any) -> Thing:
        """A new thing of the type."""
        thing = Thing(type, id=next(self._ids) if id is None else id, version=1, **values)
        thing["_created"] = now = datetime.now(UTC)
        thing["_changed"] = now
        thing["changes"] = [{"employeeId": 1, "timestamp": wall_time(now), "changeType": "CREATE"}]
        self.things.setdefault(type, {})[thing["id"]] = thing
        self.tell(f"{type}.create", thing["id"])
        return thing

    def touch(self, thing: Thing, **values: Any) -> None:
        """Change a thing: a newer version."""
        thing.update(values)
        thing["version"] += 1
        thing["_changed"] = now = datetime.now(UTC)
        thing["changes"].append({"employeeId": 1, "timestamp": wall_time(now), "changeType": "UPDATE"})
        self.tell(f"{thing.type}.update", thing["id"])

    def remove(self, thing: Thing) -> None:
        """Take a thing away."""
        del self.things[thing.type][thing["id"]]
        self.tell(f"{thing.type}.delete", thing["id"])

    def tell(self, event: str, id: int) -> None:
        """Say what happened to whom listens."""
        for listener in self.listeners:
            listener(event, id)

    def find(self, link: Link) -> Thing:
        """The thing meant. Raises `SandboxError` (404)."""
        thing = self.things.get(link.type, {}).get(link.id)
        if thing is None or not self.seen(thing):
            raise SandboxError(404, 6000, "Objektet ble ikke funnet.")
        return thing

    def all(self, type: str) -> Iterator[Thing]:
        """All things of a type that can be seen."""
        things = self.things.get(type, {}).values()
        return iter(things) if self.hide_since is None else filter(self.seen, things)

    def seen(self, thing: Thing) -> bool:
        """Whether a thing is there for a reader."""
        return self.hide_since is None or thing["_created"] <= self.hide_since


def today() -> date:
    """The day it is in Norway."""
    return datetime.now(OSLO).date()


def wall_time(moment: datetime) -> str:
    """A moment as Tripletex writes it: Norwegian wall time, no zone."""
    return moment.astimezone(OSLO).strftime("%Y-%m-%dT%H:%M:%S")
