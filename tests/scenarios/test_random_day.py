"""A random day of bookkeeping, in the hub and in the ledger at the same time: afterwards every customer's open items
are the same on both sides, per document and per customer, and nothing waits for a person.
"""

from __future__ import annotations

import os
import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import orders, registers, vouchers
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing
from connector.api.examples import BUYER, INVOICE_DRAFT, PAYMENT, SELLER
from connector.store import Tx, documents, links

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
FIRST = int(os.environ.get("DAY_SEED", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("DAY_SEEDS", "120" if FULL else "3")))
"""Each a day of its own; to live one again: `DAY_SEED=17 DAY_SEEDS=1`."""
STEPS = 24
BUYERS = ("974760673", "991825827")
LOSS, SUPPLIERS, BANK, CUSTOMERS = 7830, 2400, 1920, 1500
AMOUNTS = ("125.00", "250.00", "500.00", "1000.00", "1250.00", "2500.00")
DAYS = ("2027-01-31", "2027-02-15", "2027-03-31")


class Day:
    """A bookkeeper and a program, at work on the same customers."""

    def __init__(self, fjord: Any, seed: int) -> None:
        self.fjord, self.books, self.chance = fjord, fjord.box.books, random.Random(seed)
        self.count = 0
        self.did = ["begin"]

    async def begin(self) -> None:
        for n in range(len(BUYERS)):
            await self.sell_here(n)

    # --- what is chosen -----------------------------------------------------------------------------------------------

    def amount(self) -> Decimal:
        return Decimal(self.chance.choice(AMOUNTS))

    def day(self) -> date:
        return date.fromisoformat(self.chance.choice(DAYS))

    def customer(self) -> Thing:
        return self.chance.choice(list(self.books.all("customer")))

    def invoice(self, *, notes: bool = False) -> Thing:
        found = [one for one in self.books.all("invoice") if one["isCharged"] and (notes or not one["isCreditNote"])]
        return self.chance.choice(found)

    def name(self, what: str) -> str:
        self.count += 1
        return f"{what}-{self.count}"

    async def here(self, kind: str, state: str | None = None) -> list[dict[str, Any]]:
        found = (await self.fjord.get("/v1/documents", kind=kind, limit=500))["documents"]
        return [one for one in found if state in (None, one["state"])]

    async def post(self, path: str, said: dict[str, Any]) -> None:
        answer = await self.fjord.post(path, said)
        assert answer.status_code in (202, 409, 422), answer.text
        self.did[-1] += f" {said.get('amount', '')} -> {answer.status_code}"
        await self.fjord.work(within=2)

    # --- in the hub ---------------------------------------------------------------------------------------------------

    async def sell_here(self, n: int | None = None) -> None:
        n = self.chance.randrange(len(BUYERS)) if n is None else n
        buyer = BUYER | {"name": f"Kunde {n} AS", "legal_id": {"value": BUYERS[n], "scheme": "0192"},
                         "endpoint": None, "vat_number": None}  # fmt: skip
        line = {"id": "1", "name": "Vare", "quantity": str(self.chance.choice((1, 2, 10))), "unit_code": "C62",
                "price": "200.00", "vat_category": "S", "vat_rate": "25", "vat_code": "3"}  # fmt: skip
        await self.post(
            "/v1/invoices", INVOICE_DRAFT | {"source_id": self.name("sale"), "buyer": buyer, "lines": [line]}
        )

    async def pay_here(self) -> None:
        """One payment over one or two invoices of a customer, or on account."""
        await self.fjord.poll()
        invoices = [one for one in await self.here("invoice") if Decimal(one["open"]) > 0]
        chosen = self.chance.sample(invoices, min(len(invoices), self.chance.choice((1, 1, 2))))
        chosen = [one for one in chosen if one["counterparty"] == chosen[0]["counterparty"]]
        parts = [min(self.amount(), Decimal(one["open"])) for one in chosen]
        over = self.amount() if self.chance.random() < 0.3 or not chosen else Decimal(0)
        said = PAYMENT | {"source_id": self.name("bank"), "amount": str(sum(parts, over)), "allocations": [
            {"document": {"document_id": one["id"]}, "amount": str(part)}
            for one, part in zip(chosen, parts, strict=True)
        ]}  # fmt: skip
        if not chosen:
            said |= {"customer": {"number": BUYERS[0]}}
        await self.post("/v1/payments", said)

    async def refund_here(self) -> None:
        await self.fjord.poll()
        number = self.chance.choice(BUYERS)
        said = PAYMENT | {"source_id": self.name("back"), "kind": "refund", "direction": "out", "allocations": [],
                          "amount": str(self.amount()), "customer": {"number": number}}  # fmt: skip
        if await self.fjord.house.store.read(lambda tx: credit_of(tx, number)) >= Decimal(said["amount"]):
            await self.post("/v1/payments", said)

    async def reverse_here(self) -> None:
        await self.fjord.poll()
        payments = [
            one for one in await self.here("payment", "booked") if str(one.get("source_id")).startswith("bank-")
        ]
        if payments:
            one = self.chance.choice(payments)
            said = {"source_id": self.name("undo"), "of": "payment", "of_id": one["id"], "date": "2027-03-31"}
            await self.post("/v1/reversals", said)

    async def credit_here(self) -> None:
        await self.fjord.poll()
        sales = [one for one in await self.here("invoice") if str(one.get("source_id")).startswith("sale-")]
        one = await self.fjord.get(f"/v1/documents/{self.chance.choice(sales)['id']}")
        line = one["body"]["lines"][0] | {"quantity": "1"}
        said = {"type_code": "381", "source_id": self.name("credit"), "issue_date": "2027-03-10", "currency": "NOK",
                "buyer_reference": "Kari Nordmann", "seller": SELLER, "buyer": one["body"]["buyer"],
                "preceding_invoices": [{"document_id": one["id"]}], "lines": [line]}  # fmt: skip
        await self.post("/v1/invoices", said)

    # --- in the ledger ------------------------------------------------------------------------------------------------

    def _lines(self, count: int) -> list[dict[str, Any]]:
        return [{"description": "Vare", "count": count, "unitPriceExcludingVatCurrency": Decimal(200),
                 "vatType": {"id": 3}}]  # fmt: skip

    def _order(self, customer: int, count: int) -> Thing:
        said = {"customer": {"id": customer}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14"}
        return orders.create_order(self.books, said | {"orderLines": self._lines(count)})

    async def sell_there(self) -> None:
        self.books.charge(self._order(self.customer()["id"], self.chance.choice((1, 2, 10))), date(2027, 1, 15))

    def _pay(self, *payments: tuple[Thing, Decimal]) -> None:
        self.books.pay(self.day(), [(one, amount, amount) for one, amount in payments], self.books.account(BANK))

    async def pay_there(self) -> None:
        made = self.invoice(notes=self.chance.random() < 0.1)
        rest = made["amountOutstanding"]()
        amount = rest if self.chance.random() < 0.5 and rest else self.amount()
        self.did[-1] += f" {made['invoiceNumber']} {amount}"
        self._pay((made, amount))

    async def pay_two_there(self) -> None:
        self._pay((self.invoice(), self.amount()), (self.invoice(), self.amount()))

    async def pay_back_there(self) -> None:
        """A negative payment: of one that was made, or of any amount."""
        made = self.invoice()
        rows = [one for one in self.books.items(made["id"]) if one.get("type") == "INCOMING_PAYMENT"]
        amount = self.chance.choice(rows)["amount"] if rows and self.chance.random() < 0.7 else -self.amount()
        self.did[-1] += f" {made['invoiceNumber']} {amount}"
        self._pay((made, -abs(amount)))

    def _voucher(self, customer: int, against: int, amount: Decimal, **more: Any) -> Thing:
        """`amount` lowers what the customer owes."""
        rows = [(against, amount, {}), (CUSTOMERS, -amount, {"customer": {"id": customer}, **more})]
        said = [{"row": at, "account": {"id": self.books.account(number).id}, "amountGross": value, **other}
                for at, (number, value, other) in enumerate(rows, 1)]  # fmt: skip
        if against == SUPPLIERS:
            supplier = next(iter(self.books.all("supplier")), None) or registers.create(
                self.books, registers.REGISTERS["supplier"], {"name": "Leverandør AS"}
            )
            said[0]["supplier"] = {"id": supplier["id"]}
        return vouchers.create(self.books, {"date": str(self.day()), "postings": said}, send=True)

    async def on_account_there(self) -> None:
        self._voucher(self.customer()["id"], BANK, self.amount())

    async def refund_there(self) -> None:
        self._voucher(self.customer()["id"], BANK, -self.amount())

    async def write_off_there(self) -> None:
        """A loss, or a set-off with what we owe: matched with its invoice, or not yet."""
        made = self.invoice()
        rest = made["amountOutstanding"]()
        customer, against = made["customer"].id, self.chance.choice((LOSS, LOSS, SUPPLIERS))
        if rest <= 0 or self.chance.random() < 0.3:
            self._voucher(customer, against, self.amount())
            return
        named = {"invoiceNumber": str(made["invoiceNumber"])} if self.chance.random() < 0.5 else {}
        voucher = self._voucher(customer, against, rest, **named)
        row = next(one for link in voucher["postings"] if (one := self.books.find(link)).get("customer"))
        rows = [*self.books.open_items(made["id"]), row]
        if not row.get("closeGroup") and self.books.unclosable(rows) is None:
            self.books.close(rows, self.day())

    async def match_there(self) -> None:
        """Some open rows of a customer that come to zero."""
        customer = self.customer()
        rows = [one for one in self.books.all("posting")
                if one.get("customer") == Link("customer", customer["id"]) and not one.get("closeGroup")]  # fmt: skip
        sets = [[x, y] for x in rows for y in rows if x["id"] < y["id"]]
        sets += [[x, y, z] for x, y in sets for z in rows if y["id"] < z["id"]]
        fitting = [some for some in sets if self.books.unclosable(some) is None]
        if fitting:
            chosen = self.chance.choice(fitting)
            self.did[-1] += f" {[(one['id'], one['amount'], one.get('invoiceNumber')) for one in chosen]}"
            self.books.close(chosen, self.day())

    async def unmatch_there(self) -> None:
        groups = [one for one in self.books.all("closeGroup")
                  if not any(self.books.find(self.books.find(link)["voucher"]).get("reverseVoucher")
                             for link in one["postings"])]  # fmt: skip
        if groups:
            group = self.chance.choice(groups)
            self.did[-1] += f" {group['id']} {[link.id for link in group['postings']]}"
            self.books.reopen(group, self.day())

    async def reverse_there(self) -> None:
        found = [one for one in self.books.all("voucher") if one["_state"] == "ledger"]
        voucher = self.chance.choice(found)
        self.did[-1] += f" {voucher['id']} {voucher['description']}"
        self.books.reverse(voucher, self.day())

    async def credit_there(self) -> None:
        made = self.invoice()
        if self.chance.random() < 0.5:
            self.books.credit(made, self.day(), None)
        else:
            self.books.charge(self._order(made["customer"].id, -1), self.day(), credits=made)

    async def renumber_there(self) -> None:
        registers.change_customer(
            self.books, self.customer()["id"], {"customerNumber": self.chance.randrange(20000, 30000)}
        )

    async def read(self) -> None:
        await self.fjord.poll()

    HERE = ("sell_here", "pay_here", "pay_here", "refund_here", "reverse_here", "credit_here")
    THERE = ("sell_there", "pay_there", "pay_there", "pay_two_there", "pay_back_there", "on_account_there",
             "refund_there", "write_off_there", "match_there", "match_there", "unmatch_there", "reverse_there",
             "credit_there", "renumber_there", "read")  # fmt: skip

    async def step(self) -> None:
        name = self.chance.choice(self.THERE * 2 + self.HERE)
        self.did.append(name)
        try:
            await getattr(self, name)()
        except SandboxError as refused:
            self.did[-1] += f" refused: {refused.problems}"

    # --- what must hold -----------------------------------------------------------------------------------------------

    async def check(self) -> None:
        for _ in range(3):
            await self.fjord.poll()
        (spoke,) = self.fjord.house.spokes()
        invoices, customers = await self.fjord.house.store.read(lambda tx: items(tx, spoke.id))
        waiting = await self.fjord.get("/v1/attention")
        assert waiting == [], [(one["code"], one["said"]) for one in waiting]
        for one in self.books.all("invoice"):
            if one["isCharged"] and not one["isCreditNote"]:
                shown = max(one["amountOutstanding"](), Decimal(0))
                assert invoices.get(str(one["id"])) == shown, f"invoice {one['id']} {one['invoiceNumber']}"
        for one in self.books.all("customer"):
            there = self.books.open_of(Link("customer", one["id"]))
            assert customers.get(str(one["id"]), Decimal(0)) == there, f"customer {one['id']}"

    async def story(self) -> list[str]:
        """What was done, the rows of the ledger, and what the hub has made of them."""
        shown = ("id", "amount", "type", "invoiceNumber", "closeGroup")
        rows = [" ".join(["row", *(str(one.get(name)) for name in shown)])
                for one in self.books.all("posting") if one.get("customer")]  # fmt: skip
        return [*self.did, *rows, *await self.fjord.house.store.read(told)]


def credit_of(tx: Tx, number: str) -> Decimal:
    """What the hub would pay back to a customer."""
    customer = documents.by_key(tx, "fjord", "customer", f"NO:{number}")
    assert customer is not None
    return sum(
        (one.open_amount or Decimal(0) for one in documents.credits(tx, "fjord", customer.id, "NOK")), Decimal(0)
    )


def told(tx: Tx) -> list[str]:
    """The documents with what they are tied to."""
    lines, names = [], {}
    for head in documents.find(tx, "fjord", limit=5000):
        there = ", ".join(f"{one.kind} {one.vendor_id}" for one in links.all_of(tx, head.id))
        names[head.id] = f"{head.kind} {head.number or head.source_id} ({there})"
    for head in documents.find(tx, "fjord", limit=5000):
        lines.append(f"{names[head.id]} {head.state} {head.payable} open {head.open_amount}")
        rows = [row for row in documents.relations(tx, "fjord", head.id) if row.document == head.id]
        lines += [f"    {row.kind} {names[row.other]} {row.amount}" for row in rows if row.kind != "customer"]
    return lines


def items(tx: Tx, connection: str) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """What is open here, by the ledger's ids: of each invoice, and of each customer in all."""
    invoices: dict[str, Decimal] = {}
    customers: dict[str, Decimal] = {}
    for head in documents.find(tx, "fjord", limit=5000):
        if head.open_amount is None:
            continue
        link = links.of(tx, head.id, connection)
        if head.kind == "invoice" and link:
            invoices[link.vendor_id] = head.open_amount
        raises = head.kind == "invoice" or (head.kind == "payment" and head.direction == "out")
        for row in documents.relations(tx, "fjord", head.id):
            if row.kind == "customer" and row.document == head.id:
                customer = links.of(tx, row.other, connection)
                assert customer is not None
                so_far = customers.get(customer.vendor_id, Decimal(0))
                customers[customer.vendor_id] = so_far + (head.open_amount if raises else -head.open_amount)
    return invoices, customers


@pytest.mark.proof
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_random_day_is_the_same_on_both_sides(founded: Any, database_url: str, seed: int) -> None:
    if not database_url.startswith("sqlite") and seed % 10:
        pytest.skip("each tenth seed on PostgreSQL")
    chance = random.Random(seed)
    rules = {"credit_notes_apply": chance.random() < 0.5, "invoice_number_links": chance.random() < 0.5,
             "reversal_keeps_type": chance.random() < 0.5}  # fmt: skip
    async with founded(**rules) as fjord:
        day = Day(fjord, seed)
        await day.begin()
        for _ in range(STEPS):
            await day.step()
        try:
            await day.check()
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), str(rules), *await day.story()])) from None
