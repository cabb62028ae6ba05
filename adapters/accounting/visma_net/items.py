"""Items of the inventory (our products): found by number, else made, changed only where nobody else has.

A number is an item's own in Visma Net, and our key to it. What is made is a non-stock item of the class that the
setting `item_class` names: the class says unit and posting class. Only non-stock items can be invoiced by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.accounting.visma_net import records, wire
from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.numbers import Numbers
from adapters.accounting.visma_net.registers import Register, Registers
from adapters.accounting.visma_net.sending import sent
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Run, Step

ITEMS = Register(
    Kind.PRODUCT, "/v1/inventory", "/v1/inventory/internal/{}", wire.Item, records.item, conditional=False,
    number="inventoryNumber",
)  # fmt: skip
UNSOLD = frozenset({"NoSales", "Inactive", "MarkedForDeletion"})
"""States of an item that is not invoiced."""


class Items(Registers):
    """Flows of items, and what lines name them by. `item_class`: of those that are made here."""

    def __init__(self, client: Client, item_class: str | None) -> None:
        super().__init__(client, ITEMS)
        self._class = item_class
        self.numbers = Numbers(client, ITEMS.path, id="inventoryId", number="inventoryNumber", gone=600.0)

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        if goal.operation == "create":
            for field, what in (("inventoryNumber", "number"), ("description", "name")):
                if not goal.record.get(field):
                    raise Refused(
                        f"An item has a {what}.", code=f"{what}-missing", do="State it.", where={"field": field}
                    )
            return Step("made", self._create, self._look), Step("read", self._read)
        return super().flow(goal)

    async def _create(self, run: Run) -> Proof:
        goal, number = run.goal, str(run.goal.record["inventoryNumber"])
        there = await self._client.find(f"{ITEMS.path}/{segment(number)}")
        if there is not None:
            item = records.item(there)
            if item.body.get("status") == "Inactive":
                raise Stop(
                    f"Item {number} is inactive in Visma Net.",
                    code="product-inactive",
                    do="Make it active in Visma Net and try again, or use another number.",
                    details={"ids": [item.id]},
                )
            return Proof(item.id, {"found": True})
        if not goal.may_create:
            raise Stop(
                f"Visma Net has no item {number}, and the mapping does not have one made.",
                code="product-unknown",
                do="Make it in Visma Net and retry, or let the mapping make it (kinds.product, creates: needed).",
                where={"field": "inventoryNumber"},
            )
        if not self._class:
            raise Refused(
                "An item belongs to a class in Visma Net, and the connection names none for those that are made.",
                code="item-class-missing",
                do=f"Set `item_class` in the connection's settings; or make item {number} in Visma Net, and retry.",
                where={"field": "itemClass"},
            )
        body = {**self._body(goal.record), "inventoryNumber": number, "itemClass": self._class, "type": "NonStockItem"}
        return await self._made(body)

    async def _look(self, run: Run) -> Sequence[Proof]:
        """What has the number: it is there by us, or by somebody who meant the same."""
        there = await self._client.find(f"{ITEMS.path}/{segment(str(run.goal.record['inventoryNumber']))}")
        return [] if there is None else [Proof(records.item(there).id, {"found": False})]

    def _body(self, record: Any, *, empties: bool = False) -> dict[str, Any]:
        body = sent(wire.Item, record, empties=empties)
        body.pop("inventoryNumber", None)  # a number is changed by people there
        return {name: value.get("id") if name == "vatCode" else value for name, value in body.items()}
