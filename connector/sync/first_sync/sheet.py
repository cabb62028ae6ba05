"""The proposal as a file: CSV with semicolons, as Norwegian Excel opens and saves it.

A person changes the column `handling` and nothing else; `slag` and the two ids say which things a line is about. A row
may be copied to join two things that the proposal has not put side by side: with the id of ours and the id of theirs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.errors import BadInput
from connector.sync.first_sync.matching import Action, Line, Thing
from connector.sync.first_sync.words import ACTIONS, CERTAINTIES, KINDS, QUESTION, why

COLUMNS = (
    "nr",
    "slag",
    "handling",
    "sikkerhet",
    "hvorfor",
    "vårt nummer",
    "vårt navn",
    "vårt beløp",
    "deres nummer",
    "deres navn",
    "deres beløp",
    "vår id",
    "deres id",
)
TITLE = "Forslag"
MOST_BYTES = 64 * 1024 * 1024
_READ: Mapping[str, Action] = {
    **{word: action for action, word in ACTIONS.items()},  # type: ignore[misc]
    **{action: action for action in ACTIONS},  # type: ignore[misc]
}
_KINDS = {word: kind for kind, word in KINDS.items()} | {kind: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Decided:
    """One line of the file: what shall be done with which thing. `row` is its line number, from 1."""

    row: int
    kind: str
    action: Action | None
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line, and what helps."""

    row: int
    said: str
    do: str = ""


# --- written ----------------------------------------------------------------------------------------------------------


def write(lines: Iterable[Line], *, id: str, connection: str, made: str) -> bytes:
    """The file. `id` names the proposal, `made` is when it was made, for people."""
    rows: list[Sequence[Any]] = [(TITLE, id, connection, made), COLUMNS]
    for number, line in enumerate(lines, 1):
        action = QUESTION if line.action is None else ACTIONS[line.action]
        certainty = CERTAINTIES.get(line.certainty or "", "")
        said = (*_shown(line.ours), *_shown(line.theirs))
        ids = (line.ours and f"d-{line.ours.id}", line.theirs and f"t-{line.theirs.id}")
        cells = (number, KINDS.get(line.kind, line.kind), action, certainty, why(line, "nb"), *said, *ids)
        rows.append(cells)
    return written(rows)


def written(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as a file that Norwegian Excel opens, every cell as the text that it is."""
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows([_safe(cell) for cell in row] for row in rows)
    # With the mark by which Excel knows UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _shown(thing: Thing | None) -> tuple[Any, ...]:
    return (None, None, None) if thing is None else (thing.number, thing.name, _kroner(thing.amount))


def _kroner(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}".replace(".", ",")


def _safe(cell: Any) -> str:
    """Text that a spreadsheet does not take for a formula: names come from strangers."""
    said = "" if cell is None else str(cell)
    is_amount = said[:1] == "-" and said[1:].replace(",", "").isdigit()
    return f"'{said}" if said[:1] in "=+-@\t\r" and said and not is_amount and said != QUESTION else said


# --- read back --------------------------------------------------------------------------------------------------------


def read(content: bytes, *, id: str, file: str) -> list[Decided]:
    """The lines of a file.

    Args:
        id: of the proposal that is open: the file must be of it.
        file: its name, for errors.

    Raises:
        BadInput: it is no such file (`proposal-malformed`), of another proposal (`proposal-another`), or lines of it
            are wrong (`proposal-wrong`, all of them in `details`).
    """
    rows = _proposal(content, file)
    if _cell(rows[0], 1) != id:
        raise BadInput(
            f"{file}:1: This is the proposal {_cell(rows[0], 1) or '(none)'}; the one that is open is {id}.",
            code="proposal-another",
            do="Use the file that was written last, or propose anew.",
            where={"file": file, "line": 1},
        )
    head = [name.strip().casefold() for name in rows[1]]
    missing = [name for name in ("slag", "handling", "vår id", "deres id") if name not in head]
    if missing:
        raise _malformed(file, 2, f"The columns {', '.join(missing)} are not there.")
    at = {name: head.index(name) for name in ("slag", "handling", "vår id", "deres id")}
    lines: list[Decided] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows[2:], 3):
        if not any(cell.strip() for cell in row):
            continue
        word = _cell(row, at["handling"]).casefold()
        kind = _KINDS.get(_cell(row, at["slag"]).casefold())
        ours, theirs = _id(row, at["vår id"], "d-"), _id(row, at["deres id"], "t-")
        if kind is None:
            problems.append(
                Problem(number, f"`{_cell(row, at['slag'])}` is no kind.", f"Use: {', '.join(KINDS.values())}.")
            )
        elif word not in _READ and word not in (QUESTION, ""):
            do = f"Use one of: {', '.join(ACTIONS.values())}."
            problems.append(Problem(number, f"`{_cell(row, at['handling'])}` is nothing that can be done.", do))
        elif (ours, theirs) == (None, None):
            problems.append(
                Problem(number, "Neither `vår id` nor `deres id` is filled in.", "Copy them from the proposal.")
            )
        else:
            lines.append(Decided(number, kind, _READ.get(word), ours, theirs))
    refuse(problems, file)
    return lines


def proposal_of(content: bytes, file: str) -> str:
    """The id of the proposal that a file is of. Raises `BadInput` (`proposal-malformed`)."""
    return _cell(_proposal(content, file)[0], 1)


def refuse(problems: Sequence[Problem], file: str) -> None:
    """Raises `BadInput` (`proposal-wrong`) where there are problems; all of them, in the order of the file."""
    if not problems:
        return
    ordered = sorted(problems, key=lambda one: one.row)
    first = ordered[0]
    raise BadInput(
        f"{file}:{first.row}: {first.said}" + (f" And {len(ordered) - 1} more." if len(ordered) > 1 else ""),
        code="proposal-wrong",
        do=first.do or "Mend the lines named; nothing has been done.",
        where={"file": file, "line": first.row},
        details=[{"file": file, "line": one.row, "message": one.said, "do": one.do} for one in ordered],
    )


def _proposal(content: bytes, file: str) -> list[list[str]]:
    rows = table(content, file)
    if len(rows) < 2 or _cell(rows[0], 0).casefold() != TITLE.casefold():
        raise _malformed(file, 1, f"The first row does not begin with {TITLE}.")
    return rows


def table(content: bytes, file: str) -> list[list[str]]:
    """The cells of a CSV file, whichever way a spreadsheet has saved it. Raises `BadInput` (`proposal-malformed`)."""
    if len(content) > MOST_BYTES:
        raise _malformed(file, 1, f"It is larger than {MOST_BYTES // 2**20} MiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # what Excel saves as plain CSV
    begin = text.splitlines()[:2]
    separator = max(";\t,", key=begin[1].count) if len(begin) == 2 else ";"
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise _malformed(file, 1, f"It is no CSV: {error}.") from None


def _malformed(file: str, line: int, said: str) -> BadInput:
    return BadInput(
        f"{file}:{line}: {said}",
        code="proposal-malformed",
        do="Give the CSV file that `connector first-sync propose` wrote, saved as CSV.",
        where={"file": file, "line": line},
    )


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


def _id(row: Sequence[str], at: int, mark: str) -> str | None:
    said = _cell(row, at).removeprefix("'")
    return said.removeprefix(mark) or None
