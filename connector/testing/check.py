"""A check: one promise, tried on new books. It knows nothing of pytest."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from connector.testing.bench import Bench, NotApplicable
from connector.testing.stories import Story, needed
from connector.testing.trial import Trial

Make = Callable[[], Bench]
"""Makes a bench that is not started yet; a class will do."""


@dataclass(frozen=True, slots=True)
class Check:
    """`run` raises `Failing` where the promise is not kept, `NotApplicable` where the system has nothing of the kind.

    `name`: lower case, with hyphens; `promise`: a sentence for a person.
    """

    name: str
    promise: str
    run: Callable[[Make], Coroutine[Any, Any, None]]


def able(it: Trial, story: Story) -> None:
    """Raises `NotApplicable` where the system does not say that it can do what a story is about."""
    if story.leaves_credit and not it.bench.keeps_credit:
        raise NotApplicable("its ledger keeps no credit of customers (`keeps_credit`)")
    capabilities = it.accounting.capabilities
    if lacking := [*([] if story.told(capabilities) else [needed(story)]), *story.lacks(capabilities)]:
        raise NotApplicable(f"its capabilities have no {', no '.join(lacking)}")
