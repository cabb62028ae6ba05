"""Lenses of one's own for mapping files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

LensForm = Literal["text", "integer", "number", "boolean", "date"]
"""What a value is: `str`, `int`, `Decimal`, `bool`, `date` (on the vendor's side ISO text)."""


class LensPlugin(Protocol):
    """What an entry point of the group `connector.lenses` names: a lens of one's own for mapping files (`lens: NAME`).

    Both functions are pure and undo each other; `connector mappings check` tries that on the samples. A value that
    cannot go through raises `ValueError` with words for a person; nothing is replaced by a guess.
    """

    title: str
    """What it does, in words."""
    ours: LensForm
    theirs: LensForm
    our_samples: Sequence[Any]
    """Values of ours, odd ones among them; at least one."""
    their_samples: Sequence[Any]
    """Values as a record has them; at least one."""

    def out(self, value: Any) -> Any:
        """Our value as the vendor writes it."""

    def into(self, value: Any) -> Any:
        """The vendor's value as ours."""
