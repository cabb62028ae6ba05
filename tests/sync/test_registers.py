"""Registers both ways: posted by programs, changed in one ledger and brought to the other; and who is who."""

from __future__ import annotations

import asyncio
from typing import Any

from connector.api.examples import BUYER, CUSTOMER, DEPARTMENT, PRODUCT
from connector.ports import Kind

ALWAYS = "customer: {creates: always}, product: {creates: always}, department: {creates: always}"


# --- from programs ----------------------------------------------------------------------------------------------------


async def test_what_a_program_posts_is_made_in_every_ledger_that_may_have_it(two: Any, register: Any) -> None:
    for path, body, kind in (("customers", CUSTOMER, "customer"), ("products", PRODUCT, "product")):
        done = await two.done(f"/v1/{path}", body)
        assert (done["state"], done["kind"]) == ("done", kind)
        document = await two.document(kind=kind)
        assert {link["connection"] for link in document.links} == {"books", "shop"}
        assert [len(register(box, kind)) for box in (two.books, two.shop)] == [1, 1]
    made = register(two.books, "product")[0]
    assert (made["number"], made["name"], made["priceExcludingVatCurrency"]) == ("100", "Rådgivning", 1020)
    assert register(two.shop, "customer")[0]["invoiceEmail"] == "faktura@eksempel.no"


async def test_dimensions_are_made_only_where_the_mapping_says_so(two: Any, both: Any, register: Any) -> None:
    done = await two.done("/v1/dimensions", DEPARTMENT)
    assert done["state"] == "done"
    assert register(two.books, "department") == []


async def test_departments_projects_and_free_dimensions_are_made(both: Any, register: Any) -> None:
    says = ", ".join(f"{kind}: {{creates: needed}}" for kind in ("department", "project", "dimension"))
    async with both(mapping=says) as two:
        two.books.books.add("accountingDimensionName", dimensionName="Kampanje", dimensionIndex=1, active=True)
        for body in (
            DEPARTMENT,
            {"kind": "project", "code": "P-7", "name": "Bro"},
            {"kind": "free", "dimension": "Kampanje", "code": "K1", "name": "Vår"},
        ):
            done = await two.done("/v1/dimensions", body)
            assert done["state"] == "done", done
        assert register(two.books, "department")[0]["departmentNumber"] == "10"
        project = register(two.books, "project")[0]
        assert (project["number"], project["name"], project["projectManager"].id) == ("P-7", "Bro", 1)
        value = register(two.books, "accountingDimensionValue")[0]
        assert (value["number"], value["displayName"], value["dimensionIndex"]) == ("K1", "Vår", 1)
        unknown = await two.done("/v1/dimensions", {"kind": "free", "dimension": "Kampagne", "code": "K2"})
        assert unknown["result"]["code"] == "dimension-unknown"
        assert "Kampanje" in unknown["result"]["do"]


async def test_posting_again_changes_what_is_said_and_nothing_else(two: Any, register: Any) -> None:
    first = await two.done("/v1/products", PRODUCT)
    change = {"source_id": "product-1", "number": "101", "price": "1100.00", "unit_code": None}
    second = await two.done("/v1/products", change)
    assert second["document"] == first["document"]
    assert second["state"] == "done"
    for box in (two.books, two.shop):
        (made,) = register(box, "product")
        assert (made["number"], made["name"], made["priceExcludingVatCurrency"]) == ("101", "Rådgivning", 1100)
    again = await two.done("/v1/products", {"number": "101", "price": "1100.00"})
    assert (again["document"], again["state"]) == (first["document"], "done")
    other = await two.done("/v1/products", {"number": "100", "name": "Ny"})
    assert other["document"] != first["document"]
    clash = await two.post("/v1/products", {"source_id": "product-1", "number": "100"})
    assert (clash.status_code, clash.json()["code"]) == (409, "document-exists")


async def test_what_is_emptied_here_is_emptied_there(two: Any, register: Any) -> None:
    await two.done("/v1/customers", CUSTOMER)
    await two.done("/v1/customers", {"source_id": "customer-17", "invoice_email": None})
    assert register(two.books, "customer")[0]["invoiceEmail"] == ""
    await two.poll()
    assert "invoice_email" not in (await two.document(kind="customer")).body
    assert await two.waits() == []


# --- from ledgers -----------------------------------------------------------------------------------------------------


async def test_a_change_in_one_ledger_reaches_the_other(two: Any, register: Any) -> None:
    await two.done("/v1/customers", CUSTOMER)
    await two.done("/v1/products", PRODUCT)
    await two.poll()
    books, shop = (register(box, "customer")[0] for box in (two.books, two.shop))
    two.books.books.touch(two.books.books.things["customer"][books["id"]], phoneNumber="22334455")
    product = register(two.shop, "product")[0]
    two.shop.books.touch(two.shop.books.things["product"][product["id"]], name="Råd", number="900")
    await two.poll()
    assert register(two.shop, "customer")[0]["phoneNumber"] == "22334455"
    assert register(two.shop, "customer")[0]["id"] == shop["id"]
    (made,) = register(two.books, "product")
    assert (made["name"], made["number"]) == ("Råd", "900")
    versions = [[one["version"] for one in register(box, "product")] for box in (two.books, two.shop)]
    await two.poll()
    assert [[one["version"] for one in register(box, "product")] for box in (two.books, two.shop)] == versions
    assert await two.waits() == []


async def test_both_ways_on_each_database(both: Any, register: Any, database_url: str) -> None:
    async with both(database=database_url, mapping="product: {deleted: follow}") as two:
        for at in range(3):
            await two.done("/v1/products", {"number": str(at), "name": f"Vare {at}"})
        await two.poll(Kind.PRODUCT)
        books = two.books.books
        first, second, _ = books.things["product"].values()
        books.touch(first, name="Ny")
        del books.things["product"][second["id"]]
        await two.sweep(Kind.PRODUCT)
        made = [(one["name"], one["isInactive"]) for one in register(two.shop, "product")]
        assert made == [("Ny", False), ("Vare 1", True), ("Vare 2", False)]
        for name in ("Kari", "Kari"):
            books.add("customer", name=name, email=f"{len(books.things)}@x.no", customerNumber=1, isInactive=False)
        await two.poll(Kind.CUSTOMER)
        assert await two.waits() == []


async def test_a_kind_that_the_mapping_leaves_out_is_not_read(both: Any) -> None:
    async with both(mapping="product: null") as two:
        followed = {spoke.name: {reading.kind for reading in spoke.followed} for spoke in two.house.spokes()}
        assert followed["shop"] - followed["books"] == {Kind.PRODUCT}
        await two.done("/v1/products", PRODUCT)
        assert [link["connection"] for link in (await two.document(kind="product")).links] == ["shop"]


async def test_fields_are_merged_one_by_one_and_the_same_field_is_asked_about(two: Any, register: Any) -> None:
    await two.done("/v1/customers", CUSTOMER)
    await two.poll()
    for box, phone, email in ((two.books, "1", "a@eksempel.no"), (two.shop, "2", None)):
        more = {"email": email} if email else {"invoiceEmail": "ny@eksempel.no"}
        made = box.books.things["customer"][register(box, "customer")[0]["id"]]
        box.books.touch(made, phoneNumber=phone, **more)
    await two.poll(Kind.CUSTOMER, of="books")
    await two.poll(Kind.CUSTOMER)
    assert await two.waits() == ["conflict"]
    for box in (two.books, two.shop):
        made = register(box, "customer")[0]
        assert (made["email"], made["invoiceEmail"]) == ("a@eksempel.no", "ny@eksempel.no")
    await two.answer("conflict", "theirs")
    await two.poll()
    assert len({register(box, "customer")[0]["phoneNumber"] for box in (two.books, two.shop)}) == 1
    assert await two.waits() == []


async def test_a_new_record_goes_to_the_other_ledger_where_the_mapping_says_always(both: Any, register: Any) -> None:
    async with both(second=ALWAYS) as two:
        two.books.books.add("department", name="Salg", departmentNumber="10", isInactive=False)
        await two.poll()
        (made,) = register(two.shop, "department")
        assert (made["name"], made["departmentNumber"]) == ("Salg", "10")
        two.shop.books.add("department", name="Lager", departmentNumber="20", isInactive=False)
        await two.poll()
        assert len(register(two.books, "department")) == 1
        assert len((await two.get("/v1/documents", kind="department"))["documents"]) == 2


# --- who is who -------------------------------------------------------------------------------------------------------


async def test_the_same_customer_in_both_ledgers_is_one(two: Any, register: Any) -> None:
    for box, phone in ((two.books, "1"), (two.shop, "")):
        box.books.add(
            "customer", name="Eksempel AS", organizationNumber="974760673", isInactive=False, phoneNumber=phone,
            customerNumber=10 + len(phone), isPrivateIndividual=False, email="",
        )  # fmt: skip
    await two.poll()
    customer = await two.document(kind="customer")
    assert {link["connection"] for link in customer.links} == {"books", "shop"}
    assert register(two.shop, "customer")[0]["phoneNumber"] == "1", "what only one side says is made known to the other"


async def test_customers_without_number_are_one_by_name_and_email_only(two: Any) -> None:
    people = [("Kari", "kari@x.no"), ("Kari", "kari2@x.no"), ("Ola", "kari@x.no")]
    for box, some in ((two.books, people), (two.shop, people[:1])):
        for at, (name, email) in enumerate(some):
            box.books.add("customer", name=name, email=email, customerNumber=at, isInactive=False)
        await two.poll(Kind.CUSTOMER)
    found = (await two.get("/v1/documents", kind="customer"))["documents"]
    assert sorted(one["counterparty"] for one in found) == ["Kari", "Kari", "Ola"]
    details = [await two.get(f"/v1/documents/{one['id']}") for one in found]
    assert sorted(len(one["links"]) for one in details) == [1, 1, 2]


async def test_a_customer_that_is_there_twice_is_for_a_person(two: Any, register: Any) -> None:
    await two.done("/v1/customers", CUSTOMER)
    first = str(register(two.books, "customer")[0]["id"])
    again = two.books.books.add(
        "customer", name="Eksempel AS", organizationNumber="974760673", customerNumber=99, isInactive=False
    )
    await two.poll()
    (item,) = await two.get("/v1/attention")
    assert item["code"] == "customer-twice"
    assert item["details"]["details"]["ids"] == [first, str(again["id"])]
    assert item["verbs"] == ["happened", "ignore"]
    assert f"resolve {item['document']} --happened" in item["do"]
    two.books.books.touch(again, phoneNumber="1")
    await two.poll()
    assert await two.waits() == ["customer-twice"]
    wrong = await two.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "happened", "vendor_id": "5"})
    assert wrong.json()["code"] == "vendor-id-unknown"
    await two.answer("customer-twice", "happened", str(again["id"]))
    customer = await two.document(kind="customer")
    assert str(again["id"]) in [link["vendor_id"] for link in customer.links]
    await two.done("/v1/customers", {"source_id": "customer-17", "payment_days": 30})
    due = {one["id"]: one["invoicesDueIn"] for one in register(two.books, "customer") if "invoicesDueIn" in one}
    assert due == {int(first): 14, again["id"]: 30}, "what follows goes to the one that is meant"
    await two.poll()
    assert await two.waits() == []


async def test_two_customers_with_one_number_are_never_picked_from(two: Any, register: Any) -> None:
    for at in (1, 2):
        two.books.books.add(
            "customer", name=f"Eksempel {at}", organizationNumber="974760673", customerNumber=at, isInactive=False
        )
    waiting = await two.done("/v1/customers", CUSTOMER)
    assert waiting["result"]["code"] == "customer-duplicates"
    ids = [str(one["id"]) for one in register(two.books, "customer")]
    await two.answer("customer-duplicates", "happened", ids[1])
    customer = await two.document(kind="customer")
    assert {link["vendor_id"] for link in customer.links if link["connection"] == "books"} == {ids[1]}
    assert len(register(two.books, "customer")) == 2


async def test_an_invoice_finds_the_customer_that_was_posted_also_when_its_number_came_later(two: Any) -> None:
    await two.done("/v1/customers", {"source_id": "c-1", "party": {"name": "Ola"}})
    await two.done("/v1/customers", {"source_id": "c-1", "party": {"legal_id": BUYER["legal_id"]}})
    await two.done("/v1/customers", {"party": {"legal_id": BUYER["legal_id"]}, "payment_days": 7})
    customer = await two.document(kind="customer")
    assert customer.body["payment_days"] == 7


async def test_what_changes_here_while_it_is_told_is_told_afterwards(two: Any, register: Any) -> None:
    await two.post("/v1/products", PRODUCT)
    for box in (two.books, two.shop):
        box.fault("POST /product", "slow", seconds=1.0)
    before = len(two.books.requests)
    working = asyncio.create_task(two.work())
    while not any(one.method == "POST" and one.path.endswith("/product") for one in list(two.books.requests)[before:]):
        await asyncio.sleep(0.02)
    later = await two.post("/v1/products", {"number": "100", "price": "5.00"})
    await working
    await two.work()
    assert [register(box, "product")[0]["priceExcludingVatCurrency"] for box in (two.books, two.shop)] == [5, 5]
    assert (await two.get(later.headers["location"]))["state"] == "done"
