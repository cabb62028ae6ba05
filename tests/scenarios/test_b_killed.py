"""Scenario B with workers that are programs of their own, killed at every write of fees, advances and roundings."""

from __future__ import annotations

from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _module(name: str) -> ModuleType:
    spec = spec_from_file_location(f"killed_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


killed, b1, b3 = _module("test_a_killed"), _module("test_b_currency"), _module("test_b_advance")
at_work, balance, kroner = killed.at_work, b1.balance, b1.kroner
VOUCHER, CLOSE = "POST /ledger/voucher", "PUT /ledger/posting/:closePostings"
REVERSE = r"PUT /ledger/voucher/\d+/:reverse"
MOMENTS = ("before", "between", "after")


def buyer(n: int) -> dict[str, Any]:
    return {"buyer": killed.sale(n)["buyer"]}


async def asked_of_a_person(fjord: Any, workers: Any, operations: list[str]) -> int:
    """Answer what cannot be known: a payment that was not taken, by a call with a fate of its own or in the hands of a
    worker that died soon after another call. How often one was asked.
    """
    asked = 0
    while True:
        await workers.until(lambda: killed.over(fjord, operations, ("done", "waiting")))
        waiting = await fjord.get("/v1/attention")
        if not waiting:
            return asked
        for item in waiting:
            assert item["code"] == "outcome-unclear", item
            asked += 1
            answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "did-not-happen"})
            assert answer.status_code == 204


def fates(fjord: Any, workers: Any, *calls: str) -> None:
    for moment in MOMENTS:
        for call in calls:
            fjord.box.fate(call, moment, workers.kill)


async def test_a_payment_and_what_the_bank_kept_are_booked_once(at_work: Any) -> None:
    async with at_work(mapping=b1.NAMED) as (fjord, workers):
        box, sales = fjord.box, range(len(MOMENTS))
        exports = [b1.EXPORT | {"source_id": f"export-{n}"} | buyer(n) for n in sales]
        invoices = await killed.posted(fjord, "/v1/invoices", exports)
        await workers.until(lambda: killed.over(fjord, invoices))
        fates(fjord, workers, killed.PAY, VOUCHER)
        documents = (await fjord.get("/v1/documents", kind="invoice"))["documents"]
        payments = [
            {
                "source_id": f"bank-{n}", "direction": "in", "date": "2027-02-15", "amount": "1000.00",
                "currency": "EUR", "fee": "5.00", "account_amount": "11442.50", "account_currency": "NOK",
                "bank_account": b1.a.OWN_ACCOUNT,
                "allocations": [{"document": {"document_id": one["id"]}, "amount": "1000.00"}],
            }
            for n, one in enumerate(documents)
        ]  # fmt: skip
        told = await killed.posted(fjord, "/v1/payments", payments)
        asked = await asked_of_a_person(fjord, workers, told)
        await workers.until(lambda: killed.over(fjord, told))

        assert box.fates == []
        await workers.died(2 * len(MOMENTS))
        assert asked >= 1  # a payment that was never taken has no mark by which that could be known
        assert balance(box, b1.a.BANK) == 3 * kroner("11 442,50")
        assert balance(box, b1.FEE) == 3 * kroner("57,50")
        assert balance(box, b1.a.RECEIVABLE) == 0

        fates(fjord, workers, REVERSE)
        back = [{"source_id": f"back-{n}", "of": "payment", "of_id": f"bank-{n}", "date": "2027-03-01"} for n in sales]
        told = await killed.posted(fjord, "/v1/reversals", back)
        await workers.until(lambda: killed.over(fjord, told))
        assert box.fates == []
        assert balance(box, b1.a.BANK) == balance(box, b1.FEE) == 0
        assert {Decimal(one["open"]) for one in (await fjord.get("/v1/documents", kind="invoice"))["documents"]} == {
            kroner("1 000,00")
        }
        assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize("way", ["credit", "account"])
async def test_an_advance_is_taken_off_once(at_work: Any, way: str) -> None:
    async with at_work(mapping=b3.ON_AN_ACCOUNT if way == "account" else "{}") as (fjord, workers):
        box, sales = fjord.box, range(len(MOMENTS))
        first = await killed.posted(
            fjord, "/v1/invoices", [b3.a.INVOICE | {"source_id": f"first-{n}"} | buyer(n) for n in sales]
        )
        await workers.until(lambda: killed.over(fjord, first))
        fates(fjord, workers, VOUCHER)
        if way == "credit":
            customers = [{"number": killed.BUYERS[n]} for n in sales]
            credit = [b3.money(f"bank-{n}", "4 000,00", None, customer=customers[n]) for n in sales]
            told = await killed.posted(fjord, "/v1/payments", credit)
            await workers.until(lambda: killed.over(fjord, told))
        sold = [b3.WITH_ADVANCE | {"source_id": f"sale-{n}"} | buyer(n) for n in sales]
        told = await killed.posted(fjord, "/v1/invoices", sold)
        await workers.until(lambda: killed.over(fjord, told))
        fates(fjord, workers, CLOSE)
        rest = [
            b3.money(f"rest-{n}", "8 500,00", None)
            | {"allocations": [{"document": {"source_id": f"sale-{n}"}, "amount": "8500.00"}]}
            for n in sales
        ]
        told = await killed.posted(fjord, "/v1/payments", rest)
        await asked_of_a_person(fjord, workers, told)

        async def matched() -> bool:
            return (await fjord.events()).count("settlement.matched") == len(sales)

        await workers.until(matched)
        assert box.fates == []
        await workers.died(2 * len(MOMENTS))
        assert balance(box, b3.a.RECEIVABLE) == 3 * kroner("12 500,00")  # the first invoices
        assert balance(box, b3.ADVANCES) == (3 * kroner("4 000,00") if way == "account" else 0)
        open_rows = [p for p in box.books.all("posting") if p.get("customer") and not p.get("closeGroup")]
        assert [p["amount"] for p in open_rows] == [kroner("12 500,00")] * len(sales)
        assert await fjord.get("/v1/attention") == []


async def test_ore_are_rounded_away_once(at_work: Any) -> None:
    async with at_work(mapping=b3.ROUNDED) as (fjord, workers):
        box, sales = fjord.box, range(len(MOMENTS))
        first = await killed.posted(
            fjord, "/v1/invoices", [b3.a.INVOICE | {"source_id": f"sale-{n}"} | buyer(n) for n in sales]
        )
        await workers.until(lambda: killed.over(fjord, first))
        fates(fjord, workers, VOUCHER, CLOSE)
        paid = [
            b3.money(f"bank-{n}", "12 499,60", None)
            | {"allocations": [{"document": {"source_id": f"sale-{n}"}, "amount": "12499.60"}]}
            for n in sales
        ]
        told = await killed.posted(fjord, "/v1/payments", paid)
        await asked_of_a_person(fjord, workers, told)

        async def matched() -> bool:
            return (await fjord.events()).count("settlement.matched") == len(sales)

        await workers.until(matched)
        assert box.fates == []
        await workers.died(2 * len(MOMENTS))
        assert balance(box, b3.ROUNDING) == 3 * kroner("0,40")
        assert balance(box, b3.a.RECEIVABLE) == 0
        assert all(p.get("closeGroup") for p in box.books.all("posting") if p.get("customer"))
        assert await fjord.get("/v1/attention") == []
