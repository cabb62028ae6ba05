"""What people do behind the caller's back, in the program itself: the sandbox's own calls beside the vendor's.

GET /_sandbox/state | outbox | requests     what there is, what was sent to customers, what was asked
GET /_sandbox/webhooks                      what was posted to subscribers
POST /_sandbox/webhooks                     {index}: one of them once more, same idempotency key (-1: the last)
POST /_sandbox/payment                      {invoiceNumber, amount, date, reference} or {date, payments: [...]}; or
                                            {posting, amount, date}: on a row that is of no invoice there
POST /_sandbox/ehf                          the company receives an EHF itself:
                                            {organizationNumber, name, invoiceNumber, date, dueDate, amount, kid}, or
                                            {xml}: the EHF itself, which it then keeps
POST /_sandbox/register                     somebody registers a voucher of the reception as a supplier invoice:
                                            {voucher, account, vat}
PUT /_sandbox/rules                         any of `Rules`
PUT /_sandbox/rates                         {EUR: "11.80"}: the ledger's own rates from now on
PUT /_sandbox/rights                        {token, rights: [...]}: these, and no others
PUT /_sandbox/hidden                        {token, type, ids}: records kept from a token
PUT /_sandbox/period                        {year, month} or {year}: closed; with closed: false open again
POST /_sandbox/record/{type}                a record of a register, as the API would make it
PUT /_sandbox/record/{type}/{id}            any fields of a record, unchecked: it is there, with a newer version
DELETE /_sandbox/record/{type}/{id}         away with it, whatever refers to it
PUT, DELETE /_sandbox/customer/{id}         a customer changed or deleted as the API would

All are about the company of `EMPLOYEE_TOKEN`, or the one that the query parameter `company` names by its id.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_type_hints

from adapters.accounting.tripletex.sandbox import registers, uploads
from adapters.accounting.tripletex.sandbox.access import Access
from adapters.accounting.tripletex.sandbox.books import Books, Rules
from adapters.accounting.tripletex.sandbox.chart import ENTITLEMENTS
from adapters.accounting.tripletex.sandbox.ehf import read_ehf, supplier_named
from adapters.accounting.tripletex.sandbox.incoming import invoice_of
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError, Thing
from adapters.loopback import Request, Upload

if TYPE_CHECKING:
    from adapters.accounting.tripletex.sandbox.server import Sandbox


def call(box: Sandbox, asked: str, request: Request) -> Any:
    """Answer one of the sandbox's own calls. Raises `SandboxError`, or what a wrong value raises."""
    said = request.body or {}
    books = box.companies[int(request.query["company"])] if "company" in request.query else box.books
    match asked.split("/")[0].strip(), *asked.split("/")[1:]:
        case ["GET", "_sandbox", "state"]:
            return state(books)
        case ["GET", "_sandbox", "outbox"]:
            return books.outbox
        case ["GET", "_sandbox", "requests"]:
            return [{"method": r.method, "path": r.path, "query": r.query, "status": r.status} for r in box.requests]
        case ["GET", "_sandbox", "webhooks"]:
            return [{"url": one.url, "headers": one.headers, "body": one.body.decode(), "status": one.status}
                    for one in box.webhooks[books.company["id"]].sent]  # fmt: skip
        case ["POST", "_sandbox", "webhooks"]:
            return box.webhooks[books.company["id"]].repeat(int(said.get("index", -1)))
        case ["POST", "_sandbox", "payment"]:
            return _payment(box, books, said)
        case ["POST", "_sandbox", "ehf"]:
            return {"voucher": _ehf(books, said)["id"]}
        case ["POST", "_sandbox", "register"]:
            return _register(books, said)
        case ["PUT", "_sandbox", kind] if kind in _SETTINGS:
            return _SETTINGS[kind](box, books, said)
        case [method, "_sandbox", "record", type, *id]:
            return _record(books, method, type, [int(one) for one in id], said)
        case ["PUT", "_sandbox", "customer", id]:
            return {"id": registers.change_customer(books, int(id), said)["id"]}
        case ["DELETE", "_sandbox", "customer", id]:
            registers.delete_customer(books, int(id))
            return {}
    raise SandboxError(404, 6000, "Ressursen finnes ikke.")


def state(books: Books) -> dict[str, Any]:
    """How much of everything there is, and the balance of every account (they sum to zero)."""
    balances: dict[int, Decimal] = {}
    for posting in books.things.get("posting", {}).values():
        number = books.things["account"][posting["account"].id]["number"]
        balances[number] = balances.get(number, Decimal(0)) + posting["amount"]
    counts = {type: len(things) for type, things in books.things.items()}
    counts["invoice"] = sum(1 for one in books.things.get("invoice", {}).values() if one["isCharged"])
    return {"counts": counts, "balances": {str(number): sum_ for number, sum_ in sorted(balances.items())}}


def invoice_numbered(books: Books, number: int) -> Thing:
    """The invoice with this number; 404 where there is none."""
    for invoice in books.things.get("invoice", {}).values():
        if invoice["invoiceNumber"] == number and invoice["isCharged"]:
            return invoice
    raise SandboxError(404, 6000, "Fakturaen finnes ikke.")


def _payment(box: Sandbox, books: Books, said: Any) -> Any:
    if "posting" in said:
        row, day = books.find(Link("posting", int(said["posting"]))), date.fromisoformat(said["date"])
        made = books.pay_row(row, Decimal(said["amount"]), day, books.account(1920), reference=said.get("reference"))
        return {"voucher": made["id"], "number": made["number"], "year": made["year"]}
    rows = []
    for one in said.get("payments", [said]):
        invoice, amount = invoice_numbered(books, one["invoiceNumber"]), Decimal(one["amount"])
        rows.append((invoice, round(amount * books.rate(invoice["currency"]), 2), amount))
    voucher = books.pay(date.fromisoformat(said["date"]), rows, books.account(1920), reference=said.get("reference"))
    return {"voucher": voucher["id"], "number": voucher["number"], "year": voucher["year"]}


def _ehf(books: Books, said: Any) -> Thing:
    if "xml" in said:
        upload = Upload(str(said["xml"]).encode(), "faktura.xml")
        return books.receive_ehf(**read_ehf(books, upload), upload=upload)
    supplier = supplier_named(books, said["organizationNumber"], said.get("name", ""))
    amount, number = Decimal(said["amount"]), said["invoiceNumber"]
    paper = Upload(uploads.pdf([[f"Faktura {number}", f"Beløp {amount}"]]), f"{number}.pdf")
    return books.receive_ehf(supplier, number, date.fromisoformat(said["date"]), date.fromisoformat(said["dueDate"]),
                             amount, paper, kid=said.get("kid"))  # fmt: skip


def register_voucher(
    books: Books, voucher: Thing, supplier: Thing, number: str, day: date, due: date, amount: Decimal, *,
    account: int = 6800, vat: str = "1",
) -> Thing:  # fmt: skip
    """Somebody registers a voucher of the reception as a supplier invoice on one account; gives the invoice."""
    invoice = invoice_of(books, voucher) or books.supplier_invoice(voucher, supplier, number, day, due, amount)
    code = next(one for one in books.things["vatType"].values() if one["number"] == vat)
    line = {"account": books.account(account), "amountGross": amount, "amountGrossCurrency": amount,
            "vatType": Link("vatType", code["id"])}  # fmt: skip
    books.register(voucher, invoice, [line])
    return invoice


def _register(books: Books, said: Any) -> Any:
    voucher = books.find(Link("voucher", int(said["voucher"])))
    supplier = supplier_named(books, said.get("organizationNumber", ""), said.get("name", ""))
    day = date.fromisoformat(said.get("date", voucher["date"]))
    due = date.fromisoformat(said.get("dueDate", day.isoformat()))
    number = said.get("invoiceNumber") or voucher.get("vendorInvoiceNumber") or ""
    made = register_voucher(books, voucher, supplier, number, day, due, Decimal(said["amount"]),
                            account=int(said.get("account", 6800)), vat=str(said.get("vat", "1")))  # fmt: skip
    return {"supplierInvoice": made["id"]}


def _rules(box: Sandbox, books: Books, said: Any) -> Any:
    kinds = get_type_hints(Rules)
    for name, value in said.items():
        kind = str(kinds[name])
        if "date" in kind and value is not None:
            value = date.fromisoformat(value)
        elif kinds[name] is Decimal:
            value = Decimal(value)
        elif kinds[name] == set[str]:
            value = set(value)
        setattr(books.rules, name, value)
    return {name: str(getattr(books.rules, name)) for name in said}


def _rates(box: Sandbox, books: Books, said: Any) -> Any:
    for code, rate in said.items():
        if code not in books.rates or code == "NOK":
            raise KeyError(code)
        books.rates[code] = Decimal(rate)
    return {code: str(rate) for code, rate in books.rates.items()}


def _access(box: Sandbox, said: Any) -> Access:
    return box.access[said.get("token") or next(iter(box.access))]


def _rights(box: Sandbox, books: Books, said: Any) -> Any:
    access, wanted = _access(box, said), set(said["rights"])
    if unknown := wanted - set(ENTITLEMENTS):
        raise KeyError(", ".join(sorted(unknown)))
    access.rights = wanted
    return sorted(access.rights)


def _hidden(box: Sandbox, books: Books, said: Any) -> Any:
    _access(box, said).hidden[said["type"]] = {int(id) for id in said["ids"]}
    return {}


def _period(box: Sandbox, books: Books, said: Any) -> Any:
    closed: set[Any] = books.closed_months if "month" in said else books.closed_years
    which = (int(said["year"]), int(said["month"])) if "month" in said else int(said["year"])
    if said.get("closed", True):
        closed.add(which)
    else:
        closed.discard(which)
    return {"closed": which in closed}


_SETTINGS = {"rules": _rules, "rates": _rates, "rights": _rights, "hidden": _hidden, "period": _period}


def _record(books: Books, method: str, type: str, id: list[int], said: Any) -> Any:
    if method == "POST" and not id:
        return {"id": registers.create(books, registers.REGISTERS[type], said)["id"]}
    record = books.find(Link(type, id[0]))
    if method == "PUT":
        books.touch(record, **said)
    elif method == "DELETE":
        if type == "customer":
            del books.customer_numbers[record["customerNumber"]]
        books.remove(record)
    else:
        raise SandboxError(405, 4000, "Metoden er ikke tillatt.")
    return {"id": record["id"]}
