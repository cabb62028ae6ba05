"""A first sync reads all that a ledger has with no more calls than its paging makes necessary and 5 %.

(Of 20,000 invoices and their payments: `python -m benchmarks.first_sync`.)
"""

from __future__ import annotations

import os
from unittest.mock import patch

import pytest

from benchmarks.first_sync import BOUND, PAGING, measured
from connector import plugins


def test_every_system_is_held_to_it() -> None:
    assert set(PAGING) == set(plugins.accounting())


@pytest.mark.parametrize("system", PAGING)
def test_no_more_calls_than_paging_makes_necessary(system: str) -> None:
    with patch.dict(os.environ):  # the benchmark sets some
        calls, necessary = measured(system, 300)
    assert sum(calls.values()) <= BOUND * necessary, calls
