"""Which state may follow which. Everything that changes a state asks here first.

Work (what is done in a lane):
    blocked     waits for other work
    queued      will be done from `due` on (no `due`: its connection is paused)
    running     an attempt is written down and has no end yet
    unknown     an attempt ended without an answer; it is looked for what became of it
    parked      waits for a person
    done        done, with proof, or there was nothing to be done
    cancelled   a person decided that it shall not be done

Arrivals (what came in): queued, handled, parked (waits for a person), dropped (a person decided).

Operations (commands that were answered with 202): accepted, waiting (for a person), done (with proof), rejected (with
a reason).
"""

from __future__ import annotations

from collections.abc import Mapping

Moves = Mapping[str, frozenset[str]]

WORK: Moves = {
    "blocked": frozenset({"queued", "parked", "cancelled"}),
    "queued": frozenset({"queued", "running", "done", "parked", "cancelled"}),
    "running": frozenset({"running", "queued", "unknown", "parked", "done"}),
    "unknown": frozenset({"unknown", "running", "queued", "parked", "done", "cancelled"}),
    "parked": frozenset({"queued", "unknown", "blocked", "cancelled"}),
    "done": frozenset(),
    "cancelled": frozenset(),
}
ARRIVAL: Moves = {
    "queued": frozenset({"queued", "handled", "parked"}),
    "parked": frozenset({"queued", "dropped"}),
    "handled": frozenset({"queued"}),  # replay
    "dropped": frozenset({"queued"}),
}
OPERATION: Moves = {
    "accepted": frozenset({"waiting", "done", "rejected"}),
    "waiting": frozenset({"accepted", "done", "rejected"}),
    "done": frozenset(),
    "rejected": frozenset(),
}


def final(table: Moves, state: str) -> bool:
    """Whether nothing follows."""
    return not table[state]


def check(table: Moves, before: str, after: str) -> None:
    """Refuse what the table does not allow; that is a fault in the program, not in anybody's data.

    Raises:
        RuntimeError: `after` does not follow `before`.
    """
    if after not in table[before]:
        raise RuntimeError(f"no way from {before} to {after}")
