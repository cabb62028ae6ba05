"""The calls of the sandbox: paths and parameters as in Visma's OpenAPI document, and what they do."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from adapters.accounting.visma_net.sandbox import lists
from adapters.accounting.visma_net.sandbox.asking import SandboxError, said
from adapters.accounting.visma_net.sandbox.books import Books
from adapters.accounting.visma_net.sandbox.ledger import DRAFT
from adapters.accounting.visma_net.sandbox.store import Row, shown
from adapters.loopback import Upload


class Reply(NamedTuple):
    """Status, body (None: without; bytes: a file) and headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


@dataclass(slots=True)
class Call:
    """One call: what the path, the query and the body say."""

    books: Books
    base: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    key: str = ""

    def row(self, table: str, key: str) -> Row:
        """A row. Raises `SandboxError` (404)."""
        found = self.books.find(table, key)
        if found is None:
            raise SandboxError(404, "The requested resource was not found.")
        return found

    def one(self, row: Row) -> Reply:
        """An answer with one row and its ETag; a single row is shown with all its parts."""
        return Reply(200, shown(row), {"ETag": f'"{row["timeStamp"]}"'})

    def page(self, rows: Any, *leave: str) -> Reply:
        """An answer with a page of rows, without the fields to leave."""
        rows = lists.timed(rows, self.query, "lastModifiedDateTime", "lastModifiedDateTime")
        rows = lists.timed(rows, self.query, "createdDateTime", "createdDateTime")
        return Reply(200, lists.page(rows, self.query, self.books.rules.most, *self.unasked(), *leave))

    def unasked(self) -> tuple[str, ...]:
        """Parts that are shown only where they are asked for."""
        flags = {"expandTaxDetails": "taxDetails", "expandApplications": "applications",
                 "expandAttachments": "attachments"}  # fmt: skip
        return tuple(name for flag, name in flags.items() if self.query.get(flag) != "true")

    def made(self, path: str, row: Row) -> Reply:
        """What answers a row that was made: where it is, and nothing else."""
        return Reply(201, None, {"Location": f"{self.base}{path}", "ETag": f'"{row["timeStamp"]}"'})

    def attached(self, row: Row) -> Reply:
        """A file that is put on a row; one of the same name is a new revision. The row's ETag changes."""
        uploads = [one for one in (self.body or {}).values() if isinstance(one, Upload)]
        if len(uploads) != 1:
            raise SandboxError(400, "The request is invalid.")
        held = row.setdefault("attachments", [])
        there = next((one for one in held if one["name"] == uploads[0].file_name), None)
        if there is None:
            held.append({"name": uploads[0].file_name, "id": str(uuid.uuid4()), "revision": 1})
        else:
            there["revision"] += 1
        row.setdefault("_files", {})[uploads[0].file_name] = uploads[0].content
        self.books.touch(row)
        return Reply(201, None, {"ETag": f'"{row["timeStamp"]}"'})

    def released(self, do: Callable[[], None]) -> Reply:
        """What answers a release."""
        status, body, job = self.books.releases.ask(do)
        if job is not None:
            body = {"id": job.id, "stateLocation": f"{self.base}/v1/background/{job.id}"}
        return Reply(status, body)


class Route(NamedTuple):
    """A call that exists: its path, its query parameters, what it does."""

    method: str
    path: re.Pattern[str]
    run: Callable[[Call], Reply]


ROUTES: list[Route] = []


def route(method: str, path: str) -> Callable[[Callable[[Call], Reply]], Callable[[Call], Reply]]:
    """Enter a call into `ROUTES`; `{key}` in the path is a number."""

    def enter(run: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        ROUTES.append(Route(method, re.compile(re.escape(path).replace(r"\{key\}", "([^/]+)"), re.IGNORECASE), run))
        return run

    return enter


def answer(call: Call, method: str, path: str) -> Reply:
    """What the call says and does. Raises `SandboxError`."""
    for entry in ROUTES:
        if (found := entry.path.fullmatch(path)) and entry.method == method:
            call.key = _plain(found[1]) if found.groups() else ""
            return entry.run(call)
    raise SandboxError(404, "The requested resource was not found.")


def _plain(part: str) -> str:
    written = re.fullmatch(r"b64\((.+)\)", part)
    return base64.urlsafe_b64decode(written[1]).decode() if written else part


# --- customers --------------------------------------------------------------------------------------------------------


@route("GET", "/v1/customer")
def customers(call: Call) -> Reply:
    """A page of customers."""
    rows = lists.equal(
        call.books.all("customer"), call.query,
        name=lambda row: row["name"], status=lambda row: row["status"],
        corporateId=lambda row: row.get("corporateId"),
        email=lambda row: row.get("mainContact", {}).get("email"),
        phone=lambda row: row.get("mainContact", {}).get("phone1"),
        vatRegistrationId=lambda row: row.get("vatRegistrationId"),
    )  # fmt: skip
    return call.page(rows)


@route("POST", "/v1/customer")
def add_customer(call: Call) -> Reply:
    """A new customer."""
    row = call.books.add_customer(said(call.body))
    return call.made(f"/v1/customer/{row['number']}", row)


@route("GET", "/v1/customer/internal/{key}")
def customer_by_id(call: Call) -> Reply:
    """One customer."""
    return call.one(_customer_by_id(call))


@route("PUT", "/v1/customer/internal/{key}")
def change_customer(call: Call) -> Reply:
    """Change a customer. Whether plain calls heed `If-Match` is not told."""
    row, wanted = _customer_by_id(call), call.headers.get("if-match")
    if wanted and call.books.rules.plain_etags and wanted.strip('"') != row["timeStamp"]:
        raise SandboxError(412, "The resource has been modified.")
    call.books.change_customer(row, said(call.body))
    return Reply(204, None, {"ETag": f'"{row["timeStamp"]}"'})


def _customer_by_id(call: Call) -> Row:
    row = next((row for row in call.books.all("customer") if str(row["internalId"]) == call.key), None)
    if row is None:
        raise SandboxError(404, "The requested resource was not found.")
    return row


@route("GET", "/v1/customer/{key}")
def customer(call: Call) -> Reply:
    """One customer."""
    return call.one(call.row("customer", call.key))


# --- invoices and credit notes ----------------------------------------------------------------------------------------


def _sales(table: str, path: str) -> None:
    """The calls that invoices and credit notes have alike."""

    @route("GET", path)
    def listed(call: Call) -> Reply:
        rows = lists.containing(
            call.books.all(table), call.query, externalReference="externalReference",
            customerRefNumber="customerRefNumber", paymentReference="paymentReference",
        )  # fmt: skip
        rows = lists.equal(
            rows, call.query, status=lambda row: row["status"], customer=lambda row: row["customer"]["number"],
            financialPeriod=lambda row: row["financialPeriod"],
        )  # fmt: skip
        rows = lists.timed(rows, call.query, "documentDate", "documentDate")
        if after := call.query.get("greaterThanValue"):
            rows = (row for row in rows if row["referenceNumber"] > after)
        return call.page(rows)

    @route("GET", f"{path}/{{key}}")
    def one(call: Call) -> Reply:
        return call.one(call.row(table, call.key))

    @route("DELETE", f"{path}/{{key}}")
    def remove(call: Call) -> Reply:
        if call.row(table, call.key)["status"] not in DRAFT:
            raise SandboxError(400, "The document has been released and cannot be deleted.")
        del call.books.tables[table][call.key]
        return Reply(204, None)

    @route("POST", f"{path}/{{key}}/action/release")
    def release(call: Call) -> Reply:
        row, books = call.row(table, call.key), call.books
        if row["status"] not in DRAFT:
            raise SandboxError(400, "The document has already been released.")
        do = books.release_invoice if table == "invoice" else books.release_credit_note
        return call.released(lambda: do(row))

    @route("POST", f"{path}/{{key}}/attachment")
    def attach(call: Call) -> Reply:
        return call.attached(call.row(table, call.key))

    @route("GET", f"{path}/{{key}}/print")
    def page(call: Call) -> Reply:
        return Reply(200, b"%PDF-1.4\n% " + call.row(table, call.key)["referenceNumber"].encode() + b"\n%%EOF\n")


_sales("invoice", "/v1/customerinvoice")
_sales("creditnote", "/v1/customerCreditNote")


@route("POST", "/v2/customerinvoice")
def add_invoice(call: Call) -> Reply:
    """A draft of an invoice."""
    row = call.books.add_invoice(said(call.body))
    return call.made(f"/v1/customerinvoice/{row['referenceNumber']}", row)


@route("POST", "/v2/customerCreditNote")
def add_credit_note(call: Call) -> Reply:
    """A draft of a credit note."""
    row = call.books.add_credit_note(said(call.body))
    return call.made(f"/v1/customerCreditNote/{row['referenceNumber']}", row)


# --- payments ---------------------------------------------------------------------------------------------------------


@route("GET", "/v1/customerPayment")
def payments(call: Call) -> Reply:
    """A page of payments."""
    rows = lists.equal(
        call.books.all("payment"), call.query,
        paymentNbr=lambda row: row["refNbr"], paymentType=lambda row: row["type"],
        customer=lambda row: row["customer"]["number"], status=lambda row: row["status"],
    )  # fmt: skip
    if number := call.query.get("invoiceRefNbr"):
        rows = (row for row in rows if any(line["refNbr"] == number for line in row["paymentLines"]))
    return call.page(lists.timed(rows, call.query, "docDate", "applicationDate"), "createdDateTime")


@route("POST", "/v1/customerPayment")
def add_payment(call: Call) -> Reply:
    """A draft of a payment."""
    row = call.books.add_payment(said(call.body))
    return call.made(f"/v1/customerPayment/{row['refNbr']}", row)


@route("POST", "/v1/customerPayment/{key}/action/release")
def release_payment(call: Call) -> Reply:
    """Have a payment released; what it answers is not described."""
    row = call.row("payment", f"{said(call.body).text('type')}/{call.key}")
    if row["status"] not in DRAFT:
        raise SandboxError(400, "The document has already been released.")
    do = call.books.release_void if row["type"] == "VoidPayment" else call.books.release_payment
    return call.released(lambda: do(row))


@route("POST", "/v1/customerPayment/{key}/action/void")
def void_payment(call: Call) -> Reply:
    """Void a payment; in this body the type is not wrapped. What it answers is not described."""
    body = call.body if isinstance(call.body, dict) else {}
    if body.get("type") != "Payment":
        raise SandboxError(400, "The request is invalid.")
    call.row("payment", f"Payment/{call.key}")
    row = call.books.void_payment(call.key)
    return Reply(200, shown(row, "createdDateTime") if body.get("returnVoidPayment") is True else None)


# --- purchases --------------------------------------------------------------------------------------------------------


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
    row = call.row("supplier", call.key)
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


# --- background -------------------------------------------------------------------------------------------------------


@route("GET", "/v1/background/{key}")
def background(call: Call) -> Reply:
    """How a job stands."""
    job = call.books.releases.jobs.get(call.key)
    if job is None:
        raise SandboxError(404, "The requested resource was not found.")
    return Reply(200, job.shown(call.base))


@route("GET", "/v1/background/{key}/content")
def background_content(call: Call) -> Reply:
    """What the call inside a job answered."""
    job = call.books.releases.jobs.get(call.key)
    if job is None or job.content is None:
        raise SandboxError(404, "The requested resource was not found.")
    return Reply(200, job.content)


# --- lists without pages ----------------------------------------------------------------------------------------------


def _whole(path: str, table: str) -> None:
    @route("GET", path)
    def listed(call: Call) -> Reply:
        leave = {"currency": ("createdDateTime", "lastModifiedDateTime", "timeStamp"),
                 "period": ("createdDateTime", "lastModifiedDateTime", "timeStamp"),
                 "vat": ("createdDateTime", "timeStamp"), "cashaccount": ("createdDateTime", "timeStamp"),
                 "paymentmethod": ("createdDateTime", "lastModifiedDateTime", "timeStamp")}  # fmt: skip
        return Reply(200, [shown(row, *leave.get(table, ("createdDateTime",))) for row in call.books.all(table)])


for _path, _table in (
    ("/v1/organization", "organization"),
    ("/v1/account", "account"),
    ("/v1/vat", "vat"),
    ("/v1/cashaccount", "cashaccount"),
    ("/v1/paymentmethod", "paymentmethod"),
    ("/v1/currency", "currency"),
    ("/v1/financialPeriod", "period"),
):
    _whole(_path, _table)
