"""The values of a block, and small questions about one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final, TypeVar

T = TypeVar("T")

Values = Sequence["str | None"]
"""Texts of the elements of a block as they stand, in document order, then the attributes that have a place."""

BLANKS: Final = " \t\r\n"
"""What XPath's normalize-space() calls white space; a no-break space is none."""


def is_blank(text: str | None) -> bool:
    """Whether `normalize-space(text) = ''`."""
    return text is None or not text.strip(BLANKS)


def strip(text: str | None) -> str:
    """The text without white space around it, as `normalize-space` for one token; '' for None."""
    return text.strip(BLANKS) if text else ""


def too_fine(text: str | None) -> bool:
    """`string-length(substring-after(., '.')) > 2`: more than two characters after the point, zeros and blanks too."""
    return text is not None and "." in text[:-3]


def getter(places: Sequence[int]) -> Callable[[Sequence[T]], tuple[T, ...]]:
    """A function that picks those places out of a list, as a tuple."""
    if not places:
        return lambda v: ()
    if len(places) == 1:
        only = places[0]
        return lambda v: (v[only],)
    return itemgetter(*places)


def picker(places: Sequence[int | None]) -> Callable[[Values], tuple[str | None, ...]]:
    """As `getter`, with None for a place that is None."""
    there = [place for place in places if place is not None]
    if len(there) == len(places):
        return getter(there)
    return lambda v: tuple(None if place is None else v[place] for place in places)
