"""A plan of a whole company: an invoice, what is paid of it and what is credited, shown, saved, and done once."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from connector.errors import Stop
from connector.model.json import dumps
from connector.store import connections
from connector.sync import planned
from connector.sync.catching_up import catch_up
from connector.sync.plan import plan


def scenario(name: str) -> Any:
    """Another scenario's helpers."""
    spec = spec_from_file_location(name, Path(__file__).parent / f"test_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


notes, facts = scenario("a_credit_notes"), scenario("a_ledger_facts")


async def test_what_is_paid_and_credited_is_planned_and_done_once(fjord: Any) -> None:
    (spoke,) = fjord.house.spokes()
    assert (await fjord.post("/v1/invoices", notes.INVOICE)).status_code == 202
    await fjord.work(within=1)
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
    paid = {
        "source_id": "pay-1", "direction": "in", "date": "2027-03-12", "amount": "1000.00", "currency": "NOK",
        "bank_account": "15032080119",
        "allocations": [{"document": {"source_id": notes.INVOICE["source_id"]}, "amount": "1000.00"}],
    }  # fmt: skip
    for path, body in (("invoices", notes.credit()), ("payments", paid)):
        answer = await fjord.post(f"/v1/{path}", body)
        assert answer.status_code == 202, answer.text
    await fjord.work()
    steps = await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke))
    assert [(step.action, step.kind, step.payable) for step in steps] == [
        ("credit", "credit_note", "3125.00"), ("pay", "payment", "1000.00"),
    ]  # fmt: skip
    saved = planned.read(dumps(await fjord.house.store.read(lambda tx: planned.save(tx, spoke, steps))))
    await fjord.house.store.write(lambda tx: planned.do(tx, fjord.house, spoke, saved, who="kari", activate=True))
    await fjord.work(within=2)
    assert await fjord.get("/v1/attention") == []
    counts = await fjord.house.store.read(lambda tx: planned.outcome(tx, spoke, saved))
    assert counts == {"done": 2, "cancelled": 0, "waiting": 0, "open": 0}
    with pytest.raises(Stop):
        await fjord.house.store.write(lambda tx: planned.do(tx, fjord.house, spoke, saved, who="kari"))
    calls = len(fjord.box.requests)
    assert await catch_up(fjord.house.store, fjord.house, spoke) == 0
    await fjord.work()
    assert len(fjord.box.requests) == calls
    left = await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke, leave=True))
    assert {step.action for step in left} == {"leave"}


async def test_a_payment_that_is_one_row_in_the_ledger_is_whole(fjord: Any) -> None:
    """Somebody books money on the customer's account there, and matches the row with two invoices: it is one row there,
    although it settles two, and nothing of it is missing.
    """
    (spoke,) = fjord.house.spokes()
    for name in ("order-1", "order-2"):
        assert (await fjord.post("/v1/invoices", facts.a.INVOICE | {"source_id": name})).status_code == 202
    await fjord.work(within=1)
    both = [await fjord.document(kind="invoice", source_id=name) for name in ("order-1", "order-2")]
    row = facts.booked(fjord, both[0], facts.BANK, "25 000,00")
    await fjord.poll()
    facts.matched(fjord, *(one for document in both for one in facts.open_rows(fjord, document)), row)
    await fjord.poll()
    assert [(await facts.invoice(fjord, name))[0] for name in ("order-1", "order-2")] == ["paid", "paid"]
    assert await catch_up(fjord.house.store, fjord.house, spoke) == 0
    assert await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke)) == []
    whole = await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke, leave=True))
    assert [(one.action, one.reason) for one in whole if one.kind == "payment"] == [("leave", "it is there already")]
