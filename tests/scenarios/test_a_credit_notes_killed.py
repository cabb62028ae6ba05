"""Scenario A.3 with workers that are programs of their own, killed at every write of a credit note: each once."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

_spec = spec_from_file_location("killed_at_work", Path(__file__).parent / "test_a_killed.py")
assert _spec is not None
assert _spec.loader is not None
killed = module_from_spec(_spec)
_spec.loader.exec_module(killed)
at_work = killed.at_work

WHOLE = r"PUT /invoice/\d+/:createCreditNote"
MOMENTS = ("before", "between", "after")
READS = (r"GET /invoice\?", r"GET /invoice/\d+", r"GET /order/\d+")


def credit(n: int, *, whole: bool) -> dict[str, Any]:
    """All of a sale credited, or two of its hours and five of its lunches."""
    sale = killed.sale(n)
    counted = [line if whole else line | {"quantity": q} for line, q in zip(sale["lines"], ("2", "5"), strict=True)]
    del sale["due_date"]
    return sale | {
        "type_code": "381", "source_id": f"credit-{n}", "issue_date": "2027-03-10", "lines": counted,
        "preceding_invoices": [{"source_id": f"sale-{n}"}],
    }  # fmt: skip


async def credited_once(fjord: Any, workers: Any, calls: tuple[str, ...], *, whole: bool) -> None:
    """One sale for each moment; a worker dies in each of these calls at each of these moments of crediting them."""
    box, sales = fjord.box, range(len(MOMENTS))
    invoices = await killed.posted(fjord, "/v1/invoices", [killed.sale(n) for n in sales])
    await workers.until(lambda: killed.over(fjord, invoices))
    for n in sales:
        for call in calls:
            box.fate(call, MOMENTS[n], workers.kill)
    notes = await killed.posted(fjord, "/v1/invoices", [credit(n, whole=whole) for n in sales])
    await workers.until(lambda: killed.over(fjord, notes))

    assert [call for call, _, _ in box.fates] == []
    await workers.died(len(calls) * len(MOMENTS))
    things = box.books.things["invoice"].values()
    made = [one for one in things if one["isCharged"] and one["isCreditNote"]]
    amount = Decimal("12500.00") if whole else Decimal("3125.00")
    assert [one["amount"] for one in made] == [-amount] * len(sales)
    assert set(Counter(one["creditedInvoice"] for one in made).values()) == {1}
    assert len({one["creditedInvoice"] for one in made}) == len(sales)
    assert len(box.books.things["order"]) == len(sales) * (1 if whole else 2)
    assert await fjord.get("/v1/attention") == []
    documents = (await fjord.get("/v1/documents", kind="invoice"))["documents"]
    assert {Decimal(one["payable"]) - Decimal(one["open"]) for one in documents} == {amount}
    events = (await fjord.get("/v1/changes", limit=1000))["events"]
    told = [event["document"] for event in events if event["kind"] == "invoice.credited"]
    assert sorted(told) == sorted(one["id"] for one in documents)


async def test_killed_at_every_write_of_a_part(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        await credited_once(fjord, workers, (killed.ORDER, killed.INVOICE), whole=False)


async def test_killed_at_every_write_of_a_whole(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        await credited_once(fjord, workers, (WHOLE,), whole=True)


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
@pytest.mark.parametrize("whole", [False, True])
async def test_killed_at_every_read_of_a_credit_note(at_work: Any, whole: bool) -> None:
    async with at_work() as (fjord, workers):
        await credited_once(fjord, workers, READS[:2] if whole else READS, whole=whole)
