"""Customers by the number that documents name and by the id that stays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.accounting.visma_net.client import Client, not_as_described, segment
from connector.errors import Refused, Stop

KEPT = 100_000
"""Numbers that are remembered."""
FEW = 3
"""So many unknown numbers are asked for one by one; more, and the register is leafed through."""


class Parties:
    """Ids of customers by number. A number can be changed: what a read of the customer shows holds."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids: OrderedDict[str, int] = OrderedDict()

    def seen(self, row: Mapping[str, Any]) -> None:
        """Remember a customer that was read."""
        number, id = row.get("number"), row.get("internalId")
        if isinstance(number, str) and isinstance(id, int):
            self._ids[number] = id
            self._ids.move_to_end(number)
            if len(self._ids) > KEPT:
                self._ids.popitem(last=False)

    async def ids(self, numbers: Iterable[str]) -> Mapping[str, int]:
        """The ids behind these numbers. Raises `VendorError` ("vendor-answer") where a document names nobody."""
        wanted = set(numbers)
        missing = {number for number in wanted if number not in self._ids}
        if len(missing) > FEW:
            page, more = 1, True
            while more:  # to its end: the next page of documents names others
                rows, more = await self._client.page("/v1/customer", page)
                for row in rows:
                    self.seen(row)
                page += 1
        for number in sorted(number for number in missing if number not in self._ids):
            found = await self._client.find(f"/v1/customer/{segment(number)}")
            if found is None:
                raise not_as_described("customer.number", f"a customer that is there, not {number}", "/v1/customer")
            self.seen(found)
        return {number: self._ids[number] for number in wanted}

    async def to_bill(self, id: Any) -> str:
        """The number under which a customer is invoiced now.

        Raises:
            Refused: "link-missing": it is no id of a customer here.
            Stop: "customer-inactive".
        """
        row = await self.by_id(id)
        if row.get("status") == "Inactive":
            raise Stop(
                f"The customer {row.get('number')} is inactive in Visma Net.",
                code="customer-inactive",
                do="Make the customer active in Visma Net and try again.",
                where={"customer": str(id)},
            )
        return str(row["number"])

    async def by_id(self, id: Any) -> dict[str, Any]:
        """A customer. Raises `Refused` ("link-missing")."""
        row = None if not str(id).isdigit() else await self._client.find(f"/v1/customer/internal/{id}")
        if row is None or not row.get("number"):
            raise Refused(
                f"{str(id)[:40]!r} is no customer in Visma Net.",
                code="link-missing",
                do="See that the customer has been brought to Visma Net, and is still there.",
                where={"field": "customer.internalId"},
            )
        self.seen(row)
        return row
