"""Scenario A, steps 1 to 5 and 7, issued elsewhere: the ledger books vouchers, and all figures are its own."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from connector.ehf import write
from connector.model import Draft, compose
from connector.ports import Kind
from connector.sync import reads

_spec = spec_from_file_location("scenario_a", Path(__file__).parent / "test_a_domestic_invoice.py")
assert _spec is not None
assert _spec.loader is not None
a = module_from_spec(_spec)
_spec.loader.exec_module(a)
RECEIVABLE, BANK, kroner, balance = a.RECEIVABLE, a.BANK, a.kroner, a.balance

NUMBER, KID = "10017", "0000100172"
INVOICE: dict[str, Any] = a.INVOICE | {
    "number": NUMBER,
    "payment_means": [{"code": "30", "payment_id": KID, "account": {"id": a.OWN_ACCOUNT}}],
}
FEBRUARY, MARCH = date(2027, 2, 1), "2027-03-10"


@pytest.fixture
async def fjord(founded: Any) -> AsyncIterator[Any]:
    """A company whose invoices are issued elsewhere."""
    async with founded(issues="source") as made:
        yield made


def credit(hours: int = 2, lunches: int = 5, number: str = "K-1", **more: Any) -> dict[str, Any]:
    """So much of the invoice, credited by the source."""
    counted = [line | {"quantity": str(n)} for line, n in zip(INVOICE["lines"], (hours, lunches), strict=True) if n]
    return {
        "type_code": "381", "number": number, "source_id": f"credit-{number}", "issue_date": MARCH, "currency": "NOK",
        "buyer_reference": "Kari Nordmann", "seller": a.SELLER, "buyer": a.BUYER,
        "preceding_invoices": [{"number": NUMBER, "issue_date": "2027-01-15"}], "lines": counted,
    } | more  # fmt: skip


async def booked(
    fjord: Any, body: Any = INVOICE, kind: str = "invoice", path: str = "/v1/invoices", params: Any = None, **by: str
) -> Any:
    """Posted, and booked in the ledger."""
    answer = await fjord.post(path, body, params=params)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=2)
    done = await fjord.get(answer.headers["location"])
    assert done["state"] == "done", (done, await fjord.get("/v1/attention"))
    return await fjord.document(kind=kind, **by)


async def waiting(fjord: Any, body: Any, code: str) -> dict[str, Any]:
    """It stops, and nothing is booked."""
    before = len(vouchers(fjord.box))
    answer = await fjord.post("/v1/invoices", body)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=1)
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == code, item
    assert len(vouchers(fjord.box)) == before
    found: dict[str, Any] = item
    return found


async def paid(fjord: Any, source_id: str, amount: str, day: str = "2027-02-01", **more: Any) -> Any:
    body = {"source_id": source_id, "direction": "in", "date": day, "amount": str(kroner(amount)), "currency": "NOK",
            "bank_account": a.OWN_ACCOUNT, "kid": KID} | more  # fmt: skip
    return await booked(fjord, body, "payment", "/v1/payments", source_id=source_id)


async def opened(fjord: Any, **by: str) -> Decimal:
    return Decimal((await fjord.document(**by)).open)


def rows(box: Any, voucher: Any) -> list[tuple[int, Decimal]]:
    """Account and amount of a voucher's rows."""
    found = [box.books.find(link) for link in voucher["postings"]]
    return [(box.books.find(row["account"])["number"], row["amount"]) for row in found]


def vouchers(box: Any) -> list[Any]:
    return list(box.books.things.get("voucher", {}).values())


def groups(box: Any) -> list[list[Decimal]]:
    """The amounts of rows that are closed against each other."""
    things = box.books.things
    return [
        sorted(things["posting"][link.id]["amount"] for link in group["postings"])
        for group in things.get("closeGroup", {}).values()
    ]


def customer_rows(box: Any) -> list[Any]:
    return [row for row in box.books.things["posting"].values() if row.get("customer")]


def vat(box: Any, first: str, last: str) -> dict[str, tuple[Decimal, Decimal]]:
    """By VAT code, base and VAT of what is dated within these days: the ledger's own figures."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for row in box.books.things["posting"].values():
        if row.get("vatType") and first <= row["date"] <= last:
            code = box.books.find(row["vatType"])["number"]
            base, tax = sums.get(code, (Decimal(0), Decimal(0)))
            sums[code] = (base - row["amount"], tax - (row["amountGross"] - row["amount"]))
    return sums


# --- 1 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "ehf"])
async def test_1_it_is_booked_once_as_a_voucher(fjord: Any, form: str) -> None:
    body = write(compose(Draft.model_validate(INVOICE))) if form == "ehf" else INVOICE
    document = await booked(fjord, body)
    box = fjord.box

    (voucher,) = vouchers(box)
    assert sorted(rows(box, voucher)) == [
        (RECEIVABLE, kroner("12 500,00")), (2700, kroner("-2 040,00")), (2701, kroner("-300,00")),
        (3000, kroner("-8 160,00")), (3001, kroner("-2 000,00")),
    ]  # fmt: skip
    (row,) = customer_rows(box)
    assert (row["invoiceNumber"], row["termOfPayment"]) == (NUMBER, "2027-01-29")
    assert KID in row["description"]
    assert voucher["date"] == "2027-01-15"
    assert voucher["externalVoucherNumber"].startswith(f"{NUMBER} c-")
    assert box.books.things.get("order", {}) == box.books.things.get("invoice", {}) == {}
    assert box.books.outbox == []

    assert (document.number, document.kid, document.state) == (NUMBER, KID, "issued")
    assert Decimal(document.payable) == Decimal(document.open) == kroner("12 500,00")
    (link,) = document.links
    assert (link["voucher"], link["period"], link["series"]) == ("2027/1", "2027-01", "Manuelt bilag")
    assert link["vendor_id"] == str(row["id"])
    assert (await fjord.document(voucher="2027/1")).id == document.id
    assert (await fjord.events()).count("invoice.booked") == 1

    # The document is on it, once, and readable; the EHF is in it as it came.
    kept = box.books.find(voucher["attachment"])
    (upload,) = kept["_uploads"]
    assert upload.file_name == "Faktura-10017.pdf"
    page = PdfReader(io.BytesIO(upload.content))
    text = " ".join(" ".join(one.extract_text() for one in page.pages).split())
    assert NUMBER in text
    assert "12 500,00" in text.replace("\xa0", " ")
    assert list(page.attachments.values()) == ([[body]] if form == "ehf" else [])

    # Sent again it is the same; seen again it is none.
    answer = await fjord.post("/v1/invoices", body)
    assert answer.status_code == 202
    before = await fjord.events()
    for _ in range(2):
        await fjord.poll()
    assert await fjord.events() == before
    assert len(vouchers(box)) == 1
    assert await fjord.get("/v1/attention") == []


# --- 2 ----------------------------------------------------------------------------------------------------------------


async def test_2_a_part_payment_of_the_source(fjord: Any) -> None:
    await booked(fjord)
    await paid(fjord, "bank-1", "5 000,00")
    box = fjord.box
    assert await opened(fjord, kind="invoice") == balance(box, RECEIVABLE) == kroner("7 500,00")
    assert balance(box, BANK) == kroner("5 000,00")
    assert sorted(rows(box, vouchers(box)[1])) == [(RECEIVABLE, kroner("-5 000,00")), (BANK, kroner("5 000,00"))]
    assert [row["invoiceNumber"] for row in customer_rows(box)] == [NUMBER, NUMBER]
    assert groups(box) == [], "a part payment stays open beside its invoice"
    assert [one["amount"] for one in await a.received(fjord)] == ["5000.00"]
    await fjord.poll()
    assert len(await a.received(fjord)) == 1
    assert await fjord.get("/v1/attention") == []


async def test_2_a_payment_booked_in_the_ledger_comes_back_once(fjord: Any) -> None:
    document = await booked(fjord)
    row = int(document.links[0]["vendor_id"])
    fjord.box.payment_on(row, kroner("5 000,00"), FEBRUARY, reference=KID)
    for _ in range(3):
        await fjord.poll()
    assert await opened(fjord, kind="invoice") == balance(fjord.box, RECEIVABLE) == kroner("7 500,00")
    (told,) = await a.received(fjord)
    assert (told["amount"], told["open"], told["number"]) == ("5000.00", "7500.00", NUMBER)
    assert len(vouchers(fjord.box)) == 2, "it is not written back"

    # Ours settles the rest, and is matched with both.
    await paid(fjord, "bank-2", "7 500,00")
    assert groups(fjord.box) == [[kroner("-7 500,00"), kroner("-5 000,00"), kroner("12 500,00")]]
    await fjord.poll()
    assert (await fjord.document(kind="invoice")).state == "paid"
    assert len(await a.received(fjord)) == 2
    assert await fjord.get("/v1/attention") == []


async def test_2_a_payment_booked_before_we_know_that_the_invoice_is_there(fjord: Any) -> None:
    """The voucher is made and its document is still to be attached: the payment waits for the invoice it settles."""
    fjord.box.fault("POST /ledger/voucher/.*/attachment", "500-before")
    assert (await fjord.post("/v1/invoices", INVOICE)).status_code == 202
    await fjord.work()
    (row,) = customer_rows(fjord.box)
    assert (await fjord.document(kind="invoice")).state == "accepted"
    fjord.box.payment_on(row["id"], kroner("5 000,00"), FEBRUARY, reference=KID)
    (spoke,) = fjord.house.spokes()
    await fjord.house.store.write(lambda tx: reads.poll(tx, spoke, Kind.PAYMENT))
    await fjord.work()
    await fjord.work(within=3)
    assert await opened(fjord, kind="invoice") == balance(fjord.box, RECEIVABLE) == kroner("7 500,00")
    assert await fjord.get("/v1/attention") == []


async def test_2_two_equal_instalments_are_two(fjord: Any) -> None:
    document = await booked(fjord)
    row = int(document.links[0]["vendor_id"])
    for _ in range(2):
        fjord.box.payment_on(row, kroner("1 000,00"), FEBRUARY, reference=KID)
    await fjord.poll()
    await paid(fjord, "bank-1", "1 000,00")
    await paid(fjord, "bank-2", "1 000,00")
    assert await opened(fjord, kind="invoice") == balance(fjord.box, RECEIVABLE) == kroner("8 500,00")
    assert len(vouchers(fjord.box)) == 5


# --- 3, 4, 5: the whole life ------------------------------------------------------------------------------------------


async def test_3_to_5_credited_paid_overpaid_and_refunded(fjord: Any) -> None:
    box = fjord.box
    await booked(fjord)
    await paid(fjord, "bank-1", "5 000,00")

    note = await booked(fjord, credit(), "credit_note")
    assert sorted(rows(box, vouchers(box)[2])) == [
        (RECEIVABLE, kroner("-3 125,00")), (2700, kroner("510,00")), (2701, kroner("75,00")),
        (3000, kroner("2 040,00")), (3001, kroner("500,00")),
    ]  # fmt: skip
    assert (note.number, note.payable, note.open, note.links[0]["voucher"]) == ("K-1", "3125.00", "0.00", "2027/3")
    assert vouchers(box)[2]["attachment"] is not None
    assert await opened(fjord, kind="invoice") == balance(box, RECEIVABLE) == kroner("4 375,00")
    refused = await fjord.post("/v1/invoices", credit(7, 0, "K-2"))
    assert (refused.status_code, refused.json()["code"]) == (422, "credit-exceeds-remaining")
    assert "6 hours, 6120.00 net, are left" in refused.json()["detail"]
    assert groups(box) == []

    await paid(fjord, "bank-2", "4 375,00", "2027-03-12")
    document = await fjord.document(kind="invoice")
    assert (document.state, Decimal(document.open), balance(box, RECEIVABLE)) == ("paid", 0, 0)
    four = [kroner(one) for one in ("-5 000,00", "-4 375,00", "-3 125,00", "12 500,00")]
    assert groups(box) == [four]

    over = await paid(fjord, "bank-3", "4 375,00", "2027-03-15")
    assert Decimal(over.open) == -balance(box, RECEIVABLE) == kroner("4 375,00")

    await paid(fjord, "bank-4", "4 375,00", "2027-03-18", kid=None, kind="refund", direction="out",
               customer={"number": a.BUYER["legal_id"]["value"]})  # fmt: skip
    assert await opened(fjord, source_id="bank-3") == balance(box, RECEIVABLE) == 0
    assert groups(box) == [four, [kroner("-4 375,00"), kroner("4 375,00")]]
    assert all(row.get("closeGroup") for row in customer_rows(box)), "nothing is open on the customer"
    assert balance(box, BANK) == kroner("9 375,00")

    # 5: VAT by term.
    assert vat(box, "2027-01-01", "2027-02-28") == {
        "3": (kroner("8 160,00"), kroner("2 040,00")),
        "31": (kroner("2 000,00"), kroner("300,00")),
    }
    assert vat(box, "2027-03-01", "2027-04-30") == {
        "3": (kroner("-2 040,00"), kroner("-510,00")),
        "31": (kroner("-500,00"), kroner("-75,00")),
    }
    before = await fjord.events()
    for _ in range(2):
        await fjord.poll()
    assert await fjord.events() == before
    assert await fjord.get("/v1/attention") == []


async def test_3_the_whole_is_credited_and_matched(fjord: Any) -> None:
    await booked(fjord)
    await booked(fjord, credit(8, 20), "credit_note")
    assert (await fjord.document(kind="invoice")).state == "credited"
    assert groups(fjord.box) == [[kroner("-12 500,00"), kroner("12 500,00")]]


async def test_3_the_credit_of_a_paid_invoice_is_paid_back(fjord: Any) -> None:
    await booked(fjord)
    await paid(fjord, "bank-1", "12 500,00")
    note = await booked(fjord, credit(), "credit_note")
    assert Decimal(note.open) == -balance(fjord.box, RECEIVABLE) == kroner("3 125,00")
    await paid(fjord, "bank-2", "3 125,00", "2027-03-18", kid=None, kind="refund", direction="out",
               customer={"number": a.BUYER["legal_id"]["value"]})  # fmt: skip
    assert await opened(fjord, kind="credit_note") == balance(fjord.box, RECEIVABLE) == 0
    assert all(row.get("closeGroup") for row in customer_rows(fjord.box))
    assert await fjord.get("/v1/attention") == []


async def test_3_all_is_posted_before_anything_is_done(fjord: Any) -> None:
    """Credit note and payment wait for their invoice, and are matched with it in the end."""
    for path, body in (
        ("/v1/invoices", INVOICE),
        ("/v1/invoices", credit()),
        ("/v1/payments", {"source_id": "bank-1", "direction": "in", "date": "2027-03-12", "amount": "9375.00",
                          "currency": "NOK", "bank_account": a.OWN_ACCOUNT, "kid": KID}),
    ):  # fmt: skip
        assert (await fjord.post(path, body)).status_code == 202
    await fjord.work(within=2)
    assert await fjord.get("/v1/attention") == []
    assert balance(fjord.box, RECEIVABLE) == 0
    assert len(groups(fjord.box)) == 1
    assert len(groups(fjord.box)[0]) == 3


async def test_a_payment_of_an_invoice_booked_elsewhere_is_taken_back(fjord: Any) -> None:
    await booked(fjord)
    await paid(fjord, "bank-1", "12 500,00")
    answer = await fjord.post(
        "/v1/reversals", {"source_id": "back-1", "of": "payment", "of_id": "bank-1", "date": "2027-03-13"}
    )
    await fjord.work(within=2)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    assert await opened(fjord, kind="invoice") == balance(fjord.box, RECEIVABLE) == kroner("12 500,00")


# --- 7 ----------------------------------------------------------------------------------------------------------------


async def test_7_ore(fjord: Any) -> None:
    document = await booked(fjord, INVOICE | {"lines": a.ORE["lines"]})
    assert (document.payable, balance(fjord.box, RECEIVABLE)) == ("124.99", kroner("124,99"))
    assert sorted(rows(fjord.box, vouchers(fjord.box)[0])) == [
        (RECEIVABLE, kroner("124,99")), (2700, kroner("-25,00")), (3000, kroner("-99,99")),
    ]  # fmt: skip


async def test_7_ore_in_whole_kroner(fjord: Any) -> None:
    document = await booked(fjord, INVOICE | {"lines": a.ORE["lines"], "round_payable_to": "1"})
    assert document.payable == "125.00"
    assert sorted(rows(fjord.box, vouchers(fjord.box)[0])) == [
        (RECEIVABLE, kroner("125,00")), (2700, kroner("-25,00")), (3000, kroner("-99,99")), (7740, kroner("-0,01")),
    ]  # fmt: skip
