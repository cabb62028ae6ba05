"""Products, departments, projects and values of free dimensions: how they are read, made and changed.

None of them can be asked for by time of change. A poll asks for each page of the register with the checksum it had the
last time: pages that are the same are not sent again. A record is known by its number, or by its name where it has
none; Tripletex keeps only some of the numbers unique, so it is looked before one is made.

Where the key has no right to a register, or the package no such module, the register is read as empty and `blind`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from adapters.accounting.tripletex import records, wire
from adapters.accounting.tripletex.client import OSLO, PAGE, Client
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.sending import differs, moved, number_of, sent
from connector.errors import NeedsPerson, Refused, Stop, TryLater
from connector.ports import Goal, Kind, Page, Proof, Record, Run, Step

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Register:
    """What tells the registers apart. `number` is the field that people know a record by, `query` the parameter that
    asks for it, `inactive` the field that closes a record, and the value that does.
    """

    model: type[BaseModel]
    path: str
    list: str
    name: str = "name"
    number: str = "number"
    query: str | None = "number"
    inactive: tuple[str, bool] = ("isInactive", True)
    leave: frozenset[str] = frozenset()

    @property
    def fields(self) -> str:
        """What is asked for."""
        more = "dimensionIndex," if self.leave else ""
        return more + records.fields_of(self.model, leave=self.leave)

    def closed(self, row: Mapping[str, Any]) -> bool:
        """Whether nothing new may be put on it."""
        field, value = self.inactive
        return row.get(field) is value


REGISTERS: Mapping[Kind, Register] = {
    Kind.PRODUCT: Register(wire.Product, "/product", "/product", query="productNumber"),
    Kind.DEPARTMENT: Register(
        wire.Department, "/department", "/department", number="departmentNumber", query="departmentNumber"
    ),
    Kind.PROJECT: Register(wire.Project, "/project", "/project", inactive=("isClosed", True)),
    Kind.DIMENSION: Register(
        wire.DimensionValue,
        "/ledger/accountingDimensionValue",
        "/ledger/accountingDimensionValue/search",
        name="displayName",
        query=None,
        inactive=("active", False),
        leave=frozenset({"dimension"}),
    ),
}
"""The registers that are read page by page, by kind."""


class Registers:
    """Reading and writing of one company's registers. `manager`: who leads new projects, as the settings say."""

    def __init__(self, client: Client, lookups: Lookups, manager: str | None) -> None:
        self._client = client
        self._lookups = lookups
        self._manager = manager

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One record as it is now, or None."""
        register = REGISTERS[kind]
        try:
            row = await self._client.get(f"{register.path}/{id}", fields=register.fields)
        except Refused as exc:
            if exc.code == "vendor-not-found":
                return None
            raise
        return records.of_register(kind, await self._whole(kind, row))

    async def page(self, kind: Kind, at: int, digest: str) -> tuple[Page, str, int | None]:
        """The page from row `at`, its checksum now, and where the next begins (None: that was the last).

        A page that still has the checksum `digest` has no records here; the next then begins after it.
        """
        register = REGISTERS[kind]
        try:
            rows, now = await self._client.page_unless(digest, register.list, fields=register.fields, start=at)
        except NeedsPerson as exc:
            if exc.code != "right-missing":
                raise
            return Page((), "", blind=True), "x", None
        if rows is None:
            return Page((), ""), digest, at + PAGE
        found = [records.of_register(kind, await self._whole(kind, row)) for row in rows]
        return Page(found, ""), now or "x", at + len(rows) if len(rows) >= PAGE else None

    async def _whole(self, kind: Kind, row: Row) -> Row:
        """A row with what it only refers to: the name of the dimension."""
        if kind is not Kind.DIMENSION:
            return row
        return {**row, "dimension": {"dimensionName": await self._lookups.dimension_name(row.get("dimensionIndex"))}}

    # --- writing ------------------------------------------------------------------------------------------------------

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        register = REGISTERS[goal.kind]
        if goal.operation == "update":
            number_of(goal.target, "target")
            return Step(str(goal.kind), self._change, self._changed), Step("read", self._read)
        if not goal.record.get(register.name) and not goal.record.get(register.number):
            raise Refused(f"A {goal.kind} has a name.", code="name-missing", where={"field": register.name})
        return Step(str(goal.kind), self._create, self._look), Step("read", self._read)

    async def _create(self, run: Run) -> Proof:
        goal, register = run.goal, REGISTERS[run.goal.kind]
        there = await self._there(goal)
        name = goal.record.get(register.number) or goal.record.get(register.name)
        if len(there) > 1:
            raise Stop(
                f"Tripletex has {len(there)} entries for {goal.kind} {name}.",
                code=f"{goal.kind}-duplicates",
                do="Say which one it is: resolve with --happened and its id; or leave one of them in Tripletex.",
                details={"ids": [row["id"] for row in there]},
                answers=("happened",),
            )
        if there and register.closed(there[0]):
            raise Stop(
                f"The {goal.kind} {name} is closed in Tripletex.",
                code=f"{goal.kind}-inactive",
                do="Make it active in Tripletex and try again, or use another.",
                details={"ids": [there[0]["id"]]},
            )
        if there:
            return Proof(str(there[0]["id"]), {"found": True})
        if not goal.may_create:
            raise await self._unknown(goal, str(name))
        made = await self._client.write("POST", register.path, json=await self._new(goal))
        return Proof(str(made["id"]), {"found": False})

    async def _look(self, run: Run) -> Sequence[Proof]:
        return [Proof(str(row["id"]), {"found": False}) for row in await self._there(run.goal)]

    async def _there(self, goal: Goal) -> list[Row]:
        """What has the number of the goal, or, where it has none, its name."""
        register, record = REGISTERS[goal.kind], goal.record
        asked: dict[str, Any] = {}
        field = register.number if record.get(register.number) else register.name
        if goal.kind is Kind.DIMENSION:
            asked["dimensionIndex"] = await self._lookups.dimension_index(record["dimension"]["dimensionName"])
        elif field == register.name:
            asked["name"] = record[field]
        elif register.query:
            asked[register.query] = record[field]
        rows = await self._client.every(register.list, fields=register.fields, **asked)
        wanted = str(record[field])
        return [row for row in rows if str(row.get(field) or "") == wanted]

    async def _unknown(self, goal: Goal, name: str) -> Stop:
        register = REGISTERS[goal.kind]
        rows = await self._client.rows(register.list, fields=register.fields)
        if goal.kind is Kind.DIMENSION:
            index = await self._lookups.dimension_index(goal.record["dimension"]["dimensionName"])
            rows = [row for row in rows if row.get("dimensionIndex") == index]
        known = {str(row.get(register.number) or row.get(register.name)): row for row in rows}
        known |= {str(row.get(register.name)): row for row in rows if row.get(register.name)}
        near = [
            f"{known[one].get(register.number) or ''} {known[one].get(register.name) or ''}".strip()
            for one in get_close_matches(name, known, n=3, cutoff=0.5)
        ]
        meant = f" Did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
        return Stop(
            f"Tripletex has no {goal.kind} {name}, and the mapping does not have one made.{meant}",
            code=f"{goal.kind}-unknown",
            do=f"Make it in Tripletex and retry; mend the document; or let the mapping make it (kinds.{goal.kind},"
            " creates: needed).",
            where={"field": register.number, str(goal.kind): name},
            details={"near": near},
        )

    async def _new(self, goal: Goal) -> Row:
        body = await self._body(goal)
        if goal.kind is Kind.PROJECT:
            body["projectManager"] = {"id": await self._lookups.employee(self._manager)}
            body["startDate"] = datetime.now(OSLO).date().isoformat()
        body.setdefault(REGISTERS[goal.kind].name, goal.record.get(REGISTERS[goal.kind].number))
        return body

    async def _body(self, goal: Goal) -> Row:
        """What is sent, with Tripletex' own ids in place of what people know."""
        body = sent(REGISTERS[goal.kind].model, goal.record, empties=goal.operation == "update")
        if body.get("vatType"):
            day = datetime.now(OSLO).date()
            body["vatType"] = {"id": await self._lookups.vat_type(str(body["vatType"]["number"]), day)}
        if body.get("currency"):
            body["currency"] = {"id": await self._lookups.currency(body["currency"]["code"])}
        if body.get("productUnit"):
            body["productUnit"] = {"id": await self._lookups.unit(body["productUnit"]["commonCode"])}
        if body.get("account"):
            body["account"] = {"id": await self._lookups.account(body["account"]["number"])}
        if dimension := body.pop("dimension", None):
            body["dimensionIndex"] = await self._lookups.dimension_index(dimension["dimensionName"])
        return body

    async def _change(self, run: Run) -> Proof:
        goal, register = run.goal, REGISTERS[run.goal.kind]
        id = number_of(goal.target, "target")
        now = await self._client.get(f"{register.path}/{id}", fields=register.fields)
        shown = records.of_register(goal.kind, await self._whole(goal.kind, now)).body
        if moved(sent(register.model, goal.record, empties=True), goal.seen, shown):
            return Proof(str(id), {"moved": True})
        body = {**await self._body(goal), "version": now.get("version")}
        try:
            if goal.kind is Kind.DIMENSION:
                # Its values are changed by a list only, and each is sent whole.
                body.pop("dimensionIndex", None)
                kept = ("id", "displayName", "number", "active", "dimensionIndex")
                whole = {name: now[name] for name in kept if now.get(name) is not None}
                await self._client.call("PUT", f"{register.path}/list", json=[{**whole, **body}])
            else:
                await self._client.write("PUT", f"{register.path}/{id}", json=body)
        except Refused as exc:
            if exc.code != "revision-conflict":
                raise
            # Somebody changed it within this very moment.
            raise TryLater(exc.said, code=exc.code, status=exc.status, said_by_vendor=exc.said_by_vendor) from None
        return Proof(str(id))

    async def _changed(self, run: Run) -> Sequence[Proof]:
        """Whether it already is as we want it."""
        record = await self.read(run.goal.kind, str(number_of(run.goal.target, "target")))
        wanted = sent(REGISTERS[run.goal.kind].model, run.goal.record, empties=True)
        return [] if record is None or differs(wanted, record.body) else [Proof(record.id)]

    async def _read(self, run: Run) -> Proof:
        id = run.proofs[str(run.goal.kind)].id
        record = await self.read(run.goal.kind, id)
        if record is None:
            raise Stop(
                f"Tripletex does not show the {run.goal.kind} {id}.",
                code="nothing-read-back",
                do="See in Tripletex whether it is there, and that the key may read it; then retry.",
            )
        return Proof(id, {"number": record.body.get(REGISTERS[run.goal.kind].number)}, record)
