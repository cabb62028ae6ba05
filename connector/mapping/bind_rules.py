"""The rules of a kind, bound to the models: what they name must be there, be comparable, and be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from connector.mapping.bound import BoundShape, Place, Side
from connector.mapping.layers import Merged, Origin
from connector.mapping.lenses import WORDS
from connector.mapping.match import CERTAINTIES, MatchRule
from connector.mapping.paths import Path, shown

if TYPE_CHECKING:
    from connector.mapping.bind import Binder

_COMPARED = ("text", "integer", "number", "date", "boolean", "any")


def matching(binder: Binder, merged: Merged, shape: BoundShape) -> tuple[MatchRule, ...]:
    """The matching rules of a kind, the surest first."""
    found = [
        rule for name, said in merged.matching.items() for rule in _rule(binder, name, said.values, said.origin, shape)
    ]
    return tuple(sorted(found, key=lambda rule: CERTAINTIES.index(rule.certainty)))


def _rule(binder: Binder, name: str, values: dict[str, Any], at: Origin, shape: BoundShape) -> Iterable[MatchRule]:
    theirs = values["theirs"]
    if theirs is not None and len(theirs) != len(values["by"]):
        said = f"The rule `{name}` compares {len(values['by'])} of our paths with {len(theirs)} of theirs."
        binder.problem("matching-uneven", said, at, "Name one of theirs for each of `by`.")
        return
    by = _places(binder, name, values["by"], shape.ours, "ours", at)
    there = None if theirs is None else _places(binder, name, theirs, shape.theirs, "theirs", at)
    against = _places(binder, name, values["unless_differs"] or (), shape.ours, "ours", at)
    wanted = len(values["by"]) + len(theirs or ()) + len(values["unless_differs"] or ())
    if len(by) + len(there or ()) + len(against) != wanted:
        return
    for path in (*(by if there is None else ()), *against):
        if not _is_read(path, shape):
            said = f"The rule `{name}` compares `{shown(path)}`, which no line reads: it would never match."
            do = "Add a line that reads it, or name with `theirs` the field that it is compared with."
            binder.problem("matching-unread", said, at, do)
    yield MatchRule(name, values["certainty"], by, there, against, at)


def _places(
    binder: Binder, name: str, texts: Sequence[str], model: type[BaseModel], side: Side, at: Origin
) -> tuple[Path, ...]:
    found: list[Place] = [place for text in texts if (place := binder.place(text, model, side, at))]
    for place in found:
        if place.slot.form not in _COMPARED:
            said = f"The rule `{name}` compares `{place}`, which is {WORDS[place.slot.form]}."
            binder.problem("matching-unfit", said, at, "Compare a single value inside it.")
    return tuple(place.path for place in found if place.slot.form in _COMPARED)


def _is_read(path: Path, shape: BoundShape) -> bool:
    return any(line.reads and place.path == path[: len(place.path)] for line in shape.lines for place in line.ours)
