"""Everything that is wrong is known before it is posted, and what preflight lets pass is issued."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from adapters.accounting.tripletex.sandbox import EMPLOYEE_TOKEN
from connector.api.examples import INVOICE_DRAFT
from connector.ehf import read, write
from connector.model import Draft, Invoice, compose

LINE = INVOICE_DRAFT["lines"][0]
SOUND: dict[str, Any] = copy.deepcopy(INVOICE_DRAFT) | {
    "delivery": {"day": "2027-01-14", "address": {"city": "Oslo", "country": "NO"}}
}


def draft(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(SOUND) | changes


async def looked(fjord: Any) -> None:
    await fjord.house.options(fjord.house.spokes()[0], refresh=True, alone=True)


async def report(fjord: Any, body: Any, **asked: Any) -> dict[str, Any]:
    kind = "application/xml" if isinstance(body, bytes) else "application/json"
    how = {"content": body} if isinstance(body, bytes) else {"json": body}
    headers = {"Content-Type": kind}
    answer = await fjord.client.post("/v1/preflight", params={"wait": 0, **asked}, headers=headers, **how)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def problems(fjord: Any, body: Any, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await report(fjord, body, **asked))["documents"][0]["problems"]
    return found


def short(found: list[dict[str, Any]], *, only: str = "error") -> set[tuple[str, str]]:
    return {
        (one["code"], one["place"].get("pointer") or one["place"].get("xpath", ""))
        for one in found
        if one["severity"] == only
    }


async def kept(fjord: Any) -> tuple[Any, ...]:
    """What the store holds of documents, and what the books hold."""

    def count(tx: Any) -> tuple[int, ...]:
        names = ("documents", "arrivals", "operations", "events", "links", "attempts", "attention")
        return tuple(tx.conn.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in names)

    return (await fjord.house.store.read(count), fjord.box.state()["counts"])


async def test_what_it_lets_pass_is_issued(fjord: Any) -> None:
    await looked(fjord)
    before = await kept(fjord)
    said = await report(fjord, SOUND)
    assert said["documents"][0]["problems"] == []
    assert said["fine"] is True
    assert await kept(fjord) == before, "preflight wrote something"
    await fjord.post("/v1/invoices", SOUND)
    await fjord.work()
    assert fjord.box.state()["counts"]["invoice"] == 1
    assert short(await problems(fjord, SOUND), only="warning") == {("document-here", "/source_id")}
    other = draft(lines=[LINE])
    assert short(await problems(fjord, other)) == {("document-exists", "/source_id")}


async def test_all_problems_of_a_document_at_once(founded: Any) -> None:
    async with founded(closed_until=date(2027, 1, 31)) as fjord:
        fjord.box.books.add("department", name="Salg", departmentNumber="10", isInactive=False)
        await looked(fjord)
        wrong = draft(
            dimensions={"department": "1O"},
            payee={"name": "Factoring AS"},
            payment_means=[{"code": "30", "payment_id": "0000100173", "account": {"id": "86011117948"}}],
            buyer={"name": "Eksempel AS"},
            currency="GBP",
            lines=[LINE, LINE | {"id": "2", "vat_code": "88"}, LINE | {"id": "3", "vat_code": "3", "vat_rate": "15"}],
        )
        found = await problems(fjord, wrong)
        assert short(found) >= {
            ("department-unknown", "/dimensions/department"),
            ("not-expressible", "/payee"),
            ("NO-BOK-17", "/payment_means/0/payment_id"),
            ("NO-BOK-18", "/payment_means/0/account/id"),
            ("NO-BOK-06", "/buyer/address"),
            ("currency-unknown", "/currency"),
            ("code-not-in-table", "/lines/1/vat_code"),
            ("vat-rate-differs", "/lines/2/vat_rate"),
            ("period-closed", "/issue_date"),
        }
        assert ("receiver-unknown", "/buyer") in short(found, only="warning")
        for one in found:
            assert one["message"]["nb"], one
            assert one["message"]["en"], one
        [unknown] = [one for one in found if one["code"] == "department-unknown"]
        assert "10 Salg" in unknown["message"]["en"]
        assert "10 Salg" in unknown["message"]["nb"]
        [closed] = [one for one in found if one["code"] == "period-closed"]
        assert "2027-02-01" in closed["fix"]["en"]


async def test_the_form_is_wrong_in_many_places(fjord: Any) -> None:
    await looked(fjord)
    wrong = draft(issue_date="15.01.2027", nonsense=1, lines=[LINE | {"price": 10.5}, {"name": "x"}])
    found = await problems(fjord, wrong)
    assert short(found) >= {
        ("date-malformed", "/issue_date"),
        ("extra-forbidden", "/nonsense"),
        ("float-refused", "/lines/0/price"),
        ("missing", "/lines/1/id"),
    }
    said = await report(fjord, {"documents": [{"document": wrong}, {"document": SOUND}]})
    assert [one["usable"] for one in said["documents"]] == [False, True]


async def test_stated_totals_that_do_not_hold(fjord: Any) -> None:
    await looked(fjord)
    whole = compose(Draft.model_validate(SOUND)).model_dump(mode="json")
    whole["totals"]["payable"] = "1.00"
    found = await problems(fjord, whole)
    [wrong] = [one for one in found if one["code"] == "BR-CO-16"]
    assert wrong["place"] == {"pointer": "/totals/payable", "term": "BT-115"}
    assert wrong["values"]["expected"] == "12500.00"


async def test_an_ehf_is_judged_officially_and_its_places_are_xpaths(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        await looked(fjord)
        sound = write(compose(Draft.model_validate(draft(number="1001", source_id=None))))
        assert short(await problems(fjord, sound)) == set()
        changed = re.sub(rb"(<cbc:PayableAmount[^>]*>)[^<]*", rb"\g<1>9.00", sound)
        changed = changed.replace(b"<cbc:BuyerReference>Kari Nordmann</cbc:BuyerReference>", b"")
        changed = changed.replace(b"<cbc:ActualDeliveryDate>2027-01-14</cbc:ActualDeliveryDate>", b"")
        found = await problems(fjord, changed, system="books")
        assert {
            ("BR-CO-16", "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"),
            ("PEPPOL-EN16931-R003", "/Invoice"),
        } <= short(found)
        [late] = [one for one in found if one["code"] == "NO-BOK-08"]
        assert late["place"] == {"xpath": "/Invoice/cac:Delivery/cbc:ActualDeliveryDate", "term": "BT-72"}
        assert late["source_field"] == "order.deliveryDate"
        assert late["law"].startswith("bff § 5-1-1")
        [total] = [one for one in found if one["code"] == "BR-CO-16"]
        assert total["place"]["line"]
        broken = await report(fjord, b"<Invoice")
        assert broken["documents"][0]["usable"] is False


async def test_accounts_of_what_was_issued_elsewhere(founded: Any) -> None:
    async with founded(issues="source", mapping="{tables: {income-account: {rows: {'31': 3055}}}}") as fjord:
        account = next(one for one in fjord.box.books.all("account") if one["number"] == 3000)
        fjord.box.books.touch(account, requiresDepartment=True)
        await looked(fjord)
        found = await problems(fjord, draft(number="1001"))
        assert short(found) == {
            ("account-unknown", "/lines/1/vat_code"),
            ("dimension-required", "/lines/0/dimensions/department"),
        }
        await fjord.post("/v1/invoices", draft(number="1001"))
        await fjord.work()
        assert fjord.box.state()["counts"].get("voucher", 0) == 0, "what preflight refused was booked"


@pytest.mark.parametrize(
    ("rules", "code"),
    [({"vat_registered": False}, "vat-code-unknown"), ({"bank_account": False}, "bank-account-missing")],
)
async def test_what_the_company_lacks_is_what_the_ledger_refuses(
    founded: Any, rules: dict[str, Any], code: str
) -> None:
    async with founded(**rules) as fjord:
        await looked(fjord)
        codes = {one["code"] for one in await problems(fjord, SOUND)}
        assert code in codes
        await fjord.post("/v1/invoices", SOUND)
        await fjord.work()
        [item] = await fjord.get("/v1/attention")
        assert item["code"] in codes, "the ledger refused it for another reason"


@pytest.mark.parametrize(
    ("change", "prepare"),
    [
        ({"dimensions": {"department": "99"}}, None),
        ({"payee": {"name": "Factoring AS"}}, None),
        ({"lines": [LINE | {"vat_code": "88"}]}, None),
        ({"currency": "GBP"}, None),
        ({}, lambda box: setattr(box.books.rules, "closed_until", date(2027, 1, 31))),
    ],
    ids=["department", "payee", "vat code", "currency", "period"],
)
async def test_the_push_ends_with_a_code_that_was_foretold(
    fjord: Any, change: dict[str, Any], prepare: Callable[[Any], None] | None
) -> None:
    if prepare:
        prepare(fjord.box)
    await looked(fjord)
    said = draft(**change)
    foretold = {code for code, _ in short(await problems(fjord, said))}
    assert foretold
    await fjord.post("/v1/invoices", said)
    await fjord.work()
    items = await fjord.get("/v1/attention")
    assert items
    assert {item["code"] for item in items} <= foretold


async def test_routes_and_numbers(fjord: Any) -> None:
    await looked(fjord)
    assert ("numbered-document", "/number") in short(await problems(fjord, draft(number="7")))
    assert short(await problems(fjord, draft(number="7"), draft="true")) == set()
    without = draft(source_id=None)
    assert ("document-without-identity", "/source_id") in short(await problems(fjord, without))
    answer = await fjord.client.post("/v1/preflight", params={"route": "none"}, json=SOUND)
    assert answer.json()["code"] == "route-unclear"


async def test_credit_notes_over_what_is_here_and_what_is_not(fjord: Any) -> None:
    await fjord.post("/v1/invoices", SOUND)
    await fjord.work()
    await looked(fjord)
    note = draft(source_id="credit-1", kind="credit_note", preceding_invoices=[{"source_id": "order-4711"}])
    note.pop("due_date")
    assert short(await problems(fjord, note)) == set()
    unknown = note | {"preceding_invoices": [{"number": "99999"}]}
    assert short(await problems(fjord, unknown)) == {("credited-invoice-unknown", "/preceding_invoices")}
    much = note | {"lines": [LINE | {"quantity": "80"}]}
    assert "credit-exceeds-remaining" in {code for code, _ in short(await problems(fjord, much))}
    none = {name: value for name, value in note.items() if name != "preceding_invoices"}
    assert ("NO-BOK-16", "/preceding_invoices") in short(await problems(fjord, none))
    new = draft(source_id="order-5000")
    later = note | {"source_id": "credit-2", "preceding_invoices": [{"source_id": "order-5000"}]}
    both = await report(fjord, {"documents": [{"name": "a", "document": new}, {"name": "b", "document": later}]})
    assert short(both["documents"][1]["problems"]) == set()
    assert ("credited-later", "/preceding_invoices/0") in short(both["documents"][1]["problems"], only="warning")


async def test_an_advance_without_credit_and_a_credit_note_that_is_here(fjord: Any) -> None:
    await looked(fjord)
    assert short(await problems(fjord, draft(prepaid="100.00"))) == {("prepaid-without-credit", "/totals/prepaid")}
    await fjord.post("/v1/invoices", SOUND)
    await fjord.work()
    note = draft(source_id="credit-1", kind="credit_note", preceding_invoices=[{"source_id": "order-4711"}])
    note.pop("due_date")
    await fjord.post("/v1/invoices", note)
    await fjord.work()
    found = await problems(fjord, note)
    assert short(found) == set(), "its own credit was counted twice"
    assert ("document-here", "/source_id") in short(found, only="warning")
    assert short(await problems(fjord, note | {"lines": [LINE]})) == {("document-exists", "/source_id")}


async def test_many_documents_of_both_forms_and_one_twice(founded: Any) -> None:
    async with founded(issues="source") as fjord:
        await looked(fjord)
        xml = write(compose(Draft.model_validate(draft(number="1001", source_id=None))))
        many = [
            {"name": "a.xml", "ehf": base64.b64encode(xml).decode()},
            {"name": "b.json", "document": draft(number="1002", source_id="b")},
            {"name": "c.xml", "ehf": base64.b64encode(xml).decode()},
        ]
        said = await report(fjord, {"documents": many})
        assert [one["fine"] for one in said["documents"]] == [True, True, False]
        [twice] = said["documents"][2]["problems"]
        assert twice["code"] == "document-twice"
        assert twice["values"]["other"] == "a.xml"
        assert isinstance(read(xml), Invoice)
        assert said["series"] == []
        many[1]["document"] = draft(number="1004", source_id="b")
        [gap] = (await report(fjord, {"documents": many}))["series"]
        assert gap["values"]["missing"] == "1002, 1003"
        await fjord.post("/v1/invoices", draft(number="1002", source_id="c"))
        [gap] = (await report(fjord, {"documents": many}))["series"]
        assert gap["values"]["missing"] == "1003"


async def test_without_the_ledgers_answer_the_rest_is_checked(fjord: Any) -> None:
    said = await report(fjord, draft(payee={"name": "Factoring AS"}, lines=[LINE | {"vat_code": "88"}]))
    [connection] = said["connections"]
    assert connection["read"] is None
    assert [one["code"] for one in connection["problems"]] == ["options-unread"]
    assert {code for code, _ in short(said["documents"][0]["problems"])} == {"not-expressible", "code-not-in-table"}


async def test_rights_that_are_missing_are_told_once_for_all(founded: Any) -> None:
    async with founded(without_right="403") as fjord:
        fjord.box.access[EMPLOYEE_TOKEN].shrink(["sales"])
        await looked(fjord)
        said = await report(fjord, {"documents": [{"document": SOUND}, {"document": draft(source_id="2")}]})
        assert said["fine"] is False
        assert {one["code"] for one in said["connections"][0]["problems"]} == {"right-missing"}
        assert all(one["fine"] for one in said["documents"])


async def test_the_receiver_is_told_as_the_document_says_and_not_looked_up(fjord: Any) -> None:
    await looked(fjord)
    [one] = (await report(fjord, SOUND))["documents"]
    assert one["receiver"] == {
        "name": "Eksempel AS",
        "organisation_number": "974760673",
        "endpoint": "0192:974760673",
        "country": "NO",
        "looked_up": False,
    }


async def test_a_body_that_is_none(fjord: Any) -> None:
    for body in ({"documents": 1}, {"documents": [{}]}, {"documents": [{"ehf": "?", "name": "a"}]}):
        answer = await fjord.client.post("/v1/preflight", json=body)
        assert answer.json()["code"] == "body-malformed", answer.text
    answer = await fjord.client.post("/v1/preflight", content=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
