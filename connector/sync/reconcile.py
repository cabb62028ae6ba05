"""What one record needs, decided without I/O: the heart of the engine.

Both sides speak canonical fields (a flat mapping of path to value). What the hub held when both were last alike
is `Base.sent`; what the vendor showed then is `Base.seen`. Each side is compared with its own half, so a vendor that
trims, rounds or fills in a default makes no echo. What the vendor showed is read through today's mapping, and a field
that was not carried then counts as unknown, so a changed mapping makes no false change either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

Fields = Mapping[str, Any]
"""Canonical path → value. A path that is absent is *unknown*, never cleared: rights and packages hide fields."""

_ABSENT = object()
_NONE: Fields = MappingProxyType({})


class Owner(StrEnum):
    """Who wins when both sides changed the same field."""

    OURS = "ours"
    THEIRS = "theirs"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Base:
    """What was true when the sides were last alike: what the hub held, and what the vendor showed of it."""

    sent: Fields
    seen: Fields


@dataclass(frozen=True, slots=True)
class Policy:
    """What the mapping declares about the fields of a kind.

    `owner` names the winner by field (`default` for the rest). `only_in` and `only_out` are one-way fields: the hub's
    value of the first and the vendor's value of the second say nothing. With `issued`, the document has been issued and
    is immutable: whatever differs on the vendor's side, outside `amendable`, is drift and is never overwritten.
    """

    owner: Mapping[str, Owner] = field(default_factory=dict)
    default: Owner = Owner.ASK
    only_in: frozenset[str] = frozenset()
    only_out: frozenset[str] = frozenset()
    issued: bool = False
    amendable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on which the sides do not agree: the value both knew (if any), ours and theirs."""

    field: str
    known: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do. All empty: nothing, the sides are alike."""

    create: str | None = None
    """`theirs`: the vendor has no such record yet; `ours`: the hub has no such document yet."""
    vanished: bool = False
    """It was there and is gone: believed only after a second read, and a question for a person."""
    push: Fields = field(default_factory=lambda: _NONE)
    take: Fields = field(default_factory=lambda: _NONE)
    conflicts: tuple[Difference, ...] = ()
    drift: tuple[Difference, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is to be done or told."""
        return bool(self.create or self.vanished or self.push or self.take or self.conflicts or self.drift)


def reconcile(base: Base | None, ours: Fields | None, theirs: Fields | None, policy: Policy) -> Decision:
    """Compare each side with its own half of the base and say what follows.

    Args:
        base: what was true when the sides were last alike; None before that.
        ours: the hub's document in canonical fields; None when the hub has none.
        theirs: the vendor's record in canonical fields; None when the vendor has none.
        policy: what the mapping declares for this kind and this document's state.
    """
    if theirs is None:
        if ours is None:
            return Decision()
        return Decision(create="theirs") if base is None else Decision(vanished=True)
    if ours is None:
        return Decision(create="ours")
    push: dict[str, Any] = {}
    take: dict[str, Any] = {}
    conflicts: list[Difference] = []
    drift: list[Difference] = []
    for path in sorted(ours.keys() | theirs.keys()):
        mine, yours = ours.get(path, _ABSENT), theirs.get(path, _ABSENT)
        if base is None:
            # Joined for the first time: whatever differs was changed by both, for all we know.
            we_changed = mine is not _ABSENT
            they_changed = yours is not _ABSENT
        else:
            # A path that the base does not have was not carried then: nobody changed it, it is only new to us.
            we_changed = mine is not _ABSENT and path in base.sent and mine != base.sent[path]
            they_changed = yours is not _ABSENT and path in base.seen and yours != base.seen[path]
        we_changed = we_changed and path not in policy.only_in
        they_changed = they_changed and path not in policy.only_out
        if mine == yours or not (we_changed or they_changed):
            continue
        known = base.sent.get(path) if base else None
        difference = Difference(path, known, _shown(mine), _shown(yours))
        if policy.issued and path not in policy.amendable and path not in policy.only_in:
            # An issued document is immutable on all sides. Ours cannot have changed; theirs should not have.
            if they_changed:
                drift.append(difference)
        elif we_changed and they_changed:
            match policy.owner.get(path, policy.default):
                case Owner.OURS:
                    push[path] = mine
                case Owner.THEIRS:
                    take[path] = yours
                case _:
                    conflicts.append(difference)
        elif we_changed:
            push[path] = mine
        else:
            take[path] = yours
    return Decision(push=push, take=take, conflicts=tuple(conflicts), drift=tuple(drift))


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else value
