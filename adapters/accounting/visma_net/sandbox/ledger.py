"""What all documents of a company in the sandbox stand on: its customers, open periods, and what is posted."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from adapters.accounting.visma_net.sandbox import chart
from adapters.accounting.visma_net.sandbox.asking import Said, invalid, unknown
from adapters.accounting.visma_net.sandbox.registers import Registers
from adapters.accounting.visma_net.sandbox.releases import Releases
from adapters.accounting.visma_net.sandbox.rules import Rules
from adapters.accounting.visma_net.sandbox.store import Row

DRAFT = ("Hold", "Balanced")
ADDRESS = ("addressLine1", "addressLine2", "addressLine3", "postalCode", "city")
CONTACT = ("name", "attention", "email", "web", "phone1", "phone2", "fax")


def ore(amount: Decimal) -> Decimal:
    """An amount in whole øre, half away from zero."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


class Ledger(Registers):
    """A company's customers and ledger.

    Args:
        rules: how its Visma Net behaves.
        name, number: whose they are.
    """

    def __init__(self, rules: Rules | None = None, *, name: str, number: str) -> None:
        super().__init__()
        self.rules = rules or Rules()
        self.releases = Releases(self.rules)
        self.entries: list[tuple[str, str, Decimal]] = []
        """What has been posted: document, account, amount in kroner (debit above zero)."""
        self.rates = dict(chart.RATES)
        self._customers = itertools.count(10_001)
        self._ids = itertools.count(4_101)
        chart.seed(self, name, number)

    # --- ledger ---------------------------------------------------------------------------------------------------

    def open_on(self, day: date) -> None:
        """Raises `SandboxError` where nothing can be booked on a day."""
        period = self.tables["period"].get(f"{day:%Y%m}")
        if period is None or period["closedInCustomerLedger"] or period["closedInGeneralLedger"]:
            raise invalid(f"Error: The financial period {day:%m-%Y} is closed.")

    def releasable(self, row: Row) -> None:
        """Raises `SandboxError` where a document is no draft that can be released."""
        if row["status"] not in DRAFT:
            raise invalid("The document has already been released.")
        if row["status"] == "Hold":
            raise invalid("The document is on hold and cannot be released.")

    def post(self, document: str, account: str, amount: Decimal) -> None:
        """Put an amount on an account."""
        if amount:
            self.entries.append((document, account, amount))

    # --- customers ------------------------------------------------------------------------------------------------

    def add_customer(self, said: Said) -> Row:
        """A new customer, active. Raises `SandboxError`."""
        if not said.text("name"):
            raise invalid("Error creating customer. Error: 'Customer name' cannot be empty.")
        number = str(next(self._customers))
        row: Row = {"internalId": next(self._ids), "number": number, "status": "Active"}
        self.party(row, said)
        row.setdefault("vatZone", {"id": "01", "description": "Innenlands"})
        return self.keep("customer", number, row)

    def change_customer(self, row: Row, said: Said) -> None:
        """Change what is said; what is left out stays. Raises `SandboxError`."""
        if said.has("name") and not said.text("name"):
            raise invalid("Error updating customer. Error: 'Customer name' cannot be empty.")
        self.party(row, said)
        self.touch(row)

    def party(self, row: Row, said: Said) -> None:
        """What is said of a customer or supplier. Raises `SandboxError`."""
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
