"""Scenario A.4 with workers that are programs of their own, killed at every write of a refund and of a reversal, and at
every read of what a bookkeeper has booked: everything once, both ways.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from adapters.accounting.tripletex.sandbox import vouchers
from connector.ports import Kind
from connector.sync import reads

_spec = spec_from_file_location("killed_at_work", Path(__file__).parent / "test_a_killed.py")
assert _spec is not None
assert _spec.loader is not None
killed = module_from_spec(_spec)
_spec.loader.exec_module(killed)
at_work = killed.at_work

MOMENTS = ("before", "between", "after")
BOOK, MATCH, REVERSE = "POST /ledger/voucher", "PUT /ledger/posting/:closePostings", r"PUT /ledger/voucher/\d+/:reverse"
ROWS = r"GET /ledger/posting\?"
CREDIT = Decimal("4375.00")


def on_account(n: int, **more: Any) -> dict[str, Any]:
    """Money of a customer that settles nothing."""
    customer = {"number": killed.BUYERS[n]}
    said = killed.money(n) | {"amount": str(CREDIT + n), "allocations": [], "customer": customer}
    return said | {"source_id": f"advance-{n}"} | more


async def given(fjord: Any, workers: Any) -> None:
    """A customer with an invoice and credit for each moment."""
    sales = range(len(MOMENTS))
    invoices = await killed.posted(fjord, "/v1/invoices", [killed.sale(n) for n in sales])
    await workers.until(lambda: killed.over(fjord, invoices))
    credit = await killed.posted(fjord, "/v1/payments", [on_account(n) for n in sales])
    await workers.until(lambda: killed.over(fjord, credit))


def fated(fjord: Any, workers: Any, *calls: str) -> None:
    for moment in MOMENTS:
        for call in calls:
            fjord.box.fate(call, moment, workers.kill)


async def done(fjord: Any, workers: Any, operations: list[str], kills: int) -> None:
    """All are done, with nobody asked; each call had its fate."""
    await workers.until(lambda: killed.over(fjord, operations))
    assert [call for call, _, _ in fjord.box.fates] == []
    await workers.died(kills)
    assert await fjord.get("/v1/attention") == []


def bank(box: Any) -> Counter[Decimal]:
    _, rows = killed.in_the_books(box)
    return rows


async def test_killed_at_every_write_of_a_refund(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        await given(fjord, workers)
        fated(fjord, workers, BOOK, MATCH)
        refunds = [on_account(n, source_id=f"back-{n}", kind="refund", direction="out") for n in range(len(MOMENTS))]
        await done(fjord, workers, await killed.posted(fjord, "/v1/payments", refunds), 2 * len(MOMENTS))
        assert bank(fjord.box) == {sign * (CREDIT + n): 1 for n in range(len(MOMENTS)) for sign in (1, -1)}
        open_rows = [one for one in fjord.box.books.all("posting") if one.get("customer") and not one.get("closeGroup")]
        assert {one["type"] for one in open_rows} == {"OUTGOING_INVOICE_CUSTOMER_POSTING"}
        found = (await fjord.get("/v1/documents", kind="payment"))["documents"]
        assert [Decimal(one["open"]) for one in found] == [0] * 2 * len(MOMENTS)


async def test_killed_at_every_write_of_a_reversal(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        await given(fjord, workers)
        fated(fjord, workers, REVERSE)
        backs = [{"source_id": f"undo-{n}", "of": "payment", "of_id": f"advance-{n}", "date": "2027-03-20"}
                 for n in range(len(MOMENTS))]  # fmt: skip
        await done(fjord, workers, await killed.posted(fjord, "/v1/reversals", backs), len(MOMENTS))
        assert bank(fjord.box) == {sign * (CREDIT + n): 1 for n in range(len(MOMENTS)) for sign in (1, -1)}
        found = (await fjord.get("/v1/documents", kind="payment"))["documents"]
        assert [(one["state"], Decimal(one["open"])) for one in found] == [("reversed", 0)] * len(MOMENTS)


async def test_killed_at_every_read_of_what_a_bookkeeper_booked(at_work: Any) -> None:
    """A refund, a loss that is matched, and a reversal, read by workers that die: each counts once."""
    async with at_work() as (fjord, workers):
        await given(fjord, workers)
        books = fjord.box.books
        customers = {books.find(one["customer"])["organizationNumber"]: one for one in books.all("invoice")}
        first, second, third = (customers[number] for number in killed.BUYERS[: len(MOMENTS)])
        booked(books, first, money=True, amount=-CREDIT)
        books.close([*books.open_items(second["id"]), booked(books, second, money=False, amount=second["amount"])],
                    date(2027, 3, 12))  # fmt: skip
        advance = next(one for one in books.all("posting") if one.get("customer") == third["customer"]
                       and one["amount"] == -(CREDIT + 2))  # fmt: skip
        books.reverse(books.find(advance["voucher"]), date(2027, 3, 13))
        fated(fjord, workers, ROWS)
        for _ in range(2 * len(MOMENTS)):
            before = workers.kills
            for spoke in fjord.house.spokes():
                await fjord.house.store.write(lambda tx, s=spoke: reads.poll(tx, s, Kind.PAYMENT))
            await workers.until(lambda k=before: reached(fjord, workers, k))
        await workers.until(lambda: told(fjord))

        assert [call for call, _, _ in fjord.box.fates] == []
        await workers.died(len(MOMENTS))
        invoices = {one["counterparty"]: one for one in (await fjord.get("/v1/documents", kind="invoice"))["documents"]}
        assert [invoices[f"Kunde {n} AS"]["state"] for n in range(3)] == ["issued", "written_off", "issued"]
        payments = (await fjord.get("/v1/documents", kind="payment"))["documents"]
        left = {one.get("source_id"): (one["state"], Decimal(one["open"])) for one in payments}
        assert [left[f"advance-{n}"] for n in range(3)] == [
            ("booked", 0), ("booked", CREDIT + 1), ("reversed", 0)
        ]  # fmt: skip
        events = await fjord.events()
        assert [events.count(kind) for kind in ("payment.reversed", "invoice.settled", "settlement.booked")] == [
            1,
            1,
            1,
        ]
        assert await fjord.get("/v1/attention") == []


def booked(books: Any, invoice: Any, *, money: bool, amount: Decimal) -> Any:
    """A voucher that lowers what a customer owes, against the bank or as a loss; the row on the customer's account."""
    rows = [(1920 if money else 7830, amount, {}), (1500, -amount, {"customer": {"id": invoice["customer"].id}})]
    said = [{"row": at, "account": {"id": books.account(number).id}, "amountGross": value, **more}
            for at, (number, value, more) in enumerate(rows, 1)]  # fmt: skip
    voucher = vouchers.create(books, {"date": "2027-03-12", "postings": said}, send=True)
    return next(one for link in voucher["postings"] if (one := books.find(link)).get("customer"))


async def reached(fjord: Any, workers: Any, kills: int) -> bool:
    """A worker has died of it, or has nothing to do."""
    return workers.kills > kills or not fjord.box.fates


async def told(fjord: Any) -> bool:
    events = await fjord.events()
    return "payment.reversed" in events and "invoice.settled" in events and "payment.refunded" in events
