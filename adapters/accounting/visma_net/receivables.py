"""What customers owe by Visma Net: the balance of their accounts in the ledger, and the open documents on them.

The two come from different places, and that is what makes one a control of the other: the general ledger's balances,
and the balance of each open invoice, credit note and payment. Amounts in other currencies than the company's have names
that Visma Net describes in two ways: with such a document open, nothing is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import Client
from adapters.accounting.visma_net.parties import Parties
from connector.errors import NeedsPerson, Refused
from connector.ports import Receivables

Row = Mapping[str, Any]

CUSTOMERS = "AR"
"""Module that controls the accounts of customers."""
DOCUMENTS, PAYMENTS, BALANCES = "/v1/customerdocument", "/v1/customerPayment", "/v2/generalLedgerBalance"
SIGNS = {"Invoice": 1, "DebitNote": 1, "FinCharge": 1, "CreditNote": -1, "Payment": -1, "Prepayment": -1, "Refund": 1}
"""Whether an open document of a type raises or lowers what a customer owes."""


async def receivables(client: Client, parties: Parties, accounts: Collection[str]) -> Receivables | None:
    """Both figures as they stand now. `accounts`: of customers; none: those that the customer ledger controls.

    None where our client may not read them, no account is known, or something open is in another currency.
    """
    try:
        numbers = accounts or [
            records.text(row, "accountCD", "/v1/account")
            for row in await client.listed("/v1/account")
            if row.get("controlAccountModule") == CUSTOMERS
        ]
        if not numbers:
            return None
        base = {row.get("id") for row in await client.listed("/v1/currency") if row.get("isBaseCurrency") is True}
        balance = sum([await _balance(client, number) for number in numbers], Decimal(0))
        documents = await client.every(DOCUMENTS, status="Open")
        payments = await client.every(PAYMENTS, status="Open")
    except (NeedsPerson, Refused) as exc:
        if exc.code not in ("right-missing", "vendor-not-found"):
            raise
        return None
    # Whether the list of documents has payments, too, is not told: they are taken from their own.
    rows = [
        *((row, "documentType", "balance", "currencyId") for row in documents if row.get("documentType") not in _MONEY),
        *((row, "type", "availableBalance", "currency") for row in payments),
    ]
    if any(row.get(currency, "") not in base for row, _, _, currency in rows):
        return None
    open: dict[str, Decimal] = {}
    for row, type, amount, _ in rows:
        sign = SIGNS.get(str(row.get(type)))
        if sign is not None:
            number = records.customer_number(row, DOCUMENTS)
            open[number] = open.get(number, Decimal(0)) + sign * records.number(row, amount, DOCUMENTS)
    ids = await parties.ids(open)
    return Receivables(balance, {str(ids[number]): amount for number, amount in open.items()})


_MONEY = frozenset({"Payment", "Prepayment", "Refund", "VoidPayment"})


async def _balance(client: Client, account: str) -> Decimal:
    """What stands on an account: of each of its parts the balance at the end of the last period that it has.

    All periods are asked for: whether one without movements is shown is not told.
    """
    rows = await client.every(BALANCES, account=account, lastModifiedDateTime="1990-01-01 00:00:00")
    last: dict[Sequence[Any], Row] = {}
    for row in rows:
        if row.get("balanceType") != "Actual":
            continue
        part = [(row.get(name) or {}).get(at) for name, at in (("branch", "number"), ("ledger", "id"))]
        key = (*part, row.get("subaccountId"), row.get("currencyId"))
        period = records.text(row, "financialPeriod", BALANCES)
        if key not in last or str(last[key]["financialPeriod"]) < period:
            last[key] = row
    return sum((records.number(row, "yearToDateBalance", BALANCES) for row in last.values()), Decimal(0))
