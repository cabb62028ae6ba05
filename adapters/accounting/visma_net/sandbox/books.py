"""The books of one company in the sandbox: customers, invoices, payments, and what they post."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.accounting.visma_net.sandbox import chart
from adapters.accounting.visma_net.sandbox.asking import Said, invalid, unknown
from adapters.accounting.visma_net.sandbox.releases import Releases
from adapters.accounting.visma_net.sandbox.rules import Rules
from adapters.accounting.visma_net.sandbox.store import OSLO, Row, Store

ORE = Decimal("0.01")
DRAFT = ("Hold", "Balanced")
ADDRESS = ("addressLine1", "addressLine2", "addressLine3", "postalCode", "city")
CONTACT = ("name", "attention", "email", "web", "phone1", "phone2", "fax")


def ore(amount: Decimal) -> Decimal:
    """An amount in whole øre, half away from zero."""
    return amount.quantize(ORE, ROUND_HALF_UP)


class Books(Store):
    """One company's books.

    Args:
        rules: how its Visma Net behaves.
        first: where the number series of documents begin.
        name, number: whose they are.
    """

    def __init__(
        self, rules: Rules | None = None, first: int = 100_001, *, name: str = "Prøvebedriften AS",
        number: str = "999999928",
    ) -> None:  # fmt: skip
        super().__init__()
        self.rules = rules or Rules()
        self.releases = Releases(self.rules)
        self.entries: list[tuple[str, str, Decimal]] = []
        """What has been posted: document, account, amount (debit above zero)."""
        self._customers = itertools.count(10_001)
        self._ids = itertools.count(4_101)
        self._invoices = itertools.count(first)
        self._payments = itertools.count(first)
        chart.seed(self, name, number)

    # --- customers ------------------------------------------------------------------------------------------------

    def add_customer(self, said: Said) -> Row:
        """A new customer, active. Raises `SandboxError`."""
        if not said.text("name"):
            raise invalid("Error creating customer. Error: 'Customer name' cannot be empty.")
        number = str(next(self._customers))
        row: Row = {"internalId": next(self._ids), "number": number, "status": "Active"}
        self._customer(row, said)
        row.setdefault("vatZone", {"id": "01", "description": "Innenlands"})
        return self.keep("customer", number, row)

    def change_customer(self, row: Row, said: Said) -> None:
        """Change what is said; what is left out stays. Raises `SandboxError`."""
        if said.has("name") and not said.text("name"):
            raise invalid("Error updating customer. Error: 'Customer name' cannot be empty.")
        self._customer(row, said)
        self.touch(row)

    def _customer(self, row: Row, said: Said) -> None:
        for name in ("name", "status", "accountReference", "currencyId", "vatRegistrationId", "corporateId", "gln"):
            if said.has(name):
                row[name] = said.text(name)
        if row["status"] not in {"Active", "OnHold", "CreditHold", "Inactive", "OneTime"}:
            raise invalid(f"The status '{row['status']}' is not valid.")
        for name in ("mainAddress", "invoiceAddress"):
            if part := said.part(name):
                address = row.setdefault(name, {})
                address |= {field: part.text(field) for field in ADDRESS if part.has(field)}
                if country := part.text("countryId"):
                    address["country"] = {"id": country, "name": country}
        for name in ("mainContact", "invoiceContact"):
            if part := said.part(name):
                contact = row.setdefault(name, {})
                contact |= {field: part.text(field) for field in CONTACT if part.has(field)}

    def customer(self, number: str | None) -> Row:
        """A customer that can be billed. Raises `SandboxError`."""
        row = self.find("customer", number or "")
        if row is None:
            raise unknown("Customer", number)
        if row["status"] == "Inactive":
            raise invalid("Error: Customer status is 'Inactive'.")
        return row

    # --- invoices -------------------------------------------------------------------------------------------------

    def add_invoice(self, said: Said) -> Row:
        """A draft. Raises `SandboxError`."""
        customer = self.customer(said.text("customerNumber"))
        day = said.day("documentDate") or datetime.now(OSLO).date()
        self.open_on(day)
        currency = said.text("currencyId") or customer.get("currencyId") or "NOK"
        if self.find("currency", currency) is None:
            raise unknown("Currency", currency)
        lines = [self._line(number, line) for number, line in enumerate(said.lines("invoiceLines"), 1)]
        number = str(next(self._invoices))
        row: Row = {
            "documentType": "Invoice", "referenceNumber": number,
            "customer": {"number": customer["number"], "name": customer["name"]},
            "documentDate": f"{day}T00:00:00", "documentDueDate": f"{said.day('documentDueDate') or day}T00:00:00",
            "financialPeriod": f"{day:%Y%m}", "currencyId": currency, "invoiceLines": lines,
            "hold": said.flag("hold") or False, "status": "Hold" if said.flag("hold") else "Balanced",
            "externalReference": said.text("externalReference"), "customerRefNumber": said.text("customerRefNumber"),
            "paymentReference": said.text("paymentReference"), "note": said.text("note"),
            "sendToAutoInvoice": said.flag("sendToAutoInvoice") or False, "dontPrint": said.flag("dontPrint") or False,
            "dontEmail": said.flag("dontEmail") or False,
        }  # fmt: skip
        self._total(row)
        return self.keep("invoice", number, row)

    def _line(self, number: int, said: Said) -> Row:
        account, code = said.text("accountNumber") or "3000", said.text("vatCodeId") or "3"
        there = self.find("account", account)
        if there is None:
            raise unknown("Account", account)
        if not there["active"]:
            raise invalid(f"Error: Account '{account}' is inactive.")
        if self.find("vat", code) is None:
            raise unknown("TaxCategoryID", code)
        quantity, price = said.number("quantity"), said.number("unitPriceInCurrency")
        quantity, price = Decimal(1) if quantity is None else quantity, price or Decimal(0)
        manual = said.number("manualAmountInCurrency")
        amount = ore(quantity * price) if manual is None else manual
        return {
            "lineNumber": number, "description": said.text("description") or "", "quantity": quantity,
            "unitPrice": price, "unitPriceInCurrency": price, "amount": amount, "amountInCurrency": amount,
            "account": {"number": account, "description": there["description"]},
            "vatCode": {"id": code, "description": self.tables["vat"][code]["description"]},
            "discountPercent": Decimal(0),
        }  # fmt: skip

    def _vat(self, row: Row) -> dict[str, Decimal]:
        """VAT by code."""
        by_code: dict[str, Decimal] = {}
        for line in row["invoiceLines"]:
            code = line["vatCode"]["id"]
            vat = line["amount"] * chart.VAT[code][1] / 100
            by_code[code] = by_code.get(code, Decimal(0)) + (ore(vat) if self.rules.rounding == "line" else vat)
        return {code: ore(vat) for code, vat in by_code.items()}

    def _total(self, row: Row) -> None:
        net = sum((line["amount"] for line in row["invoiceLines"]), Decimal(0))
        vat = sum(self._vat(row).values(), Decimal(0))
        amount = net + vat
        if self.rules.whole_kroner:
            amount = amount.quantize(Decimal(1), ROUND_HALF_UP)
        row |= {
            "detailTotal": net, "detailTotalInCurrency": net, "vatTotal": vat, "vatTotalInCurrency": vat,
            "amount": amount, "amountInCurrency": amount, "balance": amount, "balanceInCurrency": amount,
            "roundingDiff": amount - net - vat,
        }  # fmt: skip

    def release_invoice(self, row: Row) -> None:
        """Into the books: it is an invoice now. Raises `SandboxError`."""
        if row["status"] not in DRAFT:
            raise invalid("The document has already been released.")
        if row["status"] == "Hold":
            raise invalid("The document is on hold and cannot be released.")
        self.open_on(date.fromisoformat(row["documentDate"][:10]))
        number = row["referenceNumber"]
        self._post(number, chart.RECEIVABLES, row["amount"])
        for line in row["invoiceLines"]:
            self._post(number, line["account"]["number"], -line["amount"])
        for code, vat in self._vat(row).items():
            self._post(number, chart.VAT[code][2] or chart.ROUNDING, -vat)
        self._post(number, chart.ROUNDING, -row["roundingDiff"])
        kid = row["paymentReference"] or kid_of(row["customer"]["number"] + number)
        self.touch(row, status="Open" if row["balance"] else "Closed", paymentReference=kid)

    # --- payments -------------------------------------------------------------------------------------------------

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
        lines = [self._payment_line(customer, line) for line in said.lines("paymentLines")]
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

    def _payment_line(self, customer: Mapping[str, Any], said: Said) -> Row:
        number, amount = said.text("refNbr"), said.number("amountPaid") or Decimal(0)
        invoice = self.find("invoice", number or "")
        if said.text("documentType") != "Invoice" or invoice is None or invoice["status"] in DRAFT:
            raise unknown("Document", number)
        if invoice["customer"]["number"] != customer["number"]:
            raise invalid(f"Error: The document '{number}' belongs to another customer.")
        if amount > invoice["balance"]:
            raise invalid("Error: The amount paid exceeds the balance of the document.")
        return {"documentType": "Invoice", "refNbr": number, "amountPaid": amount, "currency": invoice["currencyId"]}

    def release_payment(self, row: Row) -> None:
        """Into the books. Raises `SandboxError`."""
        if row["status"] not in DRAFT:
            raise invalid("The document has already been released.")
        if row["status"] == "Hold":
            raise invalid("The document is on hold and cannot be released.")
        for line in row["paymentLines"]:
            if line["amountPaid"] > self.tables["invoice"][line["refNbr"]]["balance"]:
                raise invalid("Error: The amount paid exceeds the balance of the document.")
        self._book_payment(row)
        self.touch(row, status="Open" if row["availableBalance"] else "Closed")

    def _book_payment(self, row: Row) -> None:
        number = f"{row['type']} {row['refNbr']}"
        self._post(number, str(row["cashAccount"]), row["paymentAmount"])
        self._post(number, chart.RECEIVABLES, -row["paymentAmount"])
        for line in row["paymentLines"]:
            invoice = self.tables["invoice"][line["refNbr"]]
            balance = invoice["balance"] - line["amountPaid"]
            self.touch(
                invoice, balance=balance, balanceInCurrency=balance, status="Open" if balance else "Closed"
            )  # fmt: skip

    def void_payment(self, number: str, day: date) -> Row:
        """Take a payment back: a row of its own under the same number, with everything below zero, released."""
        row = self.tables["payment"][f"Payment/{number}"]
        if row["status"] == "Voided":
            raise invalid("The document has already been voided.")
        lines = [{**line, "amountPaid": -line["amountPaid"]} for line in row["paymentLines"]]
        names = ("paymentAmount", "paymentAmountInCurrency", "appliedToDocuments", "availableBalance")
        void: Row = {
            **{name: value for name, value in row.items() if not name.startswith("_")},
            **{name: -row[name] for name in names},
            "type": "VoidPayment", "status": "Closed", "applicationDate": f"{day}T00:00:00", "paymentLines": lines,
        }  # fmt: skip
        self._book_payment(void)
        self.touch(row, status="Voided")
        return self.keep("payment", f"VoidPayment/{number}", void)

    # --- ledger ---------------------------------------------------------------------------------------------------

    def open_on(self, day: date) -> None:
        """Raises `SandboxError` where nothing can be booked on a day."""
        period = self.tables["period"].get(f"{day:%Y%m}")
        if period is None or period["closedInCustomerLedger"] or period["closedInGeneralLedger"]:
            raise invalid(f"Error: The financial period {day:%m-%Y} is closed.")

    def _post(self, document: str, account: str, amount: Decimal) -> None:
        if amount:
            self.entries.append((document, account, amount))


def kid_of(digits: str) -> str:
    """A KID: digits with a check digit (modulus 10) behind."""
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits)))
    return digits + str(-sum(sum(divmod(one, 10)) for one in doubled) % 10)
