"""Invoices in the sandbox beyond the plain road: own numbers, credit notes, sending, reminders, dimensions."""

from __future__ import annotations

from decimal import Decimal

import pytest

YEAR = {"invoiceDateFrom": "2027-01-01", "invoiceDateTo": "2028-01-01"}
DAYS = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01"}


def problems(said):
    return [(one["field"], one["message"]) for one in said["validationMessages"]]


async def given(call, **more):
    """The body of `POST /invoice` with an order in it."""
    customer = more.pop("customer", None) or (await call.customer())["id"]
    line = {"description": "Timer", "count": 8, "unitPriceExcludingVatCurrency": 1020, "vatType": {"id": 3}}
    order = {"customer": {"id": customer}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14",
             "orderLines": [line]}  # fmt: skip
    return {"invoiceDate": "2027-01-15", "invoiceDueDate": "2027-01-29", "orders": [order], **more}


# --- POST /invoice ----------------------------------------------------------------------------------------------------


async def test_an_invoice_with_its_order_in_one_call(box, checked):
    made = await checked("POST", "/invoice", await given(checked), sendToCustomer=False)
    assert (made["invoiceNumber"], made["amount"], made["invoiceDueDate"]) == (10017, 10200, "2027-01-29")
    assert box.books.outbox == []
    order = await checked.order(customer=made["customer"]["id"])
    of = {**await given(checked), "orders": [{"id": order["id"]}]}
    paid = {"paymentTypeId": await checked.payment_type(), "paidAmount": 2500}
    second = await checked("POST", "/invoice", of, **paid)
    assert second["amountOutstanding"] == 10000
    assert [one["invoice"] for one in box.books.outbox] == [second["id"]]
    several = await checked("POST", "/invoice/list", [await given(checked), await given(checked)], sendToCustomer=False)
    assert [one["invoiceNumber"] for one in several] == [10020, 10019]


async def test_an_invoice_that_is_refused_leaves_no_order(box, checked):
    box.books.rules.bank_account = False
    for change, field in [({}, "order"), ({"invoiceDueDate": ""}, "invoiceDueDate"), ({"orders": []}, "orders"),
                          ({"invoiceDueDate": "2027-01-01"}, "invoiceDueDate"), ({"amount": 1}, "amount")]:  # fmt: skip
        refused = await checked.refused("POST", "/invoice", {**await given(checked), **change}, sendToCustomer=False)
        assert problems(refused)[0][0] == field
    assert not any(box.books.things.get(type) for type in ("order", "orderLine", "invoice"))


async def test_own_numbers_stand_in_the_way_of_tripletex_own(box, checked):
    own = await checked("POST", "/invoice", await given(checked, invoiceNumber=10018), sendToCustomer=False)
    assert own["invoiceNumber"] == 10018
    said = await given(checked, invoiceNumber=10018)
    assert problems(await checked.refused("POST", "/invoice", said, sendToCustomer=False)) == [
        ("invoiceNumber", "Fakturanummeret er i bruk.")
    ]
    assert (await checked.invoice())["invoiceNumber"] == 10017
    order = await checked.order()
    for _ in range(2):  # and it stays so
        refused = await checked.refused("PUT", f"/order/{order['id']}/:invoice", invoiceDate="2027-01-15",
                                        sendToCustomer=False)  # fmt: skip
        assert problems(refused) == [("invoiceNumber", "Fakturanummer 10018 er allerede i bruk.")]
    box.books.rules.own_invoice_numbers = False
    said = await given(checked, invoiceNumber=99)
    assert problems(await checked.refused("POST", "/invoice", said, sendToCustomer=False))[0][0] == "invoiceNumber"


@pytest.mark.parametrize("keeps", [False, True])
async def test_an_own_kid_is_kept_as_the_rule_says(box, checked, keeps):
    box.books.rules.keeps_kid = keeps
    made = await checked("POST", "/invoice", await given(checked, kid="0000100172"), sendToCustomer=False)
    assert (made["kid"] == "0000100172") is keeps
    assert made["kid"]


# --- credit notes -----------------------------------------------------------------------------------------------------


async def part(call, made, *lines, **query):
    """Invoice a negative order as a credit note."""
    order = await call.order(*lines, customer=made["customer"]["id"])
    path = f"/order/{order['id']}/:invoice"
    return await call.raw("PUT", path, invoiceDate="2027-03-10", sendToCustomer=False,
                          **{"invoiceIdIfIsCreditNote": made["id"], **query})  # fmt: skip


async def test_a_credit_note_over_a_part(box, checked):
    made = await checked.invoice()
    answer = await part(checked, made, (-2, 1020, 3), (-5, 100, 31))
    note = answer.json()["value"]
    assert (note["amount"], note["isCreditNote"], note["creditedInvoice"]) == (-3125, True, made["id"])
    shown = await checked("GET", f"/invoice/{made['id']}")
    assert (shown["amountOutstanding"], shown["isCredited"]) == (9375, False)
    assert (await checked("GET", f"/invoice/{note['id']}"))["amountOutstanding"] == 0
    assert box.state()["balances"] == {
        "1500": 9375, "2700": -1530, "2701": -225, "3000": -6120, "3001": -1500,
    }  # fmt: skip
    over = await part(checked, made, (-20, 1020, 3))  # nobody here counts what is left
    assert over.status_code == 200
    box.books.rules.partial_credit_marks = True
    await part(checked, made, (-1, 1, 3))
    assert (await checked("GET", f"/invoice/{made['id']}"))["isCredited"]


async def test_what_is_no_part_credit(box, checked):
    made, other = await checked.invoice(), await checked.invoice()
    note = (await part(checked, made, (-1, 1020, 3))).json()["value"]
    cases = [((1, 1020, 3), {}), ((-1, 1020, 3), {"invoiceIdIfIsCreditNote": note["id"]}),
             ((-1, 1020, 3), {"invoiceIdIfIsCreditNote": other["id"]})]  # fmt: skip
    for line, query in cases:
        answer = await part(checked, made, line, **query)
        assert (answer.status_code, problems(answer.json())[0][0]) == (422, "invoiceIdIfIsCreditNote")
    box.books.rules.partial_credit = False
    assert (await part(checked, made, (-1, 1020, 3))).status_code == 422
    assert box.state()["counts"]["invoice"] == 3


@pytest.mark.parametrize(("applies", "original", "note"), [(True, -12500, 0), (False, 0, -12500)])
async def test_the_credit_of_a_paid_invoice_lies_as_the_rule_says(box, checked, applies, original, note):
    box.books.rules.credit_notes_apply = applies
    made = await checked.invoice()
    how = {"paymentDate": "2027-02-01", "paymentTypeId": await checked.payment_type(), "paidAmount": 12500}
    await checked("PUT", f"/invoice/{made['id']}/:payment", **how)
    path = f"/invoice/{made['id']}/:createCreditNote"
    credit = await checked("PUT", path, date="2027-02-10", sendToCustomer=False, comment="Feil")
    assert (credit["comment"], credit["amountOutstanding"]) == ("Feil", note)
    assert (await checked("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == original
    assert box.state()["balances"]["1500"] == -12500
    # Refunded on whichever it lies: nothing is open.
    on = made["id"] if applies else credit["id"]
    await checked("PUT", f"/invoice/{on}/:payment", **{**how, "paymentDate": "2027-02-20", "paidAmount": -12500})
    assert await checked("GET", "/ledger/posting/openPost", date="2028-01-01") == []
    assert box.state()["balances"]["1500"] == 0


async def test_paying_twice_closes_once_and_leaves_a_credit(box, checked):
    made = await checked.invoice((1, 1000, 6))
    how = {"paymentDate": "2027-02-01", "paymentTypeId": await checked.payment_type(), "paidAmount": 1000}
    for _ in range(2):
        await checked("PUT", f"/invoice/{made['id']}/:payment", **how)
    assert len(await checked("GET", "/ledger/closeGroup", **DAYS)) == 1
    assert (await checked("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == -1000
    await checked("PUT", f"/invoice/{made['id']}/:payment", **{**how, "paidAmount": -1000})
    groups = await checked("GET", "/ledger/closeGroup", **DAYS, sorting="id", fields="postings(amount)")
    assert [[row["amount"] for row in one["postings"]] for one in groups] == [[1000, -1000], [-1000, 1000]]


# --- orders -----------------------------------------------------------------------------------------------------------


async def test_lines_take_price_vat_account_and_department_from_their_product(box, checked):
    call = checked
    department = await call("POST", "/department", {"name": "Kantine", "departmentNumber": "20"})
    account = await call("POST", "/ledger/account", {"number": 3005, "name": "Lunsj"})
    project_said = {"name": "Bygg", "projectManager": {"id": 1}, "startDate": "2027-01-01"}
    project = await call("POST", "/project", project_said)
    product = await call("POST", "/product", {
        "name": "Lunsj", "number": "L1", "priceExcludingVatCurrency": 100, "vatType": {"id": 31},
        "account": {"id": account["id"]}, "department": {"id": department["id"]},
    })  # fmt: skip
    hours = {"description": "Timer", "count": 1, "unitPriceExcludingVatCurrency": 1000, "vatType": {"id": 3}}
    lines = [{"product": {"id": product["id"]}, "count": 20}, hours]
    order = await call.order(orderLines=lines, project={"id": project["id"]})
    made = await call("PUT", f"/order/{order['id']}/:invoice", invoiceDate="2027-01-15", sendToCustomer=False)
    assert made["amount"] == 2300 + 1250
    rows = await call("GET", "/ledger/posting", **DAYS, projectId=project["id"], sorting="id",
                      fields="amount,amountGross,account(number),department(id),product(id)")  # fmt: skip
    assert rows == [
        {"amount": -2000, "amountGross": -2300, "account": {"number": 3005}, "department": {"id": department["id"]},
         "product": {"id": product["id"]}},
        {"amount": -1000, "amountGross": -1250, "account": {"number": 3000}},
    ]  # fmt: skip
    shown = await call("GET", f"/order/{order['id']}", fields="orderLines(description,unitPriceIncludingVatCurrency)")
    assert shown["orderLines"][0] == {"description": "Lunsj", "unitPriceIncludingVatCurrency": 115}
    await call("PUT", f"/product/{product['id']}", {"isInactive": True})
    said = {"customer": {"id": made["customer"]["id"]}, "orderDate": "2027-01-15", "deliveryDate": "2027-01-14",
            "orderLines": lines[:1]}  # fmt: skip
    assert problems(await call.refused("POST", "/order", said)) == [("orderLines[0].product", "Objektet er inaktivt.")]


async def test_vat_of_one_rate_is_rounded_once_over_all_departments(box, checked):
    lines = []
    for number in ("10", "20", "30"):
        department = await checked("POST", "/department", {"name": "x", "departmentNumber": number})
        product = await checked("POST", "/product", {
            "name": "Vare", "priceExcludingVatCurrency": Decimal("33.33"), "department": {"id": department["id"]},
        })  # fmt: skip
        lines.append({"product": {"id": product["id"]}, "count": 1})
    order = await checked.order(orderLines=lines)
    await checked("PUT", f"/order/{order['id']}/:invoice", invoiceDate="2027-01-15", sendToCustomer=False)
    assert box.state()["balances"] == {"1500": Decimal("124.99"), "2700": -25, "3000": Decimal("-99.99")}
    rows = await checked("GET", "/ledger/posting", **DAYS, accountNumberFrom=3000, accountNumberTo=3999, sorting="id")
    assert [one["amountGross"] for one in rows] == [Decimal("-41.66"), Decimal("-41.66"), Decimal("-41.67")]


async def test_orders_change_take_documents_and_go_until_they_are_invoiced(box, checked):
    order = await checked.order()
    path = f"/order/{order['id']}"
    changed = await checked("PUT", path, {"version": order["version"], "reference": "PO 8", "invoiceComment": "Takk"})
    assert (changed["reference"], changed["invoiceComment"]) == ("PO 8", "Takk")
    assert (await checked.refused("PUT", path, {"version": order["version"]}))["code"] == 8000
    answer = await checked.client.put(f"{path}/:attach", files={"file": ("a.pdf", b"%PDF-1.4 x")})
    assert answer.json()["value"]["fileName"] == "a.pdf"
    shown = await checked("GET", path, fields="attachment(fileName,size)")
    assert shown == {"attachment": [{"fileName": "a.pdf", "size": 10}]}
    other = await checked.order()
    await checked("DELETE", f"/order/{other['id']}")
    assert (await checked.refused("GET", f"/order/{other['id']}"))["status"] == 404
    await checked("PUT", f"{path}/:invoice", invoiceDate="2027-01-15", sendToCustomer=False)
    assert problems(await checked.refused("PUT", path, {"reference": "x"}))[0][0] == "id"
    assert problems(await checked.refused("DELETE", path))[0][0] == "id"


async def test_a_prepayment_comes_with_the_invoice(checked):
    order = await checked.order()
    path, when = f"/order/{order['id']}/:invoice", {"invoiceDate": "2027-01-15", "sendToCustomer": False}
    how = await checked.payment_type()
    for query in ({"paidAmount": 4000}, {"paymentTypeId": how}, {"paymentTypeId": 1, "paidAmount": 1}):
        assert (await checked.refused("PUT", path, **when, **query))["status"] == 422
    made = await checked("PUT", path, **when, paymentTypeId=how, paidAmount=4000)
    assert made["amountOutstanding"] == 8500


# --- sending ----------------------------------------------------------------------------------------------------------


async def test_sending_and_what_shows_of_it(box, checked):
    made = await checked.invoice()
    assert made["ehfSendStatus"] == "DO_NOT_SEND"
    path = f"/invoice/{made['id']}/:send"
    assert (await checked.raw("PUT", path, sendType="EHF")).status_code == 200
    await checked("PUT", path, sendType="EMAIL", overrideEmailAddress="a@b.no")
    assert (await checked("GET", f"/invoice/{made['id']}"))["ehfSendStatus"] == "SENT"
    assert [(one["sendType"], one.get("email")) for one in box.books.outbox] == [("EHF", None), ("EMAIL", "a@b.no")]
    assert (await checked.raw("PUT", path, sendType="EMAIL")).content == b""
    unknown = await checked.customer(organizationNumber="")
    private = await checked.invoice(customer=unknown["id"])
    await checked("PUT", f"/invoice/{private['id']}/:send", sendType="EHF")
    status = (await checked("GET", f"/invoice/{private['id']}"))["ehfSendStatus"]
    assert status == "SEND_FAILURE_RECIPIENT_NOT_FOUND"
    assert len(box.books.outbox) == 3
    box.books.rules.shows_ehf_status = False
    hidden = await checked.invoice()
    await checked("PUT", f"/invoice/{hidden['id']}/:send", sendType="EHF")
    assert (await checked("GET", f"/invoice/{hidden['id']}"))["ehfSendStatus"] == "DO_NOT_SEND"


async def test_send_needs_a_known_way(call):
    made = await call.invoice()
    for query in ({}, {"sendType": "FAX"}):
        assert (await call.refused("PUT", f"/invoice/{made['id']}/:send", **query))["code"] == 21000
    assert call.box.books.outbox == []


async def test_invoices_have_a_document(checked):
    made = await checked.invoice()
    answer = await checked.raw("GET", f"/invoice/{made['id']}/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert str(made["invoiceNumber"]).encode() in answer.content
    assert answer.headers["content-type"] == "application/octet-stream"


# --- reminders --------------------------------------------------------------------------------------------------------


async def test_reminders_add_their_fee_to_the_total_only(box, checked):
    made = await checked.invoice()
    path = f"/invoice/{made['id']}/:createReminder"
    early = await checked.refused("PUT", path, type="REMINDER", date="2027-01-29")
    assert problems(early) == [("date", "Fakturaen er ikke forfalt.")]
    id = await checked("PUT", path, type="REMINDER", date="2027-02-15", includeCharge=True)
    shown = await checked("GET", f"/invoice/{made['id']}", fields="*,reminders(*)")
    assert (shown["amountOutstanding"], shown["amountOutstandingTotal"]) == (12500, 12535)
    assert [(one["id"], one["charge"], one["type"]) for one in shown["reminders"]] == [(id, 35, "REMINDER")]
    await checked("PUT", path, type="NOTICE_OF_DEBT_COLLECTION", date="2027-03-02", includeCharge=True)
    assert (await checked("GET", f"/invoice/{made['id']}"))["amountOutstandingTotal"] == 12570
    assert box.state()["balances"]["1500"] == 12500
    found = await checked("GET", "/reminder", **DAYS, invoiceId=made["id"], customerId=made["customer"]["id"])
    assert len(found) == 2
    assert (await checked("GET", f"/reminder/{id}"))["totalAmountCurrency"] == 12535
    how = {"paymentDate": "2027-03-05", "paymentTypeId": await checked.payment_type(), "paidAmount": 12500}
    await checked("PUT", f"/invoice/{made['id']}/:payment", **how)
    assert (await checked("GET", f"/invoice/{made['id']}"))["amountOutstandingTotal"] == 0
    refused = await checked.refused("PUT", path, type="REMINDER", date="2027-04-01")
    assert problems(refused) == [("id", "Fakturaen har ikke noe utestående beløp.")]
    assert [one["reminder"] for one in box.books.outbox] == ["REMINDER", "NOTICE_OF_DEBT_COLLECTION"]


async def test_the_ledgers_rate_of_the_day(box, checked):
    first = await checked.invoice((1, 1000, 52), currency={"id": 5})
    box.books.rates["EUR"] = Decimal("11.80")
    second = await checked.invoice((1, 1000, 52), currency={"id": 5})
    assert (first["amount"], second["amount"]) == (11500, 11800)
    how = {"paymentDate": "2027-02-01", "paymentTypeId": await checked.payment_type("Betalt til valutakonto")}
    paid = await checked("PUT", f"/invoice/{first['id']}/:payment", **how, paidAmount=600, paidAmountCurrency=600)
    assert (paid["amountCurrencyOutstanding"], paid["amountOutstanding"]) == (400, 11500 - 7080)
    paid = await checked("PUT", f"/invoice/{first['id']}/:payment", **how, paidAmount=400, paidAmountCurrency=400)
    assert (paid["amountCurrencyOutstanding"], paid["amountOutstanding"]) == (0, 0)
    assert box.state()["balances"]["8060"] == -300
    assert box.state()["balances"]["1500"] == 11800
    assert len(await checked("GET", "/invoice", **YEAR)) == 2
