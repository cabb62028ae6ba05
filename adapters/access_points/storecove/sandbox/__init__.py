"""A local stand-in for Storecove: it takes each key once, has proof of sending only when it was sent, and tells all the
rest in a queue whose first event hides the others.

It behaves as the API is described and as clients of it have seen it; where the vendor's behaviour is uncertain it does
what is harder for the caller, and `Rules` switches that. It sends a PDF by e-mail where an address is given and the
receiver is not in Peppol, as the real one does: `box.mailed` must stay empty. See `adapters.access_points.sandbox` for
what happens in the network, and for the desk.

`server` who may call, what each call does; `queue` the events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters import loopback
from adapters.access_points.storecove.sandbox.server import API_KEY, LEGAL_ENTITY, NUMBER, Rules, Sandbox

__all__ = ["API_KEY", "LEGAL_ENTITY", "NUMBER", "Rules", "Sandbox", "serve"]


def serve(
    host: str = "127.0.0.1", port: int = 8093, *, ready: Callable[[Sandbox], None] | None = None, **settings: Any
) -> None:
    """Run the sandbox until it is interrupted (SIGINT, SIGTERM).

    `ready` is called once it listens (`sandbox.url` is then right, also for port 0); `settings` are those of `Sandbox`.

    Raises:
        OSError: the port is taken.
    """
    loopback.serve(Sandbox(host=host, port=port, **settings), ready)
