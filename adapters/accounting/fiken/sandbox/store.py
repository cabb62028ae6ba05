"""The things a company has: made, changed and found, with the days Fiken tells of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.accounting.fiken.sandbox.errors import missing

OSLO = ZoneInfo("Europe/Oslo")
Thing = dict[str, Any]
"""A thing by Fiken's own names; what begins with `_` is the sandbox's."""


class Store:
    """All things of a company, by type and id, in the order they were made."""

    def __init__(self) -> None:
        self.things: dict[str, dict[int, Thing]] = {}
        self.hide_since: datetime | None = None
        """What was made after this moment is not seen (a read from a copy that lags behind)."""
        self.today: date | None = None
        """The day it is; None: the real one."""
        self._ids = itertools.count(4_000_001)

    def day(self) -> str:
        """The day it is in Norway."""
        return (self.today or datetime.now(OSLO).date()).isoformat()

    def add(self, type: str, /, **values: Any) -> Thing:
        """A new thing; its id is `_id`."""
        made = {"_id": next(self._ids), "_created": datetime.now(UTC), "createdDate": self.day(),
                "lastModifiedDate": self.day(), **values}  # fmt: skip
        self.things.setdefault(type, {})[made["_id"]] = made
        return made

    def touch(self, thing: Thing, **values: Any) -> None:
        """Change a thing."""
        thing.update(values)
        thing["lastModifiedDate"] = self.day()

    def all(self, type: str) -> Iterator[Thing]:
        """All things of a type that can be seen."""
        return (one for one in self.things.get(type, {}).values() if self._seen(one))

    def find(self, type: str, id: Any) -> Thing:
        """One thing. Raises `SandboxError` (404)."""
        found = self.things.get(type, {}).get(int(id))
        if found is None or not self._seen(found):
            raise missing(type.capitalize())
        return found

    def remove(self, type: str, id: int) -> None:
        """Take a thing away."""
        del self.things[type][id]

    def _seen(self, thing: Thing) -> bool:
        return self.hide_since is None or thing["_created"] <= self.hide_since
