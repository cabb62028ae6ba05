"""`python -m adapters.accounting.fiken.sandbox`: the sandbox as a server on loopback."""

from __future__ import annotations

import argparse
import sys

from adapters.accounting.fiken.sandbox import serve


def main() -> None:
    """Read the command line and serve; the first line written is the address."""
    parser = argparse.ArgumentParser(description="A local stand-in for Fiken.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8082, help="0 takes a free one (default: 8082)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every answer takes at least")
    parser.add_argument("--rounding", choices=["document", "line"], default="line", help="how VAT is rounded")
    parser.add_argument("--company", action="append", default=[], help="a further company, any number")
    given = parser.parse_args()

    def ready(sandbox: object) -> None:
        sys.stdout.write(f"{getattr(sandbox, 'url', '')}\n")
        sys.stdout.flush()

    serve(given.host, given.port, ready=ready, latency=given.latency, rounding=given.rounding,
          companies=given.company)  # fmt: skip


if __name__ == "__main__":
    main()
