"""The sandbox itself: what people do in the program, and what it does that is harder for a caller."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.accounting.visma_net.sandbox import TENANT_ID, Sandbox

sys.path.append(str(Path(__file__).parent))
from visma_driving import customer_goal, invoice_goal, opened, reach


async def own(box: Sandbox, method: str, path: str, **query: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=box.url.removesuffix("/api")) as client:
        return await client.request(method, path, params=query)


async def test_what_people_do_in_the_program() -> None:
    async with Sandbox() as box:
        system = opened(box)
        made = (await reach(system, invoice_goal((await reach(system, customer_goal()))["read"].id)))["read"].id
        paid = (await own(box, "POST", "/pay", invoice=made, amount="5000.00", date="2027-02-01")).json()
        row = box.books.tables["invoice"][made]
        assert row["balance"] == Decimal(7500)
        await own(box, "POST", "/void", payment=paid["payment"])
        assert (row["balance"], row["status"]) == (Decimal(12500), "Open")
        assert (await own(box, "POST", "/rules", release="stuck")).json() == {"release": "stuck"}
        assert (await own(box, "GET", "/rules")).json()["release"] == "stuck"
        await own(box, "POST", "/period", period="202702")
        assert box.books.tables["period"]["202702"]["closedInCustomerLedger"]
        refused = await own(box, "POST", "/pay", invoice=made, amount="1.00", date="2027-02-01")
        assert "closed" in refused.json()["message"]
        assert (await own(box, "POST", "/rules", release="whenever")).status_code == 422
        assert (await own(box, "GET", "/nothing")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{"name": "Ikke pakket"}, {"name": {"value": 7}}, {"name": {"verdi": "x"}}, [], None, {"name": {"value": ""}}],
)
async def test_what_is_not_wrapped_is_refused(body: Any) -> None:
    async with Sandbox() as box:
        await opened(box).company()
        headers = {"Authorization": f"Bearer {next(iter(box.tokens))}"}
        async with httpx.AsyncClient(base_url=box.url, headers=headers) as client:
            answer = await client.post("/v1/customer", json=body)
            assert (answer.status_code, box.books.tables.get("customer", {})) == (400, {})
            assert answer.json()["message"].startswith("VismaId: ")


async def test_a_name_that_nobody_knows_is_ignored_without_a_word() -> None:
    async with Sandbox() as box:
        await opened(box).company()
        headers = {"Authorization": f"Bearer {next(iter(box.tokens))}"}
        async with httpx.AsyncClient(base_url=box.url, headers=headers) as client:
            answer = await client.post("/v1/customer", json={"name": {"value": "A"}, "documentTypeId": {"value": "x"}})
            assert (answer.status_code, answer.content) == (201, b"")
            assert answer.headers["location"] == f"{box.url}/v1/customer/10001"
            assert answer.headers["etag"]


async def test_one_condition_without_the_other_does_nothing() -> None:
    async with Sandbox() as box:
        await reach(opened(box), customer_goal())
        headers = {"Authorization": f"Bearer {next(iter(box.tokens))}"}
        async with httpx.AsyncClient(base_url=box.url, headers=headers) as client:
            said = {"lastModifiedDateTime": "2099-01-01 00:00:00"}
            assert len((await client.get("/v1/customer", params=said)).json()) == 1
            said["lastModifiedDateTimeCondition"] = ">="
            assert (await client.get("/v1/customer", params=said)).json() == []
            said["lastModifiedDateTime"] = "2099-01-01T00:00:00Z"
            assert (await client.get("/v1/customer", params=said)).status_code == 400


@pytest.mark.parametrize("plain", [False, True])
async def test_if_match_in_a_plain_call(plain: bool) -> None:
    async with Sandbox(plain_etags=plain) as box:
        id = (await reach(opened(box), customer_goal()))["read"].id
        headers = {"Authorization": f"Bearer {next(iter(box.tokens))}", "If-Match": '"AAAA"'}
        async with httpx.AsyncClient(base_url=box.url, headers=headers) as client:
            answer = await client.put(f"/v1/customer/internal/{id}", json={"name": {"value": "B"}})
            assert answer.status_code == (412 if plain else 204)


async def test_companies_are_told_apart_by_their_tenant() -> None:
    """Codes of organisations repeat: every company has an organisation 1."""
    async with Sandbox() as box:
        company = await opened(box).company()
        assert (company.id, company.at) == (TENANT_ID, box.url)
