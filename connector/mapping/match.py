"""Which records are the same, when filled books are joined: the rules of a mapping, and what they propose.

Nothing is matched silently: the outcome is a proposal with its certainty, for a person to approve. Pure; the first sync
reads both sides and gives them here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from connector.mapping import paths
from connector.mapping.layers import Origin
from connector.mapping.paths import Path

Certainty = Literal["certain", "likely", "weak"]
CERTAINTIES: tuple[Certainty, ...] = ("certain", "likely", "weak")
"""The surest first."""

Fields = Mapping[str, Any]
"""A record in our terms: what a mapper reads (`into`), or a document's `model_dump()`."""
Key = tuple[str, ...]
"""What a rule compares, as plain text."""


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One way to tell that two records are the same (`format.Matching` says what each part means)."""

    name: str
    certainty: Certainty
    by: tuple[Path, ...]
    theirs: tuple[Path, ...] | None
    unless_differs: tuple[Path, ...]
    origin: Origin

    @property
    def sentence(self) -> str:
        """The rule as a person reads it."""
        by = " and ".join(map(paths.shown, self.by))
        there = f" (there {' and '.join(map(paths.shown, self.theirs))})" if self.theirs else ""
        but = f", unless {' or '.join(map(paths.shown, self.unless_differs))} differs" if self.unless_differs else ""
        return f"the same {by}{there}{but}: {self.certainty}"

    def ours(self, fields: Fields) -> Key | None:
        """What the rule compares of a record of ours; None where a part of it is not said."""
        return _key(fields, self.by)

    def of_theirs(self, fields: Fields, record: Mapping[str, Any]) -> Key | None:
        """What the rule compares of a record of theirs: `fields` as the mapper reads it, `record` as it came."""
        return _key(fields, self.by) if self.theirs is None else _key(record, self.theirs)

    def against(self, ours: Fields, theirs: Fields) -> tuple[str, ...]:
        """Our paths that speak against it: said on both sides, and not the same."""
        said = [(path, _plain(ours, path), _plain(theirs, path)) for path in self.unless_differs]
        return tuple(paths.shown(path) for path, one, other in said if one and other and one != other)


@dataclass(frozen=True, slots=True)
class Pair:
    """One of ours and one of theirs that are the same, by this rule; `key`: what agreed."""

    ours: str
    theirs: str
    rule: MatchRule
    key: Key


@dataclass(frozen=True, slots=True)
class Unclear:
    """Several fit each other by one rule: a person says which is which."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    rule: MatchRule
    key: Key


@dataclass(frozen=True, slots=True)
class Pairing:
    """What the rules propose for one kind; each id is in one place only. What is left over has no counterpart."""

    pairs: tuple[Pair, ...]
    unclear: tuple[Unclear, ...]
    ours_left: tuple[str, ...]
    theirs_left: tuple[str, ...]


def pair(
    rules: Sequence[MatchRule], ours: Mapping[str, Fields], theirs: Mapping[str, tuple[Fields, Mapping[str, Any]]]
) -> Pairing:
    """Hold all records of a kind on both sides against each other, rule by rule, the surest first.

    What a rule finds once on each side is a pair. What it finds more often is unclear, and no weaker rule decides it.

    Args:
        rules: `Mapper.matching`.
        ours: our records by id, in our terms.
        theirs: theirs by id: as the mapper reads them, and as they came.
    """
    pairs: list[Pair] = []
    unclear: list[Unclear] = []
    open_ours, open_theirs = dict(ours), dict(theirs)
    for rule in rules:
        mine, yours = _by_key(rule.ours, open_ours), _by_key(lambda one, r=rule: r.of_theirs(*one), open_theirs)
        for key in mine.keys() & yours.keys():
            fits = [
                (a, b)
                for a in mine[key]
                for b in yours[key]
                if not rule.unless_differs or not rule.against(ours[a], theirs[b][0])
            ]
            if len(fits) == 1:
                pairs.append(Pair(*fits[0], rule, key))
            elif fits:
                left, right = (tuple(dict.fromkeys(side)) for side in zip(*fits, strict=True))
                unclear.append(Unclear(left, right, rule, key))
            for a, b in fits:
                open_ours.pop(a, None)
                open_theirs.pop(b, None)
    return Pairing(
        tuple(sorted(pairs, key=lambda one: (CERTAINTIES.index(one.rule.certainty), one.ours))),
        tuple(sorted(unclear, key=lambda one: one.ours)),
        tuple(open_ours),
        tuple(open_theirs),
    )


def _by_key(key_of: Any, records: Mapping[str, Any]) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for id, record in records.items():
        key = key_of(record)
        if key is not None:
            found.setdefault(key, []).append(id)
    return found


def _key(data: Any, of: Sequence[Path]) -> Key | None:
    key = tuple(_plain(data, path) for path in of)
    return key if all(key) else None


def _plain(data: Any, path: Path) -> str:
    """A value as it is compared: text without case and superfluous white space, 10 and 10.00 alike; else empty."""
    value = paths.get(data, path)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value)
    return "" if value is None else " ".join(str(value).split()).casefold()
