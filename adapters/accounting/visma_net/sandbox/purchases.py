"""Suppliers and their invoices in the sandbox: drafts, what they come to, and what releasing them does."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal

from adapters.accounting.visma_net.sandbox import chart
from adapters.accounting.visma_net.sandbox.asking import Said, invalid, unknown
from adapters.accounting.visma_net.sandbox.ledger import Ledger, ore
from adapters.accounting.visma_net.sandbox.rules import Rules
from adapters.accounting.visma_net.sandbox.store import Row


class Purchases(Ledger):
    """What a company buys. `first`: where the number series of supplier invoices begins."""

    def __init__(self, rules: Rules | None, first: int, *, name: str, number: str) -> None:
        super().__init__(rules, name=name, number=number)
        self._suppliers = itertools.count(50_001)
        self._purchases = itertools.count(first)

    def add_supplier(self, said: Said) -> Row:
        """A new supplier, active. Raises `SandboxError`."""
        if not said.text("name"):
            raise invalid("Error creating supplier. Error: 'Supplier name' cannot be empty.")
        number = str(next(self._suppliers))
        row: Row = {"internalId": next(self._ids), "number": number, "status": "Active"}
        self.party(row, said)
        return self.keep("supplier", number, row)

    def change_supplier(self, row: Row, said: Said) -> None:
        """Change what is said; what is left out stays. Raises `SandboxError`."""
        self.party(row, said)
        self.touch(row)

    def add_purchase(self, said: Said) -> Row:
        """A draft. Raises `SandboxError`."""
        supplier, day = self.find("supplier", said.text("supplierNumber") or ""), said.day("date")
        if supplier is None:
            raise unknown("Supplier", said.text("supplierNumber"))
        if supplier["status"] == "Inactive":
            raise invalid("Error: Supplier status is 'Inactive'.")
        if day is None:
            raise invalid("Error creating document. Error: 'Date' cannot be empty.")
        self.open_on(day)
        lines = [self._purchase_line(number, line) for number, line in enumerate(said.lines("invoiceLines"), 1)]
        taxes = said.fields.get("taxDetailLines") or []
        stated = {one.text("taxId"): one.number("vatAmount") or Decimal(0) for one in map(Said, taxes)}
        if len(stated) < len(taxes):
            raise invalid("Error: The VAT of a VAT ID is given more than once.")
        net, vat = sum((line["cost"] for line in lines), Decimal(0)), Decimal(0)
        for code in {line["vatCode"]["id"] for line in lines}:
            base = sum((line["cost"] for line in lines if line["vatCode"]["id"] == code), Decimal(0))
            vat += stated.get(code, ore(base * chart.PURCHASE_VAT[code] / 100))
        amount = said.number("amount") or net + vat
        number = str(next(self._purchases))
        row: Row = {
            "documentType": said.text("documentType") or "Invoice", "referenceNumber": number,
            "supplier": {"internalId": supplier["internalId"], "number": supplier["number"], "name": supplier["name"]},
            "supplierReference": said.text("supplierReference"), "date": f"{day}T00:00:00",
            "dueDate": f"{said.day('dueDate') or day}T00:00:00", "financialPeriod": f"{day:%Y%m}",
            "currencyId": said.text("currencyId") or "NOK", "paymentRefNo": said.text("paymentRefNo"),
            "note": said.text("note"), "hold": said.flag("hold") or False,
            "status": "Hold" if said.flag("hold") else "Balanced", "invoiceLines": lines, "detailTotal": net,
            "vatTotal": vat, "amount": amount, "balance": amount,
        }  # fmt: skip
        return self.keep("purchase", f"{row['documentType']}/{number}", row)

    def _purchase_line(self, number: int, said: Said) -> Row:
        account, code = said.text("accountNumber") or "", said.text("vatCodeId")
        if self.find("account", account) is None:
            raise unknown("Account", account)
        cost = said.number("costInCurrency") or Decimal(0)
        code = code or "1"  # the account's own
        if code not in chart.PURCHASE_VAT:
            raise unknown("TaxCategoryID", code)
        return {
            "lineNumber": number, "transactionDescription": said.text("transactionDescription"), "cost": cost,
            "costInCurrency": cost, "account": {"number": account}, "vatCode": {"id": code},
            **self.booked_with(said), **self._project(said),
        }  # fmt: skip

    def _project(self, said: Said) -> Row:
        id = said.number("projectInternalId")
        row = next((row for row in self.all("project") if row["internalID"] == id), None)
        return self.worked_for(row, id)

    def change_purchase(self, row: Row, said: Said) -> None:
        """Change what is said of a draft. Raises `SandboxError`."""
        if row["status"] not in ("Hold", "Balanced"):
            raise invalid("The document has been released and cannot be changed.")
        hold = said.flag("hold")
        if hold is not None:
            self.touch(row, hold=hold, status="Hold" if hold else "Balanced")

    def release_purchase(self, row: Row) -> None:
        """Into the books. Raises `SandboxError`."""
        self.releasable(row)
        self.open_on(date.fromisoformat(row["date"][:10]))
        if row["amount"] != row["detailTotal"] + row["vatTotal"]:
            raise invalid("The document is out of balance.")
        sign = 1 if row["documentType"] == "Invoice" else -1
        number = f"{row['documentType']} {row['referenceNumber']}"
        self.post(number, chart.PAYABLES, -sign * row["amount"])
        for line in row["invoiceLines"]:
            self.post(number, line["account"]["number"], sign * line["cost"])
        self.post(number, chart.INPUT_VAT, sign * row["vatTotal"])
        self.touch(row, status="Open")
