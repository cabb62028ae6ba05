"""Departments, projects and dimensions of the company's own, as registers: read, and found by their code.

Where each stands, the setting `dimensions` says. Segments and branches have no pages and are read whole; what was seen
already, by version, is not given again. Visma Net's projects are many and have pages: `reading` follows them. Nothing
is made here: a value that a typing error made is hard to get rid of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from adapters.accounting.visma_net import records, wire
from adapters.accounting.visma_net.client import Client, not_as_described, segment
from adapters.accounting.visma_net.places import NON_PROJECT, Place, Places
from connector.errors import Refused, Stop
from connector.options import DimensionOptions, Option
from connector.ports import Goal, Kind, Proof, Record, Run, Step

Row = Mapping[str, Any]

PROJECTS = "/v1/projectbasic"
KEY = "SUBACCOUNT"
"""The segmented key whose segments these are."""
_NAMES = {Kind.DEPARTMENT: "department", Kind.PROJECT: "project"}


class Dimensions:
    """Reads one company's dimensions where they stand."""

    def __init__(self, client: Client, places: Places) -> None:
        self._client = client
        self._places = places

    def whole(self, kind: Kind) -> bool:
        """Whether a kind is read whole, without pages."""
        return kind is Kind.DIMENSION or (kind in _NAMES and self._places.at.get(_NAMES[kind]) != "project")

    # --- reading ------------------------------------------------------------------------------------------------------

    async def all(self, kind: Kind) -> list[Record]:
        """Every value of a kind. Raises what `Client.call` raises."""
        found: list[Record] = []
        for name in self._named(kind):
            found += [_record(kind, name, row) for row in await self._values(self._places.at[name])]
        return found

    async def read(self, kind: Kind, id: str) -> Record | None:
        """One value as it is now, or None."""
        if self.whole(kind):
            return next((record for record in await self.all(kind) if record.id == id), None)
        row = await self._client.find(f"/v1/project/internal/{id}") if id.isdigit() else None
        return None if row is None else project(row)

    def _named(self, kind: Kind) -> Sequence[str]:
        if kind is Kind.DIMENSION:
            return self._places.free
        return [name for name in (_NAMES[kind],) if name in self._places.at]

    async def _values(self, place: Place) -> list[Row]:
        """The values that stand at a place, in one shape."""
        if place == "project":
            rows = await self._client.every(PROJECTS)
            return [_of_project(row) for row in rows if row.get("projectID") != NON_PROJECT]
        if place == "branch":
            return [
                {"valueId": records.text(row, "number", "/v1/branch"), "description": row.get("name"), "active": True,
                 "timeStamp": row.get("lastModifiedDateTime")}
                for row in await self._client.listed("/v1/branch")
            ]  # fmt: skip
        call = f"/v1/dimension/{KEY}/{place}"
        values = (await self._client.get(call)).get("segmentValues")
        if not isinstance(values, list) or not all(isinstance(row, dict) and row.get("valueId") for row in values):
            raise not_as_described("segmentValues[].valueId", "a text", call)
        return [row for row in values if row["valueId"] != self._places.empty.get(int(place))]

    # --- found --------------------------------------------------------------------------------------------------------

    def flow(self, goal: Goal) -> Sequence[Step]:
        """The steps that find a value by its code. Raises `Refused` ("dimension-not-placed", "name-missing")."""
        record = goal.record
        if not record.get("valueId"):
            raise Refused(f"A {goal.kind} has a code.", code="name-missing", where={"field": "valueId"})
        name = str(record.get("name") or "") if goal.kind is Kind.DIMENSION else _NAMES[goal.kind]
        self._places.of_line({"dimensions": [{"name": name, "valueId": record["valueId"]}]}, {})
        return Step("found", self._find), Step("read", self._read)

    async def _find(self, run: Run) -> Proof:
        kind, code = run.goal.kind, str(run.goal.record["valueId"])
        if self.whole(kind):
            name = run.goal.record.get("name")
            known = [one for one in await self.all(kind) if kind is not Kind.DIMENSION or one.body["name"] == name]
        else:
            row = await self._client.find(f"/v1/project/{segment(code)}")
            known = [project(row)] if row is not None else await self.all(kind)
        there = next((one for one in known if one.body["valueId"] == code), None)
        if there is None:
            codes = [str(one.body["valueId"]) for one in known]
            near = get_close_matches(code, codes, n=3, cutoff=0.5)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise Stop(
                f"Visma Net has no {kind} {code}, and none is made from here.{meant}",
                code=f"{kind}-unknown",
                do="Make it in Visma Net and retry, or mend the document.",
                where={"field": "valueId", str(kind): code},
                details={"near": near},
            )
        if there.body["active"] is False:
            raise Stop(
                f"The {kind} {code} is closed in Visma Net.",
                code=f"{kind}-inactive",
                do="Make it active in Visma Net and try again, or use another.",
                details={"ids": [there.id]},
            )
        return Proof(there.id, {"found": True})

    async def _read(self, run: Run) -> Proof:
        id = run.proofs["found"].id
        record = await self.read(run.goal.kind, id)
        if record is None:
            raise Stop(
                f"Visma Net does not show the {run.goal.kind} {id} any more.",
                code="nothing-read-back",
                do="See in Visma Net whether it is there, and retry.",
            )
        return Proof(id, {"number": record.body["valueId"]}, record)

    # --- options ------------------------------------------------------------------------------------------------------

    @property
    def kinds(self) -> Sequence[Kind]:
        """Those that documents can carry, placed or not."""
        return Kind.DEPARTMENT, Kind.PROJECT, Kind.DIMENSION

    async def options(self, kind: Kind) -> list[DimensionOptions]:
        """The values that there are now. A department or project that has no place has none."""
        values = await self.all(kind)
        if kind is not Kind.DIMENSION:
            return [DimensionOptions(kind=_NAMES[kind], values=tuple(map(_option, values)))]
        return [
            DimensionOptions(
                kind="dimension", name=name, values=tuple(_option(one) for one in values if one.body["name"] == name)
            )
            for name in self._places.free
        ]


def project(row: Row) -> Record:
    """One of Visma Net's projects as read."""
    return _record(Kind.PROJECT, "project", _of_project(row))


def _of_project(row: Row) -> Row:
    id = row.get("internalID")
    if type(id) is not int:
        raise not_as_described("internalID", "an integer", PROJECTS)
    return {
        "id": str(id), "valueId": records.text(row, "projectID", PROJECTS), "description": row.get("description"),
        "active": row.get("status") == "Active", "timeStamp": row.get("timeStamp"),
        "lastModifiedDateTime": row.get("lastModifiedDateTime"),
    }  # fmt: skip


def _record(kind: Kind, name: str, row: Row) -> Record:
    """A value as a record. It is known by its code, and a project of Visma Net's by the id that stays."""
    body: dict[str, Any] = {"valueId": row["valueId"], "active": row.get("active") is not False}
    if row.get("description"):
        body["description"] = row["description"]
    if kind is Kind.DIMENSION:
        body["name"] = name
    wire.DimensionValue.model_validate(body)
    id = str(row.get("id") or row["valueId"])
    version = f"{records.version(row)}/{body['active']}/{body.get('description')}"
    return Record(
        kind, f"{name}/{id}" if kind is Kind.DIMENSION else id, version, body,
        changed=records.changed({"lastModifiedDateTime": row.get("lastModifiedDateTime") or row.get("lastModified")}),
    )  # fmt: skip


def _option(record: Record) -> Option:
    body = record.body
    return Option(code=body["valueId"], name=body.get("description") or "", active=body["active"])
