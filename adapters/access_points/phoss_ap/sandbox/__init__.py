"""A local stand-in for phoss-ap: it takes documents, tries the first time at once and then by itself, tells the status,
and hands over what comes.

It is written from what the source of phoss-ap does, and where that is hard for a caller it does the same: submitting
answers only after the first attempt, 422 where that failed although it will be tried again; the same instance twice is
sent twice, and its status is then 404; what comes is posted until it is answered with 2xx. See
`adapters.access_points.sandbox` for what happens in the network, and for the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters import loopback
from adapters.access_points.phoss_ap.sandbox.forwarding import Forwarder, Handing, Target
from adapters.access_points.phoss_ap.sandbox.server import HOOK_SECRET, TOKEN, Sandbox

__all__ = ["HOOK_SECRET", "TOKEN", "Forwarder", "Handing", "Sandbox", "Target", "serve"]


def serve(
    host: str = "127.0.0.1", port: int = 8091, *, ready: Callable[[Sandbox], None] | None = None, **settings: Any
) -> None:
    """Run the sandbox until it is interrupted (SIGINT, SIGTERM).

    `ready` is called once it listens (`sandbox.url` is then right, also for port 0); `settings` are those of `Sandbox`.

    Raises:
        OSError: the port is taken.
    """
    loopback.serve(Sandbox(host=host, port=port, **settings), ready)
