"""Two filled ledgers, and a program with a filled one, are joined by a first sync and counted afterwards."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import Sandbox
from adapters.accounting.tripletex.sandbox.orders import create_order
from adapters.accounting.tripletex.sandbox.registers import REGISTERS, create
from connector.errors import BadInput
from connector.model.identifiers import OrganisationNumber
from connector.ports import Kind
from connector.service import joining
from connector.sync import reads

START = date(2026, 2, 1)
READ = (Kind.CUSTOMER, Kind.SUPPLIER, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT)


def organisation_numbers(count: int) -> list[str]:
    """Valid ones, always the same."""
    found, number = [], 910_000_000
    while len(found) < count:
        number += 7
        if OrganisationNumber.valid(str(number)):
            found.append(str(number))
    return found


NUMBERS = organisation_numbers(400)


def customer(box: Sandbox, name: str, **more: Any) -> int:
    return int(create(box.books, REGISTERS["customer"], {"name": name, **more})["id"])


def product(box: Sandbox, number: str, name: str) -> int:
    return int(create(box.books, REGISTERS["product"], {"name": name, "number": number})["id"])


def invoice(box: Sandbox, of: int, net: str, *, number: int, day: date, due: int = 14) -> Any:
    vat = next(one["id"] for one in box.books.things["vatType"].values() if one["number"] == "3")
    line = {"description": "Arbeid", "count": 1, "unitPriceExcludingVatCurrency": Decimal(net), "vatType": {"id": vat}}
    said = {"customer": {"id": of}, "orderDate": str(day), "deliveryDate": str(day), "orderLines": [line]}
    return box.books.charge(create_order(box.books, said), day, number=number, due=day + timedelta(days=due))


def active(box: Sandbox, type: str) -> list[Any]:
    return [one for one in box.books.things.get(type, {}).values() if not one.get("isInactive")]


def issued(box: Sandbox) -> int:
    return sum(1 for one in box.books.things.get("invoice", {}).values() if one["isCharged"])


def lines_of(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    return rows[0], [dict(zip(rows[1], row, strict=True)) for row in rows[2:]]


def answered(content: bytes, answer: Any) -> bytes:
    """The file with every line as `answer(line)` says; what it says nothing about stays."""
    title, lines = lines_of(content)
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";")
    rows.writerow(title)
    rows.writerow(list(lines[0]))
    for line in lines:
        rows.writerow({**line, "handling": answer(line) or line["handling"]}.values())
    return out.getvalue().encode()


def left(line: dict[str, str]) -> str | None:
    """Who answers every question with: leave it."""
    return "la stå" if line["handling"] == "?" else None


async def proposal(two: Any, name: str = "books", **more: Any) -> tuple[Any, bytes]:
    spoke = two.house.named("fjord", name)
    found = await joining.propose(two.house, spoke, who="test", **more)
    return found, joining.deciding.as_sheet(found, spoke, "now")


async def applied(two: Any, content: bytes, name: str = "books") -> Any:
    return await joining.apply(two.house, two.house.named("fjord", name), content, file="f.csv", who="test")


async def undone(two: Any, name: str = "books") -> tuple[int, list[str]]:
    spoke = two.house.named("fjord", name)
    content, _ = await two.house.store.read(lambda tx: joining.undo_sheet(tx, spoke))
    return await joining.undo(two.house, spoke, content, file="u.csv", who="test")


def fill(shop: Sandbox, books: Sandbox, equal: int = 100) -> None:
    """Both filled: `equal` customers, products and invoices that are the same, and every kind of near and twice."""
    for at in range(equal):
        day, net, number = START + timedelta(days=at % 60), f"{100 + at}.00", 20_000 + at
        for box in (shop, books):
            of = customer(box, f"Kunde {at} AS", organizationNumber=NUMBERS[at])
            invoice(box, of, net, number=number, day=day)
            product(box, f"V{at}", f"Vare {at}")
    # Only on one side.
    for at in range(10):
        of = customer(shop, f"Bare butikk {at}", email=f"butikk{at}@eksempel.no")
        invoice(shop, of, "50.00", number=30_000 + at, day=START)
        of = customer(books, f"Bare regnskap {at}", email=f"regnskap{at}@eksempel.no")
        invoice(books, of, "60.00", number=40_000 + at, day=START)
        product(shop, f"B{at}", f"Bare butikk {at}")
        product(books, f"R{at}", f"Bare regnskap {at}")
    # Near: an e-mail address, a name; an invoice with another amount.
    for at in range(10):
        of = customer(shop, f"Nær {at}", invoiceEmail=f"post{at}@naer.no")
        invoice(shop, of, "70.00", number=50_000 + at, day=START)
        of = customer(books, f"Naer {at} AS", invoiceEmail=f"post{at}@naer.no")
        invoice(books, of, "71.00", number=50_000 + at, day=START)
    # Twice: two in the ledger for one of ours, and one in the ledger for two of ours.
    for at in range(5):
        number = NUMBERS[200 + at]
        customer(shop, f"Dobbel {at}", organizationNumber=number)
        for _ in range(2):
            customer(books, f"Dobbel {at}", organizationNumber=number)
        for _ in range(2):
            customer(shop, f"Tvilling {at}{_}", email=f"tvilling{at}@eksempel.no")
        customer(books, f"Tvilling {at}", email=f"tvilling{at}@eksempel.no")


@pytest.fixture
def filled(both: Any) -> Any:
    """Two filled ledgers: `shop` is read, `books` shall be joined."""
    return lambda **more: both(to="[shop, books]", owner="shop", observing=more.pop("observing", "books"), **more)


async def read(two: Any, name: str = "shop") -> None:
    spoke = two.house.named("fjord", name)
    for kind in READ:
        await two.house.store.write(lambda tx, k=kind: reads.poll(tx, spoke, k))
    await two.work(within=2.5)


async def test_two_filled_ledgers_are_joined_and_counted(filled: Any) -> None:
    async with filled(observing="") as two:
        fill(two.shop, two.books)
        await read(two)
        before = {name: two.shop.state()["counts"].get(name) for name in ("customer", "product", "invoice")}
        was = {name: len(active(two.books, name)) for name in ("customer", "product")} | {"invoice": issued(two.books)}
        found, content = await proposal(two)
        # Every thing of either side stands in the proposal, and only what is certain is linked.
        counted = Counter((line.kind, line.action) for line in found.lines)
        assert counted["customer", "link"] == counted["invoice", "link"] == counted["product", "link"] == 100
        assert counted["invoice", None] == 10, "another amount under the same number is a question"
        questions = [line for line in found.lines if line.kind == "customer" and line.action is None]
        assert len([line for line in questions if line.certainty == "likely"]) >= 10
        assert len([line for line in questions if line.rivals]) == 10 + 10
        # Nothing was linked, made or written so far.
        assert await two.get("/v1/documents", kind="customer", connection="books") is not None
        assert {name: len(active(two.books, name)) for name in ("customer", "product")} == {
            name: was[name] for name in ("customer", "product")
        }
        with pytest.raises(BadInput) as open_questions:
            await applied(two, content)
        assert open_questions.value.code == "proposal-wrong"
        assert len(open_questions.value.details) == sum(line.action is None for line in found.lines)

        def decide(line: dict[str, str]) -> str | None:
            if line["slag"] == "kunde" and line["handling"] == "?" and line["vårt navn"].startswith("Nær"):
                return "koble"
            if line["slag"] == "produkt" and line["vårt navn"].startswith("Bare butikk"):
                return "opprett"
            return left(line)

        totals = await applied(two, answered(content, decide))
        assert totals.before == totals.after
        assert totals.before["account"] == totals.before["open"]
        # Counted in both: ten products were made in the books, and nothing else; nothing in the shop.
        assert len(active(two.books, "customer")) == was["customer"]
        assert len(active(two.books, "product")) == was["product"] + 10
        assert issued(two.books) == was["invoice"]
        assert {name: two.shop.state()["counts"].get(name) for name in before} == before
        names = Counter(one["name"] for one in active(two.books, "product"))
        assert set(names.values()) == {1}, "nothing is there twice"
        # What comes by the ordinary way afterwards joins nothing that was left.
        await read(two, "books")
        assert len(active(two.books, "product")) == was["product"] + 10
        links = await two.house.store.read(lambda tx: _linked(tx, two.house.named("fjord", "books")))
        assert links["invoice"] == 100 + 10
        assert links["customer"] == 100 + 10 + 10
        assert links["product"] == 100 + 10 + 10
        open_here = sum(one.here for one in totals.customers if one.name and one.name.startswith("Kunde"))
        assert open_here == sum(one.after for one in totals.customers if one.name and one.name.startswith("Kunde"))
        # And back.
        count, kept = await undone(two)
        assert kept == []
        assert len(active(two.books, "product")) == was["product"]
        assert len(active(two.books, "customer")) == was["customer"]
        assert issued(two.books) == was["invoice"]
        assert {name: two.shop.state()["counts"].get(name) for name in before} == before
        links = await two.house.store.read(lambda tx: _linked(tx, two.house.named("fjord", "books")))
        assert sum(links.values()) == 0
        assert count == 100 * 3 + 10 + 10 + 10 + 10 + 10
        # It can be proposed again: the same is found again.
        again, _ = await proposal(two)
        assert Counter((line.kind, line.action) for line in again.lines)["customer", "link"] == 100


def _linked(tx: Any, spoke: Any) -> dict[str, int]:
    from connector.store import links

    return {kind: links.count(tx, spoke.id, kind) for kind in ("customer", "product", "invoice")}
