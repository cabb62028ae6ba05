"""Codes that a mapping writes and the connected ledger does not have: found before an invoice fails on them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from connector.mapping.bound import BoundLine, BoundShape
from connector.mapping.layers import Origin, Stack, shown_code
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.paths import without_picks
from connector.mapping.problems import Problem, did_you_mean

Options = Mapping[str, Collection[str]]
"""What a ledger takes: by field of its records, as mapping files name it or how that ends (`vatType.number`), all codes
there are, as text. Fields that are not named are not judged.
"""


def codes_missing(mapping: SystemMapping, options: Options) -> list[Problem]:
    """Rows of tables and constants that write a code the ledger does not have, each with file and line.

    What an office or tenant says itself is an error. What is shipped is a warning: a ledger need not have every code
    that there is; only a document with that code will stop.
    """
    found: dict[tuple[str, int], Problem] = {}
    for mapper in mapping.mappers.values():
        for problem in _of_shape(mapper.bound.shape, "", mapping.stack, options):
            found.setdefault((problem.file, problem.line), problem)  # several lines may use one row
    return [found[place] for place in sorted(found)]


def _of_shape(shape: BoundShape, where: str, stack: Stack, options: Options) -> Iterator[Problem]:
    for line in shape.lines:
        if line.each is not None:
            yield from _of_shape(line.each, f"{where}{line.theirs[0]}.", stack, options)
            continue
        for number, place in enumerate(line.theirs if line.writes else ()):
            field = without_picks(f"{where}{place}")
            known = next((codes for name, codes in options.items() if _ends(field, name)), None)
            if known is None:
                continue
            for code, origin, table in _written(line, number, stack):
                if str(code) not in known:
                    yield _problem(str(code), field, origin, table, known)


def _written(line: BoundLine, number: int, stack: Stack) -> Iterator[tuple[object, Origin, str | None]]:
    """The codes that a line can write into the place of this number, where each is said, and in which table."""
    if line.constant is not None:
        yield line.constant[0], line.origin if not line.changed else line.changed[-1], None
    elif line.tables:
        for row, origin in stack.tables[line.tables[-1]].rows.values():
            code = row.theirs[number] if row.theirs and number < len(row.theirs) else None
            if code is not None and row.only != "in":
                yield code, origin, line.tables[-1]


def _ends(field: str, name: str) -> bool:
    return field == name or field.endswith(f".{name}")


def _problem(code: str, field: str, at: Origin, table: str | None, known: Collection[str]) -> Problem:
    where = f"The table `{table}` writes" if table else "The line writes"
    said = f"{where} {shown_code([code])} into `{field}`, and the ledger has no such code."
    own = at.layer == "office" or at.layer.startswith("tenant")
    do = did_you_mean(code, known) if own else "Documents with this code will stop; change the row, or make it there."
    return Problem("code-not-in-ledger", said, at.file, at.line, do, "error" if own else "warning")
