"""Checks of a kind as a whole: what no single line shows.

A field written by two lines, a required field of the vendor that nobody fills, and a field of ours that gets lost
without anybody having said so.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from connector.mapping.bound import BoundKind, BoundLine, BoundShape
from connector.mapping.conditions import BoundTest, Condition
from connector.mapping.layers import Origin
from connector.mapping.paths import Step, leaves, shown, slots
from connector.mapping.problems import Problem


def whole(kind: BoundKind, system: str) -> Iterator[Problem]:
    """What is wrong with a kind as a whole."""
    yield from _shape(kind.shape, kind.name, system, kind.origin)


def _shape(shape: BoundShape, where: str, system: str, origin: Origin) -> Iterator[Problem]:
    yield from _twice(shape, system)
    yield from _required(shape, where, system, origin)
    yield from _lost(shape, where, system, origin)
    for line in shape.lines:
        if line.each is not None:
            yield from _shape(line.each, f"{where} {line.name}", system, line.origin)


def _twice(shape: BoundShape, system: str) -> Iterator[Problem]:
    """Two lines that set the same field, unless conditions keep them apart."""
    for side in ("theirs", "ours"):
        whose, way = (f"{system}'s", "in") if side == "theirs" else ("our", "out")
        setting: dict[str, list[BoundLine]] = {}
        for line in shape.lines:
            for path in sorted(map(str, getattr(line, side))) if _sets(line, side) else ():
                before = setting.setdefault(path, [])
                one = next((one for one in before if not _apart(_when(one, side), _when(line, side))), None)
                before.append(line)
                if one is not None:
                    said = f"Two lines set {whose} `{path}`: `{one.name}` (line {one.origin.line}) and `{line.name}`."
                    do = f"Make one of them `only: {way}`, or give both a condition."
                    yield Problem("written-twice", said, line.origin.file, line.origin.line, do)
                    break


def _sets(line: BoundLine, side: str) -> bool:
    return line.writes if side == "theirs" else line.reads


def _when(line: BoundLine, side: str) -> Condition:
    return line.when_ours if side == "theirs" else line.when_theirs


def _apart(one: Condition, other: Condition) -> bool:
    """Whether two conditions cannot hold at once, as far as can be told by a test on the same path."""
    for a in one:
        for b in other:
            if a.path != b.path:
                continue
            if a.how == b.how == "equals" and not set(a.value) & set(b.value):
                return True
            if a.how == b.how == "present" and a.value != b.value:
                return True
            if {a.how, b.how} == {"equals", "differs"}:
                same, not_same = (a, b) if a.how == "equals" else (b, a)
                if set(same.value) - {None} <= set(not_same.value):
                    return True
            if {a.how, b.how} == {"present", "equals"} or {a.how, b.how} == {"present", "differs"}:
                present = a if a.how == "present" else b
                if not present.value:
                    return True
    return False


def _required(shape: BoundShape, where: str, system: str, origin: Origin) -> Iterator[Problem]:
    """Fields the vendor's model requires and no line writes, in every object that lines write into."""
    broken = {above for path in shape.broken for above in _from_above(path)}
    written: dict[tuple[Step, ...], set[str]] = {}
    models: dict[tuple[Step, ...], type[BaseModel]] = {(): shape.theirs}
    for line in shape.lines:
        if not line.writes:
            continue
        for place in line.theirs:
            for length, step in enumerate(place.path):
                above = place.path[:length]
                written.setdefault(above, set()).add(step.name)
                if isinstance(step.pick, tuple):  # an item that is made has what it is chosen by
                    written.setdefault(place.path[: length + 1], set()).add(step.pick[0])
                slot = slots(models[above])[step.name] if above in models else None
                if slot and slot.model and length < len(place.path) - 1:
                    models[place.path[: length + 1]] = slot.model
    for path, model in models.items():
        for name, slot in slots(model).items():
            missing = shown((*path, Step(name)))
            filled = name in written.get(path, set()) or missing in broken
            if slot.required and not slot.read_only and not filled:
                at = dict(shape.unfilled).get(missing) or _nearest(shape, path, name) or origin
                said = f"{system} requires `{missing}` of a {where}, and no line fills it."
                do = "Add a line for it, or a line with a `constant`."
                yield Problem("required-unfilled", said, at.file, at.line, do)


def _nearest(shape: BoundShape, path: tuple[Step, ...], name: str) -> Origin | None:
    """Where a field that nobody writes is read, else where the first line writes into what it lies in."""
    there = [(place.path, line.origin) for line in shape.lines for place in line.theirs]
    read = next((at for found, at in there if shown(found) == shown((*path, Step(name)))), None)
    return read or next((at for found, at in there if path and found[: len(path)] == path), None)


def _lost(shape: BoundShape, where: str, system: str, origin: Origin) -> Iterator[Problem]:
    """Fields of ours that are neither carried, nor declared lost, nor refused."""
    covered = {_without_picks(place.path) for line in shape.lines for place in line.ours}
    refused = {
        _without_picks(test.path)
        for refusal in shape.refusals
        for test in refusal.when
        if refusal.side == "ours" and len(refusal.when) == 1 and _asks_for_any(test)
    }
    lost = {path: at for path, _, at in shape.loses}
    follows = {_without_picks(rule.path) for rule in shape.dimensions if rule.gives_back}
    said_of = {*covered, *refused, *lost, *follows, *shape.broken}
    every = list(leaves(shape.ours))
    missing = [leaf for leaf in every if not any(above in said_of for above in _from_above(leaf))]
    for leaf in _gathered(missing, every):
        said = f"`{leaf}` of our {where}: not carried to {system}, and not declared lost."
        do = f"Add a line, `loses: {{{leaf}: why}}`, or a `refuse` that stops documents that have it."
        at = next((at for name, at in shape.removed if _covers(name, leaf)), None)
        at = at or next((line.origin for line in shape.lines if line.name == leaf), origin)
        yield Problem("loss-undeclared", said, at.file, at.line, do, field=leaf)
    for path, at in lost.items():
        carried = next((line for line in shape.lines if _carries(line, path)), None)
        if carried is not None:
            said = f"`{path}` is declared lost, but the line `{carried.name}` carries it."
            yield Problem("loss-carried", said, at.file, at.line, "Take it out of `loses`.", "warning")


def _carries(line: BoundLine, path: str) -> bool:
    """Whether the line carries all of it, whatever the document: under a condition, or of one item, some gets lost."""
    whole = not line.when_ours and all(step.pick in (None, "only") for place in line.ours for step in place.path)
    return line.writes and line.reads and whole and any(_without_picks(place.path) == path for place in line.ours)


def _without_picks(path: tuple[Step, ...]) -> str:
    return ".".join(step.name for step in path)


def _covers(path: str, leaf: str) -> bool:
    return leaf == path or leaf.startswith(path + ".")


def _asks_for_any(test: BoundTest) -> bool:
    """Whether a refusal by this test lets no value through, but for one that is named."""
    return test.how == "differs" or (test.how == "present" and bool(test.value))


def _from_above(leaf: str) -> Iterator[str]:
    """The path itself and all it lies in: a.b.c is of a, of a.b and of a.b.c."""
    steps = leaf.split(".")
    return (".".join(steps[:length]) for length in range(1, len(steps) + 1))


def _gathered(missing: list[str], every: list[str]) -> list[str]:
    """The missing fields, with an object's own name where nothing of it is left."""
    gone = set(missing)
    kept = {above for leaf in every if leaf not in gone for above in _from_above(leaf)}
    return list(dict.fromkeys(next(above for above in _from_above(leaf) if above not in kept) for leaf in missing))
