"""What customers owe by the ledger: the balance of their accounts, and the open rows on them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.client import PAGE, Client
from adapters.accounting.tripletex.lookups import Lookups
from adapters.accounting.tripletex.records import not_as_described
from connector.errors import NeedsPerson, Refused
from connector.ports import Receivables

_FIRST, _FAR = "1990-01-01", "2100-01-01"


async def receivables(client: Client, lookups: Lookups) -> Receivables | None:
    """Both figures as they stand now, in kroner; None where the key may not read them, nothing was ever
    booked, or there are more open rows than Tripletex gives (10 000).

    The balance is the balance sheet's, and not the sum of the rows: that is what makes it a control.
    """
    low, high = await lookups.customer_range()
    try:
        sheet = await _balance_sheet(client)
        if not sheet:
            # A key without the right sees an empty ledger: that says nothing of what is owed.
            return None
        rows = await client.every(
            "/ledger/posting/openPost",
            fields="id,amount,customer(id),account(number)",
            date=_FAR,
            accountNumberFrom=low,
            accountNumberTo=high + 1,
        )
    except (NeedsPerson, Refused) as exc:
        if exc.code not in ("right-missing", "module-missing", "vendor-not-found", "too-many-rows"):
            raise
        return None
    opened: dict[str, Decimal] = {}
    loose = Decimal(0)
    for row in rows:
        # Whether the end of a range of accounts is in it is told of one call and not of the other.
        if not low <= row["account"]["number"] <= high:
            continue
        customer, amount = (row.get("customer") or {}).get("id"), Decimal(row["amount"])
        if customer is None:
            loose += amount
        else:
            opened[str(customer)] = opened.get(str(customer), Decimal(0)) + amount
    on_sheet = (one for one in sheet if low <= one["account"]["number"] <= high)
    account = sum((Decimal(one["balanceOut"]) for one in on_sheet), Decimal(0))
    return Receivables(account, opened, loose)


async def _balance_sheet(client: Client) -> list[dict[str, Any]]:
    """Every account that has moved. Its rows have no id, by which other lists are read."""
    asked: dict[str, Any] = {"dateFrom": _FIRST, "dateTo": _FAR, "fields": "account(number),balanceOut", "count": PAGE}
    found: list[dict[str, Any]] = []
    while True:
        answer = (await client.call("GET", "/balanceSheet", params=asked | {"from": len(found)})).json()
        rows = answer.get("values") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "balanceOut" in row for row in rows):
            raise not_as_described("values[].balanceOut", "an amount", "/balanceSheet")
        found += rows
        if len(rows) < PAGE:
            return found
