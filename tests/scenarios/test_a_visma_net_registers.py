"""Products and dimensions on Visma Net: posted once, named by lines, changed and closed on either side."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox.asking import Said
from adapters.accounting.visma_net.wrapping import wrapped
from connector.api.examples import BUYER, PRODUCT, SELLER

sys.path.append(str(Path(__file__).parent))
from visma_net import invoices, on_visma_net

PLACES = (
    "dimensions: {department: 1, Kampanje: 2, location: branch, project: project},"
    " empty_segments: {1: '000', 2: '00'}, item_class: NONSTOCK"
)
ITEMS = (
    "{kinds: {invoice: {fields: {lines: {each: {fields: {item: {ours: seller_item_id, theirs: inventory.inventoryId,"
    " link: product}}}}}}}}"
)
"""Lines are booked on items where a tenant says so."""


def invoice(id: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Scenario A.1, its lines with what is said of them."""
    said: list[dict[str, Any]] = [
        {"id": "1", "name": "Rådgivning", "quantity": "8", "price": "1020.00", "vat_category": "S", "vat_rate": "25",
         "vat_code": "3"},
        {"id": "2", "name": "Lunsj", "quantity": "20", "price": "100.00", "vat_category": "S", "vat_rate": "15",
         "vat_code": "31"},
    ]  # fmt: skip
    return {
        "source_id": id, "issue_date": "2027-01-15", "due_date": "2027-01-29", "currency": "NOK", "seller": SELLER,
        "buyer_reference": "Kari", "buyer": BUYER, "lines": [one | of for one, of in zip(said, lines, strict=True)],
        **more,
    }  # fmt: skip


def segments(line: dict[str, Any]) -> list[str]:
    return [one["segmentValue"] for one in line["subaccount"]["segments"]]


@pytest.fixture
async def fjord(founded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    async with on_visma_net(founded, monkeypatch)(settings=PLACES, mapping=ITEMS) as made:
        yield made


async def test_lines_with_items_and_dimensions(fjord: Any) -> None:
    await fjord.poll()  # departments, projects and campaigns of the ledger
    said = invoice(
        "sale-1",
        {"dimensions": {"department": "10"}, "seller_item_id": "100"},
        {"dimensions": {"department": "20", "location": "2", "free": [{"name": "Kampanje", "code": "K1"}]}},
        dimensions={"project": "P1"},
    )
    answer = await fjord.post("/v1/invoices", said)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)
    assert await fjord.get("/v1/attention") == []
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"

    (there,) = invoices(fjord.box)
    assert [segments(line) for line in there["invoiceLines"]] == [["10", "00"], ["20", "K1"]]
    assert [line["branchNumber"]["number"] for line in there["invoiceLines"]] == ["1", "2"]
    assert [line.get("inventoryNumber") for line in there["invoiceLines"]] == ["100", None]
    assert there["project"]["id"] == "P1"
    (item,) = fjord.box.books.all("inventory")
    assert (item["description"], item["vatCode"]["id"]) == ("Rådgivning", "3")


async def test_an_invoice_of_the_program_comes_with_them(fjord: Any) -> None:
    await fjord.poll()
    books = fjord.box.books
    buyer = books.add_customer(Said(wrapped({"name": "Kunde AS", "corporateId": "974760673"})))["number"]
    books.add_item(Said(wrapped({"inventoryNumber": "7", "description": "Vare", "itemClass": "NONSTOCK"})))
    line = {
        "operation": "Insert", "inventoryNumber": "7", "description": "Vare", "quantity": 1,
        "unitPriceInCurrency": Decimal(100), "vatCodeId": "3", "accountNumber": "3000", "branchNumber": "2",
        "subaccount": [{"segmentId": 1, "segmentValue": "20"}, {"segmentId": 2, "segmentValue": "K2"}],
    }  # fmt: skip
    whole = {"customerNumber": buyer, "documentDate": "2027-01-15T00:00:00", "project": "P1", "invoiceLines": [line]}
    books.release_invoice(books.add_invoice(Said(wrapped(whole))))
    await fjord.poll()
    await fjord.poll()
    document = await fjord.document(kind="invoice")
    (read,) = document.body["lines"]
    assert read["seller_item_id"] == "7"
    assert read["dimensions"] == {"department": "20", "location": "2", "free": [{"name": "Kampanje", "code": "K2"}]}
    assert document.body["dimensions"] == {"project": "P1"}


@pytest.mark.parametrize(("department", "code"), [("11", "department-unknown"), ("90", "department-inactive")])
async def test_a_wrong_or_closed_department_is_known_before(fjord: Any, department: str, code: str) -> None:
    await fjord.poll()
    wrong = invoice("sale-1", {"dimensions": {"department": department}}, {"dimensions": {"department": "10"}})
    await fjord.house.options(fjord.house.spokes()[0], refresh=True, alone=True)
    report = (await fjord.post("/v1/preflight", wrong)).json()
    found = [one["code"] for one in report["documents"][0]["problems"] if one["severity"] == "error"]
    assert found == [code]
    await fjord.post("/v1/invoices", wrong)
    await fjord.work(within=5)
    assert code in {one["code"] for one in await fjord.get("/v1/attention")}
    assert invoices(fjord.box) == []


async def test_a_product_is_kept_the_same_both_ways(fjord: Any) -> None:
    said = PRODUCT | {"account": "3000"}
    await fjord.post("/v1/products", said)
    await fjord.work(within=5)
    (item,) = fjord.box.books.all("inventory")
    assert (item["inventoryNumber"], item["defaultPrice"], item["status"]) == ("100", Decimal(1020), "Active")

    fjord.box.books.touch(item, description="Rådgivning og støtte", defaultPrice=Decimal(1100))
    await fjord.poll()
    body = (await fjord.document(kind="product")).body
    assert (body["name"], Decimal(body["price"])) == ("Rådgivning og støtte", Decimal(1100))
    answer = await fjord.post("/v1/products", {"source_id": said["source_id"], "active": False})
    assert answer.status_code == 202, answer.text
    await fjord.work(within=5)
    assert (item["status"], item["description"]) == ("Inactive", "Rådgivning og støtte")
    fjord.box.books.touch(item, status="Active")
    await fjord.poll()
    assert (await fjord.document(kind="product")).body.get("active", True) is True
    assert len(list(fjord.box.books.all("inventory"))) == 1
