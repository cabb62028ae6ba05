"""Documents as a program would post them, of a company that sells to others; amounts that a float cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connector.ehf import write
from connector.model import Account, Address, Draft, Line, Party, PaymentMeans, compose

ISSUED, DUE, PAID = "2027-01-15", "2027-01-29", "2027-02-01"
SOURCE_ACCOUNT, LEDGER_ACCOUNT = "15032080119", "86011117947"
"""Bank accounts of the company: the one whose money the source tells of, and the one whose the ledger does."""
_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)


def organisation_number(n: int) -> str:
    """The n-th of a row of valid organisation numbers (mod 11)."""
    found, base = -1, 97_400_000
    while True:
        base += 1
        check = -sum(int(digit) * weight for digit, weight in zip(str(base), _WEIGHTS, strict=True)) % 11
        found += check != 10
        if found == n:
            return f"{base}{check}"


def party(number: str, name: str) -> dict[str, Any]:
    """A Norwegian company."""
    return {
        "name": name,
        "legal_id": {"value": number, "scheme": "0192"},
        "vat_number": f"NO{number}MVA",
        "address": {"street": "Bryggen 5", "postal_code": "5003", "city": "Bergen", "country": "NO"},
    }


def line(n: int, name: str, quantity: str, price: str, rate: str) -> dict[str, Any]:
    """A line at 25 % or 15 %, as hours or pieces."""
    return {
        "id": str(n), "name": name, "quantity": quantity, "unit_code": "HUR" if n == 1 else "C62", "price": price,
        "vat_category": "S", "vat_rate": rate, "vat_code": {"25": "3", "15": "31"}[rate],
    }  # fmt: skip


LINES = (line(1, "Rådgivning", "8", "1020.00", "25"), line(2, "Lunsj", "20", "100.00", "15"))
GROSS = Decimal("12500.00")
"""Of `LINES`, with VAT."""
ODD: tuple[tuple[tuple[dict[str, Any], ...], Decimal], ...] = (
    # 3 × 33,33 is 99,99, and 25 % of it 24,9975: rounded by the sum it is 125 kroner less one øre.
    (tuple(line(n, "Øre", "1", "33.33", "25") for n in (1, 2, 3)), Decimal("124.99")),
    # 0,1 + 0,2; 1,15 × 100 and 4,35 × 100 are other numbers with floats.
    ((line(1, "Skrue", "1", "0.10", "25"), line(2, "Mutter", "1", "0.20", "25")), Decimal("0.38")),
    ((line(1, "Spiker", "100", "1.15", "25"), line(2, "Kaffe", "100", "4.35", "15")), Decimal("644.00")),
    # Nine digits before the øre.
    ((line(1, "Anlegg", "1", "123456789.11", "25"),), Decimal("154320986.39")),
)
"""Lines, and what they come to with VAT, to the øre."""
ROUNDED = (0, 1)
"""Those of `ODD` that come to something else where VAT is rounded line by line."""


def invoice(
    own: str, source_id: str, buyer: int, lines: Sequence[dict[str, Any]] = LINES, **more: Any
) -> dict[str, Any]:
    """An invoice to the n-th buyer."""
    number = organisation_number(buyer)
    return {
        "source_id": source_id,
        "issue_date": ISSUED,
        "due_date": DUE,
        "currency": "NOK",
        "buyer_reference": "Kari Nordmann",
        "seller": party(own, "Selskapet AS") | {"tax_registration": "Foretaksregisteret"},
        "buyer": party(number, f"Kunde {number} AS"),
        "delivery": {"day": "2027-01-14", "address": {"city": "Bergen", "country": "NO"}},
        "payment_means": [{"code": "30", "account": {"id": SOURCE_ACCOUNT}}],
        "lines": list(lines),
        **more,
    }


def issued_elsewhere(body: dict[str, Any], number: str, kid: str) -> dict[str, Any]:
    """The same, with the number it was issued under."""
    means = {"code": "30", "payment_id": kid, "account": {"id": SOURCE_ACCOUNT}}
    return body | {"number": number, "payment_means": [means]}


CREDITED = Decimal("3125.00")
"""Of `credit_note`, with VAT."""


def credit_note(of: dict[str, Any], **more: Any) -> dict[str, Any]:
    """2 of the hours and 5 of the lunches of an invoice of `LINES`, credited."""
    left = ("delivery", "due_date", "payment_means", "number")
    kept = {name: value for name, value in of.items() if name not in left}
    counted = [one | {"quantity": count} for one, count in zip(of["lines"], ("2", "5"), strict=True)]
    preceding = {"number": of["number"], "issue_date": ISSUED} if "number" in of else {"source_id": of["source_id"]}
    return kept | {
        "type_code": "381", "source_id": f"credit-{of['source_id']}", "issue_date": "2027-03-10",
        "preceding_invoices": [preceding], "lines": counted, **more,
    }  # fmt: skip


def payment(source_id: str, amount: Decimal, of: str, **more: Any) -> dict[str, Any]:
    """Money for the invoice with this source id."""
    return {
        "source_id": source_id, "direction": "in", "date": PAID, "amount": str(amount), "currency": "NOK",
        "bank_account": SOURCE_ACCOUNT, "allocations": [{"document": {"source_id": of}, "amount": str(amount)}], **more,
    }  # fmt: skip


def reversal(source_id: str, of: str) -> dict[str, Any]:
    """A payment is taken back."""
    return {"source_id": source_id, "of": "payment", "of_id": of, "date": "2027-02-02"}


def customer(n: int, **more: Any) -> dict[str, Any]:
    """The n-th buyer as a record of its own."""
    number = organisation_number(n)
    return {"source_id": f"customer-{n}", "party": party(number, f"Kunde {number} AS"), "payment_days": 14, **more}


def renamed(n: int) -> dict[str, Any]:
    """The n-th buyer under another name, which every system keeps."""
    return party(organisation_number(n), "Nytt navn AS")


def product(n: int, **more: Any) -> dict[str, Any]:
    """A product."""
    return {"source_id": f"product-{n}", "number": str(7000 + n), "name": "Rådgivning", "unit_code": "HUR",
            "price": "1020.10", "vat_code": "3", **more}  # fmt: skip


NOTE = {"code": "rejected", "title": "Avvist av kunden", "text": "Kunden svarte: «Prisen er feil.»\nRing kunden."}
"""What a customer says to an invoice."""


PURCHASE = Decimal("12499.99")
"""Of `purchase`, as its supplier states it: an øre less than it should be."""


def purchase(own: str, number: str) -> bytes:
    """An EHF that a supplier sends to the company: 10 000,00 at 25 %, VAT stated as 2 499,99."""
    composed = compose(
        Draft(
            number=number,
            issue_date=date(2027, 1, 10),
            due_date=date(2027, 2, 10),
            currency="NOK",
            buyer_reference="Kari Nordmann",
            seller=Party.norwegian(
                organisation_number(90),
                "Selger AS",
                in_business_register=True,
                address=Address(street="Bryggen 5", postal_code="5003", city="Bergen", country="NO"),
            ),
            buyer=Party.norwegian(own, "Selskapet AS", address=Address(street="Storgata 1", city="Oslo", country="NO")),
            payment_means=(PaymentMeans(code="30", payment_id="0000100172", account=Account(id=LEDGER_ACCOUNT)),),
            lines=(
                Line(id="1", name="Varer", quantity=Decimal(1), unit_code="C62", price=Decimal("10000.00"),
                     vat_category="S", vat_rate=Decimal(25)),
            ),
        )
    )  # fmt: skip
    totals, stated = composed.totals, Decimal("2499.99")
    assert totals is not None
    vat = composed.vat_breakdown[0].model_copy(update={"tax_amount": stated})
    sums = totals.model_copy(update={"tax": stated, "tax_inclusive": PURCHASE, "payable": PURCHASE})
    return write(composed.model_copy(update={"vat_breakdown": (vat,), "totals": sums}))
