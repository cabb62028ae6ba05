"""Examples as programs would post them; the tests post them too."""

from __future__ import annotations

from typing import Any

SELLER: dict[str, Any] = {
    "name": "Demo AS",
    "legal_id": {"value": "923609016", "scheme": "0192"},
    "endpoint": {"value": "923609016", "scheme": "0192"},
    "vat_number": "NO923609016MVA",
    "tax_registration": "Foretaksregisteret",
    "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo", "country": "NO"},
}
BUYER: dict[str, Any] = {
    "name": "Eksempel AS",
    "legal_id": {"value": "974760673", "scheme": "0192"},
    "endpoint": {"value": "974760673", "scheme": "0192"},
    "vat_number": "NO974760673MVA",
    "address": {"street": "Bryggen 5", "postal_code": "5003", "city": "Bergen", "country": "NO"},
}
INVOICE_DRAFT: dict[str, Any] = {
    "source_id": "order-4711",
    "issue_date": "2027-01-15",
    "due_date": "2027-01-29",
    "currency": "NOK",
    "buyer_reference": "Kari Nordmann",
    "seller": SELLER,
    "buyer": BUYER,
    "delivery": {"day": "2027-01-14", "address": {"city": "Oslo", "country": "NO"}},
    "lines": [
        {
            "id": "1",
            "name": "Rådgivning",
            "quantity": "8",
            "unit_code": "HUR",
            "price": "1020.00",
            "vat_category": "S",
            "vat_rate": "25",
        },
        {
            "id": "2",
            "name": "Lunsj",
            "quantity": "20",
            "unit_code": "C62",
            "price": "100.00",
            "vat_category": "S",
            "vat_rate": "15",
        },
    ],
}
PAYMENT: dict[str, Any] = {
    "source_id": "bank-2027-02-01-17",
    "direction": "in",
    "date": "2027-02-01",
    "amount": "5000.00",
    "currency": "NOK",
    "bank_account": "15032080119",
    "allocations": [{"document": {"source_id": "order-4711"}, "amount": "5000.00"}],
}
REVERSAL: dict[str, Any] = {
    "source_id": "bank-2027-02-02-3",
    "of": "payment",
    "of_id": "bank-2027-02-01-17",
    "date": "2027-02-02",
    "text": "Booked twice by the bank",
}
CUSTOMER: dict[str, Any] = {
    "source_id": "customer-17",
    "party": BUYER | {"contact": {"email": "post@eksempel.no"}},
    "invoice_email": "faktura@eksempel.no",
    "payment_days": 14,
}
PRODUCT: dict[str, Any] = {
    "source_id": "product-1",
    "number": "100",
    "name": "Rådgivning",
    "unit_code": "HUR",
    "price": "1020.00",
    "vat_code": "3",
}
DEPARTMENT: dict[str, Any] = {"kind": "department", "code": "10", "name": "Salg"}
OPTIONS: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "What may be posted to books now",
    "type": "object",
    "properties": {
        "issue_date": {"type": "string", "format": "date", "not": {"anyOf": [{"pattern": "^2026-(01|02)-"}]}},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "vat_code": {"allOf": [{"type": "string", "anyOf": [{"const": "3", "title": "Mva-kode 3, 25 %"}]}]}
                },
            },
        },
    },
    "$defs": {
        "account": {
            "title": "account",
            "type": "string",
            "anyOf": [{"const": "3000", "title": "Salgsinntekt, avgiftspliktig", "x-requires": ["department"]}],
        }
    },
    "x-read": "2027-01-15T08:00:00+00:00",
    "x-closed-periods": [{"start": "2026-01-01", "end": "2026-01-31", "name": "Januar 2026"}],
}
PREFLIGHT: dict[str, Any] = {
    "fine": False,
    "connections": [{"connection": "books", "read": "2027-01-15T08:00:00+00:00", "problems": []}],
    "documents": [
        {
            "name": "order-4711",
            "fine": False,
            "usable": True,
            "kind": "invoice",
            "source_id": "order-4711",
            "currency": "NOK",
            "payable": "12500.00",
            "receiver": {"name": "Eksempel AS", "organisation_number": "974760673", "looked_up": False},
            "problems": [
                {
                    "code": "vat-code-unknown",
                    "severity": "error",
                    "layer": "ledger",
                    "field": "lines[0].vat_code",
                    "place": {"pointer": "/lines/0/vat_code", "term": "BT-151"},
                    "connection": "books",
                    "values": {"code": "3", "known": "0, 6"},
                    "mapping": "mappings/systems/NAME.yaml:222",
                    "message": {"nb": "…", "en": "The ledger has no VAT code 3 for this company now."},
                    "fix": {"nb": "…", "en": "Mend the VAT code in the document, or the table of the mapping."},
                }
            ],
        }
    ],
    "series": [],
}
