"""Scenarios A and B issued elsewhere, with workers that are programs of their own, killed at every write: each once."""

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


killed, external, b = _beside("test_a_killed"), _beside("test_a_external"), _beside("test_b_external")
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


def euro(n: int, amount: str, arrived: str, **more: Any) -> dict[str, Any]:
    return money(n, amount, currency="EUR", account_amount=arrived, account_currency="NOK") | more


IN_EURO: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("/v1/invoices", b.EXPORT | {"number": "10016", "source_id": "earlier", "payment_means": []}, ()),
    ("/v1/payments", euro(1, "1000.00", "11442.50", fee="5.00", kid=None,
                          allocations=[{"document": {"number": "10016"}, "amount": "1000.00"}]), (VOUCHER, CLOSE)),
    ("/v1/payments", euro(2, "400.00", "4560.00", kid=None, customer=BACK["customer"]), ()),
    ("/v1/invoices", b.EXPORT | {"prepaid": "400.00"}, (VOUCHER,)),
    ("/v1/payments", euro(3, "599.70", "6926.54"), (VOUCHER, VOUCHER, CLOSE)),
)  # fmt: skip
"""An export and what the bank kept of its payment; one with an advance, and a payment that leaves some cents: the
writes that are others than above.
"""
MAPPED = "{" + b.b1.FEE_LINE.removesuffix("}") + ", " + b.b3.ROUNDED.removeprefix("{kinds: {").removesuffix("}}") + "}}"
"""The lines of the mapping that name the accounts of fees and of roundings."""


async def lived(fjord: Any, workers: Any, moment: str, life: Any = LIFE) -> None:
    """What is posted is done; the worker dies in each write at this moment."""
    box, kills = fjord.box, 0
    for path, body, calls in life:
        for call in calls:
            box.fate(call, moment, workers.kill)
        kills += len(calls)
        operations = await killed.posted(fjord, path, [body])
        await workers.until(lambda operations=operations: killed.over(fjord, operations))
        await workers.until(lambda: _none_left(box))
    await workers.died(kills)


async def _none_left(box: Any) -> bool:
    return [call for call, _, _ in box.fates] == []


async def lived_once(fjord: Any, workers: Any, moment: str) -> None:
    """The whole life of the invoice of scenario A."""
    box = fjord.box
    await lived(fjord, workers, moment)
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


async def euro_once(fjord: Any, workers: Any, moment: str) -> None:
    """The invoices in euro: every row is matched, and all that is left in kroner is agio."""
    box = fjord.box
    await lived(fjord, workers, moment, IN_EURO)

    async def matched() -> bool:
        return (await fjord.events()).count("settlement.matched") == 2

    await workers.until(matched)
    numbers = Counter(
        one["externalVoucherNumber"] for one in external.vouchers(box) if one.get("externalVoucherNumber")
    )
    assert (len(numbers), set(numbers.values())) == (6, {1})
    assert external.balance(box, external.RECEIVABLE) == 0
    assert external.balance(box, external.BANK) == Decimal("11442.50") + Decimal("4560.00") + Decimal("6926.54")
    assert external.balance(box, b.b1.FEE) == Decimal("57.50")
    assert external.balance(box, b.b3.ROUNDING) == Decimal("3.45")
    assert all(row.get("closeGroup") for row in external.customer_rows(box))
    assert {one["open"] for one in (await fjord.get("/v1/documents", kind="invoice"))["documents"]} == {"0.00"}
    assert await fjord.get("/v1/attention") == []


async def test_in_euro_killed_between_call_and_answer_at_every_write(at_work: Any) -> None:
    async with at_work(issues="source", mapping=MAPPED) as (fjord, workers):
        await euro_once(fjord, workers, "between")


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
@pytest.mark.parametrize("moment", ["before", "on the way", "after"])
async def test_in_euro_killed_at_other_moments(at_work: Any, moment: str) -> None:
    async with at_work(issues="source", mapping=MAPPED) as (fjord, workers):
        await euro_once(fjord, workers, moment)


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
@pytest.mark.parametrize("moment", ["before", "on the way", "after"])
async def test_killed_at_other_moments(at_work: Any, moment: str) -> None:
    async with at_work(issues="source") as (fjord, workers):
        await lived_once(fjord, workers, moment)
