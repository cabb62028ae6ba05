"""`/v1/connections/{id}/options`: what may be posted to a ledger now, as JSON Schema."""

from __future__ import annotations

import asyncio
from typing import Any

import jsonschema


async def test_it_is_being_read_and_then_there(any_door: Any) -> None:
    door = any_door
    [connection] = await door.get("/v1/connections")
    path = f"/v1/connections/{connection['id']}/options"
    answer = await door.client.get(path, params={"wait": 0})
    assert answer.status_code == 202
    assert answer.headers["Retry-After"]
    waiting = asyncio.create_task(door.client.get(path, params={"wait": 10}))
    await door.work()
    answer = await waiting
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/schema+json"
    schema = answer.json()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {"vat-code", "account", "payment-type", "department"} <= set(schema["$defs"])
    named = await door.client.get("/v1/connections/books/options", params={"wait": 0})
    assert named.json() == schema
    again = await door.client.get(path, params={"wait": 0, "refresh": True})
    assert again.status_code == 202


async def test_a_sound_draft_passes_the_schema_and_another_does_not(any_door: Any, draft: Any) -> None:
    door = any_door
    books = door.box.books
    books.add("department", name="Salg", departmentNumber="10", isInactive=False)
    books.closed_months.add((2027, 1))
    spoke = door.house.spokes("fjord")[0]
    await door.house.options(spoke, alone=True)
    schema = (await door.client.get("/v1/connections/books/options")).json()
    check = jsonschema.Draft202012Validator(schema)
    said = draft(issue_date="2027-02-01", dimensions={"department": "10"})
    assert check.is_valid(said)
    assert not check.is_valid(said | {"issue_date": "2027-01-31"})
    assert not check.is_valid(said | {"dimensions": {"department": "11"}})
    assert not check.is_valid(said | {"currency": "GBP"})


async def test_another_tenants_connection_is_not_there(door: Any) -> None:
    other = await door.key("read", tenant="other")
    answer = await door.client.get("/v1/connections/books/options", headers=other)
    assert answer.status_code == 404
    assert answer.json()["code"] == "connection-not-found"
