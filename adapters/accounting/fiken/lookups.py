"""What the adapter looks up in a company: its bank accounts, and which accounts can be booked on.

Kept for some minutes: they change seldom, and each look is a call of those that come one at a time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from adapters.accounting.fiken.client import Client, Row
from connector.errors import Stop
from connector.http import now

FRESH = 300.0
"""Seconds that a list is believed."""


class Lookups:
    """Lists of one company.

    Args:
        payment_account: code or number of the bank account for money that names none.
        invoice_account: code or number of the one that invoices ask to be paid to.
    """

    def __init__(self, client: Client, payment_account: str | None, invoice_account: str | None) -> None:
        self._client = client
        self._payment_account = payment_account
        self._invoice_account = invoice_account
        self._kept: dict[str, tuple[float, list[Row]]] = {}

    def forget(self) -> None:
        """Read anew what is asked for next."""
        self._kept.clear()

    async def accounts(self) -> list[Row]:
        """The chart of accounts as it can be booked on."""
        return await self._list("accounts", lambda: self._client.every("/accounts", "code"))

    async def bank_accounts(self) -> list[Row]:
        """Active bank accounts."""
        return [row for row in await self._banks() if not row.get("inactive")]

    async def open_account(self, code: str, field: str) -> None:
        """Raises `Stop` ("account-unknown") unless an account can be booked on."""
        for again in (True, False):
            if code in [str(row.get("code")) for row in await self.accounts()]:
                return
            if again:
                self._kept.pop("accounts", None)  # it may have been switched on since
        raise Stop(
            f"Account {code} is not in the chart of accounts in Fiken, or is not switched on this year.",
            code="account-unknown",
            do="Switch it on in Fiken (Kontoplan), or name another (table income-account of the mapping; of purchases"
            " `incoming_account` in the settings); then retry.",
            where={"field": field, "account": code},
        )

    async def payment_code(self, code: str | None, number: str | None) -> str:
        """The code of the account that money came to: as said, by its number, by the settings, or the only one.

        Raises `Stop`: "bank-account-unknown", "payment-account-missing".
        """
        rows = await self.bank_accounts()
        wanted = code or number or self._payment_account
        if wanted is None:
            normal = [row for row in rows if row.get("type") in (None, "normal")]
            if len(normal) == 1:
                return str(normal[0]["accountCode"])
            raise Stop(
                "Nobody says which account the money came to, and Fiken has several.",
                code="payment-account-missing",
                do="Name it in the payment (bank_account), or as `payment_account` in the connection's settings.",
                details={"accounts": _shown(rows)},
            )
        for row in rows:
            if wanted in (row.get("accountCode"), row.get("bankAccountNumber")):
                return str(row["accountCode"])
        if code is not None:  # money may come to an account that is no bank's, a clearing account for instance
            await self.open_account(code, "account")
            return code
        raise Stop(
            f"Fiken has no active bank account {wanted}.",
            code="bank-account-unknown",
            do="Register the bank account in Fiken, or name one that is there.",
            where={"field": "bank_account"},
            details={"accounts": _shown(rows)},
        )

    async def invoice_number(self) -> str:
        """The bank account number that an invoice asks to be paid to. Raises `Stop` ("bank-account-missing")."""
        rows = [row for row in await self.bank_accounts() if row.get("bankAccountNumber")]
        wanted = self._invoice_account
        normal = [row for row in rows if row.get("type") in (None, "normal")]
        found = [row for row in rows if wanted in (row["bankAccountNumber"], row.get("accountCode"))]
        if not wanted and len(normal) == 1:
            found = normal
        if len(found) == 1:
            return str(found[0]["bankAccountNumber"])
        raise Stop(
            f"Fiken has no active bank account {wanted} with a number."
            if wanted
            else "Nobody says which bank account invoices ask to be paid to, and Fiken has none or several.",
            code="bank-account-missing",
            do="Register it in Fiken (Bank), name it as `invoice_account` in the connection's settings, and retry.",
            details={"accounts": _shown(rows)},
        )

    async def numbers(self) -> dict[str, str]:
        """Numbers of bank accounts by their codes, inactive ones too, where Fiken knows them."""
        rows = await self._banks()
        return {str(row["accountCode"]): row["bankAccountNumber"] for row in rows if row.get("bankAccountNumber")}

    async def _banks(self) -> list[Row]:
        return await self._list("banks", lambda: self._client.every("/bankAccounts", "bankAccountId"))

    async def _list(self, name: str, read: Callable[[], Awaitable[list[Row]]]) -> list[Row]:
        known = self._kept.get(name)
        if known is None or known[0] < now():
            known = self._kept[name] = (now() + FRESH, await read())
        return known[1]


def _shown(rows: list[Row]) -> list[dict[str, Any]]:
    return [{"code": row.get("accountCode"), "number": row.get("bankAccountNumber")} for row in rows]
