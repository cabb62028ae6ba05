"""Lenses: how a value goes from our document to the vendor's record, and how it comes back.

A lens is a pair of conversions that belong together. They obey two laws, for every value that does not stop:

    writing what was read changes nothing       out(into(theirs)) == theirs
    reading what was written gives it back      into(out(ours)) == ours

A conversion is a piece of Python expression, so that the compiled mapper does it without a call where it can. A value
that cannot go through raises `LensStop`; nothing is ever replaced by a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connector.mapping.paths import Form, Slot
from connector.model.money import EXACT


class LensStop(ValueError):
    """A value that cannot go through a lens. `code` is stable, `do` says what helps."""

    def __init__(self, code: str, said: str, do: str = "") -> None:
        super().__init__(said)
        self.code, self.said, self.do = code, said, do


@dataclass(frozen=True, slots=True)
class Conversion:
    """One direction: an expression of `{v}` (the value; of several, a tuple) with the constants it names."""

    template: str = "{v}"
    constants: Mapping[str, Any] = field(default_factory=dict)

    def then(self, other: Conversion) -> Conversion:
        """One conversion, and then the other."""
        if other.template == "{v}":
            return self
        renamed = {f"{name}_": value for name, value in self.constants.items()}
        inner = self.template
        for name in self.constants:
            inner = inner.replace("{" + name + "}", "{" + name + "_}")
        return Conversion(other.template.replace("{v}", f"({inner})"), {**renamed, **other.constants})

    def apply(self, value: Any, context: Any = None) -> Any:
        """The conversion of one value, as the compiled mapper does it."""
        names = {name: f"_{name}" for name in self.constants}
        spaces = {f"_{name}": constant for name, constant in self.constants.items()}
        code = self.template.format(v="value", **names)
        return eval(code, {**spaces, "value": value, "ctx": context})  # noqa: S307 - our own templates only


COPY = Conversion()


def call(function: Callable[[Any], Any]) -> Conversion:
    """A conversion by a function."""
    return Conversion("{f}({v})", {"f": function})


@dataclass(frozen=True, slots=True)
class Lens:
    """Both directions, and what it does in words."""

    words: str
    out: Conversion
    into: Conversion


# --- values of one form -----------------------------------------------------------------------------------------------


def _number(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise TypeError(f"{value!r} is no exact number")


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is no whole number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is neither true nor false")


_NUMBER = Conversion("{v} if {v}.__class__ is {D} else {f}({v})", {"D": Decimal, "f": _number})
_TEXT_IN = Conversion("{v}.strip() or None")
_SAME: dict[Form, tuple[Conversion, Conversion]] = {
    "text": (COPY, _TEXT_IN),
    "boolean": (COPY, call(_boolean)),
    "integer": (COPY, call(_integer)),
    "number": (COPY, _NUMBER),
    "date": (Conversion("{v}.isoformat()"), call(date.fromisoformat)),
    "datetime": (Conversion("{v}.isoformat()"), call(datetime.fromisoformat)),
    "any": (COPY, COPY),
}

WORDS: dict[Form, str] = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "datetime": "a date and time",
    "bytes": "a file",
    "object": "an object",
    "list": "a list",
    "any": "anything",
}


class Unfit(Exception):
    """A lens, or a value, does not fit the places it is put between; `at`: where inside the data, if it is known."""

    def __init__(self, code: str, said: str, do: str = "", at: tuple[str | int, ...] = ()) -> None:
        super().__init__(said)
        self.code, self.said, self.do, self.at = code, said, do, at


def copy(ours: Slot, theirs: Slot) -> Lens:
    """The same value on both sides; days become ISO text in JSON. Raises `Unfit` where the forms differ."""
    if ours.form == "any" or theirs.form == "any":
        form = theirs.form if ours.form == "any" else ours.form
        return Lens("the same value", *(_SAME.get(form, (COPY, COPY))))
    if ours.form == theirs.form == "list" and ours.item == theirs.item and ours.item in ("text", "integer"):
        return Lens("the same list", call(list), call(tuple))
    if ours.form != theirs.form or ours.form not in _SAME:
        raise Unfit(
            "type-mismatch",
            f"Ours is {WORDS[ours.form]}, theirs is {WORDS[theirs.form]}: these do not fit.",
            _ADVICE.get((ours.form, theirs.form), "Say with a lens how one becomes the other, or correct the path."),
        )
    return Lens("the same value", *_SAME[ours.form])


_ADVICE: dict[tuple[Form, Form], str] = {
    ("text", "integer"): "`digits: true` turns a text of digits into a number.",
    ("number", "integer"): "`minor_units: 2` counts in øre.",
    ("date", "text"): "`date: iso` or `date: DD.MM.YYYY` says how the day is written.",
    ("text", "boolean"): "A `table` says which text stands for true and which for false.",
    ("list", "list"): "`each` maps the items.",
    ("object", "integer"): "`link` turns the vendor's id into what it stands for.",
    ("object", "object"): "Map the fields inside one by one.",
}


def typed(value: Any, slot: Slot, *, vendor: bool) -> Any:
    """A plain value of a file as the place wants it (the vendor's days are ISO text). Raises `Unfit`."""
    made: Any = value
    match slot.form:
        case "text" if not isinstance(value, bool):
            made = str(value)
        case "number" if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
            try:
                made = Decimal(str(value))
            except ArithmeticError:
                made = None
            if made is not None and not (made.is_finite() and abs(made.adjusted()) < _MOST_DIGITS):
                made = None
        case "integer":
            made = value if isinstance(value, int) and not isinstance(value, bool) else _int_or_none(value)
        case "boolean":
            made = value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value))
        case "date":
            try:
                day = date.fromisoformat(str(value))
                made = day.isoformat() if vendor else day
            except ValueError:
                made = None
        case "any":
            pass
        case _:
            made = None
    if made is None:
        raise Unfit("value-type", f"`{value}` does not fit: {WORDS[slot.form]} is wanted.")
    if slot.choices is not None and made not in slot.choices:
        known = ", ".join(sorted(map(str, slot.choices)))
        raise Unfit("value-unknown", f"`{value}` is none of the values this field takes.", f"It takes: {known}.")
    if (why := slot.refuses(made)) != "":
        raise Unfit("value-unfit", f"`{value}` is no value that this field takes: {why.rstrip('.')}.")
    return made


_MOST_DIGITS = 30
"""No amount, rate or quantity has more digits on a side of the point."""


def _int_or_none(value: Any) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)", value) else None


# --- the named lenses -------------------------------------------------------------------------------------------------


def table(name: str, out: Mapping[Any, Any], into: Mapping[Any, Any]) -> Lens:
    """Codes by a table, already in the forms of both sides. A code that is not in it is a `KeyError`."""
    return Lens(f"table {name}", Conversion("{t}[{v}]", {"t": out}), Conversion("{t}[{v}]", {"t": into}))


def chain(lenses: Sequence[Lens]) -> Lens:
    """One after the other, from ours to theirs."""
    out, into = lenses[0].out, lenses[-1].into
    for lens in lenses[1:]:
        out = out.then(lens.out)
    for lens in reversed(lenses[:-1]):
        into = into.then(lens.into)
    return Lens(" → ".join(lens.words for lens in lenses), out, into)


def link(kind: str, theirs: Slot) -> Lens:
    """The vendor's id of a linked record; the context knows the links and raises `Stop` where there is none.

    Where a record of another kind stands there (None), the line says nothing: another one has it.
    """
    out = "ctx.vendor_id({k}, {v})"

    def whole(id: str | None) -> int | None:
        return None if id is None else int(id)

    known: dict[str, Any] = {"k": kind}
    if theirs.form == "integer":
        out, known = f"{{w}}({out})", {**known, "w": whole}
    return Lens(
        f"link to a {kind}",
        Conversion(out, known),
        Conversion("ctx.our_id({k}, str({v}))", {"k": kind}),
    )


def minor_units(decimals: int) -> Lens:
    """Amounts in the smallest unit: 12.50 kroner are 1250 øre. A fraction of it is a stop, nothing is rounded."""

    def out(amount: Decimal) -> int:
        scaled = amount.scaleb(decimals, context=EXACT)
        whole = int(scaled)
        if whole != scaled:
            raise LensStop(
                "amount-too-fine",
                f"{amount} cannot be written with {decimals} decimals.",
                "Round it in the document; the mapping rounds nothing.",
            )
        return whole

    def into(units: int) -> Decimal:
        return Decimal(_integer(units)).scaleb(-decimals, context=EXACT)

    return Lens(f"in units of 10^-{decimals}", call(out), call(into))


def day(pattern: str) -> Lens:
    """A day as text: `iso`, or a pattern in which YYYY, MM and DD stand once each. Raises `Unfit`."""
    if pattern == "iso":
        return Lens("a day as 2027-01-15", *_SAME["date"])
    parts = re.findall("YYYY|MM|DD", pattern)
    if sorted(parts) != ["DD", "MM", "YYYY"]:
        raise Unfit(
            "date-pattern", f"`{pattern}` is no pattern of a day.", "Write YYYY, MM and DD once each, or `iso`."
        )
    written = (
        re.escape(pattern).replace("YYYY", r"(?P<y>\d{4})").replace("MM", r"(?P<m>\d\d)").replace("DD", r"(?P<d>\d\d)")
    )
    form = re.compile(written, re.ASCII)

    def out(value: date) -> str:
        return (
            pattern.replace("YYYY", f"{value.year:04}")
            .replace("MM", f"{value.month:02}")
            .replace("DD", f"{value.day:02}")
        )

    def into(text: str) -> date:
        found = form.fullmatch(text)
        if not found:
            said = f"`{text}` is no day written as {pattern}."
            raise LensStop("date-malformed", said, "Mend the date in the system, or the pattern in the mapping.")
        return date(int(found["y"]), int(found["m"]), int(found["d"]))

    return Lens(f"a day as {pattern}", call(out), call(into))


def digits() -> Lens:
    """Text of digits as a whole number. Text that would not come back as it was (zeros in front) is a stop."""

    def out(text: str) -> int:
        if not re.fullmatch("0|[1-9][0-9]{0,17}", text):
            said = f"`{text}` cannot become a number and come back the same."
            raise LensStop("digits-malformed", said, "Use a value of digits alone, without zeros in front.")
        return int(text)

    return Lens("text of digits as a number", call(out), call(lambda value: str(_integer(value))))


_OTHER_TEXT = "Change the text, choose another separator, or let the line go one way."


def join(separator: str, parts: int, *, both_ways: bool = True) -> Lens:
    """Several texts in one. Going both ways, a part that is empty before others, or holds the separator, is a stop."""

    def out(values: Sequence[str | None]) -> str:
        held = [value for value in values if value is not None]
        if both_ways and any(value is None for value in values[: len(held)]):
            said = "A part in front is empty: the joined text could not be taken apart again."
            raise LensStop("join-gap", said, "Fill the parts from the front, or let the line go one way.")
        if both_ways and any(separator in value for value in held[: parts - 1]):
            raise LensStop("join-ambiguous", f"A part holds {separator!r}, which separates the parts.", _OTHER_TEXT)
        return separator.join(held)

    def pair(values: tuple[str | None, str | None]) -> str | None:
        first, last = values
        if first is None or separator in first or (last is None and not both_ways):
            return out(values)
        return first if last is None else f"{first}{separator}{last}"

    def into(text: str) -> tuple[str | None, ...]:
        found: list[str | None] = [*text.split(separator, parts - 1)]
        return (*found, *[None] * (parts - len(found)))

    return Lens(f"joined by {separator!r}", call(pair if parts == 2 else out), call(into))


def join_list(separator: str, *, both_ways: bool = True) -> Lens:
    """The items of a list in one text. Going both ways, an item that is empty or holds the separator is a stop."""

    def out(values: Sequence[str]) -> str | None:
        if both_ways and any(separator in value or not value for value in values):
            said = f"An item is empty or holds {separator!r}, which separates the items."
            raise LensStop("join-ambiguous", said, _OTHER_TEXT)
        return separator.join(values) or None

    return Lens(f"joined by {separator!r}", call(out), call(lambda text: tuple(text.split(separator))))


def reverse(lens: Lens) -> Lens:
    """The same lens with the sides exchanged: several of theirs are one of ours."""
    return Lens(lens.words, lens.into, lens.out)
