"""Scenario B on Fiken: another currency, a closed period; and what is known before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import TOKEN, Sandbox

sys.path.append(str(Path(__file__).parent))
from fiken_company import INVOICE, OWN_ACCOUNT, TENANT, balance, kroner, paid, sold

EXPORT: dict[str, Any] = INVOICE | {
    "source_id": "sale-eur",
    "currency": "EUR",
    "lines": [{"id": "1", "name": "Consulting", "quantity": "10", "unit_code": "HUR", "price": "100.00",
               "vat_category": "G", "vat_rate": "0", "vat_code": "52"}],
}  # fmt: skip


@pytest.fixture
async def fjord(founded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A company whose books are in Fiken."""
    monkeypatch.setenv("FJORD_TOKEN", TOKEN)
    async with partial(founded, books=Sandbox, tenant=TENANT)(rounding="document") as made:
        yield made


async def test_1_an_export_in_euro_is_paid_in_two_parts(fjord: Any) -> None:
    """Fiken's own rate and agio differ from ours, and are no drift."""
    document = await sold(fjord, EXPORT)
    assert (document.payable, document.open) == ("1000.00", "1000.00")
    assert balance(fjord.box, "1500") == kroner("11 520,00")

    for amount, came in (("600.00", "6960.00"), ("400.00", "4600.00")):
        money = {"source_id": f"bank-{amount}", "account_amount": came, "account_currency": "NOK", "currency": "EUR"}
        assert (await paid(fjord, document.kid, amount, **money))["state"] == "done"
        await fjord.poll()

    assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, "1500") == 0
    assert balance(fjord.box, "1920") == kroner("11 560,00")
    assert await fjord.get("/v1/attention") == []


async def test_1_without_the_kroner_that_came_it_is_refused_in_words(fjord: Any) -> None:
    document = await sold(fjord, EXPORT)
    await paid(fjord, document.kid, "600.00", currency="EUR")
    [waiting] = await fjord.get("/v1/attention")
    assert "kroner" in waiting["said"]
    assert list(fjord.box.books.all("payment")) == []


async def test_2_vat_stated_in_kroner_is_refused_before_anything_is_sent(fjord: Any) -> None:
    """Fiken shows what it makes of it in kroner only when all is booked."""
    stated = {"tax_currency": "NOK", "tax_in_accounting_currency": "2875.00"}
    lines = [EXPORT["lines"][0] | {"vat_category": "S", "vat_rate": "25", "vat_code": "3"}]
    answer = await fjord.post("/v1/invoices", EXPORT | {"lines": lines} | stated)
    await fjord.work(within=1)
    said = answer.text + str(await fjord.get("/v1/attention"))
    assert "by its own rate" in said, said
    assert list(fjord.box.books.all("draft")) == []


async def test_3_an_advance_is_on_the_customers_account_and_no_invoice_takes_it_off(fjord: Any) -> None:
    """Nothing settles an invoice with credit by Fiken's API: that is known before anything is sent."""
    await sold(fjord)
    answer = await fjord.post("/v1/payments", {
        "source_id": "advance", "direction": "in", "date": "2027-01-20", "amount": "4000.00", "currency": "NOK",
        "customer": {"number": INVOICE["buyer"]["legal_id"]["value"]}, "bank_account": OWN_ACCOUNT,
    })  # fmt: skip
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done", await fjord.get("/v1/attention")
    assert balance(fjord.box, "1500:10001") == kroner("8 500,00")

    prepaid = INVOICE | {"source_id": "sale-advance", "prepaid": "4000.00"}
    assert (
        "no way to settle an invoice with a customer's credit"
        in (await fjord.client.post("/v1/preflight", json=prepaid)).text
    )
    await fjord.post("/v1/invoices", prepaid)
    await fjord.work(within=1)
    assert len(list(fjord.box.books.all("invoice"))) == 1


async def test_4_an_invoice_in_a_closed_period_waits_and_is_never_dated_otherwise(fjord: Any) -> None:
    fjord.box.books.rules.closed_until = "2027-01-31"
    answer = await fjord.post("/v1/invoices", INVOICE)
    await fjord.work(within=1)
    [waiting] = await fjord.get("/v1/attention")
    assert waiting["code"] == "period-closed"
    assert fjord.box.books.vouchers == []
    fjord.box.books.rules.closed_until = ""
    settled = await fjord.client.post(f"/v1/attention/{waiting['id']}/resolve", json={"verb": "retry"})
    assert settled.status_code == 204
    await fjord.work(within=1)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    (there,) = fjord.box.books.all("invoice")
    assert there["issueDate"] == "2027-01-15"


LINE = INVOICE["lines"][0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lines": [LINE | {"price": "10.005"}]}, "amount-too-fine"),
        (
            {"lines": [one | {"dimensions": {"department": n}} for n, one in zip("12", INVOICE["lines"], strict=True)]},
            "no department or project of its own",
        ),
        ({"dimensions": {"department": "10"}}, "Fiken has no departments"),
        ({"payment_means": [{"code": "10"}]}, "in Fiken it would stand open"),
        ({"due_date": None}, "needs the day an invoice is due"),
    ],
)
async def test_what_fiken_cannot_say_is_known_in_preflight(fjord: Any, change: dict[str, Any], said: str) -> None:
    answer = await fjord.client.post("/v1/preflight", json=INVOICE | change)
    assert answer.status_code == 200, answer.text
    assert said in answer.text, answer.text
    await fjord.post("/v1/invoices", INVOICE | change)
    await fjord.work(within=1)
    assert fjord.box.books.vouchers == []
    assert list(fjord.box.books.all("draft")) == []


async def test_an_account_that_is_not_switched_on_is_known_in_preflight(fjord: Any) -> None:
    fjord.box.books.rules.inactive_accounts = ("3000",)
    await fjord.house.options(fjord.house.spokes()[0], refresh=True, alone=True)
    answer = await fjord.client.post("/v1/preflight", json=INVOICE)
    assert "3000" in answer.text, answer.text


async def test_money_on_an_account_that_fiken_does_not_have(fjord: Any) -> None:
    document = await sold(fjord)
    for one in fjord.box.books.all("bankAccount"):
        one["inactive"] = one["bankAccountNumber"] == OWN_ACCOUNT
    await paid(fjord, document.kid, "5000.00")
    [waiting] = await fjord.get("/v1/attention")
    assert waiting["code"] == "bank-account-unknown"
