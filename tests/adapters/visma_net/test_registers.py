"""Items, and records that somebody changes meanwhile."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Request, Sandbox
from adapters.accounting.visma_net.sandbox.asking import Said
from adapters.accounting.visma_net.wrapping import wrapped
from adapters.loopback import Answer
from connector.errors import ConnectorError, Stop
from connector.ports import Goal, Kind

sys.path.append(str(Path(__file__).parent))
from visma_driving import all_changes, customer_goal, invoice_goal, item_goal, line, opened, reach, supplier_goal


async def test_an_item_is_made_once_changed_and_closed() -> None:
    async with Sandbox() as box:
        system = opened(box, item_class="NONSTOCK")
        cursor = await system.begin(Kind.PRODUCT, date(2027, 1, 1))
        box.fault("POST /v1/inventory$", "no-answer")
        made = (await reach(system, item_goal()))["read"]
        (row,) = box.books.all("inventory")
        assert (row["type"], row["itemClass"]["id"], row["defaultPrice"]) == (
            "NonStockItem",
            "NONSTOCK",
            Decimal("1020.00"),
        )
        assert made.record.body["salesAccount"] == "3000"
        assert (await reach(system, item_goal("m-2")))["made"].facts["found"] is True

        (seen,), cursor = await all_changes(system, Kind.PRODUCT, cursor)
        assert (seen.id, seen.body["description"]) == (made.id, "Rådgivning")
        box.books.touch(row, status="Inactive")
        (seen,), cursor = await all_changes(system, Kind.PRODUCT, cursor)
        assert seen.body["status"] == "Inactive"
        with pytest.raises(ConnectorError) as exc:
            await reach(system, item_goal("m-3"))
        assert exc.value.code == "product-inactive"

        again = Goal(Kind.PRODUCT, "update", "m-4", {"status": "Active", "defaultPrice": Decimal(1100)}, target=made.id)
        after = (await reach(system, again))["read"].record.body
        assert (after["status"], after["defaultPrice"], after["description"]) == ("Active", Decimal(1100), "Rådgivning")
        row["description"] = "Bistand"  # by somebody else, since it was seen
        late = Goal(Kind.PRODUCT, "update", "m-5", {"description": "Råd"}, target=made.id, seen=after)
        assert (await reach(system, late))["made"].facts["moved"] is True
        assert row["description"] == "Bistand"


@pytest.mark.parametrize(
    ("more", "settings", "code"),
    [
        ({}, {}, "item-class-missing"),
        ({}, {"item_class": "NOWHERE"}, "item-class-unknown"),
        ({"vatCode": {"id": "99"}}, {"item_class": "NONSTOCK"}, "vat-code-unknown"),
        ({"inventoryNumber": None}, {"item_class": "NONSTOCK"}, "number-missing"),
    ],
)
async def test_an_item_that_cannot_be_made(more: dict[str, Any], settings: dict[str, Any], code: str) -> None:
    async with Sandbox() as box:
        with pytest.raises(ConnectorError) as exc:
            await reach(opened(box, **settings), item_goal(**more))
        assert exc.value.code == code
        assert exc.value.do
        assert not box.books.tables.get("inventory")


async def test_lines_name_items_by_what_they_are_called_now() -> None:
    async with Sandbox() as box:
        system = opened(box, item_class="NONSTOCK")
        buyer = (await reach(system, customer_goal()))["read"].id
        id = (await reach(system, item_goal()))["read"].id
        row = box.books.tables["inventory"].pop("7001")
        box.books.tables["inventory"]["8001"] = row  # an action changes the number
        row["inventoryNumber"] = "8001"
        lines = [
            line("Timer", 8, "1020.00", "3") | {"inventory": {"inventoryId": int(id)}},
            line("Lunsj", 20, "100.00", "31", "3001"),
        ]
        made = (await reach(system, invoice_goal(buyer, invoiceLines=lines)))["read"]
        there = box.books.tables["invoice"][made.id]["invoiceLines"]
        assert [one.get("inventoryNumber") for one in there] == ["8001", None]
        assert [one.get("inventory") for one in made.record.body["invoiceLines"]] == [{"inventoryId": int(id)}, None]
        fresh = opened(box)
        assert (await fresh.read(Kind.INVOICE, made.id)).body["invoiceLines"][0]["inventory"] == {
            "inventoryId": int(id)
        }
        del box.books.tables["inventory"]["8001"]
        assert "inventory" not in (await opened(box).read(Kind.INVOICE, made.id)).body["invoiceLines"][0]

        for state, code in (({"status": "NoSales"}, "product-inactive"), ({"stockItem": True}, "product-unfit")):
            box.books.tables["inventory"]["8001"] = {**row, "status": "Active", **state}
            with pytest.raises(ConnectorError) as exc:
                await reach(system, invoice_goal(buyer, "m-2", invoiceLines=lines))
            assert exc.value.code == code
            assert isinstance(exc.value, Stop), "known before anything is sent"
        assert len(box.books.tables["invoice"]) == 1


class Meanwhile(Sandbox):
    """Somebody in the program is always a moment before a change of ours."""

    def vendor(self, request: Request, path: str, since: Any) -> Any:
        if request.method == "PUT":
            table = path.split("/")[2]
            for row in self.books.all(table):
                self.books.touch(row, name="Deres AS")
        return super().vendor(request, path, since)


@pytest.mark.parametrize(("kind", "plain"), [(Kind.SUPPLIER, False), (Kind.CUSTOMER, True)])
async def test_what_was_changed_between_read_and_write_is_read_again(kind: Kind, plain: bool) -> None:
    """Suppliers are changed under a condition; customers as far as Visma Net heeds it in plain calls."""
    async with Meanwhile(plain_etags=plain) as box:
        system = opened(box, incoming="hold")
        goal = supplier_goal() if kind is Kind.SUPPLIER else customer_goal()
        seen = (await reach(system, goal))["read"].record
        proofs = await reach(system, Goal(kind, "update", "m-2", {"name": "Vår AS"}, target=seen.id, seen=seen.body))
        assert proofs["made"].facts["moved"] is True
        assert proofs["read"].record.body["name"] == "Deres AS"


async def test_leafing_through_the_items_is_done_once() -> None:
    async with Sandbox(most=50) as box:
        for n in range(60):
            said = {"inventoryNumber": str(n), "description": f"Vare {n}", "itemClass": "NONSTOCK"}
            box.books.add_item(Said(wrapped(said)))
        buyer = box.books.add_customer(Said(wrapped({"name": "Kjøper AS"})))["number"]
        for n in range(60):
            lines = [{"operation": "Insert", "inventoryNumber": str(n), **line("Vare", 1, "1.00", "3")}]
            said = {"customerNumber": buyer, "documentDate": "2027-01-15T00:00:00", "invoiceLines": lines}
            box.books.release_invoice(box.books.add_invoice(Said(wrapped(said))))
        system = opened(box)
        found, _ = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, date(2027, 1, 1)))
        assert len({record.body["invoiceLines"][0]["inventory"]["inventoryId"] for record in found}) == 60
        assert sum(came.path == "/api/v1/inventory" for came in box.requests) == 2
        for n in range(10):  # what is deleted is not asked for again with every page
            del box.books.tables["inventory"][str(n)]
        fresh = opened(box)
        before = len(box.requests)
        for _ in range(2):
            await all_changes(fresh, Kind.INVOICE, await fresh.begin(Kind.INVOICE, date(2027, 1, 1)))
        # The token; of each round two pages of invoices; the register of customers, of items; and the ten, once.
        assert len(box.requests) - before == 1 + 2 * 2 + 1 + 1 + 10


class Shut(Sandbox):
    """Our client may not read items, and no department either."""

    def vendor(self, request: Request, path: str, since: Any) -> Any:
        answer = super().vendor(request, path, since)
        return Answer(403, {}, {}) if path.startswith(("/v1/inventory", "/v1/dimension")) else answer


async def test_without_the_right_to_items_the_rest_goes_on() -> None:
    async with Shut() as box:
        box.books.add_item(Said(wrapped({"inventoryNumber": "7", "description": "Vare", "itemClass": "NONSTOCK"})))
        buyer = box.books.add_customer(Said(wrapped({"name": "Kjøper AS"})))["number"]
        lines = [{"operation": "Insert", "inventoryNumber": "7", **line("Vare", 1, "1.00", "3")}]
        said = {"customerNumber": buyer, "documentDate": "2027-01-15T00:00:00", "invoiceLines": lines}
        box.books.release_invoice(box.books.add_invoice(Said(wrapped(said))))
        system = opened(box, dimensions={"department": 1})
        (invoice,), _ = await all_changes(system, Kind.INVOICE, await system.begin(Kind.INVOICE, date(2027, 1, 1)))
        assert "inventory" not in invoice.body["invoiceLines"][0]
        for kind in (Kind.PRODUCT, Kind.DEPARTMENT):
            assert (await system.changes(kind, await system.begin(kind, date(2027, 1, 1)))).blind
            assert (await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), None)).blind
        options = await system.options()
        assert options.dimension("department") is None, "unknown, and not empty"
        assert any("department" in one for one in options.unknown)


async def told(system: Any) -> tuple[str, str]:
    """An item, changed, and an invoice that names it with a department; the ids of both."""
    buyer = (await reach(system, customer_goal()))["read"].id
    id = (await reach(system, item_goal()))["read"].id
    await reach(system, Goal(Kind.PRODUCT, "update", "m-2", {"defaultPrice": Decimal(1100)}, target=id))
    await reach(system, Goal(Kind.DEPARTMENT, "create", "m-3", {"valueId": "10"}, may_create=False))
    sold = [line("Timer", 8, "1020.00", "3") | {"inventory": {"inventoryId": int(id)}, "department": {"id": "10"}}]
    sums = {"net": "8160.00", "vat": "2040.00", "gross": "10200.00"}
    return id, (await reach(system, invoice_goal(buyer, totals=sums, invoiceLines=sold)))["read"].id


@pytest.mark.parametrize("fault", ["no-answer", "no-answer-before", "500-after", "garbled"])
async def test_a_fault_at_every_call(fault: str) -> None:
    async with Sandbox() as box:
        await told(opened(box, item_class="NONSTOCK", dimensions={"department": 1}))
        calls = len(box.requests)
    for number in range(calls):
        async with Sandbox() as box:
            box.fault("", fault, after=number, seconds=0)
            system = opened(box, item_class="NONSTOCK", dimensions={"department": 1})
            id, invoice = await told(system)
            (item,) = box.books.all("inventory")
            assert (str(item["inventoryId"]), item["defaultPrice"]) == (id, Decimal(1100)), f"call {number}"
            (row,) = box.books.tables["invoice"][invoice]["invoiceLines"]
            assert (row["inventoryNumber"], row["subaccount"]["segments"][0]["segmentValue"]) == ("7001", "10")
            assert len(box.books.tables["invoice"]) == 1
            await system.close()
