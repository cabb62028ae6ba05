"""Scenario B, step 1: an export in euro, paid in two parts, of which the bank keeps a fee; and money in another
currency than what it pays.
"""

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

kroner, sold, balance = a.kroner, a.sold, a.balance
FEE, AGIO, DISAGIO, EURO_BANK = 7770, 8060, 8160, 1921
FEE_LINE = 'kinds: {payment: {fields: {fee: "deductions[account=7770].amount"}, refuse: {fee: null}}}'
NAMED = "{" + FEE_LINE + "}"
"""The line of the mapping that names the account of fees."""
EXPORT: dict[str, Any] = a.INVOICE | {
    "source_id": "export-1",
    "currency": "EUR",
    "lines": [
        {"id": "1", "name": "Consulting", "quantity": "1", "unit_code": "C62", "price": "1000.00",
         "vat_category": "G", "vat_rate": "0", "vat_code": "52"},
    ],
}  # fmt: skip


def euro(source_id: str, amount: str, document: Any, arrived: str | None, **more: Any) -> dict[str, Any]:
    """A payment of so many euro, of which so many kroner arrived on the account (None: the account is in euro)."""
    said: dict[str, Any] = {
        "source_id": source_id, "direction": "in", "date": "2027-02-15", "amount": str(kroner(amount)),
        "currency": "EUR", "bank_account": a.OWN_ACCOUNT,
        "allocations": [{"document": {"document_id": document.id}, "amount": str(kroner(amount))}],
    }  # fmt: skip
    if arrived is not None:
        said |= {"account_amount": str(kroner(arrived)), "account_currency": "NOK"}
    return said | more


async def paid(fjord: Any, payment: dict[str, Any]) -> Any:
    answer = await fjord.post("/v1/payments", payment)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=1)
    return await fjord.get(answer.headers["location"])


def open_there(fjord: Any) -> Decimal:
    (there,) = a.issued(fjord.box)
    return there["amountCurrencyOutstanding"]()


async def test_1_posted_here_it_is_paid_in_full_there_and_the_fee_is_booked(founded: Any) -> None:
    async with founded(mapping=NAMED) as fjord:
        document = await sold(fjord, EXPORT)
        assert balance(fjord.box, a.RECEIVABLE) == kroner("11 500,00")  # by the ledger's own rate, 11,50
        first = await paid(fjord, euro("bank-1", "600,00", document, "6 930,00", rate="11.55"))
        assert first["state"] == "done", first
        assert open_there(fjord) == kroner("400,00") == Decimal((await fjord.document(kind="invoice")).open)
        second = await paid(fjord, euro("bank-2", "400,00", document, "4 526,70", fee="5.00", rate="11.46"))
        assert second["state"] == "done", second
        for _ in range(3):
            await fjord.poll()

        assert open_there(fjord) == Decimal((await fjord.document(kind="invoice")).open) == 0
        assert (await fjord.document(kind="invoice")).state == "paid"
        # What arrived is on the bank account to the øre; what was kept is on the account of fees by the same rate.
        assert balance(fjord.box, a.BANK) == kroner("6 930,00") + kroner("4 526,70")
        assert balance(fjord.box, FEE) == kroner("57,30")
        assert balance(fjord.box, a.RECEIVABLE) == 0
        # 6 930,00 + 4 584,00 for what was booked as 11 500,00: the ledger's agio is its own, and no drift.
        assert balance(fjord.box, AGIO) == kroner("-14,00")
        assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 2
        assert await fjord.get("/v1/attention") == []
        assert not [kind for kind in await fjord.events() if kind.endswith(".drift")]


async def test_1_an_account_in_euro_is_told_in_euro(founded: Any) -> None:
    async with founded(mapping=NAMED) as fjord:
        books = fjord.box.books
        document = await sold(fjord, EXPORT)
        refused = await paid(fjord, euro("bank-1", "600,00", document, None))
        (item,) = await fjord.get("/v1/attention")
        assert (refused["state"], item["code"]) == ("waiting", "account-currency-differs")
        assert balance(fjord.box, a.BANK) == 0

        # The bookkeeper makes the payment type one of the euro account and has it tried again.
        (bank,) = (one for one in books.things["paymentType"].values() if one["description"] == "Betalt til bank")
        bank.update(currencyCode="EUR", currencyId=5, debitAccount=books.account(EURO_BANK))
        for spoke in fjord.house.spokes():
            spoke.accounting._payments._lookups._tables.clear()  # an hour later
        await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
        await fjord.work(within=1)
        await paid(fjord, euro("bank-2", "400,00", document, None, fee="5.00"))

        assert open_there(fjord) == Decimal((await fjord.document(kind="invoice")).open) == 0
        on_account = [p for p in books.all("posting") if books.find(p["account"])["number"] == EURO_BANK]
        assert sum(p["amountCurrency"] for p in on_account) == kroner("995,00")
        (fee,) = [p for p in books.all("posting") if books.find(p["account"])["number"] == FEE]
        assert (fee["amountCurrency"], fee["amount"]) == (kroner("5,00"), kroner("57,50"))
        assert await fjord.get("/v1/attention") == []


async def test_1_a_fee_without_an_account_in_the_mapping_stops_before_anything_is_registered(fjord: Any) -> None:
    document = await sold(fjord, EXPORT)
    answer = await paid(fjord, euro("bank-1", "400,00", document, "4 526,70", fee="5.00"))
    assert answer["state"] == "waiting"
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "not-expressible"
    assert "deductions[account=" in item["do"]
    assert balance(fjord.box, a.BANK) == balance(fjord.box, FEE) == 0


async def test_1_a_fee_on_an_account_that_is_not_there_stops_before_money_is_registered(founded: Any) -> None:
    async with founded(mapping=NAMED.replace("7770", "7779")) as fjord:
        document = await sold(fjord, EXPORT)
        await paid(fjord, euro("bank-1", "400,00", document, "4 526,70", fee="5.00"))
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "account-unknown"
        assert balance(fjord.box, a.BANK) == 0


async def test_1_booked_there_it_comes_back_with_what_the_bank_kept(founded: Any) -> None:
    async with founded(mapping=NAMED) as fjord:
        document = await sold(fjord, EXPORT)
        there = int(document.links[0]["vendor_id"])
        fjord.box.books.rates["EUR"] = Decimal("11.40")  # the ledger's own rate on the day of the payments
        fjord.box.payment(there, kroner("600,00"), date(2027, 2, 15))
        await fjord.poll()
        fjord.box.payment(there, kroner("400,00"), date(2027, 2, 22), fee=kroner("5,00"))
        for _ in range(3):
            await fjord.poll()

        assert open_there(fjord) == Decimal((await fjord.document(kind="invoice")).open) == 0
        bodies = [
            (await fjord.get(f"/v1/documents/{one['id']}"))["body"]
            for one in (await fjord.get("/v1/documents", kind="payment"))["documents"]
        ]
        by_amount = {Decimal(body["amount"]): body for body in bodies}
        assert set(by_amount) == {kroner("600,00"), kroner("400,00")}
        second = by_amount[kroner("400,00")]
        assert Decimal(second["fee"]) == kroner("5,00")
        assert (Decimal(second["account_amount"]), second["account_currency"]) == (kroner("4 503,00"), "NOK")
        assert "fee" not in by_amount[kroner("600,00")]
        assert balance(fjord.box, DISAGIO) == kroner("100,00")
        assert await fjord.get("/v1/attention") == []
        assert not [kind for kind in await fjord.events() if kind.endswith(".drift")]


async def test_a_domestic_payment_with_a_fee(founded: Any) -> None:
    async with founded(mapping=NAMED) as fjord:
        document = await sold(fjord)
        answer = await paid(fjord, euro("bank-1", "12 500,00", document, None, currency="NOK", fee="10.00"))
        assert answer["state"] == "done", answer
        assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, a.RECEIVABLE) == 0
        assert balance(fjord.box, a.BANK) == kroner("12 490,00")
        assert balance(fjord.box, FEE) == kroner("10,00")

        # Taken back, it is taken back with what was kept of it.
        back = {"source_id": "back-1", "of": "payment", "of_id": "bank-1", "date": "2027-03-01"}
        await fjord.post("/v1/reversals", back)
        await fjord.work(within=1)
        assert balance(fjord.box, a.BANK) == balance(fjord.box, FEE) == 0
        assert balance(fjord.box, a.RECEIVABLE) == kroner("12 500,00")
        assert await fjord.get("/v1/attention") == []


# --- payments of another kind -----------------------------------------------------------------------------------------


async def test_kroner_for_an_invoice_in_euro_say_how_much_of_it_they_pay(fjord: Any) -> None:
    document = await sold(fjord, EXPORT)
    plain = euro("bank-1", "6 930,00", document, None, currency="NOK")
    await fjord.post("/v1/payments", plain)
    await fjord.work()
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "currency-differs"
    assert "currency" in item["do"]
    assert Decimal((await fjord.document(kind="invoice")).open) == kroner("1 000,00")
    await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "cancel"})

    stated = [{"document": {"document_id": document.id}, "amount": "600.00", "currency": "EUR"}]
    answer = await paid(fjord, plain | {"source_id": "bank-2", "allocations": stated})
    assert answer["state"] == "done", answer
    await fjord.poll()
    assert open_there(fjord) == Decimal((await fjord.document(kind="invoice")).open) == kroner("400,00")
    assert balance(fjord.box, a.BANK) == kroner("6 930,00")
    assert await fjord.get("/v1/attention") == []


async def test_money_on_account_in_euro(founded: Any) -> None:
    async with founded(mapping=NAMED) as fjord:
        await sold(fjord, EXPORT)
        customer = {"number": a.BUYER["legal_id"]["value"]}
        on_account = {"source_id": "bank-1", "direction": "in", "date": "2027-02-15", "amount": "200.00",
                      "currency": "EUR", "bank_account": a.OWN_ACCOUNT, "customer": customer, "fee": "2.00",
                      "account_amount": "2277.00", "account_currency": "NOK"}  # fmt: skip
        answer = await paid(fjord, on_account)
        assert answer["state"] == "done", answer
        for _ in range(2):
            await fjord.poll()
        rows = [p for p in fjord.box.books.all("posting") if p.get("customer") and p["amountCurrency"] < 0]
        assert [(p["amountCurrency"], p["amount"]) for p in rows] == [(kroner("-200,00"), kroner("-2 300,00"))]
        assert balance(fjord.box, a.BANK) == kroner("2 277,00")
        assert balance(fjord.box, FEE) == kroner("23,00")
        assert Decimal((await fjord.document(kind="payment")).open) == kroner("200,00")
        assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize(("amount", "code"), [("0.00", "amount-not-positive"), ("-5.00", "amount-not-positive")])
async def test_no_payment_of_nothing_or_less(fjord: Any, amount: str, code: str) -> None:
    document = await sold(fjord)
    answer = await fjord.post("/v1/payments", euro("bank-1", "1,00", document, None) | {"amount": amount})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
