"""The sandbox's registers: customers, suppliers, contacts, products, projects, departments, free dimensions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.accounting.tripletex.sandbox.books import OSLO

DATE = "2027-01-20"


def problem(said):
    (one,) = said["validationMessages"]
    return one["field"], one["message"]


async def project(call, **more):
    said = {"name": "Bygg", "projectManager": {"id": 1}, "startDate": "2027-01-01"}
    return await call("POST", "/project", {**said, **more})


# --- suppliers --------------------------------------------------------------------------------------------------------


async def test_suppliers_have_accounts_numbers_and_changes(box, checked):
    call = checked
    account = {"bban": "15068012344", "iban": "NO9386011117947"}
    said = {"name": "Leverandør AS", "organizationNumber": "974760673", "bankAccountPresentation": [account],
            "postalAddress": {"addressLine1": "Gata 1", "city": "Oslo", "country": {"id": 161}}}  # fmt: skip
    made = await call("POST", "/supplier", said)
    assert (made["supplierNumber"], made["isSupplier"], made["isInactive"]) == (50001, True, False)
    assert (made["bankAccounts"], made["bankAccountPresentation"]) == (["15068012344"], [account])
    again = await call("POST", "/supplier", said)  # no uniqueness of organisation numbers
    assert again["supplierNumber"] == 50002
    assert len(await call("GET", "/supplier", organizationNumber="974760673")) == 2
    assert problem(await call.refused("POST", "/supplier", {"name": "x", "supplierNumber": 50001})) == (
        "supplierNumber", "Leverandørnummeret er i bruk.",
    )  # fmt: skip
    path = f"/supplier/{made['id']}"
    changed = await call("PUT", path, {"version": made["version"], "bankAccountPresentation": [{"bban": "1"}]})
    assert (changed["bankAccounts"], changed["version"]) == (["1"], 2)
    assert (await call.refused("PUT", path, {"version": 1, "name": "y"}))["code"] == 8000
    moment = box.books.things["supplier"][made["id"]]["_changed"].astimezone(OSLO) + timedelta(seconds=1)
    assert await call("GET", "/supplier", changedSince=moment.strftime("%Y-%m-%dT%H:%M:%S")) == []
    await call("PUT", path, {"isInactive": True})
    assert [one["id"] for one in await call("GET", "/supplier")] == [again["id"]]
    assert [one["id"] for one in await call("GET", "/supplier", isInactive=True)] == [made["id"]]
    await call("DELETE", f"/supplier/{again['id']}")
    assert await call("GET", "/supplier") == []


async def test_a_supplier_in_use_stays(checked):
    made = await checked("POST", "/supplier", {"name": "Leverandør AS"})
    await checked.voucher((6800, 100, {}), (2400, -100, {"supplier": {"id": made["id"]}}))
    refused = await checked.refused("DELETE", f"/supplier/{made['id']}")
    assert problem(refused) == ("id", "Leverandøren er i bruk og kan ikke slettes.")
    rows = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01", "supplierId": made["id"]}
    assert [one["amount"] for one in await checked("GET", "/ledger/posting", **rows)] == [-100]


async def test_several_at_once_or_none(box, checked):
    names = [{"name": "A"}, {"name": "B"}]
    made = await checked("POST", "/customer/list", names)
    assert {one["name"] for one in made} == {"A", "B"}
    await checked.refused("POST", "/customer/list", [{"name": "C"}, {"email": "nobody@x.no"}])
    assert len(box.books.things["customer"]) == 2
    changed = await checked("PUT", "/customer/list", [{"id": made[0]["id"], "email": "a@b.no"}])
    assert changed[0]["email"] == "a@b.no"


# --- products, projects, departments, contacts ------------------------------------------------------------------------


async def test_products(checked):
    call = checked
    (unit, *_) = await call("GET", "/product/unit", nameShort="stk")
    said = {"name": "Lunsj", "number": "L1", "priceExcludingVatCurrency": 100, "vatType": {"id": 31},
            "productUnit": {"id": unit["id"]}}  # fmt: skip
    made = await call("POST", "/product", said)
    assert (made["priceIncludingVatCurrency"], made["isDeletable"]) == (115, False)
    assert problem(await call.refused("POST", "/product", said)) == ("number", "Produktnummeret er i bruk.")
    other = await call("POST", "/product", {"name": "Middag", "number": "M1", "priceIncludingVatCurrency": 125})
    assert other["priceExcludingVatCurrency"] == 100
    both = await call.client.get("/product?productNumber=L1&productNumber=M1")
    assert len(both.json()["values"]) == 2
    assert [one["id"] for one in await call("GET", "/product", name="mid")] == [other["id"]]
    assert [one["id"] for one in await call("GET", "/product", ids=f"{made['id']}")] == [made["id"]]
    await call("PUT", f"/product/{made['id']}", {"isInactive": True})
    assert len(await call("GET", "/product")) == 2  # both kinds, unlike customers
    assert [one["id"] for one in await call("GET", "/product", isInactive=True)] == [made["id"]]
    await call("DELETE", f"/product/{other['id']}")
    assert (await call.refused("GET", f"/product/{other['id']}"))["code"] == 6000


async def test_departments_and_contacts(checked):
    oslo = await checked("POST", "/department", {"name": "Oslo", "departmentNumber": "10"})
    await checked("POST", "/department", {"name": "Bergen", "departmentNumber": "20", "isInactive": True})
    assert len(await checked("GET", "/department")) == 2
    assert [one["name"] for one in await checked("GET", "/department", isInactive=False)] == ["Oslo"]
    assert [one["id"] for one in await checked("GET", "/department", departmentNumber="1")] == [oslo["id"]]
    await checked("DELETE", f"/department/{oslo['id']}")
    customer = await checked.customer()
    said = {"firstName": "Ola", "lastName": "Hansen", "customer": {"id": customer["id"]}, "email": "o@h.no"}
    contact = await checked("POST", "/contact", said)
    assert contact["displayName"] == "Ola Hansen"
    assert [one["id"] for one in await checked("GET", "/contact", customerId=customer["id"])] == [contact["id"]]
    order = await checked.order(customer=customer["id"], contact={"id": contact["id"]})
    assert (await checked("GET", f"/order/{order['id']}"))["contact"]["id"] == contact["id"]


async def test_projects(checked):
    made = await project(checked)
    assert made["number"] == "1"
    second = await project(checked, name="Vei", number="P-7", startDate="2027-03-01")
    assert problem(await checked.refused("POST", "/project", {"name": "x", "number": "P-7"}))[0] == "projectManager"
    assert [one["id"] for one in await checked("GET", "/project", number="P-7")] == [second["id"]]
    window = {"startDateFrom": "2027-01-01", "startDateTo": "2027-02-01"}
    assert [one["id"] for one in await checked("GET", "/project", **window)] == [made["id"]]
    await checked("PUT", f"/project/{made['id']}", {"isClosed": True})
    assert [one["id"] for one in await checked("GET", "/project", isClosed=False)] == [second["id"]]
    customer = await checked.customer()
    said = {"customer": {"id": customer["id"]}, "orderDate": DATE, "deliveryDate": DATE, "project": {"id": made["id"]}}
    assert problem(await checked.refused("POST", "/order", said)) == ("project", "Objektet er inaktivt.")
    (manager,) = await checked("GET", "/employee", fields="id,displayName")
    assert manager["id"] == made["projectManager"]["id"]


# --- free dimensions --------------------------------------------------------------------------------------------------


async def dimension(call, name, *values):
    made = await call("POST", "/ledger/accountingDimensionName", {"dimensionName": name})
    path = "/ledger/accountingDimensionValue"
    said = [{"displayName": value, "number": value[:2], "dimensionIndex": made["dimensionIndex"]} for value in values]
    return made, [await call("POST", path, one) for one in said]


async def test_three_free_dimensions_on_postings(box, checked):
    call = checked
    seller, (kari, ola) = await dimension(call, "Selger", "Kari", "Ola")
    place, (north,) = await dimension(call, "Sted", "Nord")
    await dimension(call, "Kampanje")
    assert (seller["dimensionIndex"], place["dimensionIndex"], kari["nameAndNumber"]) == (1, 2, "Ka Kari")
    refused = await call.refused("POST", "/ledger/accountingDimensionName", {"dimensionName": "Fire"})
    assert problem(refused)[1] == "Det kan ikke opprettes flere enn 3 dimensjoner."
    with_both = {"freeAccountingDimension1": {"id": kari["id"]}, "freeAccountingDimension2": {"id": north["id"]}}
    await call.voucher((1920, 100, {}), (3000, -100, with_both))
    rows = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01", "accountingDimensionValue1Id": kari["id"]}
    found = await call("GET", "/ledger/posting", **rows, fields="amount,freeAccountingDimension2(displayName)")
    assert found == [{"amount": -100, "freeAccountingDimension2": {"displayName": "Nord"}}]
    wrong = {"row": 1, "account": await call.account(3000), "amountGross": -1,
             "freeAccountingDimension2": {"id": kari["id"]}}  # fmt: skip
    bank = {"row": 1, "account": await call.account(1920), "amountGross": 1}
    refused = await call.refused("POST", "/ledger/voucher", {"date": DATE, "postings": [bank, wrong]})
    assert problem(refused) == ("postings[1].freeAccountingDimension2", "Verdien tilhører en annen dimensjon.")
    assert (await call.refused("DELETE", f"/ledger/accountingDimensionValue/{kari['id']}"))["status"] == 422
    await call("PUT", "/ledger/accountingDimensionValue/list", [{"id": kari["id"], "active": False}])
    search = {"dimensionIndex": 1, "activeOnly": True}
    found = await call("GET", "/ledger/accountingDimensionValue/search", **search)
    assert [one["id"] for one in found] == [ola["id"]]
    inactive = {**wrong, "freeAccountingDimension2": None, "freeAccountingDimension1": {"id": kari["id"]}}
    inactive = {name: value for name, value in inactive.items() if value is not None}
    refused = await call.refused("POST", "/ledger/voucher", {"date": DATE, "postings": [bank, inactive]})
    assert problem(refused) == ("postings[1].freeAccountingDimension1", "Objektet er inaktivt.")
    await call("DELETE", f"/ledger/accountingDimensionValue/{ola['id']}")
    assert (await call.refused("DELETE", f"/ledger/accountingDimensionName/{seller['id']}"))["status"] == 422
    names = await call("GET", "/ledger/accountingDimensionName/search", dimensionIndex=1)
    assert [one["dimensionName"] for one in names] == ["Selger"]
    await call("PUT", f"/ledger/accountingDimensionName/{seller['id']}", {"active": False})
    assert len(await call("GET", "/ledger/accountingDimensionName", activeOnly=True)) == 2


async def test_a_dimension_that_was_never_used_goes_with_its_values(checked):
    made, _ = await dimension(checked, "Selger", "Kari")
    await checked("DELETE", f"/ledger/accountingDimensionName/{made['id']}")
    assert await checked("GET", "/ledger/accountingDimensionValue/search") == []
    again, _ = await dimension(checked, "Sted")
    assert again["dimensionIndex"] == 1


async def test_values_belong_to_a_dimension_that_is_there(checked):
    said = {"displayName": "Kari", "dimensionIndex": 1}
    assert problem(await checked.refused("POST", "/ledger/accountingDimensionValue", said)) == (
        "dimensionIndex", "Dimensjonen finnes ikke.",
    )  # fmt: skip


async def test_payment_types_out(checked):
    (bank, cash) = await checked("GET", "/ledger/paymentTypeOut", sorting="id")
    assert (bank["description"], cash["description"]) == ("Betalt fra bank", "Betalt kontant")
    said = {"description": "Kort", "creditAccount": await checked.account(1900)}
    made = await checked("POST", "/ledger/paymentTypeOut", said)
    assert (await checked("GET", f"/ledger/paymentTypeOut/{made['id']}"))["creditAccount"] == made["creditAccount"]
    await checked("PUT", f"/ledger/paymentTypeOut/{made['id']}", {"isInactive": True})
    assert len(await checked("GET", "/ledger/paymentTypeOut", isInactive=False)) == 2
    await checked("DELETE", f"/ledger/paymentTypeOut/{made['id']}")


@pytest.mark.parametrize(
    ("path", "said", "field"),
    [
        ("/supplier", {}, "name"),
        ("/supplier", {"name": "x", "isSupplier": True}, "isSupplier"),
        ("/supplier", {"name": "x", "email": "nobody"}, "email"),
        ("/supplier", {"name": "x", "isInactive": "no"}, "isInactive"),
        ("/product", {"name": "x", "vatType": {"number": "3"}}, "vatType.id"),
        ("/product", {"name": "x", "priceExcludingVatCurrency": "1"}, "priceExcludingVatCurrency"),
        ("/project", {"name": "x", "projectManager": {"id": 1}}, "startDate"),
        ("/project", {"name": "x", "projectManager": {"id": 99}, "startDate": DATE}, "projectManager.id"),
        ("/project", {"name": "x", "projectManager": {"id": 1}, "startDate": DATE, "endDate": "2026-01-01"}, "endDate"),
        ("/department", {"navn": "x"}, "navn"),
        ("/contact", {"firstName": "x"}, "lastName"),
        ("/ledger/accountingDimensionName", {"dimensionName": "x", "dimensionIndex": 2}, "dimensionIndex"),
        ("/ledger/account", {"number": 1500, "name": "x"}, "number"),
        ("/ledger/account", {"number": 1501}, "name"),
    ],
)
async def test_records_that_are_refused(call, path, said, field):
    before = {type: len(things) for type, things in call.box.books.things.items()}
    assert problem(await call.refused("POST", path, said))[0] == field
    after = {type: len(things) for type, things in call.box.books.things.items()}
    assert after == before


# --- archives ---------------------------------------------------------------------------------------------------------


async def test_documents_at_customers_and_suppliers(checked):
    customer = await checked.customer()
    path = f"/documentArchive/customer/{customer['id']}"
    answer = await checked.upload(path, b"%PDF-1.4 avtale", "avtale.pdf")
    assert answer.status_code == 201
    kept = answer.json()["value"]
    assert (kept["fileName"], kept["mimeType"], kept["size"]) == ("avtale.pdf", "application/pdf", 15)
    assert [one["id"] for one in await checked("GET", path)] == [kept["id"]]
    assert (await checked.raw("GET", f"/document/{kept['id']}/content")).content == b"%PDF-1.4 avtale"
    other = await checked("POST", "/supplier", {"name": "S"})
    assert await checked("GET", f"/documentArchive/supplier/{other['id']}") == []
    assert (await checked.upload("/documentArchive/reception", b"%PDF-1.4")).status_code == 201
    assert (await checked.upload(path, b"text")).status_code == 422
    assert (await checked.upload("/documentArchive/customer/1", b"%PDF-1.4")).status_code == 404
    await checked("DELETE", f"/documentArchive/{kept['id']}")
    assert await checked("GET", path) == []
