"""What of a first sync cannot be taken back stays, and it is said why: nobody's later work is lost with it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from filled_books import NUMBERS, PAID, START, answered, customer, invoice, left

from connector.api.examples import CUSTOMER
from connector.errors import BadInput, NeedsPerson
from connector.ports import Kind
from connector.service import first_sync as joining
from connector.store import connections, documents, first_sync, work
from connector.sync import reads
from connector.sync.first_sync import applying, status, undoing


@pytest.fixture
def filled(both: Any) -> Any:
    """Two filled ledgers: `shop` is read, `books` observes and shall be joined."""
    return lambda **more: both(to="[shop, books]", owner=more.pop("owner", "shop"), observing="books", **more)


async def read(two: Any, name: str, *kinds: Kind) -> None:
    spoke = two.house.named("fjord", name)
    for kind in kinds or (Kind.CUSTOMER, Kind.INVOICE, Kind.PAYMENT):
        await two.house.store.write(lambda tx, k=kind: reads.poll(tx, spoke, k))
    await two.work(within=2.5)


async def joined(two: Any) -> None:
    """Both are joined: what is certain is linked, what only the books have becomes known here."""
    spoke = two.house.named("fjord", "books")
    await two.house.store.write(lambda tx: status.note(tx, spoke, status.OPEN, who="test"))
    await read(two, "shop")
    found = await joining.propose(two.house, spoke, who="test")
    content = answered(joining.deciding.as_sheet(found, spoke, "now"), left)
    await joining.apply(two.house, spoke, content, file="f.csv", who="test")


async def undone(two: Any, keep: Callable[[str], bool] = lambda line: True) -> list[str]:
    """Why lines stay, of those that are kept in the undo file."""
    spoke = two.house.named("fjord", "books")
    content, _ = await two.house.store.read(lambda tx: joining.undo_sheet(tx, spoke))
    title, head, *lines = content.decode("utf-8-sig").splitlines(keepends=True)
    file = "".join([title, head, *filter(keep, lines)]).encode()
    return list((await joining.undo(two.house, spoke, file, file="u.csv", who="test"))[1])


async def named(two: Any, name: str) -> list[Any]:
    found = await two.house.store.read(lambda tx: documents.find(tx, "fjord", kind="customer"))
    return [one for one in found if one.counterparty_name == name]


async def test_what_others_refer_to_stays(filled: Any) -> None:
    async with filled() as two:
        invoice(two.books, customer(two.books, "Bare regnskap"), "10.00", number=20_000, day=START)
        await joined(two)
        [why] = await undone(two, lambda line: ";customer;" in line)
        assert "other documents or systems refer to it" in why
        assert len(await named(two, "Bare regnskap")) == 1
        assert await undone(two) == [], "with its invoice it can be let go"
        assert await named(two, "Bare regnskap") == []


async def test_what_money_that_was_read_from_there_settles_stays_linked(filled: Any) -> None:
    async with filled(owner="books") as two:
        for box in (two.shop, two.books):
            made = invoice(
                box, customer(box, "Kunde AS", organizationNumber=NUMBERS[0]), "100.00", number=20_000, day=START
            )
        await joined(two)
        two.books.payment(made["id"], Decimal(25), PAID)
        await read(two, "books")
        kept = await undone(two)
        assert any("payments that were read from books settle it" in why for why in kept), kept


async def test_what_was_changed_since_says_what_it_says_now(filled: Any) -> None:
    async with filled() as two:
        there = customer(two.shop, "Kunde AS", organizationNumber=NUMBERS[0])
        customer(two.books, "Kunde AS", organizationNumber=NUMBERS[0], invoiceEmail="faktura@kunde.no")
        await joined(two)
        two.shop.books.touch(two.shop.books.things["customer"][there], name="Kunde og Sønn AS")
        await read(two, "shop", Kind.CUSTOMER)
        [why] = await undone(two)
        assert "has been changed since" in why
        [now] = await named(two, "Kunde og Sønn AS")
        body = await two.house.store.read(lambda tx: documents.get(tx, "fjord", now.id).body)
        assert body["invoice_email"] == "faktura@kunde.no"


async def asked(two: Any) -> Any:
    """A customer of ours that is to be made in the books by the first sync; its row. The books are paused."""
    spoke = two.house.named("fjord", "books")
    await two.house.store.write(
        lambda tx: connections.pause(tx, spoke.id, NeedsPerson("Not now.", code="not-now", do="Wait."))
    )
    assert (await two.post("/v1/customers", CUSTOMER)).status_code == 202
    await two.work()

    def decide(tx: Any) -> Any:
        (ours,) = documents.find(tx, "fjord", kind="customer")
        first_sync.decide_ours(tx, "fjord", spoke.id, "customer", ours.id, "create")
        (row,) = first_sync.find(tx, spoke.id)
        return row

    return await two.house.store.write(decide)


async def test_what_is_on_its_way_is_not_cancelled(both: Any) -> None:
    async with both() as two:
        row, spoke = await asked(two), two.house.named("fjord", "books")

        def take_back(tx: Any) -> tuple[str | None, str]:
            [push] = [one for one in work.find(tx, tenant="fjord", connection=spoke.id) if one.kind == "push-customer"]
            work.move(tx, push, "running")
            tx.settle()
            first_sync.change(tx, row.id, state="asked")
            why = undoing.take_back(tx, two.house, spoke, row.id)
            tx.settle()
            return why, work.get(tx, push.id).state

        why, state = await two.house.store.write(take_back)
        assert "take it back when that is over" in str(why)
        assert state == "running"
        row = await two.house.store.read(lambda tx: first_sync.get(tx, row.id))
        assert row.state == "asked"


async def test_what_was_decided_and_not_begun_is_not_made_any_more(both: Any) -> None:
    async with both() as two:
        row, spoke = await asked(two), two.house.named("fjord", "books")
        await two.house.store.write(lambda tx: undoing.begin(tx, spoke, who="test"))
        assert await two.house.store.write(lambda tx: applying.catch_up(tx, spoke)) in (0, (0, None))
        row = await two.house.store.read(lambda tx: first_sync.get(tx, row.id))
        assert row.state == "undone"


@pytest.mark.parametrize("line", ["l-nothing;customer", "{row};customer"])
async def test_a_file_that_names_what_is_of_another_connection_is_refused(both: Any, line: str) -> None:
    async with both() as two:
        row, shop = await asked(two), two.house.named("fjord", "shop")
        content = f"{undoing.TITLE};shop\nlinje;slag\n{line.format(row=f'l-{row.id}')}\n".encode()
        with pytest.raises(BadInput) as refused:
            await joining.undo(two.house, shop, content, file="u.csv", who="test")
        assert (refused.value.code, refused.value.where["line"]) == ("undo-malformed", 3)
        assert await two.house.store.read(lambda tx: status.of(tx, shop.id)) is None, "it was begun"
