"""What the rooms above give to the lanes: how an arrival is handled, an effect brought about, something read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.ports import Goal, Proof, Step
from connector.store.arrivals import Arrival
from connector.store.tx import Tx
from connector.store.work import Work


class Later(Exception):
    """Raised by an arrival's handler: not yet (while an unresolved attempt could explain it); come back in `after`
    seconds (None: after a pause that grows). It waits without a person's attention.
    """

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


@dataclass(frozen=True, slots=True)
class Nothing:
    """An effect's goal is reached already: nothing has to be done, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a read found. `write` keeps it, in one transaction with the end of the work (the raw records as arrivals,
    and the cursor); like everything that is given to `Store.write` it may be run more than once. `again`: there is more
    to read, this work goes on when its turn comes again. `after`: seconds until then (0: at once).
    """

    write: Callable[[Tx], None]
    again: bool = False
    after: float = 0.0


class ArrivalHandler(Protocol):
    """Handles one arrival, in one transaction, without any call outside."""

    def __call__(self, tx: Tx, arrival: Arrival) -> str | None:
        """Make of it what it means; returns the id of the document it was about, if any.

        Raises:
            ConnectorError: it cannot be handled; it is parked with this reason, a person is asked (`attention`).
            Later: not yet.
            Moved: something changed underneath; it is handled again at once.
        """


class EffectHandler(Protocol):
    """Brings about one kind of effect."""

    async def decide(self, work: Work) -> Goal | Nothing:
        """What shall be true at the vendor, decided now (the store may be read, no vendor is called).

        The goal is stored with the first attempt; from then on it is not decided again, also after a crash. It is
        decided again only when a person says `retry` and nothing has taken effect yet.

        Raises:
            ConnectorError: it cannot be decided: a person is asked.
        """

    def answers(self, work: Work) -> Sequence[str]:
        """Verbs that settle it beside the usual ones, where it waits for a person and nothing of it is unknown."""

    async def flow(self, work: Work, goal: Goal) -> Sequence[Step]:
        """The steps that reach the goal (`ports.Accounting.flow`), always the same ones for the same goal: names are
        unique in a flow, and proofs are kept under them.
        """

    def done(self, tx: Tx, work: Work, proofs: Mapping[str, Proof]) -> None:
        """Write down what the proofs (by step name) mean: link, document, events, further work; in one transaction with
        the last proof. `work.goal` is set.

        Raises:
            ConnectorError: the proofs are kept, a person is asked, `retry` calls this again.
            Moved: it is called again at once.
        """


class ReadHandler(Protocol):
    """Reads something from a vendor: what a hint speaks of, the next page of a poll, a window of a sweep."""

    async def read(self, work: Work) -> Found:
        """Make the calls of one turn (a page); what they found is written afterwards. Reading twice is harmless."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """Everything that a room can do, by the names the lanes use: `Arrival.kind` and `Work.kind`."""

    arrivals: Mapping[str, ArrivalHandler]
    effects: Mapping[str, EffectHandler]
    reads: Mapping[str, ReadHandler]
