"""Writing customers and suppliers: found by organisation number, else made; changed only where nobody else has.

Visma Net does not keep organisation numbers unique, so it is looked before one is made. A customer without one is found
by exactly the same name and e-mail address (a supplier by its name), and a new one carries our marker as its
`accountReference`. Bank accounts of suppliers are never written.

A change reads just before it writes, and names the version it read (`If-Match`): where somebody else was in between,
nothing is written (412), and it is read and decided anew. Visma Net promises that for suppliers; for customers it says
so of background calls only, and items have no such condition: what stands there afterwards is therefore compared, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from adapters.accounting.visma_net import records, wire
from adapters.accounting.visma_net.client import Client, segment
from adapters.accounting.visma_net.sending import differs, moved, sent
from adapters.accounting.visma_net.wrapping import wrapped
from connector.errors import Refused, Stop, TryLater
from connector.ports import Goal, Kind, Proof, Record, Run, Step

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Register:
    """What tells the two apart: `at` is where one is read and changed by its id, `by_email` whether it can be asked for
    by e-mail address.
    """

    kind: Kind
    path: str
    at: str
    model: type[BaseModel]
    record: Callable[[Row], Record]
    by_email: bool = False
    conditional: bool = True
    """Whether a change may name the version it is of."""
    number: str = "number"
    """The field that people know one by."""


CUSTOMERS = Register(
    Kind.CUSTOMER, "/v1/customer", "/v1/customer/internal/{}", wire.Customer, records.customer, by_email=True
)
SUPPLIERS = Register(Kind.SUPPLIER, "/v1/supplier", "/v1/supplier/{}", wire.Supplier, records.supplier)


class Registers:
    """Flows of customers, or of suppliers."""

    def __init__(self, client: Client, register: Register) -> None:
        self._client = client
        self._register = register

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        if goal.operation == "create":
            if not goal.record.get("name"):
                raise Refused(f"A {goal.kind} has a name.", code="name-missing", where={"field": "name"})
            return Step("made", self._create, self._look), Step("read", self._read)
        return Step("made", self._change, self._changed), Step("read", self._read)

    async def _create(self, run: Run) -> Proof:
        goal = run.goal
        there = await self._there(goal.record)
        if len(there) > 1:
            raise Stop(
                f"Visma Net has {len(there)} {goal.kind}s with {_known_by(goal.record)}.",
                code=f"{goal.kind}-duplicates",
                do="Say which one it is: resolve with --happened and its id; or make all but one of them"
                " inactive in Visma Net and retry.",
                details={"ids": [self._register.record(row).id for row in there]},
                answers=("happened",),
            )
        if there and there[0].get("status") == "Inactive":
            raise Stop(
                f"The {goal.kind} with {_known_by(goal.record)} is inactive in Visma Net.",
                code=f"{goal.kind}-inactive",
                do="Make it active in Visma Net and try again.",
                details={"ids": [self._register.record(there[0]).id]},
            )
        if there:
            return Proof(self._register.record(there[0]).id, {"found": True})
        if not goal.may_create:
            raise Stop(
                f"Visma Net has no {goal.kind} {goal.record['name']}, and the mapping does not have one made.",
                code=f"{goal.kind}-unknown",
                do=f"Make it in Visma Net and retry, or let the mapping make it (kinds.{goal.kind}, creates: needed).",
                where={"field": "corporateId"},
            )
        body = self._body(goal.record)
        if not goal.record.get("corporateId"):
            body["accountReference"] = goal.marker
        return await self._made(body)

    async def _made(self, body: Row) -> Proof:
        """Make one. The answer names it by its number; the id, on which links stand, is read by the next step, which
        may be told to wait. Raises what `Client.create` raises.
        """
        number = await self._client.create(self._register.path, wrapped(body))
        return Proof(number, {"found": False, "by_number": True})

    async def _look(self, run: Run) -> Sequence[Proof]:
        record = run.goal.record
        if record.get("corporateId"):
            found = await self._with(str(record["corporateId"]))
        else:
            named = await self._client.every(self._register.path, name=record["name"])
            found = [row for row in named if row.get("accountReference") == run.goal.marker]
        return [Proof(self._register.record(row).id, {"found": False}) for row in found]

    async def _there(self, record: Row) -> list[Row]:
        """Those that this one is; inactive ones only where there is no other."""
        if number := record.get("corporateId"):
            found = await self._with(str(number))
        elif not self._register.by_email:
            rows = await self._client.every(self._register.path, name=record["name"])
            found = [row for row in rows if row.get("name") == record["name"] and not row.get("corporateId")]
        else:
            email = (record.get("mainContact") or {}).get("email")
            rows = await self._client.every(self._register.path, email=email) if email else []
            found = [
                row
                for row in rows
                if row.get("name") == record["name"]
                and (row.get("mainContact") or {}).get("email") == email
                and not row.get("corporateId")
            ]
        return [row for row in found if row.get("status") != "Inactive"] or found

    async def _with(self, number: str) -> list[Row]:
        rows = await self._client.every(self._register.path, corporateId=number)
        digits = _digits(number)
        return [row for row in rows if _digits(str(row.get("corporateId") or "")) == digits]

    async def _change(self, run: Run) -> Proof:
        goal, wanted = run.goal, sent(self._register.model, run.goal.record, empties=True)
        now = await self._by_id(goal.target)
        if moved(wanted, goal.seen, now.body):
            return Proof(now.id, {"moved": True})
        body = wrapped(self._body(goal.record, empties=True))
        try:
            await self._client.call(
                "PUT", self._at(now.id), json=body, only_if=now.version if self._register.conditional else None
            )
        except Refused as exc:
            if exc.code != "revision-conflict":
                raise
            return Proof(now.id, {"moved": True})
        return Proof(now.id)

    async def _changed(self, run: Run) -> Sequence[Proof]:
        """Whether it already is as we want it."""
        now = await self._by_id(run.goal.target)
        return [] if differs(sent(self._register.model, run.goal.record, empties=True), now.body) else [Proof(now.id)]

    def _at(self, id: str) -> str:
        return self._register.at.format(segment(id))

    async def _by_id(self, id: Any) -> Record:
        """One as it is now. Raises `Refused` ("link-missing")."""
        row = await self._client.find(self._at(str(id))) if id else None
        if row is None:
            raise Refused(
                f"{str(id)[:40]!r} is no {self._register.kind} in Visma Net.",
                code="link-missing",
                do="See that it has been brought to Visma Net, and is still there.",
                where={"field": "target"},
            )
        return self._register.record(row)

    def _body(self, record: Row, *, empties: bool = False) -> dict[str, Any]:
        body = sent(self._register.model, record, empties=empties)
        if address := body.get("mainAddress"):
            country = address.pop("country", None)
            if country:
                address["countryId"] = country["id"]
        return body

    async def _read(self, run: Run) -> Proof:
        proof = run.proofs["made"]
        if proof.facts.get("by_number"):
            row = await self._client.find(f"{self._register.path}/{segment(proof.id)}")
            if row is None:
                raise TryLater(f"Visma Net does not show {self._register.kind} {proof.id} yet.", code="not-shown-yet")
            record = self._register.record(row)
        else:
            record = await self._by_id(proof.id)
        if run.goal.operation == "update" and not proof.facts.get("moved"):
            # Without a condition the last writer wins silently: what was meant to be there is compared.
            apart = differs(sent(self._register.model, run.goal.record, empties=True), record.body)
            if apart:
                return Proof(record.id, {"number": record.body.get(self._register.number), "moved": True}, record)
        return Proof(record.id, {"number": record.body.get(self._register.number)}, record)


def _known_by(record: Row) -> str:
    number = record.get("corporateId")
    return f"organisation number {number}" if number else f"this name and e-mail address, {record['name']}"


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
