"""Calls on balances and on what is open: paths and parameters as in Visma's OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from adapters.accounting.visma_net.sandbox import lists
from adapters.accounting.visma_net.sandbox.asking import SandboxError
from adapters.accounting.visma_net.sandbox.books import Books
from adapters.accounting.visma_net.sandbox.routing import Call, Reply, route
from adapters.accounting.visma_net.sandbox.store import OSLO, Row, wall_time

_SHOWN = (
    "documentType", "referenceNumber", "customer", "status", "documentDate", "financialPeriod", "currencyId", "amount",
    "amountInCurrency", "balance", "balanceInCurrency", "lastModifiedDateTime", "createdDateTime",
)  # fmt: skip
"""What a list of all kinds of documents tells of each."""
_TABLES = {"Invoice": "invoice", "CreditNote": "creditnote", "Payment": "payment", "VoidPayment": "payment"}


@route("GET", "/v1/customerdocument")
def documents(call: Call) -> Reply:
    """A page of invoices and credit notes, without their lines."""
    rows = [*call.books.all("invoice"), *call.books.all("creditnote")]
    found = lists.equal(
        rows, call.query, status=lambda row: row["status"], customer=lambda row: row["customer"]["number"],
        documentType=lambda row: row["documentType"],
    )  # fmt: skip
    return call.page({name: row[name] for name in _SHOWN} for row in found)


@route("GET", "/v2/generalLedgerBalance")
def balances(call: Call) -> Reply:
    """A page of the balances of accounts by period; a period without movements has none. The period or a time of change
    must be said.
    """
    period, account = call.query.get("periodId"), call.query.get("account")
    if not period and not call.query.get("lastModifiedDateTime"):
        raise SandboxError(400, "PeriodId or LastModifiedDateTime is mandatory.")
    rows = [row for row in _balances(call.books) if period in (None, row["financialPeriod"])]
    found = [row for row in rows if account in (None, row["account"]["number"])]
    return Reply(200, lists.page(found, call.query, call.books.rules.most))


def _balances(books: Books) -> list[Row]:
    moved: dict[tuple[str, str], list[Decimal]] = {}
    for document, account, amount in books.entries:
        moved.setdefault((account, _period(books, document)), []).append(amount)
    rows: list[Row] = []
    standing: dict[str, Decimal] = {}
    for (account, period), amounts in sorted(moved.items()):
        before = standing.get(account, Decimal(0))
        standing[account] = before + sum(amounts, Decimal(0))
        there = books.tables["account"][account]
        rows.append({
            "branch": {"number": "1", "name": "Oslo"}, "ledger": {"id": "1", "description": "Hovedbok"},
            "balanceType": "Actual", "financialPeriod": period,
            "account": {"number": account, "description": there["description"], "type": there["type"]},
            "subaccountId": "1", "currencyId": "NOK",
            "periodToDateDebit": sum((amount for amount in amounts if amount > 0), Decimal(0)),
            "periodToDateCredit": -sum((amount for amount in amounts if amount < 0), Decimal(0)),
            "beginningBalance": before, "yearToDateBalance": standing[account], "lastModifiedDateTime": wall_time(),
        })  # fmt: skip
    return rows


def _period(books: Books, document: str) -> str:
    """The month, YYYYMM, that something was posted in."""
    type, _, number = document.partition(" ")
    table = _TABLES.get(type, "")
    row = books.tables.get(table, {}).get(f"{type}/{number}" if table == "payment" else number)
    if row is None:
        return f"{datetime.now(OSLO):%Y%m}"
    return str(row.get("financialPeriod") or row["applicationDate"][:7].replace("-", ""))
