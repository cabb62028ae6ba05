"""What was made a moment ago may not show yet: a list may be read from a copy that lags behind.

That it does not show is believed once `settle` seconds have passed since it was made, and after a second look. Before
that nobody is told that it is gone: he would make it anew.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from connector.errors import Stop, TryLater
from connector.ports import Proof


def made(number: str, /, **facts: Any) -> Proof:
    """What proves that something was made, or found, just now."""
    return Proof(number, {**facts, "seen": datetime.now(UTC).isoformat(timespec="milliseconds")})


def still_hidden(proof: Proof, settle: float) -> bool:
    """Whether what was made may be there although it does not show."""
    since = datetime.fromisoformat(str(proof.facts["seen"]))
    return datetime.now(UTC) - since < timedelta(seconds=settle)


def hidden(what: str) -> TryLater:
    """It may be there, and does not show yet."""
    return TryLater(f"Visma Net does not show {what} yet.", code="not-shown-yet")


def gone(what: str, where: dict[str, str]) -> Stop:
    """It is believed to be gone."""
    return Stop(
        f"Visma Net does not show {what}, which was made there, however often it is looked for.",
        code="nothing-read-back",
        do="Look for it in Visma Net. If it is there, retry. If somebody has deleted it, cancel this; only then may it"
        " be posted anew.",
        where=where,
    )
