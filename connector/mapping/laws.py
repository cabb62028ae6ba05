"""The lens laws, tried on a document or a record.

    writing what was read changes nothing
    reading what was written gives it back
    what is lost is exactly what is declared

What a mapping declares is no break: lines that go one way, lines whose condition does not hold, and values that are
filled in (`default`, `otherwise`) where the document had none. Everything else that differs is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.mapping import paths
from connector.mapping.bound import BoundLine, BoundShape
from connector.mapping.conditions import holds
from connector.mapping.layers import Origin
from connector.mapping.mapper import Context, Document, Mapper, Record
from connector.mapping.paths import filled


@dataclass(frozen=True, slots=True)
class Break:
    """A law that does not hold: which field, what it was, what came back, and the line that carries it."""

    law: str
    field: str
    was: Any
    became: Any
    origin: Origin

    @property
    def sort(self) -> str:
        """The field without the numbers of items: breaks of one sort are one problem."""
        return paths.without_picks(self.field)

    def __str__(self) -> str:
        return (
            f"{self.law}: `{self.field}` was {_brief(self.was)} and came back as {_brief(self.became)} ({self.origin})"
        )


def reading_gives_back(mapper: Mapper, document: Document, context: Context) -> list[Break]:
    """Breaks of: reading what was written gives it back. `Stop` where the document cannot be written."""
    back = mapper.into(mapper.update_record(document, context), context)
    return list(_given_back(mapper.bound.shape, document, back, ""))


def writing_changes_nothing(mapper: Mapper, record: Record, context: Context) -> list[Break]:
    """Breaks of: writing what was read changes nothing. `Stop` where the record cannot be read."""
    again = mapper.update_record(mapper.into(record, context), context)
    return list(_unchanged(mapper.bound.shape, record, again, ""))


def losing_is_declared(mapper: Mapper, document: Document, context: Context) -> list[Break]:
    """Breaks of: what is lost is exactly what is declared. Declared is what stands in `loses`, goes one way, or is set
    once; a line whose condition does not hold declares nothing. `Stop` where the document cannot be written.
    """
    back = mapper.into(mapper.update_record(document, context), context)
    return list(_lost(mapper.bound.shape, document, back, (), "", mapper.bound.origin))


def creating_is_updating(mapper: Mapper, document: Document, context: Context) -> bool:
    """Whether a record to be made and one to be changed say the same, but for what is empty and what is set once."""
    made, changed = mapper.out(document, context), mapper.update_record(document, context)
    once = [place.path for line in mapper.bound.shape.lines if line.on == "create" for place in line.theirs]
    return bool(_full(_dropped(made, once)) == _full(changed))


def _derived(shape: BoundShape) -> set[paths.Path]:
    return {rule.path for rule in shape.dimensions if rule.how == "derive" and rule.goes_out}


def _is_filled(line: BoundLine) -> bool:
    return line.default is not None or line.otherwise is not None


def _given_back(shape: BoundShape, before: Any, after: Any, where: str) -> Iterator[Break]:
    law, derived = "reading what was written gives it back", _derived(shape)
    for line in shape.lines:
        if line.only is not None or line.on is not None or not line.ours or not holds(line.when_ours, before):
            continue
        if line.each is not None:
            yield from _items(law, line, line.ours[0].path, before, after, where, ours=True)
            continue
        values = [paths.get(before, place.path) for place in line.ours]
        made_up = values == [None] and (_is_filled(line) or line.ours[0].path in derived)
        for place, was in zip(line.ours, values, strict=True):
            became = paths.get(after, place.path)
            if not made_up and not _same(was, became):
                yield Break(law, f"{where}{place}", was, became, line.origin)


def _unchanged(shape: BoundShape, before: Any, after: Any, where: str) -> Iterator[Break]:
    law, derived = "writing what was read changes nothing", _derived(shape)
    for line in shape.lines:
        if line.only is not None or line.on is not None or not line.reads or not holds(line.when_theirs, before):
            continue
        if line.each is not None:
            yield from _items(law, line, line.theirs[0].path, before, after, where, ours=False)
            continue
        for place in line.theirs:
            was, became = paths.get(before, place.path), paths.get(after, place.path)
            made_up = was is None and (_is_filled(line) or (bool(line.ours) and line.ours[0].path in derived))
            if not made_up and not _same(was, became):
                yield Break(law, f"{where}{place}", was, became, line.origin)


def _lost(
    shape: BoundShape, before: Any, after: Any, below: tuple[str, ...], where: str, origin: Origin
) -> Iterator[Break]:
    """What `before` says and `after` does not, and no part of the shape declares; `below`: the path they lie at."""
    for name, value in before.items():
        path = (*below, name)
        if not filled(value) or _declared(shape, path):
            continue
        said = after.get(name) if isinstance(after, Mapping) else None
        at = f"{where}{name}"
        each = next((one for one in shape.lines if one.each is not None and _names(one.ours[0].path) == path), None)
        if isinstance(value, Mapping):
            yield from _lost(shape, value, said, path, f"{at}.", origin)
        elif isinstance(value, list | tuple) and isinstance(value[0], Mapping):
            items = list(said or ())
            for number, item in enumerate(value):
                one = items[number] if number < len(items) else None
                if each is not None and each.each is not None:
                    yield from _lost(each.each, item, one, (), f"{at}[{number}].", each.origin)
                else:
                    yield from _lost(shape, item, one, path, f"{at}[{number}].", origin)
        elif not _same(value, said):
            line = next((one for one in shape.lines if any(_names(p.path) == path for p in one.ours)), None)
            law = "what is lost is exactly what is declared"
            yield Break(law, at, value, said, line.origin if line else origin)


def _declared(shape: BoundShape, path: tuple[str, ...]) -> bool:
    """Whether a path of ours is declared lost, goes one way, is set once, is linked as a whole, or (by a refusal) can
    only be what goes without saying.
    """
    if any(_within(path, tuple(lost.split("."))) for lost, _, _ in shape.loses):
        return True
    for refusal in shape.refusals:
        test = refusal.when[0] if len(refusal.when) == 1 and refusal.side == "ours" else None
        if test is not None and test.how == "differs" and _names(test.path) == path:
            return True
    return any(
        (line.only is not None or line.on is not None or (line.link is not None and place.slot.form == "object"))
        and _within(path, _names(place.path))
        for line in shape.lines
        for place in line.ours
    )


def _within(path: tuple[str, ...], above: tuple[str, ...]) -> bool:
    return path[: len(above)] == above


def _names(path: paths.Path) -> tuple[str, ...]:
    return tuple(step.name for step in path)


def _items(
    law: str, line: BoundLine, path: paths.Path, before: Any, after: Any, where: str, *, ours: bool
) -> Iterator[Break]:
    assert line.each is not None
    was, became = paths.get(before, path) or (), paths.get(after, path) or ()
    name = f"{where}{paths.shown(path)}"
    if len(was) != len(became):
        yield Break(law, name, was, became, line.origin)
        return
    compare = _given_back if ours else _unchanged
    for number, (one, other) in enumerate(zip(was, became, strict=True)):
        yield from compare(line.each, one, other, f"{name}[{number}].")


def _same(one: Any, other: Any) -> bool:
    """Equal, where an empty text or list is no value and white space at the ends of a text says nothing."""
    return bool(_value(one) == _value(other))


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list | tuple):
        return [_value(item) for item in value] or None
    return value


def _full(value: Any) -> Any:
    """Without what is empty."""
    if isinstance(value, Mapping):
        held = {key: _full(inner) for key, inner in value.items()}
        return {key: inner for key, inner in held.items() if inner is not None} or None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_full(item) for item in value] or None
    return value


def _dropped(record: dict[str, Any], once: Sequence[paths.Path]) -> dict[str, Any]:
    for path in once:
        record = paths.put(record, path, None) if paths.get(record, path) is not None else record
    return record


def _brief(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
