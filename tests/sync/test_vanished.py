"""What is closed or deleted in a ledger means what the mapping says; what cannot be seen is not taken for deleted."""

from __future__ import annotations

from typing import Any

from connector.api.examples import CUSTOMER, INVOICE_DRAFT, PRODUCT
from connector.ports import Kind


def product(at: int) -> dict[str, Any]:
    return {"number": str(at), "name": f"Vare {at}"}


async def posted(two: Any, register: Any, many: int = 1) -> list[dict[str, Any]]:
    """So many products in both ledgers; those of `books`."""
    for at in range(many):
        await two.done("/v1/products", product(at))
    await two.poll(Kind.PRODUCT)
    return register(two.books, "product")


# --- closed -----------------------------------------------------------------------------------------------------------


async def test_closing_is_followed_and_opening_again_too(two: Any, register: Any) -> None:
    (made,) = await posted(two, register)
    there = two.books.books.things["product"][made["id"]]
    for inactive in (True, False):
        two.books.books.touch(there, isInactive=inactive)
        await two.poll(Kind.PRODUCT)
        assert (await two.document(kind="product")).body.get("active", True) is not inactive
        assert register(two.shop, "product")[0]["isInactive"] is inactive
    assert await two.waits() == []


async def test_closing_can_be_ignored(both: Any, register: Any) -> None:
    async with both(mapping="product: {deactivated: ignore}") as two:
        (made,) = await posted(two, register)
        two.books.books.touch(two.books.books.things["product"][made["id"]], isInactive=True)
        await two.poll(Kind.PRODUCT)
        assert (await two.document(kind="product")).body.get("active", True)
        assert register(two.shop, "product")[0]["isInactive"] is False
        assert await two.waits() == []


async def test_closing_can_be_asked_about(both: Any, register: Any) -> None:
    async with both(mapping="product: {deactivated: ask}") as two:
        (made,) = await posted(two, register)
        there = two.books.books.things["product"][made["id"]]
        two.books.books.touch(there, isInactive=True)
        await two.poll(Kind.PRODUCT)
        assert await two.waits() == ["product-closed"]
        assert register(two.shop, "product")[0]["isInactive"] is False
        await two.answer("product-closed", "ours")
        assert there["isInactive"] is False
        two.books.books.touch(there, isInactive=True)
        await two.poll(Kind.PRODUCT)
        await two.answer("product-closed", "theirs")
        assert register(two.shop, "product")[0]["isInactive"] is True
        await two.poll(Kind.PRODUCT)
        assert await two.waits() == []


# --- deleted ----------------------------------------------------------------------------------------------------------


async def test_what_is_gone_is_looked_for_twice_and_then_asked_about(two: Any, register: Any) -> None:
    made = await posted(two, register, many=2)
    del two.books.books.things["product"][made[0]["id"]]
    before = len(two.books.requests)
    await two.sweep(Kind.PRODUCT)
    looks = [r.path for r in list(two.books.requests)[before:] if r.path.endswith(f"/product/{made[0]['id']}")]
    assert len(looks) == 1, "read page by page, then once more by itself"
    assert await two.waits() == ["product-vanished"]
    await two.sweep(Kind.PRODUCT)
    assert await two.waits() == ["product-vanished"]
    await two.answer("product-vanished", "ours")
    assert [one["number"] for one in register(two.books, "product")] == ["1", "0"]
    assert "product.vanished" in await two.events()
    del two.books.books.things["product"][register(two.books, "product")[1]["id"]]
    await two.sweep(Kind.PRODUCT)
    await two.answer("product-vanished", "theirs")
    assert [one["isInactive"] for one in register(two.shop, "product")] == [True, False]
    assert [link["connection"] for link in (await two.document(kind="product", number="0")).links] == ["shop"]


async def test_what_is_there_again_is_not_asked_about(two: Any, register: Any) -> None:
    made = await posted(two, register, many=2)
    two.books.access[next(iter(two.books.access))].hidden["product"] = {made[0]["id"]}
    await two.sweep(Kind.PRODUCT)
    assert await two.waits() == ["product-vanished"]
    two.books.access[next(iter(two.books.access))].hidden.clear()
    await two.sweep(Kind.PRODUCT)
    assert await two.waits() == []
    assert len((await two.document(kind="product", number="0")).links) == 2


async def test_deleting_can_be_followed_or_ignored(both: Any, register: Any) -> None:
    for meant, closed in (("follow", True), ("ignore", False)):
        async with both(mapping=f"product: {{deleted: {meant}}}") as two:
            made = await posted(two, register, many=2)
            del two.books.books.things["product"][made[0]["id"]]
            await two.sweep(Kind.PRODUCT)
            assert await two.waits() == []
            assert register(two.shop, "product")[0]["isInactive"] is closed
            document = await two.document(kind="product", number="0")
            assert [link["connection"] for link in document.links] == ["shop"]
            assert document.body.get("active", True) is not closed
        for file in (tmp := two.house.settings.database.removeprefix("sqlite:///"), f"{tmp}-wal", f"{tmp}-shm"):
            __import__("pathlib").Path(file).unlink(missing_ok=True)


async def test_all_at_once_is_believed_when_a_person_says_so(both: Any, register: Any) -> None:
    async with both(mapping="product: {deleted: follow}") as two:
        await posted(two, register, many=2)
        two.books.books.things["product"].clear()
        await two.sweep(Kind.PRODUCT)
        assert await two.waits() == ["too-many-gone"]
        await two.answer("too-many-gone", "theirs")
        assert all(one["isInactive"] for one in register(two.shop, "product"))


async def test_more_than_the_share_is_not_believed(both: Any, register: Any) -> None:
    async with both(mapping="product: {deleted: follow, deleted_at_most: 20}") as two:
        made, there = await posted(two, register, many=10), two.books.books.things["product"]
        gone = [there.pop(one["id"]) for one in made[:3]]
        await two.sweep(Kind.PRODUCT)
        (item,) = await two.get("/v1/attention")
        assert (item["code"], item["details"]["details"]["at_most"]) == ("too-many-gone", 2)
        assert not any(one["isInactive"] for one in register(two.shop, "product"))
        there[gone[0]["id"]] = gone[0]
        await two.sweep(Kind.PRODUCT)
        assert await two.waits() == []
        assert sum(one["isInactive"] for one in register(two.shop, "product")) == 2


async def test_rights_that_shrank_hide_and_delete_nothing(both: Any, register: Any) -> None:
    async with both(mapping="product: {deleted: follow}, customer: {deleted: follow}") as two:
        await posted(two, register)
        await two.done("/v1/customers", CUSTOMER)
        for how in ("empty", "403"):
            two.books.books.rules.without_right = how
            two.books.shrink("product")
            await two.sweep(Kind.PRODUCT)
            await two.poll(Kind.PRODUCT)
            assert not register(two.shop, "product")[0]["isInactive"]
            assert await two.waits() == ["too-many-gone"]
        two.books.books.rules.without_right = "403"
        two.books.shrink("sales")
        two.books.books.add("customer", name="Annen", customerNumber=5, isInactive=False)
        two.books.access[next(iter(two.books.access))].hidden["customer"] = {register(two.books, "customer")[0]["id"]}
        await two.sweep(Kind.CUSTOMER)
        assert "rights-missing" in await two.waits()
        assert not register(two.shop, "customer")[0]["isInactive"]
        assert len((await two.document(kind="customer", number="10001")).links) == 2


async def test_a_customer_with_invoices_is_hidden_rather_than_deleted(both: Any, register: Any) -> None:
    async with both(mapping="customer: {deleted: follow}") as two:
        await two.done("/v1/invoices", INVOICE_DRAFT)
        two.books.books.add("customer", name="Annen", customerNumber=5, isInactive=False)
        two.books.access[next(iter(two.books.access))].hidden["customer"] = {register(two.books, "customer")[0]["id"]}
        await two.sweep(Kind.CUSTOMER)
        assert await two.waits() == ["customer-vanished"]
        assert "rather hidden" in (await two.get("/v1/attention"))[0]["said"]


async def test_one_of_two_that_is_taken_away_settles_the_question(two: Any, register: Any) -> None:
    await two.done("/v1/customers", CUSTOMER)
    first = register(two.books, "customer")[0]
    again = two.books.books.add(
        "customer", name="Eksempel AS", organizationNumber="974760673", customerNumber=99, isInactive=False
    )
    await two.poll(Kind.CUSTOMER)
    assert await two.waits() == ["customer-twice"]
    del two.books.books.things["customer"][first["id"]]
    await two.sweep(Kind.CUSTOMER)
    assert await two.waits() == []
    customer = await two.document(kind="customer")
    assert [one["vendor_id"] for one in customer.links if one["connection"] == "books"] == [str(again["id"])]


async def test_a_product_that_is_closed_by_a_program_is_closed_in_the_ledgers(two: Any, register: Any) -> None:
    await two.done("/v1/products", PRODUCT)
    await two.done("/v1/products", {"number": "100", "active": False})
    assert [register(box, "product")[0]["isInactive"] for box in (two.books, two.shop)] == [True, True]
