"""A first sync whose process is killed: in the middle of its lines, and in the middle of a call. Each line once."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from filled_books import NUMBERS, START, active, answered, customer, invoice, issued, left, lines_of, product, sheet_of
from sqlalchemy import func, select

from adapters.accounting.tripletex.sandbox import Request, Sandbox
from connector.ports import Kind
from connector.service import first_sync as joining
from connector.store import first_sync, links, schema
from connector.store.kept import record_of
from connector.sync import reads
from connector.sync.arriving import arrive
from connector.sync.first_sync import deciding

table = schema.metadata.tables["first_sync"]


class Deadly(Sandbox):
    """Books that kill the process when a product is made: the call is done, and its answer never leaves."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.victim: subprocess.Popen[bytes] | None = None
        self.made = 0
        self.deadly: set[int] = set()

    def handle(self, request: Request) -> tuple[Any, float]:
        """As the sandbox does it; at some products with fate."""
        answer = super().handle(request)
        if (request.method, request.path) == ("POST", "/v2/product"):
            self.made += 1
            if self.made in self.deadly and self.victim is not None:
                self.victim.send_signal(signal.SIGKILL)
                return None, 0.0
        return answer


def apply(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "connector", "first-sync", "apply", "books", *words, "--format", "json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


async def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    out, err = await asyncio.to_thread(process.communicate)
    return process.returncode, (out + err).decode()


async def test_killed_anywhere_each_line_is_done_once(both: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    async with both(to="[shop, books]", owner="shop", boxes=Deadly) as two:
        for at in range(60):
            for box in (two.shop, two.books):
                of = customer(box, f"Kunde {at} AS", organizationNumber=NUMBERS[at])
                invoice(box, of, "100.00", number=20_000 + at, day=START)
            product(two.shop, f"B{at}", f"Bare butikk {at}")
        shop, spoke = two.house.named("fjord", "shop"), two.house.named("fjord", "books")
        for kind in (Kind.CUSTOMER, Kind.PRODUCT, Kind.INVOICE):
            await two.house.store.write(lambda tx, k=kind: reads.poll(tx, shop, k))
        await two.work(within=2.5)
        found = await joining.propose(two.house, spoke, who="test")

        def decide(line: dict[str, str]) -> str | None:
            return "opprett" if line["slag"] == "produkt" else left(line)

        file = tmp_path / "f.csv"
        file.write_bytes(answered(deciding.as_sheet(found, spoke, "now"), decide))
        was, before = len(active(two.books, "customer")), issued(two.books)

        def begun(tx: Any) -> int:
            query = select(func.count()).select_from(table).where(table.c.state.in_(("asked", "done")))
            return int(tx.execute(query).scalar_one())

        # Killed while the lines are begun: some are, most are not.
        process = apply(str(file))
        for _ in range(3000):
            if await two.house.store.read(begun) > 20:
                break
            await asyncio.sleep(0.005)
        else:
            pytest.fail("no line was ever begun")
        process.kill()
        code, said = await ended(process)
        assert code == -signal.SIGKILL, said
        assert await two.house.store.read(begun) < 180, "killed too late to say anything"
        # Killed in calls: the products are made, and nobody hears it.
        two.books.deadly = {3, 17}
        for _ in range(2):
            two.books.victim = process = apply()
            code, said = await ended(process)
            assert code == -signal.SIGKILL, said
        two.books.victim = None
        for _ in range(5):
            code, said = await ended(apply())
            if code != 2 or '"waiting": []' in said:
                break
        else:
            pytest.fail(f"it does not end: {said}")
        await two.work(within=2.5)
        assert code in (0, 1, 2), said
        names = Counter(one["name"] for one in active(two.books, "product"))
        assert names == {f"Bare butikk {at}": 1 for at in range(60)}
        assert (len(active(two.books, "customer")), issued(two.books)) == (was, before)
        linked = await two.house.store.read(lambda tx: _linked(tx, spoke.id))
        assert linked == {"customer": 60, "invoice": 60, "product": 60}
        assert [code for code in await two.waits() if code != "customer-twice"] == []


def _linked(tx: Any, id: str) -> dict[str, int]:
    return {kind: links.count(tx, id, kind) for kind in ("customer", "invoice", "product")}


async def test_broken_off_while_the_file_is_noted_nothing_holds_and_it_is_given_again(
    both: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(deciding, "BATCH", 4)
    async with both(to="[shop, books]", owner="shop") as two:
        for at in range(6):
            for box in (two.shop, two.books):
                customer(box, f"Kunde {at} AS", organizationNumber=NUMBERS[at])
            product(two.shop, f"B{at}", f"Bare butikk {at}")
        shop, spoke = two.house.named("fjord", "shop"), two.house.named("fjord", "books")
        for kind in (Kind.CUSTOMER, Kind.PRODUCT):
            await two.house.store.write(lambda tx, k=kind: reads.poll(tx, shop, k))
        await two.work(within=2.5)
        found = await joining.propose(two.house, spoke, who="test")
        content = answered(deciding.as_sheet(found, spoke, "now"), left)
        seen: list[tuple[int, int]] = []

        def dies(noted: int, of: int) -> None:
            seen.append((noted, of))
            raise KeyError

        for _ in range(2):
            with pytest.raises(KeyError):
                await joining.apply(two.house, spoke, content, file="f.csv", who="test", noted=dies)
        assert seen[0][0] == 4 < seen[0][1]
        # What is half noted is nobody's: nothing is linked, and a record that arrives is left alone.
        await two.poll(Kind.CUSTOMER, of="books")
        record = await two.house.store.read(lambda tx: first_sync.find(tx, spoke.id, kind="customer", state="decided"))
        assert record, "some of it is noted"

        def comes(tx: Any) -> None:
            arrive(tx, spoke, record_of(record[0].record, "customer"))

        await two.house.store.write(comes)
        await two.work(within=1.0)
        assert await two.house.store.read(lambda tx: links.count(tx, spoke.id, "customer")) == 0
        assert "first-sync-open" in await two.waits()
        await joining.apply(two.house, spoke, content, file="f.csv", who="test")
        assert await two.house.store.read(lambda tx: links.count(tx, spoke.id, "customer")) == 6
        assert [one for one in await two.events() if one == "connection.joined"] == ["connection.joined"]


async def test_another_file_is_given_and_nothing_of_the_first_holds(
    both: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """By the first file a product is made there; by the second it is one that is there already."""
    monkeypatch.chdir(tmp_path)
    async with both(to="[shop, books]", owner="shop") as two:
        product(two.shop, "B1", "Bare butikk")
        there = product(two.books, "R1", "Noe annet")
        shop, spoke = two.house.named("fjord", "shop"), two.house.named("fjord", "books")
        await two.house.store.write(lambda tx: reads.poll(tx, shop, Kind.PRODUCT))
        await two.work(within=2.5)
        found = await joining.propose(two.house, spoke, who="test")
        content = answered(deciding.as_sheet(found, spoke, "now"), lambda line: "opprett")

        def dies(noted: int, of: int) -> None:
            if noted == of:
                raise KeyError

        with pytest.raises(KeyError):
            await joining.apply(two.house, spoke, content, file="f.csv", who="test", noted=dies)
        made = await two.house.store.read(lambda tx: first_sync.find(tx, spoke.id, action="create", state="decided"))
        assert [row.vendor_id for row in made if row.vendor_id is None] == [None], "the first file has it made"
        title, lines = lines_of(content)
        ours = next(line for line in lines if line["vårt nummer"] == "B1")
        theirs = next(line for line in lines if line["deres id"] == f"t-{there}")
        ours |= {"handling": "koble", "deres id": theirs["deres id"]}
        theirs["handling"] = "la stå"
        await joining.apply(two.house, spoke, sheet_of(title, lines), file="f.csv", who="test")
        await two.work(within=2.5)
        assert [one["number"] for one in active(two.books, "product")] in (["R1"], ["B1"]), "it is there once"
        assert await two.house.store.read(lambda tx: links.count(tx, spoke.id, "product")) == 1
        assert await two.house.store.read(lambda tx: first_sync.find(tx, spoke.id, action="create")) == []
