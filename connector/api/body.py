"""Bodies from outside: read with a limit, whatever the headers claim."""

from __future__ import annotations

from fastapi import Request

from connector.errors import BadInput

MAX_BYTES = 100 * 1024 * 1024
"""The largest body taken: an EHF with its attachments."""


async def body_of(request: Request, most: int = MAX_BYTES) -> bytes:
    """The body's bytes.

    Raises:
        BadInput: it is longer than the limit (code `body-too-large`, HTTP 413); nothing of it is kept.
    """
    stated = request.headers.get("content-length", "")
    parts: list[bytes] = []
    size = int(stated) if stated.isdigit() else 0
    if size <= most:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                break
            parts.append(part)
    if size > most:
        raise BadInput(
            f"The body is larger than {most // 1024 // 1024} MB.",
            code="body-too-large",
            do="Send attachments as links, or smaller.",
        )
    return b"".join(parts)


def media_type(request: Request) -> str:
    """The body's media type without parameters, in lower case."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()
