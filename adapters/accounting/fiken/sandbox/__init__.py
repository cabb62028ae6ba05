"""A local stand-in for Fiken: it keeps books, takes one call at a time, says no in Norwegian, and fails when told to.

It behaves as the API is described and as integrators have seen it; where the vendor's behaviour is uncertain it does
what is harder for the caller, and `Rules` switches that. In a test:

    async with Sandbox() as box:
        …  # box.url, box.books, box.requests, box.fault("POST /.*/createInvoice", "no-answer"), box.payment(…)

As a server: `python -m adapters.accounting.fiken.sandbox --port 8082`, or `serve(port=8082)`. Its own calls lie beside
the vendor's (see `behind` and `adapters.loopback`): `GET|POST|DELETE /fault`, `POST /_sandbox/payment` …

Its rooms: `store` and `lines` → `books` (one company), `entries` (free entries), `forms` (what requests may say),
`shapes` (what answers show), `routing` and `calls` (paths), `oauth` (who may call), `server` (what surrounds a call).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters import loopback
from adapters.accounting.fiken.sandbox.books import Books
from adapters.accounting.fiken.sandbox.oauth import CLIENT_ID, CLIENT_SECRET, TOKEN
from adapters.accounting.fiken.sandbox.rules import Rules
from adapters.accounting.fiken.sandbox.server import SLUG, Sandbox
from adapters.loopback import Request

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "SLUG", "TOKEN", "Books", "Request", "Rules", "Sandbox", "serve"]


def serve(
    host: str = "127.0.0.1", port: int = 8082, *, ready: Callable[[Sandbox], None] | None = None, **settings: Any
) -> None:
    """Run the sandbox until it is interrupted (SIGINT, SIGTERM).

    `ready` is called once it listens (`sandbox.url` is then right, also for port 0); `settings` are those of `Sandbox`.

    Raises:
        OSError: the port is taken.
    """
    loopback.serve(Sandbox(host=host, port=port, **settings), ready)
