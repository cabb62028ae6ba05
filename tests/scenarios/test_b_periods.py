"""Scenario B, step 4: documents and money dated in a closed period."""

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
LINE = "fields: {closed-period: {theirs: inClosedPeriod, constant: first-open-day, only: out}}"
FIRST_OPEN_DAY = "{kinds: {payment: {" + LINE + "}, reversal: {" + LINE + "}}}"
"""The line of the mapping by which money may be booked on the first open day."""
JANUARY, FEBRUARY = (2027, 1), (2027, 2)


async def waiting(fjord: Any) -> Any:
    (item,) = await fjord.get("/v1/attention")
    return item


async def retried(fjord: Any, item: Any) -> None:
    answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
    assert answer.status_code == 204, answer.text
    await fjord.work(within=1)


def payment(document: Any | None, day: str = "2027-01-29", **more: Any) -> dict[str, Any]:
    allocated = [] if document is None else [{"document": {"document_id": document.id}, "amount": "5000.00"}]
    return {
        "source_id": "bank-1", "direction": "in", "date": day, "amount": "5000.00", "currency": "NOK",
        "bank_account": a.OWN_ACCOUNT,
        "allocations": allocated, **more,
    }  # fmt: skip


async def test_4_an_invoice_waits_with_choices_and_is_never_re_dated(fjord: Any) -> None:
    books = fjord.box.books
    books.closed_months.add(JANUARY)
    answer = await fjord.post("/v1/invoices", a.INVOICE)
    await fjord.work()

    item = await waiting(fjord)
    assert item["code"] == "period-closed"
    assert "2027-01-15" in item["said"]
    assert "--retry" in item["do"]
    assert set(item["verbs"]) == {"retry", "cancel", "link"}
    details = item["details"]["details"]
    assert details["first_open_day"] == "2027-02-01"
    assert [choice["verb"] for choice in details["choices"]] == ["retry", "cancel"]
    assert books.things.get("order", {}) == {}, "nothing is sent where it is known before"
    assert (await fjord.get(answer.headers["location"]))["state"] == "waiting"
    await retried(fjord, item)  # the period is still closed
    item = await waiting(fjord)
    assert item["code"] == "period-closed"

    books.closed_months.discard(JANUARY)
    await retried(fjord, item)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    (there,) = a.issued(fjord.box)
    assert there["invoiceDate"] == "2027-01-15"
    assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize("closed", ["vat-term", "no-right", "just-now"])
async def test_4_where_it_cannot_be_known_before_the_refusal_is_ours_with_the_vendors_text(
    fjord: Any, closed: str
) -> None:
    books = fjord.box.books
    if closed == "vat-term":  # shows nowhere
        books.rules.vat_closed_until = date(2027, 2, 28)
    elif closed == "just-now":  # after it was seen open
        await sold(fjord, a.INVOICE | {"source_id": "before"})
        books.closed_months.add(JANUARY)
    else:
        books.closed_months.add(JANUARY)
        fjord.box.shrink("ledger")
    answer = await fjord.post("/v1/invoices", a.INVOICE)
    await fjord.work()
    item = await waiting(fjord)
    assert item["code"] == "period-closed"
    assert "avsluttet" in item["details"]["vendor"]
    assert item["details"]["details"]["fields"] == ["invoiceDate"]
    before = len(books.things["order"])

    books.rules.vat_closed_until = None
    books.closed_months.clear()
    await retried(fjord, item)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert len(books.things["order"]) == before, "the order that was there is used"
    assert {one["invoiceDate"] for one in a.issued(fjord.box)} == {"2027-01-15"}


async def test_4_a_credit_note_waits_too(fjord: Any) -> None:
    document = await sold(fjord)
    fjord.box.books.closed_months.add((2027, 3))
    note = {
        "source_id": "credit-1", "type_code": "381", "issue_date": "2027-03-10", "currency": "NOK",
        "seller": a.SELLER, "buyer": a.BUYER, "buyer_reference": "Kari Nordmann",
        "preceding_invoices": [{"document_id": document.id}], "lines": a.INVOICE["lines"][:1],
    }  # fmt: skip
    answer = await fjord.post("/v1/invoices", note)
    assert answer.status_code == 202, answer.text
    await fjord.work()
    item = await waiting(fjord)
    assert item["code"] == "period-closed"
    assert len(a.issued(fjord.box)) == 1
    fjord.box.books.closed_months.clear()
    await retried(fjord, item)
    assert sorted(one["invoiceDate"] for one in a.issued(fjord.box)) == ["2027-01-15", "2027-03-10"]


async def test_4_a_payment_waits_where_the_mapping_says_nothing(fjord: Any) -> None:
    document = await sold(fjord)
    fjord.box.books.closed_months.add(JANUARY)
    await fjord.post("/v1/payments", payment(document))
    await fjord.work()
    item = await waiting(fjord)
    assert item["code"] == "period-closed"
    assert balance(fjord.box, a.BANK) == 0
    fjord.box.books.closed_months.clear()
    await retried(fjord, item)
    (row,) = [p for p in fjord.box.books.all("posting") if p.get("type") == "INCOMING_PAYMENT"]
    assert row["date"] == "2027-01-29"


async def test_4_a_payment_is_booked_on_the_first_open_day_where_the_mapping_says_so(founded: Any) -> None:
    async with founded(mapping=FIRST_OPEN_DAY) as fjord:
        document = await sold(fjord)
        fjord.box.books.closed_months |= {JANUARY, FEBRUARY}
        await fjord.post("/v1/payments", payment(document))
        await fjord.work(within=1)
        for _ in range(3):
            await fjord.poll()

        assert await fjord.get("/v1/attention") == []
        (row,) = [p for p in fjord.box.books.all("posting") if p.get("type") == "INCOMING_PAYMENT"]
        assert row["date"] == "2027-03-01"
        kept = await fjord.document(kind="payment")
        assert kept.body["date"] == "2027-01-29"
        assert Decimal((await fjord.document(kind="invoice")).open) == kroner("7 500,00")
        story = await fjord.get(f"/v1/documents/{kept.id}/story")
        (booked,) = [one["data"]["data"] for one in story if one["what"] == "payment.booked"]
        assert (booked["date"], booked["posting_date"]) == ("2027-01-29", "2027-03-01")

        # What takes it back moves by the same line.
        await fjord.post("/v1/reversals",
                         {"source_id": "back-1", "of": "payment", "of_id": "bank-1", "date": "2027-02-10"})  # fmt: skip
        await fjord.work(within=1)
        assert balance(fjord.box, a.BANK) == 0
        assert {p["date"] for p in fjord.box.books.all("posting") if p["date"] > "2027-01-31"} == {"2027-03-01"}
        assert await fjord.get("/v1/attention") == []


async def test_4_money_on_account_is_moved_by_the_same_line_and_says_the_banks_day(founded: Any) -> None:
    async with founded(mapping=FIRST_OPEN_DAY) as fjord:
        await sold(fjord)
        fjord.box.books.rules.closed_until = date(2027, 1, 31)
        credit = payment(None, customer={"number": a.BUYER["legal_id"]["value"]})
        await fjord.post("/v1/payments", credit)
        await fjord.work(within=1)
        await fjord.poll()
        assert await fjord.get("/v1/attention") == []
        (voucher,) = [v for v in fjord.box.books.all("voucher") if v.get("externalVoucherNumber")]
        assert voucher["date"] == "2027-02-01"
        assert "2027-01-29" in voucher["description"]
        assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 1
