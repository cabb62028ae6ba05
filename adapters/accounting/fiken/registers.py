"""Writing products and projects: found by number, else made; changed where they are as they were seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from adapters.accounting.fiken import records, wire
from adapters.accounting.fiken.client import OSLO, Client, Row
from adapters.accounting.fiken.sending import differs, id_of, moved, sent
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Record, Run, Step


@dataclass(frozen=True, slots=True)
class Register:
    """A register: where it is, and which fields are its id, its number and whether it is open for use."""

    path: str
    model: type[BaseModel]
    id: str
    number: str
    record: Callable[[Row], Record]
    closed: Callable[[Row], bool]
    method: str
    """How one is changed: `PUT` takes the whole, `PATCH` what changes."""
    besides: Sequence[str] = ()
    """What else belongs to the whole, and is sent back as it is."""


REGISTERS: Mapping[Kind, Register] = {
    Kind.PRODUCT: Register("/products", wire.Product, "productId", "productNumber", records.product,
                           lambda row: row.get("active") is False, "PUT", ("stock",)),
    Kind.PROJECT: Register("/projects", wire.Project, "projectId", "number", records.project,
                           lambda row: bool(row.get("completed")), "PATCH"),
}  # fmt: skip


class Registers:
    """Flows of products and projects."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        register = REGISTERS[goal.kind]
        sent(register.model, goal.record)
        if goal.operation == "create":
            if not goal.record.get(register.number):
                raise Refused(
                    f"A {goal.kind} is known in Fiken by its number, and this one has none.",
                    code="number-missing",
                    do="Give it a number.",
                    where={"field": register.number},
                )
            return Step(str(goal.kind), self._create, self._look), Step("read", self._read)
        id_of(goal.target, "target")
        return Step(str(goal.kind), self._change, self._changed), Step("read", self._read)

    async def _create(self, run: Run) -> Proof:
        goal, register = run.goal, REGISTERS[run.goal.kind]
        number, there = goal.record[register.number], await self._numbered(goal)
        if len(there) > 1:
            raise Stop(
                f"Fiken has {len(there)} {goal.kind}s with number {number}.",
                code=f"{goal.kind}-duplicates",
                do="Give all but one of them another number in Fiken, then retry.",
                details={"ids": [row[register.id] for row in there]},
            )
        if there and register.closed(there[0]):
            raise Stop(
                f"The {goal.kind} {number} is closed in Fiken.",
                code=f"{goal.kind}-inactive",
                do="Open it in Fiken and try again.",
                where={"field": register.number},
            )
        if there:
            return Proof(str(there[0][register.id]), {"found": True})
        if not goal.may_create:
            raise Stop(
                f"Fiken has no {goal.kind} {number}, and the mapping does not have one made.",
                code=f"{goal.kind}-unknown",
                do=f"Make it in Fiken and retry, or let the mapping make it (kinds.{goal.kind}, creates: needed).",
                where={"field": register.number},
            )
        body = sent(register.model, goal.record)
        if goal.kind is Kind.PROJECT:
            body["startDate"] = datetime.now(OSLO).date().isoformat()
        return Proof(str(await self._client.create(register.path, body)), {"found": False})

    async def _look(self, run: Run) -> Sequence[Proof]:
        register = REGISTERS[run.goal.kind]
        return [Proof(str(row[register.id]), {"found": False}) for row in await self._numbered(run.goal)]

    async def _numbered(self, goal: Goal) -> list[Row]:
        """Those with exactly this number."""
        register, number = REGISTERS[goal.kind], str(goal.record[REGISTERS[goal.kind].number])
        rows = await self._client.every(register.path, register.id, **{register.number: number})
        return [row for row in rows if str(row.get(register.number)) == number]

    async def _change(self, run: Run) -> Proof:
        register, id = REGISTERS[run.goal.kind], id_of(run.goal.target, "target")
        row = await self._client.get(f"{register.path}/{id}")
        now, wanted = records.pick(register.model, row), self._wanted(run.goal)
        if moved(wanted, run.goal.seen, now):
            return Proof(str(id), {"moved": True})
        body: dict[str, Any] = dict(wanted)
        if register.method == "PUT":
            whole = {name: row.get(name) for name in register.besides} | sent(register.model, now) | wanted
            body = {name: value for name, value in whole.items() if value is not None}
        await self._client.call(register.method, f"{register.path}/{id}", json=body)
        return Proof(str(id))

    async def _changed(self, run: Run) -> Sequence[Proof]:
        register, id = REGISTERS[run.goal.kind], id_of(run.goal.target, "target")
        there = records.pick(register.model, await self._client.get(f"{register.path}/{id}"))
        return [] if differs(self._wanted(run.goal), there) else [Proof(str(id))]

    def _wanted(self, goal: Goal) -> dict[str, Any]:
        wanted = sent(REGISTERS[goal.kind].model, goal.record, empties=True)
        if goal.kind is Kind.PROJECT:
            wanted.pop("number", None)  # a project keeps its number in Fiken
        return wanted

    async def _read(self, run: Run) -> Proof:
        register = REGISTERS[run.goal.kind]
        id = run.proofs[str(run.goal.kind)].id
        return Proof(id, {}, register.record(await self._client.get(f"{register.path}/{id}")))
