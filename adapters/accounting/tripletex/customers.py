"""Writing customers: found by organisation number, else made; changed with the version that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.accounting.tripletex import records, wire
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.sending import differs, moved, number_of, sent
from connector.errors import Refused, Stop, TryLater
from connector.ports import Goal, Json, Proof, Run, Step


class Customers:
    """Flows of customers.

    A customer is found by organisation number; without one, by name and e-mail address; all are compared exactly.
    Tripletex does not keep organisation numbers unique, so it is looked before one is made. A customer without
    organisation number carries our marker as its `description`. A change carries the version in the goal's record (what
    it was decided on), or else the present one.
    """

    def __init__(self, client: Client, lookups: Lookups) -> None:
        self._client = client
        self._lookups = lookups

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        if goal.operation == "create":
            if not goal.record.get("name"):
                raise Refused("A customer has a name.", code="name-missing", where={"field": "name"})
            return Step("customer", self._create, self._look), Step("read", self._read)
        number_of(goal.target, "target")
        return Step("customer", self._change, self._changed), Step("read", self._read)

    async def _create(self, run: Run) -> Proof:
        number = run.goal.record.get("organizationNumber")
        there = await (self._with(str(number)) if number else self._alike(run.goal.record))
        what = f"organisation number {number}" if number else f"this name and e-mail, {run.goal.record['name']}"
        if len(there) > 1:
            raise Stop(
                f"Tripletex has {len(there)} customers with {what}.",
                code="customer-duplicates",
                do="Say which one it is: resolve with --happened and its id; or merge them in Tripletex and retry.",
                details={"ids": [row["id"] for row in there]},
                answers=("happened",),
            )
        if there and there[0].get("isInactive"):
            raise Stop(
                f"The customer with {what} is inactive in Tripletex.",
                code="customer-inactive",
                do="Make the customer active in Tripletex and try again.",
                details={"ids": [there[0]["id"]]},
            )
        if there:
            return Proof(str(there[0]["id"]), {"found": True})
        if not run.goal.may_create:
            raise Stop(
                f"Tripletex has no customer {run.goal.record['name']}, and the mapping does not have one made.",
                code="customer-unknown",
                do="Make the customer in Tripletex and retry, or let the mapping make it (kinds.customer, creates:"
                " needed).",
                where={"field": "organizationNumber"},
            )
        body = await self._body(run.goal.record)
        if not number:
            body["description"] = run.goal.marker
        made = await self._client.write("POST", "/customer", json=body)
        return Proof(str(made["id"]), {"found": False})

    async def _look(self, run: Run) -> Sequence[Proof]:
        number = run.goal.record.get("organizationNumber")
        if number:
            found = await self._with(str(number))
        else:
            named = await self._client.every(
                "/customer", customerName=run.goal.record["name"], fields="id,name,description"
            )
            found = [row for row in named if row.get("description") == run.goal.marker]
        return [Proof(str(row["id"]), {"found": False}) for row in found]

    async def _alike(self, record: Mapping[str, Json]) -> list[dict[str, Any]]:
        """Active customers without organisation number that have exactly this name and e-mail address."""
        if not record.get("email"):
            return []
        rows = await self._client.every("/customer", email=record["email"], fields="id,name,email,organizationNumber")
        said = (record["name"], record["email"])
        return [
            row for row in rows if (row.get("name"), row.get("email")) == said and not row.get("organizationNumber")
        ]

    async def _with(self, number: str) -> list[dict[str, Any]]:
        """Customers with exactly this organisation number, active first, then inactive: both are asked for."""
        found: list[dict[str, Any]] = []
        for inactive in (False, True):
            found += await self._client.every(
                "/customer", organizationNumber=number, isInactive=inactive, fields="id,organizationNumber,isInactive"
            )
        digits = "".join(filter(str.isdigit, number))
        ids = {row["id"]: row for row in found}
        same = (row for row in ids.values() if "".join(str(row.get("organizationNumber", "")).split()) == digits)
        return list(same)

    async def _change(self, run: Run) -> Proof:
        id = number_of(run.goal.target, "target")
        body = await self._body(run.goal.record, empties=True)
        decided_on = run.goal.record.get("version")
        if not decided_on:
            now = await self._client.get(f"/customer/{id}", fields=records.CUSTOMER_FIELDS)
            wanted = sent(wire.Customer, run.goal.record, empties=True)
            if moved(wanted, run.goal.seen, records.customer(now).body):
                return Proof(str(id), {"moved": True})
        body["version"] = decided_on or now.get("version")
        try:
            await self._client.write("PUT", f"/customer/{id}", json=body)
        except Refused as exc:
            if exc.code != "revision-conflict" or decided_on:
                raise
            # Somebody changed it within this very moment.
            raise TryLater(exc.said, code=exc.code, status=exc.status, said_by_vendor=exc.said_by_vendor) from None
        return Proof(str(id))

    async def _changed(self, run: Run) -> Sequence[Proof]:
        """Whether the customer already is as we want it."""
        id = number_of(run.goal.target, "target")
        there = await self._client.get(f"/customer/{id}", fields=records.CUSTOMER_FIELDS)
        wanted = sent(wire.Customer, run.goal.record, empties=True)
        return [] if differs(wanted, records.pick(wire.Customer, there)) else [Proof(str(id))]

    async def _read(self, run: Run) -> Proof:
        id = run.proofs["customer"].id
        record = records.customer(await self._client.get(f"/customer/{id}", fields=records.CUSTOMER_FIELDS))
        return Proof(id, {"number": record.body.get("customerNumber")}, record)

    async def _body(self, record: Mapping[str, Json], *, empties: bool = False) -> dict[str, Any]:
        body = sent(wire.Customer, record, empties=empties)
        for name in ("postalAddress", "physicalAddress"):
            address = body.get(name)
            if address and address.get("country"):
                country = await self._lookups.country(address["country"]["isoAlpha2Code"])
                body[name] = {**address, "country": {"id": country}}
        return body
