"""What one company's Tripletex takes now (`connector.options`), read with the key's own rights.

A list that is refused, or that no company can have empty (accounts, VAT types: without the right Tripletex shows an
empty one), is unknown. VAT types are those that are legal for this company today.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from adapters.accounting.tripletex.client import OSLO, Client
from adapters.accounting.tripletex.companies import Companies
from adapters.accounting.tripletex.periods import Periods
from adapters.accounting.tripletex.registers import REGISTERS, Register
from adapters.accounting.tripletex.rights import UNREADABLE
from adapters.accounting.tripletex.wire import Wire
from connector.errors import NeedsPerson, Refused
from connector.options import Choice, DimensionOptions, Option, Options
from connector.ports import Kind

BACK, AHEAD = timedelta(days=3 * 366), timedelta(days=366)
"""How far around today periods are read."""


class AccountRow(Wire):
    """`Account`: what is asked of the chart of accounts."""

    number: int
    name: str | None = None
    isInactive: bool | None = None
    isInvoiceAccount: bool | None = None
    bankAccountNumber: str | None = None
    requiresDepartment: bool | None = None
    requiresProject: bool | None = None


class VatTypeRow(Wire):
    """`VatType`."""

    number: str
    name: str | None = None
    percentage: Decimal | None = None


class PaymentAccount(Wire):
    """The account that a payment type debits."""

    number: int | None = None


class PaymentTypeRow(Wire):
    """`PaymentType`."""

    description: str
    currencyCode: str | None = None
    debitAccount: PaymentAccount | None = None


class CurrencyRow(Wire):
    """`Currency`."""

    code: str
    description: str | None = None
    isDisabled: bool | None = None


class DimensionNameRow(Wire):
    """`AccountingDimensionName`."""

    dimensionName: str
    dimensionIndex: int
    active: bool | None = None


class VatSettings(Wire):
    """`VatSettings`."""

    vatRegistrationStatus: str | None = None
    """VAT_NOT_REGISTERED, VAT_APPLICANT, VAT_REGISTERED or VAT_COMPENSATION."""


ROWS: Mapping[str, type[Wire]] = {
    "/ledger/account": AccountRow,
    "/ledger/vatType": VatTypeRow,
    "/invoice/paymentType": PaymentTypeRow,
    "/currency": CurrencyRow,
    "/ledger/accountingDimensionName/search": DimensionNameRow,
    "/ledger/vatSettings": VatSettings,
}
"""What is read of which list."""
_WITHOUT_VAT = ("VAT_NOT_REGISTERED", "VAT_APPLICANT")


class Choices:
    """Reads the options of one company."""

    def __init__(self, client: Client, companies: Companies, periods: Periods) -> None:
        self._client = client
        self._companies = companies
        self._periods = periods
        self._unknown: list[str] = []

    async def read(self) -> Options:
        """All of it, by some twenty calls. Raises `NeedsPerson` ("sign-in", "company-unclear"), `TryLater`."""
        self._unknown = []
        today = datetime.now(OSLO).date()
        probe = await self._companies.probe()
        accounts = await self._rows("/ledger/account", "Accounts (Kontoplan)")
        lists = {
            Choice.ACCOUNT: [_account(row) for row in accounts],
            Choice.VAT_CODE: await self._vat("OUTGOING", "VAT types of sales (Mva-koder)", today),
            Choice.PURCHASE_VAT_CODE: await self._vat("INCOMING", "VAT types of purchases (Mva-koder)", today),
            Choice.PAYMENT_TYPE: [
                _payment_type(row) for row in await self._rows("/invoice/paymentType", "Payment types (Betalingstyper)")
            ],
            Choice.CURRENCY: [
                Option(code=row.code, name=row.description or "", active=not row.isDisabled)
                for row in await self._rows("/currency", "Currencies (Valuta)")
            ],
        }
        asked = [row for row in accounts if row.isInvoiceAccount]
        return Options(
            lists={choice.value: tuple(found) for choice, found in lists.items() if found},
            dimensions=await self._dimensions(),
            closed=await self._periods.closed(today - BACK, today + AHEAD),
            vat_registered=await self._registered(),
            bank_account=any(row.bankAccountNumber for row in asked) if asked else None,
            missing=tuple(right for right in probe.missing if right != UNREADABLE),
            unknown=(*(right for right in probe.missing if right == UNREADABLE), *self._unknown),
        )

    async def _rows(self, path: str, what: str, *, empty: bool = False, **asked: Any) -> list[Any]:
        """All rows of a list; none, and unknown, where it may not be read, lacks fields, or is empty and cannot be."""
        model = ROWS[path]
        try:
            rows = [
                model.model_validate(row) for row in await self._client.every(path, fields=fields_of(model), **asked)
            ]
        except (NeedsPerson, Refused) as exc:
            if exc.code == "sign-in":
                raise
            self._unknown.append(what)
            return []
        except ValidationError:  # what the key may not see is left out of rows, too
            self._unknown.append(what)
            return []
        if not rows and not empty:
            self._unknown.append(what)
        return rows

    async def _vat(self, side: str, what: str, day: date) -> list[Option]:
        rows = await self._rows("/ledger/vatType", what, typeOfVat=side, vatDate=day)
        return [Option(code=row.number, name=row.name or "", rate=row.percentage) for row in rows]

    async def _registered(self) -> bool | None:
        path = "/ledger/vatSettings"
        try:
            said = await self._client.get(path, fields=fields_of(VatSettings))
        except (NeedsPerson, Refused) as exc:
            if exc.code == "sign-in":
                raise
            return None
        status = VatSettings.model_validate(said).vatRegistrationStatus
        return None if status is None else status not in _WITHOUT_VAT

    async def _dimensions(self) -> tuple[DimensionOptions, ...]:
        found = []
        for kind in (Kind.DEPARTMENT, Kind.PROJECT):
            values = await self._values(REGISTERS[kind])
            if values is None:
                self._unknown.append(
                    {"department": "Departments (Avdelinger)", "project": "Projects (Prosjekter)"}[kind]
                )
            else:
                found.append(DimensionOptions(kind=kind.value, values=values))
        names = await self._rows("/ledger/accountingDimensionName/search", "Free dimensions (Dimensjoner)", empty=True)
        for name in names:
            values = await self._values(REGISTERS[Kind.DIMENSION], dimensionIndex=name.dimensionIndex)
            if values is not None and name.active is not False:
                found.append(DimensionOptions(kind=Kind.DIMENSION.value, name=name.dimensionName, values=values))
        return tuple(found)

    async def _values(self, register: Register, **asked: Any) -> tuple[Option, ...] | None:
        """A register's records by number, or by name where they have none; None where it may not be read."""
        fields = values_of(register)
        try:
            rows = await self._client.every(register.list, fields=fields, **asked)
        except (NeedsPerson, Refused) as exc:
            if exc.code == "sign-in":
                raise
            return None
        return tuple(
            Option(code=str(code), name=str(row.get(register.name) or ""), active=not register.closed(row))
            for row in rows
            if (code := row.get(register.number) or row.get(register.name))
        )


def fields_of(model: type[Wire]) -> str:
    """What is asked for of a row."""
    names = [name for name in model.model_fields if name != "debitAccount"]
    return ",".join(["id", *names, *(["debitAccount(number)"] if "debitAccount" in model.model_fields else [])])


def values_of(register: Register) -> str:
    """What is asked for of a register's record."""
    return f"id,{register.number},{register.name},{register.inactive[0]}"


def _account(row: AccountRow) -> Option:
    requires = (("department", row.requiresDepartment), ("project", row.requiresProject))
    return Option(
        code=str(row.number),
        name=row.name or "",
        active=not row.isInactive,
        requires=tuple(kind for kind, wanted in requires if wanted),
    )


def _payment_type(row: PaymentTypeRow) -> Option:
    number = row.debitAccount.number if row.debitAccount else None
    also = () if number is None else (str(number),)
    return Option(code=row.description, also=also, currency=row.currencyCode)
