"""Paths into documents and records, and what the models say about the place a path leads to.

    party.address.city                      a field of a field
    payment_means[only].payment_id          the one item of a list; a second item is a stop
    notes[first]                            the first item of a list; further ones are lost (and must be declared so)
    identifiers[scheme=0088].value          the item of a list whose field has this value

Other than by these selectors a path never leads into a list: lists are mapped with `each`.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from connector.mapping.problems import did_you_mean, near
from connector.options import MARK

_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[(only|first|([A-Za-z_][A-Za-z0-9_]*)=([^\[\]=]+))\])?")

_PICKS: dict[str | None, Literal["only", "first"]] = {"only": "only", "first": "first"}

Form = Literal["text", "integer", "number", "boolean", "date", "datetime", "bytes", "object", "list", "any"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: a field, and the item of it that is meant where it is a list."""

    name: str
    pick: Literal["only", "first"] | tuple[str, str] | None = None

    def __str__(self) -> str:
        if self.pick is None:
            return self.name
        return f"{self.name}[{self.pick}]" if isinstance(self.pick, str) else f"{self.name}[{'='.join(self.pick)}]"


Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """What a model says about one place.

    `required`: the model refuses an object without it. `nullable`: it may be empty. `choices`: all it takes.
    `read_only`: the vendor makes it itself, or what it lies in.
    `chooses`: the list of the ledger's that its value is one of (`connector.options.Choice`).
    `model`: of an object, or of the items of a list. `item`: form of a list's items.
    `of`: the model and the name of the field.
    """

    form: Form
    nullable: bool = True
    required: bool = False
    choices: frozenset[Any] | None = None
    model: type[BaseModel] | None = None
    item: Form | None = None
    read_only: bool = False
    chooses: str | None = None
    of: tuple[type[BaseModel], str] | None = None

    def refuses(self, value: Any) -> str:
        """Why the field does not take a value of its form (a currency that there is not, a number whose check digit is
        wrong); empty: it does, or nothing is known of it.
        """
        if self.of is None:
            return ""
        try:
            _validator(*self.of).validate_python(value)
        except ValidationError as error:
            return str(error.errors(include_url=False, include_input=False)[0]["msg"])
        return ""


class PathError(ValueError):
    """A path that leads nowhere: `code`, what is wrong, what helps, and the path that was probably meant."""

    def __init__(self, code: str, said: str, do: str = "", meant: str | None = None) -> None:
        super().__init__(said)
        self.code, self.said, self.do, self.meant = code, said, do, meant


def parse(text: str) -> Path:
    """The steps of a path. Raises `PathError` ("path-malformed")."""
    steps: list[Step] = []
    position = 0
    while True:
        found = _STEP.match(text, position)
        if not found:
            do = "A path is field names joined by dots; in a list: field[only], field[first] or field[name=value]."
            raise PathError("path-malformed", f"`{text}` is no path.", do)
        name, pick, key, value = found.groups()
        steps.append(Step(name, (key, value) if key else _PICKS.get(pick)))
        position = found.end()
        if position == len(text):
            return tuple(steps)
        if text[position] != ".":
            raise PathError("path-malformed", f"`{text}` is no path: something unexpected at `{text[position:]}`.")
        position += 1


def shown(path: Path) -> str:
    """The path as it is written in files."""
    return ".".join(map(str, path))


def without_picks(text: str) -> str:
    """A written path without its choices in lists: `payment_means[first].code` is of the field payment_means.code."""
    return _CHOICE.sub("", text)


def of_all_items(text: str) -> str:
    """What is said of the only or the first item as said of all: `allocations[only].amount` of allocations.amount."""
    return re.sub(r"\[(only|first)\]", "", text)


def through_lists(model: type[BaseModel], text: str) -> str:
    """A path with an item chosen where it leads through a list: for what speaks of all items (`allocations.amount`).

    What is no path, or leads nowhere, comes back as it is: whoever resolves it says so.
    """
    try:
        path = parse(text)
    except PathError:
        return text
    chosen: list[Step] = []
    inside: type[BaseModel] | None = model
    for number, step in enumerate(path, 1):
        slot = slots(inside).get(step.name) if inside is not None else None
        into = slot is not None and slot.form == "list" and step.pick is None and number < len(path)
        chosen.append(replace(step, pick="first") if into else step)
        inside = slot.model if slot is not None else None
    return shown(tuple(chosen))


_CHOICE = re.compile(r"\[[^\]]*\]")


def resolve(model: type[BaseModel], path: Path, side: str) -> Slot:
    """What the model has at this path. `side` names the model in messages.

    Raises:
        PathError: "path-unknown" with the near miss, "path-into-list" where a list needs a selector or `each`.
    """
    slot = Slot("object", nullable=False, model=model)
    walked = side
    for number, step in enumerate(path):
        if slot.form == "any":
            return slot
        if slot.form == "list":
            do = "Map the items with `each`, or choose one: [only], [first] or [field=value]."
            raise PathError("path-into-list", f"`{shown(path)}` leads into a list: {walked} holds many.", do)
        if slot.model is None:
            raise PathError("path-unknown", f"`{shown(path)}`: {walked} has no fields.")
        fields = slots(slot.model)
        if step.name not in fields:
            said = f"{walked} has no field `{step.name}`."
            deeper = None if number else _deeper(model, path)
            if deeper:
                raise PathError("path-unknown", said, f"Did you mean `{deeper}`?", deeper)
            guess = near(step.name, fields)
            meant = shown((*path[:number], Step(guess), *path[number + 1 :])) if guess else None
            raise PathError("path-unknown", said, did_you_mean(step.name, fields), meant)
        made = slot.read_only
        slot = fields[step.name]
        if made and not slot.read_only:
            slot = replace(slot, read_only=True)
        walked = f"{side} `{shown(path[: number + 1])}`"
        if step.pick is not None:
            if slot.form != "list":
                raise PathError("path-malformed", f"`{shown(path)}`: {walked} is no list to choose from.")
            if isinstance(step.pick, tuple) and (slot.model is None or step.pick[0] not in slots(slot.model)):
                known = slots(slot.model).keys() if slot.model else ()
                raise PathError(
                    "path-unknown", f"The items of {walked} have no field `{step.pick[0]}`.",
                    did_you_mean(step.pick[0], known),
                )  # fmt: skip
            slot = Slot(slot.item or "object", model=slot.model, read_only=slot.read_only)
    return slot


def _deeper(model: type[BaseModel], path: Path) -> str | None:
    """The same path below one of the objects here, where exactly one has such a field: `invoice.invoiceDate`."""
    found = []
    for name, slot in slots(model).items():
        if slot.form == "object" and slot.model is not None and path[0].name in slots(slot.model):
            found.append(shown((Step(name), *path)))
    return found[0] if len(found) == 1 else None


@cache
def slots(model: type[BaseModel]) -> Mapping[str, Slot]:
    """The fields of a model by their names on the wire (alias where there is one)."""
    found: dict[str, Slot] = {}
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        form, nullable, choices, inner, item = _read(info.annotation)
        found[info.alias or name] = Slot(
            form,
            nullable,
            info.is_required(),
            choices,
            inner,
            item,
            bool(extra.get("readOnly")),
            _listed(extra),
            (model, name),
        )
    return found


@cache
def _validator(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """What a field of a model takes."""
    info = model.model_fields[name]
    annotation: Any = info.annotation
    return TypeAdapter(Annotated[annotation, *info.metadata] if info.metadata else annotation)


def _listed(extra: Mapping[str, Any]) -> str | None:
    named = extra.get(MARK)
    return named if isinstance(named, str) else None


def _read(annotation: Any) -> tuple[Form, bool, frozenset[Any] | None, type[BaseModel] | None, Form | None]:
    """Form, nullable, choices, model and item form that an annotation says."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _read(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        nullable = type(None) in get_args(annotation)
        members = [_read(arg) for arg in get_args(annotation) if arg is not type(None)]
        forms = {member[0] for member in members}
        if len(forms) != 1:
            numbers: set[Form] = {"integer", "number"}
            return "number" if forms == numbers else "any", nullable, None, None, None
        choices = [member[2] for member in members]
        every = frozenset().union(*(c or () for c in choices)) if all(c is not None for c in choices) else None
        return members[0][0], nullable or any(m[1] for m in members), every, members[0][3], members[0][4]
    if origin is Literal:
        values = frozenset(get_args(annotation))
        return _plain(type(next(iter(values)))), None in values, values - {None}, None, None
    if origin in (list, tuple, Sequence, set, frozenset):
        inner = [arg for arg in get_args(annotation) if arg is not Ellipsis]
        form, _, _, model, _ = _read(inner[0]) if len(inner) == 1 else ("any", True, None, None, None)
        return "list", False, None, model, form
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return "object", False, None, annotation, None
        return _plain(annotation), False, None, None, None
    return "any", True, None, None, None


def _plain(kind: type) -> Form:
    if issubclass(kind, bool):
        return "boolean"
    for base, form in _FORMS.items():
        if issubclass(kind, base):
            return form
    return "any"


_FORMS: dict[type, Form] = {
    str: "text",
    int: "integer",
    Decimal: "number",
    datetime: "datetime",
    date: "date",
    bytes: "bytes",
}


def leaves(model: type[BaseModel], below: str = "", seen: tuple[type, ...] = ()) -> Iterator[str]:
    """Every field of a model that holds a value, as path; items of lists under the list's own name."""
    for name, slot in slots(model).items():
        path = f"{below}.{name}" if below else name
        if slot.model is None or slot.model in seen:
            yield path
        else:
            yield from leaves(slot.model, path, (*seen, model))


# --- reading and setting by path, where speed does not matter ---------------------------------------------------------


def get(data: Any, path: Path) -> Any:
    """The value at a path of plain data; None where there is none."""
    for step in path:
        data = data.get(step.name) if isinstance(data, Mapping) else None
        if step.pick is not None:
            data = next((item for item in data or () if _meant(item, step)), None)
    return data


def put(data: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy of plain data with the value at the path; objects and list items on the way are made where they lack."""
    step, rest = path[0], path[1:]
    copy = dict(data)
    if step.pick is None:
        copy[step.name] = put(copy.get(step.name) or {}, rest, value) if rest else value
        return copy
    items = list(copy.get(step.name) or ())
    place = next((number for number, item in enumerate(items) if _meant(item, step)), len(items))
    item = items[place] if place < len(items) else dict([step.pick]) if isinstance(step.pick, tuple) else {}
    items[place : place + 1] = [put(item, rest, value) if rest else value]
    copy[step.name] = tuple(items)
    return copy


def _meant(item: Any, step: Step) -> bool:
    if isinstance(step.pick, tuple):
        return isinstance(item, Mapping) and item.get(step.pick[0]) == step.pick[1]
    return True


def filled(value: Any) -> bool:
    """Whether there is a value: an empty text or list is none, nor is an object that has nothing else; 0 is one."""
    if isinstance(value, dict):
        for inner in value.values():  # noqa: SIM110 - asked of every line of an invoice; a generator takes twice as long
            if inner is not None and inner != () and filled(inner):
                return True
        return False
    return value is not None and value not in _EMPTY


_EMPTY: tuple[Any, ...] = ((), [], "")
