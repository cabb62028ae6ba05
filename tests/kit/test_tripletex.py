"""Tripletex keeps what the kit promises."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from tripletex_bench import TripletexBench

from connector.testing import AdapterKit


class TestTripletex(AdapterKit):
    bench = TripletexBench
