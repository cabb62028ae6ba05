"""An invoice that one ledger issues is brought to another, and its payment comes back once."""

from __future__ import annotations

import base64
import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from adapters.accounting.fiken import sandbox as fiken
from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox, registers
from connector.api.app import create_app
from connector.errors import NeedsPerson
from connector.ports import Goal, Kind
from connector.service.house import House, open_house
from connector.service.settings import Settings
from connector.store import connections, keys, work
from connector.sync import effects, reads
from connector.sync.catching_up import catch_up
from connector.sync.plan import plan

_spec = importlib.util.spec_from_file_location("scenario_a", Path(__file__).with_name("test_a_domestic_invoice.py"))
assert _spec is not None
assert _spec.loader is not None
a = importlib.util.module_from_spec(_spec)
sys.modules["scenario_a"] = a
_spec.loader.exec_module(a)
kroner, balance = a.kroner, a.balance

TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  shop:
    system: tripletex
    settings: {{base_url: "{shop}", payment_type: Betalt til bank, timeout: 5, settle: 0.2}}
    secrets: {{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}
  books:
    system: tripletex
    settings: {{base_url: "{books}", payment_type: Betalt til bank, timeout: 5, settle: 0.2}}
    secrets: {{consumer_token: env:FJORD_CONSUMER, employee_token: env:FJORD_EMPLOYEE}}
routes:
  carried:
    title: What the shop issues is booked
    takes: shop
    to: books
    issues: shop
    reminds: nobody
    takes_bank_money: {owner}
"""


FIKEN = """  books:
    system: fiken
    settings: {{base_url: "{books}", invoice_account: "86011117947", spacing: 0, open_hours: 0, timeout: 5,
               settle: 0.2}}
    secrets: {{token: env:FJORD_TOKEN}}
"""


SELLS = """
  sales:
    title: What a program sells is issued by the shop
    takes: api
    to: shop
    issues: shop
    sends: nobody
    reminds: nobody
    takes_bank_money: books
"""


class Two:
    """A company with a ledger that issues (`shop`) and one that keeps the books."""

    def __init__(self, house: House, shop: Any, books: Any, client: httpx.AsyncClient) -> None:
        self.house, self.shop, self.books, self.client = house, shop, books, client

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def poll(self, times: int = 2) -> None:
        for _ in range(times):
            for spoke in self.house.spokes():
                for reading in spoke.accounting.readings:
                    await self.house.store.write(lambda tx, s=spoke, k=reading.kind: reads.poll(tx, s, k))
            await self.house.work_until_idle(within=2.5)

    async def all(self, kind: str) -> list[Any]:
        return [
            SimpleNamespace(**{"open": None, **await self.get(f"/v1/documents/{one['id']}")})
            for one in (await self.get("/v1/documents", kind=kind))["documents"]
        ]


@pytest.fixture
def founded(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    @asynccontextmanager
    async def made(
        owner: str = "books", *, in_fiken: bool = False, shop_since: date | None = None, more: str = ""
    ) -> AsyncIterator[Two]:
        async with Sandbox() as shop, fiken.Sandbox() if in_fiken else Sandbox() as books:
            tenants = tmp_path / "mappings" / "tenants"
            tenants.mkdir(parents=True)
            said = TENANT.format(shop=shop.url, books=books.url, owner=owner)
            if in_fiken:
                said = said.replace(
                    said[said.index("  books:\n") : said.index("routes:")], FIKEN.format(books=books.url)
                )
            (tenants / "fjord.yaml").write_text(said + more.lstrip("\n"))
            monkeypatch.setenv("FJORD_TOKEN", fiken.TOKEN)
            monkeypatch.setenv("CONNECTOR_MAPPINGS", str(tmp_path / "mappings"))
            monkeypatch.setenv("CONNECTOR_KEYS", base64.b64encode(bytes(range(32))).decode())
            monkeypatch.setenv("FJORD_CONSUMER", CONSUMER_TOKEN)
            monkeypatch.setenv("FJORD_EMPLOYEE", EMPLOYEE_TOKEN)
            if shop_since is not None:
                async with open_house(Settings(database=database_url)) as house:
                    (shop_id,) = [spoke.id for spoke in house.spokes() if spoke.name == "shop"]
                    await house.store.write(lambda tx: connections.change(tx, shop_id, start_date=shop_since))
            async with open_house(Settings(database=database_url)) as house:
                for spoke in house.spokes():
                    await house.store.write(lambda tx, s=spoke: connections.change(tx, s.id, mode="active"))
                _, secret = await house.store.write(
                    lambda tx: keys.create(tx, tenant="fjord", name="test", scopes=("read", "write", "settle"))
                )
                headers = {"Authorization": f"Bearer {secret}"}
                transport = httpx.ASGITransport(app=create_app(house))
                async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
                    yield Two(house, shop, books, client)

    return made


FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 10)


def issued(box: Any, *, day: str = "2027-01-15", net: int = 1000) -> Any:
    """Somebody invoices so many kroner and 25 % VAT in the program itself."""
    books = box.books
    customer = next((one for one in books.all("customer") if one.get("organizationNumber") == "974760673"), None)
    customer = customer or registers.create_customer(
        books, {"name": "Eksempel AS", "organizationNumber": "974760673", "email": "faktura@eksempel.no"}
    )
    price = {"unitPriceExcludingVatCurrency": Decimal(net), "vatType": {"id": 3}}
    order = registers.create_order(
        books,
        {
            "customer": {"id": customer["id"]},
            "orderDate": day,
            "deliveryDate": day,
            "orderLines": [{"description": "Rådgivning", "count": 1, **price}],
        },
    )
    return books.charge(order, date.fromisoformat(day))


def count(box: Any, kind: str) -> int:
    return len(box.books.things.get(kind, {}))


def owed(box: Any) -> Decimal:
    return balance(box, a.RECEIVABLE)


def row_of(box: Any, number: Any) -> Any:
    """The open row of an invoice on the customer's account."""
    (row,) = [
        one
        for one in box.books.all("posting")
        if one.get("customer") and one.get("invoiceNumber") == str(number) and one["amount"] > 0
    ]
    return row


async def settled(two: Any) -> None:
    """Nothing waits for a person, and looking again changes nothing."""
    assert await two.get("/v1/attention") == []
    before = [count(box, kind) for box in (two.shop, two.books) for kind in ("voucher", "posting")]
    await two.poll(1)
    after = [count(box, kind) for box in (two.shop, two.books) for kind in ("voucher", "posting")]
    assert after == before
    assert await two.get("/v1/attention") == []


async def test_what_the_shop_issues_is_booked_once_and_paid_once(founded: Any) -> None:
    async with founded() as two:
        invoice = issued(two.shop)
        await two.poll()
        assert owed(two.books) == owed(two.shop) == kroner("1 250,00")
        assert count(two.books, "invoice") == count(two.books, "order") == 0
        row = row_of(two.books, invoice["invoiceNumber"])
        (document,) = await two.all("invoice")
        assert sorted(link["connection"] for link in document.links) == ["books", "shop"]

        two.books.payment_on(row["id"], kroner("1 250,00"), FEBRUARY)
        await two.poll()
        (payment,) = await two.all("payment")
        (document,) = await two.all("invoice")
        assert Decimal(document.open) == owed(two.books) == owed(two.shop) == 0
        assert balance(two.shop, a.BANK) == balance(two.books, a.BANK) == kroner("1 250,00")
        assert payment.state != "reversed"
        await settled(two)


async def test_the_shop_reads_the_bank(founded: Any) -> None:
    async with founded(owner="shop") as two:
        invoice = issued(two.shop)
        await two.poll()
        for _ in range(2):  # two equal instalments are two payments
            two.shop.payment(invoice["id"], kroner("500,00"), FEBRUARY)
        await two.poll()
        assert owed(two.books) == owed(two.shop) == kroner("250,00")
        assert balance(two.books, a.BANK) == kroner("1 000,00")
        assert len(await two.all("payment")) == 2
        await settled(two)


async def test_tripletex_issues_and_fiken_keeps_the_books(founded: Any) -> None:
    async with founded(in_fiken=True) as two:
        issued(two.shop)
        await two.poll()
        books = two.books.books
        (sale,) = books.all("sale")
        (document,) = await two.all("invoice")
        assert (sale["kind"], sale["saleNumber"]) == ("external_invoice", document.number)
        assert books.outstanding(sale) == 125_000

        books.pay(sale, FEBRUARY.isoformat(), "1920:10001", 125_000)
        await two.poll()
        (document,) = await two.all("invoice")
        assert Decimal(document.open) == owed(two.shop) == books.outstanding(sale) == 0
        assert balance(two.shop, a.BANK) == kroner("1 250,00")
        before = count(two.shop, "voucher")
        await two.poll(1)
        assert (count(two.shop, "voucher"), len(list(books.all("sale")))) == (before, 1)
        assert await two.get("/v1/attention") == []


async def test_a_payment_that_is_taken_back_is_taken_back_on_both_sides(founded: Any) -> None:
    async with founded() as two:
        invoice = issued(two.shop)
        await two.poll()
        row = row_of(two.books, invoice["invoiceNumber"])
        voucher = two.books.payment_on(row["id"], kroner("1 250,00"), FEBRUARY)
        await two.poll()
        assert owed(two.shop) == 0
        two.books.books.reverse(voucher, MARCH)
        await two.poll()
        assert owed(two.shop) == owed(two.books) == kroner("1 250,00")
        (document,) = await two.all("invoice")
        assert Decimal(document.open) == kroner("1 250,00")
        await settled(two)


async def test_a_credit_note_of_the_shop_goes_along(founded: Any) -> None:
    async with founded() as two:
        invoice = issued(two.shop)
        await two.poll()
        two.shop.books.credit(invoice, MARCH, None)
        await two.poll()
        (document,) = await two.all("invoice")
        assert (document.state, Decimal(document.open)) == ("credited", 0)
        assert owed(two.books) == owed(two.shop) == 0
        await settled(two)


async def test_what_waited_while_the_books_only_observed_is_brought_when_they_are_activated(founded: Any) -> None:
    async with founded() as two:
        (books,) = [spoke for spoke in two.house.spokes() if spoke.name == "books"]
        store = two.house.store
        await store.write(lambda tx: connections.change(tx, books.id, mode="observe"))
        issued(two.shop)
        await two.poll()
        assert count(two.books, "voucher") == 0
        (step,) = [one for one in await store.read(lambda tx: plan(tx, two.house, books)) if one.kind == "invoice"]
        assert step.action == "create"

        await store.write(lambda tx: connections.change(tx, books.id, mode="active"))
        assert await catch_up(store, two.house, books) == 1
        await two.poll()
        assert owed(two.books) == owed(two.shop) == kroner("1 250,00")
        assert await catch_up(store, two.house, books) == 0
        await settled(two)


async def test_what_is_older_than_the_start_stays_where_it_is(founded: Any) -> None:
    async with founded(owner="shop") as two:
        old = issued(two.shop, day="2025-12-31")
        await two.poll()
        (books,) = [spoke for spoke in two.house.spokes() if spoke.name == "books"]
        assert await catch_up(two.house.store, two.house, books) == 0
        two.shop.payment(old["id"], kroner("1 250,00"), FEBRUARY)
        await two.poll()
        assert owed(two.shop) == owed(two.books) == count(two.books, "voucher") == 0
        assert await two.get("/v1/attention") == []


async def test_what_speaks_of_something_older_does_not_bring_it_along(founded: Any) -> None:
    """A credit note of an old invoice, and a payment of an old and a new one, through a program; the shop is followed
    for longer than the books.
    """
    async with founded(owner="source", shop_since=date(2025, 1, 1)) as two:
        old, older = issued(two.shop, day="2025-12-31"), issued(two.shop, day="2025-12-30")
        new = issued(two.shop)
        two.shop.books.credit(older, MARCH, None)
        await two.poll()
        assert owed(two.books) == kroner("1 250,00")
        assert count(two.books, "voucher") == 1
        numbers = [str(one["invoiceNumber"]) for one in (old, new)]
        said = [{"document": {"number": number}, "amount": "1250.00"} for number in numbers]
        payment = {"source_id": "bank-1", "direction": "in", "date": "2027-02-01", "amount": "2500.00",
                   "currency": "NOK", "bank_account": a.OWN_ACCOUNT, "allocations": said}  # fmt: skip
        headers = {"Idempotency-Key": "k"}
        answer = await two.client.post("/v1/payments", json=payment, headers=headers)
        assert answer.status_code == 202, answer.text
        await two.poll()
        assert owed(two.shop) == owed(two.books) == 0
        assert count(two.books, "voucher") == 2
        assert await two.get("/v1/attention") == []


async def test_money_that_came_while_the_shop_only_observed_is_brought_when_it_is_activated(founded: Any) -> None:
    async with founded() as two:
        invoice = issued(two.shop)
        await two.poll()
        (shop,) = [spoke for spoke in two.house.spokes() if spoke.name == "shop"]
        store = two.house.store
        await store.write(lambda tx: connections.change(tx, shop.id, mode="observe"))
        two.books.payment_on(row_of(two.books, invoice["invoiceNumber"])["id"], kroner("1 250,00"), FEBRUARY)
        await two.poll()
        assert owed(two.shop) == kroner("1 250,00")

        await store.write(lambda tx: connections.change(tx, shop.id, mode="active"))
        assert await catch_up(store, two.house, shop) == 1
        await two.poll()
        assert owed(two.shop) == owed(two.books) == 0
        assert await catch_up(store, two.house, shop) == 0
        await settled(two)


@pytest.mark.parametrize("kind", ["no-answer", "no-answer-before", "500-after"])
async def test_answers_that_are_lost_make_nothing_twice(founded: Any, kind: str) -> None:
    async with founded() as two:
        two.books.fault("POST /ledger/voucher", kind)
        two.books.fault("POST /customer", kind)
        invoice = issued(two.shop)
        await two.poll(4)
        assert owed(two.books) == owed(two.shop) == kroner("1 250,00")
        two.shop.fault("PUT /invoice/.*/:payment", kind)
        two.books.payment_on(row_of(two.books, invoice["invoiceNumber"])["id"], kroner("1 250,00"), FEBRUARY)
        await two.poll(4)
        if kind == "no-answer-before":  # a payment carries no marker: that it is not there proves nothing
            (item,) = await two.get("/v1/attention")
            assert item["code"] == "outcome-unclear"
            await two.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "did-not-happen"})
            await two.poll(1)
        assert owed(two.books) == owed(two.shop) == 0
        assert balance(two.shop, a.BANK) == kroner("1 250,00")
        await settled(two)


@pytest.mark.parametrize("begun", [False, True], ids=["waits", "begun"])
async def test_what_turned_out_to_be_another_one_is_not_carried(founded: Any, begun: bool) -> None:
    """An invoice of ours stops in the shop, and somebody makes it there by hand: it is read as the shop's own, and is
    to be brought to the books when a person says that it is ours.
    """
    async with founded(more=SELLS) as two:
        two.shop.books.rules.bank_account = False
        books = two.house.named("fjord", "books")
        held = NeedsPerson("Not now.", code="paused")
        await two.house.store.write(lambda tx: connections.pause(tx, books.id, held))
        answer = await two.client.post("/v1/invoices", json=a.INVOICE, headers={"Idempotency-Key": "1"})
        assert answer.status_code == 202, answer.text
        await two.house.work_until_idle(within=1)
        two.shop.books.rules.bank_account = True
        made = two.shop.books.charge(next(iter(two.shop.books.all("order"))), date(2027, 1, 15))
        await two.poll()
        (mirrored,) = [one for one in await two.all("invoice") if one.links]
        (push,) = await two.house.store.read(lambda tx: effects.live(tx, books, mirrored.id))
        if begun:
            goal = Goal(Kind.EXTERNAL_INVOICE, "create", "m", {})
            await two.house.store.write(lambda tx: work.decided(tx, push, goal))
        (item,) = [one for one in await two.get("/v1/attention") if "link" in one["verbs"]]
        said = {"verb": "link", "vendor_id": str(made["id"])}
        assert (await two.client.post(f"/v1/attention/{item['id']}/resolve", json=said)).status_code == 204
        await two.house.work_until_idle(within=1)
        states = sorted(one.state for one in await two.all("invoice"))
        left = await two.house.store.read(lambda tx: effects.live(tx, books, mirrored.id))
        if begun:
            assert "replaced" not in states, "what is on its way somewhere is more than a mirror"
            assert "linked-to-another" in [one["code"] for one in await two.get("/v1/attention")]
            assert len(left) == 1
            return
        assert (states, left) == (["issued", "replaced"], [])
        await two.house.store.write(lambda tx: connections.resume(tx, books.id))
        assert await catch_up(two.house.store, two.house, books) == 0
        assert await two.house.store.write(lambda tx: effects.push(tx, books, "invoice", mirrored.id)) is None
        await two.house.work_until_idle(within=1)
        assert count(two.books, "voucher") == 0
