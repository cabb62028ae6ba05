"""Customers by the number that documents name and by the id that stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.accounting.visma_net.client import Client, not_as_described
from adapters.accounting.visma_net.numbers import Numbers
from connector.errors import Refused, Stop


class Parties(Numbers):
    """Ids of customers by number."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "/v1/customer", id="internalId", number="number")

    async def ids(self, numbers: Iterable[str]) -> Mapping[str, int]:
        """The ids behind these numbers. Raises `VendorError` ("vendor-answer") where a document names nobody."""
        wanted = set(numbers)
        found = await super().ids(wanted)
        for number in sorted(wanted - set(found)):
            raise not_as_described("customer.number", f"a customer that is there, not {number}", "/v1/customer")
        return found

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
