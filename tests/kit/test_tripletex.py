"""Tripletex keeps what the kit asks of an adapter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from tripletex_bench import TripletexBench

from connector.testing import CHECKS, AdapterKit

DAILY = {
    "works", "capable-table", "capable-invoice",
    "answer-lost-invoice", "answer-lost-credit-note", "answer-lost-invoice-issued-elsewhere",
    "answer-lost-payment-of-a-part", "answer-lost-supplier-invoice", "answered-500-payment-of-a-part",
    "not-sent-payment-of-a-part", "too-many-invoice", "slow-payment-of-a-part",
    "new-invoice", "meanwhile-payment", "changed-customer", "gone-customer", "pages-customer",
    "exact-0.38", "exact-154320986.39", "paid-more", "paid-and-taken-back",
    "missing-field-written", "missing-field-invoice", "unknown-field-invoice", "unknown-field-read-payment",
    "silent-401", "silent-lost", "silent-addresses",
}  # fmt: skip
"""One of each promise and fate: what `make test` has time for. By hand and with `make proof` all are tried."""


class TestTripletex(AdapterKit):
    bench = TripletexBench
    checks = [check for check in CHECKS if check.name in DAILY] if os.environ.get("CONNECTOR_BY_TURNS") else CHECKS
    assert {check.name for check in CHECKS} >= DAILY
