"""The general ledger: accounts, rates, VAT of an amount, and vouchers whose rows sum to zero."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.accounting.tripletex.sandbox import chart
from adapters.accounting.tripletex.sandbox.periods import Periods
from adapters.accounting.tripletex.sandbox.rules import Rules
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing, invalid

ORE = Decimal("0.01")
Row = dict[str, Any]
"""A row to book: by the vendor's field names; `account`, `amount` and `amountCurrency` must be there."""

_COPIED = ("account", "customer", "supplier", "employee", "project", "product", "department", "vatType", "currency",
           "invoiceNumber", "externalRef", "description", "freeAccountingDimension1", "freeAccountingDimension2",
           "freeAccountingDimension3", "systemGenerated", "row", "_invoice")  # fmt: skip
"""What a row's reversal has from it; its amounts are turned."""


def ore(value: Decimal) -> Decimal:
    """Rounded to øre, half away from zero."""
    return value.quantize(ORE, ROUND_HALF_UP)


class Ledger(Periods):
    """Accounts and vouchers. Voucher numbers are one series a year."""

    company: Thing

    def __init__(self, rules: Rules | None = None, *, first_id: int = 2_147_001) -> None:
        super().__init__(rules, first_id=first_id)
        self.rates: dict[str, Decimal] = {}
        """Kroner for one unit of a currency: the ledger's own rate, now."""
        self._accounts: dict[int, Link] = {}
        self._voucher_numbers: dict[int, Iterator[int]] = {}
        self._taken: set[tuple[int, int]] = set()
        self._temporary = itertools.count(1)

    # --- accounts, VAT, rates -----------------------------------------------------------------------------------------

    def add_account(self, number: int, name: str, **more: Any) -> Thing:
        """A new account; those of customers and suppliers can be closed row by row."""
        ledger = chart.LEDGERS.get(number, "GENERAL")
        values = {"number": number, "numberPretty": str(number), "name": name, "displayName": f"{number} {name}",
                  "type": chart.account_type(number), "ledgerType": ledger, "isCloseable": ledger != "GENERAL",
                  "vatLocked": False, "isInactive": False, "isBankAccount": False, "isInvoiceAccount": False,
                  "isApplicableForSupplierInvoice": 4000 <= number < 8000, "requiresDepartment": False,
                  "requiresProject": False}  # fmt: skip
        account = self.add("account", **{**values, **more})
        account["legalVatTypes"] = lambda: self._legal_vat(account)
        self._accounts[number] = Link("account", account["id"])
        return account

    def _legal_vat(self, account: Thing) -> list[Link]:
        if account["vatLocked"]:
            return [account["vatType"]]
        number = account["number"]
        wanted = "OUTGOING" if 3000 <= number < 4000 else "INCOMING" if number >= 4000 or 1000 <= number < 1500 else ""
        return [Link("vatType", vat["id"]) for vat in self.things["vatType"].values()
                if vat["id"] == 0 or vat["_direction"] == wanted]  # fmt: skip

    def account(self, number: int) -> Link:
        """The account by its number. Raises `SandboxError` (404)."""
        if number not in self._accounts:
            raise SandboxError(404, 6000, f"Finner ikke konto {number}.")
        return self._accounts[number]

    def vat(self, link: Link | None) -> Thing:
        """The VAT type of a line; code 0 where it has none."""
        return self.things["vatType"][link.id if link else 0]

    def legal_vat_types(self) -> set[int]:
        """Ids of the outgoing VAT types that this company may use."""
        registered = self.rules.vat_registered
        return {
            vat["id"]
            for vat in self.things["vatType"].values()
            if vat["_direction"] == "OUTGOING" and (registered or vat["number"] in {"0", "6"})
        }

    def without_vat(self, gross: Decimal, vat: Thing) -> tuple[Decimal, list[tuple[Decimal, int]]]:
        """What of a gross amount is booked on its account, and the VAT rows that come with it: (amount, account).

        A negative rate means that the buyer computes the VAT on what is stated: owed, and deducted where it may be.
        """
        percent: Decimal = vat["percentage"]
        if percent > 0:
            tax = ore(gross * percent / (100 + percent))
            return gross - tax, [(tax, chart.VAT_ACCOUNT.get(vat["number"], 2700))]
        tax = ore(gross * -percent / 100)
        if not tax:
            return gross, []
        if vat["deductionPercentage"]:
            return gross, [(tax, chart.REVERSE_IN), (-tax, chart.REVERSE_OUT)]
        return gross + tax, [(-tax, chart.REVERSE_OUT)]

    def rate(self, currency: Link) -> Decimal:
        """Kroner for one unit."""
        return self.rates[self.things["currency"][currency.id]["code"]]

    # --- vouchers -----------------------------------------------------------------------------------------------------

    def next_number(self, year: int) -> int:
        """The next voucher number of a year."""
        numbers = self._voucher_numbers.setdefault(year, itertools.count(1))
        number = next(number for number in numbers if (year, number) not in self._taken)
        self._taken.add((year, number))
        return number

    def voucher_type(self, name: str) -> Link:
        """The voucher type by its name."""
        return Link("voucherType", next(t["id"] for t in self.things["voucherType"].values() if t["name"] == name))

    def book(self, day: date, text: str, rows: list[Row], kind: str = "Manuelt bilag", **more: Any) -> Thing:
        """A voucher in the ledger. The rows must sum to zero, or the sandbox itself is wrong."""
        assert sum(row["amount"] for row in rows) == 0, rows
        voucher = self.add("voucher", date=day.isoformat(), description=text, voucherType=self.voucher_type(kind),
                           tempNumber=0, _state="ledger", **more)  # fmt: skip
        self._name(voucher, day.year, self.next_number(day.year))
        self._write(voucher, rows, "posting")
        self.posted(voucher, [self.things["posting"][link.id] for link in voucher["postings"]])
        return voucher

    def draft(self, day: date, text: str, rows: list[Row], state: str = "nonPosted", **more: Any) -> Thing:
        """A voucher that is not in the ledger yet (`state`: `nonPosted` or `inbox`); its rows count nowhere."""
        more.setdefault("voucherType", self.voucher_type("Manuelt bilag"))
        temporary = next(self._temporary)
        voucher = self.add("voucher", date=day.isoformat(), description=text, tempNumber=temporary, number=0,
                           year=day.year, displayName=f"Kladd {temporary}", numberAsString="", _state=state,
                           **more)  # fmt: skip
        self._write(voucher, rows, "draft")
        return voucher

    def redraft(self, voucher: Thing, rows: list[Row]) -> None:
        """Other rows for a voucher that is not in the ledger yet."""
        for link in voucher["postings"]:
            del self.things["draft"][link.id]
        self._write(voucher, rows, "draft")

    def post(self, voucher: Thing, number: int | None = None) -> None:
        """Send a draft to the ledger, under a number of the caller's own where one is given."""
        day = date.fromisoformat(voucher["date"])
        if voucher["_state"] == "ledger":
            raise invalid("id", "Bilaget er allerede bokført.")
        if not voucher["postings"]:
            raise invalid("postings", "Et bilag kan ikke registreres uten posteringer.")
        rows = [self.things["draft"][link.id] for link in voucher["postings"]]
        self.check_open(day, "date", vat=any(self.vat(row.get("vatType"))["percentage"] for row in rows))
        if number is not None:
            if (day.year, number) in self._taken:
                raise invalid("number", "Bilagsnummeret er i bruk.")
            self._taken.add((day.year, number))
        links = []
        for row in rows:
            del self.things["draft"][row["id"]]
            self.things.setdefault("posting", {})[row["id"]] = row
            links.append(Link("posting", row["id"]))
        self._name(voucher, day.year, number or self.next_number(day.year))
        self.touch(voucher, postings=links, tempNumber=0, _state="ledger")
        self.posted(voucher, rows)

    def posted(self, voucher: Thing, rows: list[Thing]) -> None:
        """A voucher came into the ledger; its rows count from now on."""

    def _name(self, voucher: Thing, year: int, number: int) -> None:
        name = f"{number}-{year}"
        voucher.update(number=number, year=year, displayName=name, numberAsString=name)

    def _write(self, voucher: Thing, rows: list[Row], table: str) -> None:
        links = []
        for place, row in enumerate(rows):
            values = {"row": place, "systemGenerated": place == 0, "amountGross": row["amount"],
                      "amountGrossCurrency": row["amountCurrency"], "description": voucher["description"],
                      "matched": False, **row}  # fmt: skip
            posting = self.add("posting", voucher=Link("voucher", voucher["id"]), date=voucher["date"], **values)
            if table != "posting":
                self.things[table] = self.things.get(table, {})
                self.things[table][posting["id"]] = self.things["posting"].pop(posting["id"])
            links.append(Link(table, posting["id"]))
        voucher["postings"] = links

    def discard(self, voucher: Thing) -> None:
        """Take away a voucher that is not in the ledger."""
        for link in voucher["postings"]:
            del self.things["draft"][link.id]
        self.remove(voucher)

    def turned(self, voucher: Thing, day: date) -> Thing:
        """Book the opposite of a voucher; the two name each other. Raises `SandboxError` where that is refused."""
        if voucher["_state"] != "ledger":
            raise invalid("id", "Bilaget er ikke bokført.")
        if voucher.get("reverseVoucher"):
            raise invalid("id", "Bilaget er allerede tilbakeført.")
        postings = [self.find(link) for link in voucher["postings"]]
        self.check_open(day, "date", vat=any(self.vat(row.get("vatType"))["percentage"] for row in postings))
        rows = []
        for posting in postings:
            row = {name: posting[name] for name in _COPIED if posting.get(name) is not None}
            for name in ("amount", "amountCurrency", "amountGross", "amountGrossCurrency"):
                row[name] = -posting[name]
            if self.rules.reversal_keeps_type and "type" in posting:
                row["type"] = posting["type"]
            rows.append(row)
        number = f"{voucher['number']}-{voucher['year']}"
        reversal = self.book(day, f"Tilbakeføring av bilag {number}", rows, _reverses=voucher["id"])
        reversal["reverseVoucher"] = Link("voucher", voucher["id"])
        self.touch(voucher, reverseVoucher=Link("voucher", reversal["id"]))
        return reversal
