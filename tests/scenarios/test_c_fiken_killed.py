"""Scenario C.1 on Fiken with workers that are programs, killed at every write of an incoming invoice: each once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.accounting.fiken.sandbox import TOKEN

sys.path.append(str(Path(__file__).parent))
from fiken_company import TENANT
from test_a_fiken_killed import CONTACT, MOMENTS, Deadly, killed
from test_c_incoming_killed import message

PURCHASE, FILE, INBOX = r"POST .*/purchases", r"POST .*/purchases/\d+/attachments", r"POST .*/inbox"
READS = (r"GET .*/contacts\?", r"GET .*/contacts/\d+", r"GET .*/purchases\?", r"GET .*/accounts\?",
         r"GET .*/purchases/\d+")  # fmt: skip


@pytest.fixture
def at_work(founded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with at_work("book") as (fjord, workers)`: deadly books, and workers that are programs."""
    monkeypatch.setenv("FJORD_TOKEN", TOKEN)
    monkeypatch.setenv("CONNECTOR_LEASE", str(killed.LEASE))
    monkeypatch.setenv("CONNECTOR_LOG_LEVEL", "error")

    @asynccontextmanager
    async def opened(way: str) -> AsyncIterator[tuple[Any, Any]]:
        workers = killed.Workers()
        settings = f'incoming: {way}, incoming_account: "4300"'
        tenant = TENANT.replace("receives: nobody", "receives: connector")
        async with founded(books=Deadly, tenant=tenant, settle=1, settings=settings) as fjord:
            try:
                yield fjord, workers
            finally:
                workers.end()

    return opened


async def delivered_once(fjord: Any, workers: Any, calls: tuple[str, ...], type: str) -> None:
    """An invoice with a file for each moment; a worker dies in each of these calls at each of these moments."""
    box, many = fjord.box, range(len(MOMENTS))
    for moment in MOMENTS:
        for call in calls:
            box.fate(call, moment, workers.kill)
    posted = []
    for n in many:
        answer = await fjord.post("/v1/incoming-invoices", message(n))
        assert answer.status_code == 202
        posted.append(answer.headers["location"])
    await workers.until(lambda: killed.over(fjord, posted))

    assert box.fates == []
    await workers.died(len(calls) * len(MOMENTS))
    assert Counter(one["name"] for one in box.books.all("contact")) == {f"Leverandør {n} AS": 1 for n in many}
    made = list(box.books.all(type))
    assert [len(one["_files"]) for one in made] == [2 if type == "purchase" else 1] * len(MOMENTS)
    named = Counter(one.get("identifier") or one["name"] for one in made)
    assert set(named) == {f"F-{n}" if type == "purchase" else f"Faktura F-{n} fra Leverandør {n} AS" for n in many}
    states = {one["state"] for one in (await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]}
    assert states == {"booked" if type == "purchase" else "delivered"}
    assert await fjord.get("/v1/attention") == []


@pytest.mark.parametrize(
    ("way", "call"), [("book", PURCHASE), ("inbox", INBOX), ("book", FILE), ("book", CONTACT)],
    ids=["purchase", "inbox", "file", "supplier"],
)  # fmt: skip
async def test_killed_at_every_write(at_work: Any, way: str, call: str) -> None:
    async with at_work(way) as (fjord, workers):
        await delivered_once(fjord, workers, (call,), "purchase" if way == "book" else "inbox")


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
async def test_killed_at_every_read(at_work: Any) -> None:
    async with at_work("book") as (fjord, workers):
        await delivered_once(fjord, workers, READS, "purchase")
