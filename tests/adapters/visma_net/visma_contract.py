"""Requests and answers held against Visma's own description of the API."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapters.accounting.visma_net.sandbox import Request, Sandbox

FILE = Path(os.environ.get("CONNECTOR_SHARED", Path(__file__).parents[4] / "shared")) / "vendors/visma-net/openapi.json"


class Contract:
    """The vendor's description (the description itself is not checked)."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        paths = sorted(document["paths"].items(), key=lambda entry: entry[0].count("{"))
        self._paths = [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), at) for path, at in paths]
        self._checks: dict[int, Any] = {}

    def operation(self, method: str, path: str) -> dict[str, Any]:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path) and method.lower() in operations:
                return operations[method.lower()]
        raise AssertionError(f"{method} {path} is not in the vendor's description")

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> None:
        operation = self.operation(method, path)
        parameters = [self._resolved(at) for at in operation.get("parameters", ())]
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

    def check(self, schema: dict[str, Any], value: Any, where: str) -> None:
        """Types as declared, and no name that is not."""
        whole = {"components": self._document["components"], "allOf": [schema]}
        problems = list(jsonschema.Draft7Validator(whole).iter_errors(value))
        assert not problems, f"{where}: " + "; ".join(f"{list(p.absolute_path)}: {p.message[:200]}" for p in problems)
        self._no_unknown(schema, value, where)

    def _no_unknown(self, schema: dict[str, Any], value: Any, where: str) -> None:
        schema = self._resolved(schema)
        if isinstance(value, list):
            for one in value:
                self._no_unknown(schema.get("items", {}), one, where)
        elif isinstance(value, dict) and "properties" in schema:
            for name, inner in value.items():
                assert name in schema["properties"], f"{where}: no field {name}"
                self._no_unknown(schema["properties"][name], inner, f"{where}.{name}")

    def _resolved(self, at: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in at:
            _, _, *parts = at["$ref"].split("/")
            at = self._document["components"][parts[-2]][parts[-1]]
        return at

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
