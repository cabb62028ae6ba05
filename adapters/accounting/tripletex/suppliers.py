"""Writing suppliers: found by organisation number, else made; changed with the version that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.accounting.tripletex import purchases, records, wire
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.sending import differs, moved, number_of, sent
from connector.errors import Refused, Stop, TryLater
from connector.ports import Goal, Json, Proof, Run, Step


class Suppliers:
    """Flows of suppliers, as `Customers` has them for customers.

    A supplier without organisation number carries our marker as its `description`; one that is there under the very
    same name, also without a number, is taken for it. Bank accounts are never written.
    """

    def __init__(self, client: Client, lookups: Lookups) -> None:
        self._client = client
        self._lookups = lookups

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        if goal.operation == "create":
            if not goal.record.get("name"):
                raise Refused("A supplier has a name.", code="name-missing", where={"field": "name"})
            return Step("supplier", self._create, self._look), Step("read", self._read)
        number_of(goal.target, "target")
        return Step("supplier", self._change, self._changed), Step("read", self._read)

    async def _create(self, run: Run) -> Proof:
        name, number = run.goal.record["name"], run.goal.record.get("organizationNumber")
        there = await (self._with(str(number)) if number else self._named(str(name)))
        called = f"organisation number {number}" if number else f"the name {name}"
        if len(there) > 1:
            raise Stop(
                f"Tripletex has {len(there)} suppliers with {called}.",
                code="supplier-duplicates",
                do="Say which one it is: resolve with --happened and its id; or merge them in Tripletex and retry.",
                details={"ids": [row["id"] for row in there]},
                answers=("happened",),
            )
        if there and there[0].get("isInactive"):
            raise Stop(
                f"The supplier with {called} is inactive in Tripletex.",
                code="supplier-inactive",
                do="Make the supplier active in Tripletex and try again.",
                details={"ids": [there[0]["id"]]},
            )
        if there:
            return Proof(str(there[0]["id"]), {"found": True})
        if not run.goal.may_create:
            raise Stop(
                f"Tripletex has no supplier {name}, and the mapping does not have one made.",
                code="supplier-unknown",
                do="Make the supplier in Tripletex and retry, or let the mapping make it (kinds.supplier, creates:"
                " needed).",
                where={"field": "organizationNumber"},
            )
        body = await self._body(run.goal.record)
        if not number:
            body["description"] = run.goal.marker
        made = await self._client.write("POST", "/supplier", json=body)
        return Proof(str(made["id"]), {"found": False})

    async def _look(self, run: Run) -> Sequence[Proof]:
        number = run.goal.record.get("organizationNumber")
        if number:
            found = await self._with(str(number))
        else:
            found = [row for row in await self._all() if row.get("description") == run.goal.marker]
        return [Proof(str(row["id"]), {"found": False}) for row in found]

    async def _with(self, number: str) -> list[dict[str, Any]]:
        """Suppliers with exactly this organisation number, active or not."""
        digits = "".join(number.split())
        found = await self._all(organizationNumber=number)
        return [row for row in found if "".join(str(row.get("organizationNumber") or "").split()) == digits]

    async def _named(self, name: str) -> list[dict[str, Any]]:
        """Suppliers of exactly this name that have no organisation number; Tripletex cannot be asked by name."""
        wanted = name.strip().casefold()
        return [
            row
            for row in await self._all()
            if str(row.get("name", "")).strip().casefold() == wanted and not row.get("organizationNumber")
        ]

    async def _all(self, **asked: Any) -> list[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for inactive in (False, True):
            rows = await self._client.every(
                "/supplier", isInactive=inactive, fields="id,name,organizationNumber,isInactive,description", **asked
            )
            found |= {row["id"]: row for row in rows}
        return list(found.values())

    async def _change(self, run: Run) -> Proof:
        id = number_of(run.goal.target, "target")
        body = await self._body(run.goal.record, empties=True)
        decided_on = run.goal.record.get("version")
        if not decided_on:
            now = await self._client.get(f"/supplier/{id}", fields=purchases.SUPPLIER_FIELDS)
            wanted = sent(wire.Supplier, run.goal.record, empties=True)
            if moved(wanted, run.goal.seen, purchases.supplier(now).body):
                return Proof(str(id), {"moved": True})
        body["version"] = decided_on or now.get("version")
        try:
            await self._client.write("PUT", f"/supplier/{id}", json=body)
        except Refused as exc:
            if exc.code != "revision-conflict" or decided_on:
                raise
            # Somebody changed it within this very moment.
            raise TryLater(exc.said, code=exc.code, status=exc.status, said_by_vendor=exc.said_by_vendor) from None
        return Proof(str(id))

    async def _changed(self, run: Run) -> Sequence[Proof]:
        """Whether the supplier already is as we want it."""
        id = number_of(run.goal.target, "target")
        there = await self._client.get(f"/supplier/{id}", fields=purchases.SUPPLIER_FIELDS)
        wanted = sent(wire.Supplier, run.goal.record, empties=True)
        return [] if differs(wanted, records.pick(wire.Supplier, there)) else [Proof(str(id))]

    async def _read(self, run: Run) -> Proof:
        id = run.proofs["supplier"].id
        record = purchases.supplier(await self._client.get(f"/supplier/{id}", fields=purchases.SUPPLIER_FIELDS))
        return Proof(id, {"number": record.body.get("supplierNumber")}, record)

    async def _body(self, record: Mapping[str, Json], *, empties: bool = False) -> dict[str, Any]:
        body = sent(wire.Supplier, record, empties=empties)
        for name in ("postalAddress", "physicalAddress"):
            address = body.get(name)
            if address and address.get("country"):
                country = await self._lookups.country(address["country"]["isoAlpha2Code"])
                body[name] = {**address, "country": {"id": country}}
        return body
