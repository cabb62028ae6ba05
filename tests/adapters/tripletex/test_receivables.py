"""What customers owe: the balance sheet's customer accounts against the open rows on them."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

from adapters.accounting.tripletex.sandbox import Sandbox
from adapters.accounting.tripletex.sandbox.things import Link

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import customer_goal, invoice_goal, opened, payment_goal, reach


async def test_the_account_its_open_rows_and_what_names_nobody(box: Sandbox) -> None:
    system = opened(box)
    try:
        customer = (await reach(system, customer_goal()))["read"].id
        invoice = (await reach(system, invoice_goal(customer)))["read"].id
        gross = box.books.things["invoice"][int(invoice)]["amountCurrency"]
        await reach(system, payment_goal(invoice, "1000.00"))
        owed = await system.receivables()
        assert owed is not None
        assert (owed.account, dict(owed.open), owed.loose) == (gross - 1000, {customer: gross - 1000}, 0)
        # A row on the account that names no customer, as an opening balance makes it.
        account, other = box.books.account(1500), box.books.account(1920)
        rows = [
            {
                "account": of,
                "amount": Decimal(amount),
                "amountCurrency": Decimal(amount),
                "currency": Link("currency", 1),
            }
            for of, amount in ((account, 50), (other, -50))
        ]
        box.books.book(date(2027, 2, 1), "Åpningsbalanse", rows)
        owed = await system.receivables()
        assert owed is not None
        assert (owed.account, sum(owed.open.values()), owed.loose) == (gross - 950, gross - 1000, 50)
        # A key that may not read the ledger tells nothing, and that is no zero.
        box.shrink("ledger")
        assert await system.receivables() is None
    finally:
        await system.close()
