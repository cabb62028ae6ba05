"""What the adapter sends and the sandbox answers is in Visma's own description: paths, parameters, fields, types."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.ports import File, Goal, Kind, Totals

sys.path.append(str(Path(__file__).parent))
from visma_contract import Checked, described
from visma_driving import (
    all_changes,
    credit_goal,
    customer_goal,
    invoice_goal,
    item_goal,
    line,
    opened,
    payment_goal,
    purchase_goal,
    reach,
    reversal_goal,
    supplier_goal,
)


@pytest.mark.parametrize("release", ["queued", "done", "background"])
async def test_every_call_and_answer(release: str) -> None:
    contract = described()
    async with Checked(release=release) as box:
        box.contract = contract
        places = {"department": 1, "Kampanje": 2, "location": "branch", "project": "project"}
        carried: dict[str, Any] = {
            "department": {"id": "10"}, "project": {"id": "801"}, "location": "2",
            "dimensions": [{"name": "Kampanje", "valueId": "K1"}],
        }  # fmt: skip
        system = opened(
            box, branch="1", incoming="release", incoming_account="4300", item_class="NONSTOCK", dimensions=places,
            empty_segments={1: "000"}, cash_accounts={"EUR": "1921"}, fee_entry_type="BANKGEBYR",
        )  # fmt: skip
        await system.probe()
        await system.options()
        cursors = {one.kind: await system.begin(one.kind, date(2027, 1, 1)) for one in system.readings}
        box.fault("POST /v1/customer", "no-answer")
        id = (await reach(system, customer_goal()))["read"].id
        contact = {"mainContact": {"email": "ola@nordmann.no", "phone1": "99999999"}, "corporateId": None}
        box.fault("POST /v1/customer", "no-answer")
        await reach(system, customer_goal("m-ola", name="Ola Nordmann", **contact))
        await reach(system, Goal(Kind.CUSTOMER, "update", "m-2", {"name": "Kjøper II AS", "gln": None}, target=id))
        box.fault("POST /v2/customerinvoice", "no-answer")
        made = (await reach(system, invoice_goal(id, note="Takk", **carried)))["read"].id
        box.fault("POST /v1/inventory", "no-answer")
        item = (await reach(system, item_goal()))["read"].id
        await reach(system, Goal(Kind.PRODUCT, "update", "m-4", {"status": "Inactive"}, target=item))
        await reach(system, Goal(Kind.PRODUCT, "update", "m-5", {"status": "Active"}, target=item))
        sold = [line("Timer", 8, "1020.00", "3") | {"inventory": {"inventoryId": int(item)}}]
        sums = {"net": "8160.00", "vat": "2040.00", "gross": "10200.00"}
        await reach(system, invoice_goal(id, "m-6", sums, invoiceLines=sold))
        for kind, code in ((Kind.DEPARTMENT, "10"), (Kind.PROJECT, "P1")):
            await reach(system, Goal(kind, "create", f"m-{code}", {"valueId": code}, may_create=False))
        box.fault("POST /v1/customerPayment", "no-answer")
        await reach(system, payment_goal(id, (made, "5000.00"), amount="6000.00"))
        box.fault("POST /v2/customerCreditNote", "no-answer")
        note = (await reach(system, credit_goal(id, made)))["read"].id
        box.fault("POST /v1/customerPayment/.*/void", "no-answer")
        wrong = (await reach(system, payment_goal(id, (made, "100.00"), marker="m-wrong")))["read"].id
        await reach(system, reversal_goal(wrong))
        box.fault("POST /v1/supplier$", "no-answer")
        seller = (await reach(system, supplier_goal()))["read"].id
        await reach(system, Goal(Kind.SUPPLIER, "update", "m-3", {"name": "Selger II AS"}, target=seller))
        box.fault("POST /v1/supplierInvoice$", "no-answer")
        bought = (await reach(system, purchase_goal(seller, **carried)))["read"].id
        page = (File("Merknad.pdf", "application/pdf", b"%PDF-1.4", "page"),)
        for kind, at in ((Kind.INVOICE, made), (Kind.CREDIT_NOTE, note), (Kind.SUPPLIER_INVOICE, bought)):
            box.fault("POST .*/attachment", "no-answer")
            await reach(system, Goal(kind, "note", f"m-n-{kind}", {}, target=at, files=page))
        box.pays((made, "100.00"), day=date(2027, 2, 2), lost="1.00")
        box.books.write_off(made, Decimal(1), date(2027, 2, 3), "TAP")
        refund = box.pays(amount="10.00", customer="10001", type="Refund", day=date(2027, 2, 4))["refNbr"]
        box.voids(refund, type="Refund", day=date(2027, 2, 5))
        euro = invoice_goal(
            id, "m-euro", currencyId="EUR", invoiceLines=[line("Consulting", 1, "1000.00", "52", "3150")]
        )
        totals = Totals("EUR", Decimal(1000), Decimal(0), Decimal(1000))
        export = (await reach(system, replace(euro, totals=totals)))["read"].id
        given = payment_goal(id, (export, "400.00"), marker="m-fee", currency="EUR", deductedCharges=Decimal(5))
        await reach(system, given)
        for kind, cursor in cursors.items():
            _, after = await all_changes(system, kind, cursor)
            await all_changes(system, kind, after)
            await system.sweep(kind, date(2027, 1, 1), date(2028, 1, 1), None)
        made_there = {
            Kind.CUSTOMER: id,
            Kind.INVOICE: made,
            Kind.CREDIT_NOTE: note,
            Kind.PAYMENT: "Payment/100001",
            Kind.SETTLEMENT: next(
                f"{one['type']}/{one['refNbr']}/write-off/{made}"
                for one in box.books.tables["payment"].values()
                if one["type"] == "SmallBalanceWo"
            ),
            Kind.REVERSAL: wrong.replace("Payment", "VoidPayment"),
            Kind.SUPPLIER: seller,
            Kind.SUPPLIER_INVOICE: bought,
            Kind.PRODUCT: item,
            Kind.DEPARTMENT: "10",
            Kind.PROJECT: "801",
            Kind.DIMENSION: "Kampanje/K1",
        }
        for kind, key in made_there.items():
            assert (await system.read(kind, key)) is not None
        assert await system.document(Kind.INVOICE, made) is not None
        await system.close()
    contract.check_requests(box.requests)
    assert box.broke == []


def sent(box: Any, call: str) -> list[Any]:
    return [came.body for came in box.requests if f"{came.method} {came.path.removeprefix('/api')}" == call]


async def test_values_are_wrapped_once_and_lists_not() -> None:
    async with Checked() as box:
        box.contract = described()
        system = opened(box)
        id = (await reach(system, customer_goal()))["read"].id
        await reach(system, invoice_goal(id))
        (customer,) = sent(box, "POST /v1/customer")
        assert customer["mainAddress"]["value"]["countryId"] == {"value": "NO"}
        (invoice,) = sent(box, "POST /v2/customerinvoice")
        assert invoice["customerNumber"] == {"value": "10001"}
        assert [line["operation"] for line in invoice["invoiceLines"]] == ["Insert", "Insert"]
        assert (invoice["sendToAutoInvoice"], invoice["hold"]) == ({"value": False}, {"value": False})
