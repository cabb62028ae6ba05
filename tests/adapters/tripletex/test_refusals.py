"""Every refusal in the table, by the sandbox's own answers: our code, the vendor's text beside it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.tripletex.refusals import TABLE, Refusal, refusal
from adapters.accounting.tripletex.sandbox import Sandbox
from connector.errors import NeedsPerson, Refused, Stop, VendorError
from connector.ports import Accounting

sys.path.append(str(Path(__file__).parent))
from tripletex_driving import credit_goal, customer_goal, invoice_goal, line, opened, payment_goal, reach, with_order


@pytest.fixture
async def system(box: Sandbox) -> AsyncIterator[Accounting]:
    system = opened(box)
    yield system
    await system.close()


Case = Callable[[Accounting, Sandbox, Any], Awaitable[Any]]
_OPEN = date(2026, 12, 31)


def client(system: Accounting) -> Any:
    return system._client  # type: ignore[attr-defined]


async def invoiced(system: Accounting) -> tuple[str, str]:
    customer = (await reach(system, customer_goal()))["read"].id
    return (await reach(system, invoice_goal(customer)))["read"].id, customer


def rows(bank: Any, other: Any, amount: int = 10, against: int = -10, **more: Any) -> dict[str, Any]:
    both = [(1, bank, amount), (2, other, against)]
    postings = [
        {"row": n, "account": account, "amountGross": value, "amountGrossCurrency": value} for n, account, value in both
    ]
    postings[1] |= more
    return {"date": "2027-01-20", "description": "Bilag", "postings": postings}


# --- each makes Tripletex refuse --------------------------------------------------------------------------------------


async def invoice_in_closed_term(system: Accounting, box: Sandbox, call: Any) -> None:
    customer = (await reach(system, customer_goal()))["read"].id
    box.books.rules.vat_closed_until = date(2027, 2, 28)
    await reach(system, invoice_goal(customer))


async def credit_in_closed_term(system: Accounting, box: Sandbox, call: Any) -> None:
    invoice, customer = await invoiced(system)
    box.books.rules.vat_closed_until = date(2027, 4, 30)
    await reach(system, credit_goal(invoice, customer, whole=True))


async def payment_closed_just_now(system: Accounting, box: Sandbox, call: Any) -> None:
    invoice, _ = await invoiced(system)
    await reach(system, payment_goal(invoice))
    box.books.closed_months.add((2027, 2))
    await reach(system, payment_goal(invoice, marker="m-2"))


async def voucher_closed(system: Accounting, box: Sandbox, call: Any) -> None:
    box.books.closed_months.add((2027, 1))
    body = rows(await call.account(1920), await call.account(7770))
    await client(system).write("POST", "/ledger/voucher", params={"sendToLedger": True}, json=body)


async def matching_closed(system: Accounting, box: Sandbox, call: Any) -> None:
    customer = (await reach(system, customer_goal()))["read"].id
    made = [
        await call.voucher((1500, amount, {"customer": {"id": int(customer)}, "currency": {"id": 5},
                                           "amountGrossCurrency": value}), (2050, -amount, {}))
        for amount, value in ((115, 10), (-100, -10))
    ]  # fmt: skip
    ids = [one["id"] for v in made for one in (await call("GET", f"/ledger/voucher/{v['id']}"))["postings"][:1]]
    box.books.closed_months.add((2027, 1))
    await client(system).call("PUT", "/ledger/posting/:closePostings", json=ids)


async def vat_type(system: Accounting, box: Sandbox, call: Any) -> None:
    body = rows(await call.account(1920), await call.account(3000), vatType={"id": 1})
    await client(system).write("POST", "/ledger/voucher", json=body)


async def inactive_customer(system: Accounting, box: Sandbox, call: Any) -> None:
    customer = (await reach(system, customer_goal()))["read"].id
    box.books.touch(box.books.things["customer"][int(customer)], isInactive=True)
    await reach(system, invoice_goal(customer))


async def inactive_customer_of_a_voucher(system: Accounting, box: Sandbox, call: Any) -> None:
    made = await call.customer(isInactive=True)
    body = rows(await call.account(1920), await call.account(1500), customer={"id": made["id"]})
    await client(system).write("POST", "/ledger/voucher", json=body)


async def inactive_account(system: Accounting, box: Sandbox, call: Any) -> None:
    fee = await call.account(7770)
    await call("PUT", f"/ledger/account/{fee['id']}", {"isInactive": True})
    await client(system).write("POST", "/ledger/voucher", json=rows(await call.account(1920), fee))


async def department_demanded(system: Accounting, box: Sandbox, call: Any) -> None:
    fee = await call.account(7770)
    await call("PUT", f"/ledger/account/{fee['id']}", {"requiresDepartment": True})
    await client(system).write("POST", "/ledger/voucher", json=rows(await call.account(1920), fee))


async def nobody(system: Accounting, box: Sandbox, call: Any) -> None:
    await reach(system, invoice_goal("4711"))


async def unbalanced(system: Accounting, box: Sandbox, call: Any) -> None:
    body = rows(await call.account(1920), await call.account(7770), against=-9)
    await client(system).write("POST", "/ledger/voucher", json=body)


async def order_number_taken(system: Accounting, box: Sandbox, call: Any) -> None:
    box.books.rules.unique_order_numbers = True
    customer = (await reach(system, customer_goal()))["read"].id
    await call.order(customer=int(customer), number="m-invoice-1")
    await reach(system, invoice_goal(customer))


async def product_number_taken(system: Accounting, box: Sandbox, call: Any) -> None:
    for _ in range(2):
        await client(system).write("POST", "/product", json={"name": "Vare", "number": "P1"})


async def no_credit_of_a_part(system: Accounting, box: Sandbox, call: Any) -> None:
    invoice, customer = await invoiced(system)
    box.books.rules.partial_credit = False
    await reach(system, credit_goal(invoice, customer))


async def credited_already(system: Accounting, box: Sandbox, call: Any) -> None:
    invoice, _ = await invoiced(system)
    for _ in range(2):
        await client(system).write("PUT", f"/invoice/{invoice}/:createCreditNote",
                                   params={"date": "2027-03-10", "sendToCustomer": False})  # fmt: skip


async def payment_of_nothing(system: Accounting, box: Sandbox, call: Any) -> None:
    invoice, _ = await invoiced(system)
    await client(system).write("PUT", f"/invoice/{invoice}/:payment",
                               params={"paymentDate": "2027-02-01", "paymentTypeId": await call.payment_type(),
                                       "paidAmount": 0})  # fmt: skip


async def kroner_for_an_invoice_in_euro(system: Accounting, box: Sandbox, call: Any) -> None:
    customer = (await reach(system, customer_goal()))["read"].id
    goal = invoice_goal(customer, net="1000.00", vat="0.00", gross="1000.00")
    goal = with_order(goal, currency={"code": "EUR"}, orderLines=[line("Eksport", 1, "1000.00", "52")])
    invoice = (await reach(system, goal))["read"].id
    await client(system).write("PUT", f"/invoice/{invoice}/:payment",
                               params={"paymentDate": "2027-02-01", "paymentTypeId": await call.payment_type(),
                                       "paidAmount": 100})  # fmt: skip


async def no_right_to_vouchers(system: Accounting, box: Sandbox, call: Any) -> None:
    body = rows(await call.account(1920), await call.account(7770))
    box.shrink("advanced_voucher")
    await client(system).write("POST", "/ledger/voucher", params={"sendToLedger": True}, json=body)


async def no_pilot_customer(system: Accounting, box: Sandbox, call: Any) -> None:
    await client(system).call("POST", "/incomingInvoice", params={"sendTo": "inbox"}, json={})


async def no_right_to_orders(system: Accounting, box: Sandbox, call: Any) -> None:
    customer = (await reach(system, customer_goal()))["read"].id
    box.shrink("sales")
    await reach(system, invoice_goal(customer))


async def too_many(system: Accounting, box: Sandbox, call: Any) -> None:
    box.result_limit = 1
    await client(system).every("/ledger/account", fields="id")


async def changed_meanwhile(system: Accounting, box: Sandbox, call: Any) -> None:
    made = await call.customer()
    await client(system).write("PUT", f"/customer/{made['id']}", json={"name": "X", "version": made["version"] + 7})


async def nonsense(system: Accounting, box: Sandbox, call: Any) -> None:
    await client(system).get(f"/customer/{(await call.customer())['id']}", fields="id,(")


async def not_there(system: Accounting, box: Sandbox, call: Any) -> None:
    await client(system).get("/customer/1", fields="id")


async def not_accepted(system: Accounting, box: Sandbox, call: Any) -> None:
    await client(system).write("POST", "/customer", json={"name": "X", "email": "nobody"})


CASES: dict[str, tuple[Case, str]] = {
    "invoice in a closed VAT term": (invoice_in_closed_term, "period-closed"),
    "credit note in a closed VAT term": (credit_in_closed_term, "period-closed"),
    "payment in a month closed just now": (payment_closed_just_now, "period-closed"),
    "voucher in a closed month": (voucher_closed, "period-closed"),
    "agio of a matching in a closed month": (matching_closed, "period-closed"),
    "VAT type": (vat_type, "vat-code-unknown"),
    "inactive customer": (inactive_customer, "customer-inactive"),
    "inactive customer of a voucher": (inactive_customer_of_a_voucher, "customer-inactive"),
    "inactive account": (inactive_account, "account-inactive"),
    "department demanded": (department_demanded, "dimension-refused"),
    "somebody who is not there": (nobody, "reference-unknown"),
    "voucher that does not balance": (unbalanced, "voucher-unbalanced"),
    "order number": (order_number_taken, "number-taken"),
    "product number": (product_number_taken, "number-taken"),
    "no credit note over a part": (no_credit_of_a_part, "credit-refused"),
    "credited already": (credited_already, "credited-already"),
    "payment of nothing": (payment_of_nothing, "payment-not-positive"),
    "kroner for euro": (kroner_for_an_invoice_in_euro, "currency-differs"),
    "right to vouchers": (no_right_to_vouchers, "right-missing"),
    "module": (no_pilot_customer, "module-missing"),
    "right to orders": (no_right_to_orders, "right-missing"),
    "too many rows": (too_many, "too-many-rows"),
    "revision": (changed_meanwhile, "revision-conflict"),
    "bad request": (nonsense, "vendor-bad-request"),
    "not found": (not_there, "vendor-not-found"),
    "anything else": (not_accepted, "vendor-validation"),
}
NOT_IN_THE_SANDBOX = ((409, 10000), (423, None), (409, None))
"""Statuses and codes that the vendor lists and its stand-in never answers with."""


@pytest.mark.parametrize("name", CASES)
async def test_a_refusal_becomes_our_code_with_the_vendors_text(
    system: Accounting, box: Sandbox, call: Any, name: str
) -> None:
    case, code = CASES[name]
    with pytest.raises(VendorError) as refused:
        await case(system, box, call)
    error = refused.value
    assert error.code == code
    assert isinstance(error, NeedsPerson if error.status == 403 else Refused)
    assert error.said_by_vendor
    assert error.said_by_vendor not in error.said, "ours are our own words"
    assert error.do
    assert set(error.as_json()) >= {"code", "message", "do", "vendor", "status"}


async def test_every_row_of_the_table_has_been_seen(box: Sandbox, call: Any, caplog: pytest.LogCaptureFixture) -> None:
    """No row is there that no refusal reaches: by the answers of all cases, as the log has them."""
    seen: set[Refusal] = set()
    for case, _ in CASES.values():
        async with Sandbox() as fresh:
            system = opened(fresh)
            caller = await type(call)(fresh).sign_in()
            caplog.clear()
            with pytest.raises(VendorError):
                await case(system, fresh, caller)
            for record in caplog.records:
                if record.name.endswith("tripletex.client") and record.args and len(record.args) == 5:
                    told, status, code, fields, _ = record.args  # type: ignore[misc]
                    if row := refusal(told, status, code, fields):  # type: ignore[arg-type]
                        seen.add(row)
            await caller.client.aclose()
            await system.close()
    missing = [row for row in TABLE if row not in seen and (row.status, row.code) not in NOT_IN_THE_SANDBOX]
    assert missing == []
    for status, code in NOT_IN_THE_SANDBOX:
        assert refusal("PUT /order/1", status, code, []) is not None


async def test_no_bank_account_number_is_found_out_by_reading(system: Accounting, box: Sandbox) -> None:
    """Its refusal has the same status, code and field as others, and its text decides nothing."""
    customer = (await reach(system, customer_goal()))["read"].id
    box.books.rules.bank_account = False
    with pytest.raises(Refused) as refused:
        await reach(system, invoice_goal(customer))
    assert refused.value.code == "bank-account-missing"
    assert "bankkontonummer" in str(refused.value.said_by_vendor)
    assert "1920" not in refused.value.said


async def test_an_unknown_vat_code_stops_before_anything_is_sent(system: Accounting, box: Sandbox) -> None:
    customer = (await reach(system, customer_goal()))["read"].id
    box.books.rules.vat_registered = False
    with pytest.raises(Stop) as stopped:
        await reach(system, invoice_goal(customer))
    assert stopped.value.code == "vat-code-unknown"
    assert box.state()["counts"].get("order", 0) == 0


@pytest.mark.parametrize(("amount", "more"), [("0", {}), ("-1", {}), ("5", {"deductions": [{"account": "7770",
                                                                                "amount": Decimal(5)}]})])  # fmt: skip
async def test_payments_that_are_none_are_refused_before_any_call(
    system: Accounting, box: Sandbox, amount: str, more: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        system.flow(payment_goal("1", amount, **more))
    assert list(box.requests) == []
    assert refused.value.code in ("payment-not-positive", "fee-exceeds-payment")
