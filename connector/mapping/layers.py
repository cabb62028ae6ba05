"""Layers put on each other: what holds in the end, and which line of which file said it.

System (on the shared tables it uses), office, tenant: each changes lines of the one below. A line of an upper layer
changes the keys it names and leaves the rest of the line as it is; `null` takes a line, a row or a key away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.errors import ConnectorError
from connector.mapping import files, reading
from connector.mapping.format import Content, Line, MappingFile, Row, Shape, Table
from connector.mapping.problems import Problem, did_you_mean
from connector.mapping.reading import Read
from connector.mapping.source import Key, Source
from connector.model import json

SETTINGS = ("owner", "amendable", "creates", "deactivated", "deleted", "deleted_at_most", "changed_at_most")
"""What a kind says as a whole."""

FORMAT = "1"
"""Part of every version: raised when the same lines begin to mean something else."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was said."""

    layer: str
    file: str
    line: int
    source: Source | None = field(default=None, compare=False, repr=False)
    place: Key = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.layer})"

    def inside(self, *key: str | int) -> Origin:
        """Where a part of it stands; it itself where the part has no line of its own."""
        if self.source is None:
            return self
        place = (*self.place, *key)
        return Origin(self.layer, self.file, self.source.line(place), self.source, place)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's content for one system. `below`: place of that content in its file."""

    name: str
    content: Content
    source: Source
    at: Key = ()

    def origin(self, *key: str | int) -> Origin:
        """Where a place of the content stands."""
        place = (*self.at, *key)
        return Origin(self.name, self.source.file, self.source.line(place), self.source, place)


@dataclass(slots=True)
class Said:
    """A line or refusal as it holds: its keys, where it was first written, where each key was."""

    values: dict[str, Any]
    origin: Origin
    keys: dict[str, Origin] = field(default_factory=dict)
    changed: list[Origin] = field(default_factory=list)
    """Where upper layers changed it, lowest first."""

    def where(self, key: str) -> Origin:
        """Where this key was said."""
        return self.keys.get(key, self.origin)


@dataclass(slots=True)
class Merged:
    """Lines, refusals and losses of a kind or of a list's items, as they hold."""

    origin: Origin
    fields: dict[str, Said] = field(default_factory=dict)
    refuse: dict[str, Said] = field(default_factory=dict)
    loses: dict[str, Said] = field(default_factory=dict)
    matching: dict[str, Said] = field(default_factory=dict)
    dimensions: dict[str, Said] = field(default_factory=dict)
    settings: dict[str, Said] = field(default_factory=dict)
    removed: dict[str, Origin] = field(default_factory=dict)
    """Lines that an upper layer took away, and where."""
    unfilled: dict[str, Origin] = field(default_factory=dict)
    """Fields of theirs that those lines carried."""


@dataclass(slots=True)
class MergedTable:
    """A table as it holds, with the origin of each row."""

    origin: Origin
    only: str | None = None
    title: str | None = None
    rows: dict[tuple[Any, ...], tuple[Row, Origin]] = field(default_factory=dict)


@dataclass(slots=True)
class Stack:
    """All layers on each other."""

    system: str
    layers: Sequence[Layer]
    tables: dict[str, MergedTable] = field(default_factory=dict)
    kinds: dict[str, Merged] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def version(self) -> str:
        """Content hash of what holds, 16 hex digits: comments and the way of writing do not change it."""
        tables = {
            name: [table.only, [[row.ours, row.theirs, row.only] for row, _ in table.rows.values()]]
            for name, table in self.tables.items()
        }
        kinds = {name: _plain(kind) for name, kind in self.kinds.items()}
        text = json.dumps([FORMAT, self.system, tables, kinds], canonical=True)
        return hashlib.sha256(text).hexdigest()[:16]


def _plain(merged: Merged) -> Any:
    lines = [
        [name, {k: _plain(v) if isinstance(v, Merged) else v for k, v in said.values.items() if k != "note"}]
        for name, said in merged.fields.items()
    ]
    rest = [
        {name: said.values for name, said in part.items()}
        for part in (merged.refuse, merged.loses, merged.settings, merged.matching, merged.dimensions)
    ]
    return [lines, rest]


Find = Callable[[str, str], Path]
"""Where the file of a layer (shared, system, office, tenant) and name is; `files.find` unless told."""


def shared_layers(content: MappingFile, source: Source, find: Find = files.find) -> tuple[list[Layer], list[Problem]]:
    """The shared files that a system's file stands on; one that is not there is a problem of the line that names it."""
    layers: list[Layer] = []
    problems: list[Problem] = []
    for name in content.uses or ():
        try:
            found, wrong = reading.shared_file(find("shared", name))
        except ConnectorError as error:
            line = source.line(("uses",))
            problems.append(Problem(error.code, error.said, source.file, line, error.do))
            continue
        problems += wrong
        if found is not None and not found.damaged:
            layers.append(Layer("shared", Content(tables=found.content.tables), found.source))
    return layers, problems


def system_layers(system: str, office: str | None = None, find: Find = files.find) -> tuple[list[Layer], list[Problem]]:
    """A system's file on what it uses, and an office's standard with all it stands on; a circle is a problem."""
    below, problems = _file("system", system, system, find)
    if below is None:
        return [], problems
    shared, problems = shared_layers(below.content, below.source, find)
    if problems:
        return [], problems
    layers: list[Layer] = []
    seen: list[str] = []
    while office is not None:
        if office in seen:
            top = layers[-1]
            said = f"The offices stand on each other in a circle: {' → '.join([*seen, office])}."
            return [], [Problem("layers-circle", said, top.source.file, top.source.line(("extends",)))]
        seen.append(office)
        found, problems = _file("office", office, system, find)
        if found is None:
            return [], problems
        layers.append(Layer("office", found.content, found.source))
        office = found.content.extends
    return [*shared, Layer("system", below.content, below.source), *reversed(layers)], []


def _file(layer: str, name: str, system: str, find: Find) -> tuple[Read[MappingFile] | None, list[Problem]]:
    """A file that is whole, of this layer and for this system; else what is wrong with it."""
    found, problems = reading.mapping_file(find(layer, name))
    if found is None or found.damaged:
        return None, problems
    said = found.content
    if (said.layer, said.system, said.office or system) != (layer, system, name if layer == "office" else system):
        whose = f"{said.layer} {said.office}" if said.office else said.layer
        words = f"The file is of layer {whose} for `{said.system}`, not of layer {layer} {name} for `{system}`."
        return None, [Problem("layer-wrong", words, found.source.file, found.source.line(("layer",)))]
    return found, problems


def merge(system: str, layers: Sequence[Layer]) -> Stack:
    """What holds when these layers, lowest first, are put on each other."""
    stack = Stack(system, layers)
    for number, layer in enumerate(layers):
        for name, table in layer.content.tables.items():
            _table(stack, layer, name, table, upper=number > 0)
        for name, kind in layer.content.kinds.items():
            key: Key = ("kinds", name)
            if kind is None:
                if stack.kinds.pop(name, None) is None:
                    _nothing_to_take(stack, layer, key, name, stack.kinds)
                continue
            merged = stack.kinds.setdefault(name, Merged(layer.origin(*key)))
            _shape(stack, layer, key, merged, kind, upper=number > 0)
            for setting in SETTINGS:
                value = getattr(kind, setting)
                if value is not None:
                    merged.settings[setting] = Said({setting: value}, layer.origin(*key, setting))
    return stack


def _shape(stack: Stack, layer: Layer, key: Key, merged: Merged, shape: Shape, *, upper: bool) -> None:
    for name, line in shape.fields.items():
        place: Key = (*key, "fields", name)
        if line is None:
            gone = merged.fields.pop(name, None)
            if gone is None:
                _nothing_to_take(stack, layer, place, name, merged.fields)
            merged.removed[name] = layer.origin(*place)
            merged.unfilled |= dict.fromkeys((gone.values.get("theirs") or ()) if gone else (), layer.origin(*place))
            continue
        _line(stack, layer, place, merged, name, line, upper=upper)
    for part in ("refuse", "loses", "matching", "dimensions"):
        held: dict[str, Said] = getattr(merged, part)
        for name, said in getattr(shape, part, {}).items():
            place = (*key, part, name)
            if said is None:
                if held.pop(name, None) is None:
                    _nothing_to_take(stack, layer, place, name, held)
                continue
            values = {"why": said} if isinstance(said, str) else said.model_dump(exclude={"note"})
            held[name] = Said(values, layer.origin(*place))


def _line(stack: Stack, layer: Layer, place: Key, merged: Merged, name: str, line: Line, *, upper: bool) -> None:
    given = {key: getattr(line, key) for key in line.model_fields_set}
    each = given.pop("each", None)
    origin = layer.origin(*place)
    said = merged.fields.get(name)
    if said is None:
        said = merged.fields[name] = Said({}, origin)
    else:
        said.changed.append(origin)
    if (
        said.changed
        and upper
        and each is None
        and all(_dumped(value) == said.values.get(key) for key, value in given.items())
    ):
        words = f"`{name}` says what the layer below says already (line {said.origin.line} of {said.origin.file})."
        stack.problems.append(
            Problem("copies-below", words, origin.file, origin.line, "Take the line away.", severity="warning")
        )
    for key, value in given.items():
        if value is None:
            said.values.pop(key, None)
        else:
            said.values[key] = _dumped(value)
        said.keys[key] = layer.origin(*place, key)
    if each is not None:
        inner = said.values.setdefault("each", Merged(layer.origin(*place, "each")))
        said.keys.setdefault("each", layer.origin(*place, "each"))
        _shape(stack, layer, (*place, "each"), inner, each, upper=upper)
    elif line.each is None and "each" in line.model_fields_set:
        said.values.pop("each", None)


def _dumped(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else value


def _table(stack: Stack, layer: Layer, name: str, table: Table | None, *, upper: bool) -> None:
    key: Key = ("tables", name)
    if table is None:
        if stack.tables.pop(name, None) is None:
            _nothing_to_take(stack, layer, key, name, stack.tables)
        return
    merged = stack.tables.setdefault(name, MergedTable(layer.origin(*key)))
    merged.only = table.only if table.only or not upper else merged.only
    merged.title = table.title or merged.title
    own: dict[tuple[Any, ...], Origin] = {}
    for number, row in enumerate(table.rows):
        # A table that is only read is known by their codes: several of them may mean the same.
        reads = merged.only == "in" and row.theirs != [None]
        code = row_key((reads and row.theirs) or row.ours)
        short = (*layer.at, *key, "rows", str(row.ours[0]))
        origin = layer.origin(*key, "rows", str(row.ours[0]) if short in layer.source.lines else number)
        if code in own:
            twice = shown_code((reads and row.theirs) or row.ours)
            said = f"The table `{name}` has two values for {twice}; the first is on line {own[code].line}."
            stack.problems.append(Problem("table-two-values", said, origin.file, origin.line, "Keep one of them."))
            continue
        own[code] = origin
        if row.theirs is None or row.theirs == [None]:
            if merged.rows.pop(code, None) is None:
                said = f"The table `{name}` has no row {shown_code(row.ours)} below to take away."
                stack.problems.append(Problem("nothing-to-take-away", said, origin.file, origin.line))
            continue
        merged.rows[code] = (row, origin)


def row_key(codes: Sequence[Any]) -> tuple[Any, ...]:
    """What makes two rows of a table the same row: 25 and 25.00 are one rate, 3 and "3" one code."""
    return tuple(None if code is None else _one_key(code) for code in codes)


def _one_key(code: Any) -> str:
    return format(code.normalize(), "f") if isinstance(code, Decimal) else str(code)


def shown_code(codes: Sequence[Any]) -> str:
    """A code, or the parts of one, as people read it."""
    return ", ".join("(none)" if code is None else f'"{code}"' for code in codes)


def _nothing_to_take(stack: Stack, layer: Layer, place: Key, name: str, known: Mapping[str, Any]) -> None:
    origin = layer.origin(*place)
    said = f"There is no `{name}` below to take away."
    stack.problems.append(
        Problem("nothing-to-take-away", said, origin.file, origin.line, did_you_mean(name, known.keys()))
    )
