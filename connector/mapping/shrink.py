"""The smallest document that still shows what is wrong: a person sees the cause, not an invoice of three pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Data = Mapping[str, Any]
MOST = 2_000
"""Tries after which the smallest so far will do."""


def smallest(document: Data, shows: Callable[[Data], bool]) -> dict[str, Any]:
    """The document with every part left out that is not needed to show it.

    Args:
        document: plain data for which `shows` holds.
        shows: whether a smaller document shows the same; what it raises counts as no.
    """
    tries = 0
    bare: dict[str, Any] = _bare(document)
    here = bare if _safely(shows, bare) else dict(document)
    smaller = True
    while smaller and tries < MOST:
        smaller = False
        for candidate in _smaller(here):
            tries += 1
            if tries >= MOST:
                break
            if _safely(shows, candidate):
                here, smaller = candidate, True
                break
    return here


def _safely(shows: Callable[[Data], bool], candidate: Data) -> bool:
    try:
        return shows(candidate)
    except Exception:
        return False


def _smaller(value: Any) -> Iterator[Any]:
    """The value with one part left out, large parts first; and parts that are made smaller themselves."""
    if isinstance(value, Mapping):
        for name in value:
            yield {other: inner for other, inner in value.items() if other != name}
        for name, inner in value.items():
            for less in _smaller(inner):
                yield {**value, name: less}
    elif isinstance(value, list | tuple):
        made = type(value)
        for number in range(len(value)):
            yield made([*value[:number], *value[number + 1 :]])
        for number, item in enumerate(value):
            for less in _smaller(item):
                yield made([*value[:number], less, *value[number + 1 :]])


def _bare(value: Any) -> Any:
    """Without what says nothing."""
    if isinstance(value, Mapping):
        held = {name: _bare(inner) for name, inner in value.items()}
        return {name: inner for name, inner in held.items() if inner is not None and inner not in ((), {}, [])}
    return type(value)(_bare(item) for item in value) if isinstance(value, list | tuple) else value
