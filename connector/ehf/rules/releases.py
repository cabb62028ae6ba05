"""Which release of Peppol BIS Billing 3.0 judges a document.

A release comes in May and November and becomes mandatory about three months later. Each brings its release of the
EN 16931 rules. Source: "mandatory to use from" in the release notes, docs.peppol.eu/poacc/billing/3.0/release-notes/
(that of May 2026: …/3.0/upcoming/release-notes/), and the headers of the rule files for the versions.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final

from connector.errors import BadInput


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its version, that of the EN 16931 rules in it, and the day from which it is mandatory."""

    version: str
    en16931: str
    mandatory: datetime.date


RELEASES: Final = (
    Release("3.0.19", "1.3.14.1", datetime.date(2025, 8, 25)),
    Release("3.0.20", "1.3.15", datetime.date(2026, 2, 23)),
    Release("3.0.21", "1.3.16", datetime.date(2026, 8, 24)),
)
"""From old to new."""

NEWEST: Final = RELEASES[-1]
_RANKS: Final = {release.version: rank for rank, release in enumerate(RELEASES)}


def rank(version: str) -> int:
    """The place of a release among its siblings, for comparing."""
    return _RANKS[version]


def named(version: str) -> Release:
    """The release of that version.

    Raises:
        BadInput: `unknown-rules-version`.
    """
    for release in RELEASES:
        if release.version == version:
            return release
    raise BadInput(
        f"There is no rule set {version!r}.",
        code="unknown-rules-version",
        do=f"Name one of {', '.join(release.version for release in RELEASES)}.",
    )


def in_force(day: datetime.date | None) -> Release:
    """The release in force on that day; the newest when there is no day, or none of ours is that old."""
    if day is None:
        return NEWEST
    return next((release for release in reversed(RELEASES) if release.mandatory <= day), NEWEST)
