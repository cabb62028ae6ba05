"""Once: whatever happens to any call of any flow, a command takes effect exactly once, or a person is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from connector.testing.bench import Bench, Failing
from connector.testing.check import Check, Make, able
from connector.testing.proxy import FAILED, LOST, UNSENT, Call, Fate, busy, slow
from connector.testing.stories import STORIES, Story, books, ends
from connector.testing.trial import Trial, trial

MOST = 100
"""No flow has so many calls."""
TOLD = 0.95
"""Seconds of the second after which `Bench.busy` lets it come back."""
WAITS = 3.0
"""Seconds that a slow answer comes after the last moment anybody waits for it."""


async def struck(
    make: Make,
    story: Story,
    fate_of: Callable[[Bench], Fate],
    strikes: Callable[[Call], bool] = lambda call: True,
    also: Callable[[Trial], None] = lambda it: None,
) -> None:
    """Try a story once for each of its calls that a fate strikes, in new books each time.

    Args:
        strikes: which calls it strikes.
        also: what else must hold when the story has ended.
    """
    for number in range(MOST):
        async with trial(make, story.issues) as it:
            able(it, story)
            await story.prepare(it)
            before = await books(it, story)
            it.proxy.mark()
            it.proxy.fate = _nth(number, fate_of(it.bench), strikes)
            operation = await story.act(it)
            try:
                await ends(it, story, operation, before)
                hit = next((call for call in it.proxy.since if call.fate), None)
                if hit is None:
                    break
                also(it)
            except Failing as failing:
                calls = [f"{call}{f' ({call.fate})' if call.fate else ''}" for call in it.proxy.since]
                raise Failing(f"{failing} Calls: {'; '.join(calls)}.") from failing
    if number == 0:
        raise Failing("It is done, and no call was made.")


def _nth(number: int, fate: Fate, strikes: Callable[[Call], bool]) -> Callable[[int, Call], Fate | None]:
    left = [number]

    def of(_: int, call: Call) -> Fate | None:
        if not strikes(call):
            return None
        left[0] -= 1
        return fate if left[0] == -1 else None

    return of


def _struck(it: Trial) -> tuple[Call, list[Call]]:
    """The call that met its fate, and those after it."""
    calls = it.proxy.since
    at = next(n for n, call in enumerate(calls) if call.fate)
    return calls[at], calls[at + 1 :]


def _waited(it: Trial) -> None:
    """Raises `Failing` where anything is called before the vendor said that it may: a lane waits as a whole."""
    first, following = _struck(it)
    told = first.answered or first.at
    again = next((call for call in following if call.at > told), None)
    if again is not None and (waited := again.at - told) < TOLD:
        raise Failing(f"{again} was made {waited:.2f} s after {first} was told to wait a second.")


def _gave_up(it: Trial) -> None:
    """Raises `Failing` where somebody waited longer for an answer than a step may take."""
    first, following = _struck(it)
    if following and (waited := following[0].at - first.at) > it.bench.patience + WAITS:
        raise Failing(f"{first} was waited for {waited:.2f} s, and no step may take longer than {it.bench.patience:g}.")


async def _lost(make: Make, story: Story) -> None:
    await struck(make, story, lambda bench: LOST)


async def _failed(make: Make, story: Story) -> None:
    await struck(make, story, lambda bench: FAILED, lambda call: call.writes)


async def _unsent(make: Make, story: Story) -> None:
    await struck(make, story, lambda bench: UNSENT, lambda call: call.writes)


async def _too_many(make: Make, story: Story) -> None:
    await struck(make, story, lambda bench: busy(bench.busy), also=_waited)


async def _slow(make: Make, story: Story) -> None:
    late = lambda bench: slow(bench.patience + WAITS)  # noqa: E731
    await struck(make, story, late, lambda call: call.writes, _gave_up)


CHECKS = (
    *(Check(f"answer-lost-{story.name}", "Once, though the answer to any of its calls was lost.",
            partial(_lost, story=story)) for story in STORIES),
    *(Check(f"answered-500-{story.name}", "Once, though any of its writes was done and answered with 500.",
            partial(_failed, story=story)) for story in STORIES),
    *(Check(f"not-sent-{story.name}", "Once, though any of its writes never arrived.",
            partial(_unsent, story=story)) for story in STORIES),
    *(Check(f"too-many-{story.name}", "A 429 at any of its calls: it comes back when it was told to, and ends well.",
            partial(_too_many, story=story)) for story in STORIES),
    *(Check(f"slow-{story.name}", "No answer in time to any of its writes: it looks, and ends well.",
            partial(_slow, story=story)) for story in STORIES),
)  # fmt: skip
