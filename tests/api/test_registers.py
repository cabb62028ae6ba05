"""Posting to registers: taken once, changed by what is said, refused with a code and what to do."""

from __future__ import annotations

import asyncio
import uuid
from decimal import Decimal
from typing import Any

import pytest

from connector.api.examples import CUSTOMER, DEPARTMENT, PRODUCT

POSTS = [("/v1/customers", CUSTOMER), ("/v1/products", PRODUCT), ("/v1/dimensions", DEPARTMENT)]


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that must be this one."""
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    assert said["code"] == code, said
    assert said["detail"]
    return said


@pytest.mark.parametrize(("path", "body"), POSTS)
async def test_a_record_is_a_document_at_once_and_ends_with_proof(any_door, path, body):
    answer = await any_door.post(path, body)
    assert answer.status_code == 202, answer.text
    taken = answer.json()
    document = await any_door.get(f"/v1/documents/{taken['document']}")
    assert (document["kind"], document["state"]) == (taken["kind"], "known")
    await any_door.work()
    done = await any_door.get(answer.headers["location"])
    assert done["state"] == "done"
    assert (await any_door.document(kind=taken["kind"])).id == taken["document"]


@pytest.mark.parametrize(("path", "body"), POSTS)
async def test_the_same_request_again_is_the_same_operation(door, path, body):
    key = uuid.uuid4().hex
    first, again = [(await door.post(path, body, key=key)).json() for _ in range(2)]
    assert first["id"] == again["id"]
    refused(await door.post(path, body | {"name": "Annet"}, key=key), 422, "idempotency-key-reused")
    later = (await door.post(path, body)).json()
    assert (later["document"], later["id"] == first["id"]) == (first["document"], False)
    await door.work()
    for one in (first, later):
        assert (await door.get(f"/v1/operations/{one['id']}"))["state"] == "done"


async def test_a_change_and_back_again_are_two_changes(door):
    for name in ("En", "To", "En"):
        await door.post("/v1/products", PRODUCT | {"name": name})
        await door.work()
    made = next(iter(door.box.books.things["product"].values()))
    assert (made["name"], made["version"]) == ("En", 3)


async def test_changes_that_come_faster_than_they_can_be_told_all_arrive(door):
    answers = [await door.post("/v1/products", PRODUCT)]
    answers += await asyncio.gather(
        *(door.post("/v1/products", {"number": "100", "price": f"{at}.00"}) for at in range(5))
    )
    assert {answer.status_code for answer in answers} == {202}
    await door.work()
    product = await door.document(kind="product")
    made = next(iter(door.box.books.things["product"].values()))
    assert Decimal(made["priceExcludingVatCurrency"]) == Decimal(product.body["price"])
    for answer in answers:
        assert (await door.get(answer.headers["location"]))["state"] == "done"
    assert door.box.state()["counts"]["product"] == 1


@pytest.mark.parametrize(
    ("path", "body", "code", "field"),
    [
        ("/v1/customers", {}, "party-without-identity", None),
        ("/v1/customers", {"party": {}}, "party-without-identity", None),
        ("/v1/customers", {"party": {"name": "A"}, "phone": "1"}, "extra-forbidden", "phone"),
        ("/v1/products", {"number": "1"}, "product-malformed", "name"),
        ("/v1/products", {"number": "1", "name": "A", "price": 1.5}, "float-refused", "price"),
        ("/v1/dimensions", {"code": "10"}, "kind-not-kept", "kind"),
        ("/v1/dimensions", {"kind": "location", "code": "10"}, "kind-not-kept", "kind"),
        ("/v1/dimensions", {"kind": "free", "code": "10"}, "record-without-identity", "dimension"),
        ("/v1/dimensions", {"kind": "department"}, "department-malformed", "code"),
    ],
)  # fmt: skip
async def test_what_is_no_record_is_refused_with_its_field(door, path, body, code, field):
    answer = await door.post(path, body)
    assert answer.status_code == 422, answer.text
    said = answer.json()
    assert said["code"] == code, said
    if field:
        assert said["where"]["field"] == field
    await door.nothing_kept()


async def test_what_cannot_be_read_or_asked_is_refused(door):
    refused(await door.post("/v1/products", b"{", Content_Type="application/json"), 400, "body-malformed")
    refused(await door.post("/v1/products", []), 400, "body-malformed")
    refused(await door.post("/v1/products", b"<a/>"), 415, "media-type")
    headers = {"Content-Type": "application/json"}
    refused(await door.client.post("/v1/products", json=PRODUCT, headers=headers), 400, "idempotency-key-missing")
    refused(await door.post("/v1/products", PRODUCT, **await door.key("read")), 403, "scope-missing")
    await door.nothing_kept()


async def test_another_tenant_sees_and_changes_nothing_of_it(door):
    await door.post("/v1/products", PRODUCT)
    other = await door.key("read", "write", tenant="other")
    await door.post("/v1/products", PRODUCT | {"name": "Deres"}, **other)
    await door.work()
    assert (await door.document(kind="product")).body["name"] == PRODUCT["name"]


async def test_one_record_of_the_source_is_not_another(door):
    await door.post("/v1/products", PRODUCT)
    said = refused(await door.post("/v1/products", PRODUCT | {"source_id": "product-2"}), 409, "document-exists")
    assert "product-1" in said["detail"]
    await door.post("/v1/products", PRODUCT | {"source_id": "product-2", "number": "200"})
    refused(await door.post("/v1/products", {"source_id": "product-2", "number": "100"}), 409, "document-exists")
