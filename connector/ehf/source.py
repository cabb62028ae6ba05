"""Which field of the source system a finding speaks of, for a document that was made from one through a mapping.

A mapping says which of its fields makes which field of the model; here stands which field of the model carries which
business term. What the mapping does not carry by itself is looked for one level up: the buyer's name in what makes the
buyer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_ADDRESS: Final = ("street", "additional_street", "line", "city", "postal_code", "region", "country")
_ADJUSTMENT: Final = ("amount", "base", "percent", "vat_category", "vat_rate", "reason", "reason_code")

# fmt: off
_BY_FIELD: Final = {
    "": {
        "number": 1, "issue_date": 2, "type_code": 3, "currency": 5, "tax_currency": 6, "tax_point_date": 7,
        "tax_point_code": 8, "due_date": 9, "buyer_reference": 10, "project_reference": 11, "contract_reference": 12,
        "order_reference": 13, "sales_order_reference": 14, "receipt_reference": 15, "despatch_reference": 16,
        "tender_reference": 17, "invoiced_object": 18, "accounting_cost": 19, "payment_terms": 20, "profile": 23,
        "customization": 24,
    },
    "preceding_invoices": {"number": 25, "issue_date": 26},
    "seller": {
        "name": 27, "trading_name": 28, "identifiers": 29, "legal_id": 30, "vat_number": 31, "tax_registration": 32,
        "legal_form": 33, "endpoint": 34,
    },
    "seller.contact": {"name": 41, "phone": 42, "email": 43},
    "buyer": {"name": 44, "trading_name": 45, "identifiers": 46, "legal_id": 47, "vat_number": 48, "endpoint": 49},
    "buyer.contact": {"name": 56, "phone": 57, "email": 58},
    "payee": {"name": 59, "identifiers": 60, "legal_id": 61},
    "tax_representative": {"name": 62, "vat_number": 63},
    "delivery": {"name": 70, "location_id": 71, "day": 72},
    "period": {"start": 73, "end": 74},
    "payment_means": {"code": 81, "name": 82, "payment_id": 83},
    "payment_means.account": {"id": 84, "name": 85, "bic": 86},
    "payment_means.card": {"number": 87, "holder": 88},
    "payment_means.mandate": {"reference": 89, "account": 91},
    "totals": {
        "line_total": 106, "allowance_total": 107, "charge_total": 108, "tax_exclusive": 109, "tax": 110,
        "tax_in_accounting_currency": 111, "tax_inclusive": 112, "prepaid": 113, "rounding": 114, "payable": 115,
    },
    "vat_breakdown": {
        "taxable_amount": 116, "tax_amount": 117, "category": 118, "rate": 119, "exemption_reason": 120,
        "exemption_code": 121,
    },
    "attachments": {"id": 122, "description": 123, "link": 124, "embedded": 125},
    "lines": {
        "id": 126, "note": 127, "object_id": 128, "quantity": 129, "unit_code": 130, "net": 131, "order_line": 132,
        "accounting_cost": 133, "price": 146, "price_discount": 147, "gross_price": 148, "base_quantity": 149,
        "base_quantity_unit": 150, "vat_category": 151, "vat_rate": 152, "name": 153, "description": 154,
        "seller_item_id": 155, "buyer_item_id": 156, "standard_item_id": 157, "classifications": 158,
        "origin_country": 159,
    },
    "lines.period": {"start": 134, "end": 135},
    "lines.attributes": {"name": 160, "value": 161},
    "seller.address": dict(zip(_ADDRESS, (35, 36, 162, 37, 38, 39, 40), strict=True)),
    "buyer.address": dict(zip(_ADDRESS, (50, 51, 163, 52, 53, 54, 55), strict=True)),
    "tax_representative.address": dict(zip(_ADDRESS, (64, 65, 164, 66, 67, 68, 69), strict=True)),
    "delivery.address": dict(zip(_ADDRESS, (75, 76, 165, 77, 78, 79, 80), strict=True)),
}
_GROUPS: Final = {
    1: "notes", 3: "preceding_invoices", 4: "seller", 5: "seller.address", 6: "seller.contact", 7: "buyer",
    8: "buyer.address", 9: "buyer.contact", 10: "payee", 11: "tax_representative", 12: "tax_representative.address",
    13: "delivery", 14: "period", 15: "delivery.address", 16: "payment_means", 17: "payment_means.account",
    18: "payment_means.card", 19: "payment_means.mandate", 20: "allowances_charges", 21: "allowances_charges",
    22: "totals", 23: "vat_breakdown", 24: "attachments", 25: "lines", 26: "lines.period",
    27: "lines.allowances_charges", 28: "lines.allowances_charges", 29: "lines", 30: "lines", 31: "lines",
    32: "lines.attributes",
}
_AREAS: Final = {
    "cac:AccountingSupplierParty": "seller", "cac:AccountingCustomerParty": "buyer", "cac:PayeeParty": "payee",
    "cac:TaxRepresentativeParty": "tax_representative", "cac:Delivery": "delivery", "cac:InvoiceLine": "lines",
    "cac:CreditNoteLine": "lines", "cac:AllowanceCharge": "allowances_charges", "cac:TaxTotal": "vat_breakdown",
    "cac:LegalMonetaryTotal": "totals", "cac:PaymentMeans": "payment_means",
}
# fmt: on

TERMS: Final[Mapping[str, str]] = {
    **{f"BG-{number}": path for number, path in _GROUPS.items()},
    **{f"BT-{n}": f"{above}.{name}".lstrip(".") for above, fields in _BY_FIELD.items() for name, n in fields.items()},
    "BT-21": "notes",
    "BT-22": "notes",
    **{
        f"BT-{first + number}": f"{list_}.{name}"
        for list_, first in (("allowances_charges", 92), ("allowances_charges", 99))
        for number, name in enumerate(_ADJUSTMENT)
    },
    **{
        f"BT-{first + number}": f"lines.allowances_charges.{name}"
        for first in (136, 141)
        for number, name in enumerate(("amount", "base", "percent", "reason", "reason_code"))
    },
}
"""Business term or group -> the field of the model (`connector.model.Invoice`) that carries it."""

_TERM: Final = re.compile(r"B[GT]-\d+(?=,|$)")
_STEP: Final = re.compile(r"/[A-Za-z]+/(cac:[A-Za-z]+)(?:\[(\d+)\])?")


def source_field(term: str | None, path: str, fields: Mapping[str, str]) -> str | None:
    """The field of the source system that a finding speaks of; several are separated by commas, None is none.

    `term` and `path` are the finding's; `fields` are the mapping's: path in the model -> path there
    (`{"lines": "order.orderLines", "lines.quantity": "order.orderLines.count"}`). Items of a list are counted from 0.

    >>> fields = {"lines": "orderLines", "lines.quantity": "orderLines.count", "buyer": "customer.id"}
    >>> source_field("BG-25/BT-129", "/Invoice/cac:InvoiceLine[2]", fields)
    'orderLines[1].count'
    >>> source_field("BT-48", "/Invoice/cac:AccountingCustomerParty/cac:Party", fields)
    'customer.id'
    """
    step = _STEP.match(path)
    area = _AREAS.get(step[1]) if step else None
    ours = [TERMS[one] for one in _TERM.findall(term or "") if one in TERMS]
    ours = [one for one in ours if area and _is_in(one, area)] or ours
    item = f"[{int(step[2] or 1) - 1}]" if step and area == "lines" else "[]"
    lines = fields.get("lines")
    found = dict.fromkeys(_placed(theirs, lines, item) for one in ours for theirs in _nearest(one, fields))
    return ", ".join(found) or None


def _is_in(path: str, area: str) -> bool:
    return path == area or path.startswith(f"{area}.")


def _nearest(path: str, fields: Mapping[str, str]) -> Iterator[str]:
    """What makes the field, or else what makes the whole that it is a part of."""
    while path and path not in fields:
        path = path.rpartition(".")[0]
    if path:
        yield fields[path]


def _placed(theirs: str, lines: str | None, item: str) -> str:
    """The path with the item of the list of lines."""
    return f"{lines}{item}{theirs[len(lines) :]}" if lines and _is_in(theirs, lines) else theirs
