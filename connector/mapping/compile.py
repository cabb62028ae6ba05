"""Bound lines made into plain Python functions, once, at load.

For each kind three or four functions are written as Python source and compiled: `out` (our document to a record to be
made), `update` (the same with `null` for what is empty), `into` (a record to our fields) and `view` (a document's own
values of the fields that the mapping carries, flat). They do what one would write by hand: read a field, convert it,
set it. What is *missing* in the input is unknown and stays missing; what is `None` is known to be empty.

The source holds no text of any file: values and messages are constants the functions are given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from connector.errors import ConnectorError, Stop
from connector.mapping.bound import BoundLine, BoundRefusal, BoundShape, Otherwise, Side
from connector.mapping.conditions import Condition
from connector.mapping.dimensions import DimensionRule
from connector.mapping.faults import NOTHING, Missing, Spot, item, record_fault, refuse
from connector.mapping.layers import Origin
from connector.mapping.lenses import Conversion
from connector.mapping.paths import Path, Slot, Step, filled, shown, slots

Way = Literal["out", "update", "into", "view"]
_UNKNOWN = Missing()
_EMPTY: dict[str, Any] = {}


@dataclass(slots=True)
class _Target:
    """An object that is being made, and the objects inside it by path step."""

    var: str
    slot: Slot
    inner: dict[Step, _Target] = field(default_factory=dict)


class _Writer:
    """Source text and the constants it names."""

    def __init__(self, way: Way, kind: str) -> None:
        self.way, self.kind = way, kind
        self.from_side: Side = "theirs" if way == "into" else "ours"
        self.strict = way != "out"  # missing and None are told apart
        self.rows: list[str] = []
        self.names: dict[str, Any] = {
            "M": _UNKNOWN, "E": _EMPTY, "N": NOTHING, "item": item, "Stop": Stop, "ConnectorError": ConnectorError,
            "fault": record_fault, "refuse": refuse, "filled": filled,
        }  # fmt: skip
        self.spots: list[Spot] = [Spot(kind, way, "", None, None)]
        self.loops: list[str] = []
        self._numbers = count(1)

    def add(self, depth: int, text: str) -> None:
        self.rows.append("    " * depth + text)

    def constant(self, value: Any) -> str:
        name = f"K{next(self._numbers)}"
        self.names[name] = value
        return name

    def var(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"

    def spot(self, line: BoundLine | BoundRefusal | Otherwise | DimensionRule, where: str) -> int:
        """A number by which a fault in this line finds its place in document and file."""
        table = getattr(line, "table_origin", None)
        self.spots.append(Spot(self.kind, self.way, where, line.origin, table, getattr(line, "tables", ())))
        return len(self.spots) - 1

    def convert(self, conversion: Conversion, value: str) -> str:
        named = {name: self.constant(constant) for name, constant in conversion.constants.items()}
        return conversion.template.format(v=value, **named)


def compile_kind(kind: str, shape: BoundShape, way: Way) -> tuple[Callable[..., dict[str, Any]], str]:
    """One function of a kind, and its source text."""
    writer = _Writer(way, kind)
    scope = _Scope(writer, shape, "d", "", 2)
    result = scope.write()
    loops = ", ".join(scope.writer.loops)
    head = ["def mapped(d, ctx):", "    at = 0", *(f"    {loop} = 0" for loop in writer.loops), "    try:"]
    tail = [
        f"        return {result}",
        "    except ConnectorError as error:",
        f"        raise fault(S, at, ({loops}{',' if loops else ''}), error, d, X) from error.__cause__",
        "    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:",
        f"        raise fault(S, at, ({loops}{',' if loops else ''}), error, d, X) from error",
    ]
    text = "\n".join([*head, *writer.rows, *tail]) + "\n"
    model = shape.theirs if way == "into" else shape.ours
    names = {**writer.names, "S": tuple(writer.spots), "X": model}
    exec(compile(text, f"<{kind} {way}>", "exec"), names)  # noqa: S102 - our own text; files give constants only
    return names["mapped"], text


def _named(path: Path) -> str:
    """A path as part of a spot's place, in which braces stand for the numbers of items."""
    return shown(path).replace("{", "{{").replace("}", "}}")


class _Scope:
    """One object on each side: the document, or one item of a list."""

    def __init__(self, writer: _Writer, shape: BoundShape, source: str, where: str, depth: int) -> None:
        self.writer, self.shape, self.where, self.depth = writer, shape, where, depth
        self.way, self.top = writer.way, depth == 2
        self.readers: dict[Path, str] = {(): source}
        model = shape.theirs if self.way in ("out", "update") else shape.ours
        self.root = _Target(writer.var("o"), Slot("object", model=model))
        self.flags = self.way in ("update", "into")

    def add(self, text: str, deeper: int = 0) -> None:
        self.writer.add(self.depth + deeper, text)

    def write(self) -> str:
        """Write all of it; returns the variable that holds the result."""
        if self.way == "view":
            return self.write_view()
        lines = [line for line in self.shape.lines if (line.reads if self.way == "into" else line.writes)]
        if self.way == "update":
            lines = [line for line in lines if line.on != "create"]
        side = self.writer.from_side
        for refusal in self.shape.refusals:
            if refusal.side == side and refusal.when:
                self.add(f"at = {self.writer.spot(refusal, self.where)}")
                self.add(f"if {self.condition(refusal.when, self.readers[()])}:")
                self.add(f"refuse({self.writer.constant(refusal)})", 1)
        for rule in self.shape.dimensions if self.way in ("out", "update") else ():
            if rule.goes_out:
                self.rule(rule, self.readers[()])
        self.add(f"{self.root.var} = {{}}")
        for line in lines:
            for place in line.ours if self.way == "into" else line.theirs:
                self.target(place.path[:-1])
            for place in line.theirs if self.way == "into" else line.ours:
                self.reader(place.path[:-1])
            for path in line.otherwise.paths if line.otherwise and self.way != "into" else ():
                self.reader(path[:-1])
        for line in lines:
            self.line(line)
        self.close(self.root)
        for rule in self.shape.dimensions if self.way == "into" else ():
            if rule.comes_in:
                self.rule(rule, self.root.var)
        return self.root.var

    def rule(self, rule: DimensionRule, var: str) -> None:
        """What a dimension rule makes of the document or line in this variable."""
        self.add(f"at = {self.writer.spot(rule, self.where + _named(rule.path))}")
        whole = "d" if self.way != "into" else self.root.var
        asked = f"{var} = {self.writer.constant(rule.ask(self.way))}({var}, {whole})"
        self.add(f"if {self.condition(rule.when, var)}: {asked}" if rule.when else asked)

    # --- reading ------------------------------------------------------------------------------------------------------

    def reader(self, path: Path) -> str:
        """The variable that holds the object at this path of the input, read once."""
        if path in self.readers:
            return self.readers[path]
        above = self.reader(path[:-1])
        step, var = path[-1], self.writer.var("p")
        self.add(f"{var} = {above}.get({step.name!r}, E)")
        if step.pick is not None:
            spot = self.choosing(path)
            self.add(f"if {var} is not E: at = {spot}; {var} = item({var}, {self.writer.constant(step.pick)})")
        self.add(f"if {var} is None: {var} = N")
        self.readers[path] = var
        return var

    def choosing(self, path: Path, origin: Origin | None = None) -> int:
        """A spot for the choice of an item: the path in the input is the place; several lines may read from it."""
        self.writer.spots.append(Spot(self.writer.kind, self.way, self.where + _named(path), origin, None))
        return len(self.writer.spots) - 1

    def read(self, path: Path, slot: Slot, origin: Origin | None = None) -> str:
        """The variable that holds the value at this path of the input."""
        step, var = path[-1], self.writer.var("v")
        if step.pick is not None:
            # A chosen item that is itself a value (notes[first]), not an object around one.
            above = self.reader(path[:-1])
            self.add(f"{var} = {above}.get({step.name!r}, M)")
            choose = f"at = {self.choosing(path, origin)}; {var} = item({var}, {self.writer.constant(step.pick)})"
            self.add(f"if {var} is not M: {choose}; {var} = None if {var} is N else {var}")
            if not self.writer.strict:
                self.add(f"if {var} is M: {var} = None")
            return var
        missing = ", M" if self.writer.strict else ""
        empty = " or None" if self.way == "into" and slot.form == "text" else ""
        self.add(f"{var} = {self.reader(path[:-1])}.get({step.name!r}{missing}){empty}")
        return var

    # --- writing ------------------------------------------------------------------------------------------------------

    def target(self, path: Path) -> _Target:
        """The object at this path of the output, made when first wanted."""
        here = self.root
        for step in path:
            if step not in here.inner:
                slot = slots(here.slot.model)[step.name] if here.slot.model else Slot("any")
                made = here.inner[step] = _Target(self.writer.var("o"), slot)
                self.add(f"{made.var} = {{}}")
                if self.flags:
                    self.add(f"f{made.var} = False")
            here = here.inner[step]
        return here

    def assign(self, path: Path, value: str, slot: Slot, deeper: int, *, some: bool) -> None:
        """Set a value; `some`: it is known not to be None."""
        target, step = self.target(path[:-1]), path[-1]
        name = f"{target.var}[{step.name!r}]"
        if step.pick is not None:
            many = f"({value},)" if self.way == "into" else f"[{value}]"
            none = "()" if self.way == "into" else "[]"
            value = many if some else f"{none} if {value} is None else {many}"
            nullable = True
        else:
            nullable = slot.nullable or self.way != "into"
        if some:
            self.add(f"{name} = {value}", deeper)
            if target is not self.root and self.flags:
                self.add(f"f{target.var} = True", deeper)
        elif target is self.root or not self.flags:
            # A place of ours that is never empty learns nothing from a record that says nothing.
            self.add(f"{name} = {value}" if nullable else f"if {value} is not None: {name} = {value}", deeper)
        else:
            self.add(f"if {value} is not None: {name} = {value}; f{target.var} = True", deeper)
            if nullable:
                self.add(f"else: {name} = None", deeper)

    def close(self, target: _Target) -> None:
        """Put the inner objects that hold something into their places."""
        lists: dict[str, list[tuple[Step, _Target]]] = {}
        for step, inner in target.inner.items():
            self.close(inner)
            if step.pick is not None:
                lists.setdefault(step.name, []).append((step, inner))
                continue
            place = f"{target.var}[{step.name!r}]"
            if not self.flags:
                self.add(f"if {inner.var}: {place} = {inner.var}")
                continue
            self.add(f"if f{inner.var}: {place} = {inner.var}{self.raised(target)}")
            empty = "None" if self.way == "update" or inner.slot.nullable else inner.var
            self.add(f"elif {inner.var}: {place} = {empty}")
        for name, picked in lists.items():
            var = self.writer.var("l")
            made = ", ".join(item.var for _, item in picked)
            self.add(f"{var} = []")
            for step, inner in picked:
                held = f"f{inner.var}" if self.flags else inner.var
                mark = f"{inner.var}[{step.pick[0]!r}] = {step.pick[1]!r}; " if isinstance(step.pick, tuple) else ""
                self.add(f"if {held}: {mark}{var}.append({inner.var})")
            place = f"{target.var}[{name!r}]"
            value = f"tuple({var})" if self.way == "into" else var
            self.add(f"if {var}: {place} = {value}{self.raised(target) if self.flags else ''}")
            if self.flags:
                self.add(f"elif any(({made},)): {place} = {'()' if self.way == 'into' else '[]'}")

    def raised(self, target: _Target) -> str:
        return "" if target is self.root else f"; f{target.var} = True"

    # --- lines --------------------------------------------------------------------------------------------------------

    def line(self, line: BoundLine) -> None:
        into = self.way == "into"
        targets = line.ours if into else line.theirs
        spot = self.writer.spot(line, self.where + _named((line.ours or line.theirs)[0].path))
        when = line.when_theirs if into else line.when_ours
        outer = self.depth
        if when:
            self.add(f"at = {spot}")
            self.add(f"if {self.condition(when, self.readers[()])}:")
            self.depth += 1
        if line.constant is not None:
            self.assign(targets[0].path, self.writer.constant(line.constant[0]), targets[0].slot, 0, some=True)
        elif line.each is not None:
            self.items(line, spot)
        else:
            self.value(line, spot)
        self.depth = outer

    def value(self, line: BoundLine, spot: int) -> None:
        into = self.way == "into"
        sources, targets = (line.theirs, line.ours) if into else (line.ours, line.theirs)
        assert line.lens is not None
        conversion = line.lens.into if into else line.lens.out
        read = [self.read(place.path, place.slot, line.origin) for place in sources]
        if not into and line.default is not None:
            self.add(f"if {read[0]} is None: {read[0]} = {self.writer.constant(line.default[0])}")
        if not into and line.otherwise is not None:
            self.fill(line, read[0])
        if len(read) == 1:
            value, known = read[0], f"{read[0]} is not M"
            present = read[0] if sources[0].slot.form == "list" else f"{read[0]} is not None"
        else:
            if self.writer.strict:
                known = " or ".join(f"{var} is not M" for var in read)
                for var in read[1:]:
                    self.add(f"if {var} is M and ({known}): {var} = None")
                self.add(f"if {read[0]} is M and ({known}): {read[0]} = None")
                known = f"{read[0]} is not M"
            else:
                known = ""
            value, present = f"({', '.join(read)})", " or ".join(f"{var} is not None" for var in read)
        if not self.writer.strict:
            self.add(f"if {present}:")
            if conversion.template != "{v}":
                self.add(f"at = {spot}", 1)
            if line.link is not None:
                var = self.writer.var("w")
                self.add(f"{var} = {self.writer.convert(conversion, value)}", 1)
                self.add(f"if {var} is not None:", 1)
                self.spread(targets, var, 2, some=True)
                return
            self.spread(targets, self.writer.convert(conversion, value), 1, some=conversion.template == "{v}")
            return
        self.add(f"if {known}:")
        if conversion.template == "{v}" and len(read) == len(targets) == 1:
            self.spread(targets, value, 1, some=False)
            return
        self.add(f"at = {spot}", 1)
        self.add(f"if {present}:", 1)
        self.spread(targets, self.writer.convert(conversion, value), 2, some=False)
        self.add("else:", 1)
        for place in targets:
            empty = "None" if place.path[-1].pick is None else "()" if into else "[]"
            if place.slot.form == "list":
                empty = "()" if into else "[]"
            if place.slot.nullable or not into or place.slot.form == "list":
                self.add(f"{self.target(place.path[:-1]).var}[{place.path[-1].name!r}] = {empty}", 2)
            else:
                self.add("pass", 2)

    def spread(self, targets: tuple[Any, ...], value: str, deeper: int, *, some: bool) -> None:
        """Set the value, or its parts, into the target places."""
        if len(targets) == 1:
            place = targets[0]
            if some or not self.flags:
                self.assign(place.path, value, place.slot, deeper, some=some)
            elif value.isidentifier():
                self.assign(place.path, value, place.slot, deeper, some=False)
            else:
                var = self.writer.var("w")
                self.add(f"{var} = {value}", deeper)
                self.assign(place.path, var, place.slot, deeper, some=False)
            return
        parts = [self.writer.var("w") for _ in targets]
        self.add(f"{', '.join(parts)} = {value}", deeper)
        for place, part in zip(targets, parts, strict=True):
            if self.flags:
                self.assign(place.path, part, place.slot, deeper, some=False)
            else:
                self.add(f"if {part} is not None:", deeper)
                self.assign(place.path, part, place.slot, deeper + 1, some=True)

    def fill(self, line: BoundLine, var: str) -> None:
        """Where the document does not state our value: from what it follows from."""
        assert line.otherwise is not None
        paths, conversion = line.otherwise.paths, line.otherwise.conversion
        spot = self.writer.spot(line.otherwise, self.where + _named(line.ours[0].path))
        empty = f"{var} is None or {var} is M" if self.writer.strict else f"{var} is None"
        self.add(f"if {empty}:")
        self.depth += 1
        parts = [f"{self.readers[path[:-1]]}.get({path[-1].name!r})" for path in paths]
        said = [self.writer.var("u") for _ in parts]
        for name, part in zip(said, parts, strict=True):
            self.add(f"{name} = {part}")
        self.add(f"if {' or '.join(f'{name} is not None' for name in said)}:")
        key = said[0] if len(said) == 1 else f"({', '.join(said)})"
        self.add(f"at = {spot}; {var} = {self.writer.convert(conversion, key)}", 1)
        self.depth -= 1

    def items(self, line: BoundLine, spot: int) -> None:
        into = self.way == "into"
        source, target = (line.theirs[0], line.ours[0]) if into else (line.ours[0], line.theirs[0])
        assert line.each is not None
        var = self.read(source.path, source.slot)
        made, index, one = self.writer.var("l"), self.writer.var("i"), self.writer.var("x")
        self.writer.loops.append(index)
        where = f"{self.where}{_named(line.ours[0].path)}[{{{len(self.writer.loops) - 1}}}]."
        self.add(f"if {var} is not M:" if self.writer.strict else f"if {var}:")
        outer = self.depth
        self.depth += 1
        self.add(f"{made} = []; at = {spot}")
        self.add(f"for {index}, {one} in enumerate({var} or ()):")
        scope = _Scope(self.writer, line.each, one, where, self.depth + 1)
        result = scope.write()
        scope.add(f"{made}.append({result})")
        value = f"tuple({made})" if into else made
        self.assign(target.path, value, target.slot, 0, some=True)
        self.depth = outer

    # --- view ---------------------------------------------------------------------------------------------------------

    def write_view(self) -> str:
        """The document's own values of the carried fields, by path; lists as tuples of such mappings."""
        self.add(f"{self.root.var} = {{}}")
        seen: set[Path] = set()
        # Items of lists are compared as wholes: what goes one way must not make them differ.
        for line in self.shape.lines if self.top else (line for line in self.shape.lines if line.only is None):
            for place in line.ours:
                if place.path in seen or (line.link and place.slot.form == "object"):
                    continue
                seen.add(place.path)
                name = f"{self.root.var}[{shown(place.path)!r}]"
                if line.each is None:
                    var = self.read(place.path, place.slot)
                    self.add(f"if {var} is not M: {name} = {var}")
                    continue
                var, made, one = self.read(place.path, place.slot), self.writer.var("l"), self.writer.var("x")
                self.add(f"if {var} is not M:")
                self.add(f"{made} = []", 1)
                self.add(f"for {one} in {var} or ():", 1)
                scope = _Scope(self.writer, line.each, one, "", self.depth + 2)
                result = scope.write()
                scope.add(f"{made}.append({result})")
                self.add(f"{name} = tuple({made})", 1)
        return self.root.var

    # --- conditions ---------------------------------------------------------------------------------------------------

    def condition(self, condition: Condition, root: str) -> str:
        """A Python expression that asks whether all of it holds for the object in `root`."""
        return " and ".join(self.ask(test, root) for test in condition) or "True"

    def ask(self, test: Any, root: str) -> str:
        value = root
        for step in test.path:
            value = f"({value} or E).get({step.name!r})" if value != root else f"{root}.get({step.name!r})"
            if step.pick is not None:
                value = f"item({value}, {self.writer.constant(step.pick)})"
        var = self.writer.var("t")
        match test.how:
            case "equals":
                return f"({value} in {self.writer.constant(test.value)})"
            case "differs":
                return f"(({var} := {value}) is not None and {var} not in {self.writer.constant(test.value)})"
            case "present":
                some = f"({value} is not None)"
                if test.slot.form in ("text", "list"):
                    some = f"({value})"
                elif test.slot.form in ("object", "any"):
                    some = f"(({var} := {value}) is not None and filled({var}))"
                return some if test.value else f"(not {some})"
            case "above" | "below":
                sign = ">" if test.how == "above" else "<"
                return f"(({var} := {value}) is not None and {var} {sign} {self.writer.constant(test.value)})"
            case _:
                how = {"any": "any", "every": "all"}[test.how]
                return f"{how}({self.condition(test.value, var)} for {var} in {value} or ())"
