"""Scenario A with its books in Fiken: one domestic invoice, its payments both ways, and its øre."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import TOKEN, Sandbox
from connector.api.examples import PAYMENT
from connector.ehf import validate, write
from connector.model import Invoice

sys.path.append(str(Path(__file__).parent))
from fiken_company import FEBRUARY, INVOICE, ORE, OWN_ACCOUNT, TENANT, balance, kroner, paid, received, sold


@pytest.fixture
def in_fiken(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with in_fiken(rounding="line") as fjord`: a company whose books are in a Fiken that behaves so."""
    monkeypatch.setenv("FJORD_TOKEN", TOKEN)
    return partial(founded, books=Sandbox, tenant=TENANT)


@pytest.fixture
async def fjord(in_fiken: Any) -> AsyncIterator[Any]:
    """Books that round VAT of the sum."""
    async with in_fiken(rounding="document") as made:
        yield made


# --- 1: the invoice ---------------------------------------------------------------------------------------------------


async def test_1_fiken_issues_it_once(fjord: Any) -> None:
    document = await sold(fjord)

    (voucher,) = fjord.box.books.vouchers
    (there,) = fjord.box.books.all("invoice")
    assert sorted(voucher) == [
        ("1500:10001", 1250000), ("2700", -204000), ("2701", -30000), ("3000", -816000), ("3000", -200000),
    ]  # fmt: skip
    assert list(fjord.box.books.all("draft")) == fjord.box.books.outbox == []
    assert document.state == "issued"
    assert (document.number, document.kid) == (str(there["invoiceNumber"]), there["kid"])
    assert Decimal(document.payable) == Decimal(document.open) == kroner("12 500,00")
    assert document.links[0]["vendor_id"] == str(there["_id"])
    assert there["bankAccountNumber"] == "86011117947"


async def test_1_its_ehf_has_no_fatal_finding(fjord: Any) -> None:
    document = await sold(fjord)
    invoice = Invoice.model_validate(document.body)
    assert [finding for finding in validate(write(invoice)).findings if finding.severity == "fatal"] == []
    assert (invoice.number, invoice.payment_id) == (document.number, document.kid)
    page = await fjord.client.get(f"/v1/documents/{document.id}/pdf")
    assert page.content.startswith(b"%PDF")


async def test_1_posted_again_it_is_the_same(fjord: Any) -> None:
    first = await sold(fjord)
    assert (await fjord.post("/v1/invoices", INVOICE)).status_code == 202
    await fjord.work()
    await fjord.poll()
    assert (await fjord.document(kind="invoice")).id == first.id
    assert len(list(fjord.box.books.all("invoice"))) == len(fjord.box.books.vouchers) == 1
    assert await fjord.get("/v1/attention") == []


# --- 2: payments, both ways -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("touches", "amount", "left"),
                         [(False, "5 000,00", "7 500,00"), (True, "5 000,00", "7 500,00"),
                          (False, "12 500,00", "0,00")])  # fmt: skip
async def test_2_a_payment_in_fiken_comes_back_once(in_fiken: Any, touches: bool, amount: str, left: str) -> None:
    """Also where Fiken does not call the sale changed: what is open is looked at."""
    async with in_fiken(touches=touches) as fjord:
        document = await sold(fjord)
        await fjord.poll()
        for one in (*fjord.box.books.all("invoice"), *fjord.box.books.all("sale")):
            one["lastModifiedDate"] = "2026-01-01"
        fjord.box.payment(int(document.links[0]["vendor_id"]), kroner(amount), FEBRUARY)

        for _ in range(3):
            await fjord.poll()

        (payment,) = await received(fjord)
        assert Decimal(payment["amount"]) == kroner(amount)
        assert Decimal(payment["open"]) == kroner(left)
        assert payment["date"] == "2027-02-01"
        assert Decimal((await fjord.document(kind="invoice")).open) == kroner(left)
        assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 1
        assert await fjord.get("/v1/attention") == []


async def test_2_a_payment_we_are_told_of_is_registered_once(fjord: Any) -> None:
    document = await sold(fjord)
    assert (await paid(fjord, document.kid, "5000.00"))["state"] == "done"

    before = await fjord.events()
    for _ in range(3):  # our own payment seen again is none
        await fjord.poll()

    assert await fjord.events() == before
    assert len(await received(fjord)) == 1
    assert Decimal((await fjord.document(kind="invoice")).open) == kroner("7 500,00")
    assert balance(fjord.box, "1920:10002") == kroner("5 000,00")
    assert balance(fjord.box, "1500") == kroner("7 500,00")
    assert (await fjord.document(kind="payment")).state == "booked"


async def test_2_two_equal_instalments_are_two_payments(fjord: Any) -> None:
    document = await sold(fjord)
    for number in (1, 2):
        answer = await fjord.post("/v1/payments", PAYMENT | {
            "source_id": f"instalment-{number}", "amount": "1000.00",
            "allocations": [{"document": {"document_id": document.id}, "amount": "1000.00"}],
        })  # fmt: skip
        assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    for _ in range(2):
        fjord.box.payment(int(document.links[0]["vendor_id"]), kroner("1 000,00"), FEBRUARY)
    await fjord.poll()
    await fjord.poll()

    assert [Decimal(one["open"]) for one in await received(fjord)] == list(
        map(kroner, ("11 500,00", "10 500,00", "9 500,00", "8 500,00"))
    )
    assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, "1500") == kroner("8 500,00")
    assert await fjord.get("/v1/attention") == []


async def test_4_paid_twice_is_credit_of_the_customer_and_goes_back(fjord: Any) -> None:
    document = await sold(fjord)
    assert (await paid(fjord, document.kid, "12500.00"))["state"] == "done"
    assert (await paid(fjord, document.kid, "4375.00", date="2027-03-15"))["state"] == "done"
    assert balance(fjord.box, "1500:10001") == kroner("-4 375,00")
    assert balance(fjord.box, "1920:10002") == kroner("16 875,00")
    (entry,) = fjord.box.books.all("journalEntry")
    assert entry["description"].startswith("Fri postering registrert via API: Innbetaling på kundekonto, vår ref. ")

    refund = {
        "source_id": "back-1", "kind": "refund", "direction": "out", "date": "2027-03-18", "amount": "4375.00",
        "currency": "NOK", "bank_account": OWN_ACCOUNT,
        "allocations": [{"document": {"source_id": "bank-4375.00"}, "amount": "4375.00"}],
    }  # fmt: skip
    answer = await fjord.post("/v1/payments", refund)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done", await fjord.get("/v1/attention")
    assert balance(fjord.box, "1500") == 0
    assert balance(fjord.box, "1920:10002") == kroner("12 500,00")

    before = await fjord.events()
    for _ in range(2):
        await fjord.poll()
    assert await fjord.events() == before
    assert Decimal((await fjord.document(kind="invoice")).open) == 0
    credit = await fjord.document(kind="payment", source_id="bank-4375.00")
    assert Decimal(credit.open) == 0
    assert await fjord.get("/v1/attention") == []


async def test_4_one_payment_of_more_is_two_rows(fjord: Any) -> None:
    document = await sold(fjord)
    assert (await paid(fjord, document.kid, "13000.00"))["state"] == "done"
    assert [one["amount"] for one in fjord.box.books.all("payment")] == [1250000]
    assert balance(fjord.box, "1500") == kroner("-500,00")
    assert balance(fjord.box, "1920:10002") == kroner("13 000,00")


async def test_4_a_payment_cannot_be_taken_back_by_us_and_that_is_said_beforehand(fjord: Any) -> None:
    document = await sold(fjord)
    assert (await paid(fjord, document.kid, "5000.00"))["state"] == "done"
    vouchers = len(fjord.box.books.vouchers)
    await fjord.post(
        "/v1/reversals", {"source_id": "r-1", "of": "payment", "of_id": "bank-5000.00", "date": "2027-02-02"}
    )
    await fjord.work(within=1)
    [waiting] = await fjord.get("/v1/attention")
    assert (waiting["code"], len(fjord.box.books.vouchers)) == ("operation-not-supported", vouchers)


# --- 7: øre -----------------------------------------------------------------------------------------------------------


async def test_7_vat_is_of_the_sum(fjord: Any) -> None:
    totals = Invoice.model_validate((await sold(fjord, ORE)).body).totals
    assert totals is not None
    assert (totals.tax_exclusive, totals.tax_inclusive) == (kroner("99,99"), kroner("124,99"))
    assert balance(fjord.box, "1500") == kroner("124,99")
    assert balance(fjord.box, "2700") == kroner("-25,00")


async def test_7_a_fiken_that_rounds_per_line_is_stopped_before_it_numbers(in_fiken: Any) -> None:
    async with in_fiken(rounding="line") as fjord:
        answer = await fjord.post("/v1/invoices", ORE)
        await fjord.work()
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "totals-differ"
        for figure in ("124.98", "24.99", "124.99", "25.00"):
            assert figure in item["said"]
        assert fjord.box.books.vouchers == []
        assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"

        # The bookkeeper changes the draft; it is compared again when it is tried again.
        fjord.box.books.rules.rounding = "document"
        (draft,) = fjord.box.books.all("draft")
        vat = draft["gross"] - draft["net"]
        draft["lines"][-1]["vat"] += 1
        draft |= {"gross": draft["gross"] + 1, "vat": vat + 1}
        settled = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
        assert settled.status_code == 204
        await fjord.work()
        assert (await fjord.get(answer.headers["location"]))["state"] == "done"
        assert len(fjord.box.books.vouchers) == 1


async def test_7_rounded_to_whole_kroner(fjord: Any) -> None:
    document = await sold(fjord, ORE | {"round_payable_to": "1"})
    totals = Invoice.model_validate(document.body).totals
    assert totals is not None
    assert (totals.rounding, totals.payable) == (kroner("0,01"), kroner("125,00"))
    assert balance(fjord.box, "1500") == kroner("125,00")
    assert balance(fjord.box, "7740") == kroner("-0,01")
    assert Decimal(document.payable) == Decimal(document.open) == kroner("125,00")
    assert (await paid(fjord, document.kid, "125.00"))["state"] == "done"
    await fjord.poll()
    assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, "1500") == 0
    assert await fjord.get("/v1/attention") == []
