"""A random day of bookkeeping through the interface: whatever happens, the books of the sandbox hold together."""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.accounting.tripletex.sandbox import Sandbox
from adapters.accounting.tripletex.sandbox.things import Link
from connector.model.json import loads
from tests.adapters.tripletex.conftest import Caller

FULL = os.environ.get("CONNECTOR_PROOF") == "full"
DAYS = {"dateFrom": "2026-01-01", "dateTo": "2029-01-01", "sorting": "id"}
WHEN = ["2027-01-31", "2027-02-15", "2027-03-31"]
EUR = {"id": 5}

_numbers = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 4000), st.sampled_from(WHEN))
_days = st.lists(
    st.tuples(
        st.sampled_from(["sell", "sell", "pay", "pay", "refund", "credit", "credit_part", "on_account", "write_off",
                         "match", "reverse", "buy", "pay_supplier", "renumber", "rate", "period", "remind"]),
        _numbers,
    ),
    min_size=4,
    max_size=24,
)  # fmt: skip


class Bookkeeper:
    """Does what it is told; what is refused must change nothing."""

    def __init__(self, box, call):
        self.box, self.call = box, call
        self.refusals = 0

    async def ask(self, method, path, json=None, **query):
        before = self.books()
        answer = await self.call.raw(method, path, json, **query)
        assert answer.status_code in (200, 201, 422), answer.text
        if answer.status_code == 422:
            assert self.books() == before, f"{method} {path} was refused and did something"
            self.refusals += 1
            return None
        said = loads(answer.content)
        return said.get("value", said.get("values"))

    def books(self):
        things = self.box.books.things
        known = ("voucher", "posting", "invoice", "order", "orderLine", "closeGroup", "supplierInvoice", "draft")
        return {type: [(one["id"], one["version"]) for one in things.get(type, {}).values()] for type in known}

    async def begin(self):
        call = self.call
        self.customers = [(await call.customer(name=name))["id"] for name in ("A AS", "B AS", "C AS")]
        self.suppliers = [(await call("POST", "/supplier", {"name": name}))["id"] for name in ("S1", "S2")]
        self.types = [await call.payment_type(), await call.payment_type("Betalt til valutakonto")]
        numbers = (1500, 1920, 2400, 6800, 7830)
        self.accounts = {number: await call.account(number) for number in numbers}
        self.out = (await call("GET", "/ledger/paymentTypeOut"))[0]["id"]

    async def _pick(self, path, at, **window):
        found = await self.call("GET", path, **window, sorting="id")
        return found[at % len(found)] if found else None

    async def _invoice(self, at):
        return await self._pick("/invoice", at, invoiceDateFrom="2026-01-01", invoiceDateTo="2029-01-01")

    async def _voucher(self, day, *rows):
        said = [{"row": at, "account": self.accounts[number], "amountGross": amount, **more}
                for at, (number, amount, more) in enumerate(rows, 1)]  # fmt: skip
        return await self.ask("POST", "/ledger/voucher", {"date": day, "postings": said})

    async def _order(self, customer, count, price, vat, **more):
        line = {"description": "x", "count": count, "unitPriceExcludingVatCurrency": price, "vatType": {"id": vat}}
        said = {"customer": {"id": customer}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14",
                "orderLines": [line], **more}  # fmt: skip
        return await self.call("POST", "/order", said)

    async def sell(self, a, b, amount, day):
        more = {"currency": EUR} if b % 3 == 0 else {}
        vat = 52 if more else [3, 31, 32, 6][b % 4]
        order = await self._order(self.customers[a % 3], 3, round(Decimal(amount) / 7, 4), vat, **more)
        await self.ask("PUT", f"/order/{order['id']}/:invoice", invoiceDate=day, sendToCustomer=False)

    async def _paid(self, made, part, day):
        foreign = made["currency"]["id"] == EUR["id"]
        query = {"paidAmountCurrency": part} if foreign else {}
        how = self.types[int(foreign)]
        await self.ask("PUT", f"/invoice/{made['id']}/:payment", paymentDate=day, paymentTypeId=how, paidAmount=part,
                       **query)  # fmt: skip

    async def pay(self, a, b, amount, day):
        if made := await self._invoice(a):
            rest = made["amountCurrencyOutstanding"]
            await self._paid(made, rest if b % 2 else Decimal(amount), day)

    async def refund(self, a, b, amount, day):
        if made := await self._invoice(a):
            await self._paid(made, -Decimal(amount), day)

    async def credit(self, a, b, amount, day):
        if made := await self._invoice(a):
            await self.ask("PUT", f"/invoice/{made['id']}/:createCreditNote", date=day, sendToCustomer=False)

    async def credit_part(self, a, b, amount, day):
        if made := await self._invoice(a):
            order = await self._order(made["customer"]["id"], -1, amount, 3, currency={"id": made["currency"]["id"]})
            await self.ask("PUT", f"/order/{order['id']}/:invoice", invoiceDate=day, sendToCustomer=False,
                           invoiceIdIfIsCreditNote=made["id"])  # fmt: skip

    async def on_account(self, a, b, amount, day):
        customer = {"customer": {"id": self.customers[a % 3]}}
        await self._voucher(day, (1920, amount, {}), (1500, -amount, customer))

    async def write_off(self, a, b, amount, day):
        if made := await self._invoice(a):
            rest = made["amountOutstanding"]
            customer = {"customer": {"id": made["customer"]["id"]}}
            await self._voucher(day, (7830, rest, {}), (1500, -rest, customer))

    async def match(self, a, b, amount, day):
        """Close the first open rows of a customer that come to 0 together, or whatever two there are."""
        found = await self.call("GET", "/ledger/posting/openPost", date="2029-01-01", sorting="id",
                                customerId=self.customers[a % 3])  # fmt: skip
        pairs = [(x, y) for x in found for y in found if x["id"] < y["id"]]
        chosen = next((pair for pair in pairs if pair[0]["amount"] + pair[1]["amount"] == 0), None) or pairs[:1]
        rows = [row["id"] for row in (chosen[0] if isinstance(chosen, list) and chosen else chosen)]
        if rows:
            await self.ask("PUT", "/ledger/posting/:closePostings", rows)

    async def reverse(self, a, b, amount, day):
        if made := await self._pick("/ledger/voucher", amount, dateFrom="2026-01-01", dateTo="2029-01-01"):
            await self.ask("PUT", f"/ledger/voucher/{made['id']}/:reverse", date=day)

    async def buy(self, a, b, amount, day):
        line = {"externalId": "1", "row": 1, "accountId": self.accounts[6800]["id"], "amountInclVat": amount,
                "vatTypeId": [1, 11, 34, 0][b % 4]}  # fmt: skip
        head = {"vendorId": self.suppliers[a % 2], "invoiceDate": day, "dueDate": day, "currencyId": 1,
                "invoiceAmount": amount, "invoiceNumber": str(b)}  # fmt: skip
        await self.ask("POST", "/incomingInvoice", {"invoiceHeader": head, "orderLines": [line]}, sendTo="ledger")

    async def pay_supplier(self, a, b, amount, day):
        window = {"invoiceDateFrom": "2026-01-01", "invoiceDateTo": "2029-01-01"}
        if made := await self._pick("/supplierInvoice", a, **window):
            paid = made["outstandingAmount"] if b % 2 else amount
            await self.ask("POST", f"/supplierInvoice/{made['id']}/:addPayment", paymentType=self.out, amount=paid,
                           paymentDate=day, partialPayment=True)  # fmt: skip

    async def renumber(self, a, b, amount, day):
        await self.ask("PUT", f"/customer/{self.customers[a % 3]}", {"customerNumber": amount})

    async def rate(self, a, b, amount, day):
        self.box.books.rates["EUR"] = Decimal(1000 + amount) / 100

    async def period(self, a, b, amount, day):
        closed = self.box.books.closed_months
        closed.clear() if closed else closed.add((2027, 1 + a % 3))

    async def remind(self, a, b, amount, day):
        if made := await self._invoice(a):
            await self.ask("PUT", f"/invoice/{made['id']}/:createReminder", type="REMINDER", date=day,
                           includeCharge=True)  # fmt: skip

    async def check(self):
        """What must hold of any books, read through the interface."""
        call = self.call
        for made in await call("GET", "/ledger/voucher", **DAYS, fields="number,postings(amount,amountCurrency)"):
            assert sum(row["amount"] for row in made["postings"]) == 0, made
        groups = await call("GET", "/ledger/closeGroup", **DAYS, fields="postings(amount,customer(id),supplier(id))")
        for group in groups:
            assert sum(row["amount"] for row in group["postings"]) == 0
            assert len({str(row.get("customer") or row.get("supplier")) for row in group["postings"]}) == 1
        for party, ids, number in (("customerId", self.customers, 1500), ("supplierId", self.suppliers, 2400)):
            for id in ids:
                booked = await call("GET", "/ledger/posting", **DAYS, **{party: id}, accountNumberFrom=number,
                                    accountNumberTo=number, fields="amount")  # fmt: skip
                open_rows = await call("GET", "/ledger/posting/openPost", date="2029-01-01", **{party: id},
                                       fields="amount")  # fmt: skip
                assert sum(row["amount"] for row in booked) == sum(row["amount"] for row in open_rows)
        fields = "amountOutstanding,amountCurrencyOutstanding,postings(amount,amountCurrency,closeGroup(id))"
        for made in await call("GET", "/invoice", invoiceDateFrom="2026-01-01", invoiceDateTo="2029-01-01",
                               fields=fields):  # fmt: skip
            rows = [row for row in made["postings"] if "closeGroup" not in row]
            assert made["amountOutstanding"] == sum(row["amount"] for row in rows)
            assert made["amountCurrencyOutstanding"] == sum(row["amountCurrency"] for row in rows)
            if made["amountCurrencyOutstanding"] == 0 and not rows:
                assert made["amountOutstanding"] == 0
        assert sum(self.box.state()["balances"].values()) == 0


async def live(actions, **rules):
    async with Sandbox(incoming_pilot=True, supplier_payments=True, **rules) as box:
        call = await Caller(box).sign_in()
        try:
            keeper = Bookkeeper(box, call)
            await keeper.begin()
            for name, numbers in actions:
                await getattr(keeper, name)(*numbers)
            await keeper.check()
            return keeper
        finally:
            await call.client.aclose()


@pytest.mark.proof
@given(
    actions=_days,
    whole=st.booleans(),
    applies=st.booleans(),
    reverses=st.booleans(),
    refusal=st.sampled_from(["error"]),
)
@settings(max_examples=400 if FULL else 12, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_random_day_leaves_books_in_order(actions, whole, applies, reverses, refusal):
    rules = {"whole_kroner": whole, "credit_notes_apply": applies, "reverse_invoices": reverses,
             "close_refusal": refusal}  # fmt: skip
    asyncio.run(live(actions, **rules))


async def test_a_day_that_has_everything_does_something():
    """The days above are not all refusals."""
    days = [("sell", (0, 1, 4000, WHEN[0])), ("sell", (1, 3, 900, WHEN[0])), ("pay", (0, 1, 10, WHEN[1])),
            ("reverse", (0, 0, 2, WHEN[2])), ("on_account", (0, 0, 50, WHEN[1])), ("credit_part", (0, 0, 30, WHEN[2])),
            ("pay", (1, 1, 1, WHEN[1])), ("buy", (0, 0, 99, WHEN[1])), ("pay_supplier", (0, 1, 1, WHEN[2])),
            ("write_off", (0, 0, 1, WHEN[2])), ("match", (0, 0, 1, WHEN[2])), ("credit", (1, 0, 1, WHEN[2])),
            ("renumber", (0, 0, 5, WHEN[0])), ("remind", (0, 0, 0, WHEN[2]))]  # fmt: skip
    keeper = await live(days)
    counts = keeper.box.state()["counts"]
    assert (counts["invoice"], counts["supplierInvoice"]) == (4, 1)
    assert counts["closeGroup"] >= 3
    assert keeper.refusals <= 2


async def test_the_check_can_fail():
    keeper = await live([("sell", (0, 1, 4000, WHEN[0]))])
    books = keeper.box.books
    posting = next(iter(books.things["posting"].values()))
    posting["amount"] += 1
    async with keeper.box:
        keeper.call = await Caller(keeper.box).sign_in()
        with pytest.raises(AssertionError):
            await keeper.check()
        posting["amount"] -= 1
        await keeper.check()
        group = books.add("closeGroup", date=WHEN[0], postings=[Link("posting", posting["id"])])
        posting["closeGroup"] = Link("closeGroup", group["id"])
        with pytest.raises(AssertionError):
            await keeper.check()
        await keeper.call.client.aclose()
