"""The rows a company has, as Visma Net shows them: made, changed, found."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
Row = dict[str, Any]


class Store:
    """Tables of rows by key. Names that begin with an underscore are the sandbox's own and never shown."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Row]] = {}
        self.hide_since: datetime | None = None
        """What was made after this moment is not seen (a read from a copy that lags behind)."""
        self._stamps = itertools.count(0x5F3A01)

    def keep(self, table: str, key: str, row: Row) -> Row:
        """A new row."""
        row["_made"] = datetime.now(UTC)
        row["createdDateTime"] = wall_time()
        self.tables.setdefault(table, {})[key] = row
        self.touch(row)
        return row

    def touch(self, row: Row, **values: Any) -> None:
        """Change a row: a later time of change and another stamp."""
        row.update(values)
        row["lastModifiedDateTime"] = wall_time()
        row["timeStamp"] = base64.b64encode(next(self._stamps).to_bytes(8)).decode()

    def find(self, table: str, key: str) -> Row | None:
        """A row, as far as it can be seen."""
        row = self.tables.get(table, {}).get(key)
        return row if row is not None and self._seen(row) else None

    def all(self, table: str) -> Iterator[Row]:
        """All rows that can be seen, in no order that anybody promised."""
        rows = self.tables.get(table, {})
        return (rows[key] for key in sorted(rows, key=lambda key: key[::-1]) if self._seen(rows[key]))

    def _seen(self, row: Row) -> bool:
        return self.hide_since is None or row["_made"] <= self.hide_since


def wall_time() -> str:
    """Now, as Visma Net writes it: Norwegian wall time with milliseconds, no zone."""
    return datetime.now(OSLO).replace(tzinfo=None).isoformat(timespec="milliseconds")


def shown(row: Row, *leave: str) -> Row:
    """A row as it is answered: without what is the sandbox's own, and without what is None."""
    return {
        name: value
        for name, value in row.items()
        if not name.startswith("_") and value is not None and name not in leave
    }
