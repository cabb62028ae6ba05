"""Opens the adapter on a sandbox, and the goals that tests drive it with."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.accounting.fiken import Secrets, Settings, plugin
from adapters.accounting.fiken.sandbox import TOKEN, Sandbox
from connector.http import Http
from connector.ports import Accounting, ConnectionConfig, File, Goal, Kind, Totals

sys.path.append(str(Path(__file__).parents[1] / "tripletex"))
from tripletex_driving import PAGE, SeveralFound, reach

__all__ = ["PAGE", "SeveralFound", "reach"]


def opened(box: Sandbox, *, timeout: float = 5.0, token: str = TOKEN, **settings: Any) -> Accounting:
    said = {"base_url": box.url, "spacing": 0, "invoice_account": "86011117947", "payment_account": "1920:10001"}
    config = ConnectionConfig("c1", "t1", Settings(**(said | settings)), Secrets(token=token))
    return plugin.open(config, Http(box.url, timeout=timeout))


def customer_goal(marker: str = "m-customer-1", **more: Any) -> Goal:
    address = {"streetAddress": "Gata 1", "postCode": "0150", "city": "Oslo", "country": "NO"}
    record = {"name": "Kjøper AS", "organizationNumber": "974760673", "address": address, **more}
    return Goal(Kind.CUSTOMER, "create", marker, {name: value for name, value in record.items() if value is not None})


def line(text: str, quantity: Any, price: int, vat: str = "HIGH", account: str = "3000") -> dict[str, Any]:
    return {"description": text, "quantity": quantity, "unitPrice": price, "vatType": vat, "incomeAccount": account}


LINES = [line("Timer", 8, 102000), line("Lunsj", 20, 10000, "MEDIUM")]


def totals(net: str, vat: str, rounding: str = "0") -> Totals:
    return Totals("NOK", Decimal(net), Decimal(vat), Decimal(net) + Decimal(vat), Decimal(rounding))


def invoice_goal(customer: str, marker: str = "m-invoice-1", **more: Any) -> Goal:
    """Scenario A.1: 8 hours × 1 020,00 at 25 % and 20 lunches × 100,00 at 15 %."""
    record = {"issueDate": "2027-01-15", "dueDate": "2027-01-29", "customer": {"contactId": int(customer)},
              "currency": "NOK", "lines": LINES, **more}  # fmt: skip
    return Goal(Kind.INVOICE, "create", marker, record, totals("10160", "2340"))


def credit_goal(customer: str, invoice: str, marker: str = "m-credit-1", *, whole: bool = False) -> Goal:
    """Scenario A.3: 2 hours and 5 lunches, or the whole of it."""
    lines = LINES if whole else [line("Timer", 2, 102000), line("Lunsj", 5, 10000, "MEDIUM")]
    record = {"issueDate": "2027-03-10", "customer": {"contactId": int(customer)}, "currency": "NOK",
              "associatedInvoiceId": int(invoice), "lines": lines}  # fmt: skip
    return Goal(Kind.CREDIT_NOTE, "create", marker, record, totals("10160", "2340") if whole else totals("2540", "585"))


def payment_goal(invoice: str, amount: int = 500000, marker: str = "m-payment-1", **more: Any) -> Goal:
    record = {"invoice": {"invoiceId": int(invoice)}, "date": "2027-02-01", "amount": amount, "currency": "NOK", **more}
    return Goal(Kind.PAYMENT, "create", marker, record)


def account_goal(customer: str, marker: str = "m-account-1", **more: Any) -> Goal:
    """Scenario A.4: 4 375,00 that settle nothing."""
    record = {
        "customer": {"contactId": int(customer)},
        "date": "2027-03-15",
        "amount": 437500,
        "currency": "NOK",
        **more,
    }
    return Goal(Kind.PAYMENT, "create", marker, record)


def external_goal(customer: str, marker: str = "m-external-1", **more: Any) -> Goal:
    lines = [{"description": "Timer", "netPrice": 816000, "vatType": "HIGH", "account": "3000"},
             {"description": "Lunsj", "netPrice": 200000, "vatType": "MEDIUM", "account": "3000"}]  # fmt: skip
    record = {"saleNumber": "10017", "date": "2027-01-15", "dueDate": "2027-01-29", "kid": "0000100172",
              "customer": {"contactId": int(customer)}, "currency": "NOK", "lines": lines,
              "vat": [{"vatInPercent": 25, "vat": 204000}, {"vatInPercent": 15, "vat": 30000}], **more}  # fmt: skip

    async def paper() -> File:
        return File("10017.pdf", "application/pdf", PAGE, "page")

    return Goal(Kind.EXTERNAL_INVOICE, "create", marker, record, totals("10160", "2340"), paper=paper)


def supplier_goal(marker: str = "m-supplier-1", **more: Any) -> Goal:
    address = {"streetAddress": "Bryggen 5", "postCode": "5003", "city": "Bergen", "country": "NO"}
    record = {"name": "Selger AS", "organizationNumber": "974760673", "address": address, **more}
    return Goal(Kind.SUPPLIER, "create", marker, record)


def purchase_goal(supplier: str, marker: str = "m-purchase-1", **more: Any) -> Goal:
    """Scenario C.1: the VAT is one øre less than its rate would make it."""
    record = {
        "supplier": {"contactId": int(supplier), "name": "Selger AS"}, "identifier": "F-7", "date": "2027-01-10",
        "dueDate": "2027-02-10", "currency": "NOK", "kid": "0000100172", "amount": 1249999, "creditNote": False,
        "lines": [{"netPrice": 1000000, "vat": 249999, "vatType": "HIGH"}], **more,
    }  # fmt: skip
    files = (
        File("F-7.pdf", "application/pdf", PAGE, "page"),
        File("F-7.xml", "application/xml", b"<x/>", "original"),
        File("timer.pdf", "application/pdf", PAGE),
        File("timer.xlsx", "application/vnd.ms-excel", b"x"),
    )
    return Goal(Kind.SUPPLIER_INVOICE, "create", marker, record, files=files)
