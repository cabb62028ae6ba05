"""`python -m adapters.access_points.folder.sandbox`: the sandbox as a server on loopback."""

from __future__ import annotations

import argparse
import json
import sys

from adapters.access_points.folder.sandbox import Sandbox, serve
from adapters.access_points.folder.sandbox.access_point import LAYOUTS
from adapters.access_points.sandbox import Pace


def main() -> None:
    """Read the command line and serve; the first line written is the settings of a connection to it, as JSON."""
    parser = argparse.ArgumentParser(description="An SFTP server on loopback, and an access point behind it.")
    parser.add_argument("--port", type=int, default=2222, help="0 takes a free one (default: 2222)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every answer takes longer")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds from sending to the receipt")
    parser.add_argument("--layout", choices=LAYOUTS, default="plain", help="how incoming documents lie there")
    given = parser.parse_args()

    def ready(box: Sandbox) -> None:
        told = {"folder": str(box.root), "settings": box.settings, "secrets": box.secrets}
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()

    serve(given.port, ready=ready, latency=given.latency, pace=Pace(sent=given.delay), layout=given.layout)


if __name__ == "__main__":
    main()
