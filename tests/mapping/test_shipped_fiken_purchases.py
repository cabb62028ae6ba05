"""The mapping of Fiken as shipped, of what comes in: VAT by code and never by rate, and what no rule books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest

from adapters.accounting.fiken.vat import PURCHASES
from adapters.accounting.fiken.wire import PurchaseVatType
from connector import plugins
from connector.mapping import Mapping, load
from connector.model import Address, Party


class Linked:
    """Whoever is asked for is linked."""

    def vendor_id(self, kind: str, ours: Any) -> str | None:
        return "88"

    def our_id(self, kind: str, vendor_id: str) -> Any:
        return None


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return load("fiken", plugins=plugins.accounting())


def incoming(*vat: tuple[str, str | None], country: str = "NO", **totals: Any) -> dict[str, Any]:
    """What the mapping is given of an invoice with these VAT categories and rates, 100 kroner each."""
    rows = [
        {"category": category, "rate": None if rate is None else Decimal(rate), "taxable_amount": Decimal(100),
         "tax_amount": Decimal(rate or 0)}
        for category, rate in vat
    ]  # fmt: skip
    seller = Party(name="Selger AS", address=Address(country=country)).model_dump()
    return {"kind": "invoice", "direction": "incoming", "number": "F-7", "currency": "NOK", "seller": seller,
            "vat_breakdown": rows, "totals": {"payable": Decimal(100), **totals}}  # fmt: skip


@pytest.mark.parametrize(
    ("category", "rate", "vat_type"),
    [("S", "25", "HIGH"), ("S", "15", "MEDIUM"), ("S", "11.11", "RAW_FISH"), ("S", "12", "LOW"), ("E", "0", "NONE"),
     ("Z", "0", "NONE"), ("O", None, "NONE")],
)  # fmt: skip
def test_what_may_be_deducted(mapping: Mapping, category: str, rate: str | None, vat_type: str) -> None:
    (line,) = mapping["supplier_invoice"].out(incoming((category, rate)), Linked())["lines"]
    assert (line["vatType"], line["netPrice"], line["vat"]) == (vat_type, 10000, int(Decimal(rate or 0) * 100))


@pytest.mark.parametrize(
    "invoice",
    [
        incoming(("AE", "0")),
        incoming(("S", "25"), ("K", "0")),
        incoming(("S", "24")),
        incoming(("S", "25"), country="SE"),
        incoming(("S", "25"), prepaid=Decimal(10)),
    ],
    ids=["reverse-charge", "from-the-eu", "odd-rate", "foreign-seller", "prepaid"],
)
def test_what_no_rule_books_comes_without_lines(mapping: Mapping, invoice: dict[str, Any]) -> None:
    assert not mapping["supplier_invoice"].out(invoice, Linked()).get("lines")


def test_every_vat_type_of_purchases_has_its_code(mapping: Mapping) -> None:
    """All that Fiken names, each by one SAF-T code; what Fiken numbers 23 is SAF-T's 20."""
    table = mapping.stack.tables["vat-type-of-purchase"]
    rows = {row.ours[0]: row.theirs[0] for row, _ in table.rows.values()}
    assert set(rows.values()) == set(get_args(PurchaseVatType)) == set(PURCHASES)
    assert len(rows) == len(set(rows.values()))
    assert (rows["20"], rows["1"], rows["86"]) == ("NONE_IMPORT_BASIS", "HIGH", "HIGH_FOREIGN_SERVICE_DEDUCTIBLE")
