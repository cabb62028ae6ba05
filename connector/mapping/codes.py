"""Codes of the ledger that a mapping relies on, and those of them that are not there.

A table's right-hand sides, constants and defaults name accounts, VAT codes and payment types of one company's ledger. A
file cannot know whether they are there; the ledger's options can. Pure: the compiled mapping and the options as they
were read. Nothing is said against a code of a list that is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from connector.mapping.bound import BoundLine, BoundShape
from connector.mapping.layers import Origin, Stack
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.problems import Problem, did_you_mean
from connector.options import MARK, Options

WORDS = {
    "vat-code": "VAT code",
    "purchase-vat-code": "VAT code of purchases",
    "account": "account",
    "payment-type": "payment type",
    "currency": "currency",
}
"""What a list's values are called."""


@dataclass(frozen=True, slots=True)
class Use:
    """A code that something in a file leads to. `choice`: the list it is of (`connector.options.Choice`, or the kind of
    a dimension); `said_by`: what names it, in words.
    """

    choice: str
    code: str
    said_by: str
    origin: Origin

    @property
    def of_company(self) -> bool:
        """Whether the company, or its accountant, says it; what is shipped has rows that many companies never need."""
        return self.origin.layer not in ("shared", "system")


def problems(found: Collection[Use], options: Options) -> list[Problem]:
    """Every one of the codes that the ledger does not have, or has closed, with file and line.

    An error where an office's or tenant's file says it; a warning where it is a row as shipped, which only matters
    once a document uses it.
    """
    return [problem_of(use, options) for use in missing(found, options)]


def missing(found: Collection[Use], options: Options) -> list[Use]:
    """Those of the codes that the ledger does not have, or has closed."""
    return [use for use in found if _known(use, options) and not _is_there(use, options)]


def uses(mapping: SystemMapping, kinds: Collection[str] | None = None) -> list[Use]:
    """Every code of the ledger that a mapping leads to when it writes, each once for each place that says it."""
    found: dict[tuple[str, str, Origin], Use] = {}
    for name, mapper in mapping.mappers.items():
        if kinds is None or name in kinds:
            for use in _of_shape(mapper.bound.shape, mapping):
                found.setdefault((use.choice, use.code, use.origin), use)
    return list(found.values())


def of_settings(model: type[BaseModel], said: Mapping[str, Any], lines: Mapping[str, Origin]) -> list[Use]:
    """The codes that a connection's settings name. `lines`: where each stands."""
    found = []
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        choice, code = extra.get(MARK), said.get(name)
        if isinstance(choice, str) and code is not None:
            found.append(Use(choice, str(code), f"the setting `{name}`", lines[name]))
    return found


def problem_of(use: Use, options: Options) -> Problem:
    """What is wrong with a code that is not there."""
    word = WORDS.get(use.choice, use.choice)
    there = options.find(use.choice, use.code)
    known = [one.code for one in _all(use.choice, options) if one.active]
    said = (
        f"{use.said_by[0].upper()}{use.said_by[1:]} leads to {word} {use.code}, which is closed in the ledger."
        if there is not None
        else f"{use.said_by[0].upper()}{use.said_by[1:]} leads to {word} {use.code}, which the ledger does not have."
    )
    take_away = "" if use.of_company else " Where the company never needs it, take the row away in the tenant's file."
    do = f"Name another here, or make it there. {did_you_mean(use.code, known)}".strip() + take_away
    severity = "error" if use.of_company else "warning"
    code = "code-inactive" if there is not None else "code-not-in-ledger"
    return Problem(code, said, use.origin.file, use.origin.line, do, severity)  # type: ignore[arg-type]


def _of_shape(shape: BoundShape, mapping: SystemMapping) -> Iterator[Use]:
    for line in shape.lines:
        if not line.writes:
            continue
        if line.each is not None:
            yield from _of_shape(line.each, mapping)
        elif line.link is not None:
            yield from _of_link(line, mapping)
        elif len(line.theirs) == 1 and (choice := line.theirs[0].slot.chooses) is not None:
            yield from _of_line(line, choice, mapping.stack)


def _of_line(line: BoundLine, choice: str, stack: Stack) -> Iterator[Use]:
    if line.constant is not None:
        yield Use(
            choice, str(line.constant[0]), f"the line `{line.name}`", line.changed[-1] if line.changed else line.origin
        )
    for name in line.tables[-1:]:
        for row, origin in stack.tables[name].rows.values():
            if row.only != "in" and row.theirs is not None and len(row.theirs) == 1 and row.theirs[0] is not None:
                yield Use(choice, str(row.theirs[0]), f"the table `{name}`", origin)
    if line.default is not None and not line.tables and line.lens is not None:
        code = line.lens.out.apply(line.default[0])
        yield Use(choice, str(code), f"the default of `{line.name}`", line.origin)


def _of_link(line: BoundLine, mapping: SystemMapping) -> Iterator[Use]:
    """A default that is linked to a record which is never made: it must be there."""
    kind = line.link or ""
    made = kind not in mapping or mapping[kind].bound.register.creates != "never"
    if line.default is not None and not made:
        yield Use(kind, str(line.default[0]), f"the default of `{line.name}`", line.origin)


def _known(use: Use, options: Options) -> bool:
    return options.knows(use.choice) or options.dimension(use.choice) is not None


def _is_there(use: Use, options: Options) -> bool:
    return any(one.active and one.is_called(use.code) for one in _all(use.choice, options))


def _all(choice: str, options: Options) -> list[Any]:
    if options.knows(choice):
        return list(options.lists[choice])
    return [value for one in options.dimensions if one.kind == choice for value in one.values]
