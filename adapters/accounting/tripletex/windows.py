"""Windows of dates, few and large enough: a query that matches more than 10,000 rows is refused, and each window costs
a page that is not full.

How many rows there are a day is learned from the windows that have been read; the next is made so large that it just
fits. Only where nothing has been learned is one refused and divided.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from adapters.accounting.tripletex.client import OSLO
from connector.errors import Stop
from connector.ports import Kind

Window = tuple[date, date]
"""[start, end)."""

MOST = 10_000
"""Rows that a query may match (the vendor's limit)."""
AIM = 0.93
"""How much of that a window is meant to hold: days are not alike."""
LONGEST = 36_500
"""Days of a window, however little there is."""
FIRST = 4
"""Into so many parts a window is divided of which nothing is known."""


class Windows:
    """What has been learned of one company's books."""

    def __init__(self) -> None:
        self._a_day: dict[Kind, float] = {}

    def fitted(self, kind: Kind, windows: Sequence[Window]) -> list[Window]:
        """The windows with the first of them so large as may be asked for, by what has been learned."""
        a_day = self._a_day.get(kind) or max(self._a_day.values(), default=0.0)
        (start, end), rest = windows[0], list(windows[1:])
        while rest and rest[0][0] == end:  # what was divided before more was known is one again
            end = rest.pop(0)[1]
        days = max(1, min(int(AIM * MOST / a_day), LONGEST)) if a_day else 0
        if not days:
            return list(windows)
        if (_known_end(start, end) - start).days <= days:
            return [(start, end), *rest]
        return [(start, start + timedelta(days=days)), (start + timedelta(days=days), end), *rest]

    def refused(self, kind: Kind, windows: Sequence[Window]) -> list[Window]:
        """The windows with the first of them divided. Raises `Stop` where it is a single day."""
        (start, end), rest = windows[0], list(windows[1:])
        days = (_known_end(start, end) - start).days
        if days < 2:
            if end > _known_end(start, end):
                return [(start, _known_end(start, end)), (_known_end(start, end), end), *rest]
            raise Stop(
                f"There are more rows on {start} than Tripletex gives in one query.",
                code="too-many-rows",
                do="Tell the maintainers: this day has to be read another way.",
                where={"kind": str(kind), "date": start.isoformat()},
            )
        parts = 2 if kind in self._a_day else FIRST
        self._learn(kind, MOST, days)
        middle = start + timedelta(days=max(1, days // parts))
        return [(start, middle), (middle, end), *rest]

    def read(self, kind: Kind, window: Window, rows: int) -> None:
        """So many rows were in a window."""
        start, end = window
        days = (_known_end(start, end) - start).days
        if rows and days > 0:
            self._learn(kind, rows, days)

    def _learn(self, kind: Kind, rows: int, days: int) -> None:
        """The most that has been seen counts: what ends in a quiet time says little of the busy ones."""
        self._a_day[kind] = max(self._a_day.get(kind, 0.0), rows / days)


def _known_end(start: date, end: date) -> date:
    """Where the rows of a window end as far as can be known: few are dated ahead."""
    tomorrow = datetime.now(OSLO).date() + timedelta(days=1)
    return tomorrow if start < tomorrow < end else end
