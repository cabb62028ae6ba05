"""From a goal's record to what Fiken is sent. No calls."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import BaseModel

from adapters.accounting.fiken import wire
from adapters.accounting.fiken.ore import kroner
from adapters.accounting.fiken.records import Row, parts
from connector.errors import Refused, Stop
from connector.ports import Goal

_OURS = uuid.UUID("4c1d6b0e-64a1-5b0c-9f0e-0b6d2f1f7a51")
"""The space that the uuids of our drafts are made in."""


def uuid_of(marker: str) -> str:
    """The uuid of the draft of a goal: always the same one for the same marker."""
    return str(uuid.uuid5(_OURS, marker))


@cache
def _writable(model: type[BaseModel]) -> frozenset[str]:
    extras = ((name, info.json_schema_extra) for name, info in model.model_fields.items())
    return frozenset(name for name, extra in extras if not (isinstance(extra, dict) and extra.get("readOnly")))


def sent(model: type[BaseModel], record: Row, *, empties: bool = False) -> dict[str, Any]:
    """What of a record may be sent: without what Fiken fills itself, and without what is empty (`empties`: with it).

    Raises `Refused` ("text-too-long") for what Fiken has no room for.
    """
    body: dict[str, Any] = {}
    for name, inner in parts(model).items():
        value = record.get(name)
        if name not in _writable(model) or (value is None and not (empties and name in record)):
            continue
        if inner is not None and value is not None:
            many = isinstance(value, list)
            value = [sent(inner, one, empties=empties) for one in (value if many else [value])]
            value = value if many else value[0]
        _fits(model, name, value)
        body[name] = value.isoformat() if isinstance(value, date) else value
    return body


def _fits(model: type[BaseModel], name: str, value: Any) -> None:
    most = next((one.max_length for one in model.model_fields[name].metadata if hasattr(one, "max_length")), None)
    if most is None or not isinstance(value, str) or len(value) <= most:
        return
    raise Refused(
        f"Fiken has room for {most} characters in {name}, and there are {len(value)}: {value[:40]}…",
        code="text-too-long",
        do="Shorten it in the document, or put the rest into a note or an attachment.",
        where={"field": name},
    )


def differs(wanted: Row, there: Row) -> bool:
    """Whether a field is not as wanted; an empty text wanted is nothing there."""
    for name, value in wanted.items():
        found = there.get(name)
        if isinstance(value, Mapping) and isinstance(found, Mapping):
            if differs(value, found):
                return True
        elif (value or None) != (found or None):
            return True
    return False


def moved(wanted: Row, seen: Row | None, now: Row) -> bool:
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
    if value is None:
        raise Refused(f"There is no {field}, and Fiken needs one.", code="date-missing", where={"field": field})
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise Refused(f"{str(value)[:40]!r} is no day.", code="date-malformed", where={"field": field}) from None


def id_of(value: Any, field: str) -> int:
    """An id of Fiken's, which comes as number or as text. Raises `Refused` ("link-missing")."""
    text = str(value)
    if not text.isascii() or not text.isdigit():
        raise Refused(
            f"{text[:40]!r} is no id of Fiken's ({field}).",
            code="link-missing",
            do="See that what this refers to has been brought to Fiken first.",
            where={"field": field},
        )
    return int(text)


def compare(goal: Goal, row: Row, where: Mapping[str, Any], stands: str) -> None:
    """Raises `Stop` ("totals-differ", both figures in `details`) unless Fiken comes to what the document says; what
    shows no figures is `VendorError` ("vendor-answer").

    `row`: anything of Fiken's with `net` and `gross`, and `vat` where it shows it: drafts do not.
    """
    totals = goal.totals
    if totals is None:
        raise Refused("The document comes without totals to compare with.", code="totals-missing")
    ours = {"net": totals.net, "vat": totals.vat, "gross": totals.gross + totals.rounding, "rounding": totals.rounding}
    shown = ("net", "vat", "gross") if "vat" in row else ("net", "gross")
    theirs = {name: kroner(row.get(name), name) for name in shown}
    if "vat" in theirs:
        theirs["rounding"] = theirs["gross"] - theirs["net"] - theirs["vat"]
    if all(ours[name] == value for name, value in theirs.items()):
        return
    vat, rounding = theirs.get("vat", theirs["gross"] - theirs["net"]), theirs.get("rounding", Decimal(0))
    raise Stop(
        f"Fiken comes to {_plain(theirs['gross'])} with VAT of {_plain(vat)}, the document to {_plain(ours['gross'])}"
        f" with VAT of {_plain(ours['vat'])} ({totals.currency}; rounded by {_plain(rounding)}"
        f" and {_plain(ours['rounding'])}). {stands}",
        code="totals-differ",
        do="See how VAT is rounded on both sides; change what is in Fiken and retry, or cancel this and post it anew.",
        where=where,
        details={
            "currency": totals.currency,
            "ours": {name: _plain(value) for name, value in ours.items()},
            "theirs": {name: _plain(value) for name, value in ({"vat": vat} | theirs).items()},
        },
    )


def _plain(amount: Decimal) -> str:
    return f"{amount:.2f}"


def lines_of(record: Row) -> list[dict[str, Any]]:
    """The lines of an invoice or credit note as they are sent."""
    return [sent(wire.Line, line) for line in record.get("lines") or ()]
