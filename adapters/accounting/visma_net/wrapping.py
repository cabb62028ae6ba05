"""Values on the way out and in: Visma Net wraps what it is sent (`{"value": …}`) and does not wrap what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any


def wrapped(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as Visma Net is sent them: each value wrapped, an object inside and out, a day as text.

    A list is not wrapped, and `operation` in its items is not either, nor anything in the segments of a `subaccount`;
    what is None is left out, for absent, null and a wrapped null are three different things there.

    >>> wrapped({"number": "1", "mainAddress": {"city": "Oslo"}, "lines": [{"operation": "Insert", "quantity": 2}]})
    {'number': {'value': '1'}, 'mainAddress': {'value': {'city': {'value': 'Oslo'}}}, \
'lines': [{'operation': 'Insert', 'quantity': {'value': 2}}]}
    """
    return {name: _wrapped(name, value) for name, value in fields.items() if value is not None}


def _wrapped(name: str, value: Any) -> Any:
    if name == "subaccount":
        return value
    if isinstance(value, list | tuple):
        return [wrapped(item) for item in value]
    if name == "operation":
        return value
    if isinstance(value, Mapping):
        return {"value": wrapped(value)}
    return {"value": value.isoformat() if isinstance(value, date) else value}
