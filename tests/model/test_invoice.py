from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from connector.model import Draft, Invoice, Line, Party, compose, judge
from tests.model.documents import BUYER, SELLER, carriable_invoices

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "invoice.json"


def given_invoice(**more: Any) -> dict[str, Any]:
    line = {"id": "1", "quantity": "1", "price": "100.00", "vat_category": "S", "vat_rate": "25"}
    return {"currency": "NOK", "seller": {"name": "A"}, "buyer": {"name": "B"}, "lines": [line], **more}


def codes(data: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Invoice.model_validate_json(json.dumps(data))
    return [(".".join(map(str, each["loc"])), each["type"]) for each in caught.value.errors()]


@settings(max_examples=50, deadline=None)
@given(carriable_invoices())
def test_json_there_and_back(invoice: Invoice) -> None:
    assert Invoice.model_validate_json(invoice.model_dump_json()) == invoice
    assert Invoice.model_validate_json(invoice.model_dump_json(exclude_defaults=True)) == invoice


def test_amounts_are_text_in_json() -> None:
    said = json.loads(Invoice(**given_invoice()).model_dump_json())
    assert said["lines"][0]["price"] == "100.00"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"currency": "NKO"}, ("currency", "currency-unknown")),
        ({"lines": []}, ("", "no-lines")),
        ({"lines": [{"id": "1", "price": 99.9}]}, ("lines.0.price", "float-refused")),
        ({"issue_date": "15.01.2027"}, ("issue_date", "date-malformed")),
        ({"issue_date": "2027-02-30"}, ("issue_date", "date-malformed")),
        ({"issue_date": 20270115}, ("issue_date", "date-malformed")),
        ({"numbr": "1"}, ("numbr", "extra_forbidden")),
        ({"number": ""}, ("number", "string_too_short")),
        ({"number": 10017}, ("number", "string_type")),
        ({"notes": ["a\u0007b"]}, ("notes.0", "text-not-xml")),
        ({"period": {}}, ("period", "period-empty")),
    ],
)
def test_what_is_wrong_is_refused_with_place_and_code(change: dict[str, Any], fault: tuple[str, str]) -> None:
    assert codes(given_invoice(**change)) == [fault]


def test_nothing_can_be_changed_in_place() -> None:
    invoice = Invoice(**given_invoice())
    with pytest.raises(ValidationError):
        invoice.number = "1"  # type: ignore[misc]
    assert isinstance(invoice.lines, tuple)


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ({}, "invoice", "380"),
        ({"type_code": "381"}, "credit_note", "381"),
        ({"type_code": "389"}, "invoice", "389"),
        ({"type_code": "261"}, "credit_note", "261"),
        ({"kind": "credit_note"}, "credit_note", "381"),
        ({"kind": "invoice", "type_code": "381"}, "invoice", "381"),
    ],
)
def test_kind_and_type_code_follow_from_each_other(said: dict[str, Any], kind: str, code: str) -> None:
    invoice = Invoice(**given_invoice(**said))
    assert (invoice.kind, invoice.type_code) == (kind, code)


def test_self_billing_follows_its_own_specification() -> None:
    assert "selfbilling" in str(Invoice(**given_invoice(type_code="389")).customization)
    assert "selfbilling" not in str(Invoice(**given_invoice()).customization)


def test_the_norwegian_party_has_what_ehf_asks() -> None:
    party = Party.norwegian("923609016", "Fjord AS", in_business_register=True)
    assert (party.vat_number, party.tax_registration) == ("NO923609016MVA", "Foretaksregisteret")
    assert party.endpoint is not None
    assert (party.endpoint.scheme, party.endpoint.value) == ("0192", "923609016")
    assert party.organisation_number == "923609016"
    assert Party(vat_number="NO923609016MVA").organisation_number == "923609016"
    assert Party(vat_number="NO923609017MVA").organisation_number is None


def test_only_what_ehf_carries_is_carried() -> None:
    line = Line(id="1", vat_code="3", source_id="7", dimensions={"department": "10"}, net="1")
    invoice = Invoice(currency="NOK", seller=SELLER, buyer=BUYER, lines=[line], source_id="a", customer_id="b")
    carried = invoice.as_carried()
    assert (carried.source_id, carried.customer_id, carried.lines[0].vat_code) == (None, None, None)
    assert not carried.lines[0].dimensions
    assert carried.lines[0].net == Decimal(1)


def test_the_example_in_the_documentation_is_scenario_a() -> None:
    composed = compose(Draft.model_validate_json(EXAMPLE.read_text("utf-8")))
    assert composed.totals is not None
    assert composed.totals.payable == Decimal("12500.00")
    assert [part.tax_amount for part in composed.vat_breakdown] == [Decimal("2040.00"), Decimal("300.00")]
    assert judge(composed) == []
