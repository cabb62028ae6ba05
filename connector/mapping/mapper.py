"""Mappers: what a mapping file becomes. One for each kind of document and connection, both ways."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from connector.errors import ConnectorError
from connector.mapping import every, paths
from connector.mapping.bound import BoundKind, BoundLine, BoundShape, Limits
from connector.mapping.compile import Way, compile_kind
from connector.mapping.layers import Origin
from connector.mapping.match import MatchRule

Document = Mapping[str, Any]
"""A canonical document as plain data (`model_dump()`): nested mappings and tuples, `Decimal`, `date`."""
Record = Mapping[str, Any]
"""A vendor's record as JSON says it, with `Decimal` for what is no integer."""


class Context(Protocol):
    """What a mapper cannot know by itself: which vendor record our things are linked to."""

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        """The vendor's id of the record of this kind that stands for our value (a code, or a party as mapping).

        None: what stands there is known to be of another kind, and another line has it.

        Raises `Stop` ("link-missing") where there is none.
        """

    def our_id(self, kind: str, vendor_id: str) -> Any:
        """Our value for the vendor's record of this kind. Raises `Stop` ("link-missing")."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One line of a mapping, for policies and explanations. Lines inside a list have its path in front.

    `only` is None for a line that goes both ways. `object_link`: the line links a whole object, whose own fields are
    kept by the other kind's mapping; it is not compared.
    """

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    only: str | None
    on: str | None
    owner: str
    does: str
    origin: Origin
    changed: tuple[Origin, ...]
    object_link: bool = False

    @property
    def sentence(self) -> str:
        """The line as a person reads it."""
        arrow = {"in": "←", "out": "→", None: "↔"}[self.only]
        ours, theirs = ", ".join(self.ours) or "–", ", ".join(self.theirs) or "–"
        extra = ", set when the record is made" if self.on else ""
        return f"{ours} {arrow} {theirs}  ({self.does}{extra})"


@dataclass(frozen=True)
class Mapper:
    """One kind of document for one system, with all layers. Pure: the same input gives the same output.

    All methods raise `Stop` with the place in the document, file and line: "code-not-in-table", "not-expressible",
    "link-missing", "record-malformed", "several-values" and what a lens says.
    """

    bound: BoundKind
    version: str
    _made: dict[Way, tuple[Callable[..., dict[str, Any]], str]] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> str:
        """Kind of document, by its name: invoice, customer."""
        return self.bound.name

    @property
    def matching(self) -> tuple[MatchRule, ...]:
        """What tells that two records are the same when filled books are joined, the surest first."""
        return self.bound.matching

    @property
    def limits(self) -> Limits:
        """How much of the kind may change or be gone at once before nothing is believed."""
        return self.bound.limits

    def _function(self, way: Way) -> Callable[..., dict[str, Any]]:
        if way not in self._made:
            self._made[way] = compile_kind(self.bound.name, self.bound.shape, way)
        return self._made[way][0]

    @cached_property
    def out(self) -> Callable[[Document, Context], dict[str, Any]]:
        """`out(document, context)`: the record to be made at the vendor. What is empty is left out."""
        return self._function("out")

    @cached_property
    def into(self) -> Callable[[Record, Context], dict[str, Any]]:
        """`into(record, context)`: our fields as far as the record shows them, nested as the model has them.

        A field that the record does not have is left out (unknown); one that is null is None (known to be empty).
        """
        return self._function("into")

    @cached_property
    def update_record(self) -> Callable[[Document, Context], dict[str, Any]]:
        """`update_record(document, context)`: as `out`, with null for what the document knows to be empty."""
        return self._function("update")

    @cached_property
    def _view(self) -> Callable[[Document, None], dict[str, Any]]:
        return self._function("view")

    def view(self, document: Document) -> dict[str, Any]:
        """The values of the fields this mapping carries, flat: path → value; lists as tuples of such mappings.

        Works on a whole document and on what `into` gave; paths that are not in it are left out. Two such views of the
        same kind are what `reconcile` compares.
        """
        return self._view(document, None)

    def update(self, document: Document, changed: Collection[str], context: Context) -> dict[str, Any]:
        """The record for a change of these of our paths: theirs fields alone, null for what is to be emptied."""
        whole = self.update_record(document, context)
        wanted = [
            place.path
            for line in self.bound.shape.lines
            if line.writes and line.on is None and any(_touches(str(place), changed) for place in line.ours)
            for place in line.theirs
        ]
        made: dict[str, Any] = {}
        for path in wanted:
            # A picked item, and an object that is known to be empty, is sent whole.
            for length in range(1, len(path) + 1):
                value = paths.get(whole, path[:length]) if path[length - 1].pick is None else None
                if path[length - 1].pick is not None:
                    made = paths.put(made, (paths.Step(path[0].name),), whole.get(path[0].name))
                    break
                if value is None or length == len(path):
                    made = paths.put(made, path[:length], value)
                    break
        return made

    def problems(self, document: Document, context: Context) -> list[ConnectorError]:
        """Everything that would stop `out`, not only the first; each with its field in `where`. None where it would not
        stop.
        """
        try:
            self.out(document, context)
        except ConnectorError as first:
            return list(every.problems(self._pieces, document, context)) or [first]
        return []

    def chosen(self, document: Document, context: Context) -> list[every.Chosen]:
        """The values of the ledger's own lists (VAT codes, accounts …) that a document comes to on its way out."""
        return list(every.chosen(self._pieces, document, context))

    @cached_property
    def _pieces(self) -> every.Pieces:
        return every.taken_apart(self.kind, self.bound.shape)

    def merge(self, document: Document, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The document with these flat fields (path → value, as `view` gives them) set.

        Items of lists are matched by their place; fields of an item that the mapping does not carry stay.
        """
        return _merged(dict(document), fields, self.bound.shape)

    def fields(self) -> tuple[FieldInfo, ...]:
        """Every line, with its direction, owner and where it stands."""
        return self._fields

    @cached_property
    def _fields(self) -> tuple[FieldInfo, ...]:
        return tuple(_infos(self.bound.shape, "", ""))

    @cached_property
    def owners(self) -> dict[str, str]:
        """Who wins (ours, theirs, ask) where both sides changed one of our paths."""
        return {path: info.owner for info in self._fields for path in info.ours}

    @cached_property
    def only_in(self) -> frozenset[str]:
        """Our paths that are never sent, or only when the record is made: ours says nothing against theirs."""
        lines = (info for info in self._fields if info.only == "in" or (info.only is None and info.on == "create"))
        return frozenset(path for info in lines for path in info.ours)

    @cached_property
    def only_out(self) -> frozenset[str]:
        """Our paths that are never read: theirs says nothing against ours."""
        return frozenset(path for info in self._fields if info.only == "out" for path in info.ours)

    @cached_property
    def their_fields(self) -> dict[str, str]:
        """Our path -> the field of the record that makes it, both without choices in lists; lists with their items."""
        lines = sorted(self._fields, key=lambda info: info.only == "out")  # what is read comes first
        return {
            paths.without_picks(ours): paths.without_picks(info.theirs[0])
            for info in reversed(lines)
            if info.theirs
            for ours in info.ours
        }

    @property
    def loses(self) -> dict[str, str]:
        """Our paths that the system does not carry, and why, as declared; in lists with the list's path in front."""
        return dict(_losses(self.bound.shape, ""))

    def explain(self, path: str | None = None) -> list[FieldInfo]:
        """The lines that make or read a field of either side (and all below it); all lines without a path."""
        found = self.fields()
        if path is None:
            return list(found)
        return [info for info in found if any(below(own, path) for own in (*info.ours, *info.theirs))]

    def rules(self, path: str | None = None) -> list[tuple[str, Origin]]:
        """What is refused, derived, required, forbidden and matched by a field of ours (and all below it), in words,
        and where it is said; everything without a path.
        """
        return [
            (said, at)
            for said, at, asked in (*_rules(self.bound.shape, ""), *_matching(self.matching))
            if path is None or any(below(own, path) for own in asked)
        ]

    def source(self, way: Way) -> str:
        """The compiled Python text of `out`, `into`, `update` or `view`, for the curious."""
        self._function(way)
        return self._made[way][1]


def _rules(shape: BoundShape, where: str) -> Iterator[tuple[str, Origin, list[str]]]:
    for refusal in shape.refusals:
        asked = [f"{where}{paths.shown(test.path)}" for test in refusal.when]
        yield f"refused ({refusal.name}): {refusal.says}", refusal.origin, asked
    for rule in shape.dimensions:
        asked = [f"{where}{paths.shown(path)}" for path in (rule.path, *rule.sources)]
        yield f"{where}{rule.sentence} ({rule.name})", rule.origin, asked
    for line in shape.lines:
        if line.each is not None:
            yield from _rules(line.each, f"{where}{line.ours[0]}.")


def _matching(rules: tuple[MatchRule, ...]) -> Iterator[tuple[str, Origin, list[str]]]:
    for rule in rules:
        yield f"matched by {rule.sentence} ({rule.name})", rule.origin, [paths.shown(path) for path in rule.by]


def _losses(shape: BoundShape, where: str) -> Iterator[tuple[str, str]]:
    yield from ((f"{where}{path}", why) for path, why, _ in shape.loses)
    for line in shape.lines:
        if line.each is not None:
            yield from _losses(line.each, f"{where}{line.ours[0]}.")


def below(own: str, asked: str) -> bool:
    """Whether a path is the one that is asked for, lies below it, or ends in it."""
    return own == asked or own.startswith((asked + ".", asked + "[")) or own.endswith("." + asked)


def _touches(own: str, changed: Collection[str]) -> bool:
    return own in changed or any(path.startswith(own + ".") or own.startswith(path + ".") for path in changed)


def _infos(shape: BoundShape, ours: str, theirs: str) -> Iterator[FieldInfo]:
    for line in shape.lines:
        mine = tuple(f"{ours}{place}" for place in line.ours)
        yours = tuple(f"{theirs}{place}" for place in line.theirs)
        whole = line.link is not None and any(place.slot.form == "object" for place in line.ours)
        yield FieldInfo(mine, yours, line.only, line.on, line.owner, _does(line), line.origin, line.changed, whole)
        if line.each is not None:
            yield from _infos(line.each, f"{mine[0]}.", f"{yours[0]}.")


def _does(line: BoundLine) -> str:
    if line.constant is not None:
        return f"always {line.constant[0]}"
    if line.each is not None:
        return "list"
    assert line.lens is not None
    words = line.lens.words
    if line.default is not None:
        words += f", {line.default[0]} where empty"
    if line.otherwise is not None:
        words += f", else from {', '.join(paths.shown(path) for path in line.otherwise.paths)}"
    return words + (", under a condition" if line.when_ours or line.when_theirs else "")


def _merged(document: dict[str, Any], fields: Mapping[str, Any], shape: BoundShape) -> dict[str, Any]:
    lists = {str(line.ours[0]): line.each for line in shape.lines if line.each is not None}
    for path, value in fields.items():
        if path in lists and lists[path] is not None:
            inner = lists[path]
            assert inner is not None
            before = list(paths.get(document, paths.parse(path)) or ())
            before += [{}] * (len(value) - len(before))
            value = tuple(_merged(dict(old), new, inner) for old, new in zip(before, value, strict=False))
        document = paths.put(document, paths.parse(path), value)
    return document
