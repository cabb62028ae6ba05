"""Fiken keeps what the kit asks of an adapter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from fiken_bench import FikenBench

from connector.testing import CHECKS, AdapterKit

DAILY = {
    "works", "capable-table", "capable-payment-of-more",
    "answer-lost-credit-note", "answer-lost-payment-of-a-part", "answer-lost-supplier-invoice",
    "not-sent-credit-note", "too-many-payment-of-a-part", "slow-payment-of-a-part",
    "new-payment", "meanwhile-payment", "changed-customer", "gone-customer", "pages-customer",
    "exact-0.38", "exact-154320986.39", "paid-a-part", "paid-more",
    "missing-field-payment", "unknown-field-read-invoice",
}  # fmt: skip
"""One of each promise and fate: what `make test` has time for. By hand and with `make proof` all are tried."""


class TestFiken(AdapterKit):
    bench = FikenBench
    checks = [check for check in CHECKS if check.name in DAILY] if os.environ.get("CONNECTOR_BY_TURNS") else CHECKS
    assert {check.name for check in CHECKS} >= DAILY
