"""A local stand-in for e-invoice.be: it makes drafts and sends them, tells later what became of them, and shows what
came, whether it was taken or not.

It behaves as the API is described; where the vendor's behaviour is uncertain it does what is harder for the caller, and
`Rules` switches that. What is sent without addresses goes where it guesses, and to an e-mail address where one is
given: `box.guessed` and `box.mailed` must stay empty. See `adapters.access_points.sandbox` for what happens in the
network, and for the desk.

`server` who may call, what each call does; `documents` what there is and how it is shown; `calling` its calls to us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters import loopback
from adapters.access_points.e_invoice_be.sandbox.server import API_KEY, NUMBER, Rules, Sandbox

__all__ = ["API_KEY", "NUMBER", "Rules", "Sandbox", "serve"]


def serve(
    host: str = "127.0.0.1", port: int = 8095, *, ready: Callable[[Sandbox], None] | None = None, **settings: Any
) -> None:
    """Run the sandbox until it is interrupted (SIGINT, SIGTERM).

    `ready` is called once it listens (`sandbox.url` is then right, also for port 0); `settings` are those of `Sandbox`.

    Raises:
        OSError: the port is taken.
    """
    loopback.serve(Sandbox(host=host, port=port, **settings), ready)
