"""Our fields as docs/mapping.md lists them, made from the models: `python -m connector.mapping` writes them there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import BaseModel

from connector.mapping.load import CANONICAL
from connector.mapping.paths import Slot, slots

BEGIN, END = "<!-- our fields: written by python -m connector.mapping -->", "<!-- end of our fields -->"
_WORDS = {"text": "", "integer": " (whole number)", "number": " (number)", "boolean": " (true or false)",
          "date": " (day)", "bytes": " (file)"}  # fmt: skip


def described() -> str:
    """A table of every kind and every object inside, with the paths that may stand in a mapping file."""
    kinds: dict[type[BaseModel], list[str]] = {}
    for kind, model in CANONICAL.items():
        kinds.setdefault(model, []).append(f"`{kind}`")
    inner: dict[str, type[BaseModel]] = {}
    for model in kinds:
        _objects(model, inner)
    rows = [(", ".join(names), model) for model, names in kinds.items()]
    rows += [(f"*{name}*", inner[name]) for name in sorted(inner)]
    lines = [f"| {name} | {', '.join(_paths(model))} |" for name, model in rows]
    return "\n".join([BEGIN, "", "| Kind, or *object* | Its fields |", "| --- | --- |", *lines, "", END])


@dataclass(frozen=True, slots=True)
class Place:
    """One path that may stand in a mapping file: what it holds, and what is asked of it.

    `path` of an item of a list begins with the list and `[]`: such a field stands in a line of `each`.
    """

    path: str
    holds: str
    required: bool
    read_only: bool
    choices: tuple[str, ...] = ()


def places(model: type[BaseModel], below: str = "", seen: tuple[type, ...] = ()) -> Iterator[Place]:
    """Every path of a model in its order, an object's fields after it; a model inside itself is not opened again."""
    for name, slot in slots(model).items():
        path = below + name
        choices = tuple(sorted(map(str, slot.choices or ())))
        yield Place(path, _holds(slot), slot.required, slot.read_only, choices)
        if slot.model is not None and slot.model not in (*seen, model):
            inner = path + ("[]." if slot.form == "list" else ".")
            for place in places(slot.model, inner, (*seen, model)):
                yield replace(place, read_only=True) if slot.read_only else place


def _holds(slot: Slot) -> str:
    if slot.form == "list":
        return "list" if slot.item is None or slot.model is not None else f"list of {_NAMES.get(slot.item, slot.item)}"
    return _NAMES.get(slot.form, slot.form)


_NAMES = {"text": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "date": "day",
          "datetime": "time", "bytes": "file", "any": "anything"}  # fmt: skip


def written_into(text: str) -> str:
    """A page with the table in its place."""
    above, _, rest = text.partition(BEGIN)
    return above + described() + rest.partition(END)[2]


def _objects(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> None:
    for slot in slots(model).values():
        if slot.model is not None and slot.model.__name__ not in found:
            found[slot.model.__name__] = slot.model
            _objects(slot.model, found)


def _paths(model: type[BaseModel]) -> Iterator[str]:
    for name, slot in slots(model).items():
        yield f"`{name}`{_form(slot)}"


def _form(slot: Slot) -> str:
    what = f" (*{slot.model.__name__}*)" if slot.model else _WORDS.get(slot.item or slot.form, "")
    return (
        what.replace("(", "(list of ") if slot.form == "list" and what else " (list)" if slot.form == "list" else what
    )
