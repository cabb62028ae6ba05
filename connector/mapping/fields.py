"""Our fields as docs/mapping.md lists them, made from the models: `python -m connector.mapping` writes them there."""

from __future__ import annotations

from collections.abc import Iterator

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
