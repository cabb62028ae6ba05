"""All calls of the sandbox, by the rooms they belong to; importing this enters them into `route`."""

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
from adapters.accounting.tripletex.sandbox.routing import RESULT_LIMIT, Call, Reply, answer, route

__all__ = ["RESULT_LIMIT", "ROOMS", "Call", "Reply", "answer", "route"]

ROOMS = (company, registers, documents, sales, vouchers, ledger, purchases, events)
