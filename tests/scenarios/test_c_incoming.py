"""Scenario C, step 1: an incoming EHF, the same one through the ledger's own inbox, a changed bank account."""

from __future__ import annotations

import base64
import re
import sys
import zlib
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import behind as sandbox_behind
from connector.ehf import validate
from connector.lanes import story

sys.path.append(str(Path(__file__).parent))
from incoming_ehf import KNOWN, OTHER, OWN, PDF, SUPPLIER, ehf, paid_to, purchase, with_files
from test_a_domestic_invoice import INVOICE, kroner, vouchers

from connector.ehf import write
from connector.model import DocumentReference, Party

STATED = {"net": "10000.00", "vat": "2499.99"}


def reception(box: Any) -> list[dict[str, Any]]:
    """Vouchers that wait in the reception, and those that somebody has moved on."""
    return [one for one in box.books.things.get("voucher", {}).values() if one["_state"] != "ledger"]


def inside(pdf: bytes) -> list[bytes]:
    """What is in the streams of a PDF."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            found.append(stream)
    return found


def suppliers(box: Any) -> list[str]:
    return [one["name"] for one in box.books.things.get("supplier", {}).values()]


async def deliver(fjord: Any, body: bytes, **more: Any) -> dict[str, Any]:
    """A message comes in and is handled; its operation."""
    answer = await fjord.post("/v1/incoming-invoices", body, **more)
    assert answer.status_code == 202, answer.text
    await fjord.work(within=1.5)
    return await fjord.get(answer.headers["location"])


async def waiting(fjord: Any) -> list[dict[str, Any]]:
    return await fjord.get("/v1/attention")


async def settle(fjord: Any, item: dict[str, Any], verb: str) -> None:
    answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": verb})
    assert answer.status_code == 204, answer.text
    await fjord.work(within=1.5)


def behind(box: Any, what: str, said: dict[str, Any]) -> Any:
    """What people do in the program itself, or what comes to the company by itself."""
    return sandbox_behind.call(box, f"POST /{what}", SimpleNamespace(body=said, query={}))


def register(box: Any, amount: str = "12499.99", **more: Any) -> None:
    """Somebody registers what lies in the reception."""
    (voucher,) = reception(box)
    said = {"voucher": voucher["id"], "amount": amount, "organizationNumber": "974760673", "name": "Selger AS",
            "invoiceNumber": "F-7", "date": "2027-01-10", "dueDate": "2027-02-10", **more}  # fmt: skip
    behind(box, "_sandbox/register", said)


# --- 1. Incoming EHF: valid, booked as stated, with a note ------------------------------------------------------------


async def test_c1_valid_and_booked_as_stated_with_a_note(fjord: Any) -> None:
    body = ehf(**STATED)
    assert validate(body).valid
    operation = await deliver(fjord, body)
    assert operation["state"] == "done"
    document = await fjord.document(kind="supplier_invoice")
    assert (document.number, document.payable, document.state) == ("F-7", "12499.99", "delivered")
    assert document.body["totals"]["tax"] == "2499.99"

    (voucher,) = reception(fjord.box)
    assert voucher["description"] == "Faktura F-7 fra Selger AS"
    page = fjord.box.books.find(voucher["attachment"])["_uploads"][0].content
    assert body in inside(page)
    assert suppliers(fjord.box) == ["Selger AS"]
    original = await fjord.client.get(f"/v1/documents/{document.id}/original")
    assert original.content == body
    received = next(e for e in (await fjord.get("/v1/changes"))["events"] if e["kind"] == "supplier_invoice.received")
    assert received["data"]["notes"] == [
        "VAT of 25 % on 10000.00 would be 2500.00; the invoice states 2499.99 and is booked as stated."
    ]
    assert await waiting(fjord) == []

    register(fjord.box)
    await fjord.poll()
    document = await fjord.document(kind="supplier_invoice")
    assert (document.state, document.open) == ("booked", "12499.99")
    assert document.links[0]["voucher"]


async def test_c1_booked_by_rule_to_the_oere(founded: Any) -> None:
    """A pilot customer, straight to the ledger: base 10 000,00, VAT 2 499,99 and 12 499,99 stand in the books."""
    settings = "incoming: ledger, incoming_account: 4300"
    async with founded(settings=settings) as fjord:
        fjord.box.books.rules.incoming_pilot = True
        assert (await deliver(fjord, ehf(**STATED)))["state"] == "done"
        (rows,) = vouchers(fjord.box)
        sums: dict[int, Decimal] = {}
        for account, amount in rows:
            sums[account] = sums.get(account, Decimal(0)) + amount
        assert sums[4300] == kroner("10 000,00")
        assert sums[2400] == -kroner("12 499,99")
        assert sum(sums.values()) - sums[4300] - sums[2400] == kroner("2 499,99")
        document = await fjord.document(kind="supplier_invoice")
        assert document.state == "booked"


# --- the same invoice through the ledger's own inbox: still one -------------------------------------------------------


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("read", [False, True])
async def test_c1_the_ledger_received_it_first(fjord: Any, read: bool, listed: bool) -> None:
    fjord.box.books.rules.reception_in_list = listed
    body = ehf(**STATED)
    behind(fjord.box, "_sandbox/ehf", {"xml": body.decode()})
    if read:
        await fjord.poll()
        assert (await fjord.document(kind="supplier_invoice")).state == "delivered"
    assert (await deliver(fjord, body))["state"] == ("waiting" if read else "done")
    (item,) = await fjord.get("/v1/attention")
    assert item["code"] == "ledger-has-it"
    await settle(fjord, item, "refuse" if read else "ignore")  # it is the same one
    await fjord.poll()
    assert len(reception(fjord.box)) == 1
    found = (await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]
    (document,) = [await fjord.get(f"/v1/documents/{one['id']}") for one in found if one["state"] != "replaced"]
    document = SimpleNamespace(**document)
    assert document.state == "delivered"
    assert document.body["lines"][0]["name"] == "Varer"
    assert (await fjord.client.get(f"/v1/documents/{document.id}/original")).content == body
    assert len((await fjord.get("/v1/documents", kind="supplier"))["documents"]) == 1
    assert await waiting(fjord) == []


async def test_c1_the_ledger_receives_it_afterwards(fjord: Any) -> None:
    """Two lie there now: that is told, and our document stays one."""
    await deliver(fjord, ehf(**STATED))
    behind(fjord.box, "_sandbox/ehf", {"xml": ehf(**STATED).decode()})
    await fjord.poll()
    await fjord.document(kind="supplier_invoice")
    (item,) = await waiting(fjord)
    assert item["code"] == "supplier-invoice-twice"


async def test_another_supplier_may_have_the_same_number(fjord: Any) -> None:
    other = Party.norwegian("991825827", "Annen AS", address=SUPPLIER.address)
    behind(fjord.box, "_sandbox/ehf", {"xml": ehf(seller=other).decode()})
    assert (await deliver(fjord, ehf()))["state"] == "done"
    assert len(reception(fjord.box)) == 2


async def test_another_amount_in_the_ledger_is_for_a_person(fjord: Any) -> None:
    behind(fjord.box, "_sandbox/ehf", {"xml": ehf(net="9000.00").decode()})
    assert (await deliver(fjord, ehf()))["state"] == "waiting"
    (item,) = await waiting(fjord)
    assert item["code"] == "invoice-in-ledger-differs"
    assert len(reception(fjord.box)) == 1


# --- the supplier's bank account differs from the last one known ------------------------------------------------------


async def test_c1_another_bank_account_is_held_and_accepted(fjord: Any) -> None:
    await deliver(fjord, ehf("F-7"))
    operation = await deliver(fjord, ehf("F-8", **paid_to(OTHER)))
    assert operation["state"] == "waiting"
    held = await fjord.document(number="F-8")
    assert held.state == "held"
    assert len(reception(fjord.box)) == 1
    (item,) = await waiting(fjord)
    assert item["code"] == "bank-account-changed"
    assert KNOWN in item["said"]
    assert OTHER in item["said"]
    assert item["verbs"] == ["accept", "refuse"]
    await settle(fjord, item, "accept")
    assert (await fjord.document(number="F-8")).state == "delivered"
    assert (await fjord.get(f"/v1/operations/{operation['id']}"))["state"] == "done"
    assert len(reception(fjord.box)) == 2
    told = await fjord.house.store.read(lambda tx: [one.as_json() for one in story(tx, "fjord", held.id)])
    assert any("accept" in str(entry) and "key test" in str(entry) for entry in told)
    # From now on it is known, and the old one still is.
    await deliver(fjord, ehf("F-9", **paid_to(OTHER)))
    assert await waiting(fjord) == []


async def test_c1_another_bank_account_is_refused(fjord: Any) -> None:
    await deliver(fjord, ehf("F-7"))
    operation = await deliver(fjord, ehf("F-8", **paid_to(OTHER)))
    await settle(fjord, (await waiting(fjord))[0], "refuse")
    document = await fjord.document(number="F-8")
    assert (document.state, document.open) == ("refused", "0.00")
    assert (await fjord.get(f"/v1/operations/{operation['id']}"))["state"] == "rejected"
    assert len(reception(fjord.box)) == 1
    assert (await deliver(fjord, ehf("F-9", **paid_to(OTHER))))["state"] == "waiting"


async def test_c1_the_account_in_the_ledgers_register_counts(fjord: Any) -> None:
    said = {"name": "Selger AS", "organizationNumber": "974760673", "bankAccountPresentation": [{"bban": OTHER}]}
    behind(fjord.box, "_sandbox/record/supplier", said)
    await fjord.poll()
    await deliver(fjord, ehf("F-7"))
    (item,) = await waiting(fjord)
    assert item["code"] == "bank-account-changed"
    assert reception(fjord.box) == []
    await deliver(fjord, ehf("F-8", **paid_to(OTHER)))
    assert len(reception(fjord.box)) == 1
    assert suppliers(fjord.box) == ["Selger AS"]


async def test_the_first_invoice_of_a_supplier_is_held_where_the_route_says_so(founded: Any) -> None:
    async with founded(hold_new=True) as fjord:
        await deliver(fjord, ehf("F-7"))
        (item,) = await waiting(fjord)
        assert item["code"] == "supplier-new"
        assert suppliers(fjord.box) == []
        await settle(fjord, item, "accept")
        await deliver(fjord, ehf("F-8"))
        assert len(reception(fjord.box)) == 2


# --- what comes again, and what should not have come ------------------------------------------------------------------


async def test_the_same_message_is_one_and_the_same_invoice_in_another_waits(fjord: Any) -> None:
    body = ehf(**STATED)
    first = await deliver(fjord, body, key="message-1")
    assert (await deliver(fjord, body, key="message-1"))["id"] == first["id"]
    assert (await fjord.post("/v1/incoming-invoices", ehf(), key="message-1")).status_code == 422
    second = await deliver(fjord, body, key="message-2")
    assert second["state"] == "waiting"
    (item,) = await waiting(fjord)
    assert (item["code"], item["details"]["details"]["same_amount"]) == ("invoice-twice", True)
    assert len(reception(fjord.box)) == 1
    await settle(fjord, item, "refuse")
    assert len(reception(fjord.box)) == 1
    assert await waiting(fjord) == []


async def test_an_invalid_one_is_kept_explained_and_waits(fjord: Any) -> None:
    bad = ehf().replace(
        b'<cbc:PayableAmount currencyID="NOK">12500.00', b'<cbc:PayableAmount currencyID="NOK">12501.00'
    )
    assert not validate(bad).valid
    assert (await deliver(fjord, bad))["state"] == "waiting"
    (item,) = await waiting(fjord)
    assert item["code"] == "ehf-invalid"
    assert item["details"]["details"][0]["rule"] == "BR-CO-16"
    document = await fjord.document(kind="supplier_invoice")
    assert (await fjord.client.get(f"/v1/documents/{document.id}/original")).content == bad
    assert reception(fjord.box) == []
    await settle(fjord, item, "accept")
    assert len(reception(fjord.box)) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not even XML", "ehf-unreadable"),
        (b"", "ehf-unreadable"),
        (b"<html><body>Hei</body></html>", "ehf-unreadable"),
        (ehf(buyer=Party.norwegian("991825827", "Annen AS", address=OWN.address)), "wrong-receiver"),
        (ehf(seller=OWN, buyer=SUPPLIER), "own-sale"),
        (ehf(type_code="389", seller=OWN, buyer=SUPPLIER), "self-billing"),
    ],
    ids=["no-xml", "empty", "html", "wrong-receiver", "own-sale", "self-billing"],
)
async def test_what_is_not_ours_or_no_ehf_waits_as_it_came(fjord: Any, body: bytes, code: str) -> None:
    operation = await deliver(fjord, body)
    assert operation["state"] == "waiting"
    assert operation["result"]["code"] == code
    (item,) = await waiting(fjord)
    assert item["code"] == code
    assert (await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"] == []
    assert (await fjord.get("/v1/documents", kind="supplier"))["documents"] == []
    assert fjord.box.books.things.get("voucher", {}) == {}
    await settle(fjord, item, "cancel")
    assert (await fjord.get(f"/v1/operations/{operation['id']}"))["state"] == "rejected"


# --- credit notes, other currencies, attachments, payment -------------------------------------------------------------


async def test_an_incoming_credit_note_and_another_currency(fjord: Any) -> None:
    note = ehf("K-1", net="800.00", type_code="381", preceding_invoices=(DocumentReference(number="F-7"),))
    assert validate(note).valid
    assert (await deliver(fjord, note))["state"] == "done"
    euro = write(purchase("F-9", currency="EUR", net="100.00"))
    await deliver(fjord, euro)
    for item in await waiting(fjord):  # the VAT in kroner is missing; taken as it is
        await settle(fjord, item, "accept")
    found = {one["number"]: one for one in (await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]}
    assert (found["K-1"]["payable"], found["K-1"]["state"]) == ("1000.00", "delivered")
    assert (found["F-9"]["payable"], found["F-9"]["currency"]) == ("125.00", "EUR")
    texts = [voucher["description"] for voucher in reception(fjord.box)]
    assert texts == ["Kreditnota K-1 fra Selger AS", "Faktura F-9 fra Selger AS"]


async def test_attachments_go_along_as_far_as_the_ledger_takes_them(fjord: Any) -> None:
    files = with_files(
        ("timeliste.pdf", "application/pdf", PDF),
        ("tall.csv", "text/csv", b"a;b\n"),
        ("bilde.png", "image/png", b"\x89PNG\r\n\x1a\n...."),
    )
    body = ehf(**files)
    await deliver(fjord, body)
    document = await fjord.document(kind="supplier_invoice")
    assert document.state == "delivered"
    (voucher,) = reception(fjord.box)
    uploads = fjord.box.books.find(voucher["attachment"])["_uploads"]
    assert [one.file_name for one in uploads][1:] == ["1-timeliste.pdf", "2-bilde.png"]
    assert uploads[1].content == PDF
    told = [e for e in (await fjord.get("/v1/changes"))["events"] if e["kind"] == "supplier_invoice.delivered"]
    assert told[0]["data"]["left_out"][0]["file"] == "tall.csv"
    listed = await fjord.get(f"/v1/documents/{document.id}/attachments")
    assert [one["name"] for one in listed] == ["timeliste.pdf", "tall.csv", "bilde.png"]
    read = await fjord.client.get(f"/v1/documents/{document.id}/attachments/2")
    assert read.content == b"a;b\n"
    assert (await fjord.client.get(f"/v1/documents/{document.id}/attachments/4")).status_code == 404


async def test_attachments_of_what_is_sold_go_to_the_ledger_once(fjord: Any) -> None:
    sheet = {"content": base64.b64encode(PDF).decode(), "mime_type": "application/pdf", "filename": "timer.pdf"}
    sale = INVOICE | {"attachments": [{"id": "timer", "embedded": sheet}]}
    fjord.box.fault("PUT /order/.*/:attach", "no-answer")
    assert (await fjord.post("/v1/invoices", sale)).status_code == 202
    await fjord.work(within=1.5)
    document = await fjord.document(kind="invoice")
    assert document.state == "issued"
    (order,) = fjord.box.books.things["order"].values()
    (kept,) = [fjord.box.books.find(link) for link in order["attachment"]]
    assert (kept["fileName"], kept["_uploads"][0].content) == ("1-timer.pdf", PDF)
    assert (await fjord.client.get(f"/v1/documents/{document.id}/attachments/1")).content == PDF

    table = {"content": base64.b64encode(b"a;b").decode(), "mime_type": "text/csv", "filename": "tall.csv"}
    other = sale | {"source_id": "sale-csv", "attachments": [{"id": "tall", "embedded": table}]}
    await fjord.post("/v1/invoices", other)
    await fjord.work()
    (item,) = await waiting(fjord)
    assert item["code"] == "attachment-type"
    assert len(fjord.box.books.things["order"]) == 1


async def test_the_ledgers_page_is_read_once_through_the_lane(fjord: Any) -> None:
    await deliver(fjord, ehf())
    document = await fjord.document(kind="supplier_invoice")
    path = f"/v1/documents/{document.id}/page"
    assert (await fjord.client.get(path, params={"wait": 0})).status_code == 202
    await fjord.work()
    first = await fjord.client.get(path, params={"wait": 0})
    assert first.content.startswith(b"%PDF-")
    asked = len(fjord.box.requests)
    assert (await fjord.client.get(path)).content == first.content
    assert len(fjord.box.requests) == asked
    supplier = await fjord.document(kind="supplier")
    assert (await fjord.client.get(f"/v1/documents/{supplier.id}/page")).status_code == 404


async def test_paid_in_the_ledger(fjord: Any) -> None:
    await deliver(fjord, ehf(**STATED))
    register(fjord.box)
    books = fjord.box.books
    (invoice,) = books.things["supplierInvoice"].values()
    from datetime import date

    how = next(iter(books.things["paymentTypeOut"].values()))
    books.pay_supplier(invoice, date(2027, 2, 9), Decimal("5000.00"), how)
    await fjord.poll()
    document = await fjord.document(kind="supplier_invoice")
    assert (document.state, document.open) == ("booked", "7499.99")
    books.pay_supplier(invoice, date(2027, 2, 10), Decimal("7499.99"), how)
    await fjord.poll()
    document = await fjord.document(kind="supplier_invoice")
    assert (document.state, document.open) == ("paid", "0.00")
    paid = [
        e["data"] for e in (await fjord.get("/v1/changes", limit=500))["events"] if e["kind"] == "supplier_invoice.paid"
    ]
    assert [one["amount"] for one in paid[-1]["payments"]] == ["5000.00", "7499.99"]
    assert await waiting(fjord) == []


async def test_registered_with_another_amount_is_told(fjord: Any) -> None:
    await deliver(fjord, ehf(**STATED))
    register(fjord.box, amount="12500.00")
    await fjord.poll()
    codes = {item["code"] for item in await waiting(fjord)}
    assert "drift" in codes
    assert (await fjord.document(kind="supplier_invoice")).payable == "12499.99"
