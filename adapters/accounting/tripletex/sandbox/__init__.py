"""A local stand-in for Tripletex: it keeps books, says no in Norwegian, and fails when told to.

It behaves as the API is described and as integrators have seen it; where the vendor's behaviour is uncertain it does
what is harder for the caller, and `Rules` switches that. In a test:

    async with Sandbox() as box:
        …  # box.url, box.books, box.requests, box.fault("PUT /order/.*/:invoice", "no-answer"), box.payment(…)

As a server: `python -m adapters.accounting.tripletex.sandbox --port 8081`, or `serve(port=8081)`. Its own calls lie
beside the vendor's (see `behind` and `adapters.loopback`): `GET|POST|DELETE /fault`,
`POST /_sandbox/payment`, `GET /_sandbox/state` …

Its rooms: `things` and `fields` (records and the vendor's names), `store` → `periods` → `ledger` → `matching` → `sales`
and `purchases` → `books` (one company), `forms`, `registers`, `orders`, `vouchers`, `incoming` (what comes in),
`access` (rights), `subscriptions` (webhooks), `routing` and `calls` (paths), `server` (what surrounds a call).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters import loopback
from adapters.accounting.tripletex.sandbox.books import Books, Rules
from adapters.accounting.tripletex.sandbox.server import ACCOUNTANT_TOKEN, CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox
from adapters.loopback import Request

__all__ = ["ACCOUNTANT_TOKEN", "CONSUMER_TOKEN", "EMPLOYEE_TOKEN", "Books", "Request", "Rules", "Sandbox", "serve"]


def serve(
    host: str = "127.0.0.1", port: int = 8081, *, ready: Callable[[Sandbox], None] | None = None, **settings: Any
) -> None:
    """Run the sandbox until it is interrupted (SIGINT, SIGTERM).

    `ready` is called once it listens (`sandbox.url` is then right, also for port 0); `settings` are those of `Sandbox`.

    Raises:
        OSError: the port is taken.
    """
    loopback.serve(Sandbox(host=host, port=port, **settings), ready)
