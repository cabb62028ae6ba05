"""The stand-in, the driver open on it, and the vendor's own description to hold calls against."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapters.access_points.storecove.sandbox import Sandbox
from adapters.loopback import Request
from connector.model.json import loads
from connector.ports import AccessPoint
from tests.adapters.openapi_contract import SHARED, Document

sys.path.append(str(Path(__file__).parent))
from storecove_driving import opened

DESCRIPTION = SHARED / "vendors" / "access-points" / "storecove" / "openapi-2.0.1-2021.json"
NEWER = {
    "/document_submissions/{guid}/evidence": "/invoice_submissions/{guid}/evidence",
    "/document_submissions/{guid}/evidence/{evidence_type}": "/invoice_submissions/{guid}/evidence",
    "/received_documents/{guid}/{format}": "/purchase_invoices/{guid}/{packaging}",
}
"""Calls that the description of 2021 has under other names; no call takes anything but what stands in its path."""


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox() as it:
        yield it


@pytest.fixture
async def point(box: Sandbox) -> AsyncIterator[AccessPoint]:
    it = opened(box.url)
    yield it
    await it.close()


@cache
def _document() -> dict[str, Any]:
    """The description (Swagger 2.0) with its definitions where OpenAPI 3 has them, and the newer paths."""
    text = DESCRIPTION.read_text().replace("#/definitions/", "#/components/schemas/")
    document: dict[str, Any] = loads(text)
    document["components"] = {"schemas": document.pop("definitions")}
    document["paths"] |= {path: document["paths"][older] for path, older in NEWER.items()}
    return document


class Contract(Document):
    """Requests and answers held against the vendor's document."""

    def check_request(self, method: str, path: str, query: dict[str, str], body: Any) -> None:
        parameters = self.operation(method, path).get("parameters", ())
        declared = {one["name"] for one in parameters if one["in"] == "query"}
        assert query.keys() <= declared, f"{method} {path}: no parameter {query.keys() - declared}"
        schemas = [one["schema"] for one in parameters if one["in"] == "body"]
        if body is None and not schemas:
            return
        assert schemas, f"{method} {path} takes no body"
        self.check(schemas[0], body, f"{method} {path}")

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        answers = self.operation(method, path)["responses"]
        assert str(status) in answers, f"{method} {path}: no answer {status}"
        self.check(answers[str(status)]["schema"], body, f"{method} {path} -> {status}")

    def check_requests(self, requests: list[Request]) -> None:
        for came in requests:
            if came.path.startswith("/api/v2/"):
                self.check_request(came.method, came.path.removeprefix("/api/v2"), came.query, came.body)


@pytest.fixture(scope="session")
def contract() -> Contract:
    if not DESCRIPTION.exists():
        pytest.skip("the vendor's OpenAPI document is not here (CONNECTOR_SHARED)")
    return Contract(_document())
