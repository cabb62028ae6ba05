"""Conditions: tests on the values at paths, and what they mean. The compiler writes the same as Python expressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connector.mapping import paths
from connector.mapping.paths import Path, Slot, filled


@dataclass(frozen=True, slots=True)
class BoundTest:
    """One test of a condition: `how` is equals, differs, present, above, below, any or every."""

    path: Path
    how: str
    value: Any
    slot: Slot


Condition = tuple[BoundTest, ...]
"""All must hold."""


def holds(condition: Condition, data: Any) -> bool:
    """Whether a condition holds for an object of plain data: the slow, plain meaning of what is compiled."""
    return all(_holds(test.how, test.value, paths.get(data, test.path)) for test in condition)


def _holds(how: str, wanted: Any, value: Any) -> bool:
    match how:
        case "equals":
            return value in wanted
        case "differs":
            return value is not None and value not in wanted
        case "present":
            return filled(value) is bool(wanted)
        case "above":
            return value is not None and value > wanted
        case "below":
            return value is not None and value < wanted
        case "any":
            return any(holds(wanted, item) for item in value or ())
        case _:
            return all(holds(wanted, item) for item in value or ())
