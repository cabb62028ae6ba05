"""EHF invoices that a supplier sends to the company of the scenarios."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from connector.ehf import write
from connector.model import (
    Account,
    Address,
    Attachment,
    Draft,
    Embedded,
    Invoice,
    Line,
    Party,
    PaymentMeans,
    compose,
)

OWN = Party.norwegian("923609016", "Fjord AS", address=Address(street="Storgata 1", city="Oslo", country="NO"))
SUPPLIER = Party.norwegian(
    "974760673",
    "Selger AS",
    in_business_register=True,
    address=Address(street="Bryggen 5", postal_code="5003", city="Bergen", country="NO"),
)
KNOWN, OTHER = "86011117947", "15032080119"
"""Bank accounts: the supplier's, and another one."""
PDF = b"%PDF-1.4\n1 0 obj << /Type /Page >> endobj\n%%EOF\n"


def purchase(number: str = "F-7", *, net: str = "10000.00", vat: str | None = None, **changes: Any) -> Invoice:
    """An invoice of one line at 25 %; `vat`: as stated, where that is another than the computed one."""
    given: dict[str, Any] = {
        "number": number,
        "issue_date": date(2027, 1, 10),
        "due_date": date(2027, 2, 10),
        "currency": "NOK",
        "buyer_reference": "Kari",
        "seller": SUPPLIER,
        "buyer": OWN,
        "payment_means": (PaymentMeans(code="30", payment_id="0000100172", account=Account(id=KNOWN)),),
        "lines": (
            Line(id="1", name="Varer", quantity=Decimal(1), unit_code="C62", price=Decimal(net), vat_category="S",
                 vat_rate=Decimal(25)),
        ),
    }  # fmt: skip
    made = compose(Draft(**given | changes))
    return made if vat is None else stating(made, Decimal(vat))


def stating(invoice: Invoice, vat: Decimal) -> Invoice:
    """The invoice with another VAT, as its issuer states it."""
    totals = invoice.totals
    assert totals is not None
    gross = (totals.tax_exclusive or Decimal(0)) + vat
    return invoice.model_copy(
        update={
            "vat_breakdown": (invoice.vat_breakdown[0].model_copy(update={"tax_amount": vat}),),
            "totals": totals.model_copy(update={"tax": vat, "tax_inclusive": gross, "payable": gross}),
        }
    )


def paid_to(account: str) -> dict[str, Any]:
    return {"payment_means": (PaymentMeans(code="30", payment_id="0000100172", account=Account(id=account)),)}


def with_files(*files: tuple[str, str, bytes]) -> dict[str, Any]:
    found = (Attachment(id=name, embedded=Embedded(content=content, mime_type=kind, filename=name))
             for name, kind, content in files)  # fmt: skip
    return {"attachments": tuple(found)}


def ehf(number: str = "F-7", **changes: Any) -> bytes:
    return write(purchase(number, **changes))
