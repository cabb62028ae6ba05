"""What tells that two records are the same, when filled books are joined: the rules of a mapping, and what each of them
compares. What they propose together is `connector.sync.first_sync`.
"""

from __future__ import annotations

import re
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
_AMOUNTS = frozenset({"amount", "payable"})
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


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

    def apart(self, fields: Fields) -> Key:
        """What speaks against it, of a record in our terms: where two have it both, and not the same, they are two."""
        return tuple(_plain(fields, path) for path in self.unless_differs)


def _key(data: Any, of: Sequence[Path]) -> Key | None:
    key = tuple(_plain(data, path) for path in of)
    return key if all(key) else None


def _plain(data: Any, path: Path) -> str:
    """A value as it is compared: text without case and superfluous white space, digits without any, 10 and 10.00 alike
    (also where a stored amount is text); empty where it is not said.
    """
    value = paths.get(data, path)
    if value is None or isinstance(value, bool | Mapping | list | tuple):
        return ""
    if isinstance(value, date):
        return value.isoformat()
    said = " ".join(str(value).split()).casefold()
    bare = said.replace(" ", "")
    if isinstance(value, int | Decimal) or path[-1].name in _AMOUNTS:
        return format(Decimal(bare).normalize(), "f") if _NUMBER.fullmatch(bare) else said
    return bare if bare.isdigit() else said
