"""Documents with departments, projects and products: found first, carried where they can be, refused in words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from connector.api.examples import INVOICE_DRAFT
from connector.model import Dimensions, FreeDimension, Invoice
from connector.ports import Kind
from connector.sync.coded import lifted

PRODUCTS = (
    "invoice: {fields: {lines: {each: {fields: {product: {ours: seller_item_id, theirs: product.id, link: product}},"
    " loses: {seller_item_id: null}}}}}"
)


def draft(*lines: dict[str, Any], **dimensions: Any) -> dict[str, Any]:
    """A draft whose document has these dimensions, and its lines those."""
    made = copy.deepcopy(INVOICE_DRAFT)
    if dimensions:
        made["dimensions"] = dimensions
    for line, said in zip(made["lines"], lines, strict=False):
        line |= said
    return made


def order(box: Any) -> dict[str, Any]:
    """The only order."""
    (made,) = box.books.things["order"].values()
    return dict(made)


async def test_department_and_project_that_are_in_the_ledger_reach_the_order(two: Any) -> None:
    department = two.books.books.add("department", name="Salg", departmentNumber="10", isInactive=False)
    project = two.books.books.add("project", name="Bro", number="P-7", isClosed=False)
    done = await two.done("/v1/invoices", draft(department="10", project="P-7"))
    assert done["state"] == "done", done
    made = order(two.books)
    assert (made["department"].id, made["project"].id) == (department["id"], project["id"])
    found = await two.document(kind="department")
    assert (found.body["name"], found.state) == ("Salg", "known"), "what the ledger calls it is known now"
    await two.poll()
    again = await two.done("/v1/invoices", draft(department="10") | {"source_id": "order-2"})
    assert again["state"] == "done"
    assert await two.waits() == []


async def test_what_all_lines_share_is_said_on_the_order(two: Any) -> None:
    two.books.books.add("department", name="Salg", departmentNumber="10", isInactive=False)
    each = {"dimensions": {"department": "10"}}
    done = await two.done("/v1/invoices", draft(each, each))
    assert done["state"] == "done", done
    assert order(two.books)["department"].id
    apart = draft(each, {"dimensions": {"department": "20"}}) | {"source_id": "order-2"}
    refused = await two.done("/v1/invoices", apart)
    assert (refused["state"], refused["result"]["where"]["rule"]) == ("waiting", "dimensions-of-line")


@pytest.mark.parametrize(
    ("said", "rule", "named"),
    [
        ({"location": "Bergen"}, "location", "dimensions.location"),
        ({"seller": "7"}, "seller-unit", "dimensions.seller"),
        ({"free": [{"name": "Kampanje", "code": "K1"}]}, "free-dimensions", "dimensions.free"),
    ],
)
async def test_what_an_order_cannot_carry_is_refused_by_name_and_may_be_lost(
    two: Any, both: Any, said: dict[str, Any], rule: str, named: str
) -> None:
    refused = await two.done("/v1/invoices", draft(**said))
    assert (refused["state"], refused["result"]["code"]) == ("waiting", "not-expressible")
    assert refused["result"]["where"]["rule"] == rule
    assert named in refused["result"]["message"]
    assert "order" not in two.books.books.things
    assert rule in refused["result"]["do"]


async def test_a_dimension_may_be_dropped_where_the_mapping_declares_it(both: Any) -> None:
    says = 'invoice: {refuse: {location: null}, loses: {dimensions.location: "Kept in the till"}}'
    async with both(mapping=says) as two:
        done = await two.done("/v1/invoices", draft(location="Bergen"))
        assert done["state"] == "done", done


async def test_a_department_that_is_not_there_is_a_stop_with_the_near_miss(two: Any, register: Any) -> None:
    two.books.books.add("department", name="Salg", departmentNumber="10", isInactive=False)
    two.books.books.add("department", name="Lager", departmentNumber="20", isInactive=False)
    answer = await two.post("/v1/invoices", draft(department="1O"))
    await two.work()
    (item,) = await two.get("/v1/attention")
    assert item["code"] == "department-unknown"
    assert "10 Salg" in item["said"]
    assert len(register(two.books, "department")) == 2
    assert "order" not in two.books.books.things
    # Somebody makes it there: it is read, what waits for it goes on, and nobody has to say so.
    two.books.books.add("department", name="Ny", departmentNumber="1O", isInactive=False)
    await two.poll(Kind.DEPARTMENT)
    assert (await two.get(answer.headers["location"]))["state"] == "done"
    assert await two.waits() == []


async def test_a_department_is_made_first_where_the_mapping_says_so(both: Any, register: Any) -> None:
    async with both(mapping="department: {creates: needed}") as two:
        done = await two.done("/v1/invoices", draft(department="10"))
        assert done["state"] == "done", done
        (made,) = register(two.books, "department")
        assert (made["departmentNumber"], made["name"]) == ("10", "10")
        assert order(two.books)["department"].id == made["id"]


async def test_a_closed_department_is_said_before_anything_is_sent(two: Any) -> None:
    made = two.books.books.add("department", name="Salg", departmentNumber="10", isInactive=False)
    await two.poll(Kind.DEPARTMENT)
    two.books.books.touch(made, isInactive=True)
    await two.poll(Kind.DEPARTMENT)
    waits = await two.done("/v1/invoices", draft(department="10"))
    assert waits["result"]["code"] == "department-inactive"
    two.books.books.touch(made, isInactive=False)
    await two.poll(Kind.DEPARTMENT)
    await two.answer("department-inactive", "retry")
    assert order(two.books)["department"].id == made["id"]


async def test_products_on_lines_are_linked_or_made_where_the_mapping_carries_them(both: Any, register: Any) -> None:
    async with both(mapping=PRODUCTS) as two:
        await two.done("/v1/products", {"number": "100", "name": "Rådgivning", "vat_code": "3"})
        body = draft({"seller_item_id": "100"}, {"seller_item_id": "200", "vat_code": "31"})
        done = await two.done("/v1/invoices", body)
        assert done["state"] == "done", done
        names = {one["number"]: one["name"] for one in register(two.books, "product")}
        assert names == {"100": "Rådgivning", "200": "Lunsj"}
        lines = [dict(two.books.books.find(link)) for link in order(two.books)["orderLines"]]
        numbers = [two.books.books.find(line["product"])["number"] for line in lines]
        assert numbers == ["100", "200"]


async def test_an_invoice_made_in_the_ledger_shows_its_department(two: Any) -> None:
    books = two.books.books
    department = books.add("department", name="Salg", departmentNumber="10", isInactive=False)
    await two.done("/v1/invoices", draft())
    await two.poll()
    customer = next(iter(books.things["customer"].values()))
    two_lines = [{"description": "Vare", "count": 1, "unitPriceExcludingVatCurrency": 100, "vatType": {"id": 3}}]
    from adapters.accounting.tripletex.sandbox.orders import create_order

    made = create_order(
        books,
        {
            "customer": {"id": customer["id"]}, "orderDate": "2027-02-01", "deliveryDate": "2027-02-01",
            "orderLines": two_lines, "department": {"id": department["id"]},
        },
    )  # fmt: skip
    from datetime import date

    books.charge(made, date(2027, 2, 1))
    await two.poll(Kind.INVOICE)
    found = (await two.get("/v1/documents", kind="invoice", state="issued"))["documents"]
    bodies = [(await two.get(f"/v1/documents/{one['id']}"))["body"] for one in found]
    assert sorted((body.get("dimensions") or {}).get("department") or "" for body in bodies) == ["", "10"]


def test_lifting_says_the_same() -> None:
    free = (FreeDimension(name="Kampanje", code="K1"),)
    base = {"currency": "NOK", "seller": {}, "buyer": {}}

    def invoice(document: Dimensions, *lines: Dimensions) -> Invoice:
        made = [{"id": str(at), "dimensions": one} for at, one in enumerate(lines)]
        return Invoice.model_validate({**base, "dimensions": document, "lines": made})

    ten, twenty, none = Dimensions(department="10"), Dimensions(department="20"), Dimensions()
    assert lifted(invoice(none, ten, ten)) == invoice(ten, none, none)
    assert lifted(invoice(ten, none, ten)) == invoice(ten, none, none)
    assert lifted(invoice(none, ten, none)) == invoice(none, ten, none), "a line without one has none"
    assert lifted(invoice(none, ten, twenty)) == invoice(none, ten, twenty)
    assert lifted(invoice(twenty, ten, ten)) == invoice(twenty, ten, ten), "a line's own goes before the document's"
    assert lifted(invoice(none, Dimensions(free=free))) == invoice(Dimensions(free=free), none)
    assert lifted(invoice(none, ten, ten), ["project"]) == invoice(none, ten, ten), "only lines have departments there"
    same = invoice(none, none)
    assert lifted(same) is same
