"""What Tripletex has of incoming invoices: in its register, and as EHFs that lie in its reception.

Tripletex receives EHF itself. Whether an invoice of ours is there is seen by supplier, number and amount.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex import purchases
from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.sending import day_of, number_of
from connector.errors import Refused, Stop
from connector.ports import Goal, Proof, Record, Run


class Received:
    """Looks for incoming invoices in one company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def there(self, run: Run) -> Proof:
        """The voucher of this very invoice where Tripletex has it, else `-`. Raises `Stop` where that is not clear."""
        goal = run.goal
        found = [record for record in await self._registered(goal) if _same_kind(record, goal)]
        found += await self._in_reception(goal, {record.id for record in found})
        other = [record for record in found if record.body.get("amountCurrency") not in (None, amount_of(goal))]
        if len(found) > 1 or other:
            raise Stop(
                f"Tripletex has the supplier's invoice {goal.record['invoiceNumber']} already: "
                + ", ".join(f"voucher {one.id} over {one.body.get('amountCurrency')}" for one in found)
                + f"; this one is over {amount_of(goal)}.",
                code="invoice-in-ledger-differs",
                do="See which of them is right. Is it this invoice, link it (--link VOUCHER); else mend what is there"
                " and try again, or cancel this.",
                details={"vouchers": [one.id for one in found], "amount": str(amount_of(goal))},
            )
        return Proof(found[0].id, {"found": True}) if found else Proof("-", {"found": False})

    async def _registered(self, goal: Goal) -> list[Record]:
        """Supplier invoices with the number of this one, of its supplier; number series may begin anew each year."""
        year = dated(goal).year
        rows = await self._client.every(
            "/supplierInvoice",
            invoiceDateFrom=date(year, 1, 1),
            invoiceDateTo=date(year + 1, 1, 1),
            supplierId=supplier_of(goal),
            invoiceNumber=goal.record["invoiceNumber"],
            fields=purchases.SUPPLIER_INVOICE_FIELDS,
        )
        return [
            purchases.supplier_invoice(row) for row in rows if row.get("invoiceNumber") == goal.record["invoiceNumber"]
        ]

    async def _in_reception(self, goal: Goal, known: set[str]) -> list[Record]:
        """Vouchers in the reception whose EHF says that they are this invoice. Raises `Stop` ("perhaps-in-reception")
        for one with this number that does not say whose it is.
        """
        path = "/ledger/voucher/>voucherReception"
        number, own = goal.record["invoiceNumber"], (goal.record.get("supplier") or {}).get("organizationNumber")
        found = []
        for voucher in await self._client.every(path, fields=purchases.VOUCHER_FIELDS):
            if str(voucher["id"]) in known or voucher.get("vendorInvoiceNumber") not in (None, "", number):
                continue
            edi = voucher.get("ediDocument")
            if not edi and voucher.get("vendorInvoiceNumber") != number:
                continue
            said = await self.ehf_of(voucher)
            if said is None:
                if voucher.get("vendorInvoiceNumber") != number:
                    continue
                raise Stop(
                    f"A voucher in the reception ({voucher['id']}: {voucher.get('description')}) has the number"
                    f" {number}; whether it is of the same supplier cannot be read.",
                    code="perhaps-in-reception",
                    do="Register that voucher in Tripletex, then try again: it is compared with what is registered. Or"
                    " cancel this, where it is the same.",
                    details={"voucher": str(voucher["id"])},
                )
            record = purchases.in_reception(voucher, said)
            ours, theirs = (
                (own, said.organisation_number) if own else (_name(goal), (said.name or "").strip().casefold())
            )
            if ours == theirs and said.number == number and _same_kind(record, goal):
                found.append(record)
        return found

    async def ehf_of(self, voucher: Mapping[str, Any]) -> purchases.Said | None:
        """What the EHF of a voucher says, where it has one that can be read."""
        edi = voucher.get("ediDocument")
        if not isinstance(edi, Mapping) or type(edi.get("id")) is not int:
            return None
        content = await self._client.content(f"/document/{edi['id']}/content")
        return purchases.said_in(content) if content else None

    async def read(self, voucher: str) -> Record | None:
        """An incoming invoice by its voucher: from the register, else as it lies in the reception."""
        rows = await self._client.every(
            "/supplierInvoice",
            invoiceDateFrom=date(2000, 1, 1),
            invoiceDateTo=date(2100, 1, 1),
            voucherId=voucher,
            fields=purchases.SUPPLIER_INVOICE_FIELDS,
        )
        for row in rows:
            if str((row.get("voucher") or {}).get("id")) == voucher:
                return purchases.supplier_invoice(row)
        try:
            there = await self._client.get(f"/ledger/voucher/{voucher}", fields=purchases.VOUCHER_FIELDS)
        except Refused as exc:
            if exc.code != "vendor-not-found":
                raise
            return None
        return purchases.in_reception(there, await self.ehf_of(there))


def _name(goal: Goal) -> str:
    return str(goal.record["supplier"].get("name") or "").strip().casefold()


def _same_kind(record: Record, goal: Goal) -> bool:
    return bool(record.body.get("isCreditNote")) == bool(goal.record.get("isCreditNote"))


def amount_of(goal: Goal) -> Decimal:
    """What is to be paid, as the invoice states it."""
    return Decimal(goal.record.get("amountCurrency") or 0)


def dated(goal: Goal) -> date:
    """The invoice's date."""
    day = day_of(goal.record["invoiceDate"])
    assert day is not None
    return day


def supplier_of(goal: Goal) -> int:
    """Tripletex' id of the supplier. Raises `Refused` ("link-missing")."""
    return number_of(goal.record["supplier"]["id"], "supplier.id")
