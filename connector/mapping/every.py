"""Everything that stops a document, at once: each line and each refusal of a mapping tried by itself.

`Mapper.out` stops at the first; a person who mends a document wants them all. The very same compiler makes the pieces,
so what is said here is what `out` would say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connector.errors import ConnectorError
from connector.mapping import paths
from connector.mapping.bound import BoundLine, BoundRefusal, BoundShape
from connector.mapping.compile import compile_kind

_CHOSEN = re.compile(r"\[(?!\d+\])[^\]]*\]")
"""A choice in a list that a path makes; the numbers of items stay."""

Piece = Callable[[Mapping[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A shape taken apart: what stops is tried one by one; lists are tried item by item."""

    refusals: tuple[tuple[BoundRefusal, Piece], ...]
    lines: tuple[tuple[BoundLine, Piece], ...]
    lists: tuple[tuple[BoundLine, Piece, Pieces], ...]


def taken_apart(kind: str, shape: BoundShape) -> Pieces:
    """The pieces of a shape on its way out."""
    refusals = [one for one in shape.refusals if one.side == "ours"]
    lines = [line for line in shape.lines if line.writes and line.each is None]
    lists = [line for line in shape.lines if line.writes and line.each is not None]
    return Pieces(
        tuple((one, _only(kind, shape, refusals=(one,))) for one in refusals),
        tuple((line, _only(kind, shape, lines=(line,))) for line in lines),
        tuple((line, _asked(kind, shape, line), taken_apart(kind, line.each)) for line in lists if line.each),
    )


def _only(kind: str, shape: BoundShape, **of: Any) -> Piece:
    return compile_kind(kind, replace(shape, **{"lines": (), "refusals": (), **of}), "out")[0]


def _asked(kind: str, shape: BoundShape, line: BoundLine) -> Piece:
    """Stops where the line's condition holds."""
    asks = BoundRefusal(line.name, "ours", line.when_ours, "", "", line.origin)
    return _only(kind, shape, refusals=(asks,))


def problems(pieces: Pieces, document: Mapping[str, Any], context: Any, where: str = "") -> Iterator[ConnectorError]:
    """What each piece says against the document, with its place; `where`: the item of a list that it is."""
    for refusal, piece in pieces.refusals:
        error = _tried(piece, document, context)
        if error is not None:
            asked = next((paths.shown(test.path) for test in refusal.when), "")
            yield _placed(error, where, f"{where}{paths.without_picks(asked)}")
    for _, piece in pieces.lines:
        error = _tried(piece, document, context)
        if error is not None:
            yield _placed(error, where, f"{where}{error.where.get('field', '')}")
    for inner, item, place in _items(pieces, document, context, where):
        yield from problems(inner, item, context, place)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value of one of the ledger's lists that a document comes to. `field`: ours that leads to it, with the item of a
    list; `line`: the line of the mapping.
    """

    choice: str
    code: str
    field: str
    line: BoundLine


def chosen(pieces: Pieces, document: Mapping[str, Any], context: Any, where: str = "") -> Iterator[Chosen]:
    """Every such value that a document comes to; what stops says nothing here."""
    for line, piece in pieces.lines:
        choice = line.theirs[0].slot.chooses if len(line.theirs) == 1 else None
        if choice is None:
            continue
        try:
            value = paths.get(piece(document, context), line.theirs[0].path)
        except ConnectorError:
            continue
        if value is not None:
            ours = str(line.ours[0]) if line.ours else ""
            yield Chosen(choice, str(value), _CHOSEN.sub("", f"{where}{ours}").rstrip("."), line)
    for inner, item, place in _items(pieces, document, context, where):
        yield from chosen(inner, item, context, place)


def _items(
    pieces: Pieces, document: Mapping[str, Any], context: Any, where: str
) -> Iterator[tuple[Pieces, Mapping[str, Any], str]]:
    """Every item of the lists that are carried, with its pieces and its place."""
    for line, asked_for, inner in pieces.lists:
        if line.when_ours and _tried(asked_for, document, context) is None:
            continue
        name = str(line.ours[0])
        for number, item in enumerate(paths.get(document, line.ours[0].path) or ()):
            yield inner, item, f"{where}{name}[{number}]."


def _tried(piece: Piece, document: Mapping[str, Any], context: Any) -> ConnectorError | None:
    try:
        piece(document, context)
    except ConnectorError as error:
        return error
    return None


def _placed(error: ConnectorError, where: str, field: str) -> ConnectorError:
    said = field.removeprefix(where)
    error.where["field"] = _CHOSEN.sub("", field).rstrip(".")
    if where and said and error.said.startswith(f"{said}: "):
        error.said = f"{where}{error.said}"
    return error
