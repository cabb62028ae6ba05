"""A small Peppol in memory: what was sent and what becomes of it with time, and what has come for the companies here.

Nothing runs in the background: when something is sent its whole story is written down, with the moments at which it
becomes so, and whoever asks is told what is so by now. The desk writes another end (`Network.become`), or has one ready
before the thing is sent (`Plan`).
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from adapters.access_points.sandbox import papers
from adapters.access_points.sandbox.papers import Papers

State = Literal["accepted", "sending", "waiting", "sent", "delivered", "refused", "failed"]
"""`accepted` and nothing done yet; `sending` now; `waiting` after an attempt that failed, for the next one; `sent`: the
receiver's access point has it; `delivered`, `refused`: what that one says later; `failed`: no attempt will be made any
more.
"""
END = frozenset({"sent", "delivered", "refused", "failed", "rejected"})
"""What a plan may end with; `rejected`: the access point itself does not take it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that things take.

    Args:
        sending: from taking a document to the first attempt.
        sent: what an attempt takes, until the receipt.
        delivered: from the receipt to what the receiver's access point says; None: it says nothing, as most do.
        retry: from an attempt that failed to the next one; doubled each time.
        attempts: after how many of them it gives up.
    """

    sending: float = 0.0
    sent: float = 0.0
    delivered: float | None = None
    retry: float = 0.2
    attempts: int = 5


@dataclass(slots=True)
class Plan:
    """What becomes of documents that are not sent yet.

    Args:
        number, receiver: which ones; None: any.
        failures: how many attempts fail before one succeeds.
        end: see `END`; None: as the pace has it.
        reason, code: why an attempt fails, it is refused, or given up.
        count: how many documents it is for.
    """

    number: str | None = None
    receiver: str | None = None
    failures: int = 0
    end: str | None = None
    reason: str = "The receiver's access point did not answer."
    code: str | None = None
    count: int = 1

    def __post_init__(self) -> None:
        if self.end is not None and self.end not in END:
            raise ValueError(f"Nothing ends with {self.end!r}; there are {', '.join(sorted(END))}.")

    def fits(self, number: str | None, receiver: str) -> bool:
        """Whether it is for this document."""
        return self.number in (None, number) and self.receiver in (None, receiver)


@dataclass(frozen=True, slots=True)
class Moment:
    """From when on something is so, and why."""

    at: datetime
    state: State
    reason: str | None = None
    code: str | None = None


@dataclass(slots=True)
class Transmission:
    """One document that was sent, as the company's access point knows it.

    `id` is the access point's own. `body`: the bytes as they were given to it; `papers`: from whom to whom, and what.
    `said`: what else the caller gave, for the stand-in to keep.
    """

    id: str
    papers: Papers
    body: bytes = field(repr=False)
    story: list[Moment]
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def instance(self) -> str:
        """The envelope's InstanceIdentifier."""
        return self.papers.instance

    @property
    def number(self) -> str | None:
        """The document's own number."""
        return self.papers.number

    @property
    def created(self) -> datetime:
        """When it was taken."""
        return self.story[0].at

    def now(self, at: datetime | None = None) -> Moment:
        """What is so by now."""
        return self.past(at)[-1]

    def past(self, at: datetime | None = None) -> list[Moment]:
        """What has been so far."""
        until = at or _now()
        return [moment for moment in self.story if moment.at <= until]

    def next(self, state: State) -> Moment | None:
        """When it will be so next, if that is known."""
        now = _now()
        return next((moment for moment in self.story if moment.at > now and moment.state == state), None)

    def attempts(self) -> int:
        """How often it was tried so far."""
        return sum(moment.state == "sending" for moment in self.past())

    def arrived(self) -> Moment | None:
        """When the receiver got it, if it did."""
        return next((moment for moment in self.past() if moment.state == "sent"), None)


@dataclass(slots=True)
class Incoming:
    """What somebody has sent to a company here. `body`: the bytes as they are handed over, in their envelope where it
    has one; `document`: without it. `handled`: the company has taken it.
    """

    id: str
    papers: Papers
    body: bytes = field(repr=False)
    document: bytes = field(repr=False)
    came: datetime
    handled: bool = False


class Rejected(Exception):
    """The access point itself does not take a document (`Plan.end`)."""


class Network:
    """Everything that was sent and everything that came; several stand-ins may share one."""

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.transmissions: list[Transmission] = []
        self.incoming: list[Incoming] = []
        self.plans: list[Plan] = []
        self.listeners: list[Callable[[Incoming], None]] = []
        """Told of everything that comes, at once."""

    # --- out ----------------------------------------------------------------------------------------------------------

    def send(self, body: bytes, given: Papers, **said: Any) -> Transmission:
        """Take a document. What the caller does not say stands on it; the same instance twice is two transmissions.

        Raises:
            Rejected: a plan has it so; nothing is kept.
        """
        found = _completed(given, papers.read(body))
        plan = self._plan(found.number, found.receiver)
        if plan.end == "rejected":
            raise Rejected(plan.reason)
        transmission = Transmission(_new_id(), found, body, self._story(plan), said)
        self.transmissions.append(transmission)
        return transmission

    def by_instance(self, instance: str, before: datetime | None = None) -> list[Transmission]:
        """What was sent under an instance (and taken until `before`)."""
        return [one for one in self.transmissions if one.instance == instance and (not before or one.created <= before)]

    def find(self, number: str | None = None, instance: str | None = None) -> Transmission:
        """The last one sent under a number or an instance. Raises LookupError."""
        for one in reversed(self.transmissions):
            if instance in (None, one.instance) and number in (None, one.number):
                return one
        raise LookupError(f"nothing was sent under {number or instance}")

    def become(
        self, transmission: Transmission, state: State, reason: str | None = None, code: str | None = None
    ) -> None:
        """From now on this is so, and nothing else follows by itself. What has arrived stays arrived."""
        if state not in get_args(State):
            raise ValueError(f"There is no state {state!r}; there are {', '.join(get_args(State))}.")
        story = transmission.past()
        now = max(_now(), story[-1].at)
        if state in {"delivered", "refused"} and not any(moment.state == "sent" for moment in story):
            story += [Moment(now, "sending"), Moment(now, "sent")]
        transmission.story = [*story, Moment(now, state, reason, code)]

    def arrived(self) -> Counter[str]:
        """How often each document has arrived at its receiver, by its number (by its instance where it has none)."""
        return Counter(one.number or one.instance for one in self.transmissions if one.arrived())

    def _plan(self, number: str | None, receiver: str) -> Plan:
        for plan in self.plans:
            if plan.fits(number, receiver):
                plan.count -= 1
                if not plan.count:
                    self.plans.remove(plan)
                return plan
        return Plan()

    def _story(self, plan: Plan) -> list[Moment]:
        pace, at = self.pace, _now()
        story = [Moment(at, "accepted")]
        at += timedelta(seconds=pace.sending)
        failures = pace.attempts if plan.end == "failed" else min(plan.failures, pace.attempts)
        for attempt in range(failures + 1):
            story.append(Moment(at, "sending"))
            at += timedelta(seconds=pace.sent)
            if attempt == failures:
                break
            if attempt + 1 == pace.attempts:
                return [*story, Moment(at, "failed", plan.reason, plan.code)]
            story.append(Moment(at, "waiting", plan.reason, plan.code))
            at += timedelta(seconds=pace.retry * 2**attempt)
        story.append(Moment(at, "sent"))
        end = plan.end or ("sent" if pace.delivered is None else "delivered")
        at += timedelta(seconds=pace.delivered or 0.0)
        if end == "delivered":
            story.append(Moment(at, "delivered", None, plan.code))
        elif end == "refused":
            story.append(Moment(at, "refused", plan.reason, plan.code))
        return story

    # --- in -----------------------------------------------------------------------------------------------------------

    def come(
        self, body: bytes, *, sender: str = "", receiver: str = "", instance: str = "", times: int = 1
    ) -> list[Incoming]:
        """A document comes for a company: in the envelope it has, else in one that is made from what it says. `times`:
        the network delivers it so often, each time under another id of the access point's. What is no XML is handed
        over as it is.
        """
        found = _completed(Papers(sender=sender, receiver=receiver, instance=instance), papers.read(body))
        if found.root and not found.enveloped:
            whole, document = papers.enveloped(body, found), body
        else:
            whole, document = body, papers.inside(body)
        came = [Incoming(_new_id(), found, whole, document, _now()) for _ in range(times)]
        self.incoming += came
        for one in came:
            for listener in self.listeners:
                listener(one)
        return came

    def answer(self, transmission: Transmission, body: bytes) -> list[Incoming]:
        """The receiver of a document answers its sender; what, the caller says."""
        return self.come(body, sender=transmission.papers.receiver, receiver=transmission.papers.sender)

    def waiting(self, receivers: Iterable[str] | None = None) -> list[Incoming]:
        """What has come and was not taken yet, oldest first."""
        wanted = None if receivers is None else {one.lower() for one in receivers}
        return [
            one for one in self.incoming if not one.handled and (not wanted or one.papers.receiver.lower() in wanted)
        ]


def _completed(given: Papers, read: Papers) -> Papers:
    """What the caller says, and what stands on the document where it says nothing."""
    names = ("sender", "receiver", "document_type", "process", "country", "instance")
    said = {name: getattr(given, name) or getattr(read, name) for name in names}
    return replace(read, **{**said, "instance": said["instance"] or _new_id()})


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> datetime:
    return datetime.now(UTC)
