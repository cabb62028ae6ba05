"""Visma Net's sandbox as the kit wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Self

from adapters.accounting.visma_net import plugin
from adapters.accounting.visma_net.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Sandbox
from adapters.accounting.visma_net.sandbox.asking import Said
from adapters.accounting.visma_net.wrapping import wrapped
from connector.ports import AccountingPlugin, Kind
from connector.testing import Bench, Entry, Gone

DAY = date(2027, 2, 1)
SALES = {Kind.INVOICE: "invoice", Kind.EXTERNAL_INVOICE: "invoice", Kind.CREDIT_NOTE: "creditnote"}
DRAFT = ("Hold", "Balanced")


class VismaNetBench(Bench):
    plugin: AccountingPlugin = plugin
    overlap = dict.fromkeys(
        (Kind.CUSTOMER, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT), timedelta(minutes=90)
    )  # wall time, no zone
    page = 100
    gone: Mapping[Kind, Gone] = {Kind.CUSTOMER: "inactive", Kind.PRODUCT: "inactive"}

    async def __aenter__(self) -> Self:
        self.box, self.names = await Sandbox(manual_numbers=True).start(), count()
        self.url = self.box.url
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.box.stop()

    def settings(self, url: str) -> Mapping[str, Any]:
        return {
            "base_url": url, "token_url": f"{url}/connect/token", "tenant_id": TENANT_ID, "cash_account": "1920",
            "payment_method": "1", "own_numbers": True, "incoming": "release", "incoming_account": "4300",
            "item_class": "NONSTOCK", "timeout": 2, "settle": 0.1,
        }  # fmt: skip

    def secrets(self) -> Mapping[str, str]:
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    async def there(self, kind: Kind) -> Sequence[Entry]:
        if kind in SALES:
            return [Entry(row["referenceNumber"], row["amount"]) for row in self._all(SALES[kind])
                    if row["status"] not in DRAFT]  # fmt: skip
        match kind:
            case Kind.CUSTOMER:
                return [Entry(str(row["internalId"])) for row in self._all("customer")]
            case Kind.PRODUCT:
                return [Entry(str(row["inventoryId"])) for row in self._all("inventory")]
            case Kind.SUPPLIER:
                return [Entry(row["number"]) for row in self._all("supplier")]
            case Kind.SUPPLIER_INVOICE:
                return [Entry(f"{row['documentType']}/{row['referenceNumber']}", row["amount"])
                        for row in self._all("purchase")]  # fmt: skip
        return []

    async def owed(self) -> Decimal:
        return sum((amount for _, account, amount in self.box.books.entries if account == "1500"), Decimal(0))

    async def notes(self, kind: Kind, id: str) -> Sequence[str]:
        return [one["name"] for one in self.box.books.tables["invoice"][id].get("attachments", ())]

    async def pay(self, invoice: str, amount: Decimal) -> None:
        left = self.box.books.tables["invoice"][invoice]["balance"]
        self.box.pays((invoice, min(amount, left)), amount=amount, day=DAY)

    async def take_back(self, invoice: str, amount: Decimal) -> None:
        number = next(row["refNbr"] for row in self._all("payment") if row["paymentAmount"] == amount
                      and any(line["refNbr"] == invoice for line in row["paymentLines"]))  # fmt: skip
        self.box.voids(number, day=DAY)

    async def change(self, kind: Kind, id: str) -> None:
        field = "description" if kind is Kind.PRODUCT else "name"
        self.box.books.touch(self._record(kind, id), **{field: f"Navn {next(self.names)} AS"})

    async def remove(self, kind: Kind, id: str) -> None:
        self.box.books.touch(self._record(kind, id), status="Inactive")

    async def fill(self, customers: int) -> None:
        for n in range(customers):
            self.box.books.add_customer(Said(wrapped({"name": f"Eldre kunde {n} AS"})))

    async def age(self, by: timedelta) -> None:
        for table in self.box.books.tables.values():
            for row in table.values():
                was = datetime.fromisoformat(row["lastModifiedDateTime"])
                row["lastModifiedDateTime"] = (was - by).isoformat(timespec="milliseconds")

    def _all(self, table: str) -> list[Any]:
        return list(self.box.books.tables.get(table, {}).values())

    def _record(self, kind: Kind, id: str) -> Any:
        table, name = ("inventory", "inventoryId") if kind is Kind.PRODUCT else ("customer", "internalId")
        return next(row for row in self._all(table) if str(row[name]) == id)
