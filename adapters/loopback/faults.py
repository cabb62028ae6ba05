"""Faults that can be switched on: what networks, overloaded servers and lagging copies do to a caller.

no-answer         done, and the connection is cut instead of answering
no-answer-before  the connection is cut and nothing is done
500-after         done, and answered with an internal error
500-before        answered with an internal error; nothing is done
429               too many calls, and when to come back
429-no-reset      too many calls, without that
slow              done, and answered `seconds` later
stale             a read that does not see what was made since the fault was switched on
garbled           done, and answered with something that is no JSON
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

KINDS = frozenset(
    {"no-answer", "no-answer-before", "500-after", "500-before", "429", "429-no-reset", "slow", "stale", "garbled"}
)


@dataclass(slots=True)
class Fault:
    """One kind of fault on calls that match.

    Args:
        calls: regular expression searched in `METHOD /path` (without the API's prefix), e.g. `PUT /order/.*/:invoice`.
        kind: see above.
        count: how many matching calls it strikes.
        after: how many matching calls it lets pass first.
        seconds: for `slow`: how long; for `429`: the reset that is told.
    """

    calls: str
    kind: str
    count: int = 1
    after: int = 0
    seconds: float = 1.0
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}; there are {', '.join(sorted(KINDS))}.")
        re.compile(self.calls)

    def as_json(self) -> dict[str, Any]:
        """As `GET /fault` shows it."""
        return {
            "calls": self.calls,
            "kind": self.kind,
            "count": self.count,
            "after": self.after,
            "seconds": self.seconds,
        }


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def strike(self, call: str) -> Fault | None:
        """The fault that strikes this call, if any: the first that matches and is not used up."""
        for fault in self.active:
            if not re.search(fault.calls, call):
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.count -= 1
            if not fault.count:
                self.active.remove(fault)
            return fault
        return None
