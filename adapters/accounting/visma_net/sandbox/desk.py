"""A bookkeeper at work in Visma Net itself, see `adapters.loopback.desk`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from adapters.accounting.visma_net.sandbox import chart
from adapters.accounting.visma_net.sandbox.asking import Said
from adapters.accounting.visma_net.sandbox.books import Books
from adapters.accounting.visma_net.sandbox.ledger import DRAFT
from adapters.accounting.visma_net.wrapping import wrapped
from adapters.loopback.desk import Books as Stands
from adapters.loopback.desk import Issued

BANK, METHOD = "1920", "1"


class Desk:
    """The bookkeeper of one company."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._customers: dict[str, str] = {}

    def issue(self, buyer: str, organisation_number: str, net: Decimal, day: date) -> Issued:
        """Issue an invoice of one line, 25 % VAT on top."""
        line = {"operation": "Insert", "description": "Varer", "quantity": 1, "unitPriceInCurrency": net,
                "accountNumber": "3000", "vatCodeId": "3"}  # fmt: skip
        customer = self._customer(buyer, organisation_number)
        said = {"customerNumber": customer, "documentDate": f"{day}T00:00:00", "invoiceLines": [line]}
        row = self._books.add_invoice(Said(wrapped(said)))
        self._books.release_invoice(row)
        return Issued(row["referenceNumber"], row["amount"])

    def pay(self, number: str, amount: Decimal, day: date) -> None:
        """Register money that came for an invoice. Raises `LookupError` where there is none with this number."""
        line = {"operation": "Insert", "documentType": "Invoice", "refNbr": number, "amountPaid": amount}
        said = {
            "type": "Payment", "hold": False, "customer": self._books.tables["invoice"][number]["customer"]["number"],
            "paymentMethod": METHOD, "cashAccount": BANK, "applicationDate": f"{day}T00:00:00",
            "paymentRef": "Manuell", "paymentAmount": amount, "paymentLines": [line],
        }  # fmt: skip
        self._books.release_payment(self._books.add_payment(Said(wrapped(said))))

    def books(self) -> Stands:
        """What stands in the books now."""
        balance = {account: Decimal(0) for account in (chart.RECEIVABLES, BANK)}
        for _, account, amount in self._books.entries:
            if account in balance:
                balance[account] += amount
        invoices, payments = (
            sum(row["status"] not in DRAFT for row in self._books.tables.get(table, {}).values())
            for table in ("invoice", "payment")
        )
        return Stands(balance[chart.RECEIVABLES], balance[BANK], invoices, payments)

    def _customer(self, name: str, organisation_number: str) -> str:
        if organisation_number not in self._customers:
            there = (one for one in self._books.all("customer") if one.get("corporateId") == organisation_number)
            said = Said(wrapped({"name": name, "corporateId": organisation_number}))
            self._customers[organisation_number] = (next(there, None) or self._books.add_customer(said))["number"]
        return self._customers[organisation_number]
