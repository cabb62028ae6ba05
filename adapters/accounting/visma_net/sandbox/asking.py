"""What is asked of the sandbox: wrapped values, query parameters, and the vendor's way to say no."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.loopback import Refused

_MALFORMED = "The request is invalid."


class SandboxError(Refused):
    """A refusal in the vendor's words: a text with an id for support, and nothing else."""

    def body(self) -> dict[str, str]:
        """As it is answered."""
        return {"message": f"VismaId: {uuid.uuid4()}. {self.message}"}


def invalid(text: str) -> SandboxError:
    """A business fault."""
    return SandboxError(400, text)


def unknown(name: str, value: Any) -> SandboxError:
    """Something that is named and is not there."""
    return invalid(f"Error creating document. Error: {name} '{value}' cannot be found in the system.")


@dataclass(slots=True)
class Said:
    """A body, or an object in it, whose values are wrapped. A name that nobody knows is ignored without a word."""

    fields: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Whether it says something of this field."""
        return self.fields.get(name) is not None

    def value(self, name: str) -> Any:
        """What stands in the wrapping; None where there is nothing. Raises `SandboxError` where it is not wrapped."""
        wrapping = self.fields.get(name)
        if wrapping is None:
            return None
        if not isinstance(wrapping, dict) or set(wrapping) != {"value"}:
            raise invalid(_MALFORMED)
        return wrapping["value"]

    def text(self, name: str) -> str | None:
        """A text. Raises `SandboxError`."""
        value = self.value(name)
        if value is not None and not isinstance(value, str):
            raise invalid(_MALFORMED)
        return value

    def number(self, name: str) -> Decimal | None:
        """A number. Raises `SandboxError`."""
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise invalid(_MALFORMED)
        return Decimal(value)

    def flag(self, name: str) -> bool | None:
        """A truth value. Raises `SandboxError`."""
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(_MALFORMED)
        return value

    def day(self, name: str) -> date | None:
        """A day, from a date-time. Raises `SandboxError`."""
        text = self.text(name)
        if text is None:
            return None
        at = moment(text)
        if at is None:
            raise invalid(_MALFORMED)
        return at.date()

    def part(self, name: str) -> Said | None:
        """An object inside, wrapped outside and in. Raises `SandboxError`."""
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise invalid(_MALFORMED)
        return Said(value)

    def lines(self, name: str) -> list[Said]:
        """A list, which is not wrapped; its items say what is to be done with them. Raises `SandboxError`."""
        items = self.fields.get(name) or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise invalid(_MALFORMED)
        if any(item.get("operation") not in {"Insert", "Update", "Delete"} for item in items):
            raise invalid("Operation must be Insert, Update or Delete.")
        return [Said(item) for item in items]


def said(body: Any) -> Said:
    """A body that must be an object. Raises `SandboxError`."""
    if not isinstance(body, dict):
        raise invalid(_MALFORMED)
    return Said(body)


def moment(text: str) -> datetime | None:
    """A moment in one of the forms that are taken; none has a zone."""
    text = text.strip()
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
