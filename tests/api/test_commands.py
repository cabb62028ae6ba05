"""Posting invoices and payments: taken once, answered at once, refused with a code and what to do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

JSON = "application/json"


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["code"] == code, said
    assert said["status"] == status
    assert said["type"] == f"urn:connector:problem:{code}"
    assert said["detail"]
    assert said["title"]
    return said


# --- the way through --------------------------------------------------------------------------------------------------


async def test_an_invoice_ends_as_done_with_proof(any_door, draft):
    answer = await any_door.post("/v1/invoices", draft())
    assert answer.status_code == 202
    taken = answer.json()
    assert taken["state"] == "accepted"
    assert answer.headers["location"] == f"/v1/operations/{taken['id']}"
    assert await any_door.get(answer.headers["location"]) == taken
    await any_door.work()
    done = await any_door.get(answer.headers["location"])
    assert done["state"] == "done"
    invoice = await any_door.document(kind="invoice")
    assert done["document"] == invoice.id
    proof = done["result"]
    assert (proof["number"], proof["kid"], proof["payable"]) == (invoice.number, invoice.kid, "12500.00")
    assert proof["vendor_id"] == invoice.links[0]["vendor_id"]
    assert any_door.issued() == 1


async def test_what_was_posted_is_a_document_at_once(any_door, draft, payment):
    for path, body, kind, state in (
        ("/v1/invoices", draft(), "invoice", "accepted"),
        ("/v1/payments", payment(), "payment", "received"),
    ):
        taken = (await any_door.post(path, body)).json()
        document = await any_door.get(f"/v1/documents/{taken['document']}")
        assert (document["kind"], document["state"]) == (kind, state)
        came, *_ = await any_door.get(f"/v1/documents/{taken['document']}/story")
        assert (came["what"], came["data"]["state"]) == (f"api-{kind}", "handled")
    assert (await any_door.document(kind="invoice")).open == "7500.00"


async def test_what_cannot_be_a_document_yet_waits_with_its_reason(any_door, draft, payment):
    await any_door.post("/v1/invoices", draft())
    answer = await any_door.post("/v1/payments", payment(currency="EUR"))
    assert (answer.status_code, answer.json()["state"]) == (202, "accepted")
    assert "document" not in answer.json()
    assert (await any_door.document(kind="invoice")).open == "12500.00"
    await any_door.work()
    waits = await any_door.get(answer.headers["location"])
    assert (waits["state"], waits["result"]["code"]) == ("waiting", "currency-differs")


async def test_a_payment_ends_as_done_with_proof(any_door, draft, payment):
    await any_door.post("/v1/invoices", draft())
    await any_door.work()
    answer = await any_door.post("/v1/payments", payment())
    assert answer.status_code == 202
    await any_door.work()
    done = await any_door.get(answer.headers["location"])
    assert (done["state"], done["kind"]) == ("done", "payment")
    invoice = await any_door.document(kind="invoice")
    assert invoice.open == "7500.00"


async def test_a_draft_in_ehf_loses_its_number(door, ehf):
    answer = await door.post("/v1/invoices?draft=true", ehf(number="UTKAST-7"))
    assert answer.status_code == 202, answer.text
    await door.work()
    invoice = await door.document(kind="invoice")
    assert invoice.number not in (None, "UTKAST-7")
    assert (await door.get(answer.headers["location"]))["state"] == "done"


async def test_a_numbered_ehf_is_refused_where_the_ledger_issues_with_the_two_ways_out(door, ehf):
    said = refused(await door.post("/v1/invoices", ehf()), 422, "numbered-document")
    assert "draft=true" in said["do"]
    assert "issues: source" in said["do"]
    assert said["where"]["route"] == "sales"
    await door.nothing_kept()


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/payments"])
async def test_posting_takes_a_key_with_the_scope(door, draft, path):
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer ck_no"}, {"Authorization": "Basic eDp5"}):
        answer = await door.post(path, draft(), **headers)
        refused(answer, 401, "not-authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    refused(await door.post(path, draft(), **await door.key("read", "settle")), 403, "scope-missing")
    await door.nothing_kept()


# --- once -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/payments"])
async def test_a_post_needs_an_idempotency_key(door, draft, payment, path):
    await door.post("/v1/invoices", draft(source_id="there", lines=draft()["lines"]))
    await door.work()
    body = draft() if path.endswith("invoices") else payment(allocations=[allocation("there")])
    answer = await door.client.post(path, json=body)
    said = refused(answer, 400, "idempotency-key-missing")
    assert "Idempotency-Key" in said["detail"]
    for bad in ("x" * 256, "a\x07b"):
        answer = await door.client.post(path, json=body, headers={"Idempotency-Key": bad})
        refused(answer, 400, "idempotency-key-malformed")


def allocation(source_id: str, amount: str = "5000.00") -> dict[str, Any]:
    return {"document": {"source_id": source_id}, "amount": amount}


async def test_a_request_repeated_gets_the_same_answer(any_door, draft):
    first = await any_door.post("/v1/invoices", draft(), "k-1")
    await any_door.work()  # the operation has gone on meanwhile: the answer is still that of the first time
    again = await any_door.post("/v1/invoices", draft(), "k-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]


async def test_an_idempotency_key_is_for_one_request(any_door, draft, payment):
    await any_door.post("/v1/invoices", draft(), "k-1")
    refused(await any_door.post("/v1/invoices", draft(source_id="b"), "k-1"), 422, "idempotency-key-reused")
    refused(await any_door.post("/v1/invoices?route=sales", draft(), "k-1"), 422, "idempotency-key-reused")
    await any_door.work()
    refused(await any_door.post("/v1/payments", payment(), "k-1"), 422, "idempotency-key-reused")
    assert any_door.issued() == 1


async def test_idempotency_keys_of_tenants_do_not_meet(door, draft):
    await door.post("/v1/invoices", draft(), "k-1")
    answer = await door.post("/v1/invoices", draft(), "k-1", **await door.key("write", tenant="other"))
    refused(answer, 422, "route-unclear")  # judged on its own: this tenant has no route


async def test_the_same_at_the_same_moment_is_one(any_door, draft):
    answers = await asyncio.gather(*(any_door.post("/v1/invoices", draft(), "k-1") for _ in range(5)))
    answers += await asyncio.gather(*(any_door.post("/v1/invoices", draft()) for _ in range(5)))
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["id"] for one in answers}) == 1
    await any_door.work()
    assert any_door.issued() == 1


@pytest.mark.parametrize("handled", [False, True])
async def test_the_same_invoice_is_the_same_operation(door, draft, handled):
    first = await door.post("/v1/invoices", draft())
    if handled:
        await door.work()
    rearranged = json.dumps(dict(reversed(draft().items())), indent=3).encode()
    for again in (
        await door.post("/v1/invoices", draft()),
        await door.post("/v1/invoices", rearranged, Content_Type=JSON),
    ):
        assert again.status_code == 202
        assert again.json()["id"] == first.json()["id"]
    await door.work()
    assert door.issued() == 1


@pytest.mark.parametrize("handled", [False, True])
async def test_the_same_invoice_with_other_content_is_refused(door, draft, handled):
    await door.post("/v1/invoices", draft())
    if handled:
        await door.work()
    said = refused(await door.post("/v1/invoices", draft(buyer_reference="Ola")), 409, "document-exists")
    assert said["where"]["business_key"] == "NO:923609016/source/order-4711"
    assert said["where"]["document"] == (await door.document(kind="invoice")).id
    await door.work()
    assert door.issued() == 1


async def test_two_ehf_drafts_with_one_number_are_one_or_a_clash(door, ehf):
    first = await door.post("/v1/invoices?draft=true", ehf())
    again = await door.post("/v1/invoices?draft=true", ehf())
    assert again.json()["id"] == first.json()["id"]
    refused(await door.post("/v1/invoices?draft=true", ehf(due_date="2027-02-28")), 409, "document-exists")


@pytest.mark.parametrize("handled", [False, True])
async def test_the_same_payment_is_the_same_operation_and_another_is_refused(door, draft, payment, handled):
    await door.post("/v1/invoices", draft())
    await door.work()
    first = await door.post("/v1/payments", payment())
    if handled:
        await door.work()
    rearranged = json.dumps(payment(), indent=1).encode()
    again = await door.post("/v1/payments", rearranged, Content_Type=JSON)
    assert again.json()["id"] == first.json()["id"]
    other = payment(amount="6000.00")
    refused(await door.post("/v1/payments", other), 409, "document-exists")
    second = await door.post("/v1/payments", payment(source_id="bank-2"))
    assert second.json()["id"] != first.json()["id"]
    await door.work()
    assert (await door.document(kind="invoice")).open == "2500.00"


# --- what is not taken ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"currency": "NKO"}, "currency-unknown", "currency"),
        ({"currency": "nok"}, "currency-unknown", "currency"),
        ({"lines": []}, "no-lines", None),
        ({"buyer": {"name": "x" * 5000}}, "identity-too-long", "name"),
        ({"payment_means": [{"code": "30", "payment_id": "é" * 300}]}, "identity-too-long", "kid"),
        ({"colour": "red"}, "extra-forbidden", "colour"),
        ({"issue_date": "15.01.2027"}, None, "issue_date"),
        ({"source_id": None}, "document-without-identity", "source_id"),
        ({"source_id": "x" * 5000}, "identity-too-long", "source_id"),
        ({"buyer_reference": "a\x00b"}, "text-not-xml", "buyer_reference"),
        ({"seller": {}}, None, None),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_wrong_with_an_invoice_is_said_with_its_field(any_door, draft, changes, code, field):
    answer = await any_door.post("/v1/invoices", draft(**changes))
    said = refused(answer, 422, code or answer.json()["code"])
    if field:
        assert said["where"]["field"] == field
    await any_door.nothing_kept()


@pytest.mark.parametrize(
    ("price", "code"),
    [
        ("99.90", "float-refused"),
        ("1e2", "float-refused"),
        ('"1e2"', "number-malformed"),
        ('"99,90"', "number-malformed"),
        ("NaN", "body-malformed"),
        ('"NaN"', "number-malformed"),
        ("true", None),
    ],
)
async def test_money_is_text_or_a_whole_number(door, draft, price, code):
    body = json.dumps(draft()).replace('"1020.00"', price).encode()
    answer = await door.post("/v1/invoices", body, Content_Type=JSON)
    said = refused(answer, 400 if code == "body-malformed" else 422, code or answer.json()["code"])
    if code != "body-malformed":
        assert said["where"]["field"] == "lines.0.price"
    await door.nothing_kept()


async def test_a_whole_number_is_exact_and_taken(door, draft):
    body = json.dumps(draft()).replace('"1020.00"', "1020").encode()
    assert (await door.post("/v1/invoices", body, Content_Type=JSON)).status_code == 202
    await door.work()
    assert (await door.document(kind="invoice")).payable == "12500.00"


async def test_a_sum_that_no_ledger_can_hold_is_refused(any_door, draft):
    huge = draft()
    huge["lines"][0]["price"] = "9" * 30
    answer = await any_door.post("/v1/invoices", huge)
    refused(answer, 422, "amount-not-exact")
    await any_door.nothing_kept()


async def test_figures_that_do_not_hold_together_are_refused(door, ehf):
    broken = ehf().replace(b">12500.00<", b">12501.00<")
    said = refused(await door.post("/v1/invoices?draft=true", broken), 422, "totals-wrong")
    assert said["details"]
    await door.nothing_kept()


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "'
    + b"x" * 1000
    + b'"><!ENTITY c "'
    + b"&b;" * 1000
    + b'">]><a>&c;</a>'
)
HOSTILE = {
    "entities": (BOMB, "xml-dtd"),
    "external": (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Invoice>&x;</Invoice>', "xml-dtd"),
    "outside": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><Invoice/>', "xml-dtd"),
    "deep": (b"<a>" * 100_000 + b"</a>" * 100_000, "xml-too-deep"),
    "encoding": (b'<?xml version="1.0" encoding="UTF-8"?><Invoice>\xe6\xf8\xe5</Invoice>', "xml-encoding"),
    "encoding unknown": (b'<?xml version="1.0" encoding="klingon"?><Invoice/>', "xml-encoding"),
    "cut off": (b"<Invoice><cbc:ID>", "xml-not-well-formed"),
    "not XML": (b'{"source_id": "a"}', "xml-not-well-formed"),
    "empty": (b"", "xml-empty"),
    "another document": (b"<Order xmlns='urn:x'/>", None),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_hostile_and_broken_xml_is_refused(door, case):
    body, code = HOSTILE[case]
    answer = await door.post("/v1/invoices", body)
    said = refused(answer, 422, code or answer.json()["code"])
    assert "passwd" not in answer.text
    assert said["do"]
    await door.nothing_kept()


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"\xff\xfe{", b"[" * 200_000, b'{"a":' * 5000 + b"1" + b"}" * 5000],
    ids=["cut off", "empty", "not UTF-8", "deep lists", "deep objects"],
)
@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/payments"])
async def test_what_is_no_json_is_refused(door, path, body):
    refused(await door.post(path, body, Content_Type=JSON), 400, "body-malformed")
    await door.nothing_kept()


@pytest.mark.parametrize("body", [b"[]", b"null", b'"a"', b"1"])
@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/payments"])
async def test_json_that_is_no_document_is_refused(door, path, body):
    answer = await door.post(path, body, Content_Type=JSON)
    refused(answer, 422, answer.json()["code"])


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/invoices", "text/csv"), ("/v1/invoices", ""), ("/v1/payments", "application/xml"), ("/v1/payments", "")],
)
async def test_other_media_types_are_refused(door, path, kind):
    refused(await door.post(path, b"x", Content_Type=kind), 415, "media-type")


@pytest.mark.parametrize("claims", [True, False])
async def test_a_body_beyond_the_limit_is_not_read_to_its_end(door, claims):
    read = 0

    async def endless() -> Any:
        nonlocal read
        for _ in range(64):
            read += 1 << 20
            yield b" " * (1 << 20)

    headers = {"Idempotency-Key": "k", "Content-Type": JSON}
    if claims:
        headers["Content-Length"] = str(64 << 20)
    refused(await door.client.post("/v1/payments", content=endless(), headers=headers), 413, "body-too-large")
    await door.nothing_kept()


# --- payments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", [{"source_id": "nobody"}, {"number": "999"}, {"kid": "0001100171"}, {"document_id": "0" * 32}]
)
async def test_a_payment_for_an_unknown_invoice_is_refused(door, payment, names):
    answer = await door.post("/v1/payments", payment(allocations=[{"document": names, "amount": "5000.00"}]))
    said = refused(answer, 422, "invoice-unknown")
    assert next(iter(names.values())) in said["detail"]
    await door.nothing_kept()


async def test_one_unknown_invoice_refuses_the_whole_payment(door, draft, payment):
    await door.post("/v1/invoices", draft())
    await door.work()
    both = [allocation("order-4711", "1.00"), allocation("nobody", "1.00")]
    refused(await door.post("/v1/payments", payment(allocations=both)), 422, "invoice-unknown")
    await door.work()
    assert (await door.document(kind="invoice")).open == "12500.00"
    assert (await door.get("/v1/documents", kind="payment"))["documents"] == []


async def test_a_payment_that_names_no_invoice_is_refused(door, payment):
    refused(await door.post("/v1/payments", payment(allocations=[])), 422, "invoice-unknown")


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0", "amount-not-positive"), ("-5.00", "amount-not-positive"), ("5000,00", "number-malformed")],
)
async def test_a_payment_is_more_than_nothing(door, payment, amount, code):
    refused(await door.post("/v1/payments", payment(amount=amount, allocations=[], kid="0001100171")), 422, code)


async def test_a_float_is_no_payment(door, payment):
    refused(await door.post("/v1/payments", payment(amount=5000.5)), 422, "float-refused")


async def test_more_allocated_than_paid_is_refused(door, payment):
    refused(await door.post("/v1/payments", payment(amount="1.00")), 422, "allocated-too-much")


async def test_bank_money_that_the_ledger_reads_is_not_told_by_others(door, draft, payment):
    await door.post("/v1/invoices", draft())
    await door.work()
    said = refused(await door.post("/v1/payments", payment(bank_account="86011117947")), 422, "bank-money-elsewhere")
    assert "`books`" in said["detail"]
    assert said["where"]["line"] > 0
    for account in ("12345678903", None):
        refused(await door.post("/v1/payments", payment(bank_account=account)), 422, "bank-money-unowned")
    await door.work()
    assert (await door.document(kind="invoice")).open == "12500.00"


async def test_a_payment_in_another_currency_waits_for_a_person(door, draft, payment):
    await door.post("/v1/invoices", draft())
    await door.work()
    answer = await door.post("/v1/payments", payment(currency="EUR"))
    assert answer.status_code == 202
    await door.work()
    waits = await door.get(answer.headers["location"])
    assert (waits["state"], waits["result"]["code"]) == ("waiting", "currency-differs")
    assert (await door.document(kind="invoice")).open == "12500.00"


async def test_more_goes_back_than_there_is_waits_for_a_person_and_is_rejected_by_one(door, draft, payment):
    await door.post("/v1/invoices", draft())
    await door.work()
    refund = payment(kind="refund", direction="out", allocations=[], customer={"number": "974760673"})
    answer = await door.post("/v1/payments", refund)
    await door.work()
    waits = await door.get(answer.headers["location"])
    assert (waits["state"], waits["result"]["code"]) == ("waiting", "refund-exceeds-credit")
    [item] = await door.get("/v1/attention")
    resolved = await door.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "cancel"})
    assert resolved.status_code == 204
    over = await door.get(answer.headers["location"])
    assert (over["state"], over["result"]["code"]) == ("rejected", "refund-exceeds-credit")
    assert await door.get("/v1/attention") == []
    assert (await door.document(kind="invoice")).open == "12500.00"
