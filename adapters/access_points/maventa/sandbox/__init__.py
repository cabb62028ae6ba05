"""A local stand-in for Maventa: it gives tokens that end, takes documents and tells later what became of them, knows a
key again, and hands over what came until it is handled.

It behaves as the API is described and as clients of it have seen it; where the vendor's behaviour is uncertain it does
what is harder for the caller, and `Rules` switches that. It prints what is sent to it without a way, as the real one
does: `box.printed` must stay empty. See `adapters.access_points.sandbox` for what happens in the network, and for the
desk.

`server` who may call, what each call does; `shapes` what answers show; `calling` its calls to us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters import loopback
from adapters.access_points.maventa.sandbox.server import API_KEY, COMPANY, VENDOR_API_KEY, Rules, Sandbox

__all__ = ["API_KEY", "COMPANY", "VENDOR_API_KEY", "Rules", "Sandbox", "serve"]


def serve(
    host: str = "127.0.0.1", port: int = 8092, *, ready: Callable[[Sandbox], None] | None = None, **settings: Any
) -> None:
    """Run the sandbox until it is interrupted (SIGINT, SIGTERM).

    `ready` is called once it listens (`sandbox.url` is then right, also for port 0); `settings` are those of `Sandbox`.

    Raises:
        OSError: the port is taken.
    """
    loopback.serve(Sandbox(host=host, port=port, **settings), ready)
