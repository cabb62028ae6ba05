"""Addresses of web services, as settings name them: what is none is told when the file is checked, not by the first
call.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def _web(given: str) -> str:
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = not any(mark.isspace() for mark in given) and not parts.query and not parts.fragment
    if parts.scheme in ("https", "http") and parts.hostname and port != 0 and plain and not parts.username:
        return given
    bare = given.strip().rpartition("://")[2].lstrip("/")
    raise PydanticCustomError(
        "address-invalid",
        "`{given}` is no address of a service",
        {
            "given": given[:80],
            "do": f"Write it whole: https:// (http:// for a sandbox), the host, the path: `https://{bare}`."
            if bare and plain and "@" not in bare and "?" not in bare and "#" not in bare
            else "Write https://, the host and the path, and nothing else: no blanks, no user, no query.",
        },
    )


WebAddress = Annotated[str, AfterValidator(_web)]
"""An address that calls begin with: `https://` (`http://` for a sandbox), host and path; no user, query or fragment."""
