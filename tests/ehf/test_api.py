"""`POST /v1/ehf/validate` says what the library says."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from benchmarks.invoices import invoice
from connector.api.app import create_app
from connector.ehf import validate


def post(data: bytes, **query: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(None))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            headers = {"Content-Type": "application/xml"}
            return await client.post("/v1/ehf/validate", content=data, params=query, headers=headers)

    return asyncio.run(send())


def test_a_valid_document() -> None:
    data = invoice(2)
    answer = post(data)
    assert answer.status_code == 200
    assert answer.json() == validate(data).as_json()
    assert answer.json()["valid"] is True


def test_an_invalid_document_is_an_answer_too() -> None:
    data = invoice(2).replace(b"</cbc:PayableAmount>", b"1</cbc:PayableAmount>")
    answer = post(data, file="faktura.xml", rules="3.0.20")
    assert answer.status_code == 200
    assert answer.json() == validate(data, rules="3.0.20").as_json("faktura.xml")
    assert answer.json()["valid"] is False
    assert answer.json()["rules_version"] == "3.0.20"


def test_all_layers() -> None:
    data = invoice(2).replace(b"<cbc:IssueDate>", b"<cbc:IssueDate>x")
    assert post(data).json()["rules_version"] is None
    assert post(data, all_layers=True).json() == validate(data, all_layers=True).as_json()


def test_what_is_no_xml_is_a_finding() -> None:
    answer = post(b"hei")
    assert answer.status_code == 200
    assert [each["rule"] for each in answer.json()["findings"]] == ["xml-not-well-formed"]


def test_a_release_that_there_is_not() -> None:
    answer = post(invoice(1), rules="1.2.3")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unknown-rules-version"


def test_the_field_in_the_system_it_came_from() -> None:
    data = invoice(2).replace(b"</cbc:PayableAmount>", b"7</cbc:PayableAmount>")
    found = {each["rule"]: each.get("source_field") for each in post(data, system="tripletex").json()["findings"]}
    assert found["BR-CO-16"] == "invoice.amountCurrency"
    for name in ("nosuch", "../tenants/demo"):
        answer = post(data, system=name)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not-found"
