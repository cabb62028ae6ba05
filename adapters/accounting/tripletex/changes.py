"""Who changed a record last, and when: `changes`, which Tripletex tells where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.ports import Changed

_OSLO = ZoneInfo("Europe/Oslo")
FIELD = "changes(employeeId,timestamp,changeType)"


def last(row: Mapping[str, Any]) -> Changed | None:
    """The last change: Tripletex writes Norwegian wall time and an employee's id. None where it says nothing."""
    moments = [(moment, one) for one in row.get("changes") or () if (moment := _moment(one)) is not None]
    if not moments:
        return None
    at, newest = max(moments, key=lambda pair: pair[0])
    employee = newest.get("employeeId")
    return Changed(at.astimezone(UTC).isoformat(), f"employee {employee}" if employee else None)


def _moment(change: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(change["timestamp"])
    except (TypeError, KeyError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=_OSLO)
