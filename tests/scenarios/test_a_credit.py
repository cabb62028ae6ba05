"""Scenario A, step 4, and what belongs to it: credit of a customer, refunds, advances, what is taken back."""

from __future__ import annotations

import importlib.util
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.store import connections

_path = Path(__file__).with_name("test_a_domestic_invoice.py")
_spec = importlib.util.spec_from_file_location("scenario_a", _path)
assert _spec is not None
assert _spec.loader is not None
a = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(a)

kroner, sold, balance = a.kroner, a.sold, a.balance
BUYER = {"number": a.BUYER["legal_id"]["value"]}


def money(source_id: str, amount: str, document: Any | None, **more: Any) -> dict[str, Any]:
    said = {"source_id": source_id, "direction": "in", "date": "2027-03-12", "amount": str(kroner(amount)),
            "currency": "NOK", "bank_account": a.OWN_ACCOUNT}  # fmt: skip
    if document is not None:
        said["allocations"] = [{"document": {"document_id": document.id}, "amount": str(kroner(amount))}]
    return said | more


async def paid(fjord: Any, *args: Any, **more: Any) -> Any:
    answer = await fjord.post("/v1/payments", money(*args, **more))
    assert answer.status_code == 202, answer.text
    return answer


async def opened(fjord: Any, **by: str) -> Decimal:
    return Decimal((await fjord.document(**by)).open)


async def test_4_beyond_what_is_open_is_credit_and_goes_back(hub: Any) -> None:
    document = await posted(hub)
    for number, amount in enumerate(("5 000,00", "7 500,00", "4 375,00"), 1):
        await paid(hub, f"bank-{number}", amount, document)
    assert (await hub.document(kind="invoice")).state == "paid"
    assert await opened(hub, kind="invoice") == 0
    assert await opened(hub, source_id="bank-3") == kroner("4 375,00")
    await paid(hub, "bank-4", "4 375,00", None, kind="refund", direction="out", customer=BUYER)
    assert await opened(hub, source_id="bank-3") == 0
    assert await hub.get("/v1/attention") == []
    kinds = [kind for kind in await hub.events() if kind.startswith(("payment.", "credit."))]
    assert kinds == ["payment.received", "payment.received", "credit.received", "payment.refunded"]


async def test_what_is_taken_back_is_open_again_once(hub: Any) -> None:
    document = await posted(hub)
    await paid(hub, "bank-1", "12 500,00", document)
    reversal = {"source_id": "back-1", "of": "payment", "of_id": "bank-1", "date": "2027-03-13"}
    for _ in range(2):
        answer = await hub.post("/v1/reversals", reversal)
        assert answer.status_code == 202, answer.text
    assert await opened(hub, kind="invoice") == kroner("12 500,00")
    assert (await hub.document(kind="invoice")).state == "accepted"
    assert (await hub.document(kind="payment")).state == "reversed"
    assert (await hub.events()).count("payment.reversed") == 1
    await hub.post("/v1/reversals", reversal | {"source_id": "back-2"})
    await hub.work()
    [item] = await hub.get("/v1/attention")
    assert item["code"] == "reversed-already"
    assert await opened(hub, kind="invoice") == kroner("12 500,00")
    of_reversal = await hub.post("/v1/reversals", reversal | {"source_id": "back-3", "of_id": "back-1"})
    assert (of_reversal.status_code, of_reversal.json()["code"]) == (422, "fact-unknown")


async def test_credit_that_was_used_is_not_taken_back_before_its_use(hub: Any) -> None:
    await posted(hub)
    await paid(hub, "bank-1", "100,00", None, customer=BUYER)
    await paid(hub, "bank-2", "40,00", None, kind="refund", direction="out", customer=BUYER)
    back = {"source_id": "back-1", "of": "payment", "of_id": "bank-1", "date": "2027-03-13"}
    await hub.post("/v1/reversals", back)
    await hub.work()
    [item] = await hub.get("/v1/attention")
    assert item["code"] == "credit-used"
    await hub.post("/v1/reversals", back | {"source_id": "back-2", "of_id": "bank-2"})
    assert await opened(hub, source_id="bank-1") == kroner("100,00")
    await hub.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
    await hub.work()
    assert await opened(hub, source_id="bank-1") == 0
    assert await hub.get("/v1/attention") == []


async def test_one_payment_over_two_invoices_and_a_rest(hub: Any) -> None:
    first, second = await posted(hub), await posted(hub, source_id="sale-2")
    both = [{"document": {"document_id": one.id}, "amount": "12500.00"} for one in (first, second)]
    await paid(hub, "bank-1", "26 000,00", None, allocations=both)
    assert await opened(hub, kind="invoice", source_id="sale-10017") == 0
    assert await opened(hub, kind="invoice", source_id="sale-2") == 0
    assert await opened(hub, kind="payment") == kroner("1 000,00")


async def test_a_prepaid_amount_needs_the_credit_behind_it(hub: Any) -> None:
    with_advance = a.INVOICE | {"source_id": "sale-3", "prepaid": "4000.00"}
    await posted(hub)
    answer = await hub.post("/v1/invoices", with_advance)
    await hub.work()
    assert (await hub.get(answer.headers["location"]))["state"] == "waiting"
    [item] = await hub.get("/v1/attention")
    assert item["code"] == "prepaid-without-credit"
    await paid(hub, "bank-1", "4 000,00", None, customer=BUYER)
    await hub.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "retry"})
    await hub.work()
    invoice = await hub.document(kind="invoice", source_id="sale-3")
    assert (Decimal(invoice.payable), Decimal(invoice.open)) == (kroner("12 500,00"), kroner("8 500,00"))
    assert await opened(hub, kind="payment") == 0
    assert "invoice.settled" in await hub.events()


# --- with the books ---------------------------------------------------------------------------------------------------


async def test_4_paid_twice_and_refunded_is_nothing_on_all_sides(fjord: Any) -> None:
    document = await sold(fjord)
    for number, amount in enumerate(("5 000,00", "7 500,00", "4 375,00"), 1):
        await paid(fjord, f"bank-{number}", amount, document)
        await fjord.work(within=1)
    assert balance(fjord.box, a.RECEIVABLE) == kroner("-4 375,00")
    assert await opened(fjord, source_id="bank-3") == kroner("4 375,00")
    refund = await paid(fjord, "bank-4", "4 375,00", None, kind="refund", direction="out", customer=BUYER)
    await fjord.work(within=1)
    assert (await fjord.get(refund.headers["location"]))["state"] == "done"
    await fjord.poll()
    await fjord.poll()

    assert balance(fjord.box, a.RECEIVABLE) == 0
    assert balance(fjord.box, a.BANK) == kroner("12 500,00")
    [customer] = {p["customer"] for p in fjord.box.books.all("posting") if p.get("customer")}
    assert fjord.box.books.open_of(customer) == 0
    assert [row for row in fjord.box.books.all("posting") if row.get("customer") and not row.get("closeGroup")] == []
    assert await opened(fjord, kind="invoice") == await opened(fjord, source_id="bank-3") == 0
    assert len((await fjord.get("/v1/documents", kind="payment"))["documents"]) == 4
    assert await fjord.get("/v1/attention") == []


async def test_what_is_taken_back_is_taken_back_in_the_books_once(fjord: Any) -> None:
    document = await sold(fjord)
    await paid(fjord, "bank-1", "12 500,00", document)
    await fjord.work(within=1)
    back = {"source_id": "back-1", "of": "payment", "of_id": "bank-1", "date": "2027-03-13"}
    answer = await fjord.post("/v1/reversals", back)
    await fjord.work(within=1)
    assert (await fjord.get(answer.headers["location"]))["state"] == "done"
    await fjord.poll()
    await fjord.poll()

    assert balance(fjord.box, a.RECEIVABLE) == await opened(fjord, kind="invoice") == kroner("12 500,00")
    assert balance(fjord.box, a.BANK) == 0
    assert (await fjord.document(kind="invoice")).state == "issued"
    assert await fjord.get("/v1/attention") == []


async def test_one_payment_is_two_rows_and_a_rest_in_the_books(fjord: Any) -> None:
    first, second = await sold(fjord), await sold(fjord, a.INVOICE | {"source_id": "sale-2"})
    both = [{"document": {"document_id": one.id}, "amount": "12500.00"} for one in (first, second)]
    await paid(fjord, "bank-1", "26 000,00", None, allocations=both)
    await fjord.work(within=2)
    before = await fjord.events()
    await fjord.poll()
    await fjord.poll()
    assert await fjord.events() == before
    assert balance(fjord.box, a.RECEIVABLE) == kroner("-1 000,00")
    assert balance(fjord.box, a.BANK) == kroner("26 000,00")
    payment = await fjord.document(kind="payment")
    assert len(payment.links) == 3
    await fjord.post("/v1/reversals", {"source_id": "b", "of": "payment", "of_id": "bank-1", "date": "2027-03-13"})
    await fjord.work(within=2)
    assert balance(fjord.box, a.BANK) == 0
    assert balance(fjord.box, a.RECEIVABLE) == kroner("25 000,00")
    assert await fjord.get("/v1/attention") == []


async def posted(hub: Any, **more: Any) -> Any:
    answer = await hub.post("/v1/invoices", a.INVOICE | more)
    assert answer.status_code == 202, answer.text
    return await hub.document(kind="invoice", source_id=(a.INVOICE | more)["source_id"])


@pytest.fixture
async def hub(founded: Any) -> Any:
    """The company with its connection only observing: what is kept here alone."""
    async with founded() as fjord:
        for spoke in fjord.house.spokes():
            await fjord.house.store.write(lambda tx, s=spoke: connections.change(tx, s.id, mode="observe"))
        yield fjord
