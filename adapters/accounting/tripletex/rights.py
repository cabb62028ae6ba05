"""Which rights the key needs, and which of them it does not seem to have.

What can be read is proved by reading (`adapter`). Whether vouchers may be sent to the ledger cannot be tried without
doing it: the key's own list of rights is looked at. Its names are for people and change between releases.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.accounting.tripletex.client import Client
from connector.errors import NeedsPerson, Refused

NEEDED = (
    "Company information (Firmainformasjon): whose books these are",
    "Customers (Kunder): customers of invoices",
    "Products (Produkter), departments (Avdelinger), projects (Prosjekter): what documents say of them",
    "Orders and invoices (Ordre, Faktura): invoices and credit notes that Tripletex issues",
    "Ledger (Regnskap): payments, matching, vouchers as they are booked",
    "Payment types (Betalingstyper): where money came in",
    "Vouchers (Bilag): invoices issued elsewhere, money on account, refunds, reversals",
    "Advanced Voucher (Avansert bilag): sending those vouchers to the ledger",
)
_LISTED = (
    ("Vouchers (Bilag)", re.compile(r"(?<!avansert )(?<!advanced )\b(bilag|vouchers?)\b", re.IGNORECASE)),
    ("Advanced Voucher (Avansert bilag)", re.compile(r"(avansert bilag|advanced voucher)", re.IGNORECASE)),
)


UNREADABLE = "The key's own rights (cannot be read, so whether it has Advanced Voucher is not known)"
"""What is said where the list of rights says nothing."""


async def to_ledger(client: Client, voucher: dict[str, Any]) -> dict[str, Any]:
    """Have a voucher made and sent to the ledger; what Tripletex answers with. Raises as `Client.write`."""
    try:
        return await client.write("POST", "/ledger/voucher", params={"sendToLedger": True}, json=voucher)
    except NeedsPerson as exc:
        if exc.code == "right-missing":
            exc.do = (
                "Give the key under API-tilgang the right Advanced Voucher (Avansert bilag), without which no voucher"
                " is sent to the ledger; then resume."
            )
        raise


async def missing_entitlements(client: Client) -> list[str]:
    """Rights that are not in the key's own list, in words for a person."""
    try:
        rows = await client.every("/employee/entitlement", fields="id,name")
    except (NeedsPerson, Refused) as exc:
        if exc.code not in ("right-missing", "vendor-not-found"):
            raise
        rows = []
    names = [str(row.get("name") or "") for row in rows]
    if not any(names):
        return [UNREADABLE]
    return [right for right, listed in _LISTED if not any(listed.search(name) for name in names)]
