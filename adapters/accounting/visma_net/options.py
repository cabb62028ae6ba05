"""What one company's Visma Net takes now (`connector.options`), and whose books these are.

A list that the client may not read is unknown. VAT codes are those with a rate of sales that holds today; which of them
a customer takes depends on its VAT zone, which is not judged here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.accounting.visma_net import records
from adapters.accounting.visma_net.client import Client
from adapters.accounting.visma_net.dimensions import Dimensions
from connector.errors import NeedsPerson, Refused
from connector.options import Choice, ClosedPeriod, DimensionOptions, Option, Options
from connector.ports import Company, Probe

Row = Mapping[str, Any]

NEEDED = (
    "read: whose books these are, customers, items, dimensions, invoices, payments, codes",
    "create: customers, items, invoices, payments",
    "update: customers, items; releasing invoices and payments",
)
"""Rights of our client (scopes vismanet_erp_service_api:…)."""


class Choices:
    """Reads what one company is and takes."""

    def __init__(self, client: Client, dimensions: Dimensions) -> None:
        self._client = client
        self._dimensions = dimensions

    async def company(self) -> Company:
        """Whose books these are. Raises `NeedsPerson` ("company-unclear", "sign-in", "right-missing")."""
        rows = await self._client.listed("/v1/organization")
        if len(rows) != 1:
            raise NeedsPerson(
                f"Visma Net shows {len(rows)} organisations for this tenant.",
                code="company-unclear",
                do="Use the tenant id of one company.",
            )
        (row,) = rows
        number = "".join(filter(str.isdigit, str(row.get("corporateId") or "")))
        return Company(str(row.get("organizationCd") or ""), str(row.get("name") or ""), number or None)

    async def probe(self) -> Probe:
        """Whose books these are, and what cannot be read. Raises `NeedsPerson`."""
        company, missing = await self.company(), []
        for path in ("/v1/customer", "/v1/customerinvoice", "/v1/customerPayment"):
            try:
                await self._client.page(path, 1)
            except NeedsPerson as exc:
                if exc.code != "right-missing":
                    raise
                missing.append(f"{path.rpartition('/')[2]}: {exc.said}")
        return Probe(company.name, company.organisation_number, missing, NEEDED)

    async def read(self) -> Options:
        """All of it, by six calls and one for each dimension. Raises `NeedsPerson` ("sign-in"), `TryLater`."""
        unknown: list[str] = []

        async def listed(path: str) -> list[Row] | None:
            try:
                return list(await self._client.listed(path))
            except (NeedsPerson, Refused) as exc:
                if exc.code not in ("right-missing", "vendor-not-found"):
                    raise
                unknown.append(f"{path.rpartition('/')[2]}: {exc.said}")
                return None

        lists: dict[str, tuple[Option, ...]] = {}
        today = datetime.now(records.OSLO).date()
        if (vats := await listed("/v1/vat")) is not None:
            lists[Choice.VAT_CODE] = tuple(option for row in vats if (option := _vat(row, today, "Output")))
            lists[Choice.PURCHASE_VAT_CODE] = tuple(option for row in vats if (option := _vat(row, today, "Input")))
        if accounts := await listed("/v1/account"):
            lists[Choice.ACCOUNT] = tuple(_account(row) for row in accounts)
        if (cash := await listed("/v1/cashaccount")) is not None:
            lists[Choice.PAYMENT_TYPE] = tuple(_cash(row) for row in cash)
        if (currencies := await listed("/v1/currency")) is not None:
            lists[Choice.CURRENCY] = tuple(
                Option(code=str(row.get("id")), name=str(row.get("description") or ""),
                       active=row.get("isUsedForAccounting") is not False)
                for row in currencies
            )  # fmt: skip
        dimensions: list[DimensionOptions] = []
        for kind in self._dimensions.kinds:
            try:
                dimensions += await self._dimensions.options(kind)
            except (NeedsPerson, Refused) as exc:
                if exc.code not in ("right-missing", "vendor-not-found"):
                    raise
                unknown.append(f"{kind}: {exc.said}")
        periods = await listed("/v1/financialPeriod")
        return Options(
            lists=lists,
            dimensions=tuple(dimensions),
            closed=None if periods is None else tuple(one for row in periods if (one := _closed(row))),
            unknown=tuple(unknown),
        )


def _vat(row: Row, today: date, group: str) -> Option | None:
    """A VAT code of sales (`Output`) or purchases (`Input`) with the rate that holds today."""
    rates = [
        (start.date(), one)
        for one in row.get("schedules") or ()
        if one.get("groupType") == group and (start := records.moment(one.get("startDate"))) and start.date() <= today
    ]
    if not rates:
        return None
    rate = max(rates, key=lambda pair: pair[0])[1].get("vatRate")
    ends = records.moment(row.get("notValidAfter"))
    return Option(
        code=str(row.get("vatId")),
        name=str(row.get("description") or ""),
        active=ends is None or ends.date() >= today,
        rate=Decimal(rate) if isinstance(rate, int | Decimal) else None,
    )


def _account(row: Row) -> Option:
    return Option(
        code=str(row.get("accountCD")), name=str(row.get("description") or ""), active=row.get("active") is not False
    )


def _cash(row: Row) -> Option:
    account = row.get("account") or {}
    return Option(
        code=str(row.get("number")),
        name=str(row.get("description") or ""),
        also=tuple(filter(None, (row.get("description"), account.get("number")))),
        currency=row.get("currency"),
    )


def _closed(row: Row) -> ClosedPeriod | None:
    """A period in which no sale can be booked."""
    start, end = records.moment(row.get("startDate")), records.moment(row.get("endDate"))
    shut = row.get("closedInCustomerLedger") is True or row.get("closedInGeneralLedger") is True
    if start is None or end is None or not (shut or row.get("active") is False):
        return None
    # Whether the end is the last day or the first one after it is not told; periods are months.
    last = end - timedelta(days=1) if end.day == 1 and end > start else end
    return ClosedPeriod(start=start.date(), end=last.date(), name=str(row.get("period") or ""))
