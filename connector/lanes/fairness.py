"""Who is next in a lane: people, effects, hints, polls and sweeps in turn, by weight, so that nobody starves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from connector.store.work import Turn, Work

WEIGHTS: Mapping[Turn, int] = {Turn.PERSON: 16, Turn.EFFECT: 8, Turn.HINT: 4, Turn.POLL: 2, Turn.SWEEP: 1}
"""Of 31 turns in a lane where everybody waits."""


class Turns:
    """The works in hand, by class, each class in order. Stride scheduling: the class that has had least for its weight
    is next; a class that comes back after a pause begins where the others are.
    """

    def __init__(self) -> None:
        self._queues: dict[Turn, deque[Work]] = {turn: deque() for turn in Turn}
        self._had: dict[Turn, float] = dict.fromkeys(Turn, 0.0)
        self._now = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def count(self, turn: Turn) -> int:
        """How many of a class are in hand."""
        return len(self._queues[turn])

    def add(self, work: Work) -> None:
        """Put a work at the end of its class."""
        turn = Turn(work.turn)
        if not self._queues[turn]:
            self._had[turn] = max(self._had[turn], self._now)
        self._queues[turn].append(work)

    def take(self, may: Callable[[Work], bool]) -> Work | None:
        """The next work that may be started, if any; those that may not keep their places."""
        for turn in sorted(Turn, key=lambda turn: self._had[turn]):
            queue = self._queues[turn]
            for place, work in enumerate(queue):
                if may(work):
                    del queue[place]
                    self._now = self._had[turn]
                    self._had[turn] += 1 / WEIGHTS[turn]
                    return work
        return None

    def clear(self) -> None:
        """Let go of everything."""
        for queue in self._queues.values():
            queue.clear()
