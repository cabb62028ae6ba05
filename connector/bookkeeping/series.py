"""NO-BOK-21: numbers run on without a gap, in each series. Judged over many documents, never over one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from connector.bookkeeping.finding import Finding, finding

_NUMBER = re.compile(r"(.*?)([0-9]{1,15})", re.DOTALL)
WIDEST = 1000
"""A leap of so many numbers begins another series (2026-001, 2027-001 …)."""


def gaps(numbers: Iterable[str], is_taken: Callable[[str], bool]) -> Iterator[Finding]:
    """Numbers that are missing between those of each series, as warnings.

    Args:
        numbers: those that were seen; what stands before the last digits tells the series apart.
        is_taken: whether a number that was not seen is a document's that is known otherwise.
    """
    series: dict[str, dict[int, str]] = {}
    for said in numbers:
        if found := _NUMBER.fullmatch(said):
            series.setdefault(found[1], {})[int(found[2])] = said
    for prefix, seen in series.items():
        counts = sorted(seen)
        for before, after in pairwise(counts):
            if 1 < after - before < WIDEST:
                width = len(seen[before]) - len(prefix)
                missing = [f"{prefix}{number:0{width}}" for number in range(before + 1, after)]
                missing = [number for number in missing if not is_taken(number)]
                if missing:
                    shown = ", ".join(missing[:10]) + (" …" if len(missing) > 10 else "")
                    yield finding(
                        "NO-BOK-21", "warning", "number", missing=shown, before=seen[before], after=seen[after]
                    )
