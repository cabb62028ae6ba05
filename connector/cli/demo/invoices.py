"""The invoices of the demo: real EHF, as a company's invoicing program sends them."""

from __future__ import annotations

from decimal import Decimal

from connector.cli.demo.stage import SELLER
from connector.ehf import read, write
from connector.model import Account, Address, Delivery, Draft, Line, Party, PaymentMeans, compose

BUYERS = (("974760673", "Eksempel AS", "Bergen"), ("991825827", "Havn Drift AS", "Stavanger"))
"""Organisation number, name and city of the customers."""
HOME = Address(street="Storgata 1", postal_code="0155", city="Oslo", country="NO")
BILL = "F-2041"
"""Number of the invoice that a supplier sends to the company."""
DAY, PAID_ON = "2027-01-15", "2027-02-01"


def invoice(n: int) -> bytes:
    """The nth invoice of the demo's company, without a number."""
    number, name, city = BUYERS[0]
    lines = (("Rådgivning", Decimal(7 + n), "HUR", "1020.00", 25), ("Lunsj", Decimal(20), "C62", "100.00", 15))
    draft = Draft(
        currency="NOK",
        number=f"UTKAST-{n}",
        issue_date=DAY,
        due_date="2027-01-29",
        buyer_reference="Kari Nordmann",
        seller=Party.norwegian(SELLER, "Demo AS", in_business_register=True, address=HOME),
        buyer=Party.norwegian(number, name, address=Address(street="Bryggen 5", city=city, country="NO")),
        delivery=Delivery(day="2027-01-14", address=Address(city="Oslo", country="NO")),
        payment_means=(PaymentMeans(code="30", account=Account(id="15032080119")),),
        lines=tuple(
            Line(
                id=str(at), name=text, quantity=count, unit_code=unit, price=Decimal(price),
                vat_category="S", vat_rate=Decimal(rate),
            )
            for at, (text, count, unit, price, rate) in enumerate(lines, 1)
        ),
    )  # fmt: skip
    return write(compose(draft))


def bill() -> bytes:
    """What a supplier sends to the demo's company."""
    number, name, city = BUYERS[1]
    draft = Draft(
        currency="NOK",
        number=BILL,
        issue_date="2027-01-10",
        due_date="2027-02-10",
        buyer_reference="Ola Nordmann",
        seller=Party.norwegian(
            number, name, in_business_register=True, address=Address(street="Kaien 2", city=city, country="NO")
        ),
        buyer=Party.norwegian(SELLER, "Demo AS", address=HOME),
        delivery=Delivery(day="2027-01-08", address=Address(city="Oslo", country="NO")),
        payment_means=(PaymentMeans(code="30", payment_id="0000100172", account=Account(id="86011117947")),),
        lines=(
            Line(
                id="1", name="Kaileie", quantity=Decimal(1), unit_code="C62", price=Decimal("4000.00"),
                vat_category="S", vat_rate=Decimal(25),
            ),
        ),
    )  # fmt: skip
    return write(compose(draft))


def payable(ehf: bytes) -> Decimal:
    """What is to be paid of an EHF."""
    totals = read(ehf).totals
    assert totals is not None
    return totals.payable


def one_krone_off(ehf: bytes) -> bytes:
    """The same with a total that is not what the other figures make."""
    total = payable(ehf)
    return ehf.replace(f">{total}<".encode(), f">{total + 1}<".encode())
