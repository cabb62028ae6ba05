"""From merged layers to bound lines: every path, type, table and condition is checked against both models.

All that is wrong is collected with the file and line where it was said; nothing is raised.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from connector.mapping import bind_rules, lenses, paths
from connector.mapping.bind_tables import one_table
from connector.mapping.bound import (
    BoundKind,
    BoundLine,
    BoundRefusal,
    BoundShape,
    Limits,
    Otherwise,
    Place,
    Register,
    Side,
)
from connector.mapping.conditions import BoundTest, Condition
from connector.mapping.layers import Merged, MergedTable, Origin, Said, Stack
from connector.mapping.lenses import Lens, Unfit
from connector.mapping.own_lenses import own_lens
from connector.mapping.paths import PathError, Slot
from connector.mapping.problems import Problem, did_you_mean
from connector.ports import LensPlugin

_LENS_KEYS = ("table", "link", "minor_units", "date", "digits", "join", "lens", "constant", "each")

_REGISTER = tuple(one.name for one in dataclasses.fields(Register))
_LIMITS = tuple(one.name for one in dataclasses.fields(Limits))

Models = Mapping[str, type[BaseModel]]
OwnLenses = Mapping[str, LensPlugin]


def bind(
    stack: Stack, ours: Models, theirs: Models, own: OwnLenses = MappingProxyType({})
) -> tuple[dict[str, BoundKind], list[Problem]]:
    """The kinds of a stack of layers, bound to our models and the vendor's wire models, and all that is wrong.

    `own`: installed lenses by name.
    """
    binder = Binder(stack, {*ours, *stack.kinds}, own)
    found: dict[str, BoundKind] = {}
    for name, merged in stack.kinds.items():
        if name not in ours or name not in theirs:
            known = ours.keys() & theirs.keys()
            whose = "The house has" if name not in ours else f"The plugin `{stack.system}` has"
            binder.problem("kind-unknown", f"{whose} no kind `{name}`.", merged.origin, did_you_mean(name, known))
            continue
        owner = merged.settings["owner"].values["owner"] if "owner" in merged.settings else "ask"
        shape = binder.shape(merged, ours[name], theirs[name], owner)
        amendable = merged.settings.get("amendable")
        for path in amendable.values["amendable"] if amendable else ():
            binder.place(path, ours[name], "ours", amendable.origin if amendable else merged.origin)
        register, limits = (
            {key: merged.settings[key].values[key] for key in keys if key in merged.settings}
            for keys in (_REGISTER, _LIMITS)
        )
        of_register = {*register, *(limits.keys() & {"deleted_at_most"})}
        if of_register and "active" not in ours[name].model_fields:
            first = next(iter(sorted(of_register)))
            words = f"`{first}` speaks of records of a register; a {name} is none."
            binder.problem("no-register", words, merged.settings[first].origin, "Take it away.")
            register, limits = {}, {}
        may_change = tuple(amendable.values["amendable"]) if amendable else ()
        rules = bind_rules.matching(binder, merged, shape)
        found[name] = BoundKind(name, shape, may_change, merged.origin, Register(**register), rules, Limits(**limits))
    for name, table in [(name, table) for name, table in stack.tables.items() if name not in binder.used]:
        if all(at.layer == "shared" for _, at in table.rows.values()) and table.origin.layer == "shared":
            del stack.tables[name]  # a system need not use all that is shared
        else:
            said = f"No line uses the table `{name}`."
            binder.problem("table-unused", said, table.origin, did_you_mean(name, binder.missed), warning=True)
    return found, [*stack.problems, *binder.problems]


class Binder:
    """Collects what is wrong while the lines of one stack are bound."""

    def __init__(self, stack: Stack, kinds: set[str], own: OwnLenses) -> None:
        self.stack = stack
        self.own = own
        self.kinds = kinds
        self._problems: dict[Problem, None] = {}
        self.broken: set[str] = set()
        self.used: set[str] = set()
        self.missed: set[str] = set()

    def problem(self, code: str, said: str, at: Origin, do: str = "", *, warning: bool = False) -> None:
        """Note what is wrong at a place of a file; each is told once."""
        self._problems[Problem(code, said, at.file, at.line, do, "warning" if warning else "error")] = None

    @property
    def problems(self) -> list[Problem]:
        """All that was found, each once, as it was found."""
        return list(self._problems)

    def place(self, text: str, model: type[BaseModel], side: Side, at: Origin) -> Place | None:
        """Where a path leads in a model; None, and a problem, where it leads nowhere."""
        whose = "our document" if side == "ours" else f"the {self.stack.system} record"
        try:
            path = paths.parse(text)
            return Place(path, paths.resolve(model, path, f"{whose} ({model.__name__})"))
        except PathError as error:
            self.problem(error.code, error.said[0].upper() + error.said[1:], at, error.do)
            self.broken |= {text, *([error.meant] if error.meant else ())}
            return None

    # --- shapes -------------------------------------------------------------------------------------------------------

    def shape(self, merged: Merged, ours: type[BaseModel], theirs: type[BaseModel], owner: str) -> BoundShape:
        """The lines, refusals and losses of a kind or of the items of a list."""
        lines: list[BoundLine] = []
        outer, self.broken = self.broken, set()
        for name, said in merged.fields.items():
            line = self.line(name, said, ours, theirs, owner)
            if line:
                lines.append(line)
            else:
                self.broken |= {name, *(said.values.get("ours") or ()), *(said.values.get("theirs") or ())}
        refusals = [
            refusal for name, said in merged.refuse.items() for refusal in self.refusal(name, said, ours, theirs)
        ]
        loses = []
        for path, said in merged.loses.items():
            if self.place(paths.through_lists(ours, path), ours, "ours", said.origin):
                loses.append((paths.of_all_items(path), said.values["why"], said.origin))
        broken, self.broken = frozenset(map(paths.without_picks, self.broken)), outer
        rules = bind_rules.dimensions(self, merged, lines, ours)
        return BoundShape(
            ours,
            theirs,
            tuple(lines),
            tuple(refusals),
            tuple(loses),
            tuple(merged.removed.items()),
            tuple(merged.unfilled.items()),
            rules,
            broken,
        )

    def refusal(self, name: str, said: Said, ours: type[BaseModel], theirs: type[BaseModel]) -> Iterable[BoundRefusal]:
        """What stops a document, what stops a record, or both."""
        when = said.values["when"]
        sides: tuple[tuple[Side, type[BaseModel]], ...] = (("ours", ours), ("theirs", theirs))
        for side, model in sides:
            if when[side] is not None:
                bound = self.condition(when[side], model, side, said.origin.inside("when", side))
                says, do, says_nb, do_nb = (said.values[key] for key in ("says", "do", "says_nb", "do_nb"))
                yield BoundRefusal(name, side, bound, says, do, said.origin, says_nb, do_nb)

    # --- lines --------------------------------------------------------------------------------------------------------

    def line(
        self, name: str, said: Said, ours: type[BaseModel], theirs: type[BaseModel], owner: str
    ) -> BoundLine | None:
        """One line; None, and a problem, where it cannot hold."""
        values = said.values
        does = [key for key in _LENS_KEYS if key in values]
        if len(does) > 1:
            both = " and ".join(f"`{key}`" for key in does)
            self.problem("lens-several", f"The line `{name}` has {both}; a line does one thing.", said.where(does[1]))
            return None
        constant = "constant" in values
        our_texts: Sequence[str] = values.get("ours") or ([] if constant and values.get("only") != "in" else [name])
        their_texts: Sequence[str] = values.get("theirs") or []
        if not their_texts and not (constant and values.get("only") == "in"):
            do = "Say `theirs:`. If it was to change a line of a layer below, its name is another."
            self.problem("theirs-missing", f"The line `{name}` names no field of the vendor.", said.origin, do)
            return None
        our_places = [self.place(text, ours, "ours", said.where("ours")) for text in our_texts]
        their_places = [self.place(text, theirs, "theirs", said.where("theirs")) for text in their_texts]
        when = values.get("when") or {}
        when_ours = self.condition(when.get("ours") or [], ours, "ours", said.where("when").inside("ours"))
        when_theirs = self.condition(when.get("theirs") or [], theirs, "theirs", said.where("when").inside("theirs"))
        only = values.get("only")
        if when_ours and not when_theirs and only is None and not constant:
            words = f"The line `{name}` goes both ways, but its condition is asked on the way out alone."
            do = "Say with `when.theirs` when it holds on the way in, or make the line `only: out`."
            self.problem("condition-one-sided", words, said.where("when"), do)
        if None in our_places or None in their_places:
            return None
        bound_ours = tuple(place for place in our_places if place)
        bound_theirs = tuple(place for place in their_places if place)
        for place in bound_theirs if only != "in" else ():
            if place.slot.read_only:
                words = f"`{name}` writes `{place}`, which {self.stack.system} makes itself."
                self.problem("writes-read-only", words, said.where("theirs"), "Make the line `only: in`.")
        common: dict[str, Any] = {
            "name": name,
            "ours": bound_ours,
            "theirs": bound_theirs,
            "origin": said.origin,
            "changed": tuple(said.changed),
            "when_ours": when_ours,
            "when_theirs": when_theirs,
            "only": only,
            "on": values.get("on"),
            "owner": values.get("owner") or owner,
            "link": values.get("link"),
            "tables": tuple(values.get("table") or ()),
        }
        try:
            if constant:
                place, vendor = (bound_ours[0], False) if only == "in" else (bound_theirs[0], True)
                return BoundLine(**common, constant=(lenses.typed(values["constant"], place.slot, vendor=vendor),))
            if "each" in values:
                return self.list_line(common, values["each"], owner, said)
            lens = self.lens(values, said, bound_ours, bound_theirs, only)
            default = None
            if "default" in values:
                default = (lenses.typed(values["default"], bound_ours[0].slot, vendor=False),)
            otherwise = self.otherwise(values, said, ours, bound_ours)
        except Unfit as unfit:
            self.problem(unfit.code, f"`{name}`: {unfit.said}", said.where(does[0] if does else "theirs"), unfit.do)
            return None
        tables = common["tables"]
        first = self.stack.tables[tables[0]].origin if tables else None
        return BoundLine(**common, lens=lens, default=default, otherwise=otherwise, table_origin=first)

    def list_line(self, common: dict[str, Any], each: Merged, owner: str, said: Said) -> BoundLine | None:
        """A line whose items have lines of their own."""
        ours, theirs = common["ours"][0], common["theirs"][0]
        sides: tuple[tuple[Place, Side, str], ...] = ((ours, "ours", "our"), (theirs, "theirs", "their"))
        for place, side, whose in sides:
            if place.slot.form != "list" or place.slot.model is None:
                words = f"`{common['name']}`: `each` maps lists of objects; {whose} `{place}` is none."
                self.problem("each-without-list", words, said.where(side))
                return None
        shape = self.shape(each, ours.slot.model, theirs.slot.model, owner)
        return BoundLine(**common, each=shape)

    def lens(
        self,
        values: Mapping[str, Any],
        said: Said,
        ours: tuple[Place, ...],
        theirs: tuple[Place, ...],
        only: str | None,
    ) -> Lens:
        """What a line does with its values."""
        our_slots, their_slots = [p.slot for p in ours], [p.slot for p in theirs]
        if "table" in values:
            return self.tables(values["table"], said.where("table"), our_slots, their_slots, only)
        if "join" in values:
            return self.join(values["join"], our_slots, their_slots, only)
        if len(ours) != 1 or len(theirs) != 1:
            raise Unfit("several-paths", "Several paths on a side need `join` or a `table`.")
        one, other = our_slots[0], their_slots[0]
        if "link" in values:
            if values["link"] not in self.kinds:
                words = f"There is no kind `{values['link']}` to link to."
                raise Unfit("link-unknown", words, did_you_mean(values["link"], self.kinds))
            if other.form not in ("integer", "text", "any"):
                raise Unfit("type-mismatch", "A link leads to an id of the vendor: text or a whole number.")
            return lenses.link(values["link"], other)
        if "lens" in values:
            return own_lens(values["lens"], self.own, one, other)
        for key, wanted, made in (
            ("minor_units", ("number", "integer"), lenses.minor_units),
            ("date", ("date", "text"), lenses.day),
        ):
            if key in values:
                _wants(wanted, one, other)
                return made(values[key])
        if "digits" in values:
            _wants(("text", "integer"), one, other)
            return lenses.digits()
        if only != "in" and other.choices is not None and not (one.choices and one.choices <= other.choices):
            known = ", ".join(sorted(map(str, other.choices)))
            raise Unfit("choices-differ", f"Theirs takes only {known}.", "Say with a `table` which of ours is which.")
        if only != "out" and one.choices is not None and not (other.choices and other.choices <= one.choices):
            known = ", ".join(sorted(map(str, one.choices)))
            raise Unfit("choices-differ", f"Ours takes only {known}.", "Say with a `table` which of theirs is which.")
        return lenses.copy(one, other)

    def join(self, separator: str, ours: list[Slot], theirs: list[Slot], only: str | None) -> Lens:
        """Several texts that are one on the other side."""
        if not separator:
            raise Unfit("join-empty", "The separator of `join` is empty: the text could not be taken apart again.")
        if len(ours) == len(theirs) == 1 and ours[0].form == "list" and ours[0].item == "text":
            _wants(("list", "text"), ours[0], theirs[0])
            return lenses.join_list(separator, both_ways=only is None)
        if any(slot.form != "text" for slot in (*ours, *theirs)) or (len(ours) > 1) == (len(theirs) > 1):
            raise Unfit("type-mismatch", "`join` makes one text of several texts, or of a list of texts.")
        if len(ours) > 1:
            return lenses.join(separator, len(ours), both_ways=only is None)
        return lenses.reverse(lenses.join(separator, len(theirs), both_ways=only is None))

    def otherwise(
        self, values: Mapping[str, Any], said: Said, ours: type[BaseModel], target: tuple[Place, ...]
    ) -> Otherwise | None:
        """What our value follows from where the document does not state it."""
        given = values.get("otherwise")
        if given is None:
            return None
        at = said.where("otherwise")
        places = [self.place(text, ours, "ours", at.inside("ours")) for text in given["ours"]]
        found = [place for place in places if place]
        if len(found) != len(places):
            return None
        if given["table"]:
            into = self.tables([given["table"]], at, [p.slot for p in found], [p.slot for p in target], "out").out
        elif len(found) == 1:
            if found[0].slot.form != target[0].slot.form:
                raise Unfit("type-mismatch", f"`otherwise`: `{found[0]}` is {lenses.WORDS[found[0].slot.form]}.")
            into = lenses.COPY
        else:
            raise Unfit("several-paths", "`otherwise` with several paths needs a table.")
        named = (given["table"],) if given["table"] else ()
        first = self.stack.tables[named[0]].origin if named else None
        return Otherwise(tuple(place.path for place in found), into, at, named, first)

    # --- tables -------------------------------------------------------------------------------------------------------

    def tables(self, names: Sequence[str], at: Origin, ours: list[Slot], theirs: list[Slot], only: str | None) -> Lens:
        """A table, or several after one another, between these places."""
        chosen: list[tuple[str, MergedTable]] = []
        for name in names:
            self.used.add(name)
            if name not in self.stack.tables:
                self.missed.add(name)
                raise Unfit("table-unknown", f"There is no table `{name}`.", did_you_mean(name, self.stack.tables))
            chosen.append((name, self.stack.tables[name]))
        for name, found in chosen:
            if found.only is not None and found.only != only:
                way = "out" if found.only == "out" else "in"
                raise Unfit("table-one-way", f"The table `{name}` goes one way ({way}); the line goes both.",
                            f"Make the line `only: {way}`.")  # fmt: skip
        text = Slot("text")
        middle = [ours, *[[text] for _ in chosen[1:]], theirs]
        parts = [
            one_table(self, name, found, middle[number], middle[number + 1], only)
            for number, (name, found) in enumerate(chosen)
        ]
        return lenses.chain(parts)

    # --- conditions ---------------------------------------------------------------------------------------------------

    def condition(
        self, given: Sequence[Mapping[str, Any]], model: type[BaseModel], side: Side, at: Origin
    ) -> Condition:
        """Tests that must all hold."""
        return tuple(
            test
            for number, part in enumerate(given)
            for path, tests in part.items()
            for test in self.test(path, tests, model, side, _deeper(at.inside(path), at.inside(number, path)))
        )

    def test(
        self, path: str, tests: Mapping[str, Any], model: type[BaseModel], side: Side, at: Origin
    ) -> Iterable[BoundTest]:
        """What is asked of one path."""
        place = self.place(path, model, side, at)
        if place is None:
            return
        slot = place.slot
        for how, value in tests.items():
            if value is None:
                continue
            try:
                if how in ("any", "every"):
                    if slot.form != "list" or slot.model is None:
                        raise Unfit("condition-unfit", f"`{how}` asks the items of a list; `{path}` is none.")
                    yield BoundTest(place.path, how, self.condition(value, slot.model, side, at.inside(how)), slot)
                elif how == "present":
                    yield BoundTest(place.path, how, value, slot)
                elif how in ("above", "below"):
                    if slot.form not in ("number", "integer"):
                        raise Unfit("condition-unfit", f"`{how}` asks a number; `{path}` is none.")
                    yield BoundTest(place.path, how, value, slot)
                else:
                    typed = _asked(value, slot, vendor=side == "theirs")
                    yield BoundTest(place.path, how, typed, slot)
            except Unfit as unfit:
                self.problem(unfit.code, f"Condition on `{path}`: {unfit.said}", at, unfit.do)


def _deeper(one: Origin, other: Origin) -> Origin:
    """A condition is a mapping of paths, or a list of such: the place that the file has."""
    return max(one, other, key=lambda at: at.line)


def _asked(values: Sequence[Any], slot: Slot, *, vendor: bool) -> tuple[Any, ...]:
    return tuple(None if value is None else lenses.typed(value, slot, vendor=vendor) for value in values)


def _wants(forms: tuple[str, str], ours: Slot, theirs: Slot) -> None:
    if (ours.form, theirs.form) != forms:
        wanted = [lenses.WORDS[form] for form in forms]  # type: ignore[index]
        found = [lenses.WORDS[slot.form] for slot in (ours, theirs)]
        raise Unfit(
            "type-mismatch",
            f"This lens stands between {wanted[0]} of ours and {wanted[1]} of theirs, not {found[0]} and {found[1]}.",
        )
