"""Sends as lanes do, however often calls and looks are lost on the way."""

from __future__ import annotations

import random

from adapters.loopback import Loopback
from connector.errors import TryLater, UnknownOutcome, VendorError
from connector.ports import AccessPoint, Goal, Kind, Proof, Run, Transmission

RUN = Run(Goal(Kind.INVOICE, "send", "m", {}), {})
LOST = ("no-answer", "no-answer-before", "500-after", "500-before", "garbled")


async def insist(point: AccessPoint, what: Transmission) -> Proof:
    """Call step after step, and after every lost answer look twice before anything is called again."""
    looks, proofs = 0, dict[str, Proof]()
    for _ in range(60):
        step = point.flow(what)[len(proofs)]  # as after a restart
        assert step.look is not None
        run = Run(RUN.goal, dict(proofs))
        try:
            found = await step.look(run) if looks else [await step.call(run)]
            if not found:
                looks -= 1
                continue
            (proofs[step.name],), looks = found, 0
            if len(proofs) == len(point.flow(what)):
                return proofs[step.name]
        except UnknownOutcome:
            looks = 2
        except TryLater:
            pass
        except VendorError as exc:  # what a look was answered cannot be read
            if exc.code != "vendor-answer":
                raise
    raise AssertionError("it does not come to an end")


def mischief(box: Loopback, seed: int, calls: str, reads: str = "^never") -> None:
    """From none to three of the next calls like these are lost in some way; some reads do not see yet what was sent."""
    dice = random.Random(seed)
    box.faults.active.clear()
    for _ in range(dice.randrange(4)):
        box.fault(calls, dice.choice(LOST), after=dice.randrange(2))
    box.fault(reads, "stale", count=1 + dice.randrange(6))
