"""What is sent to Fiken, and what is compared before anything is numbered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.accounting.fiken import wire
from adapters.accounting.fiken.sending import compare, sent
from connector.errors import Stop, VendorError
from connector.ports import Goal, Kind, Totals

GOAL = Goal(Kind.INVOICE, "create", "c-1", {}, Totals("NOK", Decimal(100), Decimal(25), Decimal(125)))


def test_what_was_emptied_inside_an_address_is_sent_as_empty() -> None:
    record = {"name": "Kunde", "address": {"city": "Oslo", "streetAddressLine2": None}}
    assert sent(wire.Customer, record, empties=True)["address"] == {"city": "Oslo", "streetAddressLine2": None}
    assert sent(wire.Customer, record)["address"] == {"city": "Oslo"}


def test_what_fiken_comes_to() -> None:
    compare(GOAL, {"net": 10_000, "gross": 12_500}, {}, "")
    compare(GOAL, {"net": 10_000, "vat": 2_500, "gross": 12_500}, {}, "")
    with pytest.raises(Stop, match=r"125\.01"):
        compare(GOAL, {"net": 10_000, "gross": 12_501}, {}, "")


@pytest.mark.parametrize("row", [{}, {"net": 10_000}, {"gross": 12_500}, {"net": 10_000, "vat": 2_500}])
def test_a_draft_that_shows_no_totals_is_not_taken_for_right(row: dict[str, Any]) -> None:
    with pytest.raises(VendorError) as wrong:
        compare(GOAL, row, {}, "")
    assert wrong.value.code == "vendor-answer"
