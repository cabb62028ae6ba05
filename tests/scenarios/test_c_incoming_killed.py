"""Scenario C.1 with workers that are programs of their own, killed at every write of an incoming invoice: each once."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from incoming_ehf import PDF, ehf, with_files

from connector.model import Address, Party

_spec = spec_from_file_location("killed_at_work", Path(__file__).parent / "test_a_killed.py")
assert _spec is not None
assert _spec.loader is not None
killed = module_from_spec(_spec)
_spec.loader.exec_module(killed)
at_work = killed.at_work

MOMENTS = ("before", "between", "after")
SUPPLIER = "POST /supplier"
IMPORT = r"POST /ledger/voucher/importDocument"
ATTACH = r"POST /ledger/voucher/\d+/attachment"
PILOT = "POST /incomingInvoice"


def message(n: int) -> bytes:
    """An invoice with a file; each from a supplier of its own."""
    number = killed.BUYERS[n]
    seller = Party.norwegian(number, f"Leverandør {n} AS", in_business_register=True,
                             address=Address(street="Gata 1", city="Oslo", country="NO"))  # fmt: skip
    return ehf(f"F-{n}", vat="2499.99", seller=seller, **with_files(("timer.pdf", "application/pdf", PDF)))


async def delivered_once(fjord: Any, workers: Any, calls: tuple[str, ...]) -> None:
    """An invoice for each moment; a worker dies in each of these calls at each of these moments. The voucher has the
    page and the file, whichever way it came.
    """
    box, many = fjord.box, range(len(MOMENTS))
    for n in many:
        for call in calls:
            box.fate(call, MOMENTS[n], workers.kill)
    posted = []
    for n in many:
        answer = await fjord.post("/v1/incoming-invoices", message(n))
        assert answer.status_code == 202
        posted.append(answer.headers["location"])
    await workers.until(lambda: killed.over(fjord, posted))

    assert [call for call, _, _ in box.fates] == []
    await workers.died(len(calls) * len(MOMENTS))
    things = box.books.things
    assert sorted(one["name"] for one in things["supplier"].values()) == [f"Leverandør {n} AS" for n in many]
    vouchers = list(things["voucher"].values())
    assert sorted(one["description"].split(" (")[0] for one in vouchers) == [
        f"Faktura F-{n} fra Leverandør {n} AS" for n in many
    ]
    for voucher in vouchers:
        assert [one.content == PDF for one in box.books.find(voucher["attachment"])["_uploads"]] == [False, True]
    documents = (await fjord.get("/v1/documents", kind="supplier_invoice"))["documents"]
    assert {one["state"] for one in documents} == {"delivered"}
    assert await fjord.get("/v1/attention") == []


async def test_killed_at_every_write_into_the_reception(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        await delivered_once(fjord, workers, (SUPPLIER, IMPORT, ATTACH))


async def test_killed_at_every_write_of_a_pilot_customer(at_work: Any) -> None:
    """Here the page is attached, too: each voucher gets two files."""
    async with at_work(settings="incoming: inbox") as (fjord, workers):
        fjord.box.books.rules.incoming_pilot = True
        await delivered_once(fjord, workers, (SUPPLIER, PILOT, ATTACH))


@pytest.mark.proof
@pytest.mark.skipif(not killed.FULL, reason="CONNECTOR_PROOF=full")
async def test_killed_at_every_read(at_work: Any) -> None:
    async with at_work() as (fjord, workers):
        reads = (r"GET /supplier\?", r"GET /supplierInvoice\?", r"GET /ledger/voucher/\d+", r"GET /supplier/\d+")
        await delivered_once(fjord, workers, reads)
