"""Scenario A, steps 1, 2 and 7: one domestic invoice that the ledger issues, its payments, and its øre."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector.api.examples import BUYER, PAYMENT, SELLER
from connector.ehf import validate, write
from connector.model import Invoice

FEBRUARY = date(2027, 2, 1)
RECEIVABLE, BANK = 1500, 1920
OWN_ACCOUNT = "15032080119"
"""The account whose money `source` tells of; the ledger reads the others."""
INVOICE: dict[str, Any] = {
    "source_id": "sale-10017",
    "issue_date": "2027-01-15",
    "due_date": "2027-01-29",
    "currency": "NOK",
    "buyer_reference": "Kari Nordmann",
    "seller": SELLER,
    "buyer": BUYER,
    "delivery": {"day": "2027-01-14", "address": {"city": "Oslo", "country": "NO"}},
    "payment_means": [{"code": "30", "account": {"id": OWN_ACCOUNT}}],
    "lines": [
        {"id": "1", "name": "Rådgivning", "quantity": "8", "unit_code": "HUR", "price": "1020.00",
         "vat_category": "S", "vat_rate": "25", "vat_code": "3"},
        {"id": "2", "name": "Lunsj", "quantity": "20", "unit_code": "C62", "price": "100.00",
         "vat_category": "S", "vat_rate": "15", "vat_code": "31"},
    ],
}  # fmt: skip
ORE: dict[str, Any] = INVOICE | {
    "source_id": "sale-ore",
    "lines": [
        {"id": str(n), "name": "Øre", "quantity": "1", "unit_code": "C62", "price": "33.33",
         "vat_category": "S", "vat_rate": "25", "vat_code": "3"}
        for n in (1, 2, 3)
    ],
}  # fmt: skip


def kroner(amount: str) -> Decimal:
    """An amount as the page writes it: `12 500,00`."""
    return Decimal(amount.replace(" ", "").replace(",", "."))


def vouchers(box: Any) -> list[list[tuple[int, Decimal]]]:
    """What is in the books: of each voucher the account and amount of its rows."""
    things = box.books.things
    rows: dict[int, list[tuple[int, Decimal]]] = {}
    for posting in things.get("posting", {}).values():
        account = things["account"][posting["account"].id]["number"]
        rows.setdefault(posting["voucher"].id, []).append((account, posting["amount"]))
    return list(rows.values())


def balance(box: Any, account: int) -> Decimal:
    return sum((amount for rows in vouchers(box) for number, amount in rows if number == account), Decimal(0))


def issued(box: Any) -> list[Any]:
    """Invoices in the books."""
    return [invoice for invoice in box.books.things.get("invoice", {}).values() if invoice["isCharged"]]


async def sold(fjord: Any, invoice: dict[str, Any] = INVOICE) -> Any:
    """The invoice, posted and issued by the ledger."""
    answer = await fjord.post("/v1/invoices", invoice)
    assert answer.status_code == 202, answer.text
    await fjord.work()
    operation = await fjord.get(answer.headers["location"])
    assert operation["state"] == "done", operation
    return await fjord.document(kind="invoice", source_id=invoice["source_id"])


async def received(fjord: Any) -> list[dict[str, Any]]:
    """What the feed says of money that came in."""
    events = (await fjord.get("/v1/changes", limit=1000))["events"]
    return [event["data"] for event in events if event["kind"] == "payment.received"]


# --- 1: the invoice ---------------------------------------------------------------------------------------------------


async def test_1_the_ledger_issues_it_once(fjord: Any) -> None:
    document = await sold(fjord)

    (voucher,) = vouchers(fjord.box)
    assert sorted(amount for account, amount in voucher if account == RECEIVABLE) == [kroner("12 500,00")]
    assert sorted(amount for account, amount in voucher if 3000 <= account < 4000) == [
        kroner("-8 160,00"),
        kroner("-2 000,00"),
    ]
    assert sorted(amount for account, amount in voucher if 2700 <= account < 2800) == [
        kroner("-2 040,00"),
        kroner("-300,00"),
    ]
    assert fjord.box.books.outbox == []

    (there,) = issued(fjord.box)
    assert document.state == "issued"
    assert document.number == str(there["invoiceNumber"])
    assert document.kid == there["kid"]
    assert Decimal(document.payable) == Decimal(document.open) == kroner("12 500,00")
    (link,) = document.links
    assert link["vendor_id"] == str(there["id"])
    (told,) = [e["data"] for e in (await fjord.get("/v1/changes"))["events"] if e["kind"] == "invoice.issued"]
    assert (told["number"], told["kid"]) == (document.number, document.kid)


async def test_1_its_ehf_has_no_fatal_finding(fjord: Any) -> None:
    document = await sold(fjord)

    invoice = Invoice.model_validate(document.body)
    report = validate(write(invoice))

    assert [finding for finding in report.findings if finding.severity == "fatal"] == []
    assert invoice.number == document.number
    assert invoice.payment_id == document.kid
    page = await fjord.client.get(f"/v1/documents/{document.id}/pdf")
    assert page.content.startswith(b"%PDF")


async def test_1_posted_again_it_is_the_same(fjord: Any) -> None:
    first = await sold(fjord)
    answer = await fjord.post("/v1/invoices", INVOICE)
    assert answer.status_code == 202
    await fjord.work()
    await fjord.poll()
    assert (await fjord.document(kind="invoice")).id == first.id
    assert len(issued(fjord.box)) == len(vouchers(fjord.box)) == 1


# --- 2: payments, both ways -------------------------------------------------------------------------------------------


async def test_2_a_payment_in_the_books_comes_back(fjord: Any) -> None:
    document = await sold(fjord)
    fjord.box.payment(int(document.links[0]["vendor_id"]), kroner("5 000,00"), FEBRUARY, reference=document.kid)

    for _ in range(3):  # seen once, however often it is looked
        await fjord.poll()

    (payment,) = await received(fjord)
    assert Decimal(payment["amount"]) == kroner("5 000,00")
    assert Decimal(payment["open"]) == kroner("7 500,00")
    assert payment["date"] == "2027-02-01"
    assert Decimal((await fjord.document(kind="invoice")).open) == kroner("7 500,00")
    assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 1
    assert balance(fjord.box, BANK) == kroner("5 000,00")
    assert await fjord.get("/v1/attention") == []


async def test_2_a_payment_we_are_told_of_is_registered_once(fjord: Any) -> None:
    document = await sold(fjord)
    answer = await fjord.post("/v1/payments", {
        "source_id": "bank-17", "direction": "in", "date": "2027-02-01", "amount": "5000.00", "currency": "NOK",
        "kid": document.kid, "bank_account": OWN_ACCOUNT,
    })  # fmt: skip
    assert answer.status_code == 202, answer.text
    await fjord.work()
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"

    before = await fjord.events()
    for _ in range(3):  # our own payment seen again is none
        await fjord.poll()

    assert await fjord.events() == before
    assert len(await received(fjord)) == 1
    assert Decimal((await fjord.document(kind="invoice")).open) == kroner("7 500,00")
    assert balance(fjord.box, BANK) == kroner("5 000,00")
    assert balance(fjord.box, RECEIVABLE) == kroner("7 500,00")
    assert (await fjord.document(kind="payment")).state == "booked"


async def test_2_money_of_an_account_that_the_ledger_reads_is_not_ours_to_tell(fjord: Any) -> None:
    await sold(fjord)
    foreign = PAYMENT | {"bank_account": "86011117947", "allocations": [
        {"document": {"source_id": INVOICE["source_id"]}, "amount": "5000.00"}
    ]}  # fmt: skip
    answer = await fjord.post("/v1/payments", foreign)
    assert (answer.status_code, answer.json()["code"]) == (422, "bank-money-elsewhere")
    await fjord.work()
    assert balance(fjord.box, BANK) == 0


async def test_2_two_equal_instalments_are_two_payments(fjord: Any) -> None:
    document = await sold(fjord)
    for number in (1, 2):
        answer = await fjord.post("/v1/payments", PAYMENT | {
            "source_id": f"instalment-{number}", "amount": "1000.00",
            "allocations": [{"document": {"document_id": document.id}, "amount": "1000.00"}],
        })  # fmt: skip
        assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    assert balance(fjord.box, BANK) == kroner("2 000,00")
    for _ in range(2):
        fjord.box.payment(int(document.links[0]["vendor_id"]), kroner("1 000,00"), FEBRUARY)
    await fjord.poll()
    await fjord.poll()

    assert [Decimal(one["open"]) for one in await received(fjord)] == list(
        map(kroner, ("11 500,00", "10 500,00", "9 500,00", "8 500,00"))
    )
    assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 4
    assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, RECEIVABLE) == kroner("8 500,00")
    assert await fjord.get("/v1/attention") == []


# --- 7: øre -----------------------------------------------------------------------------------------------------------


async def test_7_vat_is_of_the_sum(fjord: Any) -> None:
    document = await sold(fjord, ORE)
    totals = Invoice.model_validate(document.body).totals
    assert totals is not None
    assert (totals.tax_exclusive, totals.tax_inclusive) == (kroner("99,99"), kroner("124,99"))
    (voucher,) = vouchers(fjord.box)
    assert dict(voucher)[RECEIVABLE] == kroner("124,99")
    assert dict(voucher)[2700] == kroner("-25,00")


async def test_7_a_ledger_that_rounds_per_line_is_stopped_before_release(founded: Any) -> None:
    async with founded(rounding="line") as fjord:
        answer = await fjord.post("/v1/invoices", ORE)
        await fjord.work()

        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "totals-differ"
        for figure in ("124.98", "24.99", "124.99", "25.00"):
            assert figure in item["said"]
        assert item["details"]["details"]["ours"]["vat"] == "25.00"
        assert item["details"]["details"]["theirs"]["vat"] == "24.99"
        assert issued(fjord.box) == vouchers(fjord.box) == []
        assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"

        # The bookkeeper mends how the ledger rounds and has it tried again: the order that is there is used.
        books = fjord.box.books
        books.rules.rounding = "document"
        (order,) = books.things["order"].values()
        books.find(order["preliminaryInvoice"]).update(books.preliminary(order))
        settled = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
        assert settled.status_code == 204
        await fjord.work()
        assert (await fjord.get(answer.headers["location"]))["state"] == "done"
        assert len(issued(fjord.box)) == len(books.things["order"]) == 1


async def test_7_rounded_to_whole_kroner(founded: Any) -> None:
    async with founded(whole_kroner=True) as fjord:
        document = await sold(fjord, ORE | {"round_payable_to": "1"})
        totals = Invoice.model_validate(document.body).totals
        assert totals is not None
        assert (totals.rounding, totals.payable) == (kroner("0,01"), kroner("125,00"))
        (voucher,) = vouchers(fjord.box)
        assert dict(voucher)[RECEIVABLE] == kroner("125,00")
        assert sum(amount for account, amount in voucher if account == 7740) == kroner("-0,01")

        # Whole kroner are owed on all sides, and whole kroner pay it.
        assert Decimal(document.payable) == Decimal(document.open) == kroner("125,00")
        await fjord.post("/v1/payments", {
            "source_id": "bank-1", "direction": "in", "date": "2027-02-01", "amount": "125.00", "currency": "NOK",
            "kid": document.kid, "bank_account": OWN_ACCOUNT,
        })  # fmt: skip
        await fjord.work(within=1)
        await fjord.poll()
        assert Decimal((await fjord.document(kind="invoice")).open) == balance(fjord.box, RECEIVABLE) == 0
        assert balance(fjord.box, BANK) == kroner("125,00")
        assert await fjord.get("/v1/attention") == []


async def test_7_a_ledger_that_cannot_round_to_whole_kroner_is_stopped(fjord: Any) -> None:
    await fjord.post("/v1/invoices", ORE | {"round_payable_to": "1"})
    await fjord.work()
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "totals-differ"
    assert "rounded by 0.00 and 0.01" in item["said"]
    assert issued(fjord.box) == []


async def test_what_was_issued_elsewhere_is_not_issued_again(founded: Any) -> None:
    """Its number is that of another series; an order would get another one, and the customer would owe twice."""
    async with founded(issues="counterparty") as fjord:
        answer = await fjord.post("/v1/invoices", INVOICE | {"number": "10017"})
        assert (answer.status_code, answer.json()["code"]) == (422, "not-self-billed")
        await fjord.work()
        assert fjord.box.books.things.get("order", {}) == {}
        assert (await fjord.get("/v1/documents", kind="invoice"))["documents"] == []


async def test_7_a_ledger_that_does_not_round_to_whole_kroner_is_stopped_before_release(fjord: Any) -> None:
    await fjord.post("/v1/invoices", ORE | {"round_payable_to": "1"})
    await fjord.work()
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "totals-differ"
    both = item["details"]["details"]
    assert (Decimal(both["ours"]["rounding"]), Decimal(both["theirs"]["rounding"])) == (kroner("0,01"), 0)
    assert issued(fjord.box) == vouchers(fjord.box) == []


@pytest.mark.parametrize(("number", "told"), [("7740", []), ("7745", ["rounding-account-differs"])])
async def test_7_the_rounding_stands_on_the_account_that_the_mapping_names(
    founded: Any, number: str, told: list[str]
) -> None:
    """Tripletex chooses the account itself; one that is not the mapping's is told."""
    line = f"rounding-account: {{theirs: roundingAccount.number, constant: '{number}', only: out}}"
    async with founded(whole_kroner=True, mapping=f"{{kinds: {{invoice: {{fields: {{{line}}}}}}}}}") as fjord:
        await fjord.post("/v1/invoices", ORE | {"round_payable_to": "1"})
        await fjord.work()
        assert [item["code"] for item in await fjord.get("/v1/attention")] == told
        assert len(issued(fjord.box)) == 1
