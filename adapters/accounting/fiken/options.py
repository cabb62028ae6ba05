"""What one company's Fiken takes now (`connector.options`). Closed periods and currencies cannot be read: unknown."""

from __future__ import annotations

from adapters.accounting.fiken.client import Client
from adapters.accounting.fiken.companies import Companies
from adapters.accounting.fiken.lookups import Lookups
from adapters.accounting.fiken.vat import PURCHASES, SALES
from connector.options import Choice, DimensionOptions, Option, Options


class Choices:
    """Reads the options of one company."""

    def __init__(self, client: Client, companies: Companies, lookups: Lookups) -> None:
        self._client = client
        self._companies = companies
        self._lookups = lookups

    async def read(self) -> Options:
        """All of it. Raises `NeedsPerson` ("sign-in", "access-lost", "company-unclear"), `TryLater`."""
        company = await self._companies.row()
        self._lookups.forget()
        accounts, banks = await self._lookups.accounts(), await self._lookups.bank_accounts()
        projects = await self._client.every("/projects", "projectId")
        registered = None if company.get("vatType") is None else company["vatType"] != "no"
        return Options(
            lists={
                **{
                    choice: tuple(
                        Option(code=code, name=name, rate=rate)
                        for code, (name, rate) in codes.items()
                        if registered is not False or not rate
                    )
                    for choice, codes in ((Choice.VAT_CODE, SALES), (Choice.PURCHASE_VAT_CODE, PURCHASES))
                },
                Choice.ACCOUNT: tuple(
                    Option(code=str(row["code"]), name=str(row.get("name") or "")) for row in accounts
                ),
                Choice.PAYMENT_TYPE: tuple(
                    Option(
                        code=str(row["accountCode"]),
                        name=str(row.get("name") or ""),
                        also=(str(row["bankAccountNumber"]),) if row.get("bankAccountNumber") else (),
                    )
                    for row in banks
                ),
            },
            dimensions=(
                DimensionOptions(
                    kind="project",
                    values=tuple(
                        Option(
                            code=str(row.get("number") or row["projectId"]),
                            name=str(row.get("name") or ""),
                            active=not row.get("completed"),
                        )
                        for row in projects
                    ),
                ),
            ),
            vat_registered=registered,
            bank_account=any(row.get("bankAccountNumber") for row in banks),
            missing=() if company.get("hasApiAccess") is not False else ("The API module.",),
            unknown=("closed periods", "currencies"),
        )
