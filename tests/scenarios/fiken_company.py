"""The company of the scenarios with its books in Fiken."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from connector.api.examples import BUYER, SELLER

FEBRUARY = date(2027, 2, 1)
OWN_ACCOUNT = "15032080119"
"""The account whose money `source` tells of; the ledger reads the others."""
TENANT = """
layer: tenant
tenant: fjord
title: Fjord AS
organisation_number: "923609016"
start: 2026-01-01
connections:
  books:
    system: fiken
    settings: {{base_url: "{url}", invoice_account: "86011117947", spacing: 0, open_hours: 0, timeout: 5,
               settle: {settle}{more}}}
    secrets: {{token: env:FJORD_TOKEN}}
    mapping: {mapping}
routes:
  sales:
    takes: api
    to: books
    issues: {issues}
    sends: nobody
    reminds: nobody
    receives: nobody
    hold_new_suppliers: {hold_new}
    takes_bank_money: {{"86011117947": books, "15032080119": source}}
"""
INVOICE: dict[str, Any] = {
    "source_id": "sale-10017",
    "issue_date": "2027-01-15",
    "due_date": "2027-01-29",
    "currency": "NOK",
    "buyer_reference": "Kari Nordmann",
    "seller": SELLER,
    "buyer": BUYER,
    "delivery": {"day": "2027-01-14", "address": {"city": "Oslo", "country": "NO"}},
    "payment_means": [{"code": "30", "account": {"id": OWN_ACCOUNT}}],
    "lines": [
        {"id": "1", "name": "Rådgivning", "quantity": "8", "unit_code": "HUR", "price": "1020.00",
         "vat_category": "S", "vat_rate": "25", "vat_code": "3"},
        {"id": "2", "name": "Lunsj", "quantity": "20", "unit_code": "C62", "price": "100.00",
         "vat_category": "S", "vat_rate": "15", "vat_code": "31"},
    ],
}  # fmt: skip
ORE: dict[str, Any] = INVOICE | {
    "source_id": "sale-ore",
    "lines": [
        {"id": str(n), "name": "Øre", "quantity": "1", "unit_code": "C62", "price": "33.33",
         "vat_category": "S", "vat_rate": "25", "vat_code": "3"}
        for n in (1, 2, 3)
    ],
}  # fmt: skip


def kroner(amount: str) -> Decimal:
    """An amount as the page writes it: `12 500,00`."""
    return Decimal(amount.replace(" ", "").replace(",", "."))


def balance(box: Any, account: str) -> Decimal:
    """Kroner on an account."""
    return Decimal(box.books.balance(account)) / 100


async def sold(fjord: Any, invoice: dict[str, Any] = INVOICE) -> Any:
    """The invoice, posted and issued by the ledger."""
    answer = await fjord.post("/v1/invoices", invoice)
    assert answer.status_code == 202, answer.text
    await fjord.work()
    assert (await fjord.get(answer.headers["location"]))["state"] == "done", await fjord.get("/v1/attention")
    return await fjord.document(kind="invoice", source_id=invoice["source_id"])


async def paid(fjord: Any, kid: str, amount: str, **more: Any) -> Any:
    """We are told of money that came; the command's state after the work."""
    answer = await fjord.post("/v1/payments", {
        "source_id": f"bank-{amount}", "direction": "in", "date": "2027-02-01", "amount": amount, "currency": "NOK",
        "kid": kid, "bank_account": OWN_ACCOUNT, **more,
    })  # fmt: skip
    assert answer.status_code == 202, answer.text
    await fjord.work(within=1)
    return await fjord.get(answer.headers["location"])


async def received(fjord: Any) -> list[dict[str, Any]]:
    """What the feed says of money that came in."""
    events = (await fjord.get("/v1/changes", limit=1000))["events"]
    return [event["data"] for event in events if event["kind"] == "payment.received"]
