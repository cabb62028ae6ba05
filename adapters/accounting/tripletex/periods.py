"""Which days Tripletex' books are closed on, read before anything is dated.

People close and open periods at any time: that a month is open is believed for some minutes (the refusal of the call
itself says it where that was wrong), that it is closed is never believed without looking. Whether a VAT term is closed
shows nowhere; there, and where the key may not read periods, the answer is *unknown* and the call is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from adapters.accounting.tripletex.client import OSLO, Client
from adapters.accounting.tripletex.refusals import PERIOD, PERIOD_DO
from connector.errors import NeedsPerson, Refused, Stop
from connector.http import now
from connector.options import ClosedPeriod

FRESH = 600.0
"""Seconds that an open month is believed."""
FIRST_OPEN_DAY = "first-open-day"
"""What a record's `inClosedPeriod` says where money may be booked later than the bank's day."""
_AHEAD = timedelta(days=5 * 366)
_FIELDS = "id,name,start,end,isClosed"


class Periods:
    """The accounting periods of one company."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._open: dict[tuple[int, int], float] = {}

    async def check(self, day: date, what: str, field: str) -> None:
        """Whether something may be dated on a day, as far as that can be known before.

        Raises:
            Stop: the day lies in a closed period ("period-closed"), with the choices in `details`.
        """
        period = await self._closed(day)
        if period is None:
            return
        after = await self._first_open(day)
        raise Stop(
            f"The {what} is dated {day}; Tripletex' books are closed then ({period.get('name') or 'closed period'}).",
            code=PERIOD,
            do=PERIOD_DO,
            where={"field": field, "date": day.isoformat()},
            details={
                "first_open_day": None if after is None else after.isoformat(),
                "choices": [
                    {"verb": "retry", "when": "The period has been opened in Tripletex."},
                    {"verb": "cancel", "when": "It is made anew, with another date, where it comes from."},
                ],
            },
        )

    async def day_for(self, day: date, policy: Any) -> date:
        """The day on which money is booked: its own, or the first open day after it where the mapping says so.

        Args:
            day: the bank's.
            policy: the record's `inClosedPeriod`.

        Raises:
            Stop: its day is closed, and nothing says that it may be booked on another ("period-closed").
        """
        if policy == FIRST_OPEN_DAY:
            self._open.pop((day.year, day.month), None)  # what is moved is moved by what is so now
            if await self._closed(day) is not None and (after := await self._first_open(day)) is not None:
                return after
        await self.check(day, "payment", "paymentDate")
        return day

    async def days(self, day: date, policy: Any) -> list[date]:
        """The days on which money may have been booked, as `day_for` may have said them some time ago."""
        if policy != FIRST_OPEN_DAY:
            return [day]
        until = max(day, datetime.now(OSLO).date()) + timedelta(days=62)
        rows = await self._periods(day + timedelta(days=1), until)
        return [day, *(date.fromisoformat(row["start"]) for row in rows)]

    async def closed(self, start: date, end: date) -> tuple[ClosedPeriod, ...] | None:
        """Every closed period that begins in [start, end); None where periods may not be read."""
        rows = await self._periods(start, end)
        starts = [date.fromisoformat(row["start"]) for row in rows]
        found = []
        for number, row in enumerate(rows):
            if row.get("isClosed") is True:
                following = starts[number + 1] if number + 1 < len(rows) else None
                last = _last_day(date.fromisoformat(str(row["end"])), following)
                found.append(ClosedPeriod(start=starts[number], end=last, name=str(row.get("name") or "")))
        return tuple(found) if rows else None

    async def _closed(self, day: date) -> Mapping[str, Any] | None:
        """The closed period that a day lies in; None: it is open, or nobody says."""
        month = (day.year, day.month)
        if self._open.get(month, 0.0) > now():
            return None
        # The last that begins on the day or before: whether its `end` is its last day or the one after is not sure.
        rows = await self._periods(day - timedelta(days=366), day + timedelta(days=1))
        period: Mapping[str, Any] | None = next(
            (row for row in reversed(rows) if str(row.get("end", "")) >= day.isoformat()), None
        )
        if period is None or not isinstance(period.get("isClosed"), bool):
            return None
        if period["isClosed"]:
            return period
        self._open[month] = now() + FRESH
        return None

    async def _first_open(self, day: date) -> date | None:
        rows = await self._periods(day + timedelta(days=1), day + _AHEAD)
        return next((date.fromisoformat(row["start"]) for row in rows if row.get("isClosed") is False), None)

    async def _periods(self, start: date, end: date) -> list[dict[str, Any]]:
        """Periods that begin in [start, end), oldest first; none where they may not be read."""
        try:
            rows = await self._client.every("/ledger/accountingPeriod", startFrom=start, startTo=end, fields=_FIELDS)
        except (NeedsPerson, Refused) as exc:
            if exc.code == "sign-in":
                raise
            return []
        return sorted((row for row in rows if row.get("start")), key=lambda row: str(row["start"]))


def _last_day(end: date, following: date | None) -> date:
    """The last day of a period, whose `end` may be that day or the one after: where the next one begins tells, else the
    first of a month ends no period.
    """
    exclusive = end == following or (following is None and end.day == 1)
    return end - timedelta(days=1) if exclusive else end
