"""Calls on customers, sales, payments and lists: paths and parameters as in Visma's OpenAPI document."""

from __future__ import annotations

from adapters.accounting.visma_net.sandbox import lists
from adapters.accounting.visma_net.sandbox.asking import SandboxError, said
from adapters.accounting.visma_net.sandbox.books import VOIDS
from adapters.accounting.visma_net.sandbox.ledger import DRAFT
from adapters.accounting.visma_net.sandbox.routing import Call, Reply, route
from adapters.accounting.visma_net.sandbox.store import Row, shown

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


@route("GET", "/v1/customerPayment/{key}")
def payment(call: Call) -> Reply:
    """One payment of those that have this number; which of them, nobody says."""
    for type in (*VOIDS, *VOIDS.values()):
        if (row := call.books.find("payment", f"{type}/{call.key}")) is not None:
            return Reply(200, shown(row, "createdDateTime"), {"ETag": f'"{row["timeStamp"]}"'})
    raise SandboxError(404, "The requested resource was not found.")


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
    do = call.books.release_void if row["type"] in VOIDS.values() else call.books.release_payment
    return call.released(lambda: do(row))


@route("POST", "/v1/customerPayment/{key}/action/void")
def void_payment(call: Call) -> Reply:
    """Void a payment; in this body the type is not wrapped. What it answers is not described."""
    body = call.body if isinstance(call.body, dict) else {}
    type = body.get("type")
    if type not in VOIDS:
        raise SandboxError(400, "The request is invalid.")
    call.row("payment", f"{type}/{call.key}")
    row = call.books.void_payment(type, call.key)
    return Reply(200, shown(row, "createdDateTime") if body.get("returnVoidPayment") is True else None)


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
