from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from connector.model import Payment, Reversal, Settlement


def payment(**more: Any) -> Payment:
    fields = {"source_id": "row-1", "direction": "in", "date": "2027-02-01", "amount": "5000.00", "currency": "NOK"}
    return Payment(**{**fields, **more})


def code(**more: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        payment(**more)
    return caught.value.errors()[0]["type"]


@pytest.mark.parametrize("amount", ["0", "0.00", "-1.00"])
def test_payments_are_positive(amount: str) -> None:
    assert code(amount=amount) == "amount-not-positive"


def test_two_equal_instalments_differ_in_their_row() -> None:
    assert payment(source_id="row-1") != payment(source_id="row-2")


def test_what_is_not_allocated_is_credit() -> None:
    paid = payment(allocations=[{"document": {"number": "10017"}, "amount": "4375.00"}])
    assert paid.unallocated == Decimal("625.00")
    assert code(allocations=[{"document": {"number": "1"}, "amount": "5000.01"}]) == "allocated-too-much"


def test_an_allocation_names_its_document() -> None:
    assert code(allocations=[{"document": {}, "amount": "1"}]) == "document-key-empty"


def test_a_fee_the_bank_kept() -> None:
    paid = payment(amount="400", currency="EUR", account_amount="395", fee="5")
    assert paid.amount == Decimal(400)
    assert code(amount="400", currency="EUR", account_amount="390", fee="5") == "account-amount-differs"
    assert code(fee="-5") == "fee-negative"
    abroad = payment(amount="400", currency="EUR", account_amount="4601.50", account_currency="NOK", rate="11.50375")
    assert abroad.account_amount == Decimal("4601.50")


def test_kid_keeps_zeros_and_odd_references_stay_as_stated() -> None:
    assert payment(kid="0000100172").kid == "0000100172"
    assert payment(kid="faktura 12").kid == "faktura 12"


def test_settlements_touch_no_bank_and_say_their_kind() -> None:
    part = {"document": {"number": "10017"}, "amount": "4375.00"}
    loss = Settlement(source_id="v-9", kind="loss", date="2027-03-12", currency="NOK", allocations=[part])
    assert loss.amount == Decimal("4375.00")
    with pytest.raises(ValidationError, match="credit note"):
        Settlement(source_id="v-9", kind="credit_note", date="2027-03-12", currency="NOK", allocations=[part])
    with pytest.raises(ValidationError, match="at least one"):
        Settlement(source_id="v-9", kind="loss", date="2027-03-12", currency="NOK", allocations=[])
    with pytest.raises(ValidationError):
        Settlement(source_id="v-9", kind="guess", date="2027-03-12", currency="NOK", allocations=[part])


def test_a_reversal_is_a_fact_of_its_own() -> None:
    back = Reversal(source_id="row-7", of="payment", of_id="row-1", date="2027-03-01")
    assert Reversal.model_validate_json(back.model_dump_json()) == back


def test_payments_there_and_back_in_json() -> None:
    paid = payment(
        kid="0000100172", bank_account="86011117947", allocations=[{"document": {"kid": "0000100172"}, "amount": "1"}]
    )
    assert Payment.model_validate_json(paid.model_dump_json()) == paid
