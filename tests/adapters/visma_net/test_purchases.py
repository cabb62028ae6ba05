"""Incoming invoices: once, with VAT as it is stated, with page and EHF beside them, and not where they are already."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.visma_net.sandbox import Sandbox
from connector.errors import Refused, Stop
from connector.ports import Kind

sys.path.append(str(Path(__file__).parent))
from visma_driving import all_changes, opened, purchase_goal, reach, supplier_goal

RELEASE = {"incoming": "release", "incoming_account": "4300"}


async def bought(system: Any, **more: Any) -> Any:
    return (await reach(system, purchase_goal((await reach(system, supplier_goal()))["read"].id, **more)))["read"]


def purchases(box: Sandbox) -> list[Any]:
    return list(box.books.tables.get("purchase", {}).values())


@pytest.mark.parametrize(
    "fault", ["no-answer", "no-answer-before", "500-after", "500-before", "garbled", "429", "stale"]
)
@pytest.mark.parametrize("way", ["release", "hold"])
async def test_once_whatever_call_is_lost(fault: str, way: str) -> None:
    settings = {**RELEASE, "incoming": way}
    async with Sandbox() as box:
        await bought(opened(box, **settings))
        calls = len(box.requests)
    for number in range(calls):
        async with Sandbox() as box:
            hit = "GET /v1/supplier(Invoice)?$" if fault == "stale" else ""
            box.fault(hit, fault, after=number, seconds=0)
            proof = await bought(opened(box, **settings))
            (row,) = purchases(box)
            assert len(box.books.tables["supplier"]) == 1
            assert proof.id == f"Invoice/{row['referenceNumber']}"
            assert row["status"] == ("Open" if way == "release" else "Hold")
            assert sorted(row["_files"]) == ["1-F-7.pdf", "2-F-7.xml"]


async def test_booked_as_stated() -> None:
    async with Sandbox() as box:
        proof = await bought(opened(box, **RELEASE))
        assert {account: amount for _, account, amount in box.books.entries} == {
            "4300": Decimal(10000), "2710": Decimal("2499.99"), "2400": Decimal("-12499.99"),
        }  # fmt: skip
        shown = proof.record.payable
        assert (shown.number, shown.voucher, shown.open, shown.net) == (
            "F-7", proof.id.partition("/")[2], Decimal("12499.99"), Decimal(10000),
        )  # fmt: skip


async def test_on_hold_it_is_delivered_and_not_booked() -> None:
    async with Sandbox() as box:
        system = opened(box, incoming="hold")
        proof = await bought(system, lines=[])
        assert (proof.record.payable.voucher, proof.record.payable.open) == (None, None)
        assert box.books.entries == []
        found, _ = await all_changes(
            system, Kind.SUPPLIER_INVOICE, await system.begin("supplier_invoice", date(2027, 1, 1))
        )
        assert [one.id for one in found] == [proof.id]


async def test_what_visma_net_has_received_itself_is_not_made_again() -> None:
    async with Sandbox() as box:
        system = opened(box, **RELEASE)
        first = await bought(system)
        again = await bought(system, marker="m-other")
        assert (again.id, again.facts["found"]) == (first.id, True)
        assert len(purchases(box)) == 1
        assert sorted(purchases(box)[0]["_files"]) == ["1-F-7.pdf", "2-F-7.xml"]


async def test_the_same_number_over_another_amount_is_for_a_person() -> None:
    async with Sandbox() as box:
        system = opened(box, **RELEASE)
        await bought(system)
        lines = [{"costInCurrency": Decimal(100), "vatAmount": Decimal(25), "vatCodeId": "1"}]
        with pytest.raises(Stop) as exc:
            await bought(system, marker="m-other", amount=Decimal(125), lines=lines)
        assert exc.value.code == "invoice-in-ledger-differs"


async def test_other_figures_stay_on_hold() -> None:
    async with Sandbox() as box:
        with pytest.raises(Stop) as exc:
            await bought(opened(box, **RELEASE), amount=Decimal("12500.00"))
        assert exc.value.code == "totals-differ"
        assert [row["status"] for row in purchases(box)] == ["Hold"]


async def test_two_groups_of_an_invoice_with_one_code_are_one() -> None:
    """Exempt and zero rated both mean that there is nothing to deduct."""
    parts = (("8000", "2000.00", "1"), ("200", "0", "0"), ("100.50", "0", "0"))
    lines = [{"costInCurrency": Decimal(net), "vatAmount": Decimal(vat), "vatCodeId": code} for net, vat, code in parts]
    async with Sandbox() as box:
        await bought(opened(box, **RELEASE), amount=Decimal("10300.50"), lines=lines)
        (row,) = purchases(box)
        assert {one["vatCode"]["id"]: one["cost"] for one in row["invoiceLines"]} == {
            "1": Decimal(8000), "0": Decimal("300.50"),
        }  # fmt: skip
        assert (row["status"], row["vatTotal"], row["amount"]) == ("Open", Decimal(2000), Decimal("10300.50"))


async def test_a_credit_note_of_a_supplier() -> None:
    async with Sandbox() as box:
        proof = await bought(opened(box, **RELEASE), documentType="DebitAdj")
        assert proof.id.startswith("DebitAdj/")
        assert {account: amount for _, account, amount in box.books.entries}["2400"] == Decimal("12499.99")


@pytest.mark.parametrize(
    ("settings", "more", "code"),
    [
        ({"incoming": "off"}, {}, "incoming-off"),
        ({"incoming": "release"}, {}, "account-missing"),
        (RELEASE, {"lines": []}, "lines-missing"),
        (RELEASE, {"supplierReference": None}, "field-missing"),
        (RELEASE, {"supplier": {}}, "link-missing"),
        (RELEASE, {"lines": [{"costInCurrency": Decimal(10000), "vatAmount": Decimal("2499.99")}]}, "vat-code-missing"),
    ],
)
async def test_what_is_refused_before_anything_is_sent(settings: Any, more: Any, code: str) -> None:
    async with Sandbox() as box:
        goal = purchase_goal("50001")
        with pytest.raises(Refused) as exc:
            opened(box, **settings).flow(replace(goal, record={**goal.record, **more}))
        assert exc.value.code == code
        assert not box.requests
