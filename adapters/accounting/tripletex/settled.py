"""Which invoice that was booked as a voucher a payment row settles: by the number the row names, or by its close group.

Such an invoice is ours to know by its customer's row; its voucher has number and our marker in the external number. It
is only asked for where the invoice register does not know the number.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.client import Client

_ISSUED = re.compile(r".* c-[0-9a-f]{24}")
ROW = "id,amount,invoiceNumber,customer(id),voucher(id,externalVoucherNumber)"
_FIRST, _LAST = "2000-01-01", "2100-01-01"

Row = Mapping[str, Any]


class Settled:
    """The last 50,000 that were found are remembered, by customer and number."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: OrderedDict[tuple[int, str], int] = OrderedDict()

    async def of(self, rows: Sequence[Row]) -> dict[int, int]:
        """By the id of a payment row, the id of the customer's row of the invoice it settles."""
        found = {}
        for row in rows:
            if (id := await self._of(row)) is not None:
                found[row["id"]] = id
        return found

    async def _of(self, row: Row) -> int | None:
        customer, number = (row.get("customer") or {}).get("id"), str(row.get("invoiceNumber") or "")
        if customer is None or Decimal(row.get("amount") or 0) >= 0 or booked_as_document(row):
            return None
        if number and number != "0":
            return await self._numbered(customer, number)
        closed = (row.get("closeGroup") or {}).get("postings") or ()
        ours = [one["id"] for one in closed if _is_invoice(one)]
        return ours[0] if len(ours) == 1 else None

    async def _numbered(self, customer: int, number: str) -> int | None:
        key = (customer, number)
        if key not in self._known:
            rows = await self._client.every(
                "/ledger/posting", dateFrom=_FIRST, dateTo=_LAST, customerId=customer, fields=ROW
            )
            for one in rows:
                if one.get("invoiceNumber") and _is_invoice(one):
                    self._known[customer, str(one["invoiceNumber"])] = one["id"]
            while len(self._known) > 50_000:
                self._known.popitem(last=False)
        return self._known.get(key)


def booked_as_document(row: Row) -> bool:
    """Whether a row is of an invoice or credit note that we have booked as a voucher: vouchers of money have the marker
    alone.
    """
    return bool(_ISSUED.fullmatch(str((row.get("voucher") or {}).get("externalVoucherNumber") or "")))


def _is_invoice(row: Row) -> bool:
    """Whether a row is the customer's debt of an invoice that we have booked as a voucher."""
    return booked_as_document(row) and bool(row.get("invoiceNumber")) and Decimal(row.get("amount") or 0) > 0
