"""The stand-in, the driver open on it, and the vendor's own description to hold calls against."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from adapters.access_points.e_invoice_be.sandbox import Sandbox
from adapters.loopback import Request, Upload
from connector.model.json import loads
from connector.ports import AccessPoint
from tests.adapters.openapi_contract import SHARED, Document

sys.path.append(str(Path(__file__).parent))
from e_invoice_be_driving import opened

DESCRIPTION = SHARED / "vendors" / "access-points" / "e-invoice-be" / "openapi.json"


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox() as it:
        yield it


@pytest.fixture
async def point(box: Sandbox) -> AsyncIterator[AccessPoint]:
    it = opened(box.url)
    yield it
    await it.close()


class Contract(Document):
    """Requests and answers held against the vendor's document."""

    def check_request(self, method: str, path: str, query: dict[str, str], kind: str, body: Any) -> None:
        operation = self.operation(method, path)
        declared = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
        assert query.keys() <= declared.keys(), f"{method} {path}: no parameter {query.keys() - declared.keys()}"
        missing = {name for name, one in declared.items() if one["required"]} - query.keys()
        assert not missing, f"{method} {path}: without {missing}"
        for name, value in query.items():
            schema = declared[name]["schema"]
            self.check(schema, int(value) if schema.get("type") == "integer" else value, f"{method} {path}?{name}")
        content = operation.get("requestBody", {}).get("content", {})
        if body is None and not content:
            return
        assert kind in content, f"{method} {path}: {kind or 'no body'} instead of {list(content)}"
        self.check(content[kind]["schema"], body, f"{method} {path}")

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        answers = self.operation(method, path)["responses"]
        assert str(status) in answers, f"{method} {path}: no answer {status}"
        self.check(answers[str(status)]["content"]["application/json"]["schema"], body, f"{method} {path} -> {status}")

    def check_requests(self, requests: Iterable[Request]) -> None:
        for came in requests:
            if not came.path.startswith("/files/"):
                assert came.headers["authorization"].startswith("Bearer ")
                body = came.body
                if isinstance(body, dict):
                    assert all(one.file_name for one in body.values() if isinstance(one, Upload))
                kind = came.headers.get("content-type", "").partition(";")[0]
                self.check_request(came.method, came.path, came.query, kind, body)


@pytest.fixture(scope="session")
def contract() -> Contract:
    if not DESCRIPTION.exists():
        pytest.skip("the vendor's OpenAPI document is not here (CONNECTOR_SHARED)")
    return Contract(loads(DESCRIPTION.read_text()))
