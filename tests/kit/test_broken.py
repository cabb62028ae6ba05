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

from connector.testing import CHECKS, Bench, Failing, NotApplicable
from connector.testing.checks.silence import in_the_open

BY_NAME = {check.name: check for check in CHECKS}
BROKEN: tuple[tuple[str, Callable[[], Bench], str], ...] = (
    # Once.
    ("answer-lost-invoice-issued-elsewhere", bench(broken.Markless), "2 of external_invoice"),
    ("answer-lost-payment-of-a-part", bench(broken.Forgetful), "the books show it"),
    ("answered-500-payment-of-a-part", bench(broken.Eager), "customers owe -10000.20"),
    ("not-sent-invoice", bench(broken.Hopeful), "is still"),
    ("too-many-invoice", bench(broken.Impatient), "told to wait"),
    ("slow-invoice", bench(broken.Patient), "was waited for"),
    ("answer-lost-note", bench(broken.Forgetful), "2 notes came to be"),
    ("capable-note", bench(broken.Settling), "customers owe -1.00 more"),
    ("capable-note", bench(broken.Speechless), "0 notes came to be"),
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
    ("unknown-field-read-customer", bench(http=broken.Strict), "cannot be read: There is a field that nobody knows"),
    ("unknown-field-read-customer", bench(broken.Silent), "nothing is told of it"),
    ("missing-field-customer", bench(broken.Silent), "nothing is told of it"),
    ("missing-field-invoice", bench(broken.Careless), "0 are told of"),
    ("missing-field-customer", bench(broken.Crashing), "KeyError"),
    ("missing-field-invoice", bench(http=broken.Inventing), "something is made up: .*(amountOutstanding|open_amount)"),
    ("missing-field-written", bench(http=broken.Zeroing), "Without `value.id`: it is .*, and no error names the field"),
    # Secrets.
    ("silent-401", bench(broken.Talkative), "`employee_token` can be read"),
    ("silent-lost", bench(broken.Logging), "`employee_token` can be read"),
    ("silent-addresses", bench(legacy_session=True), "in the address"),
    # The company.
    ("works", bench(broken.Elsewhere), "`probe` says 974760673"),
    ("works", bench(broken.Nameless), "`company` says None"),
    # Capabilities.
    ("capable-credit-note", bench(broken.Boasting), "It is"),
    ("capable-table", bench(broken.Modest), "not refused .*credit_note create"),
)


@pytest.mark.parametrize(("name", "make", "says"), BROKEN, ids=[f"{name}-{n}" for n, (name, _, _) in enumerate(BROKEN)])
def test_what_is_broken_fails(name: str, make: Any, says: str) -> None:
    with pytest.raises(Failing, match=says):
        asyncio.run(BY_NAME[name].run(make))


def test_what_cannot_be_taken_makes_nobody_a_customer() -> None:
    asyncio.run(BY_NAME["capable-invoice"].run(bench(broken.Payless)))


@pytest.mark.parametrize(
    ("name", "adapter"),
    [
        ("capable-table", broken.Lesser),
        ("capable-credit-note", broken.Lesser),
        ("capable-table", broken.Mute),
        ("capable-note", broken.Mute),
    ],
)
def test_what_can_less_and_says_so_keeps_its_promises(name: str, adapter: type[broken.Adapter]) -> None:
    asyncio.run(BY_NAME[name].run(bench(adapter)))


@pytest.mark.parametrize("name", ["capable-payment-of-a-part", "too-many-reversal"])
def test_what_a_story_begins_with_must_be_there(name: str) -> None:
    with pytest.raises(NotApplicable, match="have no invoice create"):
        asyncio.run(BY_NAME[name].run(bench(broken.Payless)))


@pytest.mark.parametrize("address", ["/v2/x?by=a/b+c=", "/v2/x?by=a%2Fb%2bc%3D", "/v2/x?by=%61%2f%62%2B%63="])
def test_a_secret_in_an_address_is_seen_in_any_spelling(address: str) -> None:
    assert in_the_open(address, {"a/b+c="}) == "/v2/x?by=***"
    assert in_the_open(address, {"another"}) is None
