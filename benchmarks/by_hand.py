"""The calls by which an invoice is issued in each system, made by hand with httpx and nothing kept: what the engine is
measured against. One class a system, by the names that `HANDS` has.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import httpx

from connector.ports import StandIn

Call = Callable[..., Coroutine[Any, Any, httpx.Response]]
"""`await call(method, path, json=…, params=…)` below the API's address; raises where it is not taken."""
BUYER, NUMBER = "Eksempel AS", "974760673"


class Hand(Protocol):
    """By hand in one system. `issues`: the shape of the first call that issues an invoice."""

    issues: str

    async def begin(self, call: Call, client: httpx.AsyncClient, given: StandIn) -> None:
        """Get access."""

    async def customer(self, call: Call) -> None:
        """Find or make the customer of all invoices."""

    async def issue(self, call: Call, n: int) -> str:
        """Issue the nth invoice and read it back; its number."""


class Tripletex:
    """An order, its totals compared, then invoiced."""

    issues = "POST /v2/order"

    def __init__(self, made: Mapping[str, Mapping[str, Any]]) -> None:
        self._order, self._invoice = made["GET /v2/order/N"]["query"], made["GET /v2/invoice/N"]["query"]
        self._release, self._fields = made["PUT /v2/order/N/:invoice"]["query"], made["GET /v2/customer/N"]["query"]

    async def begin(self, call: Call, client: httpx.AsyncClient, given: StandIn) -> None:
        tokens = {"consumerToken": given.secrets["consumer_token"], "employeeToken": given.secrets["employee_token"]}
        asked = tokens | {"expirationDate": "2100-01-01"}
        token = (await call("POST", "/token/session/:create", json=asked)).json()["value"]["token"]
        client.headers["Authorization"] = "Basic " + base64.b64encode(f"0:{token}".encode()).decode()

    async def customer(self, call: Call) -> None:
        self._customer = (await call("POST", "/customer", json={"name": BUYER})).json()["value"]["id"]
        await call("GET", f"/customer/{self._customer}", params=self._fields)

    async def issue(self, call: Call, n: int) -> str:
        lines = [
            {"description": "Rådgivning", "count": 8, "unitPriceExcludingVatCurrency": 1020, "vatType": {"id": 3}},
            {"description": "Lunsj", "count": 20, "unitPriceExcludingVatCurrency": 100, "vatType": {"id": 31}},
        ]
        body = {
            "customer": {"id": self._customer}, "orderDate": "2026-01-15", "deliveryDate": "2026-01-14",
            "currency": {"id": 1}, "reference": "Kari Nordmann", "isPrioritizeAmountsIncludingVat": False,
            "number": f"m{n}", "invoicesDueIn": 14, "invoicesDueInType": "DAYS", "orderLines": lines,
        }  # fmt: skip
        order = (await call("POST", "/order", json=body)).json()["value"]["id"]
        await call("GET", f"/order/{order}", params=self._order)
        invoice = (await call("PUT", f"/order/{order}/:invoice", params=self._release)).json()["value"]["id"]
        row = (await call("GET", f"/invoice/{invoice}", params=self._invoice)).json()["value"]
        return str(row["invoiceNumber"])


class Fiken:
    """A draft, its totals compared, then invoiced."""

    issues = "POST /api/v2/companies/fjord-as/invoices/drafts"
    _company = "/companies/fjord-as"

    def __init__(self, made: Mapping[str, Mapping[str, Any]]) -> None:
        pass

    async def begin(self, call: Call, client: httpx.AsyncClient, given: StandIn) -> None:
        client.headers["Authorization"] = f"Bearer {given.secrets['token']}"

    async def customer(self, call: Call) -> None:
        body = {"name": BUYER, "organizationNumber": NUMBER, "customer": True}
        made = await call("POST", f"{self._company}/contacts", json=body)
        self._customer = int(made.headers["location"].rpartition("/")[2])
        await call("GET", f"{self._company}/contacts/{self._customer}")

    async def issue(self, call: Call, n: int) -> str:
        lines = [
            {"description": "Rådgivning", "quantity": 8, "unitPrice": 102000, "vatType": "HIGH",
             "incomeAccount": "3000"},
            {"description": "Lunsj", "quantity": 20, "unitPrice": 10000, "vatType": "MEDIUM", "incomeAccount": "3000"},
        ]  # fmt: skip
        body = {
            "type": "invoice", "uuid": f"00000000-0000-4000-8000-{n:012d}", "issueDate": "2026-01-15",
            "daysUntilDueDate": 14, "customerId": self._customer, "bankAccountNumber": "86011117947",
            "yourReference": "Kari Nordmann", "currency": "NOK", "lines": lines,
        }  # fmt: skip
        drafts = f"{self._company}/invoices/drafts"
        draft = (await call("POST", drafts, json=body)).headers["location"].rpartition("/")[2]
        await call("GET", f"{drafts}/{draft}")
        made = await call("POST", f"{drafts}/{draft}/createInvoice")
        invoice = made.headers["location"].rpartition("/")[2]
        return str((await call("GET", f"{self._company}/invoices/{invoice}")).json()["invoiceNumber"])


class VismaNet:
    """A draft, its totals compared, released, and read until it is."""

    issues = "POST /api/v2/customerinvoice"

    def __init__(self, made: Mapping[str, Mapping[str, Any]]) -> None:
        pass

    async def begin(self, call: Call, client: httpx.AsyncClient, given: StandIn) -> None:
        asked = {"grant_type": "client_credentials", "tenant_id": given.settings["tenant_id"], **given.secrets}
        answer = await call("POST", "/connect/token", data=asked)
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def customer(self, call: Call) -> None:
        body = {"name": {"value": BUYER}, "corporateId": {"value": NUMBER}}
        made = await call("POST", "/v1/customer", json=body)
        self._customer = made.headers["location"].rpartition("/")[2]
        self._id = (await call("GET", f"/v1/customer/{self._customer}")).json()["internalId"]
        await call("GET", f"/v1/customer/internal/{self._id}")

    async def issue(self, call: Call, n: int) -> str:
        await call("GET", f"/v1/customer/internal/{self._id}")
        lines = [
            {"operation": "Insert", "description": {"value": text}, "quantity": {"value": count},
             "unitPriceInCurrency": {"value": price}, "accountNumber": {"value": account}, "vatCodeId": {"value": code}}
            for text, count, price, account, code in (
                ("Rådgivning", 8, 1020, "3000", "3"),
                ("Lunsj", 20, 100, "3001", "31"),
            )
        ]  # fmt: skip
        body = {
            "customerNumber": {"value": self._customer}, "documentDate": {"value": "2026-01-15T00:00:00"},
            "documentDueDate": {"value": "2026-01-29T00:00:00"}, "externalReference": {"value": f"m{n}"},
            "customerRefNumber": {"value": "Kari Nordmann"}, "invoiceLines": lines,
        }  # fmt: skip
        made = await call("POST", "/v2/customerinvoice", json=body)
        number = made.headers["location"].rpartition("/")[2]
        await call("GET", f"/v1/customerinvoice/{number}")
        await call("POST", f"/v1/customerinvoice/{number}/action/release", json={})
        while (await call("GET", f"/v1/customerinvoice/{number}")).json()["status"] != "Open":
            pass
        return str(number)


HANDS: Mapping[str, Callable[[Mapping[str, Mapping[str, Any]]], Hand]] = {
    "fiken": Fiken,
    "tripletex": Tripletex,
    "visma-net": VismaNet,
}
"""By the names of systems; given one request of each shape that the engine made, for parameters that are its own."""
