"""Scenario B, step 3: an advance, and the invoice that takes it off; and øre that a payment leaves open."""

from __future__ import annotations

import importlib.util
from datetime import date
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

kroner, balance = a.kroner, a.balance
ADVANCES, ROUNDING = 2900, 7740
BUYER = {"number": a.BUYER["legal_id"]["value"]}
WITH_ADVANCE = a.INVOICE | {"source_id": "sale-advance", "prepaid": "4000.00"}
ON_AN_ACCOUNT = """{kinds: {settlement: {refuse: {advance: null}, fields: {advance-account: {theirs: account.number,
 constant: "2900", only: out, when: {ours: {kind: on_account, by: {present: false}}}}}}}}""".replace("\n", "")
"""The line of the mapping that says on which account of the ledger advances stand."""
ROUNDED = """{kinds: {settlement: {refuse: {rounding: {when: {ours: {kind: rounding, allocations: {any: {amount: {above:
 0.50}}}}}, says: "That is more than øre."}}, fields: {rounding-account: {theirs: account.number, constant: "7740",
 only: out, when: {ours: {kind: rounding}}}}}}}""".replace("\n", "")
"""The lines of the mapping that say how much is rounded away, and on which account."""

WITHOUT_LIMIT = """{kinds: {settlement: {refuse: {rounding: null}, fields: {rounding-account: {theirs: account.number,
 constant: "7740", only: out, when: {ours: {kind: rounding}}}}}}}""".replace("\n", "")
"""Nobody has said how much is rounded away: less than a krone."""


def money(source_id: str, amount: str, document: Any | None, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"source_id": source_id, "direction": "in", "date": "2027-01-20", "currency": "NOK",
                            "amount": str(kroner(amount)), "bank_account": a.OWN_ACCOUNT}  # fmt: skip
    if document is not None:
        said["allocations"] = [{"document": {"document_id": document.id}, "amount": str(kroner(amount))}]
    return said | more


async def paid(fjord: Any, *args: Any, **more: Any) -> Any:
    answer = await fjord.post("/v1/payments", money(*args, **more))
    assert answer.status_code == 202, answer.text
    await fjord.work(within=1)
    return await fjord.get(answer.headers["location"])


async def invoice(fjord: Any) -> Any:
    return await fjord.document(kind="invoice", source_id="sale-advance")


def all_matched(fjord: Any) -> bool:
    """Whether every row on the customer's account is closed against others."""
    return all(row.get("closeGroup") for row in fjord.box.books.all("posting") if row.get("customer"))


async def owed(fjord: Any) -> Decimal:
    """What the customer owes in the ledger."""
    [customer] = {row["customer"] for row in fjord.box.books.all("posting") if row.get("customer")}
    return fjord.box.books.open_of(customer)


async def test_3_the_receivable_is_the_whole_less_the_credit(fjord: Any) -> None:
    await a.sold(fjord, a.INVOICE | {"source_id": "earlier"})  # makes the customer known
    await paid(fjord, "bank-0", "12 500,00", await fjord.document(kind="invoice"))
    await paid(fjord, "bank-1", "4 000,00", None, date="2027-01-10", customer=BUYER)
    document = await a.sold(fjord, WITH_ADVANCE)

    assert Decimal(document.payable) == kroner("12 500,00")
    assert Decimal((await invoice(fjord)).open) == kroner("8 500,00")
    assert Decimal((await fjord.document(kind="payment", source_id="bank-1")).open) == 0
    there = a.issued(fjord.box)[-1]
    assert there["amountCurrency"] == kroner("12 500,00")
    assert there["amountCurrency"] - there["amountExcludingVatCurrency"] == kroner("2 340,00")
    assert balance(fjord.box, a.RECEIVABLE) == await owed(fjord) == kroner("8 500,00")
    bank = balance(fjord.box, a.BANK)

    # Once the rest is paid, credit and invoice are matched in the ledger: once, and without any money moving.
    await paid(fjord, "bank-2", "8 500,00", document)
    for _ in range(3):
        await fjord.poll()
    assert balance(fjord.box, a.RECEIVABLE) == await owed(fjord) == Decimal((await invoice(fjord)).open) == 0
    assert all_matched(fjord)
    assert there["amountCurrencyOutstanding"]() == 0
    assert balance(fjord.box, a.BANK) == bank + kroner("8 500,00")
    closings = [r for r in fjord.box.requests if r.path.endswith(":closePostings")]
    assert len(closings) == 1
    assert (await fjord.events()).count("settlement.matched") == 1
    assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 3
    assert await fjord.get("/v1/attention") == []


async def test_3_the_rest_paid_in_the_ledger_matches_it_too(fjord: Any) -> None:
    await a.sold(fjord, a.INVOICE | {"source_id": "earlier"})
    await paid(fjord, "bank-1", "4 000,00", None, customer=BUYER)
    document = await a.sold(fjord, WITH_ADVANCE)
    fjord.box.payment(int(document.links[0]["vendor_id"]), kroner("8 500,00"), date(2027, 2, 1))
    for _ in range(2):
        await fjord.poll()
    await fjord.work(within=1)
    assert Decimal((await invoice(fjord)).open) == 0
    assert a.issued(fjord.box)[-1]["amountCurrencyOutstanding"]() == 0
    assert balance(fjord.box, a.RECEIVABLE) == await owed(fjord) == kroner("12 500,00")  # the earlier invoice
    assert await fjord.get("/v1/attention") == []


async def test_3_paid_in_advance_in_full_it_is_matched_at_once(fjord: Any) -> None:
    await a.sold(fjord, a.INVOICE | {"source_id": "earlier"})
    await paid(fjord, "bank-1", "12 500,00", None, customer=BUYER)
    await a.sold(fjord, WITH_ADVANCE | {"prepaid": "12500.00"})
    await fjord.work(within=1)
    document = await invoice(fjord)
    assert (Decimal(document.open), document.state) == (0, "paid")
    assert a.issued(fjord.box)[-1]["amountCurrencyOutstanding"]() == 0
    assert await fjord.get("/v1/attention") == []


async def test_3_two_advances_are_matched_together(fjord: Any) -> None:
    await a.sold(fjord, a.INVOICE | {"source_id": "earlier"})
    await paid(fjord, "bank-0", "12 500,00", await fjord.document(kind="invoice"))
    await paid(fjord, "bank-1", "1 500,00", None, date="2027-01-10", customer=BUYER)
    await paid(fjord, "bank-2", "2 500,00", None, date="2027-01-11", customer=BUYER)
    document = await a.sold(fjord, WITH_ADVANCE)
    assert await owed(fjord) == Decimal((await invoice(fjord)).open) == kroner("8 500,00")
    await paid(fjord, "bank-3", "8 500,00", document)
    await fjord.work(within=1)
    assert all_matched(fjord)
    assert (await fjord.events()).count("settlement.matched") == 2
    assert await fjord.get("/v1/attention") == []


async def test_3_without_credit_it_stops_before_anything_is_issued(fjord: Any) -> None:
    answer = await fjord.post("/v1/invoices", WITH_ADVANCE)
    await fjord.work()
    assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "prepaid-without-credit"
    assert "kinds.settlement" in item["do"]
    assert a.vouchers(fjord.box) == []


async def test_3_an_advance_that_stands_on_an_account_of_the_ledger(founded: Any) -> None:
    """It was booked there when it came; the line of the mapping says where, and it is taken from there once."""
    async with founded(mapping=ON_AN_ACCOUNT) as fjord:
        document = await a.sold(fjord, WITH_ADVANCE)
        await fjord.work(within=1)
        assert balance(fjord.box, ADVANCES) == kroner("4 000,00")  # against what stood there before
        assert balance(fjord.box, a.RECEIVABLE) == Decimal((await invoice(fjord)).open) == kroner("8 500,00")
        await paid(fjord, "bank-1", "8 500,00", document)
        for _ in range(3):
            await fjord.poll()
        assert balance(fjord.box, ADVANCES) == kroner("4 000,00")
        assert balance(fjord.box, a.RECEIVABLE) == Decimal((await invoice(fjord)).open) == 0
        assert all_matched(fjord)
        assert balance(fjord.box, a.BANK) == kroner("8 500,00")
        assert await fjord.get("/v1/attention") == []


# --- øre of a payment -------------------------------------------------------------------------------------------------


async def test_ore_that_are_left_are_rounded_away_where_the_mapping_says_so(founded: Any) -> None:
    async with founded(mapping=ROUNDED) as fjord:
        document = await a.sold(fjord)
        await paid(fjord, "bank-1", "12 499,50", document)
        for _ in range(3):
            await fjord.poll()
        document = await fjord.document(kind="invoice")
        assert (Decimal(document.open), document.state) == (0, "paid")
        assert balance(fjord.box, a.RECEIVABLE) == 0
        assert balance(fjord.box, ROUNDING) == kroner("0,50")
        assert balance(fjord.box, a.BANK) == kroner("12 499,50")
        assert all_matched(fjord)
        (settlement,) = (await fjord.get("/v1/documents", kind="settlement"))["documents"]
        assert (await fjord.get(f"/v1/documents/{settlement['id']}"))["body"]["kind"] == "rounding"
        assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize(
    ("mapping", "paid_"), [(ROUNDED, "12 499,49"), ("{}", "12 499,50"), (WITHOUT_LIMIT, "12 499,00")]
)
async def test_more_than_that_or_without_the_lines_stays_open(founded: Any, mapping: str, paid_: str) -> None:
    async with founded(mapping=mapping) as fjord:
        document = await a.sold(fjord)
        await paid(fjord, "bank-1", paid_, document)
        left = kroner("12 500,00") - kroner(paid_)
        assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, a.RECEIVABLE) == left
        assert balance(fjord.box, ROUNDING) == 0
        assert await fjord.get("/v1/attention") == []
