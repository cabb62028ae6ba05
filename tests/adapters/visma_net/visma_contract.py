"""Requests and answers held against Visma's own description of the API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Request, Sandbox
from tests.adapters.openapi_contract import SHARED, Document

FILE = SHARED / "vendors" / "visma-net" / "openapi.json"


class Contract(Document):
    """The vendor's description (the description itself is not checked)."""

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> None:
        operation = self.operation(method, path)
        parameters = [self.resolved(at) for at in operation.get("parameters", ())]
        declared = {at["name"]: at["schema"] for at in parameters if at["in"] == "query"}
        for name, value in query.items():
            assert name in declared, f"{method} {path}: no query parameter {name}"
            if declared[name].get("type") == "integer":
                assert value.isdigit(), f"{method} {path}: {name} is {value!r}"
        content = operation.get("requestBody", {}).get("content", {})
        if path.endswith("/attachment"):  # a form; the description does not say so
            return
        if body is None:
            assert not operation.get("requestBody", {}).get("required"), f"{method} {path}: a body is required"
            return
        assert content, f"{method} {path} takes no body"
        self.check(next(iter(content.values()))["schema"], body, f"{method} {path}")

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        answers = self.operation(method, path)["responses"]
        if status >= 400 or "default" in answers or isinstance(body, bytes):
            return
        if path.endswith(("/action/release", "/action/void")):
            answers = {"200": None, "202": None, **answers}  # described in part only
        assert str(status) in answers, f"{method} {path}: no answer {status}"
        content = (answers[str(status)] or {}).get("content")
        if content and body is not None:
            self.check(next(iter(content.values()))["schema"], body, f"{method} {path}")

    def check_requests(self, requests: Iterable[Request]) -> None:
        """Every request that a sandbox was sent, but for tokens and the sandbox's own."""
        for came in requests:
            path = came.path.removeprefix("/api")
            if path.startswith(("/v1/", "/v2/")):
                self.check_request(came.method, path, came.query, came.body)


class Checked(Sandbox):
    """A sandbox that holds every answer against the description."""

    contract: Contract

    def vendor(self, request: Request, path: str, since: Any) -> Any:
        answer = super().vendor(request, path, since)
        if path.startswith(("/v1/", "/v2/")):
            try:
                self.contract.check_answer(request.method, path, answer.status, answer.body)
            except AssertionError as exc:
                self.broke.append(str(exc))
        return answer

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.broke: list[str] = []


@cache
def described() -> Contract:
    if not FILE.exists():
        pytest.skip("the vendor's OpenAPI description is not here (CONNECTOR_SHARED)")
    return Contract(json.loads(FILE.read_bytes(), parse_float=Decimal))
