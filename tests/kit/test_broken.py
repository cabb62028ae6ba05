"""Each check of the kit fails for an adapter that breaks just this promise."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
import broken
from broken import bench

from connector.testing import CHECKS, Bench, Failing

BY_NAME = {check.name: check for check in CHECKS}
BROKEN: tuple[tuple[str, Callable[[], Bench], str], ...] = (
    # Once.
    ("answer-lost-invoice-issued-elsewhere", bench(broken.Markless), "2 of external_invoice"),
    ("answer-lost-payment-of-a-part", bench(broken.Forgetful), "the books show it"),
    ("answered-500-payment-of-a-part", bench(broken.Eager), "customers owe -10000.20"),
    ("not-sent-invoice", bench(broken.Hopeful), "is still"),
    ("too-many-invoice", bench(broken.Impatient), "told to wait"),
    ("slow-invoice", bench(broken.Patient), "was waited for"),
    # Reading.
    ("meanwhile-invoice", bench(broken.Skipping), "is never seen"),
    ("pages-customer", bench(broken.Losing), "skipped [1-9]"),
    ("new-product", bench(broken.Repeating), "a poll tells of"),
    ("new-invoice", bench(broken.Endless), "does not end"),
    ("changed-customer", bench(broken.Blind), "the next poll does not tell"),
    ("changed-invoice", bench(broken.Blind), "the next poll does not tell"),
    ("gone-customer", bench(broken.Haunted), "was deleted"),
    ("gone-product", bench(broken.Tidy), "has lost it"),
    # Money.
    ("exact-124.99", bench(broken.Floating), "is a float"),
    ("exact-124.99", bench(broken.Truncating), "0.29 of 124.99 was paid"),
    ("paid-a-part", bench(broken.Generous), "is open, and the service says"),
    ("paid-more", bench(broken.Generous), "too much was paid"),
    ("paid-and-taken-back", bench(broken.Unforgiving), "is open, and the service says"),
    # Answers.
    ("unknown-field-invoice", bench(http=broken.Strict), "is still"),
    ("unknown-field-read-customer", bench(http=broken.Strict), "nobody knows"),
    ("missing-field-invoice", bench(broken.Careless), "0 are told of"),
    ("missing-field-customer", bench(broken.Crashing), "KeyError"),
    ("missing-field-invoice", bench(http=broken.Inventing), "something is made up: .*amountOutstanding|open_amount"),
    ("missing-field-written", bench(http=broken.Zeroing), "Without `value.id`: it is .*, and no error names the field"),
    # Secrets.
    ("silent-401", bench(broken.Talkative), "`employee_token` can be read"),
    ("silent-lost", bench(broken.Logging), "`employee_token` can be read"),
    ("silent-addresses", bench(legacy_session=True), "in the address"),
    # Capabilities.
    ("capable-credit-note", bench(broken.Boasting), "It is"),
    ("capable-table", bench(broken.Modest), "not refused .*credit_note create"),
)


@pytest.mark.parametrize(("name", "make", "says"), BROKEN, ids=[f"{name}-{n}" for n, (name, _, _) in enumerate(BROKEN)])
def test_what_is_broken_fails(name: str, make: Any, says: str) -> None:
    with pytest.raises(Exception, match=says) as raised:
        asyncio.run(BY_NAME[name].run(make))
    assert isinstance(raised.value, Failing) or name.startswith("unknown-field-read")


@pytest.mark.parametrize("name", ["capable-table", "capable-credit-note"])
def test_what_can_less_and_says_so_keeps_its_promises(name: str) -> None:
    asyncio.run(BY_NAME[name].run(bench(broken.Lesser)))
