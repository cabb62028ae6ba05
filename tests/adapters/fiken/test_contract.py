"""What the adapter sends and what the sandbox answers, held against Fiken's own description."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.accounting.fiken.sandbox import TOKEN, Sandbox
from connector.model.json import loads
from connector.ports import File, Goal, Kind, Run

sys.path.append(str(Path(__file__).parent))
from fiken_driving import (
    PAGE,
    account_goal,
    credit_goal,
    customer_goal,
    external_goal,
    invoice_goal,
    line,
    opened,
    payment_goal,
    purchase_goal,
    reach,
    supplier_goal,
    totals,
)


async def driven(box: Sandbox) -> None:
    """Every flow, every read, and the searches after lost answers."""
    system = opened(box, incoming="book", incoming_account="4300")
    await system.probe()
    await system.options()
    box.fault("POST .*/contacts", "no-answer")
    customer = (await reach(system, customer_goal(phoneNumber="22222222", daysUntilInvoicingDueDate=14)))["read"].id
    await reach(system, customer_goal("m-kari", organizationNumber=None, name="Kari", email="kari@example.no"))
    await reach(system, Goal(Kind.CUSTOMER, "update", "m", {"email": "a@b.no", "inactive": False}, target=customer))
    record = {"name": "Rådgivning", "productNumber": "RAD", "unitPrice": 102000, "incomeAccount": "3000",
              "vatType": "HIGH", "active": True}  # fmt: skip
    product = (await reach(system, Goal(Kind.PRODUCT, "create", "m", record)))["read"].id
    await reach(system, Goal(Kind.PRODUCT, "update", "m", {"unitPrice": 103000}, target=product))
    project = (await reach(system, Goal(Kind.PROJECT, "create", "m", {"name": "Nytt", "number": "P1"})))["read"].id
    await reach(system, Goal(Kind.PROJECT, "update", "m", {"name": "Nyere", "number": "P1"}, target=project))
    for call in ("drafts", "createInvoice", "attachments", "partial", "full", "/sales", "payments"):
        box.fault(f"POST .*{call}$", "no-answer")
    goal = replace(
        invoice_goal(customer, project={"projectId": int(project)}, yourReference="Kari", orderReference="4711",
                     invoiceText="Takk", roundingType="none"),
        files=(File("a.pdf", "application/pdf", PAGE),),
    )  # fmt: skip
    invoice = (await reach(system, goal))["read"].id
    await reach(system, payment_goal(invoice, bankAccountNumber="15032080119"))
    await reach(system, credit_goal(customer, invoice))
    other = (await reach(system, invoice_goal(customer, "m-other")))["read"].id
    await reach(system, credit_goal(customer, other, "m-whole", whole=True))
    sale = (await reach(system, external_goal(customer)))["read"].id
    await reach(system, replace(payment_goal("1", 100, "m-s"), record={
        **payment_goal("1", 100).record, "invoice": None, "sale": {"saleId": int(sale)},
    }))  # fmt: skip
    euro = replace(
        invoice_goal(
            customer, "m-eur", currency="EUR", lines=[line("Eksport", 1, 1000, "EXEMPT_IMPORT_EXPORT", "3100")]
        ),
        totals=replace(totals("10", "0"), currency="EUR"),
    )
    foreign = (await reach(system, euro))["read"].id
    await reach(system, payment_goal(foreign, 1000, "m-f", currency="EUR", amountInNok=11600))
    box.fault("POST .*/generalJournalEntries", "no-answer")
    money = (await reach(system, account_goal(customer)))["read"].id
    assert await system.read(Kind.PAYMENT, money) is not None
    assert await system.document(Kind.INVOICE, invoice) is not None
    assert await system.receivables() is not None
    for name in ("purchases", "inbox"):
        box.fault(f"POST .*/{name}$", "no-answer")
    supplier = (await reach(system, supplier_goal(phoneNumber="22222222")))["read"].id
    laid = (await reach(opened(box, incoming="inbox"), purchase_goal(supplier)))["read"].id
    bought = (await reach(system, purchase_goal(supplier)))["read"].id
    page = (File("Merknad.pdf", "application/pdf", PAGE, "page"),)
    for kind, at in ((Kind.INVOICE, invoice), (Kind.EXTERNAL_INVOICE, sale), (Kind.SUPPLIER_INVOICE, bought)):
        box.fault("POST .*/attachments$", "no-answer")
        await reach(system, Goal(kind, "note", f"m-n-{kind}", {}, target=at, files=page))
    for id in (laid, bought):
        assert await system.document(Kind.SUPPLIER_INVOICE, id) is not None
    for reading in system.readings:
        cursor = await system.begin(reading.kind, date(2027, 1, 1))
        for _ in range(3):
            page = await system.changes(reading.kind, cursor)
            cursor = page.cursor
        await system.sweep(reading.kind, date(2027, 1, 1), date(2028, 1, 1), None)
        for record in page.records:
            assert await system.read(record.kind, record.id) is not None
    await system.close()


async def test_every_request_is_as_described(box: Sandbox, contract: Any) -> None:
    await driven(box)
    assert len(box.requests) > 90
    assert {one.method for one in box.requests} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert box.faults.active == []
    contract.check_requests(list(box.requests))


async def test_every_answer_is_as_described(box: Sandbox, contract: Any) -> None:
    await driven(box)
    box.faults.active.clear()
    one = {kind: next(iter(things)) for kind, things in box.books.things.items() if things}
    below = [
        "", "/contacts", f"/contacts/{one['contact']}", "/products", f"/products/{one['product']}", "/projects",
        f"/projects/{one['project']}", "/accounts", "/bankAccounts", "/invoices", "/invoices/counter",
        f"/invoices/{one['invoice']}", f"/invoices/{one['invoice']}/attachments", "/invoices/drafts", "/creditNotes",
        f"/creditNotes/{one['creditNote']}", "/creditNotes/drafts", "/sales", f"/sales/{one['sale']}",
        "/journalEntries", f"/journalEntries/{one['journalEntry']}",
        f"/sales/{one['sale']}/payments", f"/sales/{one['sale']}/attachments", "/purchases",
        f"/purchases/{one['purchase']}", f"/purchases/{one['purchase']}/payments",
        f"/purchases/{one['purchase']}/attachments", "/inbox", f"/inbox/{one['inbox']}",
    ]  # fmt: skip
    goal = invoice_goal(str(one["contact"]), "m-draft")
    system = opened(box)
    await system.flow(goal)[0].call(Run(goal, {}))
    paths = ["/user", "/companies", *(f"/companies/fjord-as{path}" for path in below)]
    async with httpx.AsyncClient(base_url=box.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for path in paths:
            answer = await client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            contract.check_answer("GET", path, 200, answer.headers, loads(answer.content))
        contact = {"name": "Ny AS", "customer": True, "address": {"country": "Norway"}}
        paid = {"date": "2027-02-01", "account": "1920:10001", "amount": 100}
        for method, path, body in (
            ("POST", f"/purchases/{one['purchase']}/payments", paid),
            ("PATCH", f"/purchases/{one['purchase']}/delete?description=feil", None),
            ("POST", "/contacts", contact),
            ("PUT", f"/contacts/{one['contact']}", contact),
            ("PATCH", f"/invoices/{one['invoice']}", {"newDueDate": "2027-03-01"}),
            ("PATCH", f"/transactions/{one['transaction']}/delete?description=feil", None),
            ("POST", "/invoices/send",
             {"invoiceId": one["invoice"], "method": ["auto"], "includeDocumentAttachments": False}),
        ):  # fmt: skip
            path = f"/companies/fjord-as{path}"
            answer = await client.request(method, path, json=body)
            said = loads(answer.content) if answer.content else None
            contract.check_answer(method, path.partition("?")[0], answer.status_code, answer.headers, said)


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/nowhere", {}, None),
        ("GET", "/companies/a/invoices", {"nonsense": "1"}, None),
        ("GET", "/companies/a/sales", {"invoiceDraftUuid": "1"}, None),
        ("POST", "/companies/a/contacts", {}, {"navn": "x"}),
        ("POST", "/companies/a/contacts", {}, {"customer": True}),
        ("POST", "/companies/a/sales/1/payments", {}, {"date": "2027-01-01", "account": "1920:10001", "amount": "100"}),
        ("POST", "/companies/a/invoices/drafts", {}, {"type": "giro", "customerId": 1, "daysUntilDueDate": 1}),
    ],
)
def test_the_check_can_fail(contract: Any, method: str, path: str, query: dict[str, str], body: Any) -> None:
    with pytest.raises(AssertionError):
        contract.check_request(method, path, query, body)
