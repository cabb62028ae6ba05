"""A local stand-in: an SFTP server, and an access point at work in its folder.

It picks up what is laid down, answers later with a receipt or a refusal, and lays down what others have sent. The same
folder can be used as a local one. In a test:

    async with Sandbox() as box:
        …  # box.settings, box.secrets, box.root, box.fault("rename", "no-answer"), box.network.come(document)

As a server: `python -m adapters.access_points.folder.sandbox --port 2222`, or `serve(port=2222)`.

`server` is the SFTP server with its faults, `access_point` what works behind it; the network behind that is the one of
all access points' stand-ins (`adapters.access_points.sandbox`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters import loopback
from adapters.access_points.folder.sandbox.access_point import AccessPoint
from adapters.access_points.folder.sandbox.server import Sandbox

__all__ = ["AccessPoint", "Sandbox", "serve"]


def serve(port: int = 2222, *, ready: Callable[[Sandbox], None] | None = None, **settings: Any) -> None:
    """Run the sandbox until it is interrupted (SIGINT, SIGTERM); `settings` are those of `Sandbox`.

    Raises:
        OSError: the port is taken.
    """
    loopback.serve(Sandbox(port=port, **settings), ready)
