"""What lines refer to beside accounts: items by number, dimensions by segment, branch and project; ids on our side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import Client
from adapters.accounting.visma_net.items import UNSOLD, Items
from adapters.accounting.visma_net.places import Places, Told
from connector.errors import NeedsPerson, Refused, Stop
from connector.ports import Record

Row = Mapping[str, Any]


class Lines:
    """Lines of one company's documents, out and in."""

    def __init__(self, client: Client, places: Places, items: Items) -> None:
        self._client = client
        self._items = items
        self.places = places

    # --- out ----------------------------------------------------------------------------------------------------------

    def check(self, record: Row, lines: str) -> None:
        """Raises `Refused` ("dimension-not-placed", "project-on-line") for what cannot be said, before any call."""
        carried = [self.places.of_line(record, line) for line in record.get(lines) or [{}]]
        if self.places.own_projects and len({one.get("project") for one in carried}) > 1:
            raise Refused(
                "A customer document in Visma Net is of one project; these lines are of several.",
                code="project-on-line",
                do="Invoice what belongs to different projects by itself; or have projects in a segment of the"
                " subaccount (the connection's setting `dimensions`).",
                where={"field": "project"},
            )

    async def said(self, record: Row, lines: str) -> tuple[dict[str, Any], Sequence[dict[str, Any]]]:
        """What of this is sent with the document, and with each of its lines.

        Raises:
            Refused: as `check`; "link-missing": an id is none here.
            Stop: "product-inactive", "product-unfit", "project-inactive".
        """
        self.check(record, lines)
        rows = record.get(lines) or ()
        carried = [self.places.of_line(record, line) for line in rows]
        whole: dict[str, Any] = {}
        project = carried[0].get("project") if carried else None
        if project is not None and self.places.own_projects:
            whole["project"] = await self._project(project)
        numbers: dict[Any, str] = {}
        for line in rows:
            id = (line.get("inventory") or {}).get("inventoryId")
            if id is not None and id not in numbers:
                numbers[id] = await self._number(id)
        of_lines = []
        for line, one in zip(rows, carried, strict=True):
            id = (line.get("inventory") or {}).get("inventoryId")
            item = {} if id is None else {"inventoryNumber": numbers[id]}
            of_lines.append({**item, **self.places.written(one)})
        return whole, of_lines

    def of_purchase(self, record: Row) -> dict[str, Any]:
        """What is sent with each line of an incoming invoice: what the document carries. Raises `Refused`."""
        carried = self.places.of_line(record, {})
        project = carried.get("project") if self.places.own_projects else None
        return {**self.places.written(carried), **({} if project is None else {"projectInternalId": int(project)})}

    async def _number(self, id: Any) -> str:
        """The number under which an item is sold now."""
        row = await self._client.find(f"/v1/inventory/internal/{id}") if str(id).isdigit() else None
        if row is None or not row.get("inventoryNumber"):
            raise _no(id, "item", "inventory.inventoryId")
        number = str(row["inventoryNumber"])
        self._items.numbers.seen(row)
        if row.get("status") in UNSOLD:
            raise Stop(
                f"Item {number} is not sold in Visma Net: its status is {row['status']}.",
                code="product-inactive",
                do="Make it active in Visma Net and retry, or name another item.",
                where={"item": number},
            )
        if row.get("stockItem") is True:
            raise Stop(
                f"Item {number} is kept on stock, and lines of invoices in Visma Net name items without stock.",
                code="product-unfit",
                do="Invoice it by a sales order in Visma Net, or name an item without stock.",
                where={"item": number},
            )
        return number

    async def _project(self, id: str) -> str:
        """The id that people know a project by, now."""
        row = await self._client.find(f"/v1/project/internal/{id}") if id.isdigit() else None
        if row is None or not row.get("projectID"):
            raise _no(id, "project", "project.id")
        if row.get("status") != "Active":
            raise Stop(
                f"Project {row['projectID']} takes nothing new in Visma Net: its status is {row.get('status')}.",
                code="project-inactive",
                do="Make it active in Visma Net and retry, or name another.",
                where={"project": str(row["projectID"])},
            )
        return str(row["projectID"])

    # --- in -----------------------------------------------------------------------------------------------------------

    def item(self, row: Row) -> Record:
        """An item as read; its number is remembered."""
        self._items.numbers.seen(row)
        return records.item(row)

    async def told(self, rows: Sequence[Row], lines: str) -> Told:
        """What is to be known to read these documents."""
        named = {
            str(line["inventoryNumber"]) for row in rows for line in row.get(lines) or () if line.get("inventoryNumber")
        }
        try:
            return Told(self.places, await self._items.numbers.ids(named) if named else {})
        except NeedsPerson as exc:
            if exc.code != "right-missing":
                raise
            return Told(self.places)  # our client sees invoices, and no items


def _no(id: Any, what: str, field: str) -> Refused:
    return Refused(
        f"{str(id)[:40]!r} is no {what} in Visma Net.",
        code="link-missing",
        do=f"See that the {what} has been brought to Visma Net, and is still there.",
        where={"field": field},
    )
