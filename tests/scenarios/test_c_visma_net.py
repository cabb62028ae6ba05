"""Scenario C, step 1 on Visma Net: an incoming EHF is booked there once, as it is stated."""

from __future__ import annotations

import sys
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from incoming_ehf import ehf
from visma_net import TENANT, balance, on_visma_net

STATED = {"net": "10000.00", "vat": "2499.99"}


@pytest.fixture
def founded(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    tenant = TENANT.replace("receives: nobody", "receives: connector\n    hold_new_suppliers: {hold_new}")
    return partial(on_visma_net(founded, monkeypatch), tenant=tenant)


async def deliver(fjord: Any, body: bytes) -> dict[str, Any]:
    answer = await fjord.post("/v1/incoming-invoices", body)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)
    return await fjord.get(answer.headers["location"])


async def test_booked_as_stated_once(founded: Any) -> None:
    async with founded(settings='incoming: release, incoming_account: "4300"') as fjord:
        assert (await deliver(fjord, ehf(**STATED)))["state"] == "done"
        document = await fjord.document(kind="supplier_invoice")
        assert (document.number, document.payable, document.state) == ("F-7", "12499.99", "booked")
        assert [balance(fjord.box, account) for account in ("4300", "2710", "2400")] == [
            Decimal(amount) for amount in ("10000.00", "2499.99", "-12499.99")
        ]
        (row,) = fjord.box.books.tables["purchase"].values()
        assert len(row["_files"]) == 2
        assert ehf(**STATED) in row["_files"].values()

        await fjord.poll()
        await fjord.poll()
        assert len(fjord.box.books.tables["purchase"]) == 1
        assert len((await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]) == 1
        assert await fjord.get("/v1/attention") == []


async def test_on_hold_until_a_person_has_finished_it(founded: Any) -> None:
    async with founded(settings='incoming: hold, incoming_account: "4300"') as fjord:
        assert (await deliver(fjord, ehf(**STATED)))["state"] == "done"
        assert (await fjord.document(kind="supplier_invoice")).state == "delivered"
        (row,) = fjord.box.books.tables["purchase"].values()
        row["status"] = "Balanced"
        fjord.box.books.release_purchase(row)
        await fjord.poll()
        document = await fjord.document(kind="supplier_invoice")
        assert (document.state, document.open) == ("booked", "12499.99")

        fjord.box.books.touch(row, balance=Decimal(0), status="Closed")  # paid there: only the balance tells
        await fjord.poll()
        assert (await fjord.document(kind="supplier_invoice")).state == "paid"
        assert await fjord.get("/v1/attention") == []
