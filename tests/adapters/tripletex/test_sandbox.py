"""The sandbox behaves as the fact sheet says Tripletex does."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from adapters.accounting.tripletex.sandbox import CONSUMER_TOKEN, EMPLOYEE_TOKEN, Books, Rules, Sandbox, registers
from adapters.accounting.tripletex.sandbox.books import OSLO
from adapters.accounting.tripletex.sandbox.things import Link, SandboxError

YEAR = {"invoiceDateFrom": "2027-01-01", "invoiceDateTo": "2028-01-01"}
ROWS = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01", "type": "INCOMING_PAYMENT"}


def codes(said):
    return said["status"], said["code"]


def fields(said):
    return [(one["field"], one["message"]) for one in said["validationMessages"]]


def in_balance(books):
    vouchers = {}
    for posting in books.things.get("posting", {}).values():
        vouchers.setdefault(posting["voucher"], []).append(posting["amount"])
    assert vouchers
    assert all(sum(amounts) == 0 for amounts in vouchers.values())


# --- sessions ---------------------------------------------------------------------------------------------------------


async def test_calls_need_a_session(box, call):
    call.client.auth = ("0", "nonsense")
    assert codes(await call.refused("GET", "/currency")) == (401, 3000)
    call.client.auth = None
    assert codes(await call.refused("GET", "/currency")) == (401, 3000)


async def test_sessions_end_at_midnight_in_norway_or_when_told(box, call):
    await call("GET", "/currency")
    for token in box.sessions:
        box.sessions[token] -= timedelta(days=30)
    assert codes(await call.refused("GET", "/currency")) == (401, 3000)
    await call.sign_in()
    box.fault("", "expire")
    assert codes(await call.refused("GET", "/currency")) == (401, 3000)


@pytest.mark.parametrize("change", [{"consumerToken": "x"}, {"employeeToken": "x"}])
async def test_wrong_tokens(call, change):
    until = (date.today() + timedelta(days=2)).isoformat()
    said = {"consumerToken": CONSUMER_TOKEN, "employeeToken": EMPLOYEE_TOKEN, "expirationDate": until, **change}
    assert codes(await call.refused("POST", "/token/session/:create", said)) == (401, 3000)


async def test_a_session_must_end_later_than_today_and_put_works_too(call):
    said = {"consumerToken": CONSUMER_TOKEN, "employeeToken": EMPLOYEE_TOKEN}
    await call.refused("POST", "/token/session/:create", {**said, "expirationDate": date.today().isoformat()})
    later = (date.today() + timedelta(days=2)).isoformat()
    made = await call("PUT", "/token/session/:create", **said, expirationDate=later)
    call.client.auth = ("0", made["token"])
    await call("GET", "/currency")
    await call("DELETE", f"/token/session/{made['token']}")
    await call.refused("GET", "/currency")


async def test_only_the_own_company(call):
    company = (await call("GET", "/token/session/>whoAmI"))["companyId"]
    session = next(iter(call.box.sessions))
    call.client.auth = (str(company), session)
    await call("GET", "/currency")
    call.client.auth = ("77", session)
    assert codes(await call.refused("GET", "/currency")) == (403, 9000)


# --- lists ------------------------------------------------------------------------------------------------------------


async def test_pages_sorting_fields_and_the_excluded_end(box, call):
    for day in ("2027-01-31", "2027-02-01"):
        await call.order(orderDate=day)
    january = {"orderDateFrom": "2027-01-01", "orderDateTo": "2027-01-31"}
    assert await call("GET", "/order", **january) == []
    january["orderDateTo"] = "2027-02-01"
    assert len(await call("GET", "/order", **january)) == 1
    all_of_them = {"orderDateFrom": "2027-01-01", "orderDateTo": "2028-01-01"}
    up = await call("GET", "/order", **all_of_them, sorting="id", fields="id,orderDate")
    assert [sorted(one) for one in up] == [["id", "orderDate"]] * 2
    assert await call("GET", "/order", **all_of_them, fields="id,orderDate") == up[::-1]
    assert (
        await call("GET", "/order", **all_of_them, sorting="id", fields="id,orderDate", **{"from": 1}, count=5)
        == up[1:]
    )
    assert await call("GET", "/order", **all_of_them, id=f"{up[0]['id']},1", fields="id,orderDate") == up[:1]
    assert codes(await call.refused("GET", "/order", orderDateFrom="2027-01-01")) == (422, 18000)
    assert codes(await call.refused("GET", "/order", **all_of_them, fields="id,what")) == (400, 11000)
    assert codes(await call.refused("GET", "/order", **all_of_them, fields="id,(")) == (400, 11000)
    assert codes(await call.refused("GET", "/order", **all_of_them, what="1")) == (422, 21000)
    assert codes(await call.refused("GET", "/order", **all_of_them, sorting="what")) == (422, 17000)


async def test_more_than_the_limit_is_refused_whatever_the_count(box, call):
    box.result_limit = 2
    for _ in range(3):
        await call.customer()
    assert codes(await call.refused("GET", "/customer", count=1)) == (422, 23000)


async def test_checksums_say_304_while_nothing_changed(call):
    customer = await call.customer()
    first = await call.client.get("/customer", headers={"If-None-Match": "x"})
    digest = first.json()["versionDigest"]
    assert (await call.client.get("/customer", headers={"If-None-Match": digest})).status_code == 304
    await call("PUT", f"/customer/{customer['id']}", {"name": "Ny"})
    assert (await call.client.get("/customer", headers={"If-None-Match": digest})).status_code == 200
    assert "Checksum" in (await call.client.get("/customer")).json()["versionDigest"]


# --- customers --------------------------------------------------------------------------------------------------------


async def test_organisation_numbers_may_occur_twice_and_customer_numbers_not(call):
    first, second = await call.customer(), await call.customer()
    assert first["customerNumber"] != second["customerNumber"]
    assert len(await call("GET", "/customer", organizationNumber="974760673")) == 2
    said = await call.refused("POST", "/customer", {"name": "x", "customerNumber": first["customerNumber"]})
    assert fields(said) == [("customerNumber", "Kundenummeret er i bruk.")]


async def test_versions_guard_changes(call):
    customer = await call.customer()
    changed = await call("PUT", f"/customer/{customer['id']}", {"version": 1, "email": "a@b.no"})
    assert (changed["version"], changed["email"], changed["name"]) == (2, "a@b.no", "Kjøper AS")
    assert codes(await call.refused("PUT", f"/customer/{customer['id']}", {"version": 1})) == (409, 8000)
    assert (await call("PUT", f"/customer/{customer['id']}", {"email": "c@d.no"}))["version"] == 3


async def test_inactive_customers_are_hidden_until_asked_for(call):
    customer = await call.customer()
    await call("PUT", f"/customer/{customer['id']}", {"isInactive": True})
    assert await call("GET", "/customer") == []
    assert [one["id"] for one in await call("GET", "/customer", isInactive=True)] == [customer["id"]]
    said = {"customer": {"id": customer["id"]}, "orderDate": "2027-01-01", "deliveryDate": "2027-01-01"}
    assert fields(await call.refused("POST", "/order", said)) == [("customer", "Kunden er inaktiv.")]


async def test_changed_since_is_norwegian_wall_time(box, call):
    customer = await call.customer()
    moment = box.books.things["customer"][customer["id"]]["_changed"].astimezone(OSLO).replace(microsecond=0)
    later = moment + timedelta(seconds=1)
    assert await call("GET", "/customer", changedSince=moment.strftime("%Y-%m-%dT%H:%M:%S"))
    assert not await call("GET", "/customer", changedSince=later.strftime("%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, (422, 18000, "name")),
        ({"name": "x", "email": "nobody"}, (422, 18000, "email")),
        ({"name": "x", "navn": "y"}, (422, 16000, "navn")),
        ({"name": 7}, (422, 16000, "name")),
        (
            {"name": "x", "postalAddress": {"country": {"isoAlpha2Code": "NO"}}},
            (422, 18000, "postalAddress.country.id"),
        ),
        ([], (422, 16000, "customer")),
    ],
)
async def test_customers_that_are_refused(call, said, problem):
    refused = await call.refused("POST", "/customer", said)
    assert (refused["status"], refused["code"], refused["validationMessages"][0]["field"]) == problem
    assert not call.box.books.things.get("customer")


async def test_a_customer_in_use_is_not_deleted(call):
    order = await call.order()
    await call.refused("DELETE", f"/customer/{order['customer']['id']}")
    free = await call.customer()
    await call("DELETE", f"/customer/{free['id']}")
    assert codes(await call.refused("GET", f"/customer/{free['id']}")) == (404, 6000)


# --- orders and invoices ----------------------------------------------------------------------------------------------


async def test_an_order_shows_its_totals_before_it_is_invoiced(call):
    order = await call.order()
    shown = await call(
        "GET", f"/order/{order['id']}", fields="preliminaryInvoice(amountCurrency,amountExcludingVatCurrency)"
    )
    assert shown["preliminaryInvoice"] == {"amountCurrency": 12500, "amountExcludingVatCurrency": 10160}
    assert await call("GET", "/invoice", **YEAR) == []


async def test_an_invoice_has_number_kid_voucher_and_is_made_once(box, call):
    order = await call.order(number="our-marker")
    path = f"/order/{order['id']}/:invoice"
    made = await call("PUT", path, invoiceDate="2027-01-15", sendToCustomer=False)
    assert (made["invoiceNumber"], made["invoiceDueDate"]) == (10017, "2027-01-29")
    assert (made["amount"], made["amountExcludingVat"], made["amountOutstanding"]) == (12500, 10160, 12500)
    assert luhn.is_valid(made["kid"])
    assert len(made["kid"]) in {7, 10, 13}
    said = await call.refused("PUT", path, invoiceDate="2027-01-15", sendToCustomer=False)
    assert fields(said) == [("order", "Ordren er allerede fakturert.")]
    assert (await call("GET", "/order", orderDateFrom="2027-01-01", orderDateTo="2028-01-01", number="our-marker"))[0][
        "isClosed"
    ]
    assert box.state()["balances"] == {
        "1500": 12500, "2700": -2040, "2701": -300, "3000": -8160, "3001": -2000,
    }  # fmt: skip
    in_balance(box.books)


async def test_everything_is_mailed_unless_told_not_to(box, call):
    await call.invoice()
    assert box.books.outbox == []
    order = await call.order()
    made = await call("PUT", f"/order/{order['id']}/:invoice", invoiceDate="2027-01-15")
    note = await call("PUT", f"/invoice/{made['id']}/:createCreditNote", date="2027-01-16")
    assert [one["invoice"] for one in box.books.outbox] == [made["id"], note["id"]]


@pytest.mark.parametrize(("rounding", "vat"), [("document", "25.00"), ("line", "24.99")])
async def test_vat_is_rounded_once_per_rate_or_per_line(box, call, rounding, vat):
    box.books.rules.rounding = rounding
    made = await call.invoice(*[(1, Decimal("33.33"), 3)] * 3)
    assert made["amountExcludingVat"] == Decimal("99.99")
    assert made["amount"] - made["amountExcludingVat"] == Decimal(vat)


async def test_whole_kroner(box, call):
    box.books.rules.whole_kroner = True
    made = await call.invoice(*[(1, Decimal("33.33"), 3)] * 3)
    assert (made["amount"], made["amountRoundoff"]) == (125, Decimal("0.01"))
    assert box.state()["balances"]["7740"] == Decimal("-0.01")


async def test_vat_type_ids_are_not_codes(call):
    legal = await call("GET", "/ledger/vatType", typeOfVat="OUTGOING", vatDate="2027-01-01")
    by_number = {one["number"]: (one["id"], one["percentage"]) for one in legal}
    assert by_number["33"] == (32, 12)
    assert by_number["32"] == (311, Decimal("11.11"))
    assert "1" not in by_number


async def test_what_invoicing_refuses(box, call):
    order = await call.order()
    path, when = f"/order/{order['id']}/:invoice", {"invoiceDate": "2027-01-15", "sendToCustomer": False}
    box.books.rules.bank_account = False
    said = await call.refused("PUT", path, **when)
    assert said["validationMessages"][0]["message"].startswith("Faktura kan ikke opprettes før selskapet har")
    box.books.rules.bank_account = True
    box.books.rules.closed_until = date(2027, 1, 31)
    assert fields(await call.refused("PUT", path, **when)) == [("invoiceDate", "Perioden er avsluttet.")]
    box.books.rules.closed_until = None
    assert fields(await call.refused("PUT", path, sendToCustomer=False)) == [("invoiceDate", "Feil format på dato.")]
    assert codes(await call.refused("PUT", path, **{**when, "sendToCustomer": "maybe"})) == (422, 21000)
    assert box.state()["counts"]["invoice"] == 0
    await call("PUT", path, **when)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"unitPriceExcludingVatCurrency": 1, "unitPriceIncludingVatCurrency": 1}, "unitPriceIncludingVatCurrency"),
        ({"unitPriceIncludingVatCurrency": 1}, "unitPrice"),
        ({"unitPriceExcludingVatCurrency": Decimal("0.12345678901")}, "unitPriceExcludingVatCurrency"),
        ({"vatType": {"id": 1}}, "vatType"),
        ({"vatType": {"id": 999}}, "vatType.id"),
        ({"vatType": {"number": "3"}}, "vatType.id"),
        ({"count": "two"}, "count"),
        ({"price": 1}, "price"),
        ({"description": None}, "description"),
    ],
)
async def test_lines_that_are_refused(box, call, line, field):
    customer = await call.customer()
    said = {"customer": {"id": customer["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14",
            "orderLines": [{"description": "x", **line}]}  # fmt: skip
    refused = await call.refused("POST", "/order", said)
    assert refused["validationMessages"][0]["field"] == f"orderLines[0].{field}"
    assert not box.books.things.get("order")
    assert not box.books.things.get("orderLine")


async def test_outside_the_vat_register_only_code_0_and_6(box, call):
    box.books.rules.vat_registered = False
    assert {one["number"] for one in await call("GET", "/ledger/vatType", typeOfVat="OUTGOING")} == {"0", "6"}
    customer = await call.customer()
    said = {"customer": {"id": customer["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14",
            "orderLines": [{"description": "x", "vatType": {"id": 3}}]}  # fmt: skip
    assert fields(await call.refused("POST", "/order", said)) == [("orderLines[0].vatType", "Ugyldig mva-kode.")]


# --- money ------------------------------------------------------------------------------------------------------------


async def test_payments_are_rows_and_close_what_they_settle(box, call):
    made = await call.invoice()
    path, how = f"/invoice/{made['id']}/:payment", await call.payment_type()
    await call("PUT", path, paymentDate="2027-02-01", paymentTypeId=how, paidAmount=5000)
    rows = await call("GET", "/ledger/posting", **ROWS, fields="*")
    assert [(one["amount"], one["invoiceNumber"], one["externalRef"]) for one in rows] == [
        (-5000, "10017", made["kid"])
    ]
    assert "closeGroup" not in rows[0]
    paid = await call("PUT", path, paymentDate="2027-02-03", paymentTypeId=how, paidAmount=7500)
    assert paid["amountOutstanding"] == 0
    assert paid["version"] == 1
    rows = await call("GET", "/ledger/posting", **ROWS, fields="id,closeGroup(id)")
    assert len({one["closeGroup"]["id"] for one in rows}) == 1
    assert box.state()["balances"]["1500"] == 0
    assert box.state()["balances"]["1920"] == 12500
    in_balance(box.books)


async def test_two_equal_payments_are_two_and_too_much_is_taken(box, call):
    made = await call.invoice((1, 1000, 6))
    for _ in range(2):
        query = {"paymentDate": "2027-02-01", "paymentTypeId": await call.payment_type(), "paidAmount": 1000}
        await call("PUT", f"/invoice/{made['id']}/:payment", **query)
    assert len(await call("GET", "/ledger/posting", **ROWS)) == 2
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == -1000


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"paidAmount": 0}, "paidAmount"),
        ({"paidAmount": "x"}, "paidAmount"),
        ({"paidAmount": "1.001"}, "paidAmount"),
        ({"paymentTypeId": 1}, "paymentTypeId"),
        ({"paymentDate": "2027-13-01"}, "paymentDate"),
    ],
)
async def test_payments_that_are_refused(box, call, query, field):
    made = await call.invoice()
    how = {"paymentDate": "2027-02-01", "paymentTypeId": await call.payment_type(), "paidAmount": 100}
    said = await call.refused("PUT", f"/invoice/{made['id']}/:payment", **{**how, **query})
    assert said["validationMessages"][0]["field"] == field
    assert await call("GET", "/ledger/posting", **ROWS) == []


async def test_foreign_currency_has_the_ledgers_rate_and_agio(box, call):
    made = await call.invoice((1, 1000, 52), currency={"id": 5})
    assert (made["amountCurrency"], made["amount"]) == (1000, 11500)
    path = f"/invoice/{made['id']}/:payment"
    query = {"paymentDate": "2027-02-01", "paymentTypeId": await call.payment_type(), "paidAmount": 11400}
    assert (await call.refused("PUT", path, **query))["validationMessages"][0]["field"] == "paidAmountCurrency"
    paid = await call("PUT", path, **query, paidAmountCurrency=1000)
    assert (paid["amountCurrencyOutstanding"], paid["amountOutstanding"]) == (0, 0)
    assert box.state()["balances"]["8160"] == 100
    in_balance(box.books)


async def test_a_credit_note_closes_its_invoice(box, call):
    made = await call.invoice()
    path = f"/invoice/{made['id']}/:createCreditNote"
    note = await call("PUT", path, date="2027-02-01", sendToCustomer=False)
    assert (note["isCreditNote"], note["creditedInvoice"], note["amount"]) == (True, made["id"], -12500)
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 0
    await call.refused("PUT", path, date="2027-02-01", sendToCustomer=False)
    assert set(box.state()["balances"].values()) == {0}


async def test_bookkeepers_work_behind_our_back(box, call):
    first, second = await call.invoice((1, 100, 6)), await call.invoice((1, 200, 6))
    box.payments([(first["id"], Decimal(100)), (second["id"], Decimal(50))], date(2027, 2, 1), reference="OCR")
    rows = await call("GET", "/ledger/posting", **ROWS, sorting="id", fields="amount,voucher,externalRef")
    assert [one["amount"] for one in rows] == [-100, -50]
    assert len({one["voucher"]["id"] for one in rows}) == 1
    assert {one["externalRef"] for one in rows} == {"OCR"}


# --- invariants -------------------------------------------------------------------------------------------------------

_lines = st.lists(
    st.tuples(
        st.decimals(Decimal("-20"), 20, places=3),
        st.decimals(0, 5000, places=4),
        st.sampled_from([3, 31, 32, 311, 5, 6, 52]),
        st.sampled_from([0, 10, Decimal("33.33")]),
    ),
    min_size=1,
    max_size=8,
)


@given(lines=_lines, rounding=st.sampled_from(["document", "line"]), whole=st.booleans(), with_vat=st.booleans(),
       currency=st.sampled_from([1, 5]), parts=st.lists(st.integers(1, 9), max_size=4))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_whatever_is_invoiced_and_paid_vouchers_sum_to_zero(lines, rounding, whole, with_vat, currency, parts):
    books = Books(Rules(rounding=rounding, whole_kroner=whole))
    customer = registers.create_customer(books, {"name": "x"})
    price = "unitPriceIncludingVatCurrency" if with_vat else "unitPriceExcludingVatCurrency"
    said = [
        {"description": "x", "count": count, price: unit, "vatType": {"id": vat}, "discount": discount}
        for count, unit, vat, discount in lines
    ]
    order = registers.create_order(
        books,
        {"customer": {"id": customer["id"]}, "orderDate": "2027-01-01", "deliveryDate": "2027-01-01",
         "currency": {"id": currency}, "isPrioritizeAmountsIncludingVat": with_vat, "orderLines": said},
    )  # fmt: skip
    before = books.preliminary(order)
    invoice = books.charge(order, date(2027, 1, 1))
    assert before == {name: invoice[name] for name in before}
    for part in parts:
        amount = Decimal(part)
        kroner = round(amount * books.rate(invoice["currency"]), 2)
        books.pay(date(2027, 2, 1), [(invoice, kroner, amount)], books.account(1920))
    assert invoice["amountCurrencyOutstanding"]() == invoice["amountCurrency"] - sum(parts)
    in_balance(books)


def test_a_voucher_out_of_balance_cannot_be_booked():
    books = Books()
    row = {"account": books.account(1500), "amount": Decimal(1), "amountCurrency": Decimal(1)}
    with pytest.raises(AssertionError):
        books.book(date(2027, 1, 1), "x", [row])


def test_unknown_things_are_404():
    with pytest.raises(SandboxError) as failed:
        Books().find(Link("invoice", 1))
    assert failed.value.status == 404


def test_unknown_rules_are_refused():
    with pytest.raises(TypeError):
        Sandbox(no_such_rule=True)
