"""Two filled ledgers, and a program with a filled one, are joined by a first sync and counted afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from filled_books import (
    NUMBERS,
    START,
    active,
    answered,
    customer,
    fill,
    invoice,
    issued,
    left,
    lines_of,
    product,
    sheet_of,
)
from typer.testing import CliRunner

from adapters.accounting.tripletex.sandbox.sales import open_by
from connector.api.examples import INVOICE_DRAFT
from connector.cli import connections as connections_cli
from connector.errors import BadInput, NeedsPerson
from connector.ports import Kind
from connector.service import first_sync as joining
from connector.store import arrivals, connections, documents, first_sync, links, work
from connector.sync import reads
from connector.sync.catching_up import catch_up
from connector.sync.first_sync import applying, status, undoing

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
    saved = content.decode("utf-8-sig").encode("cp1252")  # as a spreadsheet saves it
    return await joining.undo(two.house, spoke, saved, file="u.csv", who="test")


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

        meant: set[str] = set()

        def decide(line: dict[str, str]) -> str | None:
            if line["slag"] == "kunde" and line["handling"] == "?" and line["vårt navn"].startswith("Nær"):
                return "koble"
            if line["slag"] == "kunde" and line["vårt navn"].startswith("Dobbel"):
                first = line["vår id"] not in meant
                meant.add(line["vår id"])
                return "koble" if first else "dublett"
            if line["slag"] == "kunde" and line["deres navn"].startswith("Alene dobbel"):
                first = line["deres navn"] not in meant
                meant.add(line["deres navn"])
                return "opprett" if first else "dublett"
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
        assert links["invoice"] == 100 + 10 + 5 + 5, "also those on the second of two customers that are one"
        assert links["customer"] == 100 + 10 + 10 + 5 + 5
        assert links["product"] == 100 + 10 + 10
        # The same money stands in both, and is counted once: nothing is apart, and nothing waits but what was asked.
        assert Counter(await two.waits()) == {"conflict": 10}, "ten names differ, and somebody says which holds"
        asked = [one["details"]["details"] for one in await two.get("/v1/attention") if one["code"] == "conflict"]
        told = {one["changed"]["ours"]["by"].partition(",")[0] for item in asked for one in item}
        assert told <= {"api", "shop"}, "a person knows connections by name"
        assert await apart(two, "books") == []
        spoke = two.house.named("fjord", "books")
        assert not await two.house.store.read(
            lambda tx: arrivals.any_queued(tx, "fjord", spoke.id, [f"record-{kind}" for kind in Kind])
        ), "money of what was left out is left out, too"
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
        assert "conflict" not in await two.waits(), "what is linked no more needs no answer"
        assert count == 100 * 3 + 10 + 10 + 10 + 10 + 10 + 5 * 3 + 5 * 3
        # It can be proposed again: the same is found again.
        again, _ = await proposal(two)
        assert Counter((line.kind, line.action) for line in again.lines)["customer", "link"] == 100


async def apart(two: Any, name: str) -> list[tuple[Any, Any]]:
    """Linked invoices of which something else is open here than in the ledger."""
    spoke, box = two.house.named("fjord", name), getattr(two, name)

    def look(tx: Any) -> list[tuple[Any, Any]]:
        found = []
        for link in links.page(tx, spoke.id, "invoice", limit=10_000):
            here = documents.get(tx, "fjord", link.document).open_amount
            there = open_by(box.books.things["invoice"][int(link.vendor_id)])
            if here != there:
                found.append((here, there))
        return found

    return list(await two.house.store.read(look))


def _linked(tx: Any, spoke: Any) -> dict[str, int]:
    return {kind: links.count(tx, spoke.id, kind) for kind in ("customer", "product", "invoice")}


async def test_a_program_that_posts_is_joined_with_a_filled_ledger(both: Any, database_url: str) -> None:
    """The program knows 40 customers, the ledger 40; 30 are the same. Ten open invoices are in both, five only here."""
    async with both(observing="books", database=database_url) as two:
        box, spoke = two.books, two.house.named("fjord", "books")
        await two.house.store.write(lambda tx: status.note(tx, spoke, status.OPEN, who="test"))
        for at in range(30):
            of = customer(box, f"Kunde {at} AS", organizationNumber=NUMBERS[at])
            if at < 10:
                invoice(box, of, f"{100 + at}.00", number=20_000 + at, day=START)
        for at in range(30, 40):
            customer(box, f"Bare regnskap {at}", organizationNumber=NUMBERS[at])
        for at in range(20):
            product(box, f"V{at}", f"Vare {at}")
        for at in (*range(30), *range(40, 50)):
            party = {"name": f"Kunde {at} AS", "legal_id": {"value": NUMBERS[at], "scheme": "0192"}}
            answer = await two.post("/v1/customers", {"source_id": f"k{at}", "party": party})
            assert answer.status_code == 202, answer.text
        for at in range(30):
            answer = await two.post("/v1/products", {"source_id": f"v{at}", "number": f"V{at}", "name": f"Vare {at}"})
            assert answer.status_code == 202, answer.text
        for at in range(15):
            await two.post("/v1/invoices", draft(at))
        await two.work(within=1.0)
        was = {name: len(active(box, name)) for name in ("customer", "product")} | {"invoice": issued(box)}
        found, content = await proposal(two)
        counted = Counter((line.kind, line.action) for line in found.lines)
        assert counted["customer", "link"] == 30
        assert counted["customer", "create"] == 20, "ten here are to be made there, ten there are to be known here"
        assert counted["product", "link"] == 20
        assert counted["invoice", None] == 10, "without a number it is likely at most: a person says so"
        assert counted["invoice", "create"] == 5

        def decide(line: dict[str, str]) -> str | None:
            return "koble" if line["handling"] == "?" and line["deres id"] and line["vår id"] else left(line)

        totals = await applied(two, answered(content, decide))
        assert totals.apart == []
        assert totals.here == totals.after["open"] == sum(Decimal("1.25") * (100 + at) for at in range(10))
        # It observes: nothing has been written there.
        assert {name: len(active(box, name)) for name in ("customer", "product")} | {"invoice": issued(box)} == was
        numbered = await two.get("/v1/documents", kind="invoice", limit=100)
        numbers = sorted(one["number"] for one in numbered["documents"] if one.get("number"))
        assert numbers == [str(20_000 + at) for at in range(10)], "the ledger's numbers came to what it had issued"
        # Cut over: what was decided is made, and nothing else; a second time nothing.
        for _ in range(2):
            await two.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="active"))
            after = None
            while True:
                _, after = await two.house.store.write(lambda tx, at=after: applying.catch_up(tx, spoke, at))
                if after is None:
                    break
            await catch_up(two.house.store, two.house, spoke)
            await two.work(within=2.5)
            await read(two, "books")
            made = {name: len(active(box, name)) for name in ("customer", "product")} | {"invoice": issued(box)}
            assert made == {"customer": was["customer"] + 10, "product": was["product"] + 10, "invoice": 15}
        assert await two.waits() == []
        assert await apart(two, "books") == []
        # And back: what was made is closed, what was issued stays, and it is said why.
        _, kept = await undone(two)
        assert len([one for one in kept if "credit it there" in one]) == 5
        assert len(active(box, "customer")) == was["customer"]
        assert len(active(box, "product")) == was["product"]
        assert issued(box) == 15
        documents_left = (await two.get("/v1/documents", kind="customer", limit=100))["documents"]
        assert len(documents_left) == 40, "what only the ledger knew is not known here any more"


def draft(at: int) -> dict[str, Any]:
    """An invoice without a number, for customer `at`."""
    line = {
        "id": "1",
        "name": "Arbeid",
        "quantity": "1",
        "price": f"{100 + at}.00",
        "vat_category": "S",
        "vat_rate": "25",
    }
    party = {"name": f"Kunde {at} AS", "legal_id": {"value": NUMBERS[at], "scheme": "0192"}}
    head = {"source_id": f"i{at}", "issue_date": str(START), "due_date": "2026-02-15", "currency": "NOK"}
    return {**head, "seller": INVOICE_DRAFT["seller"], "buyer": party, "lines": [line]}


async def test_what_needs_something_that_is_taken_back_before_it_was_made_asks_a_person(both: Any) -> None:
    async with both() as two:
        spoke = two.house.named("fjord", "books")
        reason = NeedsPerson("Not now.", code="not-now", do="Wait.")
        await two.house.store.write(lambda tx: connections.pause(tx, spoke.id, reason))
        assert (await two.post("/v1/invoices", draft(0))).status_code == 202
        await two.work()

        def take_back(tx: Any) -> list[tuple[str, str, Any]]:
            (buyer,) = documents.find(tx, "fjord", kind="customer")
            first_sync.decide_ours(tx, "fjord", spoke.id, "customer", buyer.id, "create")
            (row,) = first_sync.find(tx, spoke.id)
            first_sync.change(tx, row.id, state="asked")
            assert undoing.take_back(tx, two.house, spoke, row.id) is None
            tx.settle()
            found = [one for one in work.find(tx, tenant="fjord") if one.kind.startswith("push-")]
            return sorted((one.kind, one.state, (one.error or {}).get("code")) for one in found)

        assert await two.house.store.write(take_back) == [
            ("push-customer", "cancelled", None),
            ("push-invoice", "parked", "need-cancelled"),
        ]
        assert "need-cancelled" in await two.waits()


# --- what a file may not ask for --------------------------------------------------------------------------------------


def changed(line: dict[str, str], **cells: str) -> dict[str, str]:
    return {**line, **{name.replace("_", " "): cell for name, cell in cells.items()}}


async def test_a_file_that_asks_for_what_cannot_be_is_refused_whole(filled: Any) -> None:
    async with filled() as two:
        for at in (0, 1):
            customer(two.shop, f"Kunde {at}", organizationNumber=NUMBERS[at])
        for at in (0, 2):
            of = customer(two.books, f"Kunde {at}", organizationNumber=NUMBERS[at])
        invoice(two.books, of, "10.00", number=20_000, day=START)
        await read(two)
        spoke = two.house.named("fjord", "books")
        await two.house.store.write(lambda tx: status.note(tx, spoke, status.OPEN, who="test"))
        found, content = await proposal(two)
        title, lines = lines_of(content)
        pair, alone, theirs, bill = lines
        assert [line["handling"] for line in lines] == ["koble", "la stå", "opprett", "opprett"]
        taken = pair["deres id"]
        wrong: list[tuple[int, str, list[dict[str, str]]]] = [
            (3, "waits for an answer", [changed(pair, handling="?"), alone, theirs, bill]),
            (3, "Two things are linked", [changed(pair, deres_id=""), alone, theirs, bill]),
            (
                4,
                "links the same thing",
                [pair, changed(alone, handling="koble", deres_id=pair["deres id"]), theirs, bill],
            ),
            (3, "These are two things", [changed(pair, handling="opprett"), alone, theirs, bill]),
            (7, "it would be there twice", [*lines, changed(theirs, deres_id=taken)]),
            (7, "makes the same thing already", [*lines, theirs]),
            (5, "Lines are missing", [pair, alone, bill]),
            (7, "no customer d-nothing", [*lines, changed(alone, vår_id="d-nothing")]),
            (5, "no customer t-999", [pair, alone, changed(theirs, deres_id="t-999"), bill]),
            (6, "Its customer", [pair, alone, changed(theirs, handling="la stå"), bill]),
            (4, "no line links", [pair, changed(alone, handling="dublett", deres_id=theirs["deres id"]), theirs, bill]),
        ]
        for row, said, these in wrong:
            with pytest.raises(BadInput) as refused:
                await applied(two, sheet_of(title, these))
            problems = [(one["line"], one["message"]) for one in refused.value.details]
            assert any(line == row and said in message for line, message in problems), (said, problems)
        assert await two.house.store.read(lambda tx: _linked(tx, spoke)) == {"customer": 0, "product": 0, "invoice": 0}
        # While it is not decided, the connection is not activated.
        done = await asyncio.to_thread(CliRunner().invoke, connections_cli.app, ["activate", "books"])
        assert (done.exit_code, "first-sync-open" in done.output) == (2, True)
        await applied(two, content)
        assert (await two.house.store.read(lambda tx: _linked(tx, spoke)))["customer"] == 2
