from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from connector.model import BankAccount, Gln, Iban, Kid, OrganisationNumber, VatNumber
from connector.model.identifiers import kid_check_digit

DIGITS = st.text("0123456789", min_size=1, max_size=24)


def test_organisation_number() -> None:
    number = OrganisationNumber("923 609 016")
    assert number == "923609016"
    assert number.vat_number == "NO923609016MVA"
    assert VatNumber("NO923609016MVA").organisation_number == number


@pytest.mark.parametrize("wrong", ["923609017", "000000000", "92360901", "9236090166", "NO923609016", "٩٢٣٦٠٩٠١٦"])
def test_wrong_organisation_numbers(wrong: str) -> None:
    with pytest.raises(ValueError, match="organisation number"):
        OrganisationNumber(wrong)


@given(st.integers(0, 99_999_999))
def test_organisation_numbers_have_one_check_digit_or_none(body: int) -> None:
    text = f"{body:08d}"
    remainder = 11 - sum(int(d) * w for d, w in zip(text, (3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
    check = {11: "0", 10: None}.get(remainder, str(remainder))
    valid = [digit for digit in "0123456789" if OrganisationNumber.valid(text + digit)]
    assert valid == ([check] if check is not None and text != "00000000" else [])


@pytest.mark.parametrize("wrong", ["no923609016mva", "NO923609016", "923609016MVA", "NO923609017MVA"])
def test_wrong_vat_numbers(wrong: str) -> None:
    assert not VatNumber.valid(wrong)


def test_the_kid_of_the_scenario_keeps_its_zeros() -> None:
    assert Kid.of("000010017", "mod10") == "0000100172"
    assert Kid("0000100172").fits("mod10")


@given(DIGITS, st.sampled_from(["mod10", "mod11"]))
def test_made_kids_are_kids(body: str, modulus: str) -> None:
    kid = Kid.of(body, modulus)  # type: ignore[arg-type]
    assert kid.startswith(body)
    assert kid.fits(modulus)  # type: ignore[arg-type]
    assert len(kid) == len(body) + 1


def test_a_mod11_kid_may_end_in_a_minus() -> None:
    assert kid_check_digit("6", "mod11") == "-"  # 6 × 2 = 12, 12 mod 11 = 1, 11 - 1 = 10
    assert Kid("6-") == "6-"
    assert not Kid.valid("5-")


@pytest.mark.parametrize("wrong", ["", "1", "0000100173", "12a", "1" * 26, "-", "1--"])
def test_wrong_kids(wrong: str) -> None:
    assert not Kid.valid(wrong)


def test_numbers_are_never_taken_for_identifiers() -> None:
    for value in ("100172", "12345678903.0"):
        with pytest.raises(ValidationError, match="never a number"):
            TypeAdapter(Kid).validate_json(value)


def test_accounts_and_ibans() -> None:
    account = BankAccount("8601.11.17947")
    assert account == "86011117947"
    assert account.iban == "NO9386011117947"
    assert Iban("NO93 8601 1117 947").bank_account == account
    assert Iban("DE89370400440532013000").bank_account is None
    for wrong in ("86011117948", "1234567", "00000000000", "8601111794"):
        assert not BankAccount.valid(wrong)
    assert not Iban.valid("NO9486011117947")


def test_gln() -> None:
    assert Gln.valid("7080000985616")
    assert not Gln.valid("7080000985615")


def test_they_say_their_form_in_schemas() -> None:
    assert TypeAdapter(Kid).json_schema() == {
        "type": "string",
        "pattern": "^[0-9]{1,24}[0-9-]$",
        "examples": ["0000100172"],
    }
