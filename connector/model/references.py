"""What an invoice refers to and brings along: documents, attachments, periods, delivery."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from connector.model.base import Day, Term, Text
from connector.model.party import Address, Identifier


def decode_base64(text: str) -> bytes:
    """The bytes that base64 text stands for; blanks and line breaks in it count for nothing.

    Raises:
        ValueError: "base64-malformed".
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise PydanticCustomError("base64-malformed", "The file is not base64 text.") from None


def encode_base64(data: bytes) -> str:
    """Base64 text of the bytes, in one line."""
    return base64.b64encode(data).decode("ascii")


def _content(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return decode_base64(value)
    raise PydanticCustomError("base64-malformed", "The file is not base64 text.")


Content = Annotated[
    bytes,
    PlainValidator(_content),
    PlainSerializer(encode_base64, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes; in JSON base64 text."""


class Period(Term):
    """From one day to another, both included (BG-14, BG-26)."""

    start: Day | None = None
    """BT-73, BT-134 First day."""
    end: Day | None = None
    """BT-74, BT-135 Last day."""

    @model_validator(mode="after")
    def _something(self) -> Period:
        if self.start is None and self.end is None:
            raise PydanticCustomError("period-empty", "A period has a first day, a last day or both.")
        return self


class DocumentReference(Term):
    """An invoice that this document corrects or follows (BG-3), by whatever is known of it; EHF needs the number."""

    number: Text | None = None
    """BT-25 Number of the preceding invoice; None while it has none."""
    issue_date: Day | None = None
    """BT-26 Date of the preceding invoice."""
    source_id: Text | None = None
    """Its id in the system this document comes from. Not carried by EHF."""
    document_id: Text | None = None
    """Our own id of it. Not carried by EHF."""

    @model_validator(mode="after")
    def _something(self) -> DocumentReference:
        if not (self.number or self.source_id or self.document_id):
            raise PydanticCustomError(
                "document-reference-empty", "Say which invoice is meant: number, source_id or document_id."
            )
        return self


class Embedded(Term):
    """A file inside the document (BT-125)."""

    content: Content
    """The file; base64 in JSON."""
    mime_type: Text
    """MIME type; EHF takes application/pdf, image/png, image/jpeg, text/csv and the Office spreadsheets."""
    filename: Text | None = None
    """Name of the file; EHF wants it."""


class Attachment(Term):
    """A supporting document (BG-24): embedded, behind a link, or only named."""

    id: Text
    """BT-122 Reference of the supporting document."""
    description: Text | None = None
    """BT-123 What it is."""
    link: Text | None = None
    """BT-124 Where it lies (URL)."""
    embedded: Embedded | None = None
    """BT-125 The file itself."""


class Delivery(Term):
    """Where and when goods or services were delivered (BG-13); Norwegian invoices must show time and place."""

    day: Day | None = None
    """BT-72 Actual delivery date."""
    location_id: Identifier | None = None
    """BT-71 Deliver-to location, a GLN (scheme 0088) for instance."""
    address: Address | None = None
    """BG-15 Deliver-to address."""
    name: Text | None = None
    """BT-70 Deliver-to party's name."""
