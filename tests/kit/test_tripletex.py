"""Tripletex keeps what the kit asks of an adapter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from tripletex_bench import TripletexBench

from connector.testing import CHECKS, AdapterKit

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
SELDOM = ("answered-500-", "not-sent-", "too-many-", "slow-", "silent-")
OFTEN = {"answered-500-payment-of-a-part", "not-sent-payment-of-a-part", "too-many-invoice", "slow-payment-of-a-part",
         "silent-401", "silent-lost", "silent-addresses"}  # fmt: skip
DAILY = [check for check in CHECKS if not check.name.startswith(SELDOM) or check.name in OFTEN]
"""Every promise, and every flow with its answers lost; `make proof` tries the other fates on every flow, too."""


class TestTripletex(AdapterKit):
    bench = TripletexBench
    checks = CHECKS if FULL else DAILY
