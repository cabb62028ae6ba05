"""Lines bound to the models on both sides: all that the compiler needs, with nothing left to look up."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from connector.mapping.conditions import Condition
from connector.mapping.dimensions import DimensionRule
from connector.mapping.layers import Origin
from connector.mapping.lenses import Conversion, Lens
from connector.mapping.match import MatchRule
from connector.mapping.paths import Path, Slot, shown

Side = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class Place:
    """A path and what the model says of it."""

    path: Path
    slot: Slot

    def __str__(self) -> str:
        return shown(self.path)


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What our value follows from where the document does not state it."""

    paths: tuple[Path, ...]
    conversion: Conversion
    origin: Origin
    tables: tuple[str, ...] = ()
    table_origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class BoundLine:
    """One line. Exactly one of `lens`, `constant` (as a one-tuple) and `each` says what it does."""

    name: str
    ours: tuple[Place, ...]
    theirs: tuple[Place, ...]
    origin: Origin
    changed: tuple[Origin, ...]
    lens: Lens | None = None
    constant: tuple[Any] | None = None
    each: BoundShape | None = None
    default: tuple[Any] | None = None
    otherwise: Otherwise | None = None
    when_ours: Condition = ()
    when_theirs: Condition = ()
    only: Literal["in", "out"] | None = None
    on: Literal["create"] | None = None
    owner: str = "ask"
    link: str | None = None
    tables: tuple[str, ...] = ()
    table_origin: Origin | None = None

    @property
    def writes(self) -> bool:
        """Whether it writes to the vendor."""
        return self.only != "in" and bool(self.theirs)

    @property
    def reads(self) -> bool:
        """Whether it reads from the vendor."""
        return self.only != "out" and bool(self.ours) and (self.constant is None or self.only == "in")


@dataclass(frozen=True, slots=True)
class BoundRefusal:
    """What stops a document (side ours) or a record (side theirs)."""

    name: str
    side: Side
    when: Condition
    says: str
    do: str
    origin: Origin
    says_nb: str = ""
    do_nb: str = ""


@dataclass(frozen=True, slots=True)
class BoundShape:
    """The lines of a kind or of a list's items, with the models of both sides."""

    ours: type[BaseModel]
    theirs: type[BaseModel]
    lines: tuple[BoundLine, ...]
    refusals: tuple[BoundRefusal, ...]
    loses: tuple[tuple[str, str, Origin], ...]
    removed: tuple[tuple[str, Origin], ...] = ()
    """Lines that an upper layer took away, by name, and where."""
    unfilled: tuple[tuple[str, Origin], ...] = ()
    """Fields of theirs that those lines carried."""
    dimensions: tuple[DimensionRule, ...] = ()
    """What is derived, required and forbidden, as written."""
    broken: frozenset[str] = frozenset()
    """Paths of lines that could not be bound: what is wrong with them is said already."""


@dataclass(frozen=True, slots=True)
class Register:
    """What holds for a kind that is kept as a register (`format.KindSpec` says what each means)."""

    creates: Literal["always", "needed", "never"] = "needed"
    deactivated: Literal["follow", "ask", "ignore"] = "follow"
    deleted: Literal["follow", "ask", "ignore"] = "ask"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a kind may change or be gone at once before nothing is believed, in per cent of what is linked.

    One record always may. `changed_at_most` None: there is no limit.
    """

    deleted_at_most: Decimal = Decimal(5)
    changed_at_most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BoundKind:
    """A kind of document: its shape and what holds for it as a whole."""

    name: str
    shape: BoundShape
    amendable: tuple[str, ...]
    origin: Origin
    register: Register = field(default_factory=lambda: Register())
    matching: tuple[MatchRule, ...] = ()
    limits: Limits = field(default_factory=lambda: Limits())
