"""Everything that stops a document, at once: each line and each refusal of a mapping tried by itself.

`Mapper.out` stops at the first; a person who mends a document wants them all. The very same compiler makes the pieces,
so what is said here is what `out` would say. Dimension rules are asked one after the other, as `out` does: what one of
them derives, the next ones and the lines see.
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
from connector.mapping.conditions import Condition
from connector.mapping.dimensions import DimensionRule
from connector.mapping.layers import Origin

_CHOSEN = re.compile(r"\[(?!\d+\])[^\]]*\]")
"""A choice in a list that a path makes; the numbers of items stay."""

Piece = Callable[[Mapping[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A shape taken apart: what stops is tried one by one; lists are tried item by item."""

    refusals: tuple[tuple[BoundRefusal, Piece], ...]
    rules: tuple[tuple[DimensionRule, Piece], ...]
    """Each with what stops where its condition holds."""
    lines: tuple[tuple[BoundLine, Piece], ...]
    lists: tuple[tuple[BoundLine, Piece, Pieces], ...]


def taken_apart(kind: str, shape: BoundShape) -> Pieces:
    """The pieces of a shape on its way out."""
    refusals = [one for one in shape.refusals if one.side == "ours"]
    rules = [rule for rule in shape.dimensions if rule.goes_out]
    lines = [line for line in shape.lines if line.writes and line.each is None]
    lists = [line for line in shape.lines if line.writes and line.each is not None]
    return Pieces(
        tuple((one, _only(kind, shape, refusals=(one,))) for one in refusals),
        tuple((rule, _asked(kind, shape, rule.name, rule.when, rule.origin)) for rule in rules),
        tuple((line, _only(kind, shape, lines=(line,))) for line in lines),
        tuple(
            (line, _asked(kind, shape, line.name, line.when_ours, line.origin), taken_apart(kind, line.each))
            for line in lists
            if line.each
        ),
    )


def _only(kind: str, shape: BoundShape, **of: Any) -> Piece:
    bare = replace(shape, **{"lines": (), "refusals": (), "dimensions": (), **of})
    return compile_kind(kind, bare, "out")[0]


def _asked(kind: str, shape: BoundShape, name: str, when: Condition, origin: Origin) -> Piece:
    """Stops where the condition holds."""
    return _only(kind, shape, refusals=(BoundRefusal(name, "ours", when, "", "", origin),))


def problems(
    pieces: Pieces, document: Mapping[str, Any], context: Any, where: str = "", whole: Mapping[str, Any] | None = None
) -> Iterator[ConnectorError]:
    """What each piece says against the document, with its place.

    Args:
        where: the item of a list that it is, of the document `whole`.
    """
    for refusal, piece in pieces.refusals:
        error = _tried(piece, document, context)
        if error is not None:
            asked = next((paths.shown(test.path) for test in refusal.when), "")
            yield _placed(error, where, f"{where}{paths.without_picks(asked)}")
    document, broken = _ruled(pieces, document, context, whole)
    for rule, error in broken:
        error.where.update(file=rule.origin.file, line=rule.origin.line)
        yield _placed(error, where, f"{where}{error.where.get('field') or paths.shown(rule.path)}")
    for _, piece in pieces.lines:
        error = _tried(piece, document, context)
        if error is not None:
            yield _placed(error, where, f"{where}{error.where.get('field', '')}")
    for inner, item, place in _items(pieces, document, context, where):
        yield from problems(inner, item, context, place, document if whole is None else whole)


def _ruled(
    pieces: Pieces, document: Mapping[str, Any], context: Any, whole: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any], list[tuple[DimensionRule, ConnectorError]]]:
    """What dimension rules make of it, and those that it breaks."""
    broken = []
    for rule, asked_for in pieces.rules:
        if rule.when and _tried(asked_for, document, context) is None:
            continue
        try:
            document = rule.ask("out")(document, document if whole is None else whole)
        except ConnectorError as error:
            broken.append((rule, error))
    return document, broken


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value of one of the ledger's lists that a document comes to. `field`: ours that leads to it, with the item of a
    list; `line`: the line of the mapping.
    """

    choice: str
    code: str
    field: str
    line: BoundLine


def chosen(
    pieces: Pieces, document: Mapping[str, Any], context: Any, where: str = "", whole: Mapping[str, Any] | None = None
) -> Iterator[Chosen]:
    """Every such value that a document comes to; what stops says nothing here. Arguments as of `problems`."""
    document, _ = _ruled(pieces, document, context, whole)
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
        yield from chosen(inner, item, context, place, document if whole is None else whole)


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
