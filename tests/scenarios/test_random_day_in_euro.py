"""A random day of bookkeeping in euro, in the hub and in the ledger at the same time, at rates that move: afterwards
what is open of every invoice and every customer is the same on both sides, in euro; kroner and agio are the ledger's.
"""

from __future__ import annotations

import random
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from test_random_day import BANK, BUYERS, FULL, SEEDS, Day, items

from adapters.accounting.tripletex.sandbox import orders
from adapters.accounting.tripletex.sandbox.things import Link, Thing
from connector.api.examples import BUYER, INVOICE_DRAFT, PAYMENT, SELLER

EURO = 5
"""Id of the currency in the sandbox."""
RATES = ("11.2500", "11.5000", "11.8725")
OWN_ACCOUNT = "15032080119"
AMOUNTS = ("50.00", "125.00", "200.00", "333.33")


class EuroDay(Day):
    """The same, with everything sold abroad."""

    HERE = ("sell_here", "pay_here", "pay_here", "reverse_here", "credit_here")
    THERE = ("sell_there", "pay_there", "pay_there", "pay_back_there", "credit_there", "reverse_there", "rate_there",
             "read")  # fmt: skip

    def amount(self) -> Decimal:
        return Decimal(self.chance.choice(AMOUNTS))

    def rate(self) -> Decimal:
        return Decimal(self.chance.choice(RATES))

    def kroner(self, euro: Decimal) -> Decimal:
        return round(euro * self.rate(), 2)

    async def sell_here(self, n: int | None = None) -> None:
        n = self.chance.randrange(len(BUYERS)) if n is None else n
        buyer = BUYER | {"name": f"Kunde {n} AS", "legal_id": {"value": BUYERS[n], "scheme": "0192"},
                         "endpoint": None, "vat_number": None}  # fmt: skip
        line = {"id": "1", "name": "Consulting", "quantity": str(self.chance.choice((1, 2, 5))), "unit_code": "C62",
                "price": "200.00", "vat_category": "G", "vat_rate": "0", "vat_code": "52"}  # fmt: skip
        said = {"source_id": self.name("sale"), "currency": "EUR", "buyer": buyer, "lines": [line]}
        await self.post("/v1/invoices", INVOICE_DRAFT | said)

    async def pay_here(self) -> None:
        """A part of an invoice or all of it, in kroner on the account."""
        await self.fjord.poll()
        invoices = [one for one in await self.here("invoice") if Decimal(one["open"]) > 0]
        if not invoices:
            return
        one = self.chance.choice(invoices)
        euro = min(self.amount(), Decimal(one["open"])) if self.chance.random() < 0.6 else Decimal(one["open"])
        said = PAYMENT | {
            "source_id": self.name("bank"), "amount": str(euro), "currency": "EUR", "bank_account": OWN_ACCOUNT,
            "account_amount": str(self.kroner(euro)), "account_currency": "NOK",
            "allocations": [{"document": {"document_id": one["id"]}, "amount": str(euro)}],
        }  # fmt: skip
        await self.post("/v1/payments", said)

    async def credit_here(self) -> None:
        await self.fjord.poll()
        sales = [one for one in await self.here("invoice") if str(one.get("source_id")).startswith("sale-")]
        one = await self.fjord.get(f"/v1/documents/{self.chance.choice(sales)['id']}")
        line = one["body"]["lines"][0] | {"quantity": "1"}
        said = {"type_code": "381", "source_id": self.name("credit"), "issue_date": "2027-03-10", "currency": "EUR",
                "buyer_reference": "Kari Nordmann", "seller": SELLER, "buyer": one["body"]["buyer"],
                "preceding_invoices": [{"document_id": one["id"]}], "lines": [line]}  # fmt: skip
        await self.post("/v1/invoices", said)

    def _order(self, customer: int, count: int) -> Thing:
        vat = next(one["id"] for one in self.books.all("vatType") if one["number"] == "52")
        line = {"description": "Consulting", "count": count, "unitPriceExcludingVatCurrency": Decimal(200),
                "vatType": {"id": vat}}  # fmt: skip
        said = {"customer": {"id": customer}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14",
                "currency": {"id": EURO}, "orderLines": [line]}  # fmt: skip
        return orders.create_order(self.books, said)

    def _paid(self, made: Thing, euro: Decimal) -> None:
        self.did[-1] += f" {made['invoiceNumber']} {euro}"
        rows = [(made, self.kroner(euro), euro)]
        self.books.pay(self.day(), rows, self.books.account(BANK))

    async def pay_there(self) -> None:
        made = self.invoice()
        rest = made["amountCurrencyOutstanding"]()
        self._paid(made, rest if self.chance.random() < 0.5 and rest > 0 else self.amount())

    async def pay_back_there(self) -> None:
        """A negative payment of one that was made."""
        made = self.invoice()
        rows = [one for one in self.books.items(made["id"]) if one.get("type") == "INCOMING_PAYMENT"]
        if rows:
            self._paid(made, -abs(self.chance.choice(rows)["amountCurrency"]))

    async def rate_there(self) -> None:
        self.books.rates["EUR"] = self.rate()

    async def check(self) -> None:
        for _ in range(3):
            await self.fjord.poll()
        (spoke,) = self.fjord.house.spokes()
        invoices, customers = await self.fjord.house.store.read(lambda tx: items(tx, spoke.id))
        waiting = await self.fjord.get("/v1/attention")
        assert waiting == [], [(one["code"], one["said"]) for one in waiting]
        for one in self.books.all("invoice"):
            if one["isCharged"] and not one["isCreditNote"]:
                shown = max(one["amountCurrencyOutstanding"](), Decimal(0))
                assert invoices.get(str(one["id"])) == shown, f"invoice {one['id']} {one['invoiceNumber']}"
        for one in self.books.all("customer"):
            rows = [row for row in self.books.all("posting") if row.get("customer") == Link("customer", one["id"])]
            there = sum((row["amountCurrency"] for row in rows if self.books.is_open(row)), Decimal(0))
            assert customers.get(str(one["id"]), Decimal(0)) == there, f"customer {one['id']}"


@pytest.mark.proof
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_random_day_in_euro_is_the_same_on_both_sides(founded: Any, seed: int) -> None:
    chance = random.Random(seed)
    rules = {"credit_notes_apply": chance.random() < 0.5, "invoice_number_links": chance.random() < 0.5,
             "reversal_keeps_type": chance.random() < 0.5}  # fmt: skip
    async with founded(**rules) as fjord:
        day = EuroDay(fjord, seed)
        await day.begin()
        for _ in range(40 if FULL else 20):
            await day.step()
        try:
            await day.check()
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), str(rules), *await day.story()])) from None
