"""Tripletex' sandbox as the kit wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any, Self

from adapters.accounting.tripletex import plugin
from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Sandbox, behind
from adapters.accounting.tripletex.sandbox.things import Link
from connector.ports import AccountingPlugin, Kind
from connector.testing import Bench, Entry, Gone

DAY = date(2027, 2, 1)


class TripletexBench(Bench):
    plugin: AccountingPlugin = plugin
    overlap = dict.fromkeys((Kind.CUSTOMER, Kind.SUPPLIER), timedelta(hours=2, minutes=10))  # no zone is said
    page = 1000
    gone: Mapping[Kind, Gone] = {Kind.CUSTOMER: "deleted", Kind.PRODUCT: "inactive"}

    async def __aenter__(self) -> Self:
        self.box, self.names = await Sandbox().start(), count()
        self.box.books.company["organizationNumber"] = self.organisation_number
        self.url = self.box.url
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.box.stop()

    def settings(self, url: str) -> Mapping[str, Any]:
        return {"base_url": url, "payment_type": "Betalt til bank", "timeout": 2, "settle": 0.1}

    def secrets(self) -> Mapping[str, str]:
        return {"consumer_token": CONSUMER_TOKEN, "employee_token": EMPLOYEE_TOKEN}

    async def there(self, kind: Kind) -> Sequence[Entry]:
        match kind:
            case Kind.INVOICE | Kind.CREDIT_NOTE:
                sales = [one for one in self._all("invoice") if one["isCharged"]]
                return [Entry(str(one["id"]), abs(one["amount"])) for one in sales
                        if one["isCreditNote"] == (kind is Kind.CREDIT_NOTE)]  # fmt: skip
            case Kind.EXTERNAL_INVOICE | Kind.EXTERNAL_CREDIT_NOTE:
                sign = 1 if kind is Kind.EXTERNAL_INVOICE else -1
                rows = [row for row in self._all("posting") if row.get("customer") and row["amount"] * sign > 0]
                return [Entry(str(row["voucher"].id), abs(row["amount"])) for row in rows]
            case Kind.SUPPLIER_INVOICE:
                return [Entry(str(one["id"])) for one in self._all("voucher") if one["_state"] != "ledger"]
        return [Entry(str(one["id"])) for one in self._all(kind)]

    async def owed(self) -> Decimal:
        return sum((row["amount"] for row in self._all("posting") if row.get("customer")), Decimal(0))

    async def notes(self, kind: Kind, id: str) -> Sequence[str]:
        held = self.box.books.find(self.box.books.find(Link("invoice", int(id)))["voucher"]).get("attachment")
        return [one.file_name for one in self.box.books.find(held)["_uploads"]] if held else []

    async def pay(self, invoice: str, amount: Decimal) -> None:
        self.box.payment(int(invoice), amount, DAY)

    async def take_back(self, invoice: str, amount: Decimal) -> None:
        number = self.box.books.find(Link("invoice", int(invoice)))["invoiceNumber"]
        row = next(one for one in self._all("posting")
                   if one["amount"] == -amount and str(one.get("invoiceNumber")) == str(number))  # fmt: skip
        self.box.books.reverse(self.box.books.find(row["voucher"]), DAY)

    async def change(self, kind: Kind, id: str) -> None:
        name = f"Navn {next(self.names)} AS"
        self._do(f"PUT /_sandbox/record/{kind}/{id}", {"name": name, "displayName": name})

    async def remove(self, kind: Kind, id: str) -> None:
        if self.gone[kind] == "deleted":
            self._do(f"DELETE /_sandbox/record/{kind}/{id}", {})
        else:
            self._do(f"PUT /_sandbox/record/{kind}/{id}", {"isInactive": True})

    async def fill(self, customers: int) -> None:
        for n in range(customers):
            self._do("POST /_sandbox/record/customer", {"name": f"Eldre kunde {n} AS"})

    async def age(self, by: timedelta) -> None:
        for things in self.box.books.things.values():
            for one in things.values():
                one["_changed"] -= by

    def _all(self, type: str) -> list[Any]:
        return list(self.box.books.things.get(type, {}).values())

    def _do(self, call: str, said: dict[str, Any]) -> None:
        behind.call(self.box, call, SimpleNamespace(body=said, query={}))
