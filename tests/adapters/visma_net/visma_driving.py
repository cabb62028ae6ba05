"""Drives the adapter as lanes do: after every lost answer it looks before anything is called again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.visma_net import Secrets, Settings, plugin
from adapters.accounting.visma_net.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Sandbox
from connector.errors import TryLater, UnknownOutcome, VendorError
from connector.http import Http
from connector.model.json import dumps, loads
from connector.ports import Accounting, ConnectionConfig, File, Goal, Kind, Proof, Record, Run, Totals

DAY = date(2027, 1, 15)


def opened(box: Sandbox, *, timeout: float = 5.0, secret: str = CLIENT_SECRET, **settings: Any) -> Accounting:
    said = {"tenant_id": TENANT_ID, "cash_account": "1920", "payment_method": "1", **settings}
    config = ConnectionConfig(
        "c1", "t1", Settings(base_url=box.url, token_url=box.token_url, **said),
        Secrets(client_id=CLIENT_ID, client_secret=secret),
    )  # fmt: skip
    return plugin.open(config, Http(box.url, timeout=timeout))


class SeveralFound(Exception):
    pass


async def reach(system: Accounting, goal: Goal, tries: int = 40) -> dict[str, Proof]:
    """Run a flow to its end; the proofs by step name, each as it comes back from the store."""
    proofs: dict[str, Proof] = {}
    for step in system.flow(goal):
        while step.name not in proofs:
            tries -= 1
            assert tries > 0, f"{step.name} does not end"
            run = Run(goal, proofs)
            try:
                proof = await step.call(run)
            except UnknownOutcome:
                if step.look is None:
                    continue
                for _ in range(2):
                    found = await read(lambda run=run, look=step.look: look(run))
                    if len(found) > 1:
                        raise SeveralFound(step.name) from None
                    if found:
                        proofs[step.name] = _stored(found[0])
                        break
            except TryLater:
                continue
            except VendorError as exc:
                if exc.code != "vendor-answer":
                    raise
            else:
                proofs[step.name] = _stored(proof)
    return proofs


async def read(call: Any) -> Any:
    """A read, again until it comes through."""
    for _ in range(9):
        try:
            return await call()
        except TryLater:
            pass
        except VendorError as exc:
            if exc.code != "vendor-answer":
                raise
    return await call()


def _stored(proof: Proof) -> Proof:
    return Proof(proof.id, loads(dumps(proof.facts)), proof.record)


async def all_changes(system: Accounting, kind: Kind, cursor: str) -> tuple[list[Record], str]:
    """Everything that changed, and the cursor after it."""
    found: list[Record] = []
    while True:
        page = await system.changes(kind, cursor)
        found += page.records
        cursor = page.cursor
        if not page.more:
            return found, cursor


def customer_goal(marker: str = "m-customer-1", **more: Any) -> Goal:
    address = {"addressLine1": "Gata 1", "postalCode": "0150", "city": "Oslo", "country": {"id": "NO"}}
    record = {"name": "Kjøper AS", "corporateId": "974760673", "mainAddress": address, **more}
    return Goal(Kind.CUSTOMER, "create", marker, {name: value for name, value in record.items() if value is not None})


def item_goal(marker: str = "m-item-1", **more: Any) -> Goal:
    record = {"inventoryNumber": "7001", "description": "Rådgivning", "defaultPrice": Decimal("1020.00"),
              "vatCode": {"id": "3"}, "salesAccount": "3000", "status": "Active", **more}  # fmt: skip
    return Goal(Kind.PRODUCT, "create", marker, {name: value for name, value in record.items() if value is not None})


def line(description: str, quantity: int, price: str, vat: str, account: str = "3000") -> dict[str, Any]:
    return {"description": description, "quantity": quantity, "unitPriceInCurrency": Decimal(price), "vatCodeId": vat,
            "accountNumber": account}  # fmt: skip


def invoice_goal(customer: str, marker: str = "m-invoice-1", totals: dict[str, str] | None = None, **more: Any) -> Goal:
    """Scenario A.1: 8 hours × 1 020,00 at 25 % and 20 lunches × 100,00 at 15 %."""
    record = {
        "customer": {"internalId": int(customer)}, "documentDate": "2027-01-15", "documentDueDate": "2027-01-29",
        "currencyId": "NOK", "customerRefNumber": "PO 7",
        "invoiceLines": [line("Timer", 8, "1020.00", "3"), line("Lunsj", 20, "100.00", "31", "3001")], **more,
    }  # fmt: skip
    sums = totals or {"net": "10160.00", "vat": "2340.00", "gross": "12500.00"}
    return Goal(
        Kind.INVOICE, "create", marker, record,
        totals=Totals("NOK", **{name: Decimal(value) for name, value in sums.items()}),
    )  # fmt: skip


def credit_goal(customer: str, invoice: str, marker: str = "m-credit-1") -> Goal:
    """Scenario A.3: 2 hours and 5 lunches of the invoice of A.1."""
    record = {
        "customer": {"internalId": int(customer)}, "credits": {"referenceNumber": invoice},
        "documentDate": "2027-03-10", "currencyId": "NOK",
        "lines": [line("Timer", 2, "1020.00", "3"), line("Lunsj", 5, "100.00", "31", "3001")],
    }  # fmt: skip
    totals = Totals("NOK", Decimal("2540.00"), Decimal("585.00"), Decimal("3125.00"))
    return Goal(Kind.CREDIT_NOTE, "create", marker, record, totals=totals)


def reversal_goal(payment: str, marker: str = "m-void-1") -> Goal:
    """A payment (`Payment/100001`) taken back."""
    return Goal(Kind.REVERSAL, "create", marker, {"reverses": {"id": payment}})


def supplier_goal(marker: str = "m-supplier-1", **more: Any) -> Goal:
    record = {"name": "Selger AS", "corporateId": "974760673", "mainAddress": {"city": "Bergen"}, **more}
    return Goal(Kind.SUPPLIER, "create", marker, record)


def purchase_goal(supplier: str, marker: str = "m-purchase-1", **more: Any) -> Goal:
    """Scenario C.1: the VAT is one øre less than its rate would make it."""
    record = {
        "documentType": "Invoice", "supplier": {"number": supplier}, "supplierReference": "F-7", "date": "2027-01-10",
        "dueDate": "2027-02-10", "currencyId": "NOK", "paymentRefNo": "0000100172", "amount": Decimal("12499.99"),
        "lines": [{"costInCurrency": Decimal(10000), "vatAmount": Decimal("2499.99"), "vatCodeId": "1"}], **more,
    }  # fmt: skip
    files = (
        File("F-7.pdf", "application/pdf", b"%PDF-1.4", "page"),
        File("F-7.xml", "application/xml", b"<x/>", "original"),
    )
    return Goal(Kind.SUPPLIER_INVOICE, "create", marker, record, files=files)


def payment_goal(
    customer: str, *given: tuple[str, str], amount: str | None = None, marker: str = "m-pay-1", **more: Any
) -> Goal:
    """A payment of invoices (number, amount); `amount`: the whole of it where that is more."""
    lines = [{"refNbr": number, "amountPaid": Decimal(paid)} for number, paid in given]
    whole = Decimal(amount) if amount else sum((one["amountPaid"] for one in lines), Decimal(0))
    record = {"customer": {"internalId": int(customer)}, "applicationDate": "2027-02-01", "paymentAmount": whole,
              "currency": "NOK", "paymentLines": lines, **more}  # fmt: skip
    return Goal(Kind.PAYMENT, "create", marker, record)
