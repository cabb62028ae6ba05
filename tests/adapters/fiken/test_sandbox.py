"""The sandbox is as hard on its callers as Fiken is: paging, filters, what it refuses, what it says of changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from adapters.accounting.fiken.sandbox import CLIENT_ID, CLIENT_SECRET, TOKEN, Sandbox
from connector.model.json import dumps, loads


class Caller:
    """Calls one company plainly."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.client = httpx.AsyncClient(
            base_url=f"{box.url}/companies/fjord-as", headers={"Authorization": f"Bearer {TOKEN}"}
        )

    async def __call__(self, method: str, path: str, json: Any = None, **query: Any) -> httpx.Response:
        content = None if json is None else dumps(json)
        headers = {"Content-Type": "application/json"} if content else {}
        return await self.client.request(method, path, params=query, content=content, headers=headers)

    async def made(self, path: str, json: Any) -> int:
        answer = await self("POST", path, json)
        assert (answer.status_code, answer.content) == (201, b""), answer.text
        return int(answer.headers["location"].rpartition("/")[2])

    async def draft(self, **more: Any) -> int:
        customer = await self.made("/contacts", {"name": "Kjøper AS", "customer": True})
        line = {"description": "Timer", "quantity": 1, "unitPrice": 3333, "vatType": "HIGH", "incomeAccount": "3000"}
        said = {"type": "invoice", "customerId": customer, "daysUntilDueDate": 14, "issueDate": "2027-01-15",
                "bankAccountNumber": "86011117947", "lines": [line] * 3, **more}  # fmt: skip
        return await self.made("/invoices/drafts", said)

    async def invoice(self, **more: Any) -> dict[str, Any]:
        made = await self.made(f"/invoices/drafts/{await self.draft(**more)}/createInvoice", {})
        found = await self("GET", f"/invoices/{made}")
        return loads(found.content)


@pytest.fixture
async def call(box: Sandbox) -> AsyncIterator[Caller]:
    caller = Caller(box)
    yield caller
    await caller.client.aclose()


async def test_pages_begin_at_nothing_and_have_a_hundred_at_most(call: Caller) -> None:
    for number in range(130):
        call.box.books.add_contact({"name": f"K{number}", "customer": True})
    sizes = []
    for page in (0, 1, 2):
        answer = await call("GET", "/contacts", page=page, pageSize=100)
        sizes.append(len(answer.json()))
        assert (answer.headers["fiken-api-page-count"], answer.headers["fiken-api-result-count"]) == ("2", "130")
    assert sizes == [100, 30, 0]
    assert len((await call("GET", "/contacts")).json()) == 25
    assert (await call("GET", "/contacts", pageSize=101)).status_code == 400


async def test_days_are_all_that_filters_know(call: Caller) -> None:
    invoice = await call.invoice()
    for query, found in (
        ({"issueDate": "2027-01-15"}, 1), ({"issueDateGt": "2027-01-15"}, 0), ({"issueDateLe": "2027-01-15"}, 1),
        ({"lastModifiedGe": call.box.books.day()}, 1), ({"lastModifiedGt": call.box.books.day()}, 0),
        ({"settled": "false"}, 1), ({"settled": "true"}, 0), ({"customerId": invoice["customer"]["contactId"]}, 1),
        ({"invoiceDraftUuid": invoice["invoiceDraftUuid"]}, 1), ({"invoiceDraftUuid": "x"}, 0),
    ):  # fmt: skip
        assert len((await call("GET", "/invoices", **query)).json()) == found, query
    assert (await call("GET", "/invoices", lastModifiedGe="2027-01-15T10:00")).status_code == 400
    assert (await call("GET", "/projects", lastModifiedGe="2027-01-15")).status_code == 400


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dueDate": "2027-01-29"}, "Unrecognized field"),
        ({"customerId": None}, "customerId må fylles ut"),
        ({"daysUntilDueDate": "14"}, "Invalid value"),
        ({"bankAccountNumber": "1"}, "finnes ikke"),
        ({"projectId": 1}, "Prosjekt"),
        ({"issueDate": "15.01.2027"}, "yyyy-MM-dd"),
        ({"roundingType": "up"}, "roundingType"),
        ({"lines": [{"description": "x", "quantity": 1, "unitPrice": 1, "vatType": "HIGH", "incomeAccount": "3110"}]},
         "Konto 3110"),
        ({"lines": [{"description": "x", "quantity": 1, "unitPrice": 1, "vatType": "25", "incomeAccount": "3000"}]},
         "Ugyldig vatType"),
        ({"lines": [{"description": "x" * 201, "quantity": 1}]}, "200 tegn"),
    ],
)  # fmt: skip
async def test_what_a_draft_may_not_say(call: Caller, change: dict[str, Any], said: str) -> None:
    customer = await call.made("/contacts", {"name": "Kjøper AS", "customer": True})
    line = {"description": "Timer", "quantity": 1, "unitPrice": 3333, "vatType": "HIGH", "incomeAccount": "3000"}
    body = {"type": "invoice", "customerId": customer, "daysUntilDueDate": 14, "lines": [line], **change}
    answer = await call("POST", "/invoices/drafts", {name: value for name, value in body.items() if value is not None})
    assert (answer.status_code, said in answer.text) == (400, True), answer.text


async def test_fractions_of_an_ore_are_cut_without_a_word(call: Caller) -> None:
    made = await call.made("/products", {"name": "A", "incomeAccount": "3000", "vatType": "HIGH", "active": True,
                                         "unitPrice": Decimal("100.9")})  # fmt: skip
    assert loads((await call("GET", f"/products/{made}")).content)["unitPrice"] == 100


@pytest.mark.parametrize(("rounding", "vat"), [("line", 2499), ("document", 2500)])
async def test_vat_of_the_lines_or_of_the_sum(call: Caller, rounding: str, vat: int) -> None:
    call.box.books.rules.rounding = rounding  # type: ignore[assignment]
    invoice = await call.invoice()
    assert (invoice["net"], invoice["vat"], invoice["gross"]) == (9999, vat, 9999 + vat)
    assert sum(line["vat"] for line in invoice["lines"]) == vat


async def test_a_draft_is_gone_once_it_is_an_invoice_and_a_uuid_is_not_kept_unique(call: Caller) -> None:
    uuid = "3a1f0b4e-5b5e-4c8e-9d39-6a9f52f6d001"
    first, second = await call.draft(uuid=uuid), await call.draft(uuid=uuid)
    assert len((await call("GET", "/invoices/drafts", uuid=uuid)).json()) == 2
    await call.made(f"/invoices/drafts/{first}/createInvoice", {})
    assert (await call("POST", f"/invoices/drafts/{first}/createInvoice", {})).status_code == 404
    assert len((await call("GET", "/invoices/drafts", uuid=uuid)).json()) == 1
    assert second


async def test_a_payment_changes_no_day_and_overpays_if_one_lets_it(call: Caller) -> None:
    invoice = await call.invoice()
    sale = call.box.books.find("sale", invoice["sale"]["saleId"])
    sale["lastModifiedDate"] = "2026-01-01"
    paid = {"date": "2027-02-01", "account": "1920:10001", "amount": 20000}
    await call.made(f"/sales/{sale['_id']}/payments", paid)
    shown = (await call("GET", f"/sales/{sale['_id']}")).json()
    assert (shown["lastModifiedDate"], shown["settled"], shown["totalPaid"]) == ("2026-01-01", True, 20000)
    assert shown["outstandingBalance"] < 0
    for wrong in ({"amount": 0}, {"account": "1920:9"}, {"currency": "EUR"}, {"date": "1.2.2027"}):
        assert (await call("POST", f"/sales/{sale['_id']}/payments", paid | wrong)).status_code == 400


async def test_a_credit_note_of_a_draft_belongs_to_no_invoice(call: Caller) -> None:
    invoice = await call.invoice()
    customer = invoice["customer"]["contactId"]
    line = {"description": "Timer", "quantity": 1, "unitPrice": 3333, "vatType": "HIGH", "incomeAccount": "3000"}
    draft = {"type": "credit_note", "customerId": customer, "daysUntilDueDate": 0, "lines": [line]}
    made = await call.made("/creditNotes/drafts", draft)
    note = await call.made(f"/creditNotes/drafts/{made}/createCreditNote", {})
    assert "associatedInvoiceId" not in (await call("GET", f"/creditNotes/{note}")).json()
    partial = {"issueDate": "2027-03-10", "invoiceId": invoice["invoiceId"], "lines": [line | {"quantity": 9}]}
    assert (await call("POST", "/creditNotes/partial", partial)).status_code == 400
    await call.made("/creditNotes/partial", partial | {"lines": [line]})
    full = {"issueDate": "2027-03-10", "invoiceId": invoice["invoiceId"]}
    assert (await call("POST", "/creditNotes/full", full)).status_code == 400


async def test_every_voucher_comes_to_nothing(call: Caller) -> None:
    invoice = await call.invoice(roundingType="round_whole")
    await call.invoice(currency="EUR")
    call.box.payment(invoice["invoiceId"], Decimal(50), date(2027, 2, 1))
    call.box.books.write_off(call.box.books.find("sale", invoice["sale"]["saleId"]), "2027-03-01")
    assert [sum(amount for _, amount in voucher) for voucher in call.box.books.vouchers] == [0, 0, 0, 0]


async def test_what_a_contact_was_is_gone_when_it_is_put_anew(call: Caller) -> None:
    made = await call.made("/contacts", {"name": "A", "customer": True, "email": "a@b.no"})
    assert (await call("PUT", f"/contacts/{made}", {"name": "B", "customer": True})).status_code == 200
    there = (await call("GET", f"/contacts/{made}")).json()
    assert ("email" in there, there["name"], there["customerNumber"]) == (False, "B", 10001)


async def test_companies_that_are_not_ones_own(call: Caller) -> None:
    wrong = await call.client.get(f"{call.box.url}/companies/elv-as/contacts")
    assert wrong.status_code == 403
    assert (
        await call.client.get(f"{call.box.url}/companies", headers={"Authorization": "Bearer x"})
    ).status_code == 401


async def test_a_sign_in_and_refresh_tokens_that_work_once(box: Sandbox) -> None:
    asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": "http://us/back", "state": "s"}
    async with httpx.AsyncClient(base_url=box.sign_in_url, auth=(CLIENT_ID, CLIENT_SECRET)) as client:
        back = await client.get("/authorize", params=asked)
        code = dict(httpx.URL(back.headers["location"]).params)
        assert code["state"] == "s"
        said = {"grant_type": "authorization_code", "code": code["code"], "redirect_uri": "http://us/back"}
        first = (await client.post("/token", data=said)).json()
        assert (await client.post("/token", data=said)).json()["error"] == "invalid_grant"
        again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = (await client.post("/token", data=again)).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert (await client.post("/token", data=again)).json()["error"] == "invalid_grant"
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        async with httpx.AsyncClient(headers=bearer) as plain:
            assert (await plain.get(f"{box.url}/user")).status_code == 200
            assert (await plain.post(f"{box.sign_in_url}/revoke")).status_code == 200
            assert (await plain.get(f"{box.url}/user")).status_code == 401
        wrong = await client.post("/token", data=said, auth=(CLIENT_ID, "wrong"))
        assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


async def test_what_people_do_by_hand(box: Sandbox, call: Caller) -> None:
    invoice = await call.invoice()
    base = box.url.removesuffix("/api/v2")
    async with httpx.AsyncClient(base_url=base) as client:
        paid = await client.post("/_sandbox/payment", json={"invoice": invoice["invoiceId"], "amount": "100"})
        assert paid.json()["open"] == 24.99
        await client.post("/_sandbox/invoice/send", json={"invoice": invoice["invoiceId"], "how": "ehf"})
        assert (await call("GET", f"/invoices/{invoice['invoiceId']}")).json()["dispatches"][0]["dispatchType"] == "ehf"
        assert (await client.get("/_sandbox/state")).json()["things"]["invoice"] == 1
        assert (await client.get("/fault", params={"calls": "GET", "kind": "429"})).json()[0]["kind"] == "429"
        assert (await call("GET", "/contacts")).status_code == 429
