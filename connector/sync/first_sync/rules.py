"""By what a thing of ours and a record of a ledger may be the same; and by what they surely are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Certainty = Literal["certain", "likely", "weak"]
CERTAINTIES: Sequence[Certainty] = ("certain", "likely", "weak")
"""The strongest first."""


@dataclass(frozen=True, slots=True)
class MatchRule:
    """Things of a kind whose values are equal, one by one, may be the same. A value that is not there is equal to none.

    Paths are canonical on both sides; one of `theirs` that the canonical record does not have is looked for in the
    record as the vendor shows it.
    """

    kind: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    certainty: Certainty


def _same(kind: str, certainty: Certainty, *paths: str) -> MatchRule:
    return MatchRule(kind, paths, paths, certainty)


# A customer number alone says nothing: every system counts from some round number of its own.
_PARTY: Sequence[tuple[Certainty, tuple[str, ...]]] = (
    ("certain", ("party.legal_id.value",)),
    ("likely", ("number", "party.name")),
    ("likely", ("invoice_email",)),
    ("likely", ("party.contact.email",)),
    ("weak", ("party.name",)),
    ("weak", ("number", "party.address.postal_code")),
)
_ISSUED: Sequence[tuple[Certainty, tuple[str, ...]]] = (
    ("certain", ("number", "issue_date", "totals.payable")),
    ("likely", ("payment_means[first].payment_id", "totals.payable")),
    ("likely", ("number", "totals.payable")),
    ("weak", ("number",)),
    ("weak", ("issue_date", "totals.payable", "buyer.legal_id.value")),
    ("weak", ("issue_date", "totals.payable", "buyer.name")),
)
DEFAULTS: Sequence[MatchRule] = (
    *(_same(kind, certainty, *paths) for kind in ("customer", "supplier") for certainty, paths in _PARTY),
    *(MatchRule(kind, ("invoice_email",), ("party.contact.email",), "likely") for kind in ("customer", "supplier")),
    *(MatchRule(kind, ("party.contact.email",), ("invoice_email",), "likely") for kind in ("customer", "supplier")),
    _same("product", "certain", "number"),
    _same("product", "likely", "standard_id.value"),
    _same("product", "weak", "name"),
    *(_same(kind, "certain", "code") for kind in ("department", "project")),
    *(_same(kind, "weak", "name") for kind in ("department", "project")),
    _same("dimension", "certain", "dimension", "code"),
    *(_same(kind, certainty, *paths) for kind in ("invoice", "credit_note") for certainty, paths in _ISSUED),
)
"""What holds where the mapping says nothing else."""

APART: Mapping[str, str] = {
    "customer": "party.legal_id.value",
    "supplier": "party.legal_id.value",
    "invoice": "number",
    "credit_note": "number",
}
"""What has another value here is another thing, whatever else is equal."""

COMMON = 10
"""A value that so many share (one accountant's e-mail address) tells nobody apart, unless the rule is certain."""
