"""Invoices and credit notes in the sandbox: drafts, what they come to, and what releasing them does."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.accounting.visma_net.sandbox import chart
from adapters.accounting.visma_net.sandbox.asking import Said, invalid, unknown
from adapters.accounting.visma_net.sandbox.ledger import DRAFT, ore
from adapters.accounting.visma_net.sandbox.purchases import Purchases
from adapters.accounting.visma_net.sandbox.rules import Rules
from adapters.accounting.visma_net.sandbox.store import OSLO, Row


class Sales(Purchases):
    """A company's sales. `first`: where the number series of invoices and of credit notes begin, each its own."""

    def __init__(self, rules: Rules | None, first: int, *, name: str, number: str) -> None:
        super().__init__(rules, first, name=name, number=number)
        self._invoices = itertools.count(first)
        self._notes = itertools.count(first)

    def add_invoice(self, said: Said) -> Row:
        """A draft. Raises `SandboxError`."""
        row = self._sale(said, "invoiceLines", self._number(said))
        day = row["documentDate"][:10]
        row |= {
            "documentType": "Invoice", "documentDueDate": f"{said.day('documentDueDate') or day}T00:00:00",
            "paymentReference": said.text("paymentReference"),
        }  # fmt: skip
        return self.keep("invoice", row["referenceNumber"], row)

    def add_credit_note(self, said: Said) -> Row:
        """A draft of a credit note, with what of it goes to which invoice. Raises `SandboxError`."""
        row = self._sale(said, "lines", str(next(self._notes)))
        lines = [self.settled(row["customer"], line) for line in said.lines("applicationLines")]
        if sum((line["amountPaid"] for line in lines), Decimal(0)) > row["amount"]:
            raise invalid("The applied amount exceeds the amount of the document.")
        row |= {
            "documentType": "CreditNote",
            "applications": [
                {"docType": "Invoice", "refNbr": line["refNbr"], "amountPaid": line["amountPaid"], "released": False}
                for line in lines
            ],
        }
        return self.keep("creditnote", row["referenceNumber"], row)

    def _number(self, said: Said) -> str:
        if said.flag("overrideNumberSeries") is not True:
            return next(one for one in map(str, self._invoices) if one not in self.tables.get("invoice", {}))
        number = said.text("referenceNumber") or ""
        if not self.rules.manual_numbers:
            raise invalid("Error: Manual numbering is not allowed for the number sequence.")
        if number in self.tables.get("invoice", {}):
            raise invalid(f"Error: The reference number '{number}' already exists.")
        return number

    def _sale(self, said: Said, named: str, number: str) -> Row:
        customer = self.customer(said.text("customerNumber"))
        day = said.day("documentDate") or datetime.now(OSLO).date()
        self.open_on(day)
        code = said.text("project")
        project = self.worked_for(self.find("project", code or ""), code)
        currency = said.text("currencyId") or customer.get("currencyId") or "NOK"
        if self.find("currency", currency) is None:
            raise unknown("Currency", currency)
        lines = [self._line(number, line) for number, line in enumerate(said.lines(named), 1)]
        row: Row = {
            "referenceNumber": number,
            "customer": {"number": customer["number"], "name": customer["name"]},
            "documentDate": f"{day}T00:00:00", "financialPeriod": f"{day:%Y%m}", "currencyId": currency, named: lines,
            "hold": said.flag("hold") or False, "status": "Hold" if said.flag("hold") else "Balanced",
            "externalReference": said.text("externalReference"), "customerRefNumber": said.text("customerRefNumber"),
            "note": said.text("note"),
            "sendToAutoInvoice": said.flag("sendToAutoInvoice") or False, "dontPrint": said.flag("dontPrint") or False,
            "dontEmail": said.flag("dontEmail") or False, **project,
        }  # fmt: skip
        self._total(row, lines)
        return row

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
            "discountPercent": Decimal(0), **self.sold(said.text("inventoryNumber")), **self.booked_with(said),
        }  # fmt: skip

    def _vat(self, lines: list[Row]) -> dict[str, Decimal]:
        """VAT by code."""
        by_code: dict[str, Decimal] = {}
        for line in lines:
            code = line["vatCode"]["id"]
            vat = line["amount"] * chart.VAT[code][1] / 100
            by_code[code] = by_code.get(code, Decimal(0)) + (ore(vat) if self.rules.rounding == "line" else vat)
        return {code: ore(vat) for code, vat in by_code.items()}

    def _total(self, row: Row, lines: list[Row]) -> None:
        net = sum((line["amount"] for line in lines), Decimal(0))
        vat = sum(self._vat(lines).values(), Decimal(0))
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
        self._release_sale(f"Invoice {row['referenceNumber']}", row, row["invoiceLines"], 1)
        kid = row["paymentReference"] or kid_of(row["customer"]["number"] + row["referenceNumber"])
        self.touch(row, status="Open" if row["balance"] else "Closed", paymentReference=kid)

    def release_credit_note(self, row: Row) -> None:
        """Into the books, and applied to its invoices. Raises `SandboxError`."""
        for one in row["applications"]:
            if one["amountPaid"] > self.tables["invoice"][one["refNbr"]]["balance"]:
                raise invalid("Error: The amount paid exceeds the balance of the document.")
        self._release_sale(f"CreditNote {row['referenceNumber']}", row, row["lines"], -1)
        left = row["balance"]
        for one in row["applications"]:
            self.lower(one["refNbr"], one["amountPaid"])
            one["released"] = True
            left -= one["amountPaid"]
        self.touch(row, balance=left, balanceInCurrency=left, status="Open" if left else "Closed")

    def lower(self, number: str, amount: Decimal) -> None:
        """So much less is open of an invoice."""
        invoice = self.tables["invoice"][number]
        balance = invoice["balance"] - amount
        self.touch(invoice, balance=balance, balanceInCurrency=balance, status="Open" if balance else "Closed")

    def _release_sale(self, document: str, row: Row, lines: list[Row], sign: int) -> None:
        self.releasable(row)
        self.open_on(date.fromisoformat(row["documentDate"][:10]))
        self.post(document, chart.RECEIVABLES, sign * row["amount"])
        for line in lines:
            self.post(document, line["account"]["number"], -sign * line["amount"])
        for code, vat in self._vat(lines).items():
            self.post(document, chart.VAT[code][2] or chart.ROUNDING, -sign * vat)
        self.post(document, chart.ROUNDING, -sign * row["roundingDiff"])

    def settled(self, customer: Mapping[str, Any], said: Said) -> Row:
        """What a line gives to an invoice. Raises `SandboxError`."""
        number, amount = said.text("refNbr"), said.number("amountPaid") or Decimal(0)
        invoice = self.find("invoice", number or "")
        if said.text("documentType") != "Invoice" or invoice is None or invoice["status"] in DRAFT:
            raise unknown("Document", number)
        if invoice["customer"]["number"] != customer["number"]:
            raise invalid(f"Error: The document '{number}' belongs to another customer.")
        if amount > invoice["balance"]:
            raise invalid("Error: The amount paid exceeds the balance of the document.")
        return {"documentType": "Invoice", "refNbr": number, "amountPaid": amount, "currency": invoice["currencyId"]}


def kid_of(digits: str) -> str:
    """A KID: digits with a check digit (modulus 10) behind."""
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits)))
    return digits + str(-sum(sum(divmod(one, 10)) for one in doubled) % 10)
