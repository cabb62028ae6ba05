"""What comes in, checked: kinds of values, names that exist, records that are referred to; refused in Norwegian."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import fields
from adapters.accounting.tripletex.sandbox.store import Store
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, invalid

Said = Mapping[str, Any]


def wrong(field: str, message: str) -> SandboxError:
    """422: what was sent has the wrong form."""
    return SandboxError(422, 16000, "Feil i forespørselen.", (field, message))


def text(value: Any, field: str) -> str:
    """A text, or 422/16000."""
    if not isinstance(value, str):
        raise wrong(field, "En tekst var ventet.")
    return value


def whole(value: Any, field: str) -> int:
    """A whole number, or 422/16000."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong(field, "Et heltall var ventet.")
    return value


def flag(value: Any, field: str) -> bool:
    """True or false, or 422/16000."""
    if not isinstance(value, bool):
        raise wrong(field, "true eller false var ventet.")
    return value


def amount(value: Any, field: str, decimals: int) -> Decimal:
    """A number with no more decimals than may be, or 422."""
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise wrong(field, "Et tall var ventet.")
    number = Decimal(value)
    if number != round(number, decimals):
        raise invalid(field, f"Maks {decimals} desimaler.")
    return number


def day(value: Any, field: str) -> date:
    """`YYYY-MM-DD`, or 422."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise invalid(field, "Feil format på dato.")


def check_names(known: Collection[str], said: Any, path: str, what: str) -> None:
    """An object with no name that is not known, or 422/16000 (`what`: what it is called where there is no path)."""
    if not isinstance(said, Mapping):
        raise wrong(path or what, "Et objekt var ventet.")
    for name in said:
        if name not in known:
            raise wrong(f"{path}.{name}" if path else name, "Feltet finnes ikke i objektet.")


def link(store: Store, type: str, said: Any, field: str) -> Link:
    """A reference to a record that is there, or 422."""
    id = said.get("id") if isinstance(said, Mapping) else None
    if not isinstance(id, int) or isinstance(id, bool):
        raise invalid(f"{field}.id", "Kan ikke være null.")
    if id not in store.things.get(type, {}):
        raise invalid(f"{field}.id", f"Finner ikke {type} med id {id}.")
    return Link(type, id)


def links(store: Store, said: Said, names: Collection[str], path: str = "") -> dict[str, Link]:
    """Those of the references named that were given."""
    before = f"{path}." if path else ""
    return {
        name: link(store, fields.LINKS[name], said[name], before + name) for name in names if said.get(name) is not None
    }


def value(store: Store, name: str, said: Any) -> Any:
    """One field of a record by its kind (see `fields`); None empties it."""
    if said is None:
        return None
    if name in fields.LINKS:
        return link(store, fields.LINKS[name], said, name)
    if name in fields.WHOLE:
        return whole(said, name)
    if name in fields.NUMBERS:
        return amount(said, name, decimals=10)
    if name in fields.DAYS:
        return day(said, name).isoformat()
    if fields.is_flag(name):
        return flag(said, name)
    return text(said, name)
