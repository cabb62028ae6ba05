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
        lines = [self.settled(row, line) for line in said.lines("applicationLines")]
        if sum((line["amountPaid"] for line in lines), Decimal(0)) > row["_amount"]:
            raise invalid("The applied amount exceeds the amount of the document.")
        row |= {
            "documentType": "CreditNote",
            "applications": [
                {
                    "docType": "Invoice",
                    "refNbr": line["refNbr"],
                    "amountPaid": line["amountPaid"],
                    "released": False,
                    "applicationDate": row["documentDate"],
                }
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
        lines = [self._line(number, line, self.rates[currency]) for number, line in enumerate(said.lines(named), 1)]
        row: Row = {
            "referenceNumber": number,
            "customer": {"number": customer["number"], "name": customer["name"]},
            "documentDate": f"{day}T00:00:00", "financialPeriod": f"{day:%Y%m}", "currencyId": currency, named: lines,
            "exchangeRate": self.rates[currency],
            "hold": said.flag("hold") or False, "status": "Hold" if said.flag("hold") else "Balanced",
            "externalReference": said.text("externalReference"), "customerRefNumber": said.text("customerRefNumber"),
            "note": said.text("note"),
            "sendToAutoInvoice": said.flag("sendToAutoInvoice") or False, "dontPrint": said.flag("dontPrint") or False,
            "dontEmail": said.flag("dontEmail") or False, **project,
        }  # fmt: skip
        self._total(row, lines)
        return row

    def _line(self, number: int, said: Said, rate: Decimal) -> Row:
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
            "unitPrice": price, "unitPriceInCurrency": ore(price * rate), "amount": amount,
            "amountInCurrency": ore(amount * rate),
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
        rate = row["exchangeRate"]
        draft = {"absent": None, "nothing": Decimal(0), "stated": amount}[self.rules.draft_amount]
        # What is called "in currency" is in kroner when it is read, and in the document's currency when it is written.
        row |= {
            "detailTotal": net, "detailTotalInCurrency": ore(net * rate), "vatTotal": vat,
            "vatTotalInCurrency": ore(vat * rate), "amount": draft, "_amount": amount, "balance": amount,
            "balanceInCurrency": ore(amount * rate), "roundingDiff": amount - net - vat,
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
            of_note = ore(one["amountPaid"] * row["exchangeRate"])
            self.differ(f"CreditNote {row['referenceNumber']}", of_note - self.lower(one["refNbr"], one["amountPaid"]))
            one["released"] = True
            left -= one["amountPaid"]
        kroner = ore(left * row["exchangeRate"])
        self.touch(row, balance=left, balanceInCurrency=kroner, status="Open" if left else "Closed")

    def lower(self, number: str, amount: Decimal) -> Decimal:
        """So much less is open of an invoice; what that is in kroner, by the rate it was booked with."""
        invoice = self.tables["invoice"][number]
        balance, kroner = invoice["balance"] - amount, ore((invoice["balance"] - amount) * invoice["exchangeRate"])
        less = Decimal(invoice["balanceInCurrency"] - kroner)
        self.touch(invoice, balance=balance, balanceInCurrency=kroner, status="Open" if balance else "Closed")
        return less

    def differ(self, document: str, kroner: Decimal) -> None:
        """Kroner that came more (above zero) or less than were owed, because the rate moved."""
        self.post(document, chart.RECEIVABLES, kroner)
        self.post(document, chart.GAIN if kroner > 0 else chart.LOSS, -kroner)

    def _release_sale(self, document: str, row: Row, lines: list[Row], sign: int) -> None:
        self.releasable(row)
        self.open_on(date.fromisoformat(row["documentDate"][:10]))
        rate, left = row["exchangeRate"], ore(row["_amount"] * row["exchangeRate"])
        row["amount"], row["amountInCurrency"] = row["_amount"], left
        self.post(document, chart.RECEIVABLES, sign * left)
        for line in lines:
            self.post(document, line["account"]["number"], -sign * line["amountInCurrency"])
            left -= line["amountInCurrency"]
        for code, vat in self._vat(lines).items():
            self.post(document, chart.VAT[code][2] or chart.ROUNDING, -sign * ore(vat * rate))
            left -= ore(vat * rate)
        self.post(document, chart.ROUNDING, -sign * left)

    def settled(self, by: Mapping[str, Any], said: Said) -> Row:
        """What a line of a payment or credit note (`by`) gives to an invoice. Raises `SandboxError`."""
        number, amount = said.text("refNbr"), said.number("amountPaid") or Decimal(0)
        invoice = self.find("invoice", number or "")
        if said.text("documentType") != "Invoice" or invoice is None or invoice["status"] in DRAFT:
            raise unknown("Document", number)
        if invoice["customer"]["number"] != by["customer"]["number"]:
            raise invalid(f"Error: The document '{number}' belongs to another customer.")
        if invoice["currencyId"] != (by.get("currency") or by.get("currencyId")):
            raise invalid("Error: The cross rate of the document's currency is not given.")
        if amount > invoice["balance"]:
            raise invalid("Error: The amount paid exceeds the balance of the document.")
        return {"documentType": "Invoice", "refNbr": number, "amountPaid": amount, "currency": invoice["currencyId"]}


def kid_of(digits: str) -> str:
    """A KID: digits with a check digit (modulus 10) behind."""
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits)))
    return digits + str(-sum(sum(divmod(one, 10)) for one in doubled) % 10)
