"""From a goal's record to what Tripletex is sent. No calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from adapters.accounting.tripletex.records import parts
from connector.errors import Refused


@cache
def _writable(model: type[BaseModel]) -> frozenset[str]:
    extras = ((name, info.json_schema_extra) for name, info in model.model_fields.items())
    return frozenset(name for name, extra in extras if not (isinstance(extra, dict) and extra.get("readOnly")))


@cache
def _texts(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(
        name for name, info in model.model_fields.items() if str in (info.annotation, *get_args(info.annotation))
    )


def sent(model: type[BaseModel], record: Mapping[str, Any], *, empties: bool = False) -> dict[str, Any]:
    """What of a record may be sent: without what Tripletex fills itself, and without what is empty.

    `empties`: what the record says is empty empties it there: a text becomes the empty text, anything else null.
    """
    writable = _writable(model)
    body: dict[str, Any] = {}
    for name, inner in parts(model).items():
        value = record.get(name)
        if name not in writable or (value is None and not (empties and name in record)):
            continue
        if value is None:
            body[name] = "" if name in _texts(model) else None
            continue
        if inner is not None:
            value = (
                sent(inner, value, empties=empties)
                if isinstance(value, Mapping)
                else [sent(inner, item) for item in value]
            )
        body[name] = value.isoformat() if isinstance(value, date) else value
    return body


def differs(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Names of the fields that are not as wanted; an empty text wanted is nothing there."""
    different = []
    for name, value in wanted.items():
        found = there.get(name)
        if isinstance(value, Mapping) and isinstance(found, Mapping):
            different += [f"{name}.{inner}" for inner in differs(value, found)]
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
        elif there not in (was, value or None) and name != "id":
            return True
    return False


def day_of(value: Any) -> date | None:
    """A day given as one or as `YYYY-MM-DD`. Raises `Refused` ("date-malformed")."""
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Refused(f"{str(value)[:40]!r} is no day.", code="date-malformed") from None


def number_of(value: Any, field: str) -> int:
    """An id of Tripletex', which comes as number or as text. Raises `Refused` ("link-missing")."""
    text = str(value)
    if not text.isascii() or not text.isdigit():
        raise Refused(
            f"{text[:40]!r} is no id of Tripletex' ({field}).",
            code="link-missing",
            do="See that what this refers to has been brought to Tripletex first.",
            where={"field": field},
        )
    return int(text)
