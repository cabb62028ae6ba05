"""The rules of a kind, bound to the models: what they name must be there, be comparable, and be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from connector.mapping.bound import BoundLine, BoundShape, Place, Side
from connector.mapping.dimensions import DIMENSIONS, DimensionRule
from connector.mapping.layers import Merged, Origin, Said
from connector.mapping.lenses import COPY, WORDS, Unfit, typed
from connector.mapping.match import CERTAINTIES, MatchRule
from connector.mapping.paths import Path, shown, slots

if TYPE_CHECKING:
    from connector.mapping.bind import Binder

_HOWS: tuple[Literal["derive", "require", "forbid"], ...] = ("derive", "require", "forbid")
_COMPARED = ("text", "integer", "number", "date", "boolean", "any")


def matching(binder: Binder, merged: Merged, shape: BoundShape) -> tuple[MatchRule, ...]:
    """The matching rules of a kind, the surest first."""
    found = [
        rule
        for name, said in merged.matching.items()
        for rule in _rule(binder, name, said.values, said.origin, shape, merged.removed)
    ]
    return tuple(sorted(found, key=lambda rule: CERTAINTIES.index(rule.certainty)))


def _rule(
    binder: Binder, name: str, values: dict[str, Any], at: Origin, shape: BoundShape, removed: Mapping[str, Origin]
) -> Iterable[MatchRule]:
    """A rule; none where an upper layer has taken the line away that reads what it compares."""
    theirs = values["theirs"]
    if theirs is not None and len(theirs) != len(values["by"]):
        said = f"The rule `{name}` compares {len(values['by'])} of our paths with {len(theirs)} of theirs."
        binder.problem("matching-uneven", said, at, "Name one of theirs for each of `by`.")
        return
    by = _places(binder, name, values["by"], shape.ours, "ours", at.inside("by"))
    there = None if theirs is None else _places(binder, name, theirs, shape.theirs, "theirs", at.inside("theirs"))
    against = _places(binder, name, values["unless_differs"] or (), shape.ours, "ours", at.inside("unless_differs"))
    wanted = len(values["by"]) + len(theirs or ()) + len(values["unless_differs"] or ())
    if len(by) + len(there or ()) + len(against) != wanted:
        return
    for path in (*(by if there is None else ()), *against):
        if not _is_read(path, shape):
            gone = removed.get(shown(path))
            if gone is not None and gone.layer != at.layer:
                return
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


# --- dimensions -------------------------------------------------------------------------------------------------------


def dimensions(
    binder: Binder, merged: Merged, lines: Sequence[BoundLine], ours: type[BaseModel]
) -> tuple[DimensionRule, ...]:
    """The dimension rules of a kind or a list's items: what is derived first, each after what it follows from."""
    found: list[DimensionRule] = []
    for name, said in merged.dimensions.items():
        try:
            found += _dimension_rules(binder, name, said, lines, ours)
        except Unfit as unfit:
            binder.problem(unfit.code, f"Rule `{name}`: {unfit.said}", said.origin, unfit.do)
    _contradicting(binder, found)
    derived = [rule for rule in found if rule.how == "derive"]
    return (*_in_order(binder, derived), *(rule for rule in found if rule.how != "derive"))


def _dimension_rules(
    binder: Binder, name: str, said: Said, lines: Sequence[BoundLine], ours: type[BaseModel]
) -> list[DimensionRule]:
    """A rule for each dimension that is named."""
    values, at = said.values, said.origin
    how = next(one for one in _HOWS if values[one] is not None)
    named: Sequence[str] = [values["derive"]] if how == "derive" else values[how]
    if DIMENSIONS.name not in slots(ours):
        raise Unfit("dimension-unfit", f"{ours.__name__} has no dimensions.", "Take the rule away.")
    targets = [binder.place(f"{DIMENSIONS.name}.{one}", ours, "ours", at.inside(how)) for one in named]
    sources = [binder.place(one, ours, "ours", at.inside("from")) for one in values["source"] or ()]
    when = binder.condition(values["when"] or [], ours, "ours", at.inside("when"))
    bound, follows = [one for one in targets if one], [one for one in sources if one]
    if len(bound) + len(follows) != len(targets) + len(sources):
        return []
    for place in bound:
        wanted = ("text", "list") if how != "derive" else ("text",)
        if place.slot.form not in wanted:
            raise Unfit("dimension-unfit", f"`{place}` is {WORDS[place.slot.form]}, not a dimension's code.",
                        'A free dimension is named by "free[name=Region].code".')  # fmt: skip
    table = values["table"]
    conversion, constant = COPY, None
    if table is not None:
        conversion = binder.tables([table], at, [p.slot for p in follows], [bound[0].slot], "out").out
    elif len(follows) > 1:
        raise Unfit("several-paths", "What follows from several paths needs a `table`.")
    elif follows and follows[0].slot.form != "text":
        raise Unfit("type-mismatch", f"`{follows[0]}` is {WORDS[follows[0].slot.form]}; a code is text.",
                    "Say with a `table` which code belongs to which value.")  # fmt: skip
    if values["constant"] is not None:
        constant = typed(values["constant"], bound[0].slot, vendor=False)
    made = DimensionRule(
        name,
        how,
        bound[0].path,
        at,
        tuple(place.path for place in follows),
        conversion,
        constant,
        when,
        values["only"],
        lists=tuple(one for one, slot in slots(ours).items() if slot.model and DIMENSIONS.name in slots(slot.model)),
        says=values["says"] or "",
        do=values["do"] or "",
        tables=(table,) if table else (),
        table_origin=binder.stack.tables[table].origin if table else None,
    )
    return [
        replace(
            made,
            path=place.path,
            written=any(line.writes for line in lines for one in line.ours if one.path == place.path),
            read=any(line.reads for line in lines for one in line.ours if one.path == place.path),
        )
        for place in bound
    ]


def _contradicting(binder: Binder, rules: Sequence[DimensionRule]) -> None:
    """Rules that cannot both hold: derived twice, or required and forbidden, whatever the document."""
    first: dict[tuple[str, Path], DimensionRule] = {}
    for rule in rules:
        if rule.when:
            continue
        before = first.setdefault((rule.how, rule.path), rule)
        other = {"require": "forbid", "forbid": "require"}.get(rule.how, "")
        against = before if before is not rule and rule.how == "derive" else first.get((other, rule.path))
        if against is not None and against.goes_out == rule.goes_out:
            said = f"The rules `{against.name}` (line {against.origin.line}) and `{rule.name}` contradict each"
            said += f" other about `{shown(rule.path)}`."
            binder.problem("dimension-rules-clash", said, rule.origin, "Give one of them a `when`, or take it away.")


def _in_order(binder: Binder, rules: Sequence[DimensionRule]) -> list[DimensionRule]:
    """Each after those that derive what it follows from; a circle is a problem."""
    made: list[DimensionRule] = []
    waiting = list(rules)
    while waiting:
        open_ = {rule.path for rule in waiting}
        ready = [rule for rule in waiting if not open_ & set(rule.sources)]
        if not ready:
            names = " → ".join(f"`{rule.name}`" for rule in waiting)
            said = f"These dimensions follow from each other in a circle: {names}."
            binder.problem("dimension-circle", said, waiting[-1].origin, "One of them follows from something else.")
            return made
        made += ready
        waiting = [rule for rule in waiting if rule not in ready]
    return made
