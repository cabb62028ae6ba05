"""Writing customers: found by organisation number, else made; changed only where nobody else has changed it.

Visma Net does not keep organisation numbers unique, so it is looked before one is made. A customer without one is found
by exactly the same name and e-mail address, and a new one carries our marker as its `accountReference`.

`If-Match` is honoured for customers in background calls only: a change reads just before it writes and compares after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.accounting.visma_net import records, wire
from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.parties import Parties
from adapters.accounting.visma_net.sending import differs, moved, sent
from adapters.accounting.visma_net.wrapping import wrapped
from connector.errors import Refused, Stop
from connector.ports import Goal, Proof, Run, Step

Row = Mapping[str, Any]


class Customers:
    """Flows of customers."""

    def __init__(self, client: Client, parties: Parties) -> None:
        self._client = client
        self._parties = parties

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        if goal.operation == "create":
            if not goal.record.get("name"):
                raise Refused("A customer has a name.", code="name-missing", where={"field": "name"})
            return Step("customer", self._create, self._look), Step("read", self._read)
        return Step("customer", self._change, self._changed), Step("read", self._read)

    async def _create(self, run: Run) -> Proof:
        goal = run.goal
        there = await self._there(goal.record)
        if len(there) > 1:
            raise Stop(
                f"Visma Net has {len(there)} customers with {_known_by(goal.record)}.",
                code="customer-duplicates",
                do="Say which one it is: resolve with --happened and its internal id; or make all but one of them"
                " inactive in Visma Net and retry.",
                details={"ids": [row.get("internalId") for row in there]},
                answers=("happened",),
            )
        if there and there[0].get("status") == "Inactive":
            raise Stop(
                f"The customer with {_known_by(goal.record)} is inactive in Visma Net.",
                code="customer-inactive",
                do="Make the customer active in Visma Net and try again.",
                details={"ids": [there[0].get("internalId")]},
            )
        if there:
            return Proof(records.customer(there[0]).id, {"found": True})
        if not goal.may_create:
            raise Stop(
                f"Visma Net has no customer {goal.record['name']}, and the mapping does not have one made.",
                code="customer-unknown",
                do="Make the customer in Visma Net and retry, or let the mapping make it (kinds.customer, creates:"
                " needed).",
                where={"field": "corporateId"},
            )
        body = _body(goal.record)
        if not goal.record.get("corporateId"):
            body["accountReference"] = goal.marker
        number = await self._client.create("/v1/customer", wrapped(body))
        # The answer names it by its number, and links stand on the id; that is read, and no second one is made for it.
        row = await self._client.get(f"/v1/customer/{segment(number)}")
        return Proof(records.customer(row).id, {"found": False})

    async def _look(self, run: Run) -> Sequence[Proof]:
        record = run.goal.record
        if record.get("corporateId"):
            found = await self._with(str(record["corporateId"]))
        else:
            named = await self._client.every("/v1/customer", name=record["name"])
            found = [row for row in named if row.get("accountReference") == run.goal.marker]
        return [Proof(records.customer(row).id, {"found": False}) for row in found]

    async def _there(self, record: Row) -> list[Row]:
        """Customers that this one is; inactive ones only where there is no other."""
        if number := record.get("corporateId"):
            found = await self._with(str(number))
        else:
            email = (record.get("mainContact") or {}).get("email")
            rows = await self._client.every("/v1/customer", email=email) if email else []
            found = [
                row
                for row in rows
                if row.get("name") == record["name"]
                and (row.get("mainContact") or {}).get("email") == email
                and not row.get("corporateId")
            ]
        return [row for row in found if row.get("status") != "Inactive"] or found

    async def _with(self, number: str) -> list[Row]:
        rows = await self._client.every("/v1/customer", corporateId=number)
        digits = _digits(number)
        return [row for row in rows if _digits(str(row.get("corporateId") or "")) == digits]

    async def _change(self, run: Run) -> Proof:
        goal, wanted = run.goal, sent(wire.Customer, run.goal.record, empties=True)
        now = records.customer(await self._parties.by_id(goal.target))
        if moved(wanted, goal.seen, now.body):
            return Proof(now.id, {"moved": True})
        await self._client.call(
            "PUT", f"/v1/customer/internal/{now.id}", json=wrapped(_body(goal.record, empties=True))
        )
        return Proof(now.id)

    async def _changed(self, run: Run) -> Sequence[Proof]:
        """Whether the customer already is as we want it."""
        now = records.customer(await self._parties.by_id(run.goal.target))
        return [] if differs(sent(wire.Customer, run.goal.record, empties=True), now.body) else [Proof(now.id)]

    async def _read(self, run: Run) -> Proof:
        proof = run.proofs["customer"]
        record = records.customer(await self._parties.by_id(proof.id))
        if run.goal.operation == "update" and not proof.facts.get("moved"):
            # Without a condition the last writer wins silently: what was meant to be there is compared.
            apart = differs(sent(wire.Customer, run.goal.record, empties=True), record.body)
            if apart:
                return Proof(record.id, {"number": record.body.get("number"), "moved": True}, record)
        return Proof(record.id, {"number": record.body.get("number")}, record)


def _body(record: Row, *, empties: bool = False) -> dict[str, Any]:
    body = sent(wire.Customer, record, empties=empties)
    if address := body.get("mainAddress"):
        country = address.pop("country", None)
        if country:
            address["countryId"] = country["id"]
    return body


def _known_by(record: Row) -> str:
    number = record.get("corporateId")
    return f"organisation number {number}" if number else f"this name and e-mail address, {record['name']}"


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
