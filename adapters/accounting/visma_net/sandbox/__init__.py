"""A stand-in for Visma Net ERP on loopback, for tests and for people who want to see: `connector sandbox visma-net`.

`server` listens, gives tokens and counts calls; `routing` is the table of what can be asked, filled by `calls`,
`purchase_calls`, `register_calls` and `balance_calls`. `store` (rows) → `registers` (items, dimensions) → `ledger`
(customers, periods, what is posted) → `purchases` → `sales` → `books` (one company with its payments), filled by
`chart`. `lists` filters and pages, `asking` reads wrapped bodies; `releases` is what waits to be released, with its
background jobs; `rules` says what tests choose.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.accounting.visma_net.sandbox.rules import Rules
from adapters.accounting.visma_net.sandbox.server import CLIENT_ID, CLIENT_SECRET, CONTRACT_ID, TENANT_ID, Sandbox
from adapters.loopback import Request
from adapters.loopback import serve as serve_any

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "CONTRACT_ID", "TENANT_ID", "Request", "Rules", "Sandbox", "serve"]


def serve(*, port: int, latency: float = 0.0, ready: Callable[[Sandbox], None]) -> None:
    """Serve until interrupted; `ready` is told once it listens."""
    serve_any(Sandbox(port=port, latency=latency), ready)
