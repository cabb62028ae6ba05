"""Which thing of ours could be which record of theirs. Pure: nothing is read and nothing is kept.

The strongest rules come first. Where exactly one fits exactly one, that is a pair. Where two fit one, all of them are
questions and none is chosen. What only resembles something that has found its pair already is a question, too: it may
be there twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal

from connector.mapping import paths
from connector.mapping.match import CERTAINTIES, Certainty, Key, MatchRule

Action = Literal["link", "duplicate", "create", "leave"]
"""`duplicate`: a further record of theirs of what another line links."""


Compared = tuple[tuple[bytes | None, tuple[bytes | None, ...]], ...]
"""For each rule, digests of what it compares of a thing and of what speaks against it: all that is kept of its fields.
"""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing on one side: `id` is the document's or the vendor's.

    `alone`: what is proposed where it has no counterpart. `amount` is what is open, else what it is over.
    """

    id: str
    kind: str
    compared: Compared
    number: str | None = None
    name: str | None = None
    amount: Decimal | None = None
    alone: Action = "leave"


def of_ours(fields: Mapping[str, Any], rules: Sequence[MatchRule]) -> Compared:
    """What the rules compare of a document of ours."""
    apart = _aparts(fields, rules)
    return tuple((_digest(rule.ours(fields)), apart[rule.unless_differs]) for rule in rules)


def of_theirs(fields: Mapping[str, Any], body: Mapping[str, Any], rules: Sequence[MatchRule]) -> Compared:
    """What the rules compare of a record: `fields` as the mapping reads it, `body` as it came."""
    apart = _aparts(fields, rules)
    return tuple((_digest(rule.of_theirs(fields, body)), apart[rule.unless_differs]) for rule in rules)


def _aparts(fields: Mapping[str, Any], rules: Iterable[MatchRule]) -> dict[Any, tuple[bytes | None, ...]]:
    """What speaks against rules, by what they ask: most ask the same."""
    return {rule.unless_differs: tuple(map(_digest, rule.apart(fields))) for rule in rules}


def _digest(said: Key | str | None) -> bytes | None:
    text = said if isinstance(said, str) else "\x00".join(said or ())
    return blake2b(text.encode(), digest_size=16).digest() if text else None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a proposal: a pair, or a thing that is on one side only. `action` None: a question.

    `equal`: paths of ours whose values are equal, rule by rule (` + ` between those of one rule). `rivals`: how many
    pairs hang together here, where it is more than one. `like`: what a thing without a pair resembles that has one.
    """

    kind: str
    ours: Thing | None
    theirs: Thing | None
    action: Action | None
    certainty: Certainty | None = None
    equal: tuple[str, ...] = ()
    rivals: int = 0
    like: str = ""


COMMON = 10
"""A value that more share (one accountant's e-mail address) tells nobody apart, unless the rule is certain."""
Edge = tuple[int, int]
Likeness = tuple[Thing, tuple[str, ...]]


def propose(
    ours: Sequence[Thing], theirs: Sequence[Thing], rules: Sequence[MatchRule], *, accept: Certainty = "certain"
) -> list[Line]:
    """A line for each pair that could be the same, and for each thing that has none.

    Args:
        ours, theirs: things of one kind, compared by these rules.
        accept: pairs that are at least so certain are proposed to be linked; the others are questions.
    """
    edges = _edges(ours, theirs, rules)
    paired: dict[Edge, Line] = {}
    questions: list[Line] = []
    settled: tuple[set[int], set[int]] = (set(), set())
    resembles: tuple[dict[int, Likeness], dict[int, Likeness]] = ({}, {})
    accepted = CERTAINTIES[: CERTAINTIES.index(accept) + 1]
    for certainty in CERTAINTIES:
        tier = {edge: equal for edge, (strength, equal) in edges.items() if strength == certainty}
        free = [edge for edge in tier if edge[0] not in settled[0] and edge[1] not in settled[1]]
        for mine, yours in tier.keys() - set(free):
            if mine not in settled[0]:
                resembles[0].setdefault(mine, (theirs[yours], tier[mine, yours]))
            if yours not in settled[1]:
                resembles[1].setdefault(yours, (ours[mine], tier[mine, yours]))
        for group in _groups(free):
            for mine, yours in sorted(group):
                only = len(group) == 1
                action: Action | None = "link" if only and certainty in accepted else None
                rivals = 0 if only else len(group)
                line = Line(ours[mine].kind, ours[mine], theirs[yours], action, certainty, tier[mine, yours], rivals)
                if only:
                    paired[mine, yours] = line
                else:
                    questions.append(line)
                settled[0].add(mine)
                settled[1].add(yours)
    lines = [paired[edge] for edge in sorted(paired)] + questions
    for side, things in enumerate((ours, theirs)):
        _twice(things, rules, settled[side], resembles[side])
    for side, things in enumerate((ours, theirs)):
        for at, thing in enumerate(things):
            if at not in settled[side]:
                lines.append(_alone(thing, side == 0, resembles[side].get(at)))
    return lines


def _twice(
    things: Sequence[Thing],
    rules: Sequence[MatchRule],
    settled: Collection[int],
    resembles: dict[int, Likeness],
) -> None:
    """What one side alone has, and has twice by a certain rule, is a question: it shall not be made twice."""
    for number, rule in ((number, one) for number, one in enumerate(rules) if one.certainty == "certain"):
        for same in _by_key(one.compared[number][0] for one in things).values():
            for at in same if len(same) > 1 else ():
                if at not in settled:
                    other = next(one for one in same if one != at)
                    resembles.setdefault(at, (things[other], (_paths(rule),)))


def _paths(rule: MatchRule) -> str:
    return " + ".join(map(paths.shown, rule.by))


def _alone(thing: Thing, is_ours: bool, resembles: Likeness | None) -> Line:
    mine, yours = (thing, None) if is_ours else (None, thing)
    if resembles is None:
        return Line(thing.kind, mine, yours, thing.alone)
    other, equal = resembles
    return Line(thing.kind, mine, yours, None, equal=equal, like=other.name or other.number or other.id)


def _edges(
    ours: Sequence[Thing], theirs: Sequence[Thing], rules: Sequence[MatchRule]
) -> dict[Edge, tuple[Certainty, tuple[str, ...]]]:
    """Which could be the same, each with the strongest certainty that says so and all that does."""
    found: dict[Edge, tuple[Certainty, list[str]]] = {}
    for number, rule in sorted(enumerate(rules), key=lambda pair: CERTAINTIES.index(pair[1].certainty)):
        mine, yours = (_by_key(thing.compared[number][0] for thing in side) for side in (ours, theirs))
        for value in mine.keys() & yours.keys():
            if rule.certainty != "certain" and max(len(mine[value]), len(yours[value])) > COMMON:
                continue
            for edge in ((one, other) for one in mine[value] for other in yours[value]):
                if _apart(ours[edge[0]].compared[number][1], theirs[edge[1]].compared[number][1]):
                    continue
                strength, why = found.setdefault(edge, (rule.certainty, []))
                if not why or strength == rule.certainty:
                    why.append(_paths(rule))
    return {edge: (strength, tuple(dict.fromkeys(why))) for edge, (strength, why) in found.items()}


def _apart(ours: Iterable[bytes | None], theirs: Iterable[bytes | None]) -> bool:
    """Whether something is said on both sides, and is not the same."""
    return any(one and other and one != other for one, other in zip(ours, theirs, strict=True))


def _by_key(keys: Iterable[bytes | None]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for at, key in enumerate(keys):
        if key is not None:
            found.setdefault(key, []).append(at)
    return found


def _groups(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Edges that hang together."""
    of: dict[tuple[int, int], list[Edge]] = {}
    for edge in edges:
        for side in (0, 1):
            of.setdefault((side, edge[side]), []).append(edge)
    seen: set[Edge] = set()
    groups = []
    for first in edges:
        if first in seen:
            continue
        group, open_ = [], [first]
        seen.add(first)
        while open_:
            edge = open_.pop()
            group.append(edge)
            for side in (0, 1):
                for other in of[side, edge[side]]:
                    if other not in seen:
                        seen.add(other)
                        open_.append(other)
        groups.append(group)
    return groups
