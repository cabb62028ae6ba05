"""The format of the rules of a kind: what tells that two records are the same, and what holds for dimensions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from connector.mapping.parts import Condition, Once, Part, Scalar


class Matching(Part):
    """One way to tell that a document of ours and a record of theirs are the same, before they are linked."""

    by: Once
    """Our path, or paths: the same on both sides, all of them; where one says nothing, the rule says nothing."""
    theirs: Once | None = None
    """Fields of the record that are held against `by`, one for each; unless said, what the mapping reads into it."""
    certainty: Literal["certain", "likely", "weak"]
    """How much it tells: `certain` ones are asked first, then `likely`, then `weak`."""
    unless_differs: Once | None = None
    """Our paths that speak against it: where both sides have one of them and they differ, it is another record."""
    note: str | None = None
    """Why the rule is as it is, for people."""


class DimensionRule(Part):
    """What holds for a dimension: it is derived from something else, required, or forbidden.

    Dimensions are named as they stand under `dimensions`: department, project, location, seller,
    "free[name=Region].code".
    """

    derive: str | None = None
    """The dimension that follows from something else, where the document does not state it."""
    source: Once | None = Field(None, alias="from")
    """Our path, or paths, that it follows from."""
    table: str | None = None
    """Table that turns those into the dimension's code (ours: what it follows from; theirs: the code)."""
    constant: Scalar | None = None
    """The code it always has, instead of `from`."""
    require: Once | None = None
    """Dimensions the document must have: for the whole of it, or on every line."""
    forbid: Once | None = None
    """Dimensions the document must not have, nor any of its lines."""
    when: Condition | None = None
    """When the rule applies: tests on our document."""
    only: Literal["in", "out"] | None = None
    """One way. `derive` goes both ways unless said; `require` and `forbid` are asked of what is written."""
    says: str | None = None
    """What is wrong, for a person; unless said, which dimension it is."""
    do: str | None = None
    """What helps."""
    note: str | None = None
    """Why the rule is as it is, for people."""

    @model_validator(mode="after")
    def _one_thing(self) -> DimensionRule:
        said = [name for name in ("derive", "require", "forbid") if getattr(self, name) is not None]
        if len(said) != 1:
            words = "A rule says one thing: `derive`, `require` or `forbid`."
            raise PydanticCustomError("dimension-rule-unclear", words)
        if self.derive is not None and (self.source is None) == (self.constant is None):
            words = "`derive` says what the dimension follows from: `from`, or a `constant`."
            raise PydanticCustomError("dimension-rule-unclear", words)
        if self.derive is None and (self.source or self.constant is not None or self.table):
            words = "`from`, `table` and `constant` belong to `derive`."
            raise PydanticCustomError("dimension-rule-unclear", words)
        return self
