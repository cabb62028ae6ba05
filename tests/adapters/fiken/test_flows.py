"""Every flow, with a fault at every one of its calls: each effect once, and everything that was asked for is there."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import Sandbox
from adapters.accounting.fiken.sandbox.entries import book, take_back
from connector.errors import ConnectorError, Refused, Stop
from connector.ports import Accounting, File, Goal, Kind, Proof, Run

sys.path.append(str(Path(__file__).parent))
from fiken_driving import (
    LINES,
    PAGE,
    account_goal,
    credit_goal,
    customer_goal,
    external_goal,
    invoice_goal,
    line,
    opened,
    payment_goal,
    reach,
    totals,
)

Given = tuple[Goal, Callable[[], Any]]


async def a_customer(system: Accounting, box: Sandbox) -> str:
    return (await reach(system, customer_goal()))["read"].id


async def an_invoice(system: Accounting, box: Sandbox) -> tuple[str, str]:
    customer = await a_customer(system, box)
    return customer, (await reach(system, invoice_goal(customer)))["read"].id


def count(box: Sandbox, *types: str) -> Callable[[], list[int]]:
    return lambda: [len(list(box.books.all(type))) for type in types]


async def given_customer(system: Accounting, box: Sandbox) -> Given:
    return customer_goal(), count(box, "contact")


async def given_person(system: Accounting, box: Sandbox) -> Given:
    return customer_goal(organizationNumber=None, name="Kari", email="kari@example.no"), count(box, "contact")


async def given_change(system: Accounting, box: Sandbox) -> Given:
    id = await a_customer(system, box)
    goal = Goal(Kind.CUSTOMER, "update", "m-2", {"email": "post@kjoper.no"}, target=id)
    return goal, lambda: [one["email"] for one in box.books.all("contact")]


async def given_product(system: Accounting, box: Sandbox) -> Given:
    record = {"name": "Rådgivning", "productNumber": "RAD", "unitPrice": 102000, "incomeAccount": "3000",
              "vatType": "HIGH", "active": True}  # fmt: skip
    return Goal(Kind.PRODUCT, "create", "m-3", record), count(box, "product")


async def given_project(system: Accounting, box: Sandbox) -> Given:
    return Goal(Kind.PROJECT, "create", "m-4", {"name": "Ombygging", "number": "P1"}), count(box, "project")


async def given_invoice(system: Accounting, box: Sandbox) -> Given:
    files = (File("timer.pdf", "application/pdf", PAGE), File("kart.png", "image/png", b"\x89PNG"))
    goal = replace(invoice_goal(await a_customer(system, box)), files=files)
    return goal, lambda: [*count(box, "invoice", "draft")(), len(box.books.vouchers)]


async def given_part(system: Accounting, box: Sandbox) -> Given:
    goal = credit_goal(*await an_invoice(system, box))
    return goal, lambda: [*count(box, "creditNote", "creditNoteDraft")(), len(box.books.vouchers)]


async def given_whole(system: Accounting, box: Sandbox) -> Given:
    goal = credit_goal(*await an_invoice(system, box), whole=True)
    return goal, lambda: [*count(box, "creditNote", "creditNoteDraft")(), box.books.balance("1500")]


async def given_external(system: Accounting, box: Sandbox) -> Given:
    goal = external_goal(await a_customer(system, box))
    return goal, lambda: [*count(box, "sale")(), len(box.books.vouchers), *map(files_of, box.books.all("sale"))]


def files_of(thing: dict[str, Any]) -> int:
    return len(thing.get("_files", ()))


async def given_payment(system: Accounting, box: Sandbox) -> Given:
    _, invoice = await an_invoice(system, box)
    return payment_goal(invoice), lambda: [*count(box, "payment")(), box.books.balance("1500")]


def on_account(**more: Any) -> Callable[[Accounting, Sandbox], Awaitable[Given]]:
    async def given(system: Accounting, box: Sandbox) -> Given:
        goal, entries = account_goal(await a_customer(system, box), **more), count(box, "journalEntry")
        return goal, lambda: [*entries(), box.books.balance("1500:10001")]

    return given


FLOWS: dict[str, tuple[Callable[[Accounting, Sandbox], Awaitable[Given]], list[Any]]] = {
    "customer": (given_customer, [1]),
    "person": (given_person, [1]),
    "change": (given_change, ["post@kjoper.no"]),
    "product": (given_product, [1]),
    "project": (given_project, [1]),
    "invoice": (given_invoice, [1, 0, 1]),
    "part": (given_part, [1, 0, 2]),
    "whole": (given_whole, [1, 0, 0]),
    "external": (given_external, [1, 1, 1]),
    "payment": (given_payment, [1, 750000]),
    "on account": (on_account(), [1, -437500]),
    "refund": (on_account(isRefund=True), [1, 437500]),
}


@pytest.mark.parametrize("kind", ["no-answer", "no-answer-before", "500-after", "500-before", "429"])
@pytest.mark.parametrize("flow", FLOWS)
async def test_each_effect_once_whichever_call_fails(flow: str, kind: str) -> None:
    given, wanted = FLOWS[flow]
    call, calls = 0, 1
    while call < calls:
        async with Sandbox(rounding="document") as box:
            system = opened(box)
            goal, result = await given(system, box)
            before = len(box.requests)
            box.fault("", kind, after=call)
            proofs = await reach(system, goal)
            assert result() == wanted, f"{kind} at call {call}"
            assert proofs["read"].record is not None
            assert box.books.outbox == []
            calls = max(calls, len(box.requests) - before - 1) if call else len(box.requests) - before
            await system.close()
        call += 1
    assert call > 2


async def test_the_same_marker_makes_the_same_uuid_and_another_one_another(box: Sandbox) -> None:
    system = opened(box)
    customer = await a_customer(system, box)
    for marker in ("a", "b"):
        await reach(system, invoice_goal(customer, marker))
    first, second = box.books.all("invoice")
    assert first["invoiceDraftUuid"] != second["invoiceDraftUuid"]
    again = opened(box)
    step = again.flow(invoice_goal(customer, "a"))[1]
    assert step.look is not None
    assert [one.id for one in await step.look(Run(invoice_goal(customer, "a"), {}))] == [str(first["_id"])]


@pytest.mark.parametrize("given", ["paid elsewhere", "too much"])
async def test_no_more_is_paid_than_is_open(box: Sandbox, given: str) -> None:
    system = opened(box)
    _, invoice = await an_invoice(system, box)
    amount = 1250001
    if given == "paid elsewhere":
        await reach(system, payment_goal(invoice, 1250000, "m-1"))
        amount = 1
    with pytest.raises(Stop) as stop:
        await reach(system, payment_goal(invoice, amount, "m-2"))
    assert stop.value.code == "exceeds-open-amount"


async def test_money_on_account_is_read_by_its_entry_until_that_is_taken_back(box: Sandbox) -> None:
    system = opened(box)
    customer = await a_customer(system, box)
    proof = (await reach(system, account_goal(customer)))["read"]
    assert proof.record is not None
    assert (proof.record.body["amount"], proof.record.customer) == (437500, customer)
    assert await system.read(Kind.PAYMENT, proof.id) == proof.record
    (whole,) = box.books.all("transaction")
    take_back(box.books, whole)
    assert await system.read(Kind.PAYMENT, proof.id) is None


async def test_of_money_that_a_person_has_booked_the_entry_is_named(box: Sandbox) -> None:
    system = opened(box)
    customer = await a_customer(system, box)
    entry = {"description": "Forskudd", "date": "2027-03-15",
             "lines": [{"amount": 437500, "debitAccount": "1920:10001", "creditAccount": "1500:10001"}]}  # fmt: skip
    book(box.books, "Forskudd", [entry])
    (there,) = box.books.all("journalEntry")
    for goal, fits in ((account_goal(customer), True), (account_goal(customer, amount=1), False)):
        read = system.flow(goal)[-1]
        run = Run(goal, {"payment": Proof(str(there["_id"]))})
        if fits:
            assert (await read.call(run)).id == f"journal/{there['_id']}"
        else:
            with pytest.raises(Stop, match="not the money"):
                await read.call(run)


async def test_a_supplier_becomes_a_customer_too(box: Sandbox) -> None:
    there = box.books.add_contact({"name": "Kjøper AS", "organizationNumber": "974760673", "supplier": True})
    proof = (await reach(opened(box), customer_goal()))["customer"]
    assert (proof.id, proof.facts["found"]) == (str(there["_id"]), True)
    assert (there["customer"], there["supplier"], there["organizationNumber"]) == (True, True, "974760673")


async def test_a_change_keeps_what_it_does_not_speak_of(box: Sandbox) -> None:
    system = opened(box)
    id = await a_customer(system, box)
    there = box.books.find("contact", id)
    person = {"name": "Kari", "email": "kari@kjoper.no", "phoneNumber": "22222222", "address": {"country": "Norge"}}
    there |= {"discount": Decimal("2.5"), "groups": ["A"], "language": "ENGLISH", "phoneNumber": "55555555",
              "contactPerson": [{"contactPersonId": 7, **person}]}  # fmt: skip
    await reach(system, Goal(Kind.CUSTOMER, "update", "m", {"address": {"city": "Bergen"}}, target=id))
    assert there["address"] == {"streetAddress": "Gata 1", "postCode": "0150", "city": "Bergen", "country": "Norge"}
    assert (there["discount"], there["groups"], there["language"]) == (Decimal("2.5"), ["A"], "ENGLISH")
    assert (there["contactPerson"], there["phoneNumber"]) == ([person], "55555555")
    assert (there["memberNumberString"], there["customer"]) == ("m-customer-1", True)


async def test_a_changed_product_keeps_its_stock(box: Sandbox) -> None:
    system = opened(box)
    id = (await reach(system, (await given_product(system, box))[0]))["read"].id
    there = box.books.find("product", id)
    there["stock"] = Decimal("5.5")
    await reach(system, Goal(Kind.PRODUCT, "update", "m", {"name": "Veiledning"}, target=id))
    assert (there["name"], there["stock"], there["productNumber"]) == ("Veiledning", Decimal("5.5"), "RAD")


async def test_what_somebody_changed_meanwhile_is_not_written_over(box: Sandbox) -> None:
    system = opened(box)
    id = await a_customer(system, box)
    seen = (await system.read(Kind.CUSTOMER, id)).body  # type: ignore[union-attr]
    box.books.touch(box.books.find("contact", id), email="theirs@example.no")
    goal = Goal(Kind.CUSTOMER, "update", "m", {"email": "ours@example.no"}, target=id, seen=seen)
    assert (await reach(system, goal))["customer"].facts == {"moved": True}
    assert box.books.find("contact", id)["email"] == "theirs@example.no"


# --- what is refused, and as what -------------------------------------------------------------------------------------


async def refusal(box: Sandbox, goal: Goal) -> ConnectorError:
    with pytest.raises(ConnectorError) as refused:
        await reach(opened(box), goal)
    return refused.value


async def test_refusals_turn_into_codes_with_fikens_words_beside_them(box: Sandbox) -> None:
    system = opened(box)
    customer = await a_customer(system, box)
    project = box.books.add("project", number="P1", name="Ombygging", completed=True)

    box.books.rules.closed_until = "2027-01-31"
    error = await refusal(box, invoice_goal(customer, "m-closed"))
    assert (error.code, "låst" in str(error.said_by_vendor)) == ("period-closed", True)  # type: ignore[attr-defined]
    box.books.rules.closed_until = ""

    error = await refusal(box, invoice_goal(customer, "m-project", project={"projectId": project["_id"]}))
    assert error.code == "project-inactive"

    lines = [line("Eksport", 1, 1000, "EXEMPT", "3110")]
    error = await refusal(box, replace(invoice_goal(customer, "m-a", lines=lines), totals=totals("10", "0")))
    assert (error.code, error.where["account"]) == ("account-unknown", "3110")

    box.books.find("contact", customer)["inactive"] = True
    assert (await refusal(box, invoice_goal(customer, "m-inactive"))).code == "customer-inactive"
    assert list(box.books.all("invoice")) == []


async def test_a_draft_that_somebody_has_thrown_away_is_not_made_again(box: Sandbox) -> None:
    """Nor one of which somebody has made the invoice himself: that is the invoice."""
    system = opened(box)
    customer = await a_customer(system, box)
    for marker, thrown in (("m-thrown", True), ("m-made", False)):
        goal = invoice_goal(customer, marker)
        draft, create, _ = system.flow(goal)
        run = Run(goal, {"draft": await draft.call(Run(goal, {}))})
        there = box.books.find("draft", run.proofs["draft"].id)
        if not thrown:
            made = box.books.invoice(there)
        box.books.remove("draft", there["_id"])
        if thrown:
            with pytest.raises(Refused) as refused:
                await create.call(run)
            assert (refused.value.code, refused.value.where) == ("draft-gone", {"draft": str(there["_id"])})
            assert list(box.books.all("invoice")) == []
        else:
            assert (await create.call(run)).id == str(made["_id"])
    assert len(list(box.books.all("invoice"))) == 1


async def test_without_a_bank_account_nothing_is_drafted(box: Sandbox) -> None:
    customer = await a_customer(opened(box), box)
    for one in box.books.all("bankAccount"):
        one["inactive"] = True
    assert (await refusal(box, invoice_goal(customer))).code == "bank-account-missing"
    assert list(box.books.all("draft")) == []


async def test_with_several_bank_accounts_none_is_chosen(box: Sandbox) -> None:
    customer = await a_customer(opened(box), box)
    for setting, goal, code in (
        ("invoice_account", invoice_goal(customer), "bank-account-missing"),
        ("payment_account", None, "payment-account-missing"),
    ):
        goal = goal or payment_goal((await reach(opened(box), invoice_goal(customer)))["read"].id)
        with pytest.raises(Stop) as stop:
            await reach(opened(box, **{setting: None}), goal)
        assert stop.value.code == code
        assert {one["number"] for one in stop.value.details["accounts"]} == {"86011117947", "15032080119"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"dueDate": "2027-01-01"}, "due-before-invoice"),
        ({"issueDate": None}, "date-missing"),
        ({"issueDate": "15.01.2027"}, "date-malformed"),
        ({"lines": []}, "lines-missing"),
        ({"lines": [{**LINES[0], "description": "x" * 201}]}, "text-too-long"),
        ({"invoiceText": "x" * 501}, "text-too-long"),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(change: dict[str, Any], code: str) -> None:
    box = Sandbox()
    goal = invoice_goal("1", **change)
    with pytest.raises(Refused) as refused:
        opened(box).flow(goal)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (File("a.xml", "application/xml", b"<a/>"), "attachment-type"),
        (File("a.pdf", "application/pdf", b""), "attachment-empty"),
        (File("a.pdf", "application/pdf", b"x" * (1024 * 1024 + 1)), "attachment-too-large"),
    ],
)
def test_files_that_fiken_does_not_take(file: File, code: str) -> None:
    goal = replace(invoice_goal("1"), files=(file,))
    with pytest.raises(Refused) as refused:
        opened(Sandbox(), attachment_mb=1).flow(goal)
    assert refused.value.code == code


async def test_a_sale_with_a_number_that_is_taken_waits(box: Sandbox) -> None:
    system = opened(box)
    customer = await a_customer(system, box)
    await reach(system, external_goal(customer))
    error = await refusal(box, external_goal(customer, "m-other", date="2027-01-16"))
    assert error.code == "number-taken"
    assert len(list(box.books.all("sale"))) == 1


async def test_an_invoice_issued_elsewhere_in_euro(box: Sandbox) -> None:
    system = opened(box)
    customer = await a_customer(system, box)
    line = {"description": "Eksport", "netPrice": 100000, "vatType": "EXEMPT_IMPORT_EXPORT", "account": "3100"}
    goal = external_goal(customer, currency="EUR", lines=[line], vat=[])
    goal = replace(goal, totals=replace(totals("1000", "0"), currency="EUR"))
    box.fault("POST .*/sales$", "no-answer")
    record = (await reach(system, goal))["read"].record
    assert record is not None
    assert (record.open_amount, record.body["lines"][0]["netPrice"]) == (1000, 100000)
    assert box.books.balance("1500") == 1152000
    assert len(list(box.books.all("sale"))) == 1


async def test_an_allowance_of_an_invoice_issued_elsewhere_is_a_line_below_zero(box: Sandbox) -> None:
    customer = await a_customer(opened(box), box)
    taken = {"description": "Rabatt", "netPrice": 16000, "vatType": "HIGH", "account": "3000", "isCharge": False}
    goal = external_goal(customer, adjustments=[taken],
                         vat=[{"vatInPercent": 25, "vat": 200000}, {"vatInPercent": 15, "vat": 30000}])  # fmt: skip
    await reach(opened(box), replace(goal, totals=totals("10000", "2300")))
    assert (box.books.balance("3000"), box.books.balance("2700")) == (-1000000, -200000)


async def test_vat_that_no_rounding_explains_is_not_spread(box: Sandbox) -> None:
    customer = await a_customer(opened(box), box)
    stated = [{"vatInPercent": 25, "vat": 204100}, {"vatInPercent": 15, "vat": 29900}]
    assert (await refusal(box, external_goal(customer, vat=stated))).code == "vat-differs"
    assert box.books.vouchers == []
