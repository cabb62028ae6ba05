"""Examples in mapping files: a document and the record it becomes, tried in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from connector.errors import ConnectorError, Stop
from connector.mapping import lenses, paths
from connector.mapping.format import Example, Linked
from connector.mapping.laws import Break, creating_is_updating, reading_gives_back, writing_changes_nothing
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.mapper import Mapper
from connector.mapping.paths import Slot
from connector.mapping.problems import Problem, did_you_mean
from connector.mapping.shrink import smallest
from connector.mapping.source import Key, Source
from connector.model import json


class Links:
    """A context made of the links an example, a preview or a test takes for granted."""

    def __init__(self, links: list[Linked]) -> None:
        self._links = links

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """The vendor's id; of an object it is enough that the fields the link names are the same."""
        for link in self._links:
            if link.kind == kind and _meant(link.ours, ours):
                return str(link.theirs)
        if any(_meant(link.ours, ours) for link in self._links):
            return None  # it is linked as another kind
        raise _unlinked(f"There is no link for {kind} {ours!r:.60}.", kind)

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """Our value as the link has it."""
        for link in self._links:
            if link.kind == kind and str(link.theirs) == vendor_id:
                return link.ours
        raise _unlinked(f"Nothing is linked to the vendor's {kind} {vendor_id}.", kind)


def _unlinked(said: str, kind: str) -> Stop:
    return Stop(said, code="link-missing", do=f"Add it to `links` of the example: kind {kind}, ours, theirs.")


def _meant(said: Any, value: Any) -> bool:
    if isinstance(said, Mapping) and isinstance(value, Mapping):
        return all(_meant(inner, value.get(key)) for key, inner in said.items())
    return bool(str(said) == str(value))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an example went: `problems` is empty where it holds."""

    name: str
    file: str
    line: int
    problems: tuple[Problem, ...]


def run(mapping: SystemMapping, examples: list[Example], source: Source, at: Key) -> list[Outcome]:
    """Try each example; `at` is where the list stands in its file."""
    return [_one(mapping, example, source, (*at, number)) for number, example in enumerate(examples)]


def _one(mapping: SystemMapping, example: Example, source: Source, at: Key) -> Outcome:
    problems: list[Problem] = []
    line = source.line((*at, "name"))

    def problem(code: str, said: str, key: str = "name", do: str = "", inside: Key = ()) -> None:
        place = source.line((*at, key, *inside))
        problems.append(Problem(code, f"Example “{example.name}”: {said}", source.file, place, do))

    def outcome() -> Outcome:
        return Outcome(example.name, source.file, line, tuple(problems))

    if example.kind not in mapping:
        problem(
            "kind-unknown", f"there is no kind `{example.kind}`.", "kind", did_you_mean(example.kind, mapping.mappers)
        )
        return outcome()
    mapper = mapping[example.kind]
    shape, links = mapper.bound.shape, Links(example.links)
    sides: dict[str, Any] = {"ours": None, "theirs": None}
    for side, model in (("ours", shape.ours), ("theirs", shape.theirs)):
        said = getattr(example, side)
        try:
            sides[side] = typed(said, model, vendor=side == "theirs") if said is not None else None
        except lenses.Unfit as unfit:
            problem(unfit.code, unfit.said, side, unfit.do, unfit.at)
    if problems:
        return outcome()
    ours, theirs = sides["ours"], sides["theirs"]
    if (theirs if example.only == "in" else ours) is None:
        problem("example-empty", "there is nothing to try: `ours` (or with `only: in`, `theirs`) is missing.")
        return outcome()
    try:
        if ours is not None and example.only != "in":
            made = mapper.out(ours, links)
            if theirs is not None and _plain(made) != _plain(theirs):
                problem("example-differs", f"it becomes another record: {_difference(made, theirs)}.", "theirs")
        if theirs is not None and example.only == "in":
            read = mapper.into(theirs, links)
            if ours is not None and _plain(read) != _plain(ours):
                problem("example-differs", f"it is read as another document: {_difference(read, ours)}.", "ours")
        if problems:
            return outcome()
        if example.stops:
            problem("example-did-not-stop", f"it was to stop with {example.stops} and went through.", "stops")
            return outcome()
        for found in _laws(mapper, ours, theirs, links, example.only):
            problem("law-broken", f"{found}.{_least(mapper, ours, links, found)}")
    except ConnectorError as error:
        if example.stops != error.code:
            wanted = f" instead of {example.stops}" if example.stops else ""
            key = "stops" if example.stops else "name"
            problem("example-stopped", f"it stops with {error.code}{wanted}: {error.said}", key, error.do)
    return outcome()


def _laws(mapper: Mapper, ours: Any, theirs: Any, links: Links, only: str | None) -> list[Break | str]:
    found: list[Break | str] = []
    if ours is not None and only is None:
        found += reading_gives_back(mapper, ours, links)
        if not creating_is_updating(mapper, ours, links):
            found.append("the record made and the record changed differ")
    if theirs is not None and only is None:
        found += writing_changes_nothing(mapper, theirs, links)
    return found


def _least(mapper: Mapper, ours: Any, links: Links, found: Break | str) -> str:
    """The smallest part of our document that breaks the law in the same place, in words."""
    if ours is None or isinstance(found, str):
        return ""

    def shows(smaller: Any) -> bool:
        again = _laws(mapper, smaller, None, links, None)
        return any(isinstance(one, Break) and (one.law, one.sort) == (found.law, found.sort) for one in again)

    return f" The smallest that shows it: {json.dumps(smallest(ours, shows)).decode()}" if shows(ours) else ""


def typed(value: Any, model: type[BaseModel] | None, *, vendor: bool) -> Any:
    """Plain data of a file in the forms the model has: days, exact numbers, text. Raises `Unfit` with the place."""
    if not isinstance(value, Mapping) or model is None:
        raise lenses.Unfit("value-type", f"`{value!r:.60}` does not fit: an object is wanted.")
    known = paths.slots(model)
    made: dict[str, Any] = {}
    for name, inner in value.items():
        if name not in known:
            said = f"{model.__name__} has no field `{name}`."
            raise lenses.Unfit("path-unknown", said, did_you_mean(name, known), (name,))
        made[name] = _inside(name, inner, known[name], vendor=vendor)
    return made


def _inside(name: str | int, value: Any, slot: Slot, *, vendor: bool) -> Any:
    """A part of the data; what does not fit in it says where it is."""
    try:
        return _typed(value, slot, vendor=vendor)
    except lenses.Unfit as unfit:
        unfit.at = (name, *unfit.at)
        raise


def _typed(value: Any, slot: Slot, *, vendor: bool) -> Any:
    if value is None:
        return None
    if slot.form == "list":
        if not isinstance(value, list):
            raise lenses.Unfit("value-type", f"`{value!r:.60}` does not fit: a list is wanted.")
        inner = Slot(slot.item or "any", model=slot.model)
        items = [_inside(number, item, inner, vendor=vendor) for number, item in enumerate(value)]
        return items if vendor else tuple(items)
    if slot.model is not None:
        return typed(value, slot.model, vendor=vendor)
    return lenses.typed(value, slot, vendor=vendor)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _difference(made: Any, wanted: Any, where: str = "") -> str:
    """The first place where two pieces of plain data differ, in words."""
    if isinstance(made, Mapping) and isinstance(wanted, Mapping):
        for key in [*wanted, *(key for key in made if key not in wanted)]:
            if _plain(made.get(key)) != _plain(wanted.get(key)) or (key in made) != (key in wanted):
                return _difference(made.get(key), wanted.get(key), f"{where}.{key}" if where else key)
    if isinstance(made, list | tuple) and isinstance(wanted, list | tuple):
        if len(made) != len(wanted):
            return f"`{where}` has {len(made)} items, not {len(wanted)}"
        for number, (one, other) in enumerate(zip(made, wanted, strict=True)):
            if _plain(one) != _plain(other):
                return _difference(one, other, f"{where}[{number}]")
    return f"`{where}` is {made!r:.80}, not {wanted!r:.80}"
