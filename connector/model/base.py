"""What every term of the model has in common: frozen, closed, clean text, real dates.

A term refuses fields it does not know, trims white space at both ends of text, refuses empty text (leave the field out
instead) and characters that XML cannot carry. Errors are pydantic's `ValidationError`; each single error has a stable
kebab-case `type` where the fault is one of ours ("float-refused", "currency-unknown", "date-malformed" …).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Term(BaseModel):
    """A frozen, closed part of a document or register: unknown fields are refused, nothing can be changed in place."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True, validate_default=False
    )


def _xml_text(text: str) -> str:
    found = _NOT_XML.search(text)
    if found:
        raise PydanticCustomError(
            "text-not-xml",
            "The text has the control character U+{code}, which no XML document can carry; remove it.",
            {"code": f"{ord(found.group()):04X}"},
        )
    return text


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise PydanticCustomError("date-malformed", "Not a date: write it as YYYY-MM-DD, for instance 2027-01-15.")


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    AfterValidator(_xml_text),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
"""Text with something in it; white space at its ends is trimmed."""

Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(date.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-01-15"]}),
]
"""A day of the calendar, without time or zone; in JSON YYYY-MM-DD."""
