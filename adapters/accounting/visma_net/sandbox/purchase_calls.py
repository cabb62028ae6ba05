"""Calls on suppliers and their invoices: paths and parameters as in Visma's OpenAPI document."""

from __future__ import annotations

from adapters.accounting.visma_net.sandbox import lists
from adapters.accounting.visma_net.sandbox.asking import SandboxError, said
from adapters.accounting.visma_net.sandbox.ledger import DRAFT
from adapters.accounting.visma_net.sandbox.routing import Call, Reply, route
from adapters.accounting.visma_net.sandbox.store import shown


@route("GET", "/v1/supplier")
def suppliers(call: Call) -> Reply:
    """A page of suppliers."""
    return call.page(
        lists.equal(
            call.books.all("supplier"), call.query, name=lambda row: row["name"],
            corporateId=lambda row: row.get("corporateId"), status=lambda row: row["status"],
        ), "createdDateTime",
    )  # fmt: skip


@route("POST", "/v1/supplier")
def add_supplier(call: Call) -> Reply:
    """A new supplier."""
    row = call.books.add_supplier(said(call.body))
    return call.made(f"/v1/supplier/{row['number']}", row)


@route("GET", "/v1/supplier/{key}")
def supplier(call: Call) -> Reply:
    """One supplier."""
    row = call.row("supplier", call.key)
    return Reply(200, shown(row, "createdDateTime"), {"ETag": f'"{row["timeStamp"]}"'})


@route("PUT", "/v1/supplier/{key}")
def change_supplier(call: Call) -> Reply:
    """Change a supplier."""
    row, wanted = call.row("supplier", call.key), call.headers.get("if-match")
    if wanted and wanted.strip('"') != row["timeStamp"]:
        raise SandboxError(412, "The resource has been modified.")
    call.books.change_supplier(row, said(call.body))
    return Reply(204, None, {"ETag": f'"{row["timeStamp"]}"'})


@route("GET", "/v1/supplierInvoice")
def purchases(call: Call) -> Reply:
    """A page of supplier invoices; notes only where they are asked for."""
    rows = lists.equal(
        call.books.all("purchase"), call.query, supplier=lambda row: row["supplier"]["number"],
        documentType=lambda row: row["documentType"], status=lambda row: row["status"],
    )  # fmt: skip
    leave = () if call.query.get("expandNote") == "true" else ("note",)
    return call.page(lists.timed(rows, call.query, "docDate", "date"), "attachments", *leave)


@route("POST", "/v1/supplierInvoice")
def add_purchase(call: Call) -> Reply:
    """A draft of a supplier invoice."""
    row = call.books.add_purchase(said(call.body))
    return call.made(f"/v1/supplierInvoice/{row['referenceNumber']}", row)


def _purchase(type: str) -> None:
    """The calls on one supplier invoice of a type."""
    path = f"/v1/supplierInvoice/{type}/{{key}}"

    @route("GET", path)
    def one(call: Call) -> Reply:
        return call.one(call.row("purchase", f"{type}/{call.key}"))

    @route("PUT", path)
    def change(call: Call) -> Reply:
        row = call.row("purchase", f"{type}/{call.key}")
        call.books.change_purchase(row, said(call.body))
        return Reply(204, None, {"ETag": f'"{row["timeStamp"]}"'})

    @route("POST", f"{path}/action/release")
    def release(call: Call) -> Reply:
        row = call.row("purchase", f"{type}/{call.key}")
        if row["status"] not in DRAFT:
            raise SandboxError(400, "The document has already been released.")
        return call.released(lambda: call.books.release_purchase(row))

    @route("POST", f"/v1/supplierInvoice/documentType/{type}/{{key}}/attachment")
    def attach(call: Call) -> Reply:
        return call.attached(call.row("purchase", f"{type}/{call.key}"))


_purchase("Invoice")
_purchase("DebitAdj")
