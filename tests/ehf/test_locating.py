"""Where a field of the model stands in an EHF: proved by reading it there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from connector.api.examples import INVOICE_DRAFT
from connector.ehf import read, write
from connector.ehf.locating import place
from connector.ehf.xml import CAC, CBC
from connector.model import Draft, Invoice, compose

BARE = ("direction", "source_id", "customer_id", "dimensions", "extension", "vat_code", "is_charge")
"""What EHF does not carry, or says as an attribute or in other words."""
FULL: dict[str, Any] = copy.deepcopy(INVOICE_DRAFT) | {
    "number": "10017",
    "notes": ["Takk for handelen"],
    "tax_point_date": "2027-01-16",
    "accounting_cost": "4025",
    "period": {"start": "2027-01-01", "end": "2027-01-31"},
    "order_reference": "PO-7",
    "sales_order_reference": "SO-8",
    "contract_reference": "C-1",
    "despatch_reference": "D-1",
    "payment_terms": "14 dager netto",
    "delivery": {
        "day": "2027-01-14",
        "location_id": {"value": "7080000985616", "scheme": "0088"},
        "name": "Lageret",
        "address": {"street": "Kaia 2", "city": "Oslo", "postal_code": "0150", "country": "NO"},
    },
    "payment_means": [
        {"code": "30", "payment_id": "0000100172", "account": {"id": "86011117947"}},
        {"code": "30", "payment_id": "Faktura 10017", "account": {"id": "NO9386011117947"}},
    ],
    "allowances_charges": [
        {"is_charge": False, "amount": "10.00", "reason": "Rabatt", "vat_category": "S", "vat_rate": "25"},
        {"is_charge": True, "amount": "20.00", "reason": "Frakt", "vat_category": "S", "vat_rate": "25"},
    ],
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in BARE:
                yield from leaves(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, tuple | list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    elif value is not None:
        yield path, value


def shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_every_field_of_a_full_document_is_found_where_it_stands(kind: str) -> None:
    more = (
        {} if kind == "invoice" else {"kind": kind, "preceding_invoices": [{"number": "9", "issue_date": "2026-12-01"}]}
    )
    invoice = compose(Draft.model_validate(FULL | more))
    data = write(invoice)
    root = etree.fromstring(data)
    document = {"invoice": "Invoice", "credit_note": "CreditNote"}[kind]
    spaces = {"cac": CAC, "cbc": CBC}
    carried = read(data)
    assert isinstance(carried, Invoice)
    looked = 0
    for field, value in leaves(carried.model_dump()):
        if field in ("kind", "tax_point_code") or field.endswith((".scheme", "network")):
            continue
        where = place(field.removesuffix(".value"), document).xpath
        found = root.xpath(where.replace(f"/{document}", f"/*[local-name()='{document}']", 1), namespaces=spaces)
        texts = [one if isinstance(one, str) else one.text for one in found]
        if isinstance(value, Decimal):
            assert value in [Decimal(text) for text in texts], (field, where)
        else:
            assert shown(value) in texts, (field, where)
        assert len(found) == 1 or "[" not in field, (field, where)
        looked += 1
    assert looked > 70


def test_terms_and_what_ehf_does_not_carry() -> None:
    assert place("lines[1].vat_rate", "Invoice").term == "BT-152"
    assert place("lines[1].vat_code", "Invoice").term == "BT-151"
    assert place("buyer.address.city", "Invoice").term == "BT-52"
    assert place("dimensions.department", "Invoice") == ("/Invoice", None)
    line = place("lines[1].dimensions.department", "CreditNote")
    assert line.xpath == "/CreditNote/cac:CreditNoteLine[2]"
    assert line.term == "BG-25"
    assert place("seller", "Invoice").term == "BG-4"
