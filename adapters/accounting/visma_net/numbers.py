"""Ids that stay, by the numbers that documents name and that people can change."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.accounting.visma_net.client import Client, segment

KEPT = 100_000
"""Numbers that are remembered."""
FEW = 3
"""So many unknown numbers are asked for one by one; more, and the register is leafed through."""


class Numbers:
    """Ids of one register's records by number: what a read of a record shows holds.

    Args:
        path: where the register is listed, and where one is read by its number.
        id, number: how the two are called there.
        gone: seconds for which a number that nothing has is not asked for again: documents name what was deleted.
    """

    def __init__(self, client: Client, path: str, *, id: str, number: str, gone: float = 0.0) -> None:
        self._client = client
        self._path = path
        self._id, self._number = id, number
        self._ids: OrderedDict[str, int] = OrderedDict()
        self._gone: dict[str, float] = {}
        """Numbers that nothing has, by when that was seen."""
        self._gone_for = gone

    def seen(self, row: Mapping[str, Any]) -> None:
        """Remember a record that was read."""
        number, id = row.get(self._number), row.get(self._id)
        if isinstance(number, str) and isinstance(id, int):
            self._ids[number] = id
            self._ids.move_to_end(number)
            if len(self._ids) > KEPT:
                self._ids.popitem(last=False)

    async def ids(self, numbers: Iterable[str]) -> Mapping[str, int]:
        """The ids behind these numbers; one that nothing has (any more) is not among them."""
        wanted = set(numbers)
        now = time.monotonic()
        self._gone = {number: at for number, at in self._gone.items() if now - at < self._gone_for}
        missing = {number for number in wanted if number not in self._ids and number not in self._gone}
        if len(missing) > FEW:
            page, more = 1, True
            while more:  # to its end: the next page of documents names others
                rows, more = await self._client.page(self._path, page)
                for row in rows:
                    self.seen(row)
                page += 1
        for number in sorted(number for number in missing if number not in self._ids):
            found = await self._client.find(f"{self._path}/{segment(number)}")
            if found is not None:
                self.seen(found)
            else:
                self._gone[number] = now
        return {number: self._ids[number] for number in wanted if number in self._ids}
