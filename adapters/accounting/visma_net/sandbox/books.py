"""The books of one company in the sandbox: its sales, and the payments of its customers."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal

from adapters.accounting.visma_net.sandbox import chart
from adapters.accounting.visma_net.sandbox.asking import Said, invalid, unknown
from adapters.accounting.visma_net.sandbox.ledger import DRAFT
from adapters.accounting.visma_net.sandbox.rules import Rules
from adapters.accounting.visma_net.sandbox.sales import Sales
from adapters.accounting.visma_net.sandbox.store import Row


class Books(Sales):
    """One company's books.

    Args:
        rules: how its Visma Net behaves.
        first: where the number series of documents begin.
        name, number: whose they are.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        first: int = 100_001,
        *,
        name: str = "Prøvebedriften AS",
        number: str = "999999928",
    ) -> None:
        super().__init__(rules, first, name=name, number=number)
        self._payments = itertools.count(first)

    def add_payment(self, said: Said) -> Row:
        """A draft of a payment. Raises `SandboxError`."""
        customer, day = self.customer(said.text("customer")), said.day("applicationDate")
        if day is None:
            raise invalid("Error creating payment. Error: 'Application date' cannot be empty.")
        if not said.text("paymentRef"):
            raise invalid("Error creating payment. Error: 'Payment ref.' cannot be empty.")
        self.open_on(day)
        method, account = said.text("paymentMethod"), said.text("cashAccount")
        if self.find("paymentmethod", method or "") is None:
            raise unknown("Payment method", method)
        if self.find("cashaccount", account or "") is None:
            raise unknown("Cash account", account)
        amount = said.number("paymentAmount") or Decimal(0)
        lines = [self.settled(customer, line) for line in said.lines("paymentLines")]
        applied = sum((line["amountPaid"] for line in lines), Decimal(0))
        if applied > amount:
            raise invalid("The applied amount exceeds the payment amount.")
        number = str(next(self._payments))
        hold = said.flag("hold") is not False
        row: Row = {
            "type": said.text("type") or "Payment", "refNbr": number, "status": "Hold" if hold else "Balanced",
            "hold": hold, "applicationDate": f"{day}T00:00:00", "applicationPeriod": f"{day:%m%Y}",
            "paymentRef": said.text("paymentRef"), "invoiceText": said.text("invoiceText"),
            "customer": {"number": customer["number"], "name": customer["name"]},
            "paymentMethod": {"id": method, "description": "Bank"}, "cashAccount": account,
            "currency": said.text("currency") or "NOK", "paymentAmount": amount, "paymentAmountInCurrency": amount,
            "appliedToDocuments": applied, "availableBalance": amount - applied, "paymentLines": lines,
        }  # fmt: skip
        return self.keep("payment", f"{row['type']}/{number}", row)

    def release_payment(self, row: Row) -> None:
        """Into the books. Raises `SandboxError`."""
        self.releasable(row)
        for line in row["paymentLines"]:
            if line["amountPaid"] > self.tables["invoice"][line["refNbr"]]["balance"]:
                raise invalid("Error: The amount paid exceeds the balance of the document.")
        self._book_payment(row)
        self.touch(row, status="Open" if row["availableBalance"] else "Closed")

    def _book_payment(self, row: Row) -> None:
        number = f"{row['type']} {row['refNbr']}"
        self.post(number, str(row["cashAccount"]), row["paymentAmount"])
        self.post(number, chart.RECEIVABLES, -row["paymentAmount"])
        for line in row["paymentLines"]:
            self.lower(line["refNbr"], line["amountPaid"])

    def void_payment(self, number: str, day: date | None = None) -> Row:
        """Take a payment back: a row of its own under the same number, everything below zero, a draft at first.

        Raises `SandboxError`.
        """
        row = self.tables["payment"][f"Payment/{number}"]
        if row["status"] in DRAFT:
            raise invalid("The document is not released and cannot be voided.")
        if f"VoidPayment/{number}" in self.tables["payment"]:
            raise invalid("The document has already been voided.")
        lines = [{**line, "amountPaid": -line["amountPaid"]} for line in row["paymentLines"]]
        names = ("paymentAmount", "paymentAmountInCurrency", "appliedToDocuments", "availableBalance")
        void: Row = {
            **{name: value for name, value in row.items() if not name.startswith("_")},
            **{name: -row[name] for name in names},
            "type": "VoidPayment", "status": "Balanced", "paymentLines": lines,
        }  # fmt: skip
        if day is not None:
            void["applicationDate"] = f"{day}T00:00:00"
        return self.keep("payment", f"VoidPayment/{number}", void)

    def release_void(self, row: Row) -> None:
        """The payment is taken back: what it settled is open again. Raises `SandboxError`."""
        self.releasable(row)
        self.open_on(date.fromisoformat(row["applicationDate"][:10]))
        self._book_payment(row)
        self.touch(row, status="Closed")
        # The payment shows what takes it back among its own rows, too.
        paid = self.tables["payment"][f"Payment/{row['refNbr']}"]
        self.touch(paid, status="Voided", paymentLines=[*paid["paymentLines"], *row["paymentLines"]])
