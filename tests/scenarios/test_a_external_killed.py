"""Scenario A issued elsewhere, with workers that are programs of their own, killed at every write: each once."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _beside(name: str) -> ModuleType:
    spec = spec_from_file_location(f"{name}_for_external", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


killed, external = _beside("test_a_killed"), _beside("test_a_external")
at_work = killed.at_work

VOUCHER, ATTACH, CLOSE = (
    "POST /ledger/voucher",
    r"POST /ledger/voucher/\d+/attachment",
    "PUT /ledger/posting/:closePostings",
)
BACK = {
    "kind": "refund",
    "direction": "out",
    "kid": None,
    "customer": {"number": external.a.BUYER["legal_id"]["value"]},
}


def money(n: int, amount: str, **more: Any) -> dict[str, Any]:
    return {"source_id": f"bank-{n}", "direction": "in", "date": "2027-03-12", "amount": amount, "currency": "NOK",
            "bank_account": external.a.OWN_ACCOUNT, "kid": external.KID} | more  # fmt: skip


LIFE: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("/v1/invoices", external.INVOICE, ("POST /customer", VOUCHER, ATTACH)),
    ("/v1/payments", money(1, "5000.00"), (VOUCHER,)),
    ("/v1/invoices", external.credit(), (VOUCHER, ATTACH)),
    ("/v1/payments", money(2, "4375.00"), (VOUCHER, CLOSE)),
    ("/v1/payments", money(3, "4375.00"), (VOUCHER,)),
    ("/v1/payments", money(4, "4375.00", **BACK), (VOUCHER, CLOSE)),
)
"""What is posted, one after the other, and the writes that each comes to."""


async def lived_once(fjord: Any, workers: Any, moment: str) -> None:
    """The whole life of the invoice; the worker dies in each write at this moment."""
    box, kills = fjord.box, 0
    for path, body, calls in LIFE:
        for call in calls:
            box.fate(call, moment, workers.kill)
        kills += len(calls)
        operations = await killed.posted(fjord, path, [body])
        await workers.until(lambda operations=operations: killed.over(fjord, operations))
        assert [call for call, _, _ in box.fates] == [], body
    await workers.died(kills)

    vouchers = external.vouchers(box)
    assert len(vouchers) == len(LIFE)
    assert set(Counter(voucher["externalVoucherNumber"] for voucher in vouchers).values()) == {1}
    assert [len(box.books.find(one["attachment"])["_uploads"]) for one in vouchers if one.get("attachment")] == [1, 1]
    assert len([one for one in box.books.things["customer"].values() if one["name"] == "Eksempel AS"]) == 1
    assert external.balance(box, external.RECEIVABLE) == 0
    assert external.balance(box, external.BANK) == Decimal("9375.00")
    assert [len(group) for group in external.groups(box)] == [4, 2]
    assert all(row.get("closeGroup") for row in external.customer_rows(box))
    assert {one["open"] for one in (await fjord.get("/v1/documents"))["documents"] if "open" in one} == {"0.00"}
    assert await fjord.get("/v1/attention") == []
    events = Counter(await fjord.events())
    assert (events["invoice.booked"], events["credit_note.booked"], events["invoice.credited"]) == (1, 1, 1)
    assert (events["payment.received"], events["credit.received"], events["payment.refunded"]) == (2, 1, 1)


async def test_killed_between_call_and_answer_at_every_write(at_work: Any) -> None:
    async with at_work(issues="source") as (fjord, workers):
        await lived_once(fjord, workers, "between")


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
@pytest.mark.parametrize("moment", ["before", "on the way", "after"])
async def test_killed_at_other_moments(at_work: Any, moment: str) -> None:
    async with at_work(issues="source") as (fjord, workers):
        await lived_once(fjord, workers, moment)
