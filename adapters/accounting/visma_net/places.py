"""Where each dimension of ours stands in one company's Visma Net. No calls.

An account there is booked with a subaccount: a string that each company cuts into segments itself. Which segment is the
department is the company's to say (setting `dimensions`); a dimension may also be the branch of a line, and a project
one of Visma Net's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.errors import Refused
from connector.ports import Kind

Row = Mapping[str, Any]
Place = int | Literal["branch", "project"]
"""Number of a segment of the subaccount, the branch of a line, or Visma Net's projects."""

OWN = ("department", "project", "location")
"""Dimensions that everybody has; others are known by the name that the company gave them."""
NON_PROJECT = "X"
"""What stands where there is no project."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where dimensions stand, by our name. `empty`: what stands in a segment where a line has no value, by segment."""

    at: Mapping[str, Place] = field(default_factory=dict)
    empty: Mapping[int, str] = field(default_factory=dict)

    @property
    def kinds(self) -> Sequence[Kind]:
        """The registers that are read: locations are no register of ours."""
        found = [kind for name, kind in (("department", Kind.DEPARTMENT), ("project", Kind.PROJECT)) if name in self.at]
        return [*found, *([Kind.DIMENSION] if self.free else [])]

    @property
    def free(self) -> Sequence[str]:
        """The dimensions that the company has made itself."""
        return [name for name in self.at if name not in OWN]

    @property
    def own_projects(self) -> bool:
        """Whether our projects are Visma Net's projects."""
        return self.at.get("project") == "project"

    # --- out ----------------------------------------------------------------------------------------------------------

    def of_line(self, whole: Row, line: Row) -> dict[str, str]:
        """What a line carries, by our name: its own, else what the document says.

        Raises:
            Refused: "dimension-not-placed": nobody said where such a dimension stands.
        """
        found = {**_stated(whole), **_stated(line)}
        for name in found:
            if name not in self.at:
                raise Refused(
                    f"Where {name} stands in Visma Net is not said: each company cuts its subaccounts itself.",
                    code="dimension-not-placed",
                    do=f"Say it in the connection's settings, dimensions: {{{name}: 1}} (a segment of the subaccount,"
                    " `branch` or `project`); or leave the dimension out.",
                    where={"field": name},
                )
        return found

    def written(self, carried: Mapping[str, str]) -> dict[str, Any]:
        """The fields of a line as they are sent; Visma Net's own projects are none of them."""
        segments = dict(self.empty)
        fields: dict[str, Any] = {}
        for name, code in carried.items():
            place = self.at[name]
            if place == "branch":
                fields["branchNumber"] = code
            elif isinstance(place, int):
                segments[place] = code
        if segments:
            fields["subaccount"] = [{"segmentId": at, "segmentValue": segments[at]} for at in sorted(segments)]
        return fields

    # --- in -----------------------------------------------------------------------------------------------------------

    def read(self, row: Row) -> dict[str, Any]:
        """What a line, or a whole document, as read says of our dimensions, as the wire model has it."""
        segments = {
            one.get("segmentId"): one.get("segmentValue") for one in _part(row, "subaccount").get("segments") or ()
        }
        body: dict[str, Any] = {}
        free: list[dict[str, str]] = []
        for name, place in self.at.items():
            if isinstance(place, int):
                code = segments.get(place)
                code = None if code == self.empty.get(place) else code
            elif place == "branch":
                code = _part(row, "branchNumber").get("number")
            else:
                project = _part(row, "project")
                code = None if project.get("id") in (None, NON_PROJECT) else project.get("internalId")
            if code in (None, ""):
                continue
            if name not in OWN:
                free.append({"name": name, "valueId": str(code)})
            else:
                body[name] = str(code) if name == "location" else {"id": str(code)}
        return body | ({"dimensions": free} if free else {})

    def shared(self, rows: Sequence[Row]) -> dict[str, Any]:
        """What all lines of a document have alike."""
        first, *others = [self.read(row) for row in rows] or [{}]
        return {name: value for name, value in first.items() if all(one.get(name) == value for one in others)}


@dataclass(frozen=True, slots=True)
class Told:
    """What is known when rows become records: where dimensions stand, and ids of the items that lines name."""

    places: Places = field(default_factory=Places)
    items: Mapping[str, int] = field(default_factory=dict)

    def of_document(self, row: Row) -> dict[str, Any]:
        """What a customer document as read says beside its lines: its project, where projects are Visma Net's own."""
        read = self.places.read(row) if self.places.own_projects else {}
        return {"project": read["project"]} if "project" in read else {}

    def of_line(self, row: Row) -> dict[str, Any]:
        """What a line as read says, as the wire model has it. An item that is not there any more says nothing."""
        id = self.items.get(str(row.get("inventoryNumber") or ""))
        return {**self.places.read(row), **({} if id is None else {"inventory": {"inventoryId": id}})}


def _stated(said: Row) -> dict[str, str]:
    found = {name: str(said[name]["id"]) for name in ("department", "project") if said.get(name)}
    if said.get("location"):
        found["location"] = str(said["location"])
    return found | {str(one["name"]): str(one["valueId"]) for one in said.get("dimensions") or ()}


def _part(row: Row, name: str) -> Row:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}
