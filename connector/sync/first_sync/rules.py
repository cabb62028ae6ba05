"""By what a thing of ours and a record of a ledger may be the same; and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from connector.mapping import paths
from connector.mapping.paths import Path

Certainty = Literal["certain", "likely", "weak"]
CERTAINTIES: tuple[Certainty, ...] = ("certain", "likely", "weak")
"""The strongest first."""
Fields = Mapping[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchRule:
    """Things of a kind whose values are equal, one by one, may be the same. A value that is not there is equal to none.

    `by`: canonical paths, of both sides; `theirs`: paths in the record as the vendor shows it, where something else is
    compared there. `unless_differs`: canonical paths that speak against it where both sides say something else.
    """

    certainty: Certainty
    by: tuple[Path, ...]
    theirs: tuple[Path, ...] | None = None
    unless_differs: tuple[Path, ...] = ()

    def ours(self, fields: Fields) -> Key | None:
        """What is compared of a thing of ours; None where a part of it is not said."""
        return _key(fields, self.by)

    def of_theirs(self, fields: Fields, record: Fields) -> Key | None:
        """What is compared of a record of theirs: its canonical `fields`, or the `record` as it came."""
        return _key(fields, self.by) if self.theirs is None else _key(record, self.theirs)

    def against(self, ours: Fields, theirs: Fields) -> tuple[str, ...]:
        """Our paths that speak against it."""
        said = [(path, _plain(ours, path), _plain(theirs, path)) for path in self.unless_differs]
        return tuple(paths.shown(path) for path, one, other in said if one and other and one != other)


def rule(certainty: Certainty, *by: str, theirs: Sequence[str] | None = None, unless: Sequence[str] = ()) -> MatchRule:
    """A rule from paths as they are written in mapping files."""
    own = None if theirs is None else tuple(map(paths.parse, theirs))
    return MatchRule(certainty, tuple(map(paths.parse, by)), own, tuple(map(paths.parse, unless)))


_NUMBER = "party.legal_id.value"
# A customer number alone says nothing: every system counts from some round number of its own.
_PARTY = (
    rule("certain", _NUMBER),
    rule("likely", "number", "party.name", unless=[_NUMBER]),
    rule("likely", "invoice_email", unless=[_NUMBER]),
    rule("likely", "party.contact.email", unless=[_NUMBER]),
    rule("weak", "party.name", unless=[_NUMBER]),
    rule("weak", "number", "party.address.postal_code", unless=[_NUMBER]),
)
_CODED = (rule("certain", "code"), rule("weak", "name"))
_ISSUED = (
    rule("certain", "number", "issue_date", "totals.payable"),
    rule("likely", "payment_means[first].payment_id", "totals.payable", unless=["number"]),
    rule("likely", "number", "totals.payable"),
    rule("weak", "number"),
    rule("weak", "issue_date", "totals.payable", f"buyer.{_NUMBER.removeprefix('party.')}", unless=["number"]),
    rule("weak", "issue_date", "totals.payable", "buyer.name", unless=["number"]),
)
DEFAULTS: Mapping[str, Sequence[MatchRule]] = {
    "customer": _PARTY,
    "supplier": _PARTY,
    "product": (rule("certain", "number"), rule("likely", "standard_id.value"), rule("weak", "name")),
    "department": _CODED,
    "project": _CODED,
    "dimension": (rule("certain", "dimension", "code"),),
    "invoice": _ISSUED,
    "credit_note": _ISSUED,
}
"""What holds where the mapping says nothing else."""

COMMON = 10
"""A value that more share (one accountant's e-mail address) tells nobody apart, unless the rule is certain."""


def _key(data: Fields, of: Sequence[Path]) -> Key | None:
    key = tuple(_plain(data, path) for path in of)
    return key if all(key) else None


def _plain(data: Fields, path: Path) -> str:
    """A value as it is compared: without regard to case, spaces and trailing zeros of amounts; empty where it is not
    said.
    """
    value = paths.get(data, path)
    if value is None or isinstance(value, bool | Mapping | list | tuple):
        return ""
    said = " ".join(str(value).split()).casefold()
    bare = said.replace(" ", "")
    if isinstance(value, int | Decimal) or path[-1].name == "payable":  # a stored amount is text
        return format(Decimal(bare).normalize(), "f") if bare.lstrip("-").replace(".", "", 1).isdigit() else said
    return bare if bare.isdigit() else said
