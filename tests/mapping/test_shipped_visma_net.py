"""The mapping of Visma Net as shipped: VAT by code and never by rate, accounts, and what it stops."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector import plugins
from connector.errors import Stop
from connector.mapping import Mapping, load
from connector.model import Address, AllowanceCharge, Draft, Line, Party, compose

SELLER = Party.norwegian("923609016", "Selger AS")
BUYER = Party.norwegian("974760673", "Kunde AS", address=Address(street="Storgata 1", city="Oslo", country="NO"))


class Linked:
    """Customers are linked by name, documents by number."""

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        return "77" if kind == "customer" else str(ours["document_id"]).removeprefix("d-")

    def our_id(self, kind: str, vendor_id: str) -> Any:
        return BUYER.model_dump() if kind == "customer" else {"document_id": f"d-{vendor_id}"}


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return load("visma-net", plugins=plugins.accounting())


def line(code: str | None, category: str, rate: str | None, **changes: Any) -> Line:
    vat = {"vat_code": code, "vat_category": category, "vat_rate": None if rate is None else Decimal(rate)}
    return Line(**{"id": "1", "name": "Råd", "quantity": Decimal(8), "price": Decimal(1020), **vat, **changes})


def invoice(*lines: Line, **changes: Any) -> dict[str, Any]:
    given = {"issue_date": date(2027, 1, 15), "currency": "NOK", "seller": SELLER, "buyer": BUYER, **changes}
    return compose(Draft(lines=lines, **given)).model_dump()


@pytest.mark.parametrize(
    ("code", "category", "rate", "account"),
    [
        ("3", "S", "25", "3000"), ("31", "S", "15", "3001"), ("32", "S", "11.11", "3003"), ("33", "S", "12", "3002"),
        ("5", "Z", "0", "3100"), ("51", "AE", "0", "3100"), ("52", "G", "0", "3150"), ("6", "E", "0", "3200"),
        ("7", "O", None, "3200"),
    ],
)  # fmt: skip
def test_every_vat_code_of_sales(mapping: Mapping, code: str, category: str, rate: str, account: str) -> None:
    """With the code stated, and from category and rate where it is not."""
    for stated in (code, None):
        record = mapping["invoice"].out(invoice(line(stated, category, rate)), Linked())
        (there,) = record["invoiceLines"]
        assert (there["vatCodeId"], there["accountNumber"]) == (code, account)
        read = mapping["invoice"].into(record, Linked())
        assert read["lines"][0]["vat_code"] == code
        assert read["lines"][0]["vat_category"] == category


def test_zero_is_not_told_by_its_rate(mapping: Mapping) -> None:
    codes = {
        mapping["invoice"].out(invoice(line(code, category, "0")), Linked())["invoiceLines"][0]["vatCodeId"]
        for code, category in (("5", "Z"), ("51", "AE"), ("52", "G"), ("6", "E"))
    }
    assert len(codes) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dimensions": {"seller": "5"}}, "seller"),
        ({"tax_point_date": date(2027, 1, 1)}, "VAT point"),
        ({"allowances_charges": (AllowanceCharge(is_charge=False, amount=Decimal(10), reason="Rabatt",
                                                 vat_category="S", vat_rate=Decimal(25)),)}, "whole invoice"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_stops(mapping: Mapping, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Stop) as exc:
        mapping["invoice"].out(invoice(line("3", "S", "25"), **changes), Linked())
    assert exc.value.code == "not-expressible"
    assert said in str(exc.value.said) + str(exc.value.details)


def test_beside_taxed_lines_category_e_must_say_its_code(mapping: Mapping) -> None:
    mixed = (line("3", "S", "25"), line(None, "E", "0", id="2"))
    with pytest.raises(Stop):
        mapping["invoice"].out(invoice(*mixed), Linked())
    mixed = (line("3", "S", "25"), line("6", "E", "0", id="2"))
    assert len(mapping["invoice"].out(invoice(*mixed), Linked())["invoiceLines"]) == 2


def test_a_released_invoice_becomes_ours(mapping: Mapping) -> None:
    read = mapping["invoice"].into(
        {"customer": {"internalId": 77}, "referenceNumber": "100017", "documentDate": "2027-01-15", "amount": 12500,
         "paymentReference": "100011000013", "currencyId": "NOK", "invoiceLines": []},
        Linked(),
    )  # fmt: skip
    assert (read["number"], read["payment_means"][0]["payment_id"]) == ("100017", "100011000013")
    assert read["totals"]["payable"] == Decimal(12500)
