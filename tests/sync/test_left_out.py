"""Money of an invoice that was left out at the cut-over: told in plain words, and answered; never waiting for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from connector.api.examples import INVOICE_DRAFT
from connector.lanes import Verb
from connector.ports import Kind
from connector.store import documents, first_sync
from connector.sync.first_sync import applying
from connector.sync.onboarding import cutting
from connector.sync.plan import decided

DAY = date(2026, 11, 1)


def draft(name: str, day: str) -> dict[str, Any]:
    return {**INVOICE_DRAFT, "source_id": name, "issue_date": day, "due_date": "2026-12-15"}


def paid(name: str, day: str, *invoices: str, amount: str = "1000.00") -> dict[str, Any]:
    each = [{"document": {"source_id": one}, "amount": amount} for one in invoices]
    total = f"{len(invoices) * float(amount):.2f}"
    return {"source_id": name, "direction": "in", "date": day, "amount": total, "currency": "NOK", "allocations": each}


@pytest.fixture
async def live(both: Any) -> AsyncIterator[Any]:
    """A ledger that was cut over: the invoice `old` was left out, and `new` is in it."""
    async with both(observing="books", bank="source") as two:
        spoke = two.house.named("fjord", "books")
        await two.rehearsed(spoke, DAY)
        for name, day in (("old", "2026-10-15"), ("new", "2026-11-15")):
            answer = await two.post("/v1/invoices", draft(name, day))
            assert answer.status_code == 202, answer.text
        await two.work()
        cut = await cutting.cut_over(two.house.store, two.house, spoke, go_live=None, who="test")
        assert (cut.left, cut.asked > 0) == (1, True)
        await two.work(within=2.5)
        yield two, spoke


def rows(two: Any) -> list[str]:
    """The payments that the ledger was told of."""
    return [one.path for one in two.books.requests if one.method == "PUT" and one.path.endswith("/:payment")]


async def test_a_payment_of_an_invoice_that_was_left_out_says_so_and_can_stay_out(live: Any) -> None:
    two, _ = live
    operation = await two.done("/v1/payments", paid("late", "2026-12-01", "old"))
    assert operation["state"] == "waiting"
    (item,) = await two.get("/v1/attention")
    assert item["code"] == "left-out"
    for word in ("old", "left out of books at the cut-over", "2026-10-15", "2026-11-01", "stays where it was booked"):
        assert word in item["said"], item["said"]
    for word in ("`ignore`", "first-sync propose books", "`opprett`", "`retry`"):
        assert word in item["do"], item["do"]
    assert {"ignore", "retry", "cancel"} <= set(item["verbs"])
    await two.answer("left-out", "ignore")
    assert await two.waits() == []
    assert (await two.get(f"/v1/operations/{operation['id']}"))["state"] == "done"
    assert rows(two) == []
    payment = await two.document(kind="payment")
    assert payment.state != "reversed", "it counts here: the customer has paid"


async def test_a_payment_from_before_the_cut_over_stays_out_with_its_invoice(live: Any) -> None:
    two, _ = live
    operation = await two.done("/v1/payments", paid("early", "2026-10-20", "old"))
    assert operation["state"] == "done"
    assert await two.waits() == []
    assert rows(two) == []


async def test_of_a_payment_over_two_invoices_only_what_was_left_out_waits(live: Any) -> None:
    two, spoke = live
    await two.done("/v1/payments", paid("both", "2026-12-01", "old", "new"))
    assert await two.waits() == ["left-out"]
    assert len(rows(two)) == 1, "what is in the ledger is paid there"
    await two.answer("left-out", "ignore")
    assert await two.waits() == []
    head = await two.document(kind="payment")
    read = two.house.store.read
    assert await read(lambda tx: decided(tx, spoke, documents.get(tx, "fjord", head.id))) is False


async def test_brought_in_after_all_the_payment_goes_on(live: Any) -> None:
    two, spoke = live
    await two.done("/v1/payments", paid("late", "2026-12-01", "old"))
    old = await two.document(kind="invoice", source_id="old")

    def bring_in(tx: Any) -> None:
        first_sync.decide_ours(tx, "fjord", spoke.id, "invoice", old.id, "create")
        assert applying.make(tx, spoke, first_sync.of_document(tx, spoke.id, old.id))

    await two.house.store.write(bring_in)
    await two.work(within=2.5)
    await two.answer("left-out", str(Verb.RETRY))
    await two.work(within=2.5)
    assert await two.waits() == []
    assert len(rows(two)) == 1
    await two.poll(Kind.INVOICE, of="books")
    assert (await two.document(kind="invoice", source_id="old")).open == "11500.00"
