"""Two filled ledgers, and a program with a filled one, are joined by a first sync and counted afterwards."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from filled_books import active, answered, fill, issued, left

from connector.errors import BadInput
from connector.ports import Kind
from connector.service import joining
from connector.sync import reads

READ = (Kind.CUSTOMER, Kind.SUPPLIER, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT)


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
