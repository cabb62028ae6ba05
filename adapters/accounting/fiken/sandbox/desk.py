"""A bookkeeper at work in Fiken itself, see `adapters.loopback.desk`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from adapters.accounting.fiken.sandbox import forms, lines
from adapters.accounting.fiken.sandbox.books import BANK_ACCOUNTS, Books
from adapters.accounting.fiken.sandbox.store import Thing
from adapters.loopback.desk import Books as Stands
from adapters.loopback.desk import Issued

BANK, _, BANK_NUMBER = BANK_ACCOUNTS[0]
DAYS_TO_PAY = 14


class Desk:
    """The bookkeeper of one company."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._customers: dict[str, int] = {}
        self._sales: dict[str, Thing] = {}

    def issue(self, buyer: str, organisation_number: str, net: Decimal, day: date) -> Issued:
        """Issue an invoice of one line, 25 % VAT on top."""
        line = {"description": "Varer", "unitPrice": int(net * 100), "quantity": 1, "vatType": "HIGH",
                "incomeAccount": "3000"}  # fmt: skip
        priced = self._books.lines([line], forms.DRAFT_LINE)
        invoice = self._books.invoice(
            {
                "type": "invoice", "uuid": str(uuid.uuid4()), "issueDate": day.isoformat(), "currency": "NOK",
                "daysUntilDueDate": DAYS_TO_PAY, "customerId": self._customer(buyer, organisation_number),
                "bankAccountNumber": BANK_NUMBER, "lines": priced, **lines.totals(priced, "none", "NOK"),
            }
        )  # fmt: skip
        number = str(invoice["invoiceNumber"])
        self._sales[number] = self._books.find("sale", invoice["_sale"])
        return Issued(number, Decimal(invoice["gross"]) / 100)

    def pay(self, number: str, amount: Decimal, day: date) -> None:
        """Register money that came for an invoice, whether it was issued here or elsewhere. Raises `LookupError`."""
        sale = self._sales.get(number) or next((one for one in self._open() if one.get("saleNumber") == number), None)
        if sale is None:
            raise LookupError(f"no invoice {number}")
        self._books.pay(sale, day.isoformat(), BANK, int(amount * 100))

    def books(self) -> Stands:
        """What stands in the books now."""
        owed, bank = (Decimal(self._books.balance(account)) / 100 for account in ("1500", BANK))
        sales = list(self._open())
        return Stands(owed, bank, len(sales), sum(len(self._books.payments(one)) for one in sales))

    def _open(self) -> Iterator[Thing]:
        """Sales that a customer is to pay."""
        return (one for one in self._books.all("sale") if not one["deleted"] and one["kind"] != "cash_sale")

    def _customer(self, name: str, organisation_number: str) -> int:
        if organisation_number not in self._customers:
            there = (one for one in self._books.all("contact") if one.get("organizationNumber") == organisation_number)
            said = {"name": name, "organizationNumber": organisation_number, "customer": True}
            self._customers[organisation_number] = (next(there, None) or self._books.add_contact(said))["_id"]
        return self._customers[organisation_number]
