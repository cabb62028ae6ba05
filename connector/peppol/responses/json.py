"""Responses as JSON: to keep them, and to show them to programs."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from connector.peppol.responses.model import InvoiceResponse, MessageStatus


def as_json(response: InvoiceResponse | MessageStatus) -> dict[str, Any]:
    """All that a response says, by its fields, without those that hold nothing; `kind` says which it is."""
    adapter: TypeAdapter[Any] = _invoice_response() if isinstance(response, InvoiceResponse) else _message_status()
    return {"kind": response.kind, **adapter.dump_python(response, mode="json", exclude_none=True)}


def from_json(said: dict[str, Any]) -> InvoiceResponse | MessageStatus:
    """The response that `as_json` has made it of."""
    if said["kind"] != "invoice-response":
        return _message_status().validate_python(said)
    return _invoice_response().validate_python({name: value for name, value in said.items() if name != "kind"})


# Making one takes some milliseconds, and many programs never need it.
@cache
def _invoice_response() -> TypeAdapter[InvoiceResponse]:
    return TypeAdapter(InvoiceResponse)


@cache
def _message_status() -> TypeAdapter[MessageStatus]:
    return TypeAdapter(MessageStatus)
