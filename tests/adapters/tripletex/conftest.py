"""The sandbox, a caller for it, and the vendor's own description to hold calls and answers against."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import httpx
import pytest

from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Request, Sandbox
from connector.model.json import dumps, loads
from tests.adapters.openapi_contract import SHARED, Document


class Caller:
    """Calls the sandbox plainly and gives status and body."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.client = httpx.AsyncClient(base_url=box.url, timeout=5.0)

    async def sign_in(self, days: int = 2) -> Caller:
        until = date.today() + timedelta(days=days)
        said = {"consumerToken": CONSUMER_TOKEN, "employeeToken": EMPLOYEE_TOKEN, "expirationDate": until.isoformat()}
        answer = await self.client.post("/token/session/:create", json=said)
        assert answer.status_code == 201, answer.text
        self.client.auth = ("0", answer.json()["value"]["token"])
        return self

    async def raw(self, method: str, path: str, json: Any = None, **query: Any) -> httpx.Response:
        query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in query.items()}
        content = None if json is None else dumps(json)
        headers = {"Content-Type": "application/json"} if content else {}
        return await self.client.request(method, path, params=query, content=content, headers=headers)

    async def __call__(self, method: str, path: str, json: Any = None, **query: Any) -> Any:
        answer = await self.raw(method, path, json, **query)
        assert answer.status_code < 300, answer.text
        if not answer.content:
            return None
        said = loads(answer.content)
        return said["value"] if "value" in said else said["values"]

    async def upload(self, path: str, content: bytes, name: str = "faktura.pdf", **query: Any) -> httpx.Response:
        return await self.client.post(path, params=query, files={"file": (name, content)})

    async def account(self, number: int) -> dict[str, int]:
        return {"id": (await self("GET", "/ledger/account", number=number))[0]["id"]}

    async def voucher(self, *rows: tuple[int, Any, dict[str, Any]], date: str = "2027-01-20", **more: Any) -> Any:
        """A voucher of rows (account number, gross amount, the rest); `more`: fields of its head."""
        said = [
            {
                "row": at,
                "account": await self.account(number),
                "amountGross": amount,
                "amountGrossCurrency": amount,
                **row,
            }
            for at, (number, amount, row) in enumerate(rows, 1)
        ]
        return await self("POST", "/ledger/voucher", {"date": date, "description": "Bilag", "postings": said, **more})

    async def refused(self, method: str, path: str, json: Any = None, **query: Any) -> dict[str, Any]:
        answer = await self.raw(method, path, json, **query)
        assert answer.status_code >= 400, answer.text
        said = loads(answer.content)
        assert said["status"] == answer.status_code
        assert said["requestId"] == answer.headers["x-tlx-request-id"]
        return said

    async def customer(self, **more: Any) -> dict[str, Any]:
        return await self("POST", "/customer", {"name": "Kjøper AS", "organizationNumber": "974760673", **more})

    async def order(self, *lines: tuple[Any, Any, int], customer: int | None = None, **more: Any) -> dict[str, Any]:
        customer = customer or (await self.customer())["id"]
        shaped = [
            {"description": "Vare", "count": count, "unitPriceExcludingVatCurrency": price, "vatType": {"id": vat}}
            for count, price, vat in lines or [(8, 1020, 3), (20, 100, 31)]
        ]
        said = {"customer": {"id": customer}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14",
                "invoicesDueIn": 14, "orderLines": shaped, **more}  # fmt: skip
        return await self("POST", "/order", said)

    async def invoice(self, *lines: tuple[Any, Any, int], **more: Any) -> dict[str, Any]:
        order = await self.order(*lines, **more)
        path = f"/order/{order['id']}/:invoice"
        return await self("PUT", path, invoiceDate="2027-01-15", sendToCustomer=False)

    async def payment_type(self, description: str = "Betalt til bank") -> int:
        found = await self("GET", "/invoice/paymentType", description=description)
        return found[0]["id"]


@pytest.fixture
def clients() -> list[str]:
    """The companies that the accountant's token reaches."""
    return []


@pytest.fixture
async def box(clients: list[str]) -> AsyncIterator[Sandbox]:
    async with Sandbox(clients=clients) as it:
        yield it


@pytest.fixture
async def call(box: Sandbox) -> AsyncIterator[Caller]:
    caller = await Caller(box).sign_in()
    yield caller
    await caller.client.aclose()


@pytest.fixture
async def checked(box: Sandbox, call: Caller, contract: Contract) -> Caller:
    """A caller all of whose requests and answers are held against the vendor's description."""

    async def check(answer: httpx.Response) -> None:
        await answer.aread()
        came = box.requests[-1]
        path = came.path.removeprefix("/v2")
        contract.check_request(came.method, path, came.query, came.body)
        if answer.status_code >= 400:
            contract.check_error(loads(answer.content))
            return
        file = answer.headers.get("content-type") == "application/octet-stream"
        body = answer.content if file else loads(answer.content) if answer.content else None
        contract.check_answer(came.method, path, answer.status_code, body)

    call.client.event_hooks["response"].append(check)
    return call


@cache
def _document() -> dict[str, Any]:
    return json.loads((SHARED / "vendors" / "tripletex" / "openapi.json").read_bytes(), parse_float=Decimal)


class Contract(Document):
    """Requests and answers held against the vendor's OpenAPI document (the document itself is not checked)."""

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> None:
        operation = self.operation(method, path)
        declared = {at["name"]: at for at in operation.get("parameters", ()) if at["in"] == "query"}
        for name, value in query.items():
            assert name in declared, f"{method} {path}: no query parameter {name}"
            self._check_text(declared[name]["schema"], value, f"{method} {path} {name}")
        for name, at in declared.items():
            assert not at.get("required") or query.get(name), f"{method} {path}: {name} is required"
        content = operation.get("requestBody", {}).get("content", {})
        if body is None:
            assert not operation.get("requestBody", {}).get("required"), f"{method} {path}: a body is required"
            return
        assert content, f"{method} {path} takes no body"
        self.check(next(iter(content.values()))["schema"], body, f"{method} {path}")

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        answers = self.operation(method, path)["responses"]
        assert str(status) in answers, f"{method} {path}: no answer {status}"
        content = answers[str(status)].get("content")
        if isinstance(body, bytes):
            assert "application/octet-stream" in content
            return
        if not content or not any(content.values()):
            assert body is None
            return
        self.check(next(iter(content.values()))["schema"], body, f"{method} {path}")

    def check_error(self, body: Any) -> None:
        said = {name: value for name, value in body.items() if value is not None}
        said["validationMessages"] = [
            {name: value for name, value in one.items() if value is not None} for one in said["validationMessages"]
        ]
        self.check({"$ref": "#/components/schemas/ApiError"}, said, "error")

    def _check_text(self, schema: dict[str, Any], value: str, where: str) -> None:
        fits = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "boolean": "true|false"}.get(schema["type"], ".*")
        assert re.fullmatch(fits, value), f"{where}: {value!r} is no {schema['type']}"
        assert value in schema.get("enum", [value]), f"{where}: {value!r} is not one of {schema.get('enum')}"

    def check_requests(self, requests: list[Request]) -> None:
        """Every request that a sandbox was sent."""
        for came in requests:
            self.check_request(came.method, came.path.removeprefix("/v2"), came.query, came.body)


@pytest.fixture(scope="session")
def contract() -> Contract:
    if not (SHARED / "vendors" / "tripletex" / "openapi.json").exists():
        pytest.skip("the vendor's OpenAPI document is not here (CONNECTOR_SHARED)")
    return Contract(_document())
