"""Tripletex' own tables, whose ids differ from company to company: what a person knows, turned into an id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.accounting.tripletex.client import Client
from adapters.accounting.tripletex.records import not_as_described
from connector.errors import Stop
from connector.http import now

FRESH = 3600.0
"""Seconds that a table is believed."""

Rows = list[dict[str, Any]]


class Lookups:
    """The tables of one company, read when they are first needed and again after an hour."""

    def __init__(self, client: Client, payment_type: str | None) -> None:
        self._client = client
        self._payment_type = payment_type
        self._tables: dict[str, tuple[float, Rows]] = {}
        self._lock = asyncio.Lock()

    async def vat_type(self, number: str, day: date, *, purchase: bool = False) -> int:
        """Id of the VAT type for sales (or purchases) with this code, legal for this company on this day.

        Raises `Stop`: "vat-code-unknown", or "vat-code-ambiguous" where several VAT types have the code.
        """
        id: int = (await self._vat_type(number, day, purchase=purchase))["id"]
        return id

    async def vat_percent(self, number: str, day: date) -> Decimal:
        """Rate in per cent of the VAT type for sales with this code. Raises as `vat_type`."""
        percent = (await self._vat_type(number, day)).get("percentage")
        if not isinstance(percent, int | Decimal) or isinstance(percent, bool):
            raise not_as_described("vatType.percentage", "a number")
        return Decimal(percent)

    async def _vat_type(self, number: str, day: date, *, purchase: bool = False) -> dict[str, Any]:
        side, what = ("INCOMING", "purchases") if purchase else ("OUTGOING", "sales")
        rows = await self._table(
            f"vat {side} {day}",
            lambda: self._client.every(
                "/ledger/vatType", typeOfVat=side, vatDate=day, fields="id,number,name,percentage"
            ),
        )
        found = [row for row in rows if row.get("number") == number]
        if not found:
            legal = sorted({str(row.get("number")) for row in rows})
            raise Stop(
                f"VAT code {number} cannot be used for {what} in this company on {day}.",
                code="vat-code-unknown",
                do="Mend the VAT table of the mapping, or see that the company is in the VAT register.",
                where={"field": "vatType", "vat_code": number, "date": day.isoformat()},
                details={"legal": legal},
            )
        self._one(found, "vat-code-ambiguous", f"VAT code {number}")
        return found[0]

    async def currency(self, code: str) -> int:
        """Id of a currency by ISO 4217. Raises `Stop` ("currency-unknown")."""
        rows = await self._table(
            f"currency {code}", lambda: self._client.every("/currency", code=code, fields="id,code")
        )
        return self._exactly(rows, "code", code, "currency")

    async def country(self, code: str) -> int:
        """Id of a country by ISO 3166-1 alpha-2. Raises `Stop` ("country-unknown")."""
        rows = await self._table(
            f"country {code}", lambda: self._client.every("/country", code=code, fields="id,isoAlpha2Code")
        )
        return self._exactly(rows, "isoAlpha2Code", code, "country")

    async def unit(self, code: str) -> int:
        """Id of the product unit with this code of UN/ECE recommendation 20. Raises `Stop` ("unit-unknown")."""
        rows = await self._table(
            f"unit {code}", lambda: self._client.every("/product/unit", commonCode=code, fields="id,commonCode")
        )
        return self._exactly(rows, "commonCode", code, "unit")

    async def employee(self, wanted: str | None) -> int:
        """Id of an employee by number or e-mail address; None: the one whose key it is. Raises `Stop`."""
        if wanted is None:
            path = "/token/session/>whoAmI"
            body = (await self._client.call("GET", path, params={"fields": "companyId,employeeId"})).json()
            id = (body.get("value") or {}).get("employeeId") if isinstance(body, dict) else None
            if not isinstance(id, int):
                raise Stop(
                    "Tripletex does not say whose key this is.",
                    code="employee-unknown",
                    do="Name who leads new projects: `project_manager` in the connection's settings.",
                )
            return id
        field = "email" if "@" in wanted else "employeeNumber"
        rows = await self._table(
            f"employee {wanted}",
            lambda: self._client.every("/employee", fields=f"id,{field}", **{field: wanted}),
        )
        return self._exactly(rows, field, wanted, "employee")

    async def dimension_index(self, name: str) -> int:
        """Which of the company's free dimensions (1 to 3) has this name. Raises `Stop` ("dimension-unknown")."""
        rows = await self._dimensions()
        found = [row for row in rows if row.get("dimensionName") == name]
        if not found:
            known = ", ".join(str(row.get("dimensionName")) for row in rows) or "none"
            raise Stop(
                f"Tripletex has no dimension called {name}.",
                code="dimension-unknown",
                do=f"Make it in Tripletex (three at most), or mend its name; there is: {known}.",
                where={"field": "dimension", "dimension": name},
            )
        self._one(found, "dimension-ambiguous", f"dimension {name}")
        index: int = found[0]["dimensionIndex"]
        return index

    async def dimension_name(self, index: Any) -> str:
        """The name of a free dimension by its index."""
        rows = await self._dimensions()
        return next((str(row["dimensionName"]) for row in rows if row.get("dimensionIndex") == index), f"#{index}")

    async def dimension_value(self, name: str, number: str) -> tuple[int, int]:
        """Which of the free dimensions has this name, and the id of its value of this number (its name, where it has
        none). Raises `Stop`: "dimension-unknown", "dimension-value-unknown", "dimension-inactive".
        """
        index = await self.dimension_index(name)
        for _ in range(2):
            rows = await self._table(f"dimension {index}", lambda: self._values(index))
            found = [row for row in rows if str(row.get("number") or row.get("displayName")) == number]
            if any(row.get("active") is not False for row in found):
                break
            self._tables.pop(f"dimension {index}", None)  # it may have been made or opened since
        where = {"field": "dimensions.free", "dimension": name, "code": number}
        if not found:
            raise Stop(
                f"The dimension {name} in Tripletex has no value {number}.",
                code="dimension-value-unknown",
                do="Make it in Tripletex, or mend the document; then retry.",
                where=where,
            )
        self._one(found, "dimension-ambiguous", f"value {number} of the dimension {name}")
        if found[0].get("active") is False:
            raise Stop(
                f"The value {number} of the dimension {name} is closed in Tripletex.",
                code="dimension-inactive",
                do="Make it active in Tripletex and retry, or use another.",
                where=where,
            )
        return index, found[0]["id"]

    async def _values(self, index: int) -> Rows:
        path = "/ledger/accountingDimensionValue/search"
        return await self._client.every(path, dimensionIndex=index, fields="id,displayName,number,active")

    async def _dimensions(self) -> Rows:
        path = "/ledger/accountingDimensionName/search"
        return await self._table(
            "dimensions", lambda: self._client.every(path, fields="id,dimensionName,dimensionIndex")
        )

    async def payment_type(self, wanted: Mapping[str, Any] | None) -> int:
        """Id of the payment type by description or debited account; without either, the one of the settings.

        Raises `Stop`: "payment-type-missing", "payment-type-unknown", "payment-type-ambiguous".
        """
        id: int = (await self._payment_types(wanted))["id"]
        return id

    async def payment_type_in(self, wanted: Mapping[str, Any] | None, currency: str) -> int:
        """Id of the payment type, whose account must be in this currency. Raises as `payment_type`, and `Stop`
        ("account-currency-differs").
        """
        row = await self._payment_types(wanted)
        _in_currency(row, currency)
        id: int = row["id"]
        return id

    async def has_bank_account_number(self) -> bool:
        """Whether the account that invoices ask to be paid on has a bank account number; read now. True where Tripletex
        does not show it.
        """
        rows = await self._client.every(
            "/ledger/account", isBankAccount=True, fields="id,number,isInvoiceAccount,bankAccountNumber"
        )
        asked = [row for row in rows if row.get("isInvoiceAccount")]
        return not asked or any(row.get("bankAccountNumber") for row in asked)

    async def account(self, number: int | str) -> int:
        """Id of an account by its number. Raises `Stop` ("account-unknown", "account-inactive")."""
        id: int = (await self._account(number))["id"]
        return id

    async def account_with(self, number: int | str, has: Collection[str]) -> int:
        """Id of an account that is booked on with these of `department` and `project`.

        Raises as `account`, and `Stop` ("department-missing", "project-missing") where the account demands more.
        """
        row = await self._account(number)
        for demand, what in (("requiresDepartment", "department"), ("requiresProject", "project")):
            if row.get(demand) and what not in has:
                self._tables.pop(f"account {number}", None)  # it may be changed before the next try
                raise Stop(
                    f"Account {number} in Tripletex demands a {what}, and what is booked on it says none.",
                    code=f"{what}-missing",
                    do=f"Say the {what} on every line, or on the whole document; or name an account in the mapping that"
                    " demands none.",
                    where={"account": str(number), "field": f"dimensions.{what}"},
                )
        id: int = row["id"]
        return id

    async def _account(self, number: int | str) -> dict[str, Any]:
        rows = await self._table(
            f"account {number}",
            lambda: self._client.every(
                "/ledger/account", number=number, fields="id,number,isInactive,requiresDepartment,requiresProject"
            ),
        )
        found = [row for row in rows if str(row.get("number")) == str(number)]
        there = [row for row in found if not row.get("isInactive")]
        if not there:
            raise Stop(
                f"Account {number} {'is inactive' if found else 'is not in the chart of accounts'} in Tripletex.",
                code="account-inactive" if found else "account-unknown",
                do="Name the right account in the mapping, or open it in Tripletex.",
                where={"account": str(number)},
            )
        self._one(there, "account-ambiguous", f"account {number}")
        return there[0]

    async def rate(self, code: str, day: date) -> Decimal:
        """Kroner for one unit of a currency: the ledger's own rate of a day, as it is now."""
        id = await self.currency(code)
        factor = (await self._client.get(f"/currency/{id}", fields="id,factor")).get("factor") or 1
        row = await self._client.get(f"/currency/{id}/rate", date=day, fields="id,rate")
        rate = row.get("rate")
        if not isinstance(rate, int | Decimal) or isinstance(rate, bool) or rate <= 0:
            raise Stop(
                f"Tripletex has no rate of {code} on {day}.", code="rate-unknown", do="See the rates in Tripletex."
            )
        return Decimal(rate) / factor

    async def payment_account(self, wanted: Mapping[str, Any] | None, currency: str = "NOK") -> int:
        """Id of the account that a payment type debits, which must be in this currency. Raises as `payment_type_in`."""
        row = await self._payment_types(wanted)
        _in_currency(row, currency)
        account = row.get("debitAccount")
        if not isinstance(account, Mapping) or not isinstance(account.get("id"), int):
            raise Stop(
                "The payment type names no account.",
                code="payment-type-unknown",
                do="Name a payment type that debits a bank account.",
            )
        id: int = account["id"]
        return id

    async def customer_account(self) -> int:
        """Id of the account of customers, the lowest where there are several. Raises `Stop` ("account-unknown")."""
        return min(await self._customer_accounts())[1]

    async def customer_range(self) -> tuple[int, int]:
        """The lowest and highest number of an account of customers. Raises `Stop` ("account-unknown")."""
        numbers = [number for number, _ in await self._customer_accounts()]
        return min(numbers), max(numbers)

    async def _customer_accounts(self) -> list[tuple[int, int]]:
        rows = await self._table(
            "customer accounts",
            lambda: self._client.every("/ledger/account", ledgerType="CUSTOMER", fields="id,number,isInactive"),
        )
        found = [(row["number"], row["id"]) for row in rows if not row.get("isInactive")]
        if not found:
            raise Stop(
                "Tripletex shows no account for customers.", code="account-unknown", do="See the chart of accounts."
            )
        return found

    async def _payment_types(self, wanted: Mapping[str, Any] | None) -> dict[str, Any]:
        rows = await self._table(
            "payment types",
            lambda: self._client.every(
                "/invoice/paymentType", fields="id,description,currencyCode,debitAccount(id,number)"
            ),
        )
        text = str((wanted or {}).get("description") or "")
        account = str(((wanted or {}).get("debitAccount") or {}).get("number") or "")
        if not text and not account:
            said = self._payment_type or ""
            text, account = ("", said) if said.isdigit() else (said, "")
        there = {"payment_types": [{"description": row.get("description"), "account": _account(row)} for row in rows]}
        do = "Name the payment type in the mapping, or as `payment_type` in the connection's settings."
        if not text and not account:
            raise Stop("No payment type is named for this payment.", code="payment-type-missing", do=do, details=there)
        found = [
            row
            for row in rows
            if (not text or str(row.get("description", "")).casefold() == text.casefold())
            and (not account or _account(row) == account)
        ]
        name = f"payment type {text or account}"
        if not found:
            raise Stop(f"Tripletex has no {name}.", code="payment-type-unknown", do=do, details=there)
        self._one(found, "payment-type-ambiguous", name)
        return found[0]

    async def _table(self, name: str, read: Callable[[], Awaitable[Rows]]) -> Rows:
        known = self._tables.get(name)
        if known is None or known[0] < now():
            async with self._lock:
                known = self._tables.get(name)
                if known is None or known[0] < now():
                    if len(self._tables) > 500:
                        self._tables.clear()
                    known = self._tables[name] = (now() + FRESH, await read())
        return known[1]

    def _exactly(self, rows: Rows, field: str, code: str | int, what: str) -> int:
        found = [row for row in rows if row.get(field) == code]
        if not found:
            raise Stop(
                f"Tripletex has no {what} {code} for this company.",
                code=f"{what}-unknown",
                do=f"Switch the {what} on in Tripletex, or mend the document.",
                where={"field": what},
            )
        return self._one(found, f"{what}-ambiguous", f"{what} {code}")

    def _one(self, found: Rows, code: str, name: str) -> int:
        if len(found) > 1:
            raise Stop(
                f"Tripletex has {len(found)} entries for {name}.",
                code=code,
                do="Leave one of them active in Tripletex, or name the one that is meant in the mapping.",
                details={"ids": [row["id"] for row in found]},
            )
        id: int = found[0]["id"]
        return id


def _in_currency(row: Mapping[str, Any], currency: str) -> None:
    there = row.get("currencyCode")
    if there is None or there == currency:
        return
    raise Stop(
        f"The payment type {row.get('description')} debits an account in {there}; the payment says what came in"
        f" {currency}.",
        code="account-currency-differs",
        do=f"Say in `account_amount` and `account_currency` how many {there} came to the account; or name a payment"
        f" type in {currency}.",
        where={"field": "account_currency"},
        details={"account": there, "payment": currency},
    )


def _account(row: Mapping[str, Any]) -> str:
    account = row.get("debitAccount")
    return str(account.get("number", "")) if isinstance(account, Mapping) else ""
