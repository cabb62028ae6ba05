"""Calls on items and dimensions: paths and parameters as in Visma's OpenAPI document."""

from __future__ import annotations

from adapters.accounting.visma_net.sandbox import lists
from adapters.accounting.visma_net.sandbox.asking import SandboxError, said
from adapters.accounting.visma_net.sandbox.registers import SEGMENTS
from adapters.accounting.visma_net.sandbox.routing import Call, Reply, route
from adapters.accounting.visma_net.sandbox.store import Row, shown

# --- items ------------------------------------------------------------------------------------------------------------


def _item(row: Row) -> Row:
    """An item calls its stamp otherwise than everything else does."""
    return {**shown(row, "createdDateTime", "timeStamp"), "timestamp": row["timeStamp"]}


@route("GET", "/v1/inventory")
def items(call: Call) -> Reply:
    """A page of items."""
    rows = lists.equal(
        call.books.all("inventory"), call.query, inventoryNumber=lambda row: row["inventoryNumber"],
        status=lambda row: row["status"],
    )  # fmt: skip
    rows = lists.timed(rows, call.query, "lastModifiedDateTime", "lastModifiedDateTime")
    return Reply(200, lists.page(map(_item, rows), call.query, call.books.rules.most))


@route("POST", "/v1/inventory")
def add_item(call: Call) -> Reply:
    """A new item."""
    row = call.books.add_item(said(call.body))
    return Reply(201, None, {"Location": f"{call.base}/v1/inventory/{row['inventoryNumber']}"})


@route("GET", "/v1/inventory/{key}")
def item(call: Call) -> Reply:
    """One item."""
    return Reply(200, _item(call.row("inventory", call.key)))


@route("GET", "/v1/inventory/internal/{key}")
def item_by_id(call: Call) -> Reply:
    """One item."""
    return Reply(200, _item(_by_id(call, "inventory", "inventoryId")))


@route("PUT", "/v1/inventory/internal/{key}")
def change_item(call: Call) -> Reply:
    """Change an item; no version is heeded here."""
    call.books.change_item(_by_id(call, "inventory", "inventoryId"), said(call.body))
    return Reply(204, None)


def _by_id(call: Call, table: str, name: str) -> Row:
    row = next((row for row in call.books.all(table) if str(row[name]) == call.key), None)
    if row is None:
        raise SandboxError(404, "The requested resource was not found.")
    return row


# --- dimensions -------------------------------------------------------------------------------------------------------


@route("GET", "/v1/projectbasic")
def projects(call: Call) -> Reply:
    """A page of projects, the non-project among them."""
    return call.page(call.books.all("project"), "createdDateTime")


@route("GET", "/v1/project/{key}")
def project(call: Call) -> Reply:
    """One project."""
    return _project(call.row("project", call.key))


@route("GET", "/v1/project/internal/{key}")
def project_by_id(call: Call) -> Reply:
    """One project."""
    return _project(_by_id(call, "project", "internalID"))


def _project(row: Row) -> Reply:
    return Reply(200, shown(row, "createdDateTime"), {"ETag": f'"{row["timeStamp"]}"'})


@route("GET", "/v1/branch")
def branches(call: Call) -> Reply:
    """All branches; the list has no pages."""
    return Reply(200, [shown(row, "createdDateTime", "timeStamp") for row in call.books.all("branch")])


@route("GET", "/v1/dimension/SUBACCOUNT/{key}")
def segment(call: Call) -> Reply:
    """One segment of the subaccounts with all its values."""
    if not call.key.isdigit() or int(call.key) not in SEGMENTS:
        raise SandboxError(404, "The requested resource was not found.")
    values = [
        {**shown(row, "createdDateTime", "lastModifiedDateTime"), "lastModified": row["lastModifiedDateTime"]}
        for row in call.books.all("segment")
        if row["segmentId"] == int(call.key)
    ]
    return Reply(200, {"segmentId": int(call.key), "description": SEGMENTS[int(call.key)][0], "segmentValues": values})
