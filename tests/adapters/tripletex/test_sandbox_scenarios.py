"""The lives of invoices in figures, as a bookkeeper would lead them in the sandbox alone, call by call."""

from __future__ import annotations

from decimal import Decimal

import pytest

EUR = {"id": 5}
TERMS = {"January–February": ("2027-01-01", "2027-03-01"), "March–April": ("2027-03-01", "2027-05-01")}


@pytest.fixture
async def invoice(checked):
    """Hours and lunches, departments 10 and 20, 12 500,00 payable."""
    oslo, bergen = [
        {"id": (await checked("POST", "/department", {"name": name, "departmentNumber": number}))["id"]}
        for name, number in (("Oslo", "10"), ("Kantine", "20"))
    ]
    said = [("Time", "1020.00", 3, oslo), ("Lunsj", "100.00", 31, bergen)]
    products = [
        await checked("POST", "/product", {"name": name, "priceExcludingVatCurrency": Decimal(price),
                                           "vatType": {"id": vat}, "department": department})
        for name, price, vat, department in said
    ]  # fmt: skip

    async def order(customer, *counts):
        lines = [{"product": {"id": one["id"]}, "count": count} for one, count in zip(products, counts, strict=True)]
        return await checked.order(customer=customer, orderLines=lines)

    customer = (await checked.customer())["id"]
    first = await order(customer, 8, 20)
    path = f"/order/{first['id']}/:invoice"
    made = await checked("PUT", path, invoiceDate="2027-01-15", sendToCustomer=False)
    made["order"] = order
    return made


async def pay(call, made, day, amount):
    how = await call.payment_type()
    path = f"/invoice/{made['id']}/:payment"
    paid = await call("PUT", path, paymentDate=day, paymentTypeId=how, paidAmount=Decimal(amount))
    return paid["amountOutstanding"]


async def credited(call, made):
    note = await made["order"](made["customer"]["id"], -2, -5)
    path = f"/order/{note['id']}/:invoice"
    query = {"invoiceDate": "2027-03-10", "sendToCustomer": False, "invoiceIdIfIsCreditNote": made["id"]}
    return await call("PUT", path, **query)


async def vat_of(call, term):
    """Base and VAT by code, from the postings, as they would be reported."""
    first, last = TERMS[term]
    rows = await call("GET", "/ledger/posting", dateFrom=first, dateTo=last, accountNumberFrom=3000,
                      accountNumberTo=3999, fields="amount,amountGross,vatType(number)")  # fmt: skip
    sums = {}
    for row in rows:
        base, vat = sums.get(row["vatType"]["number"], (0, 0))
        sums[row["vatType"]["number"]] = (base - row["amount"], vat - row["amountGross"] + row["amount"])
    return sums


async def test_the_whole_life_of_a_domestic_invoice(box, checked, invoice):
    call, made = checked, invoice
    wanted = "voucher(postings(amount,account(number),department(departmentNumber)))"
    shown = await call("GET", f"/invoice/{made['id']}", fields=wanted)
    rows = [(p["account"]["number"], p["amount"], p.get("department", {}).get("departmentNumber"))
            for p in shown["voucher"]["postings"]]  # fmt: skip
    assert rows == [(1500, 12500, None), (3000, -8160, "10"), (3001, -2000, "20"), (2700, -2040, None),
                    (2701, -300, None)]  # fmt: skip
    assert await pay(call, made, "2027-02-01", "5000.00") == 7500
    note = await credited(call, made)
    assert note["amount"] == -3125
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 4375
    assert await pay(call, made, "2027-03-12", "4375.00") == 0
    assert await pay(call, made, "2027-03-15", "4375.00") == -4375
    assert await pay(call, made, "2027-03-18", "-4375.00") == 0
    assert await call("GET", "/ledger/posting/openPost", date="2028-01-01") == []
    assert box.state()["balances"]["1500"] == 0
    assert await vat_of(call, "January–February") == {"3": (8160, 2040), "31": (2000, 300)}
    assert await vat_of(call, "March–April") == {"3": (-2040, -510), "31": (-500, -75)}


async def test_what_is_left_is_written_off_as_a_loss(box, checked, invoice):
    await pay(checked, invoice, "2027-02-01", "5000.00")
    await credited(checked, invoice)
    bank = box.state()["balances"]["1920"]
    buyer = {"customer": {"id": invoice["customer"]["id"]}}
    loss = await checked.voucher((7830, Decimal("4375.00"), {}), (1500, Decimal("-4375.00"), buyer), date="2027-03-12")
    rows = await checked("GET", "/ledger/posting/openPost", date="2028-01-01", customerId=buyer["customer"]["id"])
    assert loss["postings"][1]["id"] in {one["id"] for one in rows}
    assert await checked("PUT", "/ledger/posting/:closePostings", [one["id"] for one in rows]) == []
    assert (await checked("GET", f"/invoice/{invoice['id']}"))["amountOutstanding"] == 0
    assert box.state()["balances"]["1920"] == bank
    assert box.state()["balances"]["1500"] == 0


async def test_an_export_paid_in_two_parts_with_a_fee(box, checked):
    made = await checked.invoice((1, 1000, 52), currency=EUR)
    how = {"paymentTypeId": await checked.payment_type("Betalt til valutakonto")}
    path = f"/invoice/{made['id']}/:payment"
    box.books.rates["EUR"] = Decimal("11.60")
    await checked("PUT", path, **how, paymentDate="2027-02-01", paidAmount=600, paidAmountCurrency=600)
    box.books.rates["EUR"] = Decimal("11.40")
    paid = await checked("PUT", path, **how, paymentDate="2027-02-08", paidAmount=395, paidAmountCurrency=395)
    assert paid["amountCurrencyOutstanding"] == 5
    fee = {"date": "2027-02-08", "postings": [
        {"row": 1, "account": await checked.account(7770), "amountGrossCurrency": 5, "currency": EUR},
        {"row": 2, "account": await checked.account(1500), "amountGrossCurrency": -5, "currency": EUR,
         "customer": {"id": made["customer"]["id"]}},
    ]}  # fmt: skip
    await checked("POST", "/ledger/voucher", fee)
    rows = await checked("GET", "/ledger/posting/openPost", date="2028-01-01")
    assert sum(one["amountCurrency"] for one in rows) == 0
    assert await checked("PUT", "/ledger/posting/:closePostings", [one["id"] for one in rows]) == []
    shown = await checked("GET", f"/invoice/{made['id']}")
    assert (shown["amountOutstanding"], shown["amountCurrencyOutstanding"]) == (0, 0)
    # 600 × 11,60 + 395 × 11,40 + 5 × 11,40 = 11 520: 20 more than 1 000 × 11,50
    assert (box.state()["balances"]["8060"], box.state()["balances"]["1500"]) == (-20, 0)


async def test_the_ledgers_own_value_in_kroner_is_seen_before_release(box, checked):
    box.books.rates["EUR"] = Decimal("11.523")
    order = await checked.order((1, 1000, 3), currency=EUR)
    shown = await checked("GET", f"/order/{order['id']}", fields="preliminaryInvoice(amount,amountExcludingVat)")
    coming = shown["preliminaryInvoice"]
    assert coming["amount"] - coming["amountExcludingVat"] == Decimal("2880.75")


async def test_an_advance_is_credit_until_it_is_closed_with_the_invoice(box, checked, invoice):
    buyer = {"customer": {"id": invoice["customer"]["id"]}}
    await checked.voucher((1920, 4000, {}), (1500, -4000, buyer), date="2027-01-10")
    assert box.state()["balances"]["1500"] == 8500
    assert await pay(checked, invoice, "2027-02-01", "8500.00") == 4000
    rows = await checked("GET", "/ledger/posting/openPost", date="2028-01-01")
    assert await checked("PUT", "/ledger/posting/:closePostings", [one["id"] for one in rows]) == []
    assert (await checked("GET", f"/invoice/{invoice['id']}"))["amountOutstanding"] == 0
    assert box.state()["balances"]["1500"] == 0


async def test_an_invoice_issued_elsewhere_lives_as_vouchers(box, checked):
    call = checked
    buyer = {"customer": {"id": (await call.customer())["id"]}}
    receivable = {**buyer, "invoiceNumber": "A-10017", "termOfPayment": "2027-01-29"}
    made = await call.voucher(
        (1500, Decimal("12500.00"), receivable), (3000, Decimal("-10200.00"), {"vatType": {"id": 3}}),
        (3001, Decimal("-2300.00"), {"vatType": {"id": 31}}), date="2027-01-15", externalVoucherNumber="10017",
    )  # fmt: skip
    await call.upload(f"/ledger/voucher/{made['id']}/attachment", b"%PDF-1.4 faktura", "10017.pdf")
    assert box.state()["balances"] == {
        "1500": 12500, "2700": -2040, "2701": -300, "3000": -8160, "3001": -2000,
    }  # fmt: skip
    (row,) = await call("GET", "/ledger/posting/openPost", date="2028-01-01", fields="id,invoiceNumber,termOfPayment")
    assert (row["invoiceNumber"], row["termOfPayment"]) == ("A-10017", "2027-01-29")
    credit = await call.voucher(
        (1500, Decimal("-3125.00"), buyer), (3000, Decimal("2550.00"), {"vatType": {"id": 3}}),
        (3001, Decimal("575.00"), {"vatType": {"id": 31}}), date="2027-03-10",
    )  # fmt: skip
    paid = await call.voucher((1920, 9375, {}), (1500, -9375, buyer), date="2027-03-12")
    rows = [row["id"], credit["postings"][0]["id"], paid["postings"][1]["id"]]
    assert await call("PUT", "/ledger/posting/:closePostings", rows) == []
    assert await call("GET", "/ledger/posting/openPost", date="2028-01-01") == []
    assert await vat_of(call, "March–April") == {"3": (-2040, -510), "31": (-500, -75)}
    assert await call("GET", "/invoice", invoiceDateFrom="2027-01-01", invoiceDateTo="2028-01-01") == []
