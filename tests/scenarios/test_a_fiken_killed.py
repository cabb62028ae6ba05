"""Scenario A on Fiken with workers that are programs of their own, killed at every call: everything once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import TOKEN, Sandbox

sys.path.append(str(Path(__file__).parent))
from fiken_company import INVOICE, OWN_ACCOUNT, TENANT

_spec = spec_from_file_location("killed_at_work", Path(__file__).parent / "test_a_killed.py")
assert _spec is not None
assert _spec.loader is not None
killed = module_from_spec(_spec)
_spec.loader.exec_module(killed)

CONTACT, DRAFT, CREATE = r"POST .*/contacts", r"POST .*/invoices/drafts", r"POST .*/createInvoice"
PAY, SALE, PAGE = r"POST .*/payments", r"POST .*/sales", r"POST .*/sales/\d+/attachments"
NOTE_DRAFT, NOTE, DISCARD = (
    r"POST .*/creditNotes/drafts",
    r"POST .*/creditNotes/(partial|full)",
    r"DELETE .*/drafts/\d+",
)
READS = (r"GET .*/contacts\?", r"GET .*/contacts/\d+", r"GET .*/invoices/drafts/\d+", r"GET .*/invoices/\d+",
         r"GET .*/accounts\?", r"GET .*/bankAccounts\?")  # fmt: skip
MOMENTS = ("before", "between", "after")


class Deadly(killed.Fated, Sandbox):  # type: ignore[misc, name-defined]
    """Fiken with fate."""


@pytest.fixture
def at_work(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with at_work() as (fjord, workers)`: a company with deadly books, and workers that are programs."""
    monkeypatch.setenv("FJORD_TOKEN", TOKEN)
    monkeypatch.setenv("CONNECTOR_LEASE", str(killed.LEASE))
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "error")

    @asynccontextmanager
    async def opened(**more: Any) -> AsyncIterator[tuple[Any, Any]]:
        workers = killed.Workers()
        async with founded(books=Deadly, tenant=TENANT, settle=1, rounding="document", **more) as fjord:
            try:
                yield fjord, workers
            finally:
                workers.end()

    return opened


def sale(n: int) -> dict[str, Any]:
    """An invoice of its own customer, and an amount of its own."""
    return killed.sale(n) | {"lines": [INVOICE["lines"][0] | {"quantity": str(n + 1)}]}


def money(n: int) -> dict[str, Any]:
    return killed.money(n) | {"bank_account": OWN_ACCOUNT}


def credit(n: int) -> dict[str, Any]:
    """An amount of its own less."""
    note = sale(n) | {
        "type_code": "381",
        "source_id": f"credit-{n}",
        "preceding_invoices": [{"source_id": f"sale-{n}"}],
    }
    return note | {
        "issue_date": "2027-03-10",
        "lines": [INVOICE["lines"][0] | {"quantity": "1", "price": f"{n + 1}00"}],
    }


def amounts(fjord: Any, type: str, field: str) -> Callable[[], list[int]]:
    return lambda: [one[field] for one in fjord.box.books.all(type)]


def once(box: Sandbox, **there: int) -> None:
    """So many of each, no draft left, and each contact once."""
    counted = {type: len(list(box.books.all(type))) for type in there}
    assert counted == there
    assert list(box.books.all("draft")) == list(box.books.all("creditNoteDraft")) == box.books.outbox == []
    assert set(Counter(one["name"] for one in box.books.all("contact")).values()) == {1}


async def answered(fjord: Any, workers: Any, operations: list[str], there: Callable[[], list[int]]) -> None:
    """A person answers what cannot be known, by looking into the books: `there` are the amounts in them, in øre."""
    while True:
        await workers.until(lambda: killed.over(fjord, operations, ("done", "waiting")))
        waiting = await fjord.get("/v1/attention")
        if not waiting:
            break
        for item in waiting:
            assert item["code"] == "outcome-unclear"
            # What happened and can be seen is found without asking.
            assert Decimal(item["amount"]) * 100 not in there()
            answer = await fjord.client.post(f"/v1/attention/{item['id']}/resolve", json={"verb": "did-not-happen"})
            assert answer.status_code == 204
    await workers.until(lambda: killed.over(fjord, operations))
    assert len(set(there())) == len(there()) == len(operations)


async def test_killed_at_every_write(at_work: Any) -> None:
    """Before the request is taken, between call and answer, after the answer."""
    async with at_work() as (fjord, workers):
        for moment in MOMENTS:
            for call in (CONTACT, DRAFT, CREATE, PAY):
                fjord.box.fate(call, moment, workers.kill)
        numbers = range(len(MOMENTS))
        invoices = await killed.posted(fjord, "/v1/invoices", [sale(n) for n in numbers])
        await workers.until(lambda: killed.over(fjord, invoices))
        payments = await killed.posted(fjord, "/v1/payments", [money(n) for n in numbers])
        await answered(fjord, workers, payments, amounts(fjord, "payment", "amount"))
        await workers.died(4 * len(MOMENTS))
        assert fjord.box.fates == []
        once(fjord.box, invoice=3, payment=3)


async def test_killed_at_every_write_of_credit_notes(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        invoices = await killed.posted(fjord, "/v1/invoices", [sale(n) for n in range(len(MOMENTS))])
        await workers.until(lambda: killed.over(fjord, invoices))
        for moment in MOMENTS:
            for call in (NOTE_DRAFT, NOTE, DISCARD):
                fjord.box.fate(call, moment, workers.kill)
        notes = await killed.posted(fjord, "/v1/invoices", [credit(n) for n in range(len(MOMENTS))])
        await answered(fjord, workers, notes, amounts(fjord, "creditNote", "gross"))
        await workers.died(3 * len(MOMENTS))
        once(fjord.box, invoice=3, creditNote=3)
        assert await fjord.get("/v1/attention") == []


async def test_killed_at_every_write_of_what_was_issued_elsewhere(at_work: Any) -> None:
    async with at_work(issues="source") as (fjord, workers):
        for moment in MOMENTS:
            for call in (CONTACT, SALE, PAGE):
                fjord.box.fate(call, moment, workers.kill)
        bodies = [sale(n) | {"number": f"A-{n}"} for n in range(len(MOMENTS))]
        invoices = await killed.posted(fjord, "/v1/invoices", bodies)
        await workers.until(lambda: killed.over(fjord, invoices))
        await workers.died(3 * len(MOMENTS))
        once(fjord.box, sale=3)
        assert [len(one["_files"]) for one in fjord.box.books.all("sale")] == [1, 1, 1]


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
async def test_killed_at_every_read(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        for moment in MOMENTS:
            for call in READS:
                fjord.box.fate(call, moment, workers.kill)
        invoices = await killed.posted(fjord, "/v1/invoices", [sale(n) for n in range(len(MOMENTS))])
        await workers.until(lambda: killed.over(fjord, invoices))
        once(fjord.box, invoice=3)
