"""`python -m adapters.accounting.tripletex.sandbox`: the sandbox as a server on loopback."""

from __future__ import annotations

import argparse
import sys

from adapters.accounting.tripletex.sandbox import serve


def main() -> None:
    """Read the command line and serve; the first line written is the address."""
    parser = argparse.ArgumentParser(description="A local stand-in for Tripletex.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one (default: 8081)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every answer takes at least")
    parser.add_argument("--rate-limit", type=int, default=None, help="calls per minute")
    parser.add_argument("--rounding", choices=["document", "line"], default="document", help="how VAT is rounded")
    parser.add_argument("--client", action="append", default=[], help="a company of the accountant's, any number")
    given = parser.parse_args()

    def ready(sandbox: object) -> None:
        sys.stdout.write(f"{getattr(sandbox, 'url', '')}\n")
        sys.stdout.flush()

    serve(given.host, given.port, ready=ready, latency=given.latency, rate_limit=given.rate_limit,
          rounding=given.rounding, clients=given.client)  # fmt: skip


if __name__ == "__main__":
    main()
