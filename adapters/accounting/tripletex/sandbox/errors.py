"""The sandbox's refusals: Tripletex' status and code, its error body, its Norwegian sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Refusal(Exception):
    """An answer that is an error. `fields` pairs the fields at fault with what is said about them."""

    def __init__(self, status: int, code: int, message: str, *fields: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields: Sequence[tuple[str, str]] = fields

    def body(self, request_id: str) -> dict[str, Any]:
        """The error body as the vendor shapes it."""
        said = [{"field": field.split(".")[-1], "message": text, "path": field} for field, text in self.fields]
        return {
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "link": "https://tripletex.no/v2-docs/",
            "validationMessages": said,
            "requestId": request_id,
        }


def invalid(*fields: tuple[str, str], message: str = "Validering feilet.") -> Refusal:
    """422/18000: it was understood and is not right."""
    return Refusal(422, 18000, message, *fields)


def empty(field: str) -> Refusal:
    """422/18000: a required field is missing."""
    return invalid((field, "Kan ikke være null."))


def unknown(what: str, id: object) -> Refusal:
    """404/6000."""
    return Refusal(404, 6000, "Fant ikke objektet.", (what, f"Finner ikke {what} med id {id}."))
