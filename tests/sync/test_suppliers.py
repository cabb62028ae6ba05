"""Suppliers are a register like the others: matched, twice, closed and gone they mean what the mapping says."""

from __future__ import annotations

from typing import Any

from adapters.accounting.tripletex.sandbox import Sandbox, registers
from connector.ports import Kind


def made(box: Sandbox, **more: Any) -> Any:
    said = {"name": "Selger AS", "organizationNumber": "974760673", **more}
    return registers.create(box.books, registers.REGISTERS["supplier"], said)


async def test_one_that_two_ledgers_have_is_one_and_changes_reach_the_other(two: Any) -> None:
    there = [made(box, email="post@selger.no") for box in (two.books, two.shop)]
    await two.poll(Kind.SUPPLIER)
    supplier = await two.document(kind="supplier")
    assert [link["vendor_id"] for link in supplier.links] == [str(one["id"]) for one in there]
    two.books.books.touch(there[0], email="ny@selger.no", isInactive=True)
    await two.poll(Kind.SUPPLIER)
    assert (there[1]["email"], there[1]["isInactive"]) == ("ny@selger.no", True)
    assert await two.waits() == []


async def test_one_that_is_there_twice_is_for_a_person(two: Any) -> None:
    first, again = made(two.books), made(two.books)
    await two.poll(Kind.SUPPLIER)
    assert await two.waits() == ["supplier-twice"]
    await two.answer("supplier-twice", "happened", str(again["id"]))
    supplier = await two.document(kind="supplier")
    assert {str(first["id"]), str(again["id"])} == {link["vendor_id"] for link in supplier.links}
    assert await two.waits() == []


async def test_what_is_gone_is_looked_for_twice_and_then_asked_about(two: Any) -> None:
    for at in range(3):
        gone = made(two.books, name=f"Selger {at}", organizationNumber=None)
    await two.poll(Kind.SUPPLIER)
    del two.books.books.things["supplier"][gone["id"]]
    await two.sweep(Kind.SUPPLIER)
    assert await two.waits() == ["supplier-vanished"]


async def test_rights_that_are_missing_hide_and_delete_nothing(two: Any) -> None:
    for at in range(3):
        made(two.books, name=f"Selger {at}", organizationNumber=None)
    await two.poll(Kind.SUPPLIER)
    two.books.books.rules.without_right = "403"
    next(iter(two.books.access.values())).rights -= {"supplier"}
    await two.sweep(Kind.SUPPLIER)
    assert await two.waits() == [], "a register that cannot be read says nothing of what is in it"
