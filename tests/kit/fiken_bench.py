"""Fiken's sandbox as the kit wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Self
from uuid import uuid4

from adapters.accounting.fiken import plugin
from adapters.accounting.fiken.sandbox import TOKEN, Sandbox
from connector.ports import AccountingPlugin, Kind
from connector.testing import Bench, Entry, Gone

DAY = date(2027, 2, 1)
TYPES = {Kind.INVOICE: "invoice", Kind.CREDIT_NOTE: "creditNote", Kind.PRODUCT: "product", Kind.PROJECT: "project"}


class FikenBench(Bench):
    plugin: AccountingPlugin = plugin
    busy: Mapping[str, str] = {}  # Fiken never says when it takes calls again
    overlap = dict.fromkeys((Kind.CUSTOMER, Kind.PRODUCT, Kind.INVOICE, Kind.PAYMENT), timedelta(days=2))  # by the day
    page = 100
    gone: Mapping[Kind, Gone] = {Kind.CUSTOMER: "inactive", Kind.PRODUCT: "deleted"}

    async def __aenter__(self) -> Self:
        self.box, self.names = await Sandbox(rounding="document").start(), count()
        self.url = self.box.url
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.box.stop()

    def settings(self, url: str) -> Mapping[str, Any]:
        return {"base_url": url, "invoice_account": "86011117947", "spacing": 0, "open_hours": 0, "timeout": 2,
                "settle": 0.1, "incoming": "book", "incoming_account": "4300"}  # fmt: skip

    def secrets(self) -> Mapping[str, str]:
        return {"token": TOKEN}

    async def there(self, kind: Kind) -> Sequence[Entry]:
        match kind:
            case Kind.CUSTOMER | Kind.SUPPLIER:
                return [Entry(str(one["_id"])) for one in self._all("contact") if one.get(str(kind))]
            case Kind.EXTERNAL_INVOICE:
                sales = [one for one in self._all("sale") if one["kind"] == "external_invoice" and not one["deleted"]]
                return [Entry(str(one["_id"]), kroner(one["_gross"])) for one in sales]
            case Kind.SUPPLIER_INVOICE:
                return [Entry(str(one["_id"])) for one in self._all("purchase") if not one["deleted"]]
        found = self._all(TYPES[kind]) if kind in TYPES else []
        return [Entry(str(one["_id"]), kroner(one["gross"]) if "gross" in one else None) for one in found]

    async def owed(self) -> Decimal:
        return kroner(self.box.books.balance("1500"))

    async def notes(self, kind: Kind, id: str) -> Sequence[str]:
        sale = self.box.books.find("sale", self.box.books.find("invoice", int(id))["_sale"])
        return [one.file_name for one in sale.get("_files", ())]

    async def pay(self, invoice: str, amount: Decimal) -> None:
        self.box.payment(int(invoice), amount, DAY)

    async def take_back(self, invoice: str, amount: Decimal) -> None:
        sale = self.box.books.find("sale", self.box.books.find("invoice", int(invoice))["_sale"])
        rows = self.box.books.payments(sale)
        self.box.books.unpay(next(one for one in rows if kroner(one["amount"]) == amount))

    async def issue(self, invoice: str) -> None:
        there = self.box.books.find("invoice", int(invoice))
        draft = {"type": "invoice", "customerId": there["_customer"], "daysUntilDueDate": 14, "uuid": str(uuid4())}
        self.box.books.invoice(there | draft | {"projectId": there["_project"]})

    async def change(self, kind: Kind, id: str) -> None:
        self._touch(kind, id, name=f"Navn {next(self.names)} AS")

    async def remove(self, kind: Kind, id: str) -> None:
        if self.gone[kind] == "deleted":
            self.box.books.remove(str(kind), int(id))
        else:
            self._touch(kind, id, inactive=True)

    async def fill(self, customers: int) -> None:
        for n in range(customers):
            self.box.books.add_contact({"name": f"Eldre kunde {n} AS", "customer": True})

    async def age(self, by: timedelta) -> None:
        for things in self.box.books.things.values():
            for one in things.values():
                for name in ("createdDate", "lastModifiedDate"):
                    one[name] = (date.fromisoformat(one[name]) - by).isoformat()

    def _touch(self, kind: Kind, id: str, **values: Any) -> None:
        type = "contact" if kind is Kind.CUSTOMER else str(kind)
        self.box.books.touch(self.box.books.find(type, id), **values)

    def _all(self, type: str) -> list[Any]:
        return list(self.box.books.things.get(type, {}).values())


def kroner(ore: int) -> Decimal:
    return Decimal(ore) / 100
