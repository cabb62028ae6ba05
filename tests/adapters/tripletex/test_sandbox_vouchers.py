"""Vouchers in the sandbox: gross amounts and the VAT that comes with them, drafts, reversal, closing, periods."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from adapters.accounting.tripletex.sandbox import uploads
from adapters.accounting.tripletex.sandbox.things import Link
from adapters.loopback import Upload

DAYS = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01"}
ROWS = "row,amount,amountGross,systemGenerated,account(number),vatType(number),customer(id),supplier(id)"
DATE = "2027-01-20"


async def rows_of(call, voucher):
    """(account, amount, row) of a voucher's postings."""
    shown = await call("GET", f"/ledger/voucher/{voucher['id']}", fields=f"postings({ROWS})")
    return [(p["account"]["number"], p["amount"], p["row"]) for p in shown["postings"]]


def problems(said):
    return [(one["field"], one["message"]) for one in said["validationMessages"]]


async def row(call, number, amount, **more):
    return {"row": 1, "account": await call.account(number), "amountGross": amount, "amountGrossCurrency": amount,
            **more}  # fmt: skip


async def test_amounts_are_gross_and_the_vat_row_comes_by_itself(box, checked):
    call = checked
    buyer = {"customer": {"id": (await call.customer())["id"]}}
    made = await call.voucher(
        (1500, 1250, buyer), (3000, -1250, {"vatType": {"id": 3}}), externalVoucherNumber="ext-1"
    )  # fmt: skip
    assert (made["number"], made["year"], made["tempNumber"], made["externalVoucherNumber"]) == (1, 2027, 0, "ext-1")
    assert await rows_of(call, made) == [(1500, 1250, 1), (3000, -1000, 2), (2700, -250, 0)]
    found = await call("GET", "/ledger/posting", **DAYS, fields=ROWS, sorting="id")
    assert [(p["amountGross"], p["systemGenerated"]) for p in found] == [(1250, False), (-1250, False), (-250, True)]
    assert box.state()["balances"] == {"1500": 1250, "2700": -250, "3000": -1000}


@pytest.mark.parametrize(
    ("vat", "expected"),
    [
        ("1", {"6800": 1000, "2710": 250, "1920": -1250}),
        ("86", {"6800": 1250, "2715": Decimal("312.5"), "2706": Decimal("-312.5"), "1920": -1250}),
        ("87", {"6800": Decimal("1562.5"), "2706": Decimal("-312.5"), "1920": -1250}),
        ("0", {"6800": 1250, "1920": -1250}),
    ],
)
async def test_incoming_vat_deducted_owed_or_neither(box, checked, vat, expected):
    code = (await checked("GET", "/ledger/vatType", number=vat))[0]
    await checked.voucher((6800, 1250, {"vatType": {"id": code["id"]}}), (1920, -1250, {}))
    assert {number: sum_ for number, sum_ in box.state()["balances"].items() if sum_} == expected


async def test_what_a_voucher_refuses(box, checked):
    call = checked
    buyer = {"customer": {"id": (await call.customer())["id"]}}
    bank, income = await row(call, 1920, 100), await row(call, 3000, -100)
    whole = {"date": DATE, "description": "x"}
    for said, field, message in [
        ({**whole, "postings": []}, "postings", "Et bilag kan ikke registreres uten posteringer."),
        ({**whole, "postings": [bank]}, "postings", f"Summen av posteringene for {DATE} er ikke lik 0."),
        ({"postings": [bank, income]}, "date", "Kan ikke være null."),
        ({**whole, "postings": [{**bank, "row": 0}, income]}, "postings.row", "Posteringene på rad 0 (guiRow 0)"),
        ({**whole, "postings": [await row(call, 1500, 100), income]}, "postings[0].customer", "Kunde mangler."),
        ({**whole, "postings": [await row(call, 2400, 100), income]}, "postings[0].supplier", "Leverandør mangler."),
        ({**whole, "postings": [bank, {**income, "vatType": {"id": 1}}]}, "postings[1].vatType", "Ugyldig mva-kode."),
        ({**whole, "postings": [{**bank, "amountGross": Decimal("1.001")}, income]}, "postings[0].amountGross", "Maks"),
        ({**whole, "postings": [{**bank, "amountGrossCurrency": 99}, income]}, "postings[0].amountGrossCurrency", "Be"),
        ({**whole, "postings": [{"row": 1, "account": bank["account"]}, income]}, "postings[0].amountGross", "Kan"),
        ({**whole, "postings": [{**bank, "account": {"id": 1}}, income]}, "postings[0].account.id", "Finner ikke"),
        ({**whole, "externalVoucherNumber": "x" * 71, "postings": [bank, income]}, "externalVoucherNumber", "Maks 70"),
        (
            {**whole, "postings": [{**bank, "row": 2, **buyer}, {**income, "row": 2, "amountGross": -90,
                                   "amountGrossCurrency": -90}, await row(call, 1920, -10)]},
            "postings.row", "Summen av posteringene på samme rad",
        ),
    ]:  # fmt: skip
        refused = await call.refused("POST", "/ledger/voucher", said)
        (problem,) = problems(refused)
        assert refused["status"] == 422
        assert problem[0] == field
        assert problem[1].startswith(message)
    assert not box.books.things.get("voucher")
    assert not box.books.things.get("posting")


async def test_accounts_demand_departments_and_lock_vat(box, checked):
    call = checked
    account = await call("POST", "/ledger/account", {"number": 3010, "name": "Salg", "requiresDepartment": True})
    changes = {"vatType": {"id": 3}, "vatLocked": True}
    await call("PUT", f"/ledger/account/{account['id']}", changes)
    department = await call("POST", "/department", {"name": "Oslo", "departmentNumber": "10"})
    bank = await row(call, 1920, 125)
    income = await row(call, 3010, -125)
    said = {"date": DATE, "postings": [bank, income]}
    assert problems(await call.refused("POST", "/ledger/voucher", said)) == [
        ("postings[1].department", "Avdeling mangler.")
    ]
    income["department"] = {"id": department["id"]}
    made = await call("POST", "/ledger/voucher", said)
    assert await rows_of(call, made) == [(1920, 125, 1), (3010, -100, 1), (2700, -25, 0)]
    found = await call("GET", "/ledger/posting", **DAYS, departmentId=department["id"])
    assert len(found) == 2  # the income and its VAT
    shown = await call("GET", f"/ledger/account/{account['id']}", fields="vatLocked,legalVatTypes(number)")
    assert shown == {"vatLocked": True, "legalVatTypes": [{"number": "3"}]}


async def test_drafts_count_nowhere_until_they_are_sent(box, checked):
    call = checked
    post = {"date": DATE, "description": "Kladd", "externalVoucherNumber": "d-1",
            "postings": [await row(call, 1920, 10), await row(call, 8050, -10)]}  # fmt: skip
    draft = await call("POST", "/ledger/voucher", post, sendToLedger=False)
    assert (draft["number"], draft["tempNumber"]) == (0, 1)
    assert await call("GET", "/ledger/voucher", **DAYS) == []
    assert await call("GET", "/ledger/posting", **DAYS) == []
    assert box.state()["balances"] == {}
    waiting = await call("GET", "/ledger/voucher/>nonPosted", includeNonApproved=True, fields="id,postings(amount)")
    assert waiting == [{"id": draft["id"], "postings": [{"amount": 10}, {"amount": -10}]}]
    path = f"/ledger/voucher/{draft['id']}"
    change = {"version": draft["version"], "description": "Ny", "postings": [await row(call, 1920, 20),
                                                                            await row(call, 8050, -20)]}  # fmt: skip
    changed = await call("PUT", path, change, sendToLedger=False)
    assert (await call.refused("PUT", path, change, sendToLedger=False))["code"] == 8000
    sent = await call("PUT", f"{path}/:sendToLedger", version=changed["version"], number=77)
    assert (sent["number"], sent["description"], sent["tempNumber"]) == (77, "Ny", 0)
    assert box.state()["balances"] == {"1920": 20, "8050": -20}
    assert problems(await call.refused("PUT", f"{path}/:sendToLedger")) == [("id", "Bilaget er allerede bokført.")]
    assert problems(await call.refused("DELETE", path))[0][1] == "Bilaget er bokført og kan ikke slettes."
    assert (await call("GET", f"{path}/options"))["delete"]["available"] is False
    other = await call("POST", "/ledger/voucher", post, sendToLedger=False)
    assert (await call("GET", f"/ledger/voucher/{other['id']}/options"))["delete"] == {"available": True, "reasons": []}
    refused = await call.refused("PUT", f"/ledger/voucher/{other['id']}/:sendToLedger", number=77)
    assert problems(refused) == [("number", "Bilagsnummeret er i bruk.")]
    await call("DELETE", f"/ledger/voucher/{other['id']}")
    assert (await call.refused("GET", f"/ledger/voucher/{other['id']}"))["status"] == 404
    assert not box.books.things["draft"]


async def test_what_is_booked_keeps_its_rows_and_takes_texts(checked):
    made = await checked.voucher((1920, 10, {}), (8050, -10, {}))
    path = f"/ledger/voucher/{made['id']}"
    changed = await checked("PUT", path, {"version": made["version"], "description": "Renter"})
    assert changed["description"] == "Renter"
    rows = {"postings": [await row(checked, 1920, 1), await row(checked, 8050, -1)]}
    assert problems(await checked.refused("PUT", path, rows)) == [
        ("postings", "Bilaget er bokført og kan ikke endres.")
    ]
    assert problems(await checked.refused("PUT", path, {"date": "2027-02-01"}))[0][0] == "date"


async def test_numbers_are_a_series_a_year_and_vouchers_are_found_by_them(checked):
    for day in ("2027-01-20", "2027-02-20", "2028-01-02"):
        await checked.voucher((1920, 10, {}), (8050, -10, {}), date=day, externalVoucherNumber=f"e-{day}")
    years = {"dateFrom": "2027-01-01", "dateTo": "2029-01-01"}
    found = await checked("GET", "/ledger/voucher", **years, sorting="id", fields="number,year,displayName")
    assert [one["displayName"] for one in found] == ["1-2027", "2-2027", "1-2028"]
    assert len(await checked("GET", "/ledger/voucher", **years, numberFrom=1, numberTo=2)) == 2


@pytest.mark.parametrize(("search", "found"), [("imported", 0), ("all", 1)])
async def test_external_numbers_are_found_as_the_rule_says(box, checked, search, found):
    box.books.rules.external_number_search = search
    await checked.voucher((1920, 10, {}), (8050, -10, {}), externalVoucherNumber="e-1")
    query = {"externalVoucherNumber": "e-1"}
    assert len(await checked("GET", "/ledger/voucher/>externalVoucherNumber", **query)) == found


async def test_the_right_to_send_to_the_ledger(box, checked):
    box.shrink("advanced_voucher")
    said = {"date": DATE, "postings": [await row(checked, 1920, 10), await row(checked, 8050, -10)]}
    assert (await checked.refused("POST", "/ledger/voucher", said))["code"] == 9000
    draft = await checked("POST", "/ledger/voucher", said, sendToLedger=False)
    assert (await checked.refused("PUT", f"/ledger/voucher/{draft['id']}/:sendToLedger"))["status"] == 403
    assert box.state()["balances"] == {}


# --- reversal and closing ---------------------------------------------------------------------------------------------


async def open_posts(call, **query):
    found = await call("GET", "/ledger/posting/openPost", date="2028-01-01", sorting="id", fields="amount", **query)
    return [one["amount"] for one in found]


async def test_reversing_a_payment_opens_the_invoice_again(box, checked):
    call = checked
    made = await call.invoice((1, 1000, 6))
    paid = box.payment(made["id"], Decimal(1000), date(2027, 2, 1))
    (group,) = await call("GET", "/ledger/closeGroup", **DAYS)
    path = f"/ledger/voucher/{paid['id']}"
    reversal = await call("PUT", f"{path}/:reverse", date="2027-02-05")
    assert reversal["reverseVoucher"]["id"] == paid["id"]
    assert (await call("GET", path))["reverseVoucher"]["id"] == reversal["id"]
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 1000
    assert (await call.refused("GET", f"/ledger/closeGroup/{group['id']}"))["status"] == 404
    (pair,) = await call("GET", "/ledger/closeGroup", **DAYS, fields="postings(amount,type)")
    assert pair["postings"] == [{"amount": -1000, "type": "INCOMING_PAYMENT"}, {"amount": 1000}]
    assert await open_posts(call) == [1000]
    assert {k: v for k, v in box.state()["balances"].items() if v} == {"1500": 1000, "3200": -1000}
    refused = await call.refused("PUT", f"{path}/:reverse", date="2027-02-05")
    assert problems(refused) == [("id", "Bilaget er allerede tilbakeført.")]


async def test_reversing_what_brought_agio_takes_the_agio_back(box, checked):
    made = await checked.invoice((1, 1000, 52), currency={"id": 5})
    box.books.rates["EUR"] = Decimal("11.40")
    paid = box.payment(made["id"], Decimal(1000), date(2027, 2, 1))
    assert box.state()["balances"]["8160"] == 100
    agio = next(one for one in box.books.things["voucher"].values() if one["description"] == "Agio/disagio")
    await checked.refused("PUT", f"/ledger/voucher/{agio['id']}/:reverse", date="2027-02-05")
    await checked("PUT", f"/ledger/voucher/{paid['id']}/:reverse", date="2027-02-05")
    shown = await checked("GET", f"/invoice/{made['id']}")
    assert (shown["amountOutstanding"], shown["amountCurrencyOutstanding"]) == (11500, 1000)
    assert {k: v for k, v in box.state()["balances"].items() if v} == {"1500": 11500, "3150": -11500}


async def test_a_reversal_turns_every_amount_and_keeps_the_rest(box, checked):
    department = {"department": {"id": (await checked("POST", "/department", {"name": "Oslo"}))["id"]}}
    made = await checked.voucher((1920, 1250, {}), (3000, -1250, {"vatType": {"id": 3}, **department}))
    back = await checked("PUT", f"/ledger/voucher/{made['id']}/:reverse", date="2027-02-05")
    fields = "postings(amount,amountCurrency,amountGross,amountGrossCurrency,vatType(id),department(id),row)"
    (old, new) = [(await checked("GET", f"/ledger/voucher/{one['id']}", fields=fields))["postings"]
                  for one in (made, back)]  # fmt: skip
    for before, after in zip(old, new, strict=True):
        for name, value in before.items():
            assert after[name] == (-value if name.startswith("amount") else value), name
    assert not any(box.state()["balances"].values())
    refused = await checked.refused("PUT", f"/ledger/voucher/{back['id']}/:reverse", date="2027-02-06")
    assert problems(refused) == [("id", "Bilaget er allerede tilbakeført.")]


@pytest.mark.parametrize("allowed", [False, True])
async def test_reversing_an_invoice(box, checked, allowed):
    box.books.rules.reverse_invoices = allowed
    made = await checked.invoice((1, 1000, 6))
    path = f"/ledger/voucher/{made['voucher']['id']}/:reverse"
    if not allowed:
        refused = await checked.refused("PUT", path, date="2027-02-05")
        assert problems(refused) == [("id", "Bilaget tilhører en faktura. Bruk kreditnota.")]
        return
    await checked("PUT", path, date="2027-02-05")
    assert (await checked("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 0


async def test_a_payment_by_voucher_is_matched_by_closing(box, checked):
    call = checked
    made = await call.invoice((1, 1000, 6))
    buyer = {"customer": {"id": made["customer"]["id"]}}
    paid = await call.voucher((1920, 1000, {}), (1500, -1000, buyer))
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 1000
    assert await open_posts(call, customerId=made["customer"]["id"]) == [1000, -1000]
    rows = [made["postings"][0]["id"], paid["postings"][1]["id"]]
    assert await call("PUT", "/ledger/posting/:closePostings", rows) == []
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 0
    assert await open_posts(call) == []
    (group,) = await call("GET", "/ledger/closeGroup", **DAYS)
    assert {link["id"] for link in group["postings"]} == set(rows)


async def test_what_cannot_be_closed_is_told_and_left_open(box, checked):
    call = checked
    first, second = await call.invoice((1, 1000, 6)), await call.invoice((1, 1000, 6))
    own, other = first["postings"][0]["id"], second["postings"][0]["id"]
    buyer, bank = {"customer": first["customer"]}, (1920, 400, {})
    part = (await call.voucher(bank, (1500, -400, {"customer": {"id": buyer["customer"]["id"]}})))["postings"]
    for ids, message in [
        ([own], "Velg minst to posteringer."),
        ([own, own], "Velg minst to posteringer."),
        ([own, part[1]["id"]], "Summen av posteringene må være 0."),
        ([own, other], "Posteringene må ha samme kunde, leverandør eller ansatt."),
        ([own, part[0]["id"]], "Posteringer på kontoen kan ikke lukkes."),
    ]:
        said = await call("PUT", "/ledger/posting/:closePostings", ids)
        assert {one["message"] for one in said} == {message}
        assert [one["postingId"] for one in said] == list(dict.fromkeys(ids))
    box.books.rules.close_refusal = "error"
    assert (await call.refused("PUT", "/ledger/posting/:closePostings", [own, other]))["status"] == 422
    assert (await call.refused("PUT", "/ledger/posting/:closePostings", [own, 1]))["status"] == 404
    assert not box.books.things.get("closeGroup")
    box.payment(first["id"], Decimal(1000), date(2027, 2, 1))
    refused = await call.refused("PUT", "/ledger/posting/:closePostings", [own, other])
    assert problems(refused) == [("postings", "Posteringen er allerede lukket.")]


async def test_closing_in_a_foreign_currency_books_the_agio(box, checked):
    made = await checked.invoice((1, 1000, 52), currency={"id": 5})
    buyer = {"id": made["customer"]["id"]}
    euro = {"currency": {"id": 5}, "row": 1}
    said = {"date": "2027-02-01", "postings": [
        {**euro, "account": await checked.account(1921), "amountGross": 11700, "amountGrossCurrency": 1000},
        {**euro, "account": await checked.account(1500), "amountGross": -11700, "amountGrossCurrency": -1000,
         "customer": buyer},
    ]}  # fmt: skip
    paid = await checked("POST", "/ledger/voucher", said)
    await checked("PUT", "/ledger/posting/:closePostings", [made["postings"][0]["id"], paid["postings"][1]["id"]])
    assert box.state()["balances"]["8060"] == -200
    assert box.state()["balances"]["1500"] == 0
    assert (await checked("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 0


async def test_a_foreign_row_takes_the_ledgers_rate_where_no_kroner_are_given(box, checked):
    said = {"date": DATE, "postings": [
        {"row": 1, "account": await checked.account(1921), "amountGrossCurrency": 10, "currency": {"id": 5}},
        {"row": 1, "account": await checked.account(8050), "amountGrossCurrency": -10, "currency": {"id": 5}},
    ]}  # fmt: skip
    await checked("POST", "/ledger/voucher", said)
    assert box.state()["balances"] == {"1921": 115, "8050": -115}
    rate = await checked("GET", "/currency/5/rate", date=DATE)
    assert (rate["rate"], rate["source"]) == (Decimal("11.5"), "NORGES_BANK")
    assert await checked("GET", "/currency/5/exchangeRate", date=DATE, amount=10) == 115


@pytest.mark.parametrize("links", [False, True])
async def test_a_row_that_names_an_invoice_counts_as_the_rule_says(box, checked, links):
    box.books.rules.invoice_number_links = links
    made = await checked.invoice((1, 1000, 6))
    buyer = {"customer": {"id": made["customer"]["id"]}, "invoiceNumber": str(made["invoiceNumber"])}
    await checked.voucher((1920, 400, {}), (1500, -400, buyer))
    assert (await checked("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == (600 if links else 1000)


async def test_open_posts_by_account(checked):
    made = await checked.invoice((1, 1000, 6))
    (sums,) = await checked("GET", "/ledger/openPost", date="2028-01-01", fields="*,account(number)")
    assert (sums["account"]["number"], sums["sumAmount"]) == (1500, 1000)
    assert [link["id"] for link in sums["postings"]] == [made["postings"][0]["id"]]
    assert await checked("GET", "/ledger/openPost", date="2027-01-15") == []


# --- periods ----------------------------------------------------------------------------------------------------------


async def test_periods_say_that_they_are_closed_and_refuse(box, checked):
    call = checked
    year = {"startFrom": "2027-01-01", "startTo": "2028-01-01", "sorting": "start"}
    months = await call("GET", "/ledger/accountingPeriod", **year)
    assert [(one["number"], one["isClosed"]) for one in months] == [(number, False) for number in range(1, 13)]
    assert (months[0]["name"], months[0]["start"], months[0]["end"]) == ("Januar 2027", "2027-01-01", "2027-02-01")
    box.books.closed_months.add((2027, 1))
    assert (await call("GET", f"/ledger/accountingPeriod/{months[0]['id']}"))["isClosed"]
    said = {"date": DATE, "postings": [await row(call, 1920, 10), await row(call, 8050, -10)]}
    assert problems(await call.refused("POST", "/ledger/voucher", said)) == [("date", "Perioden er avsluttet.")]
    draft = await call("POST", "/ledger/voucher", {**said, "date": "2027-02-01"}, sendToLedger=False)
    box.books.rules.closed_until = date(2027, 2, 28)
    assert [one["isClosed"] for one in await call("GET", "/ledger/accountingPeriod", **year)][:3] == [True, True, False]
    assert (await call.refused("PUT", f"/ledger/voucher/{draft['id']}/:sendToLedger"))["status"] == 422
    box.books.closed_years.add(2027)
    refused = await call.refused("POST", "/ledger/voucher", {**said, "date": "2027-12-01"})
    assert problems(refused) == [("date", "Regnskapsåret 2027 er avsluttet.")]
    years = await call("GET", "/ledger/annualAccount", yearFrom=2027, yearTo=2028)
    assert [(one["year"], one["start"]) for one in years] == [(2027, "2027-01-01")]
    assert (await call("GET", f"/ledger/annualAccount/{years[0]['id']}"))["end"] == "2028-01-01"


async def test_a_delivered_vat_term_refuses_vat_and_takes_money(box, checked):
    made = await checked.invoice((1, 1000, 3))
    box.books.rules.vat_closed_until = date(2027, 2, 28)
    box.payment(made["id"], Decimal(1250), date(2027, 2, 1))
    path = f"/invoice/{made['id']}/:createCreditNote"
    refused = await checked.refused("PUT", path, date="2027-02-10", sendToCustomer=False)
    assert problems(refused) == [("date", "Mva-terminen er avsluttet.")]
    await checked("PUT", path, date="2027-03-01", sendToCustomer=False)
    await checked.voucher((1920, 10, {}), (8050, -10, {}))
    said = {"date": DATE, "postings": [await row(checked, 1920, 10),
                                       await row(checked, 3000, -10, vatType={"id": 3})]}  # fmt: skip
    assert problems(await checked.refused("POST", "/ledger/voucher", said))[0][1] == "Mva-terminen er avsluttet."


async def test_period_ends_as_the_rule_says(box, checked):
    box.books.rules.period_end = "inclusive"
    (january,) = await checked("GET", "/ledger/accountingPeriod", startFrom="2027-01-01", startTo="2027-01-02")
    assert january["end"] == "2027-01-31"


# --- documents --------------------------------------------------------------------------------------------------------


async def test_attachments_are_pages_of_one_pdf(box, checked):
    made = await checked.voucher((1920, 10, {}), (8050, -10, {}))
    path = f"/ledger/voucher/{made['id']}"
    plain = (await checked.raw("GET", f"{path}/pdf")).content
    assert plain.startswith(b"%PDF-")
    first = uploads.pdf([["side én"], ["side to"]])
    assert (await checked.upload(f"{path}/attachment", first)).status_code == 201
    assert (await checked.raw("GET", f"{path}/pdf")).content == first
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    await checked.upload(f"{path}/attachment", png, "kvittering.png")
    shown = await checked("GET", path, fields="attachment(*),document(id)")
    kept = shown["attachment"]
    assert (kept["mimeType"], kept["size"]) == ("application/pdf", len(first) + len(png))
    assert shown["document"]["id"] == kept["id"]
    both = (await checked.raw("GET", f"/document/{kept['id']}/content")).content
    assert Upload(both, "x").pages == 3
    assert (await checked("GET", f"/document/{kept['id']}"))["fileName"] == "vedlegg.pdf"
    uploaded = box.books.find(Link("document", kept["id"]))["_uploads"]
    assert [one.content for one in uploaded] == [first, png]
    version = (await checked("GET", path))["version"]
    assert (await checked.refused("DELETE", f"{path}/attachment", version=1))["code"] == 8000
    await checked("DELETE", f"{path}/attachment", version=version, sendToInbox=True)
    assert "attachment" not in await checked("GET", path)
    (inbox,) = await checked("GET", "/ledger/voucher/>voucherReception")
    assert inbox["description"] == "vedlegg.pdf"


async def test_attachments_of_other_kinds_are_refused(checked):
    made = await checked.voucher((1920, 10, {}), (8050, -10, {}))
    path = f"/ledger/voucher/{made['id']}/attachment"
    for content in (b"<Invoice/>", b"plain text"):
        answer = await checked.upload(path, content)
        assert answer.status_code == 422
        assert answer.json()["validationMessages"][0]["field"] == "file"
    assert "attachment" not in await checked("GET", f"/ledger/voucher/{made['id']}")
