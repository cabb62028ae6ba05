"""What customers owe by the ledger: the balance of their accounts, and what is open of sales and credit notes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.accounting.fiken.client import OSLO, Client, Row
from adapters.accounting.fiken.ore import kroner
from connector.ports import Receivables, Record

ACCOUNT = "1500"
"""Customers' receivables; each customer has an account of his own behind it, `1500:10001`."""


async def receivables(client: Client, credit_note: Callable[[Row], Awaitable[Record]]) -> Receivables:
    """Both figures as they stand now, in kroner.

    The balance is the chart's, and not the sum of what is open: that is what makes it a control. Of a sale that was
    paid too much nothing is open, so that what is too much shows on the account alone.

    Args:
        credit_note: a credit note of Fiken's as a record, with how much of it closes its invoice.
    """
    # What is dated later than today is open, too: lists of sales have no day at which they are read.
    until = datetime.now(OSLO).date().replace(month=12, day=31)
    rows = await client.every(
        "/accountBalances", "code", fromAccount=ACCOUNT, toAccount=ACCOUNT, date=until.replace(year=until.year + 1)
    )
    account = sum((kroner(row.get("balance"), "balance") for row in rows if _is_customers(row)), Decimal(0))
    opened: dict[str, Decimal] = {}
    loose = Decimal(0)
    for row in await client.every("/sales", "saleId", settled=False):
        if row.get("deleted"):
            continue
        amount, customer = kroner(row.get("outstandingBalance"), "outstandingBalance"), _customer(row)
        if customer is None:
            loose += amount
        else:
            opened[customer] = opened.get(customer, Decimal(0)) + amount
    for row in await client.every("/creditNotes", "creditNoteId", settled=False):
        customer = _customer(row)
        left = await _left(row, credit_note)
        if customer is None:
            loose -= left
        else:
            opened[customer] = opened.get(customer, Decimal(0)) - left
    return Receivables(account, {id: amount for id, amount in opened.items() if amount}, loose)


def _is_customers(row: Row) -> bool:
    return str(row.get("code")).partition(":")[0] == ACCOUNT


async def _left(note: Row, credit_note: Callable[[Row], Awaitable[Record]]) -> Decimal:
    """What of a credit note closes no invoice, in kroner."""
    gross = kroner(note.get("gross"), "gross")
    left = gross - kroner((await credit_note(note)).body["applied"], "applied")
    if note.get("currency") in (None, "NOK") or not gross:
        return left
    return (left * kroner(note.get("grossInNok"), "grossInNok") / gross).quantize(Decimal("0.01"))


def _customer(row: Any) -> str | None:
    found = (row.get("customer") or {}).get("contactId")
    return None if found is None else str(found)
