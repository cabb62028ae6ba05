"""Writing customers and suppliers, which are contacts: one may be both.

Found by organisation number, else made with our marker as `memberNumberString`; changed by sending the whole contact
anew, because Fiken does not say whether it keeps what is left out. What it only takes and never shows (telephone,
member number, currency, by its description) cannot be sent back: Fiken must keep it.
The bank account of a supplier is never written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from adapters.accounting.fiken import records, wire
from adapters.accounting.fiken.client import Client, Row
from adapters.accounting.fiken.countries import name_of
from adapters.accounting.fiken.sending import differs, id_of, moved, sent
from connector.errors import Refused, Stop
from connector.ports import Goal, Kind, Proof, Record, Run, Step

_WHOLE = ("name", "email", "organizationNumber", "phoneNumber", "memberNumberString", "customer", "supplier",
          "bankAccountNumber", "currency", "language", "inactive", "daysUntilInvoicingDueDate", "discount", "address",
          "groups", "contactPerson")  # fmt: skip
"""What of a contact as read is sent back."""
_PERSON = ("name", "email", "phoneNumber", "address")
"""What of a contact person is."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a contact is: `kind` is also the field that says so, `number` the one that has its number as such."""

    kind: Kind
    number: str
    model: type[BaseModel]
    record: Callable[[Row], Record]


CUSTOMERS = Role(Kind.CUSTOMER, "customerNumber", wire.Customer, records.customer)
SUPPLIERS = Role(Kind.SUPPLIER, "supplierNumber", wire.Supplier, records.supplier)


class Contacts:
    """Flows of customers, or of suppliers."""

    def __init__(self, client: Client, role: Role) -> None:
        self._client = client
        self._role = role

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that reach a goal. Raises `Refused`."""
        address = goal.record.get("address")
        if address and not address.get("country") and goal.operation == "create":
            raise Refused(
                "An address in Fiken has a country, and this one says none.",
                code="country-missing",
                do="State the country of the address (BT-55).",
                where={"field": "address.country"},
            )
        if goal.operation == "create":
            if not goal.record.get("name"):
                raise Refused(f"A {goal.kind} has a name.", code="name-missing", where={"field": "name"})
            sent(self._role.model, goal.record)
            return Step(self._role.kind.value, self._create, self._look), Step("read", self._read)
        id_of(goal.target, "target")
        return Step(self._role.kind.value, self._change, self._changed), Step("read", self._read)

    async def _create(self, run: Run) -> Proof:
        kind = self._role.kind
        number = run.goal.record.get("organizationNumber")
        there = await (self._numbered(str(number)) if number else self._alike(run.goal.record))
        what = f"organisation number {number}" if number else f"this name and e-mail, {run.goal.record['name']}"
        if len(there) > 1:
            raise Stop(
                f"Fiken has {len(there)} contacts with {what}.",
                code=f"{kind}-duplicates",
                do="Say which one it is: resolve with --happened and its id; or merge them in Fiken and retry.",
                details={"ids": [row["contactId"] for row in there]},
                answers=("happened",),
            )
        if there and there[0].get("inactive"):
            raise Stop(
                f"The contact with {what} is deactivated in Fiken.",
                code=f"{kind}-inactive",
                do="Make the contact active in Fiken and try again.",
                details={"ids": [there[0]["contactId"]]},
            )
        if there:
            if not there[0].get(kind.value):  # it is known as the other only
                await self._put(there[0], {kind.value: True})
            return Proof(str(there[0]["contactId"]), {"found": True})
        if not run.goal.may_create:
            raise Stop(
                f"Fiken has no {kind} {run.goal.record['name']}, and the mapping does not have one made.",
                code=f"{kind}-unknown",
                do=f"Make it in Fiken and retry, or let the mapping make it (kinds.{kind}, creates: needed).",
                where={"field": "organizationNumber"},
            )
        body = _named(sent(self._role.model, run.goal.record))
        made = await self._client.create("/contacts", {**body, kind.value: True, "memberNumberString": run.goal.marker})
        return Proof(str(made), {"found": False})

    async def _look(self, run: Run) -> Sequence[Proof]:
        rows = await self._client.every("/contacts", "contactId", memberNumberString=run.goal.marker)
        found = [row for row in rows if _marked(run.goal, row)]
        if not found and (number := run.goal.record.get("organizationNumber")):
            found = [row for row in await self._numbered(str(number)) if row.get(self._role.kind.value)]
        return [Proof(str(row["contactId"]), {"found": False}) for row in found]

    async def _numbered(self, number: str) -> list[Row]:
        """Contacts with exactly this organisation number; an active one counts before those that are not."""
        rows = await self._client.every("/contacts", "contactId", organizationNumber=number)
        same = [row for row in rows if _digits(row.get("organizationNumber")) == _digits(number)]
        return [row for row in same if not row.get("inactive")] or same

    async def _alike(self, record: records.Row) -> list[Row]:
        """Active contacts without organisation number that have exactly this name and e-mail address."""
        if not record.get("email"):
            return []
        rows = await self._client.every("/contacts", "contactId", email=record["email"], inactive=False)
        said = (record["name"], record["email"])
        return [
            row for row in rows if (row.get("name"), row.get("email")) == said and not row.get("organizationNumber")
        ]

    async def _change(self, run: Run) -> Proof:
        id = id_of(run.goal.target, "target")
        now = await self._client.get(f"/contacts/{id}")
        wanted = sent(self._role.model, run.goal.record, empties=True)
        if moved(wanted, run.goal.seen, self._role.record(now).body):
            return Proof(str(id), {"moved": True})
        await self._put(now, _named(wanted))
        return Proof(str(id))

    async def _put(self, now: Row, wanted: Mapping[str, Any]) -> None:
        """The contact as it is, with what is wanted; nothing between the two reads it back: Fiken has no versions."""
        body = _of(now, _WHOLE)
        if people := body.get("contactPerson"):
            body["contactPerson"] = [_of(one, _PERSON) for one in people]
        for name, value in wanted.items():
            if isinstance(value, Mapping):
                value = {**(body.get(name) or {}), **value}
                value = {inner: said for inner, said in value.items() if said is not None}
            body[name] = value
        body = {name: value for name, value in body.items() if value is not None}
        await self._client.call("PUT", f"/contacts/{now['contactId']}", json=body)

    async def _changed(self, run: Run) -> Sequence[Proof]:
        """Whether the contact already is as we want it."""
        id = id_of(run.goal.target, "target")
        there = self._role.record(await self._client.get(f"/contacts/{id}")).body
        return [] if differs(sent(self._role.model, run.goal.record, empties=True), there) else [Proof(str(id))]

    async def _read(self, run: Run) -> Proof:
        id = run.proofs[self._role.kind.value].id
        record = self._role.record(await self._client.get(f"/contacts/{id}"))
        return Proof(id, {"number": record.body.get(self._role.number)}, record)


def _of(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """These fields of what is there; of an address what Fiken takes of one."""
    body = {name: row[name] for name in names if row.get(name) is not None}
    if address := body.get("address"):
        body["address"] = {name: address[name] for name in wire.Address.model_fields if address.get(name) is not None}
    return body


def _marked(goal: Goal, row: Row) -> bool:
    """Whether a contact that was asked for by our marker is ours: Fiken may not show the field it was asked by."""
    shown = row.get("memberNumberString")
    return shown == goal.marker or (shown is None and row.get("name") == goal.record["name"])


def _named(body: dict[str, Any]) -> dict[str, Any]:
    """With the country's name in place of its code."""
    address = body.get("address")
    if address and address.get("country"):
        return {**body, "address": {**address, "country": name_of(address["country"])}}
    return body


def _digits(text: Any) -> str:
    return "".join(filter(str.isdigit, str(text or "")))
