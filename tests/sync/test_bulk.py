"""A read that shows more changes than the mapping believes is not kept before a person says that it is meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.accounting.tripletex import client, registers
from connector.ports import Kind
from connector.store import connections

MAPPING = "product: {changed_at_most: 20}"


async def posted(two: Any, register: Any, many: int) -> list[Any]:
    """So many products in both ledgers; those of `books`, as they lie there."""
    for at in range(many):
        await two.done("/v1/products", {"number": str(at), "name": f"Vare {at}"})
    await two.poll(Kind.PRODUCT)
    there = two.books.books.things["product"]
    return [there[one["id"]] for one in register(two.books, "product")]


def names(two: Any, register: Any) -> list[str]:
    return [one["name"] for one in register(two.shop, "product")]


async def test_more_changes_than_are_believed_wait_for_a_person(both: Any, register: Any) -> None:
    async with both(mapping=MAPPING) as two:
        made = await posted(two, register, 10)
        for one in made[:3]:
            two.books.books.touch(one, name="Feil")
        await two.poll(Kind.PRODUCT)
        (item,) = await two.get("/v1/attention")
        assert (item["code"], item["details"]["details"]) == (
            "too-many-changed",
            {"linked": 10, "changed": 3, "at_most": 2},
        )
        assert "Feil" not in names(two, register)
        await two.sweep(Kind.PRODUCT)
        assert await two.waits() == ["too-many-changed"]
        assert "Feil" not in names(two, register)
        await two.answer("too-many-changed", "theirs")
        await two.poll(Kind.PRODUCT)
        assert names(two, register).count("Feil") == 3
        assert await two.waits() == []


async def test_what_is_mended_there_first_never_comes_here(both: Any, register: Any) -> None:
    async with both(mapping=MAPPING) as two:
        made = await posted(two, register, 10)
        before = [one["name"] for one in made]
        for one in made:
            two.books.books.touch(one, name="Feil")
        await two.poll(Kind.PRODUCT)
        for one, name in zip(made, before, strict=True):
            two.books.books.touch(one, name=name)
        await two.answer("too-many-changed", "theirs")
        await two.poll(Kind.PRODUCT)
        assert names(two, register) == before
        assert await two.waits() == []


async def test_a_persons_word_holds_for_a_day(both: Any, register: Any) -> None:
    async with both(mapping=MAPPING) as two:
        made, books = await posted(two, register, 10), two.house.named("fjord", "books")

        async def said(ago: timedelta) -> None:
            word = (two.house.store.clock() - ago).isoformat()
            await two.house.store.write(lambda tx: connections.put_cursor(tx, books.id, "believed:product", word))

        for hours, name, waits in ((23, "Ny", []), (25, "Feil", ["too-many-changed"])):
            await said(timedelta(hours=hours))
            for one in made[:3]:
                two.books.books.touch(one, name=name)
            await two.poll(Kind.PRODUCT, of="books")
            assert await two.waits() == waits
        assert names(two, register).count("Ny") == 3
        assert "Feil" not in names(two, register)


async def test_a_few_changes_are_taken_over(both: Any, register: Any) -> None:
    async with both(mapping=MAPPING) as two:
        made = await posted(two, register, 10)
        for one in made[:2]:
            two.books.books.touch(one, name="Ny")
        await two.poll(Kind.PRODUCT)
        assert names(two, register).count("Ny") == 2
        assert await two.waits() == []


async def test_the_pages_of_one_read_are_counted_together(
    both: Any, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE", 4)
    monkeypatch.setattr(registers, "PAGE", 4)
    async with both(mapping=MAPPING) as two:
        made = await posted(two, register, 20)
        for one in made:
            two.books.books.touch(one, name="Feil")
        await two.poll(Kind.PRODUCT, of="books")
        assert await two.waits() == ["too-many-changed"]
        assert names(two, register).count("Feil") == 4, "the page before, and no more"
        await two.poll(Kind.PRODUCT, of="books")
        assert names(two, register).count("Feil") == 4
        await two.answer("too-many-changed", "theirs")
        await two.poll(Kind.PRODUCT, of="books")
        assert names(two, register).count("Feil") == 20
        assert await two.waits() == []
