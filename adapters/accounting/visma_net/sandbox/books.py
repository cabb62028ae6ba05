"""The books of one company in the sandbox: its sales, and the payments of its customers."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal

from adapters.accounting.visma_net.sandbox import chart
from adapters.accounting.visma_net.sandbox.asking import Said, invalid, unknown
from adapters.accounting.visma_net.sandbox.ledger import DRAFT, ore
from adapters.accounting.visma_net.sandbox.rules import Rules
from adapters.accounting.visma_net.sandbox.sales import Sales
from adapters.accounting.visma_net.sandbox.store import Row

VOIDS = {"Payment": "VoidPayment", "Prepayment": "VoidPayment", "Refund": "VoidRefund"}


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
        number: str = "923609016",
    ) -> None:
        super().__init__(rules, first, name=name, number=number)
        money = itertools.count(first)
        # Refunds may have a number series of their own, and it may begin where that of payments does.
        self._payments = {"Payment": money, "Prepayment": money, "Refund": itertools.count(first)}

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
        cash, currency = self.find("cashaccount", account or ""), said.text("currency") or "NOK"
        if cash is None:
            raise unknown("Cash account", account)
        if cash["currency"] != currency:
            raise invalid(f"Error: The currency of cash account '{account}' is not '{currency}'.")
        type, amount = said.text("type") or "Payment", said.number("paymentAmount") or Decimal(0)
        by = {"customer": customer, "currency": currency}
        lines = [self.settled(by, line) for line in said.lines("paymentLines")]
        applied = sum((line["amountPaid"] for line in lines), Decimal(0))
        if applied > amount:
            raise invalid("The applied amount exceeds the payment amount.")
        charges = [self._charge(line) for line in said.lines("financeCharges")]
        number, hold = str(next(self._payments[type])), said.flag("hold") is not False
        row: Row = {
            "type": type, "refNbr": number, "status": "Hold" if hold else "Balanced",
            "hold": hold, "applicationDate": f"{day}T00:00:00", "applicationPeriod": f"{day:%m%Y}",
            "paymentRef": said.text("paymentRef"), "invoiceText": said.text("invoiceText"),
            "customer": {"number": customer["number"], "name": customer["name"]},
            "paymentMethod": {"id": method, "description": "Bank"}, "cashAccount": account,
            "currency": currency, "paymentAmount": amount,
            "paymentAmountInCurrency": ore(amount * self.rates[currency]), "_rate": self.rates[currency],
            "deductedCharges": sum((one for _, one in charges), Decimal(0)), "_charges": charges,
            "appliedToDocuments": applied, "availableBalance": amount - applied, "paymentLines": lines,
        }  # fmt: skip
        return self.keep("payment", f"{type}/{number}", row)

    def _charge(self, said: Said) -> tuple[str, Decimal]:
        type = said.text("entryType") or ""
        if type not in chart.FEES:
            raise unknown("Entry type", type)
        return chart.FEES[type], said.number("amount") or Decimal(0)

    def move(self, payment: str, old: str, new: str, amount: Decimal) -> None:
        """A person takes what a payment gives to an invoice away from it, and gives it to another."""
        row = self.tables["payment"][payment]
        day = row["applicationDate"]
        for number, much in ((old, -amount), (new, amount)):
            self.lower(number, much)
            row["paymentLines"] = [
                *row["paymentLines"],
                {"documentType": "Invoice", "refNbr": number, "amountPaid": much, "currency": row["currency"],
                 "date": day},
            ]  # fmt: skip
        self.touch(row)

    def release_payment(self, row: Row) -> None:
        """Into the books. Raises `SandboxError`."""
        self.releasable(row)
        for line in row["paymentLines"]:
            if line["amountPaid"] > self.tables["invoice"][line["refNbr"]]["balance"]:
                raise invalid("Error: The amount paid exceeds the balance of the document.")
        self._book_payment(row)
        self.touch(row, status="Open" if row["availableBalance"] else "Closed")

    def _book_payment(self, row: Row) -> None:
        number, rate = f"{row['type']} {row['refNbr']}", row["_rate"]
        # A refund goes out; what takes one back has the amounts below zero.
        sign = -1 if "Refund" in row["type"] else 1
        kroner = ore(row["paymentAmount"] * rate)
        self.post(number, str(row["cashAccount"]), sign * kroner)
        self.post(number, chart.RECEIVABLES, -sign * kroner)
        for account, charge in row["_charges"]:
            self.post(number, account, ore(charge * rate))
            self.post(number, str(row["cashAccount"]), -ore(charge * rate))
        for line in row["paymentLines"]:
            self.differ(number, ore(line["amountPaid"] * rate) - self.lower(line["refNbr"], line["amountPaid"]))
            if lost := line.get("balanceWriteOff"):
                self._lose(number, line["refNbr"], lost)

    def _lose(self, document: str, invoice: str, amount: Decimal) -> None:
        kroner = self.lower(invoice, amount)
        self.post(document, chart.RECEIVABLES, -kroner)
        self.post(document, chart.LOST, kroner)

    def write_off(self, invoice: str, amount: Decimal, day: date, reason: str) -> Row:
        """A person writes off what is open of an invoice: a document that does nothing else."""
        of, number = self.tables["invoice"][invoice], str(next(self._payments["Payment"]))
        line = {"documentType": "Invoice", "refNbr": invoice, "amountPaid": amount, "currency": of["currencyId"],
                "writeOffReasonCode": {"id": reason}}  # fmt: skip
        row: Row = {
            "type": "SmallBalanceWo", "refNbr": number, "status": "Closed", "applicationDate": f"{day}T00:00:00",
            "customer": dict(of["customer"]), "currency": of["currencyId"], "paymentAmount": amount,
            "availableBalance": Decimal(0), "paymentLines": [line],
        }  # fmt: skip
        self._lose(f"SmallBalanceWo {number}", invoice, amount)
        return self.keep("payment", f"SmallBalanceWo/{number}", row)

    def void_payment(self, type: str, number: str, day: date | None = None) -> Row:
        """Take a payment back: a row of its own under the same number, everything below zero, a draft at first.

        Raises `SandboxError`.
        """
        row, void_type = self.tables["payment"][f"{type}/{number}"], VOIDS[type]
        if row["status"] in DRAFT:
            raise invalid("The document is not released and cannot be voided.")
        if f"{void_type}/{number}" in self.tables["payment"]:
            raise invalid("The document has already been voided.")
        sums: dict[str, Decimal] = {}
        for line in row["paymentLines"]:
            sums[line["refNbr"]] = sums.get(line["refNbr"], Decimal(0)) + line["amountPaid"]
        lost = {line["refNbr"]: line for line in row["paymentLines"] if line.get("balanceWriteOff")}
        lines = [
            {"documentType": "Invoice", "refNbr": invoice, "amountPaid": -amount, "currency": row["currency"],
             **({"balanceWriteOff": -lost[invoice]["balanceWriteOff"],
                 "writeOffReasonCode": lost[invoice]["writeOffReasonCode"]} if invoice in lost else {})}
            for invoice, amount in sums.items()
            if amount
        ]  # fmt: skip
        names = ("paymentAmount", "paymentAmountInCurrency", "appliedToDocuments", "availableBalance",
                 "deductedCharges")  # fmt: skip
        void: Row = {
            **row,
            **{name: -row[name] for name in names},
            "type": void_type, "status": "Balanced", "paymentLines": lines,
            "_charges": [(account, -charge) for account, charge in row["_charges"]],
        }  # fmt: skip
        if day is not None:
            void["applicationDate"] = f"{day}T00:00:00"
        return self.keep("payment", f"{void_type}/{number}", void)

    def release_void(self, row: Row) -> None:
        """The payment is taken back: what it settled is open again. Raises `SandboxError`."""
        self.releasable(row)
        self.open_on(date.fromisoformat(row["applicationDate"][:10]))
        self._book_payment(row)
        self.touch(row, status="Closed")
        # The payment shows what takes it back among its own rows, too.
        types = [type for type, void in VOIDS.items() if void == row["type"]]
        found = (self.tables["payment"].get(f"{type}/{row['refNbr']}") for type in types)
        paid = next(one for one in found if one is not None)
        self.touch(paid, status="Voided", paymentLines=[*paid["paymentLines"], *row["paymentLines"]])
