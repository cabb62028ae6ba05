"""Rights and packages in the sandbox, the accountant's token, and what is counted together."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from adapters.accounting.tripletex.sandbox import ACCOUNTANT_TOKEN, CONSUMER_TOKEN
from adapters.accounting.tripletex.sandbox.chart import ENTITLEMENTS
from connector.model.json import loads

YEAR = {"invoiceDateFrom": "2027-01-01", "invoiceDateTo": "2028-01-01"}
DAYS = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01"}

# --- rights -----------------------------------------------------------------------------------------------------------


async def test_the_rights_of_a_token_can_be_read(box, checked):
    found = await checked("GET", "/employee/entitlement")
    assert {one["entitlementId"] for one in found} == {id for id, _ in ENTITLEMENTS.values()}
    box.shrink("sales", "webhook")
    left = await checked("GET", "/employee/entitlement")
    assert len(found) - len(left) == 2
    with pytest.raises(KeyError):
        box.shrink("nonsense")


async def test_without_the_right_nothing_is_there_and_nothing_can_be_written(box, checked):
    call = checked
    made = await call.invoice()
    box.shrink("sales")
    assert await call("GET", "/invoice", **YEAR) == []
    assert (await call.refused("GET", f"/invoice/{made['id']}"))["code"] == 6000
    how = {"paymentDate": "2027-02-01", "paymentTypeId": await call.payment_type(), "paidAmount": 1}
    refused = await call.refused("PUT", f"/invoice/{made['id']}/:payment", **how)
    assert (refused["status"], refused["code"]) == (403, 9000)
    box.books.rules.without_right = "403"
    assert (await call.refused("GET", "/invoice", **YEAR))["status"] == 403
    assert box.state()["balances"]["1500"] == 12500


async def test_fields_go_missing_with_the_rights(box, checked):
    call = checked
    department = await call("POST", "/department", {"name": "Oslo"})
    made = await call.invoice(department={"id": department["id"]})
    everything = "*,customer(*),voucher(*),postings(*)"
    whole = await call("GET", f"/invoice/{made['id']}", fields=everything)
    assert (whole["voucher"]["number"], whole["postings"][0]["amount"], whole["customer"]["name"]) == (
        1, 12500, "Kjøper AS",
    )  # fmt: skip
    box.shrink("ledger", "customer", "department")
    less = await call("GET", f"/invoice/{made['id']}", fields=everything)
    assert not {"voucher", "postings"} & set(less)
    assert sorted(less["customer"]) == ["id", "url"]
    assert less["amount"] == 12500
    order = await call("GET", f"/order/{made['orders'][0]['id']}")
    assert "department" not in order
    assert await call("GET", "/ledger/posting", **DAYS) == []
    assert await call("GET", "/customer") == []
    assert await call("GET", "/ledger/account", number=1500)  # the chart of accounts stays


async def test_the_package_hides_dimensions_and_projects(box, checked):
    call = checked
    await call("POST", "/ledger/accountingDimensionName", {"dimensionName": "Selger"})
    path, said = "/ledger/accountingDimensionValue", {"displayName": "Kari", "dimensionIndex": 1}
    kari = await call("POST", path, said)
    await call.voucher((1920, 1, {}), (3000, -1, {"freeAccountingDimension1": {"id": kari["id"]}}))
    names = {one["name"] for one in await call("GET", "/company/salesmodules")}
    assert {"PRO", "PROJECT"} <= names
    box.books.rules.modules -= {"PRO", "PROJECT"}
    assert (await call.refused("POST", path, {**said, "displayName": "Ola"}))["code"] == 9000
    assert await call("GET", f"{path}/search") == []
    rows = await call("GET", "/ledger/posting", **DAYS)
    assert all("freeAccountingDimension1" not in row for row in rows)
    project = {"name": "x", "projectManager": {"id": 1}, "startDate": "2027-01-01"}
    assert (await call.refused("POST", "/project", project))["status"] == 403
    assert await call("GET", "/project") == []


async def test_single_records_and_fields_can_be_kept_from_a_token(box, checked):
    seen, kept = await checked.customer(), await checked.customer()
    box.hide("customer", kept["id"])
    assert [one["id"] for one in await checked("GET", "/customer")] == [seen["id"]]
    assert (await checked.refused("GET", f"/customer/{kept['id']}"))["code"] == 6000
    assert (await checked.refused("PUT", f"/customer/{kept['id']}", {"name": "x"}))["code"] == 6000
    box.access[next(iter(box.access))].hidden_fields.add(("customer", "email"))
    assert "email" not in await checked("GET", f"/customer/{seen['id']}")


# --- the accountant's token -------------------------------------------------------------------------------------------


async def session(call):
    until = (date.today() + timedelta(days=2)).isoformat()
    said = {"consumerToken": CONSUMER_TOKEN, "employeeToken": ACCOUNTANT_TOKEN, "expirationDate": until}
    answer = await call.client.post("/token/session/:create", json=said)
    return answer.json()["value"]["token"]


@pytest.mark.parametrize("clients", [["Fjord AS", "Fjell AS"]])
async def test_one_token_many_companies(box, checked):
    call = checked
    token = await session(call)
    call.client.auth = ("0", token)
    me = await call("GET", "/token/session/>whoAmI")
    clients = await call("GET", "/company/>withLoginAccess", sorting="id")
    assert [one["name"] for one in clients] == ["Fjord AS", "Fjell AS"]
    assert me["companyId"] not in {one["id"] for one in clients}
    for path in ("/currency", "/customer", f"/company/{clients[0]['id']}"):
        assert (await call.refused("GET", path))["code"] == 9000
    made = {}
    for one in clients:
        call.client.auth = (str(one["id"]), token)
        inside = await call("GET", "/token/session/>whoAmI")
        assert (inside["companyId"], inside["employeeIsProxy"]) == (one["id"], True)
        made[one["id"]] = (await call.invoice((1, 100, 6)))["id"]
        assert [found["id"] for found in await call("GET", "/invoice", **YEAR)] == [made[one["id"]]]
    first, second = made.values()
    assert (await call.refused("GET", f"/invoice/{first}"))["code"] == 6000  # the other company's
    assert second != first
    assert box.client("Fjord AS").things["invoice"][first]["amountOutstanding"]() == Decimal(100)
    assert box.state()["balances"] == {}
    call.client.auth = (str(box.books.company["id"]), token)
    assert (await call.refused("GET", "/currency"))["status"] == 403


@pytest.mark.parametrize("clients", [["Fjord AS", "Fjell AS"]])
async def test_calls_are_counted_by_token_over_all_companies(box, call):
    own = call.client.auth
    token = await session(call)
    box.rate_limit = 2
    ids = [books.company["id"] for books in (box.client("Fjord AS"), box.client("Fjell AS"))]
    statuses = []
    for id in (*ids, ids[0]):
        answer = await call.client.get("/currency", auth=(str(id), token))
        statuses.append(answer.status_code)
    assert statuses == [200, 200, 429]
    assert (await call.client.get("/currency", auth=own)).status_code == 200
    assert loads((await call.client.get("/currency", auth=(str(ids[1]), token))).content)["status"] == 429


@pytest.mark.parametrize("clients", [["Fjord AS", "Fjell AS"]])
async def test_rights_are_the_tokens_own(box, call):
    token = await session(call)
    box.shrink("customer", token=ACCOUNTANT_TOKEN)
    call.client.auth = (str(box.client("Fjord AS").company["id"]), token)
    assert (await call.refused("POST", "/customer", {"name": "x"}))["code"] == 9000
    await call.sign_in()
    await call.customer()
