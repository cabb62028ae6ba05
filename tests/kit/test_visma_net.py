"""Visma Net keeps what the kit asks of an adapter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from visma_net_bench import VismaNetBench

from connector.testing import CHECKS, AdapterKit

DAILY = {
    "works", "capable-table", "capable-reversal", "answer-lost-payment-of-a-part", "too-many-customer",
    "new-payment", "meanwhile-payment", "changed-customer", "gone-customer", "pages-customer", "exact-0.38",
    "paid-more", "paid-and-taken-back", "missing-field-written", "missing-field-payment", "silent-401",
    "silent-addresses",
}  # fmt: skip
"""One of each promise and fate: what `make test` has time for. By hand and with `make proof` all are tried."""


class TestVismaNet(AdapterKit):
    bench = VismaNetBench
    checks = [check for check in CHECKS if check.name in DAILY] if os.environ.get("CONNECTOR_BY_TURNS") else CHECKS
    assert {check.name for check in CHECKS} >= DAILY
