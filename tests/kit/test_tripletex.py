"""Tripletex keeps what the kit asks of an adapter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from tripletex_bench import TripletexBench

from connector.testing import CHECKS, AdapterKit

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
OTHER_FATES = ("answered-500-", "not-sent-", "too-many-", "slow-")
DAILY = [
    check
    for check in CHECKS
    if not check.name.startswith(OTHER_FATES) or check.name.endswith(("-invoice", "-payment-of-a-part"))
]
"""Every promise, and every flow with its answers lost; the other fates for two flows: `make proof` tries all."""


class TestTripletex(AdapterKit):
    bench = TripletexBench
    checks = CHECKS if FULL else DAILY
