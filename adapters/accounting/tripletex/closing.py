"""Matching rows of the customer ledger: `:closePostings`, and what tells that there is something to match.

Rows are closed against each other where they come to nothing: in their currency, where they have one (what is left in
kroner is agio, which is Tripletex' own). Rows of one invoice that was booked as a voucher know each other by
`invoiceNumber`: a part payment stays open beside its invoice until the last row comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.client import Client
from connector.errors import Refused, Stop

ROW = "id,date,amount,amountCurrency,currency(id,code),invoiceNumber,customer(id),account(id),closeGroup(id)"
_FAR = "2100-01-01"

Row = Mapping[str, Any]


async def close(client: Client, own: int, other: int) -> None:
    """Close a row against another one, with all that has come for the same invoice, where they come to nothing.

    Where they do not, or one of them is closed already, nothing is done; doing it again does nothing.

    Raises:
        Stop: Tripletex does not match them (`not-matched`). They are booked; only the matching is missing.
    """
    row, with_ = [await client.get(f"/ledger/posting/{id}", fields=ROW) for id in (own, other)]
    if row.get("closeGroup") or with_.get("closeGroup"):
        return
    rows = fitting(row, with_, await of_invoice(client, with_))
    if not rows:
        return
    said = ""
    try:
        answer = (await client.call("PUT", "/ledger/posting/:closePostings", json=rows)).json()
        said = " ".join(str(one.get("message")) for one in (answer or {}).get("values") or ())
    except Refused as exc:
        said = exc.said_by_vendor or exc.said
    # Tripletex may refuse with status 200; and somebody may have matched them in this very moment.
    if (await client.get(f"/ledger/posting/{own}", fields="id,closeGroup(id)")).get("closeGroup"):
        return
    raise Stop(
        f"It is booked, and Tripletex does not match its row with the others: {said or 'no reason given'}",
        code="not-matched",
        do="Match the rows on the customer's account in Tripletex, then retry: what is matched is left as it is.",
        where={"posting": str(own)},
        details={"postings": rows},
    )


async def applied(client: Client, own: int, other: int) -> Decimal:
    """How much of a credit note's row stands against the row of the invoice it credits, in their currency: all of it
    where the two are matched, nothing where the invoice was matched without it, else what was open of the invoice.
    """
    row, invoice = [await client.get(f"/ledger/posting/{id}", fields=ROW) for id in (own, other)]
    amount = -in_currency(row)
    if invoice.get("closeGroup"):
        return amount if row.get("closeGroup") == invoice["closeGroup"] else Decimal(0)
    rows = [one for one in await of_invoice(client, invoice) if one["id"] != own and _code(one) == _code(invoice)]
    opened = sum((in_currency(one) for one in rows), Decimal(0))
    return max(Decimal(0), min(amount, opened))


def in_currency(row: Row) -> Decimal:
    """The amount of a row in its currency."""
    foreign = row.get("amountCurrency")
    return Decimal(row["amount"] if foreign is None else foreign)


def left_of(rows: Sequence[Row]) -> Decimal:
    """What rows come to together: in their currency where they have one, else in kroner."""
    one_currency = len({_code(row) for row in rows}) == 1
    return sum((in_currency(row) if one_currency else Decimal(row["amount"]) for row in rows), Decimal(0))


def _code(row: Row) -> str:
    return str((row.get("currency") or {}).get("code") or "NOK")


async def of_invoice(client: Client, row: Row) -> list[dict[str, Any]]:
    """The open rows that name the same invoice of the same customer."""
    number, customer = row.get("invoiceNumber"), (row.get("customer") or {}).get("id")
    if not number or customer is None:
        return []
    found = await client.every("/ledger/posting/openPost", date=_FAR, customerId=customer, fields=ROW)
    return [one for one in found if one.get("invoiceNumber") == number]


def fitting(own: Row, other: Row, same: Sequence[Row]) -> list[int]:
    """Ids of the rows that are closed together: all of the invoice, else the two alone; none where neither comes to
    nothing. Pure.
    """
    account = (other.get("account") or {}).get("id")
    every = {row["id"]: row for row in (own, other, *same) if (row.get("account") or {}).get("id") == account}
    for rows in (list(every.values()), [own, other]):
        if own["id"] in every and left_of(rows) == 0:
            return sorted(row["id"] for row in rows)
    return []
