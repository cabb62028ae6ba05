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

from adapters.accounting.tripletex.sandbox import EMPLOYEE_TOKEN, orders, registers
from connector.ehf import write
from connector.model import Draft, compose
from connector.ports import Kind
from connector.store import connections
from connector.sync import reads
from connector.sync.catching_up import catch_up
from connector.sync.plan import plan

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
OWN = """
  own:
    takes: api
    to: books
    issues: books
    sends: nobody
    reminds: nobody
    takes_bank_money: {"86011117947": books, "15032080119": source}
"""
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


# --- what stops -------------------------------------------------------------------------------------------------------


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


async def test_vat_that_the_ledger_would_compute_otherwise(fjord: Any) -> None:
    """2 499,99 is stated of 10 000,00 at 25 %, which the rules of EHF allow: the ledger would book 2 500,00."""
    stated = compose(Draft.model_validate(INVOICE | {"lines": [a.ORE["lines"][0] | {"price": "10000.00"}]}))
    totals = stated.totals
    assert totals is not None
    body = stated.model_copy(
        update={
            "vat_breakdown": (stated.vat_breakdown[0].model_copy(update={"tax_amount": Decimal("2499.99")}),),
            "totals": totals.model_copy(
                update={"tax": Decimal("2499.99"), "tax_inclusive": Decimal("12499.99"), "payable": Decimal("12499.99")}
            ),
        }
    )
    item = await waiting(fjord, body.model_dump(mode="json", exclude_defaults=True), "vat-differs")
    assert "2499.99" in item["said"]
    assert "2500.00" in item["said"]


async def test_a_number_that_tripletex_has_given_itself(fjord: Any) -> None:
    books = fjord.box.books
    customer = registers.create(books, registers.REGISTERS["customer"], {"name": "Annen AS"})
    lines = [{"description": "x", "count": 1, "unitPriceExcludingVatCurrency": 1, "vatType": {"id": 3}}]
    order = {"customer": {"id": customer["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14"}
    books.charge(orders.create_order(books, order | {"orderLines": lines}), date(2027, 1, 15))
    await waiting(fjord, INVOICE, "number-taken")


async def test_an_account_that_is_not_there(fjord: Any) -> None:
    del fjord.box.books.things["account"][fjord.box.books.account(3001).id]
    item = await waiting(fjord, INVOICE, "account-unknown")
    assert "3001" in item["said"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"currency": "GBP"}, "currency-unknown"),
        ({"prepaid": "100.00"}, "prepaid-without-credit"),
        ({"dimensions": {"department": "10"}}, "department-unknown"),
        ({"dimensions": {"location": "Bergen"}}, "not-expressible"),
        ({"dimensions": {"seller": "7"}}, "not-expressible"),
    ],
)
async def test_what_is_not_booked(fjord: Any, change: dict[str, Any], code: str) -> None:
    await waiting(fjord, INVOICE | change, code)


async def test_without_the_right_to_send_to_the_ledger(fjord: Any) -> None:
    fjord.box.shrink("advanced_voucher")
    (spoke,) = fjord.house.spokes()
    probe = await fjord.house.probe(spoke)
    assert probe.missing == ["Advanced Voucher (Avansert bilag)"]
    assert any("Advanced Voucher" in one for one in probe.needs)
    await fjord.post("/v1/invoices", INVOICE)
    await fjord.work(within=1)
    assert vouchers(fjord.box) == []
    (item,) = await fjord.get("/v1/attention")
    assert (item["code"], item["verbs"]) == ("right-missing", ["resume"])
    assert "Advanced Voucher" in item["do"]
    fjord.box.access[EMPLOYEE_TOKEN].rights.add("advanced_voucher")
    solved = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "resume"})
    assert solved.status_code == 204
    await fjord.work(within=1)
    assert len(vouchers(fjord.box)) == 1


async def test_matching_that_the_ledger_refuses_waits_for_a_person(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        books = fjord.box.books
        await booked(fjord)
        books.unclosable = lambda rows: "Nei."
        answer = await fjord.post(
            "/v1/payments",
            {"source_id": "bank-1", "direction": "in", "date": "2027-02-01", "amount": "12500.00", "currency": "NOK",
             "bank_account": a.OWN_ACCOUNT, "kid": KID},
        )  # fmt: skip
        await fjord.work(within=2)
        (item,) = await fjord.get("/v1/attention")
        assert (item["code"], "Nei." in item["said"]) == ("not-matched", True)
        del books.unclosable
        solved = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
        assert solved.status_code == 204
        await fjord.work(within=2)
        assert (await fjord.get(answer.headers["location"]))["state"] == "done"
        assert len(vouchers(fjord.box)) == 2
        assert len(groups(fjord.box)) == 1


async def test_one_company_two_ways(founded: Any) -> None:
    """A credit note of the source credits what the source has issued, one of the ledger what the ledger has."""
    async with founded(issues="source", more_routes=OWN) as fjord:
        series = INVOICE | {"number": "A-17"}
        await booked(fjord, series, params={"route": "sales"})
        draft = a.INVOICE | {"source_id": "sale-2"}
        own = await booked(fjord, draft, params={"route": "own"}, source_id="sale-2")
        assert own.number == "10017"
        theirs = credit(preceding_invoices=[{"document_id": own.id}])
        named = {"preceding_invoices": [{"number": "A-17"}]}
        ours = credit(1, 1) | named | {"number": None, "source_id": "credit-own"}
        for body, route in ((theirs, "sales"), (ours, "own")):
            answer = await fjord.post("/v1/invoices", body, params={"route": route})
            assert (answer.status_code, answer.json()["code"]) == (422, "credited-invoice-elsewhere"), answer.text
        await booked(fjord, credit() | named, "credit_note", params={"route": "sales"})
        assert balance(fjord.box, RECEIVABLE) == kroner("21 875,00")
        assert len(vouchers(fjord.box)) == 3


async def test_the_plan_shows_the_voucher(fjord: Any) -> None:
    (spoke,) = fjord.house.spokes()
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="observe"))
    assert (await fjord.post("/v1/invoices", INVOICE)).status_code == 202
    await fjord.work()
    customer, step = await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke))
    assert (customer.kind, customer.action) == ("customer", "create")
    assert (step.kind, step.action, step.number) == ("invoice", "create", NUMBER)
    assert [(one["account"]["number"], one["amount"]) for one in step.record["lines"]] == [(3000, 8160), (3001, 2000)]
    assert await fjord.get("/v1/attention") == []
    await fjord.house.store.write(lambda tx: connections.change(tx, spoke.id, mode="active"))
    await catch_up(fjord.house.store, fjord.house, spoke)
    await fjord.work(within=1)
    assert len(vouchers(fjord.box)) == 1
    assert await fjord.house.store.read(lambda tx: plan(tx, fjord.house, spoke)) == []


# --- under its own number ---------------------------------------------------------------------------------------------


async def test_among_the_ledgers_own_invoices(founded: Any) -> None:
    """The customer has confirmed that nothing is invoiced inside: it keeps its number, and payments come as usual."""
    settings = "external_invoices: invoice, nothing_invoiced_here: true"
    async with founded(issues="source", settings=settings) as fjord:
        fjord.box.books.rules.keeps_kid = True
        document = await booked(fjord)
        (there,) = a.issued(fjord.box)
        assert (there["invoiceNumber"], there["kid"]) == (int(NUMBER), KID)
        assert (document.number, document.kid, document.state) == (NUMBER, KID, "issued")
        fjord.box.payment(there["id"], kroner("5 000,00"), FEBRUARY, reference=KID)
        await fjord.poll()
        await paid(fjord, "bank-1", "7 500,00")
        assert (await fjord.document(kind="invoice")).state == "paid"
        assert balance(fjord.box, RECEIVABLE) == 0
        assert len(await a.received(fjord)) == 2
        assert len((await fjord.get("/v1/documents", kind="invoice"))["documents"]) == 1, "it is not mirrored"
        note = await fjord.post("/v1/invoices", credit())
        assert (note.status_code, note.json()["code"]) == (409, "operation-not-supported")
        await fjord.post("/v1/invoices", INVOICE | {"number": "A-1", "source_id": "sale-2"})
        await fjord.work(within=1)
        (item,) = await fjord.get("/v1/attention")
        assert item["code"] == "number-not-numeric"
        assert len(a.issued(fjord.box)) == 1
