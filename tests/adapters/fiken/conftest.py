"""The sandbox, and the vendor's own description to hold calls and answers against."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import pytest
from ruamel.yaml import YAML

from adapters.accounting.fiken.sandbox import Request, Sandbox
from tests.adapters.openapi_contract import SHARED, Document

DESCRIPTION = SHARED / "vendors" / "fiken" / "openapi.yaml"
REQUIRED_BUT_UNSAID = {"paid"}
"""Sales and purchases require it, and the description does not say what it is."""


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox(rounding="document") as it:
        yield it


@cache
def _document() -> dict[str, Any]:
    return YAML(typ="safe").load(DESCRIPTION)


class Contract(Document):
    """Requests and answers held against the vendor's OpenAPI document (the document itself is not checked)."""

    def check_request(self, method: str, path: str, query: dict[str, str], body: Any) -> None:
        operation = self.operation(method, path)
        declared = {at["name"] for at in map(self.resolved, operation.get("parameters", ()))}
        assert query.keys() <= declared, f"{method} {path}: no parameter {query.keys() - declared}"
        content = operation.get("requestBody", {}).get("content", {})
        if body in (None, {}) and not content:
            return
        assert content, f"{method} {path} takes no body"
        said = {name: value for name, value in body.items() if name not in REQUIRED_BUT_UNSAID}
        schema = self.resolved(next(iter(content.values()))["schema"])
        required = [name for name in schema.get("required", ()) if name in schema["properties"]]
        self.check({**schema, "required": required}, said, f"{method} {path}")

    def check_answer(self, method: str, path: str, status: int, headers: dict[str, str], body: Any) -> None:
        answers = {str(at): answer for at, answer in self.operation(method, path)["responses"].items()}
        assert str(status) in answers, f"{method} {path}: no answer {status}"
        for name in answers[str(status)].get("headers", {}):
            assert name in headers, f"{method} {path}: no header {name}"
        content = answers[str(status)].get("content")
        if not content:
            assert body is None, f"{method} {path}: an empty body was said"
            return
        self.check(next(iter(content.values()))["schema"], body, f"{method} {path}")

    def check_requests(self, requests: list[Request]) -> None:
        """Every request that a sandbox was sent, below its API (files lie beside the description)."""
        for came in requests:
            path = came.path.removeprefix("/api/v2")
            if path.startswith("/") and not path.startswith("/oauth") and "/files/" not in path:
                body = {name: str(value) for name, value in came.body.items()} if _form(came) else came.body
                self.check_request(came.method, path, came.query, body)


def _form(came: Request) -> bool:
    return came.headers.get("content-type", "").startswith("multipart/")


@pytest.fixture(scope="session")
def contract() -> Contract:
    if not DESCRIPTION.exists():
        pytest.skip("the vendor's OpenAPI document is not here (CONNECTOR_SHARED)")
    return Contract(_document())
