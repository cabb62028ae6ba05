"""Lists: filters, times of change with their condition, and pages that are cut without a word."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from adapters.accounting.visma_net.sandbox.asking import invalid, moment
from adapters.accounting.visma_net.sandbox.store import Row, shown

_COMPARES: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


def timed(rows: Iterable[Row], query: Mapping[str, str], parameter: str, field: str) -> Iterable[Row]:
    """Rows by a time of theirs: `parameter` together with `parameterCondition`; without a condition, that very time.

    Of a change, one of the two without the other does nothing. Raises `SandboxError`.
    """
    wanted, condition = query.get(parameter), query.get(f"{parameter}Condition")
    if not wanted or (not condition and parameter.startswith(("lastModified", "created"))):
        return rows
    at = moment(wanted)
    compare = operator.eq if not condition else _COMPARES.get(condition)
    if at is None or compare is None:
        raise invalid(f"The value '{wanted}' is not valid for {parameter}.")

    def fits(row: Row) -> bool:
        return row.get(field) is not None and compare(datetime.fromisoformat(row[field]), at)

    return filter(fits, rows)


def equal(rows: Iterable[Row], query: Mapping[str, str], **fields: Callable[[Row], Any]) -> Iterable[Row]:
    """Rows whose fields equal the parameters given, in whatever case."""
    for parameter, read in fields.items():
        if wanted := query.get(parameter):
            rows = [row for row in rows if str(read(row) or "").casefold() == wanted.casefold()]
    return rows


def containing(rows: Iterable[Row], query: Mapping[str, str], **fields: str) -> Iterable[Row]:
    """Rows whose fields contain the parameters given: Visma does not tell whether these find in part, so they do."""
    for parameter, name in fields.items():
        if wanted := query.get(parameter):
            rows = [row for row in rows if wanted.casefold() in str(row.get(name) or "").casefold()]
    return rows


def page(rows: Iterable[Row], query: Mapping[str, str], most: int, *leave: str) -> list[Row]:
    """One page, each row with how many there are in all; without a page number the first. Raises `SandboxError`."""
    try:
        number, size = int(query.get("pageNumber") or 1), int(query.get("pageSize") or most)
    except ValueError:
        raise invalid("The page number is not valid.") from None
    if number < 1 or size < 1:
        raise invalid("The page number is not valid.")
    found = list(rows)
    size = min(size, most)
    told = {"totalCount": len(found), "maxPageSize": most}
    return [{**shown(row, *leave), "metadata": told} for row in found[(number - 1) * size : number * size]]
