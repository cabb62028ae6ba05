"""From a goal's record to what Visma Net is sent. No calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from connector.errors import Refused


@cache
def _writable(model: type[BaseModel]) -> Mapping[str, type[BaseModel] | None]:
    """The fields that may be sent, with the model that a field holds, if any."""
    found: dict[str, type[BaseModel] | None] = {}
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra.get("readOnly"):
            continue
        models = [one for one in (info.annotation, *get_args(info.annotation)) if isinstance(one, type)]
        found[name] = next((one for one in models if issubclass(one, BaseModel)), None)
    return found


def sent(model: type[BaseModel], record: Mapping[str, Any], *, empties: bool = False) -> dict[str, Any]:
    """What of a record may be sent: without what Visma Net fills itself, and without what is empty.

    `empties`: what the record says is empty is sent as the empty text.
    """
    body: dict[str, Any] = {}
    for name, inner in _writable(model).items():
        value = record.get(name)
        if value is None:
            if empties and name in record and inner is None:
                body[name] = ""
        elif inner is not None and isinstance(value, Mapping):
            body[name] = sent(inner, value, empties=empties)
        elif not isinstance(value, list | tuple):
            body[name] = value.isoformat() if isinstance(value, date) else value
    return body


def differs(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Names of the fields that are not as wanted; an empty text wanted is nothing there."""
    different: list[str] = []
    for name, value in wanted.items():
        found = there.get(name)
        if isinstance(value, Mapping):
            different += [f"{name}.{inner}" for inner in differs(value, found if isinstance(found, Mapping) else {})]
        elif value != found and not (value == "" and found is None):
            different.append(name)
    return different


def moved(wanted: Mapping[str, Any], seen: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    """Whether a field that is to be written has been changed by somebody since it was seen, to something else."""
    if seen is None:
        return False
    for name, value in wanted.items():
        was, there = seen.get(name) or None, now.get(name) or None
        if isinstance(value, Mapping):
            if moved(value, was or {}, there or {}):
                return True
        elif there not in (was, value or None):
            return True
    return False


def day_of(value: Any, field: str) -> date:
    """A day given as one or as `YYYY-MM-DD`. Raises `Refused` ("date-missing", "date-malformed")."""
    if isinstance(value, date):
        return value
    if value is None:
        raise Refused("A date is missing.", code="date-missing", where={"field": field})
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Refused(f"{str(value)[:40]!r} is no day.", code="date-malformed", where={"field": field}) from None


def in_ore(value: Any, field: str) -> Decimal:
    """An amount of money. Raises `Refused` ("amount-malformed", "too-many-decimals")."""
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Refused(f"{str(value)[:40]!r} is no amount.", code="amount-malformed", where={"field": field})
    if amount != amount.quantize(Decimal("0.01")):
        raise Refused(
            f"{amount} has more decimals than Visma Net books.", code="too-many-decimals", where={"field": field}
        )
    return amount
