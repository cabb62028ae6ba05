"""What people do behind the caller's back, over the sandbox's own calls; and its faults on the calls of whole books."""

from __future__ import annotations

import httpx
import pytest

YEAR = {"invoiceDateFrom": "2027-01-01", "invoiceDateTo": "2028-01-01"}
DAYS = {"dateFrom": "2027-01-01", "dateTo": "2028-01-01"}
WHEN = "2027-01-20"


@pytest.fixture
async def people(box):
    """Somebody in the program itself."""
    async with httpx.AsyncClient(base_url=box.url.removesuffix("/v2")) as client:

        async def act(method, path, said=None, status=200):
            answer = await client.request(method, path, json=said)
            assert answer.status_code == status, answer.text
            return answer.json()

        yield act


async def test_records_are_made_changed_and_removed(box, call, people):
    made = await people("POST", "/_sandbox/record/customer", {"name": "Ny AS"})
    assert (await call("GET", f"/customer/{made['id']}"))["name"] == "Ny AS"
    await people("PUT", f"/_sandbox/record/customer/{made['id']}", {"name": "Endret AS"})
    shown = await call("GET", f"/customer/{made['id']}")
    assert (shown["name"], shown["version"]) == ("Endret AS", 2)
    invoice = await call.invoice()
    await people("DELETE", f"/_sandbox/record/customer/{invoice['customer']['id']}")
    assert (await call.refused("GET", f"/customer/{invoice['customer']['id']}"))["code"] == 6000
    shown = await call("GET", f"/invoice/{invoice['id']}", fields="id,customer(name)")
    assert sorted(shown["customer"]) == ["id", "url"]  # what is gone is only named
    await people("DELETE", f"/_sandbox/record/customer/{invoice['customer']['id']}", status=404)
    await people("POST", "/_sandbox/record/nonsense", {}, status=422)
    supplier = await people("POST", "/_sandbox/record/supplier", {"name": "S"})
    await people("DELETE", f"/_sandbox/record/supplier/{supplier['id']}")
    assert await call("GET", "/supplier") == []


async def test_rules_rates_periods(box, call, people):
    said = {"rounding": "line", "closed_until": "2027-01-31", "modules": ["PROJECT"], "reminder_charge": "38"}
    await people("PUT", "/_sandbox/rules", said)
    assert (await call.refused("PUT", f"/order/{(await call.order())['id']}/:invoice", invoiceDate=WHEN))[
        "status"
    ] == 422
    assert box.books.rules.modules == {"PROJECT"}
    await people("PUT", "/_sandbox/rules", {"closed_until": None})
    await people("PUT", "/_sandbox/rules", {"nonsense": 1}, status=422)
    assert (await people("PUT", "/_sandbox/rates", {"EUR": "12"}))["EUR"] == "12"
    assert (await call("GET", "/currency/5/rate", date=WHEN))["rate"] == 12
    await people("PUT", "/_sandbox/rates", {"NOK": "2"}, status=422)
    assert await people("PUT", "/_sandbox/period", {"year": 2027, "month": 1}) == {"closed": True}
    order = await call.order()
    refused = await call.refused("PUT", f"/order/{order['id']}/:invoice", invoiceDate=WHEN)
    assert refused["validationMessages"][0]["message"] == "Perioden er avsluttet."
    await people("PUT", "/_sandbox/period", {"year": 2027, "month": 1, "closed": False})
    await call("PUT", f"/order/{order['id']}/:invoice", invoiceDate=WHEN, sendToCustomer=False)
    await people("PUT", "/_sandbox/period", {"year": 2027})
    assert box.books.closed_years == {2027}


async def test_rights_and_hidden_records(box, call, people):
    made = await call.invoice()
    await people("PUT", "/_sandbox/rights", {"rights": ["customer"]})
    assert await call("GET", "/invoice", **YEAR) == []
    await people("PUT", "/_sandbox/rights", {"rights": ["nonsense"]}, status=422)
    await people("PUT", "/_sandbox/rights", {"rights": ["customer", "sales"]})
    assert len(await call("GET", "/invoice", **YEAR)) == 1
    await people("PUT", "/_sandbox/hidden", {"type": "invoice", "ids": [made["id"]]})
    assert await call("GET", "/invoice", **YEAR) == []


async def test_the_company_receives_an_ehf_and_somebody_registers_it(box, call, people):
    said = {"organizationNumber": "974760673", "name": "Selger AS", "invoiceNumber": "F-7", "date": "2027-01-10",
            "dueDate": "2027-02-10", "amount": "1250.00", "kid": "0000100172"}  # fmt: skip
    made = await people("POST", "/_sandbox/ehf", said)
    (shown,) = await call("GET", "/ledger/voucher/>voucherReception")
    assert (shown["id"], shown["vendorInvoiceNumber"]) == (made["voucher"], "F-7")
    done = await people("POST", "/_sandbox/register", {**said, "voucher": made["voucher"]})
    found = await call("GET", f"/supplierInvoice/{done['supplierInvoice']}")
    assert (found["invoiceNumber"], found["outstandingAmount"]) == ("F-7", 1250)


async def test_webhooks_can_be_looked_at(box, call, people):
    await call("POST", "/event/subscription", {"event": "customer.create", "targetUrl": "http://127.0.0.1:1/"})
    await call.customer()
    await box.webhooks[box.books.company["id"]].idle()
    (one,) = await people("GET", "/_sandbox/webhooks")
    assert one["status"] is None
    again = await people("POST", "/_sandbox/webhooks", {})
    await box.webhooks[box.books.company["id"]].idle()
    first, second = await people("GET", "/_sandbox/webhooks")
    assert first == one
    assert (second["headers"], second["body"]) == (first["headers"], first["body"])
    assert again["idempotency-key"] == one["headers"]["idempotency-key"]
    await people("POST", "/_sandbox/webhooks", {"index": 7}, status=422)


@pytest.mark.parametrize("clients", [["Fjord AS"]])
async def test_another_company_is_named_by_its_id(box, people):
    fjord = box.client("Fjord AS")
    await people("POST", f"/_sandbox/record/customer?company={fjord.company['id']}", {"name": "x"})
    assert len(fjord.things["customer"]) == 1
    assert not box.books.things.get("customer")
    await people("GET", "/_sandbox/state?company=1", status=422)


# --- faults -----------------------------------------------------------------------------------------------------------


async def writes(call):
    """Calls that write: (method, path, body, query), and what they leave behind: (path, query)."""
    made = await call.invoice((1, 100, 6))
    buyer = {"id": made["customer"]["id"]}
    bank, income = await call.account(1920), await call.account(1500)
    voucher = {"date": WHEN, "postings": [
        {"row": 1, "account": bank, "amountGross": 100},
        {"row": 2, "account": income, "amountGross": -100, "customer": buyer},
    ]}  # fmt: skip
    paid = await call("POST", "/ledger/voucher", voucher)
    rows = [made["postings"][0]["id"], paid["postings"][1]["id"]]
    credit = f"/invoice/{made['id']}/:createCreditNote"
    return [
        ("POST", "/ledger/voucher", voucher, {}, "/ledger/voucher", DAYS),
        ("PUT", f"/ledger/voucher/{paid['id']}/:reverse", None, {"date": WHEN}, "/ledger/voucher", DAYS),
        ("PUT", "/ledger/posting/:closePostings", rows, {}, "/ledger/closeGroup", DAYS),
        ("PUT", credit, None, {"date": WHEN, "sendToCustomer": False}, "/invoice", YEAR),
        ("POST", "/supplier", {"name": "S"}, {}, "/supplier", {}),
        ("POST", "/product", {"name": "P"}, {}, "/product", {}),
        ("POST", "/department", {"name": "D"}, {}, "/department", {}),
        ("POST", "/event/subscription", {"event": "customer.create", "targetUrl": "https://a.no"}, {},
         "/event/subscription", {}),
    ]  # fmt: skip


@pytest.mark.parametrize("which", range(8))
@pytest.mark.parametrize("kind", ["no-answer", "no-answer-before", "500-before", "500-after", "429", "garbled"])
async def test_every_fault_on_every_new_kind_of_call(box, call, kind, which):
    method, path, body, query, listed, window = (await writes(call))[which]
    before = await call("GET", listed, **window)
    box.fault(f"{method} {path}$", kind)
    try:
        answer = await call.raw(method, path, body, **query)
        status = answer.status_code
    except httpx.RemoteProtocolError:
        status = None
    expected = {"no-answer": None, "no-answer-before": None, "500-before": 500, "500-after": 500, "429": 429}
    assert status in ({200, 201} if kind == "garbled" else {expected[kind]})
    after = await call("GET", listed, **window)
    done = kind in {"no-answer", "500-after", "garbled"}
    assert (len(after) > len(before)) is done


async def test_a_lagging_copy_does_not_see_what_was_closed_since(box, call):
    made = await call.invoice((1, 100, 6))
    box.fault(r"GET /(ledger/posting/openPost|invoice/\d)", "stale", count=2)
    buyer = {"customer": {"id": made["customer"]["id"]}}
    paid = await call.voucher((1920, 100, {}), (1500, -100, buyer))
    await call("PUT", "/ledger/posting/:closePostings", [made["postings"][0]["id"], paid["postings"][1]["id"]])
    before = await call("GET", "/ledger/posting/openPost", date="2028-01-01")
    assert [one["amount"] for one in before] == [100]
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 100
    assert (await call("GET", f"/invoice/{made['id']}"))["amountOutstanding"] == 0


async def test_everything_is_counted_against_the_rate_limit(box, call):
    box.rate_limit = 1
    await call("GET", "/supplier")
    assert (await call.refused("POST", "/ledger/voucher", {}))["status"] == 429


async def test_a_payment_on_a_row_that_is_of_no_invoice(box, call, people):
    """Somebody books what a customer paid of an invoice that was booked as a voucher; the last one closes the rows."""
    customer = {"id": (await call("POST", "/customer", {"name": "Kjøper AS"}))["id"]}
    made = await call.voucher((1500, 100, {"customer": customer, "invoiceNumber": "A-17"}), (3000, -100, {}))
    row = made["postings"][0]["id"]
    for amount in ("40", "60"):
        await people("POST", "/_sandbox/payment", {"posting": row, "amount": amount, "date": "2027-02-01"})
        paid = await call("GET", "/ledger/posting", **DAYS, type="INCOMING_PAYMENT", fields="invoiceNumber,amount")
        assert {one["invoiceNumber"] for one in paid} == {"A-17"}
        shown = await call("GET", f"/ledger/posting/{row}", fields="closeGroup(id)")
        assert bool(shown.get("closeGroup")) is (amount == "60")
