"""All calls of the sandbox, by the rooms they belong to; importing this enters them into `ROUTES`."""

from __future__ import annotations

from adapters.accounting.tripletex.sandbox.calls import (
    company,
    documents,
    events,
    ledger,
    purchases,
    registers,
    sales,
    vouchers,
)
from adapters.accounting.tripletex.sandbox.routing import RESULT_LIMIT, ROUTES, Call, Reply, Route, answer

__all__ = ["RESULT_LIMIT", "ROOMS", "ROUTES", "Call", "Reply", "Route", "answer"]

ROOMS = (company, registers, documents, sales, vouchers, ledger, purchases, events)
