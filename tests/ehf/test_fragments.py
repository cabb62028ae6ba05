"""Fragments that ask one question each about the order and the errors of the official evaluation, asked of both judges.

What a rule reads, in which order, and where its evaluation breaks off cannot be read from the rule files alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.ehf.xml import CAC, CBC, INVOICE
from tests.ehf.proof_oracle import differences, need_shared, official, ours

FRAGMENTS = Path(__file__).with_name("fragments.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("number", range(len(FRAGMENTS)))
def test_fragment(number: int) -> None:
    need_shared()
    body = FRAGMENTS[number]
    data = f'<Invoice xmlns="{INVOICE}" xmlns:cac="{CAC}" xmlns:cbc="{CBC}">{body}</Invoice>'.encode()
    found = [each for each in differences(official().verdict(data), ours(data)) if each.startswith("en16931")]
    assert not found, f"{found}\n{body}"
