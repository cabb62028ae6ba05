"""A bookkeeper at work in Tripletex itself, see `adapters.loopback.desk`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from adapters.accounting.tripletex.sandbox import registers
from adapters.accounting.tripletex.sandbox.books import Books
from adapters.accounting.tripletex.sandbox.things import Link, Thing
from adapters.loopback.desk import Books as Stands
from adapters.loopback.desk import Issued

RECEIVABLE, BANK = 1500, 1920
HIGH_RATE = 3
"""Id of the VAT code for 25 %."""


class Desk:
    """The bookkeeper of one company."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._customers: dict[str, int] = {}
        self._rows: dict[str, Thing] = {}

    def issue(self, buyer: str, organisation_number: str, net: Decimal, day: date) -> Issued:
        """Issue an invoice of one line, 25 % VAT on top."""
        line = {"description": "Varer", "count": 1, "unitPriceExcludingVatCurrency": net, "vatType": {"id": HIGH_RATE}}
        order = registers.create_order(
            self._books,
            {
                "customer": {"id": self._customer(buyer, organisation_number)},
                "orderDate": day.isoformat(),
                "deliveryDate": day.isoformat(),
                "orderLines": [line],
            },
        )
        invoice = self._books.charge(order, day)
        self._rows[str(invoice["invoiceNumber"])] = self._row(invoice)
        return Issued(str(invoice["invoiceNumber"]), invoice["amountCurrency"])

    def pay(self, number: str, amount: Decimal, day: date) -> None:
        """Register money that came for an invoice, whether it was issued here or elsewhere. Raises `LookupError`."""
        row = self._rows.get(number) or next(
            (one for one in self._receivable() if str(one.get("invoiceNumber")) == number and one["amount"] > 0), None
        )
        if row is None:
            raise LookupError(f"no invoice {number}")
        bank = self._books.account(BANK)
        if "_invoice" in row:
            self._books.pay(day, [(self._books.find(Link("invoice", row["_invoice"])), amount, amount)], bank)
        else:
            self._books.pay_row(row, amount, day, bank)

    def books(self) -> Stands:
        """What stands in the books now."""
        rows = list(self._receivable())
        return Stands(
            owed=sum((row["amount"] for row in rows), Decimal(0)),
            bank=sum((row["amount"] for row in self._on(BANK)), Decimal(0)),
            invoices=sum(row["amount"] > 0 for row in rows),
            payments=sum(row["amount"] < 0 for row in rows),
        )

    def _customer(self, name: str, organisation_number: str) -> int:
        if organisation_number not in self._customers:
            there = (one for one in self._books.all("customer") if one.get("organizationNumber") == organisation_number)
            said = {"name": name, "organizationNumber": organisation_number}
            self._customers[organisation_number] = (next(there, None) or registers.create_customer(self._books, said))[
                "id"
            ]
        return self._customers[organisation_number]

    def _row(self, invoice: Thing) -> Thing:
        links = self._books.find(invoice["voucher"])["postings"]
        return next(row for row in map(self._books.find, links) if row.get("customer") and row["amount"] > 0)

    def _receivable(self) -> Iterator[Thing]:
        return (row for row in self._on(RECEIVABLE) if row.get("customer"))

    def _on(self, account: int) -> Iterator[Thing]:
        link = self._books.account(account)
        return (row for row in self._books.all("posting") if row["account"] == link)
