"""The format of the rules of a kind: what tells that two records are the same, and what holds for dimensions."""

from __future__ import annotations

from typing import Literal

from connector.mapping.parts import Part, Texts


class Matching(Part):
    """One way to tell that a document of ours and a record of theirs are the same, before they are linked."""

    by: Texts
    """Our path, or paths: the same on both sides, all of them; where one says nothing, the rule says nothing."""
    theirs: Texts | None = None
    """Fields of the record that are held against `by`, one for each; unless said, what the mapping reads into it."""
    certainty: Literal["certain", "likely", "weak"]
    """How much it tells: `certain` ones are asked first, then `likely`, then `weak`."""
    unless_differs: Texts | None = None
    """Our paths that speak against it: where both sides have one of them and they differ, it is another record."""
    note: str | None = None
    """Why the rule is as it is, for people."""
