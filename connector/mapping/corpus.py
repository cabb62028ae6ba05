"""Documents that every mapping is tried on: `check` holds the laws against them.

    writing what was read changes nothing
    reading what was written gives it back
    what is lost is exactly what is declared

They lie in `mappings/corpus`, a file for each kind. The last one of a file fills every field there is; each of its
fields is also tried alone, on the first one. What a mapping refuses it has declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from connector.errors import ConnectorError, Stop
from connector.mapping import files
from connector.mapping.laws import Break, creating_is_updating, losing_is_declared, reading_gives_back
from connector.mapping.laws import writing_changes_nothing as unchanged
from connector.mapping.load import CANONICAL
from connector.mapping.load import Mapping as SystemMapping
from connector.mapping.mapper import Document, Mapper
from connector.mapping.problems import Problem
from connector.mapping.shrink import smallest
from connector.model import json

_FILE = {"external_invoice": "invoice", "external_credit_note": "credit_note"}
"""Kinds that are tried on the documents of another."""


class AnyLinks:
    """Everything is linked: a context in which each thing of ours has an id of its own.

    A document is of the kind it is first asked for, as it is in books: other lines have nothing to say of it.
    """

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        self._things: dict[tuple[str, str], Any] = {}
        self._kinds: dict[str, str] = {}

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """The id of our thing; None where it was asked for as another kind before."""
        name = json.dumps(ours, canonical=True).decode()
        if isinstance(ours, Mapping) and self._kinds.setdefault(name, kind) != kind:
            return None
        id = self._ids.setdefault((kind, name), str(1001 + len(self._ids)))
        self._things[kind, id] = ours
        return id

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """The thing that was written with this id. Raises `Stop` ("link-missing") where none was."""
        try:
            return self._things[kind, vendor_id]
        except KeyError:
            raise Stop(f"Nothing of the corpus is the {kind} {vendor_id}.", code="link-missing") from None


@dataclass(frozen=True, slots=True)
class Tried:
    """How a mapping did: documents tried, those it refused, and what is wrong."""

    documents: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)


@cache
def documents(kind: str) -> tuple[Document, ...]:
    """The documents of a kind as plain data, those with a single field of the fullest among them."""
    path = files.shipped("mappings") / "corpus" / f"{_FILE.get(kind, kind)}.json"
    if not path.is_file():
        return ()
    model: type[BaseModel] = CANONICAL[kind]
    found = [
        model.model_validate_json(json.dumps(row["document"])).model_dump() for row in json.loads(path.read_bytes())
    ]
    alone = [_with(found[0], place, value) for place, value in _leaves(found[-1])]
    return (*found, *(document for document in alone if _valid(model, document)))


def _valid(model: type[BaseModel], document: Document) -> bool:
    """Whether there is such a document: a field that needs another one beside it is not tried alone."""
    try:
        model.model_validate(document)
    except ValidationError:
        return False
    return True


def attempt(mapping: SystemMapping) -> Tried:
    """Try all laws on all documents: one problem for each line that breaks one, with the smallest document."""
    tried = refused = 0
    problems: list[Problem] = []
    for kind, mapper in mapping.mappers.items():
        told: set[tuple[str, str]] = set()
        for document in documents(kind):
            tried += 1
            try:
                breaks = list(_breaks(mapper, document))
            except ConnectorError:
                refused += 1
                continue
            for found in breaks:
                if (found.law, found.sort) not in told:
                    told.add((found.law, found.sort))
                    problems.append(_problem(mapper, document, found))
    return Tried(tried, refused, problems)


def _breaks(mapper: Mapper, document: Document) -> Iterator[Break]:
    context = AnyLinks()
    yield from reading_gives_back(mapper, document, context)
    yield from unchanged(mapper, mapper.out(document, context), context)
    yield from losing_is_declared(mapper, document, context)
    if not creating_is_updating(mapper, document, context):
        yield Break("a record that is made and one that is changed say the same", "", None, None, mapper.bound.origin)


def _problem(mapper: Mapper, document: Document, found: Break) -> Problem:
    def shows(smaller: Document) -> bool:
        return _valid(mapper.bound.shape.ours, smaller) and any(
            (one.law, one.sort) == (found.law, found.sort) for one in _breaks(mapper, smaller)
        )

    least = smallest(document, shows)
    shown = json.dumps(least).decode()
    again = next((one for one in _breaks(mapper, least) if (one.law, one.sort) == (found.law, found.sort)), found)
    lost = found.law.startswith("what is lost")
    do = (
        f"Declare it (`loses: {{{found.sort}: why}}`), refuse it, or carry it where the line's condition does not hold."
        if lost
        else "Say with `only`, a condition or another lens what the line can do; both ways it must come back."
    )
    said = f"A {mapper.kind} does not come back: {again}. The smallest that shows it: {shown}"
    return Problem("loss-undeclared" if lost else "law-broken", said, found.origin.file, found.origin.line, do)


# --- a document with one field more -----------------------------------------------------------------------------------

Place = tuple[str | int, ...]


def _leaves(value: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every single value of plain data, and where it is."""
    inner: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, tuple) else None
    if inner is None:
        yield at, value
        return
    for name, one in inner:
        yield from _leaves(one, (*at, name))


def _with(data: Any, place: Place, value: Any) -> Any:
    """A copy of plain data with this value at its place."""
    if not place:
        return value
    first, rest = place[0], place[1:]
    if isinstance(first, int):
        items = list(data or ())
        items += [None] * (first + 1 - len(items))
        items[first] = _with(items[first], rest, value)
        return tuple(items)
    return {**(data or {}), first: _with((data or {}).get(first), rest, value)}
