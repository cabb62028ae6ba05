"""Scenario B on Visma Net: another currency with a fee, VAT stated in kroner, an advance, a closed period."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from test_a_visma_net import INVOICE, OWN_ACCOUNT, sold
from visma_net import balance, invoices, on_visma_net, payments

EXPORT: dict[str, Any] = INVOICE | {
    "source_id": "export-1",
    "currency": "EUR",
    "lines": [{"id": "1", "name": "Consulting", "quantity": "1", "unit_code": "C62", "price": "1000.00",
               "vat_category": "G", "vat_rate": "0", "vat_code": "52"}],
}  # fmt: skip
SETTINGS = 'cash_accounts: {EUR: "1921"}, fee_entry_type: BANKGEBYR'


@pytest.fixture
def founded(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    return on_visma_net(founded, monkeypatch)


@pytest.fixture
async def fjord(founded: Any) -> AsyncIterator[Any]:
    async with founded(settings=SETTINGS) as made:
        yield made


async def paid(fjord: Any, source_id: str, amount: str, document: Any, **more: Any) -> Any:
    """So many euro for an invoice, on an account in euro."""
    said = {
        "source_id": source_id, "direction": "in", "date": "2027-02-15", "amount": amount, "currency": "EUR",
        "bank_account": OWN_ACCOUNT,
        "allocations": [{"document": {"document_id": document.id}, "amount": amount}], **more,
    }  # fmt: skip
    answer = await fjord.post("/v1/payments", said)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)
    return await fjord.get(answer.headers["location"])


async def settled_without_a_word(fjord: Any) -> None:
    """Nothing is open on any side, nobody is asked, and the ledger's own rate is no drift."""
    for _ in range(3):
        await fjord.poll()
    (there,) = invoices(fjord.box)
    document = await fjord.document(kind="invoice")
    assert (there["balance"], Decimal(document.open), document.state) == (0, 0, "paid")
    assert balance(fjord.box, "1500") == 0
    assert sum(amount for _, _, amount in fjord.box.books.entries) == 0
    assert await fjord.get("/v1/attention") == []
    assert not [kind for kind in await fjord.events() if kind.endswith(".drift")]


async def test_1_posted_here_it_is_paid_in_two_parts_and_the_fee_is_booked(fjord: Any) -> None:
    document = await sold(fjord, EXPORT)
    assert (document.payable, document.open) == ("1000.00", "1000.00")
    assert (
        balance(fjord.box, "1500") == -balance(fjord.box, "3150") == Decimal(11500)
    )  # by the ledger's own rate, 11,50

    fjord.box.books.rates["EUR"] = Decimal("11.55")
    assert (await paid(fjord, "bank-1", "600.00", document))["state"] == "done"
    await fjord.poll()
    assert Decimal((await fjord.document(kind="invoice")).open) == invoices(fjord.box)[0]["balance"] == Decimal(400)
    fjord.box.books.rates["EUR"] = Decimal("11.40")
    assert (await paid(fjord, "bank-2", "400.00", document, fee="5.00", account_amount="395.00"))["state"] == "done"

    await settled_without_a_word(fjord)
    assert [(row["cashAccount"], row["paymentAmount"] - row["deductedCharges"]) for row in payments(fjord.box)] == [
        ("1921", Decimal(600)), ("1921", Decimal(395)),
    ]  # fmt: skip
    # 600 × 11,55 and 395 × 11,40 on the account, 5 × 11,40 of fees; how that differs from 11 500 is the ledger's own.
    assert balance(fjord.box, "1921") == Decimal("11433.00")
    assert [balance(fjord.box, one) for one in ("7770", "8060", "8160")] == [Decimal(57), Decimal(-30), Decimal(40)]


async def test_1_booked_there_it_comes_back_with_what_the_bank_kept(fjord: Any) -> None:
    document = await sold(fjord, EXPORT)
    fjord.box.pays((document.number, "600.00"), day=date(2027, 2, 15), account="1921")
    await fjord.poll()
    wrong = fjord.box.pays((document.number, "400.00"), day=date(2027, 2, 20), account="1921")
    await fjord.poll()
    fjord.box.voids(wrong["refNbr"], day=date(2027, 2, 21))
    await fjord.poll()
    assert Decimal((await fjord.document(kind="invoice")).open) == Decimal(400)
    fjord.box.books.rates["EUR"] = Decimal("11.40")
    fjord.box.pays((document.number, "400.00"), day=date(2027, 2, 22), account="1921", fee="5.00")

    await settled_without_a_word(fjord)
    found = (await fjord.get("/v1/documents", kind="payment"))["documents"]
    bodies = [(await fjord.get(f"/v1/documents/{one['id']}"))["body"] for one in found]
    assert sorted((Decimal(one["amount"]), one["currency"], Decimal(one.get("fee") or 0)) for one in bodies) == [
        (Decimal(400), "EUR", Decimal(0)), (Decimal(400), "EUR", Decimal(5)), (Decimal(600), "EUR", Decimal(0)),
    ]  # fmt: skip


async def test_1_a_part_is_credited_in_euro(fjord: Any) -> None:
    document = await sold(fjord, EXPORT)
    left_out = ("due_date", "payment_means")
    note = {name: value for name, value in EXPORT.items() if name not in left_out} | {
        "type_code": "381", "source_id": "credit-1", "issue_date": "2027-02-10",
        "preceding_invoices": [{"source_id": "export-1"}], "lines": [EXPORT["lines"][0] | {"quantity": "0.4"}],
    }  # fmt: skip
    fjord.box.books.rates["EUR"] = Decimal("11.60")
    answer = await fjord.post("/v1/invoices", note)
    await fjord.work(within=10)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert (await paid(fjord, "bank-1", "600.00", document))["state"] == "done"
    await settled_without_a_word(fjord)


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({"account_amount": "6930.00", "account_currency": "NOK"}, "account-currency-differs", "NOK came"),
        ({"currency": "SEK"}, "currency-differs", ""),
        ({"fee": "5.00"}, "fee-type-missing", "fee_entry_type"),
    ],
)
async def test_1_what_cannot_be_told_is_refused_in_words(founded: Any, more: Any, code: str, said: str) -> None:
    async with founded(settings='cash_accounts: {EUR: "1921", SEK: "1921"}') as fjord:
        document = await sold(fjord, EXPORT)
        await paid(fjord, "bank-1", "600.00", document, **more)
        (waits,) = await fjord.get("/v1/attention")
        assert waits["code"] == code
        assert said in waits["said"] + waits["do"]
        assert payments(fjord.box) == []


async def test_1_an_account_for_the_currency_must_be_named(founded: Any) -> None:
    async with founded() as fjord:
        document = await sold(fjord, EXPORT)
        await paid(fjord, "bank-1", "600.00", document)
        (waits,) = await fjord.get("/v1/attention")
        assert (waits["code"], "cash_accounts" in waits["do"]) == ("payment-type-missing", True)


async def test_2_another_vat_in_kroner_stops_before_the_release(fjord: Any) -> None:
    fjord.box.books.rates["EUR"] = Decimal("11.523")
    stated = {"tax_currency": "NOK", "tax_in_accounting_currency": "2875.00"}
    lines = [EXPORT["lines"][0] | {"vat_category": "S", "vat_rate": "25", "vat_code": "3"}]
    answer = await fjord.post("/v1/invoices", EXPORT | {"lines": lines} | stated)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=10)
    (waits,) = await fjord.get("/v1/attention")
    assert waits["code"] == "totals-differ"
    assert "5.75" in waits["said"]
    assert fjord.box.books.entries == []

    (draft,) = invoices(fjord.box)  # a person mends the rate of the draft
    draft["exchangeRate"] = Decimal("11.50")
    fjord.box.books._total(draft, draft["invoiceLines"])
    await fjord.client.post(f"/v1/attention/{waits['id']}/resolve", json={"verb": "retry"})
    await fjord.work(within=10)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert balance(fjord.box, "2700") == Decimal(-2875)
    assert len(invoices(fjord.box)) == 1


async def test_3_an_advance_is_refused_before_anything_is_sent(fjord: Any) -> None:
    await sold(fjord)
    advance = {"source_id": "bank-1", "direction": "in", "date": "2027-01-10", "amount": "4000.00", "currency": "NOK",
               "bank_account": OWN_ACCOUNT, "customer": {"number": INVOICE["buyer"]["legal_id"]["value"]}}  # fmt: skip
    await fjord.post("/v1/payments", advance)
    await fjord.work(within=10)
    assert balance(fjord.box, "1500") == Decimal(8500)

    more = INVOICE | {"source_id": "sale-10018", "prepaid": "4000.00"}
    await fjord.post("/v1/invoices", more)
    await fjord.work(within=10)
    (waits,) = await fjord.get("/v1/attention")
    assert (waits["code"], "customer's credit" in waits["said"]) == ("not-expressible", True)
    assert len(invoices(fjord.box)) == 1


async def test_4_what_is_dated_in_a_closed_period_waits_and_is_never_dated_otherwise(fjord: Any) -> None:
    fjord.box.close_period("202701")
    answer = await fjord.post("/v1/invoices", INVOICE)
    await fjord.work(within=10)
    (waits,) = await fjord.get("/v1/attention")
    assert waits["code"] == "period-closed"
    assert fjord.box.books.entries == []
    fjord.box.close_period("202701", False)
    await fjord.client.post(f"/v1/attention/{waits['id']}/resolve", json={"verb": "retry"})
    await fjord.work(within=10)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert invoices(fjord.box)[0]["documentDate"] == "2027-01-15T00:00:00"

    fjord.box.close_period("202702")
    document = await fjord.document(kind="invoice")
    await paid(fjord, "bank-1", "12500.00", document, currency="NOK")
    (waits,) = await fjord.get("/v1/attention")
    assert waits["code"] == "period-closed"
    assert payments(fjord.box) == []
