"""Scenario B, step 2: a domestic invoice in euro that states its VAT in kroner (BT-111)."""

from __future__ import annotations

import importlib.util
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

_path = Path(__file__).with_name("test_a_domestic_invoice.py")
_spec = importlib.util.spec_from_file_location("scenario_a", _path)
assert _spec is not None
assert _spec.loader is not None
a = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(a)

kroner = a.kroner
IN_EURO: dict[str, Any] = a.INVOICE | {
    "source_id": "sale-euro",
    "currency": "EUR",
    "tax_currency": "NOK",
    "tax_in_accounting_currency": "2875.00",
    "lines": [
        {"id": "1", "name": "Rådgivning", "quantity": "1", "unit_code": "C62", "price": "1000.00",
         "vat_category": "S", "vat_rate": "25", "vat_code": "3"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("shown", [True, False])
async def test_2_a_ledger_with_another_rate_is_stopped_before_release(founded: Any, shown: bool) -> None:
    """Whether the ledger shows what is to come, or only its rate."""
    async with founded(preliminary=shown) as fjord:
        books = fjord.box.books
        books.rates["EUR"] = Decimal("11.523")
        answer = await fjord.post("/v1/invoices", IN_EURO)
        await fjord.work()

        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "totals-differ"
        for figure in ("2880.75", "2875.00", "5.75"):
            assert figure in item["said"]
        assert item["details"]["details"]["difference"] == "5.75"
        assert a.issued(fjord.box) == a.vouchers(fjord.box) == []
        assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"

        # The bookkeeper puts the rate of the invoice into the ledger and has it tried again.
        books.rates["EUR"] = Decimal("11.50")
        for order in books.things["order"].values():
            if shown:
                books.find(order["preliminaryInvoice"]).update(books.preliminary(order))
        await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
        await fjord.work()
        assert (await fjord.get(answer.headers["location"]))["state"] == "done"
        assert len(a.issued(fjord.box)) == len(books.things["order"]) == 1
        assert a.balance(fjord.box, 2700) == kroner("-2 875,00")
        assert await fjord.get("/v1/attention") == []


async def test_2_the_same_vat_in_kroner_passes(fjord: Any) -> None:
    document = await a.sold(fjord, IN_EURO)  # 250 EUR by the ledger's own rate of 11,50
    assert a.balance(fjord.box, 2700) == kroner("-2 875,00")
    assert Decimal(document.open) == kroner("1 250,00")
    await fjord.poll()
    await fjord.poll()
    assert await fjord.get("/v1/attention") == []


async def test_2_without_a_statement_in_kroner_the_rate_is_the_ledgers_own(fjord: Any) -> None:
    fjord.box.books.rates["EUR"] = Decimal("11.523")
    plain = {name: value for name, value in IN_EURO.items() if not name.startswith("tax_")}
    await a.sold(fjord, plain)
    assert a.balance(fjord.box, 2700) == kroner("-2 880,75")
    assert await fjord.get("/v1/attention") == []
